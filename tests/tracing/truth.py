"""What is to be found in a program: its comments say it.

`# <- backward div,mul` stands at the line that is to be named, with the phase and the operations that may be
named. `# <- external`: only the phase is checked. A program without such a comment is healthy.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROGRAMS = Path(__file__).parent / "programs"
MARK = re.compile(r"# <- (?P<phase>\w+)(?: (?P<ops>[\w,]+))?\s*$")


@dataclass(frozen=True, slots=True)
class Truth:
    """None for phase: nothing breaks."""

    phase: str | None = None
    ops: tuple[str, ...] = ()
    line: int | None = None


def truth_of(program: Path) -> Truth:
    """Read a program's comments."""
    for number, line in enumerate(program.read_text().splitlines(), start=1):
        if found := MARK.search(line):
            ops = tuple((found["ops"] or "").split(",")) if found["ops"] else ()
            return Truth(found["phase"], ops, number if ops else None)
    return Truth()


def differs(truth: Truth, program: Path, found: Mapping[str, Any]) -> str | None:
    """How an answer differs from the truth; None where it is right."""
    if truth.phase is None:
        return None if found["broke"] is False else f"a healthy program: {_answered(found)}"
    if not found["broke"]:
        return f"nothing found: {found.get('reason')}"
    op = (found["op"] or ".").split(".")[1]
    right = found["phase"] == truth.phase and (not truth.ops or op in truth.ops)
    if truth.line is not None:
        right &= found["line"] == truth.line and Path(found["file"] or "").name == program.name
    return None if right else _answered(found)


def _answered(found: Mapping[str, Any]) -> str:
    keys = ("step", "phase", "op", "line", "seen", "came_in", "reason", "notes")
    return ", ".join(f"{key} {found.get(key)}" for key in keys if found.get(key) is not None)
