"""What runs on a node of a cluster, and what it needs from the driver. Knows nothing of Ray.

A place has a folder of its own and runs the driver's trials there as `LocalExecutor` does, one at a time.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import platform
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from stability import processes, trialdir
from stability.executors.local import LocalExecutor
from stability.records import TrialSpec, UserError

LOOK_S = 1.0
CODE_LIMIT_BYTES = 64 * 2**20
PREFIX, OWNER = "stability-place-", "owner"


class Place:
    """A folder on a node, and an executor that runs one trial at a time there; Ray makes it an actor."""

    def __init__(self, gpus: float, drivers: Mapping[str, str]) -> None:
        self._refusal = _difference(drivers)
        _remove_orphans()
        self._folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        (self._folder / OWNER).write_text(processes.identity() or "")
        self._device = "cuda:0" if gpus else "cpu"  # Ray hides the GPUs of others
        self._executor = LocalExecutor([self._device], gpu_share=gpus or None)
        self._unpacked = False

    def ready(self) -> bool:
        """Answers as soon as the actor has its place."""
        return True

    def run(self, trial: TrialSpec, brought: Mapping[str, bytes]) -> bytes | str:
        """Run a trial of the driver; its directory, packed, or why this node cannot."""
        if self._refusal:
            return self._refusal
        if not self._unpacked:
            for name, packed in brought.items():
                trialdir.unpack(packed, self._folder / name)
            self._unpacked = True
        here = self._moved_here(trial)
        trialdir.create(here)
        self._executor.submit(here)
        while not self._executor.finished(LOOK_S):
            pass
        packed = trialdir.pack(here.directory)
        shutil.rmtree(here.directory)
        return packed

    def _moved_here(self, trial: TrialSpec) -> TrialSpec:
        trainer = trial.trainer
        if _named_file(trainer):
            trainer = {"call": str(self._folder / "code" / Path(trainer["call"]).name)}
        folder = self._folder / "trials" / trial.directory.name
        cache = self._folder / "cache"
        return replace(trial, trainer=trainer, directory=folder, cache=cache, device=self._device)

    def clear(self) -> None:
        """End what runs and leave nothing behind; may be called while a trial runs."""
        self._executor.close()
        shutil.rmtree(self._folder, ignore_errors=True)


def _remove_orphans() -> None:
    """Remove the folders of places whose process was killed."""
    for owner in Path(tempfile.gettempdir()).glob(f"{PREFIX}*/{OWNER}"):
        with contextlib.suppress(OSError):  # another place may be removing it
            if processes.is_alive(owner.read_text()) is False:
                shutil.rmtree(owner.parent)


def code_beside(trainer: Any) -> dict[str, bytes]:
    """The Python files beside a trainer's file, which go to the nodes.

    Modules are installed there, and a command finds its folder there.
    """
    path = _named_file(trainer)
    if path is None:
        return {}
    folder = Path(path).parent
    size = sum(file.stat().st_size for file in folder.rglob("*.py"))
    if size > CODE_LIMIT_BYTES:
        raise UserError(
            f"{folder} holds {size / 2**20:.0f} MiB of Python files, too many to send to a cluster; put "
            f"{Path(path).name} into a folder with only what it imports"
        )
    return {"code": trialdir.pack(folder, "*.py")}


def _named_file(trainer: Any) -> str | None:
    """The file of a trainer that is a function in one."""
    path, _, _ = trainer.get("call", "").rpartition(":") if isinstance(trainer, Mapping) else ("", "", "")
    return path if path.endswith(".py") else None


def versions() -> dict[str, str]:
    found = {name: importlib.metadata.version(name) for name in ("stability", "torch")}
    return {"python": platform.python_version()} | found


def _difference(drivers: Mapping[str, str]) -> str | None:
    """What is another version on this node than in the driver, as a sentence."""
    own = versions()
    other = [
        f"{name} {own[name]}, not {version}" for name, version in drivers.items() if own[name] != version
    ]
    if not other:
        return None
    return f"node {platform.node()} has {', '.join(other)}: trials would not compare; install the same there"
