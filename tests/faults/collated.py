"""Faults in a batch that is put together within the step, by a data loader or by hand: the element is the place in it.

There are more frames than items, so that a frame's number is not mistaken for an item's.
"""

from __future__ import annotations

import math

import torch
from planted import Fault, Step
from torch import nn
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader

from stability.records import Phase


def items_of(device, value, lengths=(7, 7, 7, 7)):
    """Items of (frames, features), the fourth of which has a bad number in its third frame."""
    items = [torch.rand(length, 5, device=device) + 0.1 for length in lengths]
    items[3][2, 1] = value
    return items


def loader_in_the_step(device):
    """The next batch is fetched within the step; one item has a silent frame."""
    model, items = nn.Linear(5, 4, device=device), items_of(device, 0.0)
    loader = DataLoader(items, batch_size=4)

    def losses():
        level = torch.log(next(iter(loader)))  # <- fault: loader_in_the_step
        return {"level": model(level).square().mean()}

    return Step(model, losses)


def slices_through_a_loader(device):
    """The data set is one tensor; the batch is its third."""
    model, data = nn.Linear(5, 4, device=device), torch.rand(12, 7, 5, device=device) + 0.1
    data[11, 2] = 0.0
    loader = DataLoader(data, batch_sampler=[[8, 9, 10, 11]])

    def losses():
        level = torch.log(next(iter(loader)))  # <- fault: slices_through_a_loader
        return {"level": model(level).square().mean()}

    return Step(model, losses)


def nan_through_a_loader(device):
    """An item of the data set holds a NaN."""
    model, loader = nn.Linear(5, 4, device=device), DataLoader(items_of(device, math.nan), batch_size=4)

    def losses():
        x = next(iter(loader))  # <- fault: nan_through_a_loader
        return {"mel": model(x).square().mean()}

    return Step(model, losses)


def logarithm_in_a_data_set(device):
    """The data set takes the logarithm of each item."""

    class Levels(torch.utils.data.Dataset):
        items = items_of(device, 0.0)

        def __len__(self):
            return len(self.items)

        def __getitem__(self, i):
            return torch.log(self.items[i])  # <- fault: logarithm_in_a_data_set

    model, loader = nn.Linear(5, 4, device=device), DataLoader(Levels(), batch_size=4)
    return Step(model, lambda: {"mel": model(next(iter(loader))).square().mean()})


def padded_in_a_loader(device):
    """Items of several lengths are padded by the loader."""
    model, items = nn.Linear(5, 4, device=device), items_of(device, 0.0, lengths=(7, 5, 6, 4))
    loader = DataLoader(items, batch_size=4, collate_fn=lambda parts: pad_sequence(parts, True, 1.0))

    def losses():
        level = torch.log(next(iter(loader)))  # <- fault: padded_in_a_loader
        return {"level": model(level).square().mean()}

    return Step(model, losses)


def stacked_by_hand(device):
    """A step that stacks its items itself, after a logarithm of each."""
    model, items = nn.Linear(5, 4, device=device), items_of(device, 0.0)

    def losses():
        levels = [torch.log(item) for item in items]  # <- fault: stacked_by_hand
        return {"level": model(torch.stack(levels)).square().mean()}

    return Step(model, losses)


def padded_by_hand(device):
    """A step that pads its items itself; one of them holds a NaN."""
    model, items = nn.Linear(5, 4, device=device), items_of(device, math.nan, lengths=(7, 5, 6, 4))

    def losses():
        x = pad_sequence(items, batch_first=True)  # <- fault: padded_by_hand
        return {"mel": model(x).square().mean()}

    return Step(model, losses)


FAULTS = (
    Fault(
        build=loader_in_the_step, phase=Phase.FORWARD, op="aten.log.default", component="level", batch_index=3
    ),
    Fault(
        build=slices_through_a_loader,
        phase=Phase.FORWARD,
        op="aten.log.default",
        component="level",
        batch_index=3,
    ),
    Fault(
        build=nan_through_a_loader,
        phase=Phase.EXTERNAL,
        op="aten.stack.default",
        batch_index=3,
        source="data",
    ),
    Fault(
        build=logarithm_in_a_data_set,
        phase=Phase.FORWARD,
        op="aten.log.default",
        component="mel",
        batch_index=3,
    ),
    Fault(
        build=padded_in_a_loader, phase=Phase.FORWARD, op="aten.log.default", component="level", batch_index=3
    ),
    Fault(
        build=stacked_by_hand, phase=Phase.FORWARD, op="aten.log.default", component="level", batch_index=3
    ),
    Fault(build=padded_by_hand, phase=Phase.EXTERNAL, op="aten.copy_.default", batch_index=3, source="data"),
)
