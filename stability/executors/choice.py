"""From the options of a command to the executor they describe."""

from __future__ import annotations

from dataclasses import dataclass

from stability.executors import Executor
from stability.records import UserError


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a user said about where trials run; None where nothing was said."""

    device: str
    jobs: int | None
    slots_per_gpu: int
    address: str | None
    cpus_per_trial: float | None
    gpus_per_trial: float | None


def chosen(name: str, wishes: Wishes) -> Executor:
    """The executor called `name`. Raises `UserError` for wishes of another one, or that cannot be met."""
    if name == "ray":
        return _on_a_cluster(wishes)
    of_ray = {
        "--address": wishes.address,
        "--cpus-per-trial": wishes.cpus_per_trial,
        "--gpus-per-trial": wishes.gpus_per_trial,
    }
    if given := [option for option, value in of_ray.items() if value is not None]:
        raise UserError(f"{given[0]} is for a cluster; add --executor ray, or leave it out")
    from stability.executors.local import LocalExecutor
    from stability.executors.slots import slots

    return LocalExecutor(slots(wishes.device, wishes.jobs, wishes.slots_per_gpu))


def _on_a_cluster(wishes: Wishes) -> Executor:
    if wishes.slots_per_gpu != 1 or wishes.device not in ("auto", "cpu"):
        raise UserError(
            "with --executor ray, --gpus-per-trial says what a trial runs on: 0 for CPUs, 1 for a GPU of its "
            "own, 0.25 for four trials on each; leave --device and --slots-per-gpu out"
        )
    from stability.executors.cluster import RayExecutor, Request

    cpus = 1.0 if wishes.cpus_per_trial is None else wishes.cpus_per_trial
    return RayExecutor(wishes.address, Request(cpus, wishes.gpus_per_trial or 0.0), wishes.jobs)
