"""How much of a difference in printed totals is a change of what is printed: the twin's key, its section."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from stability.evidence.comparability import Reason
from stability.evidence.yardstick_change import Part, yardstick_change
from stability.report.blocks import Block, Code, Heading, Inline, Paragraph, Table
from stability.report.words import Words

Twin = dict[str, Any]
PARTS = ("untold", "by_weights", "by_losses", "rest")


def change_part(spec: Any, compared: pd.DataFrame, epochs: pd.DataFrame, steps: pd.DataFrame) -> Twin | None:
    """The twin's `yardstick_change`; None where no pair of totals can be set side by side."""
    if spec.compare is None or compared.empty:
        return None
    found = yardstick_change(compared, epochs, steps, (spec.compare.baseline, spec.compare.treatment))
    if found is None:
        return None
    return {
        "n": found.n,
        "dropped": found.dropped,
        **{name: _part(getattr(found, name)) for name in ("difference", *PARTS)},
        "components": found.components,
    }


def change_section(twin: Twin, words: Words) -> Iterator[Block]:
    """The difference of printed totals, taken apart; nothing where both arms print the same total."""
    found = twin["yardstick_change"]
    if not found or all(not found[name]["mean"] for name in ("untold", "by_weights")):
        return
    sides = {role: Code(twin["comparison"][role]) for role in ("baseline", "treatment")}
    yield Heading(3, words.say("h_change"))
    difference = _shown(found["difference"], words)
    yield Paragraph(words.say("change_means", **sides, difference=difference, n=found["n"]))
    rows = [
        (words.say(f"change_{name}", names=_names(found, name, words)), _shown(found[name], words))
        for name in PARTS
    ]
    yield Table((words.say("col_change_part"), words.say("col_change_size")), tuple(rows))


def _part(part: Part) -> Twin:
    return {"mean": part.mean, "ci": part.ci}


def _shown(part: Twin, words: Words) -> Inline:
    write = words.numbers.significant
    if part["ci"] is None:
        return words.say("factor_bare", factor=write(part["mean"], 3))
    ends = words.numbers.interval(*(write(end, 3) for end in part["ci"]))
    return words.say("factor_cell", factor=write(part["mean"], 3), interval=ends)


def _names(found: Twin, name: str, words: Words) -> Inline:
    """The components that a part is about."""
    alike = name != "untold"
    own = [c["component"] for c in found["components"] if (c["reason"] == Reason.SAME) is alike]
    return words.listed([(Code(each),) for each in own]) if own else words.say("na")
