"""What a copy of the program may not do: it runs the program's code, and must leave no mark on the world.

Files that are opened for writing are opened in a folder of its own, new folders are taken away again, and
what cannot be diverted is refused.
"""

from __future__ import annotations

import builtins
import contextlib
import io
import itertools
import os
import shutil
import sys
import tempfile
import warnings
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

WRITING = set("wax+")
CHANGES = ("remove", "unlink", "rename", "renames", "replace", "rmdir", "removedirs", "truncate", "link")
CHANGES += ("symlink", "chmod", "chown", "utime", "mkfifo")
FILES = ("os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.truncate", "os.link", "os.symlink")
FILES += ("shutil.rmtree", "sqlite3.connect")
OTHERS = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "socket.connect")
OTHERS += ("os.kill", "os.killpg", "signal.pthread_kill")
"""Names of Python's audit events."""
TO_WRITE = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
NEW_FOLDERS = "new-folders"


class Refused(RuntimeError):
    """The copy wanted to change something outside of itself."""


def begin(own: Path, *, alone: bool = True) -> None:
    """From now on this process changes nothing outside of the folder `own`. There is no way back.

    What it opens for writing elsewhere is opened in a folder in there; folders that it makes elsewhere are
    noted, for `take_away`. Unless it is `alone` it may start processes and talk to others, as all that belong
    together are in quarantine.
    """
    _Quarantine(own).begin(FILES + OTHERS if alone else FILES)


def take_away(own: Path) -> None:
    """Remove the folders that copies have made; for the program, once they have ended."""
    noted = own / NEW_FOLDERS
    if noted.is_file():
        for name in reversed(noted.read_text().splitlines()):
            with contextlib.suppress(OSError):  # the program has put something there
                Path(name).rmdir()
        noted.unlink()


class _Quarantine:
    """The state of one process in quarantine."""

    def __init__(self, own: Path) -> None:
        self._own = own
        self._diverted = own / f"copy-{os.getpid()}"
        self._numbers = itertools.count()
        self._open, self._mkdir = io.open, os.mkdir
        self._is_ours = False

    def begin(self, refused: Collection[str]) -> None:
        warnings.simplefilter("ignore")
        self._diverted.mkdir(parents=True, exist_ok=True)
        tempfile.tempdir = os.environ["TMPDIR"] = str(self._diverted)
        builtins.open = io.open = self.open
        os.mkdir = self.mkdir
        for name in CHANGES:
            if hasattr(os, name):
                setattr(os, name, self._only_within(getattr(os, name)))
        shutil.rmtree = _nothing
        _divert_savers()
        sys.addaudithook(self._guard(refused))

    def open(self, file: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
        """As the built-in one."""
        if not isinstance(file, int) and WRITING & set(mode) and not self._is_within(file):
            copy = self._diverted / f"{next(self._numbers)}-{Path(os.fsdecode(file)).name}"
            if set("ar") & set(mode):
                with contextlib.suppress(OSError):
                    shutil.copyfile(file, copy)
            file = copy
        return self._open(file, mode, *args, **kwargs)

    def mkdir(self, path: Any, *args: Any, **kwargs: Any) -> None:
        """As that of `os`; what is new is noted."""
        if self._is_within(path) or os.path.lexists(path):
            self._mkdir(path, *args, **kwargs)
            return
        self._is_ours = True
        try:
            self._mkdir(path, *args, **kwargs)
        finally:
            self._is_ours = False
        with self._open(self._own / NEW_FOLDERS, "a") as file:
            file.write(os.path.abspath(os.fsdecode(path)) + "\n")  # noqa: PTH100 - no look at the disk

    def _only_within(self, change: Callable[..., Any]) -> Callable[..., Any]:
        """The change of a file, made only inside of the own folder."""

        def changed(path: Any, *args: Any, **kwargs: Any) -> Any:
            return change(path, *args, **kwargs) if self._is_within(path) else None

        return changed

    def _guard(self, refused: Collection[str]) -> Callable[[str, tuple[Any, ...]], None]:
        def guard(event: str, args: tuple[Any, ...]) -> None:
            if self._is_ours:
                return
            if event == "open":
                file, _, flags = args
                writes = isinstance(flags, int) and flags & TO_WRITE
                if writes and not isinstance(file, int) and not self._is_within(file):
                    raise Refused(f"a copy of the program may not write to {file!r}")
            elif event in refused and not self._concerns_only_own(event, args[:2]):
                raise Refused(f"a copy of the program may not do this: {event}")

        return guard

    def _concerns_only_own(self, event: str, args: Sequence[Any]) -> bool:
        """Whether all paths among the arguments of an event lie in the own folder, and there are any."""
        paths = [each for each in args if isinstance(each, (str, bytes, os.PathLike))]
        exists = event == "os.mkdir" and bool(paths) and os.path.lexists(paths[0])  # so it will fail
        return exists or (bool(paths) and all(map(self._is_within, paths)))

    def _is_within(self, path: Any) -> bool:
        if not isinstance(path, (str, bytes, os.PathLike)):
            return False
        place = os.path.abspath(os.fsdecode(path))  # noqa: PTH100 - no look at the disk
        return place in (os.devnull, str(self._own)) or place.startswith(f"{self._own}{os.sep}")


def _divert_savers() -> None:
    """Libraries that write files below Python."""
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.save = _nothing
    for module, names in (("safetensors.torch", ("save_file", "save_model")), ("h5py", ("File",))):
        for name in names:
            if module in sys.modules and hasattr(sys.modules[module], name):
                setattr(sys.modules[module], name, _nothing)


def _nothing(*_: Any, **__: Any) -> None:
    return None
