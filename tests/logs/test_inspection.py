""" "What I read": short sentences, and what to do next."""

import pytest

from stability.logs.inspection import inspect_run

LOG = "".join(f"step {i} loss {3 - i / 10:.2f} lr 0.1 val_loss {3 - i / 9:.2f} kl 0.{5 + i}1\n" for i in range(20))


def sentences(text: str) -> list[str]:
    return inspect_run(text.encode(), b"", None).sentences


def test_what_was_read_is_told_in_short_sentences() -> None:
    told = sentences(LOG)
    assert told[5] == (
        "  taken from them: `step` is the step, `loss` is the loss, `lr` is the learning rate, "
        "`val_loss` is the loss of an evaluation, `kl` is the loss term kl"
    )
    assert told[-1].endswith("rules need numbers that are not in it; `stability show` names them for each trial")
    assert all(len(sentence.split()) <= 25 for sentence in told if not sentence.startswith("  "))


@pytest.mark.parametrize("text", ["hello\n", "epoch 3 accuracy 0.5\n"])
def test_where_nothing_is_read_the_next_step_is_named(text: str) -> None:
    assert sentences(text)[0].endswith('; name the loss: `parse: {loss: "words before the number"}`')


def test_numbers_that_were_not_measured_are_told() -> None:
    told = sentences("".join(f"epoch {i} loss {3 - i / 5} val_loss {2.5 if i % 3 else 'nan'}\n" for i in range(9)))
    assert "`loss` of an evaluation was not measured 3 times: NaN or 0 stood there" in told
