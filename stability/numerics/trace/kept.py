"""What a step leaves behind for the next besides weights and optimizer state: buffers, averages, codebooks.

Buffers are known from their modules. An average of weights may be held by anything, so it is known by its
shape: that of a weight, written by the update and still there when the step has ended.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import FrameType
from typing import Any

import torch
from torch import Tensor, nn

from stability.numerics.trace.memory import Memory, address
from stability.numerics.trace.tensors import tensors_in


@dataclass(frozen=True, slots=True, eq=False)
class Left:
    """A tensor that an update wrote: its storage, which is not kept alive, and its place in it."""

    memory: Memory
    dtype: torch.dtype
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    offset: int

    def tensor(self) -> Tensor | None:
        """The tensor as it is now; None if it is gone."""
        storage = torch.UntypedStorage._new_with_weak_ptr(self.memory.ref.cdata)
        if storage is None:
            return None
        empty = torch.empty(0, dtype=self.dtype, device=storage.device)
        return empty.set_(storage, self.offset, self.shape, self.strides)


def left(tensor: Tensor, memory: Memory) -> Left:
    """Remember `tensor`, without keeping it alive."""
    return Left(memory, tensor.dtype, tuple(tensor.shape), tensor.stride(), tensor.storage_offset())


def held_name(tensor: Tensor, frames: tuple[FrameType, ...]) -> str | None:
    """What the variables of `frames`, or the attributes of their `self`, call a tensor: `ema.0.weight`.

    What holds several tensors goes before the variable of a loop over them.
    """
    place = address(tensor)
    for frame in frames:
        variables = sorted(_variables(frame), key=lambda each: isinstance(each[1], Tensor))
        for name, value in variables:
            for path, held in _held(name, value):
                if address(held) == place:
                    return path
    return None


def _variables(frame: FrameType) -> Iterator[tuple[str, Any]]:
    yield from getattr(frame.f_locals.get("self"), "__dict__", {}).items()
    yield from frame.f_locals.items()
    yield from ((name, frame.f_globals[name]) for name in frame.f_code.co_names if name in frame.f_globals)


def _held(name: str, value: Any) -> Iterator[tuple[str, Tensor]]:
    if isinstance(value, nn.Module):
        yield from ((f"{name}.{path}", held) for path, held in value.named_parameters())
        yield from ((f"{name}.{path}", held) for path, held in value.named_buffers())
    elif isinstance(value, dict):
        yield from ((f"{name}[{key!r}]", held) for key, held in value.items() if isinstance(held, Tensor))
    else:
        yield from ((name, held) for held in tensors_in(value))
