"""Ways of writing numbers down that no program needs to share; `KINDS` holds all, by name.

They are made to the kinds that issues describe, with a look at the reader; `formats` were written without one.
"""

from . import absent, columns, endings, folders, languages, layouts, pairs, skips, spellings, starts
from .register import KINDS

MODULES = (absent, columns, endings, folders, languages, layouts, pairs, skips, spellings, starts)

__all__ = ["KINDS", "MODULES"]
