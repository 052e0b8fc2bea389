"""Finished runs -> a study: their logs read by the parsers of live trials, judged by the same rules."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from stability.importing.options import Options, options
from stability.importing.runs import find
from stability.importing.stored import add
from stability.importing.study import document
from stability.logs.inspection import Kept, explained
from stability.spec import StudySpec, from_document
from stability.store import Store

__all__ = ["Options", "explain_parse", "import_runs", "options"]


def import_runs(logs: list[str], chosen: Options, store: Store, tell: Callable[[str], object]) -> StudySpec:
    """Add a study of these runs to the store; `tell` hears of every file that is left out.

    Raises `UserError` for logs that are not there or say nothing, and for a name that the store has already.
    """
    found = find(logs, chosen)
    for sentence in found.left_out:
        tell(sentence)
    spec = from_document(document(found.runs, chosen))
    add(spec, found.runs, store)
    return spec


def explain_parse(logs: list[str], chosen: Options) -> Iterator[str]:
    """What is read of each log, in sentences; nothing is stored.

    Raises `UserError` for logs that are not there, or of which none says anything.
    """
    found = find(logs, chosen)
    yield from found.left_out
    for run in found.runs:
        kept = Kept()
        sources = run.sources(kept, ())
        sources.finish()
        yield f"{run.path}:"
        yield from explained(sources, kept.records)
        if overlooked := sources.overlooked():
            yield overlooked
