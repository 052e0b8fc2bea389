"""A regression of waves, configured by Hydra: conf/ holds the defaults, key=value changes them."""

import logging
import math
from pathlib import Path

import hydra
import torch
from omegaconf import DictConfig, OmegaConf
from torch import nn

log = logging.getLogger(__name__)


def waves(count: int, noise: float, rng: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """Points (N, 6), and a value (N, 1) of variance about 2 for each."""
    x = torch.rand(count, 6, generator=rng) * 4 - 2
    y = 1.5 * torch.sin(2 * x[:, 0]) + x[:, 1] * x[:, 2] / 1.5 + x[:, 3].abs() - 1
    return x, (y + noise * torch.randn(count, generator=rng))[:, None]


def build_model(cfg: DictConfig) -> nn.Sequential:
    layers, width = [], 6
    for _ in range(cfg.depth):
        layers += [nn.Linear(width, cfg.width), nn.ReLU()]
        width = cfg.width
    return nn.Sequential(*layers, nn.Linear(width, 1))


def build_optimizer(cfg: DictConfig, model: nn.Module) -> torch.optim.Optimizer:
    if cfg.name == "sgd":
        return torch.optim.SGD(model.parameters(), lr=cfg.lr, momentum=cfg.momentum)
    if cfg.name == "adam":
        return torch.optim.Adam(model.parameters(), lr=cfg.lr, betas=tuple(cfg.betas))
    raise ValueError(f"unknown optimizer {cfg.name}")


def validate(model, data, step):
    with torch.no_grad():
        loss = nn.functional.mse_loss(model(data[0]), data[1]).item()
    log.info(f"step={step} val/loss={loss:.5f}")
    return loss


@hydra.main(version_base=None, config_path="conf", config_name="config")
def main(cfg: DictConfig) -> float:
    log.info("Config:\n%s", OmegaConf.to_yaml(cfg))
    log.info("Working directory: %s", Path.cwd())
    torch.set_num_threads(1)
    torch.manual_seed(cfg.seed)
    rng = torch.Generator().manual_seed(31)
    train, val = waves(4000, cfg.data.noise, rng), waves(500, cfg.data.noise, rng)
    model = build_model(cfg.model)
    optimizer = build_optimizer(cfg.optimizer, model)
    best = math.inf
    for step in range(1, cfg.trainer.max_steps + 1):
        rows = torch.randint(len(train[0]), (cfg.data.batch_size,))
        loss = nn.functional.mse_loss(model(train[0][rows]), train[1][rows])
        if torch.isnan(loss):
            raise RuntimeError(f"loss is nan at step {step}")
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % cfg.trainer.log_every_n_steps == 0:
            log.info(f"step={step} train/loss={loss.item():.5f} lr={optimizer.param_groups[0]['lr']:.3e}")
        if step % cfg.trainer.val_check_interval == 0:
            loss = validate(model, val, step)
            if loss < best:
                best = loss
                torch.save(model.state_dict(), "best.pt")  # in the run's own directory
    log.info(f"best val/loss={best:.5f}")
    return best


if __name__ == "__main__":
    main()
