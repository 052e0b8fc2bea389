"""Forked copies of the process that sleep until they are woken, and go on from where it was then.

Linux only. A copy shares no file, pipe or socket with the program: what it reads or writes is its own.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import select
import signal
import stat
import sys
import time
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LOOK_S = 2.0
"""How often a sleeping copy looks whether its program still runs."""
END = b"\n"
SHARED_WITHOUT_HARM = ("/dev/shm/sem.", "/dev/zero", "/dev/nvidia", "anon_inode", "/SYSV", "/memfd:")


@dataclass(slots=True)
class Sleeper:
    """A sleeping copy of this process."""

    pid: int
    step: int
    _wake: int

    def let_end(self) -> None:
        """It is not needed any more, and will end by itself once no process can wake it."""
        self._close()

    def has_ended(self) -> bool:
        """Whether it is gone."""
        try:
            return os.waitpid(self.pid, os.WNOHANG)[0] != 0
        except ChildProcessError:  # somebody else has waited for it
            return True

    def kill(self) -> None:
        """End it now."""
        self._close()
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, 0)

    def wake(self, order: Mapping[str, Any], limit_s: float) -> bool:
        """Wake it with an order and wait for its end; False if it had to be killed after `limit_s`."""
        with contextlib.suppress(OSError):
            os.write(self._wake, json.dumps(order).encode() + END)
        self._close()
        deadline_s = time.monotonic() + limit_s
        try:
            while time.monotonic() < deadline_s:
                if self.has_ended():
                    return True
                time.sleep(0.005)
        except BaseException:  # Ctrl-C reaches the program, which is waiting here
            self.kill()
            raise
        self.kill()
        return False

    def _close(self) -> None:
        if self._wake >= 0:
            with contextlib.suppress(OSError):
                os.close(self._wake)
            self._wake = -1


def obstacle() -> str | None:
    """Why this process cannot be copied now; None if it can."""
    if not sys.platform.startswith("linux"):
        return f"processes are copied on Linux only, not on {sys.platform}"
    started = sys.modules.get("multiprocessing.process")
    if started is not None and any(child.exitcode is None for child in started._children):
        return "worker processes run beside it"
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/maps").read_text().splitlines():
            fields = line.split(maxsplit=5)
            if fields[1] == "rw-s" and not fields[-1].startswith(SHARED_WITHOUT_HARM):
                return f"it shares memory: {fields[-1]}"
    return None


def copy(step: int, others: Iterable[Sleeper]) -> Sleeper | dict[str, Any]:
    """Fork a copy that sleeps here.

    Returns the copy to the program, and the order that woke it to the copy itself. `others` are the program's
    earlier copies.
    """
    asleep, wake = os.pipe()
    draws, places = random.getstate(), _reading_places()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Python warns of threads
        pid = os.fork()
    if pid:
        os.close(asleep)
        return Sleeper(pid, step, wake)
    try:
        os.close(wake)
        for other in others:
            other.let_end()
        _let_go(places, keep=asleep)
        order = _sleep(asleep)
        random.setstate(draws)  # Python draws anew after a fork
    except BaseException:
        os._exit(1)
    return order


def _sleep(asleep: int) -> dict[str, Any]:
    """Until an order comes; ends this process if none will."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL if number == signal.SIGTERM else signal.SIG_IGN)
    program = os.getppid()
    while not select.select([asleep], [], [], LOOK_S)[0]:
        if os.getppid() != program:
            os._exit(0)
    text = b""
    while not text.endswith(END) and (piece := os.read(asleep, 65536)):
        text += piece
    os.close(asleep)
    if not text:
        os._exit(0)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    return json.loads(text)


def _reading_places() -> dict[int, int]:
    """Where the program stands in the files that it reads."""
    places = {}
    for number in _open_numbers():
        with contextlib.suppress(OSError):
            if stat.S_ISREG(os.fstat(number).st_mode) and not _writes(number):
                places[number] = os.lseek(number, 0, os.SEEK_CUR)
    return places


def _let_go(places: Mapping[int, int], *, keep: int) -> None:
    """Open again what the program reads, at the same place; everything else that is shared leads nowhere."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in _open_numbers():
        if number in (keep, nowhere):
            continue
        with contextlib.suppress(OSError):
            mode = os.fstat(number).st_mode
            if number in places:
                _open_again(number, places[number])
            elif stat.S_ISREG(mode) or stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or os.isatty(number):
                os.dup2(nowhere, number, inheritable=number < 3)
    os.close(nowhere)


def _open_again(number: int, place: int) -> None:
    again = os.open(f"/proc/self/fd/{number}", os.O_RDONLY | os.O_CLOEXEC)
    os.lseek(again, place, os.SEEK_SET)
    os.dup2(again, number, inheritable=number < 3)
    os.close(again)


def _open_numbers() -> list[int]:
    return [int(path.name) for path in Path("/proc/self/fd").iterdir()]


def _writes(number: int) -> bool:
    for line in Path(f"/proc/self/fdinfo/{number}").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == "flags":
            return bool(int(value, 8) & (os.O_WRONLY | os.O_RDWR))
    return True
