"""Formats of programs for text that are older, smaller or stranger than those of large language models."""

from __future__ import annotations

import json
import math

from .course import clock, epochs, mean, noise
from .form import Training, log_format


@log_format(
    "marian_colons",
    "marian-nmt/marian: ' : ' between all fields, a sum of losses beside the number of words; issues 120 and 376",
)
def marian(t: Training) -> dict[str, str]:
    def line(seconds: float, words: str) -> str:
        return f"[{clock(t, seconds)}] {words}"

    out = [
        line(0, "[marian] Marian v1.12.0 65bf82f 2023-02-21 09:56:29 -0800"),
        line(
            0,
            "[config] cost-type: ce-mean-words\n"
            + line(0, "[config] disp-freq: 4\n")
            + line(0, f"[config] learn-rate: {t.lr:g}"),
        ),
        line(2, "[memory] Reserving 232 MB, device gpu0"),
        line(2, "Training started"),
    ]
    best, stalled = math.inf, 0
    for epoch, steps, evaluation in epochs(t):
        for step in steps[3::4]:
            words = noise(t, step).randint(20000, 29999)
            out.append(
                line(
                    3 + step,
                    f"Ep. {epoch + 1} : Up. {step + 1} : Sen. {(step + 1) * 412:,} : Cost {t.loss[step]:.8f} * {words:,} @ {words // 4:,} after {25000 * (step + 1) + words:,} : Time {noise(t, 'time', step).uniform(2, 4):.2f}s : {words * 1.31:.2f} words/s : gNorm {t.grad_norm(step):.4f}",
                )
            )
        out += [
            line(4 + steps.stop, "Saving model weights and runtime parameters to model/model.npz"),
            line(4 + steps.stop, "[valid] Validating model from model/model.npz"),
        ]
        better = evaluation < best
        best, stalled = (evaluation, 0) if better else (best, stalled + 1)
        ending = "new best" if better else f"stalled {stalled} times (last best: {best:.6g})"
        out += [
            line(
                5 + steps.stop,
                f"[valid] Ep. {epoch + 1} : Up. {steps.stop} : ce-mean-words : {evaluation:.6g} : {ending}",
            ),
            line(
                6 + steps.stop,
                f"[valid] Ep. {epoch + 1} : Up. {steps.stop} : bleu : {6 + 4 * epoch if better else 0} : {ending}",
            ),
        ]
    return {"train.log": "\n".join([*out, line(140, "Training finished")]) + "\n"}


@log_format(
    "fasttext_one_line",
    "facebookresearch/fastText: one line redrawn with a carriage return, an abort in C++; issues 385 and 1278",
)
def fasttext(t: Training) -> dict[str, str]:
    out = ["Read 2M words\nNumber of words:  36086\nNumber of labels: 252\n"]
    for step, loss in enumerate(t.loss):
        if math.isnan(loss):
            out.append(
                "terminate called after throwing an instance of 'std::runtime_error'\n  what():  Encountered NaN.\nAborted (core dumped)\n"
            )
            break
        done = (step + 1) / len(t.loss)
        out.append(
            f"\rProgress: {100 * done:5.1f}% words/sec/thread: {noise(t, step).randint(10000, 19999):7d} lr: {t.lr * (1 - done):9.6f} avg.loss: {loss:9.6f} ETA:   0h {int(9 * (1 - done)):d}m{step % 60:2d}s"
        )
    else:
        out.append("\n")
    return {"stderr.log": "".join(out)}


@log_format(
    "tf_estimator_diverged",
    "tensorflow/estimator: INFO lines of LoggingTensorHook and the error of NanTensorHook",
)
def estimator(t: Training) -> dict[str, str]:
    out = [
        "WARNING:tensorflow:From /usr/local/lib/python3.6/dist-packages/tensorflow_core/python/ops/resource_variable_ops.py:1630: calling BaseResourceVariable.__init__ is deprecated.",
        "INFO:tensorflow:Using config: {'_model_dir': '/tmp/t2t', '_tf_random_seed': None, '_save_summary_steps': 100, '_keep_checkpoint_max': 20, '_log_step_count_steps': 5}",
        "INFO:tensorflow:Graph was finalized.",
        "INFO:tensorflow:Saving checkpoints for 0 into /tmp/t2t/model.ckpt.",
    ]
    for _, steps, evaluation in epochs(t):
        for step in steps:
            if math.isnan(t.loss[step]):
                out.append(
                    'ERROR:tensorflow:Model diverged with loss = NaN.\nTraceback (most recent call last):\n  File "/usr/local/bin/t2t-trainer", line 33, in <module>\n    tf.app.run()\n  File "/usr/local/lib/python3.6/dist-packages/tensorflow_core/python/training/basic_session_run_hooks.py", line 761, in after_run\n    raise NanLossDuringTrainingError\ntensorflow.python.training.basic_session_run_hooks.NanLossDuringTrainingError: NaN loss during training.'
                )
                return {"stderr.log": "\n".join(out) + "\n"}
            if step % 5 == 0:
                seconds = noise(t, step).uniform(0.4, 0.5)
                out += [f"INFO:tensorflow:global_step/sec: {5 / seconds:g}"] if step else []
                out.append(
                    f"INFO:tensorflow:loss = {t.loss[step]:.7g}, step = {step}"
                    + (f" ({seconds:.3f} sec)" if step else "")
                )
        out += [
            f"INFO:tensorflow:Saving checkpoints for {steps.stop} into /tmp/t2t/model.ckpt.",
            f"INFO:tensorflow:Evaluation [10/10]\nINFO:tensorflow:Saving dict for global step {steps.stop}: global_step = {steps.stop}, loss = {evaluation:.7g}, metrics-translate/accuracy = {0.2 + steps.stop / 400:.7g}, metrics-translate/neg_log_perplexity = {-evaluation:.7g}",
        ]
    return {"stderr.log": "\n".join([*out, f"INFO:tensorflow:Loss for final step: {t.loss[-1]:.7g}."]) + "\n"}


@log_format(
    "modded_nanogpt_own_source",
    "KellerJordan/modded-nanogpt: logs begin with the script itself; step_avg is nan in the first ten steps of every run",
)
def modded_nanogpt(t: Training) -> dict[str, str]:
    source = f'import os\nimport time\nimport torch\n\nrate = {t.lr}\ntotal = {len(t.loss)}\n\nfor step in range(total):\n    counted = step - 9 if step > 10 else float("nan")  # compilation spoils the first times\n    loss = net(inputs, targets)\n    loss.backward()\n    if rank == 0:\n        note(f"step:{{step}}/{{total}} train_loss:{{loss.item():.4f}} step_avg:{{spent / counted:.2f}}ms")\n'
    out = [
        source + "=" * 100,
        "Running pytorch 2.5.0+cu124 compiled for CUDA 12.4",
        "nvidia-smi:\n|   0  NVIDIA H100 80GB HBM3          On  |   00000000:19:00.0 Off |                    0 |\n| N/A   38C    P0             118W /  700W |    1195MiB /  81559MiB |      0%      Default |",
        "=" * 100,
    ]
    for step, loss in enumerate(t.loss):
        spent = 143 * max(0, step - 9)
        average = "nan" if step < 11 else f"{spent / (step - 9):.2f}"
        if step % t.steps_an_epoch == 0:
            held = t.loss[0] if step == 0 else t.evaluations[step // t.steps_an_epoch - 1]
            out.append(
                f"step:{step}/{len(t.loss)} val_loss:{held:.4f} train_time:{spent:.0f}ms step_avg:{average}ms"
            )
        out.append(
            f"step:{step + 1}/{len(t.loss)} train_loss:{loss:.4f} train_time:{spent:.0f}ms step_avg:{average}ms"
        )
    return {"5f2c1a90.txt": "\n".join([*out, "peak memory consumption: 36010 MiB"]) + "\n"}


@log_format(
    "trainer_state_json",
    "transformers: trainer_state.json with its log_history, NaN as Python's json writes it",
)
def trainer_state(t: Training) -> dict[str, str]:
    history: list[dict[str, float]] = []
    for epoch, steps, evaluation in epochs(t):
        for step in steps[4::5]:
            history.append(
                {
                    "epoch": round((step + 1) / t.steps_an_epoch, 2),
                    "grad_norm": t.grad_norm(step),
                    "learning_rate": t.lr * (1 - step / 100),
                    "loss": round(mean(t.loss[step - 4 : step + 1]), 4),
                    "step": step + 1,
                }
            )
        history.append(
            {
                "epoch": epoch + 1.0,
                "eval_loss": evaluation,
                "eval_runtime": 3.4127,
                "eval_samples_per_second": 146.5,
                "eval_steps_per_second": 18.31,
                "step": steps.stop,
            }
        )
    history.append(
        {
            "epoch": float(len(t.evaluations)),
            "step": len(t.loss),
            "total_flos": 1.7203e15,
            "train_loss": mean(t.loss),
            "train_runtime": 88.1204,
            "train_samples_per_second": 9.079,
        }
    )
    state = {
        "best_metric": None,
        "best_model_checkpoint": None,
        "epoch": 4.0,
        "eval_steps": 25,
        "global_step": len(t.loss),
        "is_hyper_param_search": False,
        "is_local_process_zero": True,
        "log_history": history,
        "logging_steps": 5,
        "max_steps": len(t.loss),
        "num_train_epochs": 4,
        "save_steps": 500,
        "stateful_callbacks": {
            "TrainerControl": {"args": {"should_log": False, "should_training_stop": True}, "attributes": {}}
        },
        "total_flos": 1.7203e15,
        "train_batch_size": 8,
        "trial_name": None,
        "trial_params": None,
    }
    return {"trainer_state.json": json.dumps(state, indent=2, sort_keys=True) + "\n"}
