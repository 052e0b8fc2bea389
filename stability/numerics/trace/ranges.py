"""The numbers that an operation worked on: how small, how large, and what was where it broke."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from stability.numerics.trace.kept import Left, left
from stability.numerics.trace.memory import Memories
from stability.numerics.trace.operations import Call
from stability.numerics.trace.tensors import not_finite, numbers
from stability.records import InputRange


class ForwardCalls:
    """Which operation made each autograd node, and of which tensors; keeps none of them alive."""

    def __init__(self, memories: Memories) -> None:
        self._memories = memories
        self._known: dict[int, tuple[str, tuple[tuple[str, Left], ...]]] = {}

    def note(self, node: int | None, call: Call) -> None:
        """Remember a call of the forward pass, the first one for its node."""
        if node is not None and node not in self._known and torch.is_grad_enabled():
            self._known[node] = call.kind.base, tuple(self._inputs(call))

    def name(self, node: int | None) -> str | None:
        """What the operation is called in aten, without overload."""
        return None if node is None or node not in self._known else self._known[node][0]

    def inputs(self, node: int | None) -> Iterator[tuple[str, Tensor]]:
        """Its tensors that are still there, by the names of its arguments."""
        for name, kept in self._known.get(node, ("", ()))[1] if node is not None else ():
            if (tensor := kept.tensor()) is not None:
                yield name, tensor

    def _inputs(self, call: Call) -> Iterator[tuple[str, Left]]:
        for name, tensor in named_tensors(call):
            memory = self._memories.at(tensor, inner=False) if numbers(tensor) is tensor else None
            if memory is not None:
                yield name, left(tensor, memory)


def named_tensors(call: Call) -> Iterator[tuple[str, Tensor]]:
    """The tensors among the arguments, not those in lists, with their names."""
    for position, argument in enumerate(call.func._schema.arguments):
        value = call.args[position] if position < len(call.args) else call.kwargs.get(argument.name)
        if isinstance(value, Tensor):
            yield argument.name, value


def range_of(
    name: str, tensor: Tensor, place: tuple[int, ...], shape: torch.Size | None
) -> InputRange | None:
    """The least and the greatest finite |x| of a tensor, and its number at `place` if it has that `shape`."""
    entries = numbers(tensor)
    if entries is None or entries.numel() == 0:
        return None
    entries = entries.float() if entries.element_size() == 1 else entries
    sizes, bad = entries.abs(), not_finite(entries)
    some = not bool(bad.all())
    at = entries[place].item() if entries.shape == shape else None
    smallest = torch.where(bad, torch.inf, sizes).min().item() if some else None
    largest = torch.where(bad, 0.0, sizes).max().item() if some else None
    return InputRange(name, smallest, largest, at)
