"""What must hold of `parse` before any trial runs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from stability.logs import events, wandb_files
from stability.logs.observation import PLACES, SCALARS, is_component
from stability.logs.patterns import components_of
from stability.spec import StudySpec
from stability.spec.command import AUTO, CommandTrainer, Parse, TableSource, TextSource
from stability.trainers import command_line as line
from stability.trainers.command_section import place
from stability.yamlfile import Address

GROUP = r"'loss=(?P<mel>\S+)'"
KINDS = ("train", "evaluate")
PACKAGES = {"tensorboard": events, "wandb": wandb_files}
"""Sources that a package of the same name reads."""


def check(spec: StudySpec, trainer: CommandTrainer) -> None:
    """Raise `UserError` for sources from which this study could not be judged."""
    given = trainer.parse.sources()
    if not given:
        names = ", ".join(type(trainer.parse).names())
        raise place(spec, ("parse",), f"no source is named; name one of {names}, such as stdout: [{GROUP}]")
    for address, message in mistakes(trainer.parse):
        raise place(spec, ("parse", *address), message)
    for name in given:
        if name in PACKAGES and not PACKAGES[name].is_installed():
            message = f"parse.{name} needs the package {name}: {PACKAGES[name].INSTALL}"
            raise place(spec, ("parse", name), message)
    for name, path in line.paths(trainer).items():
        if "directory" not in {*line.names(path), *line.names(trainer.cwd or "")}:
            own = "{directory}/artifacts/" + path.rpartition("/")[2]
            message = f"trials at the same time would share {path!r}; write {own}, and tell the command"
            raise place(spec, ("parse", name, "path"), f"parse.{name}: {message}")
    _check_components(spec, given)


def mistakes(parse: Parse) -> Iterator[tuple[Address, str]]:
    """Every regular expression that reads nothing: where it stands below `parse`, and what to mend."""
    for name, source in parse.sources().items():
        if source.train == AUTO:
            continue
        if isinstance(source.train, dict):
            yield from _misnamed(name, source)
            continue
        if not source.train and not source.evaluate:
            yield (name,), f"parse.{name} has no regular expression; add one, such as {GROUP}"
        for kind, i, text in _patterns(source):
            if (message := _mistake(text)) is not None:
                yield (name, kind, i), message


def components(given: Mapping[str, TextSource | TableSource], kind: str) -> set[str] | None:
    """The loss components that the sources can name; None where a table's own names count."""
    found: set[str] = set()
    for source in given.values():
        if source.train == AUTO:
            return None
        if isinstance(source, TextSource) and not source.is_structural:
            found.update(components_of(getattr(source, kind)))
        elif kind == "train" and not source.train and not source.evaluate:
            return None
        else:
            found.update(filter(is_component, getattr(source, kind) or {}))
    return found


def _misnamed(name: str, source: TextSource | TableSource) -> Iterator[tuple[Address, str]]:
    """Names without any words behind them: nothing is found by these."""
    for kind in KINDS:
        for ours, words in (getattr(source, kind) or {}).items():
            if not re.search(r"\w", words):
                given = f"parse.{name} looks for {words!r} to read {ours}"
                message = f"{given}; give the words that stand before the number"
                yield (name, kind, ours), message


def evaluates(given: Mapping[str, TextSource | TableSource]) -> bool:
    """Whether any source has evaluations."""
    return any(source.evaluate for source in given.values())


def _mistake(text: str) -> str | None:
    try:
        groups = re.compile(text).groupindex
    except re.error as error:
        return f"{text!r} is no regular expression: {error}"
    return None if groups else f"{text!r} names no group, so no number is read; write one such as {GROUP}"


def _patterns(source: TextSource) -> Iterator[tuple[str, int, str]]:
    for kind in KINDS:
        yield from ((kind, i, text) for i, text in enumerate(getattr(source, kind)))


def _check_components(spec: StudySpec, given: Mapping[str, TextSource | TableSource]) -> None:
    """A training has losses, and the yardstick's are all read: from evaluations, where there are any."""
    trained = components(given, "train")
    if trained is not None and not trained:
        others = ", ".join((*PLACES, *SCALARS))
        message = f"no training loss is named; any name but {others} is one, such as {GROUP}"
        raise place(spec, ("parse",), message)
    found = components(given, "evaluate") if evaluates(given) else trained
    if found is None:
        return
    if missing := [name for name in spec.yardstick if name not in found]:
        where = "evaluations have" if evaluates(given) else "parse has"
        message = (
            f"the yardstick weighs {', '.join(missing)}, and {where} only {', '.join(sorted(found))}; "
            "name the same in both"
        )
        in_file = "yardstick" in spec.document
        raise spec.error(("yardstick", missing[0]) if in_file else ("trainer", "parse"), message)
