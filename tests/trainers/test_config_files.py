"""Values in JSON, YAML and TOML texts: found by name, replaced without touching anything else."""

import json
import math
import tomllib

import pytest
import yaml

from stability.trainers.config_files import format_of, scalars, with_values

TEXTS = {
    ".json": '{\n\t"train": {"lr": 1e-3, "betas": [0.8, {"x": null}], "none": {}, "list": []},\n "name": "a\\"/b"  }\n',
    ".yaml": "# head\ntrain:\n  lr: 1e-3   # rate\n  betas: [0.8, {x: null}]\n  none: {}\n  list: []\nname: 'a\"/b'\n",
    ".toml": 'name = "a\\"/b" # c\n[train] # t\nlr = 1e-3   # rate\nbetas = [\n  0.8, # first\n  {x = "-"},\n]\n',
}
READ = {".json": json.loads, ".yaml": yaml.safe_load, ".toml": tomllib.loads}


@pytest.mark.parametrize("suffix", TEXTS)
def test_values_by_name(suffix):
    empty = "-" if suffix == ".toml" else None
    wanted = {"train.lr": 1e-3, "train.betas.0": 0.8, "train.betas.1.x": empty, "name": 'a"/b'}
    assert scalars(TEXTS[suffix], format_of(f"a{suffix}")) == wanted


@pytest.mark.parametrize("suffix", TEXTS)
@pytest.mark.parametrize("value", [1e-05, 3, -2.5, 1e22, True, "a: #b", "{x}", "1e5", ""], ids=repr)
def test_other_readers_find_the_value_that_was_put_in(suffix, value):
    new = with_values(TEXTS[suffix], format_of(f"a{suffix}"), {"train.lr": value, "train.betas.1.x": value})
    train = READ[suffix](new)["train"]
    assert (train["lr"], train["betas"][1]["x"]) == (value, value)
    assert type(train["lr"]) is type(value)


@pytest.mark.parametrize("suffix", TEXTS)
def test_all_else_stays_as_it_is(suffix):
    text, form = TEXTS[suffix], format_of(f"a{suffix}")
    assert with_values(text, form, {"train.lr": 0.25}) == text.replace("1e-3", "0.25")
    assert with_values(text, form, {}) == text


def test_numbers_that_are_not_finite_stay_what_they_are():
    new = with_values("a: 1\nb: .nan\n", format_of("a.yaml"), {"a": -math.inf})
    assert new == "a: -.inf\nb: .nan\n"


def test_yaml_where_a_null_is_nothing_at_all():
    assert with_values("a:\nb: 1\n", format_of("a.yml"), {"a": 2}) == "a: 2\nb: 1\n"


TOML = """\
a.b = 3
"odd key" = 'x'
text = '''
[not.a.table]
c = 1
'''
opt = { lr = 0.1, deep = { x = [1, 2] } }
[[group]]
x = 1
[[group]]
x = 2
[group.sub]
y = true
"""


def test_toml_with_tables_in_arrays_and_in_lines():
    form = format_of("a.toml")
    values = {
        "a.b": 9,
        "opt.lr": 0.5,
        "opt.deep.x.1": 7,
        "group.1.x": 8,
        "group.1.sub.y": False,
        "odd key": "z",
    }
    new = tomllib.loads(with_values(TOML, form, values))
    assert new == tomllib.loads(TOML) | {
        "a": {"b": 9}, "odd key": "z", "opt": {"lr": 0.5, "deep": {"x": [1, 7]}},
        "group": [{"x": 1}, {"x": 8, "sub": {"y": False}}],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "text", "values", "message"),
    [
        ("a.json", '{"lr": 1}', {"lrr": 2}, "it has no value 'lrr'; did you mean 'lr'?"),
        ("a.json", '{"lr": 1', {"lr": 2}, "Expecting ',' delimiter"),
        ("a.yaml", "a: [1", {"a": 2}, "expected ',' or ']'"),
        ("a.yaml", "a: 1\n---\nb: 1\n", {"a": 2}, "expected a single document"),
        (
            "a.yaml",
            "a: &x {lr: 1}\nb: *x\n",
            {"a.lr": 2},
            "cannot be replaced alone; write each value where it is used",
        ),
        ("a.yaml", "a: {b.c: 1}\na.b: {c: 2}\n", {"a.b.c": 2}, "'a.b.c' may be any of 2 values"),
        ("a.toml", "lr = ", {"lr": 2}, "Invalid value"),
        ("a.toml", "lr = 1", {"lr": None}, "TOML has no null; leave null out of the parameter's values"),
    ],
)
def test_what_cannot_be_replaced(name, text, values, message):
    with pytest.raises(ValueError, match=message.replace("[", r"\[").replace("]", r"\]").replace("?", r"\?")):
        with_values(text, format_of(name), values)


def test_a_format_that_is_not_known():
    assert format_of("a.ini") is None
