"""Cases of the trials in a store: trainings by other people's trainers, labelled by their own yardstick.

From `tests/verdicts`: python -m recording.foreign STORE... --out foreign.jsonl.gz [--to-the-end] [--study NAME]...

Terms. A trial's course is its weighed yardstick: at its evaluations, or of its training losses, the first
step and then each epoch's mean, where a trainer evaluates nothing. Its range is its start minus the best of
all trials of the study. Progress is the share of that range that is gained, at the end that of the last value.
The training loss is the rolling median over five steps of the weighed yardstick, against its own first step.
It is clearly above where it exceeds it by five noise widths of the trial with the lowest rate, and by a tenth
of what the best trial gained.

A trial broke if its course was above its start by a quarter of the range, if its training loss was clearly
above its first, or if it gave back a progress of 0.3.

The labels of a trial that finished:

* LOST: its last loss or a value of its course is not finite, or it broke and ended at 0.05 or less.
* FINE: it ended at 0.4 or more and gave back no more than a third of its best progress.
* SLOW: it never broke, and its best progress is below 0.05.
* GREY: all else.

A trial that was ended early, by the driver or by an error, ends where it was ended. It is LOST if a number in
it is not finite. It is LOST too if its course, or its training loss, ended above its start by more than the whole
range, or gain, and not on its way down: at more than half of its highest. A course alone does not count where the
training loss ended below its first. Else it is GREY.

With `--to-the-end`, a trial that the driver stopped is trained again from its own folder beside the store, with
nobody to stop it. Then it has an end of its own, and its label does not depend on who stopped it.
"""

from __future__ import annotations

import argparse
import dataclasses
import math
import signal
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median
from typing import Any

from cases import Case, Label, save

from stability import trainers, trialdir
from stability.records import Evaluation, Outcome, Records, Step
from stability.store import Store
from stability.store.restored import restored

Numbers = list[float]
SCALARS = ("total", "lr", "grad_norm", "weight_norm", "grad_scale")


@dataclass(frozen=True, slots=True)
class Trial:
    """What is read of one trial. `yardstick` has a number for each step whose losses have all its parts."""

    name: str
    finished: bool
    steps: Sequence[Step]
    evaluations: Sequence[tuple[int, float]]
    yardstick: Numbers
    course: Numbers
    rate: float


@dataclass(frozen=True, slots=True)
class Scale:
    """What the trials of one study are measured against."""

    best: float
    gain: float
    noise: float


def main() -> None:
    parser = argparse.ArgumentParser(description="Write the trials of stores as cases with a label.")
    parser.add_argument("stores", nargs="+", metavar="STORE")
    parser.add_argument("--study", action="append", help="only these studies")
    parser.add_argument("--to-the-end", action="store_true", help="train stopped trials again, unstopped")
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    cases = []
    for path in given.stores:
        store = Store(path, create=False)
        for study in store.studies():
            if not given.study or study in given.study:
                cases += told(study, cases_of(store, study, to_the_end=given.to_the_end))
        store.close()
    save(cases, given.out)
    print(f"{len(cases)} cases in {given.out}")


def told(study: str, cases: Sequence[Case]) -> Sequence[Case]:
    counts = Counter(case.label.value for case in cases)
    print(f"{study}: " + ", ".join(f"{counts[label.value]} {label.value}" for label in Label))
    return cases


def cases_of(store: Store, study: str, *, to_the_end: bool = False) -> list[Case]:
    """The trials of one study that recorded a step, in the order of the store."""
    trials = [trial for trial in read(store, study, to_the_end) if trial.steps]
    if not trials:
        return []
    scale = scale_of(trials)
    return [case(trial, *label(trial, scale)) for trial in trials]


def read(store: Store, study: str, to_the_end: bool) -> Iterator[Trial]:
    weights = store.environment(study)["spec"]["yardstick"]
    frames = store.frames(study)
    steps, epochs = (dict(iter(frame.groupby("trial_id"))) for frame in (frames.steps, frames.epochs))
    for row in frames.trials.to_dict("records"):
        own = (table.get(row["trial_id"], frame.iloc[:0]) for table, frame in ((steps, frames.steps), (epochs, frames.epochs)))
        records = restored(*own, weights, row["definitions"])
        finished = row["outcome"] == Outcome.FINISHED
        if to_the_end and row["outcome"] == Outcome.STOPPED:
            records, finished = trained_again(Path(row["directory"]))
        values = [weighed(step.losses, weights) for step in records.steps if weights.keys() <= step.losses.keys()]
        evaluated = [(_position(e, records.steps), weighed(e.losses, weights)) for e in records.evaluations]
        rates = [step.lr for step in records.steps if step.lr is not None]
        yield Trial(
            name=f"{study}/{row['stage']}/{row['key']}",
            finished=finished,
            steps=records.steps,
            evaluations=evaluated,
            yardstick=values,
            course=[value for _, value in evaluated] or _epochs(records.steps, weights),
            rate=max(rates) if rates else row["params"].get("lr", math.inf),
        )


class Kept:
    """A recorder that keeps everything and stops nothing."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.evaluations: list[Evaluation] = []

    def step(self, losses: Mapping[str, float], *args: float, step: int | None = None, **given: Any) -> None:
        named = dict(zip(("total", "lr", "grad_norm", "epoch"), args, strict=False)) | given
        named |= {name: float(named[name]) for name in SCALARS if named.get(name) is not None}
        number = step if step is not None else self.steps[-1].step + 1 if self.steps else 0
        self.steps.append(Step(number, {name: float(value) for name, value in losses.items()}, **named))

    def evaluate(self, losses: Mapping[str, float], epoch: int) -> None:
        done = self.steps[-1].step + 1 if self.steps else 0
        self.evaluations.append(Evaluation(done, epoch, {name: float(value) for name, value in losses.items()}))

    def define(self, **definitions: str) -> None:
        """How losses are computed is in the store."""

    def effective(self, **settings: Any) -> None:
        """What the training got is in the store."""


def trained_again(directory: Path) -> tuple[Records, bool]:
    """The records of a trial that nothing stops but its time, and whether it came to its end."""
    spec, kept, ended = trialdir.read_spec(directory), Kept(), True
    with tempfile.TemporaryDirectory() as folder:
        own = dataclasses.replace(spec, directory=Path(folder), device=trainers.resolve_device(spec.device))
        signal.signal(signal.SIGALRM, _too_late)
        signal.alarm(math.ceil(spec.timeout_s))
        try:
            trainers.load(spec.trainer)(own, kept)
        except Exception as error:  # a trainer's own end, whatever it is: what was recorded before it counts
            ended = False
            print(f"{spec.study}/{spec.stage}/{spec.key} ended by itself: {error}")
        finally:
            signal.alarm(0)
    return Records(tuple(kept.steps), tuple(kept.evaluations)), ended


def _too_late(*_: object) -> None:
    raise TimeoutError("its time is over")


def weighed(losses: Mapping[str, float], weights: Mapping[str, float]) -> float:
    """The weighed sum. A part may be missing only where the others already make it not finite."""
    value = sum(weight * losses[name] for name, weight in weights.items() if name in losses)
    if math.isfinite(value) and weights.keys() - losses.keys():
        raise ValueError(f"a yardstick without {', '.join(weights.keys() - losses.keys())}")
    return value


def _position(evaluation: Evaluation, steps: Sequence[Step]) -> int:
    """How many recorded steps came before, which is not the step's number where only some are recorded."""
    return sum(step.step < evaluation.step for step in steps)


def _epochs(steps: Sequence[Step], weights: Mapping[str, float]) -> Numbers:
    whole = [step for step in steps if weights.keys() <= step.losses.keys()]
    by_epoch: dict[int | None, Numbers] = {}
    for step in whole:
        by_epoch.setdefault(step.epoch, []).append(weighed(step.losses, weights))
    return [weighed(step.losses, weights) for step in whole[:1]] + [fmean(values) for values in by_epoch.values()]


def scale_of(trials: Sequence[Trial]) -> Scale:
    slowest = min((trial for trial in trials if trial.yardstick), key=lambda trial: trial.rate, default=None)
    finite = [value for trial in trials for value in trial.course if math.isfinite(value)]
    gains = [
        trial.yardstick[0] - low
        for trial in trials
        for low in (v for v in _smooth(trial.yardstick) if math.isfinite(v))
    ]
    changes = [] if slowest is None else [abs(b - a) for a, b in zip(slowest.yardstick, slowest.yardstick[1:], strict=False)]
    return Scale(
        best=min(finite, default=math.nan),
        gain=max(gains, default=math.nan),
        noise=1.4826 * median(changes) / math.sqrt(2) if changes else math.nan,
    )


def label(trial: Trial, scale: Scale) -> tuple[Label, str, bool]:
    """The label, why, and whether the trial broke and recovered."""
    if not all(map(math.isfinite, trial.course)):
        return Label.LOST, "the yardstick is not finite", False
    last = total_of(trial.steps[-1])
    if not math.isfinite(last):
        return Label.LOST, f"the last loss is {last}", False
    above = _above(trial, scale)
    if not trial.finished:
        return _cut_short(trial, scale, above)
    if len(trial.course) < 2 or trial.course[0] <= scale.best:
        return Label.GREY, "no range: it starts at the best of its study", False
    progress = [(trial.course[0] - value) / (trial.course[0] - scale.best) for value in trial.course]
    end, best, worst = progress[-1], max(progress), min(progress)
    broke = _broke(progress, max(above, default=-math.inf), scale)
    seen = f"ends at {end:.2g} of the range, best {best:.2g}, worst {worst:.2g}" + (f"; {broke}" if broke else "")
    if broke and end <= 0.05:
        return Label.LOST, seen, False
    if end >= 0.4 and best - end <= best / 3:
        return Label.FINE, seen, broke is not None
    if best < 0.05 and not broke:
        return Label.SLOW, seen, False
    return Label.GREY, seen, False


def _cut_short(trial: Trial, scale: Scale, above: Numbers) -> tuple[Label, str, bool]:
    """`above` are the training losses less the first of them."""
    if not all(math.isfinite(total_of(step)) or step.skipped for step in trial.steps):
        return Label.LOST, "a loss is not finite", False
    risen = [value - trial.course[0] for value in trial.course]
    if _stays_above(risen, trial.course[0] - scale.best) and not (above and above[-1] < 0):
        return Label.LOST, "the yardstick ended above its start by more than the range", False
    if _stays_above(above, max(scale.gain, 5 * scale.noise)):
        return Label.LOST, "the training loss ended above its start by more than all that is to gain", False
    return Label.GREY, "it was ended early", False


def _stays_above(risen: Numbers, limit: float) -> bool:
    """Whether it ended above `limit`, and not on its way down."""
    return bool(risen) and risen[-1] > limit > 0 and risen[-1] > max(risen) / 2


def _broke(progress: Numbers, above: float, scale: Scale) -> str | None:
    if min(progress) < -0.25:
        return "its yardstick rose above its start"
    if above > max(5 * scale.noise, scale.gain / 10):
        return "its training loss rose above its start"
    lows = (max(progress[: i + 1]) - value for i, value in enumerate(progress))
    return "it gave back 0.3 of the range or more" if max(lows) >= 0.3 else None


def _above(trial: Trial, scale: Scale) -> Numbers:
    return [value - trial.yardstick[0] for value in _smooth(trial.yardstick)]


def _smooth(values: Sequence[float]) -> Numbers:
    """Rolling medians of five; a number that is not finite counts as the highest."""
    ranked = [value if math.isfinite(value) else math.inf for value in values]
    return [median(ranked[i : i + 5]) for i in range(max(0, len(ranked) - 4))]


def total_of(step: Step) -> float:
    """The total, or the only loss where a trainer prints no total."""
    if step.total is not None:
        return step.total
    if len(step.losses) != 1:
        raise ValueError(f"step {step.step} has no total, and not one loss but {', '.join(step.losses)}")
    return next(iter(step.losses.values()))


def case(trial: Trial, verdict: Label, why: str, recovers: bool) -> Case:
    steps = trial.steps
    totals = [total_of(step) for step in steps]
    names = list(dict.fromkeys(name for step in steps for name in step.losses))
    parts = {name: _whole([step.losses.get(name) for step in steps], totals) for name in names}
    weights = {name: [(step.loss_weights or {}).get(name) for step in steps] for name in names}
    return Case(
        name=trial.name,
        label=verdict,
        why=why,
        total=totals,
        grad_norm=_whole([step.grad_norm for step in steps], totals),
        components={name: values for name, values in parts.items() if values is not None},
        lr=_complete([step.lr for step in steps]),
        loss_weights={name: values for name, values in weights.items() if _complete(values)} or None,
        grad_scale=_complete([step.grad_scale for step in steps]),
        skipped=frozenset(number for number, step in enumerate(steps) if step.skipped),
        evaluations=trial.evaluations,
        recovers=recovers,
    )


def _whole(values: Sequence[float | None], totals: Numbers) -> Numbers | None:
    """A number a step, or None. A trainer that gives up on a NaN total does not print its parts: NaN too."""
    if all(value is None for value in values):
        return None
    if any(value is None and math.isfinite(total) for value, total in zip(values, totals, strict=True)):
        return None
    return [math.nan if value is None else value for value in values]


def _complete(values: Sequence[float | None]) -> Numbers | None:
    return None if any(value is None for value in values) else list(values)


if __name__ == "__main__":
    main()
