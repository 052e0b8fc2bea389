"""Scores `stability.trace` against what a user has today, on all planted faults, in one run.

    python tests/faults/score.py [--format table|json|md] [--device cpu]

A fault is exact for the tracer if phase, op and line are; the batch element is counted separately, over the
faults that have one. How the rivals are judged stands in `rivals.py`, what is expected in `planted.py`.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import time
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial

import torch
from answers import PLACE, mistakes
from catalogue import FAULTS, HEALTHY
from planted import Fault, Healthy, TrainingStep, planted
from rivals import by_anomaly, by_hooks

from stability.numerics.trace import trace

TOOLS = ("trace", "detect_anomaly", "hooks")
KINDS = ("exact", "line", "module", "wrong", "silent")
TIMED = 5


@dataclass(frozen=True, slots=True)
class Row:
    """One fault: what is expected, how each tool is judged; `misses` says what the tracer had wrong."""

    fault: str
    expected: str
    trace: str
    detect_anomaly: str
    hooks: str
    element: str
    misses: str


@dataclass(frozen=True, slots=True)
class Score:
    """All rows, the look-alikes that each tool reported, and how many plain steps a traced one takes (median)."""

    device: str
    torch: str
    rows: tuple[Row, ...]
    healthy: int
    false_alarms: dict[str, tuple[str, ...]]
    slowdown: float

    def count(self, tool: str, judgement: str) -> int:
        return sum(getattr(row, tool) == judgement for row in self.rows)

    def elements(self) -> tuple[int, int]:
        """How many batch elements the tracer named rightly, of how many."""
        named = [row.element for row in self.rows if row.element]
        return named.count("right"), len(named)


def score(device: str) -> Score:
    """Run every tool on every case; steps are built anew for each, as each changes its model."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rows = tuple(_row(fault, device) for fault in FAULTS if device == "cpu" or fault.on_cuda)
        healthy = [case for case in HEALTHY if device == "cpu" or case.on_cuda]
        alarms = {tool: _alarms(run, healthy, device) for tool, run in _tools().items()}
        slowdown = statistics.median(_slowdown(case, device) for case in healthy)
    where = (
        torch.cuda.get_device_name()
        if device.startswith("cuda")
        else platform.processor() or platform.machine()
    )
    return Score(where, torch.__version__, rows, len(healthy), alarms, slowdown)


def _tools() -> dict[str, Callable[[TrainingStep], object]]:
    return dict(zip(TOOLS, (trace, by_anomaly, by_hooks), strict=True))


def _row(fault: Fault, device: str) -> Row:
    found = trace(planted(fault, device))
    wrong = mistakes(fault, found, device)
    anomaly, hooked = by_anomaly(planted(fault, device)), by_hooks(planted(fault, device))
    lines = "/".join(str(line) for line in fault.lines)
    return Row(
        fault=fault.name,
        expected=f"{fault.phase} {fault.op_on(device)} {fault.file.name}:{lines}",
        trace="silent" if found is None else "wrong" if set(wrong) & set(PLACE) else "exact",
        detect_anomaly=anomaly.judge(fault) if anomaly else "silent",
        hooks=hooked.judge(fault) if hooked else "silent",
        element=_element(fault, wrong, found is not None),
        misses="; ".join(f"{name}: {got} for {expected}" for name, (expected, got) in wrong.items()),
    )


def _element(fault: Fault, wrong: dict, reported: bool) -> str:
    if fault.batch_index is None:
        return ""
    return "right" if reported and "batch_index" not in wrong else "wrong"


def _alarms(run: Callable[[TrainingStep], object], cases: list[Healthy], device: str) -> tuple[str, ...]:
    return tuple(case.name for case in cases if run(planted(case, device)) is not None)


def _slowdown(case: Healthy, device: str) -> float:
    """The best time of a traced step over that of a plain one."""
    plain = min(_seconds(planted(case, device)) for _ in range(TIMED))
    traced = min(_seconds(partial(trace, planted(case, device))) for _ in range(TIMED))
    return traced / plain


def _seconds(run: Callable[[], object]) -> float:
    begun = time.perf_counter()
    run()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - begun


def as_json(found: Score) -> str:
    right, of = found.elements()
    return json.dumps({**asdict(found), "elements_right": right, "elements": of}, indent=2)


def as_table(found: Score) -> str:
    """Aligned columns, then the totals."""
    head, *body = _cells(found)
    return "\n".join(["  ".join(row).rstrip() for row in (head, *body)] + ["", *_totals(found)])


def as_markdown(found: Score) -> str:
    """A Markdown table, then the totals."""
    head, *body = _cells(found)
    rule = tuple("-" * len(cell) for cell in head)
    return "\n".join([f"| {' | '.join(row)} |" for row in (head, rule, *body)] + ["", *_totals(found)])


def _cells(found: Score) -> list[tuple[str, ...]]:
    """Header and rows, padded to the width of their columns."""
    rows = [("fault", "expected", *TOOLS, "element")]
    rows += [(r.fault, r.expected, r.trace, r.detect_anomaly, r.hooks, r.element) for r in found.rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [tuple(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]


def _totals(found: Score) -> list[str]:
    right, of = found.elements()
    lines = [_total(found, tool) for tool in TOOLS]
    lines.append(
        f"trace names {right} of {of} batch elements; a traced step takes {found.slowdown:.0f}x a plain one"
    )
    lines.append(f"torch {found.torch} on {found.device}")
    misses = [f"{row.fault}: {row.misses}" for row in found.rows if row.misses]
    misses += [f"{name}: healthy, and reported" for name in found.false_alarms["trace"]]
    return lines + (["", "What trace has wrong:", *misses] if misses else [])


def _total(found: Score, tool: str) -> str:
    counts = {kind: found.count(tool, kind) for kind in KINDS}
    said = ", ".join(f"{count} {kind}" for kind, count in counts.items() if count)
    alarms = f"{len(found.false_alarms[tool])} of {found.healthy} look-alikes reported"
    return f"{tool}: {said} of {len(found.rows)} faults; {alarms}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--format", choices=("table", "json", "md"), default="table")
    parser.add_argument("--device", default="cpu")
    given = parser.parse_args()
    found = score(given.device)
    print({"json": as_json, "table": as_table, "md": as_markdown}[given.format](found))


if __name__ == "__main__":
    main()
