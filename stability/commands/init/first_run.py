"""Runs the program as a trial: are its numbers read, and do parameters and seed reach the training?"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from stability.commands.init import budget, reading, study_file
from stability.commands.init.options import Option, Place
from stability.commands.init.outputs import FOLDER
from stability.commands.init.params import Roles, StudyParam
from stability.commands.init.reading import Reading
from stability.commands.init.study_file import ARM, Draft
from stability.commands.init.trial_runs import Change, Ran, run
from stability.records import Outcome
from stability.spec import StudySpec

Check = Callable[[Draft], StudySpec]
MOVED = 2.0
"""The other value of a number in the second run is so many times the usual one."""


@dataclass(slots=True)
class Shown:
    """What the runs showed: the draft as it is now, and sentences for whoever waits for it."""

    draft: Draft
    sentences: list[str] = field(default_factory=list)

    def cannot(self, line: str) -> None:
        """Something that could not be done: said, and written into the file."""
        self.draft = replace(self.draft, lines=[*self.draft.lines, line])


def try_out(draft: Draft, check: Check, most_s: float) -> Shown:
    """The draft after a first run of at most `most_s` seconds, and two that show what reaches the training.

    `check` validates a draft. Nothing of the runs is left.
    """
    shown = Shown(draft)
    short = replace(draft, budget=budget.shortest(draft.roles))
    with tempfile.TemporaryDirectory(prefix="stability-init-") as folder, _noting(Path()) as new_files:
        first, short = _first(short, check, Path(folder), most_s)
        shown.draft = replace(
            draft, parse=short.parse, yardstick=short.yardstick, roles=short.roles, lines=short.roles.lines
        )
        if _is_read(shown, first, most_s):
            own, why, lines = budget.planned(short.roles, first, most_s)
            shown.draft = replace(shown.draft, budget=own, why=why)
            for line in lines:
                shown.cannot(line)
            _show_what_reaches(shown, first, short, check, Path(folder), most_s)
    if left := new_files():
        shown.cannot(f"it also writes {', '.join(left)}, which trials side by side share")
    return shown


def _first(draft: Draft, check: Check, folder: Path, most_s: float) -> tuple[Ran, Draft]:
    """The first run, with outputs where the program accepts them, and its numbers read as it prints them."""
    ran = _once(draft, check, folder / "first", most_s)
    if _was_in_the_way(ran):
        draft = replace(draft, roles=replace(draft.roles, outputs=_own_names(draft.roles.outputs)))
        ran = _once(draft, check, folder / "again", most_s)
    if _crashed(ran) and (fewer := _only_given(draft.roles)) is not None:
        barer = replace(draft, roles=fewer)
        again = _once(barer, check, folder / "barer", most_s)
        ran, draft = (ran, draft) if _crashed(again) else (again, barer)
    found = reading.read(ran.printed)
    if found.has_loss and found.parse != draft.parse:
        draft = replace(draft, parse=found.parse, yardstick=found.losses)
        ran = _once(draft, check, folder / "read", most_s)
    return ran, draft


def _once(draft: Draft, check: Check, folder: Path, most_s: float) -> Ran:
    [ran] = run(check(draft), ARM, [Change()], folder, most_s, 1)
    return ran


def _crashed(ran: Ran) -> bool:
    """Whether the program itself failed, and before any number; a log that is not read is no such failure."""
    words = "" if ran.ending is None else ran.ending.error or ""
    return not ran.losses and re.search(r"exit status \d|ended by ", words) is not None


def _only_given(roles: Roles) -> Roles | None:
    """Without what the command would be told beside what it has; None where that leaves nothing to study."""

    def stays(name: str, option: Option) -> bool:
        return name in roles.places or option.place is not Place.ARGUMENT

    params = [param for param in roles.params if stays(param.name, param.option)]
    of_trial = {name: option for name, option in roles.of_trial.items() if stays(name, option)}
    outputs = {name: (option, path) for name, (option, path) in roles.outputs.items() if stays(name, option)}
    if not params or len(params) + len(of_trial) + len(outputs) == len(_placed(roles)):
        return None
    line = "it fails when it is told more than was given, so only what was given is studied"
    return replace(roles, params=params, of_trial=of_trial, outputs=outputs, lines=[*roles.lines, line])


def _placed(roles: Roles) -> list[str]:
    return [*roles.of_trial, *roles.outputs, *(param.name for param in roles.params)]


def _was_in_the_way(ran: Ran) -> bool:
    """Whether it ended since the folder that it is told is there already."""
    failed = ran.ending is not None and ran.ending.outcome is Outcome.CRASHED
    return (
        failed
        and re.search(r"FileExistsError|[Ee]xists|not empty|IsADirectoryError", ran.ending.error or "")
        is not None
    )


def _own_names(outputs: Mapping[str, Any]) -> dict[str, Any]:
    """Each output under a name of its own, which nothing has yet."""
    return {
        name: (option, f"{FOLDER}/{option.short_names[0]}" if path == FOLDER else path)
        for name, (option, path) in outputs.items()
    }


def _is_read(shown: Shown, first: Ran, most_s: float) -> bool:
    """Whether the first run gave numbers; says what it gave."""
    if first.losses:
        took = f"{first.wall_s:.1f} s" if first.ending else f"it was ended after {most_s:g} s"
        shown.sentences.append(f"first run: {took}, {len(first.records.steps)} steps read{_from_to(first)}")
        return True
    words = "it was still running" if first.ending is None else first.ending.error or "it ended well"
    shown.cannot(f"the first run gave no number that is read within {first.wall_s:.0f} s: {words}")
    return False


def _from_to(first: Ran) -> str:
    steps = [step for step in first.records.steps if step.losses]
    if not steps:
        return ""
    name = next(iter(steps[0].losses))
    last = steps[-1].losses.get(name, steps[-1].total)
    return f", {name} from {steps[0].losses[name]:.4g} to {last:.4g}" if last is not None else ""


def _show_what_reaches(
    shown: Shown, first: Ran, draft: Draft, check: Check, folder: Path, most_s: float
) -> None:
    """Runs with another seed and with another value of the first parameter that is a number."""
    roles = draft.roles
    moved = next((param for param in roles.params if "min" in param.range), None)
    changes = [Change(seed=1)] + ([Change(params={moved.name: _other(moved)})] if moved else [])
    jobs = min(len(changes), os.cpu_count() or 1)
    other, *changed = run(check(draft), ARM, changes, folder / "others", most_s, jobs)
    has_seed = "seed" in roles.of_trial
    same_start = bool(changed) and changed[0].losses[:1] == first.losses[:1] and bool(first.losses)
    steady = same_start or not _differ(first, other)
    if not steady and has_seed and (_differ(first, other) or changed):
        [again] = run(check(draft), ARM, [Change()], folder / "same", most_s, 1)
        steady = not _differ(first, again)
    _say_of_seed(shown, has_seed, steady, _differ(first, other))
    if moved:
        _say_of_param(shown, moved.name, steady or same_start, _differ(first, changed[0]))


def _other(param: StudyParam) -> Any:
    """A value of a parameter that is not the usual one."""
    low, high = param.range["min"], param.range["max"]
    value = param.usual * MOVED if low < param.usual * MOVED <= high else low
    return int(value) if isinstance(param.usual, int) else float(value)


def _differ(one: Ran, other: Ran) -> bool:
    """Whether the numbers that both have are not the same."""
    both = min(len(one.losses), len(other.losses))
    return repr(one.losses[:both]) != repr(other.losses[:both])


def _say_of_seed(shown: Shown, has_seed: bool, steady: bool, differs: bool) -> None:
    if not has_seed and differs:
        shown.cannot(
            "no option for a seed was found; runs differ by themselves, so trials of an arm differ too"
        )
    elif not has_seed:
        shown.cannot(
            "no option for a seed was found, and two runs print the same: trials of an arm are one trial"
        )
    elif not differs:
        shown.cannot(
            "another seed printed the same numbers: it was not shown that the seed reaches the training"
        )
    elif steady:
        shown.sentences.append("seed: another one changes what is printed, the same one does not")
    else:
        shown.cannot("runs with one seed differ too: it was not shown that the seed decides them")


def _say_of_param(shown: Shown, name: str, steady: bool, differs: bool) -> None:
    if differs and steady:
        shown.sentences.append(f"{name}: another value changes what is printed")
    elif differs:
        shown.cannot(f"runs differ by themselves: it was not shown that {name} reaches the training")
    else:
        shown.cannot(
            f"another {name} printed the same numbers: it was not shown that it reaches the training"
        )


class _noting:
    """Notes which files are new in a folder, two levels deep, when it is asked."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __enter__(self) -> Callable[[], Sequence[str]]:
        before = self._names()
        return lambda: sorted(self._names() - before)[:4]

    def __exit__(self, *_: object) -> None:
        return None

    def _names(self) -> set[str]:
        found = [*self._folder.glob("*"), *self._folder.glob("*/*")]
        return {str(path) for path in found if "__pycache__" not in path.parts}


def read_log(draft: Draft, printed: bytes) -> tuple[Draft, Reading]:
    """The draft for a program of which an earlier run's log is there."""
    found = reading.read(printed)
    return (replace(draft, parse=found.parse, yardstick=found.losses) if found.has_loss else draft), found


__all__ = ["Shown", "read_log", "study_file", "try_out"]
