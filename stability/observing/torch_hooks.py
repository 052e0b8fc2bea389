"""Where torch is listened to. Everything that is private in torch and used by this room stands here.

No frame of ours is on the stack while torch differentiates or updates, so that errors look as they always do.
"""

from __future__ import annotations

import functools
import sys
import weakref
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grad
from torch.optim.optimizer import (
    Optimizer,
    register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook,
)

OURS = __file__.rpartition("/")[0] + "/"
_KEPT_SCALES = 64


class Listener(Protocol):
    """What is told of a program's training."""

    def made(self, optimizer: Any) -> None:
        """An optimizer has got weights: it has been made, or was given another group of them."""

    def differentiates(self, losses: Sequence[Tensor], frame: Any) -> None:
        """A backward pass begins on `losses`, unscaled where a scaler scaled them; `frame` called it."""

    def clips(self, norm: Tensor) -> None:
        """Gradients of this norm are about to be clipped."""

    def updates(self, optimizer: Any, has_closure: bool) -> None:
        """An optimizer is about to step."""

    def updated(self, optimizer: Any) -> None:
        """An optimizer has stepped."""

    def scaler_updated(self, scaler: Any) -> None:
        """The scaler of mixed precision has closed its iteration, whether it applied it or skipped it."""

    def called(self, module: nn.Module) -> None:
        """A module is called; only until `Hooks.modules_are_known`."""

    def failed(self, error: Exception) -> None:
        """Listening failed; the program goes on without it."""


class Hooks:
    """Tells a listener."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._unscaled: dict[int, tuple[weakref.ref, Tensor]] = {}
        self._inside: list[int] = []  # optimizers whose steps are running
        register_optimizer_step_pre_hook(self._before_step)
        register_optimizer_step_post_hook(self._after_step)
        self.tell_modules()
        _before(torch.autograd, "_make_grads", self._backward)
        _before(clip_grad, "_clip_grads_with_norm_", self._clip)
        _after(Optimizer, "add_param_group", self._made)
        _after(torch.amp.GradScaler, "scale", self._scaled)
        _after(torch.amp.GradScaler, "update", self._scaler_updated)

    def tell_modules(self) -> None:
        """From now on every call of a module is told."""
        self._modules = nn.modules.module.register_module_forward_pre_hook(self._module_called)

    def modules_are_known(self) -> None:
        """No more calls of modules are told."""
        self._modules.remove()

    def _made(self, _: Any, optimizer: Any, *__: Any, **___: Any) -> None:
        self._tell(self._listener.made, optimizer)

    def _backward(self, outputs: Sequence[Any], *_: Any, **__: Any) -> None:
        """Called by `backward` and `autograd.grad`. What is differentiated again is no loss."""
        if torch._C._current_graph_task_id() != -1:  # reentrant checkpointing
            return
        caller = sys._getframe(2)
        if caller.f_locals.get("create_graph") and caller.f_code.co_name == "grad":
            return
        losses = [self._without_scale(each) for each in outputs if isinstance(each, Tensor)]
        self._tell(self._listener.differentiates, losses, caller.f_back)

    def _clip(self, *args: Any, **kwargs: Any) -> None:
        norm = kwargs.get("total_norm", args[2] if len(args) > 2 else None)
        if isinstance(norm, Tensor):
            self._tell(self._listener.clips, norm)

    def _before_step(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        if id(optimizer) in self._inside:  # its last step ended in an exception
            self._inside.clear()
        self._inside.append(id(optimizer))
        if len(self._inside) == 1:
            closure = kwargs.get("closure", args[1] if len(args) > 1 else None)
            self._tell(self._listener.updates, optimizer, closure is not None)

    def _after_step(self, optimizer: Any, *_: Any) -> None:
        outermost = self._inside[:1] == [id(optimizer)]
        if id(optimizer) in self._inside:
            del self._inside[self._inside.index(id(optimizer)) :]
        if outermost:
            self._tell(self._listener.updated, optimizer)

    def _scaled(self, result: Any, scaler: Any, outputs: Any, *_: Any) -> None:
        if isinstance(result, Tensor) and result is not outputs:
            if len(self._unscaled) >= _KEPT_SCALES:
                self._unscaled.clear()
            self._unscaled[id(result)] = weakref.ref(result), outputs.detach()

    def _without_scale(self, loss: Tensor) -> Tensor:
        reference, unscaled = self._unscaled.pop(id(loss), (None, loss))
        return unscaled if reference is not None and reference() is loss else loss

    def _scaler_updated(self, _: Any, scaler: Any, *__: Any, **___: Any) -> None:
        if scaler.is_enabled():
            self._tell(self._listener.scaler_updated, scaler)

    def _module_called(self, module: nn.Module, _: Any) -> None:
        self._tell(self._listener.called, module)

    def _tell(self, listen: Callable[..., None], *what: Any) -> None:
        if torch.compiler.is_compiling():
            return
        try:
            with torch._C._DisableTorchDispatch(), torch.no_grad():
                listen(*what)
        except Exception as error:  # the program comes first
            self._listener.failed(error)


def runs_eagerly() -> None:
    """Compiled functions are run operation by operation from now on."""
    if "torch._dynamo" in sys.modules:
        torch.compiler.set_stance("force_eager")


def notices_questions(asked: Callable[[Tensor], None]) -> None:
    """From now on be told of each tensor that the program itself finds not to be finite. For a copy only."""
    for owner in (torch, Tensor):
        for name in ("isnan", "isinf", "isfinite"):
            setattr(owner, name, _asking(getattr(owner, name), name == "isfinite", asked))


def _asking(question: Callable[..., Tensor], good: bool, asked: Callable[[Tensor], None]) -> Callable:
    def ask(tensor: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        answer = question(tensor, *args, **kwargs)
        with torch._C._DisableTorchDispatch():
            if tensor.requires_grad and tensor.numel() == 1 and bool(answer) != good:
                asked(tensor)
        return answer

    return ask


def nodes_made() -> int:
    """How many operations this thread has recorded for a backward pass."""
    return torch.autograd._get_sequence_nr()


def is_distributed() -> bool:
    """Whether this process trains together with others."""
    return torch.distributed.is_available() and torch.distributed.is_initialized()


def without_our_frames(error: BaseException | None) -> None:
    """Take the frames of this room out of an exception's traceback, and out of those that led to it."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        trace = error.__traceback__
        while trace is not None:
            while trace.tb_next is not None and trace.tb_next.tb_frame.f_code.co_filename.startswith(OURS):
                trace.tb_next = trace.tb_next.tb_next
            trace = trace.tb_next
        error = error.__cause__ or error.__context__


def _before(owner: Any, name: str, tell: Callable[..., None]) -> None:
    """Call `tell` with the arguments of `owner.name` before it."""
    original = getattr(owner, name)

    @functools.wraps(original)
    def told(*args: Any, **kwargs: Any) -> Any:
        tell(*args, **kwargs)
        return original(*args, **kwargs)

    setattr(owner, name, told)


def _after(owner: Any, name: str, tell: Callable[..., None]) -> None:
    """Call `tell` with the result and the arguments of `owner.name` after it."""
    original = getattr(owner, name)

    @functools.wraps(original)
    def told(*args: Any, **kwargs: Any) -> Any:
        result = original(*args, **kwargs)
        tell(result, *args, **kwargs)
        return result

    setattr(owner, name, told)
