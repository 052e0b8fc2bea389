"""What evaluations show, beside the training loss: one conclusion for each course of the yardstick."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from stability.judging.alone import FAR, training_alone
from stability.judging.findings import Conclusion, Series, bad, good, stuck, too_few, too_noisy, undecided
from stability.judging.policy import Policy
from stability.judging.shape import THOUSANDFOLD, Course, Shape, is_multiple
from stability.judging.trend import MANY
from stability.records import VerdictLabel

BROKEN = frozenset({Course.BACK, Course.RETURNED, Course.ABOVE, Course.EXPLODED})
"""Courses of a loss that broke, if it has a direction."""
DESCENDED = frozenset({Course.LEARNED, Course.SPIKED})

DWARFED = 1e4
"""A training loss that spiked by so many times what it learned is worth a warning, whatever else is shown."""
MOVED = 0.2
"""A yardstick of the same data that moves by this part of its start is not standing still, and one that ends
so far below it has come back to learn. Of 134 recorded trainings that were too slow, those called STUCK move
by 4.3% at most. After an excursion, 167 lost ones end 8.7% below their start at most, and 22 fine ones 34% at
least."""


@dataclass(frozen=True, slots=True)
class Both:
    """The training loss and the yardstick of one training, with their shapes."""

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


def _yardstick_fell(both: Both) -> Conclusion:
    """Whatever a loss does that has no direction; but not where it explodes after the last evaluation."""
    t, course = both.loss.trend, both.loss.course
    exploded = course is Course.EXPLODED or (course in (Course.ABOVE, Course.BACK) and is_multiple(t, 100.0))
    never_lower = both.directed and course is Course.RETURNED
    dwarfed = both.directed and course is Course.SPIKED and t.top - t.start > DWARFED * (t.start - t.end)
    if exploded or never_lower or dwarfed:
        return bad(VerdictLabel.UNSTABLE, both.training, both.loss)
    values = both.evaluated.values
    # Less than one batch differs from the next, if there are enough of them to tell.
    least = t.noise if t.n >= MANY else both.policy.stuck_drop * abs(values[0])
    if values[0] - values[-1] < least and both.directed and course is Course.FLAT:
        return stuck(both.evaluated)
    return good(both.evaluated)


def _yardstick_bad(both: Both) -> Conclusion:
    """Lost, unless the training loss is low: then the model only fails on the data that it is measured on."""
    label = VerdictLabel.UNSTABLE if both.learned() else VerdictLabel.DIVERGED
    return bad(label, both.evaluated, both.measured)


def _yardstick_partly(both: Both) -> Conclusion:
    """Less was learned than was lost on the way; lost altogether where the training loss says so, too."""
    most = both.measured.given_back >= both.policy.given_back
    broke = both.broke() and (both.measured.course is Course.SPIKED or most)
    return bad(VerdictLabel.DIVERGED if broke else VerdictLabel.UNSTABLE, both.evaluated, both.measured)


def _yardstick_returned(both: Both) -> Conclusion:
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
        return stuck(both.evaluated)
    return _yardstick_bad(both)


def _yardstick_above(both: Both) -> Conclusion:
    """Lost, but for a training loss that is calm in many steps: the two contradict each other."""
    if both.loss.course is Course.FLAT and both.loss.trend.n >= MANY:
        return bad(VerdictLabel.UNSTABLE, both.evaluated, both.measured)
    return _yardstick_bad(both)


def _yardstick_rose(both: Both) -> Conclusion:
    """Lost where the training loss rose, too, or where the yardstick of a first measurement is a multiple."""
    far = both.measured.trend.exact and is_multiple(both.measured.trend, FAR) and not both.learned()
    if far or both.broke() or (both.directed and both.loss.course is Course.ROSE):
        return bad(VerdictLabel.DIVERGED, both.evaluated, both.measured)
    if both.learned():
        return bad(VerdictLabel.UNSTABLE, both.evaluated, both.measured)
    return undecided(both.evaluated, is_evaluated=True)


def _yardstick_flat(both: Both) -> Conclusion:
    """Learned nothing, or broke, as the training loss has it; a yardstick that swings up may be either."""
    spiked = both.directed and both.loss.course is Course.SPIKED and not both.recovered()
    if both.broke() or spiked:
        return bad(VerdictLabel.DIVERGED, both.training, both.loss)
    t, values = both.measured.trend, both.evaluated.values
    if t.exact and values[-1] > FAR * values[0] > 0.0 and not both.learned():
        return bad(VerdictLabel.DIVERGED, both.evaluated, both.measured)
    swings = t.peak - t.start > both.policy.excursion_gain * max(t.start - t.best, 0.0)
    if _rises_to_its_end(both) or (swings and both.loss.course is Course.ROSE):
        return undecided(both.evaluated, is_evaluated=True)
    calm = both.loss.course is Course.FLAT and both.loss.trend.n >= MANY  # a coarse yardstick jumps by itself
    return _swung(both) if t.exact and _moved(both) and not calm else stuck(both.evaluated)


def _rises_to_its_end(both: Both) -> bool:
    """Whether the last of few evaluations is the highest, by more than a coarse one may be."""
    values = both.evaluated.values
    calm = both.loss.course is Course.FLAT and values[-1] - values[0] <= both.coarse()
    return values[-1] > max(values[:-1]) and len(values) < MANY and not calm


def _moved(both: Both) -> bool:
    """Whether a yardstick above 0, of the same data each time, moved by much of itself."""
    values = both.evaluated.values
    return max(values) - min(values) > MOVED * values[0] and min(values) > 0.0


def _swung(both: Both) -> Conclusion:
    """It moved, in no order: a warning where it was far above its start, or gave back half of its gain."""
    values, t = both.evaluated.values, both.measured.trend
    learned, back = t.start - min(values), values[-1] - min(values)
    if back >= both.policy.given_back_part * learned > 0.0:
        found = Shape(Course.PART, t, values.index(min(values)) + 1, back / learned)
    elif max(values) - t.start > both.policy.given_back_part * max(t.start - values[-1], 0.0):
        found = Shape(Course.SPIKED, t, values.index(max(values)))
    else:
        return Conclusion(VerdictLabel.INCONCLUSIVE, too_noisy(both.evaluated))
    return bad(VerdictLabel.UNSTABLE, both.evaluated, found)


def _yardstick_short(both: Both) -> Conclusion:
    """Two or three evaluations only agree or disagree with what the training loss shows."""
    first, last, best = both.evaluated.values[0], both.evaluated.values[-1], min(both.evaluated.values)
    if last - best >= both.policy.given_back_part * (first - best) > 0.0:
        share = (last - best) / (first - best)
        back = Shape(Course.PART, both.measured.trend, len(both.evaluated.values) - 1, share)
        lost = both.broke() and share >= both.policy.given_back
        label = VerdictLabel.DIVERGED if lost else VerdictLabel.UNSTABLE
        return bad(label, both.evaluated, back)
    if last > first and not both.learned():
        lost = both.broke() or last > FAR * first > 0.0
        label = VerdictLabel.DIVERGED if lost else VerdictLabel.UNSTABLE
        return bad(label, both.evaluated, Shape(Course.ABOVE, both.measured.trend))
    alone = training_alone(both.training, both.loss, directed=both.directed)
    if alone.label is VerdictLabel.STABLE and not last < first:
        return bad(VerdictLabel.UNSTABLE, both.evaluated, both.measured)
    if alone.label is VerdictLabel.STABLE:
        return good(both.evaluated)
    if alone.label is VerdictLabel.STUCK and first - last > both.policy.stuck_drop * abs(first):
        return Conclusion(VerdictLabel.INCONCLUSIVE, too_few(both.evaluated))
    return alone


OF_YARDSTICK: dict[Course, Callable[[Both], Conclusion]] = {
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
