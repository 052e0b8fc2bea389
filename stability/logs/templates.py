"""Which lines numbers were taken from: kept to be shown, and to be read again in the same way."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

SHOWN = 3
MOST_TEMPLATES, SHOWN_CHARACTERS = 64, 160


class Taken(NamedTuple):
    """A number as the program names it, as we do, and of which part of the data it is."""

    printed: str
    ours: str
    part: str


Key = tuple[Taken, ...]


@dataclass(slots=True)
class Template:
    """Lines from which the same numbers are taken: how many, and the first of them."""

    count: int = 0
    lines: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Templates:
    """Those of one text, by what is taken from them; `left_out` counts lines of which nothing is."""

    of: dict[Key, Template] = field(default_factory=dict)
    left_out: int = 0

    def note(self, text: str, taken: Key) -> None:
        """One more line."""
        if not taken:
            self.left_out += 1
            return
        if (template := self.of.get(taken)) is None and len(self.of) < MOST_TEMPLATES:
            template = self.of[taken] = Template()
        if template is not None:
            template.count += 1
            if len(template.lines) < SHOWN:
                template.lines.append(text.strip()[:SHOWN_CHARACTERS])
