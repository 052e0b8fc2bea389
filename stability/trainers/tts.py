"""What a study of the built-in TTS must satisfy before anything runs: hyperparameters, model, data."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from stability.params import Param
from stability.records import UserError
from stability.spec import StudySpec
from stability.suggest import suggest
from stability.trainee import hyperparameters
from stability.trainee.corpus import EMBEDDED, load_corpus
from stability.yamlfile import Address

COMPONENTS = ("mel", "stop", "kl")
DATA_KEYS = ("corpus", "utterances")
STEPS_AFTER_WARMUP = 10
"""With fewer, results of short and long trials were unrelated in this project's first measurements."""


def check(spec: StudySpec) -> None:
    """Raise `UserError` with its place for the first thing the trainee would not accept."""
    for param in spec.params.values():
        _check_param(spec, param)
    try:
        hyperparameters.check_model(spec.model)
    except UserError as error:
        raise spec.error(("model",), str(error)) from None
    for name in spec.yardstick:
        if name not in COMPONENTS:
            message = f"unknown component {name!r}{suggest(name, COMPONENTS)}"
            raise spec.error(("yardstick", name), message, at_key=True)
    _check_data(spec)


def advice(spec: StudySpec) -> list[str]:
    """Warn of trials that hardly outlast their warm-up: what they show does not carry over to longer ones."""
    param = spec.params.get("warmup_steps")
    longest = 0 if param is None else max(_samples(param))
    if longest == 0:
        return []
    corpus = load_corpus(**_located(spec))
    steps = spec.budget.epochs * math.ceil(len(corpus.train) / spec.budget.batch_size)
    steps = min(steps, spec.budget.max_steps or steps)
    if steps >= longest + STEPS_AFTER_WARMUP:
        return []
    enough = longest + STEPS_AFTER_WARMUP
    return [
        f"warm-up takes up to {longest} of a trial's {steps} steps; give it {enough} or more "
        "(budget.epochs), or its result says little about a longer training"
    ]


def resolved_data(spec: StudySpec) -> dict[str, Any]:
    """What a trial needs to know of its data; `sha256` lets it find the features without reading audio."""
    data = _located(spec)
    return data | {"sha256": load_corpus(**data).sha256}


def _located(spec: StudySpec) -> dict[str, Any]:
    """`data` with its defaults; a corpus folder is looked for beside the study file, then from here."""
    corpus = spec.data.get("corpus", "en")
    if corpus not in EMBEDDED:
        places = [folder / corpus for folder in (spec.folder, Path.cwd())]
        corpus = next((str(place.resolve()) for place in places if place.is_dir()), corpus)
    return {"corpus": corpus, "utterances": spec.data.get("utterances")}


def prepare(data: Mapping[str, Any], cache: Path) -> None:
    """Compute the mel features of the study's corpus, unless they are there."""
    from stability.trainee.features import load_features, prepared_features

    if prepared_features(data["sha256"], cache) is None:
        load_features(load_corpus(data["corpus"], data["utterances"]), cache)


def _check_param(spec: StudySpec, param: Param) -> None:
    address: Address = ("params", param.name)
    for value in _samples(param):
        try:
            hyperparameters.check({param.name: value})
        except UserError as error:
            raise spec.error(address, str(error), at_key=True) from None
    if param.kind == "int" and hyperparameters.expected(param.name) == "number":
        message = f"{param.name} is a real number, but {{min: {param.low}, max: {param.high}}} draws integers"
        raise spec.error(address, f"{message} only; write {float(param.low)} and {float(param.high)}")


def _samples(param: Param) -> Iterator[Any]:
    """The values that decide whether a range fits: its ends, or every choice."""
    yield from param.choices if param.choices is not None else (param.low, param.high)


def _check_data(spec: StudySpec) -> None:
    for key in spec.data:
        if key not in DATA_KEYS:
            raise spec.error(
                ("data", key), f"unknown key {key!r} in data{suggest(key, DATA_KEYS)}", at_key=True
            )
    if not isinstance(spec.data.get("corpus", "en"), str):
        raise spec.error(("data", "corpus"), "data.corpus is en, fa or the path of an LJSpeech folder")
    try:
        load_corpus(**_located(spec))
    except UserError as error:
        raise spec.error(("data", "corpus"), str(error)) from None
