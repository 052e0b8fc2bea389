"""Fields of many lines -> what each is: by its name, and by how it moves from line to line."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from stability.judging.signals import direction
from stability.logs.fields import Field, is_unnamed
from stability.logs.number_format import is_decimal
from stability.logs.objectives import not_followed, rising, turned, without_sums
from stability.logs.observation import is_loss
from stability.logs.places import SCALARS, places, scalars
from stability.logs.reading import EVALUATE, TRAIN, Key, Reading, Role, key_of
from stability.logs.series import FEW, Row, Series, Table, series_of
from stability.logs.vocabulary import LOSSES, Sort, canonical, meaning
from stability.records import Direction

PARTS = (TRAIN, EVALUATE)
_NAMED = {Sort.LOSS: 0, Sort.TERM: 0, Sort.ERROR: 1, Sort.PART: 1}
"""Sorts of losses; those of a lower rank are taken where there are any."""


@dataclass(frozen=True, slots=True)
class Given:
    """What a person says: our name -> the words of the program, for training and for evaluations."""

    train: Mapping[str, str] = field(default_factory=dict)
    evaluate: Mapping[str, str] = field(default_factory=dict)

    def of(self, key: Key, part: str) -> str | None:
        """Our name for a key, if it was given: its last words are the ones that were said."""
        named = self.evaluate if part == EVALUATE else self.train
        for ours, words in named.items():
            wanted = canonical(words)
            if key.name == wanted or key.name.endswith(f" {wanted}"):
                return ours
        return None

    @property
    def losses(self) -> bool:
        """Whether any loss is named."""
        return any(is_loss(ours) for ours in (*self.train, *self.evaluate))


def decide(
    rows: Sequence[Row], weighed: Collection[str] = (), given: Given | None = None, *, at_end: bool
) -> Reading | None:
    """What the numbers in these rows are; None where nothing in them is a loss.

    `weighed` are the components of the yardstick, which say what a total is called. `at_end`: no more rows
    come, so what they show must do.
    """
    decimal = _decimal(rows)
    table = series_of(rows, decimal)
    given = given or Given()
    losses = _given_losses(table, given) if given.losses else _losses(table, at_end=at_end)
    losses = _of_training(losses)
    if not losses:
        return None
    is_one_part = not any(TRAIN in series.parts for series in losses)
    if is_one_part and not at_end:
        return None
    if given.losses:
        roles, total = _roles_given(losses, given), "loss"
    else:
        roles, total = _named(losses, weighed, is_one_part=is_one_part)
    roles = {one.key: Role("") for one in not_followed(table.values())} | roles
    main = _main(roles, table)
    if not at_end and len(main.values) < FEW:
        return None
    roles |= scalars(table) | places(table, main, roles) | _beside_given(table, given)
    printed = {key: table[key].printed for key in roles}
    return Reading(MappingProxyType(roles), decimal, is_one_part, total, MappingProxyType(printed))


def late(reading: Reading, own: Field) -> Role | None:
    """What a field is that the first rows did not have: by its name alone. None: nothing that is recorded."""
    known = meaning(own.name)
    taken = {role.ours for role in reading.roles.values()}
    if known.sort in SCALARS and own.nth == 1 and not own.most:
        return Role(SCALARS[known.sort]) if SCALARS[known.sort] not in taken else Role("")
    if known.sort not in (Sort.LOSS, Sort.TERM) or own.most or own.unit or (own.is_whole and own.nth == 1):
        return None
    ours = reading.total if known.ours == "total" else known.ours
    part = EVALUATE if own.part == EVALUATE and not reading.is_one_part else TRAIN
    there = {p for role in reading.roles.values() if role.ours == ours for p in role.of}
    if own.nth > 1 and any(key.name == key_of(own).name and role.ours for key, role in reading.roles.items()):
        return Role("")
    return Role("") if part in there else Role(ours, frozenset((part,)))


def widened(reading: Reading, role: Role, part: str) -> Role:
    """The role of a loss that came of one part of the data, and now comes of another: of both.

    `validation: loss 0.5` has the name of the training's, and may be printed long after that was decided.
    """
    is_taken = any(own.ours == role.ours and part in own.of for own in reading.roles.values())
    return role if is_taken or not is_loss(role.ours) else Role(role.ours, role.of | {part})


def _decimal(rows: Sequence[Row]) -> str:
    """A comma stands before decimals where some numbers can mean nothing else, and no loss has a point."""
    own = [f.text for row in rows for f in row if meaning(f.name).sort in (*LOSSES, *SCALARS)]
    certain = any("," in text and is_decimal(text) for text in own)
    return "," if certain and not any("." in text for text in own) else "."


def _losses(table: Table, *, at_end: bool) -> list[Series]:
    """Those series that are losses: by name, or else what should rise, or those that move as one."""
    gains = rising(table.values())
    named = [one for one in table.values() if one.meaning.sort in _NAMED and _may_be_loss(one, table)]
    named = _without_costs(without_sums([one for one in named if one not in gains]))
    trained = [one for one in named if TRAIN in one.parts] or named
    if trained:
        rank = min(_NAMED[one.meaning.sort] for one in trained)
        own = [one for one in trained if _NAMED[one.meaning.sort] == rank]
        if all(direction(one.meaning.ours or "loss", {}) is Direction.NONE for one in own):
            rank = max(_NAMED.values())  # what is adversarial alone shows nothing
        found = [one for one in named if _NAMED[one.meaning.sort] <= rank]
        return _with_course(found, _moving(table, at_end=at_end))
    found = [turned(one) for one in gains] or _moving(table, at_end=at_end)
    return found or (_never_finite(table) if at_end else [])


def _with_course(named: list[Series], moving: list[Series]) -> list[Series]:
    """The losses; where what is named are closing words alone (`train 0.06`), what moves before them too.

    Closing words say less than the rows before them. Those of an evaluation stay beside these.
    """
    course = [one for one in moving if one not in named]
    if not course or any(len(one.rows) >= FEW for one in named):
        return named
    if max(one.rows[-1] for one in course) > min(one.rows[0] for one in named):
        return named
    return [*course, *(one for one in named if TRAIN not in one.parts)]


def _without_costs(named: list[Series]) -> list[Series]:
    """Beside what is called a loss, `batch_cost` is what a batch takes: seconds, mostly."""
    if not any(one.meaning.sort is Sort.LOSS for one in named):
        return named
    return [one for one in named if one.meaning.ours.split("_")[-1] != "cost"]


def _of_training(losses: list[Series]) -> list[Series]:
    """Without those of a text before the training: few, and only before what is there most often."""
    main = max(losses, key=lambda one: len(one.rows), default=None)
    return [one for one in losses if len(one.rows) >= FEW or one.rows[-1] > main.rows[0] or one is main]


def _may_be_loss(one: Series, table: Table) -> bool:
    """The first number behind its name that is no counter: in `Train loss 7 0.53` the second."""
    if one.key.is_fraction or one.has_unit or one.is_counter:
        return False
    group = sorted((s for s in table.values() if s.key.name == one.key.name), key=lambda s: s.key.nth)
    before = [s for s in group if s.key.nth < one.key.nth and not s.key.is_fraction and not s.has_unit]
    if any(not s.is_counter and not _precedes(s, one) for s in before):
        return False
    return not any(_precedes(one, s) for s in group if s.key.nth == one.key.nth + 1)


def _precedes(counter: Series, value: Series) -> bool:
    """Whether a whole number stands before one with decimals, as a step does."""
    return counter.is_whole and not value.is_whole and not value.has_unit and not value.key.is_fraction


def _moving(table: Table, *, at_end: bool) -> list[Series]:
    """Numbers with decimals that move, are named by no word for anything else, and do not only grow.

    So is the second number in `step 3: 0.25`, which only stands behind its place.
    """
    enough = FEW if at_end else 20
    found = []
    for one in table.values():
        up, same, down = one.moves()
        moves = len(set(one.texts)) >= FEW and down > 0 and (up + down > same)
        is_bare = not (one.is_whole or one.has_unit or one.key.is_fraction)
        if (one.meaning.sort is Sort.UNKNOWN or _is_behind_place(one)) and is_bare and moves:
            found.append(one)
    counted = {i for one in table.values() if one.is_counter and one.moves()[2] == 0 for i in one.rows}
    found = [one for one in found if counted.issuperset(one.rows)] or found
    if any(_is_named(one) for one in found):
        found = [one for one in found if _is_named(one) and one.key.nth == 1]
    most = max((len(one.values) for one in found), default=0)
    if most < enough:
        return []
    found = [one for one in found if len(one.values) > most / 2]
    return found if any(_is_named(one) for one in found) else found[:1]


def _never_finite(table: Table) -> list[Series]:
    """A number without a name that is NaN from the first line to the last: nothing else is printed."""
    found = [one for one in table.values() if is_unnamed(one.key.name) or _is_behind_place(one)]
    return [one for one in found if len(one.values) >= FEW and not any(map(math.isfinite, one.values))][:1]


def _is_behind_place(one: Series) -> bool:
    return one.key.nth > 1 and one.meaning.sort in (Sort.STEP, Sort.EPOCH)


def _is_named(one: Series) -> bool:
    return not is_unnamed(one.key.name) and not _is_behind_place(one)


def _given_losses(table: Table, given: Given) -> list[Series]:
    """The series that were named, the first number behind each name that is no counter."""
    found = []
    for one in table.values():
        ours = [given.of(one.key, part) for part in PARTS]
        if any(name and is_loss(name) for name in ours) and _may_be_loss(one, table):
            found.append(one)
    return found


def _roles_given(losses: list[Series], given: Given) -> dict[Key, Role]:
    roles: dict[Key, Role] = {}
    for one in losses:
        train, evaluate = (given.of(one.key, part) for part in PARTS)
        if train and evaluate == train:
            roles[one.key] = Role(train)
        elif train:
            parts = (TRAIN,) if given.evaluate else PARTS
            roles[one.key] = Role(train, frozenset(parts))
        else:
            roles[one.key] = Role(evaluate, frozenset(PARTS))
    return roles


def _beside_given(table: Table, given: Given) -> dict[Key, Role]:
    """Steps, epochs and the like that were named."""
    found: dict[str, Key] = {}
    for key in table:
        ours = given.of(key, TRAIN)
        if ours is not None and not is_loss(ours):
            found.setdefault(ours, key)
    return {key: Role(ours) for ours, key in found.items()}


def _named(
    losses: list[Series], weighed: Collection[str], *, is_one_part: bool
) -> tuple[dict[Key, Role], str]:
    """The roles of losses, and what a total is called: `loss` where it is the only one."""
    chosen: dict[tuple[str, str], Series] = {}
    for part in PARTS:
        own = [one for one in losses if part in (one.parts if not is_one_part else (TRAIN,))]
        for one in sorted(own, key=lambda s: _worth(s, part, is_one_part=is_one_part)):
            chosen.setdefault((part, one.meaning.ours or "loss"), one)
    trained = {ours for part, ours in chosen if part == TRAIN}
    total = "loss" if "loss" in weighed or _is_alone(chosen) or _is_no_sum(chosen) else "total"
    roles: dict[Key, Role] = {one.key: Role("") for one in losses}
    shared = trained & {ours for part, ours in chosen if part == EVALUATE}
    for (part, ours), one in chosen.items():
        if part == EVALUATE and shared and ours not in trained:
            continue
        had = roles[one.key]
        name = total if ours == "total" else ours
        parts = (had.of if had.ours else frozenset()) | {part}
        roles[one.key] = Role(name, parts, one.meaning.is_turned)
    return roles, total


def _is_alone(chosen: Mapping[tuple[str, str], Series]) -> bool:
    """Whether there is no total, or nothing beside it but what was never measured."""
    trained = {ours: one for (part, ours), one in chosen.items() if part == TRAIN}
    beside = [one for ours, one in trained.items() if ours != "total"]
    return "total" not in trained or not any(math.isfinite(value) for one in beside for value in one.values)


def _is_no_sum(chosen: Mapping[tuple[str, str], Series]) -> bool:
    """Whether what is called the loss is less than a part of it, most of the time: it is one of the parts."""
    total = chosen.get((TRAIN, "total"))
    if total is None or "total" in total.key.name.split():
        return False
    largest: dict[int, float] = {}
    for (part, _), one in chosen.items():
        if part == TRAIN and one is not total:
            for i, value in zip(one.rows, one.values, strict=True):
                largest[i] = max(value, largest.get(i, -math.inf))
    pairs = [(value, largest[i]) for i, value in zip(total.rows, total.values, strict=True) if i in largest]
    return sum(value < most for value, most in pairs) > len(pairs) / 2


def _worth(one: Series, part: str, *, is_one_part: bool) -> tuple[bool, int, int]:
    count = len(one.values) if is_one_part else sum(own == part for own in one.parts)
    return one.meaning.is_average, -count, one.rows[0]


def _main(roles: Mapping[Key, Role], table: Table) -> Series:
    """The loss of the training that is there most often."""
    own = [table[key] for key, role in roles.items() if role.ours and TRAIN in role.of]
    return max(own, key=lambda one: sum(part == TRAIN for part in one.parts) or len(one.values))
