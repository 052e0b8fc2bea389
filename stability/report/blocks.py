"""What a report is made of: blocks and the spans of text in them. Knows no format and no language."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Code:
    """A name or value exactly as a file or a command line holds it; always left to right."""

    text: str


@dataclass(frozen=True, slots=True)
class Latin:
    """Prose that stays in Latin script inside any language, such as an error message."""

    text: str


@dataclass(frozen=True, slots=True)
class Strong:
    """Emphasised text."""

    text: str


Span = str | Code | Latin | Strong
Inline = tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Heading:
    level: int
    text: Inline


@dataclass(frozen=True, slots=True)
class Paragraph:
    text: Inline


@dataclass(frozen=True, slots=True)
class Bullets:
    items: tuple[Inline, ...]


@dataclass(frozen=True, slots=True)
class Table:
    header: tuple[Inline, ...]
    rows: tuple[tuple[Inline, ...], ...]


@dataclass(frozen=True, slots=True)
class LongTable:
    """Many short rows of plain text, which a reader may want to sort.

    A format without sorting shows the first `most` rows and then `left_out`, which counts the others.
    """

    header: tuple[Inline, ...]
    rows: tuple[tuple[str, ...], ...]
    most: int
    left_out: Inline


@dataclass(frozen=True, slots=True)
class Figure:
    """A drawing that `figures` makes under this name; the title is its finding."""

    name: str
    title: Inline


@dataclass(frozen=True, slots=True)
class CodeBlock:
    text: str
    language: str = "sh"


@dataclass(frozen=True, slots=True)
class Details:
    """Blocks that are folded away under their summary, where the format can."""

    summary: Inline
    blocks: tuple[Block, ...]


Block = Heading | Paragraph | Bullets | Table | LongTable | Figure | CodeBlock | Details


def plain(text: Inline) -> str:
    """The text without its mark-up."""
    return "".join(span if isinstance(span, str) else span.text for span in text)
