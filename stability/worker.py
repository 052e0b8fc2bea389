"""Runs one trial in the child process; the only caller of trainers."""

from __future__ import annotations

import errno
import faulthandler
import os
import resource
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from stability import trainers, trialdir
from stability.numerics.detectors import Monitor
from stability.records import (
    Ending,
    Evaluation,
    Event,
    Outcome,
    Policy,
    Severity,
    Step,
    StopTrial,
    TrialSpec,
)
from stability.verdict import describe

DISK_FULL_EXIT = 74  # EX_IOERR of sysexits.h: no trial's fault, and nothing could be written about it


class TrialRecorder:
    """The `Recorder` of a trial: writes what it is told, watches it, and stops the trial once it is lost."""

    def __init__(self, spec: TrialSpec, policy: Policy) -> None:
        self._writer = trialdir.Writer(spec.directory)
        self._monitor = Monitor(spec.yardstick, policy)
        self._yardstick = spec.yardstick
        self._steps = 0

    def define(self, **definitions: str) -> None:
        """See `Recorder.define`. Raises `TypeError` for a definition that is no text."""
        for name, text in definitions.items():
            if not isinstance(text, str):
                raise TypeError(f"define({name}=...) takes a text, got {text!r}")
        self._writer.definitions(definitions)

    def step(
        self,
        losses: Mapping[str, float],
        total: float | None = None,
        lr: float | None = None,
        grad_norm: float | None = None,
        epoch: int | None = None,
        *,
        weight_norm: float | None = None,
        loss_weights: Mapping[str, float] | None = None,
        grad_scale: float | None = None,
        skipped: bool = False,
        measures: Mapping[str, float] | None = None,
        batch: Sequence[str] | None = None,
    ) -> None:
        """See `Recorder.step`. Tensors with one element count as numbers."""
        scalars = {"total": total, "lr": lr, "grad_norm": grad_norm, "weight_norm": weight_norm}
        scalars["grad_scale"] = grad_scale
        step = Step(
            step=self._steps,
            losses=_floats(losses),
            epoch=epoch,
            loss_weights=None if loss_weights is None else _floats(loss_weights),
            skipped=bool(skipped),
            measures=None if measures is None else _floats(measures),
            batch=None if batch is None else tuple(map(str, batch)),
            **{name: None if value is None else float(value) for name, value in scalars.items()},
        )
        self._steps += 1
        self._writer.step(step)
        self._stop_if_lost(self._monitor.step(step))

    def evaluate(self, losses: Mapping[str, float], epoch: int) -> None:
        """See `Recorder.evaluate`. Raises `ValueError` when a component of the yardstick is missing."""
        if missing := self._yardstick.keys() - losses.keys():
            given, needed = ", ".join(losses), ", ".join(sorted(missing))
            raise ValueError(f"evaluate() got {given}; the study's yardstick also weighs {needed}")
        evaluation = Evaluation(self._steps, int(epoch), _floats(losses))
        self._writer.evaluation(evaluation)
        self._stop_if_lost(self._monitor.evaluation(evaluation))

    def close(self) -> None:
        self._writer.close()

    def _stop_if_lost(self, events: list[Event]) -> None:
        for event in events:
            self._writer.event(event)
        lost = [event for event in events if event.severity is Severity.LOST]
        if lost:
            raise StopTrial(describe(lost[0]))


def prepare(trainer: Any, data: Mapping[str, Any], cache: str) -> None:
    """Compute what the trainer's trials share; a failure here is left for the trials to meet and report."""
    _redirect_output(Path(os.devnull))
    trainers.prepare(trainer, data, Path(cache))


def run_trial(directory: str) -> None:
    """Run the trial in `directory`, from trial.json to outcome.json, in a process of its own.

    Exits with `DISK_FULL_EXIT` when nothing more can be written; every other end is an `Ending`.
    """
    path = Path(directory)
    _redirect_output(path / trialdir.STDOUT)
    os.environ["STABILITY_TRIAL_DIR"] = directory
    start_s, start_cpu_s = time.perf_counter(), time.process_time()
    try:
        spec = trialdir.read_spec(path)
        ending = _train(spec)
        cost = {
            "wall_s": time.perf_counter() - start_s,
            "cpu_s": time.process_time() - start_cpu_s,
            "max_rss_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
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
        trainers.load(spec.trainer)(replace(spec, device=device), recorder)
    except StopTrial as stop:
        return Ending(Outcome.STOPPED, error=str(stop), device=device)
    except (Exception, SystemExit) as error:
        if isinstance(error, SystemExit) and not error.code:
            return Ending(Outcome.FINISHED, device=device)
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            raise
        return _failed(error, device)
    finally:
        recorder.close()
    return Ending(Outcome.FINISHED, device=device)


def _failed(error: BaseException, device: str) -> Ending:
    traceback.print_exc()
    outcome = Outcome.OUT_OF_MEMORY if _is_out_of_memory(error) else Outcome.CRASHED
    message = f"{type(error).__name__}: {error}".replace("\n", " ")
    return Ending(outcome, error=message, traceback="".join(traceback.format_exception(error)), device=device)


def _is_out_of_memory(error: BaseException) -> bool:
    """Host memory, `torch.OutOfMemoryError` (not imported here), and torch's plain error on the CPU."""
    return (
        isinstance(error, MemoryError)
        or type(error).__name__ == "OutOfMemoryError"
        or "DefaultCPUAllocator: can't allocate memory" in str(error)
    )


def _redirect_output(path: Path) -> None:
    """Send everything this process prints, from Python or below it, to `path`, line by line."""
    with path.open("ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    sys.stdout = open(1, "w", buffering=1, closefd=False, errors="replace")  # noqa: SIM115 - the process's own
    sys.stderr = open(2, "w", buffering=1, closefd=False, errors="replace")  # noqa: SIM115
    faulthandler.enable()


def _floats(values: Mapping[str, float]) -> dict[str, float]:
    if not isinstance(values, Mapping):
        raise TypeError(f"losses map each component's name to a number, got {values!r}")
    return {name: float(value) for name, value in values.items()}
