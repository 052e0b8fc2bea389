"""Which options say where a program writes, and whether a file or a folder stands there."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stability.commands.init.options import Option, Place

FOLDER = "{directory}/artifacts"
"""Where a trial's own files go: a folder that is there before the program starts."""
_WRITES = {
    "out", "output", "outputs", "save", "saving", "log", "logs", "logging", "work", "run", "runs",
    "result", "results", "export", "dump", "tb", "tensorboard", "checkpoint", "checkpoints", "ckpt", "ckpts",
    "snapshot", "snapshots", "exp", "experiment", "artifacts", "default", "store",
}  # fmt: skip
_GLUED = {
    "outdir",
    "outputdir",
    "logdir",
    "logfile",
    "savedir",
    "savepath",
    "workdir",
    "rundir",
    "expdir",
    "outfile",
}
_FOLDER_WORDS = {"dir", "dirs", "folder", "directory", "root", "dirpath"}
_FILE_WORDS = {"file", "filename"}
_BESIDE = {
    "path",
    "to",
    "prefix",
    "model",
    "best",
    "last",
    "final",
    "base",
    "local",
    "train",
    "training",
    "name",
}
_UNCERTAIN = {"checkpoint", "ckpt", "snapshot", "exp", "experiment", "run", "default"}
_SAYS_WRITES = re.compile(r"\b(?:writ\w+|sav(?:e|es|ed|ing)|stor(?:e|ed)|output|dump\w*|logs?)\b", re.I)
_SAYS_WHERE = re.compile(r"\b(?:written|saved?|stored?|dumped|goes?|go)\b", re.I)
_GOODS = {"model", "weights", "path", "file", "to", "prefix", "dest", "target", "history", "metrics", "plot"}
_SAYS_READS = re.compile(
    r"\b(?:load|resum\w+|restor\w+|read|initiali[sz]e|pre-?trained|start from|continue)\b", re.I
)
_FILE = re.compile(r"\.[A-Za-z]\w{0,7}$")


@dataclass(frozen=True, slots=True)
class Output:
    """Where an option that says where to write points in a trial."""

    option: Option
    path: str


def output_of(option: Option, value: Any) -> Output | None:
    """Where a trial's own output goes instead; None for an option that names no output."""
    if option.is_switch or option.is_list or isinstance(value, bool | int | float):
        return None
    words = set(option.short_names[0].split("_")) if option.short_names else set()
    if not _is_output(words, option, value):
        return None
    is_folder = bool(words & _FOLDER_WORDS) or any(word.endswith("dir") for word in words)
    if not value:  # nothing is known of it but its name
        is_told = is_folder or words <= {"out", "output"}
        return Output(option, FOLDER) if is_told and option.place is Place.ARGUMENT else None
    if is_folder or str(value).endswith("/") or Path(value).is_dir():
        return Output(option, FOLDER)
    name = Path(value).name
    is_file = words & (_FILE_WORDS | {"logfile", "outfile"}) or _FILE.search(name) or Path(value).is_file()
    says_folder = re.search(r"director|folder", option.about, re.I)
    return Output(option, FOLDER if says_folder and not is_file else f"{FOLDER}/{_escaped(name)}")


def _is_output(words: set[str], option: Option, value: Any) -> bool:
    reads, writes = _SAYS_READS.search(option.about), _SAYS_WRITES.search(option.about)
    if words & _GOODS and _SAYS_WHERE.search(option.about) and not reads:
        return bool(value)
    known = _WRITES | _GLUED | _FOLDER_WORDS | _FILE_WORDS | _BESIDE
    if not words <= known or not words & (_WRITES | _GLUED | _FOLDER_WORDS | _FILE_WORDS | {"path"}):
        return False
    if words & {"name"} and not words & {"file", "path"}:
        return False
    is_clear = words & (_WRITES | _GLUED) - _UNCERTAIN or (
        words & _UNCERTAIN and words & (_FOLDER_WORDS | _FILE_WORDS)
    )
    if reads and not writes:
        return False
    if value and Path(str(value)).is_file() and not writes:  # a file that is there is read
        return bool(words & (_WRITES - _UNCERTAIN))
    return bool(is_clear or writes)


def _escaped(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")
