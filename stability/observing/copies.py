"""The sleeping copies of one process: which are kept, which is woken."""

from __future__ import annotations

import torch

from stability.observing import sleepers
from stability.observing.sleepers import Sleeper


class Copies:
    """The last copy, and the one before it where iterations overlap."""

    def __init__(self) -> None:
        self._kept: list[Sleeper] = []
        self._ending: list[Sleeper] = []

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def all(self) -> list[Sleeper]:
        """Those that may be woken, the oldest first."""
        return self._kept

    def obstacle(self) -> str | None:
        """Why no copy can be made now; None if one can."""
        return "it uses a GPU" if torch.cuda.is_initialized() else sleepers.obstacle()

    def add(self, copy: Sleeper, *, overlaps: bool) -> None:
        """Keep a new copy and let older ones end; `overlaps`: the last may have begun too late."""
        older = self._kept[-1:] if overlaps else []
        gone = [each for each in self._kept if each not in older]
        self.let_go(gone)
        self._ending = [each for each in (*self._ending, *gone) if not each.has_ended()]
        self._kept = [*older, copy]

    def nearest(self, step: int, *, overlaps: bool) -> Sleeper:
        """The last copy that was made before iteration `step` began, else the oldest."""
        last = step - 1 if overlaps else step
        return next((each for each in reversed(self._kept) if each.step <= last), self._kept[0])

    def let_go(self, copies: list[Sleeper] | None = None) -> None:
        """Let copies end by themselves, all without any named."""
        for each in self._kept if copies is None else copies:
            each.let_end()

    def kill(self) -> None:
        """End all of them now."""
        for each in (*self._kept, *self._ending):
            each.kill()
        self._kept, self._ending = [], []
