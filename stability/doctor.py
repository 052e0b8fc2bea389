"""Checks that this machine can run studies: one row a check, each with what to do when it fails."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from stability import environment
from stability.records import UserError

ENOUGH_DISK_BYTES = 2**30


def examine(storage: str) -> list[dict[str, Any]]:
    """Every check's row: `check`, `result` (ok, warning or failed) and `detail`."""
    checks: dict[str, Callable[[], tuple[str, str]]] = {
        "python": _python,
        "torch": _torch,
        "child processes": _child_processes,
        "embedded corpora": _corpora,
        "storage": lambda: _storage(storage),
        "disk": _disk,
        "sqlite": lambda: ("ok", sqlite3.sqlite_version),
        "packages": _packages,
        "git": _git,
    }
    return [_row(name, check) for name, check in checks.items()]


def _row(name: str, check: Callable[[], tuple[str, str]]) -> dict[str, Any]:
    try:
        result, detail = check()
    except (UserError, ImportError, OSError) as error:
        result, detail = "failed", f"{type(error).__name__}: {error}"
    return {"check": name, "result": result, "detail": detail}


def _python() -> tuple[str, str]:
    facts = environment.capture("auto")
    memory = f"{(facts['memory_bytes'] or 0) / 2**30:.0f} GiB"
    return "ok", f"{facts['python']}, {facts['cores']} cores ({facts['cpu']}), {memory}"


def _torch() -> tuple[str, str]:
    import torch

    if not torch.cuda.is_available():
        return "ok", f"{torch.__version__}, no CUDA device: trials run on the CPU"
    names = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    return "ok", f"{torch.__version__}, CUDA {torch.version.cuda}: {', '.join(names)}"


def _child_processes() -> tuple[str, str]:
    """Run one trial that does nothing, the way studies do."""
    from stability import trialdir
    from stability.executors.local import LocalExecutor
    from stability.records import Outcome, TrialSpec

    with tempfile.TemporaryDirectory() as folder:
        trial = TrialSpec(
            study="doctor", stage="check", number=0, key="check", arm=None, params={}, seed=0, epochs=1,
            batch_size=1, max_steps=None, timeout_s=60.0, device="cpu",
            trainer={"call": "stability.doctor:nothing"}, data={}, model={}, yardstick={"loss": 1.0},
            directory=Path(folder) / "trial", cache=Path(folder),
        )  # fmt: skip
        trialdir.create(trial)
        executor = LocalExecutor(["cpu"])
        try:
            executor.submit(trial)
            while not executor.finished(timeout_s=1.0):
                pass
        finally:
            executor.close()
        ending = trialdir.read_ending(trial.directory)
        if ending.outcome is not Outcome.FINISHED:
            return "failed", f"a trial that does nothing ended {ending.outcome}: {ending.error}"
        return "ok", f"a trial that does nothing took {ending.wall_s:.2f} s"


def nothing(trial: Any, recorder: Any) -> None:
    """A trainer that does nothing."""


def _corpora() -> tuple[str, str]:
    from stability.trainee.corpus import EMBEDDED, load_corpus

    found = {name: load_corpus(name) for name in EMBEDDED}
    return "ok", ", ".join(f"{name}: {len(c.train)} + {len(c.evaluation)}" for name, c in found.items())


def _storage(url: str) -> tuple[str, str]:
    from stability.store import Store, database

    file = database.sqlite_file(database.as_url(url))
    if file is not None and not file.exists():
        with tempfile.NamedTemporaryFile(dir=file.parent):  # writable, and nothing is left behind
            return "ok", f"{file} will be created"
    studies = Store(url, create=False).studies()
    return "ok", f"{url}: {', '.join(studies) or 'no study yet'}"


def _disk() -> tuple[str, str]:
    free_bytes = shutil.disk_usage(Path.cwd()).free
    detail = f"{free_bytes / 2**30:.1f} GiB free here"
    return ("ok" if free_bytes > ENOUGH_DISK_BYTES else "warning"), detail


def _packages() -> tuple[str, str]:
    found = environment.versions()
    missing = [name for name, version in found.items() if version == "not installed"]
    if missing:
        return "warning", f"not installed as packages: {', '.join(missing)}"
    return "ok", ", ".join(f"{name} {version}" for name, version in found.items())


def _git() -> tuple[str, str]:
    here = environment.revision(Path.cwd())
    if here["revision"] is None:
        return "warning", "no git revision here; reports will not name one for the working directory"
    return "ok", f"{here['revision'][:12]}{' with uncommitted changes' if here['dirty'] else ''}"
