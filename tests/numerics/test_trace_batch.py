"""Which element of the batch is to blame, through views, folds, loops and other layouts."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from stability.numerics.trace import trace
from stability.numerics.watch import watch

BATCH, FRAMES, FEATURES = 5, 7, 4
GUILTY = 3


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


@pytest.fixture
def layer():
    return nn.Linear(FEATURES, FEATURES, bias=False)


@pytest.fixture
def x_BTF():
    x = torch.randn(BATCH, FRAMES, FEATURES)
    x[GUILTY] = 0.0
    return x


def blamed(loss) -> int | None:
    found = trace(lambda: loss().sum().backward())
    assert found is not None
    return found.batch_index


LAYOUTS = {
    "plain": lambda y: y / y.sum((1, 2), keepdim=True),
    "folded frames": lambda y: y.reshape(-1, FEATURES) / y.reshape(-1, FEATURES).norm(dim=1, keepdim=True),
    "frames first": lambda y: y.transpose(0, 1) / y.transpose(0, 1).norm(dim=2, keepdim=True),
    "frames first, folded": lambda y: F.normalize(y.transpose(0, 1).reshape(-1, FEATURES), eps=0.0),
    "heads": lambda y: F.normalize(y.unflatten(-1, (2, 2)).transpose(1, 2).reshape(-1, FRAMES, 2), eps=0.0),
    "channels first": lambda y: y.mT / y.mT.norm(dim=1, keepdim=True),
    "one feature": lambda y: y[..., 1].square().sum(1).log(),
    "one frame": lambda y: y[:, 2].square().sum(-1).log(),
    "chosen frames": lambda y: y[torch.ones(BATCH, FRAMES, dtype=torch.bool)].square().sum(-1).log(),
    "last frames": lambda y: y[torch.arange(BATCH), torch.full((BATCH,), 4)].square().sum(-1).log(),
    "joined": lambda y: torch.cat((y, y), dim=-1).square().sum((1, 2)).log(),
    "stacked": lambda y: torch.stack((y.sum(1), y.mean(1))).square().sum((0, 2)).log(),
    "split": lambda y: y.split(2)[1].square().sum((1, 2)).log(),
    "flattened": lambda y: y.flatten(1).square().sum(1).log(),
    "reordered": lambda y: y.index_select(0, torch.tensor([3, 1, 0, 4, 2])).square().sum((1, 2)).log(),
    "products": lambda y: torch.bmm(y, y.mT).diagonal(dim1=1, dim2=2).sum(1).log(),
    "convolved": lambda y: F.conv1d(y.mT, torch.ones(2, FEATURES, 3), padding=1).square().sum((1, 2)).log(),
    "padded": lambda y: F.pad(y, (0, 0, 2, 1)).square().sum((1, 2)).log(),
    "in place": lambda y: y.clone().square_().sum((1, 2)).log_(),
}


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_element_is_followed_through(layout, layer, x_BTF):
    assert blamed(lambda: layout(layer(x_BTF))) == GUILTY


def test_element_by_element(layer, x_BTF):
    def loss():
        return torch.stack([layer(x).square().sum().log() for x in x_BTF])

    assert blamed(loss) == GUILTY


@pytest.mark.filterwarnings("ignore:std")
def test_element_of_ragged_items(layer, x_BTF):
    lengths = [7, 2, 3, 1, 6]

    def loss():
        y = layer(x_BTF) + torch.arange(FRAMES)[:, None]
        return torch.stack([y[i, :n, 0].std() for i, n in enumerate(lengths)])

    assert blamed(loss) == GUILTY


def test_packed_sequences(x_BTF):
    recurrent = nn.GRU(FEATURES, 3, batch_first=True)
    for weight in recurrent.parameters():
        nn.init.zeros_(weight)
    nn.init.ones_(recurrent.weight_ih_l0)
    lengths = torch.tensor([5, 7, 2, 4, 6])

    def loss():
        packed = nn.utils.rnn.pack_padded_sequence(
            x_BTF.square(), lengths, batch_first=True, enforce_sorted=False
        )
        return recurrent(packed)[0].data.square().sum(1).log()

    assert blamed(loss) == GUILTY


def test_module_that_takes_frames_first():
    recurrent, x_TBF = nn.LSTM(FEATURES, 3), torch.randn(FRAMES, BATCH, FEATURES)
    x_TBF[2, GUILTY] = math.nan
    assert blamed(lambda: recurrent(x_TBF)[0]) == GUILTY


@pytest.mark.parametrize("cell", [nn.GRUCell, nn.RNNCell, nn.LSTMCell])
def test_recurrence_by_hand_over_frames(cell):
    class Recurrence(nn.Module):
        def __init__(self):
            super().__init__()
            self.cell = cell(FEATURES, 3)

        def forward(self, x_TBF):
            state, outputs = None, []
            for x_BF in x_TBF:
                state = self.cell(x_BF, state)
                outputs.append(state[0] if isinstance(state, tuple) else state)
            return torch.stack(outputs)

    model, x_TBF = Recurrence(), torch.randn(FRAMES, BATCH, FEATURES)
    voiced = torch.ones(BATCH, 1)
    voiced[GUILTY] = 0.0
    assert blamed(lambda: (model(x_TBF) * voiced).square().sum(-1).log()) == GUILTY


def test_gradient_of_one_element(layer, x_BTF):
    assert blamed(lambda: layer(x_BTF).square().sum((1, 2)).sqrt()) == GUILTY


def test_spectrum_with_a_window(layer):
    wave_BT, window = torch.randn(BATCH, 400), torch.hann_window(64)
    wave_BT[GUILTY] = 0.0
    gain = torch.ones((), requires_grad=True)

    def loss():
        return torch.stft(wave_BT * gain, 64, 16, window=window, return_complex=True).abs().log()

    assert blamed(loss) == GUILTY


def test_index_of_broken_data(layer, x_BTF):
    x_BTF[GUILTY, 5, 1] = math.nan
    found = trace(lambda: layer(x_BTF).sum().backward())
    assert (found.source, found.batch_index) == ("data", GUILTY)


def test_no_element_where_all_are_to_blame(layer, x_BTF):
    assert blamed(lambda: layer(x_BTF) / 0.0) is None


def test_no_element_where_two_are_to_blame(layer, x_BTF):
    x_BTF[1] = 0.0
    assert blamed(lambda: layer(x_BTF).square().sum((1, 2)).log()) is None


def test_no_element_after_the_batch_was_summed(layer, x_BTF):
    assert blamed(lambda: (layer(x_BTF).sum(0) * 0).log()) is None


def test_no_element_in_a_product_of_the_whole_batch():
    layer, x = nn.Linear(BATCH, BATCH), torch.randn(BATCH, BATCH)
    x[:, 2] = 1e30
    assert blamed(lambda: layer(x).T @ (x * 1e20)) is None


def items():
    """(frames, features) of each item, the guilty one silent in one frame."""
    found = [torch.rand(FRAMES, FEATURES) + 0.1 for _ in range(BATCH)]
    found[GUILTY][2, 1] = 0.0
    return found


def into_a_buffer(parts):
    x_BTF = torch.zeros(BATCH, FRAMES, FEATURES)
    for i, part in enumerate(parts):
        x_BTF[i] = part
    return x_BTF


def into_a_buffer_of_frames(parts):
    return nn.utils.rnn.pad_sequence(parts).transpose(0, 1)


COLLATED = {
    "stacked": torch.stack,
    "joined": lambda parts: torch.cat([part[None] for part in parts]),
    "padded": lambda parts: nn.utils.rnn.pad_sequence(parts, batch_first=True),
    "padded, frames first": into_a_buffer_of_frames,
    "written into a buffer": into_a_buffer,
    "loaded": lambda parts: next(iter(torch.utils.data.DataLoader(parts, batch_size=BATCH))),
}


@pytest.mark.parametrize("collate", COLLATED.values(), ids=COLLATED)
def test_batch_put_together_in_the_step(collate, layer):
    x = items()
    assert blamed(lambda: layer(collate(x).log())) == GUILTY


@pytest.mark.parametrize("collate", COLLATED.values(), ids=COLLATED)
def test_what_broke_in_an_item_before_the_batch_was_put_together(collate, layer):
    x = items()
    assert blamed(lambda: layer(collate([each.log() for each in x]))) == GUILTY


def test_batch_drawn_from_one_tensor_with_the_whole_data_set(layer):
    data = torch.rand(12, FRAMES, FEATURES) + 0.1
    data[8, 2] = 0.0
    assert blamed(lambda: layer(data[[11, 4, 8]].log())) == 2


def test_no_element_of_items_of_several_lengths_end_to_end(layer):
    x = [torch.rand(length, FEATURES) + 0.1 for length in (4, 3, 5)]
    x[1][2] = 0.0
    assert blamed(lambda: layer(torch.cat(x).log())) is None


def test_elements_written_elsewhere_than_their_place_are_not_guessed(layer, x_BTF):
    def loss():
        y, sorted_BTF = layer(x_BTF), torch.zeros(BATCH, FRAMES, FEATURES)
        for place, i in enumerate((4, 3, 2, 1, 0)):
            sorted_BTF[place] = y[i]
        return sorted_BTF.square().sum((1, 2)).log()

    assert blamed(loss) is None


def test_elements_written_to_their_own_place_are_followed(layer, x_BTF):
    def loss():
        y, again_BTF = layer(x_BTF), torch.zeros(BATCH, FRAMES, FEATURES)
        for i in range(BATCH):
            again_BTF[i] = y[i]
        return again_BTF.square().sum((1, 2)).log()

    assert blamed(loss) == GUILTY


def test_no_element_of_one_of_several_micro_batches(layer):
    """The names that the watch is given are those of all micro-batches."""
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.1)
    watched = watch(layer, optimizer)
    first, second = torch.rand(BATCH, FEATURES) + 0.1, torch.rand(BATCH, FEATURES) + 0.1
    second[GUILTY] = 0.0

    def step():
        for number, x in enumerate((first, second)):
            kl = (layer(x) + x.log()).mean()
            kl.backward()
            names = [f"{number} {i}" for i in range(BATCH)]
            (watched.step if number else watched.accumulate)({"kl": kl, "l": kl * 2}, batch=names)
        optimizer.step()

    found = trace(step)
    assert (found.op, found.component, found.batch_index) == ("aten.log.default", "kl", None)
