"""Options that let a program evaluate before it trains.

Without one the first evaluation may be of a training that broke already, and what follows looks learned.
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

_EVALUATE = r"(?:run_|do_)?(?:eval(?:uate|uation)?|val(?:idate|idation)?|test)"
_START = r"(?:on|at|before)_(?:the_)?(?:start(?:up)?|begin(?:ning)?|train(?:ing)?|first_step|init)"
_FIRST = re.compile(rf"{_EVALUATE}_(?:{_START}|first)|(?:initial|first)_{_EVALUATE}")


def first_of(option: Option, value: Any, places: Sequence[Given]) -> Setting | None:
    """None for an option that is no such switch, or is on."""
    is_off = value is False or (option.is_switch and value is None)
    is_one = option.place in (Place.ARGUMENT, Place.FILE) and any(map(_FIRST.fullmatch, option.short_names))
    return Setting(option, False, places) if is_off and is_one else None


def evaluated_first(roles: Roles) -> Roles | None:
    """The roles, with an evaluation before training; None where no option for one is known."""
    return asked(roles, roles.firsts[0], True) if roles.firsts else None
