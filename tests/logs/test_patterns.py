"""Lines -> observations, by regular expressions."""

import math

import pytest

from stability.logs.patterns import Pattern, Reader

SEED = r"Epoch (?P<epoch>\d+): loss=(?P<total>[\d.]+), mel=(?P<mel>[\d.]+), stop=(?P<stop>[\d.]+)"


def read(lines, *patterns, evaluate=()):
    made = [Pattern(text) for text in patterns] + [Pattern(text, is_evaluation=True) for text in evaluate]
    reader = Reader(made)
    return list(reader.read(lines)), reader


def test_groups_name_what_a_number_is():
    (seen,), reader = read(["[12:00] Epoch 1: loss=9.1030, mel=0.69, stop=7.597"], SEED)
    assert (seen.epoch, seen.step) == (1.0, None)
    assert seen.values == {"total": 9.103, "mel": 0.69, "stop": 7.597}
    assert (reader.lines, reader.matched) == (1, 1)


def test_nan_is_read_though_the_expression_knows_only_digits():
    (seen,), _ = read(["Epoch 2: loss=nan, mel=-inf, stop=7.597"], SEED)
    assert math.isnan(seen.values["total"])
    assert seen.values["mel"] == -math.inf
    assert seen.values["stop"] == 7.597
    assert seen.epoch == 2


def test_nan_is_read_where_the_expression_allows_one_form_of_number_only():
    for form in (r"\d\.\d{4}", r"\d+", r"\d\.\d$", r"\d\.\d{4}e[+-]\d\d", r"\d\.\d\d(?= |$)", r"[^N]+"):
        (seen,), _ = read(["step 7 loss: NaN"], rf"step (?P<step>\d+) loss: (?P<mel>{form})")
        assert math.isnan(seen.values["mel"]), form
        assert seen.step == 7


def test_a_group_that_took_no_part_is_left_out():
    pattern = r"loss=(?P<total>\S+)(?: kl=(?P<kl>\S+))?"
    seen, _ = read(["loss=1.5", "loss=1.4 kl=0.2"], pattern)
    assert [s.values for s in seen] == [{"total": 1.5}, {"total": 1.4, "kl": 0.2}]


def test_nan_in_a_part_that_may_be_missing_is_read():
    (seen,), _ = read(["loss=1.5 kl=nan"], r"loss=(?P<total>\S+)(?: kl=(?P<kl>[\d.]+))?")
    assert seen.values["total"] == 1.5
    assert math.isnan(seen.values["kl"])


def test_a_line_may_be_a_step_and_an_evaluation():
    seen, _ = read(
        ["loss: 1.5 - val_loss: 1.7"], r"(?<!_)loss: (?P<mel>\S+)", evaluate=[r"val_loss: (?P<mel>\S+)"]
    )
    assert [(s.is_evaluation, s.values["mel"]) for s in seen] == [(False, 1.5), (True, 1.7)]


def test_what_matched_nothing_is_kept_to_be_shown():
    seen, reader = read(["starting", "x" * 500, "third", "fourth"], SEED)
    assert not seen
    assert (reader.lines, reader.matched) == (4, 0)
    assert reader.first == ["starting", "x" * 120, "third"]


def test_an_absurd_step_is_no_step():
    seen, _ = read(["step 99999999999999999999 loss=1"], r"step (?P<step>\d+) loss=(?P<mel>\d)")
    assert seen[0].step is None


@pytest.mark.parametrize(
    "loss",
    [r"loss\D+(?P<loss>[\d.]+)", r"loss.*?(?P<loss>\d+\.\d+)", r"loss[^\d]*(?P<loss>[\d.]+)", r"loss.*?(?P<loss>\d\.\d)\b"],
)  # fmt: skip
def test_an_expression_that_could_go_past_a_nan_does_not_take_the_next_number(loss):
    (seen,), _ = read(["step 10 loss = nan lr = 2.0"], rf"step (?P<step>\d+) {loss}")
    assert seen.step == 10
    assert math.isnan(seen.values["loss"])


def test_an_expression_that_takes_the_last_number_does_not_go_back_to_one_before_a_nan():
    (seen,), _ = read(["loss=2.0 mean_loss=nan"], r".*loss=(?P<loss>[\d.]+)")
    assert math.isnan(seen.values["loss"])


@pytest.mark.parametrize("line", ["step 3 loss=2.0 grad_norm=nan", "nan check on; step 3 loss=2.0 eta inf"])
def test_a_nan_that_belongs_to_no_group_changes_nothing(line):
    for loss in (r"(?P<loss>[\d.]+)", r"(?P<loss>\S+)", r"(?P<loss>\d\.\d)(?P<kl> kl=\S+)?"):
        (seen,), _ = read([line], rf"step (?P<step>\d+) loss={loss}")
        assert (seen.step, seen.values) == (3, {"loss": 2.0})


def test_a_line_of_very_many_nans_is_read_in_no_time():
    (seen,), _ = read(["loss=2.0" + " nan" * 10_000], r"loss=(?P<loss>[\d.]+)")
    assert seen.values == {"loss": 2.0}


@pytest.mark.parametrize("text", ["1.#QNAN", "-1.#IND00", "1.#J", "1.#QO", "-1.#IO", "1.#INF00"])
@pytest.mark.parametrize("form", [r"[\d.]+", r"-?\d+", r"[-+\d.e]+", r"\S+", r"1\."])
def test_the_1_of_a_microsoft_nan_is_no_number(text, form):
    (seen,), _ = read([f"step 4 loss: {text} lr: 0.5"], rf"step (?P<step>\d+) loss: -?(?P<loss>{form})")
    assert seen.step == 4
    assert not math.isfinite(seen.values["loss"])


LINE = r"step (?P<step>\d+)(?: loss=(?P<loss>\S+))?(?: kl=(?P<kl>\S+))?"


def lines(unread, count=40):
    return [f"step {i} loss={'.foo' if unread(i) else '0.5'} kl=-" for i in range(count)]


def test_a_loss_that_cannot_be_read_any_more_leaves_the_end_unknown():
    _, reader = read(lines(lambda i: i >= 10), LINE)
    assert list(reader.notes()) == [
        "40 of 40 matched lines had no number in `kl`: '-'",
        "30 of 40 matched lines had no number in `loss`: '.foo'",
    ]
    assert reader.problem() == (
        "the last 30 matched lines had no number in `loss` but '.foo', and those before had: "
        "how the training ended is unknown"
    )


@pytest.mark.parametrize("unread", [lambda i: i < 30, lambda i: i % 8, lambda i: i >= 37, lambda i: i % 2])
def test_a_loss_that_is_now_and_then_no_number_is_noted_only(unread):
    _, reader = read(lines(unread), LINE)
    assert any("no number in `loss`: '.foo'" in sentence for sentence in reader.notes())
    assert reader.problem() is None


def test_a_group_that_takes_no_part_to_the_end_is_no_gap():
    _, reader = read(["step 1 loss=0.5 kl=0.1", *["step 2 loss=0.5"] * 30], LINE)
    assert (list(reader.notes()), reader.problem()) == ([], None)


def test_a_loss_that_another_expression_still_reads_is_no_gap():
    texts = [text for i in range(20) for text in (f"bar loss=0.5 {i}", f"mean loss=none {i}")]
    _, reader = read(["mean loss=0.4", *texts], r"bar loss=(?P<loss>\S+)", r"mean loss=(?P<loss>\S+)")
    assert reader.problem() is None
