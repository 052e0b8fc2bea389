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

    def trace(self, program: Path, *arguments: str, **options: Any) -> dict[str, Any]:
        """What `stability trace` answers, with `status` and `printed` of the program."""
        self._count += 1
        folder = self._folder / str(self._count)
        folder.mkdir()
        (folder / "options.json").write_text(json.dumps(options))
        self._process.stdin.write(json.dumps([str(program), list(arguments), str(folder)]) + "\n")
        self._process.stdin.flush()
        status = int(self._process.stdout.readline())
        printed = (folder / "printed").read_text()
        return answer(folder, [str(program)]) | {"status": status, "printed": printed}

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
        program, arguments, folder = json.loads(line)
        pid = os.fork()
        if pid == 0:
            run(program, arguments, folder)
        _, status = os.waitpid(pid, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def run(program: str, arguments: list[str], folder: str) -> None:
    """Become the program."""
    printed = os.open(Path(folder, "printed"), os.O_WRONLY | os.O_CREAT)
    for number in (1, 2):
        os.dup2(printed, number)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    raise Become(program, arguments, folder)


class Become(BaseException):
    """Leaves the loop of the server, so that the program ends as the main program of its process does."""

    def __init__(self, program: str, arguments: list[str], folder: str) -> None:
        super().__init__(program)
        self.program, self.arguments, self.folder = program, arguments, folder


if __name__ == "__main__":
    import runpy

    try:
        serve()
    except Become as become:
        from stability.observing.observer import begin

        sys.argv = [become.program, *become.arguments]
        sys.path.insert(0, str(Path(become.program).parent))
        begin(become.folder)
        runpy.run_path(become.program, run_name="__main__")
