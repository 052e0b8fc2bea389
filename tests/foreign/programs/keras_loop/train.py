"""An image classifier with a fit loop that shows what Keras 3 shows; no Keras is needed."""

import argparse
import math
import sys
import time

import torch
from torch import nn

CLASSES = 8
SIDE = 12


class ProgressBar:
    """A line that is drawn over itself, as the one of `model.fit(verbose=1)`; verbose=2 draws only the last."""

    def __init__(self, target, verbose):
        self.target, self.verbose = target, verbose
        self.began, self.drawn_at, self.width = time.time(), 0.0, 0

    def update(self, step, metrics, finalize=False):
        now = time.time()
        if self.verbose == 0 or (not finalize and (self.verbose == 2 or now - self.drawn_at < 0.05)):
            return
        self.drawn_at = now
        each = (now - self.began) / step
        pace = f"{each * 1e3:.0f}ms/step" if each >= 1e-3 else f"{each * 1e6:.0f}us/step"
        digits = len(str(self.target))
        shown = "".join(f" - {name}: {_number(value)}" for name, value in metrics.items())
        if self.verbose == 2:
            print(f"{step:{digits}d}/{self.target} - {now - self.began:.0f}s - {pace}{shown}", flush=True)
            return
        full = int(20 * step / self.target)
        clock = f"{now - self.began if finalize else each * (self.target - step):.0f}s"
        bar = f"\x1b[1m{step:{digits}d}/{self.target}\x1b[0m "
        bar += (f"\x1b[32m{'━' * full}\x1b[0m" if full else "") + f"\x1b[37m{'━' * (20 - full)}\x1b[0m"
        width = 2 * digits + 22 + len(f" {clock} {pace}{shown}")
        line = "\b" * self.width + "\r" + bar + f" \x1b[1m{clock}\x1b[0m {pace}{shown}"
        line += " " * max(0, self.width - width) + ("\n" if finalize else "")
        self.width = width
        sys.stdout.write(line)
        sys.stdout.flush()


def _number(value):
    return f"{value:.4f}" if math.isnan(value) or abs(value) > 1e-3 else f"{value:.4e}"


def load_data():
    """(images (N, SIDE²), labels (N,)) to train and to validate: a pattern a class, and noise."""
    rng = torch.Generator().manual_seed(0)
    patterns = torch.randn(CLASSES, SIDE * SIDE, generator=rng)
    labels = torch.randint(0, CLASSES, (4800,), generator=rng)
    images = 0.35 * patterns[labels] + torch.randn(4800, SIDE * SIDE, generator=rng)
    return (images[:4000], labels[:4000]), (images[4000:], labels[4000:])


def evaluate(model, data):
    images, labels = data
    with torch.no_grad():
        logits = model(images)
        loss = nn.functional.cross_entropy(logits, labels).item()
    return (logits.argmax(1) == labels).double().mean().item(), loss


def fit(model, optimizer, train, validation, epochs, batch_size, verbose):
    images, labels = train
    steps = math.ceil(len(images) / batch_size)
    for epoch in range(epochs):
        if verbose:
            print(f"Epoch {epoch + 1}/{epochs}", flush=True)
        bar, right, total, seen = ProgressBar(steps, verbose), 0, 0.0, 0
        for step, rows in enumerate(torch.randperm(len(images)).split(batch_size), start=1):
            logits = model(images[rows])
            loss = nn.functional.cross_entropy(logits, labels[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            right += (logits.argmax(1) == labels[rows]).sum().item()
            total += loss.item() * len(rows)
            seen += len(rows)
            metrics = {"accuracy": right / seen, "loss": total / seen}
            bar.update(step, metrics)
        accuracy, loss = evaluate(model, validation)
        bar.update(steps, metrics | {"val_accuracy": accuracy, "val_loss": loss}, finalize=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--lr", type=float, default=0.01)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--batch_size", type=int, default=32)
    parser.add_argument("--verbose", type=int, default=1, choices=[0, 1, 2])
    parser.add_argument("--random_state", type=int, default=42)
    parser.add_argument("--save_path", default=None, help="e.g. model.pt")
    args = parser.parse_args()

    torch.set_num_threads(1)
    torch.manual_seed(args.random_state)
    train, validation = load_data()
    print("x_train shape:", tuple(train[0].shape))
    print(len(train[0]), "train samples")
    print(len(validation[0]), "test samples")
    model = nn.Sequential(
        nn.Linear(SIDE * SIDE, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, CLASSES)
    )
    optimizer = torch.optim.SGD(model.parameters(), lr=args.lr, momentum=0.9)
    fit(model, optimizer, train, validation, args.epochs, args.batch_size, args.verbose)
    accuracy, loss = evaluate(model, validation)
    print("Test loss:", loss)
    print("Test accuracy:", accuracy)
    if args.save_path:
        torch.save(model.state_dict(), args.save_path)


if __name__ == "__main__":
    main()
