"""Python runs this when it starts, because its folder stands first in PYTHONPATH.

It waits for torch to be imported, then lets `stability.observing` watch; a program without torch is left
alone. An existing `sitecustomize` runs as it would have. Standard library only: the program's Python may be
that of any environment.
"""

import contextlib
import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import sys
from pathlib import Path

HERE = str(Path(__file__).resolve().parent)
PACKAGE = Path(__file__).resolve().parents[2]
FOLDER = os.environ.get("STABILITY_OBSERVE_DIR")


class _Loader(importlib.abc.Loader):
    """Loads torch as its own loader does, then begins to observe."""

    def __init__(self, loader):
        self._loader = loader

    def create_module(self, spec):
        return self._loader.create_module(spec)

    def exec_module(self, module):
        module.__spec__.loader = module.__loader__ = self._loader
        self._loader.exec_module(module)
        _observe()

    def __getattr__(self, name):
        return getattr(self._loader, name)


class _Finder(importlib.abc.MetaPathFinder):
    """Sees the first import of torch and is gone."""

    def find_spec(self, name, path=None, target=None):
        if name != "torch":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader)
        return spec


class _OurPackage(importlib.abc.MetaPathFinder):
    """Finds this package, wherever the program's Python looks for packages, and nothing beside it."""

    def find_spec(self, name, path=None, target=None):
        if name != "stability":
            return None
        file = PACKAGE / "__init__.py"
        return importlib.util.spec_from_file_location(name, file, submodule_search_locations=[str(PACKAGE)])


def _observe():
    """Import the observer; a package of the program's own that is called `stability` is not disturbed."""
    theirs = {name: module for name, module in sys.modules.items() if _is_stability(name)}
    found = importlib.machinery.PathFinder.find_spec("stability")
    shared = not theirs and (found is None or found.origin == str(PACKAGE / "__init__.py"))
    for name in theirs:
        del sys.modules[name]
    finder = _OurPackage()
    sys.meta_path.insert(0, finder)
    try:
        from stability.observing import observer

        observer.begin(FOLDER)
        _tell("no training")
    except Exception as error:  # the program comes first
        _tell(f"observer failed: {type(error).__name__}: {error}")
    finally:
        sys.meta_path.remove(finder)
        if not shared:
            for name in [name for name in sys.modules if _is_stability(name)]:
                del sys.modules[name]
            sys.modules.update(theirs)


def _is_stability(name):
    return name == "stability" or name.startswith("stability.")


def _tell(state):
    """Say that a Python was started, and what became of its observation."""
    told = {"argv": getattr(sys, "orig_argv", []), "state": state}
    with contextlib.suppress(OSError):
        Path(FOLDER, f"python-{os.getpid()}.json").write_text(json.dumps(told))


def _run_the_other():
    """Run the `sitecustomize` that would have been found without this one, if any."""
    others = [place for place in sys.path if str(Path(place).resolve()) != HERE]
    sys.path[:] = others
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", others)
    if spec is None or spec.loader is None:
        return
    module = importlib.util.module_from_spec(spec)
    sys.modules["sitecustomize"] = module
    spec.loader.exec_module(module)


if FOLDER and Path(FOLDER).is_dir():
    _tell("no torch")
    sys.meta_path.insert(0, _Finder())
_run_the_other()
