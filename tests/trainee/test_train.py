"""Whole trials on the embedded corpus: every setting acts, seeds pair, runs repeat, nothing hides a NaN."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch

from stability.devices import resolve
from stability.records import BEFORE_TRAINING, StopTrial, TrialSpec, UserError
from stability.trainee.hyperparameters import SETTINGS, from_params
from stability.trainee.optimizer import clip, learning_rate, optimizer_for
from stability.trainee.train import train

ALTERNATIVES: Mapping[str, Mapping[str, Any]] = {
    "lr": {"lr": 2e-3},
    "warmup_steps": {"warmup_steps": 3},
    "schedule": {"schedule": "cosine"},
    "optimizer": {"optimizer": "sgd"},
    "weight_decay": {"weight_decay": 1.0},
    "momentum": {"momentum": 0.5},
    "clip": {"clip": 0.01},
    "mel_weight": {"mel_weight": 2.5},
    "stop_weight": {"stop_weight": 3.0},
    "kl_weight": {"kl_weight": 1.8},
    "kl_anneal_steps": {"kl_anneal_steps": 10},
    "adaptive": {"adaptive": True},
    "label_smoothing": {"label_smoothing": True},
    "huber": {"huber": True},
    "pos_weight": {"pos_weight": 1.0},
    "norm": {"norm": "post"},
    "mel_scale": {"mel_scale": "raw"},
    "logvar_clamp": {"logvar_clamp": 0.01},
    "dropout": {"dropout": 0.3},
    "precision": {"precision": "bf16-mixed"},
    "batch_size": {"batch_size": 3},
}
"""One other value of each setting; `grad_scaler` acts under 16-mixed only and has its own test."""


@dataclass
class Notebook:
    """A `Recorder` that keeps what it is told, and stops the trial at `stop_at`."""

    stop_at: int | None = None
    steps: list[dict[str, Any]] = field(default_factory=list)
    evaluations: list[tuple[int, dict[str, float]]] = field(default_factory=list)
    definitions: dict[str, str] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)

    def step(self, losses, total=None, lr=None, grad_norm=None, epoch=None, **rest: Any) -> None:
        self.order.append("step")
        self.steps.append(dict(losses=losses, total=total, lr=lr, grad_norm=grad_norm, epoch=epoch, **rest))
        if len(self.steps) == self.stop_at:
            raise StopTrial

    def evaluate(self, losses: Mapping[str, float], epoch: int) -> None:
        self.order.append(f"evaluate {epoch}")
        self.evaluations.append((epoch, dict(losses)))

    def define(self, **definitions: str) -> None:
        self.order.append("define")
        self.definitions = definitions


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("features")


def run(
    cache: Path, params: Mapping[str, Any] | None = None, stop_at: int | None = None, **spec: Any
) -> Notebook:
    """The records of one tiny trial on 8 utterances: 2 steps an epoch unless `spec` says otherwise."""
    torch.set_num_threads(1)
    defaults: dict[str, Any] = {
        "study": "s", "stage": "compare", "number": 0, "key": "basic/seed-0", "arm": "basic", "seed": 0,
        "epochs": 2, "batch_size": 4, "max_steps": None, "timeout_s": 60.0, "device": "cpu", "trainer": "tts",
        "data": {"corpus": "en", "utterances": 8}, "model": {"size": "tiny"},
        "yardstick": {"mel": 1.0, "stop": 1.0, "kl": 0.5}, "directory": cache, "cache": cache,
    }  # fmt: skip
    notebook = Notebook(stop_at)
    train(TrialSpec(params=params or {}, **{**defaults, **spec}), notebook)
    return notebook


@pytest.fixture(scope="module")
def plain(cache: Path) -> Notebook:
    return run(cache)


def test_the_records_come_in_order(plain: Notebook) -> None:
    assert plain.order == [
        "define", "evaluate -1", "step", "step", "evaluate 0", "step", "step", "evaluate 1",
    ]  # fmt: skip
    assert [step["epoch"] for step in plain.steps] == [0, 0, 1, 1]
    assert plain.evaluations[0][0] == BEFORE_TRAINING
    assert set(plain.definitions) == {"mel", "stop", "kl", "total"}


def test_a_step_reports_unweighted_losses_beside_their_coefficients(plain: Notebook) -> None:
    for step in plain.steps:
        assert step["loss_weights"] == {"mel": 1.0, "stop": 1.0, "kl": 0.5}
        wanted = sum(step["loss_weights"][name] * loss for name, loss in step["losses"].items())
        assert step["total"] == pytest.approx(wanted, rel=1e-6)
        assert (step["grad_scale"], step["skipped"]) == (None, False)
        assert 0 < step["grad_norm"] < 100


def test_equal_trials_are_bit_identical(cache: Path, plain: Notebook) -> None:
    torch.manual_seed(99)
    assert run(cache) == plain


def test_another_seed_is_another_trial(cache: Path, plain: Notebook) -> None:
    other = run(cache, seed=1)
    assert other.evaluations[0] != plain.evaluations[0]
    assert other.steps[0] != plain.steps[0]


def test_the_alternatives_cover_every_setting() -> None:
    assert set(ALTERNATIVES) | {"grad_scaler"} == set(SETTINGS)


@pytest.mark.parametrize("name", ALTERNATIVES)
def test_every_setting_changes_what_training_does(name: str, cache: Path, plain: Notebook) -> None:
    changed = run(cache, ALTERNATIVES[name])
    assert [losses for _, losses in changed.evaluations[1:]] != [
        losses for _, losses in plain.evaluations[1:]
    ]


@pytest.mark.parametrize("name", sorted(set(ALTERNATIVES) - {"norm", "mel_scale", "logvar_clamp"}))
def test_every_arm_starts_from_the_same_weights(name: str, cache: Path, plain: Notebook) -> None:
    """Settings outside the model's own arithmetic leave the evaluation before training bit-identical."""
    changed = run(cache, ALTERNATIVES[name], max_steps=0)
    assert changed.evaluations == plain.evaluations[:1]


@pytest.mark.parametrize(
    "name", ["lr", "optimizer", "clip", "mel_weight", "kl_weight", "adaptive", "weight_decay", "schedule"]
)
def test_every_arm_sees_the_same_batches_and_noise(name: str, cache: Path, plain: Notebook) -> None:
    """The first step's losses agree to the bit; so do all of them, order and noise, once nothing moves."""
    assert run(cache, ALTERNATIVES[name], max_steps=1).steps[0]["losses"] == plain.steps[0]["losses"]
    if name not in ("lr", "schedule"):
        still, moved = run(cache, {"lr": 0.0}), run(cache, {**ALTERNATIVES[name], "lr": 0.0})
        assert [step["losses"] for step in moved.steps] == [step["losses"] for step in still.steps]


def test_the_last_smaller_batch_is_kept(cache: Path) -> None:
    data = {"corpus": "en", "utterances": 7}
    assert len(run(cache, epochs=1, batch_size=3, data=data).steps) == 3


def test_max_steps_ends_the_trial_with_an_evaluation(cache: Path, plain: Notebook) -> None:
    short = run(cache, max_steps=3)
    assert short.steps == plain.steps[:3]
    assert [epoch for epoch, _ in short.evaluations] == [-1, 0, 1]
    assert run(cache, max_steps=2).order[-1] == "evaluate 0"


def test_stop_trial_passes_through(cache: Path) -> None:
    with pytest.raises(StopTrial):
        run(cache, stop_at=2)


def test_the_persian_corpus_trains(cache: Path) -> None:
    assert len(run(cache, epochs=1, data={"corpus": "fa", "utterances": 8}).steps) == 2


def test_a_learning_rate_of_one_is_nan_and_nothing_hides_it(cache: Path) -> None:
    lost = run(cache, {"lr": 1.0})
    assert math.isfinite(lost.steps[0]["total"])
    last = lost.steps[-1]
    assert all(math.isnan(loss) for loss in last["losses"].values())
    assert all(math.isnan(last[name]) for name in ("total", "grad_norm", "weight_norm"))
    assert all(math.isnan(loss) for loss in lost.evaluations[-1][1].values())


def test_adaptive_coefficients_start_at_the_given_ones_and_are_learned(cache: Path) -> None:
    steps = run(cache, {"adaptive": True, "lr": 0.01}).steps
    assert steps[0]["loss_weights"] == {"mel": 1.0, "stop": 1.0, "kl": 0.5}
    assert steps[-1]["loss_weights"]["mel"] < 0.99  # a loss above one lowers its precision


def test_annealing_is_reported_as_in_force(cache: Path) -> None:
    steps = run(cache, {"kl_anneal_steps": 2, "kl_weight": 1.0}).steps
    assert [step["loss_weights"]["kl"] for step in steps] == [0.0, 0.5, 1.0, 1.0]


def test_raw_mels_are_judged_on_the_normalised_scale(cache: Path, plain: Notebook) -> None:
    raw = run(cache, {"mel_scale": "raw"})
    assert raw.steps[0]["losses"]["mel"] > 2 * plain.steps[0]["losses"]["mel"]
    assert 0.1 < raw.evaluations[-1][1]["mel"] / plain.evaluations[-1][1]["mel"] < 10


def test_the_gradient_scaler_skips_overflowing_steps_under_16_mixed(cache: Path) -> None:
    scaled = run(cache, {"precision": "16-mixed", "mel_weight": 1e4}, max_steps=3)
    assert [step["skipped"] for step in scaled.steps] == [True] * 3
    assert [step["grad_scale"] for step in scaled.steps] == [65536.0, 32768.0, 16384.0]
    assert scaled.evaluations[-1][1] == scaled.evaluations[0][1]
    bare = run(cache, {"precision": "16-mixed", "grad_scaler": False}, max_steps=3)
    assert [(step["grad_scale"], step["skipped"]) for step in bare.steps] == [(None, False)] * 3


def test_grad_scaler_changes_nothing_in_fp32(cache: Path, plain: Notebook) -> None:
    assert run(cache, {"grad_scaler": False}) == plain


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
@pytest.mark.parametrize("precision", ["fp32", "bf16-mixed", "16-mixed"])
def test_every_precision_trains_on_cuda(precision: str, cache: Path, plain: Notebook) -> None:
    steps = run(cache, {"precision": precision}, device="cuda").steps
    assert len(steps) == 4
    assert steps[0]["losses"]["mel"] == pytest.approx(plain.steps[0]["losses"]["mel"], rel=0.05)


@pytest.mark.parametrize(
    ("params", "reference"),
    [
        ({"lr": 0.1}, lambda w: torch.optim.AdamW(w, lr=0.1, weight_decay=0.01, foreach=False)),
        (
            {"lr": 0.1, "optimizer": "sgd", "weight_decay": 0.5},
            lambda w: torch.optim.SGD(w, lr=0.1, momentum=0.9, weight_decay=0.5, foreach=False),
        ),
    ],
)
def test_updates_are_those_of_torch(params: Mapping[str, Any], reference) -> None:
    ours, theirs = (torch.arange(6.0).reshape(2, 3).requires_grad_() for _ in range(2))
    optimizers = optimizer_for([ours], from_params(params)), reference([theirs])
    for _ in range(3):
        for weight, rule in zip((ours, theirs), optimizers, strict=True):
            weight.grad = weight.detach().sin()
            rule.step()
    torch.testing.assert_close(ours, theirs)


def test_only_matrices_decay() -> None:
    weights = [torch.ones(2, 2, requires_grad=True), torch.ones(2, requires_grad=True)]
    rule = optimizer_for(weights, from_params({"lr": 0.1, "weight_decay": 1.0}))
    for weight in weights:
        weight.grad = torch.zeros_like(weight)
    rule.step()
    torch.testing.assert_close(weights[0], torch.full((2, 2), 0.9))
    assert torch.equal(weights[1], torch.ones(2))


@pytest.mark.parametrize("limit", [None, 0.5, 1e6])
def test_clipping_is_that_of_torch(limit: float | None) -> None:
    ours, theirs = (
        [torch.zeros(3, requires_grad=True), torch.zeros(2, requires_grad=True)] for _ in range(2)
    )
    for weight in (*ours, *theirs):
        weight.grad = torch.arange(1.0, len(weight) + 1)
    clip(ours, torch.nn.utils.get_total_norm([weight.grad for weight in ours]), limit)
    torch.nn.utils.clip_grad_norm_(theirs, math.inf if limit is None else limit)
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a.grad, b.grad)


@pytest.mark.parametrize(
    ("schedule", "wanted"),
    [
        ("constant", [0.5, 1, 1, 1, 1, 1]),
        ("linear", [0.5, 1, 1, 0.75, 0.5, 0.25]),
        ("cosine", [0.5, 1, 1, 0.5 + math.sqrt(0.125), 0.5, 0.5 - math.sqrt(0.125)]),
        ("inverse_sqrt", [0.5, 1, *(math.sqrt(2 / n) for n in (3, 4, 5, 6))]),
    ],
)
def test_schedules(schedule: str, wanted: list[float]) -> None:
    hp = from_params({"lr": 1.0, "warmup_steps": 2, "schedule": schedule})
    assert [learning_rate(hp, step, 6) for step in range(6)] == pytest.approx(wanted)


def test_a_trial_with_unknown_settings_ends_before_training(cache: Path) -> None:
    with pytest.raises(UserError, match=r"unknown hyperparameter 'learning_rate'"):
        run(cache, {"learning_rate": 1.0})
    with pytest.raises(UserError, match=r"unknown model size 'huge'; \(tiny, small, normal\)"):
        run(cache, model={"size": "huge"})


def test_devices() -> None:
    assert resolve("cpu") == "cpu"
    assert resolve("auto") == ("cuda" if torch.cuda.is_available() else "cpu")
    with pytest.raises(UserError) as error:
        resolve("gpu")
    assert str(error.value) == "unknown device 'gpu'; (auto, cpu, cuda, cuda:0, cuda:1, ...)"
    count = torch.cuda.device_count()
    with pytest.raises(UserError) as error:
        resolve(f"cuda:{count}")
    wanted = f"device 'cuda:{count}' is not here: torch sees {count} CUDA devices; use cpu or auto"
    assert str(error.value) == wanted
