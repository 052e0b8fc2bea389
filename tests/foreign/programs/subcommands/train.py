"""A classifier of rows of numbers: subcommands, and plain numbers in their places, as in old tools."""

import argparse
import math
import sys
import time
from pathlib import Path

import torch
from torch import nn


class EncounteredNaNError(RuntimeError):
    """The loss of a step is NaN."""


def load(path):
    """(features (N, D), labels (N,)) of lines 'label v1 v2 ...'."""
    rows = [line.split() for line in Path(path).read_text().splitlines() if line.strip()]
    labels = torch.tensor([int(row[0]) for row in rows])
    return torch.tensor([[float(value) for value in row[1:]] for row in rows]), labels


def build(inputs, classes):
    return nn.Sequential(
        nn.Linear(inputs, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, classes)
    )


def progress(done, rate, loss, began):
    """One line that is written over itself."""
    spent = time.time() - began
    left = int(spent * (1 - done) / done)
    sys.stderr.write(
        f"\rProgress: {100 * done:5.1f}% rows/sec: {int(1e5 * done / spent):7d} lr: {rate:9.6f} "
        f"avg.loss: {loss:9.6f} ETA: {left // 3600:3d}h{left // 60 % 60:2d}m{left % 60:2d}s"
    )
    sys.stderr.flush()


def fit(args):
    x, y = load(args.data)
    print(f"Read {len(x)} rows")
    print(f"Number of labels:  {int(y.max()) + 1}")
    torch.manual_seed(args.seed)
    held = len(x) // 10
    model = build(x.shape[1], int(y.max()) + 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=args.learning_rate, momentum=0.9)
    steps, began, mean = args.epochs * math.ceil((len(x) - held) / args.batch), time.time(), None
    step = 0
    for _ in range(args.epochs):
        for rows in (torch.randperm(len(x) - held) + held).split(args.batch):
            rate = args.learning_rate * (1 - step / steps)
            optimizer.param_groups[0]["lr"] = rate
            loss = nn.functional.cross_entropy(model(x[rows]), y[rows])
            if math.isnan(loss.item()):
                raise EncounteredNaNError("Encountered NaN.")
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            mean = loss.item() if mean is None else 0.95 * mean + 0.05 * loss.item()
            step += 1
            if step % 10 == 0 or step == steps:
                progress(step / steps, rate, mean, began)
    sys.stderr.write("\n")
    torch.save(model.state_dict(), args.model)
    report(model, x[:held], y[:held])


def report(model, x, y):
    with torch.no_grad():
        right = (model(x).argmax(1) == y).double().mean().item()
    print(f"N\t{len(x)}")
    print(f"P@1\t{right:.3f}")


def evaluate(args):
    x, y = load(args.data)
    model = build(x.shape[1], int(y.max()) + 1)
    model.load_state_dict(torch.load(args.model))
    report(model, x, y)


def main():
    parser = argparse.ArgumentParser(prog="train.py", description="Fits and evaluates a classifier of rows.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    fitting = commands.add_parser("fit", help="train on a file")
    fitting.add_argument("data", help="text file, 'label v1 v2 ...' a line")
    fitting.add_argument("learning_rate", type=float)
    fitting.add_argument("epochs", type=int)
    fitting.add_argument("batch", type=int, nargs="?", default=16)
    fitting.add_argument("-s", "--seed", type=int, default=0)
    fitting.add_argument("-m", "--model", default="model.bin", help="where the model goes")
    fitting.set_defaults(run=fit)
    testing = commands.add_parser("evaluate", help="test on a file")
    testing.add_argument("data")
    testing.add_argument("-m", "--model", default="model.bin")
    testing.set_defaults(run=evaluate)
    args = parser.parse_args()
    torch.set_num_threads(1)
    args.run(args)


if __name__ == "__main__":
    main()
