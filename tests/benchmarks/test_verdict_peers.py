"""Each peer raises where its source would, and is silent on a flat curve."""

import math
import sys
import warnings
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "verdicts"))

from cases import Case, Form, Label  # noqa: E402
from verdict_peers import PEERS  # noqa: E402
from verdict_peers.lightning_early_stopping import stops  # noqa: E402
from verdict_peers.lightning_spike_detection import first_spike  # noqa: E402

NAN, INF = math.nan, math.inf
BY_NAME = {peer.name: peer for peer in PEERS}
KERAS, STOPPING, SPIKES, LOSSES, ACCURACY, SCORE, KILL = BY_NAME
UNTIL_300 = list(range(300))
EXPLODES = [1.0] * 150 + [10.0 ** (step / 5) for step in range(150)]
NOT_A_NUMBER = [1.0 - step / 300 for step in range(200)] + [NAN] * 100
FALLS = [1.0 - step / 400 for step in UNTIL_300]
ONE_SPIKE = FALLS[:200] + [30.0] + FALLS[201:]
HIGH = [12.0 - step / 100 for step in UNTIL_300]


def alarm(peer, total, evaluations=(), grad_norm=None, form=Form.EVALUATED):
    case = Case("drawn/one", Label.GREY, "", total, grad_norm=grad_norm, evaluations=evaluations)
    return BY_NAME[peer].alarms(case, form)


@pytest.mark.parametrize("form", Form)
@pytest.mark.parametrize("peer", [name for name in BY_NAME if name not in (STOPPING, ACCURACY)])
def test_a_flat_curve_raises_nothing(peer, form):
    assert alarm(peer, [1.0] * 300, [(step, 1.0) for step in range(0, 301, 30)], form=form) is None


@pytest.mark.parametrize("peer", [KERAS, STOPPING, SPIKES, LOSSES, ACCURACY, SCORE, KILL])
def test_a_steady_fall_raises_nothing(peer):
    assert alarm(peer, FALLS) is None


@pytest.mark.parametrize(
    ("peer", "step"),
    [
        (KERAS, None),
        (STOPPING, 100),  # the best is its first, and step 100 the hundredth that is no better
        (SPIKES, 153),  # 3.98, where the mean of the last ten is 1.21; 2.51 was too little
        (LOSSES, 209),  # every third epoch of 30 steps is checked: those that end at 29, 119 and 209
        (ACCURACY, 119),  # by then the accuracy has not risen at all
        (SCORE, 151),  # step 150 is 1.0 as before, and the window does not vary
        (KILL, 156),  # the fifth above twice the mean: 1.58 is not, 2.51 at step 152 is
    ],
)
def test_an_explosion_from_step_150(peer, step):
    assert alarm(peer, EXPLODES) == step


@pytest.mark.parametrize(
    ("peer", "step"),
    [(KERAS, 200), (STOPPING, 200), (SPIKES, 200), (LOSSES, 209), (SCORE, None), (KILL, None)],
)
def test_nan_from_step_200(peer, step):
    assert alarm(peer, NOT_A_NUMBER) == step


@pytest.mark.parametrize("peer", [SPIKES, SCORE])
def test_one_spike_raises_where_only_the_last_steps_are_known(peer):
    assert alarm(peer, ONE_SPIKE) == 200


def test_five_outliers_in_a_row_are_a_spike_and_four_are_not():
    four, five = ([1.0] * 150 + [2.5] * number + [1.0] * 150 for number in (4, 5))
    assert alarm(KILL, four) is None
    assert alarm(KILL, five) == 154


def test_losses_above_ten_for_half_of_the_second_window_are_high():
    assert alarm(KILL, HIGH) == 199


def test_early_stopping_reads_the_evaluations_and_not_the_one_before_training():
    worse = [(0, 0.1), (10, 1.0), (20, 1.0), (30, 2.0), (40, 1.5)]
    assert alarm(STOPPING, NOT_A_NUMBER[:50], worse) == 39
    assert alarm(STOPPING, [1.0] * 50, [(0, 1.0), (10, NAN)]) == 9
    assert alarm(STOPPING, [1.0] * 50, worse, form=Form.TOTAL) is None


def test_autotrainer_sees_a_gradient_that_is_not_finite_and_a_loss_below_zero():
    norms = [1.0] * 60 + [INF] * 240
    assert alarm(LOSSES, FALLS, grad_norm=norms, form=Form.GRADIENT) == 119
    assert alarm(LOSSES, FALLS, grad_norm=norms, form=Form.TOTAL) is None
    assert alarm(LOSSES, [-1.0] * 300) == 29


def test_autotrainer_finds_oscillation_and_no_convergence_in_the_accuracy():
    swings = [0.5 if (step // 30) % 2 else 1.0 for step in UNTIL_300]
    assert alarm(ACCURACY, [1.0] * 300) == 119
    assert alarm(LOSSES, swings) is None
    assert alarm(ACCURACY, swings) == 119


SERIES = [
    EXPLODES,
    NOT_A_NUMBER,
    ONE_SPIKE,
    [NAN, 1.0, 2.0, 9.0, 1.0],
    [1.0, 2.0, NAN, 1.0],
    [1.0, INF],
    [0.0, 0.0, 1.0],
    [-5.0, -4.0, -1.0, 4.0, 30.0],
    [1.0] * 20 + [2.9, 3.5, 9.0],
]


@pytest.mark.parametrize("series", SERIES, ids=range(len(SERIES)))
def test_the_spike_detection_is_lightnings(series):
    assert first_spike(enumerate(series)) == _lightnings_spike(series)


@pytest.mark.parametrize("series", SERIES, ids=range(len(SERIES)))
@pytest.mark.parametrize("patience", [3, 100])
def test_early_stopping_is_lightnings(series, patience):
    assert stops(list(enumerate(series)), patience) == _lightnings_stop(series, patience)


def _lightnings_spike(series):
    torch = pytest.importorskip("torch")
    theirs = pytest.importorskip("lightning.fabric.utilities.spike").SpikeDetection()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for step, loss in enumerate(torch.tensor(series, dtype=torch.float64)):
            if step >= theirs.warmup and theirs._is_spike(loss):
                return step
            theirs._update_stats(loss)
    return None


def _lightnings_stop(series, patience):
    torch = pytest.importorskip("torch")
    callbacks = pytest.importorskip("lightning.pytorch.callbacks")
    theirs = callbacks.EarlyStopping("val", patience=patience)
    for step, loss in enumerate(torch.tensor(series, dtype=torch.float64)):
        if theirs._evaluate_stopping_criteria(loss)[0]:
            return step
    return None
