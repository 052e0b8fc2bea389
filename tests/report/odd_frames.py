"""Studies by chance, as frames: few trials, few records, and every kind of number that a training may print."""

from __future__ import annotations

import json
import random

import pandas as pd
from study_frames import EPOCHS, INF, NAN, STEPS, StudyFrames

from stability.report.plaindata import to_plain
from stability.report.plots import plots_part
from stability.spec import from_document

STAGES = ("compare", "search", "boundary", "attribute")
LEVELS = (1.0, 0.0, -2.5, 1e300, -1e300, 1e-300, 5e-324, 1e16, 3e-5)
BROKEN = (NAN, INF, -INF)
PARAMS = (
    {"lr": {"min": 1e-6, "max": 1.0, "log": True}, "huber": {"values": [False, True]}},
    {"lr": {"min": 0.0, "max": 1.0}, "layers": {"min": 1, "max": 2}},
    {"lr": {"min": 1e-300, "max": 1e300, "log": True}, "clip": {"min": -1e300, "max": 1e300}},
    {"lr": {"min": 1, "max": 3}, "only": {"value": 7}, "name": {"values": ["a"]}},
    {"name": {"values": ["sgd", "adam"]}},
)


def odd_study(seed: int):
    """A spec and frames: arms, stages, trials, records and numbers are drawn."""
    rng = random.Random(seed)
    params = rng.choice(PARAMS)
    names = [f"arm {i}" for i in range(rng.choice((1, 1, 2, 2, 2, 8)))]
    arms = {
        name: {param: _drawn(rng, own) for param, own in params.items() if "value" not in own}
        for name in names
    }
    numeric = [name for name, own in params.items() if "min" in own]
    document = {
        "name": "odd",
        "trainer": "tts",
        "params": params,
        "arms": arms,
        "plan": [],
        "yardstick": {"mel": 1.0},
    }
    document["budget"] = {"epochs": rng.choice((1, 1, 3))}
    ran = [stage for stage in STAGES if rng.random() < (0.15 if stage == "boundary" else 0.75)]
    if len(names) > 1:
        document["compare"] = {"baseline": names[0], "treatment": names[1]}
    else:
        ran = [stage for stage in ran if stage != "attribute"]
    if not numeric:
        ran = [stage for stage in ran if stage != "boundary"]
    ways = {"compare": {"seeds": 2}, "search": {"sampler": "random", "trials": 4}, "attribute": {"trials": 8}}
    ways["boundary"] = {"param": numeric[0] if numeric else "", "trials": 20}
    document["plan"] = [{stage: ways[stage]} for stage in STAGES if stage in ran] or [
        {"compare": {"seeds": 1}}
    ]
    study = StudyFrames()
    mood = rng.choice(("mixed", "mixed", "mixed", "DIVERGED", "STABLE", "INCONCLUSIVE", "UNSTABLE"))
    level = rng.choice((None, *LEVELS))
    for stage in ran:
        constants = {name: own["value"] for name, own in params.items() if "value" in own}
        for number in range(rng.choice((0, 1, 2, 3, 30 if stage == "boundary" else 6))):
            for arm in names if stage == "compare" else (None,):
                own = arms[arm] if arm else {p: _drawn(rng, o) for p, o in params.items() if "value" not in o}
                if stage == "attribute":
                    own = {p: arms[rng.choice(names[:2])][p] for p in own}
                _trial(study, rng, (stage, arm, number), constants | own, (mood, level))
    frames = study.frames()
    frames.epochs = pd.DataFrame(study.rows["epochs"], columns=[*EPOCHS, "steps_done"])
    return from_document(document), frames


def odd_twin(seed: int):
    """What the figures read of a twin, without the statistics, which take longer than all else."""
    spec, frames = odd_study(seed)
    parts = to_plain(plots_part(spec, frames, None, list(spec.arms)))
    assert '"value": null, "nonfinite"' not in json.dumps(parts, allow_nan=False)  # no figure reads that
    twin = dict.fromkeys(("comparison", "comparability", "attribution", "boundary", "boundary_details"))
    twin["arms"] = {name: {"n": 1, "diverged": 0, "settings": dict(own)} for name, own in spec.arms.items()}
    return twin | {"plots": parts, "frames": frames}


def _drawn(rng, param):
    if "values" in param:
        return rng.choice(param["values"])
    low, high = param["min"], param["max"]
    if param.get("log"):
        return rng.choice((low, high, (low * high) ** 0.5))
    if isinstance(low, int):
        return rng.randint(low, high)
    return rng.choice((low, high, low / 2 + high / 2))


def _trial(study, rng, place, params, how):
    """One trial with 0 to 3 steps and evaluations, or 60; what it records may break at any of them."""
    mood, level = how
    verdict = (
        rng.choice(("STABLE", "UNSTABLE", "STUCK", "DIVERGED", "INCONCLUSIVE")) if mood == "mixed" else mood
    )
    steps, evaluated = rng.choice((0, 1, 2, 3, 3, 60)), rng.choice((0, 1, 2, 3))
    broken = {"event_step": None, "event_kind": None, "event_where": None}
    if verdict == "DIVERGED":
        where = rng.choice(("mel", "total", "yardstick/mel", "yardstick", "sum of losses", "grad_norm"))
        broken = {
            "event_step": rng.choice((max(steps - 1, 0), 0, steps)),
            "event_kind": "nan_loss",
            "event_where": where,
        }
        broken["event_kind"] = rng.choice(("nan_loss", "inf_loss", "blow_up"))
    stage, arm, number = place
    bare = {"definitions": {}, "steps": steps, "yardstick_final": None, "yardstick_initial": None}
    identity = study.trial(
        stage,
        arm,
        number,
        params={"lr": 1.0, "huber": False, "mel_weight": 1.0} | params,
        verdict="INCONCLUSIVE",
        **bare,
    )

    def value():
        if rng.random() < (0.3 if verdict == "DIVERGED" else 0.02):
            return rng.choice(BROKEN)
        return level if level is not None else rng.choice(LEVELS)

    row = study.rows["trials"][-1]
    row |= {
        "params": params,
        "verdict": verdict,
        "outcome": "LOST" if verdict == "INCONCLUSIVE" else "FINISHED",
    } | broken
    totals = []
    for epoch in range(-1, evaluated - 1):
        mel = value()
        totals.append(mel)
        for component in ("total", "mel"):
            own = (identity, epoch, "yardstick", component, mel, None, 4)
            study.rows["epochs"].append(
                dict(zip(EPOCHS, own, strict=True)) | {"steps_done": max(epoch + 1, 0)}
            )
    if totals:
        row["yardstick_initial"] = totals[0]
        row["yardstick_final"] = totals[-1] if len(totals) > 1 else None
    for step in range(steps):
        for quantity in ("loss/mel", "total", "grad_norm"):
            own = (identity, step, 0, quantity, value(), None)
            study.rows["steps"].append(dict(zip(STEPS, own, strict=True)))
    if verdict == "DIVERGED":
        kind = {
            "trial_id": identity,
            "step": row["event_step"],
            "kind": row["event_kind"],
            "where": row["event_where"],
        }
        study.rows["events"].append(
            kind
            | {
                "value": value(),
                "threshold": rng.choice((2.0, 1e300)),
                "severity": "LOST",
                "provenance": None,
            }
        )
