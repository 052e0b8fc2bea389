"""What the numbers allow to recommend. Twin in, recommendations out; their wording comes from `words`."""

from __future__ import annotations

from typing import Any

from stability.report.blocks import Code, Inline, plain
from stability.report.boundary import bound_sentence
from stability.report.inside import beside
from stability.report.numbers import rounded, rounded_inward
from stability.report.words import Words

INSIDE = ("stuck", "failed", "undecided")
"""What a program must know of the trials inside a bound."""


def recommendations(twin: dict[str, Any]) -> list[dict[str, Any]]:
    """Bounds on a parameter: of each arm's boundary, and below which a search has seen no divergence.

    `risk` and `confidence` are null for a search: the share of diverged trials in it is no rate.
    """
    return [*_of_boundary(twin), *_of_search(twin)]


def _of_boundary(twin: dict[str, Any]) -> list[dict[str, Any]]:
    words, details = Words("en"), twin["boundary_details"]
    return [
        {
            "arm": arm,
            "param": own["param"],
            "op": "<=" if details["diverges"] == "above" else ">=",
            "value": own["p05_lower"],
            "risk": details["risk"],
            "confidence": details["confidence"],
            "n": own["n"],
            **{key: own[f"inside_{key}"] for key in INSIDE},
            "text": plain(bound_sentence(twin, arm, words)),
        }
        for arm, own in (twin["boundary"] or {}).items()
        if own["p05_lower"] is not None
    ]


def _of_search(twin: dict[str, Any]) -> list[dict[str, Any]]:
    search = twin["search"]
    edge = search and search["edge"]
    if not edge or edge["clear_up_to"] is None:
        return []
    return [
        {
            "arm": None,
            "param": edge["param"],
            "op": "<=",
            "value": edge["clear_up_to"],
            "risk": None,
            "confidence": None,
            "n": edge["n_clear"],
            **{key: search[f"inside_{key}"] for key in INSIDE},
            "text": plain(edge_sentence(twin, Words("en"))),
        }
    ]


def edge_sentence(twin: dict[str, Any], words: Words) -> Inline | None:
    """What the search allows to say of its parameter, or None."""
    edge = twin["search"] and twin["search"]["edge"]
    if not edge:
        return None
    if edge["clear_up_to"] is None:
        value = Code(rounded(edge["smallest_diverged"], 4))
        return words.say("rec_edge_all", param=Code(edge["param"]), value=value) if _all_bad(edge) else None
    told = words.say(*_edge_key(edge), **edge_values(twin, words))
    return (*told, *beside(twin["search"], edge["param"], words))


def edge_values(twin: dict[str, Any], words: Words) -> dict[str, Any]:
    """The fields of the sentence about the edge."""
    edge = twin["search"]["edge"]
    diverged = edge["smallest_diverged"]
    return {
        "param": Code(edge["param"]),
        "bound": Code(f"{edge['param']} <= {rounded_inward(edge['clear_up_to'], down=True)}"),
        "n": edge["n_clear"],
        "steps": twin["limits"]["steps"]["search"],
        "diverged": Code("" if diverged is None else rounded(diverged, 4)),
    }


def _edge_key(edge: dict[str, Any]) -> tuple[str]:
    return ("rec_edge" if edge["smallest_diverged"] is not None else "rec_edge_open",)


def _all_bad(edge: dict[str, Any]) -> bool:
    return edge["largest_not_diverged"] is None
