"""What commands take that answer at once: `python tests/benchmarks/light_commands.py [--rounds 5]`.

CPU-seconds of a whole process each, against one that imports the libraries which these commands use.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import optuna
from made_store import fill, study
from printed import machine, spread, table

from stability.store import Store

RUN = "import sys; from stability.cli import main; sys.argv[0] = 'stability'; main()"
LIBRARIES = "import sqlalchemy, typer, pydantic, yaml, rich.table"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    print(machine())
    with tempfile.TemporaryDirectory() as folder:
        database = str(Path(folder) / "s.db")
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        fill(Store(database), study(Path(folder), 10), 20, Path(folder))
        commands = {
            "the libraries alone": (LIBRARIES,),
            "stability --help": (RUN, "--help"),
            "stability status": (RUN, "status", "--storage", database),
        }
        rows = {name: [spread([_cpu_s(*given) for _ in range(rounds)])] for name, given in commands.items()}
    print(table(["process", "CPU-s"], rows))


def _cpu_s(code: str, *arguments: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
