"""The benchmark of verdicts counts what it says, on cases where the count is known."""

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "verdicts"))

from cases import Case, Form, Label, save  # noqa: E402
from drawing import EVALUATED_ONLY, GRADIENT_ONLY, TOO_SHORT  # noqa: E402
from verdict_peers import PEERS  # noqa: E402
from verdicts import OURS, Judged, judged, onset, scored  # noqa: E402

from stability.records import VerdictLabel  # noqa: E402

NAN = math.nan
STABLE, STUCK, DIVERGED, UNSTABLE = (
    VerdictLabel.STABLE,
    VerdictLabel.STUCK,
    VerdictLabel.DIVERGED,
    VerdictLabel.UNSTABLE,
)


def case(label, total=(1.0, 0.5, 2.0, 3.0), why="", recovers=False, evaluations=()):
    return Case(f"{label}/one", label, why, list(total), recovers=recovers, evaluations=evaluations)


def one(drawn, verdict, ended=None, at=None, alarm=None):
    return Judged(drawn, verdict, ended, at, {OURS: alarm, **dict.fromkeys(peer.name for peer in PEERS)})


@pytest.mark.parametrize(
    ("total", "first"),
    [
        ([1.0, 0.5, 2.0, 3.0], 2),
        ([1.0, 3.0, 0.5, 2.0], 3),
        ([1.0, 0.5, NAN, 0.4], 2),
        ([1.0, 2.0, NAN, 2.0], 1),
        ([NAN, NAN], 0),
        ([1.0, 0.5, 0.4], None),
        ([-1.0, -3.0, 5.0], 2),
    ],
)
def test_the_onset_is_the_first_step_that_is_bad_for_good(total, first):
    assert onset(case(Label.LOST, total), Form.TOTAL) == first


def test_the_evaluations_have_an_onset_where_they_are_shown():
    drawn = case(Label.LOST, [1.0, 0.5, 0.4, 0.3], evaluations=[(0, 1.0), (2, 2.0), (4, 3.0)])
    assert onset(drawn, Form.EVALUATED) == 1
    assert onset(drawn, Form.GRADIENT) is None


def test_lies_wrong_calls_early_ends_and_claims_are_counted():
    score = scored(
        "some",
        Form.TOTAL,
        [
            one(case(Label.LOST), STABLE),
            one(case(Label.LOST), STUCK),
            one(case(Label.LOST), DIVERGED, ended=3, at=2, alarm=3),
            one(case(Label.LOST), UNSTABLE, at=2, alarm=9),
            one(case(Label.FINE), STABLE),
            one(case(Label.FINE), UNSTABLE, alarm=3),
            one(case(Label.FINE), DIVERGED, ended=1, alarm=1),
            one(case(Label.FINE, recovers=True), DIVERGED, ended=1, alarm=1),
            one(case(Label.SLOW), STUCK),
            one(case(Label.GREY, why=f"{TOO_SHORT} one"), STABLE),
        ],
    )
    assert (score.lost, score.fine, score.slow) == (4, 4, 1)
    assert (score.lies, score.ended_early, score.ended_early_recovers, score.claimed) == (2, 1, 1, 1)
    assert score.wrongly_called == {"DIVERGED": 2, "UNSTABLE": 1} and score.slow_called == {"STUCK": 1}
    ours, keras = score.watching[:2]
    assert (ours.missed, ours.false, ours.false_recovers) == (2, 2, 1)
    assert (ours.median_delay, ours.delays) == (4, 2)
    assert (keras.missed, keras.false, keras.median_delay, keras.delays) == (4, 0, None, 0)
    assert len(score.wrong) == 2 + 3 + 1


def test_cases_that_nobody_agrees_on_or_that_a_form_hides_are_not_judged():
    cases = [
        case(Label.GREY, why="people would not agree"),
        case(Label.GREY, why=f"{TOO_SHORT} of 2"),
        case(Label.LOST, why=f"{GRADIENT_ONLY} so"),
        case(Label.LOST, why=f"{EVALUATED_ONLY} so"),
        case(Label.LOST),
    ]
    assert [len(judged(cases, form)) for form in (Form.TOTAL, Form.GRADIENT, Form.EVALUATED)] == [2, 3, 4]


def test_the_command_reads_files_and_prints_a_table_or_json(tmp_path):
    save([case(Label.LOST, [1.0, 0.5, NAN, NAN])], tmp_path / "mine.jsonl.gz")
    [score] = json.loads(_run(tmp_path, "--forms", "total", "--format", "json"))
    assert (score["cases"], score["form"], score["lost"], score["lies"]) == ("mine", "total", 1, 0)
    assert score["watching"][1] == {
        "name": "Keras TerminateOnNaN",
        "missed": 0,
        "false": 0,
        "false_recovers": 0,
        "median_delay": 0,
        "delays": 1,
    }
    assert "wrong" not in score
    table = _run(tmp_path)
    assert [f"mine, form {form}: 1 lost, 0 fine, 0 slow" in table for form in Form] == [True] * 3


def _run(folder, *arguments):
    command = [
        sys.executable,
        str(HERE / "verdicts.py"),
        str(folder / "mine.jsonl.gz"),
        "--no-curves",
        *arguments,
    ]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
