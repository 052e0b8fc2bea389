"""Trials as child processes of this machine, forked from one warm server, a time limit on each.

The server has torch loaded and one thread; it never touches CUDA. Every child leads a process group of
its own, so that it can be ended with all it started, and dies with the driver.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from multiprocessing import forkserver, resource_tracker
from multiprocessing.connection import wait
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from types import ModuleType
from typing import Any

from stability import trialdir, worker
from stability.records import Ending, Outcome, TrialSpec

PRELOAD = ("torch", "torch._dynamo", "stability.worker", "stability.trainee.train")
STOPS = (signal.SIGINT, signal.SIGTERM)
_F_SETSIG = 10  # linux/fcntl.h; the fcntl module has no name for it


@dataclass(slots=True)
class _Running:
    process: ForkServerProcess
    directory: Path
    start_s: float
    timeout_s: float
    timed_out: bool = False

    @property
    def deadline_s(self) -> float:
        return self.start_s + self.timeout_s


class LocalExecutor:
    """Up to `jobs` trials at a time on this machine."""

    def __init__(self, jobs: int) -> None:
        self._jobs = jobs
        self._running: list[_Running] = []
        self._context: ForkServerContext = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(list(PRELOAD))
        resource_tracker.ensure_running()  # by itself it would unblock what the server is to inherit
        with _one_thread_each(), _uninterrupted():
            forkserver.ensure_running()  # loads torch while the driver opens its store

    @property
    def free(self) -> int:
        return self._jobs - len(self._running)

    def prepare(self, trainer: Any, data: Mapping[str, Any], cache: Path) -> None:
        process = self._start(worker.prepare, trainer, dict(data), str(cache))
        try:
            process.join()
        finally:
            process.kill()

    def call(self, task: Callable[..., None], *arguments: Any, timeout_s: float) -> bool:
        """Do `task` in a child of its own and wait; False when it was ended after `timeout_s`."""
        process = self._start(task, *arguments)
        try:
            process.join(timeout_s)
            return process.exitcode is not None
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.kill()

    def submit(self, trial: TrialSpec) -> None:
        process = self._start(worker.run_trial, str(trial.directory))
        self._running.append(_Running(process, trial.directory, time.monotonic(), trial.timeout_s))

    def _start(self, task: Callable[..., None], *arguments: Any) -> ForkServerProcess:
        """Fork a child that does `task`; a server that died is replaced."""
        for attempts_left in (1, 0):
            process = self._context.Process(target=_child, args=(task, *arguments), daemon=False)
            try:
                with _one_thread_each(), _without_main_module(), _uninterrupted():
                    process.start()
                break
            except KeyboardInterrupt:  # it was started, and nobody else knows of it
                process.kill()
                process.join()
                raise
            except (EOFError, ConnectionError):  # it died while it was asked; the next start brings a new one
                if not attempts_left:
                    raise
        return process

    def finished(self, timeout_s: float) -> list[Path]:
        """See `Executor.finished`. Raises `OSError` (ENOSPC) when a trial had no room left to write."""
        if self._running:
            nearest_s = min(child.deadline_s for child in self._running) - time.monotonic()
            wait([child.process.sentinel for child in self._running], max(0.0, min(timeout_s, nearest_s)))
        now_s = time.monotonic()
        for child in self._running:
            if child.process.is_alive() and now_s >= child.deadline_s:
                child.timed_out = True
                _end(child)
        ended = [child for child in self._running if not child.process.is_alive()]
        self._running = [child for child in self._running if child not in ended]
        for child in ended:
            _account_for(child)
        return [child.directory for child in ended]

    def close(self) -> None:
        for child in self._running:
            _end(child)
        self._running = []


def _child(task: Callable[..., None], *arguments: Any) -> None:
    """First code in the child: lead a process group, die with the driver, then do the task."""
    os.setsid()
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    if sys.platform == "linux":
        _die_with_driver(multiprocessing.parent_process().sentinel)
    task(*arguments)


def _die_with_driver(sentinel: int) -> None:
    """Have the kernel kill this process group when the driver's end of the pipe `sentinel` closes.

    Nothing in the child can prevent it, neither a busy loop in C nor a trainer that catches everything.
    """
    fcntl.fcntl(sentinel, fcntl.F_SETOWN, -os.getpgrp())
    fcntl.fcntl(sentinel, _F_SETSIG, signal.SIGKILL)
    fcntl.fcntl(sentinel, fcntl.F_SETFL, fcntl.fcntl(sentinel, fcntl.F_GETFL) | os.O_ASYNC)
    if wait([sentinel], timeout=0):  # it closed before the kernel was watching
        os.killpg(0, signal.SIGKILL)


def _end(child: _Running) -> None:
    """Kill the child and everything it started."""
    with contextlib.suppress(ProcessLookupError):  # it may end, or not lead its group yet, at this moment
        os.killpg(child.process.pid, signal.SIGKILL)
    child.process.kill()
    child.process.join()


def _account_for(child: _Running) -> None:
    """Give a trial that ended without outcome.json the ending that its process tells of."""
    child.process.join()
    with contextlib.suppress(ProcessLookupError):  # what the trial started and left running
        os.killpg(child.process.pid, signal.SIGKILL)
    if trialdir.read_ending(child.directory) is not None:
        return  # complete, even if the process then lingered until its time was up
    code, wall_s = child.process.exitcode, time.monotonic() - child.start_s
    if child.timed_out:
        ending = Ending(Outcome.TIMED_OUT, f"no end after {child.timeout_s:g} s; killed", wall_s=wall_s)
    elif code == worker.DISK_FULL_EXIT:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(child.directory))
    elif code == -signal.SIGKILL or code == 255:
        lost = "the process was killed (SIGKILL): the kernel short of memory, or an operator"
        ending = Ending(Outcome.LOST, lost if code != 255 else "the process server died", wall_s=wall_s)
    else:
        ending = Ending(Outcome.CRASHED, _exit_in_words(code), wall_s=wall_s)
    trialdir.write_ending(child.directory, ending)


def _exit_in_words(code: int | None) -> str:
    if code is not None and code < 0:
        return f"the process died of {signal.Signals(-code).name}; see {trialdir.STDOUT}"
    return f"the process exited with status {code} before the trial was complete; see {trialdir.STDOUT}"


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """Hold Ctrl-C and SIGTERM back until the block is over: a child asked for in part would fail aloud.

    They are blocked, which the server inherits until it ignores Ctrl-C itself, and kept by a handler, since
    the system may give them to another thread.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    kept: set[int] = set()
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
    handlers = {stop: signal.signal(stop, lambda number, _: kept.add(number)) for stop in STOPS}
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)  # what was blocked is kept now
        for stop, handler in handlers.items():
            signal.signal(stop, handler)
        for stop in sorted(kept):
            signal.raise_signal(stop)


@contextlib.contextmanager
def _without_main_module() -> Iterator[None]:
    """Start children without re-running the caller's script, which they do not need and may not survive."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


@contextlib.contextmanager
def _one_thread_each() -> Iterator[None]:
    """Give the server, and so every trial, one compute thread: two workers of one beat one of two."""
    before = os.environ.get("OMP_NUM_THREADS")
    os.environ["OMP_NUM_THREADS"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["OMP_NUM_THREADS"]
        else:
            os.environ["OMP_NUM_THREADS"] = before
