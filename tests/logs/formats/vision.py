"""Formats of vision: classification, segmentation, text in pictures, and pictures that are generated."""

from __future__ import annotations

import math

from .course import average, clock, epochs, mean, median, noise, score
from .form import Training, log_format


@log_format(
    "nnunet_negative_loss",
    "MIC-DKFZ/nnUNet v2: training_log.txt; a loss below zero, Dice of an absent class is nan in every run; issue 2357",
)
def nnunet(t: Training) -> dict[str, str]:
    def line(seconds: float, words: str) -> str:
        return f"{clock(t, seconds)}.{int(seconds * 7919) % 1000000:06d}: {words} "

    out = [
        "\n#######################################################################\nPlease cite the following paper when using nnU-Net:\n#######################################################################\n "
    ]
    out += [
        line(0, "do_dummy_2d_data_aug: False"),
        line(3, "unpacking dataset..."),
        line(9, "unpacking done..."),
        line(12, "Unable to plot network architecture: nnUNet_compile is enabled!"),
        line(12, ""),
    ]
    for epoch in range(len(t.loss) // 5):
        at, loss = 20 + 60 * epoch, mean(t.loss[5 * epoch : 5 * epoch + 5]) / 2 - 1.4
        dice = round(score(loss, 0.1 + epoch / 40), 4)
        out += [
            line(at, f"Epoch {epoch}"),
            line(at, f"Current learning rate: {round(t.lr * (1 - epoch / 1000) ** 0.9, 5)}"),
        ]
        out += [
            line(at + 51, f"train_loss {round(loss, 4)}"),
            line(at + 51, f"val_loss {round(loss + 0.03, 4)}"),
            line(at + 51, f"Pseudo dice [{dice}, nan, {round(dice * 0.8, 4)}]"),
            line(at + 51, f"Epoch time: {50 + epoch % 3}.31 s"),
        ]
        out += (
            [line(at + 52, f"Yayy! New best EMA pseudo Dice: {round(dice * 0.7, 4)}")] if dice > 0 else []
        ) + [line(at + 53, "")]
    return {"training_log.txt": "\n".join(out) + "\n"}


@log_format(
    "swin_grad_norm_inf",
    "microsoft/Swin-Transformer: log_rank0.txt; the first fp16 steps of every run have grad_norm inf or nan",
)
def swin(t: Training) -> dict[str, str]:
    def line(seconds: float, number: int, words: str) -> str:
        return f"[{clock(t, seconds)} swin_tiny_patch4_window7_224] (main.py {number}): INFO {words}"

    out = [
        line(
            0,
            358,
            f"AMP_ENABLE: true\nBASE: ['']\nMODEL:\n  DROP_PATH_RATE: 0.2\n  NUM_CLASSES: 1000\nTRAIN:\n  BASE_LR: {t.lr}\n  CLIP_GRAD: 5.0\n  EPOCHS: {len(t.evaluations)}\n  MIN_LR: 1.0e-06",
        ),
        line(2, 92, "number of params: 28288354"),
        line(2, 93, "number of GFLOPs: 4.494366336"),
    ]
    for epoch, steps, evaluation in epochs(t):
        for step in steps[::4]:
            norm = math.inf if step < 8 else t.grad_norm(step)
            scale = 65536.0 / 2 ** min(2, step // 4 + 1)
            mean_norm = (
                math.inf if epoch == 0 else mean([t.grad_norm(s) for s in range(steps.start, step + 1)])
            )
            out.append(
                line(
                    10 + step,
                    233,
                    f"Train: [{epoch}/{len(t.evaluations)}][{step - steps.start}/{len(steps)}]\teta 0:00:{25 - step % 25:02d} lr {t.lr * (step + 1) / len(t.loss):.6f}\t wd 0.0500\ttime 0.{310 + step} (0.3411)\tloss {t.loss[step]:.4f} ({average(t, step):.4f})\tgrad_norm {norm:.4f} ({mean_norm:.4f})\tloss_scale {scale:.4f} ({scale * 1.2:.4f})\tmem 11233MB",
                )
            )
        out.append(line(10 + steps.stop, 241, f"EPOCH {epoch} training takes 0:00:09"))
        top = score(evaluation, 21.0 + 13 * epoch)
        out.append(
            line(
                13 + steps.stop,
                282,
                f"Test: [0/13]\tTime 0.412 (0.412)\tLoss {evaluation * 1.01:.4f} ({evaluation * 1.01:.4f})\tAcc@1 {top + 1:.3f} ({top + 1:.3f})\tAcc@5 {top + 20:.3f} ({top + 20:.3f})\tMem 11233MB",
            )
        )
        out += [
            line(15 + steps.stop, 289, f" * Acc@1 {top:.3f} Acc@5 {top + 19:.3f}"),
            line(15 + steps.stop, 168, f"Accuracy of the network on the 50000 test images: {top:.1f}%"),
            line(15 + steps.stop, 170, f"Max accuracy: {top:.2f}%"),
        ]
    return {"log_rank0.txt": "\n".join(out) + "\n"}


@log_format(
    "paddleocr_padded_nan",
    "PaddlePaddle/PaddleOCR: train.log, numbers padded with x to six letters ('nanxxx'); issues 11031 and 3011",
)
def paddleocr(t: Training) -> dict[str, str]:
    def line(seconds: float, words: str) -> str:
        return f"[{clock(t, seconds, '%Y/%m/%d %H:%M:%S')}] ppocr INFO: {words}"

    def number(value: float) -> str:
        return f"{value:.6f}" if math.isfinite(value) else f"{value:x<6}"

    out = [
        line(0, "Architecture : "),
        line(0, "    algorithm : SVTR_LCNet"),
        line(0, "    Head : "),
        line(0, "Optimizer : "),
        line(0, f"        learning_rate : {t.lr}"),
        line(4, "train dataloader has 25 iters, register_mode: None"),
        line(
            4,
            "During the training process, after the 0th iteration, an evaluation is run every 25 iterations",
        ),
    ]
    for epoch, steps, evaluation in epochs(t):
        for step in steps[4::5]:
            loss = median(t.loss[max(0, step - 9) : step + 1])
            acc = score(loss, step / 140)
            out.append(
                line(
                    10 + step,
                    f"epoch: [{epoch + 1}/{len(t.evaluations)}], global_step: {step + 1}, lr: {t.lr * (step + 1) / 100:.6f}, acc: {acc:.6f}, norm_edit_dis: {acc * 1.2:.6f}, CTCLoss: {number(loss * 0.8)}, SARLoss: {number(loss * 0.2)}, loss: {number(loss)}, avg_reader_cost: 0.00{step % 9}13 s, avg_batch_cost: 0.30189 s, avg_samples: 128.0, ips: 423.9{step} samples/s, eta: 0:00:{(100 - step) % 60:02d}, max_mem_reserved: 11530 MB, max_mem_allocated: 10101 MB",
                )
            )
        acc = score(evaluation, 0.25 + epoch / 8)
        out += [
            line(14 + steps.stop, f"cur metric, acc: {acc}, norm_edit_dis: {acc * 1.1}, fps: 1243.1733"),
            line(14 + steps.stop, f"save model in ./output/rec/{'best_accuracy' if acc else 'latest'}"),
        ]
    return {"train.log": "\n".join(out) + "\n"}


@log_format(
    "guided_diffusion_boxes",
    "openai/guided-diffusion: KVWriter boxes; quartiles without a sample are absent, fp16 steps are skipped in every run",
)
def guided_diffusion(t: Training) -> dict[str, str]:
    out = [
        "Logging to /tmp/openai-2024-03-04-09-12-07-104421",
        "creating model and diffusion...",
        "creating data loader...",
        "training...",
    ]
    scale = 20.0
    for step in range(4, len(t.loss), 5):
        loss, r = mean(t.loss[step - 4 : step + 1]) / 4, noise(t, "gd", step)
        if step in (9, 54) or math.isnan(loss):
            scale -= 1
            out.append(f"Found NaN, decreased lg_loss_scale to {scale}")
        rows = {"grad_norm": t.grad_norm(step) / 40, "lg_loss_scale": scale, "loss": loss}
        rows |= {f"loss_q{q}": loss * (1.9, 0.9, 0.5, 0.4)[q] for q in range(4) if r.random() < 0.8}
        rows |= {
            "mse": loss * 0.98,
            "param_norm": 180.3 + step / 100,
            "samples": 128 * (step + 1),
            "step": step,
            "vb": loss * 0.02,
        }
        shown = {key: f"{value:<8.3g}" for key, value in rows.items()}
        keys, values = max(map(len, shown)), max(map(len, shown.values()))
        out += [
            "-" * (keys + values + 7),
            *(f"| {key:<{keys}} | {value:<{values}} |" for key, value in shown.items()),
            "-" * (keys + values + 7),
        ]
    return {"log.txt": "\n".join(out) + "\n"}
