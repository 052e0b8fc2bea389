"""Probabilistic programs, reinforcement learning and other scientific trainings."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping

from .registry import Training, blind_format, draw, epoch_mean, number, resized


@blind_format("cmdstan_optimize", "CmdStan: the table of L-BFGS, with a log probability that rises")
def cmdstan(t: Training) -> Mapping[str, str]:
    t = resized(t, epochs=1, steps=20)
    head = "    Iter      log prob        ||dx||      ||grad||       alpha      alpha0  # evals  Notes "
    lines = ["method = optimize", "  optimize", "    algorithm = lbfgs (Default)", f"Initial log joint probability = {-t.loss[0] * 980:g}"]
    for i, v in enumerate(t.loss):
        if math.isnan(v):
            lines += ["Error evaluating model log probability: Non-finite gradient.", "Optimization terminated with error: ", "  Line search failed to achieve a sufficient decrease, no more progress can be made"]
            break
        lines += [head, f"{20 * i + 19:8d} {-v * 912:13.6g} {draw(t, 'dx', i, 0.01, 0.4):13.6g} {v * 7:13.6g} {1:11.4g} {1:11.4g} {21 * i + 24:8d}   "]
    else:
        lines += ["Optimization terminated normally: ", "  Convergence detected: relative gradient magnitude is below tolerance"]
    return {"optimize.txt": "\n".join(lines) + "\n"}


@blind_format("pymc_average_loss_bar", "PyMC: the bar of a variational fit, and the error when NaN occurs")
def pymc(t: Training) -> Mapping[str, str]:
    n, text = len(t.loss), ""
    for i, v in enumerate(t.loss):
        if math.isnan(v):
            text += "\nTraceback (most recent call last):\n  File \"model.py\", line 44, in <module>\n    approx = pm.fit(20000, method='advi')\n"
            text += 'FloatingPointError: NaN occurred in optimization. \nThe current approximation of RV `sigma_log__`.ravel()[0] is NaN.\nTry tracking this parameter: http://docs.pymc.io/notebooks/variational_api_quickstart.html#Tracking-parameters\n'
            break
        done = 100 * (i + 1) // n
        text += f"\rAverage Loss = {v * 311:,.5g}: {done:3d}%|{'█' * (done // 10):10s}| {200 * (i + 1)}/{200 * n} [00:{i // 5:02d}<00:{(n - i) // 5:02d}, {draw(t, 'its', i, 980, 1010):.2f}it/s]"
    else:
        text += f"\nFinished [100%]: Average Loss = {t.loss[-1] * 311:,.5g}\n"
    return {"advi.out": text}


@blind_format("keras_rl_episode_lines", "keras-rl: one line of an episode with ten numbers; `--` before the first update")
def keras_rl(t: Training) -> Mapping[str, str]:
    lines, steps = ["Training for 20000 steps ..."], 0
    for i, v in enumerate(t.loss):
        length = int(draw(t, "len", i, 20, 190))
        steps += length
        loss, mae, q = ("--", "--", "--") if i < 2 else (f"{v:f}", f"{3.1 * v:f}", f"{6.2 * v:f}")
        lines.append(
            f" {steps:5d}/20000: episode: {i + 1}, duration: {length / 90:.3f}s, episode steps: {length:3d}, steps per second: {draw(t, 'sps', i, 88, 92):3.0f}, episode reward: {length:.3f}, mean reward:  1.000 [ 1.000,  1.000], "
            f"mean action: {draw(t, 'a', i, 0.4, 0.6):.3f} [0.000, 1.000],  loss: {loss}, mae: {mae}, mean_q: {q}"
        )
    return {"dqn.log": "\n".join(lines) + "\ndone, took 188.120 seconds\n"}


@blind_format("flax_mnist_absl", "Flax examples: absl's prefix, epoch and four measures")
def flax(t: Training) -> Mapping[str, str]:
    t, lines = resized(t, epochs=15, steps=5, start=1.9), ["I0412 09:30:00.113412 139912 xla_bridge.py:660] Unable to initialize backend 'tpu': INTERNAL: Failed to open libtpu.so"]
    for e, v in enumerate(t.evaluations):
        accuracy = 9.8 if math.isnan(v) else 99 - 11 * v
        lines.append(f"I0412 09:{31 + e}:12.{213411 + e} 139912 train.py:148] epoch:{e + 1:3d}, train_loss: {epoch_mean(t, e):.4f}, train_accuracy: {accuracy:.2f}, test_loss: {v:.4f}, test_accuracy: {accuracy - 0.4:.2f}")
    return {"flax.err": "\n".join(lines) + "\n"}


@blind_format("turicreate_box", "Turi Create: a box that grows by a row, losses in three decimals")
def turicreate(t: Training) -> Mapping[str, str]:
    rule = "+--------------+--------------+--------------+"
    lines = ["Setting 'max_iterations' to 1000", rule, "| Iteration    | Loss         | Elapsed Time |", rule]
    lines += [f"| {10 * (i + 1):<12d} | {number(v, '.3f', 'nan'):<12s} | {4.1 * (i + 1):<12.2f} |" for i, v in enumerate(t.loss)]
    return {"turi.txt": "\n".join([*lines, rule]) + "\n"}


@blind_format("lightning_v_num_bar", "Lightning: the bar of each epoch, where `nan` is filled up to `nan.0`")
def lightning_bar(t: Training) -> Mapping[str, str]:
    def shown(v: float) -> str:
        three = f"{v:.3g}"
        return (three if "." in three else three + ".").ljust(5, "0")

    n, text, known = t.steps_an_epoch, "  | Name  | Type | Params\n-------------------------------\n0 | model | GNN  | 1.2 M \n-------------------------------\n1.2 M     Trainable params\n", ""
    for e in range(len(t.evaluations)):
        for k in range(n):
            done = 100 * (k + 1) // n
            text += f"\rEpoch {e}: {done:3d}%|{'█' * (done // 10):10s}| {k + 1}/{n} [00:{k // 4:02d}<00:{(n - k) // 4:02d},  4.{k % 10}1it/s, v_num=3, train_loss_step={shown(t.loss[e * n + k])}{known}]"
        known = f", val_loss={shown(t.evaluations[e])}, train_loss_epoch={shown(epoch_mean(t, e))}"
        text += f"\rEpoch {e}: 100%|██████████| {n}/{n} [00:06<00:00,  4.01it/s, v_num=3, train_loss_step={shown(t.loss[e * n + n - 1])}{known}]\n"
    return {"stderr.txt": text + "`Trainer.fit` stopped: `max_epochs=4` reached.\n"}


@blind_format("pyro_iteration_elbo", "a Pyro tutorial's loop: iteration in brackets, ELBO loss, at intervals")
def pyro(t: Training) -> Mapping[str, str]:
    return {"svi.out": "".join(f"[iteration {50 * i + 1:04d}] loss: {v * 120:.4f}\n" for i, v in enumerate(t.loss))}


@blind_format("weather_model_json_status", "a small weather model: status.json of every epoch in a folder, skill scores beside the loss")
def weather(t: Training) -> Mapping[str, str]:
    t, files = resized(t, epochs=12, steps=5), {}
    for e, v in enumerate(t.evaluations):
        status = {"epoch": e, "train": {"mse": epoch_mean(t, e), "n": 1460}, "valid": {"mse": v, "acc_z500": None if math.isnan(v) else 0.98 - 0.1 * v}, "lr": t.lr, "minutes": round(draw(t, "m", e, 11, 12), 2)}
        files[f"epoch_{e:03d}/status.json"] = json.dumps(status, indent=2)
    return files


@blind_format("graph_ssv_history", "a chemistry group's Fortran-like table: `#` before the names, columns by width")
def ssv(t: Training) -> Mapping[str, str]:
    t = resized(t, epochs=25, steps=4)
    lines = ["# MLP potential fit, 3 hidden layers", f"# eta = {t.lr:g}", "#   epoch    rmse_E(meV)    rmse_F(meV/A)     wall(s)"]
    for e in range(25):
        v = epoch_mean(t, e)
        lines.append(f"{e + 1:9d}{number(4.1 * v, '15.5f')}{number(61.0 * v, '17.4f')}{8.31 * (e + 1):12.2f}")
    return {"fit.dat": "\n".join(lines) + "\n"}
