"""`stability.trace`: runs one training step and says where it broke."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from stability.numerics.trace.tracer import Tracer
from stability.records import Provenance, UserError


def trace(step: Callable[[], Any]) -> Provenance | None:
    """Run `step` once and name the operation where its first non-finite value was born.

    `step` takes no arguments and runs one training step: forward, backward, clipping, update. It may return
    the loss, or the loss components by name. None: loss, gradients, weights and optimizer state all ended
    finite, whatever guarded infinities appeared in between. The step's numbers are those of an untraced one.
    What `step` raises comes through with a note of what was found so far. Raises `UserError` if `step`
    cannot be called without arguments, or trains in a thread that was at work before and cannot be seen.
    """
    if not callable(step) or _takes_arguments(step):
        raise UserError(
            f"stability.trace was given {_described(step)}; it takes a function without arguments that runs "
            "one training step: stability.trace(lambda: training_step(batch))"
        )
    tracer = Tracer()
    tracer.start()
    try:
        returned = step()
    except BaseException as error:
        tracer.stop()
        error.add_note(f"stability.trace: {tracer.first_so_far()}")
        if "does not require grad" in str(error):
            error.add_note(
                "stability.trace: backward() was called on a loss that no trained weight took part in; look "
                "for .detach(), .item() or torch.no_grad() on its way, or weights with requires_grad=False"
            )
        raise
    tracer.stop()
    if (reason := tracer.unseen) is not None:
        raise UserError(
            f"stability.trace cannot answer: {reason}; run the training step in the thread that calls "
            "stability.trace, or start its thread inside the step"
        )
    return tracer.provenance(returned)


def _described(value: Any) -> str:
    if callable(value):
        return "a function that needs arguments"
    return "None" if value is None else f"an object of type {type(value).__name__}"


def _takes_arguments(step: Callable[..., Any]) -> bool:
    try:
        inspect.signature(step).bind()
    except TypeError:
        return True
    except ValueError:  # a builtin that does not say
        return False
    return False
