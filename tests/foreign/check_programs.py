"""Whether each foreign program does at its three rates what its case says: `python tests/foreign/check_programs.py`.

Started directly, a program has to end well with finite numbers at `sane` and `too_high`, and to show a number that is
not finite at `nan`. Prints a line for each; exit status 1 where one does not. Names of programs run these alone.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from foreign_cases import CASES, Case, prepare  # noqa: E402 - beside this file
from foreign_runs import RATES, missing  # noqa: E402

NON_FINITE = re.compile(r"\b(nan|inf|infinity)\b", re.IGNORECASE)


def started(case: Case, rate: str) -> tuple[int, str]:
    """The exit status, and all that the program said."""
    with tempfile.TemporaryDirectory() as folder:
        command = (sys.executable, *prepare(case, Path(folder), getattr(case, rate)))
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def main(names: list[str]) -> int:
    wrong = 0
    print(f"{'program':<20} {'rate':<9} {'status':>6} {'non-finite':<10} {'seconds':>7} as its case says")
    for case in (case for case in CASES if not names or case.name in names):
        if modules := missing(case):
            print(f"{case.name:<20} needs {', '.join(modules)}")
            continue
        for rate in RATES:
            start_s = time.monotonic()
            status, said = started(case, rate)
            shows = NON_FINITE.search(said) is not None
            is_right = shows if rate == "nan" else status == 0 and not shows
            wrong += not is_right
            took_s = time.monotonic() - start_s
            words = ("yes" if shows else "no"), ("yes" if is_right else "NO")
            print(
                f"{case.name:<20} {rate:<9} {status:>6} {words[0]:<10} {took_s:>7.1f} {words[1]}", flush=True
            )
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
