"""Titles of the figures: findings, read from the twin. No drawing."""

from __future__ import annotations

from typing import Any

from stability.records import VerdictLabel
from stability.report.blocks import Code, Inline
from stability.report.described import bound_text, distance_text
from stability.report.numbers import rounded
from stability.report.words import Words
from stability.spending import ALPHA

Twin = dict[str, Any]


def loss_fan_title(twin: Twin, words: Words) -> Inline:
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


def lr_curve_title(twin: Twin, words: Words) -> Inline:
    """Where along the parameter trials diverged, and how sensitive the loss is to it."""
    part = twin["plots"]["lr_curve"]
    param, trials = Code(part["param"]), part["trials"]
    low, high = (Code(rounded(part[end])) for end in ("low", "high"))
    lost = sum(trial["verdict"] == VerdictLabel.DIVERGED for trial in trials)
    if part["smallest_diverged"] is None:
        found = words.say("fig_curve_none", n=len(trials), param=param, low=low, high=high)
    else:
        value = Code(rounded(part["smallest_diverged"], 4))
        found = words.say("fig_curve_edge", k=lost, n=len(trials), param=param, value=value)
    if part["sensitivity"] is None:
        return found
    shown = words.numbers.significant(part["sensitivity"]["value"], 2)
    low, high = (Code(rounded(part["sensitivity"][end])) for end in ("low", "high"))  # where trials are
    return words.say("fig_sensitivity", found=found, param=param, value=shown, low=low, high=high)


def stability_map_title(twin: Twin, words: Words) -> Inline:
    """At which value half of the runs diverge, arm by arm; or that no boundary is placed."""
    arms = twin["boundary"]
    placed = {name: own for name, own in arms.items() if own["monotone"] and own["p50"] is not None}
    trials = twin["plots"]["stability_map"]["trials"]
    if not placed:
        return words.say("fig_map_open", k=sum(trial["diverged"] for trial in trials), n=len(trials))
    places = [
        words.say("fig_map_arm", arm=Code(name), value=Code(rounded(own["p50"])))
        for name, own in placed.items()
    ]
    return words.say("fig_map", param=Code(twin["boundary_details"]["param"]), places=words.listed(places))


def forest_title(twin: Twin, words: Words) -> Inline:
    """The settings that have a part in some response, or that none is shown to have one."""
    found = twin["attribution"]
    clear = dict.fromkeys(
        name
        for one in (found, *found["others"])
        for name, own in one["effects"].items()
        if own["p_adjusted"] < ALPHA
    )
    if not clear:
        return words.say("fig_forest_none")
    return words.say("fig_forest", names=words.listed([(Code(name),) for name in clear]))


def headroom_title(twin: Twin, words: Words) -> Inline:
    """The arm with the least room, and the arms without a bound."""
    details = twin["boundary_details"]
    known = {name: own for name, own in twin["boundary"].items() if own["headroom"] is not None}
    if not known:
        return words.say("fig_room_none", param=Code(details["param"]))
    name = min(known, key=lambda arm: known[arm]["headroom"])
    own = known[name]
    inside = "fig_room_inside" if len(known) > 1 else "fig_room_only"
    found = words.say(
        inside if own["headroom"] >= 0 else "fig_room_outside",
        arm=Code(name),
        distance=distance_text(details, abs(own["headroom"]), words),
        bound=Code(bound_text(details, own["p05_lower"])),
    )
    unbounded = [(Code(arm),) for arm in twin["boundary"] if arm not in known]
    return words.say("fig_room_open", found=found, names=words.listed(unbounded)) if unbounded else found


def failure_title(twin: Twin, words: Words) -> Inline:
    """Which trial broke, when and where."""
    part = twin["plots"]["failure"]
    named = {name: Code(str(part[name])) for name in ("stage", "event_kind", "event_where")}
    return words.say("fig_failure", number=part["number"], step=part["event_step"], **named)
