"""Titles of the figures: findings, read from the twin. No drawing."""

from __future__ import annotations

from typing import Any

from stability.report.blocks import Code, Inline
from stability.report.numbers import rounded
from stability.report.words import Words

Twin = dict[str, Any]


def curves_title(twin: Twin, words: Words) -> Inline:
    """How often each arm diverged and, where two are compared, the yardstick's ratio."""
    comparison = twin["comparison"]
    if not comparison or comparison["yardstick_ratio_ci"] is None:
        arms = [(name, arm) for name, arm in twin["arms"].items() if arm["n"]]
        counts = [
            words.say("fig_arm_count", arm=Code(name), k=arm["diverged"], n=arm["n"]) for name, arm in arms
        ]
        return words.say("fig_arms_bare", counts=words.listed(counts))
    fields: dict[str, Any] = {}
    for role in ("baseline", "treatment"):
        arm = twin["arms"][comparison[role]]
        fields |= {role: Code(comparison[role]), f"k_{role}": arm["diverged"], f"n_{role}": arm["n"]}
    ends = [words.numbers.significant(end, 3) for end in comparison["yardstick_ratio_ci"]]
    factor = words.numbers.significant(comparison["yardstick_ratio"], 3)
    return words.say("fig_arms", **fields, factor=factor, interval=words.numbers.interval(*ends))


def total_title(twin: Twin, words: Words) -> Inline:
    """Whether the printed totals beside each other may be compared."""
    total = next((row for row in twin["comparability"] or () if row["component"] == "total"), None)
    if total is None:
        return words.say("fig_total_plain")
    if total["comparable"]:
        return words.say("fig_total_comparable")
    return words.say("fig_total_not", reason=words.named(total["reason"]))


def search_title(twin: Twin, words: Words) -> Inline:
    """Where along the parameter trials diverged."""
    search = twin["search"]
    edge = search["edge"]
    param = Code(edge["param"])
    if edge["smallest_diverged"] is None:
        low, high = (Code(rounded(edge[end])) for end in ("lowest", "highest"))
        return words.say("fig_search_none", n=search["n"], param=param, low=low, high=high)
    value = Code(rounded(edge["smallest_diverged"], 4))
    return words.say("fig_search_edge", k=search["diverged"], n=search["n"], param=param, value=value)
