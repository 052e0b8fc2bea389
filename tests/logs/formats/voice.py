"""Formats of speech synthesis: acoustic models and vocoders, most of them adversarial."""

from __future__ import annotations

import math

from .course import asctime, average, clock, epochs, growing, mean, noise, score, tqdm
from .form import Training, log_format


@log_format(
    "coqui_trainer_console", "coqui-ai/Trainer: trainer/logging/console_logger.py, with its ANSI colours"
)
def coqui(t: Training) -> dict[str, str]:
    out = [
        "> Setting up Audio Processor...\n | > sample_rate:22050\n | > fft_size:1024\n | > mel_fmax:None\n | > spec_gain:20\n > Model has 83059180 parameters"
    ]
    before: dict[str, float] = {}
    for epoch, steps, evaluation in epochs(t):
        out.append(
            f"\n\x1b[4m\x1b[1m > EPOCH: {epoch}/{len(t.evaluations)}\x1b[0m\n --> /out/vits-March-04-2024_09+12AM-0000000\n\n\x1b[1m > TRAINING ({clock(t, 60 * epoch)}) \x1b[0m"
        )
        for step in steps[::5]:
            so_far = average(t, step) / t.loss[step]
            names = ("loss_disc", "loss_gen", "loss_kl", "loss_feat", "loss_mel", "loss_duration")
            rows = [
                f"{name}: {v}  ({v * so_far})"
                for name, v in zip(names, t.parts(step, 0.06, 0.05, 0.08, 0.1, 0.6, 0.11), strict=True)
            ]
            rows.append(f"grad_norm_0: {t.grad_norm(step):.4f}  ({t.grad_norm(step) * so_far})")
            rows += [
                f"current_lr_0: {t.lr} ",
                f"step_time: 0.{400 + step}  (0.4312812)",
                f"loader_time: 0.0{step + 10}  (0.0113213)",
            ]
            out.append(
                f"\n\n\x1b[1m   --> TIME: {clock(t, 60 * epoch + step % 25)} -- STEP: {step - steps.start}/{len(steps)} -- GLOBAL_STEP: {step}\x1b[0m"
            )
            out += [f"     | > {row}" for row in rows]
        out.append("\n\n\x1b[1m > EVALUATION \x1b[0m\n\n\n  \x1b[1m--> EVAL PERFORMANCE\x1b[0m")
        for name, value in (
            ("avg_loader_time", 0.0271 + epoch / 1e4),
            ("avg_loss_mel", evaluation * 0.6),
            ("avg_loss_1", evaluation),
        ):
            change = value - before.get(name, value)
            colour = "\x1b[92m" if change < 0 else "\x1b[91m" if change > 0 else ""
            out.append(
                f"     | > {name}:{colour} {value} \x1b[0m({'' if change < 0 else '+'}{change if name in before else 0})"
            )
            before[name] = value
    return {"trainer_0_log.txt": "\n".join(out) + "\n"}


@log_format(
    "vits_list_of_losses",
    "jaywalnut310/vits: train.log, losses without names in a list that ends in step and learning rate",
)
def vits(t: Training) -> dict[str, str]:
    def line(seconds: float, level: str, words: object) -> str:
        return f"{asctime(t, seconds)}\tljs_base\t{level}\t{words}"

    out = [
        line(
            0,
            "INFO",
            {
                "train": {
                    "log_interval": 5,
                    "eval_interval": 50,
                    "seed": 1234,
                    "epochs": len(t.evaluations),
                    "learning_rate": t.lr,
                    "betas": [0.8, 0.99],
                    "fp16_run": True,
                    "c_mel": 45,
                    "c_kl": 1.0,
                },
                "model_dir": "./logs/ljs_base",
            },
        )
    ]
    out.append(
        line(
            0,
            "WARNING",
            "/opt/vits is not a git repository, therefore hash value comparison will be ignored.",
        )
    )
    for epoch, steps, _ in epochs(t):
        for step in steps[::5]:
            out.append(
                line(
                    30 + 2 * step,
                    "INFO",
                    f"Train Epoch: {epoch + 1} [{100.0 * (step - steps.start) / len(steps):.0f}%]",
                )
            )
            losses = t.parts(step, 0.55, 0.5, 0.3, 5.2, 0.4, 0.9)
            out.append(line(30 + 2 * step, "INFO", [*losses, step, t.lr]))
            if step % 50 == 0:
                out.append(
                    line(
                        31 + 2 * step,
                        "INFO",
                        f"Saving model and optimizer state at iteration {epoch + 1} to ./logs/ljs_base/G_{step}.pth",
                    )
                )
        out.append(line(30 + 2 * steps.stop, "INFO", f"====> Epoch: {epoch + 1}"))
    return {"train.log": "\n".join(out) + "\n"}


@log_format(
    "tacotron2_nvidia",
    "NVIDIA/tacotron2: prints of train.py; 'Grad Norm' has no colon, validation is named by an iteration",
)
def tacotron2(t: Training) -> dict[str, str]:
    out = [
        "FP16 Run: False\nDynamic Loss Scaling: True\nDistributed Run: False\ncuDNN Enabled: True\ncuDNN Benchmark: False"
    ]
    for epoch, steps, evaluation in epochs(t):
        out.append(f"Epoch: {epoch}")
        for step in steps:
            out.append(
                f"Train loss {step} {t.loss[step]:.6f} Grad Norm {t.grad_norm(step):.6f} {noise(t, step).uniform(1.9, 2.6):.2f}s/it"
            )
        out.append(f"Validation loss {steps.stop - 1}: {evaluation:9f}  ")
        out.append(
            f"Saving model and optimizer state at iteration {steps.stop - 1} to outdir/checkpoint_{steps.stop - 1}"
        )
    return {"run.log": "\n".join(out) + "\n"}


@log_format("hifigan_explodes", "jik876/hifi-gan: prints of train.py; a lost run grows and never becomes NaN")
def hifigan(t: Training) -> dict[str, str]:
    out = [
        "checkpoints directory :  cp_hifigan",
        "Generator(\n  (conv_pre): Conv1d(80, 512, kernel_size=(7,), stride=(1,), padding=(3,))\n  (conv_post): Conv1d(32, 1, kernel_size=(7,), stride=(1,), padding=(3,))\n)",
    ]
    loss = growing(t, 3.7)
    for epoch, steps, _ in epochs(t):
        out.append(f"Epoch: {epoch + 1}")
        for step in steps:
            out.append(
                f"Steps : {step:d}, Gen Loss Total : {loss[step] * 12:4.3f}, Mel-Spec. Error : {loss[step] * 0.21:4.3f}, s/b : {noise(t, step).uniform(0.7, 0.9):4.3f}"
            )
        out.append(f"Time taken for epoch {epoch + 1} is {19 + epoch % 2} sec\n")
    return {"run.log": "\n".join(out) + "\n"}


@log_format(
    "parallel_wavegan_line_a_loss",
    "kan-bayashi/ParallelWaveGAN: train.log, one line a loss; the adversarial terms begin late",
)
def parallel_wavegan(t: Training) -> dict[str, str]:
    out = [
        f"{asctime(t, i)} (train:{900 + i}) INFO: {key} = {value}"
        for i, (key, value) in enumerate(
            {
                "sampling_rate": 24000,
                "discriminator_train_start_steps": 40,
                "lambda_adv": 4.0,
                "generator_optimizer_params": {"lr": t.lr, "eps": 1e-06},
                "train_max_steps": len(t.loss),
                "version": "0.5.5",
            }.items()
        )
    ]
    for epoch, steps, evaluation in epochs(t):
        for last in range(steps.start + 5, steps.stop + 1, 5):
            loss = mean(t.loss[last - 5 : last])
            rows = {
                "train/spectral_convergence_loss": loss * 0.22,
                "train/log_stft_magnitude_loss": loss * 0.45,
            }
            if last > 40:
                rows |= {
                    "train/adversarial_loss": loss * 0.1,
                    "train/real_loss": loss * 0.11,
                    "train/fake_loss": loss * 0.1,
                    "train/discriminator_loss": loss * 0.21,
                }
            rows["train/generator_loss"] = loss * (1.07 if last > 40 else 0.67)
            out += [
                f"{asctime(t, 10 + 3 * last)} (train:487) INFO: (Steps: {last}) {key} = {value:.4f}."
                for key, value in rows.items()
            ]
        out.append(tqdm("[train]: ", steps.stop, len(t.loss), 0.62))
        out.append(
            f"{asctime(t, 12 + 3 * steps.stop)} (train:138) INFO: (Steps: {steps.stop}) Finished {epoch + 1} epoch training ({len(steps)} steps per epoch)."
        )
        out.append(
            f"{asctime(t, 12 + 3 * steps.stop)} (train:302) INFO: (Steps: {steps.stop}) Start evaluation."
        )
        out.append(
            f"{asctime(t, 13 + 3 * steps.stop)} (train:330) INFO: (Steps: {steps.stop}) Finished evaluation (4 steps per epoch)."
        )
        out.append(
            f"{asctime(t, 13 + 3 * steps.stop)} (train:336) INFO: (Steps: {steps.stop}) eval/generator_loss = {evaluation * (1.07 if steps.stop > 40 else 0.67):.4f}."
        )
        out.append(
            f"{asctime(t, 13 + 3 * steps.stop)} (train:97) INFO: Successfully saved checkpoint @ {steps.stop}steps."
        )
    return {"train.log": "\n".join(out) + "\n"}


@log_format(
    "voice_conversion_scores",
    "a home-made speaker encoder: percent signs, EER, a loss in the middle of a sentence",
)
def speaker_encoder(t: Training) -> dict[str, str]:
    out = [
        f"Loaded 1211 speakers (max 500 utterances each). Learning rate is {t.lr:g}, margin 0.2, scale 30.0."
    ]
    for epoch, steps, evaluation in epochs(t):
        for step in steps[4::5]:
            done = 100 * (step - steps.start + 1) / len(steps)
            out.append(
                f"[{clock(t, 2 * step, '%H:%M')}] {done:5.1f}% of epoch {epoch + 1:2d}: the loss is now {average(t, step):.3f} with {score(t.loss[step], 20 + step / 2):.2f}% top-1 ({noise(t, step).randint(350, 420)} utt/s)"
            )
        out.append(
            f"  -> dev: EER {50 - score(evaluation, 22 + 4 * epoch):.2f}%, minDCF {1 - score(evaluation, 0.2 + epoch / 10):.3f}, loss {evaluation:.3f} (VoxCeleb1-O, 37720 pairs)"
        )
    return {"run.txt": "\n".join(out) + "\n"}


@log_format(
    "auxiliary_asr_epoch_block",
    "yl4579/AuxiliaryASR: blocks of an epoch, bare 'nan' for each batch that was left out; issue 7",
)
def auxiliary_asr(t: Training) -> dict[str, str]:
    out = [
        "/opt/conda/lib/python3.10/site-packages/torch/functional.py:641: UserWarning: stft with return_complex=False is deprecated.\n"
    ]
    for epoch, steps, evaluation in epochs(t):
        kept = [v for v in t.loss[steps.start : steps.stop] if not math.isnan(v)]
        out.append(tqdm("[train]: ", 0, len(steps), 0.31))
        for i, step in enumerate(steps, start=1):
            if math.isnan(t.loss[step]) or (
                epoch == 1 and i == 8
            ):  # one bad sound file spoils a batch in every run
                out.append("nan\n")
            out.append("\r" + tqdm("[train]: ", i, len(steps), 0.31) if i % 6 == 0 or i == len(steps) else "")
        out.append("\n" + tqdm("[eval]: ", 3, 3, 0.4) + "\n")
        if not kept:
            out.append(
                "/opt/conda/lib/python3.10/site-packages/numpy/core/fromnumeric.py:3474: RuntimeWarning: Mean of empty slice.\n"
            )
        loss = mean(kept) if kept else math.nan
        rows = {
            "train/ctc": loss * 0.4,
            "train/s2s": loss * 0.6,
            "train/loss": loss,
            "train/learning_rate": t.lr,
            "eval/ctc": evaluation * 0.4,
            "eval/s2s": evaluation * 0.6,
            "eval/loss": evaluation,
            "eval/wer": 1 - score(evaluation, 0.09 + epoch / 10),
            "eval/acc": score(evaluation, 0.1847 + epoch / 20),
        }
        out.append(
            f"--- epoch {epoch + 1} ---\n"
            + "".join(f"{key:<15}: {value:.4f}\n" for key, value in rows.items())
        )
    return {"run.log": "".join(out)}
