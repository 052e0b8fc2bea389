"""What observing a healthy program costs, as `stability trace` does it.

    PYTHONPATH=tests python tests/benchmarks/trace_overhead.py [--rounds 9] [--sizes 0.3 4 30]

A program trains a small transformer and prints the CPU time of its steps: as it is, with records alone, and with
copies. They run in turn, each in a process of its own; a ratio is the median over rounds, each of which has one of
every kind. `again` is the program as it is a second time: the noise.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from statistics import median

from warm import Warm

PROGRAM = """
import sys, time
import torch
from torch import nn

torch.manual_seed(0)
torch.set_num_threads(1)
width, steps = WIDTH, STEPS
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
STEPS = {0.3: 150, 4.0: 40, 30.0: 16}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--sizes", type=float, nargs="+", default=[0.3, 4.0], choices=WIDTHS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        warm = Warm(Path(folder))
        for size in options.sizes:
            program = Path(folder, f"{size}.py")
            program.write_text(PROGRAM.replace("WIDTH", str(WIDTHS[size])).replace("STEPS", str(STEPS[size])))
            print(_told([_round(warm, program) for _ in range(options.rounds)]), flush=True)
        warm.close()


def _round(warm: Warm, program: Path) -> dict[str, tuple[float, int]]:
    """Seconds a step, and the number of weights, of each kind."""
    printed = {
        "plain": warm.run(program)[1],
        "records": _observed(warm, program, copies=False),
        "copies": _observed(warm, program, copies=True),
        "again": warm.run(program)[1],
    }
    return {kind: (float(text.split()[0]), int(text.split()[1])) for kind, text in printed.items()}


def _observed(warm: Warm, program: Path, *, copies: bool) -> str:
    found = warm.trace(program, copies=copies)
    assert found["broke"] is False, found
    return found["printed"]


def _told(rounds: list[dict[str, tuple[float, int]]]) -> str:
    plain = median(each["plain"][0] for each in rounds)
    parts = [f"{rounds[0]['plain'][1] / 1e6:.2g} M, step {1000 * plain:.1f} ms"]
    for kind in ("again", "records", "copies"):
        ratios = sorted(each[kind][0] / each["plain"][0] for each in rounds)
        parts.append(f"{kind} {median(ratios):.3f} ({ratios[0]:.3f} to {ratios[-1]:.3f})")
    return "; ".join(parts) + f" (n = {len(rounds)})"


if __name__ == "__main__":
    main()
