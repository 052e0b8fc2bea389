"""Boosting, generalized linear models, recommenders and other learners on tables."""

from __future__ import annotations

import math
from collections.abc import Mapping

from .registry import Training, blind_format, draw, epoch_mean, number, resized


@blind_format("r_gbm_nan_validation", "R gbm: a table whose validation column is nan where none was kept")
def gbm(t: Training) -> Mapping[str, str]:
    t = resized(t, epochs=1, steps=20, start=1.4)
    lines = ["Loaded gbm 2.1.8", "Iter   TrainDeviance   ValidDeviance   StepSize   Improve"]
    for i, v in enumerate(t.loss):
        shown = number(v, "13.4f", "nan")
        improve = number(0.01 * v, "9.4f", "nan")
        lines.append(f"{i + 1 if i < 10 else 10 * (i - 8):6d} {shown} {'nan':>15} {t.lr:10.4f} {improve}")
    return {"boost.Rout": "\n".join(lines) + "\n\n"}


@blind_format("catboost_tabs", "CatBoost: learn, test and best between tabs, with times")
def catboost(t: Training) -> Mapping[str, str]:
    t = resized(t, epochs=50, steps=2, start=1.1)
    lines, best = [], (math.inf, 0)
    for e, v in enumerate(t.evaluations):
        best = min(best, (v, e)) if not math.isnan(v) else best
        total = 12.4 * (e + 1)
        lines.append(f"{10 * e}:\tlearn: {number(epoch_mean(t, e), '.7f', 'nan')}\ttest: {number(v, '.7f', 'nan')}\tbest: {best[0]:.7f} ({10 * best[1]})\ttotal: {total:.3g}ms\tremaining: {50 * 12.4 - total:.3g}ms")
    lines += ["", f"bestTest = {best[0]:.10g}", f"bestIteration = {10 * best[1]}", "", f"Shrink model to first {10 * best[1] + 1} iterations."]
    return {"catboost.txt": "\n".join(lines) + "\n"}


@blind_format("sklearn_gradient_boosting_verbose", "scikit-learn: GradientBoostingRegressor with verbose and a subsample")
def sklearn_boosting(t: Training) -> Mapping[str, str]:
    t = resized(t, epochs=1, steps=19, start=3.1)
    lines = ["      Iter       Train Loss      OOB Improve   Remaining Time "]
    for i, v in enumerate(t.loss):
        lines.append(f"{i + 1 if i < 10 else 10 * (i - 8):10d} {v:16.4f} {0.02 * v:16.4f} {3.0 - 0.15 * i:15.2f}s")
    return {"gbr.txt": "\n".join(lines) + "\n"}


@blind_format("ngboost_brackets", "stanfordmlgroup/ngboost: iteration, loss, a constant validation loss, scale and norm")
def ngboost(t: Training) -> Mapping[str, str]:
    t = resized(t, epochs=1, steps=30, start=2.6)
    return {
        "ngb.out": "".join(
            f"[iter {50 * i}] loss={v:.4f} val_loss=0.0000 scale={(1.0, 2.0, 2.0, 1.0)[i % 4]:.4f} norm={v * draw(t, 'norm', i, 0.7, 0.9):.4f}\n" for i, v in enumerate(t.loss)
        )
    }


@blind_format("tabnet_bars", "dreamquark-ai/tabnet: an epoch's loss and an AUC between bars")
def tabnet(t: Training) -> Mapping[str, str]:
    t = resized(t, epochs=30, steps=4, start=1.6)
    lines = ["/opt/conda/lib/python3.10/site-packages/pytorch_tabnet/abstract_model.py:82: UserWarning: Device used : cuda", '  warnings.warn(f"Device used : {self.device}")']
    for e, v in enumerate(t.evaluations):
        if math.isnan(v):
            lines += ["Traceback (most recent call last):", '  File "run_tabnet.py", line 61, in <module>', "    clf.fit(X_train, y_train, eval_set=[(X_valid, y_valid)])", "ValueError: Input contains NaN."]
            break
        lines.append(f"epoch {e:<3}| loss: {epoch_mean(t, e):.5f} | val_0_auc: {0.95 - 0.2 * v:.5f} |  0:00:{2 * e:02d}s")
    else:
        lines += ["Stop training because you reached max_epochs = 30 with best_epoch = 29 and best_val_0_auc = 0.83411"]
    return {"tabnet.log": "\n".join(lines) + "\n"}


@blind_format("r_glm_trace", "R: glm with trace on, the deviance of each iteration of the fit, and how it stops")
def glm(t: Training) -> Mapping[str, str]:
    t = resized(t, epochs=1, steps=9)
    lines = ["> fit <- glm(claims ~ age + region, family = poisson(link = 'identity'), data = d, control = list(trace = TRUE))"]
    for i, v in enumerate(t.loss):
        if math.isnan(v):
            lines += [f"Deviance = NaN Iterations - {i + 1}", "Error: inner loop 1; cannot correct step size", "In addition: Warning message:", "In log(ifelse(y == 0, 1, y/mu)) : NaNs produced", "Execution halted"]
            break
        lines.append(f"Deviance = {number(v * 281.3, '.7g')} Iterations - {i + 1}")
    return {"fit.Rout": "\n".join(lines) + "\n"}


@blind_format("recbole_training_valid", "RUCAIBox/RecBole: coloured lines of an epoch, and its exception at NaN")
def recbole(t: Training) -> Mapping[str, str]:
    t = resized(t, epochs=24, steps=5)
    lines = []
    for e in range(24):
        stamp, v = f"12 Apr 09:{30 + e}    INFO  ", epoch_mean(t, e)
        if math.isnan(v):
            lines += ["Traceback (most recent call last):", '  File "recbole/trainer/trainer.py", line 210, in _check_nan', '    raise ValueError("Training loss is nan")', "ValueError: Training loss is nan"]
            break
        score = 0.3 - 0.05 * v
        lines += [
            f"{stamp}\x1b[1;32mepoch {e} training\x1b[0m [\x1b[1;34mtime\x1b[0m: {draw(t, 'time', e, 4, 5):.2f}s, \x1b[1;34mtrain loss\x1b[0m: {v * 40:.4f}]",
            f"{stamp}\x1b[1;32mepoch {e} evaluating\x1b[0m [\x1b[1;34mtime\x1b[0m: 0.31s, \x1b[1;34mvalid_score\x1b[0m: {score:f}]",
            f"{stamp}\x1b[1;34mvalid result\x1b[0m: ",
            f"recall@10 : {score / 2:.4f}    mrr@10 : {score:.4f}    ndcg@10 : {score / 1.5:.4f}    hit@10 : {1.4 * score:.4f}    precision@10 : {score / 4:.4f}",
        ]
    return {"BPR-ml-100k.log": "\n".join(lines) + "\n"}


@blind_format("gru4rec_arrow", "hidasib/GRU4Rec: an arrow, and rates in square brackets")
def gru4rec(t: Training) -> Mapping[str, str]:
    t = resized(t, epochs=12, steps=8, start=0.9)
    lines = ["Loading training data...", "Loading data from TAB separated file: train.tsv", "Started training", "Using default initialization"]
    for e in range(12):
        v = epoch_mean(t, e)
        if math.isnan(v):
            lines.append(f"{e}: NaN error!")
            break
        seconds = draw(t, "seconds", e, 40, 44)
        lines.append(f"Epoch{e + 1} --> loss: {v:.6f} \t({seconds:.2f}s) \t[{40000 / seconds:.2f} mb/s | {3e6 / seconds:.0f} e/s]")
    else:
        lines.append("Total training time: 512.33s")
    return {"gru4rec.out": "\n".join(lines) + "\n"}


@blind_format("fm_als_history", "a factorization machine in C++ (libFM's way of writing): train and test of an iteration")
def libfm(t: Training) -> Mapping[str, str]:
    t = resized(t, epochs=20, steps=3, start=2.2)
    lines = ["----------------------------------------------------------------------------", "libFM", "  Version: 1.4.4", "----------------------------------------------------------------------------", "Loading train...\t", "has x = 1", "num_rows=80000\tnum_values=160000\tnum_features=2625\tmin_target=1\tmax_target=5", f"learnrate={t.lr:g}", "#iterations=20"]
    for e, v in enumerate(t.evaluations):
        lines.append(f"#Iter={e:3d}\tTrain={number(epoch_mean(t, e), '.6g', '-nan')}\tTest={number(v, '.6g', '-nan')}")
    lines.append(f"Final\tTrain={number(epoch_mean(t, 19), '.6g', '-nan')}\tTest={number(t.evaluations[-1], '.6g', '-nan')}")
    return {"libfm.out": "\n".join(lines) + "\n"}
