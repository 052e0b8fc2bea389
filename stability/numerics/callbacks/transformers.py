"""A `TrainerCallback` for the Trainer of Hugging Face transformers. What is measured is in `watch`.

The Trainer clips before it calls `on_pre_optimizer_step`, and tells callbacks no loss. So losses are read
from what the model returns, by a forward hook, and gradients at the very end of the backward pass, by a
callback of the autograd engine, which the gradient of a model output queues when it passes by.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from stability.judging.policy import Policy
from stability.numerics.callbacks.reporting import LOGGER, Report, components, is_differentiable
from stability.numerics.watch import Watch, watch
from stability.records import Event, Recorder, Step, UserError

try:
    from transformers import TrainerCallback
except ImportError as error:
    raise ImportError(
        "stability.numerics.callbacks.transformers needs transformers: pip install 'stability[transformers]'"
    ) from error


@dataclass(frozen=True, slots=True)
class _MicroBatch:
    """What one forward and backward pass said; `share` is the loss as it counts in what is differentiated."""

    components: Mapping[str, Any]
    share: Tensor


class StabilityCallback(TrainerCallback):
    """`Trainer(callbacks=[StabilityCallback()])`: every step is watched, training stays the same to the bit.

    Each event is logged in one line by the logger `stability`; with `stop`, the first that is `LOST` ends the
    training (with several processes it is only logged: none can end the others). On CUDA events are read
    every 16 steps, or as `every` says.

    `logging_nan_inf_filter` is switched off, and a warning says so: the Trainer's logs would replace a NaN or
    infinite loss by the mean of the others.

    The loss is the one in the model's output, weighted as it is in what is differentiated: over accumulated
    micro-batches these shares add up. A Trainer with a `compute_loss` of its own may make another loss of the
    same output: then gradients are watched, and the model's loss where it takes part; a warning says where
    none does. Components are the output's other tensors with one element that require grad, or those that
    `losses` names, averaged over the micro-batches.

    `recorder` makes the training a trial of a study; `policy`, `every`, `history` are those of
    `stability.watch`. Raises `UserError` for several GPUs in one process and for a named loss that is
    missing; `StopTrial` comes through from a recorder.
    """

    def __init__(
        self,
        *,
        losses: Sequence[str] | None = None,
        stop: bool = True,
        recorder: Recorder | None = None,
        every: int | None = None,
        policy: Policy | None = None,
        history: int = 1000,
    ) -> None:
        """See the class."""
        self._names, self._stop = losses, stop
        self._options = {"recorder": recorder, "every": every, "policy": policy, "history": history}
        self._report = Report()
        self._micro: list[_MicroBatch] = []  # backward passes since the last update
        self._passes = self._epoch = 0
        self._queued = self._measured = self._warned = False
        self._hook: torch.utils.hooks.RemovableHandle | None = None
        self._optimizer: Any = None  # accelerate's wrapper
        self.watch: Watch | None = None
        """The watch on the last training; None before it."""

    @property
    def events(self) -> list[Event]:
        """All that the rules found in the last training."""
        return [] if self.watch is None else self.watch.events

    @property
    def steps(self) -> list[Step]:
        """The last `history` steps."""
        return [] if self.watch is None else self.watch.steps

    def on_train_begin(
        self, args: Any, state: Any, control: Any, model: nn.Module, optimizer: Any, **_: Any
    ) -> None:
        """Begin to watch; `optimizer` is accelerate's wrapper, which holds the scaler too."""
        self.close()
        if args.n_gpu > 1:
            raise UserError(
                f"the Trainer spreads this model over {args.n_gpu} GPUs in one process, where it cannot be "
                "watched; start one process for each GPU (torchrun), or show it one (CUDA_VISIBLE_DEVICES=0)"
            )
        if args.logging_nan_inf_filter:
            args.logging_nan_inf_filter = False
            LOGGER.warning("logging_nan_inf_filter switched off: it hides NaN and infinite losses in logs")
        self._report, self._micro, self._passes, self._optimizer = Report(), [], 0, optimizer
        self._warned = False
        self.watch = watch(
            model, optimizer.optimizer, scaler=optimizer.scaler, on_event=self._report, **self._options
        )
        listen = torch.compiler.disable(self._after_forward) if args.torch_compile else self._after_forward
        self._hook = model.register_forward_hook(listen)

    def on_step_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Note the epoch."""
        self._epoch, self._measured = int(state.epoch or 0), False

    def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Gradients that passed by none of the model's outputs can only be measured here, after clipping."""
        if not self._measured:
            self._measure()

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """End the training if it is lost."""
        if self._report.lost and self._stop and args.world_size == 1:
            control.should_training_stop = True

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Read the rest, run the rules on a whole training and take every hook away."""
        self.close()

    def close(self) -> None:
        """What the end of a training does; the Trainer does not tell its callbacks of an exception."""
        if self._hook is not None:
            self._hook.remove()
            self._hook = None
            self.watch.close()

    def _after_forward(self, module: nn.Module, inputs: Any, output: Any) -> None:
        """Wait for the gradient of what the model returned; evaluations have none."""
        if not (module.training and torch.is_grad_enabled()):
            return
        self._queued = False
        given = dict(_named(output))
        for tensor in given.values():
            if isinstance(tensor, Tensor) and tensor.requires_grad:
                tensor.register_hook(self._backward_begins)
        found = components(given, self._names)
        if missing := [name for name in self._names or () if name not in found]:
            raise UserError(f"loss {missing[0]!r} is not in what the model returned ({', '.join(given)})")
        if is_differentiable(loss := given.get("loss")):
            loss.register_hook(functools.partial(self._reached, loss.detach(), found))

    def _backward_begins(self, gradient: Tensor) -> None:
        if not self._queued:
            _at_the_end_of_backward(self._backward_ends)
        self._queued = True

    def _reached(self, loss: Tensor, found: Mapping[str, Any], gradient: Tensor) -> None:
        """The gradient of a loss is its coefficient in what is differentiated, times the scaler's scale."""
        scaler = self._optimizer.scaler
        scale = 1.0 if scaler is None or not scaler.is_enabled() else scaler._scale
        self._micro.append(_MicroBatch(found, loss * gradient / scale))
        self._passes += 1

    def _backward_ends(self) -> None:
        """Once more at the end: after what was queued meanwhile, such as an all-reduce of gradients."""
        _at_the_end_of_backward(self._gradients_are_there)

    def _gradients_are_there(self) -> None:
        self._queued = False
        if self._optimizer.gradient_state.sync_gradients:  # the last micro-batch of the step
            self._measure()

    def _measure(self) -> None:
        """Give the watch the step: its losses so far and the gradients as they are now."""
        micro, self._micro, self._measured = self._micro, [], True
        first = self._passes - len(micro)
        names = [f"batch {first + i}" for i in range(len(micro))]
        if not micro and not self._warned:
            self._warned = True
            LOGGER.warning(
                "the model returns no loss that is trained on; only gradients are watched: return the loss "
                "from the model's forward under the name 'loss'"
            )
        total = sum(each.share for each in micro).requires_grad_() if micro else None  # as `Watch` asks
        for i, each in enumerate(micro[:-1]):
            self.watch.accumulate(each.components, batch=[names[i]])
        losses = {} if total is None else micro[-1].components or {"loss": total}
        self.watch.step(losses, total, names[-1:] or None, epoch=self._epoch)


def _named(output: Any) -> Iterator[tuple[str, Any]]:
    """What a model returned, by name; the first of a tuple is its loss, as for the Trainer."""
    if isinstance(output, Mapping):
        yield from output.items()
    else:
        values = output if isinstance(output, tuple) else (output,)
        yield from (("loss" if i == 0 else f"output {i}", value) for i, value in enumerate(values))


def _at_the_end_of_backward(call: Any) -> None:
    """As torch's own DistributedDataParallel and FSDP do; there is no public name for it."""
    torch.autograd.Variable._execution_engine.queue_callback(call)
