"""Asks a program for its help: it is run with --help, and whatever it starts ends with it."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from stability.commands.init.readers import absl
from stability.commands.init.readers.help_lines import options_in
from stability.logs.lines import Lines
from stability.records import UserError

HELP_S = 120.0
"""How long a program may take to print its help; some import much before."""
LOOK_S = 0.1
BY_HAND = "write the file by hand: docs/command.md"
LOSSES = 2
"""So many lines with a loss, and no option, are a log."""
_LOSS = re.compile(r"(?i)\b\w*loss\w*\W{1,4}[-+]?(?:\d|nan|inf)")


def help_of(command: Sequence[str], flag: str = "--help") -> str:
    """What `command --help` prints. Raises `UserError` when it does not print a help."""
    end = command.index("--") if _ends_options(command) else len(command)
    asked = [*command[:end], flag, *command[end:]]
    shown = " ".join(asked)
    with tempfile.TemporaryDirectory() as folder:
        said, complained = Path(folder) / "stdout", Path(folder) / "stderr"
        try:
            with said.open("wb") as out, complained.open("wb") as err:
                status = _status(asked, out, err, [said, complained])
        except OSError as error:
            raise UserError(f"cannot run {shown!r}: {error.strerror}") from None
        texts = [_text(path) for path in (said, complained)]
    if any(map(_is_log, texts)):
        raise UserError(f"{shown!r} trained instead of printing help; {BY_HAND}")
    if status is None:
        raise UserError(f"{shown!r} printed no help within {HELP_S:g} s; {BY_HAND}")
    is_help = any(options_in(own) or absl.FULL in own for own in texts)  # absl ends a help with status 1
    if status != 0 and not is_help:
        last = (texts[1].strip() or texts[0].strip() or "nothing").splitlines()[-1]
        raise UserError(f"{shown!r} ended with status {status}: {last}")
    return texts[0] if texts[0].strip() else texts[1]


def _ends_options(command: Sequence[str]) -> bool:
    """Whether the program's own options end at `--`, and not those of its launcher."""
    return "--" in command and any(item.endswith(".py") for item in command[: command.index("--")])


def _status(asked: Sequence[str], out: BinaryIO, err: BinaryIO, files: Sequence[Path]) -> int | None:
    """Its exit status; None for one that was ended, since it took too long or trains.

    It leads a session of its own, of which nothing is left behind.
    """
    environment = os.environ | {"COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb", "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        asked, stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=environment, start_new_session=True
    )
    try:
        return _waited_for(process, files)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _waited_for(process: subprocess.Popen[bytes], files: Sequence[Path]) -> int | None:
    deadline_s, looked_at = time.monotonic() + HELP_S, 0
    while time.monotonic() < deadline_s:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.wait(LOOK_S)
        printed = sum(path.stat().st_size for path in files)
        if printed > looked_at and any(_is_log(_text(path)) for path in files):
            return None
        looked_at = printed
    return None


def _text(path: Path) -> str:
    return path.read_bytes().decode("utf-8", errors="replace")


def _is_log(text: str) -> bool:
    lines = (cutter := Lines()).feed(text.encode()) + cutter.end()
    return sum(_LOSS.search(line) is not None for line in lines) >= LOSSES and not options_in(text)
