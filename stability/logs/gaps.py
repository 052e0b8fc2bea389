"""Empty cells and nulls -> which of them stand for a NaN. pandas, orjson and JavaScript write one so."""

from __future__ import annotations

from collections.abc import Collection

from stability.logs.vocabulary import LOSSES, Sort, meaning

FEWEST = 3
"""So many rows with the same names show that a number is due in each."""
_DUE = (*LOSSES, Sort.GRAD_NORM, Sort.UNKNOWN)


class Gaps:
    """Compares a row with those before it.

    A loss is NaN where it is empty in a row that is otherwise like the last ones, which all had it. Rows of
    training and of evaluation, which have other names, and numbers that come now and then show no such thing.
    """

    def __init__(self) -> None:
        self._full: frozenset[str] = frozenset()
        self._count = 0

    def nans(self, present: Collection[str], empty: Collection[str]) -> list[str]:
        """The `empty` names that stand for NaN, in a row in which the `present` ones have numbers."""
        own = frozenset(present)
        if self._count >= FEWEST and own < self._full and (due := self._full.intersection(empty)):
            return [name for name in empty if name in due and meaning(name).sort in _DUE]
        if own == self._full:
            self._count += 1
        else:
            self._full, self._count = own, 1
        return []
