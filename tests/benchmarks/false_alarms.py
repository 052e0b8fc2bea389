"""How often each rule speaks of a healthy training: `python tests/benchmarks/false_alarms.py FOLDER`.

Reads what record_trainings.py left in FOLDER; `--set NAME=VALUE` scores with another limit of `Policy`,
`--no-yardstick` as in a loop that evaluates nothing.

Healthy: planned so (a hundredth to a third of the divergence point of its recipe), ran to its end, did not go
bad (see trainings.py; no rule is asked), and its yardstick ended 1% lower. What fails one of these is listed,
not counted. A training counts once per rule, however many events it has. The upper bound is
one-sided Clopper-Pearson, 95%.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from scipy.stats import beta
from scoring import Trained, noticed, points, trained
from trainings import first_bad_step

from stability.judging.policy import Policy
from stability.records import Event, EventKind, Outcome, Severity

LEARNED = 0.01
HEALTHY = "healthy"
GROUPS: Mapping[str, Callable[[Trained], bool]] = {
    "all": lambda training: True,
    "tiny adamw": lambda training: _is(training, "tiny", "adamw"),
    "tiny sgd": lambda training: _is(training, "tiny", "sgd"),
    "small": lambda training: _is(training, "small", None),
    "normal": lambda training: _is(training, "normal", None),
    "first half": lambda training: training.spec.seed % 4 < 2,
    "second half": lambda training: training.spec.seed % 4 >= 2,
}
"""The halves share out the corpora evenly: one to set a limit by, the other to confirm it."""


@dataclass(frozen=True, slots=True)
class Alarms:
    """A healthy training and what the rules said of it."""

    training: Trained
    events: tuple[Event, ...]

    def has(self, kind: EventKind, fact: bool) -> bool:
        return any(e.kind is kind and (e.severity is Severity.FACT) == fact for e in self.events)


def state(training: Trained) -> str:
    """Whether a training that was planned as healthy was; no rule is asked."""
    bad = first_bad_step(training.records.steps)
    if bad is not None:
        return "went bad"
    if training.outcome is not Outcome.FINISHED:
        return "did not finish"
    return HEALTHY if training.learned(LEARNED) else "did not learn"


def upper_bound(k: int, n: int) -> float:
    """One-sided Clopper-Pearson, 95%: a larger rate would give k or fewer of n in under 5% of such samples."""
    return 1.0 if k == n else float(beta.ppf(0.95, k + 1, n - k))


def print_table(scored: Sequence[Alarms], *, fact: bool) -> None:
    groups = {name: [one for one in scored if belongs(one.training)] for name, belongs in GROUPS.items()}
    kinds = [kind for kind in EventKind if not fact or any(one.has(kind, True) for one in scored)]
    print(
        f"{'fact' if fact else 'rule':18} {'share':>6} {'bound':>6}  " + "  ".join(f"{g:>11}" for g in groups)
    )
    for kind in kinds:
        counts = {name: sum(one.has(kind, fact) for one in ones) for name, ones in groups.items()}
        share, bound = counts["all"] / len(scored), upper_bound(counts["all"], len(scored))
        cells = "  ".join(f"{count:>7}/{len(groups[name]):<3}" for name, count in counts.items())
        print(f"{kind.value:18} {share:6.1%} {bound:6.1%}  {cells}")


def print_events(scored: Sequence[Alarms], divergence: Mapping[str, float]) -> None:
    for one in scored:
        for event in one.events:
            if event.severity is Severity.FACT:
                continue
            spec = one.training.spec
            share = spec.params["lr"] / divergence[spec.arm]
            limit = "" if event.threshold is None else f" > {event.threshold:.3g}"
            what = f"{event.kind.value} {event.where} {event.value:.3g}{limit} at {event.step}"
            print(
                f"{what:64} {spec.key}, {share:.3f} of the divergence point, {len(one.training.records.steps)} steps"
            )


def print_uncounted(planned: Sequence[Trained], states: Mapping[str, str], policy: Policy) -> None:
    for training in planned:
        if (said := states[training.spec.key]) != HEALTHY:
            seen = noticed(training.records, policy, finished=training.outcome is Outcome.FINISHED)
            kinds = {one.event.kind.value for one in seen if one.event.severity is not Severity.FACT}
            print(f"{said}: {training.spec.key}: {', '.join(sorted(kinds)) or 'no event'}")


def _is(training: Trained, size: str, optimizer: str | None) -> bool:
    spec = training.spec
    return spec.model["size"] == size and optimizer in (None, spec.params["optimizer"])


def _policy(settings: Sequence[str]) -> Policy:
    policy = Policy()
    pairs = (setting.partition("=")[::2] for setting in settings)
    return replace(policy, **{name: type(getattr(policy, name))(value) for name, value in pairs})


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--no-yardstick", action="store_true")
    parser.add_argument("--events", action="store_true", help="list every event")
    given = parser.parse_args()
    policy, divergence = _policy(given.set), points(given.folder)
    planned = list(trained(given.folder, "healthy"))
    states = {training.spec.key: state(training) for training in planned}
    healthy = [training for training in planned if states[training.spec.key] == HEALTHY]
    told = partial(noticed, policy=policy, finished=True, evaluated=not given.no_yardstick)
    scored = [Alarms(t, tuple(seen.event for seen in told(t.records))) for t in healthy]
    for recipe, point in divergence.items():
        print(f"{recipe:28} diverges from learning rate {point:.3g}")
    print(f"\n{len(planned)} trainings: {dict(Counter(states.values()))}")
    print(f"{sum(len(training.records.steps) for training in healthy)} steps\n")
    print_table(scored, fact=False)
    print()
    print_table(scored, fact=True)
    print_uncounted(planned, states, policy)
    if given.events:
        print()
        print_events(scored, divergence)


if __name__ == "__main__":
    main()
