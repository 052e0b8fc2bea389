"""Looks before a comparison's end: their part of the twin, and what is said of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from stability.evidence.selection import of_stage
from stability.evidence.sequential import Course, Look
from stability.report.blocks import Inline
from stability.report.words import Words
from stability.spending import ALPHA

Part = dict[str, Any]


def looks_part(course: Course) -> Part:
    """The rule, and every look that was made: `level` is the largest p-value that ends the stage there."""
    design = course.design
    return {
        "spending": design.spending,
        "alpha": ALPHA,
        "looks_planned": len(design.schedule),
        "looks_made": len(course.looks),
        "ended_early": course.ended_early,
        "decided": course.decided,
        "trials": course.trials,
        "trials_planned": design.trials,
        "looks": [_look(number, look) for number, look in enumerate(course.looks, start=1)],
    }


def unfinished_part(spec: Any, compared: pd.DataFrame) -> Part | None:
    """How many trials a comparison without looks still lacks; None where it lacks none."""
    stage = next((entry.stage for entry in spec.plan if entry.name == "compare"), None)
    if stage is None or stage.early is not None:
        return None
    planned, stored = stage.seeds * len(spec.arms), len(of_stage(compared, "compare"))
    return {"trials": stored, "trials_planned": planned} if stored < planned else None


def notes(comparison: Part, words: Words) -> Iterator[Inline]:
    """What the looks, or their absence, mean for the p-value and the interval above."""
    if comparison["unfinished"]:
        counts = {key: comparison["unfinished"][key] for key in ("trials", "trials_planned")}
        yield words.say("looks_none_planned", **counts)
    if not comparison["early"]:
        return
    early = comparison["early"]
    fields = {key: early[key] for key in ("looks_made", "looks_planned", "trials", "trials_planned")}
    fields["spending"] = words.named(early["spending"])
    fields["alpha"] = words.numbers.percent(early["alpha"])
    if early["looks"]:
        fields |= _last(early["looks"][-1], words)
    yield words.say(_key(early), **fields)
    if early["looks"]:
        yield words.say("looks_interval", confidence=fields["confidence"], alpha=fields["alpha"])


def _look(number: int, look: Look) -> Part:
    return {
        "look": number,
        "seeds": look.seeds,
        "pairs": look.pairs.n,
        "alpha_spent": look.spent,
        "p_value": look.p_value,
        "level": look.level,
        "ended": look.ended,
        "ci_confidence": look.confidence,
    }


def _last(look: Part, words: Words) -> Part:
    significant = words.numbers.significant
    level = words.say("looks_no_level")
    if look["level"] is not None:
        level = words.say("looks_level", level=significant(look["level"], 2))
    confidence = significant(100 * look["ci_confidence"], 4)
    return {"p": significant(look["p_value"], 2), "level": level, "confidence": confidence}


def _key(early: Part) -> str:
    if early["ended_early"]:
        return "looks_ended_early"
    if early["looks_made"] == early["looks_planned"]:
        return "looks_all_made"
    return "looks_unfinished" if early["looks_made"] else "looks_none_made"
