"""How many trials run at a time, and on which devices."""

from __future__ import annotations

from pathlib import Path

from stability import environment, trainers
from stability.records import UserError

GPU_FILES = ("/dev/nvidiactl", "/dev/dxg", "/dev/kfd")
"""One of them is there where torch may find a GPU: of NVIDIA, under WSL, of AMD."""


def slots(device: str, jobs: int | None, per_gpu: int) -> list[str]:
    """One entry a trial at a time: the device it runs on.

    On the CPU one trial a core, on GPUs `per_gpu` on each that `device` stands for; `jobs` sets another
    number on the CPU, and fewer on GPUs. Raises `UserError` for numbers below 1 and for a missing device.
    """
    for option, number in (("--jobs", jobs), ("--slots-per-gpu", per_gpu)):
        if number is not None and number < 1:
            raise UserError(
                f"{option} {number}: error: at least 1 trial at a time; leave it out for the default"
            )
    devices = _devices(device)
    if devices == ["cpu"]:
        if per_gpu > 1:
            raise UserError(
                f"--slots-per-gpu {per_gpu}: error: device {device!r} means the CPU here; use --jobs"
            )
        return ["cpu"] * (environment.cores() if jobs is None else jobs)
    shared = devices * per_gpu  # the first trials each have a GPU of their own
    if jobs is not None and jobs > len(shared):
        most = f"{len(devices)} GPUs with {per_gpu} slots each run {len(shared)} trials at a time"
        raise UserError(f"--jobs {jobs}: error: {most}; raise --slots-per-gpu")
    return shared[:jobs]


def _devices(device: str) -> list[str]:
    """The devices meant; asks torch, which takes seconds to load, only where the answer is not plain."""
    if device == "cpu" or (device == "auto" and not any(Path(file).exists() for file in GPU_FILES)):
        return ["cpu"]
    return trainers.devices(device)
