"""An explanation in words for a person: where it began, whether weights or batch did it, the steps before.

Pure: nothing is replayed or decided here.
"""

from __future__ import annotations

import json
import linecache
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from stability import origins, trialdir
from stability.judging.onset import began, largest_jump, onset
from stability.records import Blame, EventKind, Explanation, Link, Provenance, Records, Step

SHOWN_STEPS = 20
SHOWN_LINKS = 6
NORMS = ("aten._foreach_norm.Scalar", "aten.linalg_vector_norm.default")
NORM_OF = {EventKind.NAN_GRAD: "the gradient norm is", EventKind.NONFINITE_WEIGHT: "the weight norm is"}
"""Whose norm a norm is, by the event that is explained."""
_LABEL_WIDTH = 12


def lines(trial: Mapping[str, Any], found: Explanation, records: Records) -> Iterator[str]:
    """A short diagnosis of `trial`, a row of `stability_trials`."""
    yield f"{trial['study']}.{trial['stage']} trial {trial['number']}: {trial['key']}"
    yield _labelled("verdict", f"{trial['verdict']}, {trial['evidence']}")
    yield _labelled("replay", _reproduced(found))
    steps = {step.step: step for step in records.steps}
    yield from _origin(found, steps.get(found.traced_step), NORM_OF.get(trial.get("event_kind"), "a norm"))
    if before := onset(records.steps, found.step):
        change = f"{before.quantity} left its band ({before.median:.3g} before, then {before.value:.3g})"
        yield _labelled(
            "began", f"{_steps(found.step - before.step)} earlier, at step {before.step}: {change}"
        )
    elif found.provenance is None and (jump := largest_jump(records.steps, found.step)):
        change = f"{jump.quantity} rose from {jump.before:.4g} to {jump.value:.4g}"
        yield _labelled("rose", f"most steeply at step {jump.step}: {change}")
    if found.blame is not None:
        yield _labelled("blame", conclusion(found.blame))


def _labelled(label: str, text: str) -> str:
    return f"{label:{_LABEL_WIDTH}}{text}"


def _steps(count: int) -> str:
    return "1 step" if count == 1 else f"{count} steps"


def _reproduced(found: Explanation) -> str:
    if found.reproduced:
        return f"reproduced: {_steps(found.step + 1)}, every recorded number equal"
    return f"not reproduced: {found.difference}"


def _origin(found: Explanation, step: Step | None, norm: str) -> Iterator[str]:
    born = found.provenance
    if born is None and not found.reproduced:
        yield _labelled("origin", "not found")
        return
    if born is None:
        yield _labelled("origin", f"none: every number of step {found.traced_step} stayed finite")
        return
    yield _labelled("origin", f"step {found.traced_step}, {origins.event(born)}")
    if born.op in NORMS and born.value == "inf":
        yield _labelled("", f"{norm} too large for its type: what it is the norm of is finite")
    if born.file is not None:
        yield _labelled("", _place(born.file, born.line) + _circumstances(born, step))
        if source := linecache.getline(born.file, born.line).strip():
            yield _labelled("", f"> {source}")
    if born.library_file is not None:
        yield _labelled("", f"within {_place(born.library_file, born.library_line)}, which that line called")
    if sizes := origins.ranges(born):
        yield _labelled("sizes", sizes)
    if (guard := origins.guard(born)) is not None:
        yield _labelled("guard", guard)
    for link in _told(born.chain[1:]):
        yield _labelled(
            "then" if link is born.chain[1] else "", link if isinstance(link, str) else _link(link)
        )


def born_at(text: str | None) -> str:
    """In a few words, where the number of a stored event was born; empty where no replay has found out."""
    if text is None:
        return ""
    born = trialdir.provenance_from(json.loads(text))
    return f"{born.phase} {born.op}, {_place(born.file, born.line)}"


def _circumstances(born: Provenance, step: Step | None) -> str:
    parts = [f"module {born.module}"] if born.module else []
    parts += [f"{born.component} component"] if born.component else []
    if born.batch_index is not None:
        ids = step.batch if step is not None else None
        name = f" ({ids[born.batch_index]})" if ids and born.batch_index < len(ids) else ""
        parts.append(f"element {born.batch_index} of the batch{name}")
    return "".join(f", {part}" for part in parts)


def _told(chain: Sequence[Link]) -> Iterator[Link | str]:
    """The chain, with its middle left out where it is long."""
    if len(chain) <= SHOWN_LINKS:
        yield from chain
        return
    half = SHOWN_LINKS // 2
    yield from chain[:half]
    yield f"... {len(chain) - 2 * half} operations"
    yield from chain[-half:]


def _link(link: Link) -> str:
    return f"{link.op} gave {link.value} ({link.phase}, {_place(link.file, link.line)})"


def _place(file: str | None, line: int | None) -> str:
    """`file:line`, relative where the file lies below the working directory."""
    if file is None:
        return "no line of yours"
    path = Path(file)
    return f"{path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path}:{line}"


def conclusion(blame: Blame) -> str:
    """What exchanging weights and batches showed. A batch is never blamed without it."""
    others, failing = len(blame.other_batches), sum(blame.other_batches.values())
    with_others = f"with the weights of step {blame.step}, {failing} of {others} other batches fail too"
    earlier = f"with the weights of step {blame.earlier_step}"
    if blame.fails_with_earlier_weights is None:
        if not others:
            return "nothing to compare with: a single step"
        who = "the weights or the settings, not this batch alone" if failing else "this batch"
        return f"{who}: {with_others}"
    if not others:
        does = "fails too" if blame.fails_with_earlier_weights else "is fine"
        return f"undecided: its batch {does} {earlier}; there was no other batch to try"
    if blame.fails_with_earlier_weights:
        who = "neither alone" if failing else "the batch"
        return f"{who}: it fails {earlier} too, and {with_others}"
    who = "the weights" if failing else "this batch together with these weights"
    return f"{who}: its batch is fine {earlier}, and {with_others}"


def last_steps(records: Records, bad_step: int) -> list[dict[str, str]]:
    """A row a step, `SHOWN_STEPS` up to the bad one, with losses, norms and scale.

    The place of the step at which the failure began is 0, whenever a rule noticed.
    """
    zero = began(records.steps, bad_step)
    steps = [step for step in records.steps if bad_step - SHOWN_STEPS < step.step <= bad_step]
    columns = dict.fromkeys(name for step in steps for name in _shown(step))
    return [
        {"place": str(step.step - zero), "step": str(step.step)}
        | {name: _number(_shown(step).get(name)) for name in columns}
        for step in steps
    ]


def _shown(step: Step) -> dict[str, float]:
    numbers = {**step.losses, "total": step.total, "grad_norm": step.grad_norm}
    numbers |= {"weight_norm": step.weight_norm, "grad_scale": step.grad_scale}
    return {name: value for name, value in numbers.items() if value is not None}


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.4g}" if math.isfinite(value) else str(value)
