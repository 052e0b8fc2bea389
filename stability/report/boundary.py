"""How far from the edge: `boundary`, `boundary_details` and `ranges` of the twin, and their section."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from stability.evidence.boundary import Boundary
from stability.evidence.boundary.located import CONFIDENCE
from stability.evidence.boundary.prices import prices
from stability.evidence.boundary.ranges import Range, ranges
from stability.evidence.boundary.strict import Strict
from stability.evidence.boundary.studied import studied
from stability.evidence.liveness import inert
from stability.evidence.printed import is_printed
from stability.evidence.selection import failed, of_stage, undecided
from stability.report.blocks import Block, Bullets, Code, Figure, Heading, Inline, Paragraph, Table
from stability.report.described import bound_text, distance_text
from stability.report.inside import beside, bound_part, narrowed, no_bound
from stability.report.numbers import rounded, rounded_inward, setting
from stability.report.titles import headroom_title, stability_map_title
from stability.report.words import Words

Twin = dict[str, Any]

RISK = 0.05
"""The share of diverging trials that the report's bounds are about."""
LOWER_RISK = 0.03
"""A lower one that may be asked for: the model cannot show one of 0.02."""


def found_boundary(spec: Any, trials: pd.DataFrame) -> Boundary | None:
    """The boundary that the study's trials show; None where none was looked for."""
    stage = boundary_stage(spec)
    if stage is None:
        return None
    left_out = inert(trials, exact=not is_printed(spec.trainer)) if len(of_stage(trials, "liveness")) else ()
    return studied(trials, spec.params, stage.param, stage.rising, left_out)


def boundary_stage(spec: Any) -> Any | None:
    """The plan's stage `boundary`."""
    return next((entry.stage for entry in spec.plan if entry.name == "boundary"), None)


def boundary_part(spec: Any, trials: pd.DataFrame, found: Boundary | None) -> Twin:
    """The twin's keys about the boundary; null where it was not looked for."""
    if found is None:
        return dict.fromkeys(("boundary", "boundary_details", "ranges"))
    strict = Strict(found, of_stage(trials, "boundary"))
    arms = {arm: arm_settings(spec, arm) for arm in spec.arms}
    return {
        "boundary": {arm: _arm(strict, own) for arm, own in arms.items()},
        "boundary_details": _details(spec, trials, found),
        "ranges": {arm: _ranges(strict.bound(own, RISK).found, own) for arm, own in arms.items()},
    }


def arm_settings(spec: Any, arm: str) -> Twin:
    """An arm's own values and the constants, for the parameters that the study still has."""
    constants = {name: p.choices[0] for name, p in spec.params.items() if p.kind == "constant"}
    return {name: own for name, own in (constants | dict(spec.arms[arm])).items() if name in spec.params}


def headroom(found: Boundary, value: float, bound: float | None) -> float | None:
    """How far `value` lies on the calm side of `bound`: in decades on a log range, else in its units."""
    if bound is None:
        return None
    distance = math.log10(bound) - math.log10(value) if found.space.bounded.log else bound - value
    return distance if found.space.rising else -distance


def boundary_section(twin: Twin, words: Words) -> Iterator[Block]:
    """The boundary of each arm, what each knob costs, and over which ranges an arm keeps its distance."""
    details = twin["boundary_details"]
    if not details:
        return
    yield Heading(2, words.say("h_boundary"))
    means = words.say("boundary_means", **_looked(details), **_outcomes(details))
    yield Paragraph((*means, *undecided_beside(details, words)))
    if not details["monotone"]:
        yield Paragraph(words.say(f"boundary_not_{details['diverges']}", param=Code(details["param"])))
    if twin["plots"]["stability_map"]:
        yield Figure("stability_map", stability_map_title(twin, words))
        yield Paragraph(words.say("map_means"))
    if twin["boundary"]:
        yield _arms_table(twin, words)
        yield Figure("headroom", headroom_title(twin, words))
    if sentences := bound_sentences(twin, words):
        yield Bullets(tuple(sentences))
    yield from _prices_section(details, words)
    yield from _ranges_section(twin, words)


def undecided_beside(part: Twin, words: Words) -> Inline:
    """After the counts of a stage: those that finished without a verdict, where there are any."""
    count = part.get("undecided")
    return words.say("stage_undecided", undecided=count) if count else ()


def bound_sentences(twin: Twin, words: Words) -> list[Inline]:
    """What is claimed of each arm's boundary, or why nothing is."""
    return [bound_sentence(twin, arm, words) for arm in twin["boundary"] or ()]


def bound_sentence(twin: Twin, arm: str, words: Words) -> Inline:
    """The claim about one arm: the bound, and under which conditions it holds."""
    return claim(arm_bound(twin, arm), twin["boundary_details"], words)


def arm_bound(twin: Twin, arm: str) -> Twin:
    """What the twin says of one arm's bound, in the form of `claim` and `distance`."""
    own, steps = twin["boundary"][arm], twin["limits"]["steps"]["boundary"]
    bound = {"bound": own["p05_lower"], "own_risk": own["risk"], "risk": RISK}
    return own | {"arm": arm, "steps": steps} | bound


def claim(own: Twin, details: Twin, words: Words) -> Inline:
    """The bound of one arm with its risk, steps, trials (n, and how many near), or why there is none."""
    named = {"arm": Code(own["arm"]), "param": Code(details["param"])}
    if own["bound"] is None and own.get("plain_bound") is not None:
        return no_bound(own, (Code(bound_text(details, own["plain_bound"])),), words, **named)
    if own["bound"] is None:
        known = {"n": own["n"], "risk": words.numbers.percent(own["own_risk"])}
        return words.say("bound_none" if own["monotone"] else "bound_withdrawn", **named, **known)
    told = words.say(
        "bound_claim",
        **named,
        bound=Code(bound_text(details, own["bound"])),
        steps=own["steps"],
        risk=words.numbers.percent(own["risk"]),
        confidence=words.numbers.percent(CONFIDENCE),
        n=own["n"],
        near=words.say("near_decades" if details["log"] else "near_range", near=own["near"]),
    )
    return (*told, *_beside(own, details, words))


def distance(own: Twin, details: Twin, words: Words, kind: str, *, alone: bool = True) -> Inline:
    """Where an arm's own value lies beside its bound: as a finding (`answer`) or as what to do (`rec`).

    `alone`: no `claim` stands before it, which has said what lies inside the bound.
    """
    fields = {
        "arm": Code(own["arm"]),
        "value": Code(f"{details['param']} = {rounded(own['value'])}"),
        "bound": Code(bound_text(details, own["bound"])),
        "distance": distance_text(details, abs(own["headroom"]), words),
        "steps": own["steps"],
        "risk": words.numbers.percent(own["risk"]),
        "confidence": words.numbers.percent(CONFIDENCE),
    }
    told = words.say(f"{kind}_{'inside' if own['headroom'] >= 0 else 'outside'}", **fields)
    return (*told, *_beside(own, details, words)) if alone else told


def _beside(own: Twin, details: Twin, words: Words) -> Inline:
    """What belongs to every statement of a bound: which trials inside it say less than it seems."""
    plain = own.get("plain_bound")
    shown = () if plain is None else (Code(bound_text(details, plain)),)
    return (*beside(own, details["param"], words), *narrowed(own, shown, words))


def _arm(strict: Strict, own: Mapping[str, Any]) -> Twin:
    found, bound = strict.found, strict.bound(own, RISK)
    reading, bounded = found.at(own), found.space.bounded
    value = own[bounded.name]
    return {
        "param": bounded.name,
        "scale": "log10" if bounded.log else "linear",
        "p50": reading.p50.value,
        "p50_ci": [reading.p50.low, reading.p50.high],
        "p05": reading.p05.value,
        "p05_lower": bound.value,
        "headroom": headroom(found, value, bound.value),
        "n": reading.n,
        "monotone": reading.monotone,
        "value": value,
        "risk": float(found.risk([own])[0]),
        "near": None if bound.value is None else found.near(bound.value),
        **bound_part(bound),
    }


def _details(spec: Any, trials: pd.DataFrame, found: Boundary) -> Twin:
    bounded, stage = found.space.bounded, boundary_stage(spec)
    return {
        "param": bounded.name,
        "log": bounded.log,
        "low": bounded.low,
        "high": bounded.high,
        "diverges": stage.diverges,
        "sampler": stage.sampler,
        "risk": RISK,
        "confidence": CONFIDENCE,
        "n": found.n,
        "diverged": found.diverged,
        "infrastructure_failures": len(failed(of_stage(trials, "boundary"))),
        "undecided": len(undecided(of_stage(trials, "boundary"))),
        "monotone": found.monotone,
        "below": {"n": found.guard.below, "diverged": found.guard.failures, "p_value": found.guard.p_value},
        "log_bayes_factor": found.guard.log_bayes_factor,
        "prices": [
            {"param": own.name, "start": own.start, "end": own.end, "cost": own.cost, "ci": own.ci}
            for own in prices(found)
        ],
    }


def _ranges(found: Boundary, own: Mapping[str, Any]) -> list[Twin]:
    return [
        {"param": one.name, "low": one.low, "high": one.high, "limited": one.limited}
        | {"choices": one.choices, "holds": one.holds}
        for one in ranges(found, own, RISK)
    ]


def _looked(details: Twin) -> Twin:
    return {
        "param": Code(details["param"]),
        "low": Code(rounded(details["low"])),
        "high": Code(rounded(details["high"])),
    }


def _outcomes(details: Twin) -> Twin:
    return {"n": details["n"], "k": details["diverged"], "failures": details["infrastructure_failures"]}


def _arms_table(twin: Twin, words: Words) -> Table:
    details = twin["boundary_details"]
    heads = ("col_own", "col_p50", "col_p05", "col_bound", "col_headroom")
    header = (words.say("col_arm"), *(words.say(key, param=Code(details["param"])) for key in heads))
    return Table(header, tuple(_arm_row(arm, own, details, words) for arm, own in twin["boundary"].items()))


def _arm_row(arm: str, own: Twin, details: Twin, words: Words) -> tuple[Inline, ...]:
    ends = [words.say("beyond") if end is None else (Code(rounded(end)),) for end in own["p50_ci"]]
    middle = words.say("beyond") if own["p50"] is None else (Code(rounded(own["p50"])),)
    known = own["monotone"] and own["p50_ci"] != [None, None]
    p50 = words.say("place_cell", value=middle, low=ends[0], high=ends[1]) if known else words.say("na")
    p05 = words.say("na") if own["p05"] is None else (Code(rounded(own["p05"])),)
    bound, room = words.say("na"), words.say("na")
    if own["p05_lower"] is not None:
        bound = (Code(bound_text(details, own["p05_lower"])),)
        room = distance_text(details, own["headroom"], words)
    return ((Code(arm),), (Code(rounded(own["value"])),), p50, p05, bound, room)


def _prices_section(details: Twin, words: Words) -> Iterator[Block]:
    if not details["prices"]:
        return
    yield Heading(3, words.say("h_prices"))
    yield Paragraph(words.say("prices_mean", param=Code(details["param"])))
    header = tuple(words.say(key) for key in ("col_setting", "col_change", "col_cost"))
    yield Table(header, tuple(_price_row(own, details, words) for own in details["prices"]))


def _price_row(own: Twin, details: Twin, words: Words) -> tuple[Inline, ...]:
    change = words.say("change_cell", start=Code(_short(own["start"])), end=Code(_short(own["end"])))
    ends = (words.numbers.significant(end, 2) for end in own["ci"])
    cost = distance_text(details, own["cost"], words)
    told = words.say("factor_cell", factor=cost, interval=words.numbers.interval(*ends))
    none = own["ci"][0] <= 0 <= own["ci"][1]
    return ((Code(own["param"]),), change, words.say("no_effect_cell", cost=told) if none else told)


def _ranges_section(twin: Twin, words: Words) -> Iterator[Block]:
    known = {arm: {own["param"]: own for own in found} for arm, found in (twin["ranges"] or {}).items()}
    params = list(dict.fromkeys(name for found in known.values() for name in found))
    if not params:
        return
    risk, confidence = words.numbers.percent(RISK), words.numbers.percent(CONFIDENCE)
    yield Heading(3, words.say("h_ranges"))
    yield Paragraph(words.say("ranges_mean", risk=risk, confidence=confidence))
    header = (words.say("col_setting"), *((Code(arm),) for arm in known))
    rows = (
        ((Code(name),), *(_range_cell(found[name], words) for found in known.values())) for name in params
    )
    yield Table(header, tuple(rows))


def _range_cell(own: Twin, words: Words) -> Inline:
    if not own["holds"]:
        return words.say("range_none")
    kept = Range(own["param"], own["low"], own["high"], own["limited"], own["choices"])
    key = "range_limited" if kept.choices is not None or any(kept.limited) else "range_whole"
    return words.say(key, span=Code(range_text(kept)))


def range_text(kept: Range) -> str:
    """`0.5..50`, or the choices; never wider than what holds."""
    if kept.choices is not None:
        return ", ".join(map(_short, kept.choices))
    return f"{rounded_inward(kept.low, down=False)}..{rounded_inward(kept.high, down=True)}"


def _short(value: Any) -> str:
    return rounded(value) if isinstance(value, float) else setting(value)
