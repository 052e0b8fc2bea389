"""Where the files of a run lie: below folders that say which part of the data they are of, or which epoch."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from stability.logs.columns import title_of
from stability.logs.vocabulary import split_of
from stability.logs.words import words_of

_EPOCH = re.compile(r"(?i)(?:epochs?|ep)[-_ .]?(?P<epoch>\d+)")
_FOLDERS = frozenset(("metrics", "metric", "scalars", "losses", "logs"))
"""Names of folders that say what is in them, not of which run it is."""
_TEXTS = ("log", "csv", "jsonl")
"""Kinds of files that go on in another as if they were one."""


class File(NamedTuple):
    """A file of a run, or a folder of event files. `rest`: the files that it goes on in, in order."""

    path: Path
    kind: str
    rest: tuple[Path, ...] = ()


class Place(NamedTuple):
    """`root` is the run's folder; `part` and `epoch` are what the folders below it say."""

    root: Path
    part: str = ""
    epoch: int | None = None


def place_of(path: Path, kind: str = "log") -> Place:
    """Where a file lies: `run/valid/epoch-3/loss.log` is of the run `run`."""
    root = path if kind == "tensorboard" else path.parent
    part, epoch = "", None
    while root.name:
        found = _EPOCH.fullmatch(root.name)
        if found is not None and epoch is None:
            epoch = int(found["epoch"])
        elif not part and _is_part(root.name):
            part = split_of(root.name)
        else:
            break
        root = root.parent
    return Place(root, part, epoch)


def name_of(path: Path, kind: str) -> str:
    """What a run is called: the last two parts of its file, or of its folder where that says more."""
    root = place_of(path, kind).root
    if title_of(path) and root.name in _FOLDERS:
        named = root.parent
    else:
        named = path if root in (path, path.parent) else root
    parts = [part for part in named.parts if part != named.anchor]
    return "/".join(parts[-1 if kind == "tensorboard" else -2 :])


def joined(files: Sequence[File]) -> list[File]:
    """The files; one that a program begins anew for each epoch is one, in the order of the epochs."""
    found: dict[tuple[Path, str, str] | Path, list[tuple[int, File]]] = {}
    for one in files:
        place = place_of(one.path, one.kind)
        is_cut = place.epoch is not None and one.kind in _TEXTS
        key = (place.root, place.part, one.path.name) if is_cut else one.path
        found.setdefault(key, []).append((place.epoch or 0, one))
    return [_one(sorted(own, key=lambda pair: pair[0])) for own in found.values()]


def _one(own: Sequence[tuple[int, File]]) -> File:
    first, *rest = (one for _, one in own)
    return first._replace(kind="log", rest=tuple(one.path for one in rest)) if rest else first


def _is_part(name: str) -> bool:
    words = words_of(name)
    return bool(words) and all(map(split_of, words))
