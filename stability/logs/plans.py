"""Lines of a known template, read by one expression that was made of the first of them.

A line whose letters are those of the template is matched whole; one that does not match is read as any other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import NamedTuple

from stability.logs.fields import Field, Line
from stability.logs.observation import PLACES, Observation

MOST_PLANS = 4096
LONGEST_LINE = 2000
_DROPPED = "0123456789.,+- \t#█▉▊▋▌▍▎▏━╸╺─>"
_WITHOUT = str.maketrans("", "", _DROPPED)
_NUMBER = r"[-+]?\d[\d.]*(?:[eE][-+]?\d+)?"
_RUNS = re.compile(
    r"(?P<digits>\d+)|(?P<blank>[ \t]+)|(?P<bar>[#█▉▊▋▌▍▎▏━╸╺─>]+)|(?P<point>[.,+-])"
    r"|(?P<text>[^\d \t#█▉▊▋▌▍▎▏━╸╺─>.,+-]+)"
)
_AS = {"digits": r"\d+", "blank": r"[ \t]*", "bar": r"[#█▉▊▋▌▍▎▏━╸╺─>]*"}


class Wanted(NamedTuple):
    """A field that is recorded: `ours`, of which part of the data."""

    own: Field
    ours: str
    part: str


@dataclass(slots=True)
class Plan:
    """How lines of one shape are read; `names` are ours, of the groups of the expression in their order.

    Without an expression there is nothing in such lines.
    """

    line: re.Pattern[str] | None
    all_lines: re.Pattern[str] | None
    names: tuple[str, ...] = ()
    is_evaluation: bool = False
    template: object = None
    values: tuple[str, ...] = ()
    """The names of what is no place."""
    pick: Callable[[Sequence[str]], Sequence[str]] = tuple
    """Their texts, of those of a line."""
    step: int | None = None
    epoch: int | None = None

    def __post_init__(self) -> None:
        places = [i for i, name in enumerate(self.names) if name not in PLACES]
        self.values = tuple(self.names[i] for i in places)
        if len(places) < len(self.names):
            self.pick = itemgetter(*places) if len(places) > 1 else lambda texts: [texts[i] for i in places]
        self.step = self.names.index("step") if "step" in self.names else None
        self.epoch = self.names.index("epoch") if "epoch" in self.names else None

    def observation(self, texts: Sequence[str]) -> Observation:
        """What the texts of a line's groups say."""
        step = None if self.step is None else int(float(texts[self.step]))
        epoch = None if self.epoch is None else float(texts[self.epoch])
        values = dict(zip(self.values, map(float, self.pick(texts)), strict=True))
        return Observation(values, step, epoch, self.is_evaluation)


NOTHING = Plan(None, None)


def shape(text: str) -> str:
    """What lines of one template share: their letters and signs."""
    return text.translate(_WITHOUT)


def planned(line: Line, wanted: Sequence[Wanted], template: object) -> Plan | None:
    """The plan for lines like this one; None where one has both a step and an evaluation, or odd numbers."""
    if len({one.part for one in wanted if one.part}) > 1 or len(line.text) > LONGEST_LINE:
        return None
    if len({one.ours for one in wanted}) < len(wanted) or not all(_is_plain(one.own, line) for one in wanted):
        return None
    groups = {one.own.start: one for one in wanted}
    expression, at = "", 0
    for own in line.fields:
        if own.start < at or own.end <= own.start:
            return None
        expression += _literal(line.text[at : own.start])
        number = _NUMBER if _is_plain(own, line) else r"[-+\d.,eE]+"
        expression += f"({number})" if own.start in groups else number
        at = own.end
    expression += _literal(line.text[at:])
    names = tuple(groups[start].ours for start in sorted(groups))
    evaluates = any(one.part == "evaluate" for one in wanted)
    return Plan(
        re.compile(expression), re.compile(f"^{expression}$", re.MULTILINE), names, evaluates, template
    )


def _is_plain(own: Field, line: Line) -> bool:
    return re.fullmatch(_NUMBER, line.text[own.start : own.end]) is not None


def _literal(text: str) -> str:
    return "".join(_AS.get(run.lastgroup) or re.escape(run.group()) for run in _RUNS.finditer(text))
