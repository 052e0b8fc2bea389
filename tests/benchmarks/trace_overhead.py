"""What observing a healthy program costs, as `stability trace` does it.

    python tests/benchmarks/trace_overhead.py [--rounds 9] [--sizes 0.3 4 30]

One program trains a small transformer and prints the CPU time of its steps: as it is, with its
records, and with copies. The three run in turn, each in a process of its own; the ratio is the median over rounds of
what one round's three said. `again` is the program as it is a second time: the noise.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from stability.observing import launch
from stability.observing.launch import Observation

PROGRAM = """
import sys, time
import torch
from torch import nn

torch.manual_seed(0)
torch.set_num_threads(1)
width, steps = int(sys.argv[1]), int(sys.argv[2])
layer = nn.TransformerEncoderLayer(width, 4, 4 * width, batch_first=True)
model = nn.Sequential(nn.Linear(20, width), nn.TransformerEncoder(layer, 3, enable_nested_tensor=False), nn.Linear(width, 20))
optimizer = torch.optim.AdamW(model.parameters(), 1e-4)
x = torch.randn(8, 64, 20)
for step in range(steps + 5):
    if step == 5:
        began = time.process_time()
    loss = (model(x) - x).square().mean()
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
print((time.process_time() - began) / steps, sum(w.numel() for w in model.parameters()))
"""
WIDTHS = {0.3: 96, 4.0: 320, 30.0: 912}
STEPS = {0.3: 300, 4.0: 80, 30.0: 24}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--sizes", type=float, nargs="+", default=[0.3, 4.0], choices=WIDTHS)
    options = parser.parse_args()
    for size in options.sizes:
        rounds = [_round(size) for _ in range(options.rounds)]
        plain = median(each["plain"][0] for each in rounds)
        parts = [f"{rounds[0]['plain'][1] / 1e6:.2g} M, step {1000 * plain:.1f} ms"]
        for kind in ("again", "records", "copies"):
            ratios = sorted(each[kind][0] / each["plain"][0] for each in rounds)
            parts.append(f"{kind} {median(ratios):.3f} ({ratios[0]:.3f} to {ratios[-1]:.3f})")
        print("; ".join(parts), f"(n = {options.rounds})", flush=True)


def _round(size: float) -> dict[str, tuple[float, int]]:
    """Seconds a step, and the number of weights, of each kind."""
    found = {}
    for kind in ("plain", "records", "copies", "again"):
        with tempfile.TemporaryDirectory() as folder:
            environment = dict(os.environ)
            if kind in ("records", "copies"):
                environment = launch.environment(environment, Observation(Path(folder), copies=kind == "copies"))
            command = [sys.executable, "-c", PROGRAM, str(WIDTHS[size]), str(STEPS[size])]
            done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
            seconds, weights = done.stdout.split()
            found[kind] = float(seconds), int(weights)
            if kind != "plain" and kind != "again":
                assert list(Path(folder).glob("process-*.json")), "it was not observed"
    return found


if __name__ == "__main__":
    main()
