"""One run in several files: what their names and folders say belongs to the numbers in them."""

from __future__ import annotations

from collections.abc import Mapping

from formats.course import epochs
from formats.form import Training

from .register import files


@files
def folders_of_parts_and_epochs(t: Training) -> Mapping[str, str]:
    """A file for each epoch, with how many items each number is the mean of."""
    found = {"notes.txt": "started\n"}
    for epoch, steps, evaluation in epochs(t):
        found[f"training/epoch_{epoch + 1}/loss.txt"] = "".join(f"{t.loss[i]:.6f} 32\n" for i in steps)
        found[f"training/epoch_{epoch + 1}/lr.txt"] = "".join(f"{t.lr:g}\n" for _ in steps)
        found[f"validation/epoch_{epoch + 1}/loss.txt"] = f"{evaluation:.6f} 320\n"
    return found


@files
def folders_of_epochs(t: Training) -> Mapping[str, str]:
    """A log for each epoch, in which the steps begin anew; there are more than nine."""
    found = {}
    for epoch, steps, evaluation in epochs(t):
        lines = [f"step {i + 1} loss {t.loss[i]:.4f} lr {t.lr:g}" for i in range(steps[0], steps[-1] + 1)]
        found[f"Epoch{epoch + 5}/output.log"] = "\n".join([*lines, f"val loss {evaluation:.4f}"])
    return found


@files
def folders_of_parts(t: Training) -> Mapping[str, str]:
    train = [f"{i},{v:.5f},{t.lr:g}" for i, v in enumerate(t.loss)]
    evaluated = [f"{(i + 1) * t.steps_an_epoch},{v:.5f}" for i, v in enumerate(t.evaluations)]
    return {
        "train/log.csv": "\n".join(["step,loss,lr", *train, ""]),
        "eval/log.csv": "\n".join(["step,loss", *evaluated, ""]),
    }


@files
def files_without_an_ending(t: Training) -> Mapping[str, str]:
    """Each has a time, a value and a step; one of them is no training's."""
    return {
        "run.yaml": "state: done\n",
        "metrics/loss": "".join(f"{1700000000000 + 900 * i} {v!r} {i}\n" for i, v in enumerate(t.loss)),
        "metrics/lr": "".join(f"{1700000000000 + 900 * i} {t.lr} {i}\n" for i in range(len(t.loss))),
        "metrics/system/memory": "".join(f"{1700000000000 + 900 * i} {4211.5 + i % 7} {i}\n" for i in range(30)),
    }


@files
def tables_named_by_their_files(t: Training) -> Mapping[str, str]:
    """Tables with the same columns, of which only the file says what they are of."""

    def table(values: list[float], each: int) -> str:
        rows = [f"{1.7e9 + 3.5 * i:.1f},{i * each},{v}" for i, v in enumerate(values)]
        return "\n".join(["Wall time,Step,Value", *rows, ""])

    rates = [t.lr * (1 - i / 2 / len(t.loss)) for i in range(len(t.loss))]
    return {
        "scalar_train-loss.csv": table(list(t.loss), 10),
        "scalar_val-loss.csv": table(list(t.evaluations), 10 * t.steps_an_epoch),
        "scalar_learning-rate.csv": table(rates, 10),
        "scalar_gpu-memory.csv": table([11.5 + i % 3 / 8 for i in range(len(t.loss))], 10),
    }
