"""Names a number that is not finite that the program gave: a learning rate, a loss weight, a clip value.

Looks only at what frames hold; nothing of the program is called.
"""

from __future__ import annotations

import linecache
import math
import re
from collections.abc import Iterator, Mapping
from types import FrameType
from typing import Any

import torch
from torch import Tensor

from stability.numerics.trace.frames import TORCH, is_user_file

CLIPS = TORCH + "nn/utils/clip_grad.py"
CLIP_VALUES = ("max_norm", "clip_value")
WORDS = {"lr": "learning rate"}
"""What an optimizer's settings are called by people; others have the name that they have there."""
PATH = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*|\[[\"'][^\"'\]]+[\"']\])*")
STEP = re.compile(r"\.?([A-Za-z_]\w*)|\[[\"']([^\"'\]]+)[\"']\]")


def setting(frame: FrameType | None, optimizer: Any) -> str | None:
    """What the program calls a number that is not finite, of those it can have given an operation.

    `frame` is one that the operation was called from, `optimizer` the one whose step is running. None where
    no name is found.
    """
    if optimizer is not None and (found := _of_optimizer(optimizer)) is not None:
        return found
    while frame is not None and not is_user_file(frame.f_code.co_filename):
        if frame.f_code.co_filename == CLIPS:
            for name in CLIP_VALUES:
                if (value := _number(frame.f_locals.get(name))) is not None:
                    return f"clip value {name} = {value}"
        frame = frame.f_back
    return None if frame is None else _on_line(frame)


def _of_optimizer(optimizer: Any) -> str | None:
    for group in optimizer.param_groups:
        for key, given in group.items():
            values = given if isinstance(given, (tuple, list)) and key != "params" else [given]
            for value in values if key != "params" else ():
                if (number := _number(value)) is not None:
                    return f"{WORDS.get(key, key)} of {type(optimizer).__name__} = {number}"
    return None


def _on_line(frame: FrameType) -> str | None:
    """The first name on the line that is being run, of a number that is not finite."""
    line = linecache.getline(frame.f_code.co_filename, frame.f_lineno)
    for path in PATH.findall(line):
        for value in _reached(frame, path):
            if (number := _number(value)) is not None:
                return f"{path} = {number}"
    return None


def _reached(frame: FrameType, path: str) -> Iterator[Any]:
    """What a path of names and keys leads to; empty where it would have to run something to get there."""
    steps = [name or key for name, key in STEP.findall(path)]
    for variables in (frame.f_locals, frame.f_globals):
        if steps[0] in variables:
            value: Any = variables[steps[0]]
            break
    else:
        return
    for step in steps[1:]:
        held = value if isinstance(value, Mapping) else getattr(value, "__dict__", {})
        if step not in held:
            return
        value = held[step]
    yield value


def _number(value: Any) -> str | None:
    """nan, inf or -inf for a number, or a tensor of one, that is not finite."""
    if isinstance(value, Tensor):
        if value.numel() != 1 or not value.is_floating_point() or value.layout is not torch.strided:
            return None
        value = value.detach().item()
    if isinstance(value, float) and not math.isfinite(value):
        return str(float(value))
    return None
