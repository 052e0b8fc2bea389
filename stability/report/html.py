"""Blocks -> one self-contained HTML file, with figures and the Persian font. Layout only; all is escaped."""

from __future__ import annotations

import base64
import functools
from collections.abc import Mapping
from importlib import resources

import jinja2
from markupsafe import Markup, escape

from stability.report.blocks import Block, Code, Heading, Inline, Latin, LongTable, Span, Strong, plain

FONT = resources.files("stability.report") / "fonts" / "Vazirmatn.woff2"
"""Vazirmatn 33.0.3, SIL Open Font License 1.1 (https://github.com/rastikerdar/vazirmatn)."""


def render(blocks: list[Block], lang: str, images: Mapping[str, bytes]) -> str:
    """The document as text; `images` maps a figure's name to its PNG bytes."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("stability", "report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"plain": plain, "kind": lambda block: type(block).__name__}
    environment.filters["inline"] = functools.partial(_inline, lang=lang)
    environment.filters |= {"direction": _direction, "columns": _columns, "rows": _rows}
    encoded = {name: _base64(png) for name, png in images.items()}
    font = _base64(FONT.read_bytes()) if lang == "fa" else None
    title = next(plain(block.text) for block in blocks if isinstance(block, Heading))
    template = environment.get_template("report.html.j2")
    return template.render(blocks=blocks, lang=lang, images=encoded, title=title, font=font)


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


def _columns(header: tuple[Inline, ...]) -> str:
    """A table's name for those who hear it: its columns."""
    return " · ".join(filter(None, map(plain, header)))


def _rows(table: LongTable) -> Markup:
    """Bare cells, whose end tags HTML lets out: thousands of rows stay small."""
    return Markup("\n".join("<tr><td>" + "<td>".join(map(str, map(escape, row))) for row in table.rows))


def _direction(cell: Inline) -> str:
    """A cell without letters is a number, read left to right; the text of others decides for itself."""
    return "auto" if any(sign.isalpha() for sign in plain(cell)) else "ltr"


def _inline(text: Inline, lang: str) -> Markup:
    return Markup("").join(_span(span, lang) for span in text)


def _span(span: Span, lang: str) -> Markup | str:
    """Latin text says on a page in another language that it is English, for who hears it."""
    spoken = Markup("") if lang == "en" else Markup(' lang="en"')
    match span:
        case Code(text):
            return Markup('<bdi dir="ltr"{}><code>{}</code></bdi>').format(spoken, text)
        case Latin(text):
            return Markup('<bdi dir="ltr"{}>{}</bdi>').format(spoken, text)
        case Strong(text):
            return Markup("<strong>{}</strong>").format(text)
        case _:
            return span
