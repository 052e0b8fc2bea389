"""Exported files hold the stored numbers, to the last digit."""

import json
import math

import pandas as pd

from stability import exporting
from stability.store import Frames


def test_json_keeps_every_digit_and_says_null_for_what_is_not_finite(tmp_path):
    values = [1.23456789012345e-13, 0.33333333333345677, math.nan, math.inf]
    steps = pd.DataFrame(
        {"trial_id": [1] * 4, "value": values, "value_nonfinite": [None, None, "nan", "inf"]}
    )
    empty = pd.DataFrame({"trial_id": []})
    [_, _, path, _] = exporting.write(Frames(empty, empty, steps, empty), tmp_path / "x", "json")
    rows = json.loads(path.read_text())
    assert [row["value"] for row in rows] == [*values[:2], None, None]
    assert [row["value_nonfinite"] for row in rows] == [None, None, "nan", "inf"]
