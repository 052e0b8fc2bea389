"""Every format and kind of the collection, both trainings: the right verdict, and no counter among the losses."""

import importlib
import math

import pytest
from formats import FORMATS, training
from formats.form import Training
from judged import judged
from kinds import KINDS

TRAININGS = (("healthy", 1e-4), ("lost", 1e-2))
UNDECIDED = ("sum_of_an_epoch", "sum_of_an_epoch_in_a_bar", "rewards_in_json", "never_evaluated")
"""A sum that begins again with each epoch, and losses without a direction, stay undecided in a healthy training.

So does an evaluation that is NaN each time: it may have failed, or not been made."""


def counts_up(values: list[float]) -> bool:
    """Whether whole numbers go up by the same amount, as steps do."""
    whole = all(math.isfinite(v) and v == int(v) for v in values)
    return (
        len(values) > 3
        and whole
        and len({b - a for a, b in zip(values, values[1:], strict=False)} - {0.0}) == 1
    )


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_is_read_and_judged(name: str) -> None:
    for ends, lr in TRAININGS:
        found = judged(FORMATS[name].write(training(ends, lr=lr, seed=1)), lr)
        assert found.kind(ends) == "right", f"{ends}: {found.label} {found.evidence}"
        assert not [loss for loss, values in found.losses.items() if counts_up(values)]


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_of_writing_is_read_and_judged(name: str) -> None:
    for ends, lr in TRAININGS:
        found = judged(KINDS[name](_longer(ends, lr)), lr)
        if name not in UNDECIDED or ends == "lost":
            assert found.kind(ends) == "right", f"{ends}: {found.label} {found.evidence}"
        assert found.kind(ends) not in ("lost STABLE", "healthy DIVERGED")
        assert not [loss for loss, values in found.losses.items() if counts_up(values)]


def _longer(ends: str, lr: float) -> Training:
    return training(ends, lr=lr, seed=5, epochs=9, steps_an_epoch=11)


WORDS_FOR_NAN = (
    *(
        "nan",
        "-nan",
        "NaN",
        "null",
        "None",
        "N/A",
        "NA",
        "-nan(ind)",
        "1.#QNAN",
        "NaN32",
        "+nan.0",
        "Inf",
        "-inf",
    ),
    *(
        "Inf32",
        "Infinity",
        "∞",
        "undefined",
        "#NUM!",
        "nil",
        "--",
        "QNaN",
        "*****",
        "nan%",
        "[nan]",
        "tensor(nan)",
    ),
)
LINES = (
    "step {i} loss {v}",
    "Epoch 1 [{i}/99] Loss: {v} ({v})",
    "{i}\t{v}\t0.01",
    "{{'step': {i}, 'loss': {v}, 'lr': 0.01}}",
    "loss {v} at step {i}",
    "The loss after step {i} is {v}",
    "  {i}   cost   =   {v}   time  = 1.2",
    "Schritt {i}: Verlust {v}",
)


@pytest.mark.parametrize("line", LINES)
def test_a_word_for_nan_in_place_of_a_loss_is_one(line: str) -> None:
    lost = training("lost", lr=0.01, seed=4).loss[40:]
    for word in WORDS_FOR_NAN:
        printed = [line.format(i=i, v=word if math.isnan(v) else f"{v:.4f}") for i, v in enumerate(lost)]
        found = judged({"a.log": "\n".join(printed) + "\n"}, 0.01)
        assert found.label == "DIVERGED", f"{word}: {found.evidence}"


HARMLESS = {
    "an option": "nan_policy: raise\n{log}",
    "advice": "# gradients may explode without clipping\n{log}",
    "a search for a loss scale": "Gradient overflow.  Skipping step, loss scaler 0 reducing loss scale to 8\n"
    * 12
    + "{log}",
    "none found": "{log}No NaN found in weights. Training finished.\n",
    "a check": "{log}Checked 0 parameters for NaN or inf: all finite\n",
    "early stop": "{log}Early stopping: validation did not improve\n",
    "a detector": "{log}spike/divergence detector: off\n",
    "a table of counts": "{log}overflow buckets: 0\n",
}


@pytest.mark.parametrize("around", HARMLESS)
def test_words_that_say_nothing_of_the_training_change_nothing(around: str) -> None:
    log = "".join(f"step {i} loss {v:.4f}\n" for i, v in enumerate(training("healthy", lr=1e-4, seed=4).loss))
    assert judged({"a.log": HARMLESS[around].format(log=log)}, 1e-4).label == "STABLE"


LAST_WORDS = (
    "Model diverged with loss = NaN",
    "[warn] nan grad at step 66, skipped\n" * 9,
    "Non-finite values detected in gradients",
    "parameter decoder.weight contains NaN",
    "Training became unstable, aborting run",
    "loss 1.2e9 exceeds threshold 1e4, stopping",
    "Divergence detected, stopping",
    "Trial pruned: objective is nan",
    "final loss: nan",
    "Final validation perplexity nan",
)


@pytest.mark.parametrize("words", LAST_WORDS)
def test_last_words_of_a_lost_training_are_heard(words: str) -> None:
    log = "".join(f"step {i} loss {3 - i / 40:.4f}\n" for i in range(60))
    assert judged({"a.log": f"{log}{words}\n"}, 0.01).label == "DIVERGED"


def test_formats_know_nothing_of_the_reader() -> None:
    for module in importlib.import_module("formats").MODULES:
        assert not [
            name
            for name in vars(module)
            if getattr(vars(module)[name], "__module__", "").startswith("stability")
        ]
