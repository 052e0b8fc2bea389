"""What names and lines of logs mean, as programs write them."""

import math

import pytest

from stability.logs.guess import (
    UNKNOWN_EPOCH,
    UNKNOWN_LOSS,
    Meaning,
    components_of,
    meaning,
    of_columns,
    of_lines,
)
from stability.logs.patterns import Pattern, Reader
from stability.logs.sources import Sources
from stability.spec.command import Parse

UNKNOWN = {"train": [UNKNOWN_EPOCH, UNKNOWN_LOSS]}


@pytest.mark.parametrize(
    ("name", "means"),
    [
        ("loss", Meaning("total")),
        ("train/mel_loss", Meaning("mel")),
        ("val_kl", Meaning("kl", True)),
        ("eval/loss", Meaning("total", True)),
        ("global_step", Meaning("step")),
        ("trainer/global_step", Meaning("step")),
        ("learning_rate", Meaning("lr")),
        ("grad_norm", Meaning("grad_norm")),
        ("accuracy", None),
        ("_runtime", None),
        ("epoch", Meaning("epoch")),
    ],
)
def test_names(name, means):
    assert meaning(name) == means


def test_columns_of_lightning():
    names = ["epoch", "step", "train_mel", "train_mel_epoch", "train_total", "val_mel", "val_stop", "lr-Adam"]
    assert of_columns(names) == {
        "train": {"epoch": "epoch", "step": "step", "mel": "train_mel", "total": "train_total"},
        "evaluate": {"mel": "val_mel"},
    }


def read(lines):
    found = of_lines(lines)
    patterns = [Pattern(text, is_evaluation=kind == "evaluate") for kind in found for text in found[kind]]
    seen: dict[bool, dict] = {False: {}, True: {}}
    for observation in Reader(patterns).read(lines):
        seen[observation.is_evaluation] |= observation.values
    return seen


def test_the_first_report_s_log():
    lines = ["Epoch 1: loss=9.1030, mel=0.69, stop=7.597", "Validation: loss=2.929, mel=0.693, stop=2.236"]
    assert read(lines) == {
        False: {"total": 9.103, "mel": 0.69, "stop": 7.597},
        True: {"total": 2.929, "mel": 0.693, "stop": 2.236},
    }


def test_a_keras_bar_and_a_dictionary():
    assert read(["12/12 [====] - 3s - loss: 0.5000 - val_loss: 0.7000"]) == {
        False: {"loss": 0.5},
        True: {"loss": 0.7},
    }
    line = "{'loss': '5.249', 'grad_norm': '2.94', 'learning_rate': '0.001', 'epoch': '0.25'}"
    assert read([line])[False] == {"loss": 5.249, "grad_norm": 2.94, "lr": 0.001}


def test_nothing_that_looks_like_a_loss():
    with pytest.raises(ValueError, match="nothing in it looks like a training loss"):
        of_lines(["accuracy=0.5", "hello"])


class Tape:
    def __init__(self):
        self.steps, self.evaluations = [], []

    def step(self, losses, *, step, epoch, measures, **scalars):
        self.steps.append((step, {**losses, **scalars}))

    def evaluate(self, losses, epoch):
        self.evaluations.append((epoch, losses))


def steps(text, given=None, weighed=()):
    """What is recorded of a log, read as it is guessed, and what cannot be judged."""
    parse = Parse.model_validate({"stdout": given or of_lines(text.replace("\r", "\n").splitlines())})
    tape = Tape()
    sources = Sources(parse, {}, tape, weighed)
    sources.printed("stdout", text.encode())
    sources.finish()
    return tape.steps, tape.evaluations, sources.problem()


def test_commas_between_thousands_and_before_decimals():
    assert steps("step 1,200 loss: 5,000.5\nstep 1,201 loss: 1,234.0\n")[0] == [
        (1200, {"loss": 5000.5}), (1201, {"loss": 1234.0})
    ]  # fmt: skip
    assert steps("loss: 2,4500, mel: 0,5\nloss: 1,125, mel: nan\n")[0][0] == (0, {"total": 2.45, "mel": 0.5})
    broken = steps("loss: 2,4500, mel: 0,5\nloss: 1,125, mel: nan\n")[0][1]
    assert broken[1]["total"] == 1.125
    assert math.isnan(broken[1]["mel"])


@pytest.mark.parametrize(
    ("text", "message"),
    [("loss: 2,450\nloss: 2,451", "the comma in '2,450' may stand before decimals or between thousands"),
     ("loss: 2,45\nloss: 2.45", "in '2,45' may stand .*, and others have points, such as '2.45'"),
     ("loss: 2.5,3.5", "in '2.5,3.5' may stand")],
)  # fmt: skip
def test_a_comma_that_may_mean_both_is_refused(text, message):
    with pytest.raises(ValueError, match=message):
        of_lines(text.splitlines())


def test_no_part_before_a_comma_is_taken_for_the_number():
    for given in (UNKNOWN, of_lines(["loss: 2.5"])):
        recorded, _, problem = steps("loss: 2,4500\n", given)
        assert not recorded
        assert problem


def test_a_header_s_number_of_steps_is_no_step():
    text = "Total optimization steps: 1000\nstep 1 loss=2.0\nstep 2 loss=1.9\n"
    assert [step for step, _ in steps(text)[0]] == [1, 2]


def test_steps_in_lines_of_their_own_count_where_they_go_on():
    text = "".join(f"--> STEP: {i}\n | > loss: {2.0 - i / 10}\n" for i in range(3))
    assert [step for step, _ in steps(text)[0]] == [0, 1, 2]


def test_validation_after_a_time_and_a_level():
    line = "2024-01-01 10:00:00 INFO {}: loss=2.0, mel=0.5\n"
    recorded, evaluated, _ = steps(line.format("Step 1") + line.format("Validation") + line.format("Step 2"))
    assert [step for step, _ in recorded] == [1, 2]
    assert evaluated == [(0, {"total": 2.0, "mel": 0.5})] or evaluated == [(0, {"mel": 0.5})]


def test_a_word_in_every_line_does_not_make_all_of_them_evaluations():
    assert steps("test run: step 1 loss=2.0\ntest run: step 2 loss=1.0\n")[0] == [
        (1, {"loss": 2.0}), (2, {"loss": 1.0})
    ]  # fmt: skip


def test_nanogpt():
    text = "step 0: train loss 10.98, val loss 10.97\niter 0: loss 10.95, time 812.3ms, mfu -100.00%\n"
    recorded, evaluated, _ = steps(text + "iter 1: loss 10.90, time 812.3ms, mfu -100.00%\n")
    assert recorded == [(0, {"loss": 10.95}), (1, {"loss": 10.9})]
    assert evaluated == [(0, {"loss": 10.97})]


def test_numpy_2_and_brackets():
    assert read(["{'loss': np.float32(2.5), 'mel': np.float64(nan)}"])[False]["total"] == 2.5
    assert math.isnan(read(["{'loss': np.float32(2.5), 'mel': np.float64(nan)}"])[False]["mel"])
    assert read(["[loss=2.5][mel=1.5]"])[False] == {"total": 2.5, "mel": 1.5}


@pytest.mark.parametrize("given", [None, UNKNOWN])
def test_a_bar_s_place_is_the_step_and_its_repeated_states_are_one(given):
    text = "\r  0%|     | 0/3 [00:00<?, ?it/s]\r 33%|#| 1/3 [00:01<00:02, loss=9.0]\r 33%|#| 1/3 [00:01<00:02, loss=8.0]"
    text += "\r 66%|#| 2/3 [00:01<00:02, loss=8.0]\r 66%|#| 2/3 [00:01<00:02, loss=7.0]\n"
    assert steps(text * 2, given)[0] == [
        (1, {"loss": 8.0}), (2, {"loss": 7.0}), (3, {"loss": 8.0}), (4, {"loss": 7.0})
    ]  # fmt: skip


@pytest.mark.parametrize("bar", ["1/2 [==>..] - loss: {}\n2/2 [====] - loss: {}\n", "1/2 ━━── 3s - loss: {}\n2/2 ━━━━ 3s - loss: {}\n"])  # fmt: skip
@pytest.mark.parametrize("given", [None, UNKNOWN])
def test_keras_bars_under_epochs(bar, given):
    text = "Epoch 1/2\n" + bar.format(4.0, 3.0) + "Epoch 2/2\n" + bar.format(2.0, 1.0)
    assert [(step, values["loss"]) for step, values in steps(text, given)[0]] == [
        (1, 4.0),
        (2, 3.0),
        (3, 2.0),
        (4, 1.0),
    ]


def test_bars_of_one_state_an_epoch_are_steps():
    text = "".join(f"Epoch {i}/3\n7/7 [====] - loss: {i}.0\n" for i in (1, 2, 3))
    assert [values["loss"] for _, values in steps(text, UNKNOWN)[0]] == [1.0, 2.0, 3.0]


@pytest.mark.parametrize(
    ("text", "value"),
    [("loss: -0.5", -0.5), ("loss: .5", 0.5), ("loss=-inf", -math.inf), ("loss -.5", -0.5), ("'loss': '0.5'", 0.5),
     ("loss 2.5, lr", 2.5), ("loss: tensor(2.5)", 2.5), ("Loss = 1e-3|", 1e-3), ("loss: (2.5)", 2.5), ("loss:5,000.5", 5000.5)],
)  # fmt: skip
def test_a_loss_in_a_log_of_which_nothing_is_known(text, value):
    assert steps(text, UNKNOWN)[0] == [(0, {"loss": value})]


@pytest.mark.parametrize(
    "text", ["loss function: mse", "loss went down", "val_loss: 2.5", "loss curve saved"]
)
def test_words_about_losses_are_none(text):
    assert steps(text, UNKNOWN)[0] == []


def test_all_that_is_no_component():
    assert components_of([r"(?P<weight_norm>.)(?P<grad_scale>.)(?P<lr>.)(?P<mel>.)(?P<step>.)"]) == ["mel"]


def test_a_line_of_very_many_digits_is_read_in_no_time():
    assert steps(f"loss={'1' * 60_000}x loss {'/' * 60_000}", UNKNOWN)[0] == []
