"""Files and folders -> runs: what each is, how its numbers are read, and the parameters it had.

No run is dropped in silence: those that are would be the ones that went wrong.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from stability import yamlfile
from stability.importing import ended, reading, together
from stability.importing.options import Options, scalar
from stability.importing.places import File, name_of, place_of
from stability.judging.last_words import names_nonfinite
from stability.logs import events, guess, wandb_files
from stability.logs.kinds import BESIDE, KINDS, first_lines, kind_of, logs_in
from stability.logs.sources import Sources
from stability.logs.tables import header
from stability.records import UserError
from stability.spec.command import AUTO, Parse

READERS = {"tensorboard": events, "wandb": wandb_files}
_COLUMN = re.compile(r"(?P<run>.+) - (?P<metric>.+?)(?:__MIN|__MAX)?")
SEEDS = ("seed", "random_seed", "manual_seed", "training_seed", "seed_everything")


class SaysNothing(UserError):
    """A file has nothing that looks like a training."""


@dataclass(slots=True)
class Run:
    """One finished run. `kind` is that of a source in `parse`; what stands below `problem` is counted.

    `series` is the run's name in a table of several runs. `problem` is why it cannot be judged, if it cannot:
    it has no step, and says how it crashed, or it has steps without the evaluations that others have.
    """

    path: Path
    kind: str
    parse: Parse
    params: dict[str, Any]
    series: str | None = None
    seed: int | None = None
    problem: str | None = None
    epochs: int = 0
    steps: int = 0
    trained: set[str] = field(default_factory=set)
    evaluated: set[str] = field(default_factory=set)
    evaluations: Run | None = None
    """The same run's file of evaluations, where that is another."""
    rest: tuple[Path, ...] = ()
    """The files that its log goes on in."""
    is_named: bool = True
    """What was taken for its losses is called so: it is not only a number that moves."""
    is_broken: bool = False
    """It says in words that its numbers were not finite, and not finite they stayed."""
    components: list[Run] = field(default_factory=list)
    """Files of one column that have further losses of its steps."""

    @property
    def name(self) -> str:
        if self.series is not None:
            return self.series
        return name_of(self.path, self.kind)

    def sources(self, recorder: Any, weighed: Iterable[str]) -> Sources:
        """Reads the run's log for a recorder, from its beginning."""
        if self.components:
            recorder = together.Joined(recorder, [together.read(run) for run in self.components])
        if self.evaluations is not None:
            recorder = together.Interleaved(recorder, together.read(self.evaluations), self.steps)
        return Sources(self.parse, {self.kind: self.path}, recorder, tuple(weighed), self.rest)

    @property
    def files(self) -> tuple[Path, ...]:
        """All that its log is in, in order."""
        return (self.path, *self.rest)


class Found(NamedTuple):
    """The runs in order, and in words which files were left out and why."""

    runs: list[Run]
    left_out: list[str]


def find(logs: list[str], chosen: Options) -> Found:
    """The runs that these files and folders hold. Raises `UserError` where none of them can be judged."""
    found = [one for log in logs for one in _paths(Path(log))]
    paths = {path.resolve(): File(path, kind) for path, kind in reversed(found)}  # links lead to the same run
    if not paths:
        endings = ", ".join(KINDS)
        raise UserError(f"no log in {', '.join(logs)}; known are {endings} and TensorBoard's event files")
    kinds = {kind for _, kind in found}
    if unused := reading.unused(chosen.parse, kinds):
        raise UserError(
            f"--parse names {', '.join(unused)}, and the files here are {', '.join(sorted(kinds))}"
        )
    runs, silent = [], []
    for files in together.grouped(list(reversed(paths.values()))):
        own: list[Run] = []
        for one in files:
            path, kind, _ = one
            try:
                named = _that_is_named([one, *files], chosen)
                own += [_run(one, series, chosen, named) for series in _series(path, kind)]
            except OSError as error:
                raise UserError(f"{path}: {error.strerror}") from None
            except SaysNothing as error:
                if str(path) in logs:
                    raise
                silent.append(error)  # one of many files in a folder
        runs += together.one_run(own, silent) if len(files) > 1 else own
    runs = together.called_losses(runs, silent)
    if all(run.problem is not None for run in runs):
        raise SaysNothing(runs[0].problem) if runs else silent[0]
    return Found(runs, [f"left out: {error}" for error in silent])


def _that_is_named(files: list[File], chosen: Options) -> Path:
    """Of the files of one run the first, or its folder, whose name has the parameters."""
    paths = [one.path for one in files]
    if chosen.template is None:
        return paths[0]
    roots = (place_of(one.path, one.kind).root for one in files)
    places = [*paths, *(path.parent for path in paths), *roots]
    return next((place for place in places if chosen.template.search(place.as_posix())), paths[0])


def _paths(log: Path) -> Iterator[tuple[Path, str]]:
    if log.is_file():
        yield log, kind_of(log)
        return
    if not log.is_dir():
        raise UserError(f"no file or folder {log}")
    yield from logs_in(log)


def _series(path: Path, kind: str) -> list[str | None]:
    """The runs in one file: several in a table that W&B's pages export, whose columns are `RUN - METRIC`."""
    names = [_COLUMN.fullmatch(name) for name in header(first_lines(path))] if kind == "csv" else []
    return list(dict.fromkeys(match["run"] for match in names if match)) or [None]


def _run(file: File, series: str | None, chosen: Options, named: Path) -> Run:
    path, kind, rest = file
    place = path if series is None else path / series
    in_name = _in_name(place if series is not None else named, chosen)
    params = _beside(path) | in_name | _in_table(place, chosen)
    seed = next((params.pop(name) for name in SEEDS if isinstance(params.get(name), int)), None)
    run = Run(path, kind, Parse(), params, series, seed, rest=rest)
    if problem := _scanned(run, chosen):
        run.problem = f"{path}: {problem}; say with --parse how it is read"
        failed = ended.failure(ended.end(run.files[-1], kind), run.parse) is not None
        if not (run.steps or run.is_broken or failed):
            raise SaysNothing(run.problem)
    return run


def _scanned(run: Run, chosen: Options) -> str | None:
    """Finds out how the run is read and what is in it; says why it cannot be judged, if so."""
    try:
        run.parse = _parse(run.path, run.kind, run.series, chosen)
    except ValueError as error:
        return str(error)
    sources = run.sources(_Scan(run), ())
    sources.finish()
    is_given = reading.sources_for(run.kind, chosen.parse) is not None
    run.is_named = is_given or sources.names_losses()
    run.is_broken = names_nonfinite(sources.overlooked() or "")
    return sources.problem()


def _parse(path: Path, kind: str, series: str | None, chosen: Options) -> Parse:
    """Raises `ValueError` where nothing is said, and nothing can be guessed."""
    given = reading.sources_for(kind, chosen.parse)
    own = given if given is not None else _guessed(path, kind, series)
    return Parse.model_validate({kind: own | {"path": str(path)}})


def _guessed(path: Path, kind: str, series: str | None) -> dict[str, Any]:
    if series is not None:
        return _of_table(header(first_lines(path)), series)
    if kind in READERS and not READERS[kind].is_installed():
        raise UserError(f"{path}: reading it needs {READERS[kind].INSTALL}")
    return {"train": AUTO}


def _of_table(names: list[str], series: str) -> dict[str, dict[str, str]]:
    own = {name: match for name in names if (match := _COLUMN.fullmatch(name)) and match["run"] == series}
    columns = {match["metric"]: name for name, match in own.items()} | {"step": names[0]}
    found = guess.of_columns(columns)
    return {kind: {ours: columns[metric] for ours, metric in own.items()} for kind, own in found.items()}


class _Scan:
    """A recorder that only looks at what there is."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def step(self, losses: Mapping[str, float], *, epoch: int | None, **_: Any) -> None:
        self._run.trained |= losses.keys()
        self._run.steps += 1
        self._run.epochs = max(self._run.epochs, (epoch or 0) + 1)

    def evaluate(self, losses: Mapping[str, float], epoch: int) -> None:
        self._run.evaluated |= losses.keys()


def _beside(path: Path) -> dict[str, Any]:
    """The parameters in a YAML or JSON file beside a log: of its own name, else one that is usual.

    A run of W&B has its own in it.
    """
    if path.suffix == wandb_files.ENDING and wandb_files.is_installed():
        try:
            return dict(_scalars(wandb_files.config(path), ""))
        except ValueError as error:
            raise SaysNothing(f"{path}: {error}") from None
    folder = path if path.is_dir() else path.parent
    stems = [] if path.is_dir() else [path.stem]
    for stem, ending in itertools.product([*stems, *BESIDE], (".yaml", ".yml", ".json")):
        file = folder / f"{stem}{ending}"
        if file.is_file() and file != path:
            return dict(_scalars(_read(file), ""))
    return {}


def _read(file: Path) -> Any:
    if file.suffix == ".json":
        try:
            return json.loads(file.read_text(encoding="utf-8"))
        except ValueError as error:
            raise UserError(f"{file}: {error}") from None
    return yamlfile.read(file).data


def _scalars(values: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    """Numbers, texts and switches by name; `{value: ...}`, as W&B writes it, is the value."""
    for name, value in values.items() if isinstance(values, dict) else ():
        bare = value.get("value") if isinstance(value, dict) and "value" in value else value
        if isinstance(bare, dict):
            yield from _scalars(bare, f"{prefix}{name}_")
        elif isinstance(bare, int | float | str | bool) and not str(name).startswith("_"):
            yield f"{prefix}{name}", bare


def _in_name(path: Path, chosen: Options) -> dict[str, Any]:
    if chosen.template is None:
        return {}
    found = chosen.template.search(path.as_posix())
    if found is None:
        raise SaysNothing(f"--params does not fit {path.as_posix()!r}; `*` stands for any part of a name")
    return {name: scalar(text) for name, text in found.groupdict().items()}


def _in_table(path: Path, chosen: Options) -> Mapping[str, Any]:
    if not chosen.table:
        return {}
    names = (path.as_posix(), path.name, path.stem, path.parent.name)
    for name in names:
        if name in chosen.table:
            return chosen.table[name]
    raise UserError(
        f"--table has no row for {path.as_posix()!r}; its column 'run' has a path, name or folder"
    )
