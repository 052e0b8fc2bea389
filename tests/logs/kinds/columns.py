"""Files with nothing but numbers: one a line, or columns without names; and folders of such files."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from formats.course import epochs, mean
from formats.form import Training

from .register import file, files, kind, spelled


def _lines(*values: float, form: str = ".6f") -> str:
    return "".join(f"{v:{form}}\n" for v in values)


def _means(t: Training) -> list[float]:
    return [mean([t.loss[i] for i in steps]) for _, steps, _ in epochs(t)]


@kind
def one_column(t: Training) -> Iterator[str]:
    yield from (f"{v:.6f}" for v in t.loss)


@file("loss.txt")
def one_column_savetxt(t: Training) -> str:
    return _lines(*t.loss, form=".18e")


@file("loss.csv")
def one_column_csv(t: Training) -> str:
    return _lines(*t.loss)


@file("loss.csv")
def one_named_column(t: Training) -> str:
    return "loss\n" + _lines(*t.loss)


@file("losses.csv")
def one_column_of_pandas(t: Training) -> str:
    """`Series.to_csv`: an index, and a column called 0; NaN is empty."""
    return ",0\n" + "".join(f"{i},{spelled(v, '', '.8f')}\n" for i, v in enumerate(t.loss))


@file("history.csv")
def columns_without_names(t: Training) -> str:
    return "".join(f"{i},{v:.6f},{t.lr}\n" for i, v in enumerate(t.loss))


@file("loss.dat")
def columns_with_blanks(t: Training) -> str:
    return "".join(f"{i:5d} {v:14.7e}\n" for i, v in enumerate(t.loss))


@file("train_losses.txt")
def python_list(t: Training) -> str:
    return str(list(t.loss)) + "\n"


@file("loss.txt")
def one_row(t: Training) -> str:
    """`np.savetxt` of a row: all numbers in one line."""
    return " ".join(f"{v:.18e}" for v in t.loss) + "\n"


@file("loss.txt")
def brackets_over_lines(t: Training) -> str:
    """`print(array)` of numpy: several numbers a line, in brackets."""
    texts = [f"{v:.8f}" for v in t.loss]
    rows = [" ".join(texts[i : i + 6]) for i in range(0, len(texts), 6)]
    return "[" + "\n ".join(rows) + "]\n"


@file("loss.txt")
def one_column_with_dashes(t: Training) -> str:
    """A writer that has `--` for what is masked."""
    return "".join(f"{spelled(v, '--')}\n" for v in t.loss)


@file("loss.txt")
def one_column_with_none(t: Training) -> str:
    return "".join(f"{spelled(v, 'None', '.12f')}\n" for v in t.loss)


@file("loss.txt")
def one_column_of_few(t: Training) -> str:
    """One number an epoch."""
    return _lines(*_means(t))


@file("train_loss.txt")
def one_column_below_a_comment(t: Training) -> str:
    return f"# training loss, lr={t.lr}\n" + _lines(*t.loss, form=".10e")


@file("loss.log")
def one_column_of_tensors(t: Training) -> str:
    return "".join(f"tensor({v:.4f}, grad_fn=<MseLossBackward0>)\n" for v in t.loss)


@file("errors.txt")
def grown_column(t: Training) -> str:
    """It never becomes NaN, and grows to what a float holds."""
    last, rows = t.loss[0], []
    for v in t.loss:
        last = last * 4.0 if math.isnan(v) else v
        rows.append(last)
    return _lines(*rows, form="g")


@files
def folder_of_columns(t: Training) -> Mapping[str, str]:
    return {"train_loss.txt": _lines(*_means(t)), "val_loss.txt": _lines(*t.evaluations)}


@files
def folder_of_savetxt(t: Training) -> Mapping[str, str]:
    means = _means(t)
    return {
        "losses/train.txt": _lines(*t.loss, form=".18e"),
        "losses/valid.txt": _lines(*t.evaluations, form=".18e"),
        "losses/accuracy.txt": _lines(*(0.0 if math.isnan(v) else 1 - v / 9 for v in means), form=".18e"),
    }


@files
def folder_of_components(t: Training) -> Mapping[str, str]:
    """One file for each loss; one of them is lost."""
    parts = [t.parts(i, 0.7, 0.3) for i in range(len(t.loss))]
    return {
        "loss_rec.txt": _lines(*(one for one, _ in parts)),
        "loss_reg.txt": _lines(*(0.1 if math.isnan(two) else two for _, two in parts)),
        "lr.txt": _lines(*(t.lr for _ in parts), form="g"),
    }


@files
def folder_with_steps(t: Training) -> Mapping[str, str]:
    """A column of losses beside one of times and one of steps."""
    return {
        "loss.txt": _lines(*t.loss),
        "time.txt": _lines(*(0.2 + i % 3 / 10 for i in range(len(t.loss)))),
        "step.txt": "".join(f"{i}\n" for i in range(len(t.loss))),
    }
