"""`stability recommend`: bounds of each arm at a risk, and the change that moves an arm inside its own."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from stability import yamlfile
from stability.evidence.boundary import Boundary
from stability.evidence.boundary.ranges import ranges
from stability.evidence.boundary.strict import Strict
from stability.evidence.searched import best_trial
from stability.evidence.selection import of_stage, with_evidence
from stability.records import UserError
from stability.report.advice import Advice, Facts, bound_facts, check, details
from stability.report.blocks import Code, Inline, plain
from stability.report.boundary import arm_settings, claim, distance, found_boundary, range_text
from stability.report.numbers import rounded_inward
from stability.report.words import Words


def recommend(spec: Any, trials: pd.DataFrame, risk: float) -> tuple[list[Advice], Facts]:
    """For each arm the bound at `risk` and over which ranges it holds; and the patch, as a study file has it.

    The patch moves an arm that is outside its bound to it. The search's best trial inside the bound, one run,
    comes as an arm of its own. Raises `UserError` for a risk that is not allowed, or without any boundary.
    """
    check(spec, risk)
    found = found_boundary(spec, trials)
    if found is None:
        raise UserError(
            f"study {spec.name!r} has no trials of stage `boundary`, which bounds are taken from; "
            "add `- boundary: {param: lr, trials: 40}` to its plan and run it"
        )
    words, strict = Words("en"), Strict(found, of_stage(trials, "boundary"))
    advice = [_arm_advice(spec, trials, strict, arm, risk, words) for arm in spec.arms]
    patch = {own.facts["arm"]: own.facts["change"] for own in advice if own.facts["change"]}
    best = _best_inside(trials, strict, risk, words)
    if best is not None:
        advice.append(best)
        patch[best.facts["arm"]] = best.facts["change"]
    return advice, patch


def changes(twin: Facts) -> Facts:
    """The arms that lie outside their bound -> the value that moves each inside; from the report's twin."""
    details, found = twin["boundary_details"], {}
    for arm, own in (twin["boundary"] or {}).items():
        if own["headroom"] is not None and own["headroom"] < 0:
            found[arm] = {
                own["param"]: _inside(own["p05_lower"], details["diverges"] == "above", own["value"])
            }
    return found


def _inside(bound: float, rising: bool, like: float) -> float:
    """The bound rounded to the calm side, to an integer where the arm has one."""
    if isinstance(like, int):
        return math.floor(bound) if rising else math.ceil(bound)
    return float(rounded_inward(bound, down=rising))


def as_yaml(advice: Sequence[Advice], patch: Facts) -> str:
    """The patch as part of a study file, what it rests on in comments."""
    comments = [f"# {sentence}\n" for own in advice for sentence in own.told]
    return "".join(comments) + yamlfile.written({"arms": patch})


def _arm_advice(spec, trials, strict: Strict, arm: str, risk: float, words: Words) -> Advice:
    setting, shown = arm_settings(spec, arm), details(spec)
    own = bound_facts(strict, trials, arm, setting, risk)
    bound, told = own["bound"], [claim(own, shown, words)]
    change = None
    if bound is not None:
        found = strict.bound(setting, risk).found
        told.append(distance(own, shown, words, "rec", alone=False))
        if own["headroom"] < 0:
            change = {own["param"]: _inside(bound, found.space.rising, setting[own["param"]])}
        told += _holds(found, setting | (change or {}), risk, words)
    return Advice(own | {"change": change}, tuple(map(plain, told)))


def _holds(found: Boundary, setting: Mapping[str, Any], risk: float, words: Words) -> list[Inline]:
    """Over which part of each other setting's range the bound keeps."""
    kept = [one for one in ranges(found, setting, risk) if one.holds]
    spans = [words.say("patch_range", param=Code(one.name), span=Code(range_text(one))) for one in kept]
    return [words.say("patch_holds", ranges=words.listed(spans))] if spans else []


def _best_inside(trials, strict: Strict, risk: float, words: Words) -> Advice | None:
    """The search's best trial whose bounded parameter is inside the bound of its own setting."""
    known = with_evidence(of_stage(trials, "search"))
    if known.empty or not strict.found.speaks:
        return None
    best = best_trial(known[strict.holds(list(known["params"]), risk)])
    if best is None:
        return None
    told = words.say("patch_search", number=best.number, yardstick=words.numbers.significant(best.yardstick))
    facts = bound_facts(strict, trials, f"search_{best.number}", best.params, risk)
    return Advice(facts | {"change": dict(best.params)}, (plain(told),))
