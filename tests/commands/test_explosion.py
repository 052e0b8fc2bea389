"""Whether recorded iterations were lost although every number is finite."""

from __future__ import annotations

import json

from stability.commands.trace.explosion import explosion
from stability.observing import findings
from stability.records import Step


def written(folder, courses, norms=None):
    """Iterations with these losses."""
    steps = [
        Step(number, dict(zip(courses, values, strict=True)), sum(values))
        for number, values in enumerate(zip(*courses.values(), strict=True))
    ]
    findings.append_steps(folder / "steps-1.jsonl", steps)
    if norms is not None:
        (folder / "norms-1.json").write_text(json.dumps({"steps": list(range(len(steps))), "norms": norms}))
    return explosion(folder, 1)


def falling(count):
    return [1.0 / (1 + number / 20) + 0.01 * (number % 3) for number in range(count)]


def test_a_training_that_learns_is_not_lost(tmp_path):
    assert written(tmp_path, {"loss": falling(200)}) is None


def test_a_training_that_is_thrown_out_for_good_is_lost_from_where_it_began(tmp_path):
    course = falling(100) + [10.0 * 3**number for number in range(10)] + [2e5 + number % 7 for number in range(90)]
    calm = [1.0 + 0.01 * (number % 5) for number in range(200)]
    first = calm[:100] + [50.0] * 100
    later = calm[:104] + [90.0] * 96
    found = written(tmp_path, {"loss": course}, {"head.weight": later, "body.layer.bias": first})
    assert (found.module, found.component) == ("body.layer", "loss")
    assert 100 <= found.step <= 101


def test_losses_that_work_against_each_other_may_rise(tmp_path):
    rising = [0.7 + number / 40 for number in range(200)]
    assert written(tmp_path, {"loss_0": falling(200), "loss_1": rising}) is None
