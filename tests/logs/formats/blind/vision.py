"""Held-out formats of classification and of learning without labels."""

from __future__ import annotations

import json
import math

from ..course import asctime, average, clock, epochs, mean, noise, score, tqdm
from ..form import Training
from .registry import blind_format, resized


@blind_format("timm_log_and_summary", "huggingface/pytorch-image-models: train.py, its console and summary.csv in one folder")
def timm(t: Training) -> dict[str, str]:
    out = ["Training with a single process on 1 device (cuda:0).", f"Model resnet50 created, param count:25557032\nLearning rate ({t.lr}) calculated from base learning rate (0.1) and effective global batch size (256) with linear scaling."]
    rows = ["epoch,train_loss,eval_loss,eval_top1,eval_top5,lr"]
    for epoch, steps, evaluation in epochs(t):
        for i, step in enumerate(steps):
            r = noise(t, "timm", step)
            if i % 3 == 0 or i + 1 == len(steps):
                out.append(
                    f"Train: {epoch} [{i * 50:>4d}/1250 ({100 * i / (len(steps) - 1):>3.0f}%)]  Loss: {t.loss[step]:#.3g} ({average(t, step):#.3g})  Time: {r.uniform(0.3, 0.4):.3f}s, {r.uniform(640, 850):>7.2f}/s  (0.351s,  729.34/s)  LR: {t.lr:.3e}  Data: {r.uniform(0.0, 0.1):.3f} (0.021)"
                )
        top = score(evaluation, 40.0 + 8 * epoch) or 0.1
        out.append(f"Test: [  48/48]  Time: 0.101 (0.230)  Loss: {evaluation:>7.3f} ({evaluation:>6.3f})  Acc@1: {top:>7.3f} ({top:>7.3f})  Acc@5: {top + 0.4:>7.3f} ({top + 0.4:>7.3f})")
        out.append(f"Current checkpoints:\n ('./output/train/checkpoint-{epoch}.pth.tar', {top})\n")
        rows.append(f"{epoch},{mean([t.loss[s] for s in steps])},{evaluation},{top},{top + 0.4},{t.lr}")
    return {"console.log": "\n".join(out) + "\n", "summary.csv": "\n".join(rows) + "\n", "args.yaml": f"lr: {t.lr}\nepochs: {len(t.evaluations)}\nopt: sgd\nmodel: resnet50\n"}


@blind_format("mae_log_and_console", "facebookresearch/mae: a JSON object an epoch in log.txt; the console, with meters and the reason of exit 1, in job.out")
def mae(t: Training) -> dict[str, str]:
    t = resized(t, epochs=30, steps=5, start=1.1)
    rows, console = [], ["| distributed init (rank 0): env://, gpu 0", f"base lr: 1.50e-04\nactual lr: {t.lr:.2e}", "Start training for 30 epochs"]
    for epoch, steps, _ in epochs(t):
        rate = t.lr * min(1.0, (epoch + 1) / 5)
        console.append("log_dir: ./output_dir")
        for i, step in enumerate(steps):
            if math.isnan(t.loss[step]):
                console.append("Loss is nan, stopping training")
                return {"log.txt": "\n".join(rows) + "\n", "job.out": "\n".join(console) + "\n"}
            console.append(f"Epoch: [{epoch}]  [{i * 20:>3}/100]  eta: 0:01:{40 - 8 * i:02d}  lr: {rate:.6f}  loss: {t.loss[step]:.4f} ({average(t, step):.4f})  time: {noise(t, step).uniform(0.9, 1.1):.4f}  data: 0.0003  max mem: 14120")
        console += [f"Epoch: [{epoch}] Total time: 0:01:41 (1.0121 s / it)", f"Averaged stats: lr: {rate:.6f}  loss: {t.loss[step]:.4f} ({average(t, step):.4f})"]
        rows.append(json.dumps({"train_lr": rate, "train_loss": average(t, step), "epoch": epoch}))
    return {"log.txt": "\n".join(rows) + "\n", "job.out": "\n".join(console) + "\nTraining time 0:51:02\n"}


@blind_format("imagenet_example_moco", "pytorch/examples imagenet and facebookresearch/moco: tabs between meters, the loss in scientific notation")
def moco(t: Training) -> dict[str, str]:
    out = ["Use GPU: 0 for training", "=> creating model 'resnet50'"]
    for epoch, steps, _ in epochs(t):
        for i, step in enumerate(steps):
            r, a = noise(t, "moco", step), score(t.loss[step], 90 - 18 * t.loss[step])
            out.append(
                f"Epoch: [{epoch}][{i * 100:>4d}/2500]\tTime {r.uniform(0.4, 0.5):6.3f} ( 0.451)\tData {r.uniform(0, 0.1):6.3f} ( 0.012)\tLoss {t.loss[step]:.4e} ({average(t, step):.4e})\tAcc@1 {a:6.2f} ({a:6.2f})\tAcc@5 {a + 9:6.2f} ({a + 9:6.2f})"
            )
    return {"moco.txt": "\n".join(out) + "\n"}


@blind_format("mnist_example", "pytorch/examples mnist: 'Train Epoch' with counted pictures, and a test set in a paragraph of its own")
def mnist(t: Training) -> dict[str, str]:
    t = resized(t, epochs=14, steps=20, start=2.3)
    out = []
    for epoch, steps, evaluation in epochs(t):
        for i, step in enumerate(steps):
            out.append(f"Train Epoch: {epoch + 1} [{i * 3000}/60000 ({100 * i / len(steps):.0f}%)]\tLoss: {t.loss[step]:.6f}")
        correct = int(score(evaluation, 7000 + 180 * epoch) or 980)
        out.append(f"\nTest set: Average loss: {evaluation:.4f}, Accuracy: {correct}/10000 ({correct / 100:.0f}%)\n")
    return {"mnist.out": "\n".join(out) + "\n"}


@blind_format("pytorch_cifar_bar", "kuangliu/pytorch-cifar: utils.progress_bar, which goes back over the bar with backspaces")
def cifar(t: Training) -> dict[str, str]:
    out = ["==> Preparing data..\nFiles already downloaded and verified\n==> Building model..\n"]
    for epoch, steps, evaluation in epochs(t):
        out.append(f"\nEpoch: {epoch}\n")
        for kind, n in (("train", len(steps)), ("test", 5)):
            for i in range(n):
                loss = average(t, steps[i]) if kind == "train" else evaluation
                acc = score(loss, 100 - 20 * loss) or 10.0
                full = 65 * i // n
                out.append(f" [{'=' * full}>{'.' * (64 - full)}]  Step: {23 + i % 7}ms | Tot: {i // 40}s{i * 25 % 1000}ms | Loss: {loss:.3f} | Acc: {acc:.3f}% ({int(acc * (i + 1) * 1.28)}/{128 * (i + 1)})")
                out.append("\x08" * (70 + 40) + f" {i + 1}/{n} " + ("\r" if i < n - 1 else "\n"))
        out.append("Saving..\n" if not math.isnan(evaluation) else "")
    return {"cifar.log": "".join(out)}


@blind_format("simclr_debug_root", "sthalles/SimCLR: training.log of the root logger at DEBUG, one line an epoch with the last loss")
def simclr(t: Training) -> dict[str, str]:
    t = resized(t, epochs=40, steps=4, start=6.2)
    out = ["INFO:root:Start SimCLR training for 40 epochs.", "INFO:root:Training with gpu: False."]
    for epoch, steps, _ in epochs(t):
        loss = t.loss[steps.stop - 1]
        shown = "nan" if math.isnan(loss) else f"{loss:.15f}"
        out.append(f"DEBUG:root:Epoch: {epoch}\tLoss: {shown}\tTop1 accuracy: [{score(loss, 12.5 + epoch):.4f}]")
    return {"training.log": "\n".join(out) + "\nINFO:root:Training has finished.\n"}


@blind_format("open_clip_train", "mlfoundations/open_clip: out.log with ',' before the level; loss, its mean, and the scale of the logits")
def open_clip(t: Training) -> dict[str, str]:
    def line(seconds: float, words: str) -> str:
        return f"{clock(t, seconds, '%Y-%m-%d,%H:%M:%S')} | INFO | {words}"

    out = [line(0, "Running with a single process. Device cuda:0."), line(1, "Params:"), line(1, "  batch_size: 256"), line(1, f"  lr: {t.lr}"), line(1, "  precision: amp")]
    for epoch, steps, evaluation in epochs(t):
        out.append(line(40 * steps.start, f"Start epoch {epoch}"))
        for i, step in enumerate(steps):
            seen, r = 25600 * (i + 1), noise(t, "clip", step)
            out.append(line(40 * step, f"Train Epoch: {epoch} [{seen:>6}/640000 ({100 * (i + 1) / len(steps):.0f}%)] Data (t): {r.uniform(0, 0.1):.3f} Batch (t): {r.uniform(0.3, 0.4):.3f}, {r.uniform(700, 800):#g}/s, {r.uniform(700, 800):#g}/s/gpu LR: {t.lr:5f} Logit Scale: {14.286 + step / 50 if not math.isnan(t.loss[step]) else math.nan:.3f} Contrastive_loss: {t.loss[step]:#.5g} ({average(t, step):#.5g}) Loss: {t.loss[step]:#.5g} ({average(t, step):#.5g})"))
        out.append(line(40 * steps.stop, f"Eval Epoch: {epoch + 1} image_to_text_mean_rank: {30.2 - epoch:.4f}\timage_to_text_R@1: {score(evaluation, 0.3):.4f}\tclip_val_loss: {evaluation:.4f}\tepoch: {epoch + 1:.4f}\tnum_samples: 5000.0000"))
    return {"out.log": "\n".join(out) + "\n"}


@blind_format("monai_unet_numbered_batches", "Project-MONAI/tutorials: '3/25, train_loss' prints, and Dice of the validation")
def monai(t: Training) -> dict[str, str]:
    t = resized(t, epochs=10, steps=12, start=0.92)
    out, best = [], 0.0
    for epoch, steps, evaluation in epochs(t):
        out += ["-" * 10, f"epoch {epoch + 1}/{len(t.evaluations)}"]
        out += [f"{i + 1}/{len(steps)}, train_loss: {t.loss[s]:.4f}" for i, s in enumerate(steps)]
        out.append(f"epoch {epoch + 1} average loss: {mean([t.loss[s] for s in steps]):.4f}")
        if epoch % 2:
            dice = score(evaluation, 1 - evaluation)
            if dice > best:
                best = dice
                out.append("saved new best metric model")
            out.append(f"current epoch: {epoch + 1} current mean dice: {dice:.4f}\nbest mean dice: {best:.4f} at epoch: {epoch + 1}")
    return {"unet.log": "\n".join(out) + f"\ntrain completed, best_metric: {best:.4f} at epoch: 10\n"}


@blind_format("ignite_engine_messages", "pytorch/ignite: mnist example, iterations in brackets; the validation is a paragraph below its heading")
def ignite(t: Training) -> dict[str, str]:
    out = [f"{asctime(t, 0)} ignite.distributed.launcher.Parallel INFO: - Run '<function training at 0x7f3a>' in 1 processes"]
    for epoch, steps, evaluation in epochs(t):
        out += [f"Epoch[{epoch + 1}] Iteration[{i + 1}/{len(steps)}] Loss: {t.loss[s]:.2f}" for i, s in enumerate(steps)]
        whole = mean([t.loss[s] for s in steps])
        for title, value in (("Training", whole), ("Validation", evaluation)):
            out.append(f"{title} Results - Epoch: {epoch + 1}  Avg accuracy: {score(value, 1 - value / 5) or 0.1:.2f} Avg loss: {value:.2f}")
        out.append(f"{asctime(t, 30 * epoch)} ignite.engine.engine.Engine INFO: Epoch[{epoch + 1}] Complete. Time taken: 00:00:{28 + epoch}.114")
    return {"ignite.log": "\n".join(out) + "\n"}


@blind_format("fb_resnet_torch_lua", "facebookarchive/fb.resnet.torch: Lua prints with bars between, an epoch's mean behind ' * Finished'")
def fb_resnet(t: Training) -> dict[str, str]:
    out = [" => Creating model from file: models/resnet.lua", "=> Training epoch # 1"]
    for epoch, steps, evaluation in epochs(t):
        for i, step in enumerate(steps):
            top = score(t.loss[step], 14 * t.loss[step]) or 99.9
            out.append(f" | Epoch: [{epoch + 1}][{i + 1}/{len(steps)}]    Time {0.312 + i / 500:.3f}  Data 0.002  Err {t.loss[step]:1.4f}  top1 {top:7.3f}  top5 {top * 0.7:7.3f}")
        for i in range(4):
            top = score(evaluation, 15 * evaluation) or 99.9
            out.append(f" | Test: [{epoch + 1}][{i + 1}/4]    Time 0.101  Data 0.004  top1 {top:7.3f} ({top:7.3f})  top5 {top * 0.7:7.3f} ({top * 0.7:7.3f})")
        out.append(f" * Finished epoch # {epoch + 1}     top1: {top:7.3f}  top5: {top * 0.7:7.3f}\n")
    return {"resnet.log": "\n".join(out) + "\n"}


@blind_format("simple_segmentation_bar", "milesial/Pytorch-UNet: a bar counted in pictures with 'loss (batch)', and INFO lines of the validation Dice")
def unet(t: Training) -> dict[str, str]:
    out = [f"INFO: Starting training:\n        Epochs:          {len(t.evaluations)}\n        Batch size:      4\n        Learning rate:   {t.lr}\n        Training size:   100\n        Mixed Precision: True\n    \n"]
    for epoch, steps, evaluation in epochs(t):
        for i, step in enumerate(steps):
            bar = tqdm(f"Epoch {epoch + 1}/{len(t.evaluations)}: ", 4 * (i + 1), 100, 0.11, f"loss (batch)={t.loss[step]:.3g}")
            out.append("\r" + bar.replace("it/s", "img/s"))
        out.append(f"\nINFO: Validation Dice score: {score(evaluation, 0.8) or 8.1e-11}\nINFO: Checkpoint {epoch + 1} saved!\n")
    return {"unet.txt": "".join(out)}
