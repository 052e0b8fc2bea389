"""What the training loss and the yardstick show together: the verdict of a training that came to its end.

The yardstick is measured on the same data every time, so it decides what was learned; the training loss says
what happened between evaluations, and everything where there are none.
"""

from __future__ import annotations

from stability.judging.alone import training_alone
from stability.judging.evaluated import BROKEN, OF_YARDSTICK, Both
from stability.judging.findings import Conclusion, Series, bad, good, no_start
from stability.judging.movement import scatters_about_zero
from stability.judging.policy import Policy
from stability.judging.shape import FEWEST, Course, Shape, shape
from stability.judging.trend import trend
from stability.records import VerdictLabel


def conclude(training: Series, evaluated: Series, policy: Policy, *, before: bool) -> Conclusion:
    """What both series show.

    `before`: the first evaluation was made before training; without that, fewer than four evaluations say
    nothing. A training loss that scatters about 0 has no direction, unless one is declared.
    """
    loss = shape(training.values, policy, declared=training.declared)
    directed = training.directed and not has_no_direction(training, loss)
    if len(evaluated.values) < (2 if before else FEWEST):
        return training_alone(training, loss, directed=directed)
    measured = shape(evaluated.values, policy, exact_start=before)
    both = Both(training, loss, evaluated, measured, policy, directed)
    found = OF_YARDSTICK[measured.course](both)
    return found if before else _without_start(both, found)


def _without_start(both: Both, found: Conclusion) -> Conclusion:
    """A verdict from evaluations of which none was made before training.

    What they rose from is unknown: they fall, too, after a training broke at once, and stand still where it
    stays broken. So STABLE needs a training loss that learned, and STUCK one that came down by little.
    """
    course = both.loss.course
    if found.label is VerdictLabel.STABLE and both.directed:
        if course in BROKEN or course in (Course.PART, Course.SPIKED):
            return bad(VerdictLabel.UNSTABLE, both.training, both.loss)
        if course in (Course.ROSE, Course.FLAT):
            return Conclusion(VerdictLabel.INCONCLUSIVE, no_start(both.evaluated))
    if found.label is VerdictLabel.STUCK and both.learned():
        return good(both.training)
    if found.label is VerdictLabel.STUCK and both.measured.course is not Course.LEARNED:
        return Conclusion(VerdictLabel.INCONCLUSIVE, no_start(both.evaluated))
    return found


def has_no_direction(series: Series, found: Shape | None = None) -> bool:
    """Whether a series moves as one without direction does, and none is declared; `found` is its shape."""
    t = found.trend if found is not None else trend(series.values)
    return not series.declared and t is not None and scatters_about_zero(series.values, t)
