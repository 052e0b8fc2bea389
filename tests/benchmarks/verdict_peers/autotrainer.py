"""AUTOTRAINER's symptoms, as far as recorded numbers allow.

Source: Zhang, Zhai, Ma, Shen: "AUTOTRAINER: An Automatic DNN Training Problem Detection and Repair System",
ICSE 2021, in its repository shiningrain/AUTOTRAINER, AutoTrainer/utils/monitor.py at commit 5175f6cc and the
parameters of AutoTrainer/utils/utils.py:

* every third epoch is checked (`checktype="epoch_3"`), the first epoch too;
* exploded: a training or test loss that is NaN, infinite or at least 1e3, or a gradient that is not finite;
* abnormal loss: a training or test loss below 0;
* from 30% of the epochs on: oscillating (zeta = 0.03, eta = 0.2), that is at
  least a fifth of the epochs has a pair of maximum and minimum of the accuracy 0.03 apart;
* from then on too: not converging, that is no accuracy reached Theta = 0.7, and none rose by
  delta = 0.01 from one epoch to the next.

A loss that exploded is an alarm by itself, as in the paper; the code also looks at the weights, which are not
recorded. The code judges one check earlier than at 30%; of ten epochs that would be the very first, with
nothing to compare, so that every training would fail to converge. Left out: gradients that vanish (beta_1 = 1e-3, beta_2 = 1e-4), explode (beta_3 = 70) or die
(gamma = 0.7), since these compare the first layer's gradient with the last layer's.

Two more things are not recorded. Epochs end at the evaluations; without any, the steps make ten epochs of the
same length. The accuracy is 1 - loss / first loss, never below 0: the last two rules read that, and there is
a peer without them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stability.records import Evaluation, Step

if TYPE_CHECKING:
    from cases import Case, Form

CHECKED_EPOCHS = 3
LARGE_LOSS = 1e3
JUDGED_FROM = 0.3
ZETA, ETA, DELTA, THETA = 0.03, 0.2, 0.01, 0.7
EPOCHS_WITHOUT_EVALUATION = 10


@dataclass(frozen=True, slots=True)
class Epoch:
    """Its last step, the mean of its losses, the evaluation at its end, and the norm of its last step."""

    last: int
    train: float
    test: float
    norm: float | None


class AutoTrainer:
    """Without the rules for which an accuracy must be made up."""

    name = "AUTOTRAINER, losses alone"
    reads_accuracy = False

    def alarms(self, case: Case, form: Form) -> int | None:
        done = epochs(case, form)
        for checked in range(0, len(done), CHECKED_EPOCHS):
            known = done[: checked + 1]
            if exploded(known) or below_zero(known):
                return known[-1].last
            late = len(known) >= JUDGED_FROM * len(done)
            if self.reads_accuracy and late and (oscillates(known) or does_not_converge(known)):
                return known[-1].last
        return None


class AutoTrainerWithAccuracy(AutoTrainer):
    """With all loss rules; 1 - loss / first loss stands in for the accuracy."""

    name = "AUTOTRAINER, accuracy from loss"
    reads_accuracy = True


def epochs(case: Case, form: Form) -> list[Epoch]:
    records = list(case.timeline(form))
    tests = {record.step: sum(record.losses.values()) for record in records if isinstance(record, Evaluation)}
    steps = [record for record in records if isinstance(record, Step)]
    tests.pop(0, None)
    count = min(EPOCHS_WITHOUT_EVALUATION, len(steps))
    ends = sorted(tests) or [round(len(steps) * (number + 1) / count) for number in range(count)]
    found = []
    for start, end in zip([0, *ends], ends, strict=False):
        mean = sum(step.total for step in steps[start:end]) / (end - start)
        found.append(Epoch(end - 1, mean, tests.get(end, mean), steps[end - 1].grad_norm))
    return found


def exploded(known: Sequence[Epoch]) -> bool:
    """The gradient is that of the checked epoch alone."""
    losses = [loss for epoch in known for loss in (epoch.train, epoch.test)]
    norm = known[-1].norm
    return (norm is not None and not math.isfinite(norm)) or any(
        not math.isfinite(loss) or loss >= LARGE_LOSS for loss in losses
    )


def below_zero(known: Sequence[Epoch]) -> bool:
    return any(epoch.train < 0 or epoch.test < 0 for epoch in known)


def oscillates(known: Sequence[Epoch]) -> bool:
    accuracy = _accuracy([epoch.train for epoch in known])
    highs, lows = [], []
    for before, here, after in zip(accuracy, accuracy[1:], accuracy[2:], strict=False):
        if here >= before and here >= after:
            highs.append(here)
        if here <= before and here <= after:
            lows.append(here)
    wide = sum(high - low >= ZETA for high, low in zip(highs, lows, strict=False))
    return wide >= ETA * len(accuracy)


def does_not_converge(known: Sequence[Epoch]) -> bool:
    both = [_accuracy([epoch.train for epoch in known]), _accuracy([epoch.test for epoch in known])]
    low = all(max(accuracy) < THETA for accuracy in both)
    still = all(
        after - before < DELTA
        for accuracy in both
        for before, after in zip(accuracy, accuracy[1:], strict=False)
    )
    return low and still


def _accuracy(losses: Sequence[float]) -> list[float]:
    start = losses[0]
    return [max(0.0, 1 - loss / start) if start else 0.0 for loss in losses]
