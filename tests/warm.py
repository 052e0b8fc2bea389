"""Runs programs as `stability trace` does, each in a process of its own, but imports torch once for all of them.

As a script it is the process that has torch: it forks, begins to observe, and runs the program as `__main__`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

if __name__ != "__main__":
    from stability.commands.trace.answer import answer


class Warm:
    """A process that has torch, and runs programs."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._count = folder, 0
        self._process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
        )  # fmt: skip

    def trace(self, program: Path, **options: Any) -> dict[str, Any]:
        """What `stability trace` answers, with `status`, `printed` and `folder` of the program."""
        folder = self._new_folder()
        (folder / "options.json").write_text(json.dumps(options))
        status, printed = self._run(program, folder, observed=True)
        return answer(folder, [str(program)]) | {"status": status, "printed": printed, "folder": folder}

    def run(self, program: Path) -> tuple[int, str]:
        """Exit status and output of a program that nobody observes."""
        return self._run(program, self._new_folder(), observed=False)

    def _new_folder(self) -> Path:
        self._count += 1
        folder = self._folder / str(self._count)
        folder.mkdir()
        return folder

    def _run(self, program: Path, folder: Path, *, observed: bool) -> tuple[int, str]:
        self._process.stdin.write(json.dumps([str(program), observed, str(folder)]) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline()), (folder / "printed").read_text()

    def close(self) -> None:
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


def serve() -> None:
    import torch
    import torch._dynamo
    import torch.utils.checkpoint  # noqa: F401

    import stability.observing.observer
    import stability.observing.search  # noqa: F401

    torch.set_num_threads(1)
    for line in sys.stdin:
        program, observed, folder = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _redirect(Path(folder))
            raise Become(program, folder if observed else None)
        _, status = os.waitpid(pid, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _redirect(folder: Path) -> None:
    printed = os.open(folder / "printed", os.O_WRONLY | os.O_CREAT)
    for number in (1, 2):
        os.dup2(printed, number)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)


class Become(BaseException):
    """Leaves the loop of the server, so that the program ends as the main program of its process does."""

    def __init__(self, program: str, folder: str | None) -> None:
        super().__init__(program)
        self.program, self.folder = program, folder


if __name__ == "__main__":
    import runpy

    try:
        serve()
    except Become as become:
        program, folder = become.program, become.folder
    else:
        sys.exit()
    sys.argv = [program]
    sys.path[0] = str(Path(program).parent)
    if folder is not None:
        from stability.observing.observer import begin

        begin(folder)
    runpy.run_path(program, run_name="__main__")
