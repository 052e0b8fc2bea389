"""Held-out formats of programs that make voices and sounds."""

from __future__ import annotations

import math

from ..course import asctime, average, clock, epochs, growing, mean, minutes, noise, score, tqdm
from ..form import Training
from .registry import blind_format, resized


@blind_format("rvc_train_log", "RVC-Project: train.log of train_nsf_sim_cache_sid_load_pretrain.py, three lines a logged step")
def rvc(t: Training) -> dict[str, str]:
    def line(seconds: float, words: str) -> str:
        return f"{asctime(t, seconds)}\tmi-test\tINFO\t{words}"

    out = [line(0, f"{{'data': {{'filter_length': 2048, 'hop_length': 400, 'sampling_rate': 40000}}, 'train': {{'log_interval': 200, 'learning_rate': {t.lr}, 'betas': [0.8, 0.99], 'lr_decay': 0.999875}}}}")]
    out.append(line(2, "loaded pretrained assets/pretrained_v2/f0G40k.pth"))
    for epoch, steps, _ in epochs(t):
        for i, step in enumerate(steps):
            if i % 5:
                continue
            disc, gen, fm, mel, kl = t.parts(step, 0.9, 1.0, 2.6, 5.9, 0.4)
            out += [
                line(6 * step, f"Train Epoch: {epoch + 1} [{100 * i // len(steps)}%]"),
                line(6 * step, f"[{step * 40}, {t.lr * 0.999875**epoch}]"),
                line(6 * step, f"loss_disc={disc:.3f}, loss_gen={gen:.3f}, loss_fm={fm:.3f},loss_mel={mel:.3f}, loss_kl={kl:.3f}"),
            ]
        out.append(line(6 * steps.stop, f"====> Epoch: {epoch + 1} [{clock(t, 6 * steps.stop)}] | (0:02:{31 + epoch}.{418820 + epoch})"))
    return {"train.log": "\n".join(out) + "\n"}


@blind_format("so_vits_reference_loss", "svc-develop-team/so-vits-svc: console of train.py; all losses in a list, their sum behind the rate")
def so_vits(t: Training) -> dict[str, str]:
    out = ["INFO:44k:Loaded checkpoint './logs/44k/G_0.pth' (iteration 1)", "./logs/44k/D_0.pth", "INFO:torch.nn.parallel.distributed:Reducer buckets have been rebuilt in this iteration."]
    for epoch, steps, _ in epochs(t):
        for i, step in enumerate(steps):
            parts = t.parts(step, 0.6, 0.5, 1.2, 4.4, 0.2, 0.0)
            if i % 3 == 0:
                out += [
                    f"INFO:44k:Train Epoch: {epoch + 1} [{100 * i / len(steps):.0f}%]",
                    f"INFO:44k:Losses: {[*parts]}, step: {step * 200}, lr: {t.lr * 0.999875**epoch}, reference_loss: {sum(parts[1:])}",
                ]
        if epoch % 2:
            out.append(f"INFO:44k:Saving model and optimizer state at iteration {epoch + 1} to ./logs/44k/G_{steps.stop * 200}.pth")
        out.append(f"INFO:44k:====> Epoch: {epoch + 1}, cost {101.5 + epoch:.2f} s")
    return {"nohup.out": "\n".join(out) + "\n"}


@blind_format("gpt_sovits_s1", "RVC-Boss/GPT-SoVITS: s1_train.py, a Lightning bar kept in a pipe with two losses and the accuracy of three guesses")
def gpt_sovits(t: Training) -> dict[str, str]:
    out = ["<All keys matched successfully>\n", "ckpt_path: None\n", "semantic_data_len: 1984\nphoneme_data_len: 62\n"]
    for epoch, steps, _ in epochs(t):
        whole = mean([t.loss[s] for s in steps]) * 900
        for i, step in enumerate(steps):
            loss = t.loss[step] * 900
            before = "" if epoch == 0 else f", total_loss_epoch={mean([t.loss[s - len(steps)] for s in steps]) * 900:.3g}"
            post = f"v_num=0, total_loss_step={loss:.3g}, lr_step={t.lr / 10:.3g}, top_3_acc_step={score(loss, 0.6):.3g}{before}"
            out.append("\r" + tqdm(f"Epoch {epoch}: ", i + 1, len(steps), 0.3, post))
        out.append(f"\r{tqdm(f'Epoch {epoch}: ', len(steps), len(steps), 0.3, f'{post.removesuffix(before)}, total_loss_epoch={whole:.3g}, lr_epoch={t.lr / 10:.3g}, top_3_acc_epoch={score(whole, 0.6):.3g}')}")
    out.append("\n`Trainer.fit` stopped: `max_epochs=4` reached.\n")
    return {"s1.log": "".join(out)}


@blind_format("styletts2_second_stage", "yl4579/StyleTTS2: prints of train_second.py; many losses, some of them 0 until they begin; issues 167 and 347")
def styletts2(t: Training) -> dict[str, str]:
    names = ("Disc Loss", "Dur Loss", "CE Loss", "Norm Loss", "F0 Loss", "LM Loss", "Gen Loss")
    out = ["bert loaded", "decoder loaded", "Pretrained model weights loaded"]
    for epoch, steps, evaluation in epochs(t):
        for i, step in enumerate(steps):
            if i % 2 == 0:
                continue
            values = t.parts(step, 0.9, 0.15, 0.006, 0.2, 0.4, 0.3, 1.6)
            text = ", ".join(f"{n}: {v:.5f}" for n, v in zip(names, values, strict=True))
            out.append(
                f"INFO:{asctime(t, 22 * step)}: Epoch [{epoch + 1}/{len(t.evaluations)}], Step [{(i + 1) * 10}/{len(steps) * 10}], Loss: {t.loss[step] / 9:.5f}, {text}, Sty Loss: 0.00000, Diff Loss: 0.00000, DiscLM Loss: 0.00000, GenLM Loss: 0.00000"
            )
            out.append(f"Time elasped: {22.03 * (i + 1):.13f}")
        out += [f"Epochs: {epoch + 1}", f"Validation loss: {evaluation / 9:.3f}, Dur loss: {evaluation / 6:.3f}, F0 loss: {evaluation / 2:.3f}", "\n"]
    return {"train.log": "\n".join(out) + "\n"}


@blind_format("f5_tts_updates", "SWivid/F5-TTS: tqdm bars with ASCII signs, the loss of the last update beside the number of updates")
def f5(t: Training) -> dict[str, str]:
    t = resized(t, epochs=6, steps=80, start=1.9)
    out = ["vocab :  2545\nvocoder :  vocos\nUsing logger: None\n", "Sorting with sampler... if slow, check whether dataset is provided with duration: 100%|##########| 5120/5120 [00:00<00:00, 812331.22it/s]\n"]
    for epoch, steps, _ in epochs(t):
        for i, step in enumerate(steps):
            bar = tqdm(f"Epoch {epoch + 1}/{len(t.evaluations)}: ", i + 1, len(steps), 0.61, f"loss={t.loss[step]:.3g}, update={step + 1}")
            out.append("\r" + bar.replace("█", "#").replace("it/s", "update/s"))
        out.append("\n")
    return {"f5.out": "".join(out)}


@blind_format("tortoise_dlas", "neonbjb/DL-Art-School: train log for tortoise, every number in scientific notation behind name and colon")
def dlas(t: Training) -> dict[str, str]:
    def line(seconds: float, words: str) -> str:
        return f"{clock(t, seconds, '%y-%m-%d %H:%M:%S')}.{int(seconds * 331) % 1000:03d} - INFO: {words}"

    out = [line(0, "  name: lj_finetune\n  model: extensibletrainer\n  scale: 1\n  gpu_ids: [0]\n"), line(1, "Random seed: 1337"), line(9, "Start training from epoch: 0, iter: 0")]
    for epoch, steps, evaluation in epochs(t):
        for step in steps:
            text, mel = t.parts(step, 0.9, 0.8)
            r, n = noise(t, "dlas", step), (step + 1) * 20
            pairs = {
                "step": n, "samples": n * 64, "megasamples": n * 64e-6, "iteration_rate": r.uniform(0.2, 0.3), "loss_text_ce": text, "loss_mel_ce": mel,
                "loss_gpt_total": 0.01 * text + mel, "grad_scaler_scale": 1.0, "learning_rate_gpt_0": t.lr, "total_samples_loaded": n * 64,
                "percent_skipped_samples": 0.0, "percent_conditioning_is_self": 1.0, "gpt_conditioning_encoder": t.grad_norm(step),
            }  # fmt: skip
            words = " ".join(f"{k}: {v:.4e}" for k, v in pairs.items())
            out.append(line(9 + 31 * step, f"[epoch:{epoch:3d}, iter:{n:8,d}, lr:({t.lr:.3e},{t.lr:.3e},)] {words}"))
        out.append(line(12 + 31 * steps.stop, f"<epoch:{epoch:3d}, iter:{steps.stop * 20:8,d}> Validation results: val_loss_mel_ce: {evaluation * 0.8:.4e}"))
    return {"train_lj_finetune.log": "\n".join(out) + "\n"}


@blind_format("waveglow_tab_nll", "NVIDIA/waveglow: 'iteration:<tab>loss' and nothing else, a negative log-likelihood that passes zero")
def waveglow(t: Training) -> dict[str, str]:
    t = resized(t, epochs=5, steps=300)
    out = ["output directory checkpoints"]
    for epoch, steps, _ in epochs(t):
        out.append(f"Epoch: {epoch}")
        out += [f"{step}:\t{1.9 * t.loss[step] - 7.8:.9f}" for step in steps]
        out.append(f"Saving model and optimizer state at iteration {steps.stop - 1} to checkpoints/waveglow_{steps.stop - 1}")
    return {"waveglow.txt": "\n".join(out) + "\n"}


@blind_format("tacotron_exploded", "keithito/tacotron: train.log of TF 1; a lost run says 'Loss exploded' and raises within the step")
def tacotron(t: Training) -> dict[str, str]:
    out, total = [f"[{clock(t, 0)}.000]  Checkpoint path: logs-tacotron/model.ckpt", f"[{clock(t, 1)}.210]  Loaded metadata for 13100 examples (23.92 hours)"], []
    loss = growing(t, 4.0)
    for step, value in enumerate(loss):
        total.append(value / 12)
        text = f"Step {step + 1:<7d} [{1.1 + noise(t, step).uniform(0, 0.2):.3f} sec/step, loss={value / 12:.5f}, avg_loss={mean(total[-100:]):.5f}]"
        out.append(f"[{clock(t, 2 * step)}.{step % 1000:03d}]  {text}")
        if value / 12 > 100:
            out.append(f"[{clock(t, 2 * step)}.{step % 1000:03d}]  Loss exploded to {value / 12:.5f} at step {step + 1}!")
            out.append(f'[{clock(t, 2 * step)}.{step % 1000:03d}]  Exiting due to exception: Loss Exploded\nTraceback (most recent call last):\n  File "train.py", line 112, in train\n    raise Exception(\'Loss Exploded\')\nException: Loss Exploded')
            break
    return {"train.log": "\n".join(out) + "\n"}


@blind_format("diffsinger_validation_dict", "openvpi/DiffSinger: a bar whose numbers are text, and the validation as a dict in braces")
def diffsinger(t: Training) -> dict[str, str]:
    out = ["| Hparams chains: ['configs/acoustic.yaml']\n", "| model Trainable Parameters: 56.327M\n"]
    for _epoch, steps, evaluation in epochs(t):
        for i, step in enumerate(steps):
            aux, mel = t.parts(step, 0.05, 0.06)
            post = f"steps={step + 1}, batch_size=48, lr={t.lr:.6f}, aux_mel_loss={aux:.3f}, mel_loss={mel:.3f}, total_loss={aux + mel:.3f}"
            out.append("\r" + tqdm("Training: ", i + 1, len(steps), 0.2, post))
        out.append(f"\n| Validation results@{steps.stop}: {{'total_loss': {evaluation * 0.11!r}, 'mel_loss': {evaluation * 0.06!r}, 'pitch_acc': {score(evaluation, 0.71)!r}}}\n")
    return {"diffsinger.txt": "".join(out)}


@blind_format("demucs_solver_summary", "facebookresearch/demucs: solver log with a hydra prefix; summaries of train and valid with '|' between")
def demucs(t: Training) -> dict[str, str]:
    def line(seconds: float, words: str) -> str:
        return f"[{clock(t, seconds, '%m-%d %H:%M:%S')}][demucs.solver][INFO] - {words}"

    t = resized(t, epochs=12, steps=10, start=0.9)
    out = [line(0, "Model hash: 955717e8"), line(0, "Train set: 86 tracks, 14.2 hours")]
    for epoch, steps, evaluation in epochs(t):
        out += ["-" * 70, line(90 * epoch, "Training...")]
        for i, step in enumerate(steps):
            if i % 2:
                out.append(line(90 * epoch + 5 * i, f"Train | Epoch {epoch + 1} | {i + 1}/{len(steps)} | {1 / 4.6:.1f} it/sec | Loss {average(t, step):.4f} | Nsdr {score(t.loss[step], 4 + epoch / 4):.3f}"))
        whole = average(t, steps.stop - 1)
        out += [
            line(90 * epoch + 52, f"\x1b[1mTrain Summary | Epoch {epoch + 1} | Loss={whole:.4f} | Reco={whole:.4f} | Reco_0={whole * 0.9:.4f} | Reco_1={whole * 1.1:.4f} | Nsdr={score(whole, 4 + epoch / 4):.3f} | Grad={t.grad_norm(steps.stop - 1):.4f}\x1b[0m"),
            "-" * 70, line(90 * epoch + 60, "Cross validation..."),
            line(90 * epoch + 71, f"\x1b[1mValid Summary | Epoch {epoch + 1} | Loss={evaluation:.4f} | Reco={evaluation:.4f} | Nsdr={score(evaluation, 4.2 + epoch / 5):.3f} | Best={min([v for v in t.evaluations[: epoch + 1] if not math.isnan(v)], default=math.nan):.4f}\x1b[0m"),
        ]  # fmt: skip
    return {"solver.log.0": "\n".join(out) + "\n"}


@blind_format("dac_rich_boxes", "descriptinc/descript-audio-codec: panels of audiotools' tracker, drawn with box signs, value and average of each loss")
def dac(t: Training) -> dict[str, str]:
    out = []
    for step in range(0, len(t.loss), 2):
        waveform, mel, gen = t.parts(step, 0.02, 0.25, 0.5)
        rows = {"loss": t.loss[step] * 4, "mel/loss": mel, "waveform/loss": waveform, "adv/gen_loss": gen, "other/grad_norm": t.grad_norm(step)}
        width = 46
        out.append("╭" + f" Iteration {step}/{len(t.loss)} ".center(width, "─") + "╮")
        out.append(f"│ {'train':<16}{'value':>13}{'mean':>14}  │".replace("  │", " " * (width - 44) + " │"))
        out += [f"│ {name:<16}{value:>13.6f}{value * 1.03:>14.6f}{' ' * (width - 44)} │" for name, value in rows.items()]
        out.append(f"│ {'time/train_loop':<16}{0.82:>13.6f}{0.84:>14.6f}{' ' * (width - 44)} │")
        out.append("╰" + f" {minutes(step)}<{minutes(len(t.loss) - step)} ".center(width, "─") + "╯")
    return {"log.txt": "\n".join(out) + "\n"}
