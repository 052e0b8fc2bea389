"""The Lightning callback in real trainings: nothing changes, and what fails is named at its step."""

from __future__ import annotations

import logging
import math
import subprocess
import sys

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

pl = pytest.importorskip("lightning.pytorch")

from lightning.pytorch.plugins.precision import MixedPrecision  # noqa: E402

from stability.numerics.callbacks.lightning import StabilityCallback  # noqa: E402
from stability.records import EventKind, Measure, Severity, StopTrial, UserError  # noqa: E402

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*isinstance.treespec, LeafSpec.:FutureWarning"),
    pytest.mark.filterwarnings("ignore:.*does not have many workers"),
    pytest.mark.filterwarnings("ignore:.training_step. returned .None."),
]


@pytest.fixture(autouse=True)
def one_thread():
    """Half precision on several threads takes seconds on a machine that is busy."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


GENERATOR = torch.Generator().manual_seed(1)
X = torch.randn(64, 6, generator=GENERATOR)
DATA = TensorDataset(X, torch.tanh(X[:, :3]))
FAILS = 7
"""The batch at which the logarithm of a shrinking number becomes that of a negative one."""


class Regression(pl.LightningModule):
    """Two loss components; remembers what it computed and the gradient norm that clipping met."""

    def __init__(self, *, fails: bool = False, fused: bool = False) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.net = nn.Sequential(nn.Linear(6, 16), nn.Tanh(), nn.Dropout(0.2), nn.Linear(16, 3))
        self.fails, self.fused = fails, fused
        self.seen: list[float] = []
        self.norms: list[float] = []

    def error(self, batch):
        return self.net(batch[0]).float() - batch[1]

    def training_step(self, batch, batch_idx):
        square = self.error(batch).square().mean()
        left = FAILS - 0.5 - len(self.seen) if self.fails else 1.0
        log = (square * 0.0 + left).log()
        self.seen.append(square.item())
        return {"loss": square + 0.1 * log, "square": square, "log": log, "correct": torch.tensor(0.0)}

    def configure_optimizers(self):
        return torch.optim.AdamW(self.parameters(), lr=1e-2, fused=self.fused)

    def configure_gradient_clipping(self, optimizer, gradient_clip_val=None, gradient_clip_algorithm=None):
        gradients = [weight.grad for weight in self.parameters() if weight.grad is not None]
        self.norms.append(nn.utils.get_total_norm(gradients).item())
        super().configure_gradient_clipping(optimizer, gradient_clip_val, gradient_clip_algorithm)


def fit(module, callback=None, *, trainer=pl.Trainer, epochs=4, scaler=None, **options):
    """Train without any output; 16 batches an epoch. Returns the weights."""
    torch.manual_seed(5)
    callbacks = [callback] if callback else []
    if scaler is not None:
        options["plugins"] = [MixedPrecision("16-mixed", "cpu", scaler=scaler)]
    quiet = ("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary")
    options |= dict.fromkeys(quiet, False)
    trainer(accelerator="cpu", max_epochs=epochs, callbacks=callbacks, **options).fit(
        module, DataLoader(DATA, batch_size=4)
    )
    return [weight.detach().clone() for weight in module.parameters()]


def alarms(callback):
    return [event for event in callback.events if event.severity is not Severity.FACT]


WAYS = {
    "plain": {},
    "clip": {"gradient_clip_val": 0.1},
    "accumulate": {"accumulate_grad_batches": 3, "epochs": 9},
    "bf16": {"precision": "bf16-mixed"},
    "scaler": {"scaler": 1024.0},
    "scaler and clip": {"scaler": 1024.0, "gradient_clip_val": 0.1},
    "scaler and fused": {"scaler": 1024.0},
}


@pytest.mark.parametrize("way", WAYS)
def test_training_is_the_same_to_the_last_bit_and_a_healthy_one_gives_no_alarm(way):
    weights, callback = [], StabilityCallback()
    for watcher in (None, callback):
        options = dict(WAYS[way])
        if "scaler" in options:
            options["scaler"] = torch.amp.GradScaler("cpu", init_scale=options["scaler"])
        weights.append(fit(Regression(fused="fused" in way), watcher, **options))
    assert all(torch.equal(a, b) for a, b in zip(*weights, strict=True))
    assert len(callback.steps) >= 50 and alarms(callback) == []
    assert {step.grad_scale for step in callback.steps} == ({1024.0} if "scaler" in way else {None})


@pytest.mark.parametrize("scaled", [False, True])
def test_gradients_are_measured_before_clipping_and_its_factor_after(scaled):
    module, callback = Regression(), StabilityCallback()
    scaler = torch.amp.GradScaler("cpu", init_scale=256.0) if scaled else None
    fit(module, callback, epochs=1, gradient_clip_val=0.1, scaler=scaler)
    assert [step.grad_norm for step in callback.steps] == pytest.approx(module.norms)
    factors = [min(1.0, 0.1 / norm) for norm in module.norms]
    measured = [step.measures[Measure.CLIP_FACTOR] for step in callback.steps]
    assert measured == pytest.approx(factors, rel=1e-3)
    assert Measure.UPDATE_RATIO in callback.steps[4].measures


@pytest.mark.parametrize("micro_batches", [1, 3])
def test_a_nan_is_caught_at_its_step_and_ends_the_training(micro_batches, caplog):
    callback = StabilityCallback()
    with caplog.at_level(logging.WARNING, logger="stability"):
        fit(Regression(fails=True), callback, accumulate_grad_batches=micro_batches)
    step = FAILS // micro_batches
    first = callback.events[0]
    assert (first.step, first.kind, first.where) == (step, EventKind.NAN_LOSS, "log")
    assert len(callback.steps) == step + 3 and callback.watch.steps == callback.steps  # a lone NaN ends nothing
    assert caplog.messages[0] == f"log loss nan at step {step}"


def test_without_stop_the_training_goes_on():
    callback = StabilityCallback(stop=False)
    fit(Regression(fails=True), callback, epochs=1)
    assert callback.events[0].step == FAILS and len(callback.steps) == 16


def test_losses_of_micro_batches_are_averaged():
    module, callback = Regression(), StabilityCallback()
    fit(module, callback, epochs=1, accumulate_grad_batches=3)
    first, last = callback.steps[0], callback.steps[-1]  # the last of 16 batches is left over
    assert first.losses == pytest.approx({"square": sum(module.seen[:3]) / 3, "log": 0.0})
    assert first.total == pytest.approx(sum(module.seen[:3]) / 3)
    assert first.batch == ("batch 0", "batch 1", "batch 2") and first.epoch == 0
    assert last.losses["square"] == pytest.approx(module.seen[15])
    assert last.total == pytest.approx(module.seen[15] / 3)


def test_steps_that_a_scaler_skips_are_counted_and_are_no_nan():
    callback = StabilityCallback()
    fit(Regression(), callback, epochs=2, scaler=torch.amp.GradScaler("cpu", init_scale=2.0**24))
    skipped = [step.skipped for step in callback.steps]
    assert skipped[0] and not skipped[-1] and alarms(callback) == []
    assert math.isfinite(callback.steps[0].total)


class Logging(Regression):
    """Returns its loss only, and logs the components."""

    def training_step(self, batch, batch_idx):
        returned = super().training_step(batch, batch_idx)
        self.log("square", returned["square"])
        return returned["loss"]


def test_components_may_be_named_in_the_mapping_or_in_the_log():
    for module in (Regression(), Logging()):
        callback = StabilityCallback(losses=["square"])
        fit(module, callback, epochs=1, accumulate_grad_batches=2)
        means = [(a + b) / 2 for a, b in zip(module.seen[::2], module.seen[1::2], strict=True)]
        assert [step.losses for step in callback.steps] == [{"square": pytest.approx(mean)} for mean in means]


class Sometimes(Regression):
    def training_step(self, batch, batch_idx):
        returned = super().training_step(batch, batch_idx)
        return returned if batch_idx % 2 else {"loss": returned["loss"], "log": returned["log"]}


def test_a_component_of_some_micro_batches_is_averaged_over_those():
    module, callback = Sometimes(), StabilityCallback()
    fit(module, callback, epochs=1, accumulate_grad_batches=2)
    assert [step.losses["square"] for step in callback.steps] == pytest.approx(module.seen[1::2])


def test_without_components_the_loss_is_the_only_one():
    callback = StabilityCallback()
    fit(Logging(), callback, epochs=1)
    assert all(step.losses == {"loss": step.total} for step in callback.steps)


def test_a_named_loss_that_is_nowhere():
    with pytest.raises(UserError) as error:
        fit(Logging(), StabilityCallback(losses=["kl"]))
    assert str(error.value) == (
        "loss 'kl' is neither in what training_step returned (loss) nor logged by it; return it in a mapping, "
        "or call self.log('kl', ...)"
    )


class Manual(Regression):
    """Two optimizers, one of which takes two backward passes."""

    def __init__(self) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.head = nn.Linear(3, 1)

    def training_step(self, batch, batch_idx):
        one, two = self.optimizers()
        square = self.error(batch).square().mean()
        one.zero_grad()
        self.manual_backward(square)
        one.step()
        two.zero_grad()
        for part in self.net(batch[0]).detach().chunk(2):
            self.manual_backward((self.head(part) - 1.0).square().mean() / 2)
        two.step()
        self.seen.append(square.item())

    def configure_optimizers(self):
        return (
            torch.optim.AdamW(self.net.parameters(), lr=1e-2),
            torch.optim.SGD(self.head.parameters(), lr=1e-2),
        )


@pytest.mark.parametrize("scaled", [False, True])
def test_manual_optimisation_has_a_watch_for_each_optimizer(scaled):
    weights, callback, modules = [], StabilityCallback(), (Manual(), Manual())
    for module, watcher in zip(modules, (None, callback), strict=True):
        scaler = torch.amp.GradScaler("cpu", init_scale=64.0) if scaled else None
        weights.append(fit(module, watcher, scaler=scaler))
    assert all(torch.equal(a, b) for a, b in zip(*weights, strict=True))
    one, two = callback.watches
    assert [step.total for step in one.steps] == pytest.approx(modules[1].seen)
    assert len(two.steps) == 64 and two.steps[0].batch == ("batch 0", "batch 0")
    assert not any(step.skipped for step in one.steps + two.steps) and alarms(callback) == []


class Searching(Regression):
    def configure_optimizers(self):
        return torch.optim.LBFGS(self.parameters(), lr=1e-3, max_iter=4)


def test_an_optimizer_that_evaluates_a_batch_many_times_makes_one_step_of_it():
    weights, callback = [], StabilityCallback(stop=False)
    for watcher in (None, callback):
        module = Searching()
        weights.append(fit(module, watcher, epochs=1))
    assert all(torch.equal(a, b) for a, b in zip(*weights, strict=True))
    assert len(module.seen) > 16 == len(callback.steps)
    assert not any(step.skipped for step in callback.steps)


class Resting(Regression):
    def training_step(self, batch, batch_idx):
        return None if batch_idx % 4 == 0 else super().training_step(batch, batch_idx)


def test_a_batch_without_a_loss_is_no_step():
    callback = StabilityCallback()
    fit(Resting(), callback, epochs=1)
    assert len(callback.steps) == 12


class Ends:
    """A recorder that has had enough at its third step."""

    def __init__(self) -> None:
        self.given = []

    def step(self, **values):
        self.given.append(values)
        if len(self.given) == 3:
            raise StopTrial("enough")


def test_a_recorder_gets_every_step_and_may_end_the_training():
    module, recorder = Regression(), Ends()
    with pytest.raises(StopTrial, match="enough"):
        fit(module, StabilityCallback(recorder=recorder))
    assert [values["losses"]["square"] for values in recorder.given] == pytest.approx(module.seen)
    assert "training_step" not in vars(module)
    assert not module._forward_hooks and not module._forward_pre_hooks


def test_a_recorder_takes_one_optimizer():
    with pytest.raises(UserError) as error:
        fit(Manual(), StabilityCallback(recorder=Ends()))
    assert (
        str(error.value) == "a recorder takes one row of steps, and Manual has 2 optimizers; give no recorder"
    )


class Breaking(Regression):
    def training_step(self, batch, batch_idx):
        if batch_idx == 5:
            raise ValueError("no such file")
        return super().training_step(batch, batch_idx)


def test_an_exception_comes_through_and_leaves_the_module_as_it_was():
    module, callback = Breaking(), StabilityCallback()
    with pytest.raises(ValueError, match="no such file"):
        fit(module, callback)
    assert "training_step" not in vars(module) and len(callback.steps) == 5


def test_the_trainer_of_pytorch_lightning_takes_it_too():
    older = pytest.importorskip("pytorch_lightning")

    class Same(older.LightningModule):
        def __init__(self):
            super().__init__()
            self.net = Regression().net

        def training_step(self, batch, batch_idx):
            return (self.net(batch[0]) - batch[1]).square().mean()

        def configure_optimizers(self):
            return torch.optim.AdamW(self.parameters(), lr=1e-2)

    callback = StabilityCallback()
    fit(Same(), callback, trainer=older.Trainer, epochs=1)
    assert len(callback.steps) == 16


def test_the_hint_where_lightning_is_missing():
    code = (
        "import sys\nfor name in ('lightning', 'pytorch_lightning'): sys.modules[name] = None\n"
        "import stability.numerics.callbacks.lightning"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.splitlines()[-1] == (
        "ImportError: stability.numerics.callbacks.lightning needs Lightning: pip install 'stability[lightning]'"
    )
