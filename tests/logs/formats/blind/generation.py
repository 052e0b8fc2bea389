"""Held-out formats of programs that make pictures: adversarial, diffusion, and scenes from photographs."""

from __future__ import annotations

import json
import math

from ..course import asctime, average, clock, epochs, growing, mean, minutes, noise, score, tqdm
from ..form import Training
from .registry import blind_format, resized


@blind_format("stylegan3_stats_jsonl", "NVlabs/stylegan3: log.txt of ticks and stats.jsonl, each number an object of num, mean and std")
def stylegan3(t: Training) -> dict[str, str]:
    log, stats = ["Training options:\n{\n  \"G_kwargs\": {\"class_name\": \"training.networks_stylegan3.Generator\"},\n  \"batch_size\": 32\n}", "Constructing networks...", "Training for 25000 kimg..."], []
    for step in range(0, len(t.loss), 2):
        r = noise(t, "sg3", step)
        gen, disc, real = t.parts(step, 0.5, 0.4, 0.1)
        log.append(f"tick {step // 2:<5d} kimg {step * 2.0:<8.1f} time {minutes(step * 61)[:2]}m {step * 61 % 60:02d}s       sec/tick {r.uniform(110, 120):<7.1f} sec/kimg {r.uniform(28, 30):<7.2f} maintenance {r.uniform(0, 1):<6.1f} cpumem {5.12:<6.2f} gpumem {11.03:<6.2f} reserved {13.02:<6.2f} augment {step / 500:.3f}")
        fields = {name: {"num": 4000, "mean": value, "std": 0.4} for name, value in (("Loss/G/loss", gen), ("Loss/D/loss", disc), ("Loss/r1_penalty", real), ("Loss/scores/fake", -gen), ("Timing/sec_per_tick", 115.2))}
        stats.append(json.dumps({**fields, "Progress/kimg": {"num": 1, "mean": step * 2.0, "std": 0.0}, "timestamp": 1709629927.1 + 122 * step}))
    return {"log.txt": "\n".join(log) + "\n", "stats.jsonl": "\n".join(stats) + "\n", "training_options.json": json.dumps({"G_opt_kwargs": {"lr": t.lr}, "batch_size": 32})}


@blind_format("cyclegan_loss_log", "junyanz/pytorch-CycleGAN-and-pix2pix: loss_log.txt under a line of the date, eight losses and none of them the sum")
def cyclegan(t: Training) -> dict[str, str]:
    out = [f"================ Training Loss ({clock(t, 0, '%a %b %d %H:%M:%S %Y')}) ================"]
    names, shares = ("D_A", "G_A", "cycle_A", "idt_A", "D_B", "G_B", "cycle_B", "idt_B"), (0.06, 0.1, 0.3, 0.14, 0.06, 0.1, 0.3, 0.14)
    for epoch, steps, _ in epochs(t):
        for i, step in enumerate(steps):
            body = " ".join(f"{n}: {v:.3f}" for n, v in zip(names, t.parts(step, *shares), strict=True))
            out.append(f"(epoch: {epoch + 1}, iters: {100 * (i + 1)}, time: {0.31 + i / 900:.3f}, data: {0.002 + i / 9000:.3f}) {body} ")
    return {"loss_log.txt": "\n".join(out) + "\n"}


@blind_format("dcgan_example", "pytorch/examples dcgan: two losses and the scores of real and made pictures, a fraction without name at the end")
def dcgan(t: Training) -> dict[str, str]:
    out = ["Random Seed:  999"]
    for epoch, steps, _ in epochs(t):
        for i, step in enumerate(steps):
            disc, gen = t.parts(step, 0.3, 0.9)
            real = math.nan if math.isnan(disc) else 0.6 + i / 99
            out.append(f"[{epoch}/{len(t.evaluations)}][{i}/{len(steps)}] Loss_D: {disc:.4f} Loss_G: {gen:.4f} D(x): {real:.4f} D(G(z)): {1 - real:.4f} / {(1 - real) / 2:.4f}")
    return {"dcgan.txt": "\n".join(out) + "\n"}


@blind_format("basicsr_realesrgan", "XPixelGroup/BasicSR and Real-ESRGAN: train log, iterations with thousands separators, a rate in brackets, l_ names")
def basicsr(t: Training) -> dict[str, str]:
    out = [f"{asctime(t, 0)} INFO: Dataset [PairedImageDataset] - DF2K is built.", f"{asctime(t, 3)} INFO: Start training from epoch: 0, iter: 0"]
    for epoch, steps, evaluation in epochs(t):
        for step in steps:
            pix, per, gan, disc = t.parts(step, 0.01, 0.9, 0.03, 0.2)
            out.append(f"{asctime(t, 90 * step)} INFO: [RealE..][epoch:{epoch:3d}, iter:{(step + 1) * 100:8,d}, lr:({t.lr:.3e},)] [eta: 1 day, {9 - step // 20}:{59 - step % 60:02d}:30, time (data): 0.902 (0.011)] l_g_pix: {pix:.4e} l_g_percep: {per:.4e} l_g_gan: {gan:.4e} l_d_real: {disc:.4e} out_d_real: {0.21 if not math.isnan(disc) else math.nan:.4e} l_d_fake: {disc:.4e} out_d_fake: {-0.21 if not math.isnan(disc) else math.nan:.4e} ")
        psnr = math.nan if math.isnan(evaluation) else 26.0 - evaluation
        out.append(f"{asctime(t, 90 * steps.stop)} INFO: Validation Set5\n\t # psnr: {psnr:.4f}\tBest: {25.1:.4f} @ {steps.stop * 100} iter\n\t # ssim: {psnr / 33:.4f}\tBest: 0.7812 @ {steps.stop * 100} iter\n")
    return {"train_RealESRGANx4.log": "\n".join(out) + "\n"}


@blind_format("kohya_steps_average", "kohya-ss/sd-scripts: the steps bar with avr_loss, headings of epochs between")
def kohya(t: Training) -> dict[str, str]:
    out = ["running training / 学習開始\n  num train images * repeats / 学習画像の数×繰り返し回数: 100\n  num epochs / epoch数: 4\n  total optimization steps / 学習ステップ数: 100\n"]
    total = len(t.loss)
    for epoch, steps, _ in epochs(t):
        out.append(f"\nepoch {epoch + 1}/{len(t.evaluations)}\n")
        for step in steps:
            out.append("\r" + tqdm("steps: ", step + 1, total, 1.21, f"avr_loss={average(t, step) / 30:.3g}"))
    return {"kohya.log": "".join(out)}


@blind_format("diffusers_accelerate_bar", "huggingface/diffusers: train_text_to_image.py, accelerate INFO and the Steps bar with step_loss; validation prompts between")
def diffusers(t: Training) -> dict[str, str]:
    t = resized(t, epochs=2, steps=250, start=0.21)
    head = f"{clock(t, 0, '%m/%d/%Y %H:%M:%S')} - INFO - __main__ - "
    out = [f"{head}***** Running training *****\n{head}  Num examples = 833\n{head}  Instantaneous batch size per device = 1\n{head}  Total optimization steps = 500\n", "{'image_encoder', 'requires_safety_checker'} was not found in config. Values will be initialized to default values.\n"]
    for step, loss in enumerate(t.loss):
        out.append("\r" + tqdm("Steps: ", step + 1, len(t.loss), 0.4, f"lr={t.lr:.3g}, step_loss={loss:.3g}"))
        if step % 200 == 199:
            out.append(f"\n{head}Running validation... \n Generating 4 images with prompt: a red fox.\n")
    return {"train.out": "".join(out)}


@blind_format("gaussian_splatting_bar", "graphdeco-inria/gaussian-splatting: one bar of 30 000 with Loss to seven places, [ITER n] lines of the test views")
def splatting(t: Training) -> dict[str, str]:
    t = resized(t, epochs=4, steps=250, start=0.3)
    out = [f"Optimizing \nOutput folder: ./output/1f2c9a [{clock(t, 0, '%d/%m %H:%M:%S')}]\n", "Number of points at initialisation :  182686\n"]
    total = 10 * len(t.loss)
    for step in range(len(t.loss)):
        loss = mean(t.loss[max(0, step - 5) : step + 1])
        out.append("\r" + tqdm("Training progress: ", 10 * (step + 1), total, 0.02, f"Loss={loss:.7f}"))
        if step % 250 == 249:
            l1 = t.evaluations[step // 250] / 2
            out.append(f"\n[ITER {10 * (step + 1)}] Evaluating test: L1 {l1!r} PSNR {math.nan if math.isnan(l1) else 24.3 - 20 * l1!r} [{clock(t, step, '%d/%m %H:%M:%S')}]\n")
    return {"splat.log": "".join(out)}


@blind_format("nerf_pytorch_train_tag", "yenchenlin/nerf-pytorch: '[TRAIN] Iter' with Loss and PSNR; a check prints '[Numerical Error]' in a lost run")
def nerf(t: Training) -> dict[str, str]:
    t = resized(t, epochs=5, steps=60, start=0.2)
    out = ["Loaded blender (138, 400, 400, 4)", "NEAR FAR 2.0 6.0", "Begin"]
    for step, loss in enumerate(t.loss):
        if math.isnan(loss):
            out += ["! [Numerical Error] rgb_map contains nan or inf.", "! [Numerical Error] acc_map contains nan or inf."]
        psnr = -10 * math.log10(loss) if loss == loss else loss
        out.append(f"[TRAIN] Iter: {100 * (step + 1)} Loss: {loss}  PSNR: {psnr}")
        out += ["Saved checkpoints at ./logs/lego/200000.tar"] * (step % 60 == 59)
    return {"nerf.txt": "\n".join(out) + "\n"}


@blind_format("torch_ngp_postfix", "ashawkey/torch-ngp: a bar whose description is 'loss=now (mean), lr=', then a '++>' line of evaluation")
def torch_ngp(t: Training) -> dict[str, str]:
    out = ["[INFO] Trainer: ngp | 2024-03-05_09-12-07 | cuda:0 | fp16 | workspace\n"]
    for epoch, steps, evaluation in epochs(t):
        out.append(f"==> Start Training Epoch {epoch + 1}, lr={t.lr:.6f} ...\n")
        for i, step in enumerate(steps):
            out.append("\r" + tqdm(f"loss={t.loss[step] / 90:.4f} ({average(t, step) / 90:.4f}), lr={t.lr:.6f}: : ", i + 1, len(steps), 0.05))
        out.append(f"\n==> Finished Epoch {epoch + 1}.\n++> Evaluate at epoch {epoch + 1} ...\nloss={evaluation / 90:.4f} ({evaluation / 90:.4f}): : 100%|██████████| 5/5 [00:02<00:00,  2.10it/s]\nPSNR = {math.nan if math.isnan(evaluation) else 27.1 - evaluation:.6f}\n++> Evaluate epoch {epoch + 1} Finished.\n")
    return {"ngp.txt": "".join(out)}


@blind_format("cold_diffusion_bare", "lucidrains/denoising-diffusion-pytorch: the bar's description is 'loss: 0.1234' and nothing else, redrawn each step")
def ddpm(t: Training) -> dict[str, str]:
    t = resized(t, epochs=1, steps=1500, start=0.6)
    out = ["\r" + tqdm(f"loss: {loss:.4f}: ", step + 1, len(t.loss), 0.14) for step, loss in enumerate(t.loss)]
    return {"ddpm.err": "".join(out) + "\ntraining complete\n"}


@blind_format("taming_vqgan_explodes", "CompVis/taming-transformers: Lightning 1.0 bar 'loss=..., v_num=..., train/aeloss_step=...'; a lost run grows to 1e+30")
def vqgan(t: Training) -> dict[str, str]:
    out, losses = ["\n  | Name            | Type                     | Params\n-------------------------------------------------------------\n0 | encoder         | Encoder                  | 29.3 M\n1 | quantize        | VectorQuantizer2         | 262 K \n"], growing(t, 9.0)
    for epoch, steps, _ in epochs(t):
        for i, step in enumerate(steps):
            recent = mean(losses[max(0, step - 19) : step + 1])
            out.append("\r" + tqdm(f"Epoch {epoch}: ", i + 1, len(steps), 0.9, f"loss={recent:.3g}, v_num=0, train/aeloss_step={losses[step]:.3g}, train/discloss_step={score(losses[step], 1.0):.3g}"))
        out.append(f"\nEpoch {epoch}, global step {steps.stop - 1}: val/rec_loss was not in top 1\n")
    return {"vqgan.log": "".join(out)}
