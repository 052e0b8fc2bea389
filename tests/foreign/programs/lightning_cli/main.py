"""A classifier behind Lightning's command line: the optimizer is a class given by its path."""

import torch
from lightning.pytorch import LightningDataModule, LightningModule
from lightning.pytorch.cli import LightningCLI
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class SpiralData(LightningDataModule):
    """Points on three spirals.

    Args:
        batch_size: Points a step.
        points: Points of each spiral.
    """

    def __init__(self, batch_size: int = 32, points: int = 400) -> None:
        super().__init__()
        self.batch_size = batch_size
        rng = torch.Generator().manual_seed(4)
        radius = torch.rand(3, points, generator=rng)
        angle = 3.0 * radius + torch.arange(3)[:, None] * 2.1
        dots = torch.stack([radius * angle.cos(), radius * angle.sin()], dim=-1)
        dots += 0.03 * torch.randn(dots.shape, generator=rng)
        labels = torch.arange(3)[:, None].expand(3, points)
        order = torch.randperm(3 * points, generator=rng)
        x, y = dots.reshape(-1, 2)[order], labels.reshape(-1)[order]
        cut = len(x) * 4 // 5
        self.train, self.val = TensorDataset(x[:cut], y[:cut]), TensorDataset(x[cut:], y[cut:])

    def train_dataloader(self):
        return DataLoader(self.train, batch_size=self.batch_size, shuffle=True)

    def val_dataloader(self):
        return DataLoader(self.val, batch_size=240)


class LitClassifier(LightningModule):
    """Three layers.

    Args:
        hidden: Width of the hidden layers.
        dropout: Share of units that is dropped.
    """

    def __init__(self, hidden: int = 48, dropout: float = 0.0) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.net = nn.Sequential(
            nn.Linear(2, hidden),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
            nn.Linear(hidden, 3),
        )

    def _step(self, batch, stage):
        x, y = batch
        logits = self.net(x)
        loss = nn.functional.cross_entropy(logits, y)
        self.log(f"{stage}_loss", loss, prog_bar=True, on_step=stage == "train", on_epoch=True)
        if stage == "val":
            self.log("val_acc", (logits.argmax(1) == y).float().mean(), prog_bar=True)
        return loss

    def training_step(self, batch, batch_idx):
        return self._step(batch, "train")

    def validation_step(self, batch, batch_idx):
        self._step(batch, "val")


def main():
    torch.set_num_threads(1)
    csv = {"class_path": "lightning.pytorch.loggers.CSVLogger", "init_args": {"save_dir": "csv_logs"}}
    defaults = {"max_epochs": 12, "accelerator": "cpu", "logger": csv, "log_every_n_steps": 5}
    LightningCLI(LitClassifier, SpiralData, trainer_defaults=defaults)


if __name__ == "__main__":
    main()
