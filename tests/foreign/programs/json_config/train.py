"""Mel frames by a generator and a discriminator; everything is in a JSON file, as for VITS."""

import argparse
import json
import logging
import sys
from pathlib import Path

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from torch.utils.tensorboard import SummaryWriter

SYMBOLS = 20


class HParams:
    """A JSON object with its keys as attributes."""

    def __init__(self, **values):
        for key, value in values.items():
            setattr(self, key, HParams(**value) if isinstance(value, dict) else value)

    def __repr__(self):
        return repr(self.__dict__)


def get_hparams():
    parser = argparse.ArgumentParser()
    parser.add_argument(
        "-c", "--config", type=str, default="./configs/base.json", help="JSON file for configuration"
    )
    config = Path(parser.parse_args().config)
    model_dir = Path("logs") / config.stem
    model_dir.mkdir(parents=True, exist_ok=True)
    (model_dir / "config.json").write_text(config.read_text())
    return HParams(**json.loads(config.read_text()), model_dir=str(model_dir))


def get_logger(model_dir):
    logging.basicConfig(stream=sys.stdout, level=logging.INFO)
    logger = logging.getLogger(Path(model_dir).name)
    handler = logging.FileHandler(Path(model_dir) / "train.log")
    handler.setFormatter(logging.Formatter("%(asctime)s\t%(name)s\t%(levelname)s\t%(message)s"))
    logger.addHandler(handler)
    return logger


def utterances(hps):
    """Symbols (N, T) and mels (N, T, M); the mels follow from the symbols and a little noise."""
    rng = torch.Generator().manual_seed(41)
    spectra = torch.randn(SYMBOLS, hps.n_mel_channels, generator=rng)
    text = torch.randint(0, SYMBOLS, (hps.utterances, 16), generator=rng)
    mel = spectra[text] + 0.5 * spectra[text].roll(1, dims=1)
    return TensorDataset(text, mel + 0.1 * torch.randn(mel.shape, generator=rng))


class SynthesizerTrn(nn.Module):
    def __init__(self, hps):
        super().__init__()
        self.hps, hidden = hps, hps.model.hidden_channels
        self.emb = nn.Embedding(SYMBOLS, hps.model.inter_channels)
        self.pre = nn.Conv1d(2 * hps.model.inter_channels, hidden, 3, padding=1)
        self.post = nn.Conv1d(hidden, hps.data.n_mel_channels, 3, padding=1)

    def forward(self, text_BT):
        x_BCT = self.emb(text_BT).transpose(1, 2)
        noise_BCT = torch.randn_like(x_BCT)
        x_BCT = nn.functional.leaky_relu(self.pre(torch.cat([x_BCT, noise_BCT], 1)), 0.1)
        return self.post(x_BCT).transpose(1, 2)


class Discriminator(nn.Module):
    """A score a frame, and what the hidden layer says on the way."""

    def __init__(self, hps):
        super().__init__()
        self.hidden, self.score = nn.Linear(hps.data.n_mel_channels, 32), nn.Linear(32, 1)

    def forward(self, mel):
        features = nn.functional.leaky_relu(self.hidden(mel), 0.1)
        return self.score(features), features


def train_epoch(epoch, hps, nets, optims, loader, step, logger, writer):
    net_g, net_d = nets
    optim_g, optim_d = optims
    for batch_idx, (text, mel) in enumerate(loader):
        mel_hat = net_g(text)
        real, fake = net_d(mel)[0], net_d(mel_hat.detach())[0]
        loss_disc = ((1 - real) ** 2).mean() + (fake**2).mean()
        optim_d.zero_grad()
        loss_disc.backward()
        optim_d.step()

        (score, features), wanted = net_d(mel_hat), net_d(mel)[1].detach()
        loss_gen = ((1 - score) ** 2).mean()
        loss_fm = 2 * nn.functional.l1_loss(features, wanted)
        loss_mel = nn.functional.l1_loss(mel_hat, mel) * hps.train.c_mel
        loss_gen_all = loss_gen + loss_fm + loss_mel
        optim_g.zero_grad()
        loss_gen_all.backward()
        optim_g.step()

        if step % hps.train.log_interval == 0:
            lr = optim_g.param_groups[0]["lr"]
            losses = [loss_disc, loss_gen, loss_fm, loss_mel]
            logger.info(f"Train Epoch: {epoch} [{100.0 * batch_idx / len(loader):.0f}%]")
            logger.info([x.item() for x in losses] + [step, lr])
            totals = {"loss/g/total": loss_gen_all, "loss/d/total": loss_disc, "loss/g/mel": loss_mel}
            for name, value in totals.items():
                writer.add_scalar(name, value, step)
            writer.add_scalar("learning_rate", lr, step)
        if step % hps.train.eval_interval == 0:
            path = Path(hps.model_dir) / f"G_{step}.pth"
            logger.info(f"Saving model and optimizer state at iteration {epoch} to {path}")
            torch.save({"model": net_g.state_dict(), "iteration": epoch}, path)
        step += 1
    logger.info(f"====> Epoch: {epoch}")
    return step


def main():
    hps = get_hparams()
    logger = get_logger(hps.model_dir)
    logger.info(hps)
    writer = SummaryWriter(log_dir=hps.model_dir)
    torch.set_num_threads(1)
    torch.manual_seed(hps.train.seed)
    loader = DataLoader(utterances(hps.data), batch_size=hps.train.batch_size, shuffle=True)
    nets = [SynthesizerTrn(hps), Discriminator(hps)]
    kwargs = {"betas": tuple(hps.train.betas), "eps": hps.train.eps}
    optims = [torch.optim.AdamW(net.parameters(), hps.train.learning_rate, **kwargs) for net in nets]
    schedulers = [torch.optim.lr_scheduler.ExponentialLR(o, gamma=hps.train.lr_decay) for o in optims]
    step = 0
    for epoch in range(1, hps.train.epochs + 1):
        step = train_epoch(epoch, hps, nets, optims, loader, step, logger, writer)
        for scheduler in schedulers:
            scheduler.step()


if __name__ == "__main__":
    main()
