"""`stability gate`: whether an arm is shown to diverge rarely enough, for a job before an expensive run."""

from __future__ import annotations

from typing import Any

import pandas as pd

from stability.evidence.boundary.located import CONFIDENCE
from stability.evidence.proportions import lower_bound
from stability.evidence.rates import arm_rate
from stability.evidence.selection import of_stage
from stability.report.advice import Advice, Facts, bound_facts, check, details, steps
from stability.report.blocks import Code, Inline, plain
from stability.report.boundary import arm_settings, claim, distance, found_boundary
from stability.report.words import Words

UNKNOWN = ("param", "op", "value", "bound", "headroom", "own_risk", "n", "near", "monotone", "steps")


def gate(spec: Any, trials: pd.DataFrame, arm: str, risk: float) -> Advice:
    """Whether P(diverge) < `risk` is shown for an arm, by its boundary or by its own trials.

    Its own trials can also show the opposite, and then nothing else counts. `facts["passed"]` is the answer.
    Raises `UserError` for an arm or a risk that is not allowed.
    """
    check(spec, risk, arm)
    found, words = found_boundary(spec, trials), Words("en")
    by_boundary = bound_facts(found, trials, arm, arm_settings(spec, arm), risk) if found else {}
    by_rate = _rate(trials, arm, risk)
    inside = by_boundary.get("headroom") is not None and by_boundary["headroom"] >= 0
    passed = by_rate["rate_shows"] != "above" and (inside or by_rate["rate_shows"] == "below")
    told = [*_bound_told(by_boundary, spec, words), *_rate_told(by_rate, arm, risk, words)]
    told = told or [words.say("gate_nothing", arm=Code(arm))]
    close = by_rate["rate_shows"] == "above" or by_boundary.get("headroom") is not None
    key = "gate_passed" if passed else "gate_too_close" if close else "gate_failed"
    told.append(words.say(key, arm=Code(arm), risk=words.numbers.percent(risk)))
    facts = {"arm": arm, "passed": passed, "risk": risk, "confidence": CONFIDENCE}
    return Advice(facts | dict.fromkeys(UNKNOWN) | by_boundary | by_rate, tuple(map(plain, told)))


def _rate(trials: pd.DataFrame, arm: str, risk: float) -> Facts:
    """What an arm's own trials of stage `compare` show of its rate: `above`, `below`, or None."""
    compared = of_stage(trials, "compare")
    own = arm_rate(compared, arm)
    lower = lower_bound(own.diverged, own.n) if own.n else None
    below = own.n > 0 and own.upper <= risk
    above = own.n > 0 and lower > risk
    return {
        "trials": own.n,
        "diverged": own.diverged,
        "rate_upper": own.upper,
        "rate_lower": lower,
        "rate_shows": "below" if below else "above" if above else None,
        "rate_steps": steps(compared, "compare"),
    }


def _bound_told(own: Facts, spec: Any, words: Words) -> list[Inline]:
    if not own:
        return []
    shown = details(spec)
    if own["headroom"] is None:
        return [claim(own, shown, words)]
    return [claim(own, shown, words), distance(own, shown, words, "answer")]


def _rate_told(own: Facts, arm: str, risk: float, words: Words) -> list[Inline]:
    if not own["trials"]:
        return []
    fields = {"arm": Code(arm), "k": own["diverged"], "n": own["trials"], "steps": own["rate_steps"]}
    percents = {"risk": risk, "upper": own["rate_upper"], "lower": own["rate_lower"]}
    shown = {name: words.numbers.percent(value) for name, value in percents.items()}
    return [words.say(f"gate_rate_{own['rate_shows'] or 'open'}", **fields, **shown)]
