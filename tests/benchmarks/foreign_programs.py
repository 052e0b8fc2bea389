"""How many foreign programs `init` and `run` judge rightly: `python tests/benchmarks/foreign_programs.py [NAME...]`.

Every program of tests/foreign at its three learning rates, without an edit. Prints for each the verdicts, whether
they are right, the seconds, what `init` read, and what it could not do. `--rates` and names run some alone;
`--keep FOLDER` leaves the study files there.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

TESTS = Path(__file__).parents[1]
sys.path[:0] = [str(TESTS), str(TESTS / "foreign")]

from foreign_cases import CASES  # noqa: E402 - of the tests
from foreign_runs import RATES, Seen, missing, seen  # noqa: E402


def shown(found: Seen) -> list[str]:
    """What `init` said, but for its last two lines."""
    read = [line.strip() for line in found.said[:-2] if not line.startswith(("not done", "what was read"))]
    return [
        *(f"    {line}" for line in read),
        *(f"    needed: {line}" for line in found.not_done or ["nothing"]),
    ]


def main(names: list[str], rates: list[str], keep: Path | None) -> int:
    right = total = 0
    with ExitStack() as stack:
        root = keep or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for case in (case for case in CASES if not names or case.name in names):
            if modules := missing(case):
                print(f"{case.name}: not run, it needs {', '.join(modules)}")
                continue
            for rate in rates:
                found = seen(case, rate, root / f"{case.name}-{rate}")
                right, total = right + found.is_right(case, rate), total + 1
                mark = "right" if found.is_right(case, rate) else "WRONG"
                print(f"{case.name} {rate}: {mark}: {' '.join(found.verdicts)}, {found.wall_s:.0f} s")
                print("\n".join(shown(found)), flush=True)
    print(f"{right} of {total} right")
    return int(right < total)


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument("names", nargs="*", metavar="NAME")
    arguments.add_argument("--rates", nargs="+", choices=RATES, default=list(RATES))
    arguments.add_argument("--keep", type=Path)
    sys.exit(main(**vars(arguments.parse_args())))
