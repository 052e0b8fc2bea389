"""How a log is read: which of its numbers mean what. Immutable; made by `roles`, used by `structural`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

from stability.logs.fields import Field, is_unnamed
from stability.logs.observation import is_loss
from stability.logs.vocabulary import LOSSES, canonical, meaning

TRAIN, EVALUATE = "train", "evaluate"


class Key(NamedTuple):
    """What makes two numbers of a log the same quantity: the words before it, and its place behind them."""

    name: str
    nth: int
    is_fraction: bool


def key_of(own: Field) -> Key:
    """The key of a field."""
    return Key(canonical(own.name), own.nth, bool(own.most))


class Role(NamedTuple):
    """What a number is taken for: `ours` is step, epoch, lr or a loss; "" for one that only belongs to it.

    `of` are the parts of the data for which this is the one that is recorded. `is_turned`: times -1.
    """

    ours: str
    of: frozenset[str] = frozenset((TRAIN, EVALUATE))
    is_turned: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """`roles` by key; `decimal` is what stands before decimals.

    `is_one_part`: the words for evaluations stand in every line with a loss, so they tell nothing apart.
    `total`: what a total is called. `printed`: how the program writes a name.
    """

    roles: Mapping[Key, Role] = field(default_factory=lambda: MappingProxyType({}))
    decimal: str = "."
    is_one_part: bool = False
    total: str = "total"
    printed: Mapping[Key, str] = field(default_factory=lambda: MappingProxyType({}))

    def key(self, ours: str) -> Key | None:
        """The first key with this role in training."""
        return next((key for key, role in self.roles.items() if role.ours == ours and TRAIN in role.of), None)

    @property
    def is_turned(self) -> bool:
        """Whether any number is recorded times -1."""
        return any(role.is_turned for role in self.roles.values())

    def with_role(self, key: Key, role: Role, printed: str) -> Reading:
        """The same, extended by one."""
        roles = MappingProxyType({**self.roles, key: role})
        names = MappingProxyType({**self.printed, key: printed})
        return Reading(roles, self.decimal, self.is_one_part, self.total, names)


def names_loss(reading: Reading) -> bool:
    """Whether a loss of the training is called one, or has no name at all."""
    return any(
        is_unnamed(key.name) or meaning(key.name).sort in LOSSES
        for key, role in reading.roles.items()
        if role.ours and is_loss(role.ours) and TRAIN in role.of
    )
