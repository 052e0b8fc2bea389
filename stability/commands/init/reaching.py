"""Whether the seed and a parameter reach the training: other values of them print other numbers."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from stability.commands.init.fallbacks import is_lost
from stability.commands.init.params import Roles, StudyParam
from stability.commands.init.trial_runs import Change, Ran

Runs = Callable[[str, Sequence[Change], int], list[Ran]]
"""Runs a program with each change: a name for the runs, the changes, and how many at a time."""
MOVED = 2.0
"""The other value of a number is so many times the usual one."""


class Said(NamedTuple):
    """A sentence, and whether it says that something could not be shown."""

    sentence: str
    is_open: bool = False


def shown(roles: Roles, first: Ran, runs: Runs) -> Iterator[Said]:
    """Sentences about the seed and about the first parameter that is a number.

    Runs once with another seed and once with another value; once more as the first where both differ from it
    from their first number on, which a program that is never the same twice would do too.
    """
    moved = moved_in(roles)
    changes = [Change(seed=1), *([Change(params={moved.name: _other(moved, first)})] if moved else [])]
    ran = runs("others", changes, min(len(changes), os.cpu_count() or 1))
    differ = [_differ(first, other) for other in ran]
    starts_alike = any(other.losses[:1] == first.losses[:1] for other in ran)
    steady = starts_alike or not all(differ) or not _differ(first, runs("same", [Change()], 1)[0])
    yield _of_seed("seed" in roles.of_trial, steady, differ[0])
    if moved:
        yield _of_param(moved.name, steady, differ[1])


def moved_in(roles: Roles) -> StudyParam | None:
    """The first parameter that is a number, which is a learning rate where there is one."""
    return next((param for param in roles.params if "min" in param.range), None)


def _other(param: StudyParam, first: Ran) -> Any:
    """A value of a parameter that is not the usual one; far below it where a training of that is lost."""
    low, high = param.range["min"], param.range["max"]
    value = param.usual * MOVED if low < param.usual * MOVED <= high and not is_lost(first) else low
    return int(value) if isinstance(param.usual, int) else float(value)


def _differ(one: Ran, other: Ran) -> bool:
    """Whether the numbers that both have are not the same, or one training alone is lost."""
    both = min(len(one.losses), len(other.losses))
    return is_lost(one) != is_lost(other) or repr(one.losses[:both]) != repr(other.losses[:both])


def _of_seed(is_told: bool, steady: bool, differs: bool) -> Said:
    if not is_told and differs:
        return Said(
            "no option for a seed was found; runs differ by themselves, and so do trials of an arm", True
        )
    if not is_told:
        return Said(
            "no option for a seed was found, and two runs print the same: trials of an arm are one", True
        )
    if not differs:
        return Said(
            "another seed printed the same numbers: it was not shown that it reaches the training", True
        )
    if not steady:
        return Said("runs with one seed differ too: it was not shown that the seed decides them", True)
    return Said("seed: another one changes what is printed, the same one does not")


def _of_param(name: str, steady: bool, differs: bool) -> Said:
    if not differs:
        return Said(
            f"another {name} printed the same numbers: it was not shown that it reaches the training", True
        )
    if not steady:
        return Said(f"runs differ by themselves: it was not shown that {name} reaches the training", True)
    return Said(f"{name}: another value changes what is printed")
