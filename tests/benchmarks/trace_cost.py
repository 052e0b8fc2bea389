"""What a traced step costs beside a plain one: of a healthy step, and of one that breaks at its very start.

    python tests/benchmarks/trace_cost.py [--rounds 3] [--size 0.9M] [--size 30M] [--quick]

A small language model (transformer encoder, AdamW, clipping). The step that breaks divides by a norm of 0 in
one element of the batch, right behind the embedding: from there on nearly every number is NaN, up to the
optimizer's state. Plain and traced steps take turns in one process on one thread; ratios are of CPU time,
medians of the rounds. Memory is how far the first step of a fresh process raises its peak. Nothing here fails.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from stability.numerics.trace import trace

BATCH, TOKENS, LETTERS = 4, 64, 96
KINDS = ("plain", "traced", "broken")


@dataclass(frozen=True, slots=True)
class Size:
    """Width and depth of the model."""

    width: int
    layers: int


SIZES = {"0.9M": Size(128, 4), "4M": Size(256, 5), "30M": Size(512, 9)}
QUICK = Size(16, 1)


class Model(nn.Module):
    def __init__(self, size: Size) -> None:
        super().__init__()
        self.embedding = nn.Embedding(LETTERS, size.width)
        layer = nn.TransformerEncoderLayer(size.width, 4, 4 * size.width, dropout=0.0, batch_first=True)
        self.body = nn.TransformerEncoder(layer, size.layers, enable_nested_tensor=False)
        self.head = nn.Linear(size.width, LETTERS)

    def forward(self, letters_BT: Tensor, gate_B: Tensor) -> Tensor:
        x = self.embedding(letters_BT) * gate_B[:, None, None]
        x = x / x.norm(dim=-1, keepdim=True)
        return self.head(self.body(x))


def step_of(size: Size, *, broken: bool) -> Callable[[], object]:
    """One training step of a fresh model; `broken`: one element of the batch is 0."""
    torch.manual_seed(0)
    model = Model(size)
    optimizer = torch.optim.AdamW(model.parameters())
    letters = torch.randint(0, LETTERS, (BATCH, TOKENS))
    gate = torch.ones(BATCH)
    gate[1] = 0.0 if broken else 1.0

    def step() -> dict[str, Tensor]:
        optimizer.zero_grad()
        logits = model(letters, gate)
        loss = nn.functional.cross_entropy(logits.flatten(0, 1), letters.flatten())
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        return {"loss": loss}

    return step


def seconds(kind: str, size: Size) -> float:
    """The CPU time of the second step of a fresh model; a broken one is traced at its first."""
    step = step_of(size, broken=kind == "broken")
    if kind != "broken":
        step()
    begun = time.process_time()
    found = trace(step) if kind != "plain" else step()
    took = time.process_time() - begun
    if kind != "plain" and (found is not None) is not (kind == "broken"):
        raise SystemExit(f"the {kind} step was answered with {found}")
    return took


def peak_growth_bytes(kind: str, size: Size) -> int:
    """How far a step raises this process's peak memory over what the model takes."""
    nn.Linear(8, 8)(torch.ones(2, 8)).sum().backward()
    step = step_of(size, broken=kind == "broken")
    Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here on (Linux)
    before = memory_bytes("VmRSS")
    trace(step) if kind != "plain" else step()
    return memory_bytes("VmHWM") - before


def memory_bytes(field: str) -> int:
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(field))
    return 1024 * int(line.split()[1])


def in_fresh_process(kind: str, name: str) -> int:
    command = [sys.executable, __file__, "--size", name, "--peak", kind]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def measured(name: str, size: Size, rounds: int) -> dict[str, object]:
    """Medians of all kinds; ratios are of the same round."""
    took = [{kind: seconds(kind, size) for kind in KINDS} for _ in range(rounds)]
    peaks = {kind: in_fresh_process(kind, name) for kind in KINDS}
    return {
        "size": name,
        "weights": sum(weight.numel() for weight in Model(size).parameters()),
        "rounds": rounds,
        "plain_s": statistics.median(each["plain"] for each in took),
        **{f"{k}_ratio": statistics.median(each[k] / each["plain"] for each in took) for k in KINDS[1:]},
        "plain_peak_mb": peaks["plain"] / 1e6,
        **{f"{kind}_peak_ratio": peaks[kind] / max(peaks["plain"], 1) for kind in KINDS[1:]},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--size", action="append", choices=[*SIZES, "quick"])
    parser.add_argument("--quick", action="store_true", help="a very small model, to see that it works")
    parser.add_argument("--peak", choices=KINDS, help=argparse.SUPPRESS)
    given = parser.parse_args()
    torch.set_num_threads(1)
    sizes = {**SIZES, "quick": QUICK}
    names = ["quick"] if given.quick else given.size or list(SIZES)
    if given.peak:
        print(peak_growth_bytes(given.peak, sizes[names[0]]))
        return
    for name in names:
        print(json.dumps(measured(name, sizes[name], given.rounds)), flush=True)


if __name__ == "__main__":
    main()
