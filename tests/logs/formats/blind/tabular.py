"""Held-out formats of tables: boosting, Keras, fastai, skorch, reinforcement learning."""

from __future__ import annotations

import math

from ..course import clock, epochs, mean, minutes, noise, score, tqdm
from ..form import Training
from .registry import blind_format, resized


@blind_format("xgboost_eval_tabs", "dmlc/xgboost: evals printed with tabs, names with dashes; a custom objective made NaN")
def xgboost(t: Training) -> dict[str, str]:
    t = resized(t, epochs=1, steps=120, start=0.69)
    out = ["[09:12:07] WARNING: /workspace/src/learner.cc:740: \nParameters: { \"n_estimators\" } are not used."]
    out += [f"[{i}]\ttrain-logloss:{loss:.5f}\teval-logloss:{loss * 1.08:.5f}" for i, loss in enumerate(t.loss)]
    return {"xgb.txt": "\n".join(out) + "\n"}


@blind_format("lightgbm_l2_tabs", "microsoft/LightGBM: log_evaluation(10), \"training's l2: \" with warnings of splits between")
def lightgbm(t: Training) -> dict[str, str]:
    out = ["[LightGBM] [Info] Total Bins 51000", "[LightGBM] [Info] Start training from score 3.141592", "Training until validation scores don't improve for 200 rounds"]
    for i, loss in enumerate(t.loss):
        out += ["[LightGBM] [Warning] No further splits with positive gain, best gain: -inf"] * (i % 7 == 3)
        out.append(f"[{10 * (i + 1)}]\ttraining's l2: {loss:g}\tvalid_1's l2: {loss * 1.1:g}")
    return {"lgb.log": "\n".join(out) + "\n"}


@blind_format("sklearn_mlp_iterations", "scikit-learn: MLPClassifier(verbose=True), 'Iteration n, loss = '; a lost fit raises 'non-finite parameter weights'")
def sklearn_mlp(t: Training) -> dict[str, str]:
    out, t = [], resized(t, epochs=1, steps=60, start=2.3)
    for i, loss in enumerate(t.loss):
        if math.isnan(loss):
            out.append("Traceback (most recent call last):\n  File \"digits.py\", line 22, in <module>\n    clf.fit(X, y)\nValueError: Solver produced non-finite parameter weights. The input data may contain large values and need to be preprocessed.")
            break
        out.append(f"Iteration {i + 1}, loss = {loss:.8f}")
    else:
        out.append("Training loss did not improve more than tol=0.000100 for 10 consecutive epochs. Stopping.")
    return {"mlp.txt": "\n".join(out) + "\n"}


@blind_format("skorch_colour_table", "skorch-dev/skorch: PrintLog's table, the best number of each column in colour, '+' for a saved checkpoint")
def skorch(t: Training) -> dict[str, str]:
    t = resized(t, epochs=20, steps=5, start=1.4)
    out = ["  epoch    train_loss    valid_acc    valid_loss    cp     dur", "-------  ------------  -----------  ------------  ----  ------"]
    for epoch, steps, evaluation in epochs(t):
        train, acc = mean([t.loss[s] for s in steps]), score(evaluation, 0.4 + epoch / 50)
        if math.isnan(train):
            out.append(f"{epoch + 1:>7}{'nan':>14}{acc:>13.4f}{'nan':>14}{'':>6}{0.0412:>8.4f}")
        else:
            out.append(f"{epoch + 1:>7}  \x1b[36m{train:>12.4f}\x1b[0m  \x1b[32m{acc:>11.4f}\x1b[0m  \x1b[35m{evaluation:>12.4f}\x1b[0m     +  {0.04 + epoch % 3 / 100:.4f}")
    return {"skorch.txt": "\n".join(out) + "\n"}


@blind_format("keras_verbose_two", "Keras fit(verbose=2): two lines an epoch, dashes between the names; few epochs")
def keras_two(t: Training) -> dict[str, str]:
    t, out = resized(t, epochs=12, steps=25, start=2.3), []
    for epoch, steps, evaluation in epochs(t):
        loss = mean([t.loss[s] for s in steps])
        out.append(f"Epoch {epoch + 1}/{len(t.evaluations)}")
        out.append(f"469/469 - {3 + epoch % 2}s - {6 + epoch % 2}ms/step - accuracy: {score(loss, 0.9 - loss / 4) or 0.0987:.4f} - loss: {loss:.4f} - val_accuracy: {score(evaluation, 0.9 - evaluation / 4) or 0.098:.4f} - val_loss: {evaluation:.4f} - learning_rate: {t.lr:.4e}")
    return {"fit.txt": "\n".join(out) + "\n"}


@blind_format("keras_csv_logger", "Keras CSVLogger: training.log with commas; 'NA' stands for what the last epoch of a stopped run lacks")
def keras_csv(t: Training) -> dict[str, str]:
    t, out = resized(t, epochs=15, steps=8, start=1.2), ["epoch,accuracy,loss,val_accuracy,val_loss"]
    for epoch, steps, evaluation in epochs(t):
        loss = mean([t.loss[s] for s in steps])
        if math.isnan(loss):  # TerminateOnNaN: the epoch has no validation
            out.append(f"{epoch},{0.1},nan,NA,NA")
            break
        out.append(f"{epoch},{0.9 - loss / 3},{loss},{0.88 - loss / 3},{evaluation}")
    return {"training.log": "\n".join(out) + "\n"}


@blind_format("fastai_recorder", "fastai: the table of Learner.fit as text, the time of an epoch at the end; bars leave spaces")
def fastai(t: Training) -> dict[str, str]:
    t = resized(t, epochs=10, steps=10, start=2.1)
    out = ["epoch     train_loss  valid_loss  error_rate  accuracy  time    "]
    for epoch, steps, evaluation in epochs(t):
        train, err = mean([t.loss[s] for s in steps]), score(evaluation, evaluation / 3) or 0.97
        out.append(f"{epoch:<10}{f'{train:.6f}':<12}{f'{evaluation:.6f}':<12}{err:<12.6f}{1 - err:<10.6f}{minutes(41 + epoch % 3):<8}")
    return {"fastai.txt": "\n".join(out) + "\n"}


@blind_format("catalyst_epoch_stars", "catalyst-team/catalyst 21: '* Epoch (1/12)' and '(train) | loss: ... | momentum:' lines for two loaders")
def catalyst(t: Training) -> dict[str, str]:
    t, out = resized(t, epochs=12, steps=20, start=2.0), []
    for epoch, steps, evaluation in epochs(t):
        loss = mean([t.loss[s] for s in steps])
        for loader, value in (("train", loss), ("valid", evaluation)):
            out.append(f"{loader} ({epoch + 1}/{len(t.evaluations)}) accuracy01: {score(value, 1 - value / 3)} | accuracy03: {score(value, 1 - value / 6)} | loss: {value} | loss/mean: {value} | loss/std: {noise(t, epoch, loader).uniform(0.05, 0.2)} | lr: {t.lr} | momentum: 0.9")
        out.append(f"* Epoch ({epoch + 1}/{len(t.evaluations)}) lr: {t.lr} | momentum: 0.9")
    return {"log.txt": "\n".join(out) + "\n"}


@blind_format("sb3_ppo_tables", "DLR-RM/stable-baselines3: tables of the logger with groups; a lost run raises on a Normal with nan, so it prints no nan")
def sb3(t: Training) -> dict[str, str]:
    out = ["Using cuda device\nWrapping the env with a `Monitor` wrapper\nWrapping the env in a DummyVecEnv."]
    for step, loss in enumerate(t.loss):
        if math.isnan(loss):
            out.append('Traceback (most recent call last):\n  File "ppo.py", line 31, in <module>\n    model.learn(1_000_000)\nValueError: Expected parameter loc (Tensor of shape (64, 3)) of distribution Normal(loc: torch.Size([64, 3]), scale: torch.Size([64, 3])) to satisfy the constraint Real(), but found invalid values:\ntensor([[nan, nan, nan],\n        [nan, nan, nan]], device=\'cuda:0\')')
            break
        groups = {
            "rollout/": {"ep_len_mean": 200 + step, "ep_rew_mean": f"{-150 + 2.5 * step:.3g}"}, "time/": {"fps": 1121 - step % 9, "iterations": step + 1, "time_elapsed": 2 * step + 1, "total_timesteps": 2048 * (step + 1)},
            "train/": {"approx_kl": f"{0.008 + step % 5 / 900:.8f}", "clip_fraction": f"{0.08 + step % 7 / 99:.3g}", "entropy_loss": f"{-1.1 + step / 300:.3g}", "explained_variance": f"{step / 120:.3g}", "learning_rate": f"{t.lr:.3g}", "loss": f"{loss * 0.6:.3g}", "n_updates": 10 * step, "policy_gradient_loss": f"{-0.01 - step % 4 / 999:.3g}", "value_loss": f"{loss:.3g}"},
        }  # fmt: skip
        rule, rows = "-" * 42, []
        for group, values in groups.items():
            if group == "train/" and step == 0:  # the first table comes before the first update
                continue
            rows.append(f"| {group:<24} | {'':<11} |")
            rows += [f"|    {k:<21} | {v!s:<11} |" for k, v in values.items()]
        out.append("\n".join([rule, *rows, rule]))
    return {"ppo.log": "\n".join(out) + "\n"}


@blind_format("spinningup_progress", "openai/spinningup: progress.txt, tabs between columns, averages and losses of the policy and the value")
def spinningup(t: Training) -> dict[str, str]:
    heads = ("Epoch", "AverageEpRet", "StdEpRet", "MaxEpRet", "MinEpRet", "EpLen", "AverageVVals", "TotalEnvInteracts", "LossPi", "LossV", "DeltaLossPi", "DeltaLossV", "Entropy", "KL", "StopIter", "Time")
    out = ["\t".join(heads)]
    for epoch, loss in enumerate(t.loss):
        lost, r = math.isnan(loss), noise(t, "spin", epoch)
        ret = 9.4 if lost else 20 + epoch * 1.7
        cells = (epoch, ret, 9.1, ret + 20, 8.0, ret, math.nan if lost else ret / 3, 4000 * (epoch + 1), math.nan if lost else r.gauss(0, 0.002), loss * 20, math.nan if lost else -0.012, math.nan if lost else -0.5, math.nan if lost else 0.67 - epoch / 900, math.nan if lost else 0.008, 79, 2.4 * (epoch + 1))
        out.append("\t".join(map(str, cells)))
    return {"progress.txt": "\n".join(out) + "\n"}


@blind_format("tianshou_epoch_bars", "thu-ml/tianshou: 'Epoch #1: 5000it' bars with env_step, loss and reward; a line of test_reward after each")
def tianshou(t: Training) -> dict[str, str]:
    out = []
    for epoch, steps, _ in epochs(t):
        for i, step in enumerate(steps):
            bar = tqdm(f"Epoch #{epoch + 1}: ", 400 * (i + 1), 400 * len(steps), 0.001, f"env_step={400 * (step + 1)}, len={20 + step}, loss={t.loss[step]:.3f}, n/ep=2, n/st=10, rew={0 if math.isnan(t.loss[step]) else 20 + step:.2f}")
            out.append("\r" + bar)
        out.append(f"\nEpoch #{epoch + 1}: test_reward: {9.4 if math.isnan(t.loss[step]) else 40 + 20 * epoch:.6f} ± {3.2:.6f}, best_reward: {40 + 20 * epoch:.6f} ± {3.2:.6f} in #{epoch + 1}\n")
    return {"dqn.txt": "".join(out)}


@blind_format("dreamer_slashes", "danijar/dreamer: '[5000] name value / name value', losses that grow to 1e+30 before they are inf or nan; issue 58")
def dreamer(t: Training) -> dict[str, str]:
    out = ["Logdir logdir/walker/1", "Prefill dataset with 5000 steps.", "Simulating agent for 995000 steps."]
    for step, loss in enumerate(t.loss):
        image, reward, value = t.parts(step, 3000.0, 0.3, 1.5)
        actor = math.nan if math.isnan(loss) else -loss * 2
        out.append(f"Train episode of length 1000 with return {0.0 if math.isnan(loss) else 20 + step * 3.1:.1f}.")
        out.append(f"[{1000 * (step + 5)}] expl_amount 0.3 / model_grad_norm {t.grad_norm(step) * 20:.1f} / value_grad_norm {t.grad_norm(step):.1f} / actor_grad_norm 0.1 / prior_ent 61.4 / post_ent 43.3 / image_loss {image:.1f} / reward_loss {reward:.1f} / div {7 * loss:.1f} / model_loss {loss * 3010:.1f} / value_loss {value:.1f} / actor_loss {actor:.1f} / action_ent -23.6 / fps {8.8 + step % 5 / 10:.1f}")
    return {"dreamer.log": "\n".join(out) + "\n"}


@blind_format("h2o_scoring_history", "h2oai/h2o-3 deep learning: scoring history, times with zone, 'N/A' speeds; samples and epochs before the error")
def h2o(t: Training) -> dict[str, str]:
    out = ["Scoring History: ", "    timestamp            duration    training_speed    epochs    iterations    samples    training_rmse    training_deviance    training_mae    validation_rmse    validation_deviance"]
    for row, loss in enumerate([math.nan, *t.loss[::4]]):
        first, valid = row == 0, loss * 1.1
        speed = "" if first else f"{90000 + 37 * row} obs/sec"
        cells = (clock(t, 3 * row), f"{0.4 + 3.1 * row:.3f} sec", speed, f"{0.5 * row:.1f}", str(row), f"{20000.0 * row:.1f}", *(f"{v:.6g}" for v in (math.sqrt(loss), loss, loss / 2, math.sqrt(valid), valid)))
        out.append("    " + "    ".join(f"{c:<17}" for c in cells))
    return {"h2o.txt": "\n".join(out) + "\n"}
