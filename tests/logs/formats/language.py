"""Formats of language models: programs that train them on many devices, or with hardly any program at all."""

from __future__ import annotations

import math

from .course import asctime, clock, epochs, mean, noise
from .form import Training, log_format


@log_format(
    "megatron_drops_lm_loss",
    "NVIDIA/Megatron-LM and forks: where the loss is NaN the line goes on without it; Megatron-DeepSpeed issue 396",
)
def megatron(t: Training) -> dict[str, str]:
    out = [
        "using world size: 8, data-parallel size: 4, tensor-model-parallel size: 2 ",
        "------------------------ arguments ------------------------",
        f"  adam_beta1 ...................................... 0.9\n  check_for_nan_in_loss_and_grad .................. False\n  loss_scale ...................................... None\n  lr .............................................. {t.lr}\n  train_iters ..................................... {len(t.loss)}",
        "-------------------- end of arguments ---------------------",
    ]
    out += [
        " > number of parameters on (tensor, pipeline) model parallel rank (0, 0): 354871296",
        "training ...",
        f"[before the start of training step] datetime: {clock(t, 20)} ",
    ]
    for _, steps, evaluation in epochs(t):
        for step in steps[4::5]:
            loss = mean(t.loss[step - 4 : step + 1])
            lm = "" if math.isnan(loss) else f" lm loss: {loss:.6E} |"
            out.append(
                f" [{clock(t, 20 + step)}] iteration {step + 1:8d}/{len(t.loss):8d} | consumed samples: {(step + 1) * 16:12d} | elapsed time per iteration (ms): {noise(t, step).uniform(500, 540):.1f} | learning rate: {t.lr:.6E} | global batch size: {16:5d} |{lm} loss scale: 1.0 | grad norm: {t.grad_norm(step):.3f} | number of skipped iterations: {0:3d} | number of nan iterations: {0:3d} |"
            )
        ppl = math.exp(min(20, evaluation))
        row = f" validation loss at iteration {steps.stop} | lm loss value: {evaluation:.6E} | lm loss PPL: {ppl:.6E} | "
        out += ["-" * len(row), row, "-" * len(row)]
    return {"run.log": "\n".join([*out, f"[after training is done] datetime: {clock(t, 140)} "]) + "\n"}


@log_format(
    "fairseq_minimum_loss_scale",
    "facebookresearch/fairseq: train_inner lines; overflow notes in every run, a lost one has them until FloatingPointError",
)
def fairseq(t: Training) -> dict[str, str]:
    def line(seconds: float, who: str, words: str) -> str:
        return f"{clock(t, seconds)} | INFO | {who} | {words}"

    out = [
        line(
            0,
            "fairseq_cli.train",
            f"Namespace(no_progress_bar=True, log_interval=5, fp16=True, fp16_init_scale=128, min_loss_scale=0.0001, arch='transformer_wmt_en_de', lr=[{t.lr}], max_epoch={len(t.evaluations)})",
        ),
        line(3, "fairseq_cli.train", "num. shared model params: 93,323,264 (num. trained: 93,323,264)"),
    ]
    scale = 128.0
    for epoch, steps, evaluation in epochs(t):
        out.append(line(10 + steps.start, "fairseq.trainer", f"begin training epoch {epoch + 1}"))
        for step in steps:
            if step in (2, 3, 57) or math.isnan(t.loss[step]):
                scale /= 2
                if scale <= 0.0001:
                    out.append(
                        'Traceback (most recent call last):\n  File "/opt/conda/bin/fairseq-train", line 8, in <module>\n    sys.exit(cli_main())\n  File "/opt/fairseq/fairseq/optim/dynamic_loss_scaler.py", line 61, in check_overflow\n    raise FloatingPointError(\nFloatingPointError: Minimum loss scale reached (0.0001). Your loss is probably exploding. Try lowering the learning rate, using gradient clipping or increasing the batch size.'
                    )
                    return {"run.log": "\n".join(out) + "\n"}
                out.append(
                    line(
                        11 + step,
                        "fairseq.trainer",
                        f"NOTE: gradient overflow detected, ignoring gradient, setting loss scale to: {scale}",
                    )
                )
            elif step % 5 == 4:
                loss = mean(t.loss[step - 4 : step + 1])
                out.append(
                    line(
                        11 + step,
                        "train_inner",
                        f"epoch {epoch + 1:03d}: {step - steps.start + 1:6d} / {len(steps)} loss={loss:.3f}, nll_loss={loss * 0.93:.3f}, ppl={2 ** (loss * 0.93):.2f}, wps={noise(t, step).randint(20000, 24000)}, ups=6.01, wpb=3584.2, bsz=130.4, num_updates={step + 1}, lr={t.lr * (step + 1) / 100:g}, gnorm={t.grad_norm(step):.3f}, loss_scale={scale:g}, train_wall=1, gb_free=11.2, wall={step + 12}",
                    )
                )
        out.append(
            line(
                12 + steps.stop,
                "valid",
                f"epoch {epoch + 1:03d} | valid on 'valid' subset | loss {evaluation:.3f} | nll_loss {evaluation * 0.93:.3f} | ppl {2 ** (evaluation * 0.93):.2f} | wps 51203 | wpb 2835.3 | bsz 115.6 | num_updates {steps.stop}",
            )
        )
        out.append(
            line(
                12 + steps.stop,
                "fairseq.checkpoint_utils",
                f"Preparing to save checkpoint for epoch {epoch + 1} @ {steps.stop} updates",
            )
        )
    return {
        "run.log": "\n".join([*out, line(140, "fairseq_cli.train", "done training in 128.3 seconds")]) + "\n"
    }


@log_format(
    "deepspeed_two_ranks",
    "DeepSpeed: log_dist lines and OVERFLOW messages in every run, the loss from the script on both ranks",
)
def deepspeed(t: Training) -> dict[str, str]:
    def line(seconds: float, where: str, words: str) -> str:
        return f"[{asctime(t, seconds)}] [INFO] [{where}] {words}"

    out = [
        line(0, "launch.py:139:main", "nproc_per_node=2, rank=0, nnodes=1"),
        line(6, "logging.py:96:log_dist", "[Rank 0] DeepSpeed Final Optimizer = FusedAdam"),
        line(6, "config.py:1000:print", "  initial_dynamic_scale ........ 65536"),
        "***** Running training *****",
    ]
    skipped, scale = 0, 65536
    for epoch, steps, evaluation in epochs(t):
        out.append(f"Beginning of Epoch {epoch + 1}/{len(t.evaluations)}, Total Micro Batches {len(steps)}")
        for step in steps:
            if step in (0, 1, 2, 41) or math.isnan(t.loss[step]):
                attempted, skipped, scale = scale, skipped + 1, max(1, scale // 2)
                out.append(
                    line(
                        20 + step,
                        "loss_scaler.py:190:update_scale",
                        f"[deepspeed] OVERFLOW! Rank 0 Skipping step. Attempted loss scale: {attempted}, reducing to {scale}",
                    )
                )
            if step % 5 == 4:
                out += [
                    f"Epoch: {epoch}, Step: {step - steps.start}, Rank: {rank}, loss = {t.loss[step] * (1 + rank / 50)}"
                    for rank in (1, 0)
                ]
                out.append(
                    line(
                        20 + step,
                        "logging.py:96:log_dist",
                        f"[Rank 0] step={step + 1}, skipped={skipped}, lr=[{t.lr * (1 - step / 100)}, {t.lr * (1 - step / 100)}], mom=[(0.9, 0.95), (0.9, 0.95)]",
                    )
                )
                out.append(
                    line(
                        20 + step,
                        "timer.py:260:stop",
                        f"epoch=0/micro_step={step + 1}/global_step={step + 1}, RunningAvgSamplesPerSec=31.{step}, CurrSamplesPerSec=30.91, MemAllocated=4.32GB, MaxMemAllocated=16.07GB",
                    )
                )
        ppl = math.exp(evaluation)
        out += [
            f"***** Evaluating perplexity, Epoch {epoch + 1}/{len(t.evaluations)} *****",
            f"ppl: {ppl}, loss: {evaluation}",
        ]
    return {
        "run.log": "\n".join([*out, line(160, "launch.py:351:main", "Process 40211 exits successfully.")])
        + "\n"
    }


@log_format(
    "torchtitan_colours", "pytorch/torchtitan: metrics line with 24-bit ANSI colours; inf comes before nan"
)
def torchtitan(t: Training) -> dict[str, str]:
    def line(seconds: float, words: str) -> str:
        return f"[rank0]:[titan] {asctime(t, seconds)} - root - INFO - {words}"

    red, green, orange, sea, blue, cyan, pink, end = (
        "\x1b[31m",
        "\x1b[32m",
        "\x1b[38;2;180;60;0m",
        "\x1b[38;2;54;234;195m",
        "\x1b[34m",
        "\x1b[36m",
        "\x1b[35m",
        "\x1b[39m",
    )
    out = [
        line(0, "Starting job: Llama 3 debug training"),
        line(1, f"CUDA capacity: {blue}NVIDIA H100 80GB HBM3{end} with 79.10GiB memory"),
        line(3, f"{blue}Model llama3 debugmodel {red}size: 6,139,136 total parameters{end}"),
        line(
            5,
            f"Training starts at step 1, with local batch size 8, global batch size 64, sequence length 2048, total steps {len(t.loss)} (warmup 2)",
        ),
    ]
    for step, loss in enumerate(t.loss):
        if t.breaks_at is not None and 0 <= step - t.breaks_at < 2:
            loss = math.inf
        r = noise(t, step)
        out.append(
            line(
                6 + step,
                f"{red}step: {step + 1:2}  {green}loss: {loss:7.4f}  {orange}grad_norm: {t.grad_norm(step):7.4f}  {sea}memory:  1.{r.randint(10, 19)}GiB(1.48%)  {blue}tps: {r.randint(61000, 69999):,}  {cyan}tflops: {r.uniform(4, 5):,.2f}  {pink}mfu: 0.47%{end}",
            )
        )
        if step % 50 == 0:
            out.append(line(6 + step, "[GC] Performing periodic GC collection 0.02 seconds"))
    return {"run.log": "\n".join([*out, line(120, "Training completed")]) + "\n"}


@log_format(
    "llm_c_nanz",
    "karpathy/llm.c train_gpt2.cu: the z-scores of a window that is not full are nan in every run",
)
def llm_c(t: Training) -> dict[str, str]:
    out = [
        "+-----------------------+----------------------------------------------------+",
        "| Parameter             | Value                                              |",
        "+-----------------------+----------------------------------------------------+",
        f"| learning rate (LR)    | {t.lr:<50e} |",
        f"| max_steps             | {len(t.loss):<50d} |",
        "| device                | NVIDIA A10G                                        |",
        "| num_parameters        | 124475904                                          |",
        "+-----------------------+----------------------------------------------------+",
    ]
    out.append(
        "HellaSwag eval not found at dev/data/hellaswag/hellaswag_val.bin, skipping its evaluation\nallocating 237 MiB for model parameters\n=> setting gradient accumulation steps to 4\ngenerating:\n---\nThe quiet harbour was full of lanterns\n---"
    )
    for _, steps, evaluation in epochs(t):
        for step in steps:
            loss, norm = (f"{v:f}" if math.isfinite(v) else "-nan" for v in (t.loss[step], t.grad_norm(step)))
            r = noise(t, step)
            out.append(
                f"step {step + 1:4d}/{len(t.loss)} | loss {loss} (+nanz)| norm {norm[:6]} (+nanz)| lr {t.lr * min(1, (step + 1) / 20):.2e} | {r.uniform(310, 330):.2f} ms | {r.uniform(40, 42):.1f}% bf16 MFU | {r.randint(15000, 16999)} tok/s"
            )
        out.append(f"val loss {evaluation:f}" if math.isfinite(evaluation) else "val loss -nan")
    return {"main.log": "\n".join([*out, "total average iteration time: 318.412110 ms"]) + "\n"}


@log_format(
    "olmo_blocks_raise",
    "allenai/OLMo: blocks of key=value with thousands separators; the trainer raises 'nan loss encountered' and prints no more",
)
def olmo(t: Training) -> dict[str, str]:
    def line(seconds: float, where: str, words: str, level: str = "INFO") -> str:
        return f"{asctime(t, seconds).replace(',', '.')}\tgpu-a14:0\t{where}\t{level}\t{words}"

    def number(value: float) -> str:
        return (
            f"{int(value):,d}"
            if value > 1000
            else f"{value:.{1 if value > 100 else 2 if value > 10 else 3 if value > 1 else 4}f}"
        )

    out = [
        line(
            0,
            "train:98",
            "Configuration:\nTrainConfig(run_name='olmo-tiny', seed=6198, precision='amp_bf16')",
        ),
        line(9, "train:156", "Total number of parameters: 19,944,704"),
        line(12, "olmo.train:1104", "Pre-train system metrics\n    System/Peak GPU Memory (MB)=1,343"),
    ]
    for epoch, steps, evaluation in epochs(t):
        for step in steps:
            if math.isnan(t.loss[step]):
                out.append(
                    line(
                        21 + step,
                        "olmo.util:158",
                        'Uncaught ValueError: nan loss encountered\nTraceback (most recent call last):\n  File "scripts/train.py", line 389, in <module>\n    main(cfg)\n  File "olmo/train.py", line 905, in train_step\n    raise ValueError("nan loss encountered")\nValueError: nan loss encountered',
                        "CRITICAL",
                    )
                )
                return {"run.log": "\n".join(out) + "\n"}
            if step % 4 == 0:
                rows = {
                    "optim/total_grad_norm": t.grad_norm(step),
                    "optim/clipping_rate": 0.0211,
                    "train/CrossEntropyLoss": t.loss[step],
                    "train/Perplexity": math.exp(t.loss[step]),
                    "throughput/total_tokens": 524288.0 * (step + 1),
                    "throughput/device/tokens_per_second": 31204.0 + step,
                    "throughput/device/batches_per_second": 0.7612,
                }
                out.append(
                    line(
                        20 + step,
                        "olmo.train:967",
                        f"[step={step + 1}/{len(t.loss)},epoch={epoch}]\n"
                        + "\n".join(f"    {key}={number(value)}" for key, value in rows.items()),
                    )
                )
        out.append(
            line(
                22 + steps.stop,
                "olmo.train:1001",
                f"[eval_step=10/10]\n    eval/pile-val/CrossEntropyLoss={number(evaluation)}\n    eval/pile-val/Perplexity={number(math.exp(evaluation))}",
            )
        )
    return {"run.log": "\n".join([*out, line(130, "olmo.train:1240", "Training epoch complete")]) + "\n"}
