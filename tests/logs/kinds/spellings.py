"""NaN as other languages and writers of files spell it: a word, a null, an empty cell."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator

from formats.course import epochs, mean, noise
from formats.form import Training

from .register import file, kind, spelled


@file("log.csv")
def empty_cell(t: Training) -> str:
    """pandas writes NaN as nothing."""
    rows = [f"{i},{spelled(v, '')},{t.lr}" for i, v in enumerate(t.loss)]
    return "step,loss,lr\n" + "\n".join(rows) + "\n"


@file("log.csv")
def empty_cell_between_evaluations(t: Training) -> str:
    """One row an epoch, in which an empty cell is NaN."""
    rows = [
        f"{e},{spelled(mean([t.loss[i] for i in s]), '')},{spelled(v, '')},{t.lr}" for e, s, v in epochs(t)
    ]
    return "epoch,train_loss,val_loss,lr\n" + "\n".join(rows) + "\n"


@file("log.jsonl")
def null_in_lines(t: Training) -> str:
    return "".join(
        json.dumps({"iter": i, "loss": None if math.isnan(v) else v, "lr": t.lr}) + "\n"
        for i, v in enumerate(t.loss)
    )


@kind
def null_in_printed_json(t: Training) -> Iterator[str]:
    yield "loading the data"
    for i, v in enumerate(t.loss):
        yield json.dumps({"step": i, "train": {"loss": None if math.isnan(v) else round(v, 5)}, "lr": t.lr})


@file("history.json")
def null_in_columns(t: Training) -> str:
    loss = [None if math.isnan(v) else v for v in t.loss]
    return json.dumps(
        {"config": {"lr": t.lr, "seed": 3}, "history": {"loss": loss, "step": list(range(len(loss)))}}
    )


@kind
def microsoft_nan(t: Training) -> Iterator[str]:
    for i, v in enumerate(t.loss):
        yield f"iter {i} cost = {spelled(v, '-nan(ind)')}"


@kind
def old_microsoft_nan(t: Training) -> Iterator[str]:
    for i, v in enumerate(t.loss):
        yield f"Iteration: {i}  Error: {spelled(v, '1.#QNAN')}  ({noise(t, i).uniform(1, 3):.2f} s)"


@kind
def julia_nan32(t: Training) -> Iterator[str]:
    for i, v in enumerate(t.loss):
        yield f"[ Info: step {i + 1}: loss = {spelled(v, 'NaN32', '.6f') + ('f0' if not math.isnan(v) else '')}"


@kind
def julia_tuple(t: Training) -> Iterator[str]:
    for i, v in enumerate(t.loss):
        yield f"(epoch = {i // t.steps_an_epoch + 1}, batch = {i + 1}, loss = {spelled(v, 'NaN32', '.5f')}f0)".replace(
            "NaN32f0", "NaN32"
        )


@kind
def scheme_nan(t: Training) -> Iterator[str]:
    for i, v in enumerate(t.loss):
        yield f"step {i} loss {spelled(v, '+nan.0')}"


@kind
def r_words(t: Training) -> Iterator[str]:
    for i, v in enumerate(t.loss):
        yield f"[{i + 1}]\ttrain-rmse:{spelled(v, 'NaN')}\ttest-rmse:{spelled(v * 1.1, 'NA')}"


@kind
def matlab_table(t: Training) -> Iterator[str]:
    yield "|======================================================================|"
    yield "|  Epoch  |  Iteration  |  Time Elapsed  |  Mini-batch  |  Base Learning  |"
    yield "|         |             |   (hh:mm:ss)   |     Loss     |      Rate       |"
    yield "|======================================================================|"
    for i, v in enumerate(t.loss):
        if i % 2 == 0:
            yield (
                f"|  {i // t.steps_an_epoch + 1:5d}  |  {i + 1:9d}  |    00:00:{i % 60:02d}    |"
                f"  {spelled(v, 'NaN'):>10}  |  {t.lr:13.4f}  |"
            )


@kind
def rust_struct(t: Training) -> Iterator[str]:
    for i, v in enumerate(t.loss):
        yield f"TrainStep {{ step: {i}, loss: {spelled(v, 'NaN')}, lr: {t.lr} }}"


@kind
def inf_only(t: Training) -> Iterator[str]:
    for i, v in enumerate(t.loss):
        yield f"it={i} objective={'Inf' if math.isnan(v) else format(v, '.5f')} step_size={t.lr}"
