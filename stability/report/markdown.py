"""Blocks -> GitHub-flavoured Markdown. Layout only: decides nothing, rounds nothing."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping

from stability.report.blocks import (
    Block,
    Bullets,
    Code,
    CodeBlock,
    Details,
    Figure,
    Heading,
    Inline,
    Latin,
    LongTable,
    Paragraph,
    Span,
    Strong,
    Table,
    plain,
)
from stability.report.numbers import END_ISOLATE, ISOLATE_LTR

OWN_SPECIAL = re.compile(r"([\\`*_<>])")
"""What means something inside our own sentences; foreign text may hold links and more."""
SPECIAL = re.compile(r"([\\`*_\[\]<>#~])")


def render(blocks: list[Block], lang: str, images: Mapping[str, str]) -> str:
    """The document as text; `images` maps a figure's name to its path. Persian is wrapped right to left."""
    body = "\n\n".join(_block(block, lang, images) for block in blocks)
    if lang == "fa":
        body = f'<div dir="rtl" lang="fa">\n\n{body}\n\n</div>'
    return body + "\n"


def _block(block: Block, lang: str, images: Mapping[str, str]) -> str:
    match block:
        case Heading(level, text):
            return f"{'#' * level} {inline(text, lang)}"
        case Paragraph(text):
            return inline(text, lang)
        case Bullets(items):
            return "\n".join(f"- {inline(item, lang)}" for item in items)
        case Table(header, rows):
            return table(header, rows, lang)
        case Figure(name, title):
            return f"![{_escape(plain(title))}]({images[name]})"
        case LongTable(header, rows, most, left_out):
            shown = table(header, tuple(tuple((Latin(cell),) for cell in row) for row in rows[:most]), lang)
            return f"{shown}\n\n{inline(left_out, lang)}" if len(rows) > most else shown
        case CodeBlock(text, language):
            return _fenced(text, language, lang)
        case Details(summary, blocks):
            inside = "\n\n".join(_block(own, lang, images) for own in blocks)
            return f"<details>\n<summary>{html.escape(plain(summary))}</summary>\n\n{inside}\n\n</details>"


def table(header: tuple[Inline, ...], rows: tuple[tuple[Inline, ...], ...], lang: str) -> str:
    """Lines of a table, whatever the cells hold."""
    lines = [_row(header, lang), "|" + " --- |" * len(header), *(_row(row, lang) for row in rows)]
    return "\n".join(lines)


def _row(cells: tuple[Inline, ...], lang: str) -> str:
    """One line; a `|` inside a cell would end it, even in a code span."""
    texts = (inline(cell, lang).replace("|", "\\|") for cell in cells)
    return "|" + "".join(f" {text} |" if text else " |" for text in texts)


def _fenced(text: str, language: str, lang: str) -> str:
    fence = "```"
    while fence in text:
        fence += "`"
    block = f"{fence}{language}\n{text}\n{fence}"
    return f'<div dir="ltr">\n\n{block}\n\n</div>' if lang == "fa" else block


def inline(text: Inline, lang: str) -> str:
    """Text within a line."""
    return "".join(_span(span, lang) for span in text)


def _span(span: Span, lang: str) -> str:
    match span:
        case Code(text):
            return _isolate(_code(text), lang)
        case Latin(text):
            return _isolate(_escape(text), lang)
        case Strong(text):
            return f"**{_escape(text)}**"
        case _:
            return OWN_SPECIAL.sub(r"\\\1", span)


def _isolate(text: str, lang: str) -> str:
    """Keep left-to-right text whole inside Persian."""
    return f"{ISOLATE_LTR}{text}{END_ISOLATE}" if lang == "fa" else text


def _code(text: str) -> str:
    """A code span, its fence longer than any run of backticks in it."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if text[:1] == "`" or text[-1:] == "`" else ""
    return f"{fence}{pad}{_one_line(text)}{pad}{fence}"


def _escape(text: str) -> str:
    return SPECIAL.sub(r"\\\1", _one_line(text))


def _one_line(text: str) -> str:
    return re.sub(r"\s*[\r\n]+\s*", " ", text)
