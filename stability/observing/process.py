"""Who an observed process is, and whether it ends well."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

import torch

from stability.observing import torch_hooks


def rank() -> int | None:
    """Of this process in a distributed program; None where it trains alone."""
    alone = os.environ.get("WORLD_SIZE", "1") == "1"
    return None if alone or "RANK" not in os.environ else int(os.environ["RANK"])


def who() -> dict[str, Any]:
    """What tells it from other processes of the program, and is the same when that runs again."""
    return {"argv": sys.orig_argv, "rank": rank()}


def facts() -> dict[str, Any]:
    """What it runs on."""
    return {
        "torch": torch.__version__,
        "python": sys.version.split()[0],
        "threads": torch.get_num_threads(),
        "device": "cuda" if torch.cuda.is_initialized() else "cpu",
        "argv": sys.orig_argv,
        "hashes": os.environ.get("PYTHONHASHSEED", "random"),
    }


def watch_end(bad: Callable[[str], None]) -> None:
    """Tell `bad` how the program ends, if it does not end well."""
    shown, left = sys.excepthook, sys.exit

    def show(kind: type[BaseException], error: BaseException, trace: Any) -> None:
        if not issubclass(kind, KeyboardInterrupt):
            bad(f"{kind.__name__}: {error}")
        torch_hooks.without_our_frames(error)
        shown(kind, error, error.__traceback__ or trace)

    def leave(status: Any = None, /) -> None:
        if status not in (None, 0):
            bad(f"exit status {status}")
        left(status)

    sys.excepthook, sys.exit = show, leave
