"""What a program is asked beside its parameters, so that its numbers show more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from stability.commands.init.argv import Given
from stability.commands.init.options import Option

if TYPE_CHECKING:
    from stability.commands.init.params import Roles


@dataclass(frozen=True, slots=True)
class Setting:
    """An option that may be asked for something else than its `value` now, and where the command gives it."""

    option: Option
    value: Any
    places: Sequence[Given] = ()


def asked(roles: Roles, setting: Setting, value: int | bool) -> Roles:
    """The roles, with another value for a setting in its place."""
    name = f"asked {setting.option.name}"
    places, cut = dict(roles.places), set(roles.cut)
    for place in setting.places:
        places[name] = place
        cut |= set(range(place.start, place.end))
    return replace(roles, asked=roles.asked | {name: (setting.option, value)}, places=places, cut=cut)


def as_written(option: Option, value: int | bool) -> str:
    """A value as the command has it."""
    if isinstance(value, bool):
        return str(value) if option.is_python else str(value).lower()
    return str(value)


def told(roles: Roles) -> list[str]:
    """What is asked, and for what: `--log-interval 2 instead of 5, for more losses to judge by`."""
    before = {id(own.option): own.value for own in roles.intervals}
    shorter, first = [], []
    for option, value in roles.asked.values():
        flag = option.flag.removesuffix("=")
        if id(option) in before:
            shorter.append(f"{flag} {value} instead of {before[id(option)]}")
        else:
            first.append(flag)
    return [
        *([f"{', '.join(shorter)}, for more losses to judge by"] if shorter else []),
        *([f"{', '.join(first)}, to see what is learned from the start on"] if first else []),
    ]
