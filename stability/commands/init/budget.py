"""How long a trial is: the program's own length where that is short, else as much of it as fits."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stability.commands.init.intervals import ENOUGH
from stability.commands.init.params import Roles
from stability.commands.init.trial_runs import Ran
from stability.records import Outcome

EPOCHS, STEPS = 2, 100
"""At most so long is the first run."""
LONGER = 10
"""So many times longer is a first run that printed too little."""
FEW = 4
"""Of fewer losses nobody can say how they go."""
TRIAL_S = 60
"""A trial of a first study need not take longer."""
LEAST = 8
"""So few losses need a trial that takes longer than that, if the program has them."""
LONGEST_S = 600


@dataclass(frozen=True, slots=True)
class Planned:
    """The budget of a trial, why it is so, about how many losses it prints, and what could not be done."""

    budget: Mapping[str, Any]
    why: str
    losses: float
    lines: list[str]


def shortest(roles: Roles) -> dict[str, Any]:
    """For the first run."""
    own = _own(roles)
    most = {"epochs": EPOCHS, "max_steps": STEPS}
    return {name: min(count, most[name]) for name, count in own.items()} | {"timeout_s": LONGEST_S}


def longer(roles: Roles, first: Ran, most_s: float) -> dict[str, Any] | None:
    """For a first run once more, where it printed too little; None where that would take too long.

    It shows whether a longer training prints more, so it may be longer than the program's own.
    """
    tried = shortest(roles)
    is_short = first.ending is not None and first.silent_s + LONGER * _training_s(first) < most_s
    own = _own(roles)
    if not own or not is_short:
        return None
    return {name: _at_most(own[name], tried[name]) for name in own} | {"timeout_s": LONGEST_S}


def _at_most(own: int, tried: int) -> int:
    return min(own, LONGER * tried) if own > tried else LONGER * tried


def unknown(roles: Roles) -> dict[str, Any]:
    """Where nothing was run."""
    return _whole(_own(roles)) | {"timeout_s": LONGEST_S}


def own_share(roles: Roles, tried: Mapping[str, Any], first: Ran) -> float:
    """How many times as long a trial is that trains as long as the program does by itself, or a minute."""
    own = _own(roles)
    shares = [min(count, _fitting(tried[name], first)) / tried[name] for name, count in own.items()]
    return max(shares, default=1.0)


def planned(
    roles: Roles, tried: Mapping[str, Any], first: Ran, most_s: float, *, grows: bool | None = True
) -> Planned:
    """The budget after a first run with that of `tried`.

    `grows`: a longer training prints more losses; None where nobody knows.
    """
    own, losses = _own(roles), len(first.records.steps)
    if first.ending is None and not own:
        line = f"a run takes longer than {most_s:g} s, and no option for epochs or steps was found"
        return Planned({"timeout_s": LONGEST_S}, "", losses, [line])
    came_to_its_end = first.ending is not None and first.ending.outcome is Outcome.FINISHED
    may_need_more = came_to_its_end and grows is not False and losses > 0
    length = _length if may_need_more else _own_length
    found = {name: length(count, tried[name], first) for name, count in own.items()}
    if not grows:  # no stretching in hope
        found = {name: min(count, max(own[name], tried[name])) for name, count in found.items()}
    share = max((found[name] / tried[name] for name in found), default=1.0)
    timeout_s = min(LONGEST_S, max(60, 10 * math.ceil(first.wall_s * share)))
    printed = losses if grows is False else losses * share
    lines = []
    if came_to_its_end and printed < FEW:
        lines.append(f"a trial prints few losses to judge by (about {printed:.0f}): let it print more often")
    return Planned(found | {"timeout_s": timeout_s}, _why(own, found), printed, lines)


def _own_length(own: int, tried: int, first: Ran) -> int:
    """As long as the program does it by itself, or what fits in a minute of it."""
    return min(own, _fitting(tried, first))


def _length(own: int, tried: int, first: Ran) -> int:
    """Its own length; longer where that prints too few losses to judge by, or cut by less for that reason."""
    losses, fits = len(first.records.steps), _fitting(tried, first)
    needed = math.ceil(tried * ENOUGH / losses)
    found = min(own, fits)
    if found < needed:  # longer than its own, as far as that helps
        found = max(found, needed if needed <= fits else min(fits, math.ceil(tried * LEAST / losses)))
    for count, within_s in ((ENOUGH, 2 * TRIAL_S), (LEAST, LONGEST_S / 2)):
        most = int(tried * _times(first, within_s))
        found = max(found, min(own, math.ceil(tried * count / losses), most))
    return found


def _fitting(tried: int, first: Ran) -> int:
    """So many epochs or steps take a minute or so; at least as many as were tried."""
    return max(tried, _round(tried * _times(first, TRIAL_S)))


def _why(own: Mapping[str, int], found: Mapping[str, int]) -> str:
    remarks = []
    for name, count in found.items():
        if count < own[name]:
            remarks.append(f"of {own[name]}, to take a minute or so")
        elif count > own[name]:
            few = "which print too few losses to judge by; schedules are stretched"
            remarks.append(f"more than {own[name]}, {few}")
    return "; ".join(remarks)


def _times(first: Ran, trial_s: float) -> float:
    """How many times as long as the first run a trial trains within so many seconds.

    Before a program prints a loss it does not train, as far as one can tell. Where all came at once, it
    trained for a part of its time.
    """
    return max(trial_s - first.silent_s, trial_s / 4) / _training_s(first)


def _training_s(first: Ran) -> float:
    least_s = 0.1 if first.has_pace else first.wall_s / 4
    return max(first.wall_s - first.silent_s, least_s, 0.1)


def _round(count: float) -> int:
    """Down, to one digit that is not 0."""
    power = 10 ** max(0, len(str(int(count))) - 1)
    return int(count // power) * power


def _own(roles: Roles) -> dict[str, int]:
    """What the program would do."""
    found = {}
    for name in ("epochs", "max_steps"):
        if name in roles.of_trial:
            count = roles.values.get(name)
            is_count = isinstance(count, int | float) and not isinstance(count, bool) and count >= 1
            found[name] = int(count) if is_count else {"epochs": 1, "max_steps": STEPS}[name]
    return found


def _whole(own: dict[str, int]) -> dict[str, int]:
    return {name: min(count, {"epochs": 3, "max_steps": 500}[name]) for name, count in own.items()}
