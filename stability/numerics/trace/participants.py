"""The modules, weights and optimizers that a step turned out to use, and their names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from types import FrameType
from typing import Any

from torch import Tensor, nn

from stability.numerics.trace.batch import Batch
from stability.numerics.trace.frames import Sight, containers
from stability.numerics.trace.memory import address
from stability.numerics.trace.operations import Call
from stability.numerics.trace.tensors import tensors_in


class Participants:
    """Who takes part in a step, in the order of appearance."""

    def __init__(self) -> None:
        self._outermost: dict[int, nn.Module] = {}
        self._called: set[int] = set()
        self._leaves: dict[int, Tensor] = {}
        self._optimizers: dict[int, Any] = {}
        self._weights: set[int | None] = set()  # addresses of storages
        self._buffers: set[int | None] = set()

    def met(self, sight: Sight, call: Call, batch: Batch) -> None:
        """Note who an operation was called by and on."""
        for tensor in call.tensors():
            if tensor.requires_grad and tensor.is_leaf and id(tensor) not in self._leaves:
                self._leaves[id(tensor)] = tensor
                self._weights.add(address(tensor))
        if sight.optimizer is not None and id(sight.optimizer) not in self._optimizers:
            self._optimizers[id(sight.optimizer)] = sight.optimizer
            self._weights |= {address(weight) for weight in _grouped(sight.optimizer)}
        if sight.site.modules and id(sight.site.modules[0]) not in self._outermost:
            self._joined(sight, batch)
        for frame in sight.calls:
            self._hinted(frame, batch)

    def is_weight(self, tensor: Tensor) -> bool:
        """Whether a tensor is (a view of) a weight or a buffer of what was met so far."""
        place = address(tensor)
        return (tensor.requires_grad and tensor.is_leaf) or place in self._weights or place in self._buffers

    def is_buffer(self, tensor: Tensor) -> bool:
        """Whether a tensor is (a view of) a buffer of a module that was met."""
        return address(tensor) in self._buffers

    @property
    def roots(self) -> list[nn.Module]:
        """The modules that are part of no other that was met."""
        met = list(self._outermost.values())
        parts = {id(part) for module in met for part in module.modules() if part is not module}
        return [module for module in met if id(module) not in parts]

    def path(self, modules: Sequence[nn.Module]) -> str | None:
        """The path of the last of nested modules below the outermost; None for the outermost itself."""
        if not modules:
            return None
        above = next((root for root in self.roots if _name(root, modules[0]) is not None), modules[0])
        parts: list[str] = []
        inner = above
        for module in modules:
            name = _name(inner, module)
            if name is None:  # called from a module that does not hold it
                parts, name = [], _name(above, module)
            if name is None:
                return None
            parts += [name] if name else []
            inner = module
        return ".".join(parts) or None

    def weights(self) -> Iterator[tuple[str, Tensor]]:
        """Every weight once, with its name."""
        seen: set[int] = set()
        for name, weight in self._named_weights():
            if id(weight) not in seen:
                seen.add(id(weight))
                yield name, weight

    def buffers(self) -> Iterator[tuple[str, Tensor]]:
        """The buffers of all modules."""
        for root in self.roots:
            yield from root.named_buffers()

    def state(self) -> Iterator[tuple[str, Tensor]]:
        """What the optimizers keep for each weight, as `exp_avg of encoder.weight`."""
        names = {id(weight): name for name, weight in self.weights()}
        for optimizer in self._optimizers.values():
            for weight, kept in list(optimizer.state.items()):
                of = names.get(id(weight))
                for key, value in kept.items() if isinstance(kept, dict) else ():
                    for tensor in tensors_in(value):
                        yield f"{key} of {of}" if of else str(key), tensor

    def name_of(self, tensor: Tensor) -> str | None:
        """What a tensor is called as something that a step finds: `weight encoder.weight`."""
        place = address(tensor)
        weights = list(self.weights())
        named = [(f"weight {name}", weight) for name, weight in weights]
        named += [(f"buffer {name}", buffer) for name, buffer in self.buffers()]
        named += [(f"optimizer state {name}", kept) for name, kept in self.state()]
        named += [(f"gradient of {name}", w.grad) for name, w in weights if w.grad is not None]
        return next((name for name, each in named if address(each) == place), None)

    def _named_weights(self) -> Iterator[tuple[str, Tensor]]:
        for root in self.roots:
            yield from root.named_parameters()
        for optimizer in self._optimizers.values():
            for number, weight in enumerate(_grouped(optimizer)):
                yield f"{number} of {type(optimizer).__name__}", weight
        for leaf in self._leaves.values():
            yield f"of shape {tuple(leaf.shape)}", leaf

    def _joined(self, sight: Sight, batch: Batch) -> None:
        """An outermost module not met before, or one that holds it in a variable of the user's frames."""
        module = sight.site.modules[0]
        holders = [held for held in containers(sight.user) if _name(held, module)]
        largest = max(holders, key=lambda held: sum(1 for _ in held.modules()), default=None)
        for each in (module, largest):
            if each is not None:
                self._outermost[id(each)] = each
                self._weights |= {address(weight) for weight in each.parameters()}
                self._buffers |= {address(buffer) for buffer in each.buffers()}
        if sight.calls and not sight.loading:  # a loader's transforms see items
            batch.model_called(list(_inputs(sight.calls[0])))

    def _hinted(self, frame: FrameType, batch: Batch) -> None:
        module = frame.f_locals["self"]
        if id(module) in self._called:
            return
        self._called.add(id(module))
        if isinstance(getattr(module, "batch_first", None), bool):
            first = next(_inputs(frame), None)
            if first is not None and first.ndim == 3:
                batch.hinted(first, 0 if module.batch_first else 1)


def _inputs(call: FrameType) -> Iterator[Tensor]:
    """The tensors that a module was called with."""
    yield from tensors_in([call.f_locals.get("args", ()), call.f_locals.get("kwargs", {})])


def _grouped(optimizer: Any) -> Iterator[Tensor]:
    for group in optimizer.param_groups:
        yield from group["params"]


def _name(above: nn.Module, module: nn.Module) -> str | None:
    named = above.named_modules(remove_duplicate=False)
    return next((name for name, part in named if part is module), None)
