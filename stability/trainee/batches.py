"""Clips to padded batches with their masks, targets and noise. No model, no loss.

Everything random about a training step travels inside its `Batch`, drawn from the trial's own generators.

Shapes: B batch, N characters, T frames (a multiple of R), G = T / R groups, M mel bands, L latent.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from stability.trainee.features import Clip

REDUCTION = 4


class Batch(NamedTuple):
    """One training or evaluation batch; `seed` drives dropout, `noise_BL` the posterior's sample.

    `ids` names the utterances in order.
    """

    tokens_BN: Tensor
    text_mask_BN: Tensor
    mel_BTM: Tensor
    frame_mask_BT: Tensor
    stop_BG: Tensor
    group_mask_BG: Tensor
    noise_BL: Tensor
    seed: int
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Clips:
    """Utterances as tensors on the trial's device, log-mels in the scale the model is fed."""

    ids: tuple[str, ...]
    tokens: tuple[Tensor, ...]
    mels_TM: tuple[Tensor, ...]

    def __len__(self) -> int:
        return len(self.tokens)

    def longest(self) -> int:
        """The largest number of characters or decoder positions of any utterance."""
        groups = (-(-len(mel_TM) // REDUCTION) for mel_TM in self.mels_TM)
        return max(*(len(tokens) for tokens in self.tokens), *groups)


@dataclass(frozen=True, slots=True)
class Streams:
    """The independent random streams of one trial, all on the CPU so that every device draws the same."""

    initial: torch.Generator
    order: torch.Generator
    noise: torch.Generator
    dropout: torch.Generator

    @classmethod
    def of(cls, seed: int) -> Streams:
        """Four streams that depend on `seed` only."""
        seeds = np.random.SeedSequence(seed).generate_state(4)
        return cls(*(torch.Generator().manual_seed(int(s)) for s in seeds))


def load_clips(clips: Sequence[Clip], shift: float, unit: float, device: str) -> Clips:
    """Copy `clips` to `device`, each log-mel as (mel - shift) / unit."""
    tokens = tuple(torch.tensor(clip.tokens, device=device) for clip in clips)
    mels_TM = (torch.tensor(clip.mel_TM) for clip in clips)
    scaled_TM = tuple(((mel_TM - shift) / unit).to(device) for mel_TM in mels_TM)
    return Clips(tuple(clip.id for clip in clips), tokens, scaled_TM)


def epoch_of(clips: Clips, batch_size: int, latent: int, streams: Streams) -> Iterator[Batch]:
    """Every utterance once, in a new random order; the last batch may be smaller."""
    order = torch.randperm(len(clips), generator=streams.order).tolist()
    for start in range(0, len(order), batch_size):
        chosen = order[start : start + batch_size]
        noise_BL = torch.randn(len(chosen), latent, generator=streams.noise)
        seed = int(torch.randint(2**62, (), generator=streams.dropout))
        yield collate(clips, chosen, noise_BL, seed)


def whole(clips: Clips, latent: int) -> Batch:
    """All of `clips` as one fixed batch without noise, for evaluation."""
    return collate(clips, range(len(clips)), torch.zeros(len(clips), latent), seed=0)


def collate(clips: Clips, chosen: Sequence[int], noise_BL: Tensor, seed: int) -> Batch:
    """Pad the utterances `chosen` with zeros; masks are true where there is an utterance."""
    tokens = [clips.tokens[i] for i in chosen]
    mels_TM = [clips.mels_TM[i] for i in chosen]
    device = tokens[0].device
    mel_BTM = _pad_to_groups(pad_sequence(mels_TM, batch_first=True))
    frames_B = torch.tensor([len(mel_TM) for mel_TM in mels_TM])
    groups_B = (frames_B + REDUCTION - 1) // REDUCTION
    groups_G = torch.arange(mel_BTM.shape[1] // REDUCTION)
    return Batch(
        tokens_BN=pad_sequence(tokens, batch_first=True),
        text_mask_BN=pad_sequence([torch.ones_like(t, dtype=torch.bool) for t in tokens], batch_first=True),
        mel_BTM=mel_BTM,
        frame_mask_BT=(torch.arange(mel_BTM.shape[1]) < frames_B[:, None]).to(device),
        stop_BG=(groups_G == groups_B[:, None] - 1).float().to(device),
        group_mask_BG=(groups_G < groups_B[:, None]).to(device),
        noise_BL=noise_BL.to(device),
        seed=seed,
        ids=tuple(clips.ids[i] for i in chosen),
    )


def _pad_to_groups(mel_BTM: Tensor) -> Tensor:
    return torch.nn.functional.pad(mel_BTM, (0, 0, 0, -mel_BTM.shape[1] % REDUCTION))
