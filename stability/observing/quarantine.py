"""What a copy of the program may not do: it runs the program's code, and must leave no mark on the world.

Files that are opened for writing are opened in a folder of its own; what cannot be diverted is refused.
"""

from __future__ import annotations

import builtins
import contextlib
import io
import os
import shutil
import sys
import tempfile
import warnings
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

WRITING = set("wax+")
CHANGES = ("remove", "unlink", "rename", "renames", "replace", "rmdir", "mkdir", "makedirs", "removedirs")
CHANGES += ("truncate", "link", "symlink", "chmod", "chown", "utime", "mkfifo")
FILES = ("os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.truncate", "os.link", "os.symlink")
FILES += ("shutil.rmtree", "sqlite3.connect")
OTHERS = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "socket.connect")
OTHERS += ("os.kill", "os.killpg", "signal.pthread_kill")
"""Names of Python's audit events."""


class Refused(RuntimeError):
    """The copy wanted to change something outside of itself."""


def begin(own: Path, *, alone: bool = True) -> None:
    """From now on this process changes nothing outside of the folder `own`. There is no way back.

    What it opens for writing elsewhere is opened in a folder in there. Unless it is `alone` it may start
    processes and talk to others, as all that belong together are in quarantine.
    """
    warnings.simplefilter("ignore")
    diverted = own / f"copy-{os.getpid()}"
    diverted.mkdir(parents=True, exist_ok=True)
    tempfile.tempdir = os.environ["TMPDIR"] = str(diverted)
    _divert_open(own, diverted)
    for name in CHANGES:
        if hasattr(os, name):
            setattr(os, name, _within(own, getattr(os, name)))
    shutil.rmtree = _nothing
    _divert_savers()
    sys.addaudithook(_guard(own, FILES + OTHERS if alone else FILES))


def _divert_open(own: Path, diverted: Path) -> None:
    opened, number = io.open, iter(range(sys.maxsize))

    def divert(file: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
        if not isinstance(file, int) and WRITING & set(mode) and not _is_within(own, file):
            copy = diverted / f"{next(number)}-{Path(os.fsdecode(file)).name}"
            if set("ar") & set(mode):
                with contextlib.suppress(OSError):
                    shutil.copyfile(file, copy)
            file = copy
        return opened(file, mode, *args, **kwargs)

    builtins.open = io.open = divert


def _divert_savers() -> None:
    """Libraries that write files below Python."""
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.save = _nothing
    for module, names in (("safetensors.torch", ("save_file", "save_model")), ("h5py", ("File",))):
        for name in names:
            if module in sys.modules and hasattr(sys.modules[module], name):
                setattr(sys.modules[module], name, _nothing)


def _within(own: Path, change: Callable[..., Any]) -> Callable[..., Any]:
    """The change of a file, made only inside of `own`."""

    def changed(path: Any, *args: Any, **kwargs: Any) -> Any:
        return change(path, *args, **kwargs) if _is_within(own, path) else None

    return changed


def _nothing(*_: Any, **__: Any) -> None:
    return None


def _guard(own: Path, refused: Collection[str]) -> Callable[[str, tuple[Any, ...]], None]:
    def guard(event: str, args: tuple[Any, ...]) -> None:
        if event == "open":
            file, _, flags = args
            writes = isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC)
            if writes and not isinstance(file, int) and not _is_within(own, file):
                raise Refused(f"a copy of the program may not write to {file!r}")
        elif event in refused and not _concerns_only(own, args[:2]):
            raise Refused(f"a copy of the program may not do this: {event}")

    return guard


def _concerns_only(own: Path, args: Sequence[Any]) -> bool:
    """Whether all paths among the arguments of an event lie inside of `own`, and there are any."""
    paths = [each for each in args if isinstance(each, (str, bytes, os.PathLike))]
    return bool(paths) and all(_is_within(own, each) for each in paths)


def _is_within(own: Path, path: Any) -> bool:
    if not isinstance(path, (str, bytes, os.PathLike)):
        return False
    place = os.path.abspath(os.fsdecode(path))  # noqa: PTH100 - no look at the disk
    return place == os.devnull or place == str(own) or place.startswith(f"{own}{os.sep}")
