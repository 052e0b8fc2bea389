"""Where the held-out formats are registered, apart from `FORMATS`; nothing here knows how logs are read."""

from __future__ import annotations

from collections.abc import Callable

from ..form import FORMATS, Format, Training, Write, training

BLIND: dict[str, Format] = {}


def blind_format(name: str, source: str) -> Callable[[Write], Write]:
    """Register a function as a held-out format, under a name that no other format has."""

    def register(write: Write) -> Write:
        if name in BLIND or name in FORMATS:
            raise ValueError(f"there are two formats {name!r}")
        BLIND[name] = Format(name, source, write)
        return write

    return register


def resized(t: Training, *, epochs: int, steps: int, start: float = 4.2) -> Training:
    """The same kind of training with other sizes, for programs that print few lines, or thousands."""
    return training(t.ends, lr=t.lr, seed=t.seed, start=start, epochs=epochs, steps_an_epoch=steps)
