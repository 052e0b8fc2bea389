"""YAML 1.2 scalars, positions, and errors that say where."""

import pytest

from stability.records import UserError
from stability.yamlfile import parse, read


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-4", 1e-4), ("1E5", 1e5), (".5", 0.5), ("-3", -3), ("0x10", 16), ("0o17", 15), ("017", 17),
        ("no", "no"), ("on", "on"), ("true", True), ("True", True), ("~", None), ("null", None), ("", None),
        ("2026-01-01", "2026-01-01"), ("12:30:45", "12:30:45"), ("1_000", "1_000"), ("'1e-4'", "1e-4"),
        (".inf", float("inf")), ("-.inf", float("-inf")), ("[1, 1e-4, no]", [1, 1e-4, "no"]),
    ],
)  # fmt: skip
def test_scalars_follow_yaml_1_2(text, value):
    parsed = parse(f"key: {text}", "s.yaml").data["key"]
    assert parsed == value and type(parsed) is type(value)


def test_every_key_and_value_has_a_place():
    document = parse("a: 1\nb:\n  - {c: 2}\n", "s.yaml")
    assert document.keys["b", 0, "c"] == "s.yaml:3:6"
    assert document.values["b", 0, "c"] == "s.yaml:3:9"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", "s.yaml:3:1: error: duplicate key 'a' (first at s.yaml:1:1); remove one"),
        ("a: [1", "s.yaml:1:6: error: expected ',' or ']', but got '<stream end>'"),
        ("a: &x [*x]", "s.yaml:1:4: error: an alias inside its own anchor; spell it out"),
        ("? [a]\n: 1", "s.yaml:1:3: error: a key must be plain text"),
        ("", "s.yaml: error: the file is empty; `name`, `params` and `plan` are needed"),
        ("\x01", "s.yaml: error: not a text file (character 0x01); a study file is UTF-8 YAML"),
    ],
)
def test_malformed_text_names_its_place(text, message):
    with pytest.raises(UserError) as error:
        parse(text, "s.yaml")
    assert str(error.value) == message


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(UserError, match="no such file; give the path of a study file"):
        read(tmp_path / "none.yaml")
    with pytest.raises(UserError, match="cannot be read: Is a directory"):
        read(tmp_path)
    (tmp_path / "binary").write_bytes(b"\x80\x81\xff\x00")
    with pytest.raises(UserError, match="not a text file; a study file is UTF-8 YAML"):
        read(tmp_path / "binary")


def test_a_byte_order_mark_is_no_character_of_the_first_key(tmp_path):
    (tmp_path / "s.yaml").write_bytes(b"\xef\xbb\xbfname: x\n")
    assert read(tmp_path / "s.yaml").data == {"name": "x"}


def test_anchors_may_be_reused():
    assert parse("a: &x {b: 1}\nc: *x\n", "s.yaml").data["c"] == {"b": 1}
