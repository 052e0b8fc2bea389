"""How a kind of writing is registered: a function, a training -> its files."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping

from formats.form import Training

Write = Callable[[Training], Mapping[str, str]]
KINDS: dict[str, Write] = {}


def kind(write: Callable[[Training], Iterator[str]]) -> Write:
    """Register a function that yields the lines of one log."""

    def lines(t: Training) -> Mapping[str, str]:
        return {"train.log": "".join(f"{line}\n" for line in write(t))}

    return _registered(write.__name__, lines)


def file(name: str) -> Callable[[Callable[[Training], str]], Write]:
    """Register a function that makes the text of a file of this name."""

    def register(write: Callable[[Training], str]) -> Write:
        def made(t: Training) -> Mapping[str, str]:
            return {name: write(t)}

        return _registered(write.__name__, made)

    return register


def files(write: Write) -> Write:
    """Register a function that makes several files, by name."""
    return _registered(write.__name__, write)


def _registered(name: str, write: Write) -> Write:
    if name in KINDS:
        raise ValueError(f"there are two kinds {name!r}")
    KINDS[name] = write
    return write


def spelled(value: float, nan: str, form: str = ".4f") -> str:
    """The number, or another word where it is NaN."""
    return nan if math.isnan(value) else format(value, form)
