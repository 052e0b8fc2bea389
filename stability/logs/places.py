"""Which numbers say where a training is, and how fast it goes: step, epoch, learning rate, gradient."""

from __future__ import annotations

from collections.abc import Mapping

from stability.logs.columns import CLOCK
from stability.logs.fields import is_unnamed
from stability.logs.reading import Key, Role
from stability.logs.series import FEW, Series, Table
from stability.logs.vocabulary import LOSSES, Sort

SCALARS = {Sort.LR: "lr", Sort.GRAD_NORM: "grad_norm", Sort.GRAD_SCALE: "grad_scale"}


def scalars(table: Table) -> dict[Key, Role]:
    """The learning rate, the gradient norm and the loss scale: of several of one kind the plainest name."""
    found: dict[str, Series] = {}
    for one in sorted(table.values(), key=lambda s: (s.meaning.rank, -len(s.values))):
        ours = SCALARS.get(one.meaning.sort)
        if ours is not None and one.key.nth == 1 and not one.key.is_fraction and not one.has_unit:
            found.setdefault(ours, one)
    others = [one for one in table.values() if one.meaning.sort in SCALARS]
    return {one.key: Role("") for one in others} | {one.key: Role(ours) for ours, one in found.items()}


def places(table: Table, main: Series, roles: Mapping[Key, Role]) -> dict[Key, Role]:
    """The step and the epoch: they stand beside the loss, or in lines of their own that go on."""
    free = [one for one in table.values() if not (key := roles.get(one.key)) or not key.ours]
    beside = set(main.rows)
    near = [one for one in free if len(beside.intersection(one.rows)) >= 0.8 * len(beside)]
    found: dict[Key, Role] = {}
    steps = [(score, one) for one in near if (score := _step_score(one, beside, near=True)) is not None]
    if not steps:
        steps = [(s, one) for one in free if (s := _step_score(one, beside, near=False)) is not None]
    if steps:
        found[min(steps, key=lambda pair: pair[0])[1].key] = Role("step")
    epochs = [one for one in free if one.meaning.sort is Sort.EPOCH and one.key.nth == 1 and not one.has_unit]
    if epochs:
        best = max(epochs, key=lambda one: (len(beside.intersection(one.rows)), len(one.rows)))
        found.setdefault(best.key, Role("epoch"))
    return found


def _step_score(one: Series, beside: set[int], *, near: bool) -> tuple[int, ...] | None:
    """How little a number is like a step; None where it is none."""
    sort = one.meaning.sort
    if (
        not one.is_whole
        or one.has_unit
        or (_is_behind_name(one) and sort is not Sort.EPOCH and not one.key.is_fraction)
    ):
        return None
    if sort is Sort.EPOCH and not one.key.is_fraction:
        return None
    if sort is Sort.EPOCH and one.key.nth == 1:
        return None
    named = sort is Sort.STEP
    if not named and one.values[0] >= CLOCK:
        return None
    if not named and (not near or (not is_unnamed(one.key.name) and sort not in (*LOSSES, Sort.EPOCH))):
        return None
    own = one if not near else _within(one, beside)
    up, same, down = own.moves()
    if len(own.values) > 1 and (up == 0 or down > up):
        return None
    if not near and up < FEW - 1:
        return None
    if len(own.values) <= 1 and not (named or one.key.is_fraction):
        return None
    kind = one.meaning.rank if named else 4 if one.key.is_fraction else 5
    return (int(down > 0), int(same > up), kind, one.rows[0])


def _is_behind_name(one: Series) -> bool:
    return one.key.nth > 1 and not is_unnamed(one.key.name)


def _within(one: Series, rows: set[int]) -> Series:
    own = Series(one.key, one.printed, one.meaning)
    for i, text, value in zip(one.rows, one.texts, one.values, strict=True):
        if i in rows:
            own.texts.append(text)
            own.values.append(value)
            own.rows.append(i)
    return own
