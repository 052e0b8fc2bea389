"""Runs a stored trial again, up to the step where it broke, in a process of its own.

Twice: once untouched, traced at that step and compared with what was recorded; once with weights exchanged
between steps, to see whether the weights, the batch or only both together make it fail. Nothing is judged.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_pre_hook
from torch.optim.optimizer import register_optimizer_step_pre_hook

from stability import trainers, trialdir
from stability.judging.onset import largest_jump
from stability.judging.policy import Policy
from stability.numerics.trace import Tracer
from stability.recorder import TrialRecorder
from stability.records import Blame, Explanation, Phase, Provenance, Records, Step, StopTrial, TrialSpec

EARLIER_STEPS = 10
OTHER_BATCHES = 3
MOST_STEPS_BACK = 3
COMPARED = ("losses", "total", "lr", "grad_norm", "weight_norm", "grad_scale", "skipped")
Snapshot = Sequence[Tensor]
Boundary = Callable[[int], None]
"""Called between two records with the number of the step that comes next."""


def explain(directory: Path, scratch: Path, step: int, in_evaluation: bool) -> None:
    """Replay the trial in `directory` to `step` and write what was found into `scratch`.

    `in_evaluation`: it broke in the evaluation after that step. A failure of the replay is part of the
    explanation.
    """
    stored, ending = trialdir.read_spec(directory), trialdir.read_ending(directory)
    device = stored.device if ending is None or ending.device is None else ending.device
    spec = replace(stored, directory=scratch / "replay", device=device)
    recorded = trialdir.read_records(directory)
    trialdir.write_explanation(scratch, _explain(spec, recorded, step, in_evaluation))


def _explain(spec: TrialSpec, recorded: Records, step: int, in_evaluation: bool) -> Explanation:
    jump = None if in_evaluation else _jump(recorded, step)
    began = step if in_evaluation else _first_of_its_losses(recorded, step) if jump is None else jump
    sizes = {s.step: len(s.batch) for s in recorded.steps if s.batch}
    found = _trace(spec, began, step, in_evaluation, hidden=jump is None, sizes=sizes)
    while found.came_from_before() and found.step > max(0, step - MOST_STEPS_BACK):
        found = _trace(spec, found.step - 1, step, in_evaluation=False, hidden=False, sizes=sizes)
    difference = found.error or first_difference(recorded.steps, found.replayed.steps, step)
    blame = _blame(spec, found) if difference is None and not in_evaluation else None
    return Explanation(step, found.step, difference is None, difference, found.provenance, blame)


def _jump(recorded: Records, step: int) -> int | None:
    """Where all numbers of the bad step are finite and move: the step with the steepest rise up to it."""
    its = [s for s in recorded.steps if s.step == step]
    if not its or not is_finite(its[0]) or _first_of_its_losses(recorded, step) < step:
        return None
    jump = largest_jump(recorded.steps, step)
    return None if jump is None else jump.step


def _first_of_its_losses(recorded: Records, step: int) -> int:
    """The step from which on the losses were what they are at `step`: where a masked NaN began."""
    course = {s.step: s.losses for s in recorded.steps}
    while step - 1 in course and course[step - 1] == course[step]:
        step -= 1
    return step


@dataclass(frozen=True, slots=True)
class _Traced:
    """One traced replay; `snapshots` are the weights before the step and before an earlier one."""

    step: int
    replayed: Records
    provenance: Provenance | None
    snapshots: Mapping[int, Snapshot]
    error: str | None

    def came_from_before(self) -> bool:
        """Whether the weights or the optimizer's state were broken before the step began."""
        found = self.provenance
        return (
            self.error is None
            and found is not None
            and found.phase is Phase.EXTERNAL
            and (found.source or "").startswith(("weight", "optimizer state"))
        )


def _trace(
    spec: TrialSpec, step: int, last: int, in_evaluation: bool, *, hidden: bool, sizes: Mapping[int, int]
) -> _Traced:
    """Replay up to step `last`, tracing what happens between the record before `step` and its own.

    `hidden`: the step is known to be broken, even if all that it left behind is finite. `sizes`: of the
    batches of the steps that named their elements.
    """
    wanted = {step, max(0, step - EARLIER_STEPS)}
    snapshots: dict[int, Snapshot] = {}
    tracer: Tracer | None = None
    provenance: Provenance | None = None

    def begin(coming: int) -> None:
        nonlocal tracer
        if coming in wanted:
            snapshots[coming] = weights.snapshot()
        if coming == step + in_evaluation:
            tracer = Tracer()  # anew after an evaluation, which is none of the step's business
            tracer.batch_size = None if in_evaluation else sizes.get(step)
            tracer.start()

    def end() -> None:
        nonlocal tracer, provenance
        if tracer is not None:
            tracer.stop()
            provenance = tracer.provenance() or (tracer.hidden() if hidden else None)
            tracer = None

    with _Weights() as weights:
        replayed, error = _run(spec, begin, end, last=last, evaluate=in_evaluation)
        snapshots[0] = weights.initial()
    return _Traced(step, replayed, provenance, snapshots, error)


def _blame(spec: TrialSpec, traced: _Traced) -> Blame | None:
    """Fail the weights with other batches, and the batch with earlier weights?

    None where the step's own numbers do not show a failure: an optimizer that broke the weights afterwards.
    """
    failed = _failure(traced)
    if failed is None:
        return None
    step, earlier = traced.step, max(0, traced.step - EARLIER_STEPS)
    before = list(range(max(1, step - OTHER_BATCHES), step))
    others = [*before, *range(step + 1, step + 1 + OTHER_BATCHES - len(before))]
    loads = dict.fromkeys(others, traced.snapshots[step])
    if earlier < step:
        loads[step] = traced.snapshots[earlier]
    with _Weights() as weights:
        replayed, error = _run(
            spec, lambda coming: weights.load(loads.get(coming)), lambda: None, last=max([step, *others])
        )
    if error is not None and len(replayed.steps) <= step:
        return None
    fails = {s.step: failed(s) for s in replayed.steps}
    return Blame(
        step=step,
        earlier_step=earlier if earlier < step else None,
        fails_with_earlier_weights=fails.get(step) if earlier < step else None,
        other_batches={other: fails[other] for other in others if other in fails},
    )


def _failure(traced: _Traced) -> Callable[[Step], bool] | None:
    """What counts as the same failure: a number that is not finite, else a loss that is as far gone."""
    course = {s.step: s for s in traced.replayed.steps}
    if traced.step not in course:
        return None
    if not is_finite(course[traced.step]):
        return lambda step: not is_finite(step)
    earlier = course[max(0, traced.step - EARLIER_STEPS)]
    low, high = (sum(s.losses.values()) for s in (earlier, course[traced.step]))
    if not 0 < 2 * low < high:
        return None
    middle = math.sqrt(low * high)
    return lambda step: not sum(step.losses.values()) < middle


def is_finite(step: Step) -> bool:
    """Whether every loss and norm of a step is finite."""
    numbers = [*step.losses.values(), step.total, step.grad_norm, step.weight_norm]
    return all(math.isfinite(number) for number in numbers if number is not None)


def first_difference(recorded: Sequence[Step], replayed: Sequence[Step], last: int) -> str | None:
    """Where a replay left what was recorded, up to step `last`, in words; None where all is equal."""
    again = {step.step: step for step in replayed}
    for step in recorded:
        if step.step > last:
            break
        if step.step not in again:
            return f"the replay ended before step {step.step}"
        for name in COMPARED:
            before, after = getattr(step, name), getattr(again[step.step], name)
            if repr(before) == repr(after) or before is None:  # by text: NaN equals nothing
                continue
            if name != "losses":
                return _difference(name, step.step, before, after)
            names = [each for each in {**before, **after} if repr(before.get(each)) != repr(after.get(each))]
            return "; ".join(
                _difference(f"{each} loss", step.step, before.get(each), after.get(each)) for each in names
            )
    return None


def _difference(what: str, step: int, before: Any, after: Any) -> str:
    """Numbers with six digits, or all of them where these are the same."""
    texts = [f"{value:.6g}" if isinstance(value, float) else str(value) for value in (before, after)]
    was, now = texts if texts[0] != texts[1] else (before, after)
    return f"{what} at step {step} was {was}, in the replay {now}"


def _run(
    spec: TrialSpec, begin: Boundary, end: Callable[[], None], *, last: int, evaluate: bool = False
) -> tuple[Records, str | None]:
    """Train again up to step `last`, or its evaluation; what was recorded, and how it failed if it did."""
    trialdir.create(spec)
    recorder = _ReplayRecorder(spec, begin, end, last, evaluate)
    error = None
    try:
        begin(0)
        trainers.load(spec.trainer)(spec, recorder)
    except StopTrial:
        pass
    except Exception as raised:
        error = f"the replay raised {type(raised).__name__}: {raised}"
    finally:
        end()
        recorder.close()
    return trialdir.read_records(spec.directory), error


class _ReplayRecorder(TrialRecorder):
    """Records like any trial, never calls it lost, and says when a step begins and ends."""

    immediate = True  # a watch reads the device every step

    def __init__(
        self, spec: TrialSpec, begin: Boundary, end: Callable[[], None], last: int, evaluate: bool
    ) -> None:
        super().__init__(spec, Policy())
        self._begin, self._end, self._last, self._evaluate = begin, end, last, evaluate

    def step(self, *arguments: Any, **named: Any) -> None:
        self._end()
        super().step(*arguments, **named)
        self._go_on(ended=not self._evaluate and self._steps > self._last)

    def evaluate(self, losses: Mapping[str, float], epoch: int) -> None:
        self._end()
        super().evaluate(losses, epoch)
        self._go_on(ended=self._steps > self._last)

    def _go_on(self, *, ended: bool) -> None:
        if ended:
            raise StopTrial("the replay has what it came for")
        self._begin(self._steps)

    def _note(self, events: Sequence[Any]) -> None:
        """A replay goes on, whatever happens."""


class _Weights:
    """Every tensor that training may change, weights and buffers, found as modules run and optimizers step.

    Two runs of one trial find them in the same order, so a snapshot of one can be loaded in the other.
    """

    def __enter__(self) -> _Weights:
        self._tensors: dict[int, Tensor] = {}
        self._initial: list[Tensor] = []
        self._hooks = [
            register_module_forward_pre_hook(self._see_module),
            register_optimizer_step_pre_hook(self._see_optimizer),
        ]
        return self

    def __exit__(self, *_: Any) -> None:
        for hook in self._hooks:
            hook.remove()

    def initial(self) -> Snapshot:
        """As they were when first seen, before any update."""
        return self._initial

    def snapshot(self) -> Snapshot:
        return [tensor.detach().clone() for tensor in self._tensors.values()]

    def load(self, snapshot: Snapshot | None) -> None:
        """Put a snapshot in place; None leaves them as they are."""
        with torch.no_grad():
            for tensor, saved in zip(self._tensors.values(), snapshot or (), strict=False):
                tensor.copy_(saved)

    def _see_module(self, module: nn.Module, _: Any) -> None:
        self._see(module.parameters())
        self._see(module.buffers())

    def _see_optimizer(self, optimizer: torch.optim.Optimizer, *_: Any) -> None:
        self._see(weight for group in optimizer.param_groups for weight in group["params"])

    def _see(self, tensors: Any) -> None:
        for tensor in tensors:
            if id(tensor) not in self._tensors:
                self._tensors[id(tensor)] = tensor
                self._initial.append(tensor.detach().clone())
