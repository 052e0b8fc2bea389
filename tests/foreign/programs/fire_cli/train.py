"""A small net for a board of four fields, with python-fire for its options. No seed can be given."""

import time

import fire
import numpy as np
import torch
from torch import nn


def board(n, rng):
    x = rng.uniform(-1, 1, (n, 2)).astype(np.float32)
    y = (x > 0).sum(1) % 2
    return torch.from_numpy(x), torch.from_numpy(y)


def main(lr=0.1, num_iters=1500, batch=64, hidden=64, momentum=0.0, out="weights.npz", log_every=50):
    """Trains a net to tell the white fields of a board from the black ones.

    Args:
        lr: step size
        num_iters: how long
        batch: examples per iteration
        hidden: units
        momentum: of SGD
        out: where the weights go
        log_every: iterations between two lines
    """
    torch.set_num_threads(1)
    xtr, ytr = board(4000, np.random.default_rng(100))
    xte, yte = board(1000, np.random.default_rng(101))
    rng = np.random.default_rng()  # another start and order in every run
    torch.manual_seed(int(rng.integers(2**31)))
    model = nn.Sequential(
        nn.Linear(2, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, 2)
    )
    optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=momentum)
    t0 = time.time()
    for i in range(num_iters):
        ix = torch.from_numpy(rng.integers(0, len(xtr), batch))
        loss = nn.functional.cross_entropy(model(xtr[ix]), ytr[ix])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if i % log_every == 0:
            print(f"{i:7d}/{num_iters:7d}: {loss.item():.4f}")
    with torch.no_grad():
        for name, x, y in (("train", xtr, ytr), ("val", xte, yte)):
            logits = model(x)
            loss = nn.functional.cross_entropy(logits, y).item()
            print(name, loss, (logits.argmax(1) == y).double().mean().item())
    np.savez(out, **{name: p.detach().numpy() for name, p in model.named_parameters()})
    print(f"took {time.time() - t0:.1f}s, wrote {out}")


if __name__ == "__main__":
    fire.Fire(main)
