"""The environment in which a program is observed. No torch."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = "STABILITY_OBSERVE_DIR"
STARTUP = Path(__file__).parent / "startup"


@dataclass(frozen=True, slots=True)
class Observation:
    """How to observe: the folder for what is found, and how.

    `every`: a copy every so many iterations rather than as often as is cheap. `copies`: whether to make any.
    `rerun`: what an earlier run recorded, to trace one of its iterations in this one.
    """

    folder: Path
    every: int | None = None
    copies: bool = True
    rerun: Mapping[str, Any] | None = None


def still_observed(given: Mapping[str, str], ours: Mapping[str, str]) -> dict[str, str]:
    """`given`, with the start-up folder in its PYTHONPATH if `ours`, of this process, has it too."""
    paths = given.get("PYTHONPATH", "")
    if FOLDER not in ours or str(STARTUP) in paths.split(os.pathsep):
        return dict(given)
    return {**given, "PYTHONPATH": os.pathsep.join([str(STARTUP), *filter(None, [paths])])}


def environment(given: Mapping[str, str], observation: Observation) -> dict[str, str]:
    """`given`, so that every Python started in it is observed.

    Hashes of text are fixed to some number, so that a second run can have the same ones.
    """
    options = {"every": observation.every, "copies": observation.copies}
    if observation.rerun is not None:
        options["rerun"] = observation.rerun
    folder = observation.folder.resolve()
    (folder / "options.json").write_text(json.dumps(options))
    paths = [str(STARTUP), *filter(None, [given.get("PYTHONPATH")])]
    ours = {"PYTHONPATH": os.pathsep.join(paths), FOLDER: str(folder)}
    return {"PYTHONHASHSEED": str(secrets.randbelow(2**32)), **given, **ours}
