"""What a run happened on: versions, revisions, machine. Read once per run and stored beside its trials."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from stability.redaction import without_password

PACKAGES = ("stability", "torch", "optuna", "optuna-dashboard", "numpy", "scipy", "pandas", "matplotlib")
PACKAGES += ("SQLAlchemy", "pydantic", "pyyaml", "typer", "jinja2")


_NOT_REPORTS = (":(top)", ":(top,exclude)reports")


def capture(device: str) -> dict[str, Any]:
    """JSON-ready facts of a run that asked for `device`; every trial stores the device it got.

    `revision` is that of this package's checkout, None where it is not in one.
    """
    project = revision(Path(__file__).parent, of=Path(__file__))
    return {
        "revision": project["revision"],
        "project": project,
        "working_directory": revision(Path.cwd()),
        "command": without_password(" ".join(["stability", *sys.argv[1:]])),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cpu": _cpu_model(),
        "cores": cores(),
        "device_asked_for": device,
        "memory_bytes": _memory_bytes(),
        "versions": versions(),
    }


def versions() -> dict[str, str]:
    """The installed version of every package a result may depend on."""
    found = {}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found


def revision(folder: Path, of: Path | None = None) -> dict[str, Any]:
    """The git revision of `folder` and whether it has uncommitted changes; both None outside a repository.

    Untracked files and what lies in `reports/`, where runs write, are no change.
    With `of`, only a repository that tracks that file counts: a virtual environment may lie in another's.
    """
    nothing = {"revision": None, "dirty": None}
    if of is not None and _git(folder, "ls-files", "--error-unmatch", str(of)) is None:
        return nothing
    head = _git(folder, "rev-parse", "HEAD")
    if head is None:
        return nothing
    changed = _git(folder, "status", "--porcelain", "--untracked-files=no", "--", *_NOT_REPORTS)
    return {"revision": head, "dirty": None if changed is None else bool(changed)}


def cores() -> int:
    """The cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _git(folder: Path, *arguments: str) -> str | None:
    """What git prints, or None where there is no git, no repository or no such thing in it."""
    if shutil.which("git") is None:
        return None
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments], capture_output=True, text=True, timeout=30, check=False
    )
    return done.stdout.strip() if done.returncode == 0 else None


def _cpu_model() -> str:
    """The processor's name; /proc says more than `platform.processor` on Linux."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _memory_bytes() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return None
