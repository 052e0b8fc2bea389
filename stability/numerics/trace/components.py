"""The loss components of a step: which of them an operation belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from stability.numerics.trace.endings import End, end_of, is_loss
from stability.numerics.trace.lineage import Lineage, Passage
from stability.records import Phase


@dataclass(frozen=True, slots=True, eq=False)
class Component:
    """A named loss: how it ended if not finite, and the numbers of the autograd nodes behind it."""

    name: str
    end: End | None
    nodes: frozenset[int]


def told(losses: Mapping[str, Any], lineage: Lineage) -> list[Component]:
    """Look at the named losses; plain numbers say nothing, and not every tensor is a loss."""
    tensors = {
        str(name): loss for name, loss in losses.items() if isinstance(loss, Tensor) and is_loss(loss)
    }
    return [
        Component(name, end_of(loss, name, lineage), frozenset(_nodes(loss.grad_fn)))
        for name, loss in tensors.items()
    ]


def component_of(
    origin: Passage, labels: set[int], components: list[Component], lineage: Lineage
) -> str | None:
    """The component that an origin spoiled; `labels` are those born there. None where it cannot be told."""
    if origin.phase is Phase.OPTIMIZER:
        return None
    if origin.phase is not Phase.BACKWARD:
        spoiled = [each for each in components if each.end is not None and labels & each.end.labels]
        spoiled = spoiled or [each for each in components if _descends(each, origin, lineage)]
        if spoiled:
            return min(spoiled, key=_reached).name
    holding = {each.name for each in components if origin.node in each.nodes}
    names = holding if len(holding) == 1 else {each.name for each in components}
    return names.pop() if len(names) == 1 else None


def _reached(component: Component) -> int:
    """When a component first became non-finite."""
    writers = component.end.writers if component.end else {}
    return min((writer for group in writers.values() for writer in group), default=0)


def _descends(component: Component, origin: Passage, lineage: Lineage) -> bool:
    if component.end is None:
        return False
    front = {writer for group in component.end.writers.values() for writer in group}
    seen: set[int] = set()
    while front:
        index = front.pop()
        if index == origin.index:
            return True
        if index and index not in seen:
            seen.add(index)
            front |= set(lineage.passages[index - 1].parents)
    return False


def _nodes(start: Any) -> set[int]:
    """The sequence numbers of an autograd graph's nodes."""
    seen, front = set(), [start]
    while front:
        node = front.pop()
        if node is not None and node not in seen:
            seen.add(node)
            front += [following for following, _ in node.next_functions]
    return {node._sequence_nr() for node in seen}
