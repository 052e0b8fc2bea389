"""`stability.watch`: measures every step of a PyTorch loop and feeds the rules. Never changes the training.

Numbers stay on their device until they are read, each step on the CPU and every 16 on CUDA, so that no
accelerator waits for its host. What is dear is sampled. How to measure is in `measures`, what it means in
`rules`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from stability.judging.monitor import Monitor
from stability.judging.policy import Policy
from stability.numerics import measures
from stability.numerics.attention import AttentionLogits
from stability.numerics.buffer import LOSS, LOSS_WEIGHT, MEASURE, Row, read, to_step, together
from stability.numerics.measures import Number
from stability.numerics.settings import optimizer_settings
from stability.numerics.trace import current_tracer
from stability.records import Event, Measure, Recorder, Step, UserError

READ_EVERY_CUDA = 16
UPDATES = (16, 4)
SCANS = (256, 32)
COMPONENTS = (1000, 100)
"""What is sampled, as (every, first): the size of the update and, on the CPU, the norm of the weights; zero
gradients and attention logits (a forward pass seen operation by operation); the gradient of each loss
component (a backward pass each)."""


class Watch:
    """Watches one optimizer and the model it trains."""

    def __init__(
        self,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        *,
        scaler: torch.amp.GradScaler | None = None,
        recorder: Recorder | None = None,
        every: int | None = None,
        policy: Policy | None = None,
        on_event: Callable[[Event], None] | None = None,
        history: int = 1000,
    ) -> None:
        """See `stability.watch`."""
        _check_kinds(model, optimizer)
        self._weights = _weights(optimizer)
        _check(model, self._weights)
        if not isinstance(policy, Policy | None):
            raise UserError(
                f"policy is an object of type {type(policy).__name__}; give a "
                "stability.judging.policy.Policy, for example Policy(given_back=0.6)"
            )
        self._optimizer, self._recorder, self._on_event = optimizer, recorder, on_event
        self._scaler = scaler if scaler is not None and scaler.is_enabled() else None
        self._every = every or _read_every(self._weights[0].device, recorder)
        self._embeddings = {id(m.weight) for m in model.modules() if isinstance(m, nn.Embedding)}
        """Left out of the share of zeros: what a batch does not mention has no gradient there."""
        self._monitor = Monitor({}, policy or Policy())
        self._steps: deque[Step] = deque(maxlen=history)
        self._events: list[Event] = []
        self._unread: list[Row] = []
        self._open: Row | None = None  # a step between its backward pass and its update
        self._micro: list[Row] = []  # earlier micro-batches of the coming step
        self._sampled: dict[str, Tensor] = {}  # measures of the coming step taken before its backward pass
        self._begun = self._read = 0
        self._order: measures.BackwardOrder | None = measures.BackwardOrder(self._weights)
        self._ends: tuple[int, int] | None = None
        self._update: measures.UpdateSample | None = None
        self._gradients: measures.Gradients | None = None
        self._clip: tuple[Number, bool] | None = None  # norm of the clip sample, and whether it was scaled
        self._attention: AttentionLogits | None = None
        self.grad_norm: Tensor | None = None
        """The norm of all gradients at the last `step`, before clipping; 0-d, on the device."""
        self._hooks = [
            optimizer.register_step_pre_hook(self._before_update),
            optimizer.register_step_post_hook(self._after_update),
        ]
        if not _is_compiled(model):  # a compiled forward pass would have to be broken up for these
            self._hooks += [
                model.register_forward_pre_hook(self._before_forward),
                model.register_forward_hook(self._after_forward, always_call=True),
            ]

    def components(self, losses: Mapping[str, Tensor], weights: Mapping[str, Any] | None = None) -> None:
        """Show the loss components before the backward pass, with their coefficients in the total.

        Every 1000 steps, from step 100 on, the share of each in the gradient is measured, which takes one
        more backward pass per component. A trace learns from this which operation belongs to which loss.
        Raises `UserError` for a loss that does not require grad.
        """
        _check_losses(losses)
        for name, loss in losses.items():
            if not isinstance(loss, Tensor) or not loss.requires_grad:
                raise UserError(
                    f"loss {name!r} does not require grad, so it has no share in the gradient; show the "
                    "tensor itself, neither detached nor as a number, and leave a constant out"
                )
        if (tracer := current_tracer()) is not None:
            tracer.components(losses)
        if _due(self._begun, COMPONENTS):
            trained = [w for w in self._weights if w.requires_grad]
            self._sampled |= measures.component_gradients(losses, weights or {}, trained)

    def accumulate(
        self, losses: Mapping[str, Any], total: Any = None, batch: Sequence[Any] | None = None
    ) -> None:
        """After the backward pass of every micro-batch but the last: its losses count towards the step.

        Losses are averaged over the micro-batches, totals summed as their gradients are.
        """
        self._micro.append(_row(losses, total, batch))
        _tell(losses)

    def step(
        self,
        losses: Mapping[str, Any],
        total: Any = None,
        batch: Sequence[Any] | None = None,
        *,
        loss_weights: Mapping[str, Any] | None = None,
        epoch: int | None = None,
    ) -> None:
        """Once per optimizer step: after the last backward pass and before clipping and `optimizer.step`.

        `losses` are the unweighted components, `total` what was differentiated: numbers, or tensors with one
        element. `batch` names the elements of the batch. Raises `UserError` for a total that does not require
        grad; `StopTrial` comes through from a recorder.
        """
        self._complete(applied=False)
        if self._begun == 0 and hasattr(self._recorder, "effective"):  # a recorder of one's own may lack it
            self._recorder.effective(**optimizer_settings(self._optimizer))
        row = together([*self._micro, _row(losses, total, batch)])
        _tell(losses, row.batch)
        self._micro = []
        row.put_all(LOSS_WEIGHT, loss_weights or {})
        row.epoch = epoch
        self._measure(row)
        row.seal()
        self._open = row
        self._begun += 1

    @property
    def events(self) -> list[Event]:
        """All that the rules found so far; with a recorder, which has rules of its own, what it found."""
        self.flush()
        return list(self._events if self._recorder is None else getattr(self._recorder, "events", ()))

    @property
    def steps(self) -> list[Step]:
        """The last `history` steps."""
        self.flush()
        return list(self._steps)

    def flush(self) -> None:
        """Read all that was measured; waits for the device. A step without its update counts as skipped."""
        self._complete(applied=False)
        self._deliver()

    def close(self) -> None:
        """Read the rest, run the rules that look at a whole training, and take all hooks off the model."""
        for hook in self._hooks:
            hook.remove()
        if self._order is not None:
            self._order.ends()
        self.flush()
        self._note(self._monitor.finish() if self._recorder is None else [])

    def _measure(self, row: Row) -> None:
        """Everything known between the backward pass and clipping."""
        row.put("lr", _largest_lr(self._optimizer))
        if len(self._weights) != sum(len(group["params"]) for group in self._optimizer.param_groups):
            self._weights = _weights(self._optimizer)  # a group was added, as in gradual unfreezing
        if self._order is not None:
            self._ends, self._order = self._order.ends(), None
        every = [w.grad for w in self._weights]
        present = [i for i, gradient in enumerate(every) if gradient is not None]
        if not present:
            return
        if self._gradients is None or self._gradients.present != present:
            self._gradients = measures.Gradients(self._weights, present, self._ends or ())
        gradients = every if len(present) == len(every) else [every[i] for i in present]
        norms = measures.norms(gradients, uniform=self._gradients.uniform)
        scaled = self._gradients_are_scaled()
        if scaled:
            norms = norms / self._scaler._scale
        if self._scaler is not None:
            row.put("grad_scale", self._scaler._scale)
        self.grad_norm = torch.linalg.vector_norm(norms)
        seen, total = measures.on_host(norms, self.grad_norm)
        row.put("grad_norm", total)
        row.put_all(MEASURE, self._gradients.root_mean_squares(seen, total))
        if _due(self._begun, SCANS):
            scanned = [w.grad for w in self._weights if w.grad is not None and id(w) not in self._embeddings]
            row.put(MEASURE + Measure.ZERO_GRAD_SHARE, measures.zero_share(scanned))
        row.put_all(MEASURE, self._sampled)
        self._sampled = {}
        self._clip = self._gradients.sampled_norm(seen), scaled

    def _gradients_are_scaled(self) -> bool:
        if self._scaler is None:
            return False
        return self._scaler._per_optimizer_states[id(self._optimizer)]["stage"].name == "READY"

    def _before_forward(self, module: nn.Module, inputs: Any) -> None:
        if torch.compiler.is_compiling():  # of a compiled module, which would be compiled anew at each step
            return
        self._complete(applied=False)
        if module.training and _due(self._begun, SCANS) and self._attention is None:
            self._attention = AttentionLogits()
            self._attention.__enter__()

    def _after_forward(self, module: nn.Module, inputs: Any, output: Any) -> None:
        if self._attention is None:
            return
        self._attention.__exit__(None, None, None)
        if self._attention.largest is not None:
            self._sampled[Measure.ATTENTION_LOGIT] = self._attention.largest
        self._attention = None

    def _before_update(self, optimizer: torch.optim.Optimizer, args: Any, kwargs: Any) -> Any:
        """An optimizer that is given a closure runs the backward pass, and maybe clipping, in its step."""
        named = "closure" in kwargs
        closure = kwargs["closure"] if named else args[1] if len(args) > 1 else None
        if not callable(closure):
            self._before_change(optimizer)
            return None

        def watched() -> Any:
            loss = closure()
            self._before_change(optimizer)
            return loss

        return (args, {**kwargs, "closure": watched}) if named else ((args[0], watched, *args[2:]), kwargs)

    def _before_change(self, optimizer: torch.optim.Optimizer) -> None:
        """What is left to measure between clipping and the first change of the weights."""
        if self._open is None:
            return
        if self._clip is not None:
            self._open.put(MEASURE + Measure.CLIP_FACTOR, self._clip_factor(optimizer))
            self._clip = None
        if _due(self._begun - 1, UPDATES) and self._update is None:
            self._update = measures.UpdateSample(self._weights)

    def _clip_factor(self, optimizer: torch.optim.Optimizer) -> Tensor:
        """How much clipping has shrunk the gradients since they were measured."""
        before, scaled = self._clip
        sample = [weight.grad for weight in self._gradients.clip_sample]
        after = measures.total_norm(sample, uniform=self._gradients.uniform)
        if scaled and getattr(optimizer, "grad_scale", None) is not None:
            after = after / self._scaler._scale  # a fused optimizer unscales for itself
        return after / before

    def _after_update(self, optimizer: torch.optim.Optimizer, *_: Any) -> None:
        if self._open is None:
            return
        if self._update is not None or not self._open.is_finite_on_the_host():
            self._open.put("weight_norm", measures.total_norm([w.detach() for w in self._weights]))
        if self._update is not None:
            self._open.put(MEASURE + Measure.UPDATE_RATIO, self._update.ratio())
            self._update = None
        self._open.put("skipped", getattr(optimizer, "found_inf", None))
        self._complete(applied=True)

    def _complete(self, *, applied: bool) -> None:
        """Close the open step, with its update or, if none came, as skipped."""
        if self._open is None:
            return
        row, self._open, self._clip = self._open, None, None
        if not applied:
            row.put("skipped", 1.0)
        row.seal()
        self._unread.append(row)
        if len(self._unread) >= self._every:
            self._deliver()

    def _deliver(self) -> None:
        """Read the device once and hand on every step."""
        rows, self._unread = self._unread, []
        for numbers, row in zip(read(rows), rows, strict=True):
            step = to_step(numbers, row, self._read)
            self._read += 1
            self._steps.append(step)
            if self._recorder is None:
                self._note(self._monitor.step(step))
            else:
                _record(self._recorder, step)

    def _note(self, events: Sequence[Event]) -> None:
        self._events.extend(events)
        for event in events if self._on_event is not None else ():
            self._on_event(event)


def watch(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    *,
    scaler: torch.amp.GradScaler | None = None,
    recorder: Recorder | None = None,
    every: int | None = None,
    policy: Policy | None = None,
    on_event: Callable[[Event], None] | None = None,
    history: int = 1000,
) -> Watch:
    """Watch a PyTorch training loop: call `.step(losses=..., total=...)` after each backward pass.

    With `scaler`, gradients may be given scaled or not, and steps that it skips are counted, not called NaN.
    With `recorder`, every step goes to the trial it belongs to, and the recorder judges it; otherwise
    `on_event` is called with each event as it is found, and `.events` has them all. `every` is the number
    of steps between two reads of the device (1 on the CPU, 16 elsewhere), `history` how many steps are kept.
    Training is the same to the last bit with and without a watch.

    Raises `UserError` for a model without parameters, or an optimizer of another model.
    """
    return Watch(
        model,
        optimizer,
        scaler=scaler,
        recorder=recorder,
        every=every,
        policy=policy,
        on_event=on_event,
        history=history,
    )


def _weights(optimizer: torch.optim.Optimizer) -> list[Tensor]:
    return [weight for group in optimizer.param_groups for weight in group["params"]]


def _check_kinds(model: Any, optimizer: Any) -> None:
    if not isinstance(model, nn.Module) or not hasattr(optimizer, "param_groups"):
        given = f"{type(model).__name__} and {type(optimizer).__name__}"
        raise UserError(
            f"stability.watch was given {given}; it takes the torch.nn.Module that is trained, then its "
            "torch.optim.Optimizer: stability.watch(model, optimizer)"
        )


def _check(model: nn.Module, weights: Sequence[Tensor]) -> None:
    own = {id(parameter) for parameter in model.parameters()}
    if not own:
        raise UserError(f"{type(model).__name__} has no parameters; watch the module that is trained")
    if not any(id(weight) in own for weight in weights):
        raise UserError(
            f"the optimizer updates no parameter of this {type(model).__name__}; give the optimizer that was "
            "made from model.parameters()"
        )


def _is_compiled(model: nn.Module) -> bool:
    """By name: importing torch's compiler takes seconds."""
    return type(model).__name__ == "OptimizedModule" or model._compiled_call_impl is not None


def _read_every(device: torch.device, recorder: Recorder | None) -> int:
    """A replay wants every step at once, whatever it costs."""
    immediate = device.type == "cpu" or getattr(recorder, "immediate", False)
    return 1 if immediate else READ_EVERY_CUDA


def _due(step: int, sample: tuple[int, int]) -> bool:
    every, first = sample
    return step % every == first


def _row(losses: Mapping[str, Any], total: Any, batch: Sequence[Any] | None) -> Row:
    """What a caller says of one (micro-)batch."""
    _check_losses(losses)
    if isinstance(total, Tensor) and not total.requires_grad:
        raise UserError(
            "total does not require grad, so no backward pass went through it; give the tensor that "
            "backward() was called on, or its number: total.item()"
        )
    row = Row(batch=None if batch is None else tuple(map(str, batch)))
    row.put_all(LOSS, losses)
    row.put("total", total)
    return row


def _check_losses(losses: Any) -> None:
    if not isinstance(losses, Mapping):
        kind, example = type(losses).__name__, "{'loss': loss}"
        raise UserError(f"losses are given by name, not as an object of type {kind}; write {example}")


def _tell(losses: Mapping[str, Any], batch: Sequence[str] | None = None) -> None:
    """Tell a trace of this step what the losses are called, and how many elements the batch has."""
    if (tracer := current_tracer()) is None:
        return
    tracer.components({name: loss for name, loss in losses.items() if getattr(loss, "grad_fn", None)})
    if batch is not None:
        tracer.batch_size = len(batch)


def _largest_lr(optimizer: torch.optim.Optimizer) -> float | Tensor | None:
    """Over the parameter groups; 0 only where nothing can move."""
    rates = [group["lr"] for group in optimizer.param_groups if "lr" in group]
    if any(isinstance(rate, Tensor) for rate in rates):
        return torch.stack([torch.as_tensor(rate) for rate in rates]).amax()
    return max(rates, default=None)


def _record(recorder: Recorder, step: Step) -> None:
    given = ("losses", "total", "lr", "grad_norm", "epoch", "weight_norm", "loss_weights", "grad_scale")
    recorder.step(**{name: getattr(step, name) for name in (*given, "skipped", "measures", "batch")})
