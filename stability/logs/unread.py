"""Places where a number should have been and none was: how many, what stood there, whether until the end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

FEW = 5
"""So many places without a number, one after the other, say nothing yet of how a training ended."""
SHOWN_CHARACTERS = 40


@dataclass(slots=True)
class Gap:
    """What is known of one number's missing places.

    `seen` says at every call how often the number has been there by then: nothing needs to be told of the
    places that have it, which are most.
    """

    count: int = 0
    first: str = ""
    since: int = 0
    """Places without it, one after the other, of which the last is the newest."""
    longest: int = 0
    """Of those runs before the newest, the longest."""
    _seen: int = -1

    def note(self, text: str, seen: int) -> None:
        """One more place without it; `text` stands there, or nothing, as where it is not due."""
        if seen != self._seen:
            self.longest, self.since, self._seen = max(self.longest, self.since), 0, seen
        self.since += 1
        if text:
            self.count += 1
            self.first = self.first or text[:SHOWN_CHARACTERS]

    def lasts(self, seen: int) -> bool:
        """Whether it was there once and is missing at the end, for longer than it may be by its nature."""
        return 0 < seen == self._seen and self.since > max(FEW, 2 * self.longest)


@dataclass(slots=True)
class Unread:
    """The gaps of a source's numbers, by their names in it; `seen` is brought up to date before each use."""

    places: str
    """What the source has, such as "rows"."""
    gaps: dict[str, Gap] = field(default_factory=dict)

    def note(self, name: str, text: str, seen: int) -> None:
        """A place that has no number for `name`; see `Gap.note`."""
        self.gaps.setdefault(name, Gap()).note(text, seen)

    def notes(self, of: Mapping[str, int]) -> Iterator[str]:
        """In words, where text stood in place of a number; `of` how many places, by name."""
        for name, gap in self.gaps.items():
            if gap.count:
                counted = f"{gap.count:,} of {of[name]:,} {self.places}"
                yield f"{counted} had no number in `{name}`: {gap.first!r}"

    def problem(self, seen: Mapping[str, int]) -> str | None:
        """Why the end of the training is unknown; None where it is known. `seen` has the losses only."""
        for name, gap in self.gaps.items():
            if name in seen and gap.lasts(seen[name]):
                there = f" but {gap.first!r}" if gap.first else ""
                lacking = f"the last {gap.since:,} {self.places} had no number in `{name}`{there}"
                return f"{lacking}, and those before had: how the training ended is unknown"
        return None
