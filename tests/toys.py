"""Small trainers with known behaviour, for studies that must not depend on the built-in trainee.

A toy minimises a quadratic by gradient descent: it converges for lr below 1 and explodes above it.
"""

from __future__ import annotations

import ctypes
import os
import random
import sys
import time
from pathlib import Path

import numpy
import torch

import stability


def quadratic(trial, recorder):
    """Gradient descent on x² from x = 1: the error is multiplied by (1 - 2·lr) every step."""
    x = 1.0 + 0.1 * (trial.seed % 1009) / 1009
    recorder.define(square="x²", total="square")
    recorder.evaluate({"square": x * x}, epoch=-1)
    for epoch in range(trial.epochs):
        for _ in range(5):
            gradient = 2 * x
            loss = x * x
            x -= trial.params["lr"] * gradient
            recorder.step(
                {"square": loss}, total=loss, lr=trial.params["lr"], grad_norm=abs(gradient), epoch=epoch
            )
        recorder.evaluate({"square": x * x}, epoch=epoch)


def slow(trial, recorder):
    """`quadratic`, 0.05 s a step."""

    class Slow:
        define, evaluate = recorder.define, recorder.evaluate

        def step(self, *args, **kwargs):
            time.sleep(0.05)
            recorder.step(*args, **kwargs)

    quadratic(trial, Slow())


def leaves_artifacts(trial, recorder):
    """Leave a file too large for a message, and a link to it."""
    recorder.evaluate({"square": 1.0}, epoch=-1)
    weights = trial.directory / "artifacts" / "step-1.pt"
    weights.write_bytes(b"w" * 3_000_000)
    weights.with_name("last.pt").symlink_to(weights.absolute())


def nan_then_raise(trial, recorder):
    recorder.evaluate({"square": 1.0}, epoch=-1)
    recorder.step({"square": float("nan")}, total=float("nan"))
    raise RuntimeError("loss is NaN")


def catches_all(trial, recorder):
    """Goes NaN, and never lets anything end it."""
    recorder.evaluate({"square": 1.0}, epoch=-1)
    for loss in (1.0, *[float("nan")] * 3, 0.5):
        try:
            recorder.step({"square": loss}, total=loss)
        except stability.StopTrial:
            break


def _falls(recorder, start):
    """The fewest steps of which a verdict is possible."""
    recorder.evaluate({"square": start}, epoch=-1)
    for loss in (start, 0.8, 0.6, 0.5):
        recorder.step({"square": loss}, total=loss, lr=0.1)


def ends(trial, recorder):
    """End the way `params['how']` says."""
    print("before the end")
    _falls(recorder, 1.0 + 0.01 * (trial.seed % 10))
    match trial.params["how"]:
        case "raise":
            raise ValueError("a bug in the trainer")
        case "exit-0":
            sys.exit(0)
        case "exit-3":
            os._exit(3)
        case "segfault":
            ctypes.string_at(0)
        case "kill":
            os.kill(os.getpid(), 9)
        case "hang":
            time.sleep(600)
        case "hang-in-c":
            torch.mm(torch.ones(20_000, 20_000), torch.ones(20_000, 20_000))
        case "memory":
            raise MemoryError
        case "host-memory":
            torch.empty(2**50)
        case "print-garbage":
            os.write(1, b"\xff\xfe\x00 not text\n" * 1000)
        case "fine":
            recorder.evaluate({"square": 0.5}, epoch=0)


def writes_nonsense(trial, recorder):
    """Appends a line that is JSON, but no record."""
    with Path(trial.directory, "steps.jsonl").open("a") as file:
        file.write('{"loss": 3}\n')


def fails_once(trial, recorder):
    """Fails in the first run of a study, and leaves a mark by which the second knows."""
    mark = Path(trial.cache, trial.key.replace("/", "-"))
    mark.parent.mkdir(parents=True, exist_ok=True)
    if not mark.exists():
        mark.touch()
        raise RuntimeError("not this time")
    quadratic(trial, recorder)


def undecided_or_fails(trial, recorder):
    """Two numbers, of which no verdict is possible, or a crash where the rate is large."""
    for loss in (1.0, 0.9):
        recorder.step({"square": loss}, total=loss, lr=trial.params["lr"])
    if trial.params["lr"] > 1.0:
        raise RuntimeError("too large")


def masks(trial, recorder):
    """Replaces its NaN by 0, as `where(isfinite(loss), loss, 0)` does."""
    recorder.evaluate({"square": 1.0}, epoch=-1)
    for loss in (2.9, 0.7, 0.0, 0.0, 0.0, 0.0):
        recorder.step({"square": loss}, total=loss, lr=0.1)


def gives_back(trial, recorder):
    """Falls from 10 to 1 and rises to 6.4 at step 30; a trial of 60 steps."""
    wave = 0.01 * (trial.seed % 10)
    for number in range(60):
        loss = 10.0 - 0.3 * number if number < 30 else 6.4
        loss += wave * (number % 2)
        recorder.step({"square": loss}, total=loss, lr=0.1, epoch=number // 30)


def freezes(trial, recorder):
    """Its gradient is NaN from the fifth step on, and its loss stays where it was."""
    for number in range(20):
        loss = 2.0 - 0.1 * min(number, 4) + 0.001 * (trial.seed % 10)
        recorder.step({"square": loss}, total=loss, lr=0.1, grad_norm=1.0 if number < 4 else float("nan"))


def environment(trial, recorder):
    Path(os.environ["STABILITY_TRIAL_DIR"], "artifacts", "seen.txt").write_text(str(torch.get_num_threads()))
    quadratic(trial, recorder)


not_a_function = 3


class Logarithm(torch.nn.Module):
    """Mean log of w + x, whose gradient pushes w down until an argument is negative."""

    def __init__(self):
        super().__init__()
        self.w = torch.nn.Parameter(torch.ones(()))

    def forward(self, x):
        return (self.w + x).log()  # born here


def logarithm(trial, recorder):
    """Minimises log(w + x) + w by gradient descent with `params["lr"]`; one batch of four numbers a step.

    With `params["batch"]` = i, batch i has an element of -1.5, whose logarithm is NaN for any w so far.
    """
    torch.manual_seed(trial.seed)
    model = Logarithm()
    optimizer = torch.optim.SGD(model.parameters(), lr=trial.params["lr"])
    watch = stability.watch(model, optimizer, recorder=recorder)
    recorder.evaluate({"log": 1.0, "slope": 1.0}, epoch=-1)
    for number in range(trial.epochs * 10):
        x = torch.rand(4)
        if number == trial.params.get("batch"):
            x[2] = -1.5
        optimizer.zero_grad()
        losses = {"slope": 2.0 + model.w, "log": model(x).mean() + 2.0}
        total = losses["slope"] + losses["log"]
        watch.components(losses)
        total.backward()
        watch.step(losses, total, [f"{number}-{i}" for i in range(4)], epoch=number // 10)
        optimizer.step()
    recorder.evaluate({"log": 0.5, "slope": 1.0}, epoch=trial.epochs - 1)


def masked(trial, recorder):
    """`logarithm` with its loss hidden as soon as it is not finite; the weight is NaN from then on."""

    def hide(loss):
        return torch.where(loss.isfinite(), loss, torch.zeros(()))

    torch.manual_seed(trial.seed)
    model = Logarithm()
    optimizer = torch.optim.SGD(model.parameters(), lr=trial.params["lr"])
    watch = stability.watch(model, optimizer, recorder=recorder)
    for number in range(trial.epochs * 10):
        optimizer.zero_grad()
        loss = hide(model.w + model(torch.rand(4)).mean() + 2.0)
        loss.backward()
        watch.step({"square": loss}, loss, epoch=number // 10)
        optimizer.step()


def unseeded(trial, recorder):
    """Never the same twice."""
    noise = float.fromhex(f"0x0.{os.urandom(4).hex()}p0")
    recorder.step({"square": 1.0 + noise}, total=1.0)
    recorder.step({"square": float("nan")}, total=float("nan"))


def overflowing_norm(trial, recorder):
    """Its second gradient is finite, and too large for an fp32 norm; clipping then makes it 0."""
    w = torch.nn.Parameter(torch.ones(4))
    model = torch.nn.ParameterList([w])
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    watch = stability.watch(model, optimizer, recorder=recorder)
    for scale in (1.0, 1e25):
        optimizer.zero_grad()
        loss = (w * scale).sum()
        loss.backward()
        watch.step({"square": loss}, loss)
        torch.nn.utils.clip_grads_with_norm_(model.parameters(), 1.0, watch.grad_norm)
        optimizer.step()


def greedy(trial, recorder):
    """Takes memory without end, some of it in a process of its own."""
    recorder.evaluate({"square": 1.0}, epoch=-1)
    if os.fork() == 0:
        time.sleep(600)
    held = []
    while True:
        held.append(bytearray(os.urandom(1) * 20_000_000))
        time.sleep(0.02)


def prints_much(trial, recorder):
    """Prints 40 MB, then trains."""
    for i in range(40):
        print(f"{i:03d}" + "x" * 1_000_000)
    print("the last line")
    quadratic(trial, recorder)


def tells_process(trial, recorder):
    """Leaves its process number; changes what `params["how"]` names."""
    Path(trial.directory, "artifacts", "seen.txt").write_text(f"{os.getpid()} {trial.device}")
    _falls(recorder, 1.0)
    recorder.evaluate({"square": 0.5}, epoch=0)
    match trial.params["how"]:
        case "raise":
            raise ValueError("a bug in the trainer")
        case "dtype":
            torch.set_default_dtype(torch.float64)
        case "environ":
            os.environ["LEFT_BEHIND"] = "1"
        case "child":
            if os.fork() == 0:
                time.sleep(600)
        case "hang":
            time.sleep(600)
        case "kill":
            os.kill(os.getpid(), 9)


def lost_at_first(trial, recorder):
    """Is killed in its first `params["lost"]` attempts."""
    attempt = int(trial.directory.name.partition("-")[2] or 0)
    if attempt < trial.params["lost"]:
        os.kill(os.getpid(), 9)
    _falls(recorder, 1.0)
    recorder.evaluate({"square": 0.5}, epoch=0)


def diverges_slowly(trial, recorder):
    """`quadratic` with 0.02 s of computing a step, of which a loss above 1 is NaN."""

    class Busy:
        define, evaluate = recorder.define, recorder.evaluate

        def step(self, losses, total, **kwargs):
            end_s = time.process_time() + 0.02
            while time.process_time() < end_s:
                pass
            total = float("nan") if total > 2.0 else total
            recorder.step({"square": total}, total=total, **kwargs)

    quadratic(trial, Busy())


def draws_and_fills(trial, recorder):
    """Record what an unseeded trainer draws, and hold some memory for a while."""
    drawn = [random.random(), float(torch.rand(())), float(numpy.random.rand())]  # noqa: NPY002 - which is the point
    held = os.urandom(int(trial.params["megabytes"] * 1e6))
    recorder.evaluate({"square": sum(drawn) + 0.0 * len(held)}, epoch=-1)


def fails_always(trial, recorder):
    raise FileNotFoundError(2, "No such file or directory", "corpus")


def fails_below_a_fifth(trial, recorder):
    """`quadratic` that does not take every learning rate."""
    if trial.params["lr"] < 0.2:
        raise ValueError("too small")
    quadratic(trial, recorder)


def knows_its_arms(trial, recorder):
    """`quadratic` that fails where a trial is of no arm."""
    {"gentle": 1, "rough": 2}[trial.arm]
    quadratic(trial, recorder)


def waits_or_fails(trial, recorder):
    """Below a learning rate of 0.2 fails once another trial has begun; above it ends once five have failed."""
    trial.cache.mkdir(parents=True, exist_ok=True)
    if trial.params["lr"] < 0.2:
        _wait_for(trial.cache, "begun", 1)
        (trial.cache / f"failed-{trial.key.replace('/', '-')}").touch()
        raise ValueError("too small")
    recorder.step({"square": 1.0}, total=1.0)
    (trial.cache / "begun").touch()
    _wait_for(trial.cache, "failed-*", 5)
    quadratic(trial, recorder)


def _wait_for(folder, pattern, count):
    while len(list(folder.glob(pattern))) < count:
        time.sleep(0.02)


def knows_sgd_alone(trial, recorder):
    if trial.params["optimizer"] != "sgd":
        raise ValueError(f"no optimizer {trial.params['optimizer']!r}")
    quadratic(trial, recorder)
