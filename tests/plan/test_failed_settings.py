"""Samplers move away from what failed; what the store holds of it stays as it is."""

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers import GPSampler, TPESampler
from optuna.testing.pytest_samplers import BasicSamplerTestCase, RelativeSamplerTestCase
from optuna.trial import TrialState, create_trial

from stability.plan.boundary_sampler import BoundarySampler, StaircaseSampler
from stability.plan.failed_settings import AvoidingSampler, failed, left_out

NAMES = CategoricalDistribution(["adam", "sgd", "lbfgs"])
DEPTH = IntDistribution(1, 4)


class TestPublishedContract(BasicSamplerTestCase, RelativeSamplerTestCase):
    @pytest.fixture
    def sampler(self):
        return lambda: AvoidingSampler(TPESampler(n_startup_trials=0, seed=0), seed=0)


def run(sampler, space, crashes, value, trials=40):
    """A study in which some settings crash; a sampler a trial, as the driver does."""
    study = optuna.create_study()
    for k in range(trials):
        study.sampler = sampler(k)
        own = study.ask(dict(space))
        if crashes(own.params):
            study.tell(own, state=TrialState.FAIL)
        else:
            own.set_constraint("diverged", 0.0)
            study.tell(own, value(own.params))
    return study.trials


def avoiding(kind, space):
    inner = {"tpe": TPESampler, "gp": GPSampler}[kind]
    return lambda seed: AvoidingSampler(inner(seed=seed), params=space, seed=seed)


def share(trials):
    return sum(trial.state is TrialState.FAIL for trial in trials) / len(trials)


@pytest.mark.parametrize("kind", ["tpe", "gp"])
def test_a_cliff_of_crashes_draws_fewer_trials(kind):
    """The best values lie beside the cliff, so a sampler blind to crashes goes on falling from it."""
    space = {"x": FloatDistribution(0.0, 1.0), "y": FloatDistribution(0.0, 1.0)}
    inner = {"tpe": TPESampler, "gp": GPSampler}[kind]
    problem = (space, lambda own: own["x"] > 0.4, lambda own: 1.0 - own["x"] + 0.1 * own["y"], 36)
    blind = run(lambda seed: inner(seed=seed), *problem)
    seeing = run(avoiding(kind, space), *problem)
    assert share(seeing[12:]) <= 0.7 * share(blind[12:])
    assert {trial.state for trial in seeing} == {TrialState.FAIL, TrialState.COMPLETE}
    assert all(trial.values is None and not trial.constraints for trial in seeing if trial.state is TrialState.FAIL)


@pytest.mark.parametrize("kind", ["tpe", "gp"])
def test_no_setting_that_failed_is_proposed_again_while_there_are_others(kind):
    space = {"name": NAMES, "depth": DEPTH}
    trials = run(avoiding(kind, space), space, lambda own: own["depth"] > 1, lambda own: float(own["depth"]), 24)
    bad = [tuple(trial.params.items()) for trial in trials if trial.state is TrialState.FAIL]
    assert len(bad) == len(set(bad))


@pytest.mark.parametrize("kind", ["tpe", "gp"])
def test_a_choice_that_always_crashes_is_left_after_three_tries(kind):
    space = {"name": NAMES, "x": FloatDistribution(0.0, 1.0)}
    trials = run(avoiding(kind, space), space, lambda own: own["name"] == "lbfgs", lambda own: own["x"], 30)
    count = sum(trial.params["name"] == "lbfgs" for trial in trials)
    assert 1 <= count <= 3  # the sampler itself may have gone away earlier
    assert left_out(trials, space) == ({"name": {"lbfgs": 3}} if count == 3 else {})


@pytest.mark.parametrize("kind", [BoundarySampler, StaircaseSampler])
def test_a_boundary_search_leaves_it_too(kind):
    space = {"name": NAMES, "x": FloatDistribution(1e-4, 1.0, log=True)}
    trials = run(
        lambda seed: kind("x", params=space, seed=seed), space, lambda own: own["name"] == "lbfgs", lambda own: own["x"]
    )
    assert sum(trial.params["name"] == "lbfgs" for trial in trials) == 3


@pytest.mark.parametrize("kind", [BoundarySampler, StaircaseSampler])
def test_a_boundary_search_repeats_no_setting_that_crashed(kind):
    """The first settings are laid out beforehand, and a stair stands still without an outcome."""
    space = {"x": FloatDistribution(1e-4, 1.0, log=True)}
    trials = run(
        lambda seed: kind("x", params=space, seed=seed), space, lambda own: own["x"] > 1e-3, lambda own: own["x"], 20
    )
    bad = [trial.params["x"] for trial in trials if trial.state is TrialState.FAIL]
    assert len(bad) == len(set(bad)) and share(trials) < 0.8


def ended(state, key="a", outcome="CRASHED", **params):
    ranges = {"name": NAMES, "depth": DEPTH}
    return create_trial(
        state=state, value=1.0 if state is TrialState.COMPLETE else None, params=params,
        distributions={name: ranges[name] for name in params}, user_attrs={"key": key, "outcome": outcome},
    )  # fmt: skip


def numbered(*trials):
    for number, trial in enumerate(trials):
        trial.number = number
    return list(trials)


def test_machines_that_were_lost_and_trials_that_were_replaced_say_nothing():
    trials = numbered(
        ended(TrialState.FAIL, "a", "LOST", name="sgd"), ended(TrialState.FAIL, "b", name="adam"),
        ended(TrialState.FAIL, "c", name="lbfgs"), ended(TrialState.COMPLETE, "b", name="adam"),
    )  # fmt: skip
    assert [trial.number for trial in failed(trials)] == [2]


def test_a_failure_counts_against_one_choice_alone():
    """`depth` 2 was tried with lbfgs alone: nothing is known against it."""
    ranges = {"name": NAMES, "depth": CategoricalDistribution([1, 2])}
    bad = [ended(TrialState.FAIL, f"f{i}", name="lbfgs", depth=2 if i else 1) for i in range(4)]
    good = [ended(TrialState.COMPLETE, f"g{i}", name="adam", depth=1) for i in range(3)]
    assert left_out(numbered(*bad, *good), ranges) == {"name": {"lbfgs": 4}}


def test_nothing_is_left_out_before_another_choice_has_given_evidence():
    bad = [ended(TrialState.FAIL, f"f{i}", name="lbfgs") for i in range(5)]
    assert left_out(numbered(*bad), {"name": NAMES}) == {}


@pytest.mark.parametrize("stage", ["search: {sampler: tpe, trials: 24}", "boundary: {param: lr, trials: 16}"])
def test_a_study_says_what_it_no_longer_proposes(run_study, study_file, stage):
    swaps = (
        ("  lr: {", "  optimizer: {values: [sgd, lbfgs]}\n  lr: {"),
        ("gentle: {lr: 0.1}", "gentle: {lr: 0.1, optimizer: sgd}"),
        ("rough: {lr: 2.0}", "rough: {lr: 2.0, optimizer: sgd}"),
        ("search: {sampler: random, trials: 4}", stage),
    )
    _, store, watcher = run_study(study_file(*swaps, function="knows_sgd_alone"), "plan.compare.seeds=1", jobs=1)
    trials = store.trials("toy").query("stage != 'compare'")
    assert sum(params["optimizer"] == "lbfgs" for params in trials.params) == 3
    assert watcher.notes == ["optimizer=lbfgs crashed in 3 of 3 trials; no longer proposed"]


def test_a_setting_that_crashed_is_not_drawn_again_in_a_study(run_study, study_file):
    swaps = (
        ("lr: {min: 1e-3, max: 10.0, log: true}", "how: {values: [fine, raise]}\n  batch: {value: 8}"),
        ("gentle: {lr: 0.1}", "gentle: {how: fine}"),
        ("rough: {lr: 2.0}", "rough: {how: fine}"),
        ("sampler: random, trials: 4", "sampler: tpe, trials: 8"),
    )
    _, store, _ = run_study(study_file(*swaps, function="ends"), "plan.compare.seeds=1", jobs=1)
    drawn = store.trials("toy").query("stage == 'search'")
    assert len(drawn) == 8 and sum(params["how"] == "raise" for params in drawn.params) == 1


def test_a_search_learns_from_the_trials_of_its_own_run(run_study, study_file):
    """Optuna keeps the trials that it read first, and a driver that never calls `ask` does not renew them."""
    path = study_file(("sampler: random, trials: 4", "sampler: tpe, trials: 18"))
    _, store, _ = run_study(path, "plan.compare.seeds=1", jobs=1)
    drawn = store.trials("toy").query("stage == 'search'").sort_values("number")
    by_chance = []
    for seed in drawn.seed:
        empty = optuna.create_study(sampler=TPESampler(seed=seed)).ask()
        by_chance.append(empty.suggest_float("lr", 1e-3, 10.0, log=True))
    alike = [params["lr"] == value for params, value in zip(drawn.params, by_chance, strict=True)]
    assert alike == [True] * 10 + [False] * 8  # Optuna's own sampler draws ten at random first
