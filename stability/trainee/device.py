"""Which device a trial runs on. Nothing else."""

from __future__ import annotations

import re

import torch

from stability.records import UserError


def resolve(name: str) -> str:
    """`name` with `auto` replaced by cuda where there is one, else cpu.

    Raises UserError for an unknown device and for a CUDA device that this machine does not have.
    """
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if name != "cpu" and not re.fullmatch(r"cuda(:\d+)?", name):
        raise UserError(f"unknown device '{name}'; (auto, cpu, cuda, cuda:0, cuda:1, ...)")
    index = int(name.partition(":")[2] or 0)
    count = torch.cuda.device_count()
    if name != "cpu" and index >= count:
        raise UserError(f"device '{name}' is not here: torch sees {count} CUDA devices; use cpu or auto")
    return name
