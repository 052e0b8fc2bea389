"""What became of a recorded training, told from its own evaluation by one written rule.

Terms. A training's range is the value before training, minus the best value that any training of its kind
reached. Progress is the share of that range that is gained; at the end it is the mean of the last two
evaluations, of the last three where evaluations are noisy. A training's loss is judged by its rolling median
of five steps, against that of the slowest training of the kind at its start. Its noise width is the robust
spread of the slowest training's steps.

A training broke if one of these holds:

* its evaluation was above its start by more than half the range;
* its training loss was above its start by more than five noise widths and by a twentieth of what the best
  of its kind gained in training loss (asked only where that loss means the same throughout);
* it had made a progress of 0.3 and ended at 0.05 or less;
* its loss scaler skipped most of the last third of its steps.

The labels:

* LOST: the last loss or any evaluation is not finite; or it broke and ended at a progress of 0.05 or less.
* FINE: it ended at 0.4 or more, and gave back no more than a third of its best progress; its loss scaler does
  not skip most of its last steps. If it broke before, or one loss was above the start by twice what the best
  gained and by ten noise widths, it must have ended at 0.6: a net that died can still fit the mean.
* SLOW: it never broke, its progress stayed between -0.1 and 0.05, its training loss fell by less than 0.15 of
  what the best gained plus two noise widths, and no lower rate of its kind ended FINE.
* GREY: all else. A training is grey, not lost, if its training loss keeps half of what the best of its kind
  gained and never rose: it overfits, which is no break. One that learned nothing at a rate above those that
  learned is neither slow nor seen to break.

Where evaluations are noisy: FINE asks for 0.5 at the end and for 0.3 in each of the last three; LOST
asks for 0.05 or less in each of the last three, and for a rate above one that ended FINE where all numbers are
finite; SLOW asks that the training loss never rose either.

A training recovered if it is FINE, and for a while its evaluation was above its start by a tenth of the range,
or half of a progress of at least 0.2 was given back.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from cases import Case, Label

from recording.training import Kind

OVERRIDES: dict[str, tuple[Label, str]] = {}
"""Trainings whose label people would change, and why."""


@dataclass(frozen=True, slots=True)
class _Yardstick:
    """What the trainings of one kind are measured against."""

    best: float  # evaluation
    loss_start: float
    loss_gain: float
    loss_width: float


def labelled(kind: Kind, runs: Sequence[Case]) -> list[Case]:
    """The trainings of one kind with their labels."""
    yardstick = _yardstick(runs)
    first = [_judged(kind, run, yardstick) for run in runs]
    lowest = min((_rate(run) for run in first if run.label is Label.FINE), default=math.inf)
    return [_overridden(_compared(kind, run, lowest)) for run in first]


def _yardstick(runs: Sequence[Case]) -> _Yardstick:
    slowest = min(runs, key=_rate)
    start = median(slowest.total[:10])
    lowest = min(min(values) for run in runs if (values := [v for v in _smooth(run.total) if math.isfinite(v)]))
    finite = [value for value in slowest.total if math.isfinite(value)]
    changes = [abs(b - a) for a, b in zip(finite, finite[1:], strict=False)]
    best = min(value for run in runs for _, value in run.evaluations if math.isfinite(value))
    return _Yardstick(best, start, start - lowest, 1.4826 * median(changes) / math.sqrt(2))


def _judged(kind: Kind, run: Case, yardstick: _Yardstick) -> Case:
    values = [value for _, value in run.evaluations]
    if not all(map(math.isfinite, values)):
        return dataclasses.replace(run, label=Label.LOST, why="an evaluation is not finite")
    if not math.isfinite(run.total[-1]):
        return dataclasses.replace(run, label=Label.LOST, why="the last loss is not finite")
    if values[0] <= yardstick.best:
        return dataclasses.replace(run, label=Label.GREY, why="it starts at the best of its kind")
    progress = [(values[0] - value) / (values[0] - yardstick.best) for value in values]
    last = progress[-3:] if kind.noisy else progress[-2:]
    end, best, worst = sum(last) / len(last), max(progress), min(progress)
    broke = _broke(kind, run, yardstick, progress, end)
    seen = f"ends at {end:.2g} of the range, best {best:.2g}, worst {worst:.2g}"
    shaken = broke is not None or (kind.comparable and _loss_spiked(run, yardstick))
    label = _label(kind, last, progress, broke, shaken)
    if label is Label.SLOW and kind.noisy and _loss_rose(run, yardstick):
        label = Label.GREY
    if label is Label.FINE and _skips_to_the_end(run):
        label, seen = Label.GREY, f"{seen}; its loss scaler skips for ever"
    if label is Label.SLOW and kind.comparable and _loss_fell(run, yardstick):
        label, seen = Label.GREY, f"{seen}, while its training loss fell"
    if label is Label.LOST and kind.comparable and _loss_is_kept(run, yardstick):
        label, seen = Label.GREY, f"{seen}, while its training loss fell"
    recovers = label is Label.FINE and _recovers(progress)
    why = seen + (f"; {broke}" if broke and label is Label.LOST else "") + ("; it recovered" if recovers else "")
    return dataclasses.replace(run, label=label, why=why, recovers=recovers)


def _label(
    kind: Kind, last: Sequence[float], progress: Sequence[float], broke: str | None, shaken: bool
) -> Label:
    end, best = sum(last) / len(last), max(progress)
    if broke and end <= 0.05 and (not kind.noisy or max(last) <= 0.05):
        return Label.LOST
    enough = end >= (0.6 if shaken else 0.5 if kind.noisy else 0.4) and not (kind.noisy and min(last) < 0.3)
    if enough and best - end <= best / 3:
        return Label.FINE
    return Label.SLOW if best < 0.05 and min(progress) > -0.1 and not broke else Label.GREY


def _broke(
    kind: Kind, run: Case, yardstick: _Yardstick, progress: Sequence[float], end: float
) -> str | None:
    """How the training broke, or None."""
    if min(progress) < -0.5:
        return "its evaluation rose above its start by more than half the range"
    if kind.comparable and _loss_rose(run, yardstick):
        return "its training loss rose above its start"
    if max(progress) >= 0.3 and end <= 0.05:
        return f"it had made {max(progress):.2g}"
    return "its loss scaler skipped most of its last steps" if _skips_to_the_end(run) else None


def _skips_to_the_end(run: Case) -> bool:
    last_third = range(2 * len(run.total) // 3, len(run.total))
    return 2 * sum(step in run.skipped for step in last_third) > len(last_third)


def _loss_rose(run: Case, yardstick: _Yardstick) -> bool:
    margin = max(5 * yardstick.loss_width, yardstick.loss_gain / 20)
    return any(value > yardstick.loss_start + margin for value in _smooth(run.total))


def _loss_spiked(run: Case, yardstick: _Yardstick) -> bool:
    margin = max(10 * yardstick.loss_width, 2 * yardstick.loss_gain)
    return any(value > yardstick.loss_start + margin for value in run.total)


def _loss_fell(run: Case, yardstick: _Yardstick) -> bool:
    fell = yardstick.loss_start - median(run.total[-10:])
    return fell >= 0.15 * yardstick.loss_gain + 2 * yardstick.loss_width


def _loss_is_kept(run: Case, yardstick: _Yardstick) -> bool:
    kept = yardstick.loss_start - median(run.total[-10:])
    return not _loss_rose(run, yardstick) and kept >= yardstick.loss_gain / 2


def _recovers(progress: Sequence[float]) -> bool:
    best = 0.0
    for value in progress:
        if value < -0.1 or (best >= 0.2 and best - value >= best / 2):
            return True
        best = max(best, value)
    return False


def _compared(kind: Kind, run: Case, lowest: float) -> Case:
    """Grey where the other rates make the label doubtful; `lowest` is the lowest rate that ended FINE."""
    if run.label is Label.SLOW and _rate(run) > lowest:
        return dataclasses.replace(run, label=Label.GREY, why=f"{run.why}; a lower rate learned")
    all_finite = all(map(math.isfinite, [run.total[-1], *(value for _, value in run.evaluations)]))
    if kind.noisy and run.label is Label.LOST and all_finite and _rate(run) < lowest:
        return dataclasses.replace(run, label=Label.GREY, why=f"{run.why}; only higher rates learned")
    return run


def _overridden(run: Case) -> Case:
    if run.name not in OVERRIDES:
        return run
    label, why = OVERRIDES[run.name]
    return dataclasses.replace(run, label=label, why=why, recovers=False)


def _smooth(values: Sequence[float]) -> list[float]:
    """Rolling medians of five; a number that is not finite counts as the highest."""
    filled = [value if math.isfinite(value) else math.inf for value in values]
    return [median(filled[i : i + 5]) for i in range(max(1, len(filled) - 4))]


def _rate(run: Case) -> float:
    return max(run.lr)
