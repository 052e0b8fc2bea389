"""Several panels in one graph: their axes' names, where they stand, what is written over them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from stability.dashboard.plots.style import Trace
from stability.dashboard.plots.texts import escaped, wrapped
from stability.report.blocks import Inline
from stability.report.words import Words

NOTE_WIDTH = 30
"""Characters of a sentence in a panel."""


def suffix(panel: int) -> str:
    """Plotly calls the axes of the first panel `x` and `y`, those of the second `x2` and `y2`."""
    return str(panel + 1) if panel else ""


def place(panel: int) -> dict[str, str]:
    """On which axes a trace of this panel is drawn."""
    return {"xaxis": f"x{suffix(panel)}", "yaxis": f"y{suffix(panel)}"}


def share(part: int, parts: int, gap: float) -> list[float]:
    """From where to where one of equal parts of a side reaches, `gap` apart; of the whole, 1."""
    size = (1 - gap * (parts - 1)) / parts
    return [part * (size + gap), part * (size + gap) + size]


def heading(text: Inline, panel: int, width: int) -> dict[str, Any]:
    """A text over a panel, in lines of at most `width` characters."""
    over = {"x": 0.5, "y": 1, "yanchor": "bottom", "font": {"size": 12}}
    return note(wrapped(text, width), panel, f"x{suffix(panel)} domain", f"y{suffix(panel)} domain") | over


def note(text: str, panel: int, x: str = "", y: str = "") -> dict[str, Any]:
    """A text in a panel, placed by its axes unless others are named."""
    axes = {"xref": x or f"x{suffix(panel)}", "yref": y or f"y{suffix(panel)}"}
    return {"text": text, "showarrow": False, **axes}


def in_panel(text: str, panel: int) -> dict[str, Any]:
    """A text in the middle of a panel."""
    middle = {"x": 0.5, "y": 0.5, "font": {"size": 12}}
    return note(text, panel, f"x{suffix(panel)} domain", f"y{suffix(panel)} domain") | middle


def not_shown(
    axes: dict[str, Any], panel: int, reason: str, words: Words, *, frame: bool = False
) -> dict[str, Any]:
    """The sentence `reason`, a key of `words`, in place of values; `frame` keeps the scale below."""
    hidden = {"showticklabels": False, "showgrid": False, "zeroline": False, "title": {"text": ""}}
    axes[f"yaxis{suffix(panel)}"] |= hidden
    if not frame:
        axes[f"xaxis{suffix(panel)}"] |= hidden
    return in_panel(wrapped(words.say(reason), NOTE_WIDTH), panel)


def rows_axis(names: Sequence[str]) -> dict[str, Any]:
    """A vertical axis with a row a name, the first at the bottom."""
    ticks = {"tickmode": "array", "tickvals": list(range(len(names))), "ticktext": list(map(escaped, names))}
    return {
        **ticks,
        "range": [-0.6, len(names) - 0.4],
        "automargin": True,
        "showgrid": False,
        "zeroline": False,
    }


def named_once(traces: list[Trace]) -> list[Trace]:
    """Each name once in the legend; a press on it hides what it names in every panel."""
    seen: set[str] = set()
    found = []
    for trace in traces:
        name = trace.get("name")
        found.append(trace if name is None else trace | {"legendgroup": name, "showlegend": name not in seen})
        seen.add(name)
    return found
