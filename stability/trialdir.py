"""The trial directory: the only reader and writer of its files.

    trial.json      what to run (`TrialSpec`), written before the process starts
    steps.jsonl     one JSON object a line, told apart by its key:
                      {"losses": {...}, "total", "lr", "grad_norm", "epoch", ...}   an optimizer step
                      {"evaluate": {...}, "epoch", "step"}                          a yardstick evaluation
                      {"define": {...}}                                             loss definitions
                      {"effective": {...}}                                          what the training got
    events.jsonl    one event a line
    stdout.log      all that the process printed
    process         who runs it (`processes.identity`)
    explanation.json  what a replay found about the first bad step (`Explanation`), if one was asked for
    outcome.json    how it ended (`Ending`), written last and renamed into place: complete or absent; with the
                    sha256 of the records
    artifacts/      whatever the trainer leaves

JSON has no NaN: non-finite numbers are the strings "NaN", "Infinity", "-Infinity" (bare ones are read too).
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import os
import shutil
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, BinaryIO, TextIO

from stability.records import (
    Blame,
    Ending,
    Evaluation,
    Event,
    EventKind,
    Explanation,
    InputRange,
    Link,
    Outcome,
    Phase,
    Provenance,
    Records,
    Severity,
    Step,
    TrialSpec,
)

STDOUT = "stdout.log"
STEPS = "steps.jsonl"
OUTPUT_LIMIT_BYTES = 16 * 2**20


def create(spec: TrialSpec) -> None:
    """Make the directory of `spec` afresh, with trial.json in it; what an earlier try left is removed."""
    if spec.directory.exists():
        shutil.rmtree(spec.directory)
    (spec.directory / "artifacts").mkdir(parents=True)
    values = {f.name: getattr(spec, f.name) for f in fields(spec)}
    values |= {"directory": str(spec.directory), "cache": str(spec.cache)}
    _write_whole(spec.directory / "trial.json", values)


def read_spec(directory: Path) -> TrialSpec:
    """The `TrialSpec` in trial.json."""
    values = json.loads((directory / "trial.json").read_text())
    return TrialSpec(**values | {"directory": directory, "cache": Path(values["cache"])})


def write_ending(directory: Path, ending: Ending) -> None:
    """Mark the trial complete. The file appears whole or not at all."""
    _write_whole(directory / "outcome.json", asdict(ending) | {"records_sha256": _records_sha256(directory)})


def read_ending(directory: Path) -> Ending | None:
    """How the trial ended, or None while it is not complete."""
    try:
        values = json.loads((directory / "outcome.json").read_text())
    except FileNotFoundError:
        return None
    values.pop("records_sha256", None)
    return Ending(**values | {"outcome": Outcome(values["outcome"])})


def is_whole(directory: Path) -> bool:
    """Whether the trial is complete and its records are those it ended with.

    After a loss of power the end of the records may be missing although outcome.json is there, which was
    forced to disk.
    """
    try:
        values = json.loads((directory / "outcome.json").read_text())
    except FileNotFoundError:
        return False
    return values.get("records_sha256") == _records_sha256(directory)


def write_explanation(directory: Path, explanation: Explanation) -> None:
    """Leave what a replay found in `directory`."""
    _write_whole(directory / "explanation.json", asdict(explanation))


def read_explanation(directory: Path) -> Explanation | None:
    """What a replay found, or None where none came to its end."""
    try:
        values = json.loads((directory / "explanation.json").read_text())
    except FileNotFoundError:
        return None
    blame = values["blame"]
    if blame is not None:
        others = {int(step): fails for step, fails in blame["other_batches"].items()}
        blame = Blame(**blame | {"other_batches": others})
    found = {"provenance": provenance_from(values["provenance"]), "blame": blame}
    return Explanation(**values | found)


def write_process(directory: Path, identity: str | None) -> None:
    """Say which process runs the trial."""
    if identity is not None:
        (directory / "process").write_text(identity)


def read_process(directory: Path) -> str | None:
    """Which process was started for this trial; None where none was, or it never came to say so."""
    try:
        return (directory / "process").read_text() or None
    except FileNotFoundError:
        return None


class Writer:
    """Appends a trial's records; every line reaches the operating system at once."""

    def __init__(self, directory: Path) -> None:
        self._steps: TextIO = (directory / STEPS).open("a", buffering=1)
        self._events: TextIO = (directory / "events.jsonl").open("a", buffering=1)

    def step(self, step: Step) -> None:
        values = {f.name: getattr(step, f.name) for f in fields(step)}
        self._steps.write(_line({k: v for k, v in values.items() if v is not None and v is not False}))

    def evaluation(self, evaluation: Evaluation) -> None:
        values = {"evaluate": evaluation.losses, "epoch": evaluation.epoch, "step": evaluation.step}
        self._steps.write(_line(values))

    def definitions(self, definitions: Mapping[str, str]) -> None:
        self._steps.write(_line({"define": definitions}))

    def effective(self, settings: Mapping[str, str]) -> None:
        self._steps.write(_line({"effective": settings}))

    def event(self, event: Event) -> None:
        self._events.write(_line(asdict(event)))

    def close(self) -> None:
        self._steps.close()
        self._events.close()


def read_records(directory: Path) -> Records:
    """All records of a trial; a last line cut off by a kill is left out.

    Raises `ValueError` naming the line for any other line that is not JSON. Lines without `step` are
    numbered in order, so a trainer in another language need not count.
    """
    steps: list[Step] = []
    evaluations: list[Evaluation] = []
    definitions: dict[str, str] = {}
    effective: dict[str, str] = {}
    path = directory / STEPS
    for number, line in enumerate(_lines(path), start=1):
        match _record(line, len(steps), path, number):
            case Step() as step:
                steps.append(step)
            case Evaluation() as evaluation:
                evaluations.append(evaluation)
            case ("define", texts):
                definitions |= texts
            case ("effective", texts):
                effective |= texts
    events = tuple(_event(line) for line in _lines(directory / "events.jsonl"))
    return Records(tuple(steps), tuple(evaluations), events, definitions, effective)


class Follower:
    """Reads a trial's steps and evaluations while another program writes them."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / STEPS
        self._at = self._lines = self._steps = 0

    def new(self) -> Iterator[Step | Evaluation]:
        """What whole lines were added. Raises `ValueError` naming the line for one that is no record."""
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            file.seek(self._at)
            for raw in file:
                if not raw.endswith(b"\n"):
                    return
                self._at += len(raw)
                self._lines += 1
                record = _record(_json(raw, self._path, self._lines), self._steps, self._path, self._lines)
                self._steps += isinstance(record, Step)
                if isinstance(record, Step | Evaluation):
                    yield record


def count_steps(directory: Path) -> int:
    """How many steps a trial has recorded by now; 0 where they cannot be read."""
    try:
        return len(read_records(directory).steps)
    except (OSError, ValueError):
        return 0


def output(directory: Path) -> BinaryIO:
    """What a program prints goes here: the file that takes all that the trial's process prints."""
    return (directory / STDOUT).open("ab")


def captured(directory: Path, limit_bytes: int = 4000) -> str:
    """The end of what the trial printed."""
    try:
        with (directory / STDOUT).open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - limit_bytes))
            return file.read().decode("utf-8", errors="replace")
    except FileNotFoundError:
        return ""


def cap_output(directory: Path, limit_bytes: int = OUTPUT_LIMIT_BYTES) -> None:
    """Keep only the end of what the trial printed, once that is more than `limit_bytes`.

    The trial may go on printing meanwhile: it appends, so cutting the file to nothing moves it to the start.
    """
    path = directory / STDOUT
    try:
        with path.open("rb+") as file:
            size = file.seek(0, os.SEEK_END)
            if size <= limit_bytes:
                return
            file.seek(-limit_bytes // 4, os.SEEK_END)
            kept = file.read()
            file.truncate(0)
    except FileNotFoundError:
        return
    with path.open("ab") as file:
        file.write(f"[{size - len(kept)} bytes before this were dropped]\n".encode() + kept)


def pack(folder: Path, pattern: str = "*") -> bytes:
    """The files below `folder` whose names match `pattern`, to be carried to another machine.

    Of a link travels the file it names, which is not where it points on the other machine.
    """
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", dereference=True) as archive:
        for file in sorted(folder.rglob(pattern)):
            if file.is_file():
                archive.add(file, arcname=str(file.relative_to(folder)))
    return packed.getvalue()


def unpack(packed: bytes, folder: Path) -> None:
    """Lay down what `pack` made. Of a trial, trial.json stays as it is and outcome.json comes last."""
    folder.mkdir(parents=True, exist_ok=True)
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        members = {member.name: member for member in archive.getmembers() if member.name != "trial.json"}
        ending = members.pop("outcome.json", None)
        archive.extractall(folder, members.values(), filter="data")
        if ending is not None:
            _write_whole(folder / "outcome.json", json.load(archive.extractfile(ending)))


def _record(
    line: Mapping[str, Any], steps: int, path: Path, number: int
) -> Step | Evaluation | tuple[str, dict[str, str]]:
    """One line of steps.jsonl, `steps` of them before it; definitions and the like with their key."""
    try:
        for key in ("define", "effective"):
            if key in line:
                return key, dict(line[key])
        if "evaluate" in line:
            return Evaluation(line.get("step", steps), line["epoch"], _numbers(line["evaluate"]))
        return _step(line, steps)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"{path}:{number}: no known record ({error!r})") from None


def _step(line: Mapping[str, Any], number: int) -> Step:
    batch = line.get("batch")
    return Step(
        step=line.get("step", number),
        losses=_numbers(line["losses"]),
        epoch=line.get("epoch"),
        loss_weights=_optional_numbers(line.get("loss_weights")),
        skipped=line.get("skipped", False),
        measures=_optional_numbers(line.get("measures")),
        batch=None if batch is None else tuple(batch),
        **{key: _number(line.get(key)) for key in ("total", "lr", "grad_norm", "weight_norm", "grad_scale")},
    )


def _event(line: Mapping[str, Any]) -> Event:
    return Event(
        line["step"],
        EventKind(line["kind"]),
        line["where"],
        _number(line["value"]),
        _number(line["threshold"]),
        Severity(line["severity"]),
        provenance_from(line["provenance"]),
    )


def provenance_from(values: Mapping[str, Any] | None) -> Provenance | None:
    """A `Provenance` from its JSON form, `dataclasses.asdict`; None for none."""
    if values is None:
        return None
    chain = tuple(Link(**link | {"phase": Phase(link["phase"])}) for link in values["chain"])
    largest = _number(values["max_abs_input"])
    inputs = tuple(_input_range(each) for each in values.get("inputs", ()))
    read = {"phase": Phase(values["phase"]), "chain": chain, "max_abs_input": largest, "inputs": inputs}
    return Provenance(**values | read)


def _input_range(values: Mapping[str, Any]) -> InputRange:
    sizes = {name: _number(values[name]) for name in ("smallest", "largest", "at")}
    return InputRange(values["name"], **sizes)


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    if not path.exists():
        return
    with path.open("rb") as file:
        for number, raw in enumerate(file, start=1):
            if not raw.endswith(b"\n"):
                return  # the writer was killed within this line
            yield _json(raw, path, number)


def _json(raw: bytes, path: Path, number: int) -> Any:
    try:
        return json.loads(raw)
    except ValueError as error:
        raise ValueError(f"{path}:{number}: not a JSON line: {error}") from None


def _line(values: Mapping[str, Any]) -> str:
    return json.dumps(_encode(values), allow_nan=False, separators=(",", ":")) + "\n"


def _encode(value: Any) -> Any:
    """`value` with non-finite floats as the strings that JSON can hold."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, Mapping):
        return {key: _encode(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_encode(item) for item in value]
    return value


def _number(value: Any) -> float | None:
    return None if value is None else float(value)  # float() reads "NaN" and "-Infinity" too


def _numbers(values: Mapping[str, Any]) -> dict[str, float]:
    return {name: float(value) for name, value in values.items()}


def _optional_numbers(values: Mapping[str, Any] | None) -> dict[str, float] | None:
    return None if values is None else _numbers(values)


def _records_sha256(directory: Path) -> str:
    digest = hashlib.sha256()
    for name in (STEPS, "events.jsonl"):
        if (directory / name).exists():
            digest.update((directory / name).read_bytes())
    return digest.hexdigest()


def _write_whole(path: Path, values: Mapping[str, Any]) -> None:
    """Write JSON to a temporary name, force it to disk, rename it into place."""
    temporary = path.with_suffix(".tmp")
    with temporary.open("w") as file:
        json.dump(values, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
