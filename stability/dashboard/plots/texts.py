"""Texts of Plotly graphs, for pages that run left to right: Persian is isolated from them."""

from __future__ import annotations

import html
import textwrap
from typing import Any

from stability.report.blocks import Inline, Span, plain
from stability.report.numbers import END_ISOLATE, ISOLATE_LTR, ISOLATE_RTL

NO_BREAK = "\u00a0"
TITLE_WIDTH = 62
"""Characters of a title's line, which half of the page holds."""


def escaped(text: str) -> str:
    """A name as it is: Plotly reads tags and entities in every text."""
    return html.escape(text, quote=False)


def line(text: Inline) -> str:
    """One line; Persian is isolated from the page, and names from Persian."""
    shown = plain(tuple(_whole(span) for span in text))
    return _directed(shown, shown)


def wrapped(text: Inline, width: int = TITLE_WIDTH) -> str:
    """Lines of at most `width` characters."""
    shown = plain(tuple(_whole(span) for span in text))
    lines = textwrap.wrap(shown, width)
    return "<br>".join(_directed(each, shown) for each in lines)


def title(text: Inline) -> dict[str, Any]:
    """A title as Plotly's axes and colour bars take it."""
    return {"text": line(text), "font": {"size": 12}, "standoff": 6}


def _whole(span: Span) -> Span:
    """A name or value, kept on one line and left to right."""
    if isinstance(span, str):
        return span
    return f"{ISOLATE_LTR}{span.text.replace(' ', NO_BREAK)}{END_ISOLATE}"


def _directed(text: str, whole: str) -> str:
    """A line of the text `whole`: right to left where that is Persian."""
    persian = any("\u0600" <= sign <= "\u06ff" for sign in whole)
    return f"{ISOLATE_RTL}{escaped(text)}{END_ISOLATE}" if persian else escaped(text)
