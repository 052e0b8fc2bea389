"""The callback for Hugging Face's Trainer in real trainings: nothing changes, what fails is named at its step."""

from __future__ import annotations

import logging
import math
import subprocess
import sys

import pytest
import torch
from torch import nn

pytest.importorskip("transformers")
pytest.importorskip("accelerate")

from transformers import LlamaConfig, LlamaForCausalLM, Trainer, TrainingArguments  # noqa: E402

from stability.numerics.callbacks.transformers import StabilityCallback  # noqa: E402
from stability.records import EventKind, Measure, Severity, StopTrial, UserError  # noqa: E402

GENERATOR = torch.Generator().manual_seed(1)
X = torch.randn(512, 6, generator=GENERATOR)
DATA = [{"x": x, "labels": torch.tanh(x[:3])} for x in X]
FAILS = 7
"""The batch at which the logarithm of a shrinking number becomes that of a negative one."""


@pytest.fixture(autouse=True)
def one_thread():
    """Half precision on several threads takes seconds on a machine that is busy."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


class Regression(nn.Module):
    """Two loss components, and the loss that they make; remembers what it computed in training."""

    def __init__(self, *, fails: bool = False) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.net = nn.Sequential(nn.Linear(6, 16), nn.Tanh(), nn.Dropout(0.2), nn.Linear(16, 3))
        self.fails = fails
        self.seen: list[float] = []

    def predict(self, x):
        return self.net(x).float()

    def forward(self, x, labels):
        square = (self.predict(x) - labels).square().mean()
        left = FAILS - 0.5 - len(self.seen) if self.fails else 1.0
        log = (square * 0.0 + left).log()
        if self.training:
            self.seen.append(square.item())
        return {"loss": square + 0.1 * log, "square": square, "log": log, "correct": torch.tensor(0.0)}


class Plain(Regression):
    """Returns a tuple, with its loss first, and can be compiled."""

    def forward(self, x, labels):
        predicted = self.predict(x)
        return (predicted - labels).square().mean(), predicted


@pytest.fixture
def train(tmp_path):
    """Train without any output; 16 batches an epoch. Returns the trainer."""

    def run(model, callback=None, *, trainer=Trainer, steps=50, data=DATA, batch_size=32, **options):
        arguments = TrainingArguments(
            output_dir=str(tmp_path),
            max_steps=steps,
            per_device_train_batch_size=batch_size,
            learning_rate=1e-2,
            report_to=[],
            disable_tqdm=True,
            save_strategy="no",
            logging_steps=1,
            use_cpu=True,
            seed=3,
            **options,
        )
        callbacks = [callback] if callback else []
        made = trainer(model, arguments, train_dataset=data, eval_dataset=data[:8], callbacks=callbacks)
        made.train()
        return made

    return run


def weights(trainer):
    return [weight.detach() for weight in trainer.model.parameters()]


def logged(trainer, name):
    return [line[name] for line in trainer.state.log_history if name in line]


def alarms(callback):
    return [event for event in callback.events if event.severity is not Severity.FACT]


WAYS = {
    "plain": {},
    "no clipping": {"max_grad_norm": 0.0},
    "clip": {"max_grad_norm": 0.1},
    "accumulate": {"gradient_accumulation_steps": 3},
    "bf16": {"bf16": True},
    "evaluate": {"eval_strategy": "steps", "eval_steps": 10},
    "compile": {"torch_compile": True, "torch_compile_backend": "eager"},
}


@pytest.mark.parametrize("way", WAYS)
def test_training_is_the_same_to_the_last_bit_and_a_healthy_one_gives_no_alarm(way, train):
    """The Trainer logs the gradient norm from before clipping."""
    callback = StabilityCallback()
    without, watched = train(Plain(), **WAYS[way]), train(Plain(), callback, **WAYS[way])
    assert all(map(torch.equal, weights(without), weights(watched)))
    assert [step.grad_norm for step in callback.steps] == pytest.approx(logged(watched, "grad_norm"))
    assert [step.total for step in callback.steps] == pytest.approx(logged(watched, "loss"), rel=1e-3)
    assert len(callback.steps) == 50 and alarms(callback) == []


def test_the_factor_of_clipping_is_measured(train):
    callback = StabilityCallback()
    train(Regression(), callback, steps=10, max_grad_norm=0.1)
    wanted = [min(1.0, 0.1 / step.grad_norm) for step in callback.steps]
    assert [step.measures[Measure.CLIP_FACTOR] for step in callback.steps] == pytest.approx(wanted, rel=1e-3)
    assert Measure.UPDATE_RATIO in callback.steps[4].measures


@pytest.mark.parametrize("micro_batches", [1, 3])
def test_a_nan_is_caught_at_its_step_and_ends_the_training(micro_batches, train, caplog):
    callback = StabilityCallback()
    with caplog.at_level(logging.WARNING, logger="stability"):
        trainer = train(Regression(fails=True), callback, gradient_accumulation_steps=micro_batches)
    step = FAILS // micro_batches
    first = callback.events[0]
    assert (first.step, first.kind, first.where) == (step, EventKind.NAN_LOSS, "log")
    assert len(callback.steps) == step + 3 == trainer.state.global_step  # a lone NaN ends nothing
    assert callback.watch.steps == callback.steps
    assert caplog.messages[1] == f"log loss nan at step {step}"


def test_the_filter_that_hides_nan_is_switched_off_and_said_so(train, caplog):
    with caplog.at_level(logging.WARNING, logger="stability"):
        hidden = train(Regression(fails=True), steps=10)
        told = train(Regression(fails=True), StabilityCallback(stop=False), steps=10)
    assert not any(map(math.isnan, logged(hidden, "loss")))
    assert math.isnan(logged(told, "loss")[FAILS])
    said = "logging_nan_inf_filter switched off: it hides NaN and infinite losses in logs"
    assert caplog.messages.count(said) == 1


def test_without_stop_the_training_goes_on(train):
    callback = StabilityCallback(stop=False)
    train(Regression(fails=True), callback, steps=12)
    assert callback.events[0].step == FAILS and len(callback.steps) == 12


def test_losses_of_micro_batches(train):
    callback, model = StabilityCallback(), Regression()
    train(model, callback, steps=6, gradient_accumulation_steps=3)
    first, last = callback.steps[0], callback.steps[-1]  # the last of 16 batches is left over
    assert first.losses == pytest.approx({"square": sum(model.seen[:3]) / 3, "log": 0.0})
    assert first.total == pytest.approx(sum(model.seen[:3]) / 3)
    assert first.batch == ("batch 0", "batch 1", "batch 2") and first.epoch == 0
    assert last.losses["square"] == last.total == pytest.approx(model.seen[15])


SENTENCES = [
    {"input_ids": ids, "labels": ids}
    for ids in (torch.randint(0, 20, (8,), generator=GENERATOR) for _ in range(10))
]


def test_a_loss_over_tokens_is_what_the_trainer_differentiates(train):
    """transformers divides by the tokens of all micro-batches, of which an epoch's last step has fewer."""
    torch.manual_seed(0)
    tiny = {"hidden_size": 8, "intermediate_size": 8, "num_attention_heads": 2, "num_hidden_layers": 1}
    model, callback = LlamaForCausalLM(LlamaConfig(vocab_size=20, **tiny)), StabilityCallback()
    trainer = train(model, callback, data=SENTENCES, steps=8, batch_size=4, gradient_accumulation_steps=2)
    assert [step.losses["loss"] for step in callback.steps] == pytest.approx(
        logged(trainer, "loss"), rel=1e-3
    )
    assert [step.grad_norm for step in callback.steps] == pytest.approx(logged(trainer, "grad_norm"))
    assert len(callback.steps[0].batch) == 2 and len(callback.steps[1].batch) == 1


class Scaled(Trainer):
    """A gradient scaler on the CPU, where accelerate makes none; it too unscales just before clipping."""

    def create_accelerator_and_postprocess(self):
        super().create_accelerator_and_postprocess()
        self.accelerator.scaler = torch.amp.GradScaler("cpu", init_scale=2.0**24)

    def _clip_grad_norm(self, model):
        self.accelerator.scaler.unscale_(self.optimizer.optimizer)
        return super()._clip_grad_norm(model)


class Half(Regression):
    """In half precision, where gradients times 2^24 overflow."""

    def predict(self, x):
        with torch.autocast("cpu", torch.float16):
            return self.net(x).float()


def test_gradients_and_losses_are_those_without_the_scale(train):
    callback, model = StabilityCallback(), Regression()
    trainer = train(model, callback, steps=10, trainer=Scaled, max_grad_norm=0.1)
    assert [step.total for step in callback.steps] == pytest.approx(model.seen)
    assert [step.grad_norm for step in callback.steps] == pytest.approx(logged(trainer, "grad_norm"))
    factors = [min(1.0, 0.1 / step.grad_norm) for step in callback.steps]
    measured = [step.measures[Measure.CLIP_FACTOR] for step in callback.steps]
    assert measured == pytest.approx(factors, rel=1e-3)
    assert {step.grad_scale for step in callback.steps} == {2.0**24}


def test_steps_that_a_scaler_skips_are_counted_and_are_no_nan(train):
    weights_, callback = [], StabilityCallback()
    for watcher in (None, callback):
        weights_.append(weights(train(Half(), watcher, trainer=Scaled)))
    assert all(map(torch.equal, *weights_))
    skipped = [step.skipped for step in callback.steps]
    assert skipped[0] and not skipped[-1] and alarms(callback) == []


class OwnLoss(Trainer):
    """A loss made of the model's output; the model's own takes part by half."""

    def compute_loss(self, model, inputs, **_):
        returned = model(**inputs)
        return 0.5 * returned["loss"] + 0.1 * returned["square"]


def test_a_loss_takes_part_with_its_coefficient(train):
    callback, model = StabilityCallback(losses=["square"]), Regression()
    trainer = train(model, callback, steps=5, trainer=OwnLoss)
    assert [step.total for step in callback.steps] == pytest.approx([0.5 * square for square in model.seen])
    assert [step.losses for step in callback.steps] == [{"square": square} for square in model.seen]
    assert [step.grad_norm for step in callback.steps] == pytest.approx(logged(trainer, "grad_norm"))


class Hidden(nn.Module):
    """Returns what a loss can be made of, deep inside."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Linear(6, 3)

    def forward(self, x, labels):
        return {"hidden": [self.net(x)]}


class HiddenLoss(Trainer):
    def compute_loss(self, model, inputs, **_):
        return (model(**inputs)["hidden"][0] - inputs["labels"]).square().mean()


def test_gradients_are_measured_after_clipping_where_there_is_no_other_way(train):
    callback = StabilityCallback()
    train(Hidden(), callback, steps=5, trainer=HiddenLoss, max_grad_norm=0.1)
    assert [step.grad_norm for step in callback.steps] == pytest.approx([0.1] * 5, rel=1e-3)
    assert all(step.losses == {} and step.total is None for step in callback.steps)


class Ends:
    """A recorder that has had enough at its third step."""

    def __init__(self) -> None:
        self.given = []

    def step(self, **values):
        self.given.append(values)
        if len(self.given) == 3:
            raise StopTrial("enough")


@pytest.mark.parametrize("trainer", [Trainer, Scaled])
def test_a_recorder_gets_every_step_and_may_end_the_training(train, trainer):
    model, recorder = Half(), Ends()
    callback = StabilityCallback(recorder=recorder)
    with pytest.raises(StopTrial, match="enough"):
        train(model, callback, trainer=trainer)
    assert [values["losses"]["square"] for values in recorder.given] == pytest.approx(model.seen[:3])
    callback.close()
    assert not model._forward_hooks and not model._forward_pre_hooks


def test_a_second_training_is_watched_anew(train):
    callback = StabilityCallback()
    for steps in (5, 6):
        model = train(Regression(), callback, steps=steps).model
    assert len(callback.steps) == 6 and callback.steps[0].batch == ("batch 0",)
    assert not model._forward_hooks and not model._forward_pre_hooks


def test_a_named_loss_that_is_nowhere(train):
    with pytest.raises(UserError) as error:
        train(Regression(), StabilityCallback(losses=["kl"]))
    assert str(error.value) == "loss 'kl' is not in what the model returned (loss, square, log, correct)"


class TwoDevices(TrainingArguments):
    n_gpu = 2


def test_several_gpus_in_one_process(tmp_path):
    arguments = TwoDevices(output_dir=str(tmp_path), report_to=[], disable_tqdm=True, use_cpu=True)
    trainer = Trainer(Regression(), arguments, train_dataset=DATA, callbacks=[StabilityCallback()])
    with pytest.raises(UserError) as error:
        trainer.train()
    assert str(error.value) == (
        "the Trainer spreads this model over 2 GPUs in one process, where it cannot be watched; start one process "
        "for each GPU (torchrun), or show it one (CUDA_VISIBLE_DEVICES=0)"
    )


def test_the_hint_where_transformers_is_missing():
    code = "import sys\nsys.modules['transformers'] = None\nimport stability.numerics.callbacks.transformers"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.splitlines()[-1] == (
        "ImportError: stability.numerics.callbacks.transformers needs transformers: "
        "pip install 'stability[transformers]'"
    )


class Predicts(Plain):
    """Returns no loss."""

    def forward(self, x, labels=None):
        return {"predicted": self.predict(x)}


class LossOfItsOwn(Trainer):
    def compute_loss(self, model, inputs, return_outputs=False, **_):
        output = model(**inputs)
        loss = (output["predicted"] - inputs["labels"]).square().mean()
        return (loss, output) if return_outputs else loss


def test_a_loss_that_the_trainer_makes_itself_is_missed_once_and_aloud(train, caplog):
    callback = StabilityCallback()
    with caplog.at_level(logging.WARNING, logger="stability"):
        train(Predicts(), callback, trainer=LossOfItsOwn, steps=5)
    said = (
        "the model returns no loss that is trained on; only gradients are watched: return the loss from the "
        "model's forward under the name 'loss'"
    )
    assert caplog.messages.count(said) == 1
    assert [step.losses for step in callback.steps] == [{}] * 5 and callback.steps[0].grad_norm > 0.0
