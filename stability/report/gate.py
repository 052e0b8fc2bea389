"""`stability gate`: whether an arm is shown to diverge rarely enough, for a job before an expensive run."""

from __future__ import annotations

from typing import Any

import pandas as pd

from stability.evidence.boundary.located import CONFIDENCE
from stability.evidence.boundary.strict import Strict
from stability.evidence.proportions import lower_bound
from stability.evidence.rates import arm_rate
from stability.evidence.selection import of_stage
from stability.report.advice import Advice, Facts, bound_facts, check, details, steps
from stability.report.blocks import Code, Inline, plain
from stability.report.boundary import arm_settings, claim, distance, found_boundary
from stability.report.knobs import identical_part, identical_sentences
from stability.report.words import Words

UNKNOWN = (
    *("param", "op", "value", "bound", "headroom", "own_risk", "n", "near", "monotone", "steps"),
    *("inside_n", "inside_stuck", "inside_stuck_range", "inside_learned", "inside_learned_range"),
    *("inside_failed", "inside_undecided", "plain_bound", "counted_failed", "counted_undecided"),
)


def gate(spec: Any, trials: pd.DataFrame, arm: str, risk: float) -> Advice:
    """Whether P(diverge) < `risk` is shown for an arm, by its boundary or by its own trials.

    Its own trials can also show the opposite, and then nothing else counts. It must be shown with its failed
    and undecided trials counted as diverged too. `facts["passed"]` is the answer.
    Raises `UserError` for an arm or a risk that is not allowed.
    """
    check(spec, risk, arm)
    found, words = found_boundary(spec, trials), Words("en")
    strict = Strict(found, of_stage(trials, "boundary")) if found else None
    by_boundary = bound_facts(strict, trials, arm, arm_settings(spec, arm), risk) if strict else {}
    by_rate = _rate(trials, arm, risk)
    inside = by_boundary.get("headroom") is not None and by_boundary["headroom"] >= 0
    refuted = by_rate["rate_shows"] == "above" or by_rate["rate_worst_above"]
    passed = not refuted and (inside or by_rate["rate_shows"] == "below")
    told = [*_bound_told(by_boundary, spec, words), *_rate_told(by_rate, arm, risk, words)]
    told += [*_counted_told(by_rate, arm, risk, words), *_identical_told(spec, trials, words)]
    told = told or [words.say("gate_nothing", arm=Code(arm))]
    close = by_rate["rate_shows"] == "above" or by_boundary.get("headroom") is not None
    key = "gate_passed" if passed else "gate_too_close" if close else "gate_failed"
    told.append(words.say(key, arm=Code(arm), risk=words.numbers.percent(risk)))
    facts = {"arm": arm, "passed": passed, "risk": risk, "confidence": CONFIDENCE}
    return Advice(facts | dict.fromkeys(UNKNOWN) | by_boundary | by_rate, tuple(map(plain, told)))


def _rate(trials: pd.DataFrame, arm: str, risk: float) -> Facts:
    """What an arm's own trials of stage `compare` show of its rate: `above`, `below`, or None.

    The upper bound counts those that nobody knows of as diverged, the lower one as calm.
    """
    compared = of_stage(trials, "compare")
    own = arm_rate(compared, arm)
    every = own.n + own.unknown
    lower = lower_bound(own.diverged, every) if own.n else None
    below = own.n > 0 and own.worst_upper <= risk
    above = own.n > 0 and lower > risk
    return {
        "trials": own.n,
        "diverged": own.diverged,
        "rate_failed": own.infrastructure_failures,
        "rate_undecided": own.undecided,
        "rate_upper": own.worst_upper if own.n else None,
        "rate_lower": lower,
        "rate_shows": "below" if below else "above" if above else None,
        "rate_worst_above": bool(every and lower_bound(own.diverged + own.unknown, every) > risk),
        "rate_steps": steps(compared, "compare"),
    }


def _bound_told(own: Facts, spec: Any, words: Words) -> list[Inline]:
    if not own:
        return []
    shown = details(spec)
    if own["headroom"] is None:
        return [claim(own, shown, words)]
    return [claim(own, shown, words), distance(own, shown, words, "answer", alone=False)]


def _rate_told(own: Facts, arm: str, risk: float, words: Words) -> list[Inline]:
    if not own["trials"]:
        return []
    fields = {"arm": Code(arm), "k": own["diverged"], "n": own["trials"], "steps": own["rate_steps"]}
    percents = {"risk": risk, "upper": own["rate_upper"], "lower": own["rate_lower"]}
    shown = {name: words.numbers.percent(value) for name, value in percents.items()}
    return [words.say(f"gate_rate_{own['rate_shows'] or 'open'}", **fields, **shown)]


def _counted_told(own: Facts, arm: str, risk: float, words: Words) -> list[Inline]:
    """That trials without evidence are counted, and where they alone keep an arm from passing."""
    counts = {"failed": own["rate_failed"], "undecided": own["rate_undecided"]}
    if not any(counts.values()):
        return []
    told = [words.say("gate_counted", arm=Code(arm), **counts)]
    if own["rate_worst_above"] and own["rate_shows"] != "above":
        told.append(words.say("gate_counted_above", arm=Code(arm), risk=words.numbers.percent(risk)))
    return told


def _identical_told(spec: Any, trials: pd.DataFrame, words: Words) -> list[Inline]:
    return identical_sentences(identical_part(spec, trials), words)
