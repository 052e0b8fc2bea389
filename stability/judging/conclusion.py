"""What the training loss and the yardstick show together: the verdict of a training that came to its end.

The yardstick is measured on the same data every time, so it decides what was learned; the training loss says
what happened between evaluations, and everything where there are none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from stability.judging.movement import scatters_about_zero
from stability.judging.policy import Policy
from stability.judging.shape import FEWEST, HOPELESS, THOUSANDFOLD, Course, Shape, is_multiple, shape
from stability.judging.trend import MANY, trend
from stability.records import Event, EventKind, Severity, VerdictLabel

BROKEN = frozenset({Course.BACK, Course.RETURNED, Course.ABOVE, Course.EXPLODED})
"""Courses of a loss that broke, if it has a direction."""
DESCENDED = frozenset({Course.LEARNED, Course.SPIKED})


DWARFED = 1e4
"""A training loss that spiked by so many times what it learned is worth a warning, whatever else is shown."""
FAR = 2.0
"""A yardstick above 0 that ends at more than twice its start is lost, unless the training loss fell. So is a
loss that is declared to fall and never came back to its start."""
MOVED = 0.2
"""A yardstick of the same data that moves by this part of its start is not standing still, and one that ends
so far below it has come back to learn. Of 134 recorded trainings that were too slow, those called STUCK move
by 4.3% at most. After an excursion, 167 lost ones end 8.7% below their start at most, and 22 fine ones 34% at
least."""


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


def conclude(training: Series, evaluated: Series, policy: Policy, *, before: bool) -> Conclusion:
    """What both series show.

    `before`: the first evaluation was made before training; without that, fewer than four evaluations say
    nothing. A training loss that scatters about 0 has no direction, unless one is declared.
    """
    loss = shape(training.values, policy, declared=training.declared)
    directed = training.directed and not has_no_direction(training, loss)
    if len(evaluated.values) < (2 if before else FEWEST):
        return _training_alone(training, loss, directed=directed)
    measured = shape(evaluated.values, policy, exact_start=before)
    both = _Both(training, loss, evaluated, measured, policy, directed)
    found = _OF_YARDSTICK[measured.course](both)
    return found if before else _without_start(both, found)


def _without_start(both: _Both, found: Conclusion) -> Conclusion:
    """A verdict from evaluations of which none was made before training.

    What they rose from is unknown: they fall, too, after a training broke at once, and stand still where it
    stays broken. So STABLE needs a training loss that learned, and STUCK one that came down by little.
    """
    course = both.loss.course
    if found.label is VerdictLabel.STABLE and both.directed:
        if course in BROKEN or course in (Course.PART, Course.SPIKED):
            return _bad(VerdictLabel.UNSTABLE, both.training, both.loss)
        if course in (Course.ROSE, Course.FLAT):
            return Conclusion(VerdictLabel.INCONCLUSIVE, _no_start(both.evaluated))
    if found.label is VerdictLabel.STUCK and both.learned():
        return _good(both.training)
    if found.label is VerdictLabel.STUCK and both.measured.course is not Course.LEARNED:
        return Conclusion(VerdictLabel.INCONCLUSIVE, _no_start(both.evaluated))
    return found


def has_no_direction(series: Series, found: Shape | None = None) -> bool:
    """Whether a series moves as one without direction does, and none is declared; `found` is its shape."""
    t = found.trend if found is not None else trend(series.values)
    return not series.declared and t is not None and scatters_about_zero(series.values, t)


@dataclass(frozen=True, slots=True)
class _Both:
    training: Series
    loss: Shape
    evaluated: Series
    measured: Shape
    policy: Policy
    directed: bool

    def learned(self) -> bool:
        """Whether the training loss, too, says that it learned."""
        return self.directed and self.loss.course in DESCENDED

    def broke(self) -> bool:
        """Whether the training loss says that it broke, and the yardstick does not that it recovered."""
        course = self.loss.course
        return self.directed and course in BROKEN and not (course is Course.RETURNED and self.recovered())

    def recovered(self) -> bool:
        """Whether the yardstick, measured before training too, ends far below its start, which is above 0."""
        values = self.evaluated.values
        return self.measured.trend.exact and 0.0 < values[-1] < (1.0 - MOVED) * values[0]

    def coarse(self) -> float:
        """What a yardstick above 0 may go up and show nothing: a fall counts from `stuck_drop` of it on."""
        return self.policy.excursion_noise * self.policy.stuck_drop * max(0.0, self.measured.trend.start)


def _yardstick_fell(both: _Both) -> Conclusion:
    """Whatever a loss does that has no direction; but not where it explodes after the last evaluation."""
    t, course = both.loss.trend, both.loss.course
    exploded = course is Course.EXPLODED or (course in (Course.ABOVE, Course.BACK) and is_multiple(t, 100.0))
    never_lower = both.directed and course is Course.RETURNED
    dwarfed = both.directed and course is Course.SPIKED and t.top - t.start > DWARFED * (t.start - t.end)
    if exploded or never_lower or dwarfed:
        return _bad(VerdictLabel.UNSTABLE, both.training, both.loss)
    values = both.evaluated.values
    # Less than one batch differs from the next, if there are enough of them to tell.
    least = t.noise if t.n >= MANY else both.policy.stuck_drop * abs(values[0])
    if values[0] - values[-1] < least and both.directed and course is Course.FLAT:
        return _stuck(both.evaluated)
    return _good(both.evaluated)


def _yardstick_bad(both: _Both) -> Conclusion:
    """Lost, unless the training loss is low: then the model only fails on the data that it is measured on."""
    label = VerdictLabel.UNSTABLE if both.learned() else VerdictLabel.DIVERGED
    return _bad(label, both.evaluated, both.measured)


def _yardstick_partly(both: _Both) -> Conclusion:
    """Less was learned than was lost on the way; lost altogether where the training loss says so, too."""
    most = both.measured.given_back >= both.policy.given_back
    broke = both.broke() and (both.measured.course is Course.SPIKED or most)
    return _bad(VerdictLabel.DIVERGED if broke else VerdictLabel.UNSTABLE, both.evaluated, both.measured)


def _yardstick_returned(both: _Both) -> Conclusion:
    """An excursion counts where the training loss shows one, too, or where it is a thousandfold: a coarse
    yardstick jumps by itself, but not so far. Of one above 0 a few hundredths are none: the last digit of
    a printed one, or a first epoch that is no better. One that ends far below its start came back to learn.
    """
    if both.recovered():
        return _yardstick_partly(replace(both, measured=replace(both.measured, course=Course.SPIKED)))
    flat = both.loss.course is Course.FLAT and both.loss.trend.n >= MANY
    t = both.measured.trend
    if t.top - t.start <= both.coarse():
        return _yardstick_flat(both)
    if flat and t.top - t.start <= THOUSANDFOLD * both.loss.trend.noise:
        return _stuck(both.evaluated)
    return _yardstick_bad(both)


def _yardstick_above(both: _Both) -> Conclusion:
    """Lost, but for a training loss that is calm in many steps: the two contradict each other."""
    if both.loss.course is Course.FLAT and both.loss.trend.n >= MANY:
        return _bad(VerdictLabel.UNSTABLE, both.evaluated, both.measured)
    return _yardstick_bad(both)


def _yardstick_rose(both: _Both) -> Conclusion:
    """Lost where the training loss rose, too, or where the yardstick of a first measurement is a multiple."""
    far = both.measured.trend.exact and is_multiple(both.measured.trend, FAR) and not both.learned()
    if far or both.broke() or (both.directed and both.loss.course is Course.ROSE):
        return _bad(VerdictLabel.DIVERGED, both.evaluated, both.measured)
    if both.learned():
        return _bad(VerdictLabel.UNSTABLE, both.evaluated, both.measured)
    return _undecided(both.evaluated)


def _yardstick_flat(both: _Both) -> Conclusion:
    """Learned nothing, or broke, as the training loss has it; a yardstick that swings up may be either."""
    spiked = both.directed and both.loss.course is Course.SPIKED and not both.recovered()
    if both.broke() or spiked:
        return _bad(VerdictLabel.DIVERGED, both.training, both.loss)
    t, values = both.measured.trend, both.evaluated.values
    if t.exact and values[-1] > FAR * values[0] > 0.0 and not both.learned():
        return _bad(VerdictLabel.DIVERGED, both.evaluated, both.measured)
    swings = t.peak - t.start > both.policy.excursion_gain * max(t.start - t.best, 0.0)
    if _rises_to_its_end(both) or (swings and both.loss.course is Course.ROSE):
        return _undecided(both.evaluated)
    calm = both.loss.course is Course.FLAT and both.loss.trend.n >= MANY  # a coarse yardstick jumps by itself
    return _swung(both) if t.exact and _moved(both) and not calm else _stuck(both.evaluated)


def _rises_to_its_end(both: _Both) -> bool:
    """Whether the last of few evaluations is the highest, by more than a coarse one may be."""
    values = both.evaluated.values
    calm = both.loss.course is Course.FLAT and values[-1] - values[0] <= both.coarse()
    return values[-1] > max(values[:-1]) and len(values) < MANY and not calm


def _moved(both: _Both) -> bool:
    """Whether a yardstick above 0, of the same data each time, moved by much of itself."""
    values = both.evaluated.values
    return max(values) - min(values) > MOVED * values[0] and min(values) > 0.0


def _swung(both: _Both) -> Conclusion:
    """It moved, in no order: a warning where it was far above its start, or gave back half of its gain."""
    values, t = both.evaluated.values, both.measured.trend
    learned, back = t.start - min(values), values[-1] - min(values)
    if back >= both.policy.given_back_part * learned > 0.0:
        found = Shape(Course.PART, t, values.index(min(values)) + 1, back / learned)
    elif max(values) - t.start > both.policy.given_back_part * max(t.start - values[-1], 0.0):
        found = Shape(Course.SPIKED, t, values.index(max(values)))
    else:
        return Conclusion(VerdictLabel.INCONCLUSIVE, _too_noisy(both.evaluated))
    return _bad(VerdictLabel.UNSTABLE, both.evaluated, found)


def _yardstick_short(both: _Both) -> Conclusion:
    """Two or three evaluations only agree or disagree with what the training loss shows."""
    first, last, best = both.evaluated.values[0], both.evaluated.values[-1], min(both.evaluated.values)
    if last - best >= both.policy.given_back_part * (first - best) > 0.0:
        share = (last - best) / (first - best)
        back = Shape(Course.PART, both.measured.trend, len(both.evaluated.values) - 1, share)
        lost = both.broke() and share >= both.policy.given_back
        label = VerdictLabel.DIVERGED if lost else VerdictLabel.UNSTABLE
        return _bad(label, both.evaluated, back)
    if last > first and not both.learned():
        lost = both.broke() or last > FAR * first > 0.0
        label = VerdictLabel.DIVERGED if lost else VerdictLabel.UNSTABLE
        return _bad(label, both.evaluated, Shape(Course.ABOVE, both.measured.trend))
    alone = _training_alone(both.training, both.loss, directed=both.directed)
    if alone.label is VerdictLabel.STABLE and not last < first:
        return _bad(VerdictLabel.UNSTABLE, both.evaluated, both.measured)
    if alone.label is VerdictLabel.STABLE:
        return _good(both.evaluated)
    if alone.label is VerdictLabel.STUCK and first - last > both.policy.stuck_drop * abs(first):
        return Conclusion(VerdictLabel.INCONCLUSIVE, _too_few(both.evaluated))
    return alone


_OF_YARDSTICK: dict[Course, Callable[[_Both], Conclusion]] = {
    Course.LEARNED: _yardstick_fell,
    Course.SPIKED: _yardstick_partly,
    Course.PART: _yardstick_partly,
    Course.BACK: _yardstick_bad,
    Course.RETURNED: _yardstick_returned,
    Course.ABOVE: _yardstick_above,
    Course.EXPLODED: _yardstick_bad,
    Course.ROSE: _yardstick_rose,
    Course.FLAT: _yardstick_flat,
    Course.SHORT: _yardstick_short,
}


def _training_alone(training: Series, loss: Shape, *, directed: bool) -> Conclusion:
    if not directed and loss.course is not Course.SHORT and not is_multiple(loss.trend, HOPELESS):
        return _undecided(training)
    match loss.course:
        case Course.LEARNED:
            return _good(training)
        case Course.SPIKED | Course.PART:
            return _bad(VerdictLabel.UNSTABLE, training, loss)
        case Course.FLAT if not loss.trend.end_noise:
            return _stuck(training)
        case Course.FLAT if loss.trend.n < MANY:
            return Conclusion(VerdictLabel.INCONCLUSIVE, _too_noisy(training))
        case Course.FLAT:
            return _stuck(training)
        case Course.ROSE if not (training.declared and loss.trend.end > FAR * training.values[0] > 0.0):
            return _undecided(training)
        case Course.SHORT:
            return Conclusion(VerdictLabel.INCONCLUSIVE, _too_few(training))
        case _:
            return _bad(VerdictLabel.DIVERGED, training, loss)


def _good(series: Series) -> Conclusion:
    return Conclusion(VerdictLabel.STABLE, _from_to(series))


def _stuck(series: Series) -> Conclusion:
    event = Event(
        series.steps[-1],
        EventKind.STUCK,
        series.name,
        series.shown(series.values[-1]),
        series.shown(series.values[0]),
        Severity.WARNING,
    )
    return Conclusion(VerdictLabel.STUCK, _from_to(series), event)


def _undecided(series: Series) -> Conclusion:
    why = "healthy trainings may do that, too: evaluate, so that a verdict is possible"
    return Conclusion(VerdictLabel.INCONCLUSIVE, f"{_from_to(series)}; {why}")


def _bad(label: VerdictLabel, series: Series, found: Shape) -> Conclusion:
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


def _no_start(series: Series) -> str:
    return f"{_from_to(series)}, and nothing shows where it began: evaluate once before training"


def _too_few(series: Series) -> str:
    n = len(series.values)
    numbers = "1 number" if n == 1 else f"{n} numbers"
    return f"{numbers} of {series.name}: at least {FEWEST} are needed to tell how it goes"


def _too_noisy(series: Series) -> str:
    """Few numbers in no order."""
    n = len(series.values)
    return f"{_from_to(series)}: {n} numbers without a trend; at least {MANY} are needed to call a loss flat"


def _from_to(series: Series) -> str:
    first, last = series.shown(series.values[0]), series.shown(series.values[-1])
    return f"{series.name} {first:.4g} to {last:.4g}"
