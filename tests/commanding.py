"""The command `stability`, in a process of its own as a shell starts it, or in this one, which imports nothing anew."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from unittest import mock

from stability.cli import main

RUN = "import sys; from stability.cli import main; sys.argv[0] = 'stability'; main()"
COMMAND = [sys.executable, "-c", RUN]


def in_process_of_its_own(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
    """Run the command as a shell does: for its exit status, its streams and what it imports."""
    return subprocess.run(
        [*COMMAND, *arguments],
        cwd=folder, capture_output=True, text=True, check=False, env=os.environ | environment,
    )  # fmt: skip


def in_this_process(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
    """Run the command by its entry point; an error that is not the user's is raised."""
    out, err = io.StringIO(), io.StringIO()
    at_sigterm, at_sigint = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    try:
        with (
            contextlib.chdir(folder),
            mock.patch.dict(os.environ, environment),
            mock.patch.object(sys, "argv", ["stability", *arguments]),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            main()
            code = 0
    except SystemExit as end:
        code = end.code or 0
    finally:
        signal.signal(signal.SIGTERM, at_sigterm)
        signal.signal(signal.SIGINT, at_sigint)
    return subprocess.CompletedProcess(arguments, code, out.getvalue(), err.getvalue())


def copy_study(source: Path, target: Path) -> None:
    """Copy a folder with `s.db` and its trials, and tell the database where they are now."""
    shutil.copytree(source, target, dirs_exist_ok=True)
    with contextlib.closing(sqlite3.connect(target / "s.db")) as database, database:
        database.execute(
            "update stability_trials set directory = replace(directory, ?, ?)", (str(source), str(target))
        )
