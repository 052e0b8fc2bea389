"""Numbers that stand where nothing was measured -> left out, and told.

No evaluation in this epoch, no term in this batch, no start in the first row. What may be a loss that is lost
stays: it is held back only until more numbers show which of both it is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field

from stability.logs.observation import Observation

FEWEST = 3
"""So many numbers show how far apart they are; before, a word for NaN may mean either."""
WHOLES = ("total", "loss")
"""What the sum of all terms is called: where it is finite, the program leaves out the others itself."""
_NO_START = (0.0, -1.0)
_MANY_STEPS = 10
"""A row that stands for so many steps may have the sum of their losses."""


@dataclass(slots=True)
class _Place:
    """How often one number was there, how long it is missing by now, and how long it was before.

    `leading` is how long it took to be there first, `nonfinite` how often NaN or infinity stood there.
    """

    measured: int = 0
    missing: int = 0
    longest: int = 0
    leading: int = 0
    left_out: int = 0
    nonfinite: int = 0

    def is_due(self, *, is_missing: bool) -> bool:
        """Whether this one counts: it is there, or is missing for longer than it may be by its nature."""
        if not is_missing:
            if self.measured:
                self.longest = max(self.longest, self.missing)
            else:
                self.leading = self.missing
            self.measured, self.missing = self.measured + 1, 0
            return True
        self.missing += 1
        is_due = self.measured >= FEWEST and self.missing > 2 * self.longest
        self.left_out += not is_due
        return is_due

    @property
    def is_lost(self) -> bool:
        """Whether it is missing at the end, for longer than it was before, and did not count so far."""
        if self.measured >= FEWEST and self.missing > 2 * self.longest:
            return False
        longest = self.longest if self.measured >= FEWEST else max(self.longest, self.leading)
        return self.measured > 0 and self.missing > longest


@dataclass(slots=True)
class Screening:
    """Follows one source of a training.

    An evaluation that is NaN, infinite or exactly 0 is none, as long as evaluations come now and then, or
    never came. So is a term that is NaN beside a finite total. Each counts once it is missing for longer than
    it was before.
    """

    _evaluations: dict[str, _Place] = field(default_factory=dict)
    _terms: dict[str, _Place] = field(default_factory=dict)  # those that were ever missing
    _rows: dict[tuple[str, ...], int] = field(default_factory=dict)  # in which nothing was
    _last: dict[bool, Observation] = field(default_factory=dict)
    _first: Observation | None = None
    _has_begun: bool = False
    _had_no_start: bool = False

    def left_of(self, observations: Iterable[Observation]) -> Iterator[Observation]:
        """What is left of them, in their order."""
        rows = self._rows
        for found in observations:
            if self._has_begun and not (found.is_evaluation or self._terms):
                values = found.values
                if all(map(math.isfinite, values.values())):  # as most are
                    names = tuple(values)
                    rows[names] = rows.get(names, 0) + 1
                    yield found
                    continue
            yield from self.of(found)

    def of(self, found: Observation) -> Iterator[Observation]:
        """What is left of an observation, behind one that waited for it."""
        if found.is_evaluation:
            yield self._evaluated(found)
        elif self._has_begun or not found.losses():
            yield self._trained(found)
        else:
            yield from self._begun(found)

    def end(self) -> Iterator[Observation]:
        """Nothing more comes: what is missing for too long by now counts after all."""
        if self._first is not None:
            yield self._trained(self._first)
        for is_evaluation, places in ((False, self._terms), (True, self._evaluations)):
            lost = {name for name, place in places.items() if place.is_lost}
            last = self._last.get(is_evaluation)
            if last is not None and (values := {n: v for n, v in last.values.items() if n in lost}):
                yield last._replace(values=values)

    def problem(self) -> str | None:
        """An evaluation that was NaN or infinite each time: it may have failed. None where there is none."""
        never = [n for n, place in self._evaluations.items() if place.nonfinite and not place.measured]
        if not never or any(place.measured for place in self._evaluations.values()):
            return None
        way_out = r"read the training loss alone: `parse: {stdout: ['train_loss (?P<loss>\S+)']}`"
        return f"`{never[0]}` of an evaluation was never finite; where none is made, {way_out}"

    def notes(self) -> Iterator[str]:
        """What was left out, in words."""
        if self._had_no_start:
            yield "the first row has 0 or -1 in place of a loss: it is no start, and was left out"
        for places, what in ((self._evaluations, "an evaluation"), (self._terms, "the training")):
            for name, place in places.items():
                if place.left_out:
                    never = "" if place.measured else ", and never anything else"
                    count = f"{place.left_out:,} times"
                    yield f"`{name}` of {what} was not measured {count}: NaN or 0 stood there{never}"

    def _evaluated(self, found: Observation) -> Observation:
        """All of it is missing, or terms beside a finite total; 0 is a number where others are beside it."""
        losses = found.losses()
        if not any(map(_is_measured, losses.values())):
            return self._due(found, losses, self._evaluations, _is_measured)
        terms = _terms(losses)
        known = [name for name, value in losses.items() if name in terms or math.isfinite(value)]
        return self._due(found, known, self._evaluations, math.isfinite)

    def _trained(self, found: Observation) -> Observation:
        """Terms beside a finite total."""
        if not self._terms and all(map(math.isfinite, found.values.values())):
            names = tuple(found.values)
            self._rows[names] = self._rows.get(names, 0) + 1
            return found
        return self._due(found, _terms(found.losses()), self._terms, math.isfinite)

    def _due(
        self,
        found: Observation,
        names: Collection[str],
        places: dict[str, _Place],
        is_measured: Callable[[float], bool],
    ) -> Observation:
        """Without those of these numbers that are missing and not due."""
        own = {name: found.values[name] for name in names}
        if not own:
            return found
        self._last[found.is_evaluation] = found
        left_out = set()
        for name, value in own.items():
            if name not in places:
                had = 0 if found.is_evaluation else sum(n for row, n in self._rows.items() if name in row)
                places[name] = _Place(measured=had)
            places[name].nonfinite += not math.isfinite(value)
            if not places[name].is_due(is_missing=not is_measured(value)):
                left_out.add(name)
        if not left_out:
            return found
        return found._replace(values={n: v for n, v in found.values.items() if n not in left_out})

    def _begun(self, found: Observation) -> Iterator[Observation]:
        """A first row that has a loss of 0 or -1 waits for the second, which shows what it is."""
        losses = found.losses()
        if self._first is None and any(value in _NO_START for value in losses.values()):
            self._first = found
            return
        self._has_begun = True
        first, self._first = self._first, None
        if first is not None:
            self._had_no_start = _is_no_start(first, found)
            if not self._had_no_start:
                yield self._trained(first)
        yield self._trained(found)


def _terms(losses: dict[str, float]) -> Collection[str]:
    """The terms beside a total that is finite; none where there is no such total. 0 may stand for NaN."""
    if not any(name in WHOLES and _is_measured(value) for name, value in losses.items()):
        return ()
    return [name for name in losses if name not in WHOLES]


def _is_no_start(first: Observation, second: Observation) -> bool:
    """Whether nothing was measured in the first row.

    Its losses are all 0 or -1. Or it is of step 0 and the next one sums the losses of many steps: none is 0
    any more, and all others are a multiple.
    """
    before, after = first.losses(), second.losses()
    unset = [name for name, value in before.items() if value in _NO_START]
    if not all(after.get(name, math.nan) > 0.0 for name in unset):
        return False
    steps = (second.step or 0) - first.step if first.step == 0 else 0
    others = before.keys() - set(unset)
    return not others or (
        steps >= _MANY_STEPS and all(after.get(name, math.nan) > 2.0 * before[name] for name in others)
    )


def _is_measured(value: float) -> bool:
    return value != 0.0 and math.isfinite(value)
