"""What can be advised of one arm at a risk: its bound, and where it stands. Shared by gate and patch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from stability.evidence.boundary.located import CONFIDENCE
from stability.evidence.boundary.model import GAMMA
from stability.evidence.boundary.strict import Strict
from stability.evidence.selection import of_stage, with_evidence
from stability.records import UserError
from stability.report.boundary import boundary_stage, headroom
from stability.report.inside import bound_part
from stability.report.plaindata import to_plain
from stability.suggest import suggest

Facts = dict[str, Any]
MOST_RISK = 0.5
"""Who accepts that half of all runs diverge needs no gate."""


@dataclass(frozen=True, slots=True)
class Advice:
    """What is known of one arm at a risk: numbers in `facts`, sentences in `told`."""

    facts: Facts
    told: tuple[str, ...]


def check(spec: Any, risk: float, arm: str | None = None) -> None:
    """Raise `UserError` for an arm that the study lacks, or a risk that nothing could show."""
    if arm is not None and arm not in spec.arms:
        raise UserError(f"unknown arm {arm!r}{suggest(arm, spec.arms)}")
    if not GAMMA < risk < MOST_RISK:
        raise UserError(
            f"max-risk {risk:g} cannot be shown: the model of the boundary lets {GAMMA:g} of trials diverge "
            f"anywhere; allowed: more than {GAMMA:g}, less than {MOST_RISK:g}"
        )


def bound_facts(
    strict: Strict, trials: pd.DataFrame, name: str, setting: Mapping[str, Any], risk: float
) -> Facts:
    """The bound at `risk` of the arm `name` with this setting, in the form of `claim` and `distance`."""
    found, stated = strict.found, strict.bound(setting, risk)
    value, bound = setting[found.space.bounded.name], stated.value
    return {
        "arm": name,
        "param": found.space.bounded.name,
        "op": "<=" if found.space.rising else ">=",
        "value": value,
        "bound": bound,
        "headroom": headroom(found, value, bound),
        "own_risk": float(found.risk([setting])[0]),
        "risk": risk,
        "confidence": CONFIDENCE,
        "n": found.n,
        "near": None if bound is None else found.near(bound),
        "monotone": found.monotone,
        "steps": steps(trials, "boundary"),
        **to_plain(bound_part(stated)),
    }


def details(spec: Any) -> Facts:
    """What sentences need to know of the bounded parameter."""
    stage = boundary_stage(spec)
    return {"param": stage.param, "log": spec.params[stage.param].log, "diverges": stage.diverges}


def steps(trials: pd.DataFrame, stage: str) -> int:
    """The most steps that a trial of a stage took."""
    known = with_evidence(of_stage(trials, stage))
    return int(known["steps"].max()) if len(known) else 0
