"""What the trainings really had, against what the arms asked for."""

import pandas as pd

from stability.evidence.effective import effective, overridden


def trials(*rows):
    columns = ["arm", "verdict", "steps", "effective"]
    return pd.DataFrame([dict(zip(columns, row, strict=True)) for row in rows])


FOUND = trials(
    ("basic", "STABLE", 40, {"optimizer": "AdamW", "lr_largest": "1e-05", "lr_warmup_steps": "30"}),
    ("basic", "DIVERGED", 3, {"optimizer": "AdamW", "lr_largest": "1e-06", "lr_warmup_steps": "2"}),
    ("enhanced", "STABLE", 40, {"optimizer": "AdamW", "lr_largest": "0.0003", "lr_warmup_steps": "0"}),
    ("enhanced", "INCONCLUSIVE", 40, {"optimizer": "SGD", "lr_largest": "9.0", "lr_warmup_steps": "0"}),
)


def test_a_schedule_that_was_cut_short_is_not_counted():
    rows = {row.name: (row.values, row.differs) for row in effective(FOUND, ("basic", "enhanced"))}
    assert rows == {
        "optimizer": ({"basic": ("AdamW",), "enhanced": ("AdamW",)}, False),
        "lr_largest": ({"basic": ("1e-05",), "enhanced": ("0.0003",)}, True),
        "lr_warmup_steps": ({"basic": ("30",), "enhanced": ("0",)}, True),
    }


def test_a_learning_rate_that_was_overridden_is_named():
    found = effective(FOUND, ("basic", "enhanced"))
    (only,) = overridden(found, {"basic": {"lr": 1e-5}, "enhanced": {"lr": 8e-5}})
    assert (only.arm, only.asked, only.got) == ("enhanced", 8e-5, ("0.0003",))


def test_an_arm_without_trials_has_no_values():
    rows = effective(FOUND, ("basic", "absent"))
    assert all(row.values["absent"] == () for row in rows)
    assert overridden(rows, {"basic": {"lr": 1e-5}, "absent": {"lr": 1.0}}) == []
