"""What a command gives a program's options: where it stands, in which spelling, and its text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from stability.commands.init.options import Option, Place


@dataclass(frozen=True, slots=True)
class Given:
    """An option in a command: the items from `start` to `end`, which are `before` and the value.

    `before` is `--lr` for `--lr 1`; for `--lr=1` it is `--lr=`, glued to the value.
    """

    start: int
    end: int
    before: str
    is_glued: bool
    text: str | bool

    def again(self, value: str) -> list[str]:
        """The same items with another value."""
        return [self.before + value] if self.is_glued else [self.before, value]


def given(command: Sequence[str], option: Option, options: Sequence[Option]) -> list[Given]:
    """All places of an option in a command. `options` are all that the program has."""
    if option.place is not Place.ARGUMENT:
        return []
    start, end = own_arguments(command, options)
    if not option.flag.startswith("-"):
        end = len(command)  # `-- SOLVER.BASE_LR 0.1`: words are no options, so they may stand behind
    known = _spellings(options)
    found = (_at(command, i, end, option, known) for i in range(start, end))
    return [one for one in found if one is not None]


def own_arguments(command: Sequence[str], options: Sequence[Option]) -> tuple[int, int]:
    """Where the options of the program itself begin, after its launcher's, and where they end, at `--`."""
    is_python = Path(command[0]).name.startswith(("python", "pypy"))
    known = set() if is_python else _spellings(options)
    start = 1
    for i, item in enumerate(command[1:], start=1):
        if item in known and not _is_script(command, i + 1):
            break  # there is no launcher
        if _is_script(command, i) and command[i - 1] not in known:
            start = i + 1
            break
    rest = [i for i in range(start, len(command)) if command[i] == "--"]
    return start, rest[0] if rest else len(command)


def _spellings(options: Sequence[Option]) -> set[str]:
    own = [option for option in options if option.place is Place.ARGUMENT]
    return {spelling for option in own for spelling in option.spellings}


def _is_script(command: Sequence[str], i: int) -> bool:
    return i < len(command) and (command[i].endswith((".py", ".sh")) or command[i - 1] == "-m")


def _at(command: Sequence[str], i: int, end: int, option: Option, known: set[str]) -> Given | None:
    item = command[i]
    if option.flag.endswith("="):
        return _of_hydra(item, i, option.flag)
    if option.is_switch:
        if item in option.spellings or item == option.off:
            return Given(i, i + 1, item, True, item != option.off)
        return None
    for spelling in _spelled(item.partition("=")[0], option, known):
        if item == spelling and i + 1 < end:
            return Given(i, i + 2, item, False, command[i + 1])
        if item.startswith(f"{spelling}="):
            return Given(i, i + 1, f"{spelling}=", True, item.removeprefix(f"{spelling}="))
    short = next((own for own in option.spellings if len(own) == 2 and item.startswith(own)), None)
    if short is not None and item not in known and not item.startswith("--") and _is_number(item[2:]):
        return Given(i, i + 1, short, True, item[2:])
    return None


def _of_hydra(item: str, i: int, flag: str) -> Given | None:
    """Hydra adds with `+` and `++`."""
    bare = item.lstrip("+")
    if not bare.startswith(flag):
        return None
    return Given(i, i + 1, item[: len(item) - len(bare)] + flag, True, bare.removeprefix(flag))


def _spelled(word: str, option: Option, known: set[str]) -> Iterator[str]:
    """The word, if it is a spelling of the option, or the beginning of one and of no other option's."""
    if word in option.spellings:
        yield word
    elif len(word) > 2 and word.startswith("--"):
        longer = {spelling for spelling in known if spelling.startswith(word)}
        if word not in known and longer and longer <= set(option.spellings):
            yield word


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
