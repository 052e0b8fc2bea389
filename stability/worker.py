"""Runs one trial in the child process; the only caller of trainers."""

from __future__ import annotations

import errno
import faulthandler
import os
import sys
import threading
import time
import traceback
from collections.abc import Mapping
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from stability import processes, trainers, trialdir
from stability.judging.policy import Policy
from stability.recorder import TrialRecorder
from stability.records import Ending, Outcome, StopTrial, TrialSpec

OUT_OF_MEMORY = (
    "DefaultCPUAllocator: can't allocate memory",
    "CUDA error: out of memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
)
DISK_FULL_EXIT = 74  # EX_IOERR of sysexits.h: no trial's fault, and nothing could be written about it


def prepare(trainer: Any, data: Mapping[str, Any], cache: str) -> None:
    """Compute what the trainer's trials share; a failure here is left for the trials to meet and report."""
    _redirect_output(Path(os.devnull))
    trainers.prepare(trainer, data, Path(cache))


def explain(directory: str, scratch: str, step: int, in_evaluation: bool) -> None:
    """Replay the trial in `directory` and leave in `scratch` what broke at `step`."""
    _redirect_output(Path(scratch) / trialdir.STDOUT)
    if trainers.is_command(trialdir.read_spec(Path(directory)).trainer):
        from stability import program_replay

        program_replay.explain(Path(directory), Path(scratch), step)
        return
    from stability import replay  # imports torch, which the driver need not

    replay.explain(Path(directory), Path(scratch), step, in_evaluation)


def serve(directories: Connection, device: str, gpu_share: float) -> None:
    """Run one trial after another on `device`, each told by its directory and answered with it.

    `gpu_share` of the device's memory is all that this process may take. Every trial finds the random states
    of a new process. Returns, and so ends the process, once a trial failed or left the process in another
    state than it found: the next one gets a new process.
    """
    from stability import devices  # imports torch, which only a process that serves trials has by now

    trouble = None
    try:
        if device != "cpu":
            devices.enter(device, gpu_share)
    except RuntimeError as error:  # the first trial says so
        trouble = error
    states = devices.random_states()
    while True:
        try:
            directory = directories.recv()
        except EOFError:  # the driver needs no more
            return
        devices.set_random_states(states)
        found = devices.switches(), _surroundings()
        run_trial(directory, device, trouble)
        failed = trialdir.read_ending(Path(directory)).outcome not in (Outcome.FINISHED, Outcome.STOPPED)
        if failed or (devices.switches(), _surroundings()) != found:
            return
        if device != "cpu" and not devices.is_sound(device):
            return
        directories.send(directory)


def _surroundings() -> tuple[Any, ...]:
    """What else a trial may change for the next one in its process, but must not."""
    environ = {name: value for name, value in os.environ.items() if name != "STABILITY_TRIAL_DIR"}
    started = processes.group_members(os.getpgrp()), threading.active_count()
    return environ, Path.cwd(), started


def run_trial(directory: str, device: str | None = None, trouble: Exception | None = None) -> None:
    """Run the trial in `directory`, from trial.json to outcome.json, in a process of its own.

    `device` is used instead of the one that the study asks for; `trouble` is why it cannot be. Exits with
    `DISK_FULL_EXIT` when nothing more can be written; every other end is an `Ending`.
    """
    path = Path(directory)
    _redirect_output(path / trialdir.STDOUT)
    trialdir.write_process(path, processes.identity())
    os.environ["STABILITY_TRIAL_DIR"] = directory
    processes.forget_peak_memory()
    start_s, start_cpu_s = time.perf_counter(), processes.cpu_s()
    try:
        spec = trialdir.read_spec(path)
        spec = spec if device is None else replace(spec, device=device)
        ending = _train(spec) if trouble is None else _failed(trouble, spec.device)
        cost = {
            "wall_s": time.perf_counter() - start_s,
            "cpu_s": processes.cpu_s() - start_cpu_s,
            "max_rss_bytes": processes.peak_memory_bytes(),
        }
        trialdir.write_ending(path, replace(ending, **cost))
    except OSError as error:
        if error.errno == errno.ENOSPC:
            os._exit(DISK_FULL_EXIT)
        raise


def _train(spec: TrialSpec) -> Ending:
    """Call the trainer and say how it ended."""
    device = spec.device
    recorder = TrialRecorder(spec, Policy())
    try:
        device = trainers.resolve_device(spec.device)
        _call(trainers.load(spec.trainer), replace(spec, device=device), recorder)
        recorder.finish()
    except StopTrial as stop:
        return Ending(Outcome.STOPPED, error=str(stop), device=device)
    except (Exception, SystemExit) as error:
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            raise
        return _failed(error, device)
    finally:
        recorder.close()
    return Ending(Outcome.FINISHED, device=device)


def _call(train: trainers.Train, spec: TrialSpec, recorder: TrialRecorder) -> None:
    """Train; a script that ends with `sys.exit(0)` has come to its end too."""
    try:
        train(spec, recorder)
    except SystemExit as error:
        if error.code:
            raise


def _failed(error: BaseException, device: str) -> Ending:
    traceback.print_exception(error)
    outcome = Outcome.LOST if isinstance(error, trainers.ProgramLost) else Outcome.CRASHED
    outcome = Outcome.OUT_OF_MEMORY if _is_out_of_memory(error) else outcome
    message = f"{type(error).__name__}: {error}".replace("\n", " ")
    return Ending(outcome, error=message, traceback="".join(traceback.format_exception(error)), device=device)


def _is_out_of_memory(error: BaseException) -> bool:
    """Host memory, `torch.OutOfMemoryError` (not imported here), and the plain errors of torch and CUDA."""
    short = isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"
    return short or any(text in str(error) for text in OUT_OF_MEMORY)


def _redirect_output(path: Path) -> None:
    """Send everything this process prints, from Python or below it, to `path`, line by line."""
    with path.open("ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    sys.stdout = open(1, "w", buffering=1, closefd=False, errors="replace")  # noqa: SIM115 - the process's own
    sys.stderr = open(2, "w", buffering=1, closefd=False, errors="replace")  # noqa: SIM115
    faulthandler.enable()
