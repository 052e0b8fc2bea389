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
FEWER = "it fails when it is told more than was given, so only what was given is studied"


def is_lost(ran: Ran) -> bool:
    """Whether its training was lost: it was stopped, or ended itself saying that a number was not finite."""
    return ran.ending is not None and (ran.ending.outcome is Outcome.STOPPED or names_nonfinite(_error(ran)))


def has_failed(ran: Ran) -> bool:
    """Whether the program itself failed, and before any number; a log that is not read is no such failure."""
    return not ran.losses and not is_lost(ran) and _OF_PROGRAM.search(_error(ran)) is not None


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
