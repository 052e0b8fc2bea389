"""How many log formats are read right: `python tests/benchmarks/log_formats.py [FOLDER]`.

Every format of tests/logs/formats (or of another folder with such modules) writes two trainings, one healthy and
one lost; both are imported and judged. Prints the counts, and with -v each run that is not right.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType

sys.path.insert(0, str(Path(__file__).parents[1] / "logs"))

from judged import judged  # noqa: E402 - of the tests


def formats(folder: Path) -> ModuleType:
    """The package `formats` in `folder`."""
    spec = importlib.util.spec_from_file_location(
        "formats_here", folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    module = importlib.util.module_from_spec(spec)
    sys.modules["formats_here"] = module
    spec.loader.exec_module(module)
    return module


def main(folder: Path, *, verbose: bool, only: str) -> None:
    package = formats(folder)
    counts: Counter[str] = Counter()
    for name, own in package.FORMATS.items():
        if only not in name:
            continue
        for ends, lr in (("healthy", 1e-4), ("lost", 1e-2)):
            found = judged(own.write(package.training(ends, lr=lr, seed=1)), lr)
            kind = found.kind(ends)
            counts[kind] += 1
            if verbose and kind != "right":
                print(f"{name} {ends}: {kind}: {found.label} {found.evidence[:220]}")
    total = sum(counts.values())
    rest = ", ".join(f"{kind} {count}" for kind, count in sorted(counts.items()) if kind != "right")
    print(f"{counts['right']} of {total} runs right" + (f"; {rest}" if rest else ""))


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument(
        "folder", type=Path, nargs="?", default=Path(__file__).parents[1] / "logs" / "formats"
    )
    arguments.add_argument("-v", "--verbose", action="store_true")
    arguments.add_argument("--only", default="")
    main(**vars(arguments.parse_args()))
