"""Mel frames from symbols, teacher-forced; the interface is that of NVIDIA's tacotron2."""

import argparse
import time
from pathlib import Path

import torch
from hparams import create_hparams
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from torch.utils.tensorboard import SummaryWriter


class Tacotron(nn.Module):
    """Symbols (B, T) and the frames before (B, T, M) to the frames (B, T, M)."""

    def __init__(self, hparams):
        super().__init__()
        self.embedding = nn.Embedding(hparams.n_symbols, hparams.symbols_embedding_dim)
        self.prenet = nn.Sequential(nn.Linear(hparams.n_mel_channels, hparams.prenet_dim), nn.ReLU())
        width = hparams.symbols_embedding_dim + hparams.prenet_dim
        self.decoder = nn.GRU(width, hparams.decoder_rnn_dim, batch_first=True)
        self.projection = nn.Linear(hparams.decoder_rnn_dim, hparams.n_mel_channels)
        self.postnet = nn.Sequential(
            nn.Conv1d(hparams.n_mel_channels, 32, 5, padding=2),
            nn.Tanh(),
            nn.Conv1d(32, hparams.n_mel_channels, 5, padding=2),
        )

    def forward(self, symbols_BT, mel_BTM):
        before_BTM = nn.functional.pad(mel_BTM[:, :-1], (0, 0, 1, 0))
        state_BTH, _ = self.decoder(torch.cat([self.embedding(symbols_BT), self.prenet(before_BTM)], -1))
        mel_out_BTM = self.projection(state_BTH)
        return mel_out_BTM, mel_out_BTM + self.postnet(mel_out_BTM.transpose(1, 2)).transpose(1, 2)


def criterion(outputs, target):
    return sum(nn.functional.mse_loss(output, target) for output in outputs)


def utterances(count, hparams, rng):
    """Random symbols; each has a spectrum, which is smoothed over time and gets noise."""
    spectra = 2.0 * torch.randn(
        hparams.n_symbols, hparams.n_mel_channels, generator=torch.Generator().manual_seed(9)
    )
    symbols = torch.randint(0, hparams.n_symbols, (count, 24), generator=rng)
    mel = spectra[symbols] - 4.0
    mel[:, 1:] = 0.6 * mel[:, 1:] + 0.4 * mel[:, :-1]
    return TensorDataset(symbols, mel + 0.1 * torch.randn(mel.shape, generator=rng))


def prepare_directories_and_logger(output_directory, log_directory):
    Path(output_directory).mkdir(parents=True, exist_ok=True)
    return SummaryWriter(Path(output_directory) / log_directory)


def validate(model, valset, iteration, batch_size, logger):
    model.eval()
    with torch.no_grad():
        losses = [criterion(model(x, y), y).item() for x, y in DataLoader(valset, batch_size=batch_size)]
    model.train()
    val_loss = sum(losses) / len(losses)
    print(f"Validation loss {iteration}: {val_loss:9f}  ")
    logger.add_scalar("validation.loss", val_loss, iteration)


def save_checkpoint(model, optimizer, learning_rate, iteration, path):
    print(f"Saving model and optimizer state at iteration {iteration} to {path}")
    state = {"iteration": iteration, "state_dict": model.state_dict(), "optimizer": optimizer.state_dict()}
    torch.save(state | {"learning_rate": learning_rate}, path)


def train(args, hparams):
    torch.manual_seed(hparams.seed)
    model = Tacotron(hparams)
    learning_rate, iteration = hparams.learning_rate, 0
    optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate, weight_decay=hparams.weight_decay)
    logger = prepare_directories_and_logger(args.output_directory, args.log_directory)
    rng = torch.Generator().manual_seed(6)
    trainset, valset = utterances(640, hparams, rng), utterances(64, hparams, rng)
    loader = DataLoader(trainset, batch_size=hparams.batch_size, shuffle=True, drop_last=True)
    if args.checkpoint_path is not None:
        print(f"Loading checkpoint '{args.checkpoint_path}'")
        saved = torch.load(args.checkpoint_path)
        model.load_state_dict(saved["state_dict"])
        optimizer.load_state_dict(saved["optimizer"])
        iteration = saved["iteration"] + 1
        learning_rate = saved["learning_rate"] if hparams.use_saved_learning_rate else learning_rate

    model.train()
    for epoch in range(iteration // len(loader), hparams.epochs):
        print(f"Epoch: {epoch}")
        for x, y in loader:
            start = time.perf_counter()
            for group in optimizer.param_groups:
                group["lr"] = learning_rate
            model.zero_grad()
            loss = criterion(model(x, y), y)
            loss.backward()
            grad_norm = nn.utils.clip_grad_norm_(model.parameters(), hparams.grad_clip_thresh)
            optimizer.step()
            duration = time.perf_counter() - start
            print(f"Train loss {iteration} {loss.item():.6f} Grad Norm {grad_norm:.6f} {duration:.2f}s/it")
            logger.add_scalar("training.loss", loss.item(), iteration)
            logger.add_scalar("grad.norm", grad_norm, iteration)
            logger.add_scalar("learning.rate", learning_rate, iteration)
            if iteration % hparams.iters_per_checkpoint == 0:
                validate(model, valset, iteration, hparams.batch_size, logger)
                path = Path(args.output_directory) / f"checkpoint_{iteration}"
                save_checkpoint(model, optimizer, learning_rate, iteration, path)
            iteration += 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("-o", "--output_directory", type=str, help="directory to save checkpoints")
    parser.add_argument("-l", "--log_directory", type=str, help="directory to save tensorboard logs")
    parser.add_argument(
        "-c", "--checkpoint_path", type=str, default=None, required=False, help="checkpoint path"
    )
    parser.add_argument("--n_gpus", type=int, default=1, required=False, help="number of gpus")
    parser.add_argument("--hparams", type=str, required=False, help="comma separated name=value pairs")
    args = parser.parse_args()
    torch.set_num_threads(1)
    hparams = create_hparams(args.hparams)
    print("FP16 Run:", hparams.fp16_run)
    print("Distributed Run:", hparams.distributed_run)
    train(args, hparams)
