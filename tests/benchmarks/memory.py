"""Whether a long study takes ever more memory: `python tests/benchmarks/memory.py`.

Runs trials that only record a few numbers in two processes that serve trial after trial, as on a GPU, and looks
at the driver (this process), the server they are forked from, and those two; with `--fresh`, every trial has a
process of its own, as on the CPU, and there are only the driver and the server to look at. RSS is resident memory, USS the
part that no other process shares. The growth is the slope of a straight line through what was seen after
warm-up, in MB per 100 trials.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections import defaultdict
from pathlib import Path

import noop
import optuna
import printed
import psutil

MB = 1e6
Seen = defaultdict[str, list[tuple[int, float, float]]]
"""Process -> trials done, RSS and USS in MB."""


class Memory(noop.Watch):
    """Looks at the memory of all processes every so many trials."""

    def __init__(self, every: int) -> None:
        super().__init__()
        self._every, self._driver = every, psutil.Process()
        self.seen: Seen = defaultdict(list)

    def finished(self, trial) -> None:
        super().finished(trial)
        if self.done % self._every == 0:
            self._look("driver", self._driver)
            for server in self._driver.children():
                if "forkserver" in " ".join(server.cmdline()):  # the other child only waits to clean up
                    self._look("server", server)
                    for worker in server.children():
                        self._look(f"worker {worker.pid}", worker)

    def _look(self, name: str, process: psutil.Process) -> None:
        try:
            found = process.memory_full_info()
        except (psutil.NoSuchProcess, psutil.ZombieProcess):  # its trial has ended meanwhile
            return
        self.seen[name].append((self.done, found.rss / MB, found.uss / MB))


def growth(trials: list[int], sizes_mb: list[float]) -> float:
    """MB per 100 trials."""
    return 100 * statistics.linear_regression(trials, sizes_mb).slope


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=2000)
    parser.add_argument("--every", type=int, default=20, help="trials between two looks")
    parser.add_argument("--warm-up", type=int, default=400, help="trials before the line begins")
    parser.add_argument("--fresh", action="store_true", help="a process a trial")
    given = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    print(printed.machine("optuna", "torch", "psutil"))
    watch = Memory(given.every)
    with tempfile.TemporaryDirectory() as name:
        noop.run(Path(name) / "study", given.trials, watch, persistent=not given.fresh)
    rows = {}
    for name, looks in watch.seen.items():
        kept = [look for look in looks if look[0] > given.warm_up]
        if len(kept) < 2:  # a process that ended early: there is no line through one point
            continue
        done, rss, uss = (list(column) for column in zip(*kept, strict=True))
        cells = [f"{own[0]:.1f} -> {own[-1]:.1f}" for own in (rss, uss)]
        slopes = [f"{growth(done, own):+.3f}" for own in (rss, uss)]
        rows[name.split()[0] + f" {len(rows) - 1}" * name.startswith("worker")] = [
            str(len(kept)),
            *cells,
            *slopes,
        ]
    print(f"{given.trials} trials, the first {given.warm_up} left out\n")
    heads = ("process", "n", "RSS, MB", "USS, MB", "RSS, MB per 100 trials", "USS, MB per 100 trials")
    print(printed.table(heads, rows))


if __name__ == "__main__":
    main()
