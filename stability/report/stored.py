"""A stored study -> what a report is made of."""

from __future__ import annotations

from typing import Any

from stability.evidence.printed import is_printed
from stability.report.plots import shown_failure
from stability.spec import StudySpec, from_document


def stored(store: Any, study: str) -> tuple[StudySpec, Any, dict[str, Any]]:
    """Spec, frames and environment of `study`, in the order that `build` and `write` take them.

    The frames are an outline, because a report needs few of the steps. Raises `UserError` for a study that
    never ran.
    """
    environment = store.environment(study)
    spec = from_document(environment.pop("spec"))
    stages = ("liveness",) if is_printed(spec.trainer) else ()  # where there are no bits to compare
    return spec, store.outline(study, "compare", shown_failure, stages), environment
