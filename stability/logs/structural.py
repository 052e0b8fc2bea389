"""Lines -> observations, read by their structure: nothing is said of how the program prints.

Lines are held back until they show which numbers are the loss and the step (`roles.decide`); what is decided
holds, and is extended where fields appear later.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator, Sequence
from math import isfinite

from stability.logs import roles
from stability.logs.arrays import unrolled
from stability.logs.columns import titled
from stability.logs.fields import UNNAMED, Field, Line, skeleton, value_of, with_nan
from stability.logs.gaps import Gaps
from stability.logs.json_text import json_line
from stability.logs.line_reader import read_line
from stability.logs.number_format import TOKEN, count, may_be_nonfinite
from stability.logs.observation import PLACES, Observation, is_loss, observed
from stability.logs.overlooked import SURVIVED, Overlooked, may_speak
from stability.logs.plans import MOST_PLANS, NOTHING, Plan, Wanted, planned, shape
from stability.logs.reading import EVALUATE, TRAIN, Reading, Role, key_of
from stability.logs.sections import Sections
from stability.logs.templates import SHOWN, Taken, Templates
from stability.logs.text_tables import TextTable
from stability.logs.vocabulary import Sort, meaning
from stability.logs.words import words_of

FEWEST_ALIKE = 8
"""So many lines are worth being read together."""
HELD_LINES = 2000
"""Lines with numbers that wait for a decision at most; then those before them go unread."""
MOST_RATES, MOST_SKELETONS = 8, 1024
DECIDED_AFTER = (4, 8, 16, 32, 64, 128, 256, 512, 1024, HELD_LINES)
"""After so many of them it is asked whether they show enough."""


class Structural:
    """Reads the lines of one text."""

    def __init__(
        self, weighed: Collection[str] = (), given: roles.Given | None = None, title: str = ""
    ) -> None:
        """`weighed`: components of the yardstick; `given`: what a person says of the names.

        `title`: what numbers are called that stand alone in their lines.
        """
        self._weighed, self._given, self._title = weighed, given or roles.Given(), title
        self.reading: Reading | None = None
        self._table, self._sections, self._gaps = TextTable(), Sections(), Gaps()
        self._held: deque[tuple[Line, tuple[Field, ...]]] = deque(maxlen=HELD_LINES)
        self._asked = 0
        self.overlooked = Overlooked()
        self.lines = self.matched = self.dropped = 0
        self.last_matched = 0
        self.first: list[str] = []
        self.templates = Templates()
        self._skeletons: dict[str, int] = {}  # of lines, and how many numbers they have
        self._plans: dict[str, Plan] = {}
        self._wanted: list[Wanted] | None = None  # what was taken from the newest line
        self.has_seed = False
        self.rates: dict[float, None] = {}

    def read(self, lines: Sequence[str]) -> Iterator[Observation]:
        """What the lines say, as far as it is decided what they mean."""
        for text in lines[: max(0, SHOWN - len(self.first))]:
            self.first.append(text[:120])
        if (found := self._all_alike(lines)) is not None:
            yield from found
            return
        for text in lines:
            if (plan := self._plans.get(shape(text))) is not None and self._sections.part != EVALUATE:
                if plan.line is None:
                    self.lines += 1
                    continue
                if (match := plan.line.fullmatch(text)) is not None:
                    yield from self._planned(plan, [match.groups()])
                    continue
            yield from self._unplanned(text)

    def _all_alike(self, lines: Sequence[str]) -> Iterator[Observation] | None:
        """What the lines say, if all of them are of one template that is known; else None."""
        if len(lines) < FEWEST_ALIKE or self._sections.part == EVALUATE:
            return None
        plan = self._plans.get(shape(lines[0]))
        if plan is None or plan.all_lines is None or plan.line.fullmatch(lines[-1]) is None:
            return None
        found = plan.all_lines.findall("\n".join(lines))
        if len(found) != len(lines):
            return None
        if len(plan.names) == 1:
            found = [(text,) for text in found]
        return self._planned(plan, found)

    def _planned(self, plan: Plan, found: Sequence[Sequence[str]]) -> Iterator[Observation]:
        """The observations of lines of a known template, of which these texts were found."""
        self.lines += len(found)
        plan.template.count += len(found)
        if plan.values:
            self.matched += len(found)
            self.last_matched = self.lines
        if plan.step is not None:
            self._sections.went_on(int(float(found[-1][plan.step])))
        return map(plan.observation, found)

    def _unplanned(self, text: str) -> Iterator[Observation]:
        """A line of which nothing is known yet."""
        line = self._table.row(text) or json_line(text, self._gaps)
        is_text = line is None
        if is_text:
            line = read_line(text)
            if may_be_nonfinite(text) and (TOKEN.fullmatch(text.strip()) or self._hides_nan(line)):
                line = read_line(text, forced=True)
            elif (lost := self._with_lost_numbers(text, line)) is not None:
                line = lost
            line = titled(line, self._title) if self._title else line
        before = self._sections.part
        self._wanted = None
        yield from self.take(line)
        if is_text and self.reading is not None and before == self._sections.part == "" and line.text == text:
            self._plan(line)

    def _plan(self, line: Line) -> None:
        """Remembers how lines like this one are read, if that is always the same."""
        if (
            len(self._plans) >= MOST_PLANS
            or self.reading.is_turned
            or may_speak(line.text)
            or TOKEN.search(line.text) is not None
            or self._table.is_header(line.text)
        ):
            return
        if self._wanted:
            template = self.templates.of.get(taken_from(self._wanted))
            plan = None if template is None else planned(line, self._wanted, template)
            if plan is not None:
                self._plans[shape(line.text)] = plan
        elif not line.part and self._wanted is not None:
            self._plans[shape(line.text)] = NOTHING

    def _hides_nan(self, line: Line) -> bool:
        """Whether a word such as `nan` stands where other lines had a number, and was not read as one."""
        if len([own for own in line.fields if own.value is not None and not isfinite(own.value)]) >= len(
            TOKEN.findall(line.text)
        ):
            return False
        return skeleton(line.text) in self._skeletons

    def _with_lost_numbers(self, text: str, line: Line) -> Line | None:
        """The fields of a line with NaN where a word such as `null` stands in place of a training's loss."""
        put = with_nan(text)
        if put == text or TOKEN.search(text) is not None:
            return None
        if len(line.fields) >= self._skeletons.get(skeleton(put), 0):  # none is missing
            return None
        if not (skeleton(text) or line.fields or self._skeletons.keys() == {""}):  # a rule
            return None
        found = read_line(put, forced=True)
        own = [one for one in found.fields if one.value is None or isfinite(one.value) or self._is_due(one)]
        is_due = any(one.value is not None and not isfinite(one.value) for one in own)
        return Line(text, tuple(own), line.part) if is_due else None

    def _is_due(self, own: Field) -> bool:
        """Whether a number is a loss of the training, as far as that is known."""
        if self.reading is None:
            is_named = meaning(own.name).sort in (Sort.LOSS, Sort.TERM)
            return own.part != EVALUATE and (is_named or own.name == UNNAMED)
        role = self.reading.roles.get(key_of(own))
        is_evaluation = own.part == EVALUATE and not self.reading.is_one_part
        return role is not None and is_loss(role.ours) and not is_evaluation

    def end(self) -> Iterator[Observation]:
        """No more lines come: what is held must do."""
        if self.reading is None and self._held:
            yield from self._decide(at_end=True)
        if self.reading is None and (lines := unrolled([line for line, _ in self._held])):
            self._held.clear()
            for line in lines:
                yield from self.take(line)
            yield from self._decide(at_end=True)
        if self.reading is None:
            for line, _ in self._held:
                self.overlooked.said(line, (), has_loss=False)

    def take(self, line: Line) -> Iterator[Observation]:
        """What a line says whose fields are known."""
        self.lines += 1
        own = self._sections.fields(line)
        if not own:
            self.overlooked.words(line.text)
            return
        if self.reading is not None:
            yield from self._observations(line, own)
            return
        self._know(line)
        self.dropped += len(self._held) == HELD_LINES
        self._held.append((line, own))
        self._asked += 1
        if self._asked in DECIDED_AFTER or (self._asked > HELD_LINES and self._asked % HELD_LINES == 0):
            yield from self._decide(at_end=False)

    def _decide(self, *, at_end: bool) -> Iterator[Observation]:
        rows = [own for _, own in self._held]
        self.reading = roles.decide(rows, self._weighed, self._given, at_end=at_end)
        if self.reading is None:
            return
        held, self._held = self._held, deque(maxlen=HELD_LINES)
        for line, own in held:
            yield from self._observations(line, own)

    def _observations(self, line: Line, own: Sequence[Field]) -> Iterator[Observation]:
        """At most one of the training and one of an evaluation."""
        values: dict[str, dict[str, float]] = {TRAIN: {}, EVALUATE: {}}
        places: dict[str, float] = {}
        wanted: list[Wanted] = []
        others: list[tuple[Field, float | None]] = []
        for one in own:
            role = self._role(one)
            value = one.value if self.reading.decimal == "." else value_of(one.text, self.reading.decimal)
            if role is not None and value is None and role.ours in PLACES:
                value = count(one.text)
            if role is None or (role.ours and value is None):
                others.append((one, value))
                self.has_seed = self.has_seed or "seed" in words_of(one.name)
            elif role.ours in PLACES:
                places.setdefault(role.ours, value)
                wanted.append(Wanted(one, role.ours, ""))
            elif role.ours:
                part = EVALUATE if one.part == EVALUATE and not self.reading.is_one_part else TRAIN
                if part in role.of:
                    values[part].setdefault(role.ours, -value if role.is_turned else value)
                    wanted.append(Wanted(one, role.ours, part))
                else:
                    others.append((one, value))
            elif meaning(one.name).sort not in SURVIVED:  # the average of a norm keeps one NaN for ever
                others.append((one, value))
        is_evaluation = bool(values[EVALUATE]) and not _losses(values[TRAIN])
        if is_evaluation or _losses(values[TRAIN]):
            self._know(line)
            self.matched += 1
            self.last_matched = self.lines
        self._wanted = wanted
        self.templates.note(line.text, taken_from(wanted))
        if "lr" in values[TRAIN] and len(self.rates) < MOST_RATES:
            self.rates[values[TRAIN]["lr"]] = None
        if values[EVALUATE]:
            values[EVALUATE] = _losses(values[EVALUATE])
        if not is_evaluation and (found := observed({**values[TRAIN], **places}, is_evaluation=False)):
            yield found
        if values[EVALUATE] and (found := observed({**values[EVALUATE], **places}, is_evaluation=True)):
            yield found
        has_loss = any(map(isfinite, _losses(values[TRAIN]).values()))
        self.overlooked.said(line, others, has_loss=has_loss)

    def _know(self, line: Line) -> None:
        """Remembers what a line says beside its numbers: they are due where it says so again."""
        if len(self._skeletons) < MOST_SKELETONS and TOKEN.search(line.text) is None:
            self._skeletons.setdefault(skeleton(line.text), len(line.fields))

    def _role(self, own: Field) -> Role | None:
        key = key_of(own)
        role = self.reading.roles.get(key)
        part = EVALUATE if own.part == EVALUATE and not self.reading.is_one_part else TRAIN
        if role is None or (role.ours == "" and part == EVALUATE):
            found = None if self._given.losses else roles.late(self.reading, own)
            if found is not None and role is None:
                self.reading = self.reading.with_role(key, found, own.name)
                role = found
        return role


def taken_from(wanted: Sequence[Wanted]) -> tuple[Taken, ...]:
    """What is recorded of a line, to be shown."""
    return tuple(Taken(one.own.name, one.ours, one.part) for one in wanted)


def has_loss(text: str) -> bool:
    """Whether a line has a number that is a loss by its name."""
    return any(meaning(own.name).sort in (Sort.LOSS, Sort.TERM) for own in read_line(text).fields)


def _losses(values: dict[str, float]) -> dict[str, float]:
    return {name: value for name, value in values.items() if is_loss(name)}
