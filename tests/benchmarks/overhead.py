"""What `stability.watch` costs: `python tests/benchmarks/overhead.py [--device cuda] [--quick]`.

Every variant trains its own copy of one model on one batch; a round runs a step of each, in random order. A
round's ratio is a variant's time over that of the bare loop, CPU time of one thread, or on CUDA the time
between two events. A second bare loop is the control: its ratio is what chance and memory layout do.

What the watch samples is dear and rare, so one mean would be noise: the steps are grouped by what was sampled
in them, and each group counts by how often it comes up in a long training. "medians" are of every group's
ratios; "sums" is the mean time of a step over the mean time of a bare one.

On CUDA the steps are also profiled for anything that makes the host wait, and the figures are written to
reports/gpu/overhead.json.
"""

from __future__ import annotations

import argparse
import json
import math
import platform
import random
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from loop import Loop, batches, forward, loop
from torch import Tensor, nn

import stability
from stability.numerics.watch import COMPONENTS, SCANS, UPDATES
from stability.trainee.batches import Batch

REPORT = Path(__file__).parents[2] / "reports" / "gpu" / "overhead.json"
ROUNDS = {"tiny": (4, 200), "small": (2, 200), "normal": (1, 104)}
QUICK_ROUNDS = {"tiny": (1, 40), "small": (1, 12), "normal": (1, 3)}
DEAR_ROUNDS = {"tiny": (1, 40), "small": (1, 16), "normal": (1, 8)}
"""(blocks, rounds in each); every block makes all models anew, so that no variant keeps a lucky place in memory."""
WARM_UP = 2
CLIP = 1.0
GROUPS = {"components": COMPONENTS, "scan": SCANS, "update": UPDATES}
"""What is sampled in a step, the dearest first: a step counts to the first group it is in."""
WAITS = ("aten::_local_scalar_dense", "cudaStreamSynchronize", "cudaDeviceSynchronize", "Memcpy DtoH")


Variant = Callable[[Loop], Callable[[Batch], None]]


@dataclass(frozen=True, slots=True)
class Cost:
    """A variant against the bare loop: median ratio and number of the rounds in each group of steps.

    `medians` and `sums` put the groups together by their share of the steps; None where one has not come up.
    """

    name: str
    groups: Mapping[str, tuple[float, int]]
    medians: float | None
    sums: float | None


def bare(made: Loop) -> Callable[[Batch], None]:
    """What a user has without a watch."""

    def step(batch: Batch) -> None:
        made.optimizer.zero_grad()
        _, total, _ = forward(made, batch)
        total.backward()
        torch.nn.utils.clip_grad_norm_(made.weights, CLIP)
        made.optimizer.step()

    return step


def watched(made: Loop, *, every: int | None = None, own_norm: bool = False) -> Callable[[Batch], None]:
    """With a watch, and clipping by its norm, or, with `own_norm`, by one computed again as in `bare`."""
    watch = stability.watch(made.model, made.optimizer, every=every)

    def step(batch: Batch) -> None:
        made.optimizer.zero_grad()
        measured, total, in_force = forward(made, batch)
        watch.components(measured, in_force)
        total.backward()
        watch.step(measured, total, batch.ids, loss_weights=in_force, epoch=0)
        if own_norm:
            torch.nn.utils.clip_grad_norm_(made.weights, CLIP)
        else:
            torch.nn.utils.clip_grads_with_norm_(made.weights, CLIP, watch.grad_norm)
        made.optimizer.step()

    return step


def hooked(made: Loop) -> Callable[[Batch], None]:
    """With a forward hook on every module that looks for NaN in its output."""
    for module in made.model.modules():
        module.register_forward_hook(_refuse_nonfinite)
    return bare(made)


def with_anomaly(made: Loop) -> Callable[[Batch], None]:
    """Under torch's anomaly detection."""
    step = bare(made)

    def anomalous(batch: Batch) -> None:
        with torch.autograd.set_detect_anomaly(True):
            step(batch)

    return anomalous


def compare(size: str, rounds: tuple[int, int], device: str, cache: Path) -> list[Cost]:
    """The cost of every variant, the control first."""
    dear_rounds = min(rounds, DEAR_ROUNDS[size])
    cheap = {
        "bare again": bare,
        "watch": watched,
        "watch, norm computed twice": lambda made: watched(made, own_norm=True),
    }
    dear = {"NaN hooks on every module": hooked, "detect_anomaly": with_anomaly}
    return [
        *_compared(cheap, size, rounds, device, cache, sampled=True),
        *_compared(dear, size, dear_rounds, device, cache, sampled=False),
    ]


def host_waits(size: str, steps: int, cache: Path) -> dict[str, dict[str, float]]:
    """Per step on CUDA, how often the host waits for the device: bare, and watched with a read every 16."""
    found = {}
    for name, variant in (("bare", bare), ("watch", lambda made: watched(made, every=16))):
        made = loop(size, {"clip": CLIP}, cache, device="cuda")
        batch, step = next(batches(made)), variant(made)
        for _ in range(16):
            step(batch)
        kinds = [torch.profiler.ProfilerActivity.CPU, torch.profiler.ProfilerActivity.CUDA]
        with torch.profiler.profile(activities=kinds) as profile:
            for _ in range(steps):
                step(batch)
        counts = {event.key: event.count for event in profile.key_averages()}
        found[name] = {
            wait: sum(count for key, count in counts.items() if key.startswith(wait)) / steps
            for wait in WAITS
        }
    return found


def _compared(
    variants: Mapping[str, Variant],
    size: str,
    rounds: tuple[int, int],
    device: str,
    cache: Path,
    *,
    sampled: bool,
) -> list[Cost]:
    """Rounds of one bare step and one of each variant, in random order; `sampled`: some steps do more."""
    rng, blocks = random.Random(0), []
    for _ in range(rounds[0]):
        blocks.append(_block({"bare": bare, **variants}, size, rounds[1], device, cache, rng))
    return [_cost(name, blocks, _shares() if sampled else {"plain": 1.0}) for name in variants]


def _block(
    variants: Mapping[str, Variant], size: str, rounds: int, device: str, cache: Path, rng: random.Random
) -> dict[str, list[float]]:
    """Seconds of every step of every variant."""
    order = list(variants)
    rng.shuffle(order)
    made = {name: loop(size, {"clip": CLIP}, cache, device=device) for name in order}
    batch = next(batches(made["bare"]))
    steps = {name: variants[name](made[name]) for name in order}
    spent_s: dict[str, list[float]] = {name: [] for name in order}
    for _ in range(rounds):
        rng.shuffle(order)
        for name in order:
            with _timed(device, spent_s[name]):
                steps[name](batch)
    return spent_s


@contextmanager
def _timed(device: str, spent_s: list[float]) -> Iterator[None]:
    if device == "cpu":
        start_s = time.process_time()
        yield
        spent_s.append(time.process_time() - start_s)
        return
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    torch.cuda.synchronize()
    start.record()
    yield
    end.record()
    torch.cuda.synchronize()
    spent_s.append(start.elapsed_time(end) / 1e3)


def _cost(name: str, blocks: Sequence[Mapping[str, Sequence[float]]], shares: Mapping[str, float]) -> Cost:
    pairs = defaultdict(list)
    for block in blocks:
        for i, pair in enumerate(zip(block["bare"], block[name], strict=True)):
            if i >= WARM_UP:
                pairs[_group(i) if len(shares) > 1 else "plain"].append(pair)
    groups = {
        group: (statistics.median(spent_s / bare_s for bare_s, spent_s in found), len(found))
        for group, found in pairs.items()
    }
    if not shares.keys() <= groups.keys():
        return Cost(name, groups, None, None)
    bare_s, spent_s = (
        sum(share * statistics.fmean(pair[side] for pair in pairs[group]) for group, share in shares.items())
        for side in (0, 1)
    )
    medians = sum(share * groups[group][0] for group, share in shares.items())
    return Cost(name, groups, medians, spent_s / bare_s)


def _group(step: int) -> str:
    """The dearest thing that the watch samples in 0-based `step`."""
    return next((group for group, (every, first) in GROUPS.items() if step % every == first), "plain")


def _shares() -> dict[str, float]:
    """How often each group comes up in the long run."""
    cycle = math.lcm(*(every for every, _ in GROUPS.values()))
    groups = [_group(step) for step in range(cycle)]
    return {group: groups.count(group) / cycle for group in ("plain", *GROUPS)}


def _refuse_nonfinite(module: nn.Module, inputs: object, output: object) -> None:
    for part in output if isinstance(output, tuple) else (output,):
        if isinstance(part, Tensor) and not torch.isfinite(part).all():
            raise FloatingPointError(type(module).__name__)


def _printed(size: str, costs: Sequence[Cost]) -> None:
    for cost in costs:
        groups = "  ".join(
            f"{group} {cost.groups[group][0]:.4f} ({cost.groups[group][1]})"
            for group in ("plain", *reversed(GROUPS))
            if group in cost.groups
        )
        medians, sums = ("n/a" if value is None else f"{value:.4f}" for value in (cost.medians, cost.sums))
        print(f"{size:7} {cost.name:27} medians {medians:7} sums {sums:7} {groups}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    parser.add_argument("--quick", action="store_true", help="few rounds: shows that it works, no figures")
    parser.add_argument("--sizes", nargs="+", default=list(ROUNDS), choices=list(ROUNDS))
    given = parser.parse_args()
    torch.set_num_threads(1)
    where = torch.cuda.get_device_name() if given.device == "cuda" else platform.machine()
    print(f"{where}, one thread, torch {torch.__version__}, Python {platform.python_version()}")
    report = {"device": where, "torch": torch.__version__, "costs": {}, "host_waits_per_step": {}}
    with tempfile.TemporaryDirectory() as name:
        cache = Path(name)
        for size in given.sizes:
            rounds = (QUICK_ROUNDS if given.quick else ROUNDS)[size]
            costs = compare(size, rounds, given.device, cache)
            _printed(size, costs)
            report["costs"][size] = [asdict(cost) for cost in costs]
            if given.device == "cuda":
                report["host_waits_per_step"][size] = host_waits(size, 64, cache)
                print(f"{size:7} host waits per step: {report['host_waits_per_step'][size]}")
    if given.device == "cuda":
        REPORT.parent.mkdir(parents=True, exist_ok=True)
        REPORT.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
