"""Where numbers stand: in blocks, objects, frames, tables without names, sentences."""

from __future__ import annotations

import json
import pprint
from collections.abc import Iterator

from formats.course import epochs, mean, noise
from formats.form import Training

from .register import file, kind, spelled


@kind
def redrawn_frames(t: Training) -> Iterator[str]:
    """A display of several lines that is drawn anew in its place."""
    for i, v in enumerate(t.loss):
        yield f"\x1b[4A\x1b[2KTraining ({i + 1} of {len(t.loss)})\n\x1b[2K  loss      {v:.4f}\n\x1b[2K  grad norm {v / 2:.4f}\n\x1b[2K  lr        {t.lr:g}"


@kind
def no_names(t: Training) -> Iterator[str]:
    for i, v in enumerate(t.loss):
        yield f"{i} {v:.5f} {t.lr:g} {noise(t, i).uniform(0.1, 0.4):.2f}"


@kind
def gnuplot_columns(t: Training) -> Iterator[str]:
    yield "# step   loss   grad_norm   lr"
    for i, v in enumerate(t.loss):
        yield f"{i} {v:.6e} {v / 3:.6e} {t.lr:.3e}"


@kind
def gnuplot_comma(t: Training) -> Iterator[str]:
    yield "# iter, energy, |grad|"
    for i, v in enumerate(t.loss):
        yield f"{i}, {v:.6f}, {v / 3:.6f}"


@kind
def pretty_dict(t: Training) -> Iterator[str]:
    for i, v in enumerate(t.loss):
        row = {"iteration": i, "losses": {"reconstruction": v * 0.7, "regularisation_of_codes": v * 0.3, "total": v},
               "optimizer": {"lr": t.lr, "momentum": 0.9}, "time_this_iteration_s": 0.2}  # fmt: skip
        yield pprint.pformat(row, width=60)


@kind
def indented_json(t: Training) -> Iterator[str]:
    for i, v in enumerate(t.loss):
        yield json.dumps({"step": i, "metrics": {"loss": v, "lr": t.lr}}, indent=2)


@kind
def yaml_blocks(t: Training) -> Iterator[str]:
    for i, v in enumerate(t.loss):
        yield f"---\nstep: {i}\nloss: {spelled(v, '.nan')}\nlr: {t.lr}"


@file("log.jsonl")
def shared_key(t: Training) -> str:
    """One key holds numbers of several kinds; another says of which."""
    out = []
    for i, v in enumerate(t.loss):
        out.append({"type": "loss", "step": i, "value": v})
        out.append({"type": "lr", "step": i, "value": t.lr})
        out.append({"type": "seconds", "step": i, "value": 0.2 + i % 3})
    return "".join(json.dumps(row) + "\n" for row in out)


@file("log.csv")
def long_table(t: Training) -> str:
    """tidy data: one number a row."""
    rows = [
        f"{i},{name},{value}" for i, v in enumerate(t.loss) for name, value in (("loss", v), ("lr", t.lr))
    ]
    return "step,name,value\n" + "\n".join(rows) + "\n"


@file("log.jsonl")
def spread_objects(t: Training) -> str:
    def row(i: int, v: float) -> dict[str, object]:
        return {"step": i, "loss": {"min": v * 0.8, "mean": v, "max": v * 1.3, "std": 0.1}, "lr": t.lr}

    return "".join(json.dumps(row(i, v)) + "\n" for i, v in enumerate(t.loss))


@file("log.csv")
def two_headers(t: Training) -> str:
    rows = [f"{i},{v:.5f},{v / 2:.5f},{t.lr}" for i, v in enumerate(t.loss)]
    return ",train,train,optim\nstep,loss,grad_norm,lr\n" + "\n".join(rows) + "\n"


@kind
def go_logfmt(t: Training) -> Iterator[str]:
    for i, v in enumerate(t.loss):
        yield f'time="2024-05-01T10:00:{i % 60:02d}Z" level=info msg="train step" step={i} loss={spelled(v, "NaN")} lr={t.lr}'


@kind
def cpp_stream(t: Training) -> Iterator[str]:
    for i, v in enumerate(t.loss):
        yield f"Train Epoch: {i // 25 + 1} [{i % 25 * 64}/1600]\tLoss: {spelled(v, '-nan', '.6g')}"


@kind
def percent_bar(t: Training) -> Iterator[str]:
    for i, v in enumerate(t.loss):
        yield f"\r[{'=' * (i // 10)}{'.' * (10 - i // 10)}] {i + 1}% (loss={v:.3f}, {noise(t, i).uniform(3, 5):.1f} it/s)"


@kind
def arrow_metrics(t: Training) -> Iterator[str]:
    for i, v in enumerate(t.loss):
        yield f"#{i:05d} » loss → {v:.4f} · lr → {t.lr:g} · |g| → {v / 2:.3f}"


@kind
def torch_tensors(t: Training) -> Iterator[str]:
    for i, v in enumerate(t.loss):
        yield f"{i} tensor({v:.4f}, device='cuda:0', grad_fn=<NllLossBackward0>)"


@kind
def sentences(t: Training) -> Iterator[str]:
    for e, steps, v in epochs(t):
        yield f"After {steps.stop} updates the average loss over the last {len(steps)} was {mean([t.loss[i] for i in steps]):.4f}."
        yield f"The loss on held-out data was {v:.4f}."
        del e


@kind
def unnamed_pair_after_nan(t: Training) -> Iterator[str]:
    for i, v in enumerate(t.loss):
        yield f"{i:>6}  {spelled(v, 'nan', '8.5f'):>9}  {spelled(v * 1.2, 'nan', '8.5f'):>9}"


@kind
def block_per_epoch(t: Training) -> Iterator[str]:
    for e, steps, v in epochs(t):
        for i in steps:
            yield f"==== iteration {i} ===="
            yield "  training"
            yield f"    loss        = {t.loss[i]:.4f}"
            yield f"    weight decay = {1e-2}"
        yield "  validation"
        yield f"    loss        = {v:.4f}"
        del e
