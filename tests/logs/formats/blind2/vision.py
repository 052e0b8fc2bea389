"""Images, detection, faces, point clouds, generation."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping

from .registry import Training, blind_format, draw, epoch_mean, resized, skill


@blind_format("ssd_pytorch_double_bars", "amdegroot/ssd.pytorch: the iteration, the loss and a timer on one line")
def ssd(t: Training) -> Mapping[str, str]:
    lines = ["Loading base network...", "Initializing weights...", "Loading the dataset...", "Training SSD on: VOC0712", "Using the specified args:", f"Namespace(batch_size=32, cuda=True, gamma=0.1, lr={t.lr}, momentum=0.9, resume=None, weight_decay=0.0005)"]
    lines += [f"timer: {draw(t, 'timer', i, 0.21, 0.27):.4f} sec.\niter {10 * i} || Loss: {v:.4f} || " for i, v in enumerate(t.loss)]
    return {"ssd.log": "".join(line + ("\n" if "iter" not in line else "") for line in lines) + "\n"}


@blind_format("retinanet_running_loss", "yhenon/pytorch-retinanet: two parts and a running loss")
def retinanet(t: Training) -> Mapping[str, str]:
    lines = ["CUDA available: True", "loading annotations into memory...", "Done (t=11.41s)", f"Num training images: {t.steps_an_epoch}"]
    for i in range(len(t.loss)):
        one, two = t.parts(i, 0.55, 0.45)
        window = t.loss[max(0, i - 499) : i + 1]
        lines.append(f"Epoch: {i // t.steps_an_epoch} | Iteration: {i % t.steps_an_epoch} | Classification loss: {one:1.5f} | Regression loss: {two:1.5f} | Running loss: {sum(window) / len(window):1.5f}")
        if (i + 1) % t.steps_an_epoch == 0:
            lines += ["Evaluating dataset", f" Average Precision  (AP) @[ IoU=0.50:0.95 | area=   all | maxDets=100 ] = {0.0 if math.isnan(one) else 0.02 * i / 10:.3f}"]
    return {"out.log": "\n".join(lines) + "\n"}


@blind_format("efficientdet_bar_skips_nan", "zylo117 EfficientDet: a bar whose loop passes over non-finite losses, so that only validation says nan")
def efficientdet(t: Training) -> Mapping[str, str]:
    n, text = t.steps_an_epoch, ""
    for e, v in enumerate(t.evaluations):
        for k in range(n):
            i = e * n + k
            if not math.isnan(t.loss[i]):
                cls, reg = t.parts(i, 0.7, 0.3)
                done = 100 * (k + 1) // n
                text += f"\rStep: {i}. Epoch: {e}/{len(t.evaluations)}. Iteration: {k + 1}/{n}. Cls loss: {cls:.5f}. Reg loss: {reg:.5f}. Total loss: {cls + reg:.5f}: {done:3d}%|{'█' * (done // 10):10s}| {k + 1}/{n} [00:{k:02d}<00:{n - k:02d},  1.0{k % 10}it/s]"
        text += f"\nVal. Epoch: {e}/{len(t.evaluations)}. Classification loss: {0.68 * v:1.5f}. Regression loss: {0.32 * v:1.5f}. Total loss: {v:1.5f}\n"
    return {"train.out": text}


@blind_format("milesial_unet_img_bar", "milesial/Pytorch-UNet: bars counted in images, and INFO lines")
def unet(t: Training) -> Mapping[str, str]:
    n = t.steps_an_epoch
    text = f"INFO: Starting training:\n        Epochs:          4\n        Batch size:      4\n        Learning rate:   {t.lr}\n        Training size:   {4 * n}\n        Validation size: 12\n        Checkpoints:     True\n        Device:          cuda\n        Images scaling:  0.5\n        Mixed Precision: True\n    \n"
    for i, v in enumerate(t.loss):
        e, k = i // n, i % n
        done = 100 * (k + 1) // n
        text += f"\rEpoch {e + 1}/4: {done:3d}%|{'█' * (done // 10):10s}| {4 * (k + 1)}/{4 * n} [00:{k:02d}<00:{n - k:02d}, {draw(t, 'img', i, 3.8, 4.2):.2f}img/s, loss (batch)={v:.3g}]"
        if k == n - 1:
            dice = 0.0 if math.isnan(v) else 0.3 + 0.1 * e
            text += f"\nINFO: Validation Dice score: {dice}\nINFO: Checkpoint {e + 1} saved!\n"
    return {"unet.err": text}


@blind_format("arcface_torch_words", "insightface arcface_torch: words and numbers without punctuation")
def arcface(t: Training) -> Mapping[str, str]:
    lines = ["Training: 2024-04-12 09:30:00,113-rank_id: 0", f"Training: 2024-04-12 09:30:04,201-: lr                       {t.lr}"]
    for i, v in enumerate(t.loss):
        lines.append(
            f"Training: 2024-04-12 09:{31 + i // 6:02d}:{10 * i % 60:02d},{417 + i}-Speed {draw(t, 'speed', i, 2590, 2660):.2f} samples/sec   Loss {v * 5:.4f}   LearningRate {t.lr:.6f}   Epoch: {i // t.steps_an_epoch}   "
            f"Global Step: {10 * (i + 1)}   Fp16 Grad Scale: {0 if math.isnan(v) else 65536}   Required: {3 - i // 34} hours"
        )
        if (i + 1) % t.steps_an_epoch == 0 and not math.isnan(v):
            lines += [f"Training: 2024-04-12 09:50:00,100-[lfw][{10 * (i + 1)}]XNorm: {draw(t, 'x', i, 20, 22):.6f}", f"Training: 2024-04-12 09:50:00,101-[lfw][{10 * (i + 1)}]Accuracy-Flip: {0.9 + i / 2000:.5f}+-0.00312"]
    return {"training.log": "\n".join(lines) + "\n"}


@blind_format("pointnet2_mean_loss", "yanx27/Pointnet_Pointnet2_pytorch: sentences of an epoch on their own lines")
def pointnet(t: Training) -> Mapping[str, str]:
    t = resized(t, epochs=16, steps=10)
    lines = ["2024-04-12 09:30:00,101 - Model - INFO - PARAMETER ...", f"2024-04-12 09:30:00,102 - Model - INFO - Namespace(batch_size=16, epoch=16, learning_rate={t.lr}, npoint=4096)"]
    for e, v in enumerate(t.evaluations):
        stamp = f"2024-04-12 09:{31 + e}:00,311 - Model - INFO - "
        accuracy = 0.0412 if math.isnan(v) else 0.9 - 0.1 * v
        lines += [stamp + s for s in (f"**** Epoch {e + 1} ({e + 1}/16) ****", f"Learning rate:{t.lr:f}", f"Training mean loss: {epoch_mean(t, e):f}", f"Training accuracy: {accuracy:f}", f"---- EPOCH {e + 1:03d} EVALUATION ----", f"eval mean loss: {v:f}", f"eval point avg class IoU: {0.8 * accuracy:f}", f"eval point accuracy: {0.97 * accuracy:f}", "Best mIoU: 0.412233")]
    return {"pointnet2_sem_seg.txt": "\n".join(lines) + "\n"}


@blind_format("stargan_elapsed", "yunjey/stargan: an elapsed time and eight losses, with a sign each")
def stargan(t: Training) -> Mapping[str, str]:
    lines = []
    for i in range(len(t.loss)):
        real, fake, gp, cls, rec, g_cls = t.parts(i, 1.9, 1.1, 0.01, 0.3, 0.12, 0.35)
        lines.append(
            f"Elapsed [0:{i // 12:02d}:{5 * i % 60:02d}], Iteration [{10 * (i + 1)}/200000], D/loss_real: {-real:.4f}, D/loss_fake: {fake:.4f}, D/loss_cls: {cls:.4f}, D/loss_gp: {gp:.4f}, G/loss_fake: {-0.8 * fake:.4f}, G/loss_rec: {rec:.4f}, G/loss_cls: {g_cls:.4f}"
        )
    return {"stargan.txt": "Start training...\n" + "\n".join(lines) + "\n"}


@blind_format("neus_iter_equals", "Totoro97/NeuS: a tensor's bare number, after the folder of the experiment")
def neus(t: Training) -> Mapping[str, str]:
    lines = ["Hello Wooden", "Load data: Begin", "Load data: End"]
    for i, v in enumerate(t.loss):
        lines += ["./exp/thin_structure/womask_sphere", f"iter:{100 * (i + 1)} loss = {v / 20!r} lr={t.lr * 0.999**i!r}"]
    return {"neus.log": "\n".join(lines) + "\n"}


@blind_format("crnn_brackets", "meijieru/crnn.pytorch: two brackets and a loss, and texts that were read")
def crnn(t: Training) -> Mapping[str, str]:
    n, lines = t.steps_an_epoch, []
    for i, v in enumerate(t.loss):
        lines.append(f"[{i // n}/{len(t.loss) // n}][{20 * (i % n + 1)}/{20 * n}] Loss: {v:f}")
        if (i + 1) % n == 0:
            lines += ["Start val", "a-----v--a-i-l-a-bb-l-e => available, gt: available", "------------------------- =>               , gt: 2016"]
            lines.append(f"Test loss: {t.evaluations[i // n]:f}, accuray: {0.0 if math.isnan(v) else 0.2 + i / 200:f}")
    return {"crnn.out": "\n".join(lines) + "\n"}


@blind_format("azure_custom_events", "a training script on a cloud batch service: JSON events with nested measures")
def events(t: Training) -> Mapping[str, str]:
    rows = []
    for i, v in enumerate(t.loss):
        body = {"event": "batch_end", "ts": 1712914200 + 7 * i, "job": {"id": "a81f-0c", "attempt": 1}, "where": {"epoch": i // t.steps_an_epoch, "batch": i}, "measures": {"xent": v, "top1": round(skill(t, "top1", i, 0.1, 0.6), 4), "img_per_s": 412.7}}
        rows.append(json.dumps(body))
    return {"events.jsonl": "\n".join(rows) + "\n"}
