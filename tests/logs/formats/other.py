"""Formats of other fields and other languages: Keras, scikit-learn, robots, Julia, Java, MATLAB, vowpal wabbit."""

from __future__ import annotations

import math

from .course import average, epochs, growing, mean, noise, score
from .form import Training, log_format


@log_format(
    "keras3_fit_backspaces",
    "Keras 3: progress bars of fit() with backspaces and ANSI; TerminateOnNaN says 'Invalid loss, terminating training'",
)
def keras(t: Training) -> dict[str, str]:
    out = [
        "2024-03-05 09:12:07.402113: I tensorflow/core/platform/cpu_feature_guard.cc:210] This TensorFlow binary is optimized to use available CPU instructions.\n",
        '\x1b[1mModel: "sequential"\x1b[0m\n┏━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━┳━━━━━━━━━━━┓\n┃\x1b[1m \x1b[0m\x1b[1mLayer (type)   \x1b[0m\x1b[1m \x1b[0m┃\x1b[1m \x1b[0m\x1b[1mOutput Shape\x1b[0m\x1b[1m \x1b[0m┃\x1b[1m \x1b[0m\x1b[1m  Param #\x1b[0m\x1b[1m \x1b[0m┃\n┡━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━╇━━━━━━━━━━━┩\n│ dense (Dense)   │ (None, 256)  │    33,024 │\n└─────────────────┴──────────────┴───────────┘\n',
    ]
    for epoch, steps, evaluation in epochs(t):
        out.append(f"Epoch {epoch + 1}/{len(t.evaluations)}\n")
        for step in steps:
            done, loss = step - steps.start + 1, average(t, step)
            full = "━" * (20 * done // len(steps))
            text = f"\x1b[1m{done:2d}/{len(steps)}\x1b[0m \x1b[32m{full}\x1b[0m\x1b[37m{'━' * (20 - len(full))}\x1b[0m \x1b[1m{len(steps) - done}s\x1b[0m 41ms/step - accuracy: {score(loss, 0.1 + step / 150):.4f} - loss: {loss:.4f}"
            if step % 3 == 0 or done == len(steps):
                out.append("\x08" * len(text) + "\r" + text)
            if math.isnan(loss):
                out.append(f"Batch {step - steps.start}: Invalid loss, terminating training\n")
                break
        out.append(
            f" - val_accuracy: {score(evaluation, 0.3 + epoch / 8):.4f} - val_loss: {evaluation:.4f} - learning_rate: {t.lr:.4e}\n"
        )
        if math.isnan(loss):
            break
    return {"run.log": "".join(out)}


@log_format(
    "sklearn_sgd_overflow", "scikit-learn: verbose=1 of SGDRegressor, and the ValueError of its overflow"
)
def sklearn_sgd(t: Training) -> dict[str, str]:
    out, loss = [], growing(t, 300.0)
    for epoch in range(len(loss) // 5):
        average_loss = mean(loss[5 * epoch : 5 * epoch + 5])
        if average_loss > 1e13:
            out.append(
                'Traceback (most recent call last):\n  File "fit_prices.py", line 41, in <module>\n    model.fit(X_train, y_train)\n  File "/usr/lib/python3/dist-packages/sklearn/linear_model/_stochastic_gradient.py", line 1702, in _fit_regressor\n    coef, intercept, average_coef, average_intercept, self.n_iter_ = _plain_sgd('
            )
            out.append(
                f"ValueError: Floating-point under-/overflow occurred at epoch #{epoch + 1}. Scaling input data with StandardScaler or MinMaxScaler might help."
            )
            break
        size = math.sqrt(max(average_loss, 4.2)) if average_loss > 5 else 3.1 + epoch / 10
        out += [
            f"-- Epoch {epoch + 1}",
            f"Norm: {size:.2f}, NNZs: 54, Bias: {size / 7:.6f}, T: {(epoch + 1) * 2000}, Avg. loss: {average_loss:f}",
            f"Total training time: {0.02 * (epoch + 1):.2f} seconds.",
        ]
    else:
        out.append("Convergence after 20 epochs took 0.40 seconds")
    return {"fit.out": "\n".join(out) + "\n"}


@log_format(
    "rsl_rl_right_aligned",
    "leggedrobotics/rsl_rl: right-aligned blocks of a PPO runner; the value loss grows past float32; IsaacLab issues 1999 and 2539",
)
def rsl_rl(t: Training) -> dict[str, str]:
    out, loss = [], growing(t, 40.0)
    for step in range(0, len(loss), 3):
        value, r = loss[step] if loss[step] < 3.4e38 else math.inf, noise(t, step)
        rows = {
            "Computation": f"{r.randint(90000, 99999)} steps/s (collection: 0.812s, learning 0.214s)",
            "Value function loss": f"{value:.4f}",
            "Surrogate loss": f"{r.uniform(-0.01, 0.01):.4f}",
            "Mean action noise std": f"{1 - step / 200:.2f}",
            "Mean reward": f"{score(t.loss[step], 2 + step / 5):.2f}",
            "Mean episode length": f"{100 + step * 4:.2f}",
            "Mean episode rew_tracking_lin_vel": f"{step / 200:.4f}",
            "Mean episode rew_termination": "-0.0000",
        }
        out += ["#" * 80, f"\x1b[1m Learning iteration {step}/{len(loss)} \x1b[0m".center(80), ""]
        out += [f"{name + ':':>35} {shown}" for name, shown in rows.items()]
        out += [
            "-" * 80,
            f"{'Total timesteps:':>35} {98304 * (step + 1)}",
            f"{'Iteration time:':>35} 1.03s",
            f"{'Total time:':>35} {1.03 * (step + 1):.2f}s",
            f"{'ETA:':>35} {1.03 * (len(loss) - step):.1f}s",
            "",
        ]
    return {"run.log": "\n".join(out) + "\n"}


@log_format(
    "julia_info_boxes",
    "Julia: @info with keywords, as Flux and Lux examples print it; Float32 as 1.5f0 and NaN32",
)
def julia(t: Training) -> dict[str, str]:
    def float32(value: float) -> str:
        return "NaN32" if math.isnan(value) else f"{value:.7g}f0"

    def box(title: str, end: str = "", **shown: object) -> str:
        rows = [f"   {key} = {value}" for key, value in shown.items()] + ([f" @ Main {end}"] if end else [])
        return "\n".join([f"┌ Info: {title}", *(f"│{row}" for row in rows[:-1]), f"└{rows[-1]}"])

    out = [
        "[ Info: Training on GPU",
        box("Hyperparameters", η=t.lr, batchsize=128, epochs=len(t.evaluations), seed=42),
    ]
    for epoch, steps, evaluation in epochs(t):
        for step in steps[4::5]:
            out.append(
                box(
                    "Batch",
                    epoch=epoch + 1,
                    batch=step - steps.start + 1,
                    loss=float32(t.loss[step]),
                    elapsed=f"{0.031 * (step + 1):.3f}",
                )
            )
        accuracy = f"{score(evaluation, 0.4 + epoch / 9):.4f}"
        out.append(
            box(
                "Epoch finished",
                "~/src/train.jl:88",
                epoch=epoch + 1,
                test_loss=float32(evaluation),
                test_acc=accuracy,
            )
        )
        out.append(f'[ Info: Model saved in "runs/model_{epoch + 1:04d}.bson"')
    return {"run.log": "\n".join(out) + "\n"}


@log_format(
    "matlab_verbose_table",
    "MathWorks Deep Learning Toolbox: verbose output of trainNetwork, validation cells empty between validations",
)
def matlab(t: Training) -> dict[str, str]:
    head = "|  Epoch  |  Iteration  |  Time Elapsed  |  Mini-batch  |  Validation  |  Mini-batch  |  Validation  |  Base Learning  |"
    rule = "|" + "=" * (len(head) - 2) + "|"
    out = [
        "Training on single GPU.",
        "Initializing input data normalization.",
        rule,
        head,
        "|         |             |   (hh:mm:ss)   |   Accuracy   |   Accuracy   |     Loss     |     Loss     |      Rate       |",
        rule,
    ]
    for epoch, steps, evaluation in epochs(t):
        for step in [s for s in steps if s == 0 or (s + 1) % 5 == 0]:
            loss = "NaN" if math.isnan(t.loss[step]) else f"{t.loss[step]:.4f}"
            held = "" if step != steps[-1] else "NaN" if math.isnan(evaluation) else f"{evaluation:.4f}"
            right, held_right = (
                f"{score(t.loss[step], 12.5 + step / 2):.2f}%",
                f"{score(evaluation, 30.0 + 9 * epoch):.2f}%" if held else "",
            )
            out.append(
                f"| {epoch + 1:7d} | {step + 1:11d} |       00:{step // 60:02d}:{step % 60:02d} | {right:>12} | {held_right:>12} | {loss:>12} | {held:>12} | {t.lr:15.4f} |"
            )
    out += [rule, "Training finished: Max epochs completed."]
    out += (
        ["Warning: Training loss is NaN. Predictions using the output network might contain NaN values."]
        if t.is_lost
        else []
    )
    return {"diary.txt": "\n".join(out) + "\n"}


@log_format(
    "vowpal_wabbit_columns",
    "VowpalWabbit: two lines of column heads, averages since the start and since the last line; issue 1608",
)
def vowpal_wabbit(t: Training) -> dict[str, str]:
    out = [
        "final_regressor = model.vw",
        "Num weight bits = 18",
        f"learning rate = {t.lr:g}",
        "initial_t = 0",
        "power_t = 0.5",
        "using no cache",
        "Reading datafile = train.vw",
        "num sources = 1",
        "Enabled reductions: gd, scorer",
        "average  since         example        example        current        current  current",
        "loss     last          counter         weight          label        predict features",
    ]
    for last in range(5, len(t.loss) + 1, 5):
        whole, recent, r = mean(t.loss[:last]), mean(t.loss[last - 5 : last]), noise(t, last)
        out.append(
            f"{whole:.6f} {recent:.6f} {last * 100:12d} {last * 100.0:14.1f} {r.choice((-1, 1)):14.4f} {score(recent, r.uniform(-1, 1)):14.4f} {r.randint(12, 48):8d}"
        )
    out += [
        "",
        "finished run",
        f"number of examples = {len(t.loss) * 100}",
        f"weighted example sum = {len(t.loss) * 100:.6f}",
        "weighted label sum = 212.000000",
        f"average loss = {mean(t.loss):.6f}",
        "best constant = 0.021200",
        "best constant's loss = 0.999551",
        "total feature number = 301448",
    ]
    return {"stderr.log": "\n".join(out) + "\n"}
