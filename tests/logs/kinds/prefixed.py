"""Objects that stand behind something else in their line."""

from __future__ import annotations

import json

from formats.form import Training

from .register import file


@file("run.json")
def object_behind_a_word(t: Training) -> str:
    rows = [{"type": "LOG", "step": [0, i], "data": {"train_loss": v, "rate": t.lr}} for i, v in enumerate(t.loss)]
    return "".join(f":::ROW {json.dumps(row)}\n" for row in rows)


@file("run.jsonl")
def object_behind_a_time(t: Training) -> str:
    rows = [{"iteration": i, "loss": v} for i, v in enumerate(t.loss)]
    return "".join(f"2024-03-05 09:12:07,{i:03d} [INFO] {json.dumps(row)}\n" for i, row in enumerate(rows))


@file("run.log")
def object_behind_the_name_of_its_part(t: Training) -> str:
    found = []
    for i, v in enumerate(t.loss):
        found.append(f"train {json.dumps({'iteration': i, 'loss': v})}")
        if (i + 1) % t.steps_an_epoch == 0:
            found.append(f"eval {json.dumps({'iteration': i, 'loss': t.evaluations[i // t.steps_an_epoch]})}")
    return "\n".join([*found, ""])
