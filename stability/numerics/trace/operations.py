"""What kinds of aten operations there are, as far as the way of a non-finite value depends on it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


BLANK = _names("empty empty_like empty_strided empty_permuted new_empty new_empty_strided")
"""Give memory that holds anything, until it is written."""

OVERWRITES = _names(
    "copy_ fill_ zero_ set_ normal_ uniform_ random_ bernoulli_ exponential_ log_normal_ geometric_ cauchy_ "
    "resize_ _foreach_copy_ _foreach_zero_"
)
"""Write all of the tensor they are called on, whatever it held."""

ELEMENTWISE = _names(
    "copy copy_ fill fill_ _to_copy to lift lift_fresh_copy detach_copy alias_copy contiguous native_dropout "
    "native_dropout_backward leaky_relu_backward complex polar masked_fill_ where "
    "_amp_foreach_non_finite_check_and_unscale_"
)
"""Elementwise operations that do not carry torch's `pointwise` tag."""

MOVES = _names(
    "cat stack index index_select gather slice_backward select_backward constant_pad_nd roll flip repeat "
    "triu tril slice_scatter select_scatter take_along_dim embedding masked_select expand_copy view_copy "
    "permute_copy transpose_copy diagonal_backward _reshape_copy split_with_sizes_copy"
)
"""Only move entries about, so that whatever is told of the entries can be moved by them as well."""


MASKS = _names("masked_fill masked_fill_ where fill fill_ full full_like new_full index_fill index_fill_")
"""Put a number that the caller chose where the caller wants it."""

BATCH_NORMS = _names("native_batch_norm cudnn_batch_norm miopen_batch_norm")
WRITES_UNTOLD = dict.fromkeys(BATCH_NORMS, ("running_mean", "running_var"))
"""Arguments that an operation writes although its schema does not say so."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What is known of one operation from its schema and its name."""

    name: str  # aten.add_.Tensor
    base: str  # add_
    is_view: bool
    is_blank: bool
    is_elementwise: bool
    is_move: bool
    is_mask: bool
    is_list: bool  # one independent computation for each entry of its lists
    written: tuple[tuple[int, str], ...]  # position and name of the arguments it writes
    read_too: bool  # whether what it writes is among its inputs


def kind_of_operation(func: Any) -> Kind:
    """Read an operation's schema; `func` is a `torch._ops.OpOverload`."""
    base = func._opname
    arguments = func._schema.arguments
    written = tuple(
        (position, argument.name)
        for position, argument in enumerate(arguments)
        if (argument.alias_info is not None and argument.alias_info.is_write)
        or argument.name in WRITES_UNTOLD.get(base, ())
    )
    is_list = base.startswith(("_foreach_", "_fused_", "_amp_foreach_"))
    out_only = bool(written) and all(arguments[position].kwarg_only for position, _ in written)
    return Kind(
        name=str(func),
        base=base,
        is_view=func.is_view,
        is_blank=base in BLANK,
        is_elementwise=torch.Tag.pointwise in func.tags or base in ELEMENTWISE or is_list,
        is_move=base in MOVES,
        is_mask=base in MASKS,
        is_list=is_list,
        written=written,
        read_too=not (base in OVERWRITES or out_only),
    )


@dataclass(frozen=True, slots=True)
class Call:
    """One call of an operation."""

    func: Any
    kind: Kind
    args: tuple
    kwargs: dict[str, Any]

    def written(self) -> list[Any]:
        """The arguments it writes: tensors or lists of tensors."""
        found = []
        for position, name in self.kind.written:
            value = self.args[position] if position < len(self.args) else self.kwargs.get(name)
            if value is not None:
                found.append(value)
        return found

    def arguments(self) -> list[Any]:
        """The values of all arguments, positional first."""
        return [*self.args, *self.kwargs.values()]

    def argument(self, name: str, default: Any = None) -> Any:
        """The value of the argument called `name` in the schema."""
        for position, argument in enumerate(self.func._schema.arguments):
            if argument.name == name:
                return self.args[position] if position < len(self.args) else self.kwargs.get(name, default)
        return default

    def has_infinite_scalar(self) -> bool:
        """Whether the caller passed ±inf as a plain number: what comes of it is a sentinel."""
        return any(isinstance(value, float) and math.isinf(value) for value in self.arguments())

    def has_nonfinite_scalar(self) -> bool:
        """Whether the caller passed NaN or ±inf as a plain number, or in a list of numbers."""
        return any(
            isinstance(number, float) and not math.isfinite(number)
            for value in self.arguments()
            for number in (value if isinstance(value, (list, tuple)) else (value,))
        )

    def tensors(self) -> Iterator[Tensor]:
        """Every tensor among the arguments."""
        for value in self.arguments():
            if isinstance(value, Tensor):
                yield value
            elif isinstance(value, (list, tuple)):
                yield from (part for part in value if isinstance(part, Tensor))


def computations(call: Call, results: Any) -> Iterator[tuple[list[Tensor], list[Tensor]]]:
    """The independent computations of a call: the tensors that go in and those that come out of each."""
    returned = list(results) if isinstance(results, (list, tuple)) else [results]
    if not call.kind.is_list:
        out = [t for t in _flat([*returned, *call.written()]) if isinstance(t, Tensor)]
        yield list(call.tensors()), list({id(t): t for t in out}.values())
        return
    lists = [value for value in call.arguments() if _is_tensor_list(value)]
    shared = [value for value in call.arguments() if isinstance(value, Tensor)]
    length = max(map(len, lists), default=0)
    outs = [value for value in call.written() if _is_tensor_list(value)]
    outs += [part for part in (returned, *returned) if _is_tensor_list(part)]
    for index in range(length):
        ins = [value[index] for value in lists if len(value) == length]
        yield [*ins, *shared], [value[index] for value in outs if len(value) == length]


def _flat(values: list[Any]) -> Iterator[Any]:
    for value in values:
        if isinstance(value, (list, tuple)):
            yield from value
        else:
            yield value


def _is_tensor_list(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and len(value) > 0 and isinstance(value[0], Tensor)
