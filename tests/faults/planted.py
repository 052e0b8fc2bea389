"""What a planted fault is: a training step that breaks, and the answer a skilled engineer would give.

The catalogue's records and its one training step live here; the faults are in the files of their families,
the measuring in `score.py`. Expected answers are settled by these rules, not by what any tracer says:

- The origin is the first operation that turns finite values into a value that is not finite and that the
  loss, a gradient, a weight or the optimizer's state ends up with. Where a legitimate infinity (the -inf of
  a mask) is all that comes in, it is the operation that lets it out: softmax of a row of nothing but -inf.
- So where a guard (`where`) keeps the forward value away from the loss and the gradient breaks all the same,
  it depends on what the backward operation read: finite values only (0 / 0 in the slope of log), and the
  origin is in the backward pass, at the line of the forward operation whose gradient broke; the guarded
  value itself (the slope of exp is its value), and that value is the origin.
- What runs after the backward pass (clipping, updates, projections of weights) belongs to the optimizer.
- A batch element is expected where one element is to blame, and None where all share the fault or no axis
  of the value is the batch: blaming element 0 for what all elements share is wrong. Faults of several
  elements, but not of all, are not planted: naming the first and naming none are both defensible.
- The component is the loss term the value reached; None where several share it (then it is not checked).
- `module` is the path, below the outermost module called, of the module in whose call the operation ran: ""
  for the outermost itself, None where it ran in none (then it is not checked).
- What arrived broken is external, wherever it is first read; views (`view`, `t`, `lift_fresh`) do not read.

The expected line carries the comment `# <- fault: NAME` (or `NAME, NAME`), so that edits do not lose it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from stability.records import Phase

Losses = Callable[[], Mapping[str, Tensor]]


class Written:
    """A training step written out as `run`, with the model and optimizer whose remains are to be judged."""

    def __init__(self, run: Losses, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        self.run, self.model, self.optimizer = run, model, optimizer

    def __call__(self) -> Mapping[str, Tensor]:
        return self.run()


class Step:
    """One full training step: forward, backward, clipping, update; returns the loss components.

    `update` replaces `optimizer.step()` where the call itself is the line to be found.
    """

    def __init__(
        self,
        model: nn.Module,
        losses: Losses,
        optimizer: torch.optim.Optimizer | None = None,
        update: Callable[[], object] | None = None,
        clip: float | None = 1.0,
    ) -> None:
        self.model = model
        self.optimizer = optimizer or torch.optim.SGD(model.parameters(), lr=1e-3)
        self._losses, self._update, self._clip = losses, update or self.optimizer.step, clip

    def __call__(self) -> Mapping[str, Tensor]:
        self.optimizer.zero_grad()
        losses = self._losses()
        torch.stack(tuple(losses.values())).sum().backward()
        if self._clip is not None:
            nn.utils.clip_grad_norm_(self.model.parameters(), self._clip)
        self._update()
        return losses


TrainingStep = Step | Written
Build = Callable[[str], TrainingStep]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A planted fault: `build(device)` returns the step; the rest is the expected answer.

    `op` is the aten name; `cuda_op` where the same line runs another one on CUDA. `node` is the autograd
    node that stands for the faulty operation (None: the one of `op`). `alone`: the module consists of that
    single operation, so that its name names the operation. `source` is a word that tells what brought an
    external value. `on_cuda` is False where CUDA has no such path.
    """

    build: Build
    phase: Phase
    op: str
    component: str | None = None
    batch_index: int | None = None
    module: str | None = None
    alone: bool = False
    node: str | None = None
    source: str | None = None
    cuda_op: str | None = None
    on_cuda: bool = True

    @property
    def name(self) -> str:
        return self.build.__name__

    @property
    def file(self) -> Path:
        return Path(inspect.getsourcefile(self.build) or "")

    @property
    def lines(self) -> tuple[int, ...]:
        """The marked lines: one, but for the few faults whose docstring says why two answers are right."""
        lines = self.file.read_text().splitlines()
        marks = (text.partition("# <- fault: ")[2].split(", ") for text in lines)
        return tuple(n for n, names in enumerate(marks, 1) if self.name in names)

    def op_on(self, device: str) -> str:
        return self.cuda_op if self.cuda_op and device.startswith("cuda") else self.op


@dataclass(frozen=True, slots=True)
class Healthy:
    """A step that holds infinities or comes near them, and ends finite: nothing is to be reported."""

    build: Build
    on_cuda: bool = True

    @property
    def name(self) -> str:
        return self.build.__name__


def lies_in(path: str | None, module: str) -> bool:
    """Whether the module at `path` is the one at `module`, or is inside it; "" is the outermost."""
    return not module or f"{path}.".startswith(f"{module}.")


def planted(case: Fault | Healthy, device: str = "cpu") -> TrainingStep:
    """The step of a case, the same one at every call."""
    torch.manual_seed(0)
    return case.build(device)


def ends_finite(step: TrainingStep, losses: Mapping[str, Tensor]) -> bool:
    """Whether losses, gradients, weights, buffers and optimizer state are all finite after `step` ran."""
    return all(bool(torch.isfinite(tensor).all()) for tensor in _remains(step, losses))


def _remains(step: TrainingStep, losses: Mapping[str, Tensor]) -> Iterator[Tensor]:
    yield from losses.values()
    for parameter in step.model.parameters():
        yield parameter
        if parameter.grad is not None:
            yield parameter.grad.coalesce().values() if parameter.grad.is_sparse else parameter.grad
    yield from step.model.buffers()
    for state in step.optimizer.state.values():
        yield from (value for value in state.values() if isinstance(value, Tensor))
