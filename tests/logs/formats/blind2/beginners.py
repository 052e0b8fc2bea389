"""Prints that people write by themselves, in odd orders of words."""

from __future__ import annotations

import math
from collections.abc import Mapping

from .registry import Training, blind_format, draw, epoch_mean, resized, skill


def _rows(t: Training, row: str) -> str:
    """`row` filled for each step, with {v} its loss, {i} its step, {e} and {k} its epoch and batch, {lr}, {s} a time."""
    n = t.steps_an_epoch
    return "".join(row.format(v=v, i=i, e=i // n, k=i % n, n=n, lr=t.lr, s=draw(t, "s", i, 0.31, 0.36)) + "\n" for i, v in enumerate(t.loss))


@blind_format("number_is_the_loss_after", "a student's print: the number first, then the sentence about it")
def number_first(t: Training) -> Mapping[str, str]:
    return {"log.txt": _rows(t, "{v:.4f} is the loss after batch {k} of epoch {e}")}


@blind_format("we_got_training_error_of", "a research script's print: a sentence with the numbers inside it")
def we_got(t: Training) -> Mapping[str, str]:
    return {"out.txt": "loading data... ok (8123 examples)\n" + _rows(t, "at iter {i} of 100 we got training error of {v:.3f} (lr={lr}, took {s:.2f}s)")}


@blind_format("was_now_best_exclamations", "a print that also says what the loss was before, and the best until now")
def was_now(t: Training) -> Mapping[str, str]:
    t = resized(t, epochs=22, steps=4)
    lines, before, best = [], 99.0, 99.0
    for e in range(22):
        v = epoch_mean(t, e)
        if v < best:
            best = v
        lines.append(f"Epoch {e} done!! avg loss = {v:.4f} (was {before:.4f}, best so far {best:.4f}), acc = {skill(t, 'acc', 4 * e + 3, 0.4, 0.6):.3f}" + (" <-- saved" if best == v else ""))
        before = v
    return {"my_log.txt": "\n".join(lines) + "\n"}


@blind_format("headerless_spaces", "a text file of five columns without a header: epoch, rate, train, test, seconds")
def headerless(t: Training) -> Mapping[str, str]:
    t = resized(t, epochs=30, steps=3)
    return {"results.txt": "".join(f"{e} {t.lr} {epoch_mean(t, e):.6f} {v:.6f} {draw(t, 's', e, 12, 13):.2f}\n" for e, v in enumerate(t.evaluations))}


@blind_format("numpy_savetxt_pair", "two files by numpy.savetxt, one number a line")
def savetxt(t: Training) -> Mapping[str, str]:
    return {"train_loss.txt": "".join(f"{v:.18e}\n" for v in t.loss), "val_loss.txt": "".join(f"{v:.18e}\n" for v in t.evaluations)}


@blind_format("list_repr_every_epoch", "a print of the whole list of losses after each epoch, so that it grows")
def growing_list(t: Training) -> Mapping[str, str]:
    t, lines = resized(t, epochs=12, steps=6), []
    means = [epoch_mean(t, e) for e in range(12)]
    for e in range(12):
        lines += [f"epoch {e}", f"losses so far: {[round(v, 4) for v in means[: e + 1]]}", f"lr {t.lr}"]
    return {"print.txt": "\n".join(lines) + "\n"}


@blind_format("arrows_and_emoji", "a notebook's cheerful print: emoji, arrows, percent of the run")
def emoji(t: Training) -> Mapping[str, str]:
    t = resized(t, epochs=20, steps=5)
    rows = []
    for e, v in enumerate(t.evaluations):
        rows.append(f"🚀 [{5 * (e + 1):3d}%] epoch {e + 1:>2}/20 ➜ 📉 train {epoch_mean(t, e):.4f} ➜ 🧪 valid {v:.4f} ⏱ {draw(t, 's', e, 21, 24):.1f}s {'✅' if not math.isnan(v) else '❌'}\n")
    return {"notebook.txt": "".join(rows)}


@blind_format("gan_notebook_d_g", "a GAN notebook: D and G with two probabilities, at each hundredth batch")
def gan(t: Training) -> Mapping[str, str]:
    rows = []
    for i in range(len(t.loss)):
        d, g = t.parts(i, 0.3, 0.7)
        fake = math.nan if math.isnan(d) else draw(t, "p", i, 0.2, 0.4)
        rows.append(f">{i // t.steps_an_epoch + 1}, {i % t.steps_an_epoch + 1}/{t.steps_an_epoch}, d={d:.3f}, g={g:.3f} real={1 - fake:.2f} fake={fake:.2f}\n")
    return {"gan.txt": "".join(rows)}


@blind_format("dict_repr_with_stars", "a print of a dictionary between stars, a block of an epoch")
def stars(t: Training) -> Mapping[str, str]:
    t, lines = resized(t, epochs=18, steps=4), []
    for e, v in enumerate(t.evaluations):
        lines += ["*" * 20 + f" EPOCH {e} " + "*" * 20, "TRAIN", f"{{'l_total': {epoch_mean(t, e)}, 'iou': {skill(t, 'iou', 4 * e + 3, 0.4, 0.5)}}}", "EVAL", f"{{'l_total': {v}, 'iou': {skill(t, 'iou2', 4 * e + 3, 0.4, 0.5)}}}", f"elapsed: {40 * (e + 1)} sec"]
    return {"exp7.log": "\n".join(lines) + "\n"}


@blind_format("rl_home_episode_q_loss", "a home-made DQN: episode, score, epsilon, and the Q-network's loss last")
def dqn(t: Training) -> Mapping[str, str]:
    rows = [f"Ep {i:4d} | score {int(skill(t, 'score', i, 24, 200)):4d} | mem {min(10000, 137 * (i + 1)):5d} | eps {max(0.01, 0.97**i):.3f} | Qloss {v:.5f}\n" for i, v in enumerate(t.loss)]
    return {"cartpole.log": "".join(rows)}


@blind_format("camel_case_no_space", "a lab's print: camel case names glued to numbers, a semicolon between")
def camel(t: Training) -> Mapping[str, str]:
    return {"run.log": _rows(t, "Ep{e}It{k};TotLoss{v:.5f};LR{lr:.0e};dt{s:.3f}")}


@blind_format("two_lines_step_then_value", "prints one below the other: the step on one line, the loss on the next")
def two_lines(t: Training) -> Mapping[str, str]:
    return {"nohup.out": _rows(t, "Iteration number: {i}\nLoss value:\n{v:.5f}\n---")}


@blind_format("accuracy_first_err_last", "a thesis script: accuracies in percent first, cross entropy abbreviated at the end")
def ce_last(t: Training) -> Mapping[str, str]:
    t, rows = resized(t, epochs=24, steps=4), []
    for e, v in enumerate(t.evaluations):
        accuracy = 10.0 if math.isnan(v) else 97 - 14 * v
        rows.append(f"[{e:03d}] acc tr/va {accuracy:5.2f}%/{accuracy - 1.3:5.2f}%  |  CE tr/va {epoch_mean(t, e):.4f}/{v:.4f}  |  {draw(t, 's', e, 41, 44):.1f} s\n")
    return {"thesis.log": "".join(rows)}


@blind_format("csv_excel_time_column", "a spreadsheet's CSV: date and time first, empty cells, losses in a column named after the model")
def excel(t: Training) -> Mapping[str, str]:
    t, rows = resized(t, epochs=30, steps=3), ["Date,Time,Epoch No.,UNet_loss (train),UNet_loss (val),Remarks"]
    for e, v in enumerate(t.evaluations):
        rows.append(f"12/04/2024,09:{30 + e}:12,{e + 1},{epoch_mean(t, e):.5f},{'' if e % 2 else f'{v:.5f}'},{'lr ' + str(t.lr) if e == 0 else ''}")
    return {"unet_runs.csv": "\r\n".join(rows) + "\r\n"}
