"""What lies inside a bound: its part of the twin, and what every statement of that bound says of it."""

from __future__ import annotations

from typing import Any

from stability.evidence.boundary.strict import Bound
from stability.evidence.inside import Inside
from stability.report.blocks import Code, Inline
from stability.report.numbers import rounded
from stability.report.words import Words

Twin = dict[str, Any]


def inside_part(found: Inside | None) -> Twin:
    """Of the trials inside a bound: how many gave evidence, learned nothing, failed, stayed undecided."""
    names = ("n", "stuck", "stuck_range", "learned", "learned_range", "failed", "undecided")
    return {f"inside_{name}": None if found is None else getattr(found, name) for name in names}


def bound_part(bound: Bound) -> Twin:
    """`inside_part`, the bound without the trials nobody knows of, and how many of them it counts."""
    counted = bound.counted
    return inside_part(bound.inside) | {
        "plain_bound": bound.plain,
        "counted_failed": 0 if counted is None else counted.failed,
        "counted_undecided": 0 if counted is None else counted.undecided,
    }


def beside(own: Twin, param: str, words: Words) -> Inline:
    """What is said beside a bound: of trials inside that learned nothing, and that nobody knows of.

    `own` holds the keys of `inside_part`, or of `bound_part`; an older report has none of them.
    """
    if not own.get("inside_n") and not own.get("inside_failed") and not own.get("inside_undecided"):
        return ()
    return (*_stuck(own, param, words), *_unknown(own, words))


def narrowed(own: Twin, plain: Inline, words: Words) -> Inline:
    """That a bound would be `plain` if failed and undecided trials were left out of it."""
    if own.get("plain_bound") in (None, own["bound"]):
        return ()
    return words.say("inside_narrowed", plain=plain, **_counted(own))


def no_bound(own: Twin, plain: Inline, words: Words, **named: Any) -> Inline:
    """That none is stated, since it would not hold with those trials counted as diverged."""
    return words.say("bound_failures", plain=plain, **_counted(own), **named)


def _counted(own: Twin) -> Twin:
    return {"failed": own["counted_failed"], "undecided": own["counted_undecided"]}


def _stuck(own: Twin, param: str, words: Words) -> Inline:
    if not own["inside_stuck"]:
        return ()
    fields = {"stuck": own["inside_stuck"], "n": own["inside_n"], "param": Code(param)}
    fields["span"] = _span(own["inside_stuck_range"])
    if not own["inside_learned"]:
        return words.say("inside_stuck_only", **fields)
    return words.say("inside_stuck", **fields, learned=_span(own["inside_learned_range"]))


def _unknown(own: Twin, words: Words) -> Inline:
    counts = {"failed": own["inside_failed"], "undecided": own["inside_undecided"]}
    if not any(counts.values()):
        return ()
    return words.say("inside_held" if "plain_bound" in own else "inside_unknown", **counts)


def _span(ends: list[float]) -> Code:
    low, high = map(rounded, ends)
    return Code(low if low == high else f"{low}..{high}")
