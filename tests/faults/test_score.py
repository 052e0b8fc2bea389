"""The scoring script's sums and its three formats."""

from __future__ import annotations

import json

import pytest
from score import Row, Score, as_json, as_markdown, as_table

SCORE = Score(
    device="a machine",
    torch="2.0",
    rows=(
        Row("log", "forward aten.log.default a.py:3", "exact", "line", "silent", "right", ""),
        Row(
            "adam",
            "optimizer aten.div.Tensor b.py:4",
            "wrong",
            "silent",
            "module",
            "",
            "op: aten.mul.Tensor for aten.div.Tensor",
        ),
    ),
    healthy=3,
    false_alarms={"trace": (), "detect_anomaly": (), "hooks": ("skipped",)},
    slowdown=12.4,
)
TOTALS = """
trace: 1 exact, 1 wrong of 2 faults; 0 of 3 look-alikes reported
detect_anomaly: 1 line, 1 silent of 2 faults; 0 of 3 look-alikes reported
hooks: 1 module, 1 silent of 2 faults; 1 of 3 look-alikes reported
trace names 1 of 1 batch elements; a traced step takes 12x a plain one
torch 2.0 on a machine

What trace has wrong:
adam: op: aten.mul.Tensor for aten.div.Tensor"""


def test_table():
    table = """\
fault  expected                          trace  detect_anomaly  hooks   element
log    forward aten.log.default a.py:3   exact  line            silent  right
adam   optimizer aten.div.Tensor b.py:4  wrong  silent          module
"""
    assert as_table(SCORE) == table + TOTALS


def test_markdown():
    head, rule, log, _, *totals = as_markdown(SCORE).splitlines()
    assert head == "| fault | expected                         | trace | detect_anomaly | hooks  | element |"
    assert set(rule) == {"|", "-", " "}
    assert log == "| log   | forward aten.log.default a.py:3  | exact | line           | silent | right   |"
    assert "\n".join(totals) == TOTALS


def test_json():
    read = json.loads(as_json(SCORE))
    assert (read["elements_right"], read["elements"], read["healthy"]) == (1, 1, 3)
    assert read["false_alarms"]["hooks"] == ["skipped"]
    assert [row["trace"] for row in read["rows"]] == ["exact", "wrong"]


@pytest.mark.parametrize("judgement", ["exact", "wrong"])
def test_count(judgement):
    assert SCORE.count("trace", judgement) == 1
