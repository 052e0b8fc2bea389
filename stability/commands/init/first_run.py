"""Runs the program as a trial, and lets what it shows decide what the study file says."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from stability.commands.init import asking, budget, fallbacks, intervals, reaching, reading
from stability.commands.init.first_evaluation import evaluated_first
from stability.commands.init.left_behind import LeftBehind
from stability.commands.init.study_file import ARM, Draft
from stability.commands.init.trial_runs import Change, Ran, run
from stability.records import BEFORE_TRAINING
from stability.spec import StudySpec


@dataclass(frozen=True, slots=True)
class Limits:
    """`check` validates a draft; a run takes `most_s` at most, and lies below `folder`."""

    check: Callable[[Draft], StudySpec]
    most_s: float
    folder: Path

    def runs(self, draft: Draft, name: str, changes: Sequence[Change], jobs: int) -> list[Ran]:
        return run(self.check(draft), ARM, changes, self.folder / name, self.most_s, jobs)

    def once(self, draft: Draft, name: str) -> Ran:
        return self.runs(draft, name, [Change()], 1)[0]


@dataclass(slots=True)
class Shown:
    """What the runs showed: the draft as it is now, and sentences for whoever waits for it."""

    draft: Draft
    sentences: list[str] = field(default_factory=list)
    is_ready: bool = True
    """Whether a study of it can begin: false where its first run had nothing to judge."""

    def cannot(self, line: str) -> None:
        """Something that could not be done: said, and written into the file."""
        self.draft = replace(self.draft, lines=[*self.draft.lines, line])


def try_out(draft: Draft, check: Callable[[Draft], StudySpec], most_s: float) -> Shown:
    """The draft after a first run of at most `most_s` seconds, and those that show what reaches the training.

    `check` validates a draft. The runs' own folders are gone at the end.
    """
    left = LeftBehind(Path())
    with tempfile.TemporaryDirectory(prefix="stability-init-") as folder:
        shown = _tried(draft, Limits(check, most_s, Path(folder)))
    if left.names:
        shown.cannot(f"it also writes {', '.join(left.names)}, which trials side by side share")
    return shown


@dataclass(frozen=True, slots=True)
class First:
    """The first run that counts, the draft that it was run with, and what was read of it, in sentences.

    `grows`: a longer training prints more losses; None where that is not known.
    """

    ran: Ran
    draft: Draft
    sentences: Sequence[str] = ()
    grows: bool | None = True


def _tried(draft: Draft, limits: Limits) -> Shown:
    begun = _first(replace(draft, budget=budget.shortest(draft.roles)), limits)
    first, short = begun.ran, begun.draft
    shown = Shown(replace(short, budget=draft.budget, lines=short.roles.lines))
    has_more_than_an_end = begun.sentences and first.printed.strip() and not fallbacks.has_failed(first)
    if has_more_than_an_end:
        shown.sentences += ["what was read:", *(f"  {sentence}" for sentence in begun.sentences)]
    if not first.losses:
        shown.cannot(fallbacks.why_nothing(first))
        shown.is_ready = fallbacks.is_worth_a_study(first)
        return shown
    took = f"{first.wall_s:.1f} s" if first.ending else f"it was ended after {limits.most_s:g} s"
    shown.sentences.append(f"first run: {took}, {len(first.records.steps)} steps read{_from_to(first)}")
    _plan(shown, begun, limits)
    for said in reaching.shown(short.roles, first, lambda *own: limits.runs(short, *own)):
        (shown.cannot if said.is_open else shown.sentences.append)(said.sentence)
    return shown


def _plan(shown: Shown, begun: First, limits: Limits) -> None:
    """How long a trial is, and what was changed of what the program does by itself."""
    roles = begun.draft.roles
    plan = budget.planned(roles, begun.draft.budget, begun.ran, limits.most_s, grows=begun.grows)
    why = "; ".join(filter(None, [plan.why, *asking.told(roles)]))
    shown.draft = replace(shown.draft, budget=plan.budget, why=why)
    if why:
        length = ", ".join(f"{plan.budget[name]} {name}" for name in plan.budget if name != "timeout_s")
        shown.sentences.append(f"a trial: {length or 'its own length'} ({why})")
    for line in plan.lines:
        shown.cannot(line)


def _first(draft: Draft, limits: Limits) -> First:
    """The first run, with outputs where the program accepts them, and its numbers read as it prints them."""
    ran = limits.once(draft, "first")
    if fallbacks.wants_no_folder(ran):
        draft = replace(draft, roles=fallbacks.with_new_folders(draft.roles))
        ran = limits.once(draft, "again")
    if fallbacks.has_failed(ran) and (fewer := fallbacks.only_given(draft.roles)) is not None:
        barer = replace(draft, roles=fewer)
        again = limits.once(barer, "barer")
        ran, draft = (ran, draft) if fallbacks.has_failed(again) else (again, barer)
    begun = First(ran, draft)
    if not fallbacks.has_failed(ran) and not fallbacks.is_lost(ran):
        begun = _long_enough(_more_often(begun, limits), limits)
    return _evaluated_first(_read(begun, limits), limits)


def _more_often(begun: First, limits: Limits) -> First:
    """Printing more often, where its losses would be too few, it can be told so, and then prints more."""
    roles, count = begun.draft.roles, _reading(begun.ran).count
    more = intervals.shorter(roles, count * budget.own_share(roles, begun.draft.budget, begun.ran))
    if more is None:
        return begun
    draft = replace(begun.draft, roles=more)
    ran = limits.once(draft, "often")
    return First(ran, draft) if _reading(ran).count > count else begun


def _long_enough(begun: First, limits: Limits) -> First:
    """Longer, where it printed very few losses; what is printed then tells whether that gives more."""
    count = _reading(begun.ran).count
    if count >= budget.FEW:
        return begun
    longer = budget.longer(begun.draft.roles, begun.ran, limits.most_s)
    if longer is None:
        return replace(begun, grows=None)
    draft = replace(begun.draft, budget=longer)
    ran = limits.once(draft, "longer")
    return First(ran, draft) if _reading(ran).count > count else replace(begun, grows=False)


def _read(begun: First, limits: Limits) -> First:
    """The run with its numbers read as it prints them; another shows how where it has too few."""
    ran = shows = begun.ran
    draft, found = begun.draft, _reading(ran)
    if not found.has_loss or (found.count < budget.FEW and fallbacks.is_lost(ran)):
        gentle = _gentle(draft, limits)
        if gentle is not None and _reading(gentle).count > found.count:
            shows, found = gentle, _reading(gentle)
    if found.has_loss:
        is_read = shows.names == set(found.losses) and found.parse == draft.parse
        draft = replace(draft, parse=found.parse, yardstick=found.losses)
        ran = ran if is_read else limits.once(draft, "read")
    return First(ran, draft, found.sentences, begun.grows)


def _evaluated_first(begun: First, limits: Limits) -> First:
    """With an evaluation before training, where it evaluates later, can be told so, and then does."""
    first = evaluated_first(begun.draft.roles)
    evaluations = begun.ran.records.evaluations
    if first is None or not evaluations or evaluations[0].epoch == BEFORE_TRAINING:
        return begun
    draft = replace(begun.draft, roles=first)
    ran = limits.once(draft, "evaluated")
    is_first = ran.records.evaluations and ran.records.evaluations[0].epoch == BEFORE_TRAINING
    return replace(begun, ran=ran, draft=draft) if is_first and not fallbacks.is_lost(ran) else begun


def _reading(ran: Ran) -> reading.Reading:
    return reading.read(ran.printed, ran.folder / "artifacts")


def _gentle(draft: Draft, limits: Limits) -> Ran | None:
    """A run with the least value of what moves a training most, to see what one prints that is not lost."""
    moved = reaching.moved_in(draft.roles)
    if moved is None:
        return None
    return limits.runs(draft, "gentle", [Change(params={moved.name: moved.range["min"]})], 1)[0]


def _from_to(first: Ran) -> str:
    """How the first of its losses went."""
    steps = [step for step in first.records.steps if step.losses]
    if not steps:
        return ""
    name = next(iter(steps[0].losses))
    values = [step.losses[name] for step in steps if name in step.losses]
    return f", {name} from {values[0]:.4g} to {values[-1]:.4g}"
