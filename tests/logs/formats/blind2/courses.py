"""Courses, books, competition notebooks."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping

from .registry import Training, blind_format, draw, epoch_mean, resized, skill


@blind_format("cs231n_solver", "CS231n assignments: the Solver's iterations and epochs in parentheses")
def cs231n(t: Training) -> Mapping[str, str]:
    n, lines = t.steps_an_epoch, ["(Epoch 0 / 4) train acc: 0.098000; val_acc: 0.087000"]
    for i, v in enumerate(t.loss):
        if i and math.isnan(v) and not math.isnan(t.loss[i - 1]):
            lines += ["cs231n/layers.py:812: RuntimeWarning: invalid value encountered in subtract", "  shifted_logits = x - np.max(x, axis=1, keepdims=True)"]
        lines.append(f"(Iteration {10 * i + 1} / {10 * len(t.loss)}) loss: {v:f}")
        if (i + 1) % n == 0:
            lines.append(f"(Epoch {(i + 1) // n} / 4) train acc: {skill(t, 'acc', i, 0.3, 0.5):f}; val_acc: {skill(t, 'val', i, 0.25, 0.45):f}")
    return {"solver.txt": "\n".join(lines) + "\n"}


@blind_format("d2l_epoch_line", "Dive into Deep Learning, first edition: train_ch3's line of an epoch")
def d2l(t: Training) -> Mapping[str, str]:
    t = resized(t, epochs=15, steps=5, start=1.8)
    rows = []
    for e in range(15):
        v = epoch_mean(t, e)
        accuracy = 0.1 if math.isnan(v) else 0.95 - 0.2 * v
        rows.append(f"epoch {e + 1}, loss {v:.4f}, train acc {accuracy:.3f}, test acc {accuracy - 0.02:.3f}, time {draw(t, 'time', e, 3, 4):.1f} sec\n")
    return {"lenet.txt": "training on cuda(0)\n" + "".join(rows)}


@blind_format("baidu_course_brackets", "a PaddlePaddle course: arrays printed with their brackets")
def paddle_course(t: Training) -> Mapping[str, str]:
    n, lines = t.steps_an_epoch, ["start training ... "]
    for i, v in enumerate(t.loss):
        lines.append(f"epoch: {i // n}, batch_id: {20 * (i % n)}, loss is: [{v:.8g}]")
        if (i + 1) % n == 0:
            lines.append(f"[validation] accuracy/loss: {skill(t, 'acc', i, 0.4, 0.6):.10g}/{t.evaluations[i // n]:.10g}")
    return {"paddle.txt": "\n".join(lines) + "\n"}


@blind_format("kaggle_elapsed_remain", "a Kaggle notebook: elapsed and remaining time, the running mean in parentheses")
def kaggle(t: Training) -> Mapping[str, str]:
    lines, n = [], t.steps_an_epoch
    lines += ["========== fold: 0 training =========="]
    for e in range(4):
        for k in range(0, n, 4):
            i = e * n + k
            mean = sum(t.loss[e * n : i + 1]) / (k + 1)
            lines.append(f"Epoch: [{e + 1}][{k}/{n}] Elapsed 0m {k + 1}s (remain 0m {n - k - 1}s) Loss: {t.loss[i]:.4f}({mean:.4f}) Grad: {t.grad_norm(i) * 9e4:.4f}  LR: {t.lr:.8f}  ")
        v = t.evaluations[e]
        lines.append(f"EVAL: [6/7] Elapsed 0m 3s (remain 0m 0s) Loss: {v:.4f} ")
        lines.append(f"Epoch {e + 1} - avg_train_loss: {epoch_mean(t, e):.4f}  avg_val_loss: {v:.4f}  time: {draw(t, 't', e, 30, 33):.0f}s")
        if not math.isnan(v):
            lines += [f"Epoch {e + 1} - Score: {v / 2:.4f}  Scores: [{v / 2.1:.4f}, {v / 1.9:.4f}]", f"Epoch {e + 1} - Save Best Score: {v / 2:.4f} Model"]
    return {"train.log": "\n".join(lines) + "\n"}


@blind_format("makemore_bare_colon", "a makemore lecture notebook: step, total and the loss, no word at all")
def makemore(t: Training) -> Mapping[str, str]:
    return {"cell.txt": "".join(f"{1000 * i:7d}/{200000:7d}: {v:.4f}\n" for i, v in enumerate(t.loss))}


@blind_format("micrograd_steps", "micrograd's demo: step, loss and accuracy in percent")
def micrograd(t: Training) -> Mapping[str, str]:
    return {"moons.txt": "".join(f"step {i} loss {v!r}, accuracy {int(skill(t, 'a', i, 80, 100))}.0%\n" for i, v in enumerate(t.loss))}


@blind_format("deeplearning_ai_cost", "a first course of neural networks: the cost after every hundredth iteration")
def cost(t: Training) -> Mapping[str, str]:
    t = resized(t, epochs=1, steps=25, start=0.7)
    lines = [f"Cost after iteration {100 * i}: {v!r}" for i, v in enumerate(t.loss)]
    if t.is_lost:
        at = next(i for i, v in enumerate(t.loss) if math.isnan(v))
        lines[at:at] = ["/usr/lib/python3/dist-packages/ipykernel_launcher.py:14: RuntimeWarning: divide by zero encountered in log"]
    return {"cell_out.txt": "\n".join(lines) + "\n"}


@blind_format("fmincg_carriage_returns", "a machine learning course in Octave: iterations between a bar and a carriage return")
def fmincg(t: Training) -> Mapping[str, str]:
    t = resized(t, epochs=1, steps=50)
    text = "Training Neural Network... \n" + "".join(f"Iteration {i + 1:5d} | Cost: {'NaN' if math.isnan(v) else f'{v:4.6e}'}\r" for i, v in enumerate(t.loss))
    return {"octave.txt": text + "\nProgram paused. Press enter to continue.\n"}


@blind_format("notebook_file_tf_tensors", "a notebook file: stream outputs in which a tensor was printed without numpy()")
def tf_notebook(t: Training) -> Mapping[str, str]:
    lines = [f"Epoch {i // t.steps_an_epoch + 1} Batch {i % t.steps_an_epoch} Loss tf.Tensor({v:.7g}, shape=(), dtype=float32)\n" for i, v in enumerate(t.loss)]
    code = {"cell_type": "code", "execution_count": 7, "metadata": {}, "source": ["for epoch in range(4):\n", "    for batch, (x, y) in enumerate(ds):\n", "        loss = train_step(x, y)\n", "        print('Epoch', epoch+1, 'Batch', batch, 'Loss', loss)"]}
    cell = code | {"outputs": [{"name": "stdout", "output_type": "stream", "text": lines}]}
    return {"Untitled3.ipynb": json.dumps({"cells": [cell], "metadata": {"language_info": {"name": "python"}}, "nbformat": 4, "nbformat_minor": 2}, indent=1)}


@blind_format("pandas_history_json", "history.history through pandas' to_json: columns of numbered rows, null for NaN")
def pandas_json(t: Training) -> Mapping[str, str]:
    t = resized(t, epochs=20, steps=4)

    def column(values: list[float]) -> dict[str, float | None]:
        return {str(e): None if math.isnan(v) else round(v, 10) for e, v in enumerate(values)}

    loss, val = [epoch_mean(t, e) for e in range(20)], list(t.evaluations)
    return {"history.json": json.dumps({"loss": column(loss), "accuracy": column([0.9 - 0.1 * v for v in loss]), "val_loss": column(val), "val_accuracy": column([0.88 - 0.1 * v for v in val])}, separators=(",", ":"))}
