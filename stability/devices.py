"""The devices torch computes on: which there are, and the state a trial may leave one in. Nothing else."""

from __future__ import annotations

import gc
import random
import re
import sys
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


def enter(device: str, share: float) -> None:
    """Start computing on a GPU, of whose memory this process may take at most `share`.

    Raises RuntimeError where the GPU cannot be used, or has no room for one more context.
    """
    torch.cuda.init()
    if share < 1.0:
        torch.cuda.set_per_process_memory_fraction(share, device)
    torch.zeros(1, device=device)


def is_sound(device: str) -> bool:
    """Whether this process can go on computing on a GPU; returns the memory that nothing holds any more.

    After a failed kernel every call to its context fails; only a new process gets a new context.
    """
    gc.collect()
    clear_workspaces = getattr(torch._C, "_cuda_clearCublasWorkspaces", None)  # it has no public name
    try:
        torch.cuda.synchronize(device)
        if clear_workspaces is not None:  # cuBLAS keeps some from the first product of matrices on
            clear_workspaces()
        torch.cuda.empty_cache()
    except RuntimeError:
        return False
    return torch.cuda.memory_allocated(device) == 0


def random_states() -> dict[str, Any]:
    """The states of the generators that a trainer may draw from without seeding them."""
    states = {"python": random.getstate(), "torch": torch.get_rng_state()}
    if "numpy" in sys.modules:
        states["numpy"] = sys.modules["numpy"].random.get_state()
    if torch.cuda.is_initialized():
        states["cuda"] = torch.cuda.get_rng_state_all()
    return states


def set_random_states(states: dict[str, Any]) -> None:
    """Let a trial draw what it would draw in a new process."""
    random.setstate(states["python"])
    torch.set_rng_state(states["torch"])
    if "numpy" in states:
        sys.modules["numpy"].random.set_state(states["numpy"])
    if "cuda" in states:
        torch.cuda.set_rng_state_all(states["cuda"])


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
