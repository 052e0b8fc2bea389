"""Ways of writing numbers down that no program needs to share; `KINDS` holds all, by name.

They are made to the kinds that issues describe, with a look at the reader; `formats` were written without one.
"""

from . import columns, endings, languages, layouts, skips, spellings
from .register import KINDS

MODULES = (columns, endings, languages, layouts, skips, spellings)

__all__ = ["KINDS", "MODULES"]
