"""One recorded training of the trainee: its recipe, how it is run, whether it went bad. No rule is read here.

Trainings are kept as trial directories, so that rules can be scored again without training again.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from stability import trialdir
from stability.judging.policy import Policy
from stability.recorder import TrialRecorder
from stability.records import Ending, Outcome, Step, StopTrial, TrialSpec
from stability.trainee.train import train as train_trainee

YARDSTICK = {"mel": 1.0, "stop": 1.0, "kl": 0.5}
RISE = 2.0
LASTING_STEPS = 5
"""A training went bad with the first number that is not finite, or where the sum of its unweighted losses
exceeds `RISE` times its first value and stays there up to the end, `LASTING_STEPS` steps at least."""
AFTERMATH_STEPS = 12
"""How many steps are recorded after a number that is not finite: nothing new happens there."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What moves the learning rate at which the trainee diverges."""

    size: str
    optimizer: str
    clip: float | None
    norm: str = "pre"
    adaptive: bool = False

    def __str__(self) -> str:
        adaptive = "-adaptive" if self.adaptive else ""
        return f"{self.size}-{self.optimizer}-clip_{self.clip or 'off'}-{self.norm}{adaptive}"

    def params(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("optimizer", "clip", "norm", "adaptive")}


@dataclass(frozen=True, slots=True)
class Training:
    """One training of a recipe; `params` are what it varies, the learning rate among them."""

    group: str
    recipe: Recipe
    corpus: str
    seed: int
    steps: int
    params: Mapping[str, Any]

    def directory(self, folder: Path) -> Path:
        return folder / self.group / f"{self.recipe}-{self.corpus}-{self.seed}-lr_{self.params['lr']:.4g}"


def train(training: Training, folder: Path) -> Path:
    """Its trial directory in `folder`; trained if it is not there yet, on one thread."""
    torch.set_num_threads(1)
    spec = _spec(training, folder)
    if trialdir.read_ending(spec.directory) is not None:
        return spec.directory
    trialdir.create(spec)
    recorder = Unjudged(TrialRecorder(spec, Policy()))
    start_s = time.process_time()
    try:
        train_trainee(spec, recorder)
        outcome = Outcome.FINISHED
    except StopTrial:
        outcome = Outcome.STOPPED
    finally:
        recorder.close()
    trialdir.write_ending(spec.directory, Ending(outcome, cpu_s=time.process_time() - start_s))
    return spec.directory


def first_bad_step(steps: Sequence[Step]) -> int | None:
    """The step at which a training went bad, None if it did not."""
    broken = next((i for i, step in enumerate(steps) if not is_finite(step)), len(steps))
    sums = [sum(step.losses.values()) for step in steps[:broken]]
    rise = len(sums)
    while rise > 0 and sums[rise - 1] > RISE * sums[0]:
        rise -= 1
    if broken < len(steps) or len(steps) - rise >= LASTING_STEPS:
        return steps[rise].step
    return None


def first_nonfinite_step(steps: Sequence[Step]) -> int | None:
    """The first step with a loss or gradient norm that is not finite."""
    return next((step.step for step in steps if not is_finite(step)), None)


def is_finite(step: Step) -> bool:
    numbers = [*step.losses.values(), step.total, step.grad_norm]
    return all(math.isfinite(number) for number in numbers if number is not None) or step.skipped


class Unjudged:
    """Records a trial to its end, whatever the rules say, and a little beyond a number that is not finite."""

    def __init__(self, recorder: TrialRecorder) -> None:
        self._recorder = recorder
        self._left = AFTERMATH_STEPS
        self.define, self.close = recorder.define, recorder.close

    def step(self, losses: Mapping[str, Any], *args: Any, **given: Any) -> None:
        with suppress(StopTrial):
            self._recorder.step(losses, *args, **given)
        if not all(math.isfinite(loss) for loss in losses.values()):
            self._left -= 1
        if self._left < 0:
            raise StopTrial("not finite for long enough")

    def evaluate(self, losses: Mapping[str, Any], epoch: int) -> None:
        with suppress(StopTrial):
            self._recorder.evaluate(losses, epoch)


def _spec(training: Training, folder: Path) -> TrialSpec:
    directory = training.directory(folder)
    return TrialSpec(
        study="benchmark",
        stage=training.group,
        number=0,
        key=directory.name,
        arm=str(training.recipe),
        params=training.recipe.params() | dict(training.params),
        seed=training.seed,
        epochs=training.steps,
        batch_size=8,
        max_steps=training.steps,
        timeout_s=math.inf,
        device="cpu",
        trainer="tts",
        data={"corpus": training.corpus, "utterances": 30},
        model={"size": training.recipe.size},
        yardstick=YARDSTICK,
        directory=directory,
        cache=folder / "cache",
    )
