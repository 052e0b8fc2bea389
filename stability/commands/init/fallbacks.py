"""Other ways to start a program that ends badly as a trial: other places for its outputs, or fewer words."""

from __future__ import annotations

import re
from dataclasses import replace

from stability.commands.init.options import Option, Place
from stability.commands.init.outputs import FOLDER
from stability.commands.init.params import Roles
from stability.commands.init.trial_runs import Ran
from stability.judging.last_words import names_nonfinite
from stability.records import Outcome

_IN_THE_WAY = re.compile(r"FileExistsError|[Ee]xists|not empty|IsADirectoryError|is a directory")
_OF_PROGRAM = re.compile(r"exit status \d|ended by ")
_UNREAD = re.compile(r"; (?=parse\.\w+ found no line|nothing in [\d,]+ )")
_NONFINITE = re.compile(r"^.*(?<![\w.])(?:nan|[-+]?inf)(?![\w.]).*$", re.IGNORECASE | re.MULTILINE)
FEWER = "it fails when it is told more than was given, so only what was given is studied"


def is_lost(ran: Ran) -> bool:
    """Whether its training was lost: it was stopped, or ended itself saying that a number was not finite."""
    return ran.ending is not None and (ran.ending.outcome is Outcome.STOPPED or names_nonfinite(_error(ran)))


def has_failed(ran: Ran) -> bool:
    """Whether the program itself failed, and before any number; a log that is not read is no such failure."""
    return not ran.losses and not is_lost(ran) and _OF_PROGRAM.search(_error(ran)) is not None


def why_nothing(ran: Ran) -> str:
    """Why a run has no losses, and what to mend."""
    if is_lost(ran):
        return f"its training is lost before any number is read: {end_of(ran)}"
    if (line := _lost_line(ran)) is not None:
        return f"its training is lost before any number is read: it printed {line!r}"
    if has_failed(ran):
        asks = "; nobody answers in a trial: let it ask nothing" if "EOFError" in _error(ran) else ""
        return f"the program failed in its first run: {end_of(ran)}{asks}"
    still = "it was still running; allow it more with --timeout" if ran.ending is None else "it ended"
    after = f"in its first run, and after {ran.wall_s:.0f} s {still}"
    if not ran.printed.strip():
        return f"the program printed nothing {after}"
    return f"no training loss was read {after}; let it print one, or say in `parse` how: docs/command.md"


def is_worth_a_study(ran: Ran) -> bool:
    """Whether a run without losses has a verdict all the same."""
    return is_lost(ran) or _lost_line(ran) is not None


def _lost_line(ran: Ran) -> str | None:
    """The first line with a number that is not finite."""
    found = _NONFINITE.search(ran.printed.decode("utf-8", errors="replace"))
    return None if found is None else found[0].strip()[:200]


def end_of(ran: Ran) -> str:
    """How its program ended, in its own words; what could not be read then is left out."""
    words = _error(ran).removeprefix("CommandFailed: ")
    return _UNREAD.split(words, maxsplit=1)[0]


def wants_no_folder(ran: Ran) -> bool:
    """Whether it failed since the folder that it is told is there already."""
    return has_failed(ran) and _IN_THE_WAY.search(_error(ran)) is not None


def with_new_folders(roles: Roles) -> Roles:
    """Each output folder under a name of its own, which nothing has yet."""
    outputs = {
        name: (option, f"{FOLDER}/{option.short_names[0]}" if path == FOLDER else path)
        for name, (option, path) in roles.outputs.items()
    }
    return replace(roles, outputs=outputs)


def only_given(roles: Roles) -> Roles | None:
    """Without what is told beside what was given; None where nothing is, or nothing to study is left."""

    def stays(name: str, option: Option) -> bool:
        return name in roles.places or option.place is not Place.ARGUMENT

    params = [param for param in roles.params if stays(param.name, param.option)]
    of_trial = {name: option for name, option in roles.of_trial.items() if stays(name, option)}
    outputs = {name: own for name, own in roles.outputs.items() if stays(name, own[0])}
    fewer = replace(roles, params=params, of_trial=of_trial, outputs=outputs, lines=[*roles.lines, FEWER])
    return fewer if params and _count(fewer) < _count(roles) else None


def _count(roles: Roles) -> int:
    return len(roles.params) + len(roles.of_trial) + len(roles.outputs)


def _error(ran: Ran) -> str:
    return "" if ran.ending is None else ran.ending.error or ""
