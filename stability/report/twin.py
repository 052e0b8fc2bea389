"""The report's machine-readable twin: every number that the report prints. No sentences, no drawing.

Keys are contract (`report --format json`). A part whose stage was not run is null.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import pandas as pd

from stability.evidence.alike_failures import alike
from stability.evidence.comparability import definitions_of
from stability.evidence.losses import LossSummary, epoch_losses, summarise
from stability.evidence.paired import finished
from stability.evidence.rates import Rate, arm_rate
from stability.evidence.selection import diverged, failed, judged, of_stage, undecided, with_evidence
from stability.evidence.survival import arm_survival
from stability.records import BEFORE_TRAINING, NOT_EVALUATED, YARDSTICK, VerdictLabel
from stability.report.attribution import attribution_part
from stability.report.boundary import boundary_part, found_boundary
from stability.report.change import change_part
from stability.report.comparison import comparison_parts
from stability.report.knobs import identical_part, knobs_part
from stability.report.patch import changes
from stability.report.plaindata import marker, present, to_plain, whole
from stability.report.plots import plots_part
from stability.report.recommend import recommendations
from stability.report.search_part import search_part

MEASURED = ("compare", "attribute", "boundary", "search")
"""The stages that a claim may rest on."""


class Frames(Protocol):
    """The measurements of one study."""

    trials: pd.DataFrame
    epochs: pd.DataFrame
    steps: pd.DataFrame
    events: pd.DataFrame


def build(spec: Any, frames: Frames, environment: Mapping[str, Any]) -> dict[str, Any]:
    """Everything the report says in numbers, JSON-safe (no NaN or infinity anywhere).

    `spec` is a validated study, `environment` describes the run that produced `frames`.
    """
    compared = of_stage(frames.trials, "compare")
    comparison, table, comparable = comparison_parts(spec, compared, frames.epochs, frames.steps)
    names = arm_names(spec, compared)
    found = found_boundary(spec, frames.trials)
    twin = {
        "study": spec.name,
        "spec_sha256": environment.get("spec_sha256"),
        "revision": environment.get("revision"),
        "environment": environment,
        "arms": {name: _arm(name, spec, compared, frames.epochs) for name in names},
        "comparison": comparison,
        **knobs_part(spec, frames),
        "attribution": attribution_part(spec, frames.trials, found),
        **boundary_part(spec, frames.trials, found),
        "survival": {name: arm_survival(compared, name) for name in names} if len(compared) else None,
        "settings": _settings(spec),
        "table": table,
        "comparability": comparable,
        "yardstick_change": change_part(spec, compared, frames.epochs, frames.steps),
        "epochs": [_epoch_row(row) for row in epoch_losses(compared, frames.epochs)],
        "search": search_part(spec, frames),
        "trials": [
            _trial(row, spec) for row in frames.trials.sort_values(["stage", "number"]).to_dict("records")
        ],
        "plots": plots_part(spec, frames, found, names),
        "first_bad_steps": _first_bad_steps(frames),
        "infrastructure_failures": _failures(failed(frames.trials)),
        "failed_alike": _failed_alike(frames.trials),
        "undecided": _failures(undecided(frames.trials)),
        "identical": identical_part(spec, frames.trials),
        "limits": _limits(spec, frames.trials),
    }
    twin = to_plain(twin)
    return twin | {"recommendations": recommendations(twin), "patch": changes(twin)}


def arm_names(spec: Any, compared: pd.DataFrame) -> list[str]:
    """The study's arms in file order, then any arm that only stored trials know."""
    return list(dict.fromkeys([*spec.arms, *compared["arm"].dropna()]))


def _arm(name: str, spec: Any, compared: pd.DataFrame, epochs: pd.DataFrame) -> dict[str, Any]:
    rate = arm_rate(compared, name)
    own = with_evidence(compared[compared["arm"] == name])
    return {
        **_rate(rate),
        "failed_outcomes": failed(compared[compared["arm"] == name])["outcome"].value_counts().to_dict(),
        "first_epoch": _first_epoch(own, epochs),
        "yardstick": _final_yardstick(compared, name, rate),
        "settings": dict(spec.arms.get(name, {})),
    }


def _rate(rate: Rate) -> dict[str, Any]:
    return {
        "n": rate.n,
        "diverged": rate.diverged,
        "rate": rate.rate,
        "rate_ci": rate.ci,
        "rate_upper": rate.upper,
        "unstable": rate.unstable,
        "stuck": rate.stuck,
        "infrastructure_failures": rate.infrastructure_failures,
        "undecided": rate.undecided,
        "rate_ci_worst": rate.worst_ci,
        "rate_upper_worst": rate.worst_upper,
    }


def _first_epoch(own: pd.DataFrame, epochs: pd.DataFrame) -> dict[str, LossSummary]:
    """The printed training losses of epoch 0, total first."""
    first = epochs[(epochs["source"] == "train") & (epochs["epoch"] == 0)]
    first = first[first["trial_id"].isin(own["trial_id"])]
    found = {
        name: summarise(cell["value"], len(own)) for name, cell in first.groupby("component", sort=False)
    }
    return dict(sorted(found.items(), key=lambda item: item[0] != "total"))


def _final_yardstick(compared: pd.DataFrame, name: str, rate: Rate) -> LossSummary:
    """Over trials that finished without diverging; the others are `missing`, not averaged."""
    values = pd.to_numeric(finished(compared, name)["yardstick_final"])
    return summarise(values.dropna(), rate.n)


def _settings(spec: Any) -> list[dict[str, Any]]:
    """One row a parameter: its value in each arm, and whether the compared arms differ in it."""
    sides = (spec.compare.baseline, spec.compare.treatment) if spec.compare else tuple(spec.arms)
    rows = []
    for name, param in spec.params.items():
        constant = param.choices[0] if param.kind == "constant" else None
        values = {arm: own.get(name, constant) for arm, own in spec.arms.items()}
        seen = [values[arm] for arm in sides if arm in values]
        differs = any(value != seen[0] or type(value) is not type(seen[0]) for value in seen)
        rows.append({"param": name, "values": values, "differs": differs})
    return rows


def _epoch_row(row: Any) -> dict[str, Any]:
    place = {"arm": row.arm, "source": row.source, "epoch": row.epoch, "component": row.component}
    return place | to_plain(row.summary)


def _first_bad_steps(frames: Frames) -> list[dict[str, Any]]:
    known = judged(frames.trials)
    bad = known[diverged(known)].sort_values(["stage", "number"])
    place = ["trial_id", "step", "kind", "where"]
    first = frames.events.drop_duplicates(place)
    measured = first[["value", "threshold"]].itertuples(index=False, name=None)
    values = dict(zip(first[place].itertuples(index=False, name=None), measured, strict=True))
    return [_first_bad(row, values) for row in bad.to_dict("records")]


def _first_bad(row: Mapping[str, Any], values: Mapping[tuple[Any, ...], Any]) -> dict[str, Any]:
    step = whole(row["event_step"])
    place = row["trial_id"], step, row["event_kind"], row["event_where"]
    value, threshold = values.get(place, (None, None))
    value = None if value is None else float(value)
    mark = None if value is None else marker(value)
    return {
        **_identity(row),
        "step": step,
        "kind": present(row["event_kind"]),
        "where": present(row["event_where"]),
        "value": None if mark else value,
        "nonfinite": mark,
        "threshold": present(threshold),
        "evidence": present(row["evidence"]) or "",
    }


def _trial(row: Mapping[str, Any], spec: Any) -> dict[str, Any]:
    """One trial as the table of all trials shows it; `params` without the constants."""
    step = whole(row["event_step"]) if row["verdict"] == VerdictLabel.DIVERGED else None
    return {
        **{name: whole(row[name]) for name in ("number", "seed", "steps")},
        **{name: present(row[name]) for name in ("stage", "arm", "verdict", "outcome")},
        "first_bad_step": step,
        "yardstick": present(row["yardstick_final"]),
        "params": {
            name: value
            for name, value in row["params"].items()
            if name in spec.params and spec.params[name].kind != "constant"
        },
    }


def _failures(without: pd.DataFrame) -> list[dict[str, Any]]:
    """Trials without a verdict on their training, and what is known of why."""
    return [
        {**_identity(row), "outcome": row["outcome"]}
        | {"error": present(row["error"]) or present(row["evidence"]) or ""}
        for row in without.sort_values(["stage", "number"]).to_dict("records")
    ]


def _failed_alike(trials: pd.DataFrame) -> dict[str, Any] | None:
    """The most trials that failed for one reason, where there are several."""
    found = alike(failed(trials).sort_values(["stage", "number"]).to_dict("records"))
    if found is None or found.count < 2:
        return None
    return {"count": found.count, "outcome": found.first["outcome"], "message": found.message}


def _identity(row: Mapping[str, Any]) -> dict[str, Any]:
    names = {"trial_id": whole(row["trial_id"]), "number": whole(row["number"]), "stage": row["stage"]}
    return names | {"key": present(row["key"]), "arm": present(row["arm"]), "seed": whole(row["seed"])}


def _limits(spec: Any, trials: pd.DataFrame) -> dict[str, Any]:
    """What the trials were, which bounds what they can show."""
    known = judged(trials)
    devices = list(known["device"].map(present).dropna().drop_duplicates())
    return {
        "steps": {stage: _most_steps(of_stage(known, stage)) for stage in MEASURED},
        "epochs": spec.budget.epochs,
        "batch_size": spec.budget.batch_size,
        "max_steps": spec.budget.max_steps,
        "timeout_s": spec.budget.timeout_s,
        "before_training_epoch": BEFORE_TRAINING,
        "corpus": _field(spec.data, "corpus"),
        "utterances": _field(spec.data, "utterances"),
        "model": dict(spec.model),
        "trainer": spec.trainer,
        "imported": isinstance(spec.trainer, dict) and "imported" in spec.trainer,
        "seed": spec.seed,
        "devices": devices,
        "yardstick": dict(spec.yardstick),
        "yardstick_not_evaluated": NOT_EVALUATED in definitions_of(known, YARDSTICK),
        "ranges": {name: _range(param) for name, param in spec.params.items() if param.kind != "constant"},
        "not_run": [stage for stage in MEASURED if of_stage(trials, stage).empty],
    }


def _most_steps(known: pd.DataFrame) -> int | None:
    return int(known["steps"].max()) if len(known) else None


def _range(param: Any) -> dict[str, Any]:
    if param.choices is not None:
        return {"choices": list(param.choices)}
    return {"low": param.low, "high": param.high, "log": param.log}


def _field(section: Any, name: str) -> Any:
    """A key of a study section, which may be a mapping or a record."""
    return section.get(name) if isinstance(section, Mapping) else getattr(section, name, None)
