"""What counts as right and wrong when cases are judged. No rule is read here.

* lies: lost trainings that were called STABLE or STUCK.
* wrongly called: fine trainings that were not called STABLE.
* ended: fine trainings that were ended early.
* claimed: trainings too short to say anything about that were called STABLE.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from cases import Case, Form, Label
from drawing import TOO_SHORT, shown
from judging import judge_case

from stability.records import VerdictLabel

UNBROKEN = {VerdictLabel.STABLE, VerdictLabel.STUCK}


@dataclass(frozen=True, slots=True)
class Told:
    """One case in one form: our verdict, and the step at which we ended it."""

    case: Case
    verdict: VerdictLabel
    ended: int | None


T = TypeVar("T", bound=Told)


def counting(cases: Iterable[Case], form: Form) -> list[Case]:
    """Those that say something in this form, and that people agree on."""
    return [
        case
        for case in cases
        if shown(case, form) and (case.label is not Label.GREY or case.why.startswith(TOO_SHORT))
    ]


def told(cases: Iterable[Case], form: Form) -> list[Told]:
    """Our word on every case that counts."""
    return [_told(case, form) for case in counting(cases, form)]


def _told(case: Case, form: Form) -> Told:
    verdict, ended = judge_case(case, form)
    return Told(case, verdict.label, ended)


def labelled(found: Iterable[T], label: Label) -> list[T]:
    return [one for one in found if one.case.label is label]


def lies(found: Iterable[T]) -> list[T]:
    return [one for one in labelled(found, Label.LOST) if one.verdict in UNBROKEN]


def wrongly_called(found: Iterable[T]) -> list[T]:
    return [one for one in labelled(found, Label.FINE) if one.verdict is not VerdictLabel.STABLE]


def ended(found: Iterable[T]) -> list[T]:
    return [one for one in labelled(found, Label.FINE) if one.ended is not None]


def claimed(found: Iterable[T]) -> list[T]:
    return [one for one in labelled(found, Label.GREY) if one.verdict is VerdictLabel.STABLE]


def count(found: Sequence[T]) -> dict[str, int]:
    """How many got each verdict."""
    return dict(sorted(Counter(one.verdict.value for one in found).items()))
