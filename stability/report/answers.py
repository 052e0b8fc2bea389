"""Which sentences the twin supports: the answer and the recommendation. Wording is in `words`."""

from __future__ import annotations

import math
from typing import Any

from stability.evidence.power import ALPHA, MOST_SEEDS
from stability.evidence.proportions import trials_to_exclude
from stability.evidence.rates import Conclusion
from stability.report.attribution import culprit_sentences
from stability.report.blocks import Code, Inline
from stability.report.boundary import arm_bound, bound_sentence, distance
from stability.report.inside import beside
from stability.report.knobs import identical_sentences, inert_sentences
from stability.report.numbers import rounded
from stability.report.recommend import edge_sentence
from stability.report.words import Words

Twin = dict[str, Any]

CLAIMED_RATE = 0.05
"""The divergence rate whose exclusion is costed when no trial diverged."""
TOO_OFTEN = 0.5
"""An arm that diverges in so many of its trials is not recommended, whatever it is compared with."""


SENTENCES = 3


def answer(twin: Twin, words: Words) -> tuple[list[Inline], list[Inline]]:
    """The answer in at most three sentences, and what else was found.

    The three: an arm whose trials fail more often, or whose seeds never arrived, and a setting that changes
    nothing, if there is one; which arm diverges more; which setting made the difference, else how large it
    is; how far the arm with the least room is from the edge.
    """
    failing, identical = _failing(twin, words), identical_sentences(twin.get("identical"), words)
    inert, divergence = inert_sentences(twin, words), _divergence(twin, words)
    yardstick, culprit = _yardstick(twin, words), culprit_sentences(twin, words)
    bounds, search = _bounds(twin, words, "answer"), _search(twin, words)
    counted = counted_sentences(twin, words)
    edge = bounds[_least_room(twin) :][:1] or search[:1]
    head = [*failing, *identical[:1], *inert[:1], *divergence[:1], *(culprit or yardstick)[:1], *edge][
        :SENTENCES
    ]
    found = [*failing, *identical, *inert, *divergence, *counted]
    every = [*found, *yardstick, *culprit, *bounds, *search]
    return head or [words.say("answer_nothing")], [each for each in every if each not in head]


def _least_room(twin: Twin) -> int:
    """The place of the arm furthest beyond its bound, else of one without a bound, else of the nearest."""
    rooms = [own["headroom"] for own in (twin["boundary"] or {}).values()]
    return min(range(len(rooms)), key=lambda i: 0.0 if rooms[i] is None else rooms[i], default=0)


def key_settings(twin: Twin, words: Words) -> tuple[Twin, Inline] | None:
    """What to copy and why: the change of each arm outside its bound, else the arm that is recommended."""
    if twin["patch"]:
        return twin["patch"], words.say("patch_needed")
    if (preferred := _preferred(twin)) is None:
        return None
    name, reason = preferred
    arm = twin["arms"][name]
    told = words.say(f"patch_best_{reason}", arm=Code(name), k=arm["diverged"], n=arm["n"])
    return {name: arm["settings"]}, told


def _preferred(twin: Twin) -> tuple[str, str] | None:
    """The arm that diverges less (`rate`), else the one whose yardstick is lower (`yardstick`).

    None where neither was shown, or where the arm itself diverges in half of its trials.
    """
    comparison = twin["comparison"]
    if not comparison or comparison["conclusion"] == Conclusion.INSUFFICIENT or _is_open(comparison):
        return None
    if comparison["conclusion"] != Conclusion.NO_DIFFERENCE_SHOWN:
        role, reason = _ordered(comparison)[1], "rate"
    else:
        finding, reason = yardstick_finding(comparison), "yardstick"
        if finding == "none" or not _ranks_agree(comparison["yardstick_pairs"], finding):
            return None
        role = "treatment" if finding == "lower" else "baseline"
    name = comparison[role]
    return None if twin["arms"][name]["rate"] >= TOO_OFTEN else (name, reason)


def recommendation(twin: Twin, words: Words) -> list[Inline]:
    """What to do next, as far as the evidence goes."""
    found = [*_choice(twin, words), *_needs(twin, words)]
    if twin["boundary"]:
        found += _bounds(twin, words, "rec")
    elif edge := edge_sentence(twin, words):
        found += [edge, *_headroom(twin, words)]
    return found or [words.say("rec_nothing")]


def yardstick_finding(comparison: Twin) -> str:
    """`lower`, `higher` or `none`: what the ratio's interval says of the treatment."""
    low, high = comparison["yardstick_ratio_ci"] or (0.0, math.inf)
    return "lower" if high < 1 else "higher" if low > 1 else "none"


def test_values(comparison: Twin, words: Words) -> dict[str, Any]:
    """The fields `test` and `p` of a sentence about rates."""
    return {"test": words.named(comparison["test"]), "p": words.numbers.p_value(comparison["p_value"])}


def _divergence(twin: Twin, words: Words) -> list[Inline]:
    comparison, steps = twin["comparison"], twin["limits"]["steps"]["compare"]
    if not comparison:
        return _rates_alone(twin, words)
    sides = {role: twin["arms"][comparison[role]] for role in ("baseline", "treatment")}
    empty = [role for role, arm in sides.items() if arm["n"] == 0]
    if empty:
        missing = words.listed([(Code(comparison[role]),) for role in empty])
        return [words.say("answer_arm_missing", arm=missing)]
    if comparison["conclusion"] == Conclusion.INSUFFICIENT:
        return [words.say("answer_insufficient", **_both(comparison, sides, words))]
    tested = test_values(comparison, words) | {"steps": steps}
    if comparison["conclusion"] == Conclusion.NO_DIFFERENCE_SHOWN:
        return [words.say("answer_no_difference", **_both(comparison, sides, words), **tested)]
    more, less = _ordered(comparison)
    counts = {
        f"{count}_{name}": sides[role][key]
        for name, role in (("more", more), ("less", less))
        for count, key in (("k", "diverged"), ("n", "n"))
    }
    names = {"more": Code(comparison[more]), "less": Code(comparison[less])}
    told = words.say("answer_more", **names, **counts, **tested)
    return [told, *_open(comparison, words)]


def _open(comparison: Twin, words: Words) -> list[Inline]:
    """That a difference would not be shown with the trials that nobody knows of counted against it."""
    if not _is_open(comparison):
        return []
    worst = comparison["worst_case"]
    p = worst["p_value"]
    told = words.say("na") if p is None else words.numbers.p_value(p)
    return [words.say("answer_more_open", counted=worst["counted"], p=told)]


def _is_open(comparison: Twin) -> bool:
    worst = comparison.get("worst_case")
    return bool(worst) and worst["holds"] is False


def _failing(twin: Twin, words: Words) -> list[Inline]:
    """That the trials of one arm fail more often than those of the other."""
    comparison = twin["comparison"]
    found = comparison and comparison.get("failures")
    if not found or not found["differ"]:
        return []
    sides = zip(("baseline", "treatment"), found["failed"], found["n"], strict=True)
    less, more = sorted(sides, key=lambda side: side[1] / side[2])
    outcomes = twin["arms"][comparison[more[0]]]["failed_outcomes"]
    counts = {"k_more": more[1], "n_more": more[2], "k_less": less[1], "n_less": less[2]}
    names = {"more": Code(comparison[more[0]]), "less": Code(comparison[less[0]])}
    kinds = words.listed([(Code(name),) for name in outcomes])
    return [words.say("answer_failing", **names, **counts, kinds=kinds, **test_values(found, words))]


def counted_sentences(twin: Twin, words: Words) -> list[Inline]:
    """Of each arm with failed or undecided trials, that bounds on its rate count them."""
    counts = {
        name: {"failed": arm["infrastructure_failures"], "undecided": arm["undecided"]}
        for name, arm in twin["arms"].items()
        if "undecided" in arm  # an older report counted them nowhere
    }
    return [
        words.say("counted_worst", arm=Code(name), **own) for name, own in counts.items() if any(own.values())
    ]


def _upper(arm: Twin) -> float:
    """The bound to claim, with the trials that nobody knows of counted as diverged."""
    return arm.get("rate_upper_worst", arm["rate_upper"])


def _ordered(comparison: Twin) -> tuple[str, str]:
    """The role that diverges more, then the other."""
    treatment_more = comparison["conclusion"] == Conclusion.TREATMENT_DIVERGES_MORE
    return ("treatment", "baseline") if treatment_more else ("baseline", "treatment")


def _both(comparison: Twin, sides: Twin, words: Words) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for role, arm in sides.items():
        fields[role] = Code(comparison[role])
        fields[f"k_{role}"], fields[f"n_{role}"] = arm["diverged"], arm["n"]
        fields[f"upper_{role}"] = words.numbers.percent(_upper(arm))
    return fields


def _rates_alone(twin: Twin, words: Words) -> list[Inline]:
    """One sentence on the arms where no two of them are compared."""
    run = {name: arm for name, arm in twin["arms"].items() if arm["n"]}
    steps = twin["limits"]["steps"]["compare"]
    if len(run) > 1:
        k, n = (sum(arm[key] for arm in run.values()) for key in ("diverged", "n"))
        return [words.say("answer_arms", arms=len(run), k=k, n=n, steps=steps)]
    for name, arm in run.items():
        upper = words.numbers.percent(_upper(arm))
        if arm["n"] == 1 and not arm["diverged"]:
            return [words.say("answer_one_trial", arm=Code(name), upper=upper)]
        counts = {"k": arm["diverged"], "n": arm["n"]}
        return [words.say("answer_arm", arm=Code(name), steps=steps, upper=upper, **counts)]
    return []


def _yardstick(twin: Twin, words: Words) -> list[Inline]:
    comparison = twin["comparison"]
    if not comparison or comparison["yardstick_ratio"] is None:
        return []
    pairs = comparison["yardstick_pairs"]
    fields = {role: Code(comparison[role]) for role in ("baseline", "treatment")}
    fields |= {"factor": words.numbers.significant(comparison["yardstick_ratio"], 3), "pairs": pairs["used"]}
    if comparison["yardstick_ratio_ci"] is None:
        return [words.say("answer_yardstick_bare", **fields)]
    ends = [words.numbers.significant(end, 3) for end in comparison["yardstick_ratio_ci"]]
    fields |= {"interval": words.numbers.interval(*ends), "wins": pairs["wins"], "ranked": pairs["ranked"]}
    return [words.say(f"answer_yardstick_{yardstick_finding(comparison)}", **fields)]


def _bounds(twin: Twin, words: Words, kind: str) -> list[Inline]:
    """How far each arm is from its boundary: `answer` as a finding, `rec` as what to do."""
    details, found = twin["boundary_details"], []
    for arm, own in (twin["boundary"] or {}).items():
        if own["headroom"] is not None:
            found.append(distance(arm_bound(twin, arm), details, words, kind))
        elif kind == "answer":
            found.append(bound_sentence(twin, arm, words))
    return found


def _search(twin: Twin, words: Words) -> list[Inline]:
    search = twin["search"]
    if not search or not search["n"]:
        return []
    counts = {"n": search["n"], "steps": twin["limits"]["steps"]["search"]}
    if not search["diverged"]:
        return [words.say("answer_search_none", **counts)]
    edge = search["edge"]
    if not edge or not edge["n_clear"] or edge["smallest_diverged"] is None:
        return [words.say("answer_search_some", k=search["diverged"], **counts)]
    where = {"param": Code(edge["param"]), "value": Code(rounded(edge["smallest_diverged"], 4))}
    told = words.say("answer_search_edge", k=search["diverged"], clear=edge["n_clear"], **where, **counts)
    return [(*told, *beside(search, edge["param"], words))]


def _choice(twin: Twin, words: Words) -> list[Inline]:
    comparison = twin["comparison"]
    if not comparison:
        return []
    if comparison["conclusion"] == Conclusion.INSUFFICIENT:
        first = words.say("rec_insufficient")
    elif comparison["conclusion"] == Conclusion.NO_DIFFERENCE_SHOWN:
        rates = [twin["arms"][comparison[role]]["rate"] for role in ("baseline", "treatment")]
        first = words.say("rec_neither" if min(rates) >= TOO_OFTEN else "rec_either")
    else:
        more, less = (Code(comparison[role]) for role in _ordered(comparison))
        first = words.say("rec_prefer_open" if _is_open(comparison) else "rec_prefer", more=more, less=less)
    return [first, *_yardstick_choice(comparison, words)]


def _yardstick_choice(comparison: Twin, words: Words) -> list[Inline]:
    if comparison["yardstick_ratio_ci"] is None:
        return []
    finding, ratio = yardstick_finding(comparison), comparison["yardstick_ratio"]
    if finding == "none":
        return [words.say("rec_yardstick_none")]
    better = "treatment" if finding == "lower" else "baseline"
    percent = words.numbers.percent(1 - min(ratio, 1 / ratio))
    key = (
        "rec_yardstick" if _ranks_agree(comparison["yardstick_pairs"], finding) else "rec_yardstick_survivors"
    )
    return [words.say(key, better=Code(comparison[better]), percent=percent)]


def _ranks_agree(pairs: Twin, finding: str) -> bool:
    """Whether the ranks, which hold the diverged trials too, show the same difference as the ratio."""
    if not pairs["baseline_diverged_only"] + pairs["treatment_diverged_only"]:
        return True  # the ratio already holds every pair
    ahead = "lower" if pairs["wins"] > pairs["losses"] else "higher"
    return pairs["wilcoxon_p_value"] < ALPHA and ahead == finding


def _needs(twin: Twin, words: Words) -> list[Inline]:
    """What it would take to decide, with the override that asks for it."""
    comparison = twin["comparison"]
    if not comparison:
        return _needs_alone(twin, words)
    if not comparison["needed"]:
        return []
    found = []
    for need in comparison["needed"]:
        found.append(_need(need, words))
        if need["seeds"] and not any(other["seeds"] for other in comparison["needed"][: len(found) - 1]):
            override = Code(f"plan.compare.seeds={need['seeds']}")
            found.append(words.say("rec_command", override=override, seeds=need["seeds"]))
    if not any(twin["arms"][comparison[role]]["diverged"] for role in ("baseline", "treatment")):
        found.append(_exclusion(words))
    return found


def _needs_alone(twin: Twin, words: Words) -> list[Inline]:
    """The same where no two arms are compared and none diverged."""
    run = [arm for arm in twin["arms"].values() if arm["n"]]
    return [_exclusion(words)] if run and not any(arm["diverged"] for arm in run) else []


def _exclusion(words: Words) -> Inline:
    rate = words.numbers.percent(CLAIMED_RATE)
    return words.say("rec_exclude", seeds=trials_to_exclude(CLAIMED_RATE), rate=rate)


def _need(need: Twin, words: Words) -> Inline:
    ends = {"low": words.numbers.percent(need["baseline_rate"])}
    ends["high"] = words.numbers.percent(need["treatment_rate"])
    if need["seeds"] is None:
        return words.say("rec_need_many", seeds=MOST_SEEDS, **ends)
    key = "rec_need_observed" if need["observed"] else "rec_need"
    return words.say(key, seeds=need["seeds"], **ends)


def _headroom(twin: Twin, words: Words) -> list[Inline]:
    """How far each arm's own value lies from the smallest diverged one, on a log range."""
    search, edge = twin["search"], twin["search"]["edge"]
    diverged = edge["smallest_diverged"]
    if diverged is None or not search["log"]:
        return []
    found = []
    for name, arm in twin["arms"].items():
        value = arm["settings"].get(edge["param"])
        if not isinstance(value, int | float) or isinstance(value, bool) or value <= 0 or value == diverged:
            continue
        decades = math.log10(diverged / value)
        key = "rec_headroom" if decades >= 0 else "rec_headroom_above"
        text = words.numbers.significant(abs(decades), 2)
        fields = {
            "param": Code(edge["param"]),
            "arm": Code(name),
            "value": Code(rounded(value)),
            "decades": text,
        }
        found.append(words.say(key, **fields))
    return found
