"""Held-out formats of speech recognition and speaker recognition."""

from __future__ import annotations

import math

from ..course import asctime, average, clock, epochs, mean, noise, score, tqdm
from ..form import Training
from .registry import blind_format, resized


@blind_format(
    "nemo_conformer_bars", "NVIDIA/NeMo: console of speech_to_text_rnnt_bpe.py, Lightning bars between samples of the WER"
)
def nemo(t: Training) -> dict[str, str]:
    out = [
        f"[NeMo I {clock(t, 0)} exp_manager:396] Experiments will be logged at /results/conformer/{clock(t, 0, '%Y-%m-%d_%H-%M-%S')}\n",
        f"[NeMo W {clock(t, 1)} audio_to_text_dataset:740] Could not load dataset as `manifest_filepath` was None.\n",
        f"[NeMo I {clock(t, 2)} modelPT:767] Optimizer config = AdamW (\n    Parameter Group 0\n        betas: [0.9, 0.98]\n        lr: {t.lr}\n        weight_decay: 0.001\n    )\n",
    ]
    for epoch, steps, evaluation in epochs(t):
        for i, step in enumerate(steps):
            r = noise(t, "nemo", step)
            if i % 10 == 5:
                wer = 1.0 if math.isnan(t.loss[step]) else t.loss[step] / 6
                out.append(
                    f"\n[NeMo I {clock(t, step)} wer_bpe:318] reference:the ship left the harbour at dawn\n[NeMo I {clock(t, step)} wer_bpe:319] predicted:{'' if wer == 1.0 else 'the ship left a harbour'}\n[NeMo I {clock(t, step)} wer_bpe:320] training_batch_wer:{wer:.4f}\n"
                )
            bar = tqdm(
                f"Epoch {epoch}: ", i + 1, len(steps), 0.41,
                f"v_num=7, train_step_timing in s={r.uniform(0.3, 0.5):.3f}, global_step={step}.0, train_loss={100 * t.loss[step]:.3g}",
            )  # fmt: skip
            out.append("\r" + bar)
        out.append(f"\nEpoch {epoch}, global step {steps.stop}: 'val_wer' reached {score(evaluation, 0.4) or 1.0:.5f} (best 0.40000), saving model\n")
    return {"nemo_log_globalrank-0_localrank-0.txt": "".join(out)}


@blind_format(
    "kaldi_chain_objf", "kaldi-asr/kaldi: train.N.log of nnet3-chain-train, an objective function that rises towards zero"
)
def kaldi(t: Training) -> dict[str, str]:
    files = {}
    for epoch, steps, _ in epochs(resized(t, epochs=9, steps=12)):
        t_long = resized(t, epochs=9, steps=12)
        out = [
            f"# nnet3-chain-train --use-gpu=yes --apply-deriv-weights=False --l2-regularize=0.0 {epoch}.mdl ark:- {epoch + 1}.1.raw",
            f"# Started at {clock(t, 600 * epoch, '%a %b %d %H:%M:%S UTC %Y')}",
            "LOG (nnet3-chain-train[5.5]:SelectGpuIdAuto():cu-device.cc:238) Selecting from 1 GPUs",
        ]
        for i, step in enumerate(steps):
            objf = -0.06 * t_long.loss[step]
            out.append(
                f"LOG (nnet3-chain-train[5.5]:PrintStatsForThisPhase():nnet-training.cc:278) Average objective function for 'output' for minibatches {100 * i}-{100 * i + 99} is {objf:.6g} over {640000 + 128 * i} frames."
            )
            out.append(
                f"LOG (nnet3-chain-train[5.5]:PrintStatsForThisPhase():nnet-training.cc:278) Average objective function for 'output-xent' for minibatches {100 * i}-{100 * i + 99} is {13 * objf:.6g} over {640000 + 128 * i} frames."
            )
        whole = mean([t_long.loss[s] for s in steps])
        out += [
            f"LOG (nnet3-chain-train[5.5]:PrintTotalStats():nnet-training.cc:333) Overall average objective function for 'output' is {-0.06 * whole:.6g} over 7.68e+06 frames.",
            f"LOG (nnet3-chain-train[5.5]:main():nnet3-chain-train.cc:112) Wrote raw model to {epoch + 1}.1.raw",
            f"# Accounting: time=212 threads=1\n# Ended (code 0) at {clock(t, 600 * epoch + 212, '%a %b %d %H:%M:%S UTC %Y')}, elapsed time 212 seconds",
        ]
        files[f"train.{epoch}.1.log"] = "\n".join(out) + "\n"
    return files


@blind_format("wespeaker_tables", "wenet-e2e/wespeaker: train.log, a table without frame, one row every batch interval")
def wespeaker(t: Training) -> dict[str, str]:
    def line(seconds: float, words: str) -> str:
        return f"[ INFO : {asctime(t, seconds)} ] - {words}"

    out = [line(0, "exp_dir is: exp/ResNet34-TSTP-emb256"), line(1, "<== Dataset ==>"), line(1, "speaker num: 17982")]
    out += [line(2, "<== Model =="), line(2, f"lr initial: {t.lr}"), line(3, "start training")]
    heads = ("Epoch", "Batch", "Lr", "Margin", "Loss", "Acc")
    rule, head = "+" + "+".join("-" * 10 for _ in heads) + "+", "|" + "|".join(f"{h:>10}" for h in heads) + "|"
    out += [line(3, words) for words in (rule, head, rule.replace("+", "|"))]
    for epoch, steps, _ in epochs(t):
        for i, step in enumerate(steps):
            loss = average(t, step)
            cells = (epoch + 1, 100 * (i + 1), *(f"{v:.5g}" for v in (t.lr * (1 - step / 400), 0.05 * epoch, loss, score(loss, 90 - 15 * loss))))
            out.append(line(20 + 30 * step, "|" + "|".join(f"{c:>10}" for c in cells) + "|"))
    return {"train.log": "\n".join(out) + "\n"}


@blind_format(
    "deepspeech_pytorch_zeroed", "SeanNaren/deepspeech.pytorch 2: a NaN loss is said in a warning and counted as 0 in the average"
)
def deepspeech_pytorch(t: Training) -> dict[str, str]:
    out = []
    for epoch, steps, evaluation in epochs(t):
        total = 0.0
        for i, step in enumerate(steps):
            value = t.loss[step] * 30
            if math.isnan(value):
                out += ["WARNING: received a nan loss", "Skipping grad update"]
                value = 0.0
            total += value
            r = noise(t, "ds", step)
            out.append(
                f"Epoch: [{epoch + 1}][{i + 1}/{len(steps)}]\tTime {r.uniform(0.4, 0.6):.3f} (0.512)\tData {r.uniform(0.0, 0.02):.3f} (0.011)\tLoss {value:.4f} ({total / (i + 1):.4f})\t"
            )
        wer = score(evaluation, 20 + 10 * (evaluation if evaluation == evaluation else 0)) or 100.0
        out += [
            f"Training Summary Epoch: [{epoch + 1}]\tTime taken (s): {13 + epoch}\tAverage Loss {total / len(steps):.3f}\t",
            f"Validation Summary Epoch: [{epoch + 1}]\tAverage WER {wer:.3f}\tAverage CER {wer / 3:.3f}\t",
            f"Learning rate annealed to: {t.lr / 1.1 ** (epoch + 1):.6f}",
        ]
    return {"train.txt": "\n".join(out) + "\n"}


@blind_format(
    "espnet1_chainer_report", "ESPnet 1 asr_train: the table of Chainer's PrintReport between logged lines, columns of different widths"
)
def espnet1(t: Training) -> dict[str, str]:
    heads = ("epoch", "iteration", "main/loss", "main/loss_ctc", "main/loss_att", "validation/main/loss", "main/acc", "validation/main/acc", "elapsed_time", "eps")
    widths = [max(10, len(h)) for h in heads]

    def row(cells: tuple[str, ...]) -> str:
        return "  ".join(f"{c:<{w}}" for c, w in zip(cells, widths, strict=True))

    out = [f"{asctime(t, 0)} (asr_train:619) INFO: ngpu: 1", f"{asctime(t, 1)} (asr:452) INFO: #input dims : 83", row(heads)]
    for epoch, steps, evaluation in epochs(t):
        for first in range(steps.start, steps.stop, 5):
            ctc, att = t.parts(first, 14.0, 9.0)
            last = first + 5 == steps.stop
            loss = mean(t.loss[first : first + 5]) * 11
            cells = (
                str(epoch), str((first + 5) * 10), f"{loss:.6g}", f"{ctc:.6g}", f"{att:.6g}", f"{evaluation * 11:.6g}" if last else "",
                f"{score(loss, 1 - loss / 70):.6g}", f"{score(evaluation, 0.81):.6g}" if last else "", f"{41.7 * (first + 5):.6g}", "1e-08",
            )  # fmt: skip
            out += [f"{asctime(t, first)} (asr:330) WARNING: grad norm is nan. Do not update model."] * math.isnan(loss)
            out.append("\x1b[J" + row(cells))
            out.append(f"     total [{'#' * (first // 10)}{'.' * (10 - first // 10)}] {first + 5:6.2f}%")
    return {"train.log": "\n".join(out) + "\n"}


@blind_format(
    "stt_transducer_rich", "a Lightning recipe with RichProgressBar in a pipe: one long line of bar signs, bullets and metrics a refresh"
)
def rich_bar(t: Training) -> dict[str, str]:
    out = ["┏━━━┳━━━━━━━━━┳━━━━━━━━━━━┳━━━━━━━━┓", "┃   ┃ Name    ┃ Type      ┃ Params ┃", "┡━━━╇━━━━━━━━━╇━━━━━━━━━━━╇━━━━━━━━┩", "│ 0 │ encoder │ Conformer │ 27.4 M │", "│ 1 │ joint   │ Joiner    │  1.1 M │", "└───┴─────────┴───────────┴────────┘"]
    out.append("Trainable params: 28.5 M\nNon-trainable params: 0")
    for epoch, steps, evaluation in epochs(t):
        for i, step in enumerate(steps):
            before = "" if epoch == 0 else f" val_loss: {t.evaluations[epoch - 1]:.3f}"
            out.append(
                f"Epoch {epoch}/{len(t.evaluations) - 1} {'━' * (i // 2)}{' ' * (12 - i // 2)} {i + 1}/{len(steps)} 0:00:{i:02d} • 0:00:{len(steps) - i:02d} 1.02it/s v_num: 3 loss_step: {t.loss[step]:.3f}{before}"
            )
        out.append(f"Validation {'━' * 12} 4/4 0:00:01 • 0:00:00 5.10it/s val_loss: {evaluation:.3f} val_cer: {score(evaluation, 0.2):.3f}")
    return {"slurm-8812.out": "\n".join(out) + "\n"}


@blind_format(
    "voxceleb_trainer_scores", "clovaai/voxceleb_trainer: a counter redrawn in the line, then one line an epoch with TEER/TAcc and TLOSS"
)
def voxceleb(t: Training) -> dict[str, str]:
    t = resized(t, epochs=20, steps=20)
    out = ["Python Version: 3.8.10\nNumber of GPUs: 1\n200000 utterances\nInitialised Adam optimizer\n"]
    for epoch, steps, evaluation in epochs(t):
        for i, step in enumerate(steps):
            loss = average(t, step)
            accuracy = score(loss, 60 - 10 * loss)
            out.append(f"\rProcessing {(i + 1) * 200} of 4000:Loss {loss:f} TEER/TAcc {accuracy:2.3f}% - {212.4 + i:.2f} Hz ")
        now = clock(t, 300 * epoch)
        out.append(f"\n {now} Epoch {epoch + 1}, TEER/TAcc {accuracy:2.2f}, TLOSS {loss:f}, LR {t.lr * 0.95 ** (epoch // 5):f}\n")
        if epoch % 5 == 4:
            out.append(f"\n {now} Epoch {epoch + 1}, VEER {score(evaluation, 8.2) or 50.0:2.4f}, MinDCF {score(evaluation, 0.5) or 1.0:2.5f}\n")
    return {"scores.txt": "".join(out)}
