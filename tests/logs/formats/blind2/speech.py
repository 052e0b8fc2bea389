"""Speech, synthesis, translation, embeddings and language models."""

from __future__ import annotations

import math
from collections.abc import Mapping

from .registry import Training, blind_format, draw, epoch_mean, number, resized


@blind_format("kaldi_nnet3_phases", "Kaldi: nnet3-train, what it logs of each phase of minibatches")
def kaldi(t: Training) -> Mapping[str, str]:
    place = "LOG (nnet3-train[5.5.1068~1-59299]:PrintStatsForThisPhase():nnet-training.cc:304)"
    lines = ["# nnet3-train --print-interval=10 --momentum=0.0 --max-param-change=2.0 exp/nnet3/tdnn/3.raw -"]
    for i, v in enumerate(t.loss):
        frames = int(draw(t, "frames", i, 61000, 64000))
        objective = number(-v, ".6g", "-nan")
        lines.append(f"{place} Average objective function for 'output' for minibatches {10 * i}-{10 * i + 9} is {objective} over {frames} frames.")
    total = number(-sum(t.loss) / len(t.loss), ".6g", "-nan")
    lines.append(f"LOG (nnet3-train[5.5.1068~1-59299]:PrintTotalStats():nnet-training.cc:348) Overall average objective function for 'output' is {total} over 6254080 frames.")
    lines.append("# Accounting: time=312 threads=1")
    return {"train.3.1.log": "\n".join(lines) + "\n"}


@blind_format("wav2letter_columns", "wav2letter++ and flashlight: the line of each report, with its timings")
def wav2letter(t: Training) -> Mapping[str, str]:
    lines = ["I0412 09:30:02.118341 21877 Train.cpp:212] [Network Params: 70498735]", "I0412 09:30:02.118397 21877 Train.cpp:563] Epoch 1 started!"]
    for i in range(4, len(t.loss), 5):
        if any(math.isnan(v) for v in t.loss[i - 4 : i + 1]):
            lines.append("F0412 09:58:40.020117 21877 Train.cpp:613] Loss has NaN values. Samples - 4446-2273-0011,1069-133699-0030")
            lines.append("*** Check failure stack trace: ***")
            break
        v = sum(t.loss[i - 4 : i + 1]) / 5
        lines.append(
            f"epoch: {i // t.steps_an_epoch + 1:8d} | nupdates: {200 * (i + 1):12d} | lr: {t.lr:.6f} | lrcriterion: 0.000000 | runtime: 00:0{i % 9}:12"
            f" | bch(ms): {draw(t, 'bch', i, 300, 340):.2f} | smp(ms): {draw(t, 'smp', i, 0.5, 2):.2f} | fwd(ms): 103.11 | crit-fwd(ms): 6.08 | bwd(ms): 188.40"
            f" | optim(ms): 14.97 | loss: {v * 9:10.5f} | train-TER: {14 * v + 9:5.2f} | train-WER: {19 * v + 12:5.2f} | lists/dev-other.lst-loss: {v * 6.3:10.5f}"
            f" | lists/dev-other.lst-TER: {11 * v:5.2f} | lists/dev-other.lst-WER: {17 * v:5.2f} | avg-isz: {1228 + i} | avg-tsz: 212 | max-tsz: 402 | hrs: {3.2 * i:8.2f} | thrpt(sec/sec): 1094.41"
        )
    return {"001_log": "\n".join(lines) + "\n"}


@blind_format("fastspeech2_step_totals", "ming024/FastSpeech2: log.txt of training and of validation")
def fastspeech2(t: Training) -> Mapping[str, str]:
    names = ("Mel Loss", "Mel PostNet Loss", "Pitch Loss", "Energy Loss", "Duration Loss")
    train, valid = [], []
    for i, v in enumerate(t.loss):
        parts = t.parts(i, 0.33, 0.32, 0.12, 0.11, 0.12)
        train.append(f"Step {100 * (i + 1)}/900000, Total Loss: {v:.4f}, " + ", ".join(f"{n}: {p:.4f}" for n, p in zip(names, parts, strict=True)))
    for e, v in enumerate(t.evaluations):
        shares = ", ".join(f"{n}: {v * s:.4f}" for n, s in zip(names, (0.34, 0.31, 0.13, 0.1, 0.12), strict=True))
        valid.append(f"Validation Step {100 * (e + 1) * t.steps_an_epoch}, Total Loss: {v:.4f}, {shares}")
    return {"train/log.txt": "\n".join(train) + "\n", "val/log.txt": "\n".join(valid) + "\n"}


@blind_format("fatchord_wavernn_stream", "fatchord/WaveRNN: one line overwritten by carriage returns")
def wavernn(t: Training) -> Mapping[str, str]:
    text = "Trainable Parameters: 4.234M\n+----------------+------------+--------+--------------+\n| Steps Left     | Batch Size |   LR   | Sequence Len |\n"
    text += "+----------------+------------+--------+--------------+\n"
    n = t.steps_an_epoch
    for i in range(len(t.loss)):
        e = i // n
        running = sum(t.loss[e * n : i + 1]) / (i - e * n + 1)
        text += f"\r| Epoch: {e + 1}/{len(t.loss) // n} ({i % n + 1}/{n}) | Loss: {running:.4f} | {draw(t, 'speed', i, 2.1, 2.6):.1f} steps/s | Step: {i // 10}k | "
        if (i + 1) % n == 0:
            text += " \n"
    return {"out.txt": text}


@blind_format("opennmt_lua_perplexity", "OpenNMT (Lua Torch): a perplexity and no loss")
def opennmt_lua(t: Training) -> Mapping[str, str]:
    lines = ["[04/12/24 09:30:11 INFO] Start training from epoch 1 to 4..."]
    n = t.steps_an_epoch
    for i, v in enumerate(t.loss):
        if i % n == 0:
            lines.append(f"[04/12/24 09:30:12 INFO] Start epoch {i // n + 1}...")
        speed = int(draw(t, "tokens", i, 2900, 3200))
        lines.append(
            f"[04/12/24 09:{30 + i // 10:02d}:{i % 60:02d} INFO] Epoch {i // n + 1} ; Iteration {50 * (i % n + 1)}/{50 * n} ; Optim SGD LR {t.lr:.6f} ; Source tokens/s {speed} ; Perplexity {number(math.exp(v), '.2f', 'nan')}"
        )
        if (i + 1) % n == 0:
            lines.append("[04/12/24 09:40:00 INFO] Evaluating on the validation dataset...")
            lines.append(f"[04/12/24 09:40:05 INFO] Validation perplexity: {number(math.exp(t.evaluations[i // n]), '.2f', 'nan')}")
    return {"train.log": "\n".join(lines) + "\n"}


@blind_format("glove_cost_of_iterations", "stanfordnlp/GloVe: the cost of each iteration, after a clock")
def glove(t: Training) -> Mapping[str, str]:
    t = resized(t, epochs=15, steps=10)
    lines = ["TRAINING MODEL", "Read 60666468 lines.", "Initializing parameters...Using random seed 1712915401", "done.", "vector size: 50", "vocab size: 71290", "x_max: 10.000000", "alpha: 0.750000"]
    for e in range(15):
        lines.append(f"04/12/24 - {9 + e // 12:02d}:{5 * e % 60:02d}.{(7 * e) % 60:02d}AM, iter: {e + 1:03d}, cost: {epoch_mean(t, e) / 30:f}")
    return {"glove.log": "\n".join(lines) + "\n"}


@blind_format("simpletransformers_running_loss", "simpletransformers: tqdm bars that carry the loss in their description")
def simpletransformers(t: Training) -> Mapping[str, str]:
    n, text = t.steps_an_epoch, "INFO:simpletransformers.classification.classification_utils: Converting to features started. Cache is not used.\n"
    for e in range(len(t.loss) // n):
        text += f"Epoch {e + 1} of {len(t.loss) // n}:  {25 * e:2d}%|{'█' * (2 * e)}{' ' * (10 - 2 * e)}| {e}/4 [00:{12 * e:02d}<00:{48 - 12 * e:02d}, 12.10s/it]\n"
        for k in range(n):
            done = 100 * (k + 1) // n
            text += f"\rEpochs {e}/{len(t.loss) // n}. Running Loss: {t.loss[e * n + k]:9.4f}: {done:3d}%|{'█' * (done // 10):10s}| {k + 1}/{n} [00:{k // 2:02d}<00:{(n - k) // 2:02d},  2.{k:02d}it/s]"
        text += "\n"
    return {"nohup.out": text}


@blind_format("maxtext_completed_step", "AI-Hypercomputer/maxtext: the line of each step")
def maxtext(t: Training) -> Mapping[str, str]:
    lines = ["Found 8 devices.", "number parameters: 1.234 billion", "Per train step:", " Total TFLOPs: 156.72", " split as 93.11% learnable weight flops and 6.89% attention flops"]
    for i, v in enumerate(t.loss):
        seconds = draw(t, "seconds", i, 3.40, 3.48)
        lines.append(f"completed step: {i}, seconds: {seconds:.3f}, TFLOP/s/device: {156.72 / seconds:.3f}, Tokens/s/device: {8192 / seconds:.3f}, total_weights: {65400 + i % 7}, loss: {v:.3f}")
        if (i + 1) % t.steps_an_epoch == 0:
            lines.append(f"eval metrics after step: {i}, loss={t.evaluations[i // t.steps_an_epoch]:.3f}, total_weights=131072.0")
    return {"maxtext.log": "\n".join(lines) + "\n"}


@blind_format("nanotron_pipes", "huggingface/nanotron: iterations between pipes, with K and M for numbers")
def nanotron(t: Training) -> Mapping[str, str]:
    lines = ["04/12/2024 09:30:00 [INFO|DP=0|PP=0|TP=0]: [Training Plan] Stage Stable Training Stage has 4096 remaining samples"]
    for i, v in enumerate(t.loss):
        ms = draw(t, "ms", i, 812, 840)
        lines.append(
            f"04/12/2024 09:{30 + i // 30:02d}:{2 * i % 60:02d} [INFO|DP=0|PP=0|TP=0]: iteration: {i + 1} / {len(t.loss)} | consumed_tokens: {262 * (i + 1) / 1000:.3g}M | elapsed_time_per_iteration_ms: {ms:.0f} | "
            f"tokens_per_sec: {262144 / ms:.3g}K | tokens_per_sec_per_gpu: {32768 / ms:.3g}K | global_batch_size: 1.02K | lm_loss: {v:.3g} | lr: {t.lr:.3g} | model_tflops_per_gpu: {draw(t, 'tf', i, 190, 198):.0f} | "
            f"hardware_tflops_per_gpu: {draw(t, 'tf', i, 190, 198):.0f} | grad_norm: {t.grad_norm(i):.3g} | cuda_memory_allocated: 8.92G | cuda_max_memory_reserved: 21.1G | hd_total_memory_tb: 1.91T"
        )
    return {"slurm-4411.out": "\n".join(lines) + "\n"}
