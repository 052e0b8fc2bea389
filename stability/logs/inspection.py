"""What a program printed and wrote in one run -> how it is read, and what was read: in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stability.judging.monitor import RULES, not_run
from stability.logs.fields import is_unnamed
from stability.logs.kinds import logs_in
from stability.logs.sources import Sources
from stability.logs.structural import Structural
from stability.logs.templates import Taken, Template
from stability.records import Evaluation, Records, Step
from stability.spec.command import AUTO, Parse

LAST_LINES = 50
"""A training whose last number is so near the end of what was printed was read to its end."""
PRINTED = ("stdout", "stderr")
_SHOWN_TEMPLATES = 6
_SCALARS = {
    "step": "the step",
    "epoch": "the epoch",
    "lr": "the learning rate",
    "grad_norm": "the gradient norm",
    "grad_scale": "the loss scale",
    "loss": "the loss",
    "total": "the loss",
}


@dataclass(slots=True)
class Kept:
    """A recorder that keeps everything."""

    steps: list[Step] = field(default_factory=list)
    evaluations: list[Evaluation] = field(default_factory=list)

    def step(self, losses: Mapping[str, float], *, step: int, **numbers: Any) -> None:
        self.steps.append(Step(step, dict(losses), **numbers))

    def evaluate(self, losses: Mapping[str, float], epoch: int) -> None:
        done = self.steps[-1].step + 1 if self.steps else 0
        self.evaluations.append(Evaluation(done, epoch, dict(losses)))

    @property
    def records(self) -> Records:
        return Records(tuple(self.steps), tuple(self.evaluations))


@dataclass(frozen=True, slots=True)
class Inspection:
    """`parse` is what a study file says to read such a run; `trained` and `evaluated` are losses as recorded.

    `lr_values` are the first different learning rates that were read.
    """

    parse: Any
    sentences: list[str]
    has_loss: bool = False
    has_step: bool = False
    reached_end: bool = False
    has_lr: bool = False
    has_seed: bool = False
    trained: tuple[str, ...] = ()
    evaluated: tuple[str, ...] = ()
    steps: int = 0
    epochs: int = 0
    lr_values: tuple[float, ...] = ()
    step_name: str | None = None
    loss_name: str | None = None


def inspect_run(
    stdout: bytes, stderr: bytes, folder: Path | None, *, given: Parse | None = None
) -> Inspection:
    """How a run is read: from what it printed, or else from the files in `folder`.

    `given`: how a person says it is read. Never raises for a run that says nothing: its sentences say so.
    """
    printed = _looked_at(given or Parse.model_validate(AUTO), AUTO, {}, {"stdout": stdout, "stderr": stderr})
    if printed.has_loss or folder is None or not folder.is_dir():
        return printed
    found = [_of_file(path, kind, folder) for path, kind in logs_in(folder)]
    best = max((one for one in found if one.has_loss), key=lambda one: one.steps, default=None)
    return printed if best is None else best


def _of_file(path: Path, kind: str, folder: Path) -> Inspection:
    source = {kind: {"path": str(path.relative_to(folder)), "train": AUTO}}
    return _looked_at(Parse.model_validate(source), source, {kind: path}, {})


def _looked_at(
    parse: Parse, written: Any, paths: Mapping[str, Path], texts: Mapping[str, bytes]
) -> Inspection:
    kept = Kept()
    sources = Sources(parse, paths, kept, ())
    for name, text in texts.items():
        sources.printed(name, text)
    sources.finish()
    name, reader = max(sources.structural.items(), key=lambda item: item[1].matched, default=("", None))
    sentences = list(explained(sources, kept.records))
    if reader is None or not kept.steps:
        return Inspection(written, sentences)
    reading = reader.reading
    step, lr = reading.key("step"), reading.key("lr")
    near_end = reader.lines - reader.last_matched <= max(LAST_LINES, reader.lines // 10)
    return Inspection(
        parse=written,
        sentences=sentences,
        has_loss=True,
        has_step=step is not None,
        reached_end=near_end and sources.problem() is None and sources.overlooked() is None,
        has_lr=lr is not None,
        has_seed=any(own.has_seed for own in sources.structural.values()),
        trained=tuple(dict.fromkeys(name for one in kept.steps for name in one.losses)),
        evaluated=tuple(dict.fromkeys(name for one in kept.evaluations for name in one.losses)),
        steps=len(kept.steps),
        epochs=max((one.epoch or 0) + 1 for one in kept.steps),
        lr_values=tuple(reader.rates),
        step_name=None if step is None else reading.printed[step],
        loss_name=next((taken.printed for taken in _losses_taken(reader)), None),
    )


def explained(sources: Sources, records: Records) -> Iterator[str]:
    """ "What I read": of each kind of line three, with what was taken from them; and what was not found."""
    readers = {name: own for name, own in sources.structural.items() if own.lines}
    if not any(own.templates.of for own in readers.values()):
        yield f"no training loss was found; {sources.problem() or 'nothing was printed'}"
        return
    for name, own in readers.items():
        left_out = f"{own.templates.left_out:,} others with numbers were left out"
        yield f"{name}: {own.matched:,} of {own.lines:,} lines have losses; {left_out}"
        templates = sorted(own.templates.of.items(), key=lambda item: -item[1].count)
        for taken, template in templates[:_SHOWN_TEMPLATES]:
            yield from _template(taken, template)
    yield from sources.notes()
    yield from _not_found(readers, records)


def _template(taken: tuple[Taken, ...], template: Template) -> Iterator[str]:
    yield f"  {template.count:,} {'line' if template.count == 1 else 'lines'} such as"
    yield from (f"    {line}" for line in template.lines)
    yield f"  taken from them: {', '.join(map(_taken, taken))}"


def _taken(own: Taken) -> str:
    printed = f"`{own.printed}`" if not is_unnamed(own.printed) else "a number without a name"
    what = _SCALARS.get(own.ours, f"the loss term {own.ours}")
    return f"{printed} is {what}{' of an evaluation' if own.part == 'evaluate' else ''}"


def _not_found(readers: Mapping[str, Structural], records: Records) -> Iterator[str]:
    readings = [own.reading for own in readers.values() if own.reading is not None]
    for ours, words in (
        ("step", "step, so steps are counted"),
        ("lr", "learning rate"),
        ("grad_norm", "gradient norm"),
    ):
        if not any(reading.key(ours) for reading in readings):
            yield f"no {words} was found" if ours != "step" else "no step was found, so steps are counted"
    if not any(own.has_seed for own in readers.values()):
        yield "no seed was found in what it says"
    n = len(records.steps)
    yield f"{n:,} steps and {len(records.evaluations):,} evaluations"
    weights = dict.fromkeys(records.evaluations[0].losses, 1.0) if records.evaluations else {}
    if silent := not_run(records, weights):
        few = f"{len(silent)} of {len(RULES)} rules need numbers that are not in it"
        yield f"{few}; `stability show` names them for each trial"


def _losses_taken(reader: Structural) -> Iterator[Taken]:
    for taken in reader.templates.of:
        for own in taken:
            if own.part == "train" and own.ours not in ("lr", "grad_norm", "grad_scale"):
                yield own
