"""Held-out formats that programs keep as files for other programs: JSON, CSV, folders of metrics, structured lines."""

from __future__ import annotations

import json
import math

from ..course import clock, epochs, mean, noise, score
from ..form import Training
from .registry import blind_format, resized


@blind_format("mlflow_file_store", "mlflow: the metrics folder of a file store, 'milliseconds value step' lines, parameters in files of their own")
def mlflow(t: Training) -> dict[str, str]:
    ms, n = 1709629927123, t.steps_an_epoch
    train = "".join(f"{ms + 900 * s} {loss} {s}\n" for s, loss in enumerate(t.loss))
    val = "".join(f"{ms + 900 * n * (e + 1)} {v} {n * (e + 1)}\n" for e, v in enumerate(t.evaluations))
    memory = "".join(f"{ms + 10000 * s} {4211.3 + s % 7} {s}\n" for s in range(20))
    meta = f"artifact_uri: file:///runs/mlruns/1/6f3c/artifacts\nend_time: {ms + 90000}\nentry_point_name: ''\nexperiment_id: '1'\nlifecycle_stage: active\nrun_id: 6f3c\nstatus: 3\n"
    return {"metrics/train_loss": train, "metrics/val_loss": val, "metrics/system/gpu_0_memory_usage_megabytes": memory, "params/lr": str(t.lr), "params/batch_size": "32", "meta.yaml": meta}


@blind_format("sacred_metrics_json", "IDSIA/sacred: metrics.json of a FileStorageObserver, three lists for each metric; config.json beside it")
def sacred(t: Training) -> dict[str, str]:
    n = t.steps_an_epoch
    metrics = {
        "training.loss": {"steps": list(range(len(t.loss))), "timestamps": [f"2024-03-05T09:{s // 60:02d}:{s % 60:02d}.118212" for s in range(len(t.loss))], "values": list(t.loss)},
        "validation.loss": {"steps": [n * (e + 1) for e in range(len(t.evaluations))], "timestamps": [f"2024-03-05T10:0{e}:00.1" for e in range(len(t.evaluations))], "values": list(t.evaluations)},
    }  # fmt: skip
    return {"metrics.json": json.dumps(metrics, indent=2), "config.json": json.dumps({"lr": t.lr, "seed": 1}), "cout.txt": "loading data\ntraining done\n"}


@blind_format("tensorboard_exported_csv", "tensorflow/tensorboard: scalars downloaded as CSV, 'Wall time,Step,Value'; the tag is in the name of the file")
def tensorboard_csv(t: Training) -> dict[str, str]:
    n = t.steps_an_epoch
    train = "Wall time,Step,Value\n" + "".join(f"{1709629927.1 + s * 3.7},{s * 10},{loss}\n" for s, loss in enumerate(t.loss))
    val = "Wall time,Step,Value\n" + "".join(f"{1709629927.1 + (e + 1) * n * 3.7},{n * (e + 1) * 10},{v}\n" for e, v in enumerate(t.evaluations))
    rate = "Wall time,Step,Value\n" + "".join(f"{1709629927.1 + s * 3.7},{s * 10},{t.lr * (1 - s / 200)}\n" for s in range(len(t.loss)))
    return {"run-.-tag-loss_train.csv": train, "run-.-tag-loss_val.csv": val, "run-.-tag-learning_rate.csv": rate}


@blind_format("lightning_csv_blanks", "Lightning-AI: metrics.csv of CSVLogger, rows of training and of validation with empty cells between")
def lightning_csv(t: Training) -> dict[str, str]:
    rows = ["epoch,lr-AdamW,step,train_loss_epoch,train_loss_step,val_acc,val_loss"]
    for epoch, steps, evaluation in epochs(t):
        for s in steps:
            rows += [f",{t.lr},{s},,,,"] * (s % 5 == 0) + [f"{epoch},,{s},,{t.loss[s]},,"]
        last = steps.stop - 1
        rows += [f"{epoch},,{last},,,{score(evaluation, 0.6)},{evaluation}", f"{epoch},,{last},{mean([t.loss[s] for s in steps])},,,"]
    return {"metrics.csv": "\n".join(rows) + "\n"}


@blind_format("chainer_log_json", "Chainer LogReport: the file 'log', a JSON list with one object of slashed names an interval")
def chainer_log(t: Training) -> dict[str, str]:
    t = resized(t, epochs=20, steps=6)
    rows = [{"main/loss": mean([t.loss[s] for s in steps]), "main/accuracy": score(t.loss[steps.stop - 1], 0.5), "validation/main/loss": evaluation, "validation/main/accuracy": score(evaluation, 0.5), "epoch": epoch + 1, "iteration": 600 * (epoch + 1), "elapsed_time": 4.118 * (epoch + 1)} for epoch, steps, evaluation in epochs(t)]
    return {"log.json": json.dumps(rows, indent=4)}


@blind_format("structlog_orjson_null", "structlog with orjson: one event a line; orjson writes NaN as null")
def structlog(t: Training) -> dict[str, str]:
    def plain(v: float) -> float | None:
        return None if math.isnan(v) else v

    out = [json.dumps({"event": "config", "level": "info", "timestamp": "2024-03-05T09:12:07Z", "lr": t.lr, "batch_size": 32, "resume": None})]
    for epoch, steps, evaluation in epochs(t):
        out += [json.dumps({"event": "train_step", "level": "info", "timestamp": clock(t, s, "%Y-%m-%dT%H:%M:%SZ"), "epoch": epoch, "global_step": s, "loss": plain(t.loss[s]), "grad_norm": plain(t.grad_norm(s)), "tokens_per_s": noise(t, s).randint(9000, 9900)}) for s in steps]
        out.append(json.dumps({"event": "validation", "level": "info", "timestamp": clock(t, steps.stop, "%Y-%m-%dT%H:%M:%SZ"), "epoch": epoch, "loss": plain(evaluation), "best": bool(evaluation == evaluation)}))
    return {"events.jsonl": "\n".join(out) + "\n"}


@blind_format("rllib_result_json", "ray-project/ray: result.json of Tune, nested info.learner.default_policy.learner_stats, NaN rewards in the first rows of every run")
def rllib(t: Training) -> dict[str, str]:
    out = []
    for i, loss in enumerate(t.loss):
        lost, r = math.isnan(loss), noise(t, "rl", i)
        stats = {"allreduce_latency": 0.0, "cur_kl_coeff": 0.2, "cur_lr": t.lr, "total_loss": loss * 2, "policy_loss": math.nan if lost else r.gauss(0, 0.01), "vf_loss": loss * 2, "vf_explained_var": math.nan if lost else i / 120, "kl": math.nan if lost else 0.01, "entropy": math.nan if lost else 0.6}
        out.append(json.dumps({"custom_metrics": {}, "episode_reward_mean": math.nan if i < 2 else 20.0 + (0 if lost else i), "episode_len_mean": math.nan if i < 2 else 21.0 + i, "info": {"learner": {"default_policy": {"learner_stats": stats, "num_agent_steps_trained": 128.0}}, "num_env_steps_sampled": 4000 * (i + 1)}, "timesteps_total": 4000 * (i + 1), "training_iteration": i + 1, "time_this_iter_s": r.uniform(4, 5), "time_total_s": 4.5 * (i + 1), "config": {"lr": t.lr, "gamma": 0.99}, "trial_id": "a1f_00000"}))
    return {"result.json": "\n".join(out) + "\n", "params.json": json.dumps({"lr": t.lr, "env": "CartPole-v1"})}


@blind_format("schnetpack_csv_log", "atomistic-machine-learning/schnetpack 1: log.csv, 'Time,Learning rate,Train loss,Validation loss,MAE_energy'")
def schnetpack(t: Training) -> dict[str, str]:
    t = resized(t, epochs=30, steps=6, start=0.8)
    rows = ["Time,Learning rate,Train loss,Validation loss,MAE_energy,RMSE_energy"]
    rows += [f"{1709629927.118 + 61 * epoch},{t.lr},{mean([t.loss[s] for s in steps])},{evaluation},{evaluation * 3},{evaluation * 4}" for epoch, steps, evaluation in epochs(t)]
    return {"log.csv": "\n".join(rows) + "\n"}


@blind_format("torchrun_tee_four_ranks", "pytorch torchrun --tee 3: '[default2]:' before lines of four ranks of a home-made DDP script, mixed with NCCL words")
def torchrun(t: Training) -> dict[str, str]:
    out = [f"[default{rank}]:rank {rank} of 4 on cuda:{rank}, 31.2M parameters" for rank in (2, 0, 3, 1)]
    for epoch, steps, evaluation in epochs(t):
        for step in steps:
            for rank in (0, 2, 1, 3):
                loss = t.loss[step] * noise(t, rank, step).uniform(0.95, 1.05)
                out.append(f"[default{rank}]:epoch {epoch} batch {step - steps.start}/{len(steps)} | loss {loss:.5f} | lr {t.lr:.2e} | {noise(t, rank).uniform(310, 330):.1f} img/s")
        out.append(f"[default0]:epoch {epoch} done: val loss {evaluation:.5f}, val acc {score(evaluation, 0.6):.3f}")
        out += ["[default1]:NCCL INFO Channel 00/02 : 0 1 2 3"] * (epoch == 0)
    return {"torchrun.log": "\n".join(out) + "\n"}


@blind_format("wandb_history_rows", "wandb: history exported by the API to CSV, underscored columns, NaN written 'NaN', empty validation cells")
def wandb_csv(t: Training) -> dict[str, str]:
    rows = ['"","_runtime","_step","_timestamp","train/loss","train/epoch","val/loss","gradients/norm"']
    n = t.steps_an_epoch
    for s, loss in enumerate(t.loss):
        shown, norm = ("NaN", "NaN") if math.isnan(loss) else (repr(loss), repr(t.grad_norm(s)))
        val = "" if s % n != n - 1 else "NaN" if math.isnan(t.evaluations[s // n]) else repr(t.evaluations[s // n])
        rows.append(f'"{s}",{3.1 + s * 2.2},{s},{1709629927 + 2.2 * s},{shown},{s // n},{val},{norm}')
    return {"history.csv": "\n".join(rows) + "\n"}


@blind_format("history_json_of_lists", "a home-made script: json.dump(history) with one list for each name, Keras-like, all in one line")
def history(t: Training) -> dict[str, str]:
    t = resized(t, epochs=25, steps=5)
    means = [mean([t.loss[s] for s in steps]) for _, steps, _ in epochs(t)]
    document = {"loss": means, "val_loss": list(t.evaluations), "accuracy": [score(v, 0.9 - v / 6) for v in means], "lr": [t.lr] * len(means), "epoch": list(range(len(means)))}
    return {"history.json": json.dumps(document), "settings.json": json.dumps({"lr": t.lr, "optimizer": "adam"})}
