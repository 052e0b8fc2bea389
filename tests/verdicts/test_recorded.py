"""The recorded trainings can be loaded, are whole, and bear the labels that the written rule gives them."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from cases import Case, Form, Label, load
from recording.labels import labelled
from recording.record import kinds
from recording.training import LONGEST_NONFINITE, record

from stability.records import Evaluation, Step


@pytest.fixture(scope="module")
def recorded() -> list[Case]:
    return load(Path(__file__).with_name("recorded.jsonl.gz"))


def _by_kind(cases: list[Case]) -> dict[str, list[Case]]:
    runs: dict[str, list[Case]] = {}
    for case in cases:
        runs.setdefault(case.kind, []).append(case)
    return runs


def test_there_are_enough_trainings_of_enough_kinds_and_every_label_occurs(recorded):
    assert sum(case.label is not Label.GREY for case in recorded) >= 150
    assert len({case.kind for case in recorded}) >= 20
    assert {case.label for case in recorded} == set(Label)
    assert any(case.recovers for case in recorded)
    assert all(case.label is Label.FINE for case in recorded if case.recovers)


def test_the_file_has_every_kind_at_every_rate_and_no_other(recorded):
    wanted = [
        f"{kind.name}/lr{lr:.3g}/s{seed}" for kind in kinds().values() for seed in kind.seeds for lr in kind.lrs
    ]
    assert [case.name for case in recorded] == wanted


def test_every_sequence_of_a_training_has_its_length(recorded):
    for case in recorded:
        sequences = [case.grad_norm, case.lr, case.grad_scale, *case.components.values()]
        sequences += (case.loss_weights or {}).values()
        lengths = {len(values) for values in sequences if values is not None}
        assert lengths == {len(case.total)}, case.name
        assert case.skipped <= set(range(len(case.total))), case.name


def test_evaluations_begin_before_training_and_are_in_order(recorded):
    for case in recorded:
        steps = [step for step, _ in case.evaluations]
        assert steps[0] == 0 and steps == sorted(set(steps)) and steps[-1] <= len(case.total), case.name
        assert math.isfinite(case.evaluations[0][1]), case.name


def test_a_training_without_finite_losses_is_recorded_for_a_few_steps_only(recorded):
    for case in recorded:
        finite = [step for step, value in enumerate(case.total) if math.isfinite(value)]
        assert len(case.total) - 1 - finite[-1] <= LONGEST_NONFINITE, case.name


def test_a_timeline_has_every_step_and_evaluation(recorded):
    for case in recorded[:: len(recorded) // 20]:
        timeline = list(case.timeline(Form.EVALUATED))
        assert sum(isinstance(event, Step) for event in timeline) == len(case.total)
        assert sum(isinstance(event, Evaluation) for event in timeline) == len(case.evaluations)


def test_the_stored_labels_are_those_of_the_written_rule(recorded):
    known = kinds()
    for name, runs in _by_kind(recorded).items():
        for stored, anew in zip(runs, labelled(known[name], runs), strict=True):
            assert (anew.label, anew.recovers) == (stored.label, stored.recovers), f"{stored.name}: {anew.why}"


def test_a_kind_recorded_anew_gets_the_stored_labels(recorded):
    kind = kinds()["twenty_steps"]
    anew = labelled(kind, [record(kind, lr, seed) for seed in kind.seeds for lr in kind.lrs])
    stored = _by_kind(recorded)[kind.name]
    assert [(case.name, case.label) for case in anew] == [(case.name, case.label) for case in stored]
