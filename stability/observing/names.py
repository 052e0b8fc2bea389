"""What weights and losses are called."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import FrameType

from torch import Tensor, nn

from stability.numerics.trace.frames import is_user_file


def names_of(roots: Iterable[nn.Module | None]) -> Mapping[int, str]:
    """The name of each weight of these modules, by its identity."""
    known = [root for root in roots if root is not None]
    return {id(weight): name for root in known for name, weight in root.named_parameters()}


def losses_in(frame: FrameType | None, differentiated: Sequence[Tensor]) -> dict[str, Tensor]:
    """The variables of the user's line that called `backward` which are losses, by name.

    Losses have one element and a graph; what was differentiated is not named where it is the only one.
    """
    while frame is not None and not is_user_file(frame.f_code.co_filename):
        frame = frame.f_back
    if frame is None:
        return {}
    found = {
        name: value
        for name, value in frame.f_locals.items()
        if isinstance(value, Tensor) and value.numel() == 1 and value.grad_fn is not None
    }
    roots = {id(tensor) for tensor in differentiated}
    parts = {name: value for name, value in found.items() if id(value) not in roots}
    return parts if len(parts) > 1 else found
