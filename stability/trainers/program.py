"""A running program: what it prints, its end, and its last words. Knows nothing of trials or numbers.

It stays in the process group of whoever started it, so what kills the trial's group ends the program too.
"""

from __future__ import annotations

import contextlib
import os
import re
import selectors
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from stability import processes

LOOK_S = 0.2
"""After so long without output there is time for other things."""
GRACE_S = 5.0
"""How long a program that was asked to end may take."""
PIECE_BYTES = 2**18
_EXCEPTION = re.compile(r"[A-Za-z_][\w.]*(Error|Exception|Interrupt)\b")
_KEPT_BYTES = 8192
_SHOWN_LINES, _SHOWN_CHARACTERS = 4, 600


class Program:
    """Started at once; `log` takes every byte it prints. Use it in a `with`: it does not outlive that."""

    def __init__(self, argv: Sequence[str], cwd: Path, env: Mapping[str, str], log: BinaryIO) -> None:
        """Raises `OSError` for a program that cannot be started."""
        self._log = log
        self._ends: dict[str, bytes] = {"stdout": b"", "stderr": b""}
        self._process = subprocess.Popen(
            list(argv),
            cwd=cwd,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
        )
        self._selector = selectors.DefaultSelector()
        for name in self._ends:
            pipe = getattr(self._process, name)
            os.set_blocking(pipe.fileno(), False)
            self._selector.register(pipe, selectors.EVENT_READ, name)

    def __enter__(self) -> Program:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()
        self._selector.close()
        self._process.stdout.close()
        self._process.stderr.close()

    @property
    def status(self) -> int | None:
        """Its exit status, negative for a signal; None while it runs."""
        return self._process.poll()

    def output(self, until_s: float | None = None) -> Iterator[tuple[str, bytes]]:
        """("stdout" or "stderr", bytes) as they come until it has ended; no bytes after `LOOK_S` without.

        What processes that it leaves behind print later is not waited for. `until_s`: at most so long.
        """
        deadline_s = None if until_s is None else time.monotonic() + until_s
        while deadline_s is None or time.monotonic() < deadline_s:
            ended = self.status is not None  # before reading: all that it printed can be read then
            pieces = list(self._pieces(0.0 if ended else LOOK_S))
            yield from pieces
            if not pieces:
                if ended:
                    return
                if not self._selector.get_map():  # it closed both: it is ending, or goes on in silence
                    with contextlib.suppress(subprocess.TimeoutExpired):
                        self._process.wait(LOOK_S)
                yield "stdout", b""

    def end(self) -> None:
        """End it and what it started: asked first, made to after `GRACE_S`. What it prints is kept."""
        if self.status is not None:
            return
        started = self._descendants()
        self._process.terminate()
        self._drain(GRACE_S)
        if self.status is None:
            started |= self._descendants()
            self._process.kill()
            self._process.wait()
        for identity in started:
            if processes.is_alive(identity):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(identity.split()[1]), signal.SIGKILL)
        self._drain(LOOK_S)

    def _descendants(self) -> set[str]:
        found = {processes.identity(pid) for pid in processes.descendants(self._process.pid)}
        return {identity for identity in found if identity is not None}

    def wait(self, most_s: float) -> None:
        """Let it come to its end by itself, for a while."""
        self._drain(most_s)

    @property
    def ended_in_words(self) -> str:
        """`exit status 1: ` and an exception it printed last; else the last lines on stderr, or stdout."""
        status = self.status
        how = f"exit status {status}" if status >= 0 else f"ended by {_signal_name(-status)}"
        said = self._last_lines("stderr") or self._last_lines("stdout")
        raised = exception_in(self.last_line)
        said = raised if raised and ":" in raised else said  # without a message its lines say what it was
        return f"{how}: {said}" if said else how

    @property
    def last_line(self) -> str:
        """Of stderr: where Python and others name what went wrong; empty without any."""
        return self._last_lines("stderr").rpartition(" | ")[2]

    def _last_lines(self, name: str) -> str:
        text = self._ends[name].decode("utf-8", errors="replace").replace("\0", "").replace("\r", "\n")
        lines = [line.strip() for line in text.split("\n") if line.strip(" ^~")]  # Python underlines code
        return " | ".join(lines[-_SHOWN_LINES:])[-_SHOWN_CHARACTERS:]

    def _drain(self, most_s: float) -> None:
        for _ in self.output(most_s):
            pass

    def _pieces(self, wait_s: float) -> Iterator[tuple[str, bytes]]:
        for key, _ in self._selector.select(wait_s) if self._selector.get_map() else ():
            piece = os.read(key.fd, PIECE_BYTES)
            if piece:
                self._log.write(piece)
                self._log.flush()
                self._ends[key.data] = (self._ends[key.data] + piece[-_KEPT_BYTES:])[-_KEPT_BYTES:]
                yield key.data, piece
            else:
                self._selector.unregister(key.fileobj)


def exception_in(text: str) -> str | None:
    """The exception that a program ended with, if the last line of what it printed names one."""
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    return lines[-1] if lines and _EXCEPTION.match(lines[-1]) else None


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal
        return f"signal {number}"
