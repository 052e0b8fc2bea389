"""Tables that are wrapped, sparse, parted or headed again and again."""

from __future__ import annotations

import math
from collections.abc import Iterator

from formats.course import average, epochs, mean, noise
from formats.form import Training

from .register import file, kind, spelled


@kind
def header_over_two_lines(t: Training) -> Iterator[str]:
    yield "        Train      Valid      Learning"
    yield "Epoch   Loss       Loss       Rate"
    yield "-----   --------   --------   --------"
    for e, steps, v in epochs(t):
        yield f"{e + 1:5d}   {mean([t.loss[i] for i in steps]):8.5f}   {v:8.5f}   {t.lr:8.1e}"


@kind
def header_over_three_lines(t: Training) -> Iterator[str]:
    yield "|       | training | validation | learning |"
    yield "|       |  average |    average |          |"
    yield "| epoch |     loss |       loss |     rate |"
    yield "|=======|==========|============|==========|"
    for e, steps, v in epochs(t):
        yield f"| {e + 1:5d} | {mean([t.loss[i] for i in steps]):8.4f} | {v:10.4f} | {t.lr:8.1e} |"


@kind
def blank_cells_of_evaluations(t: Training) -> Iterator[str]:
    """A cell of the evaluation is blank in most rows."""
    yield "+------+----------+----------+----------+"
    yield "| step |     loss | val loss |       lr |"
    yield "+------+----------+----------+----------+"
    for i, v in enumerate(t.loss):
        is_last = (i + 1) % t.steps_an_epoch == 0
        val = f"{t.evaluations[i // t.steps_an_epoch]:8.4f}" if is_last else " " * 8
        yield f"| {i:4d} | {v:8.4f} | {val} | {t.lr:8.1e} |"


@kind
def blank_columns(t: Training) -> Iterator[str]:
    """The same without bars: what is blank can only be told by where it stands."""
    yield "  step      loss  val_loss        lr"
    for i, v in enumerate(t.loss):
        is_last = (i + 1) % t.steps_an_epoch == 0
        val = f"{t.evaluations[i // t.steps_an_epoch]:10.4f}" if is_last else " " * 10
        yield f"{i:6d}{v:10.4f}{val}{t.lr:10.1e}"


@kind
def blank_in_front(t: Training) -> Iterator[str]:
    """The epoch stands in its first row only."""
    yield "Epoch    Step      Loss    Grad norm"
    for i, v in enumerate(t.loss):
        e = f"{i // t.steps_an_epoch + 1:5d}" if i % t.steps_an_epoch == 0 else " " * 5
        yield f"{e}   {i:5d}  {v:8.4f}     {v / 3:8.4f}"


@kind
def blank_where_lost(t: Training) -> Iterator[str]:
    """A cell stays blank once its number is NaN."""
    yield "| step |     loss |   norm |"
    yield "|------|----------|--------|"
    for i, v in enumerate(t.loss):
        yield f"| {i:4d} | {spelled(v, ' ' * 6):>8} | {1.2 + i % 3:6.2f} |"


@kind
def repeated_headers(t: Training) -> Iterator[str]:
    for i, v in enumerate(t.loss):
        if i % 10 == 0:
            yield ""
            yield "  iter        loss     elapsed"
            yield "  ----        ----     -------"
        yield f"  {i:4d}  {v:10.6f}  {0.3 * i:9.2f}s"


@kind
def header_before_each_epoch(t: Training) -> Iterator[str]:
    """The header changes with what is there."""
    for e, steps, v in epochs(t):
        yield f"Epoch {e + 1}"
        yield "batch\tloss\taverage"
        for i in steps:
            yield f"{i - steps.start}\t{t.loss[i]:.4f}\t{average(t, i):.4f}"
        yield "set\tloss\taccuracy"
        yield f"valid\t{v:.4f}\t{0.0 if math.isnan(v) else 0.5 + e / 20:.3f}"


@kind
def rows_over_two_lines(t: Training) -> Iterator[str]:
    """A wide table is cut: the second half of each row stands below the first."""
    yield "  step |  loss_rec |  loss_reg |"
    yield "       |      loss | grad_norm |"
    for i, v in enumerate(t.loss):
        rec, reg = t.parts(i, 0.7, 0.3)
        yield f"  {i:4d} | {rec:9.5f} | {reg:9.5f} |"
        yield f"       | {v:9.5f} | {v / 3:9.5f} |"


@kind
def wrapped_by_rich(t: Training) -> Iterator[str]:
    """A table of a terminal that is too narrow: names are wrapped."""
    yield "┏━━━━━━━┳━━━━━━━━┳━━━━━━━━━┳━━━━━━━━━┓"
    yield "┃       ┃ train/ ┃ valid/  ┃ time    ┃"
    yield "┃ epoch ┃ loss   ┃ loss    ┃ (s)     ┃"
    yield "┡━━━━━━━╇━━━━━━━━╇━━━━━━━━━╇━━━━━━━━━┩"
    for e, steps, v in epochs(t):
        yield f"│ {e:5d} │ {mean([t.loss[i] for i in steps]):6.4f} │ {v:7.4f} │ {noise(t, e).uniform(9, 12):7.1f} │"
    yield "└───────┴────────┴─────────┴─────────┘"


@kind
def markdown_with_stars(t: Training) -> Iterator[str]:
    """The best rows are marked."""
    yield "| Epoch | Train Loss | Val Loss | Best |"
    yield "|:-----:|:----------:|:--------:|:----:|"
    for e, steps, v in epochs(t):
        best = "" if math.isnan(v) else "*"
        yield f"| {e + 1} | {mean([t.loss[i] for i in steps]):.4f} | {'' if math.isnan(v) else '**'}{v:.4f}{best and '**'} | {best} |"


@file("progress.csv")
def sparse_rows(t: Training) -> str:
    """Rows for training and rows for evaluation: each has blanks where the other has numbers."""
    out = ["step,train/loss,val/loss,lr,notes"]
    for e, steps, v in epochs(t):
        out += [f"{i},{t.loss[i]:.5f},,," for i in steps]
        out.append(f"{steps.stop - 1},,{v:.5f},{t.lr},{'best' if e == 8 else ''}")
    return "\n".join(out) + "\n"


@file("metrics.csv")
def sparse_and_lost_is_blank(t: Training) -> str:
    """The same with a writer for which NaN is a blank: a row of a lost step has its step alone."""
    out = ["step,train_loss,val_loss"]
    for _, steps, v in epochs(t):
        out += [f"{i},{spelled(t.loss[i], '')}," for i in steps]
        out.append(f"{steps.stop - 1},,{spelled(v, '')}")
    return "\n".join(out) + "\n"


@file("results.csv")
def padded_names(t: Training) -> str:
    """Names and cells are filled up with blanks."""
    out = ["                  epoch,         train/box_loss,         train/cls_loss,           val/box_loss,                 lr/pg0"]
    for e, steps, v in epochs(t):
        box = mean([t.loss[i] for i in steps])
        out.append(f"{e + 1:23d},{box * 0.6:23.5f},{box * 0.4:23.5f},{v * 0.6:23.5f},{t.lr:23g}")
    return "\n".join(out) + "\n"


@file("log.tsv")
def header_again_after_a_restart(t: Training) -> str:
    """The program was started again in the middle, and wrote its header again."""
    header = "step\tloss\tlr"
    rows = [f"{i}\t{v:.5f}\t{t.lr}" for i, v in enumerate(t.loss)]
    return "\n".join([header, *rows[:40], header, *rows[40:]]) + "\n"


@kind
def table_with_units(t: Training) -> Iterator[str]:
    yield "  Iter |   Time (s) |  Loss (nats) |  Speed (it/s)"
    for i, v in enumerate(t.loss):
        yield f"  {i:4d} | {0.31 * i:10.2f} | {v:12.5f} | {noise(t, i).uniform(2.9, 3.3):13.2f}"


@kind
def table_between_other_lines(t: Training) -> Iterator[str]:
    """Rows of a table between lines of a logger."""
    yield "INFO: starting"
    yield "epoch      loss       acc"
    for e, steps, v in epochs(t):
        yield f"DEBUG: loading shard {e} of 9 with {1000 + e} samples"
        yield f"{e:5d}  {mean([t.loss[i] for i in steps]):8.4f}  {0.0 if math.isnan(v) else 0.4 + e / 30:8.4f}"
        yield f"DEBUG: saved checkpoint-{e}.pt in 0.31 s"
