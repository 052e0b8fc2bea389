"""How often a program prints its losses: options that say so, and a shorter interval where they are few.

Few losses tell little of a training. A shorter interval gives more of the same training: its length stays,
and every schedule that depends on it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from stability.commands.init.argv import Given
from stability.commands.init.asking import Setting, asked
from stability.commands.init.options import Option, Place

if TYPE_CHECKING:
    from stability.commands.init.params import Roles

ENOUGH = 32
"""So many losses tell a flat course from a slow one."""
WANTED = 100
"""A program that is asked to print more often prints about so many."""
_PRINTS = r"(?:log(?:ging|ger)?|print(?:ing)?|report(?:ing)?|disp(?:lay)?|show|summary)"
_OFTEN = r"(?:every(?:_?n)?|interval|freq(?:uency)?|period)"
_UNIT = r"(?:steps?|iters?|iterations?|batch(?:es)?|updates?)"
_INTERVAL = re.compile(
    rf"(?:[a-z]+_)?{_PRINTS}_?(?:{_OFTEN}(?:_{_UNIT})?|(?:per_)?{_UNIT})|{_UNIT}_per_{_PRINTS}|every_{_PRINTS}"
)
_NO_LOSS = {"eval", "val", "valid", "test", "image", "images", "audio", "sample", "save", "grad", "model"}


def interval_of(option: Option, value: Any, places: Sequence[Given]) -> Setting | None:
    """None for an option that is no such interval, or one that cannot be shorter."""
    is_number = isinstance(value, int) and not isinstance(value, bool) and value > 1
    has_name = option.place is not Place.ITEM and any(map(_is_interval, option.short_names))
    return Setting(option, value, places) if is_number and has_name else None


def shorter(roles: Roles, losses: float) -> Roles | None:
    """The roles, with intervals so short that about `WANTED` losses are printed where `losses` are now.

    None where there are enough, or no interval is known.
    """
    if losses >= ENOUGH or not roles.intervals:
        return None
    for own in roles.intervals:
        roles = asked(roles, own, _round(own.value * max(losses, 1.0) / WANTED))
    return roles


def _is_interval(name: str) -> bool:
    return _INTERVAL.fullmatch(name) is not None and not set(name.split("_")) & _NO_LOSS


def _round(count: float) -> int:
    """Down, to one digit that is not 0, and to 1 at least."""
    power = 10 ** max(0, len(str(int(count))) - 1)
    return max(1, int(count // power) * power)
