"""Tables, JSON lines and event files, while they grow and when they are written anew."""

import json
import math
import sys

import pytest

from stability.logs.events import EventFiles
from stability.logs.files import FILES
from stability.logs.jsonlines import JsonLines, row
from stability.logs.rows import Names
from stability.logs.tables import Table, header
from stability.logs.tail import Tail
from stability.spec.command import TableSource


def rows(text: str, wanted=()) -> list[dict[str, float]]:
    table = Table(Names({name: name for name in wanted}))
    return [found for line in text.splitlines() if (found := table.read(line)) is not None]


def test_a_table_with_text_empty_cells_and_nan():
    assert rows("epoch,mel,note\n0,1.5,ok\n1,,bad\n") == [{"epoch": 0.0, "mel": 1.5}, {"epoch": 1.0}]
    assert math.isnan(rows("mel;kl\nnan;0.5\n")[0]["mel"])


def test_a_late_header_and_what_stands_before_it():
    text = "# run 7\nstarted, slowly\nstep\ttrain/mel\n0\t0.7\n1\t0.6\n"
    assert rows(text, ["train/mel"]) == [{"step": 0.0, "train/mel": 0.7}, {"step": 1.0, "train/mel": 0.6}]


def test_a_header_that_comes_again_with_more_columns():
    text = "step,mel\n0,0.7\nstep,mel,kl\n1,0.6,0.1\n"
    assert rows(text, ["mel"])[1] == {"step": 1.0, "mel": 0.6, "kl": 0.1}


def test_a_byte_order_mark_is_no_part_of_a_name():
    assert rows("\ufeffstep,mel\n0,0.5\n") == [{"step": 0.0, "mel": 0.5}]


def test_quoted_cells():
    assert rows('step,"mel, raw"\n0,"0.7"\n', ["mel, raw"]) == [{"step": 0.0, "mel, raw": 0.7}]


def test_a_file_that_is_written_anew_with_another_column_gives_only_what_is_new(tmp_path):
    path = tmp_path / "metrics.csv"
    source = FILES["csv"](TableSource(path=str(path), train={"mel": "mel"}), path)
    assert list(source.new()) == []  # not there yet
    path.write_text("step,mel\n0,0.7\n1,0.6\n")
    assert [seen.values["mel"] for seen in source.new()] == [0.7, 0.6]
    path.write_text("step,mel,kl\n0,0.7,\n1,0.6,\n2,nan,0.3\n")
    (last,) = source.new()
    assert math.isnan(last.values["mel"])
    assert last.step == 2


def test_a_row_without_its_end_waits_for_it(tmp_path):
    path = tmp_path / "m.csv"
    source = FILES["csv"](TableSource(path=str(path)), path)
    path.write_text("step,mel\n0,0.7\n1,0.")
    assert [seen.values["mel"] for seen in source.new()] == [0.7]
    path.write_text("step,mel\n0,0.7\n1,0.65")
    assert [seen.values["mel"] for seen in source.end()] == [0.65]


def test_the_last_of_several_files_by_name_is_followed(tmp_path):
    for version in ("version_0", "version_1"):
        (tmp_path / version).mkdir()
        (tmp_path / version / "m.csv").write_text(version)
    assert b"".join(Tail(tmp_path / "*" / "m.csv").pieces()) == b"version_1"


def test_json_lines_with_nested_names_text_and_nan():
    line = json.dumps(
        {"step": 3, "loss": {"mel": math.nan, "kl": "inf"}, "phase": "train", "ok": True, "x": [1]}
    )
    found = row(line)
    assert math.isnan(found.pop("loss.mel"))
    assert found == {"step": 3.0, "loss.kl": math.inf}


@pytest.mark.parametrize("line", ["", "loss: 1", "[1, 2]", "{", '{"a": 1}}', "[" * 100_000])
def test_what_is_no_json_object(line):
    assert row(line) is None


def test_a_huge_integer_is_infinite():
    limit = sys.get_int_max_str_digits()
    assert row('{"mel": 1' + "0" * 400 + "}") == {"mel": math.inf}
    assert row('{"mel": 1' + "0" * (limit + 1) + "}") is None


def test_names_of_the_file_become_ours():
    names = Names({"mel": "train_mel", "step": "iteration"}, {"mel": "val_mel"})
    train, evaluation = names.read(
        {"iteration": 4.0, "epoch": 1.0, "train_mel": 0.5, "val_mel": 0.6, "x": 1.0}
    )
    assert (train.values, train.step, train.epoch, train.is_evaluation) == ({"mel": 0.5}, 4, 1.0, False)
    assert (evaluation.values, evaluation.is_evaluation) == ({"mel": 0.6}, True)
    assert names.read({"iteration": 5.0}) == []


def test_event_files_of_any_run_below_the_folder(tmp_path):
    tensorboard = pytest.importorskip("tensorboard", reason="TensorBoard is not installed")
    assert tensorboard
    from torch.utils.tensorboard import SummaryWriter

    events = EventFiles(tmp_path)
    assert list(events.new()) == []
    with SummaryWriter(tmp_path / "run") as writer:
        writer.add_scalar("loss/mel", 0.5, 0)
        writer.add_scalar("loss/mel", float("nan"), 1)
        writer.add_scalar("loss/new", 0.25, 1, new_style=True)
        writer.add_text("note", "hello", 1)
        writer.flush()
        first, second, third = events.new()
        assert first == {"loss/mel": 0.5, "step": 0.0}
        assert math.isnan(second["loss/mel"])
        assert third == {"loss/new": 0.25, "step": 1.0}
        writer.add_scalar("loss/mel", 0.1, 2)
    assert [seen["step"] for seen in events.new()] == [2.0]


def json_values(lines, **names):
    reader = JsonLines(Names(**names))
    return [reader.read(json.dumps(line)) for line in lines]


def test_a_json_null_is_nan_where_a_loss_is_due():
    lines = [{"step": 0, "loss": 2.0, "lr": None}, {"step": 1, "loss": None, "lr": None}]
    for names in ({}, {"train": {"mel": "loss", "step": "step", "lr": "lr"}}):
        first, second = json_values(lines, **names)
        assert first == {"step": 0.0, "loss": 2.0}
        assert math.isnan(second.pop("loss"))
        assert second == {"step": 1.0}


def test_a_json_null_from_the_first_step_on_is_nan_where_it_is_wanted():
    start, step = json_values([{"loss": None, "seed": 1}, {"step": 0, "loss": None}], train={"mel": "loss"})
    assert start == {"seed": 1.0}
    assert math.isnan(step["loss"])


def test_a_json_null_of_what_is_evaluated_now_and_then_is_nothing():
    names = {"train": {"mel": "loss"}, "evaluate": {"mel": "val"}}
    lines = [{"step": 0, "loss": 2.0, "val": 2.1}, {"step": 1, "loss": 1.0, "val": None},
             {"step": 1, "loss": None, "val": 1.1}]  # fmt: skip
    assert [set(found) for found in json_values(lines, **names)] == [
        {"step", "loss", "val"}, {"step", "loss"}, {"step", "val"}
    ]  # fmt: skip
    (broken,) = json_values([{"step": 2, "loss": None, "val": None}], **names)
    assert math.isnan(broken["loss"])
    assert math.isnan(broken["val"])
    unnamed = json_values([{"step": 0, "val": None}, {"step": 1, "val": 2.0}, {"step": 2, "val": None}])
    assert "val" not in unnamed[2]


def test_a_column_that_is_empty_to_the_end_leaves_the_end_unknown(tmp_path):
    path = tmp_path / "m.csv"
    source = FILES["csv"](TableSource(path=str(path)), path)
    path.write_text("step,mel,lr\n" + "".join(f"{i},0.5,\n" if i < 20 else f"{i},,1e-4\n" for i in range(40)))
    assert len(list(source.end())) == 40
    assert source.problem("csv") == (
        "parse.csv: the last 20 rows had no number in `mel`, and those before had: how the training ended is unknown"
    )


@pytest.mark.parametrize("names", [{}, {"train": {"mel": "train"}, "evaluate": {"mel": "val"}}])
def test_empty_cells_of_rows_for_evaluation_are_no_gap(tmp_path, names):
    path = tmp_path / "m.csv"
    source = FILES["csv"](TableSource(path=str(path), **names), path)
    epoch = "0,0.5,\n1,0.5,\n2,0.5,\n,,0.4\n,,0.4\n2,,0.4\n2,,0.4\n"
    path.write_text("step,train,val\n" + epoch * 5 + "2,,0.4\n" * 3)
    assert list(source.end())
    assert source.problem("csv") is None
    assert list(source.notes("csv")) == []


def test_decimal_commas_in_a_table_with_semicolons():
    assert rows("step;mel\n0;0,53\n1;0,5\n2;2,450\n") == [
        {"step": 0.0, "mel": 0.53}, {"step": 1.0, "mel": 0.5}, {"step": 2.0, "mel": 2.45}
    ]  # fmt: skip
    assert rows("step;mel\n0;2,450\n1;1,234.5\n") == [{"step": 0.0}, {"step": 1.0, "mel": 1234.5}]


def test_a_row_of_text_is_no_header():
    text = "phase,note,mel\ntrain,,0.5\ntrain,started,\nval,ended,well\ntrain,,0.25\n"
    assert [found["mel"] for found in rows(text) if found] == [0.5, 0.25]
    assert rows("loading,,\nstep,mel\n0,0.5\n") == [{"step": 0.0, "mel": 0.5}]
    assert rows("step,mel\n0,0.5\nstep,mel,kl\n1,0.5,0.1\n")[1] == {"step": 1.0, "mel": 0.5, "kl": 0.1}
    assert rows("loading data, please wait\nstep,mel\n0,0.5\n") == [{"step": 0.0, "mel": 0.5}]
    assert header(["run 7", "a,,", "step,mel", "0,1"]) == ["step", "mel"]


def test_a_column_that_is_not_there_is_told(tmp_path):
    path = tmp_path / "m.csv"
    path.write_text("step,loss\n0,0.5\n1,0.5\n")
    source = FILES["csv"](TableSource(path=str(path), train={"mel": "nosuch"}), path)
    assert list(source.end()) == []
    assert source.told("csv") == "parse.csv: no column 'nosuch'; the header has step, loss"
    source = FILES["csv"](TableSource(path=str(path), train={"mel": "loss", "kl": "nosuch"}), path)
    assert len(list(source.end())) == 2
    assert list(source.notes("csv")) == ["parse.csv: no column 'nosuch'; the header has step, loss"]
