"""Drawn loss curves whose verdict is known: about a hundred shapes, each in several sizes.

`curves()` draws the same cases every time. A label says what people would read off the plot; no rule is read.
"""

from __future__ import annotations

from cases import Case
from fine_curves import fine_families
from lost_curves import lost_families
from slow_curves import slow_families


def curves() -> list[Case]:
    """Every variant of every family."""
    families = (*fine_families(), *lost_families(), *slow_families())
    return [case for family in families for case in family.cases()]
