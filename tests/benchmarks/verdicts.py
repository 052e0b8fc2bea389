"""How often verdicts are right: `python tests/benchmarks/verdicts.py [FILE ...] [--no-curves] [--format json] [-v]`.

Judges the cases of each FILE (written by tests/verdicts/cases.py) and the drawn curves, in every form, and lets
what people use today (verdict_peers) watch the same numbers. Cases of label grey are not scored, and neither is
a case in a form whose numbers cannot show what its label says. What is counted:

* lies: lost trainings that were called STABLE or STUCK.
* wrongly called: fine trainings, by the verdict they got instead of STABLE.
* ended early: fine trainings that were ended. Those that were broken for a while and recovered are apart.
* claimed: trainings too short to say anything about that were called STABLE.
* missed: lost trainings without an alarm. An alarm of ours is an early end or a final DIVERGED or UNSTABLE.
* false: fine trainings with an alarm.
* delay: the step of the alarm less the onset, as a median over the lost trainings that have both. The onset
  is the first step whose loss is not finite, or from which on every loss lies above the first one, whichever
  comes first; the same holds for the evaluations where the form has them. A negative delay is an alarm before
  that. An alarm at the end counts as its last step.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "verdicts"))

from cases import Case, Form, Label, load  # noqa: E402
from counting import Told, claimed, count, counting, ended, labelled, lies, wrongly_called  # noqa: E402
from curves import curves  # noqa: E402
from judging import judge_case  # noqa: E402
from verdict_peers import PEERS  # noqa: E402

from stability.records import VerdictLabel  # noqa: E402

OURS = "stability"
_ALARMED = {VerdictLabel.DIVERGED, VerdictLabel.UNSTABLE}


@dataclass(frozen=True, slots=True)
class Judged(Told):
    """One case in one form, with the first alarm of everybody (None: none)."""

    onset: int | None
    alarms: Mapping[str, int | None]


@dataclass(frozen=True, slots=True)
class Watching:
    """How good the alarms of one watcher are. `delays`: how many lost trainings the median is over."""

    name: str
    missed: int
    false: int
    false_recovers: int
    median_delay: float | None
    delays: int


@dataclass(frozen=True, slots=True)
class Scored:
    """One set of cases in one form; the counts that the module's docstring defines."""

    cases: str
    form: str
    lost: int
    fine: int
    slow: int
    lies: int
    wrongly_called: Mapping[str, int]
    slow_called: Mapping[str, int]
    ended_early: int
    ended_early_recovers: int
    claimed: int
    watching: tuple[Watching, ...]
    wrong: tuple[str, ...]


def onset(case: Case, form: Form) -> int | None:
    """The first step at which the training's numbers are bad for good, as the module's docstring says."""
    found = [_first_bad(list(enumerate(case.total)))]
    if form is Form.EVALUATED:
        found.append(_first_bad([(max(0, step - 1), value) for step, value in case.evaluations]))
    return min((step for step in found if step is not None), default=None)


def _first_bad(numbers: Sequence[tuple[int, float]]) -> int | None:
    if not numbers:
        return None
    start, above = numbers[0][1], None
    for step, value in reversed(numbers[1:]):
        if math.isfinite(value) and not value > start:
            break
        above = step
    nonfinite = next((step for step, value in numbers if not math.isfinite(value)), None)
    return min((step for step in (above, nonfinite) if step is not None), default=None)


def judged(cases: Iterable[Case], form: Form) -> list[Judged]:
    """Every case that says something in this form, with everybody's word on it."""
    return [_judged(case, form) for case in counting(cases, form)]


def _judged(case: Case, form: Form) -> Judged:
    verdict, at = judge_case(case, form)
    ours = at
    if ours is None and verdict.label in _ALARMED:
        ours = len(case.total) - 1
    alarms = {OURS: ours, **{peer.name: peer.alarms(case, form) for peer in PEERS}}
    return Judged(case, verdict.label, at, onset(case, form), alarms)


def scored(name: str, form: Form, found: Sequence[Judged]) -> Scored:
    lost, fine, slow = (labelled(found, label) for label in (Label.LOST, Label.FINE, Label.SLOW))
    early = ended(found)
    wrong = [*_told("lie", lies(found)), *_told("wrongly called", wrongly_called(found))]
    return Scored(
        cases=name,
        form=form.value,
        lost=len(lost),
        fine=len(fine),
        slow=len(slow),
        lies=len(lies(found)),
        wrongly_called=count(wrongly_called(found)),
        slow_called=count(slow),
        ended_early=sum(not one.case.recovers for one in early),
        ended_early_recovers=sum(one.case.recovers for one in early),
        claimed=len(claimed(found)),
        watching=tuple(_watching(watcher, lost, fine) for watcher in (OURS, *(peer.name for peer in PEERS))),
        wrong=(*wrong, *_told("claimed", claimed(found))),
    )


def _watching(watcher: str, lost: Sequence[Judged], fine: Sequence[Judged]) -> Watching:
    false = [one for one in fine if one.alarms[watcher] is not None]
    delays = [
        one.alarms[watcher] - one.onset
        for one in lost
        if one.onset is not None and one.alarms[watcher] is not None
    ]
    return Watching(
        watcher,
        missed=sum(one.alarms[watcher] is None for one in lost),
        false=sum(not one.case.recovers for one in false),
        false_recovers=sum(one.case.recovers for one in false),
        median_delay=statistics.median(delays) if delays else None,
        delays=len(delays),
    )


def _told(how: str, found: Iterable[Judged]) -> list[str]:
    return [
        f"{how}: {one.case.name} ({one.case.why}) was called {one.verdict.value}"
        + ("" if one.ended is None else f" and ended at step {one.ended}")
        for one in found
    ]


def as_table(score: Scored, *, verbose: bool) -> str:
    lines = [
        f"{score.cases}, form {score.form}: {score.lost} lost, {score.fine} fine, {score.slow} slow",
        f"  lies                  {score.lies} of {score.lost}",
        f"  fine, wrongly called  {_listed(score.wrongly_called)} of {score.fine}",
        f"  fine, ended early     {score.ended_early}, and {score.ended_early_recovers} that would have recovered",
        f"  slow, called          {_listed(score.slow_called)}",
        f"  too short, claimed    {score.claimed}",
        f"  {'who watches':<32}{'missed':>8}{'false':>7}{'+recovers':>11}{'delay':>8}{'of':>5}",
    ]
    for one in score.watching:
        delay = "-" if one.median_delay is None else f"{one.median_delay:g}"
        lines.append(
            f"  {one.name:<32}{one.missed:>8}{one.false:>7}{one.false_recovers:>11}{delay:>8}{one.delays:>5}"
        )
    return "\n".join([*lines, *(f"  {told}" for told in score.wrong if verbose)])


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {label}" for label, count in counts.items()) or "0"


def as_json(scores: Sequence[Scored], *, verbose: bool) -> str:
    def document(score: Scored) -> dict[str, Any]:
        return {key: value for key, value in asdict(score).items() if verbose or key != "wrong"}

    return json.dumps([document(score) for score in scores], indent=2)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", type=Path, nargs="*", metavar="FILE")
    parser.add_argument("--no-curves", action="store_true", help="only the files")
    parser.add_argument("--forms", nargs="+", type=Form, choices=list(Form), default=list(Form))
    parser.add_argument("--format", choices=("table", "json"), default="table")
    parser.add_argument("-v", "--verbose", action="store_true", help="list the cases we got wrong")
    given = parser.parse_args()
    sets = {path.name.removesuffix(".gz").removesuffix(".jsonl"): load(path) for path in given.files}
    if not given.no_curves:
        sets["curves"] = curves()
    scores = [scored(name, form, judged(cases, form)) for name, cases in sets.items() for form in given.forms]
    if given.format == "json":
        print(as_json(scores, verbose=given.verbose))
    else:
        print("\n\n".join(as_table(score, verbose=given.verbose) for score in scores))


if __name__ == "__main__":
    main()
