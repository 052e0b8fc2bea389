"""A study by hand: specs and frames such as the store hands over, without running anything."""

from __future__ import annotations

from types import SimpleNamespace

import pandas as pd

from stability.params import Param

BASIC = {"lr": 1e-5, "mel_weight": 1.0, "clip": 0.5, "huber": False}
ENHANCED = {"lr": 8e-5, "mel_weight": 2.5, "clip": 0.8, "huber": True}
PLAIN = {"mel": "L1 of mel frames", "stop": "BCE of the stop flag", "total": "1.0*mel + 1.0*stop"}
ROBUST = {"mel": "Huber of mel frames", "stop": "BCE of the stop flag", "total": "2.5*mel + 1.0*stop"}
NAN, INF = float("nan"), float("inf")

TRIALS = [
    *("trial_id", "stage", "number", "key", "arm", "seed", "params", "outcome", "verdict"),
    *("event_step", "event_kind", "event_where", "evidence", "yardstick_initial", "yardstick_final"),
    *("steps", "wall_s", "cpu_s", "max_rss_bytes", "error", "directory", "device"),
    *("definitions", "effective", "trajectory_sha256", "printed_sha256"),
]
EPOCHS = ["trial_id", "epoch", "source", "component", "value", "loss_weight", "n"]
STEPS = ["trial_id", "step", "epoch", "quantity", "value", "loss_weight"]
EVENTS = ["trial_id", "step", "kind", "where", "value", "threshold", "severity", "provenance"]

ENVIRONMENT = {
    "revision": "0123abc",
    "spec_sha256": "9f" * 32,
    "started": "2026-01-02T03:04:05+00:00",
    "python": "3.11.2",
    "platform": "Linux-6.1-x86_64",
    "cpu": "example cpu",
    "cores": 2,
    "versions": {"torch": "2.13.0", "optuna": "5.0.0"},
    "project": {"revision": "0123abc", "dirty": True},
    "working_directory": {"revision": None, "dirty": None},
    "command": "stability run studies/small.yaml",
}


def make_spec(**changes):
    """A study like the default one, in small."""
    fields = {
        "name": "small",
        "arms": {"basic": BASIC, "enhanced": ENHANCED},
        "compare": SimpleNamespace(baseline="basic", treatment="enhanced"),
        "yardstick": {"mel": 1.0, "stop": 1.0},
        "budget": SimpleNamespace(epochs=2, batch_size=8, max_steps=None, timeout_s=120.0),
        "data": {"corpus": "en", "utterances": 30},
        "model": {"size": "tiny"},
        "trainer": "tts",
        "seed": 0,
        "plan": (SimpleNamespace(name="search", stage=SimpleNamespace(sampler="tpe")),),
        "params": {
            "lr": Param("lr", "float", low=1e-6, high=1.0, log=True),
            "mel_weight": Param("mel_weight", "float", low=0.5, high=50, log=True),
            "clip": Param("clip", "float", low=0.1, high=1000, log=True),
            "huber": Param("huber", "choice", choices=(False, True)),
        },
    }
    return SimpleNamespace(**(fields | changes))


class StudyFrames:
    """Collects trials and hands them out as the store's four frames."""

    def __init__(self):
        self.rows = {"trials": [], "epochs": [], "steps": [], "events": []}

    def trial(self, stage, arm, seed, *, params, verdict="STABLE", outcome="FINISHED", level=2.0, **fields):
        """Add a trial of two epochs with two steps each whose losses fall from `level`."""
        identity = len(self.rows["trials"]) + 1
        number = sum(row["stage"] == stage for row in self.rows["trials"])
        definitions = fields.pop("definitions", ROBUST if params["huber"] else PLAIN)
        row = dict.fromkeys(TRIALS) | {
            "trial_id": identity,
            "stage": stage,
            "number": number,
            "key": f"{arm or 'search'}/seed-{seed}",
            "arm": arm,
            "seed": seed,
            "params": params,
            "outcome": outcome,
            "verdict": verdict,
            "evidence": "",
            "yardstick_initial": 3.0,
            "steps": 4,
            "device": "cpu",
            "definitions": definitions,
            "effective": {"optimizer": "AdamW", "lr_largest": repr(params["lr"])},
        }
        if verdict in ("STABLE", "UNSTABLE", "STUCK"):
            row["yardstick_final"] = self._train(identity, params, level)
        self.rows["trials"].append(row | fields)
        return identity

    def diverged(self, stage, arm, seed, *, params, step=2, kind="nan_loss", where="mel", value=NAN):
        """Add a trial that was lost at `step`."""
        text = f"{where} was {value} at step {step}"
        bad = {"event_step": step, "event_kind": kind, "event_where": where, "evidence": text}
        bad |= {"yardstick_final": None, "steps": step + 1}
        known = {"verdict": "DIVERGED", "outcome": "STOPPED", "params": params}
        identity = self.trial(stage, arm, seed, **known, **bad)
        self._epoch(identity, -1, "yardstick", 3.0)
        for done in range(step):
            self._step(identity, done, params, 2.5)
        self._step(identity, step, params, value)
        row = {"trial_id": identity, "step": step, "kind": kind, "where": where, "value": value}
        self.rows["events"].append(dict.fromkeys(EVENTS) | row | {"severity": "LOST"})
        return identity

    def failed(self, stage, arm, seed, *, params, error="worker was killed by signal 9"):
        """Add a trial that the infrastructure lost."""
        known = {"verdict": "INCONCLUSIVE", "outcome": "LOST", "params": params}
        return self.trial(stage, arm, seed, **known, error=error, steps=1)

    def frames(self):
        columns = {"trials": TRIALS, "epochs": EPOCHS, "steps": STEPS, "events": EVENTS}
        return SimpleNamespace(**{k: pd.DataFrame(self.rows[k], columns=v) for k, v in columns.items()})

    def _train(self, identity, params, level):
        self._epoch(identity, -1, "yardstick", 3.0)
        for epoch in (0, 1):
            self._epoch(identity, epoch, "yardstick", level - 0.25 * epoch)
            self._epoch(identity, epoch, "train", level - 0.2 * epoch, mel_weight=params["mel_weight"])
        for step in range(4):
            self._step(identity, step, params, level - 0.1 * step)
        return level - 0.25

    def _epoch(self, identity, epoch, source, level, mel_weight=1.0):
        mel, stop = 0.4 * level, 0.6 * level
        parts = {"total": mel_weight * mel + stop, "mel": mel, "stop": stop}
        weights = {"mel": mel_weight, "stop": 1.0} if source == "train" else {}
        for component, value in parts.items():
            row = (identity, epoch, source, component, value, weights.get(component), 4)
            self.rows["epochs"].append(dict(zip(EPOCHS, row, strict=True)))

    def _step(self, identity, step, params, value):
        weights = {"loss/mel": params["mel_weight"], "loss/stop": 1.0, "total": None}
        for quantity, weight in weights.items():
            row = (identity, step, step // 2, quantity, value, weight)
            self.rows["steps"].append(dict(zip(STEPS, row, strict=True)))


def small_study():
    """Twelve seeds an arm, one divergence, one failure; a search of eight with three divergences."""
    study = StudyFrames()
    for seed in range(12):
        wobble = 0.01 * (seed * 7 % 12)
        study.trial("compare", "basic", seed, params=BASIC, level=2.0 + wobble)
        if seed == 4:
            study.diverged("compare", "enhanced", seed, params=ENHANCED)
        elif seed == 9:
            study.failed("compare", "enhanced", seed, params=ENHANCED)
        else:
            study.trial("compare", "enhanced", seed, params=ENHANCED, level=1.9 + wobble + 0.005 * (seed % 3))
    for i, lr in enumerate((1e-5, 1e-4, 1e-3, 3e-3, 1e-2)):
        study.trial("search", None, i, params=BASIC | {"lr": lr}, level=2.2 - 0.1 * i)
    study.diverged("search", None, 5, params=BASIC | {"lr": 0.05}, step=1, value=INF, kind="inf_loss")
    study.diverged("search", None, 6, params=BASIC | {"lr": 0.2}, step=0)
    study.diverged("search", None, 7, params=BASIC | {"lr": 0.031622}, step=3, kind="blow_up", value=9.5)
    return study.frames()
