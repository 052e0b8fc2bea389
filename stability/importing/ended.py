"""How a finished run ended, by the end of its log.

A program that failed rarely has the last word: loggers, launchers and shells go on printing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from stability.judging.last_words import THEN, names_nonfinite
from stability.logs import jsonlines
from stability.logs.lines import Lines
from stability.logs.observation import BESIDE_LOSSES
from stability.logs.patterns import Pattern
from stability.logs.structural import has_loss
from stability.records import Ending, Outcome
from stability.spec.command import Parse, TextSource
from stability.trainers.command import OUT_OF_MEMORY
from stability.trainers.program import exception_in

END_BYTES = 2**16
"""Of a text log, so much of its end is searched for a failure and kept as the trial's output."""
HELD_BACK_BYTES = 2**13
"""Python holds back so much of what it prints into a file, which then comes after the traceback."""
LAST_WORDS = 6
"""Lines before a failure that may say why."""
TEXTS = ("log", "jsonl")
_TRACEBACK = "Traceback (most recent call last)"
_HARMLESS = re.compile(r"^Exception ignored in|^--- Logging error ---")
_TO_THE_TOP = re.compile(r'File ".*", line \d+, in (?:<module>|_run_module_as_main)')
_SIGN = re.compile(
    r"\bSegmentation fault\b|\bcore dumped\b|\bCANCELLED\b|\boom.kill|^terminate called after throwing"
    r"|^Killed\s*$|(?:line \d+:|\[\d+\]\S*)\s+(?:\d+\s+)?(?:Killed|Terminated)\b|zsh: (?:killed|terminated)"
)
_CAUGHT = re.compile(r"(?i)what\(\):|error|exception|fatal|abort|assert|panick")
_OOM_KILL = re.compile(r"\boom.kill", re.IGNORECASE)
_OF_A_LAUNCHER = re.compile(r"\S*(?:ChildFailedError|CalledProcessError|ProcessRaisedException)\b")


class Failure(NamedTuple):
    """A line that tells of a failure; one that `is_last` is none where the training goes on after it."""

    i: int
    text: str
    is_last: bool


def end(path: Path, kind: str) -> bytes:
    """The end of a text log; of other logs nothing."""
    if kind not in TEXTS:
        return b""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - END_BYTES))
        return file.read()


def failure(end: bytes, parse: Parse) -> Ending | None:
    """How a run failed, by the end of its log; None for one that came to its own end.

    `parse` tells what a line of its training is: a failure that is followed by one was survived.
    """
    lines = (cutter := Lines()).feed(end) + cutter.end()
    followed = _bytes_followed(lines, _trains(parse))
    found = [one for one in _failures(lines) if followed[one.i] <= (0 if one.is_last else HELD_BACK_BYTES)]
    if not found:
        return None
    for one in found:
        if OUT_OF_MEMORY.search(one.text) or _OOM_KILL.search(one.text):
            return Ending(Outcome.OUT_OF_MEMORY, error=one.text)
    if said := _broke_before(lines, found):
        return Ending(Outcome.CRASHED, error=f"{said}{THEN}{found[-1].text}")
    own = [one.text for one in found if not _OF_A_LAUNCHER.match(one.text)] or [found[-1].text]
    outcome = Outcome.TIMED_OUT if "DUE TO TIME LIMIT" in own[-1] else Outcome.CRASHED
    return Ending(outcome, error=own[-1])


def _broke_before(lines: Sequence[str], found: Sequence[Failure]) -> str | None:
    """What the last lines before a failure say of numbers that are not finite, where the failure does not."""
    if any(names_nonfinite(one.text) for one in found):
        return None
    last = [line.strip() for line in lines[max(0, found[0].i - LAST_WORDS) : found[-1].i]]
    return next((line for line in last if _CAUGHT.search(line) and names_nonfinite(line)), None)


def _failures(lines: Sequence[str]) -> Iterator[Failure]:
    """All that may be one, in order."""
    for i, line in enumerate(lines):
        if _TRACEBACK in line:
            if not (i and _HARMLESS.match(lines[i - 1])):
                yield _raised(lines, i)
        elif _SIGN.search(line):
            yield Failure(i, line.strip(), is_last=True)
    if lines and (text := exception_in(lines[-1])):
        yield Failure(len(lines) - 1, text, is_last=True)


def _raised(lines: Sequence[str], start: int) -> Failure:
    """The last line of the traceback that begins at `start`.

    One that nobody caught goes to the top of the program; it is the end, whatever is printed after it.
    """
    prefix = lines[start].partition(_TRACEBACK)[0]  # such as "[rank0]: "
    if not (start + 1 < len(lines) and lines[start + 1].startswith(prefix)):
        prefix = ""
    own = [
        (i, lines[i].removeprefix(prefix)) for i in range(start, len(lines)) if lines[i].startswith(prefix)
    ]
    is_caught = not any(_TO_THE_TOP.search(text) for _, text in own[1:2])
    for i, text in own[1:]:
        if not text[0].isspace():
            return Failure(i, text.strip(), is_last=is_caught)
    return Failure(own[-1][0], own[-1][1].strip(), is_last=is_caught)


def _bytes_followed(lines: Sequence[str], is_training: Callable[[str], bool]) -> list[int]:
    """How much of the training is printed after each line."""
    found, total = [0] * len(lines), 0
    for i in range(len(lines) - 1, -1, -1):
        found[i] = total
        if total <= HELD_BACK_BYTES and is_training(lines[i]):
            total += len(lines[i])
    return found


def _trains(parse: Parse) -> Callable[[str], bool]:
    """Whether a line has a loss of the training."""
    sources = parse.sources()
    if "jsonl" in sources:
        return lambda line: jsonlines.row(line) is not None
    texts = [source for source in sources.values() if isinstance(source, TextSource)]
    if any(source.is_structural for source in texts):
        return has_loss
    patterns = [Pattern(text) for source in texts for text in source.train]
    losses = [pattern for pattern in patterns if set(pattern.names) - BESIDE_LOSSES - {"step", "epoch"}]
    return lambda line: any(pattern.read(line, suspect=False) for pattern in losses)
