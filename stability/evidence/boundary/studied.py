"""The trials of stage `boundary` -> the boundary they show."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import pandas as pd

from stability.evidence.boundary.located import Boundary, locate
from stability.evidence.boundary.space import Space
from stability.evidence.selection import diverged, of_stage, with_evidence
from stability.params import Param


def studied(
    trials: pd.DataFrame, params: Mapping[str, Param], bounded: str, rising: bool, inert: Collection[str] = ()
) -> Boundary | None:
    """The boundary along `bounded`; None where no trial of the stage gave evidence.

    `trials` are those of all stages; `inert` settings change nothing, so no boundary depends on them.
    """
    known = with_evidence(of_stage(trials, "boundary"))
    if known.empty:
        return None
    others = tuple(param for name, param in params.items() if name != bounded and name not in inert)
    return locate(Space(params[bounded], others, rising), list(known["params"]), diverged(known).tolist())
