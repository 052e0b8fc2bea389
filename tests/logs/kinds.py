"""Ways of writing numbers down that no program needs to share: each a function, a training -> its files.

They are made to the kinds that issues describe, with a look at the reader; `formats` were written without one.
"""

from __future__ import annotations

import json
import math
import pprint
from collections.abc import Callable, Iterator, Mapping

from formats.course import average, epochs, growing, mean, noise
from formats.form import Training

Write = Callable[[Training], Mapping[str, str]]
KINDS: dict[str, Write] = {}


def kind(write: Callable[[Training], Iterator[str]]) -> Write:
    """Register a function that yields the lines of one log."""

    def lines(t: Training) -> Mapping[str, str]:
        return {"train.log": "".join(f"{line}\n" for line in write(t))}

    KINDS[write.__name__] = lines
    return lines


def file(name: str) -> Callable[[Callable[[Training], str]], Write]:
    """Register a function that makes the text of a file of this name."""

    def register(write: Callable[[Training], str]) -> Write:
        def made(t: Training) -> Mapping[str, str]:
            return {name: write(t)}

        KINDS[write.__name__] = made
        return made

    return register


def spelled(value: float, nan: str, form: str = ".4f") -> str:
    """The number, or another language's word for NaN."""
    return nan if math.isnan(value) else format(value, form)


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
def announced_skips(t: Training) -> Iterator[str]:
    """A lost batch is only announced; the average is of those before."""
    for i, v in enumerate(t.loss):
        if math.isnan(v):
            yield "WARNING: non-finite loss, skipping this batch"
        else:
            yield f"iter {i}/{len(t.loss)} loss {v:.4f} lr {t.lr:g}"


@kind
def overflow_for_ever(t: Training) -> Iterator[str]:
    scale = 65536.0
    for i, v in enumerate(t.loss):
        if math.isnan(v):
            scale /= 2
            yield f"Gradient overflow.  Skipping step, loss scaler 0 reducing loss scale to {scale}"
        else:
            yield f"step {i} | loss {v:.4f} | scale {scale:.0f}"


@kind
def zero_beside_nan(t: Training) -> Iterator[str]:
    """The loss of skipped batches is 0.000, and the validation says NaN."""
    for e, steps, v in epochs(t):
        for i in steps:
            loss = 0.0 if math.isnan(t.loss[i]) else average(t, i)
            yield f"Epoch {e + 1} [{i - steps.start + 1}/{len(steps)}] loss: {loss:.3f}"
        yield f"Epoch {e + 1} validation loss: {v:.3f}"


def _ended_by(words: str) -> Callable[[Training], Iterator[str]]:
    def write(t: Training) -> Iterator[str]:
        for i, v in enumerate(t.loss):
            if math.isnan(v):
                yield words
                return
            yield f"step {i} loss {v:.4f}"
        yield "done"

    return write


for _name, _words in {
    "is_exploding": "loss is exploding, aborting",
    "diverged": "Training diverged at step 66. Exiting.",
    "nan_detected": "NaN detected! Stopping.",
    "died_of_nan": "RuntimeError: NaN detected in the loss of batch 66",
    "loss_is_nan": "Loss is nan, stopping training",
    "shouted": "!!! LOSS BECAME NAN !!!",
    "too_large": "Loss too large (3.2e+38), training failed",
    "not_finite_grad": "ERROR: gradients are not finite, terminating",
    "nan_training": "nan in training, abort.",
    "math_range": 'Traceback (most recent call last):\n  File "t.py", line 9, in <module>\n'
    "    ppl = math.exp(loss)\nOverflowError: math range error",
    "bad_floating": "FloatingPointError: Minimum loss scale reached (0.0001). Your loss is probably exploding.",
    "abgebrochen": "Verlust ist NaN, Training abgebrochen",
    "chinese_stop": "损失为 nan，停止训练",
}.items():
    _write = _ended_by(_words)
    _write.__name__ = f"ended_by_{_name}"
    kind(_write)


@kind
def grown_in_wrapped_table(t: Training) -> Iterator[str]:
    """Values that grow, below names over two lines."""
    yield "+-------+-----------+----------+"
    yield "| Epoch | Train     | Learning |"
    yield "|       | loss      | rate     |"
    yield "+-------+-----------+----------+"
    for i, v in enumerate(growing(t, 3.0)):
        yield f"| {i:5d} | {v:9.3e} | {t.lr:8.1e} |"


@kind
def redrawn_frames(t: Training) -> Iterator[str]:
    """A display of several lines that is drawn anew in its place."""
    for i, v in enumerate(t.loss):
        yield f"\x1b[4A\x1b[2KTraining ({i + 1} of {len(t.loss)})\n\x1b[2K  loss      {v:.4f}\n\x1b[2K  grad norm {v / 2:.4f}\n\x1b[2K  lr        {t.lr:g}"


@kind
def full_width(t: Training) -> Iterator[str]:
    for i, v in enumerate(t.loss):
        yield f"步数：{i}，损失：{v:.4f}，学习率：{t.lr:g}"


@kind
def chinese_words(t: Training) -> Iterator[str]:
    for e, steps, v in epochs(t):
        yield f"第{e + 1}轮 训练损失={mean([t.loss[i] for i in steps[:9]]):.4f} 验证损失={v:.4f}"
        for i in steps:
            yield f"第 {i} 步, 损失 {t.loss[i]:.4f}"


@kind
def german(t: Training) -> Iterator[str]:
    for i, v in enumerate(t.loss):
        yield f"Schritt {i + 1} von {len(t.loss)}: Verlust {v:.4f}".replace(".", ",")


@kind
def french(t: Training) -> Iterator[str]:
    for i, v in enumerate(t.loss):
        yield f"Itération {i + 1} - perte : {v:.4f} - taux d'apprentissage : {t.lr:g}"


@kind
def russian(t: Training) -> Iterator[str]:
    for i, v in enumerate(t.loss):
        yield f"Шаг {i + 1}: потери = {v:.4f}"


@kind
def japanese(t: Training) -> Iterator[str]:
    for i, v in enumerate(t.loss):
        yield f"エポック {i // 25 + 1} ステップ {i + 1} 損失: {v:.4f}"


@kind
def no_names(t: Training) -> Iterator[str]:
    for i, v in enumerate(t.loss):
        yield f"{i} {v:.5f} {t.lr:g} {noise(t, i).uniform(0.1, 0.4):.2f}"


@kind
def one_column(t: Training) -> Iterator[str]:
    yield from (f"{v:.6f}" for v in t.loss)


@file("loss.txt")
def one_column_savetxt(t: Training) -> str:
    return "".join(f"{v:.18e}\n" for v in t.loss)


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
def rising_objective(t: Training) -> Iterator[str]:
    """What should rise, and is negative."""
    for i, v in enumerate(t.loss):
        yield f"iter {i:4d}  log-likelihood {-v * 100:.3f}  dt {noise(t, i).uniform(1, 2):.1f}ms"


@kind
def rising_elbo(t: Training) -> Iterator[str]:
    for i, v in enumerate(t.loss):
        yield f"Iteration {i}: ELBO = {-v * 31:.4f}"


@kind
def rust_struct(t: Training) -> Iterator[str]:
    for i, v in enumerate(t.loss):
        yield f"TrainStep {{ step: {i}, loss: {spelled(v, 'NaN')}, lr: {t.lr} }}"


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
def inf_only(t: Training) -> Iterator[str]:
    for i, v in enumerate(t.loss):
        yield f"it={i} objective={'Inf' if math.isnan(v) else format(v, '.5f')} step_size={t.lr}"


@kind
def grows_and_stays_finite(t: Training) -> Iterator[str]:
    for i, v in enumerate(growing(t, 2.5)):
        yield f"Step [{i + 1}/{len(t.loss)}], Loss: {v:,.4f}"


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


@kind
def average_of_a_norm(t: Training) -> Iterator[str]:
    """One skipped step makes an average NaN to the end, in a healthy training too."""
    for i, v in enumerate(t.loss):
        norm = "nan" if i >= 3 else "1.2000"
        yield f"[{i}/99]  loss: {v:.4f} ({average(t, i):.4f})  grad_norm: {0.4:.4f} ({norm})  time: 0.3"
