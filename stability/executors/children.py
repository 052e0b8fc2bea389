"""Child processes forked from one warm server, each leading a process group that dies with the driver.

The server has torch loaded and one thread; it never touches CUDA.
"""

from __future__ import annotations

import contextlib
import fcntl
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from multiprocessing import forkserver, resource_tracker
from multiprocessing.connection import wait
from multiprocessing.context import ForkServerContext, ForkServerProcess
from types import ModuleType
from typing import Any

PRELOAD = ("torch", "torch._dynamo", "stability.worker", "stability.trainee.train")
STOPS = (signal.SIGINT, signal.SIGTERM)
RESTART_PAUSES_S = (0.01, 0.1, 1.0)
_F_SETSIG = 10  # linux/fcntl.h; the fcntl module has no name for it


def warm_server() -> ForkServerContext:
    """Start the server, which loads torch while the caller goes on."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(PRELOAD))
    resource_tracker.ensure_running()  # by itself it would unblock what the server is to inherit
    with _one_thread_each(), _uninterrupted():
        forkserver.ensure_running()
    return context


def start(context: ForkServerContext, task: Callable[..., None], *arguments: Any) -> ForkServerProcess:
    """Fork a child that does `task`; a server that died is replaced."""
    for pause_s in (*RESTART_PAUSES_S, None):
        process = context.Process(target=_child, args=(task, *arguments), daemon=False)
        try:
            with _one_thread_each(), _without_main_module(), _uninterrupted():
                process.start()
            break
        except KeyboardInterrupt:  # it was started, and nobody else knows of it
            end(process)
            raise
        except (
            EOFError,
            ConnectionError,
        ):  # the next start brings a new one, once the system has buried this
            if pause_s is None:
                raise
            time.sleep(pause_s)
    return process


def end(process: ForkServerProcess) -> None:
    """Kill the child and everything it started, and wait until it is gone."""
    end_group(process)
    process.kill()
    process.join()


def end_group(process: ForkServerProcess) -> None:
    """Kill what a child's group still holds; it may have ended, or not lead its group yet, at this moment."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


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
