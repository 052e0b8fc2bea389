"""A Python callable as trainer: "package.module:function" or "path/to/file.py:function"."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from stability.records import UserError

EXAMPLE = '"train.py:train" or "package.module:train"'


def check(target: str, folder: Path) -> None:
    """Raise `UserError` unless `target` names an existing file or module; its code is not run."""
    where, function = _split(target)
    if not where or not function.isidentifier():
        raise UserError(f"call {target!r} names no function; write {EXAMPLE}")
    if where.endswith(".py"):
        if not (folder / where).is_file():
            raise UserError(f"call {target!r}: no file {folder / where}; paths start at the study file")
    elif not _is_installed(where):
        raise UserError(f"call {target!r}: no module {where!r} is installed; write {EXAMPLE}")


def _is_installed(module: str) -> bool:
    """Whether `module` can be found; the packages it lies in are imported for that."""
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def absolute(target: str, folder: Path) -> str:
    """`target` with a file path made absolute; module names stay."""
    where, function = _split(target)
    return f"{(folder / where).resolve()}:{function}" if where.endswith(".py") else target


def sha256(target: str) -> str:
    """Of the file's bytes; a module is identified by its name alone."""
    where, _ = _split(target)
    content = Path(where).read_bytes() if where.endswith(".py") else target.encode()
    return hashlib.sha256(content).hexdigest()


def load(target: str) -> Callable[..., Any]:
    """Import and return the function; raises `UserError` when the module has none of that name."""
    where, name = _split(target)
    module = _load_file(Path(where)) if where.endswith(".py") else importlib.import_module(where)
    function = getattr(module, name, None)
    if not callable(function):
        raise UserError(f"call {target!r}: {where} has no function {name!r}")
    return function


def _load_file(path: Path) -> ModuleType:
    """Import a file as a script's neighbours would see it: its folder comes first on the path."""
    if str(path.parent) not in sys.path:  # a process may serve several trials
        sys.path.insert(0, str(path.parent))
    module_spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(module_spec)
    sys.modules[path.stem] = module
    module_spec.loader.exec_module(module)
    return module


def _split(target: str) -> tuple[str, str]:
    where, _, function = target.rpartition(":")
    return where, function
