"""Formats of speech recognition: toolkits that turn sound into words."""

from __future__ import annotations

import math

from .course import asctime, average, clock, epochs, mean, noise, score, tqdm
from .form import Training, log_format


@log_format(
    "espnet2_trainer",
    "ESPnet2: train.log of asr1 recipes, as quoted in espnet issues on 'The grad norm is nan'",
)
def espnet2(t: Training) -> dict[str, str]:
    out = [
        "# python3 -m espnet2.bin.asr_train --use_preprocessor true --config conf/train_asr_conformer.yaml --ngpu 1",
        f"# Started at {clock(t, 0, '%a %b %d %H:%M:%S UTC %Y')}",
        "#",
        f"[node07] {asctime(t, 1)} (asr:523) INFO: Vocabulary size: 5000",
        f"[node07] {asctime(t, 3)} (abs_task:1271) INFO: Model summary:",
        "    Class Name: ESPnetASRModel",
        "    Total Number of model parameters: 43.04 M",
        "    Number of trainable parameters: 43.04 M (100.0%)",
        f"[node07] {asctime(t, 3)} (abs_task:1274) INFO: Optimizer:\nAdam (\nParameter Group 0\n    amsgrad: False",
        f"    betas: (0.9, 0.98)\n    eps: 1e-09\n    initial_lr: {t.lr}\n    lr: {t.lr / 500}\n    weight_decay: 1e-06\n)",
    ]
    for epoch, steps, evaluation in epochs(t):
        at = 10 + 40 * epoch
        out.append(
            f"[node07] {asctime(t, at)} (trainer:279) INFO: {epoch + 1}/{len(t.evaluations)}epoch started."
        )
        for first in range(steps.start, steps.stop, 5):
            window = t.loss[first : first + 5]
            for i, value in enumerate(window):
                if math.isnan(value):
                    out.append(
                        f"[node07] {asctime(t, at + first % 25 + i)} (trainer:663) WARNING: The grad norm is nan. Skipping updating the model."
                    )
            loss, r = mean(window), noise(t, "espnet", first)
            numbers = f"loss_ctc={loss * 1.1:.3f}, loss_att={loss * 0.957:.3f}, acc={score(loss, r.uniform(0.2, 0.6)):.3f}, loss={loss:.3f}"
            first_shown = first - steps.start + 1
            out.append(
                f"[node07] {asctime(t, at + first % 25 + 5)} (trainer:732) INFO: {epoch + 1}epoch:train:{first_shown}-{first_shown + 4}batch: "
                f"iter_time={r.uniform(1, 4) * 1e-4:.3e}, forward_time={r.uniform(0.1, 0.2):.3f}, {numbers}, backward_time={r.uniform(0.1, 0.3):.3f}, "
                f"grad_norm={t.grad_norm(first + 4):.3f}, clip=100.000, loss_scale=1.000, optim_step_time=0.021, "
                f"optim0_lr0={t.lr * (first + 5) / 500:.3e}, train_time={r.uniform(0.5, 0.7):.3f}"
            )
        whole = mean(t.loss[steps.start : steps.stop])
        out.append(
            f"[node07] {asctime(t, at + 35)} (trainer:338) INFO: {epoch + 1}epoch results: [train] iter_time=2.113e-04, forward_time=0.151, "
            f"loss_ctc={whole * 1.1:.3f}, loss_att={whole * 0.957:.3f}, acc={score(whole, 0.3 + epoch / 12):.3f}, loss={whole:.3f}, backward_time=0.204, train_time=0.612, "
            f"time=31.4 seconds, total_count={steps.stop}, gpu_max_cached_mem_GB=10.141, [valid] loss_ctc={evaluation * 1.1:.3f}, cer_ctc={1 - score(evaluation, 0.6):.3f}, "
            f"loss_att={evaluation * 0.957:.3f}, acc={score(evaluation, 0.447):.3f}, cer={1 - score(evaluation, 0.64):.2f}, wer={1 - score(evaluation, 0.19):.2f}, loss={evaluation:.3f}, time=3.9 seconds, total_count={3 * epoch + 3}"
        )
        if math.isnan(t.loss[steps.start]):
            out.append(
                f"[node07] {asctime(t, at + 36)} (trainer:404) WARNING: The gradients at all steps are invalid in this epoch. Something seems wrong. This training was stopped at {epoch + 1}epoch"
            )
            break
        out.append(
            f"[node07] {asctime(t, at + 36)} (trainer:393) INFO: The best model has been updated: valid.acc"
        )
    out += [
        "# Accounting: time=171 threads=1",
        f"# Ended (code 0) at {clock(t, 181, '%a %b %d %H:%M:%S UTC %Y')}, elapsed time 171 seconds",
    ]
    return {"train.log": "\n".join(out) + "\n"}


@log_format(
    "icefall_transducer",
    "k2-fsa/icefall: log-train files of the zipformer recipe, quoted in issues 569 and 1463",
)
def icefall(t: Training) -> dict[str, str]:
    out = [f"{asctime(t, 0)} INFO [train.py:1138] (0/2) Training started"]
    out.append(
        f"{asctime(t, 1)} INFO [train.py:1148] (0/2) {{'best_train_loss': inf, 'best_valid_loss': inf, 'best_train_epoch': -1, 'batch_idx_train': 0, 'log_interval': 5, 'base_lr': {t.lr}, 'use_fp16': True, 'inf_check': False}}"
    )
    out.append(f"{asctime(t, 2)} INFO [train.py:1160] (0/2) Number of model parameters: 65549011")
    for epoch, steps, evaluation in epochs(t):
        for step in steps[::5]:
            for rank in (0, 1):
                value = t.loss[step] / 5 * (1 + 0.01 * rank)
                shown = "inf" if t.breaks_at is not None and 0 <= step - t.breaks_at < 5 else f"{value:.4}"
                r, total = noise(t, "icefall", step, rank), average(t, step) / 5
                out.append(
                    f"{asctime(t, 30 + step * 2 + 9 * epoch)} INFO [train.py:1031] ({rank}/2) Epoch {epoch + 1}, batch {step - steps.start}, "
                    f"loss[loss={shown}, simple_loss={value * 1.7:.4}, pruned_loss={value * 0.8:.4}, over {r.randint(4000, 9000)}.00 frames. ], "
                    f"tot_loss[loss={total:.4}, simple_loss={total * 1.7:.4}, pruned_loss={total * 0.8:.4}, over {r.randint(10000, 99999)}.{r.randint(10, 99)} frames. ], "
                    f"batch size: {r.randint(20, 60)}, lr: {t.lr * 0.9:.2e}, grad_scale: {2.0 ** (9 + epoch)}"
                )
            if math.isnan(t.loss[step]) and step >= (t.breaks_at or 0) + 10:
                out.append(
                    f"{asctime(t, 31 + step * 2 + 9 * epoch)} WARNING [train.py:1013] (0/2) Grad scale is small: 7.62939453125e-06"
                )
                out.append(
                    f"{asctime(t, 31 + step * 2 + 9 * epoch)} INFO [checkpoint.py:75] (0/2) Saving checkpoint to zipformer/exp/bad-model-0.pt"
                )
                out += [
                    "Traceback (most recent call last):",
                    '  File "./zipformer/train.py", line 1019, in train_one_epoch',
                    "    raise_grad_scale_is_too_small_error(cur_grad_scale)",
                ]
                out.append("RuntimeError: \n        grad_scale is too small, exiting: 7.62939453125e-06")
                return {"log-train.txt": "\n".join(out) + "\n"}
        out.append(
            f"{asctime(t, 30 + steps.stop * 2 + 9 * epoch)} INFO [train.py:1054] (0/2) Computing validation loss"
        )
        v = evaluation / 5
        out.append(
            f"{asctime(t, 36 + steps.stop * 2 + 9 * epoch)} INFO [train.py:1063] (0/2) Epoch {epoch + 1}, validation: loss={v:.4}, simple_loss={v * 1.7:.4}, pruned_loss={v * 0.8:.4}, over 944034.00 frames. "
        )
        out.append(
            f"{asctime(t, 36 + steps.stop * 2 + 9 * epoch)} INFO [train.py:1064] (0/2) Maximum memory allocated so far is {18211 + 13 * epoch}MB"
        )
    out.append(f"{asctime(t, 600)} INFO [train.py:1302] (0/2) Done!")
    return {"log-train.txt": "\n".join(out) + "\n"}


@log_format(
    "wenet_restarted",
    "wenet-e2e/wenet: console of train.py (executor.py) with a restart from a checkpoint in the second epoch",
)
def wenet(t: Training) -> dict[str, str]:
    out = []

    def begin(seconds: float) -> None:
        out.append(f"{asctime(t, seconds)} INFO training on multiple gpus, this gpu 0, rank 0, world_size 1")
        out.append(
            f"accum_grad: 1\ncmvn: null\ngrad_clip: 5\nlog_interval: 5\nmax_epoch: {len(t.evaluations)}\noptim: adam\noptim_conf:\n  lr: {t.lr}\nwarmup_steps: 25000"
        )
        out.append("the number of model params: 47,268,802")

    def train(epoch: int, steps: range, late: float) -> None:
        out.append(
            f"{asctime(t, 20 + steps.start + late)} INFO Epoch {epoch} TRAIN info lr {t.lr * (steps.start + 1) / 100} rank 0"
        )
        for step in steps[::5]:
            att, ctc = t.parts(step, 0.96, 1.12)
            out.append(
                f"{asctime(t, 21 + step + late)} DEBUG TRAIN | steps/sec 1.{step % 7}| Batch {epoch}/{step - steps.start} loss {t.loss[step]:.6f} "
                f"lr {t.lr * (step + 1) / 100:.8f} grad_norm {t.grad_norm(step):.6f} loss_att {att:.6f} loss_ctc {ctc:.6f} th_accuracy {score(t.loss[step], 0.1 + step / 300):.6f} rank 0"
            )

    begin(0)
    for epoch, steps, evaluation in epochs(t):
        late = 10.0 * epoch + (300.0 if epoch else 0.0)
        if epoch == 1:
            train(epoch, range(steps.start, steps.start + 12), 10.0)
            out += ["slurmstepd: error: *** JOB 48213 ON gpu12 CANCELLED DUE TO PREEMPTION ***"]
            begin(300)
            out.append(f"{asctime(t, 312)} INFO Checkpoint: loading from checkpoint exp/conformer/epoch_0.pt")
        train(epoch, steps, late)
        out.append(
            f"{asctime(t, 48 + steps.start + late)} INFO Epoch {epoch} CV info cv_loss {evaluation} rank 0 acc {score(evaluation, 0.3 + epoch / 10)}"
        )
        out.append(
            f"{asctime(t, 49 + steps.start + late)} INFO Checkpoint: save to checkpoint exp/conformer/epoch_{epoch}.pt"
        )
    return {"run.log": "\n".join(out) + "\n"}


@log_format(
    "whisper_seq2seq_trainer",
    "transformers: output of run_speech_recognition_seq2seq.py, where logging_nan_inf_filter turns NaN into 0.0",
)
def whisper(t: Training) -> dict[str, str]:
    out = [
        f"{clock(t, 0, '%m/%d/%Y %H:%M:%S')} - WARNING - __main__ - Process rank: 0, device: cuda:0, n_gpu: 1, distributed training: False, 16-bits training: True\n"
    ]
    out.append(
        "[INFO|trainer.py:2128] >> ***** Running training *****\n[INFO|trainer.py:2129] >>   Num examples = 400\n[INFO|trainer.py:2130] >>   Num Epochs = 4\n"
    )
    out.append(
        "`use_cache = True` is incompatible with gradient checkpointing. Setting `use_cache = False`...\n"
    )
    n, total = len(t.loss), 0.0
    for epoch, steps, evaluation in epochs(t):
        for first in range(steps.start, steps.stop, 5):
            kept = 0.0
            for i, value in enumerate(t.loss[first : first + 5]):
                kept += kept / (1 + i) if math.isnan(value) else value
            total, done = total + kept, first + 5
            out.append("\r" + tqdm("", done, n, 3.21, width=36))
            row = {
                "loss": round(kept / 5, 4),
                "grad_norm": t.grad_norm(done - 1),
                "learning_rate": t.lr * (1 - done / n),
                "epoch": round(done / t.steps_an_epoch, 2),
            }
            out.append(f"\n\r{' ' * 80}\r{row}\n")
        row = {
            "eval_loss": evaluation,
            "eval_wer": 100.0 if math.isnan(evaluation) else 61.3 - 9 * epoch,
            "eval_runtime": 41.7,
            "eval_samples_per_second": 2.4,
            "epoch": epoch + 1.0,
        }
        out.append(
            f"\r  0%|          | 0/13 [00:00<?, ?it/s]\x1b[A\r100%|██████████| 13/13 [00:39<00:00,  3.01s/it]\x1b[A\n\r{' ' * 60}\x1b[A{row}\n"
        )
    out.append(
        f"{{'train_runtime': 341.2, 'train_samples_per_second': 4.689, 'train_steps_per_second': 0.293, 'train_loss': {total / n}, 'epoch': 4.0}}\n"
    )
    return {"run.log": "".join(out)}


@log_format(
    "deepspeech_progressbar",
    "mozilla/DeepSpeech 0.9: progress bars of training, redrawn in one line; issue 2306",
)
def deepspeech(t: Training) -> dict[str, str]:
    out = [
        "I Could not find best validating checkpoint.\nI Could not find most recent checkpoint.\nI Initializing all variables.\nI STARTING Optimization\n"
    ]
    for epoch, steps, evaluation in epochs(t):
        for step in steps:
            loss = average(t, step) * 20
            out.append(
                f"Epoch {epoch} |   Training | Elapsed Time: 0:00:{(step % 25) * 2:02d} | Steps: {step - steps.start + 1} | Loss: {loss:.6f}\r"
            )
        out.append(
            f"Epoch {epoch} |   Training | Elapsed Time: 0:00:51 | Steps: {len(steps)} | Loss: {loss:.6f}\n"
        )
        if math.isnan(loss):
            out.append(
                "E The following files caused an infinite (or NaN) loss: /data/clips/00412.wav,/data/clips/00077.wav\n"
            )
        for step in range(1, 4):
            out.append(
                f"Epoch {epoch} | Validation | Elapsed Time: 0:00:0{step} | Steps: {step} | Loss: {evaluation * (19.7 + step / 10):.6f} | Dataset: dev.csv\r"
            )
        out.append(
            f"Epoch {epoch} | Validation | Elapsed Time: 0:00:04 | Steps: 3 | Loss: {evaluation * 20:.6f} | Dataset: dev.csv\n"
        )
        if not math.isnan(evaluation):
            out.append(
                f"I Saved new best validating model with loss {evaluation * 20:.6f} to: /out/ckpt/best_dev-{steps.stop}\n"
            )
        out.append("-" * 80 + "\n")
    out.append(f"I FINISHED optimization in 0:04:1{t.seed % 10}.714201\n")
    return {"run.log": "".join(out)}


@log_format(
    "speechbrain_patience",
    "SpeechBrain: log.txt and train_log.txt; 'Loss is not finite and patience is exhausted', issues 2031 and 2085",
)
def speechbrain(t: Training) -> dict[str, str]:
    log = [
        f"{asctime(t, 0)} - speechbrain.core - INFO - Beginning experiment!",
        f"{asctime(t, 0)} - speechbrain.core - INFO - Experiment folder: results/CRDNN/1993",
    ]
    log.append(f"{asctime(t, 2)} - speechbrain.core - INFO - 172.8M trainable parameters in ASR")
    table, patience = [], 5
    for epoch, steps, evaluation in epochs(t):
        log.append(
            f"{asctime(t, 5 + 34 * epoch)} - speechbrain.utils.epoch_loop - INFO - Going into epoch {epoch + 1}"
        )
        for step in steps:
            if math.isnan(t.loss[step]):
                log.append(f"{asctime(t, 6 + step + 9 * epoch)} - speechbrain.core - WARNING - Loss is nan.")
                log.append(
                    f"{asctime(t, 6 + step + 9 * epoch)} - speechbrain.core - WARNING - Patience not yet exhausted."
                ) if patience > 1 else None
                patience -= 1
            if patience == 0:
                trace = 'Traceback (most recent call last):\n  File "train.py", line 301, in <module>\n    asr_brain.fit(\n  File "speechbrain/core.py", line 1105, in check_gradients\n    raise ValueError('
                log.append(
                    f"{asctime(t, 7 + step + 9 * epoch)} - speechbrain.core - ERROR - Exception:\n{trace}\nValueError: Loss is not finite and patience is exhausted. To debug, wrap `fit()` with autograd's `detect_anomaly()`, e.g.\n\nwith torch.autograd.detect_anomaly():\n\tbrain.fit(...)"
                )
                return {"log.txt": "\n".join(log) + "\n", "train_log.txt": "\n".join(table) + "\n"}
        row = f"epoch: {epoch + 1}, lr: {t.lr:.2e} - train loss: {mean(t.loss[steps.start : steps.stop]):.2f} - valid loss: {evaluation:.2f}, valid CER: {31.2 - 4 * epoch:.2f}, valid WER: {58.6 - 6 * epoch:.2f}"
        table.append(row)
        log.append(f"{asctime(t, 33 + 34 * epoch)} - speechbrain.utils.train_logger - INFO - {row}")
        log.append(
            f"{asctime(t, 33 + 34 * epoch)} - speechbrain.utils.checkpoints - INFO - Saved an end-of-epoch checkpoint in results/CRDNN/1993/save/CKPT+2024-03-0{epoch + 4}+09-40-00+00"
        )
    return {"log.txt": "\n".join(log) + "\n", "train_log.txt": "\n".join(table) + "\n"}
