"""Where a program writes: files stay files, folders folders, and what is read stays where it is."""

import pytest

from stability.commands.init.options import Option
from stability.commands.init.outputs import output_of

FOLDER = "{directory}/artifacts"


@pytest.mark.parametrize(
    ("flag", "value", "about", "path"),
    [
        ("--output_dir", "out", "", FOLDER),
        ("--output_dir", None, "", FOLDER),
        ("--logdir", "logs/x", "", FOLDER),
        ("--out", "runs/", "", FOLDER),
        ("--output", "out", "Folder of the results.", FOLDER),
        ("--output", "out", "", f"{FOLDER}/out"),
        ("--save", "model.pt", "path to save the final model", f"{FOLDER}/model.pt"),
        ("--checkpoint", "a/last.ckpt", "where to save", f"{FOLDER}/last.ckpt"),
        ("-o, --model", "model", "where the model goes", f"{FOLDER}/model"),
        ("train.log_file", "a{b}.txt", "", f"{FOLDER}/a{{{{b}}}}.txt"),
        ("--checkpoint", "a/last.ckpt", "", None),
        ("--checkpoint", "a/last.ckpt", "resume from this", None),
        ("--log-interval", 10, "", None),
        ("--save-every", 5, "", None),
        ("--save", None, "", None),
        ("--log", True, "", None),
        ("--run-name", "x", "", None),
        ("--data-dir", "data", "", None),
        ("--model", "resnet18", "which net", None),
        ("--log-level", "INFO", "level of what is logged to the file", None),
        ("--format", "csv", "in which the output file is saved", None),
    ],
)
def test_what_an_output_is_told_instead(flag, value, about, path):
    found = output_of(Option(flag.split(", ")[-1], about=about), value)
    assert (found.path if found else None) == path


def test_a_file_that_is_there_is_read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "last.ckpt").write_text("x")
    assert output_of(Option("--checkpoint"), "last.ckpt") is None
    assert output_of(Option("--save"), "last.ckpt").path == f"{FOLDER}/last.ckpt"
