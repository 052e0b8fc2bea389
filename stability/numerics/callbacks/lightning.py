"""A `Callback` for Lightning's `Trainer`: a watch on every optimizer. What is measured is in `watch`.

In Lightning the callback's `on_before_optimizer_step` comes after the backward pass and the scaler's
`unscale_`, and before `configure_gradient_clipping`: gradients are measured there. What `training_step`
returned reaches callbacks only after the update, so it is listened to while a batch is trained on.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from stability.judging.policy import Policy
from stability.numerics.callbacks.reporting import Report, components
from stability.numerics.watch import Watch, watch
from stability.records import Event, Recorder, Step, UserError

try:
    from lightning.pytorch import Callback
except ImportError:
    try:
        from pytorch_lightning import Callback
    except ImportError as error:
        raise ImportError(
            "stability.numerics.callbacks.lightning needs Lightning: pip install 'stability[lightning]'"
        ) from error


@dataclass(frozen=True, slots=True)
class _MicroBatch:
    """What one backward pass went through; `total` is its share in the differentiated loss."""

    losses: Mapping[str, Any]
    total: Tensor | None
    batch: str


class StabilityCallback(Callback):
    """`Trainer(callbacks=[StabilityCallback()])`: every step is watched, training stays the same to the bit.

    Each event is logged in one line by the logger `stability`; with `stop`, the first that is `LOST` ends the
    training (with several processes it is only logged: none can end the others). Lightning honours
    `min_epochs` and `min_steps` first. On CUDA events are read every 16 steps, or as `every` says.

    Losses are those `training_step` returns: `loss`, and if it returns a mapping, its other tensors with one
    element that require grad are the components. `losses` names the components instead, detached or not, in
    the mapping or logged by `self.log` in every `training_step` (with `on_step=True`, its default there).
    Losses are averaged over the micro-batches of an accumulated step. Attention logits are seen where
    `training_step` calls the module itself, `self(batch)`.

    Under manual optimisation there is a watch for each optimizer; its loss is what `manual_backward` was
    called on since the last update, and gradients are measured at `optimizer.step()`, after clipping by hand.

    `recorder` makes the training a trial of a study; `policy`, `every`, `history` are those of
    `stability.watch`. Raises `UserError` for a recorder with several optimizers and for a named loss that is
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
        self._batch = ""
        self._measured = False  # whether this batch's step is known: LBFGS evaluates a batch many times
        self._training = False
        self._end_listening: Callable[[], None] = _nothing
        self._scaler: torch.amp.GradScaler | None = None
        self.watches: list[Watch] = []
        """One for each optimizer of the last training."""

    @property
    def watch(self) -> Watch | None:
        """The watch on the first optimizer; None before the training."""
        return self.watches[0] if self.watches else None

    @property
    def events(self) -> list[Event]:
        """All that the rules found in the last training, by step; steps count the updates of an optimizer."""
        found = [event for watch in self.watches for event in watch.events]
        return sorted(found, key=lambda event: event.step)

    @property
    def steps(self) -> list[Step]:
        """The last `history` steps of the first optimizer; `watches` has those of the others."""
        return [] if self.watch is None else self.watch.steps

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        """Begin to watch."""
        if len(trainer.optimizers) > 1 and self._options["recorder"] is not None:
            raise UserError(
                f"a recorder takes one row of steps, and {type(pl_module).__name__} has "
                f"{len(trainer.optimizers)} optimizers; give no recorder"
            )
        scaler = getattr(trainer.precision_plugin, "scaler", None)
        self._scaler = scaler if scaler is not None and scaler.is_enabled() else None
        self._report, self._micro, self._training = Report(), [], True
        self.watches = [
            watch(pl_module, optimizer, scaler=scaler, on_event=self._report, **self._options)
            for optimizer in trainer.optimizers
        ]

    def on_train_batch_start(self, trainer: Any, pl_module: Any, batch: Any, batch_idx: int) -> None:
        """Listen to what `training_step` returns, for the time of one batch."""
        self._end_listening()
        self._batch, self._measured = f"batch {batch_idx}", False
        if pl_module.automatic_optimization:
            self._end_listening = _listen(pl_module, functools.partial(self._hear, trainer))

    def on_before_backward(self, trainer: Any, pl_module: Any, loss: Tensor) -> None:
        """Under manual optimisation, all that is known of a loss; a scaler has scaled it by now."""
        if pl_module.automatic_optimization:
            return
        total = loss.detach() / (1.0 if self._scaler is None else self._scaler._scale)
        self._micro.append(_MicroBatch({"loss": total}, _differentiated(total), self._batch))

    def on_before_optimizer_step(self, trainer: Any, pl_module: Any, optimizer: Any) -> None:
        """Measure: the backward pass is done, and automatic clipping is not."""
        micro, self._micro = self._micro, []
        repeated, self._measured = self._measured, pl_module.automatic_optimization
        if repeated or (pl_module.automatic_optimization and not micro):  # `training_step` returned None
            return
        index = next(i for i, own in enumerate(trainer.optimizers) if own is optimizer)
        for each in micro[:-1]:
            self.watches[index].accumulate(each.losses, each.total, [each.batch])
        last = micro[-1] if micro else _MicroBatch({}, None, self._batch)
        self.watches[index].step(last.losses, last.total, [last.batch], epoch=trainer.current_epoch)

    def on_train_batch_end(
        self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """End the training if it is lost."""
        self._end_listening()
        if self._report.lost and self._stop and trainer.world_size == 1:
            trainer.should_stop = True

    def on_train_end(self, trainer: Any, pl_module: Any) -> None:
        """Read the rest, run the rules on a whole training and take every hook away."""
        self._end_listening()
        for each in self.watches if self._training else ():
            each.close()
        self._training = False

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        """What came before an exception is evidence too."""
        self.on_train_end(trainer, pl_module)

    def _hear(self, trainer: Any, output: Any) -> None:
        """Note the losses of one `training_step`, each a number on its device."""
        if output is None:
            return
        given = output if isinstance(output, Mapping) else {"loss": output}
        found = components(given, self._names)
        for name in self._names or ():
            found[name] = found[name] if name in found else _logged(trainer, name, given)
        loss = given["loss"].detach()
        total = _differentiated(loss / trainer.accumulate_grad_batches)
        self._micro.append(_MicroBatch(found or {"loss": loss}, total, self._batch))


def _nothing() -> None:
    pass


def _listen(module: Any, hear: Callable[[Any], None]) -> Callable[[], None]:
    """Have `hear` called with what `module.training_step` returns, until the returned function is called."""
    training_step, own = module.training_step, "training_step" in vars(module)

    @functools.wraps(training_step)
    def listening(*args: Any, **kwargs: Any) -> Any:
        output = training_step(*args, **kwargs)
        hear(output)
        return output

    def end() -> None:
        if vars(module).get("training_step") is not listening:
            return
        if own:
            module.training_step = training_step
        else:
            del module.training_step

    module.training_step = listening
    return end


def _differentiated(total: Tensor) -> Tensor:
    """Marked as what a backward pass goes through, as `Watch` asks of a total, but without its graph."""
    return total.requires_grad_()


def _logged(trainer: Any, name: str, given: Mapping[str, Any]) -> Tensor:
    """What `self.log(name, ...)` was given in this `training_step`: at this point no older value."""
    if name in trainer.callback_metrics:
        return trainer.callback_metrics[name].detach()
    raise UserError(
        f"loss {name!r} is neither in what training_step returned ({', '.join(given)}) nor logged by it; "
        f"return it in a mapping, or call self.log({name!r}, ...)"
    )
