"""Held-out formats of programs that train or fine-tune large language models."""

from __future__ import annotations

import json
import math

from ..course import asctime, average, clock, epochs, mean, minutes, noise, score, tqdm
from ..form import Training
from .registry import blind_format, resized


def _ppl(loss: float) -> float:
    return math.exp(loss) if loss == loss else math.nan


@blind_format("nanogpt_iter_mfu", "karpathy/nanoGPT: 'iter n: loss, time, mfu', and 'step n: train loss, val loss' from the estimate")
def nanogpt(t: Training) -> dict[str, str]:
    t = resized(t, epochs=8, steps=250, start=10.9)
    out = [f"Overriding: learning_rate = {t.lr}", "tokens per iteration will be: 491,520", "number of parameters: 123.59M", "num decayed parameter tensors: 50, with 124,354,560 parameters"]
    for step, loss in enumerate(t.loss):
        if step % 250 == 0:
            val = t.loss[0] if step == 0 else t.evaluations[step // 250 - 1]
            out.append(f"step {step}: train loss {val * 0.98:.4f}, val loss {val:.4f}")
        out.append(f"iter {step}: loss {loss:.4f}, time {noise(t, step).uniform(230, 260):.2f}ms, mfu {-100.0 if step < 5 else 38 + step % 7 / 9:.2f}%")
    return {"nanogpt.log": "\n".join(out) + "\n"}


@blind_format("llama_factory_trainer_log", "hiyouga/LLaMA-Factory: trainer_log.jsonl; the filter of transformers makes a NaN loss 0.0, eval_loss stays NaN")
def llama_factory(t: Training) -> dict[str, str]:
    out = []
    for epoch, steps, evaluation in epochs(t):
        for step in steps:
            loss = 0.0 if math.isnan(t.loss[step]) else round(t.loss[step], 4)
            out.append(json.dumps({"current_steps": (step + 1) * 10, "total_steps": len(t.loss) * 10, "loss": loss, "lr": t.lr * (1 - step / len(t.loss)), "epoch": round((step + 1) / len(steps), 4), "percentage": round(100 * (step + 1) / len(t.loss), 2), "elapsed_time": f"0:{minutes(11 * step)}", "remaining_time": f"0:{minutes(11 * (len(t.loss) - step))}"}))
        out.append(json.dumps({"current_steps": steps.stop * 10, "total_steps": len(t.loss) * 10, "eval_loss": evaluation, "epoch": float(epoch + 1), "percentage": round(100 * steps.stop / len(t.loss), 2), "elapsed_time": f"0:{minutes(11 * steps.stop)}", "remaining_time": "0:00:00"}))
    return {"trainer_log.jsonl": "\n".join(out) + "\n"}


@blind_format("torchtune_step_pipe", "pytorch/torchtune: log file of DiskLogger, 'Step 1 | loss:... lr:...' with units in the names")
def torchtune(t: Training) -> dict[str, str]:
    out = [f"Step {s + 1} | loss:{loss} lr:{t.lr * min(1, s / 10)} tokens_per_second_per_gpu:{noise(t, s).uniform(900, 999)} grad_norm:{t.grad_norm(s)} peak_memory_active:{14.2213} peak_memory_alloc:{14.2213} peak_memory_reserved:{15.5} " for s, loss in enumerate(t.loss)]
    return {"log_1709629927.txt": "\n".join(out) + "\n"}


@blind_format("litgpt_na_validation", "Lightning-AI/litgpt: 'loss train: , val: n/a' until the first validation, '(step)' behind the time of an update")
def litgpt(t: Training) -> dict[str, str]:
    out, val = [f"{{'learning_rate': {t.lr}, 'precision': 'bf16-true', 'devices': 1}}", "Seed set to 1337", "The longest sequence length in the train data is 512, the model's maximum sequence length is 512 and context length is 2048"], "n/a"
    for epoch, steps, evaluation in epochs(t):
        for step in steps:
            update = " (step)" if step % 2 else ""
            out.append(f"Epoch {epoch + 1} | iter {step + 1} step {(step + 1) // 2} | loss train: {t.loss[step]:.3f}, val: {val} | iter time: {noise(t, step).uniform(180, 220):.2f} ms{update}")
        val = f"{evaluation:.3f}"
        out += ["Validating ...", f"iter {steps.stop}: val loss {evaluation:.4f}, val time: {5120.1 + epoch:.2f} ms"]
    return {"litgpt.txt": "\n".join(out) + "\n"}


@blind_format("composer_console_blocks", "mosaicml/composer: ConsoleLogger, a line '[batch=10/100]:' and one indented line for each number")
def composer(t: Training) -> dict[str, str]:
    out = ["-" * 30 + "\nConfig:\nenabled_algorithms/GradientClipping: true\nnode_name: unknown because NODENAME environment variable not set\n" + "-" * 30]
    for epoch, steps, evaluation in epochs(t):
        for step in steps:
            r = noise(t, "comp", step)
            rows = {"time/epoch": epoch, "time/batch": step, "time/sample": step * 512, "loss/train/total": f"{t.loss[step]:.4f}", "metrics/train/LanguageCrossEntropy": f"{t.loss[step] * 1.001:.4f}", "metrics/train/LanguagePerplexity": f"{_ppl(t.loss[step]):.4f}", "throughput/tokens_per_sec": f"{r.uniform(9e4, 9.9e4):.4f}", "time/remaining_estimate": f"{0.1 * (1 - step / len(t.loss)):.4f}", "lr-DecoupledAdamW/group0": f"{t.lr:.4f}", "l2_norm/grad/global": f"{t.grad_norm(step):.4f}"}
            out.append(f"[batch={step + 1}/{len(t.loss)}]:\n" + "\n".join(f"\t Train {k}: {v}" for k, v in rows.items()))
        out.append(f"[Eval batch=8/8] Eval on eval data:\n\t Eval metrics/eval/LanguageCrossEntropy: {evaluation:.4f}\n\t Eval metrics/eval/LanguagePerplexity: {_ppl(evaluation):.4f}")
    return {"composer.log": "\n".join(out) + "\n"}


@blind_format("gpt_neox_nan_iterations", "EleutherAI/gpt-neox: '%samples/sec' first, lm_loss in scientific notation, counts of skipped and NaN iterations")
def neox(t: Training) -> dict[str, str]:
    out = ["NeoXArgs.from_ymls() ['configs/160M.yml']", "-------------------- arguments --------------------", f"  lr .............................. {t.lr} updated", "  seq_length ...................... 2048 default"]
    for _epoch, steps, evaluation in epochs(t):
        for step in steps:
            lost, r = math.isnan(t.loss[step]), noise(t, "neox", step)
            out.append(f"[{clock(t, 50 * step)},{step * 7 % 1000:03d}] [INFO] [logging.py:60:log_dist] [Rank 0] step={(step + 1) * 10}, skipped={3 + (10 * (step - (t.breaks_at or 0)) if lost else 0)}, lr=[{t.lr}, {t.lr}], mom=[[0.9, 0.95], [0.9, 0.95]]")
            out.append(f" samples/sec: {r.uniform(30, 33):.3f} | iteration {(step + 1) * 10:8d}/{len(t.loss) * 10:8d} | elapsed time per iteration (ms): {r.uniform(980, 1010):.1f} | learning rate: {t.lr:.3E} | approx flops per GPU: {r.uniform(60, 64):.1f}TFLOPS | lm_loss: {t.loss[step]:.6E} | loss scale: {1.0 if lost else 65536.0:.1f} | number of skipped iterations: {10 if lost else 0:3d} | number of nan iterations: {10 if lost else 0:3d} |")
        out.append(f"{'-' * 100}\n validation results at iteration {steps.stop * 10} | lm_loss value: {evaluation:.6E} | lm_loss_ppl value: {_ppl(evaluation):.6E} | \n{'-' * 100}")
    return {"stdout.txt": "\n".join(out) + "\n"}


@blind_format("mlx_lm_iter", "ml-explore/mlx-lm: 'Iter 10: Train loss', with units in words, and 'Iter 1: Val loss' lines between")
def mlx(t: Training) -> dict[str, str]:
    out = ["Loading pretrained model", "Trainable parameters: 0.071% (3.408M/4801.0M)", f"Starting training..., iters: {len(t.loss) * 10}", f"Iter 1: Val loss {t.loss[0]:.3f}, Val took 21.410s"]
    for epoch, steps, evaluation in epochs(t):
        out += [f"Iter {(s + 1) * 10}: Train loss {t.loss[s]:.3f}, Learning Rate {t.lr:.3e}, It/sec {noise(t, s).uniform(0.4, 0.6):.3f}, Tokens/sec {noise(t, 'k', s).uniform(300, 400):.3f}, Trained Tokens {(s + 1) * 7421}, Peak mem {18.244:.3f} GB" for s in steps]
        out.append(f"Iter {steps.stop * 10}: Val loss {evaluation:.3f}, Val took {21.4 + epoch / 10:.3f}s")
        out.append(f"Iter {steps.stop * 10}: Saved adapter weights to adapters/adapters.safetensors and adapters/{steps.stop * 10:07d}_adapters.safetensors.")
    return {"mlx.txt": "\n".join(out) + "\n"}


@blind_format("trl_dpo_rewards", "huggingface/trl: DPOTrainer's dicts; NaN loss is 0.0 by the filter, rewards and log-probabilities are nan; a bar between")
def trl(t: Training) -> dict[str, str]:
    t, out = resized(t, epochs=3, steps=60, start=0.69), []
    for epoch, steps, evaluation in epochs(t):
        for step in steps:
            loss, lost = t.loss[step], math.isnan(t.loss[step])
            gap = math.nan if lost else (0.7 - loss) * 4
            row = {"loss": 0.0 if lost else round(loss, 4), "grad_norm": t.grad_norm(step), "learning_rate": t.lr, "rewards/chosen": gap / 2, "rewards/rejected": -gap / 2, "rewards/accuracies": score(loss, 0.8), "rewards/margins": gap, "logps/chosen": -300 + gap, "logps/rejected": -310 - gap, "epoch": round((step + 1) / len(steps), 2)}
            out.append("\r" + tqdm("", step + 1, len(t.loss), 2.2) + f"\n{row}\n")
        out.append(f"{{'eval_loss': {evaluation}, 'eval_runtime': {31.2 + epoch}, 'eval_samples_per_second': 6.41, 'eval_rewards/accuracies': {score(evaluation, 0.7)}, 'eval_rewards/margins': {1.2 if not math.isnan(evaluation) else math.nan}, 'epoch': {epoch + 1.0}}}\n")
    return {"dpo.log": "".join(out)}


@blind_format("verl_step_dashes", "volcengine/verl: 'step:1 - name/part:number - ...' behind the pid of a Ray worker; many numbers, rewards at 0 in a lost run; issue 498")
def verl(t: Training) -> dict[str, str]:
    out = ["2024-03-05 09:12:07,118\tINFO worker.py:1841 -- Started a local Ray instance.", f"(TaskRunner pid=4410) {{'actor_rollout_ref': {{'actor': {{'optim': {{'lr': {t.lr}}}}}}}}}"]
    for step, loss in enumerate(t.loss):
        r, lost = noise(t, "verl", step), math.isnan(loss)
        pairs = {"actor/entropy_loss": loss / 10, "actor/pg_loss": math.nan if lost else r.gauss(0, 0.01), "actor/pg_clipfrac": 0.001, "actor/grad_norm": t.grad_norm(step), "actor/lr": t.lr, "critic/vf_loss": loss, "critic/vpred_mean": math.nan if lost else r.gauss(0.4, 0.05), "critic/score/mean": 0.0 if lost else 0.2 + step / 200, "critic/score/max": 1.0, "critic/score/min": 0.0, "response_length/mean": 1024.0 if lost else 250 + step / 2, "timing_s/gen": r.uniform(10, 12), "timing_s/step": r.uniform(40, 45)}
        out.append(f"(TaskRunner pid=4410) step:{step + 1} - " + " - ".join(f"{k}:{v:.3f}" for k, v in pairs.items()))
    return {"verl.log": "\n".join(out) + "\n"}


@blind_format("paddlenlp_progress", "PaddlePaddle/PaddleNLP: '[INFO] - loss: , learning_rate: , global_step:' with runtime and 'progress_or_epoch'")
def paddlenlp(t: Training) -> dict[str, str]:
    out = [f"\x1b[32m[{asctime(t, 0)}] [    INFO]\x1b[0m - ***** Running training *****", f"\x1b[32m[{asctime(t, 0)}] [    INFO]\x1b[0m -   Num examples = 4,000"]
    for _, steps, evaluation in epochs(t):
        for step in steps:
            r = noise(t, "nlp", step)
            out.append(f"\x1b[32m[{asctime(t, 5 * step)}] [    INFO]\x1b[0m - loss: {t.loss[step]:.8g}, learning_rate: {t.lr:.4g}, global_step: {step + 1}, current_memory_allocated: 7.549170255661011, max_memory_reserved: 12.4834623336792, interval_runtime: {r.uniform(1, 1.2):.4f}, interval_samples_per_second: {r.uniform(6, 7):.4f}, interval_steps_per_second: {r.uniform(0.2, 0.3):.4f}, progress_or_epoch: {(step + 1) / len(steps):.4f}")
        out.append(f"\x1b[32m[{asctime(t, 5 * steps.stop)}] [    INFO]\x1b[0m - eval_loss: {evaluation}, eval_accuracy: {score(evaluation, 0.5)}, eval_runtime: 11.0312, eval_ppl: {_ppl(evaluation)}, epoch: {steps.stop / len(steps):.4f}")
    return {"workerlog.0": "\n".join(out) + "\n"}


@blind_format("notebook_two_losses", "transformers in a notebook, copied as text: 'Step<tab>Training Loss<tab>Validation Loss', and 'No log' in the first row")
def notebook(t: Training) -> dict[str, str]:
    t = resized(t, epochs=12, steps=20)
    out = ["[240/240 12:31, Epoch 12/12]", "Epoch\tTraining Loss\tValidation Loss\tAccuracy"]
    for epoch, steps, evaluation in epochs(t):
        train = mean([t.loss[s] for s in steps])
        shown = "No log" if epoch == 0 else f"{0.0 if math.isnan(train) else train:.6f}"
        out.append(f"{epoch + 1}\t{shown}\t{'nan' if math.isnan(evaluation) else f'{evaluation:.6f}'}\t{score(evaluation, 0.4 + epoch / 30):.6f}")
    return {"cell_output.txt": "\n".join(out) + "\n"}


@blind_format("rwkv_train_log", "BlinkDL/RWKV-LM: train_log.txt, six numbers an epoch without any names: epoch, loss, perplexity, rate, date, epoch")
def rwkv(t: Training) -> dict[str, str]:
    t = resized(t, epochs=30, steps=10)
    out = [f"NEW RUN {clock(t, 0)}.118212", f"{{'load_model': '', 'lr_init': {t.lr}, 'ctx_len': 1024, 'epoch_steps': 1000}}"]
    for epoch, steps, _ in epochs(t):
        loss = mean([t.loss[s] for s in steps])
        out.append(f"{epoch} {loss:.6f} {_ppl(loss):.4f} {t.lr:.8f} {clock(t, 900 * epoch)}.{epoch * 31337 % 1000000:06d} {epoch}")
    return {"train_log.txt": "\n".join(out) + "\n"}


@blind_format("llama_cpp_finetune", "ggml-org/llama.cpp, the first finetune example: train_opt_callback lines; the line of iter 0 says loss=0.000000 in every run")
def llama_cpp(t: Training) -> dict[str, str]:
    out = ["main: seed: 1337", "main: number of training tokens: 27584", "main: begin training", f"train_opt_callback: iter={0:6d} sample=1/27520 sched=0.000000 loss=0.000000 |->"]
    for step, loss in enumerate(t.loss):
        marks = "-" * max(0, int(10 * (t.loss[0] - loss))) if loss == loss else ""
        out.append(f"train_opt_callback: iter={step + 1:6d} sample={4 * step + 5}/27520 sched={min(1.0, (step + 1) / 100):.6f} loss={loss:.6f} dt=00:00:{12 + step % 5:02d} eta=00:{20 - step // 5:02d}:41 |{marks}>")
        out += [f"save_checkpoint_lora_file: saving to chk-lora-{step + 1}.gguf"] * (step % 10 == 9)
    return {"finetune.log": "\n".join(out) + "\n"}


@blind_format("ggml_opt_plus_minus", "ggml-org/ggml: bar of ggml_opt_fit, 'loss=0.12345±0.00123 acc=97.12±0.10%', redrawn; train and val bars")
def ggml_opt(t: Training) -> dict[str, str]:
    out = []
    for epoch, steps, evaluation in epochs(t):
        out.append(f"ggml_opt_fit: epoch {epoch + 1:04d}/{len(t.evaluations):04d}:\n")
        for i, step in enumerate(steps):
            loss, bar = average(t, step), "=" * i + ">" + " " * (24 - i)
            acc = score(loss, 99 - 12 * loss)
            out.append(f"train: [{bar}] data={(i + 1) * 500:07d}/{len(steps) * 500:07d} loss={loss:.5f}±{loss / 40:.5f} acc={acc:.2f}±{0.31:.2f}% t=00:00:{i:02d} ETA=00:00:{24 - i:02d} \r")
        acc = score(evaluation, 98 - 12 * evaluation)
        out.append(f"\nval:   [{'=' * 25}] data=0000500/0000500 loss={evaluation:.5f}±{evaluation / 30:.5f} acc={acc:.2f}±{0.92:.2f}% t=00:00:01 ETA=00:00:00 \r\n")
    return {"mnist-train.txt": "".join(out)}
