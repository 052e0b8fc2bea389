"""Trains a small variational text-to-mel model with Lightning, on a folder in LJSpeech layout.

An ordinary Lightning script with its CSV logger. Nothing here knows of `stability`.
"""

import argparse
from pathlib import Path

import lightning
import numpy as np
import torch
from lightning.pytorch.loggers import CSVLogger
from scipy.io import wavfile
from torch import nn
from torch.nn import functional

CHARACTERS = "_abcdefghijklmnopqrstuvwxyz '-,.?!"
MELS, HELD_OUT = 80, 8


def log_bands(wave: np.ndarray) -> torch.Tensor:
    """Log energies [frames, MELS] of 80 equal bands."""
    window = torch.hann_window(1024)
    spectrum = torch.stft(torch.from_numpy(wave), 1024, 256, window=window, return_complex=True).abs()
    bands = functional.adaptive_avg_pool1d(spectrum.T, MELS)
    return (bands + 1e-5).log()


class Utterances(torch.utils.data.Dataset):
    def __init__(self, corpus: Path, lines: list[str]) -> None:
        self.items = []
        for line in lines:
            name, *_, text = line.split("|")
            _, wave = wavfile.read(corpus / "wavs" / f"{name}.wav")
            ids = [CHARACTERS.index(c) for c in text.lower() if c in CHARACTERS]
            self.items.append((torch.tensor(ids), log_bands(wave.astype(np.float32) / 32768)))

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        return self.items[index]


def collate(items):
    ids = nn.utils.rnn.pad_sequence([ids for ids, _ in items], batch_first=True)
    mels = nn.utils.rnn.pad_sequence([mel for _, mel in items], batch_first=True)
    lengths = torch.tensor([len(mel) for _, mel in items])
    return ids, mels, lengths


class TextToMel(lightning.LightningModule):
    """Text states stretched to the length of the speech, a latent of the whole, a recurrent decoder."""

    def __init__(self, lr: float, kl_weight: float, hidden: int = 64, latent: int = 8) -> None:
        super().__init__()
        self.lr, self.kl_weight = lr, kl_weight
        self.embedding = nn.Embedding(len(CHARACTERS), hidden)
        self.encoder = nn.GRU(hidden, hidden, batch_first=True)
        self.reference = nn.GRU(MELS, hidden, batch_first=True)
        self.posterior = nn.Linear(hidden, 2 * latent)
        self.decoder = nn.GRU(hidden + latent + MELS, hidden, batch_first=True)
        self.mel, self.stop = nn.Linear(hidden, MELS), nn.Linear(hidden, 1)

    def losses(self, batch) -> dict[str, torch.Tensor]:
        ids, mels, lengths = batch
        frames = mels.shape[1]
        text, _ = self.encoder(self.embedding(ids))
        text = functional.interpolate(text.mT, frames).mT
        _, state = self.reference(mels)
        mean, logvar = self.posterior(state[0]).chunk(2, dim=-1)
        latent = mean + torch.randn_like(mean) * (0.5 * logvar).exp()
        before = functional.pad(mels, (0, 0, 1, -1))
        out, _ = self.decoder(torch.cat([text, latent[:, None].expand(-1, frames, -1), before], dim=-1))
        at = torch.arange(frames)
        inside = (at < lengths[:, None]).float()
        ends = (at == lengths[:, None] - 1).float()
        mel = ((self.mel(out) - mels).abs().mean(-1) * inside).sum() / inside.sum()
        stop = functional.binary_cross_entropy_with_logits(self.stop(out)[..., 0], ends)
        kl = 0.5 * (mean**2 + logvar.exp() - 1 - logvar).sum(-1).mean()
        return {"mel": mel, "stop": stop, "kl": kl}

    def training_step(self, batch, _):
        losses = self.losses(batch)
        total = losses["mel"] + losses["stop"] + self.kl_weight * losses["kl"]
        self.log_dict({f"train_{name}": loss for name, loss in losses.items()} | {"train_total": total})
        return total

    def validation_step(self, batch, _):
        self.log_dict({f"val_{name}": loss for name, loss in self.losses(batch).items()})

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=self.lr)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", type=Path, required=True, help="folder with metadata.csv and wavs/")
    parser.add_argument("--output", type=Path, required=True, help="where metrics.csv goes")
    parser.add_argument("--lr", type=float, default=1e-3, help="learning rate")
    parser.add_argument("--clip", type=float, default=1.0, help="largest gradient norm; 0: no clipping")
    parser.add_argument("--kl-weight", type=float, default=0.1, help="weight of the KL loss")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    lightning.seed_everything(args.seed, verbose=False)
    lines = (args.corpus / "metadata.csv").read_text(encoding="utf-8").splitlines()

    def loader(lines, *, shuffle):
        return torch.utils.data.DataLoader(
            Utterances(args.corpus, lines), args.batch_size, shuffle, collate_fn=collate
        )

    held_out = loader(lines[-HELD_OUT:], shuffle=False)
    trainer = lightning.Trainer(
        max_epochs=args.epochs,
        gradient_clip_val=args.clip or None,
        logger=CSVLogger(args.output, name="", version="", flush_logs_every_n_steps=1),
        log_every_n_steps=1,
        num_sanity_val_steps=0,
        accelerator="cpu",
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    model = TextToMel(args.lr, args.kl_weight)
    trainer.validate(model, held_out, verbose=False)
    trainer.fit(model, loader(lines[:-HELD_OUT], shuffle=True), held_out)


if __name__ == "__main__":
    main()
