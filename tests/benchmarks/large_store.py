"""How long a person waits for a large store: `python tests/benchmarks/large_store.py --trials N --points N`.

Makes a database such as a long study leaves, then times the real commands in processes of their own, with
their largest memory, and the start of the dashboard. Beside each stands what Optuna itself offers for the
same database, in turns: its trials read with `study.trials`, and `optuna-dashboard`. `--points` is the number
of rows of recorded steps a trial has, five a step.
"""

from __future__ import annotations

import argparse
import contextlib
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import optuna
import printed
from made_store import NAME, fill, study

from stability.store import Store

STABILITY = (sys.executable, "-m", "stability")
TRIALS = """
import optuna, sys
for name in optuna.get_all_study_names(sys.argv[1]):
    len(optuna.load_study(study_name=name, storage=sys.argv[1]).trials)
"""
TABLE = TRIALS.replace("len(", "(").replace(".trials)", ".trials_dataframe())")
Found = defaultdict[str, list[tuple[float, int]]]


def commands(file: Path, folder: Path) -> dict[str, Sequence[str]]:
    """What is timed, by its name in the table."""
    where, out = ("--storage", str(file)), ("--out", str(folder / "reports"))
    report = (*STABILITY, "report", NAME, *where, *out)
    return {
        "stability --help": (*STABILITY, "--help"),
        "stability status": (*STABILITY, "status", NAME, *where),
        "Optuna: study.trials of both stages": (sys.executable, "-c", TRIALS, f"sqlite:///{file}"),
        "stability report": report,
        "stability report, html, Persian": (*report, "--format", "html", "--lang", "fa"),
        "stability report, json": (*report, "--format", "json"),
        "Optuna: trials_dataframe of both stages": (sys.executable, "-c", TABLE, f"sqlite:///{file}"),
        "stability show": (*STABILITY, "show", NAME, "basic/seed-3", *where),
    }


def timed(command: Sequence[str]) -> tuple[float, int]:
    """Wall seconds and the largest resident bytes of a command."""
    start_s, size = time.perf_counter(), 0
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            size = max(size, _peak_bytes(process.pid))
            time.sleep(0.01)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    return time.perf_counter() - start_s, size


def served(command: Sequence[str], pages: Sequence[str]) -> Iterator[tuple[str, float, int]]:
    """Start a dashboard, then load pages: its name, wall seconds, bytes of memory by then."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    start_s = time.perf_counter()
    with subprocess.Popen(
        [*command, "--port", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            while not _answers(port):
                if process.poll() is not None:
                    raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
                time.sleep(0.02)
            yield "start", time.perf_counter() - start_s, _peak_bytes(process.pid)
            for page in pages:
                start_s = time.perf_counter()
                with urllib.request.urlopen(f"http://127.0.0.1:{port}{page}", timeout=600) as answer:
                    answer.read()
                yield f"GET {page}", time.perf_counter() - start_s, _peak_bytes(process.pid)
        finally:
            process.kill()


def _peak_bytes(pid: int) -> int:
    """What the system says of a process since it runs its own program; 0 once it has ended."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), 0)


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/dashboard/", timeout=600):
            return True
    except urllib.error.URLError:
        return False


def measure(file: Path, folder: Path, rounds: int, pages: Sequence[str]) -> Found:
    """Seconds and bytes of everything, each once a round."""
    found: Found = defaultdict(list)
    ours = (*STABILITY, "dashboard", "--storage", str(file))
    theirs = (str(Path(sys.executable).with_name("optuna-dashboard")), f"sqlite:///{file}")
    for _, seconds, size in served(ours, ()):
        found["stability dashboard, first start: writes the notes"].append((seconds, size))
    for i in range(rounds):
        for name, command in commands(file, folder).items():
            found[name].append(timed(command))
        for name, command in (("stability dashboard", ours), ("optuna-dashboard", theirs)):
            for what, seconds, size in served(command, pages):
                found[f"{name}, {what}"].append((seconds, size))
        print(f"round {i + 1} of {rounds} done", file=sys.stderr, flush=True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=10_000)
    parser.add_argument("--points", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--pages", nargs="*", default=["/api/studies", "/api/studies/1"], help="to load")
    parser.add_argument("--folder", type=Path, help="where the store is kept, or found if it is there")
    given = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    print(printed.machine("optuna", "optuna-dashboard", "pandas"))
    with contextlib.ExitStack() as stack:
        folder = given.folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        file = folder / "s.db"
        if not file.exists():
            store = Store(str(file))
            fill(store, study(folder, given.trials), given.points, folder)
            store.close()
        print(f"{given.trials} trials of {given.points} points, {file.stat().st_size / 1e6:.0f} MB\n")
        found = measure(file, folder, given.rounds, given.pages)
    rows = {
        name: (
            str(len(own)),
            printed.spread([seconds for seconds, _ in own]),
            f"{max(size for _, size in own) / 1e6:.0f}",
        )
        for name, own in found.items()
    }
    print(printed.table(("", "n", "wall, s: median (least to most)", "largest memory, MB"), rows))


if __name__ == "__main__":
    main()
