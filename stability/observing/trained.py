"""What a program trains, as far as it has shown: optimizers, modules, and the tensors that they hold."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from torch import Tensor, nn

from stability.observing.finiteness import first_nonfinite, state_of, weights_of
from stability.observing.names import names_of

LAST_LOOK = "_stability_last_look"
"""An attribute of optimizers, which goes with them."""


class Trained:
    """Keeps nothing alive."""

    def __init__(self, goes: Callable[[Any], None]) -> None:
        """`goes` is told the weights and the state of an optimizer that the program lets go."""
        self._goes = goes
        self._optimizers: weakref.WeakSet = weakref.WeakSet()
        self._roots: list[weakref.ref[nn.Module]] = []
        self._parts: set[int] = set()  # the modules below them
        self._masks: set[str] = set()  # buffers that were not finite before they were first used
        self.by_hand = True
        """Whether weights are updated without an optimizer: the next iteration begins before one ends."""

    def made(self, optimizer: Any) -> bool:
        """An optimizer has got weights; False if that is known."""
        known = optimizer in self._optimizers
        self._optimizers.add(optimizer)
        self.by_hand = False
        return not known

    def stepped(self, optimizer: Any) -> None:
        """See to it that its state is looked at when it goes."""
        own = vars(optimizer)
        if LAST_LOOK not in own:
            own[LAST_LOOK] = _LastLook(self._goes)
        own[LAST_LOOK].state, own[LAST_LOOK].param_groups = optimizer.state, optimizer.param_groups

    def called(self, module: nn.Module) -> None:
        """A module is called, by the program or by another module."""
        if id(module) in self._parts:
            return
        parts = {id(part) for part in module.modules()}
        self._roots = [root for root in self._roots if id(root()) not in parts]
        self._roots.append(weakref.ref(module))
        self._parts |= parts
        buffers = module.named_buffers()
        self._masks |= {name for name, buffer in buffers if first_nonfinite([(name, buffer)])}

    def optimizers(self) -> list[Any]:
        """Those that are ready to step."""
        return [each for each in list(self._optimizers) if getattr(each, "param_groups", None)]

    def names(self) -> Mapping[int, str]:
        """The name of each weight, by its identity."""
        return names_of(root() for root in self._roots)

    def everything(self) -> Iterator[tuple[str, Tensor]]:
        """Weights, optimizer state and buffers, as far as they are known."""
        for optimizer in self.optimizers():
            yield from weights_of(optimizer)
        yield from self.kept()
        for root in self._roots:
            if (module := root()) is not None:
                yield from ((f"weight {name}", weight) for name, weight in module.named_parameters())
                buffers = [(name, each) for name, each in module.named_buffers() if name not in self._masks]
                yield from ((f"buffer {name}", buffer) for name, buffer in buffers)

    def kept(self) -> Iterator[tuple[str, Tensor]]:
        """What the optimizers keep."""
        for optimizer in self.optimizers():
            yield from state_of(optimizer)


class _LastLook:
    """Goes with its optimizer; has hold of the same weights and state, and of nothing else."""

    def __init__(self, goes: Callable[[Any], None]) -> None:
        self._goes = goes
        self.state: Mapping[Any, Any] = {}
        self.param_groups: list[Any] = []

    def __del__(self) -> None:
        self._goes(self)
