"""Stage `liveness`: change one knob at a time and see whether anything changes at all.

All its trials share one seed. Each side (two compared arms, or the first arm, or the middle of the ranges)
runs twice unchanged, which shows that equal trials come out equal, and once per knob with that knob changed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from stability.params import Param, Scalar
from stability.plan.proposal import Proposal
from stability.spec import LivenessStage, StudySpec
from stability.spec.plan import FLIP, REFERENCE, REPEAT

MIDDLE = "middle"


def propose(spec: StudySpec, stage: LivenessStage) -> list[Proposal]:
    """At most 2k + 4 trials for k knobs: a knob in which two compared arms agree is changed on one side."""
    settings = _sides(spec)
    first = next(iter(settings))
    proposals = []
    for side, own in settings.items():
        trials = {REFERENCE: own, REPEAT: own, **_flipped(spec, settings, side, alone=side == first)}
        proposals += [Proposal(f"{side}/{name}", None, spec.seed, params) for name, params in trials.items()]
    return proposals


def _sides(spec: StudySpec) -> dict[str, Mapping[str, Scalar]]:
    """Side -> the settings from which its knobs are changed."""
    if not spec.arms:
        return {MIDDLE: {name: param.at(0.5) for name, param in spec.params.items()}}
    compared = [spec.compare.baseline, spec.compare.treatment] if spec.compare else [next(iter(spec.arms))]
    return {arm: spec.arm_params(arm) for arm in compared}


def _flipped(
    spec: StudySpec, settings: Mapping[str, Mapping[str, Scalar]], side: str, *, alone: bool
) -> dict[str, dict[str, Scalar]]:
    """`flip-KNOB` -> the side's settings with that knob as on the other side, or else changed by far."""
    others = [own for name, own in settings.items() if name != side]
    flipped = {}
    for name, param in spec.params.items():
        value = settings[side][name]
        elsewhere = next((own[name] for own in others if own[name] != value), None)
        if param.kind == "constant" or (elsewhere is None and not alone):
            continue
        changed = another_value(param, value) if elsewhere is None else elsewhere
        flipped[FLIP + name] = {**settings[side], name: changed}
    return flipped


def another_value(param: Param, value: Scalar) -> Scalar:
    """A value of the range that is far from `value`; of choices the next one."""
    if param.choices is not None:
        return param.choices[(param.choices.index(value) + 1) % len(param.choices)]
    scaled = math.log if param.log else float
    return max((param.at(0.25), param.at(0.75)), key=lambda other: abs(scaled(other) - scaled(value)))
