"""The limits of the rules, each with its source, and the check that a rule can work with them.

What a rule does with its limit is in `judging.rules` and `verdict`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any

from stability.records import UserError


@dataclass(frozen=True, slots=True)
class Policy:
    """When a rule fires. Every number has a source, or the measurement it comes from:

    [recorded] 558 scored trainings of 92 kinds with labels from their own evaluation; its figures are in
    docs/verdicts.md. [16 + 11] healthy and diverging runs of small models, measured when this
    project began. [AT] AUTOTRAINER, ICSE 2021. [noise] simulated independent noise. [244] as many healthy
    trainings of the built-in trainee, [half] one half of them; docs/numerics.md.

    **All rules.** `window` past values make a running median and MAD [16 + 11]; `samples` measurements in a
    row must agree where one alone may be chance.
    **Course of a loss.** Levels differ by more than `level_errors` standard errors, or few numbers fall so
    steadily by chance in less than `learned_chance`. What gave back `given_back` of what it had learned is
    lost, `given_back_part` a warning. A rise above the start counts from `rise_noise` times the scatter of
    single numbers, an excursion from `excursion_noise` times it and `excursion_gain` times what was learned;
    within `returned_noise` times the scatter of its start a training has come back to it [recorded]. A
    yardstick that falls by less than `stuck_drop` of itself has not moved, where the loss has not either.
    **Ending early.** `runaway` times the size of the first numbers for `runaway_steps` steps, not falling;
    `nonfinite_steps` losses in a row that are not finite [recorded: of 252 healthy ones none is ended].
    **Masked NaN.** `masked_steps` equal values in a row.
    **Scaler.** `skipped_steps` updates in a row skipped or lost: from 2^24 so many halvings reach 2^-16.
    **Spike.** `spike_z` robust standard deviations, after `spike_minimum` values, with the gradient within
    `spike_reach` steps [16 + 11: 0; the gradient alone 3, z > 2.5 8 healthy ones]. `spike_floor` is the least
    spread assumed, in log units: a spike is at least exp(6 x 0.02) - 1 = 13% up.
    **Onset.** `onset_minimum` past values make the band that a quantity leaves before a failure [noise: of 9
    quantities, one left theirs by chance before 1.5% of failures at step 15, and none at step 29 or 99].
    **Large gradients.** `grad_explosion_rise` times the median of the first `window` norms, of
    `grad_explosion_minimum` at least; `layer_ratio`, first over last layer [AT], and as many times the same
    network's first ratios.
    **Small gradients.** `vanishing_rms` (SageMaker Debugger's VanishingGradient); `vanishing_ratio` and
    `vanishing_first` [AT], where the loss stays above `vanishing_learned` of its first value [half: 1 of 132;
    without this 45; deep networks that do not learn stay at 0.9 to 1]; for `vanishing_steps` steps without
    growing by `vanishing_growth`: behind a zero-initialised head under Adam they grow linearly, which is more
    than that up to step 220. `vanishing_zeros` [AT]. A loss below `vanishing_done` of its first value needs
    no more gradient.
    **Updates.** `update_ratio` [half: 0; 0.1 3, 0.03 17 of 132]; `update_ratio_severe` and
    `update_ratio_still` are 300 times and a thousandth of the 1e-3 commonly aimed at.
    **Clipping.** `clip_saturated` and `clip_inactive` are shares of the steps, of `clip_steps` at least.
    **Attention.** Beyond `attention_logit` softmax can be one-hot in any precision (exp(-50) = 2e-22); the
    logits must rise by `attention_rise` over `samples`: a fact, as 6 of [244] did. fp16 ends at 65504:
    `attention_overflow`.
    **Dominance.** `dominance_share` of the weighted gradients; a cosine below minus `dominance_opposition`.
    **Oscillation.** A share `oscillation_flips` of the changes turn back, by `oscillation_amplitude` of the
    loss, over `oscillation_window` steps [noise of 20%: 0 of 60 runs of 10,000 steps, and 2 of 60 over 64; a
    period of two as large as the noise is found in 98%, 1.5 times as large in 100% of runs of 400 steps].
    """

    level_errors: float = 4.0
    given_back: float = 0.7
    given_back_part: float = 0.5
    rise_noise: float = 4.0
    excursion_noise: float = 10.0
    excursion_gain: float = 5.0
    returned_noise: float = 3.0
    learned_chance: float = 0.05
    runaway: float = 1e6
    runaway_steps: int = 10
    nonfinite_steps: int = 3
    masked_steps: int = 3
    skipped_steps: int = 40
    window: int = 64
    samples: int = 3
    spike_z: float = 6.0
    spike_minimum: int = 20
    spike_reach: int = 2
    spike_floor: float = 0.02
    onset_minimum: int = 8
    grad_explosion_rise: float = 1e3
    grad_explosion_minimum: int = 5
    layer_ratio: float = 70.0
    vanishing_rms: float = 1e-7
    vanishing_ratio: float = 1e-3
    vanishing_first: float = 1e-4
    vanishing_learned: float = 0.75
    vanishing_zeros: float = 0.7
    vanishing_steps: int = 20
    vanishing_growth: float = 1.1
    vanishing_done: float = 1e-3
    stuck_drop: float = 0.01
    update_ratio: float = 0.15
    update_ratio_severe: float = 0.3
    update_ratio_still: float = 1e-6
    clip_saturated: float = 0.95
    clip_inactive: float = 0.01
    clip_steps: int = 10
    attention_logit: float = 50.0
    attention_rise: float = 1.1
    attention_overflow: float = 1e4
    dominance_share: float = 0.9
    dominance_opposition: float = 0.5
    oscillation_flips: float = 0.6
    oscillation_amplitude: float = 0.05
    oscillation_window: int = 96

    def __post_init__(self) -> None:
        """Raise `UserError` for a number that no rule could work with."""
        for field_ in fields(self):
            value = getattr(self, field_.name)
            if allowed := _refused(value, type(field_.default), field_.name in _SHARES):
                raise UserError(f"policy {field_.name}={value!r}: error: {allowed}")
        for low, high in _ASCENDING:
            one, two = getattr(self, low), getattr(self, high)
            if one > two:
                raise UserError(f"policy {low}={one:g}: error: at most {high}, which is {two:g}")


_SHARES = {
    *(
        "vanishing_learned",
        "vanishing_zeros",
        "stuck_drop",
        "given_back_part",
        "learned_chance",
        "clip_saturated",
        "clip_inactive",
    ),
    *("dominance_share", "dominance_opposition", "oscillation_flips"),
}
_ASCENDING = (
    ("given_back_part", "given_back"),
    ("update_ratio_still", "update_ratio"),
    ("update_ratio", "update_ratio_severe"),
    ("clip_inactive", "clip_saturated"),
    ("attention_logit", "attention_overflow"),
    ("spike_minimum", "window"),
    ("onset_minimum", "window"),
    ("grad_explosion_minimum", "window"),
)


def _refused(value: Any, kind: type, share: bool) -> str | None:
    """What a number of a `Policy` must be, if `value` is not that."""
    if kind is int:
        accepted = isinstance(value, int) and not isinstance(value, bool) and value > 0
        return None if accepted else "a positive integer"
    number = isinstance(value, int | float) and not isinstance(value, bool)
    accepted = number and 0.0 < value < math.inf and not (share and value > 1.0)
    return None if accepted else "a number above 0, at most 1" if share else "a positive number"
