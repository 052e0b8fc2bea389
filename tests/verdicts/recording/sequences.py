"""Models of sequences: characters, translations, alignments, waves; recurrent and with attention."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn, optim

from recording.training import Descent, Kind, draws, grid

WORDS = ("the", "a", "red", "small", "old", "cat", "dog", "bird", "ship", "sees", "finds", "not", "and", "near")


def _text(length: int) -> Tensor:
    """Letters of random short sentences; 0 is the space, 27 the full stop."""
    letters: list[int] = []
    while len(letters) < length:
        for i in torch.randint(len(WORDS), (int(torch.randint(3, 7, ())),)).tolist():
            letters += [ord(letter) - ord("a") + 1 for letter in WORDS[i]] + [0]
        letters[-1] = 27
    return torch.tensor(letters[:length])


def _windows(text: Tensor, length: int) -> Tensor:
    return text.unfold(0, length + 1, 1)


class _Recurrent(nn.Module):
    def __init__(self, cell: type[nn.RNNBase], tokens: int, width: int, layers: int = 1) -> None:
        super().__init__()
        self.embed = nn.Embedding(tokens, width)
        self.cell = cell(width, width, layers, batch_first=True)
        self.out = nn.Linear(width, tokens)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.out(self.cell(self.embed(tokens))[0])


class _Attention(nn.Module):
    """A small decoder-only transformer, with its norms before or after the residual."""

    def __init__(self, tokens: int, width: int, layers: int, pre: bool) -> None:
        super().__init__()
        self.embed = nn.Embedding(tokens, width)
        self.places = nn.Parameter(0.02 * torch.randn(64, width))
        self.blocks = nn.ModuleList(
            nn.TransformerEncoderLayer(width, 4, 2 * width, 0.0, batch_first=True, norm_first=pre)
            for _ in range(layers)
        )
        self.last = nn.LayerNorm(width) if pre else nn.Identity()
        self.out = nn.Linear(width, tokens)

    def forward(self, tokens: Tensor) -> Tensor:
        length = tokens.shape[1]
        mask = torch.full((length, length), -math.inf).triu(1)
        x = self.embed(tokens) + self.places[:length]
        for block in self.blocks:
            x = block(x, src_mask=mask)
        return self.out(self.last(x))


def _language(net, optimizer, length, size, **more) -> Descent:
    draw = draws(_windows(_text(3000), length), size=size)
    held_out = _windows(_text(900), length)[::16]

    def loss(windows):
        return F.cross_entropy(net(windows[:, :-1]).flatten(0, 1), windows[:, 1:].flatten())

    return Descent(net, optimizer, lambda step: {"ce": loss(*draw())}, lambda: loss(held_out), **more)


def letters_lstm(lr, steps):
    net = _Recurrent(nn.LSTM, 28, 40, 2)
    return _language(net, optim.Adam(net.parameters(), lr), 24, 12, clip=1.0)


def letters_gru_sgd(lr, steps):
    net = _Recurrent(nn.GRU, 28, 32)
    return _language(net, optim.SGD(net.parameters(), lr, momentum=0.9), 24, 12)


def transformer_pre_norm(lr, steps):
    net = _Attention(28, 32, 2, pre=True)
    return _language(
        net, optim.AdamW(net.parameters(), lr), 24, 10, clip=1.0,
        schedule=lambda step: min(1.0, (step + 1) / 20),
    )  # fmt: skip


def transformer_post_norm(lr, steps):
    net = _Attention(28, 32, 4, pre=False)
    return _language(net, optim.Adam(net.parameters(), lr, betas=(0.9, 0.98)), 24, 8)


class _Translator(nn.Module):
    """A recurrent encoder and decoder with additive attention (Bahdanau et al. 2015)."""

    def __init__(self, tokens: int, width: int) -> None:
        super().__init__()
        self.embed = nn.Embedding(tokens + 1, width)  # the last one begins a sentence
        self.encoder = nn.GRU(width, width, batch_first=True)
        self.decoder = nn.GRUCell(2 * width, width)
        self.query, self.key, self.score = nn.Linear(width, width), nn.Linear(width, width), nn.Linear(width, 1)
        self.out = nn.Linear(2 * width, tokens)

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        memory, last = self.encoder(self.embed(source))
        state, keys, outputs = last[0], self.key(memory), []
        begin = torch.full_like(target[:, :1], self.embed.num_embeddings - 1)
        for token in torch.cat([begin, target[:, :-1]], 1).unbind(1):
            weight = self.score((self.query(state)[:, None] + keys).tanh()).softmax(1)
            context = (weight * memory).sum(1)
            state = self.decoder(torch.cat([self.embed(token), context], 1), state)
            outputs.append(self.out(torch.cat([state, context], 1)))
        return torch.stack(outputs, 1)


def reversing_seq2seq(lr, steps):
    net = _Translator(8, 24)

    def pairs(count):
        source = torch.randint(8, (count, 5))
        return source, (source.flip(1) + 3) % 8

    draw, held_out = draws(*pairs(1500), size=16), pairs(150)

    def loss(source, target):
        return F.cross_entropy(net(source, target).flatten(0, 1), target.flatten())

    optimizer = optim.Adam(net.parameters(), lr)
    return Descent(net, optimizer, lambda step: {"ce": loss(*draw())}, lambda: loss(*held_out), clip=2.0)


def alignment_ctc(lr, steps):
    """Symbols held for a few noisy frames each, read without knowing where."""
    codes = torch.randn(6, 8)

    def spoken(count):
        labels = torch.randint(5, (count, 4)) + 1
        frames = codes[labels.repeat_interleave(4, 1)] + 0.6 * torch.randn(count, 16, 8)
        return frames, labels

    net = nn.Sequential(nn.Conv1d(8, 32, 3, padding=1), nn.ReLU(), nn.Conv1d(32, 6, 3, padding=1))
    draw, held_out = draws(*spoken(600), size=16), spoken(150)

    def loss(frames, labels):
        logs = net(frames.transpose(1, 2)).permute(2, 0, 1).log_softmax(2)
        lengths = torch.full((len(labels),), 16), torch.full((len(labels),), 4)
        return F.ctc_loss(logs, labels, *lengths)

    optimizer = optim.Adam(net.parameters(), lr)
    return Descent(net, optimizer, lambda step: {"ctc": loss(*draw())}, lambda: loss(*held_out))


def wave_rnn(lr, steps):
    """A plain recurrent net without clipping forecasts a sum of two waves."""

    def waves(count):
        t = torch.arange(31) * 0.4
        phase, pitch = 6.3 * torch.rand(count, 2, 1), 0.7 + torch.rand(count, 2, 1)
        return (t * pitch + phase).sin().sum(1)[..., None]

    net = nn.ModuleList([nn.RNN(1, 24, batch_first=True, nonlinearity="relu"), nn.Linear(24, 1)])
    nn.init.eye_(net[0].weight_hh_l0)
    draw, held_out = draws(waves(500), size=16), waves(200)

    def loss(x):
        return F.mse_loss(net[1](net[0](x[:, :-1])[0]), x[:, 1:])

    optimizer = optim.SGD(net.parameters(), lr)
    return Descent(net, optimizer, lambda step: {"mse": loss(*draw())}, lambda: loss(held_out))


KINDS = (
    Kind("letters_lstm", letters_lstm, grid(1e-5, 10), 250),
    Kind("letters_gru_sgd", letters_gru_sgd, grid(1e-4, 100), 250),
    Kind("transformer_pre_norm", transformer_pre_norm, grid(1e-6, 3), 200),
    Kind("transformer_post_norm", transformer_post_norm, grid(1e-6, 1), 200),
    Kind("reversing_seq2seq", reversing_seq2seq, grid(1e-5, 3), 400),
    Kind("alignment_ctc", alignment_ctc, grid(1e-5, 10), 200),
    Kind("wave_rnn", wave_rnn, grid(1e-9, 0.3, 8), 300),
)
