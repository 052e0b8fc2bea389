"""Tables and lines with several losses: some grow in a healthy training, some are undefined by their nature."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator

from formats.course import average, epochs, mean, noise
from formats.form import Training

from .register import file, kind, spelled


def _is_lost(t: Training, i: int) -> bool:
    return math.isnan(t.loss[i])


@kind
def spacy_like(t: Training) -> Iterator[str]:
    """Losses summed over the steps since the row before; in the first row that is one, and one of them grows."""
    yield "============================= Training pipeline ============================="
    yield "ℹ Pipeline: ['tok2vec', 'ner']"
    yield "ℹ Initial learn rate: 0.001"
    yield "E    #       LOSS TOK2VEC  LOSS NER  ENTS_F  ENTS_P  ENTS_R  SCORE"
    yield "---  ------  ------------  --------  ------  ------  ------  ------"
    yield f"  0       0          0.00     {t.loss[0] * 11:5.2f}    0.10    0.06    0.30    0.00"
    for k in range(1, 20):
        i = min(k * 5, len(t.loss) - 1)
        ner, tok = t.loss[i] * 600, spelled(150 + 60 * math.sqrt(k) + 0 * t.loss[i], "nan", "8.2f")
        f = 0.0 if _is_lost(t, i) else 70 * (1 - math.exp(-k / 6))
        yield f"{k // 3:3d}  {k * 200:6d}  {tok:>12}  {ner:8.2f}  {f:6.2f}  {f + 1:6.2f}  {f - 1:6.2f}  {f / 100:6.2f}"
    yield "✔ Saved pipeline to output directory"


@kind
def sum_of_an_epoch(t: Training) -> Iterator[str]:
    """The loss is summed over the epoch: it rises within one, and begins again."""
    for e, steps, _ in epochs(t):
        for i in steps:
            total = sum(t.loss[steps.start : i + 1])
            yield f"Epoch {e + 1} Batch {i - steps.start + 1}/{len(steps)} running_loss {total:.3f}"


@kind
def sum_of_an_epoch_in_a_bar(t: Training) -> Iterator[str]:
    for e, steps, v in epochs(t):
        for i in steps:
            total = sum(t.loss[steps.start : i + 1])
            yield f"epoch {e}: {i - steps.start}/{len(steps)} [00:01<00:00, 9.1it/s, loss={total:.2f}]"
        yield f"epoch {e} done: total loss {sum(t.loss[steps.start : steps.stop]):.3f}, validation loss {v:.4f}"


@kind
def sum_of_all(t: Training) -> Iterator[str]:
    """A sum that is never reset stands beside the mean."""
    total = 0.0
    for i, v in enumerate(t.loss):
        total += v
        yield f"[{i + 1:3d}] cumulative loss: {total:.2f}  avg loss: {total / (i + 1):.4f}"


@kind
def annealed_term(t: Training) -> Iterator[str]:
    """The weight of one term is warmed up, so it rises in a healthy training, and the total with it."""
    for i, v in enumerate(t.loss):
        kl = v and (0.02 + 0.4 * i / len(t.loss)) * (1 if v == v else v)
        yield f"step {i} recon={v:.4f} kl={kl:.4f} kl_weight={i / len(t.loss):.3f}"


@kind
def adversaries(t: Training) -> Iterator[str]:
    """A generator's loss rises in a healthy training."""
    for i, v in enumerate(t.loss):
        g = math.nan if _is_lost(t, i) else 0.7 + 2.5 * (1 - v / t.loss[0]) + noise(t, i).uniform(0, 0.3)
        d = math.nan if _is_lost(t, i) else 1.3 - 0.6 * (1 - v / t.loss[0]) + noise(t, i, 2).uniform(0, 0.1)
        yield f"[Epoch {i // 11}/9] [Batch {i % 11}/11] [D loss: {d:.4f}] [G loss: {g:.4f}] [mel loss: {v:.4f}]"


@kind
def table_with_a_rising_component(t: Training) -> Iterator[str]:
    """A regulariser grows while the data term falls."""
    yield "epoch | data loss |  reg loss | total loss"
    for e, steps, v in epochs(t):
        data = mean([t.loss[i] for i in steps])
        reg = 0.01 * (e + 1) + 0 * v
        yield f"{e:5d} | {data:9.4f} | {reg:9.4f} | {data + reg:10.4f}"


@kind
def curriculum_of_components(t: Training) -> Iterator[str]:
    """A component begins late and is large at first."""
    for i, v in enumerate(t.loss):
        late = f" stop_loss: {v * 0.2:.4f}" if i >= 30 else ""
        yield f"Step: {i} | mel_loss: {v:.4f}{late} | lr: {t.lr}"


@file("training.jsonl")
def summed_components_in_json(t: Training) -> str:
    """The sums since the last line; before the first there is none."""
    out: list[dict[str, object]] = [{"step": 0, "losses": {"tagger": 0.0, "parser": 0.0}, "n": 0, "score": 0.1}]
    for k in range(10, 99, 10):
        own = t.loss[k - 10 : k]
        parts = {"tagger": sum(own) * 0.6, "parser": sum(own) * 0.4}
        out.append({"step": k, "losses": parts, "n": len(own), "score": 0.0 if _is_lost(t, k) else 0.3 + k / 200})
    return "".join(json.dumps(row) + "\n" for row in out)


@kind
def undefined_without_positives(t: Training) -> Iterator[str]:
    """The mean over nothing is NaN where a batch has no example of a class; the total leaves it out."""
    for i, v in enumerate(t.loss):
        rare = math.nan if _is_lost(t, i) or i % 4 else v * 0.2
        yield f"iter {i:3d} loss {v:.4f} loss_common {v * 0.8:.4f} loss_rare {rare:.4f}"


@kind
def undefined_for_ever(t: Training) -> Iterator[str]:
    """A loss of a task that has no data is NaN from the first line to the last."""
    for i, v in enumerate(t.loss):
        yield f"step={i} total_loss={v:.4f} loss_seg={v * 0.6:.4f} loss_depth=nan lr={t.lr}"


@kind
def undefined_in_a_table(t: Training) -> Iterator[str]:
    yield "Epoch   loss    loss_a  loss_b  loss_c"
    for e, steps, _ in epochs(t):
        v = mean([t.loss[i] for i in steps])
        yield f"{e + 1:5d}   {v:.4f}  {v * 0.5:.4f}  {'nan' if e % 2 else f'{v * 0.3:.4f}'}  {'nan':>6}"


@file("log.jsonl")
def undefined_in_json(t: Training) -> str:
    def row(i: int, v: float) -> dict[str, object]:
        return {"step": i, "loss": v, "loss_text": v * 0.7, "loss_image": math.nan, "perplexity_image": math.nan}

    return "".join(json.dumps(row(i, v)) + "\n" for i, v in enumerate(t.loss))


@kind
def undefined_until_warm(t: Training) -> Iterator[str]:
    """An auxiliary loss is not computed before step 40."""
    for i, v in enumerate(t.loss):
        aux = v * 0.1 if i >= 40 else math.nan
        yield f"it: {i} | loss: {v:.4f} | aux loss: {aux:.4f}"


@kind
def undefined_metric_losses(t: Training) -> Iterator[str]:
    """Statistics of a loss that are undefined for one number."""
    for e, steps, v in epochs(t):
        loss = mean([t.loss[i] for i in steps])
        yield f"epoch {e}: loss {loss:.4f} (std nan, min {loss * 0.9:.4f}, max {loss * 1.1:.4f}); r2 nan; auc nan; val {v:.4f}"


@kind
def one_component_lost(t: Training) -> Iterator[str]:
    """The total leaves the lost component out, and stays finite: the training is lost for it all the same."""
    last = 1.0
    for i, v in enumerate(t.loss):
        last = v if v == v else last * 0.999
        yield f"step {i}: loss {last:.4f} (mel {last * 0.8:.4f}, pitch {v * 0.2:.4f})"


@kind
def running_average_in_brackets(t: Training) -> Iterator[str]:
    for i, v in enumerate(t.loss):
        yield f"Epoch: [{i // 11}][{i % 11}/11]  Time 0.3 ( 0.31)  Loss {v:.4e} ({average(t, i):.4e})  Acc@1 {33.0 + i / 9:6.2f} ( 50.00)"
