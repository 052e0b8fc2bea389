"""A series of numbers, and what is concluded from one, in a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from stability.judging.shape import FEWEST, Course, Shape
from stability.judging.trend import MANY
from stability.records import Event, EventKind, Severity, VerdictLabel


@dataclass(frozen=True, slots=True)
class Series:
    """Finite numbers called `name`, and the step each belongs to.

    `directed`: they should fall, as their names say, or as is `declared` in the study file. `is_turned`: they
    are those of a metric that should rise, times -1.
    """

    name: str
    steps: Sequence[int]
    values: Sequence[float]
    directed: bool = True
    declared: bool = False
    is_turned: bool = False

    def shown(self, value: float) -> float:
        """A number of this series as it was recorded."""
        return -value if self.is_turned else value


@dataclass(frozen=True, slots=True)
class Conclusion:
    """The verdict that the whole course supports, in a sentence; `event` says what is bad, if anything is."""

    label: VerdictLabel
    evidence: str
    event: Event | None = None


def good(series: Series) -> Conclusion:
    return Conclusion(VerdictLabel.STABLE, _from_to(series))


def stuck(series: Series) -> Conclusion:
    event = Event(
        series.steps[-1],
        EventKind.STUCK,
        series.name,
        series.shown(series.values[-1]),
        series.shown(series.values[0]),
        Severity.WARNING,
    )
    return Conclusion(VerdictLabel.STUCK, _from_to(series), event)


def undecided(series: Series, *, is_evaluated: bool = False) -> Conclusion:
    ask = "train longer or evaluate more often" if is_evaluated else "evaluate, so that a verdict is possible"
    why = f"healthy trainings may do that, too: {ask}"
    return Conclusion(VerdictLabel.INCONCLUSIVE, f"{_from_to(series)}; {why}")


def bad(label: VerdictLabel, series: Series, found: Shape) -> Conclusion:
    severity = Severity.LOST if label is VerdictLabel.DIVERGED else Severity.WARNING
    t, step = found.trend, series.steps[found.at]
    peak = series.shown(max(t.peak, series.values[found.at]))  # one number alone may have been the excursion
    start, end, tail = map(series.shown, (t.start, t.end, t.tail))
    match found.course:
        case Course.BACK | Course.PART:
            event = Event(step, EventKind.GAVE_BACK, series.name, found.given_back, None, severity)
        case Course.RETURNED:
            event = Event(step, EventKind.RETURNED, series.name, peak, start, severity)
        case Course.SPIKED:
            event = Event(step, EventKind.EXCURSION, series.name, peak, start, severity)
        case Course.EXPLODED:
            event = Event(step, EventKind.BLOW_UP, series.name, tail, start, severity)
        case _:
            event = Event(step, EventKind.BLOW_UP, series.name, end, start, severity)
    return Conclusion(label, "", event)


def no_start(series: Series) -> str:
    return f"{_from_to(series)}, and nothing shows where it began: evaluate once before training"


def too_few(series: Series) -> str:
    n = len(series.values)
    numbers = "1 number" if n == 1 else f"{n} numbers"
    return f"{numbers} of {series.name}: at least {FEWEST} are needed to tell how it goes"


def too_noisy(series: Series) -> str:
    """Few numbers in no order."""
    n = len(series.values)
    return f"{_from_to(series)}: {n} numbers without a trend; at least {MANY} are needed to call a loss flat"


def _from_to(series: Series) -> str:
    first, last = series.shown(series.values[0]), series.shown(series.values[-1])
    return f"{series.name} {first:.4g} to {last:.4g}"
