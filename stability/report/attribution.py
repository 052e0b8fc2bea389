"""Which setting made the difference: the twin's `attribution`, and its section."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from stability.evidence.attributed import Attribution, Limit, Response
from stability.evidence.boundary import Boundary
from stability.evidence.boundary.prices import attribute_boundary
from stability.evidence.crossed import Confirmed, attributions, confirmed, response_of, setting
from stability.evidence.paired import PairedRatio
from stability.evidence.rates import RateComparison
from stability.report.blocks import Block, Bullets, Code, Figure, Heading, Inline, Paragraph, Table
from stability.report.boundary import arm_settings
from stability.report.titles import forest_title
from stability.report.words import Words
from stability.spending import ALPHA

Twin = dict[str, Any]

NAMES = {Response.DIVERGED: "diverged", Response.YARDSTICK: "yardstick", Response.BOUNDARY: "boundary"}
SHOWN_LIMITS = {
    Limit.ONE_SEED: "limit_one_seed",
    Limit.CELLS_LOST: "limit_cells_lost",
    Limit.SURVIVORS_ONLY: "limit_survivors",
    Limit.MAIN_EFFECTS_ALIASED: "limit_main_aliased",
    Limit.INTERACTIONS_ALIASED: "limit_aliased",
    Limit.NONE_DIVERGED: "limit_none_diverged",
    Limit.ALL_DIVERGED: "limit_all_diverged",
    Limit.ALL_EQUAL: "limit_all_equal",
}


def attribution_part(spec: Any, trials: pd.DataFrame, boundary: Boundary | None) -> Twin | None:
    """The twin's `attribution`, or None where nothing can be shared out, or two arms do not differ."""
    if spec.compare is None:
        return None
    arms = (spec.compare.baseline, spec.compare.treatment)
    sides = [arm_settings(spec, arm) for arm in arms]
    found = attributions(trials, *sides)
    head = response_of(found) if found else None
    moved = attribute_boundary(boundary, *sides) if boundary is not None else None
    found += [moved] if moved is not None else []
    if not found:
        return None
    head = head or found[0]
    others = [_one(each) for each in found if each is not head]
    named = dict(zip(("baseline", "treatment"), arms, strict=True))
    return _one(head) | {"arms": named, "others": others, "confirmation": _confirmed(confirmed(trials))}


def attribution_section(twin: Twin, words: Words) -> Iterator[Block]:
    """Each setting's part, and what confirmed it."""
    found = twin["attribution"]
    if not found:
        return
    yield Heading(2, words.say("h_attribution"))
    if any(one["effects"] for one in (found, *found["others"])):
        yield Figure("forest", forest_title(twin, words))
    for one in (found, *found["others"]):
        yield from _response(one | found["arms"], words)
    if found["confirmation"]:
        yield Heading(3, words.say("h_confirmation"))
        yield Bullets(tuple(_confirmation(found["confirmation"], found["arms"], words)))


def culprit_sentences(twin: Twin, words: Words) -> list[Inline]:
    """The setting that was found and confirmed, the others with a part in some response, those with none."""
    found = twin["attribution"]
    if not found or found["response"] == "boundary":
        return []
    responses = [one for one in (found, *found["others"]) if one["effects"]]
    clear = {one["response"]: _clear(one) for one in responses}
    named = {name for names in clear.values() for name in names}
    unclear = [name for name in found["effects"] if name not in named]
    if not named:
        return [words.say("answer_no_culprit", names=_codes(unclear, words))] if unclear else []
    told = found["confirmation"] and _culprit(found["confirmation"], found["arms"]["baseline"], clear, words)
    if not told:
        first = next(names for names in clear.values() if names)
        told = words.say("answer_part", names=_codes(first, words))
    parts = [
        words.say(f"answer_part_{response}", names=_codes(names, words))
        for response, names in clear.items()
        if names and names != [(found["confirmation"] or {}).get("param")]
    ]
    rest = [words.say("answer_no_effect", names=_codes(unclear, words))] if unclear else []
    return [told, *parts, *rest]


def _clear(one: Twin) -> list[str]:
    """The settings whose part in a response is shown."""
    return [name for name, own in one["effects"].items() if own["p_adjusted"] < ALPHA]


def _codes(names: list[str], words: Words) -> Inline:
    return words.listed([(Code(name),) for name in names])


def _culprit(confirmed: Twin, arm: str, clear: Mapping[str, list[str]], words: Words) -> Inline | None:
    """What the culprit alone did to the baseline on fresh seeds; None where that came to nothing.

    Of the response in which it was found: the divergence where its part is clear there, else the yardstick.
    """
    swap = confirmed["added"]
    if swap["rate_difference"] is None:
        return None
    fields = _swapped(swap, confirmed["param"], arm, words)
    if confirmed["param"] in clear.get("diverged", ()):
        return words.say("answer_culprit_rate", **fields)
    return words.say("answer_culprit", **fields) if swap["yardstick_ratio_ci"] is not None else None


def _swapped(swap: Twin, param: str, arm: str, words: Words) -> dict[str, Any]:
    """The fields of a sentence on a setting swapped alone: the rate's change, the yardstick's if known."""
    percent, shown = words.numbers.percent, words.numbers.significant
    fields: dict[str, Any] = {"param": Code(param), "arm": Code(arm), "pairs": swap["pairs"]}
    fields["rate"] = (percent(swap["rate_difference"]),)
    fields["rate_interval"] = words.numbers.interval(*map(percent, swap["rate_difference_ci"]))
    if swap["yardstick_ratio_ci"] is not None:
        ends = (shown(end, 3) for end in swap["yardstick_ratio_ci"])
        fields["interval"] = words.numbers.interval(*ends)
        fields["ratio"] = shown(swap["yardstick_ratio"], 3)
    return fields


def _one(found: Attribution) -> Twin:
    together = [each for each in found.interactions if each.p_adjusted < ALPHA]
    return {
        "response": NAMES[found.response],
        "total_effect": found.total_effect,
        "total_ci": found.total_ci,
        "n": found.n,
        "seeds": found.seeds,
        "cells": found.cells,
        "dropped": found.dropped,
        "excluded": found.excluded,
        "effects": {
            setting(name): {"effect": own.effect, "ci": own.ci, "p_adjusted": own.p_adjusted}
            for name, own in found.effects.items()
        },
        "interactions": [
            {"params": [setting(name) for name in each.factors], "effect": each.effect, "ci": each.ci}
            | {"p_adjusted": each.p_adjusted, "aliases": [list(map(setting, term)) for term in each.aliases]}
            for each in together
        ],
        "limits": [limit.name for limit in found.limits],
    }


def _confirmed(found: Confirmed | None) -> Twin | None:
    if found is None:
        return None
    return {"param": found.setting, "added": _swap(*found.added), "removed": _swap(*found.removed)}


def _swap(rates: RateComparison, ratio: PairedRatio) -> Twin:
    return {
        "rate_difference": rates.difference,
        "rate_difference_ci": rates.ci,
        "yardstick_ratio": ratio.ratio,
        "yardstick_ratio_ci": ratio.ci,
        "pairs": ratio.used,
        "conclusion": rates.conclusion,
    }


def _response(found: Twin, words: Words) -> Iterator[Block]:
    """One response: what it means, the table, the interactions and the limits."""
    yield Heading(3, words.say(f"h_effects_{found['response']}"))
    if found["total_effect"] is None:
        yield Paragraph(words.say("effects_nothing"))
        return
    show = _shown(found, words)
    yield Paragraph(
        words.say(
            f"effects_{found['response']}",
            total=show(found["total_effect"], found["total_ci"]),
            n=found["n"],
            cells=found["cells"],
            **{role: Code(found[role]) for role in ("baseline", "treatment")},
        )
    )
    header = tuple(words.say(key) for key in ("col_setting", "col_part", "col_p_adjusted"))
    order = sorted(found["effects"].items(), key=lambda item: -abs(item[1]["effect"]))
    rows = (
        ((Code(name),), show(own["effect"], own["ci"]), (words.numbers.p_value(own["p_adjusted"]),))
        for name, own in order
    )
    yield Table(header, tuple(rows))
    notes = [*_together(found, words, show), *_limits(found, words)]
    if notes:
        yield Bullets(tuple(notes))


def _shown(found: Twin, words: Words) -> Any:
    """How an effect is written: a ratio of yardsticks, else percentage points."""

    def percent(value: float) -> str:
        return words.numbers.percent(value)

    def ratio(value: float) -> str:
        return words.numbers.significant(math.exp(value))

    def decades(value: float) -> str:
        return words.numbers.significant(value, 2)

    write = {"yardstick": ratio, "boundary": decades}.get(found["response"], percent)

    def show(effect: float, ci: list[float] | None) -> Inline:
        if ci is None:
            return words.say("factor_bare", factor=write(effect))
        ends = words.numbers.interval(*map(write, ci))
        return words.say("factor_cell", factor=write(effect), interval=ends)

    return show


def _together(found: Twin, words: Words, show: Any) -> Iterator[Inline]:
    for each in found["interactions"]:
        names = words.listed([(Code(name),) for name in each["params"]])
        values = {"names": names, "effect": show(each["effect"], each["ci"])}
        p = words.numbers.p_value(each["p_adjusted"])
        aliases = [words.listed([(Code(name),) for name in term]) for term in each["aliases"]]
        if aliases:
            yield words.say("together_aliased", **values, p=p, aliases=words.listed(aliases))
        else:
            yield words.say("together", **values, p=p)


def _limits(found: Twin, words: Words) -> Iterator[Inline]:
    counts = {"excluded": found["excluded"], "n": found["n"]}
    for limit, key in SHOWN_LIMITS.items():
        if limit.name in found["limits"]:
            yield words.say(key, **counts)


def _confirmation(found: Twin, arms: Twin, words: Words) -> Iterator[Inline]:
    """The culprit added to the baseline alone, and taken from the treatment alone."""
    sides = {"added": "baseline", "removed": "treatment"}
    for swap, side in sides.items():
        own, param, arm = found[swap], found["param"], arms[side]
        if own["rate_difference"] is None:
            yield words.say("confirm_nothing", param=Code(param), arm=Code(arm))
            continue
        key = "confirm_rate" if own["yardstick_ratio_ci"] is None else "confirm_swap"
        yield words.say(key, **_swapped(own, param, arm, words))
