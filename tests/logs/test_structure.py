"""Lines, names, tables and documents -> fields, meanings, rows and roles: known answers."""

import json
import math
from pathlib import Path

import pytest
from judged import judged

from stability.judging.last_words import mentions_nonfinite, names_nonfinite, speaks_of_broken_training
from stability.logs.arrays import unrolled
from stability.logs.columns import title_of
from stability.logs.gaps import Gaps
from stability.logs.json_document import rows_in
from stability.logs.line_reader import read_line
from stability.logs.observation import Observation
from stability.logs.overlooked import Overlooked
from stability.logs.roles import decide
from stability.logs.rows import Names, of_kinds
from stability.logs.sections import Sections
from stability.logs.skips import Course, is_announced
from stability.logs.structural import Structural
from stability.logs.tables import Table
from stability.logs.text_tables import TextTable
from stability.logs.vocabulary import Sort, meaning
from stability.logs.words import words_of


def fields(text: str) -> dict[str, float | None]:
    return {own.name: own.value for own in read_line(text).fields}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("step 5: loss=0.25, lr=1e-4", {"step": 5, "loss": 0.25, "lr": 1e-4}),
        ("{'loss': 0.25, 'grad_norm': inf}", {"loss": 0.25, "grad_norm": math.inf}),
        ("Gen Loss Total : -inf | Steps : 1,200", {"Gen Loss Total": -math.inf, "Steps": None}),
        ("loss at step 5: 0.3", {"step": 5, "loss": 0.3}),
        ("Mem [MB]: 512 loss tensor(2.5, device='cuda:0')", {"Mem": 512, "loss": 2.5}),
        ("3.25 loss, 0.1 LR", {"loss": 3.25, "LR": 0.1}),
        ("步数：7，损失：0.5", {"步数": 7, "损失": 0.5}),
        ("Verlust 4,3254", {"Verlust": None}),
        ("2024-03-04 10:11:12,345 INFO loss 0.5 (12:30<1:02)", {"loss": 0.5}),
        ("G: 0.5 D: 0.25", {"G": 0.5, "D": 0.25}),
        ("The loss on held-out data was 0.5.", {"The loss on held-out data": 0.5}),
    ],
)
def test_fields_of_a_line(text: str, found: dict[str, float | None]) -> None:
    assert fields(text) == found


@pytest.mark.parametrize("word", ["nan", "NaN32", "-nan(ind)", "1.#QNAN", "+nan.0", "qnan"])
def test_a_nan_is_a_field_with_the_value_nan(word: str) -> None:
    assert math.isnan(fields(f"step 3 loss {word}")["loss"])


def test_a_nan_in_a_sentence_is_no_field() -> None:
    assert fields("RuntimeError: found nan in the batch") == {}


def test_a_fraction_and_a_unit_belong_to_their_number() -> None:
    done, took = read_line("12/100 took 3.5 ms").fields
    assert (done.value, done.most, took.unit) == (12, "100", "ms")


@pytest.mark.parametrize(
    ("name", "sort", "ours"),
    [
        ("train_loss", Sort.LOSS, "total"),
        ("Gen Loss Total", Sort.LOSS, "gen"),
        ("mel", Sort.TERM, "mel"),
        ("L_rec", Sort.LOSS, "rec"),
        ("L_total", Sort.LOSS, "total"),
        ("global_step", Sort.STEP, ""),
        ("Lernrate", Sort.LR, ""),
        ("学习率", Sort.LR, ""),
        ("训练损失", Sort.LOSS, "total"),
        ("perte", Sort.LOSS, "total"),
        ("best_val_loss", Sort.BESIDE, ""),
        ("grad norm", Sort.GRAD_NORM, ""),
        ("loss_scale", Sort.GRAD_SCALE, ""),
        ("val accuracy", Sort.METRIC, ""),
        ("Loss too large", Sort.UNKNOWN, ""),
    ],
)
def test_what_a_name_means(name: str, sort: Sort, ours: str) -> None:
    assert (meaning(name).sort, meaning(name).ours) == (sort, ours)


def test_words_are_cut_at_signs_changes_of_case_and_between_languages() -> None:
    assert words_of("valLoss/melDB") == ("val", "loss", "mel", "db")
    assert words_of("验证损失") == ("val", "loss")


def rows(*lines: str) -> list[tuple]:
    return [read_line(line).fields for line in lines]


def roles(*lines: str) -> dict[str, str]:
    found = decide(rows(*lines), at_end=True)
    return {} if found is None else {key.name: role.ours for key, role in found.roles.items() if role.ours}


def test_a_number_that_counts_up_is_the_step_and_no_loss() -> None:
    lines = [f"Train loss {i} {3 - i / 9:.4f} Grad Norm 6.4" for i in range(6)]
    found = decide(rows(*lines), at_end=True)
    assert {(key.nth, role.ours) for key, role in found.roles.items() if key.name == "train loss"} == {
        (1, "step"),
        (2, "loss"),
    }


def test_steps_may_have_commas_between_thousands() -> None:
    reader = Structural()
    lines = [f"step {i:,} loss {3 - i / 9000:.4f}" for i in range(990, 1010)]
    found = [*reader.read(lines), *reader.end()]
    assert [one.step for one in found] == list(range(990, 1010))


def test_an_unknown_name_is_a_loss_where_it_moves_as_one() -> None:
    assert roles(*(f"{i} | flurb {3 - i / 9 + i % 2:.4f} | lr 0.01" for i in range(9)))["flurb"] == "flurb"


def test_the_loss_for_the_final_step_is_the_loss() -> None:
    lines = [f"loss = {3 - i / 9:.4f}, step = {i}" for i in range(6)]
    found = decide(rows(*lines, "Loss for final step: 0.8706."), at_end=True)
    assert {role.ours for role in found.roles.values()} <= {"loss", "step", ""}


def test_closing_words_do_not_hide_the_rows_before_them() -> None:
    lines = [f"{50 * i:6d}/ {800:6d}: {0.7 * 0.8**i + i % 2 / 90:.4f}" for i in range(16)]
    reader = Structural()
    found = [*reader.read([*lines, "train 0.0651 0.9795", "val 0.0713 0.976"]), *reader.end()]
    assert [one.step for one in found if not one.is_evaluation] == [50 * i for i in range(16)]
    assert [one.values for one in found if one.is_evaluation] == [{"loss": 0.0713}]


def test_an_evaluation_by_the_name_of_the_training_is_read_though_it_comes_late() -> None:
    lines = [f"epoch {i // 5} it {i}: loss = {3 - i / 9:.4f}" for i in range(20)]
    reader = Structural()
    found = [*reader.read([*lines, "validation: loss 0.9500", "epoch 4 it 20: loss = 0.7000"]), *reader.end()]
    assert [one.values for one in found if one.is_evaluation] == [{"loss": 0.95}]
    assert found[-1].values["loss"] == 0.7 and not found[-1].is_evaluation


def test_named_losses_of_every_epoch_are_no_closing_words() -> None:
    lines = [line for i in range(5) for line in (f"{i}/ 5: {0.9 - i / 9 + i % 2:.4f}", f"train {3 - i / 7:.4f}")]
    assert roles(*lines) == {"train": "loss"}


def test_without_a_loss_there_is_no_reading() -> None:
    assert decide(rows("seed 3", "workers 4", "epochs 9"), at_end=True) is None


def test_a_nan_keeps_its_role() -> None:
    assert roles("step 1 loss 0.5", "step 2 loss nan", "step 3 loss inf") == {"step": "step", "loss": "loss"}


def test_a_table_names_the_numbers_below_its_header() -> None:
    table = TextTable()
    assert table.row("| Epoch | Train loss | lr |") is None
    found = {own.name: own.value for own in table.row("|     3 |     0.2500 | 1e-4 |").fields}
    assert found == {"Epoch": 3, "Train loss": 0.25, "lr": 1e-4}
    assert math.isnan(table.row("| 4 | nan | 1e-4 |").fields[1].value)
    assert table.row("training ends") is None


def table_of(*lines: str) -> list[dict[str, float]]:
    """The rows of a table in a text, by name."""
    table = TextTable()
    rows = [row for line in lines if (row := table.row(line)) is not None]
    return [{own.name: own.value for own in row.fields} for row in rows]


@pytest.mark.parametrize(
    "lines",
    [
        ("        Train      Valid      Learning", "Epoch   Loss       Loss       Rate",
         "-----   --------   --------   --------", "    1    3.70000    3.20000    1.0e-04"),
        ("| Epoch | Train | Valid | Learning |", "|       | Loss  | Loss  | Rate     |", "|-------|-------|", "| 1 | 3.7 | 3.2 | 1e-4 |"),
    ],
)  # fmt: skip
def test_names_over_several_lines_are_put_together(lines: tuple[str, ...]) -> None:
    assert table_of(*lines) == [
        {"Epoch": 1.0, "Train Loss": 3.7, "Valid Loss": 3.2, "Learning Rate": 1e-4},
    ]


def test_numbers_below_blank_cells_are_named_by_their_place() -> None:
    assert table_of(
        "Epoch    Step      Loss   Val loss        lr",
        "    1       0    4.3254              1.0e-04",
        "            1    4.0470              1.0e-04",
        "            2    3.9000     3.5000   1.0e-04",
    ) == [
        {"Epoch": 1.0, "Step": 0.0, "Loss": 4.3254, "lr": 1e-4},
        {"Step": 1.0, "Loss": 4.047, "lr": 1e-4},
        {"Step": 2.0, "Loss": 3.9, "Val loss": 3.5, "lr": 1e-4},
    ]


def test_a_sentence_above_names_is_no_part_of_them() -> None:
    rows = table_of("Training begins now", "epoch   loss    time", "    1    0.5     3.0")
    assert rows == [{"epoch": 1.0, "loss": 0.5, "time": 3.0}]


def test_what_should_rise_is_a_loss_times_minus_one_where_nothing_else_is() -> None:
    def taken(*lines: str) -> dict[str, bool]:
        found = decide(rows(*lines), at_end=True)
        return {role.ours: role.is_turned for role in found.roles.values() if role.ours}

    assert taken(*(f"elbo {i - 90}.5" for i in range(9))) == {"negative_elbo": True}
    assert taken(*(f"elbo {90 - i}.5" for i in range(9))) == {"elbo": False}
    assert taken(*(f"log-likelihood {i}.5" for i in range(9))) == {"nll": True}
    assert taken(*(f"negative log likelihood {9 - i}.5" for i in range(9))) == {"negative_log_likelihood": False}
    assert taken(*(f"elbo {i - 90}.5 loss {90 - i}.5" for i in range(9))) == {"loss": False}
    assert taken(*(f"episode reward {i}.5" for i in range(9))) == {"negative_episode_reward": True}
    assert taken(*(f"neg_loss {i - 9}.5" for i in range(9))) == {"loss": True}
    assert taken(*(f"neg_loss {9 - i}.5 pos_loss {i}.5" for i in range(9))) == {"neg": False, "pos": False}


def test_an_empty_cell_is_nan_where_every_row_before_had_a_number() -> None:
    gaps = Gaps()
    for _ in range(3):
        assert gaps.nans(("step", "loss", "lr"), ()) == []
    assert gaps.nans(("step", "lr"), ("loss",)) == ["loss"]


def test_an_empty_cell_is_none_in_a_row_of_another_kind_or_after_few() -> None:
    gaps = Gaps()
    gaps.nans(("step", "loss"), ("val_loss",))
    assert gaps.nans(("step",), ("loss", "val_loss")) == []
    for _ in range(3):
        gaps.nans(("step", "loss"), ("val_loss",))
    assert gaps.nans(("step", "val_loss"), ("loss",)) == []


@pytest.mark.parametrize(
    ("document", "found"),
    [
        (
            {"log_history": [{"step": 1, "loss": 0.5}, {"step": 2, "loss": "NaN"}]},
            [{"step": 1, "loss": 0.5}, None],
        ),
        (
            {"loss": [0.5, 0.25], "val_loss": [1.0, 2.0]},
            [{"loss": 0.5, "val_loss": 1.0}, {"loss": 0.25, "val_loss": 2.0}],
        ),
        ({"lr": 0.1}, []),
        ([0.5, 0.25], [{"~0": 0.5}, {"~0": 0.25}]),
    ],
)
def test_rows_of_a_document(document: object, found: list) -> None:
    own = rows_in(json.loads(json.dumps(document)))
    assert len(own) == len(found)
    for row, wanted in zip(own, found, strict=True):
        assert math.isnan(row["loss"]) if wanted is None else row == wanted


def test_a_null_to_the_end_is_nan_and_one_between_numbers_is_not() -> None:
    lost = rows_in([{"step": i, "loss": 0.5 if i < 3 else None} for i in range(6)])
    assert [math.isnan(row["loss"]) for row in lost] == [False] * 3 + [True] * 3
    sparse = rows_in([{"step": i, "loss": 0.5, "val": 0.5 if i % 2 == 0 else None} for i in range(6)])
    assert not any(math.isnan(value) for row in sparse for value in row.values())


def test_one_number_of_several_kinds_is_named_by_the_word_beside_it() -> None:
    assert of_kinds({"step": 3.0, "value": 0.5}, {"step": 3, "type": "loss", "value": 0.5}) == {
        "step": 3.0,
        "loss": 0.5,
    }
    assert of_kinds({"step": 3.0, "value": 0.5}, {"step": 3, "value": 0.5}) == {"step": 3.0, "value": 0.5}


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (["[" + ", ".join(f"{i}.5" for i in range(9)) + "]"], [i + 0.5 for i in range(9)]),
        (["losses: [" + ", ".join(f"{i}.5" for i in range(9)) + "]"], [i + 0.5 for i in range(9)]),
        (["[0.5 1.5 2.5 3.5", " 4.5 5.5 6.5 nan]"], [*(i + 0.5 for i in range(7)), None]),
        (["0.5 1.5 2.5"], None),
        (["a 0.5 b 1.5", "c 2.5"], None),
        ([f"[{', '.join(f'{i}.5' for i in range(9))}]"] * 2, None),
    ],
)
def test_numbers_in_a_row_are_unrolled(lines: list[str], found: list[float | None] | None) -> None:
    own = unrolled([read_line(line) for line in lines])
    values = own and [one.fields[0].value for one in own]
    assert (values and [None if math.isnan(v) else v for v in values]) == found


def test_a_list_of_many_numbers_is_read() -> None:
    reader = Structural()
    found = [*reader.read([f"loss: {[2 - i / 5000 for i in range(5000)]}"]), *reader.end()]
    assert [one.values for one in (found[0], found[-1])] == [{"loss": 2.0}, {"loss": 1.0002}]
    assert len(found) == 5000


def test_two_lists_stand_side_by_side() -> None:
    texts = [f"{name}: {[i + k / 2 for i in range(9)]}" for k, name in enumerate(("train loss", "val loss"))]
    own = unrolled([read_line(text) for text in texts])
    assert [[one.value for one in line.fields] for line in own][:2] == [[0.0, 0.5], [1.0, 1.5]]


@pytest.mark.parametrize(
    ("name", "title"),
    [("train_loss.txt", "train_loss"), ("accuracy.txt", "accuracy"), ("lr0.1.txt", ""), ("basic.txt", "")],
)
def test_a_file_of_one_column_names_its_numbers(name: str, title: str) -> None:
    assert title_of(Path(name)) == title


def test_columns_without_names_are_read() -> None:
    table = Table(Names(), are_gaps_nan=True)
    assert [table.read(line) for line in ("0,0.5,1e-3", "1,0.4,1e-3")] == [
        {"~0": 0.0, "~1": 0.5, "~2": 1e-3},
        {"~0": 1.0, "~1": 0.4, "~2": 1e-3},
    ]
    pandas = Table(Names(), are_gaps_nan=True)
    assert [pandas.read(line) for line in (",0", "0,0.5")] == [None, {"row": 0.0, "~1": 0.5}]


def test_batches_skipped_at_the_very_end_are_told() -> None:
    lines = [*(f"step {i} loss {3 - i / 40:.4f}" for i in range(60)), *["loss is nan, skipping batch"] * 2]
    found = judged({"a.log": "\n".join(lines) + "\n"}, 0.01)
    assert (found.label, found.evidence) == (
        "UNSTABLE",
        "2 batches were skipped by step 59: a loss that was not finite",
    )


def test_a_dash_between_numbers_is_no_lost_one() -> None:
    reader = Structural()
    lines = [f"Epoch {i} - loss: {3 - i / 9:.4f} - aux: {'nan' if i % 2 else '0.5'}" for i in range(9)]
    found = [*reader.read(lines), *reader.end()]
    assert [one.losses()["loss"] for one in found][:2] == [3.0, 2.8889]
    assert not reader.overlooked.problem()


def test_a_heading_holds_until_training_goes_on() -> None:
    sections, parts = Sections(), []
    for line in ("step 1 loss 0.5", "> EVALUATION", "loss 0.4", "step 2 loss 0.3"):
        parts += [own.part for own in sections.fields(read_line(line)) if own.name == "loss"]
    assert parts == ["", "evaluate", ""]


@pytest.mark.parametrize(
    "words",
    [
        "Loss is nan, stopping training",
        "FloatingPointError: x",
        "OverflowError: math range error",
        "损失为 nan，停止训练",
    ],
)
def test_last_words_that_name_what_is_not_finite(words: str) -> None:
    assert names_nonfinite(words)


@pytest.mark.parametrize(
    "words",
    [
        "FileNotFoundError: nan.txt",
        "KeyError: 'inf'",
        "OverflowError: Python int too large to convert to C long",
        "ModuleNotFoundError: No module named 'nan'",
    ],
)
def test_last_words_about_something_else(words: str) -> None:
    assert not names_nonfinite(words)


def test_words_of_what_would_be_done_say_nothing() -> None:
    assert not mentions_nonfinite("will check for inf")
    assert not mentions_nonfinite("number of nan iterations:")
    assert speaks_of_broken_training("the loss became nan")


def test_a_line_that_was_overlooked_is_quoted_until_a_finite_loss_follows() -> None:
    course = Course()
    overlooked = Overlooked(course)
    overlooked.words("loss is NaN, restoring the last checkpoint")
    assert (
        "printed no finite loss after it: 'loss is NaN, restoring the last checkpoint'"
        in overlooked.problem()
    )
    course.went_on(Observation({"loss": 0.5}))
    assert overlooked.problem() is None


def skipping(course: Course, said: str, shown: list[float]) -> Overlooked:
    """What is overlooked where each skipped batch is followed by a loss that is shown."""
    overlooked = Overlooked(course)
    for loss in shown:
        overlooked.words(said)
        course.went_on(Observation({"loss": loss}))
    return overlooked


def test_skipped_steps_count_only_in_a_row() -> None:
    course = Course()
    overlooked = skipping(course, "Gradient overflow. Skipping step", [3 - i / 9 for i in range(20)])
    assert overlooked.problem() is None
    for _ in range(8):
        overlooked.words("Gradient overflow. Skipping step")
    assert "its loss or gradient was not finite in the last 8 batches" in overlooked.problem()


@pytest.mark.parametrize("shown", [0.5, 0.0])
def test_skipped_batches_beside_a_number_that_stays_are_no_progress(shown: float) -> None:
    overlooked = skipping(Course(), "loss is nan, skipping batch", [1.0, 0.7, *[shown] * 9])
    assert names_nonfinite(overlooked.problem())
    assert overlooked.problem().endswith("'loss is nan, skipping batch'")


def test_a_training_that_came_back_from_as_many_skipped_batches_is_not_lost() -> None:
    course = Course()
    overlooked = Overlooked(course)
    for loss in (0.9, 0.8, 0.7, 0.6):
        course.went_on(Observation({"loss": loss}))
        for _ in range(5):
            overlooked.words("non-finite loss, skip")
    assert overlooked.problem() is None
    for _ in range(6):
        overlooked.words("non-finite loss, skip")
    assert "in the last 11 batches" in overlooked.problem()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("loss is nan, skipping batch", True),
        ("dropped 1 minibatch (loss: inf)", True),
        ("grads contain NaN or Inf; optimizer step not applied", True),
        ("non-finite gradient norm, ignoring this update", True),
        ("第 3 步损失为 nan，跳过该批次", True),
        ("skipped iterations: 0 | nan iterations: 0", False),
        ("batches skipped: 3 of them nan", False),
        ("skipping validation", False),
        ("dropout 0.1 in inference", False),
    ],
)
def test_what_announces_a_skipped_batch(text: str, said: bool) -> None:
    assert is_announced(text) is said


def test_a_skipped_batch_is_told_once_and_a_training_that_goes_on_is_not_lost() -> None:
    lines = [f"step {i} loss {3 - i / 40:.4f}" for i in range(60)]
    lines[20] = lines[31] = "loss is nan, skipping batch"
    found = judged({"a.log": "\n".join(lines) + "\n"}, 0.01)
    assert (found.label, found.evidence) == (
        "UNSTABLE",
        "a batch was skipped by step 21: a loss that was not finite",
    )


def test_a_number_without_a_role_is_quoted_with_how_often_it_came() -> None:
    overlooked = Overlooked(Course(steps=9))
    for _ in range(3):
        line = "thing nan"
        overlooked.field(line, read_line(line, forced=True).fields[0], math.nan)
    assert overlooked.problem() == (
        "a number that is not finite was printed, and nothing says of what: 'thing nan' (and 2 more)"
    )
