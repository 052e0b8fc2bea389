"""How fast logs are read, and in how much memory: `python tests/benchmarks/parsers.py`.

Each form is a log of 1,000,000 lines that is written first and then read through `Sources`, as the output
of a program is: lines are cut, cleaned, matched, numbered and put together to steps, for a recorder that
counts them. In `dense` forms every line is a step; `usual` is one in ten, among lines that match nothing,
with colours and progress bars between. Memory is the high-water mark of a fresh process while it reads a log
of 1 GB, less what it was before.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from printed import machine, table

from stability import processes
from stability.logs.sources import Sources
from stability.spec.command import Parse

PATTERN = r"step (?P<step>\d+).*loss=(?P<total>\S+), mel=(?P<mel>\S+), stop=(?P<stop>\S+)"
PIECE_BYTES = 2**18


class Counter:
    """A recorder that keeps nothing."""

    def __init__(self) -> None:
        self.steps = 0

    def step(self, losses, **_) -> None:
        self.steps += 1

    def evaluate(self, losses, epoch) -> None:
        pass


def dense(lines: int) -> Iterator[str]:
    for i in range(lines):
        yield f"step {i}: loss={9.1030 + i % 7:.4f}, mel={0.69 + i % 5:.2f}, stop={7.597 + i % 3:.3f}\n"


def usual(lines: int) -> Iterator[str]:
    for i in range(lines):
        if i % 10 == 0:
            yield f"\x1b[1mstep {i}\x1b[0m: loss={9.1030 + i % 7:.4f}, mel={0.69 + i % 5:.2f}, stop=7.597\n"
        else:
            yield f"\r {i % 100:3d}%|{'#' * (i % 40):40s}| {i}/{lines} [00:{i % 60:02d}<01:02, 21.3it/s]"


def broken(lines: int) -> Iterator[str]:
    for i in range(lines):
        yield f"step {i}: loss=nan, mel=nan, stop={7.597 + i % 3:.3f}\n"


def json_lines(lines: int) -> Iterator[str]:
    for i in range(lines):
        yield (
            json.dumps({"step": i, "total": 9.103, "mel": 0.69 + i % 5, "stop": 7.597, "phase": "train"})
            + "\n"
        )


def table_rows(lines: int) -> Iterator[str]:
    yield "step,total,mel,stop\n"
    for i in range(lines):
        yield f"{i},{9.1030 + i % 7:.4f},{0.69 + i % 5:.2f},{7.597 + i % 3:.3f}\n"


FORMS: dict[str, tuple[str, Callable[[int], Iterator[str]]]] = {
    "text, dense": ("stdout", dense),
    "text, dense, auto": ("auto", dense),
    "text, usual": ("stdout", usual),
    "text, usual, auto": ("auto", usual),
    "text, all NaN": ("stdout", broken),
    "JSON lines": ("jsonl", json_lines),
    "CSV": ("csv", table_rows),
}

GIVEN = {"stdout": {"stdout": [PATTERN]}, "auto": "auto"}
"""How what is printed is read: by an expression, or by its structure."""

LARGE = ["text, usual", "CSV"]
"""The forms of which a log of 1 GB is read, too."""


def read(source: str, path: Path) -> int:
    """The number of steps that were read from the log."""
    given = GIVEN.get(source, {source: "log"})
    counter = Counter()
    sources = Sources(Parse.model_validate(given), {source: path}, counter, ["mel", "stop"])
    if source in GIVEN:
        with path.open("rb") as file:
            while piece := file.read(PIECE_BYTES):
                sources.printed("stdout", piece)
    sources.finish()
    return counter.steps


def lines_a_second(source: str, form: Callable[[int], Iterator[str]], lines: int, repeats: int) -> float:
    """The median over `repeats`."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log"
        with path.open("w", newline="") as file:
            file.writelines(form(lines))
        rates = []
        for _ in range(repeats):
            start_s = time.perf_counter()
            assert read(source, path)
            rates.append(lines / (time.perf_counter() - start_s))
    return statistics.median(rates)


def memory_growth_bytes(source: str, form: Callable[[int], Iterator[str]], size_bytes: int) -> int:
    """How far memory grows while a log of `size_bytes` is read."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log"
        block = "".join(form(10_000))
        with path.open("w", newline="") as file:
            for _ in range(size_bytes // len(block)):
                file.write(block)
        processes.forget_peak_memory()
        before = processes.peak_memory_bytes()
        read(source, path)
        return processes.peak_memory_bytes() - before


def main(lines: int = 1_000_000, repeats: int = 3, size_bytes: int = 10**9) -> None:
    rates = {name: lines_a_second(*form, lines, repeats) for name, form in FORMS.items()}
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), max_tasks_per_child=1) as fresh:
        asked = {name: fresh.submit(memory_growth_bytes, *FORMS[name], size_bytes) for name in LARGE}
        growth = {name: answer.result() for name, answer in asked.items()}
    cells = {
        name: [f"{rate:,.0f}", f"{growth[name] / 2**20:.1f}" if name in growth else ""]
        for name, rate in rates.items()
    }
    print(machine())
    print(table(["Log", "Lines a second", f"MiB more for {size_bytes / 10**9:g} GB"], cells))


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument("--lines", type=int, default=1_000_000)
    arguments.add_argument("--repeats", type=int, default=3)
    arguments.add_argument("--size-bytes", type=int, default=10**9)
    main(**vars(arguments.parse_args()))
