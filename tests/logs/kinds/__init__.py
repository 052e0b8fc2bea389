"""Ways of writing numbers down that no program needs to share; `KINDS` holds all, by name.

They are made to the kinds that issues describe, with a look at the reader; `formats` were written without one.
"""

from . import (
    absent,
    columns,
    components,
    endings,
    folders,
    languages,
    layouts,
    objectives,
    pairs,
    prefixed,
    sentences,
    skips,
    spellings,
    starts,
    tables,
)
from .register import KINDS

MODULES = (
    *(absent, columns, components, endings, folders, languages, layouts),
    *(objectives, pairs, prefixed, sentences, skips, spellings, starts, tables),
)

__all__ = ["KINDS", "MODULES"]
