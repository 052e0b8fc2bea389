"""Trials as child processes of this machine, each within its limits of time, memory and output.

On the CPU every trial has a fresh child. On a GPU, where a context costs seconds and half a gigabyte, one
child serves trial after trial, and is replaced once a trial failed in it or left it in another state.
"""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

from stability import processes, trialdir, worker
from stability.executors import children
from stability.records import Ending, Outcome, TrialSpec

WATCH_S = 0.2
"""How often memory and output are looked at."""


@dataclass(slots=True, eq=False)
class _Running:
    """A trial and the child it runs in; `answers` is open where the child outlives the trial."""

    process: ForkServerProcess
    answers: Connection | None
    device: str
    trial: TrialSpec
    start_s: float = field(default_factory=time.monotonic)
    oom_kills: int = field(default_factory=processes.oom_kills)
    over: Ending | None = None  # the limit that was broken
    answered: bool = False  # its child is ready for the next trial

    @property
    def wall_s(self) -> float:
        return time.monotonic() - self.start_s

    @property
    def left_s(self) -> float:
        return self.trial.timeout_s - self.wall_s


class LocalExecutor:
    """As many trials at a time as there are `slots`; each slot names the device its trials run on."""

    def __init__(
        self, slots: Sequence[str], *, persistent: bool | None = None, gpu_share: float | None = None
    ) -> None:
        """`persistent` children serve several trials; by default those of GPUs do.

        `gpu_share` of a GPU's memory is all that a trial may take; by default what its slots leave to each.
        """
        self._free = list(slots)
        self._persistent = persistent
        self._shares = {device: gpu_share or 1.0 / slots.count(device) for device in slots}
        self._running: list[_Running] = []
        self._idle: list[tuple[str, ForkServerProcess, Connection]] = []
        self._context = children.warm_server()

    @property
    def free(self) -> int:
        return len(self._free)

    def prepare(self, trainer: Any, data: Mapping[str, Any], cache: Path) -> None:
        process = children.start(self._context, worker.prepare, trainer, dict(data), str(cache))
        try:
            process.join()
        finally:
            process.kill()

    def call(self, task: Callable[..., None], *arguments: Any, timeout_s: float) -> bool:
        """Do `task` in a child of its own and wait; False when it was ended after `timeout_s`."""
        process = children.start(self._context, task, *arguments)
        try:
            process.join(timeout_s)
            return process.exitcode is not None
        finally:
            children.end_group(process)
            process.kill()

    def submit(self, trial: TrialSpec) -> None:
        device = self._free.pop(0)
        if not self._is_persistent(device):
            process = children.start(self._context, worker.run_trial, str(trial.directory), device)
            self._running.append(_Running(process, None, device, trial))
            return
        process, answers = self._serving(device)
        self._running.append(_Running(process, answers, device, trial))
        with contextlib.suppress(BrokenPipeError):  # it died meanwhile: `finished` will say so
            answers.send(str(trial.directory))

    def finished(self, timeout_s: float) -> list[Path]:
        """See `Executor.finished`. Raises `OSError` (ENOSPC) when a trial had no room left to write."""
        if self._running:
            nearest_s = min(running.left_s for running in self._running)
            watched = [running.process.sentinel for running in self._running]
            watched += [running.answers for running in self._running if running.answers is not None]
            wait(watched, max(0.0, min(timeout_s, nearest_s, WATCH_S)))
        for running in self._running:
            _listen(running)
            _enforce_limits(running)
        ended = [r for r in self._running if r.answered or not r.process.is_alive()]
        self._running = [running for running in self._running if running not in ended]
        for running in ended:
            self._free.append(running.device)
            self._account_for(running)
        return [running.trial.directory for running in ended]

    def close(self) -> None:
        for process in [*(running.process for running in self._running), *(p for _, p, _ in self._idle)]:
            children.end(process)
        self._free += [running.device for running in self._running]
        self._running, self._idle = [], []

    def _is_persistent(self, device: str) -> bool:
        return device != "cpu" if self._persistent is None else self._persistent

    def _serving(self, device: str) -> tuple[ForkServerProcess, Connection]:
        """A child that serves trials on `device`: an idle one, else a new one."""
        for idle in [idle for idle in self._idle if idle[0] == device]:
            self._idle.remove(idle)
            if idle[1].is_alive():
                return idle[1:]
            children.end(idle[1])
            idle[2].close()
        ours, theirs = Pipe()
        process = children.start(self._context, worker.serve, theirs, device, self._shares[device])
        theirs.close()
        return process, ours

    def _account_for(self, running: _Running) -> None:
        """Keep a child that can serve again, end any other, and see to it that the trial has an ending."""
        trialdir.cap_output(running.trial.directory)
        if running.answered:
            self._idle.append((running.device, running.process, running.answers))
            return
        children.end(running.process)
        if running.answers is not None:
            running.answers.close()
        if trialdir.read_ending(running.trial.directory) is None:  # else complete, even if it then lingered
            trialdir.write_ending(running.trial.directory, running.over or _unexpected(running))


def _listen(running: _Running) -> None:
    """Hear a child that outlives its trial say that the trial is complete."""
    if running.answers is not None and running.answers.poll():
        with contextlib.suppress(EOFError, ConnectionResetError):  # it ended instead
            running.answers.recv()
            running.answered = True


def _enforce_limits(running: _Running) -> None:
    """Kill a trial, with everything it started, that takes more time or memory than it may."""
    if running.answered or not running.process.is_alive():
        return
    trialdir.cap_output(running.trial.directory)
    allowed_bytes = running.trial.memory_bytes
    if running.left_s <= 0:
        why = f"no end after {running.trial.timeout_s:g} s; killed"
        running.over = Ending(Outcome.TIMED_OUT, why, wall_s=running.wall_s)
    elif allowed_bytes is not None:
        used_bytes = processes.group_memory_bytes(running.process.pid)
        if used_bytes > allowed_bytes:
            sizes = f"{used_bytes / 1e9:.2f} GB used, {allowed_bytes / 1e9:g} GB allowed (budget.memory_gb)"
            why = f"too much host memory: {sizes}; killed"
            running.over = Ending(Outcome.OUT_OF_MEMORY, why, wall_s=running.wall_s, max_rss_bytes=used_bytes)
    if running.over is not None:
        children.end(running.process)


def _unexpected(running: _Running) -> Ending:
    """The ending of a trial whose process ended without one."""
    code = running.process.exitcode
    if code == worker.DISK_FULL_EXIT:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(running.trial.directory))
    if code == 255:
        return Ending(Outcome.LOST, "the process server died", wall_s=running.wall_s)
    if code == -signal.SIGKILL and processes.oom_kills() > running.oom_kills:
        why = "the process was killed by the kernel, which was short of memory"
        return Ending(Outcome.OUT_OF_MEMORY, why, wall_s=running.wall_s)
    if code == -signal.SIGKILL:
        return Ending(Outcome.LOST, "the process was killed (SIGKILL) from outside", wall_s=running.wall_s)
    return Ending(Outcome.CRASHED, _exit_in_words(code), wall_s=running.wall_s)


def _exit_in_words(code: int | None) -> str:
    if code is not None and code < 0:
        return f"the process died of {signal.Signals(-code).name}; see {trialdir.STDOUT}"
    return f"the process exited with status {code} before the trial was complete; see {trialdir.STDOUT}"
