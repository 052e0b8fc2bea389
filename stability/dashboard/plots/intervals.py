"""Values on rows with their intervals: filled and coloured where the interval excludes no effect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from stability.dashboard.plots.style import INK, Trace
from stability.dashboard.plots.texts import escaped, line
from stability.report.palette import COLOURS
from stability.report.words import Words


@dataclass(frozen=True, slots=True)
class Measured:
    """A value on a row, `told` to who points at it; 0 is no effect, `ends` None where it has no interval."""

    row: int
    told: str
    value: float
    ends: Sequence[float] | None

    def kind(self) -> str:
        """The key of what its interval says."""
        if self.ends is None:
            return "fig_no_interval"
        return "fig_includes" if self.ends[0] <= 0 <= self.ends[1] else "fig_excludes"


LOOKS = {
    "fig_excludes": {"symbol": "diamond", "color": COLOURS[1]},
    "fig_includes": {"symbol": "diamond-open", "color": INK},
    "fig_no_interval": {"symbol": "diamond-tall-open", "color": INK},
}


def intervals(values: list[Measured], words: Words) -> list[Trace]:
    """A trace for each thing that intervals can say; no bars where there is no interval."""
    kinds = {kind: [own for own in values if own.kind() == kind] for kind in LOOKS}
    return [_kind(kind, own, words) for kind, own in kinds.items() if own]


def _kind(kind: str, values: list[Measured], words: Words) -> Trace:
    places = {"x": [own.value for own in values], "y": [own.row for own in values]}
    told = {"hovertext": [escaped(own.told) for own in values], "hoverinfo": "text"}
    look = {"mode": "markers", "marker": LOOKS[kind] | {"size": 11}, "name": line(words.say(kind))}
    bars = {} if kind == "fig_no_interval" else {"error_x": _bars(values, LOOKS[kind]["color"])}
    return {**places, **told, **look, **bars}


def _bars(values: list[Measured], colour: str) -> dict[str, Any]:
    high, low = ([abs(own.ends[end] - own.value) for own in values] for end in (1, 0))
    style = {"color": colour, "thickness": 2.6 if colour != INK else 1.6, "width": 0}
    return {"type": "data", "symmetric": False, "array": high, "arrayminus": low, **style}


def no_effect(rows: int) -> Trace:
    """A line through all rows at no effect."""
    style = {"mode": "lines", "line": {"color": INK, "width": 1.2}, "hoverinfo": "skip", "showlegend": False}
    return {"x": [0, 0], "y": [-0.6, rows - 0.4], **style}
