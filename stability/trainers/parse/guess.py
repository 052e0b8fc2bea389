"""What the names and lines of a log mean, guessed from how programs usually write them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

STEPS = {"step", "global_step", "_step", "iteration", "iter", "iterations", "global step"}
EPOCHS = {"epoch", "epochs"}
RATES = {"lr", "learning_rate", "current_lr"}
NORMS = {"grad_norm", "gradient_norm", "gnorm"}
EVALUATION = {"val", "valid", "validation", "eval", "evaluation", "dev", "test"}
PLACES = {"step", "epoch", "lr", "grad_norm", "total"}
BESIDE = {"train", "training", "loss", "losses", "avg", "raw", "step", "epoch"} | EVALUATION
COMPONENTS = {
    "mel", "kl", "kld", "stop", "gate", "mle", "dur", "duration", "nll", "ce", "bce", "mse", "l1", "gen",
    "disc", "fm", "adv", "attn", "attention", "guided", "postnet", "total", "cost", "objective",
    "reconstruction", "recon", "pitch", "energy", "align", "alignment", "feature", "generator",
    "discriminator",
}  # fmt: skip
NUMBER = r"[-+]?(?:\d[\d.]*(?:e[-+]?\d+)?|nan|inf(?:inity)?)"
_PAIR = re.compile(
    rf"(?P<name>[A-Za-z_][\w/.-]*)['\"]?\s*[=:]\s*['\"(]?(?:tensor\()?(?P<number>{NUMBER})\b", re.IGNORECASE
)
_PLACE = r"(?<![\w/.-])(?i:{word})\W{{1,4}}(?P<{ours}>\d[\d.]*)"
_WORDS = {"step": r"global[_ ]step|steps?|iter(?:ation)?s?", "epoch": "epochs?"}


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

    A line whose first word speaks of evaluation is one. Raises `ValueError` where nothing looks like a loss.
    """
    found: dict[str, dict[str, str]] = {"train": {}, "evaluate": {}}
    counts = Counter(match["name"] for line in lines for match in _PAIR.finditer(line))
    for name, _ in sorted(counts.items(), key=lambda item: -item[1]):
        known = meaning(name)
        if known is not None and known.ours not in _WORDS:
            found["evaluate" if known.is_evaluation else "train"].setdefault(known.ours, name)
    evaluated = [line for line in lines if _speaks_of_evaluation(line)]
    shared = {
        ours
        for ours, name in found["train"].items()
        if any(_expression(ours, name)[1](line) for line in evaluated)
    }
    settled = _settled(found)
    result = {
        kind: [_expression(ours, name)[0] for ours, name in names.items()] for kind, names in settled.items()
    }
    if shared and not settled["evaluate"]:
        opening = r"^\W*(?i:{})\b.*".format("|".join(sorted(EVALUATION)))
        own = [(ours, name) for ours, name in settled["train"].items() if ours in shared or ours == "loss"]
        result["evaluate"] = [opening + _expression(ours, name)[0] for ours, name in own]
        result["train"] = [
            rf"^(?!\W*(?i:{'|'.join(sorted(EVALUATION))})\b).*?" + text for text in result["train"]
        ]
    places = [_PLACE.format(word=word, ours=ours) for ours, word in _WORDS.items()]
    result["train"] = [place for place in places if any(re.search(place, line) for line in lines)] + result[
        "train"
    ]
    return {kind: texts for kind, texts in result.items() if texts}


def components_of(expressions: Iterable[str]) -> list[str]:
    """The loss components that regular expressions name."""
    named = {name for text in expressions for name in re.compile(text).groupindex}
    return sorted(named - PLACES)


def _expression(ours: str, name: str):
    text = rf"(?<![\w/.-]){re.escape(name)}['\"]?\s*[=:]\s*['\"]?(?P<{ours}>[^\s,'\"|]+)"
    return text, re.compile(text).search


def _speaks_of_evaluation(line: str) -> bool:
    word = re.match(r"\W*([A-Za-z]+)", line)
    return word is not None and word[1].lower() in EVALUATION


def _settled(found: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    """With `loss` for a total that stands alone; what is evaluated is what is trained."""
    for names in found.values():
        if not names.keys() - PLACES and "total" in names:
            names["loss"] = names.pop("total")
    components = found["train"].keys() - PLACES
    if not components:
        raise ValueError("nothing in it looks like a training loss")
    found["evaluate"] = {ours: name for ours, name in found["evaluate"].items() if ours in components}
    return found
