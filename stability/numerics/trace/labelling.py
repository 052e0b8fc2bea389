"""Gives the non-finite entries of an output their labels: passed on from the inputs, or born there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from stability.numerics.trace.endings import End
from stability.numerics.trace.flow import Broken, Input, flowed, label_of_all
from stability.numerics.trace.lineage import EMERGED, SENTINEL, Lineage, Passage
from stability.numerics.trace.memory import Memory, is_whole, write_one
from stability.numerics.trace.operations import Call
from stability.numerics.trace.overflow import is_overflow
from stability.numerics.trace.owners import Owner
from stability.numerics.trace.sentinels import lets_sentinels_out, turns_sign
from stability.numerics.trace.tensors import kind_of
from stability.records import Phase


@dataclass(frozen=True, slots=True, eq=False)
class Passing:
    """An operation that gave something non-finite, with its non-finite inputs.

    `read`: the broken number that the program read before and may have given here. `scaled`: a gradient
    scaler is at work.
    """

    call: Call
    inputs: list[Input]
    passage: Passage
    read: End | None
    scaled: bool


def label(
    passing: Passing, output: Broken, owner: Owner | None, memory: Memory | None, lineage: Lineage
) -> bool:
    """Label the non-finite entries of an output, and say whether any was born here."""
    one = label_of_all(passing.call, passing.inputs, output, owner, lineage.together)
    if one is not None and memory is not None:
        write_one(memory, output.entries, one, passing.passage.index)
        passing.passage.labels |= {one}
        born = False
    else:
        labels, born = _labels(passing, output, owner, lineage)
        lineage.note(output.entries, output.bad, labels, passing.passage, memory)
    if memory is not None:
        memory.full = output.full and is_whole(output.entries)
    return born


def _labels(
    passing: Passing, output: Broken, owner: Owner | None, lineage: Lineage
) -> tuple[Tensor, bool]:
    """The label of each entry, new ones among them, and whether there are any but of what was put there."""
    entries, bad, born = output.entries, output.bad, False
    whole = torch.zeros(bad.shape, dtype=torch.int32, device=bad.device)
    labels = flowed(passing.call, passing.inputs, whole, owner, lineage.together)
    if passing.read is not None:
        labels = torch.where(bad & (labels == 0), lineage.together(passing.read.labels), labels)
    for where, first in _births(passing, entries, bad, labels):
        if not bool(where.any()):
            continue
        labels = torch.where(where, lineage.born(passing.passage, entries, where, owner, first), labels)
        born |= first != SENTINEL
        if first == 1:
            _note_overflow(passing, kind_of(entries, where))
    return labels, born


def _births(
    passing: Passing, entries: Tensor, bad: Tensor, labels: Tensor
) -> Iterator[tuple[Tensor, int]]:
    """Where something is born, and the first label for it: an origin, a sentinel let out or put there."""
    call, inputs = passing.call, passing.inputs
    unexplained, nan = bad & (labels == 0), entries.isnan()
    placed = unexplained & ~nan & call.has_infinite_scalar()
    born = (unexplained & ~placed) | (bad & nan & (labels >= EMERGED))
    if turns_sign(call, inputs):
        born |= bad & (entries > 0) & (labels >= EMERGED)
    yield born, 1
    if lets_sentinels_out(call, inputs, entries):
        yield bad & ~born & (labels >= SENTINEL), EMERGED
    yield placed, SENTINEL


def _note_overflow(passing: Passing, value: str) -> None:
    """A scaler mends a passage all of whose births are too large for their type."""
    passage = passing.passage
    if passing.scaled and passage.phase is not Phase.OPTIMIZER and passage.overflow is not False:
        passage.overflow = is_overflow(passing.call, value)
