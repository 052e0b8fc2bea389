"""How long a trial is: the program's own length where that is short, else as much of it as fits."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

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
ENOUGH = 32
"""So many losses tell a flat course from a slow one; with fewer than that of its own it trains longer."""
LONGEST_S = 600


def shortest(roles: Roles) -> dict[str, Any]:
    """For the first run."""
    own = _own(roles)
    most = {"epochs": EPOCHS, "max_steps": STEPS}
    return {name: min(count, most[name]) for name, count in own.items()} | {"timeout_s": LONGEST_S}


def longer(roles: Roles, first: Ran, most_s: float) -> dict[str, Any] | None:
    """For a first run once more, where it printed too little; None where that would take too long."""
    own, tried = _own(roles), shortest(roles)
    is_short = first.ending is not None and LONGER * first.wall_s < most_s
    found = {name: min(count, LONGER * tried[name]) for name, count in own.items()}
    can_be = any(count > tried[name] for name, count in found.items())
    return found | {"timeout_s": LONGEST_S} if is_short and can_be else None


def unknown(roles: Roles) -> dict[str, Any]:
    """Where nothing was run."""
    return _whole(_own(roles)) | {"timeout_s": LONGEST_S}


def planned(
    roles: Roles, tried: Mapping[str, Any], first: Ran, most_s: float
) -> tuple[dict[str, Any], str, list[str]]:
    """The budget after a first run with that of `tried`, why it is so, and what could not be done."""
    own = _own(roles)
    if first.ending is None and not own:
        line = f"a run takes longer than {most_s:g} s, and no option for epochs or steps was found"
        return {"timeout_s": LONGEST_S}, "", [line]
    losses, remarks, found = len(first.records.steps), [], {}
    came_to_its_end = first.ending is not None and first.ending.outcome is Outcome.FINISHED
    for name, count in own.items():
        fits = max(tried[name], _round(tried[name] * TRIAL_S / max(first.wall_s, 0.1)))
        found[name] = min(count, fits)
        needed = math.ceil(tried[name] * ENOUGH / max(losses, 1))
        if found[name] < needed and came_to_its_end:
            found[name] = min(max(needed, found[name]), fits)
    for name in found:
        if found[name] < own[name]:
            remarks.append(f"of {own[name]}, to take about a minute")
        elif found[name] > own[name]:
            remarks.append(f"more than {own[name]}, which print too few losses to judge by")
    share = max((found[name] / tried[name] for name in found), default=1.0)
    timeout_s = min(LONGEST_S, max(60, 10 * math.ceil(first.wall_s * share)))
    lines = []
    if came_to_its_end and losses * share < FEW:
        lines.append(
            f"about {losses * share:.0f} losses a trial are few to judge by: let it print more often"
        )
    return found | {"timeout_s": timeout_s}, "; ".join(remarks), lines


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
