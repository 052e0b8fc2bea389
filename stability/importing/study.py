"""Runs -> the document of a study that could have made them."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

from stability.importing.options import Options
from stability.importing.runs import Run
from stability.records import UserError

ARM = "arm"
LOG_RANGE = 10.0
"""Positive numbers that span this factor are taken to be on a logarithmic scale."""


def document(runs: Sequence[Run], chosen: Options) -> dict[str, Any]:
    """The study, as its file would say it; gives every run its `arm` if several share a setting.

    Raises `UserError` for a yardstick that no run measures.
    """
    names = _differing(runs)
    if not names:
        for run in runs:
            run.params["run"] = run.name
        names = ["run"]
    for run in runs:
        run.params = {name: run.params.get(name) for name in names} | _own_arm(run)
    arms = _arms(runs, names)
    count = max(sum(run.params[ARM] == arm for run in runs) for arm in arms) if arms else len(runs)
    stage = {"compare": {"seeds": count}} if arms else {"search": {"sampler": "random", "trials": count}}
    own: dict[str, Any] = {"arms": arms} if arms else {}
    if len(arms) == 2:
        own["compare"] = dict(zip(("baseline", "treatment"), arms, strict=True))
    return {
        "name": chosen.name,
        "trainer": {"imported": sorted({run.kind for run in runs})},
        "budget": {"epochs": max(run.epochs for run in runs), "batch_size": 1},
        "params": {name: _range([run.params[name] for run in runs]) for name in names},
        **own,
        "plan": [stage],
        "yardstick": _yardstick(runs, chosen),
    }


def _differing(runs: Sequence[Run]) -> list[str]:
    """Parameters that every run has, and not all alike."""
    shared = [name for name in runs[0].params if name != ARM and all(name in run.params for run in runs)]
    return [name for name in shared if len({repr(run.params[name]) for run in runs}) > 1]


def _own_arm(run: Run) -> dict[str, Any]:
    return {ARM: str(run.params[ARM])} if ARM in run.params else {}


def _arms(runs: Sequence[Run], names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Settings that several runs share, by name; none where every run has its own.

    Runs that name an arm are in it; those of one arm have the same settings, or it is none.
    """
    settings = [{name: run.params[name] for name in names} for run in runs]
    if len({repr(own) for own in settings}) == len(runs) and not all(ARM in run.params for run in runs):
        return {}
    arms: dict[str, dict[str, Any]] = {}
    for run, own in zip(runs, settings, strict=True):
        run.params.setdefault(ARM, _name(own))
        if arms.setdefault(run.params[ARM], own) != own:
            raise UserError(f"runs of arm {run.params[ARM]!r} differ in their settings; name arms apart")
    return arms


def _name(settings: dict[str, Any]) -> str:
    texts = [f"{value:g}" if isinstance(value, float) else str(value) for value in settings.values()]
    shown = [f"{name}-{text}" for name, text in zip(settings, texts, strict=True)]
    return re.sub(r"[^\w.+-]+", "_", "_".join(shown))


def _range(values: Sequence[Any]) -> dict[str, Any]:
    distinct = list({repr(value): value for value in values}.values())
    if len(distinct) == 1:
        return {"value": distinct[0]}
    if any(isinstance(value, bool | str) or value is None for value in distinct):
        return {"values": distinct}
    low, high = min(distinct), max(distinct)
    if not all(map(math.isfinite, distinct)):
        return {"values": distinct}
    log = low > 0 and high / low >= LOG_RANGE
    whole = all(isinstance(value, int) for value in distinct)
    return {"min": low if whole else float(low), "max": high if whole else float(high)} | (
        {"log": True} if log else {}
    )


def _yardstick(runs: Sequence[Run], chosen: Options) -> dict[str, float]:
    judged = [run for run in runs if run.problem is None]
    evaluated = set.intersection(*(run.evaluated for run in judged))
    measured = evaluated or set.intersection(*(run.trained for run in runs if run.steps))
    if not measured:
        raise UserError("the runs have no loss component in common; import them apart, or use --parse")
    if chosen.yardstick is None:
        return dict.fromkeys(sorted(measured), 1.0)
    if missing := chosen.yardstick.keys() - measured:
        known = ", ".join(sorted(measured))
        raise UserError(f"--yardstick weighs {', '.join(sorted(missing))}; the runs have {known}")
    return dict(chosen.yardstick)
