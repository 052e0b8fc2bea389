"""What the names and lines of a log mean, guessed from how programs usually write them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from stability.logs.number_format import DECIMAL_COMMA, has_comma, is_decimal, number
from stability.logs.observation import BESIDE_LOSSES, PLACES, is_component, is_loss
from stability.logs.patterns import components_of

__all__ = ["Meaning", "components_of", "meaning", "of_columns", "of_lines"]

STEPS = {"step", "global_step", "_step", "iteration", "iter", "iterations", "global step"}
EPOCHS = {"epoch", "epochs"}
RATES = {"lr", "learning_rate", "current_lr"}
NORMS = {"grad_norm", "gradient_norm", "gnorm"}
EVALUATION = {"val", "valid", "validation", "eval", "evaluation", "dev", "test"}
BESIDE = {"train", "training", "loss", "losses", "avg", "raw", "step", "epoch"} | EVALUATION
COMPONENTS = {
    "mel", "kl", "kld", "stop", "gate", "mle", "dur", "duration", "nll", "ce", "bce", "mse", "l1", "gen",
    "disc", "fm", "adv", "attn", "attention", "guided", "postnet", "total", "cost", "objective",
    "reconstruction", "recon", "pitch", "energy", "align", "alignment", "feature", "generator",
    "discriminator",
}  # fmt: skip
_OPENING = r"\s*(?:(?:[\w.]+\()?['\"(\[]*)"
NUMBER = r"[-+]?(?:\.?\d[\d.,]*(?:e[-+]?\d+)?|\.?nan|\.?inf(?:inity)?)"
_PAIR = re.compile(
    rf"(?P<name>[A-Za-z_][\w/.-]*)['\"]?(?P<sign>\s*[=:]|\s){_OPENING}(?P<number>{NUMBER})(?![\w])",
    re.IGNORECASE,
)
VALUE = r"(?:[^\s,;|'\"\])}]|,(?=\d))+"
"""A number's text. It ends at no comma with a digit behind it: what stands before would be another number."""
_BEFORE = r"(?<![\w/.-])"
_EVALUATED = rf"{_BEFORE}(?i:{'|'.join(sorted(EVALUATION))})(?![\w/.-])"
_PLACE = r"{before}(?i:{word})\W{{1,4}}(?P<{ours}>\d+(?:[.,]\d+)*)"
_WORDS = {"step": r"global[_ ]step|steps?|iter(?:ation)?s?", "epoch": "epochs?"}
_BAR = r"(?<![\d/])(?P<step>\d+)/\d+\s*[\[\u2501]"
"""Where a bar of tqdm or Keras is: `| 33/100 [`, `33/100 [===`, `33/100 ━━`."""
UNKNOWN_EPOCH = r"(?i)\bepoch\W{1,4}(?P<epoch>\d+)"
UNKNOWN_LOSS = (
    rf"(?i)(?:{_BAR}.*?)?\bloss['\"]?"
    rf"(?:\s*[=:]\s*['\"(\[]*|\s+(?=[-+.]*(?:\d|nan\b|inf)))(?P<loss>{VALUE})"
)
"""A loss, and the place of the bar before it, in a log of which nothing is known."""


class Meaning(NamedTuple):
    """Our name for a number, and whether it is of an evaluation."""

    ours: str
    is_evaluation: bool = False


def meaning(name: str) -> Meaning | None:
    """What a column, a tag or a word before a number means; None for what is no place, scalar or loss."""
    lower = name.lower().strip()
    last = lower.rpartition("/")[2]
    for words, ours in ((STEPS, "step"), (EPOCHS, "epoch"), (RATES, "lr"), (NORMS, "grad_norm")):
        if lower in words or last in words:
            return Meaning(ours)
    tokens = [token for token in re.split(r"[/_.\-\s]+", lower) if token]
    rest = [token for token in tokens if token not in BESIDE]
    if not {"loss", "losses"} & set(tokens) and not (rest and set(rest) <= COMPONENTS):
        return None
    return Meaning("_".join(rest) or "total", bool(EVALUATION & set(tokens)))


def of_columns(names: Iterable[str]) -> dict[str, dict[str, str]]:
    """`train` and `evaluate`, as a table's source in a study file has them: our name -> the column's.

    Where a total is the only loss it is the component `loss`. The first of several columns with one meaning
    counts, and those of whole epochs last. Raises `ValueError` where nothing looks like a loss.
    """
    found: dict[str, dict[str, str]] = {"train": {}, "evaluate": {}}
    for name in sorted(names, key=lambda name: name.endswith(("_epoch", "__MIN", "__MAX"))):
        known = meaning(name)
        if known is not None:
            found["evaluate" if known.is_evaluation else "train"].setdefault(known.ours, name)
    return _settled(found)


def of_lines(lines: Sequence[str]) -> dict[str, list[str]]:
    """`train` and `evaluate`, as a text's source in a study file has them: regular expressions.

    What follows a word such as `validation` in its line is of an evaluation. Raises `ValueError` where
    nothing looks like a loss, and for numbers whose commas may mean this or that.
    """
    settled = _settled(_named(lines))
    losses = [name for ours, name in settled["train"].items() if is_loss(ours)]
    loss = re.compile("|".join(map(_expression, losses)))
    with_loss = [line for line in lines if loss.search(line)]
    evaluated = [line for line in with_loss if re.search(rf"{_EVALUATED}.*?(?:{loss.pattern})", line)]
    comma = _decimal_comma(lines)
    result = {
        kind: [_expression(name, ours) + comma for ours, name in names.items()]
        for kind, names in settled.items()
    }
    if evaluated and len(evaluated) < len(with_loss):
        if not settled["evaluate"]:
            names = {ours: name for ours, name in settled["train"].items() if is_loss(ours)}
            result["evaluate"] = [
                rf"{_EVALUATED}.*?{_expression(name, ours)}{comma}"
                for ours, name in names.items()
                if any(re.search(_expression(name), line) for line in evaluated)
            ]
        result["train"] = [rf"^(?:(?!{_EVALUATED}).)*?{text}" for text in result["train"]]
    result["train"] = _places(lines, with_loss, losses) + result["train"]
    return {kind: texts for kind, texts in result.items() if texts}


def _named(lines: Sequence[str]) -> dict[str, dict[str, str]]:
    """Our names -> those in the lines; of several for one the most frequent."""
    found: dict[str, dict[str, str]] = {"train": {}, "evaluate": {}}
    counts = Counter(match["name"] for match in _pairs(lines))
    for name, _ in sorted(counts.items(), key=lambda item: -item[1]):
        known = meaning(name)
        if known is not None and known.ours not in PLACES:
            found["evaluate" if known.is_evaluation else "train"].setdefault(known.ours, name)
    return found


def _pairs(lines: Iterable[str]) -> Iterator[re.Match[str]]:
    """Names with numbers behind them. A space alone stands between them only where the name says enough."""
    for line in lines:
        for match in _PAIR.finditer(line):
            if match["sign"].strip() or _speaks(match["name"]):
                yield match


def _speaks(name: str) -> bool:
    """Whether a name says without a sign behind it that a number follows."""
    known = meaning(name)
    return known is not None and ("loss" in name.lower() or known.ours in BESIDE_LOSSES)


def _expression(name: str, ours: str | None = None) -> str:
    """Finds `name` and its number, in a group of our name if there is one."""
    sign = r"(?:\s*[=:]|\s)" if _speaks(name) else r"\s*[=:]"
    number = f"(?P<{ours}>{VALUE})" if ours else VALUE
    return rf"{_BEFORE}{re.escape(name)}['\"]?{sign}\s*['\"(\[]*{number}"


def _places(lines: Sequence[str], with_loss: Sequence[str], names: Sequence[str]) -> list[str]:
    """Expressions for steps and epochs.

    A step stands beside a loss, since headers have numbers of steps too; where none does, in lines of its own
    if these go on. A bar's place is a step where no other is named.
    """
    loss = rf"(?=.*(?:{'|'.join(map(_expression, names))}))"
    epoch, word = (_PLACE.format(before=_BEFORE, word=_WORDS[ours], ours=ours) for ours in ("epoch", "step"))
    found = [epoch] if any(re.search(epoch, line) for line in lines) else []
    for step in (word, _BAR):
        beside = {match["step"] for line in with_loss if (match := re.search(step, line))}
        if len(beside) > 1 or (beside and step == word):
            return [rf"^{loss}.*?{step}", *found]
    alone = [match["step"] for line in lines if (match := re.search(word, line))]
    return [word, *found] if len(set(alone)) > 1 else found


def _decimal_comma(lines: Sequence[str]) -> str:
    """What marks an expression whose numbers have decimal commas; empty where they have points.

    Raises `ValueError` where a comma may stand before decimals as well as between thousands.
    """
    texts = [
        match["number"].rstrip(".,")
        for match in _pairs(lines)
        if (known := meaning(match["name"])) is not None and known.ours not in PLACES
    ]
    unclear = [text for text in texts if has_comma(text) and number(text) is None]
    if not unclear:
        return ""
    points = [text for text in texts if "." in text]
    certain = [text for text in unclear if number(text, decimal=",") is not None]
    if points or len(certain) < len(unclear) or not any(map(is_decimal, certain)):
        beside = f", and others have points, such as {points[0]!r}" if points else ""
        raise ValueError(
            f"the comma in {unclear[0]!r} may stand before decimals or between thousands{beside}"
        )
    return DECIMAL_COMMA


def _settled(found: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    """With `loss` for a total that stands alone; what is evaluated is what is trained."""
    for names in found.values():
        if "total" in names and not any(map(is_component, names)):
            names["loss"] = names.pop("total")
    components = set(filter(is_component, found["train"]))
    if not components:
        raise ValueError("nothing in it looks like a training loss")
    found["evaluate"] = {ours: name for ours, name in found["evaluate"].items() if ours in components}
    return found
