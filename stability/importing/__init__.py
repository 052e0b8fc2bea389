"""Finished runs -> a study: their logs read by the parsers of live trials, judged by the same rules."""

from __future__ import annotations

from collections.abc import Callable

from stability.importing.options import Options, options
from stability.importing.runs import find
from stability.importing.stored import add
from stability.importing.study import document
from stability.spec import StudySpec, from_document
from stability.store import Store

__all__ = ["Options", "import_runs", "options"]


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
