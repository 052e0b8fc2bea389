"""A database such as a long study leaves: trials of every verdict, numbers that are not finite.

`points` is everywhere the number of rows of recorded steps that a trial has, five a step.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from pathlib import Path

import optuna

from stability import environment, objective
from stability.judging.verdict import judge
from stability.records import (
    BEFORE_TRAINING,
    Ending,
    Evaluation,
    Event,
    EventKind,
    Outcome,
    Records,
    Severity,
    Step,
    TrialSpec,
    Verdict,
    VerdictLabel,
)
from stability.spec import StudySpec, load_study
from stability.store import Store
from stability.store.rows import TrialRows, trial_rows

NAME = "large"
STUDY = """
name: large
budget: {{epochs: 2, batch_size: 8, timeout_s: 120}}
params:
  lr:         {{min: 1e-6, max: 1.0, log: true}}
  mel_weight: {{min: 0.5, max: 50.0, log: true}}
  clip:       {{min: 0.1, max: 1000.0, log: true}}
arms:
  basic:    {{lr: 1e-5, mel_weight: 1.0, clip: 0.5}}
  enhanced: {{lr: 8e-5, mel_weight: 1.0, clip: 0.8}}
compare: {{baseline: basic, treatment: enhanced}}
plan:
  - compare: {{seeds: {seeds}}}
  - search:  {{sampler: tpe, trials: {searched}}}
yardstick: {{mel: 1.0, stop: 1.0, kl: 0.5}}
"""
COMPARED_SHARE = 0.8
"""Of all trials; the others are searched."""
EPOCHS = 2
ROWS_A_STEP = 5
DIVERGED = {"basic": 0.05, "enhanced": 0.2}
FAILED, UNSTABLE = 0.01, 0.05
DEFINITIONS = {"mel": "L1", "stop": "BCE", "kl": "KL", "total": "weighted sum"}
STORED_AT_ONCE = 200


def study(folder: Path, trials: int) -> StudySpec:
    """A study of two stages with about so many trials."""
    seeds = int(trials * COMPARED_SHARE / 2)
    file = folder / "large.yaml"
    file.write_text(STUDY.format(seeds=seeds, searched=trials - 2 * seeds))
    return load_study(file)


def specs(spec: StudySpec, folder: Path) -> Iterator[TrialSpec]:
    """All trials of the study, stage by stage."""
    compare, search = (entry.stage for entry in spec.plan)
    drawn = random.Random(0)
    for number in range(2 * compare.seeds):
        arm, seed = list(spec.arms)[number % 2], number // 2
        yield _spec(spec, folder, "compare", number, f"{arm}/seed-{seed}", arm, seed, spec.arm_params(arm))
    for number in range(search.trials):
        params = {name: param.at(drawn.random()) for name, param in spec.params.items()}
        yield _spec(spec, folder, "search", number, f"trial-{number}", None, number, params)


def _spec(spec, folder, stage, number, key, arm, seed, params) -> TrialSpec:
    return TrialSpec(
        study=spec.name, stage=stage, number=number, key=key, arm=arm, params=params, seed=seed, epochs=EPOCHS,
        batch_size=8, max_steps=None, timeout_s=120.0, device="cpu", trainer="tts", data={}, model={},
        yardstick=spec.yardstick, directory=folder / f"{NAME}.{stage}" / f"{number:05d}", cache=folder,
    )  # fmt: skip


def ended(trial: TrialSpec, points: int) -> tuple[Records, Ending]:
    """What training `trial` might have left: `points` rows of steps, fewer where it was lost on its way."""
    rng = random.Random(f"{trial.key} {trial.seed}")
    steps = points // ROWS_A_STEP
    chance = DIVERGED.get(trial.arm, 0.8 if trial.params["lr"] > 1e-2 else 0.01)
    lost_at = rng.randrange(1, steps) if rng.random() < chance else None
    bad = rng.choice((math.nan, math.inf, 40.0))
    made = [_step(trial, rng, i, steps) for i in range(steps if lost_at is None else lost_at)]
    events = []
    if lost_at is not None:
        made.append(_step(trial, rng, lost_at, steps, bad))
        kind = EventKind.NAN_LOSS if math.isnan(bad) else EventKind.INF_LOSS
        kind = EventKind.BLOW_UP if math.isfinite(bad) else kind
        events = [Event(lost_at, kind, "mel", bad, 3.0)]
    elif rng.random() < UNSTABLE:
        events = [Event(steps // 2, EventKind.SPIKE, "total", 12.0, 8.0, Severity.WARNING)]
    reached = [epoch for epoch in range(EPOCHS) if len(made) >= (epoch + 1) * steps // EPOCHS]
    evaluations = [_evaluation(rng, epoch, steps) for epoch in (BEFORE_TRAINING, *reached)]
    outcome = Outcome.FINISHED if lost_at is None else Outcome.STOPPED
    if lost_at is None and rng.random() < FAILED:
        outcome = Outcome.CRASHED
    error = "worker was killed by signal 9" if outcome is Outcome.CRASHED else None
    ending = Ending(outcome, error, wall_s=1.0, cpu_s=0.9, max_rss_bytes=400_000_000, device="cpu")
    return Records(tuple(made), tuple(evaluations), tuple(events), DEFINITIONS), ending


def _step(trial: TrialSpec, rng: random.Random, number: int, steps: int, mel: float | None = None) -> Step:
    level = 0.6 + 2.0 * math.exp(-3.0 * number / steps) + 0.1 * rng.random()
    losses = {"mel": level if mel is None else mel, "stop": 0.3 * level, "kl": 0.05 * level}
    weights = {"mel": trial.params["mel_weight"], "stop": 1.0, "kl": 0.5}
    total = sum(weights[name] * value for name, value in losses.items())
    epoch = number * EPOCHS // steps
    return Step(number, losses, total, epoch, grad_norm=rng.random(), loss_weights=weights)


def _evaluation(rng: random.Random, epoch: int, steps: int) -> Evaluation:
    level = 2.6 * 0.7 ** (epoch + 1) + 0.1 * rng.random()
    losses = {"mel": level, "stop": 0.3 * level, "kl": 0.05 * level}
    return Evaluation((epoch + 1) * steps // EPOCHS, epoch, losses)


def fill(store: Store, spec: StudySpec, points: int, folder: Path) -> int:
    """Store all trials of the study, ours and Optuna's; returns the number of rows of steps."""
    run = store.add_environment(spec, "0" * 64, environment.capture("cpu"))
    storage, rows_of_steps = store.optuna_storage(), 0
    studies = {
        entry.name: optuna.create_study(study_name=f"{spec.name}.{entry.name}", storage=storage)
        for entry in spec.plan
    }
    remaining = specs(spec, folder)
    while some := [trial for trial, _ in zip(remaining, range(STORED_AT_ONCE), strict=False)]:
        with store.transaction() as connection:
            for trial in some:
                records, ending = ended(trial, points)
                verdict = judge(records, ending, spec.yardstick)
                rows = trial_rows(trial, records, ending, verdict, run)
                frozen = _told(spec, trial, records, verdict, rows)
                stage = studies[trial.stage]
                store.add(connection, storage.create_new_trial(stage._study_id, frozen), rows)
                rows_of_steps += len(rows.steps)
    return rows_of_steps


def _told(
    spec: StudySpec, trial: TrialSpec, records: Records, verdict: Verdict, rows: TrialRows
) -> optuna.trial.FrozenTrial:
    """What Optuna has of a stored trial, made at once."""
    floats = {
        name: optuna.distributions.FloatDistribution(p.low, p.high, log=p.log)
        for name, p in spec.params.items()
    }
    named = {"key": trial.key, "arm": trial.arm, "seed": trial.seed}
    failed = verdict.label is VerdictLabel.INCONCLUSIVE
    violation = 1.0 if verdict.label is VerdictLabel.DIVERGED else 0.0
    return optuna.trial.create_trial(
        state=optuna.trial.TrialState.FAIL if failed else optuna.trial.TrialState.COMPLETE,
        value=None if failed else objective.capped(records, rows, verdict, None),
        params=dict(trial.params),
        distributions=floats,
        user_attrs=named | objective.attributes(rows),
        system_attrs={} if failed else {"constraints": [violation], objective.CONSTRAINT: violation},
        intermediate_values={} if failed else dict(objective.reported_points(rows)),
    )
