"""The devices torch computes on: which there are, and the state a trial may leave one in. Nothing else."""

from __future__ import annotations

import gc
import re
from typing import Any

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


def each(name: str) -> list[str]:
    """The devices that `name` stands for: every GPU in CUDA_VISIBLE_DEVICES for cuda, and for auto if any.

    Makes no CUDA context. Raises `UserError` like `resolve`.
    """
    found = resolve(name)
    return [f"cuda:{i}" for i in range(torch.cuda.device_count())] if found == "cuda" else [found]


def limit_memory(device: str, share: float) -> None:
    """Let this process take at most `share` of a GPU's memory, so that one trial cannot starve another."""
    if share < 1.0:
        torch.cuda.set_per_process_memory_fraction(share, device)


def is_sound(device: str) -> bool:
    """Whether this process can go on computing on a GPU; returns the memory that nothing holds any more.

    After a failed kernel every call to its context fails; only a new process gets a new context.
    """
    gc.collect()
    try:
        torch.cuda.synchronize(device)
    except RuntimeError:
        return False
    torch.cuda.empty_cache()
    return torch.cuda.memory_allocated(device) == 0


def switches() -> tuple[Any, ...]:
    """The settings of torch that hold for a whole process, and so for its next trial."""
    return (
        torch.get_default_dtype(),
        torch.get_default_device(),
        torch.is_grad_enabled(),
        torch.is_anomaly_enabled(),
        torch.get_num_threads(),
        torch.get_deterministic_debug_mode(),
        torch.get_float32_matmul_precision(),
        torch.backends.cudnn.enabled,
        torch.backends.cudnn.benchmark,
        torch.backends.cudnn.deterministic,
        torch.backends.cudnn.allow_tf32,
    )
