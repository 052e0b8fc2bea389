"""Patches restored from their neighbours; a typer command, and the meters of DeiT's and MAE's loops."""

import datetime
import json
import math
import sys
import time
from collections import defaultdict, deque
from pathlib import Path
from typing import Annotated

import torch
import typer
import yaml
from torch import nn

app = typer.Typer(rich_markup_mode="rich", pretty_exceptions_enable=True)


class SmoothedValue:
    """The median of the last 20 values and the mean of all."""

    def __init__(self):
        self.recent, self.total, self.count = deque(maxlen=20), 0.0, 0

    def update(self, value):
        self.recent.append(value)
        self.total, self.count = self.total + value, self.count + 1

    def __str__(self):
        median = torch.tensor(list(self.recent)).median().item()
        return f"{median:.4f} ({self.total / self.count:.4f})"


def log_every(batches, print_freq, header, meters):
    """Yields the batches, and prints the meters now and then: counter first, losses after."""
    began, digits = time.time(), len(str(len(batches)))
    for i, batch in enumerate(batches):
        start = time.time()
        yield batch
        if i % print_freq == 0 or i == len(batches) - 1:
            each = (time.time() - began) / (i + 1)
            eta = datetime.timedelta(seconds=int(each * (len(batches) - i)))
            shown = "  ".join(f"{name}: {meter}" for name, meter in meters.items())
            print(
                f"{header}  [{i:{digits}d}/{len(batches)}]  eta: {eta}  {shown}  time: {time.time() - start:.4f}  data: 0.0001"
            )
    spent = time.time() - began
    print(
        f"{header} Total time: {datetime.timedelta(seconds=int(spent))} ({spent / len(batches):.4f} s / it)"
    )


def patches():
    """Smooth rows (N, 48) with a hole of 16 in the middle, and what was in the hole (N, 16)."""
    rng = torch.Generator().manual_seed(17)
    places = torch.linspace(0, 1, 48)
    phases, speeds = torch.rand(4000, 3, 1, generator=rng), 1 + 2 * torch.rand(4000, 3, 1, generator=rng)
    rows = torch.sin(2 * math.pi * (speeds * places + phases)).sum(1)
    rows = rows + 0.05 * torch.randn(rows.shape, generator=rng)
    hole = rows[:, 16:32].clone()
    rows[:, 16:32] = 0.0
    return rows, hole


def _absent(path: Path) -> Path:
    if path.exists():
        raise typer.BadParameter(f"{path} exists already; remove it or choose another file.")
    return path


@app.command()
def train(
    recipe: Annotated[
        Path, typer.Option(exists=True, dir_okay=False, help="YAML file with the [bold]recipe[/bold].")
    ],
    output: Annotated[
        Path,
        typer.Option("--output", "-o", callback=_absent, help="File for the weights; it must not exist."),
    ],
    lr: Annotated[
        float | None,
        typer.Option(
            help="Learning rate (absolute). Unset: [cyan]blr[/cyan] of the recipe * batch size / 256."
        ),
    ] = None,
    min_lr: Annotated[float, typer.Option(help="Lower bound of the cosine schedule.")] = 0.0,
    epochs: Annotated[int | None, typer.Option(min=1, help="Unset: as in the recipe.")] = None,
    warmup_epochs: Annotated[float, typer.Option(help="Epochs of linear warm-up.")] = 0.5,
    seed: Annotated[
        int, typer.Option(envvar="TRAIN_SEED", help="Random seed.", rich_help_panel="Reproducibility")
    ] = 0,
    print_freq: Annotated[
        int, typer.Option(help="Batches between two lines.", rich_help_panel="Logging")
    ] = 20,
    amp: Annotated[bool, typer.Option("--amp/--no-amp", help="Mixed precision.")] = False,
) -> None:
    """Trains a [green]restorer[/green] of masked rows and writes its weights."""
    settings = yaml.safe_load(recipe.read_text())
    epochs, batch_size = epochs or settings["epochs"], settings["batch_size"]
    if lr is None:
        lr = settings["blr"] * batch_size / 256
    print(f"base lr: {lr * 256 / batch_size:.2e}")
    print(f"actual lr: {lr:.2e}")

    torch.set_num_threads(1)
    torch.manual_seed(seed)
    rows, hole = patches()
    width = settings["width"]
    model = nn.Sequential(
        nn.Linear(48, width), nn.GELU(), nn.Linear(width, width), nn.GELU(), nn.Linear(width, 16)
    )
    optimizer = torch.optim.SGD(
        model.parameters(), lr=lr, momentum=0.9, weight_decay=settings["weight_decay"]
    )
    print(f"Start training for {epochs} epochs")
    began = time.time()
    for epoch in range(epochs):
        meters = defaultdict(SmoothedValue)
        batches = torch.randperm(len(rows)).split(batch_size)
        for step, chosen in enumerate(log_every(batches, print_freq, f"Epoch: [{epoch}]", meters)):
            at = epoch + step / len(batches)
            if at < warmup_epochs:
                rate = lr * at / warmup_epochs
            else:
                part = (at - warmup_epochs) / (epochs - warmup_epochs)
                rate = min_lr + (lr - min_lr) * 0.5 * (1.0 + math.cos(math.pi * part))
            optimizer.param_groups[0]["lr"] = rate
            with torch.autocast("cpu", enabled=amp):
                loss = nn.functional.mse_loss(model(rows[chosen]), hole[chosen])
            if not math.isfinite(loss.item()):
                print(f"Loss is {loss.item()}, stopping training")
                sys.exit(1)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            meters["lr"].update(rate)
            meters["loss"].update(loss.item())
        stats = {f"train_{name}": meter.total / meter.count for name, meter in meters.items()}
        print("Averaged stats:", "  ".join(f"{name}: {meter}" for name, meter in meters.items()))
        with output.with_suffix(".log.txt").open("a") as log:
            log.write(json.dumps(stats | {"epoch": epoch}) + "\n")
    torch.save(model.state_dict(), output)
    print(f"Training time {datetime.timedelta(seconds=int(time.time() - began))}")


if __name__ == "__main__":
    app()
