"""How soon the rules see a training go bad: `python tests/benchmarks/detection.py FOLDER [--quick]`.

Reads the diverging trainings that record_trainings.py left in FOLDER. The delay runs from a training's first
bad step (see trainings.py) to the step at which the rules, fed one record after the other, spoke: negative
where they spoke before. Facts are not counted. `--no-yardstick` feeds the steps alone, as in a loop that
evaluates nothing.

Then trains, here and now, with a loss of which all that is not finite is masked: where(isfinite(x), x, 0).
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import torch
from loop import batches, forward, loop
from scoring import Noticed, noticed, trained
from torch import Tensor
from trainings import first_bad_step, first_nonfinite_step

import stability
from stability.judging.monitor import Monitor
from stability.judging.policy import Policy
from stability.records import Event, EventKind, Severity, Step

MASKED = (("adamw", 1.0, 0.1), ("adamw", None, 0.3), ("sgd", None, 3.0))
MASKED_STEPS = 24


@dataclass(frozen=True, slots=True)
class Course:
    """One training that went bad: when, when a number first was not finite, what was noticed and when."""

    bad: int
    nonfinite: int | None
    noticed: tuple[Noticed, ...]


def courses(folder: Path, policy: Policy, *, evaluated: bool) -> tuple[list[Course], int]:
    """All diverging trainings in `folder`, and how many of those planned did not go bad."""
    found, fine = [], 0
    for training in trained(folder, "diverging"):
        bad = first_bad_step(training.records.steps)
        if bad is None:
            fine += 1
            continue
        seen = noticed(training.records, policy, finished=False, evaluated=evaluated)
        told = tuple(one for one in seen if one.event.severity is not Severity.FACT)
        found.append(Course(bad, first_nonfinite_step(training.records.steps), told))
    return found, fine


def print_courses(found: Sequence[Course], fine: int) -> None:
    nonfinite = [course for course in found if course.nonfinite is not None]
    at_once = sum(course.bad <= 1 for course in found)
    print(f"{len(found)} trainings went bad, {fine} did not; {at_once} within their first two steps,")
    print(f"{len(nonfinite)} with a number that was not finite in the end\n")
    print(f"{'':18} {'caught':>8}  {'delay: median':>13} {'90%':>5} {'worst':>5}  before it")
    print(_row("any rule", [_delay(course, None, None) for course in found]))
    print(_row("the trial is lost", [_delay(course, None, Severity.LOST) for course in found]))
    for kind in EventKind:
        delays = [_delay(course, kind, None) for course in found]
        if any(delay is not None for delay in delays):
            print(_row(kind.value, delays))
    print(
        "\nlead of warnings over the first number that was not finite, where it came after the first two steps"
    )
    late = [course for course in nonfinite if course.nonfinite > 1]
    for kind in (None, *EventKind):
        leads = [lead for course in late if (lead := _lead(course, kind)) is not None]
        if leads:
            name = "any warning" if kind is None else kind.value
            print(
                f"{name:18} {len(leads):3}/{len(late):<3}  median {statistics.median(leads):g} steps, {max(leads)} at most"
            )


def _delay(course: Course, kind: EventKind | None, severity: Severity | None) -> int | None:
    """Steps from the first bad one to the first event of this kind and severity; None: there was none."""
    steps = [
        seen.step
        for seen in course.noticed
        if kind in (None, seen.event.kind) and severity in (None, seen.event.severity)
    ]
    return min(steps) - course.bad if steps else None


def _lead(course: Course, kind: EventKind | None) -> int | None:
    """Steps from the first warning to the first number that was not finite; None: no warning before it."""
    steps = [
        seen.step
        for seen in course.noticed
        if kind in (None, seen.event.kind) and seen.event.severity is Severity.WARNING
    ]
    return course.nonfinite - min(steps) if steps and min(steps) < course.nonfinite else None


def _row(name: str, delays: Sequence[int | None]) -> str:
    caught = sorted(delay for delay in delays if delay is not None)
    early = sum(delay < 0 for delay in caught)
    ninety = caught[min(len(caught) - 1, int(0.9 * len(caught)))]
    median = statistics.median(caught)
    return f"{name:18} {len(caught):3}/{len(delays):<3}  {median:14g} {ninety:5} {caught[-1]:5}  {early}"


@dataclass(frozen=True, slots=True)
class Masked:
    """A training with a masked loss: the first step that was masked, and what each of two watches noticed."""

    first: int | None
    all_numbers: tuple[Event, ...]
    losses_only: tuple[Event, ...]


def masked_training(seed: int, optimizer: str, clip: float | None, lr: float, cache: Path) -> Masked:
    """Train with every loss masked. The watch is shown nothing else; the losses alone are judged as well."""
    made = loop("tiny", {"lr": lr, "optimizer": optimizer, "clip": clip}, cache, seed=seed)
    watch = stability.watch(made.model, made.optimizer)
    first = None
    for step, batch in enumerate(islice(batches(made), MASKED_STEPS)):
        made.optimizer.zero_grad()
        measured, total, in_force = forward(made, batch)
        masked = {name: _masked(loss) for name, loss in measured.items()}
        if first is None and not all(torch.isfinite(loss) for loss in (*measured.values(), total)):
            first = step
        reported = sum(masked[name] * in_force[name] for name in masked)
        reported.backward()
        watch.step(masked, reported, batch.ids)
        if clip is not None:
            torch.nn.utils.clip_grads_with_norm_(made.weights, clip, watch.grad_norm)
        made.optimizer.step()
    watch.close()
    return Masked(first, tuple(watch.events), tuple(_judged_by_losses(watch.steps)))


def _masked(loss: Tensor) -> Tensor:
    return torch.where(torch.isfinite(loss), loss, 0.0)


def _judged_by_losses(steps: Sequence[Step]) -> list[Event]:
    """The events of a trainer that reports its losses and nothing else."""
    monitor = Monitor({}, Policy())
    return [event for step in steps for event in monitor.step(Step(step.step, step.losses, total=step.total))]


def print_masked(seeds: int, cache: Path) -> None:
    print(f"\nmasked losses, {seeds} seeds each: steps from the first masked one to the first event")
    for optimizer, clip, lr in MASKED:
        found = [masked_training(seed, optimizer, clip, lr, cache) for seed in range(seeds)]
        hit = [training for training in found if training.first is not None]
        name = f"{optimizer}, lr {lr:g}, clip {clip or 'off'}"
        print(f"{name:28} masked in {len(hit)}/{seeds}")
        for which in ("all_numbers", "losses_only"):
            print(f"    {which:12} {_caught(hit, which)}")


def _caught(hit: Sequence[Masked], which: str) -> str:
    kinds: Mapping[str, list[int]] = {}
    delays = []
    for training in hit:
        after = [event for event in getattr(training, which) if event.step >= training.first]
        delays.append(min((event.step for event in after), default=MASKED_STEPS) - training.first)
        for kind in {event.kind.value for event in after}:
            steps = [event.step for event in after if event.kind == kind]
            kinds.setdefault(kind, []).append(min(steps) - training.first)
    shown = ", ".join(f"{kind} {len(found)} ({max(found)})" for kind, found in sorted(kinds.items()))
    within = sum(delay <= 5 for delay in delays)
    return f"within 5 steps {within}/{len(hit)}, worst {max(delays, default=0)}; by rule (worst): {shown}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--no-yardstick", action="store_true")
    parser.add_argument("--quick", action="store_true", help="two seeds of each masked training")
    given = parser.parse_args()
    torch.set_num_threads(1)
    print_courses(*courses(given.folder, Policy(), evaluated=not given.no_yardstick))
    print_masked(2 if given.quick else 10, given.folder / "cache")


if __name__ == "__main__":
    main()
