"""VAE-Transformer-TTS: characters in, log-mel out, teacher-forced in parallel.

Features:
- Transformer-TTS (Li et al., arXiv 1809.08895): self-attention encoder over characters, causal decoder over
  mel frames with cross-attention, scaled sinusoidal positions, prenet, residual post-net, stop head
- variational reference encoder (Hsu et al., arXiv 1810.07217; Zhang et al., arXiv 1812.04342): the target mel
  gives a posterior N(mu, exp(logvar)) whose sample is added to the encoder's memory
- reduction factor 4 (Wang et al., arXiv 1703.10135): one decoder position predicts four frames
- no recurrence, no batch statistics: an utterance's numbers do not depend on its neighbours or its padding
- pre- or post-layer-norm
- no guard of any kind: `logvar` is unbounded unless `logvar_clamp` is set, so a NaN is a genuine one

Nothing here draws from a global generator except dropout, which `losses` seeds from the batch.

Shapes: B batch, N characters, T frames, G groups of R frames, M mel bands, D width, H heads, L latent.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stability.trainee.batches import REDUCTION, Batch
from stability.trainee.features import MEL_CHANNELS
from stability.trainee.hyperparameters import Hyperparameters, Size


class Prediction(NamedTuple):
    """What the model says about a batch; mels in the scale the batch is in."""

    pre_BTM: Tensor
    post_BTM: Tensor
    stop_BG: Tensor
    mu_BL: Tensor
    logvar_BL: Tensor


class Attention(nn.Module):
    """Multi-head scaled dot-product attention (Vaswani et al., arXiv 1706.03762)."""

    def __init__(self, size: Size, dropout: float) -> None:
        super().__init__()
        self.heads, self.dropout = size.heads, dropout
        self.query = nn.Linear(size.width, size.width)
        self.key_value = nn.Linear(size.width, 2 * size.width)
        self.out = nn.Linear(size.width, size.width)

    def forward(self, x_BQD: Tensor, memory_BKD: Tensor, mask: Tensor) -> Tensor:
        """Attend from `x` to `memory` where `mask` (broadcast to B, H, Q, K) is true."""
        query_BHQE = self._heads(self.query(x_BQD))
        key_BHKE, value_BHKE = (self._heads(part) for part in self.key_value(memory_BKD).chunk(2, -1))
        scores_BHQK = query_BHQE @ key_BHKE.mT * (query_BHQE.shape[-1] ** -0.5)
        weights_BHQK = scores_BHQK.masked_fill(~mask, -math.inf).softmax(-1)
        weights_BHQK = F.dropout(weights_BHQK, self.dropout, self.training)
        return self.out((weights_BHQK @ value_BHKE).transpose(1, 2).flatten(2))

    def _heads(self, x_BND: Tensor) -> Tensor:
        return x_BND.unflatten(-1, (self.heads, -1)).transpose(1, 2)


class Layer(nn.Module):
    """Self-attention, cross-attention where there is a memory, and a feed-forward branch."""

    def __init__(self, size: Size, hp: Hyperparameters, cross: bool) -> None:
        super().__init__()
        self.pre, self.dropout = hp.norm == "pre", hp.dropout
        self.self_attention = Attention(size, hp.dropout)
        self.cross_attention = Attention(size, hp.dropout) if cross else None
        self.widen = nn.Linear(size.width, size.feedforward)
        self.narrow = nn.Linear(size.feedforward, size.width)
        self.norms = nn.ModuleList(nn.LayerNorm(size.width) for _ in range(3 if cross else 2))

    def forward(
        self, x_BND: Tensor, mask: Tensor, memory_BKD: Tensor | None = None, memory_mask: Tensor | None = None
    ) -> Tensor:
        x_BND = self._add(x_BND, 0, lambda y_BND: self.self_attention(y_BND, y_BND, mask))
        if self.cross_attention is not None:
            x_BND = self._add(x_BND, 1, lambda y_BND: self.cross_attention(y_BND, memory_BKD, memory_mask))
        return self._add(x_BND, -1, lambda y_BND: self.narrow(F.relu(self.widen(y_BND))))

    def _add(self, x_BND: Tensor, index: int, branch: Callable[[Tensor], Tensor]) -> Tensor:
        """The residual sum, normalised before the branch or after the addition."""
        norm = self.norms[index]
        y_BND = F.dropout(branch(norm(x_BND) if self.pre else x_BND), self.dropout, self.training)
        return x_BND + y_BND if self.pre else norm(x_BND + y_BND)


class Stack(nn.Module):
    """Transformer layers over inputs with scaled sinusoidal positions (arXiv 1809.08895, section 3.2)."""

    def __init__(self, size: Size, hp: Hyperparameters, longest: int, cross: bool) -> None:
        super().__init__()
        self.dropout = hp.dropout
        self.scale = nn.Parameter(torch.ones(()))
        self.register_buffer("positions_ND", sinusoids(longest, size.width), persistent=False)
        self.layers = nn.ModuleList(Layer(size, hp, cross) for _ in range(size.layers))
        self.norm = nn.LayerNorm(size.width) if hp.norm == "pre" else nn.Identity()

    def forward(
        self, x_BND: Tensor, mask: Tensor, memory_BKD: Tensor | None = None, memory_mask: Tensor | None = None
    ) -> Tensor:
        x_BND = x_BND + self.scale * self.positions_ND[: x_BND.shape[1]]
        x_BND = F.dropout(x_BND, self.dropout, self.training)
        for layer in self.layers:
            x_BND = layer(x_BND, mask, memory_BKD, memory_mask)
        return self.norm(x_BND)


class ReferenceEncoder(nn.Module):
    """The posterior of an utterance: strided convolutions, mean over time, one linear head; no norm."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        channels = [MEL_CHANNELS, size.width, size.width, size.width]
        self.convolutions = nn.ModuleList(
            nn.Conv1d(a, b, kernel_size=3, stride=2, padding=1) for a, b in pairwise(channels)
        )
        self.head = nn.Linear(size.width, 2 * size.latent)

    def forward(self, mel_BTM: Tensor, mask_BT: Tensor) -> tuple[Tensor, Tensor]:
        x_BTD = mel_BTM
        for convolution in self.convolutions:
            x_BTD = F.relu(convolution(x_BTD.mT).mT)
            mask_BT = mask_BT[:, ::2]
            x_BTD = x_BTD.masked_fill(~mask_BT[..., None], 0.0)
        mean_BD = x_BTD.sum(1) / mask_BT.sum(1, keepdim=True)
        mu_BL, logvar_BL = self.head(mean_BD).chunk(2, -1)
        return mu_BL, logvar_BL


class PostNet(nn.Module):
    """The residual that refines a predicted mel (Shen et al., arXiv 1712.05884), without batch norm."""

    def __init__(self, size: Size, dropout: float) -> None:
        super().__init__()
        self.dropout = dropout
        channels = [MEL_CHANNELS, *[size.width] * (size.postnet_layers - 1), MEL_CHANNELS]
        self.convolutions = nn.ModuleList(
            nn.Conv1d(a, b, kernel_size=5, padding=2) for a, b in pairwise(channels)
        )

    def forward(self, mel_BTM: Tensor, mask_BT: Tensor) -> Tensor:
        padding_B1T = ~mask_BT[:, None]
        x_BDT = mel_BTM.mT
        for index, convolution in enumerate(self.convolutions):
            x_BDT = convolution(x_BDT.masked_fill(padding_B1T, 0.0))
            if index < len(self.convolutions) - 1:
                x_BDT = F.dropout(torch.tanh(x_BDT), self.dropout, self.training)
        return x_BDT.mT


class VaeTransformerTts(nn.Module):
    """The whole model; `forward` maps a `Batch` to a `Prediction`.

    In training mode z is sampled with the batch's noise, in evaluation mode it is the posterior's mean.
    `longest` is the largest number of characters or decoder positions that will be seen.
    """

    def __init__(self, size: Size, hp: Hyperparameters, vocabulary_size: int, longest: int) -> None:
        super().__init__()
        self.dropout, self.logvar_clamp = hp.dropout, hp.logvar_clamp
        self.embedding = nn.Embedding(vocabulary_size, size.width)
        self.encoder = Stack(size, hp, longest, cross=False)
        self.reference = ReferenceEncoder(size)
        self.latent = nn.Linear(size.latent, size.width)
        self.prenet = nn.ModuleList([nn.Linear(MEL_CHANNELS, size.width), nn.Linear(size.width, size.width)])
        self.decoder = Stack(size, hp, longest, cross=True)
        self.mel = nn.Linear(size.width, REDUCTION * MEL_CHANNELS)
        self.stop = nn.Linear(size.width, 1)
        self.postnet = PostNet(size, hp.dropout)
        causal_GG = torch.ones(longest, longest, dtype=torch.bool).tril()
        self.register_buffer("causal_GG", causal_GG, persistent=False)

    def forward(self, batch: Batch) -> Prediction:
        text_mask = batch.text_mask_BN[:, None, None]
        memory_BND = self.encoder(self.embedding(batch.tokens_BN), text_mask)
        mu_BL, logvar_BL = self._posterior(batch)
        memory_BND = memory_BND + self.latent(self._sample(mu_BL, logvar_BL, batch.noise_BL))[:, None]
        decoded_BGD = self._decode(batch.mel_BTM, memory_BND, text_mask)
        pre_BTM = self.mel(decoded_BGD).unflatten(-1, (REDUCTION, MEL_CHANNELS)).flatten(1, 2)
        post_BTM = pre_BTM + self.postnet(pre_BTM, batch.frame_mask_BT)
        return Prediction(pre_BTM, post_BTM, self.stop(decoded_BGD).squeeze(-1), mu_BL, logvar_BL)

    def _posterior(self, batch: Batch) -> tuple[Tensor, Tensor]:
        mu_BL, logvar_BL = self.reference(batch.mel_BTM, batch.frame_mask_BT)
        if self.logvar_clamp is not None:
            logvar_BL = logvar_BL.clamp(-self.logvar_clamp, self.logvar_clamp)
        return mu_BL, logvar_BL

    def _sample(self, mu_BL: Tensor, logvar_BL: Tensor, noise_BL: Tensor) -> Tensor:
        return mu_BL + torch.exp(0.5 * logvar_BL) * noise_BL if self.training else mu_BL

    def _decode(self, mel_BTM: Tensor, memory_BND: Tensor, text_mask: Tensor) -> Tensor:
        """Predict each group from the last frame of every group before it; the first sees a zero frame.

        Padding follows the utterance, so the causal mask alone keeps it out of every valid position.
        """
        last_BGM = mel_BTM[:, REDUCTION - 1 :: REDUCTION]
        x_BGD = F.pad(last_BGM[:, :-1], (0, 0, 1, 0))
        for linear in self.prenet:
            x_BGD = F.dropout(F.relu(linear(x_BGD)), self.dropout, self.training)
        groups = x_BGD.shape[1]
        return self.decoder(x_BGD, self.causal_GG[:groups, :groups], memory_BND, text_mask)


def sinusoids(length: int, width: int) -> Tensor:
    """Sinusoidal positions of shape (length, width) (arXiv 1706.03762, section 3.5)."""
    rates = torch.exp(torch.arange(0, width, 2) * (-math.log(10_000.0) / width))
    angles = torch.arange(length)[:, None] * rates
    return torch.stack((angles.sin(), angles.cos()), -1).flatten(1)


def build(
    size: Size, hp: Hyperparameters, vocabulary_size: int, longest: int, generator: torch.Generator
) -> VaeTransformerTts:
    """A model on the CPU whose initial weights depend on `size` and `generator` alone, not on `hp`."""
    model = VaeTransformerTts(size, hp, vocabulary_size, longest)
    for module in model.modules():
        if isinstance(module, nn.Linear | nn.Conv1d):
            nn.init.xavier_uniform_(module.weight, generator=generator)
            nn.init.zeros_(module.bias)
        elif isinstance(module, nn.Embedding):
            nn.init.normal_(module.weight, generator=generator)
    return model
