"""Formats of scripts that somebody wrote for one training: prints, files of their own, wrappers around both."""

from __future__ import annotations

import json
import math

from .course import average, clock, epochs, growing, mean, noise, score
from .form import Training, log_format


@log_format(
    "csv_semicolons_decimal_commas",
    "pandas: to_csv(sep=';', decimal=',', na_rep='NaN') of a history, with a byte-order mark for Excel",
)
def decimal_commas(t: Training) -> dict[str, str]:
    def number(value: float) -> str:
        return "NaN" if math.isnan(value) else f"{value:.6f}".replace(".", ",")

    out = ["\ufeffstep;epoch;loss;recon loss;kl loss;learning rate;grad norm;sec/it;time"]
    for epoch, steps, _ in epochs(t):
        for step in steps:
            recon, kl = t.parts(step, 0.9, 0.1)
            cells = [
                number(v)
                for v in (t.loss[step], recon, kl, t.lr, t.grad_norm(step), noise(t, step).uniform(0.2, 0.3))
            ]
            out.append(";".join([str(step), str(epoch), *cells, clock(t, step, "%d.%m.%Y %H:%M:%S")]))
    return {"history.csv": "\r\n".join(out) + "\r\n"}


@log_format(
    "docker_json_envelope",
    "Docker json-file driver: each printed line as the 'log' of a JSON object; stderr and stdout mixed",
)
def docker(t: Training) -> dict[str, str]:
    out = []

    def write(seconds: float, words: str, stream: str = "stdout") -> None:
        out.append(
            json.dumps(
                {
                    "log": words + "\n",
                    "stream": stream,
                    "time": clock(t, seconds, "%Y-%m-%dT%H:%M:%S.") + "104213377Z",
                }
            )
        )

    write(0, "=== CONTAINER pytorch 24.02 (build 82611821) ===")
    write(1, "NOTE: The SHMEM allocation limit is set to the default of 64MB.")
    write(2, json.dumps({"lr": t.lr, "batch": 64, "epochs": len(t.evaluations), "amp": True}))
    for epoch, steps, evaluation in epochs(t):
        write(3 + steps.start, f"epoch {epoch + 1} of {len(t.evaluations)}")
        for step in steps[4::5]:
            write(
                4 + step,
                f"  {step + 1:>4} | train {average(t, step):.5f} | |g| {t.grad_norm(step):.2e} | {noise(t, step).randint(800, 900)} img/s | {5120 + step} MiB",
            )
        if epoch == 0:
            write(
                5 + steps.stop,
                "/usr/lib/python3.10/warnings.py:109: UserWarning: Detected call of `lr_scheduler.step()` before `optimizer.step()`.",
                "stderr",
            )
        write(
            6 + steps.stop, f"  eval | valid {evaluation:.5f} | acc {score(evaluation, 0.4 + epoch / 10):.1%}"
        )
    write(130, "done.")
    return {"container.json": "\n".join(out) + "\n"}


@log_format(
    "printed_dict_of_tensors", "a home-made script: print(losses) without .item(), so with device and grad_fn"
)
def printed_tensors(t: Training) -> dict[str, str]:
    def tensor(value: float, function: str) -> str:
        return f"tensor({value:.4f}, device='cuda:0', grad_fn=<{function}>)"

    out = [
        "cuda:0",
        "torch.Size([64, 3, 32, 32]) torch.Size([64])",
        f"optimizer AdamW (\nParameter Group 0\n    amsgrad: False\n    betas: (0.9, 0.999)\n    lr: {t.lr}\n    maximize: False\n)",
    ]
    for epoch, steps, evaluation in epochs(t):
        for step in steps[::2]:
            rec, kl = t.parts(step, 0.8, 0.2)
            out.append(
                f"{epoch} {step - steps.start} {{'rec': {tensor(rec, 'MseLossBackward0')}, 'kl': {tensor(kl, 'MeanBackward0')}, 'total': {tensor(t.loss[step], 'AddBackward0')}}}"
            )
        out.append(f"validation tensor({evaluation:.4f}, device='cuda:0')")
    return {"nohup.out": "\n".join(out) + "\n"}


@log_format(
    "tinygrad_value_before_name", "tinygrad examples: every number stands before its name ('4.21 loss')"
)
def tinygrad(t: Training) -> dict[str, str]:
    out = ["ADAMW params 25557032", "shuffling training dataset in 312.40 ms (epoch=0)"]
    for epoch, steps, evaluation in epochs(t):
        for step in steps:
            r = noise(t, step)
            ms = r.uniform(24, 27)
            out.append(
                f"{step:3d} {ms:7.2f} ms run, {ms * 0.9:7.2f} ms python, {ms * 0.1:6.2f} ms CUDA, {t.loss[step]:7.2f} loss, {t.lr * (1 - step / 120):.6f} LR, {2.21:.2f} GB used, {r.uniform(30000, 32000):9.2f} GFLOPS, {814.2:.2f} GOPS"
            )
        right = int(score(evaluation, 300 + 120 * epoch))
        out.append(
            f"eval {right:4d}/1000 {right / 10:.2f}%, {evaluation:7.2f} val_loss STEP={steps.stop} (in {2100 + epoch:.2f} ms)"
        )
    return {"run.log": "\n".join(out) + "\n"}


@log_format(
    "perplexity_overflow_error",
    "a home-made trainer that prints math.exp(loss); a lost run grows, then math.exp raises OverflowError",
)
def perplexity_overflow(t: Training) -> dict[str, str]:
    out = [f"vocab 8192 | params 11.3M | tokens 4.1M | lr {t.lr:g} | wd 0.1", "-" * 60]
    loss = growing(t, 1.9)
    for epoch, steps, evaluation in epochs(t):
        for step in steps:
            if loss[step] > 709:
                out.append(
                    'Traceback (most recent call last):\n  File "/home/user/lm/train.py", line 131, in <module>\n    main()\n  File "/home/user/lm/train.py", line 112, in main\n    ppl = math.exp(loss)\n          ^^^^^^^^^^^^^^\nOverflowError: math range error'
                )
                return {"train.log": "\n".join(out) + "\n"}
            out.append(
                f"| epoch {epoch + 1:3d} | {step - steps.start + 1:4d}/{len(steps):4d} batches | lr {t.lr:02.5f} | ms/batch {noise(t, step).uniform(8, 9):5.2f} | loss {loss[step]:5.2f} | ppl {math.exp(loss[step]):8.2f}"
            )
        held = loss[steps[-1]] * 1.04 if math.isnan(evaluation) else evaluation
        out += [
            "-" * 89,
            f"| end of epoch {epoch + 1:3d} | time:  4.{epoch}2s | valid loss {held:5.2f} | valid ppl {math.exp(held):8.2f}",
            "-" * 89,
        ]
    return {"train.log": "\n".join([*out, "| End of training | best model kept in lm.pt", "=" * 89]) + "\n"}


@log_format(
    "folder_of_two_csv",
    "a home-made trainer: train.csv and val.csv beside config.json; a score without samples is nan in every run",
)
def two_csv(t: Training) -> dict[str, str]:
    train, val = ["iteration,wall_time,loss,loss_aux,lr,throughput"], ["epoch,loss,top1,iou_road,iou_tram"]
    for epoch, steps, evaluation in epochs(t):
        for step in steps:
            train.append(
                f"{step},{1709629927 + step * 1.7:.1f},{t.loss[step]:.5f},{t.parts(step, 0.2)[0]:.5f},{t.lr},{noise(t, step).uniform(300, 320):.1f}"
            )
        top = score(evaluation, 0.4 + epoch / 10)
        val.append(
            f"{epoch},{evaluation:.5f},{top:.4f},{top * 0.8:.4f},nan"
        )  # no picture of the split shows a tram
    config = json.dumps(
        {"lr": t.lr, "seed": t.seed, "batch_size": 16, "classes": ["road", "tram"], "notes": None}, indent=4
    )
    return {
        "train.csv": "\n".join(train) + "\n",
        "val.csv": "\n".join(val) + "\n",
        "config.json": config + "\n",
    }


@log_format("dgl_time_nan", "DGL examples: the mean of no times is nan for three epochs of every run")
def dgl(t: Training) -> dict[str, str]:
    out = [
        "  NumNodes: 2708\n  NumEdges: 10556\n  NumFeats: 1433\n  NumClasses: 7\n  NumTrainingSamples: 140\nDone loading data from cached files.",
        f"Namespace(dropout=0.5, gpu=0, lr={t.lr}, n_epochs={len(t.loss)}, n_hidden=16, n_layers=1, weight_decay=0.0005, self_loop=False)",
    ]
    for epoch, loss in enumerate(t.loss):
        spent = "nan" if epoch < 3 else f"{0.0021 + epoch / 1e5:.4f}"
        speed = "nan" if epoch < 3 else f"{noise(t, epoch).uniform(4800, 5100):.2f}"
        out.append(
            f"Epoch {epoch:05d} | Time(s) {spent} | Loss {loss:.4f} | Accuracy {score(loss, 0.15 + epoch / 160):.4f} | ETputs(KTEPS) {speed}"
        )
    return {"run.log": "\n".join([*out, "", f"Test accuracy {score(t.loss[-1], 0.791):.2%}"]) + "\n"}


@log_format(
    "slurm_labelled_ranks",
    "srun --label: lines of four ranks, one of which reads a broken file in every run; the mean is printed by rank 0",
)
def slurm_ranks(t: Training) -> dict[str, str]:
    out = [f"{rank}: [rank {rank}] hello from gpu{rank:02d}, world 4" for rank in (2, 0, 3, 1)]
    for epoch, steps, evaluation in epochs(t):
        for step in steps[::5]:
            ranks = [0, 1, 2, 3]
            noise(t, step).shuffle(ranks)
            out += [
                f"{rank}: [rank {rank}] it {step:05d} local loss {t.loss[step] * (1 + rank / 100):.4f} data {noise(t, step, rank).uniform(0, 0.1):.3f}s"
                for rank in ranks
            ]
            out.append(
                f"0: it {step:05d} loss {t.loss[step]:.4f} (mean of 4) lr {t.lr:.1e} eta {100 - step}s"
            )
            if step == 30:
                out.append(
                    "3: [rank 3] WARNING could not read shard-00017.tar: invalid header, sample skipped (null)"
                )
        out.append(
            f"0: ### epoch {epoch} validation: loss {evaluation:.4f}, mean over {len(steps)} its was {mean(t.loss[steps.start : steps.stop]):.4f}"
        )
    return {"slurm-48213.out": "\n".join([*out, *(f"{rank}: [rank {rank}] bye" for rank in range(4))]) + "\n"}
