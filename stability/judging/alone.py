"""What the training loss alone shows of a training that came to its end."""

from __future__ import annotations

from stability.judging.findings import Conclusion, Series, bad, good, stuck, too_few, too_noisy, undecided
from stability.judging.shape import HOPELESS, Course, Shape, is_multiple
from stability.judging.trend import MANY
from stability.records import VerdictLabel

FAR = 2.0
"""A yardstick above 0 that ends at more than twice its start is lost, unless the training loss fell. So is a
loss that is declared to fall and never came back to its start."""


def training_alone(training: Series, loss: Shape, *, directed: bool) -> Conclusion:
    if not directed and loss.course is not Course.SHORT and not is_multiple(loss.trend, HOPELESS):
        return undecided(training)
    match loss.course:
        case Course.LEARNED:
            return good(training)
        case Course.SPIKED | Course.PART:
            return bad(VerdictLabel.UNSTABLE, training, loss)
        case Course.FLAT if not loss.trend.end_noise:
            return stuck(training)
        case Course.FLAT if loss.trend.n < MANY:
            return Conclusion(VerdictLabel.INCONCLUSIVE, too_noisy(training))
        case Course.FLAT:
            return stuck(training)
        case Course.ROSE if not (training.declared and loss.trend.end > FAR * training.values[0] > 0.0):
            return undecided(training)
        case Course.SHORT:
            return Conclusion(VerdictLabel.INCONCLUSIVE, too_few(training))
        case _:
            return bad(VerdictLabel.DIVERGED, training, loss)
