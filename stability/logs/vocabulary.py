"""What the words in a log mean: which numbers they name, and of which part of the data these are."""

from __future__ import annotations

import functools
import re
from enum import StrEnum
from typing import NamedTuple

from stability.judging.signals import direction, is_loss
from stability.records import Direction


class Sort(StrEnum):
    """What a name says of its number."""

    STEP = "step"
    EPOCH = "epoch"
    LR = "lr"
    GRAD_NORM = "grad_norm"
    GRAD_SCALE = "grad_scale"
    LOSS = "loss"  # it says so
    TERM = "term"  # the usual name of a part of a loss
    ERROR = "error"  # falls with a loss: an error, a perplexity
    PART = "part"  # "train", "valid": a number of that part of the data, and no more is said
    METRIC = "metric"  # may be undefined
    BESIDE = "beside"  # times, sizes, counts, weights, the best so far
    UNKNOWN = "unknown"


LOSSES = (Sort.LOSS, Sort.TERM, Sort.ERROR, Sort.PART)
_EVALUATE = {
    "val", "valid", "validation", "validate", "validating", "eval", "evaluation", "evaluate",
    "evaluating", "dev", "held", "test", "testing", "cv", "holdout", "heldout", "vali", "valset", "evals",
    "validset",
}  # fmt: skip
_TRAIN = {"train", "training", "trn", "tr", "learn", "trainset"}
_GENERIC = {
    "loss", "losses", "avg", "average", "mean", "raw", "total", "running", "current", "cur", "value",
    "batch", "the", "step", "epoch", "iter", "iteration", "this", "last", "latest", "smoothed",
    "overall", "sum", "model", "of", "at", "in", "all", "metric", "metrics", "scalar", "scalars",
    "summary", "per", "avr", "med", "median", "global", "final", "mini", "minibatch", "interval",
}  # fmt: skip
_AVERAGES = {
    "avg", "average", "mean", "running", "smoothed", "smooth", "ema", "median", "med", "moving",
    "cumulative", "epoch", "avr", "averaged", "global",
}  # fmt: skip
_STEPS = {
    "step", "steps", "iter", "iters", "iteration", "iterations", "it", "itr", "update", "updates",
    "nupdates", "timesteps", "tick", "ticks", "batch", "batches", "minibatch", "globalstep", "niter",
    "upd", "up", "round", "rounds", "row", "unnamed", "index", "tree", "kimg", "nimg", "i", "n",
    "sweep", "s",
}  # fmt: skip
_EPOCHS = {"epoch", "epochs", "ep", "e", "epoc"}
_OF_COUNTERS = {
    "global", "total", "trainer", "train", "training", "current", "cur", "num", "n", "optim", "opt",
    "optimizer", "gradient", "model", "at", "in", "the", "g", "number", "of", "finished", "completed",
    "done", "after", "local",
}  # fmt: skip
_COUNTS = {
    "samples", "tokens", "examples", "images", "seen", "consumed", "frames", "episodes", "episode",
    "sentences", "words", "points", "games", "kimg", "params", "parameters",
}  # fmt: skip
_TERMS = {
    "mel", "kl", "kld", "stop", "gate", "mle", "dur", "duration", "nll", "ce", "bce", "mse", "l1",
    "gen", "disc", "fm", "adv", "attn", "attention", "guided", "postnet", "cost", "objective",
    "reconstruction", "recon", "pitch", "energy", "align", "alignment", "feature", "generator",
    "discriminator", "xent", "elbo", "vlb", "commit", "ctc", "crossentropy", "vq", "criterion",
    "huber", "smoothl1", "rec", "recons", "contrastive", "distill", "loglik", "nlogp", "likelihood",
}  # fmt: skip
_BLENDS = {
    "hinge", "cross", "entropy", "negative", "log", "likelihood", "smooth", "style", "content",
    "perceptual", "lpips",
}  # fmt: skip
_ERRORS = {
    "rmse", "mae", "mape", "rmsle", "merror", "error", "err", "deviance", "ppl", "perplexity", "bpc",
    "bpd", "bits", "errors", "msle", "poisson", "gamma", "l2", "smape", "misfit", "residual", "energy",
    "fid", "wer", "cer",
}  # fmt: skip
_BESIDE = {
    "best", "min", "max", "minimum", "maximum", "lowest", "prev", "previous", "target", "threshold",
    "patience", "clip", "limit", "scale", "weight", "weights", "coef", "coeff", "coefficient",
    "lambda", "factor", "time", "eta", "elapsed", "mem", "memory", "size", "seed", "rank", "worker",
    "gpu", "cuda", "device", "version", "port", "pid", "decay", "momentum", "warmup", "dropout",
    "skipped", "nan", "inf", "remaining", "std", "var", "from", "ratio", "temp", "delta", "id", "num",
    "width", "height", "dim", "layers", "heads", "world", "improved", "line", "node", "local", "sec",
    "secs", "seconds", "ms", "speed", "throughput", "util", "data", "wait", "wall", "clock", "runtime",
    "wps", "ups", "wpb", "bsz", "elasped",
}  # fmt: skip
_METRICS = {
    "ap", "map", "ar", "auc", "auroc", "acc", "accuracy", "precision", "recall", "iou", "miou", "dice",
    "corr", "r", "correlation", "pearson", "spearman", "kappa", "mcc", "psnr", "ssim", "bleu", "rouge",
    "metric", "score", "rank", "reward", "return", "rew", "success", "win", "len", "length", "top",
    "hit", "specificity", "sensitivity", "p", "explained", "variance", "explainedvariance", "cosine",
    "snr", "pesq", "stoi", "mos", "rate", "jaccard", "class",
}  # fmt: skip
_BEFORE_PLACES = {"at", "after", "in", "for", "on", "of"}
_RATES = {"lr", "lrs", "learningrate"}
_NORMS = {"gnorm", "gradnorm", "gn"}
TIME_UNITS = {
    "ms", "s", "sec", "secs", "second", "seconds", "min", "mins", "minutes", "h", "hr", "hrs", "hours",
    "us", "µs", "d", "days",
}  # fmt: skip
UNITS = TIME_UNITS | {
    "gb", "mb", "kb", "gib", "mib", "it/s", "s/it", "samples/s", "tokens/s", "tok/s", "img/s",
    "images/s", "steps/s", "examples/s", "batch/s", "samples/sec", "tokens/sec", "sentences/s", "fps",
    "hz", "%", "tflops", "mfu", "w", "examples/sec", "ex/s", "iters/sec",
}  # fmt: skip
_IN_ENGLISH = {
    "loss": "verlust perte pérdida perdida perda perdita потери потеря лосс 损失 損失 손실 代价",
    "step": "schritt étape paso passo шаг 步数 步 ステップ 단계 스텝",
    "iteration": "itération iteración iteração iterazione iterationen итерация 迭代 反復 반복",
    "epoch": "epoche époque época epoca эпоха 轮次 轮 周期 エポック 에폭 에포크",
    "lr": "lernrate 学习率 學習率 学習率 학습률",
    "train": "trainings entraînement entrenamiento treino обучение 训练 訓練 訓練 학습 훈련",
    "val": "validierung validación validação валидация 验证 驗證 检验 検証 검증",
    "test": "测试 測試 テスト 테스트",
    "error": "fehler erreur ошибка 误差 誤差 오차",
    "accuracy": "genauigkeit précision точность 准确率 精度 정확도",
    "time": "zeit dauer temps tiempo время 用时 耗时 时间 時間 시간",
    "mean": "mittel moyenne media средняя средние 平均 평균",
    "total": "gesamt totale 总 總 합계",
    "gradient": "градиент 梯度 勾配",
    "norm": "范数 норма",
}
"""The same words in other languages; those that are written without blanks stand within longer ones."""
_ENGLISH = {word: english for english, words in _IN_ENGLISH.items() for word in words.split()}
_WITHOUT_BLANKS = re.compile(
    "|".join(sorted((w for w in _ENGLISH if w[0] > "\u3000"), key=len, reverse=True))
)
_RAISED = re.compile(r"\w(?:Error|Exception|Warning)\b")
_PIECES = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[A-Z]|\d+")


class Meaning(NamedTuple):
    """What a name says; `ours` is what we call a loss of that name, `is_average` that it is of many steps."""

    sort: Sort
    ours: str = ""
    is_average: bool = False
    rank: int = 0
    """Among names of one sort the lower goes first."""


@functools.lru_cache(maxsize=8192)
def words_of(name: str) -> tuple[str, ...]:
    """The words of a name in small letters, cut at signs and at changes of case; digits stay."""
    found = []
    if not name.isascii():
        name = _WITHOUT_BLANKS.sub(lambda own: f" {_ENGLISH[own.group()]} ", name)
    for text in re.findall(r"[^\W_]+", name):
        pieces = [text] if text.islower() or text.isupper() else _PIECES.findall(text) or [text]
        found += [_ENGLISH.get(lower := piece.lower(), lower) for piece in pieces]
    return tuple(found)


def canonical(name: str) -> str:
    """The name by which two spellings are the same: `Gen Loss`, `gen_loss` and `GenLoss`."""
    if name.startswith("~"):
        return name
    return " ".join(words_of(name))


@functools.lru_cache(maxsize=8192)
def split_of(word: str) -> str:
    """Of which part of the data a single word says that it speaks: "train", "evaluate", or "" for none."""
    if word.endswith((".py", ".pt", ".ckpt", ".pth", ".json", ".yaml")):
        return ""
    pieces = set(words_of(word))
    return "evaluate" if _EVALUATE & pieces else "train" if _TRAIN & pieces else ""


def speaks(name: str) -> bool:
    """Whether a number may follow this name with nothing but a blank between them."""
    return meaning(name).sort not in (Sort.UNKNOWN, Sort.BESIDE, Sort.PART)


def place_behind(words: list[str]) -> int:
    """Of `loss at step`, where the place begins; 0 where there is none, or nothing before it."""
    last = words[-1].lower()
    if len(words) > 2 and last in ("last", "past", "previous") and words[-2].lower() in ("over", "of", "in"):
        return len(words) - 1
    if len(words) > 3 and [word.lower() for word in words[-3:-1]] in (
        ["over", "the"],
        ["of", "the"],
        ["for", "the"],
    ):
        return len(words) - 1 if last in ("last", "past", "previous") else 0
    if len(words) > 2 and words[-2].lower() in _BEFORE_PLACES and last in _STEPS | _EPOCHS:
        return len(words) - 1
    return 0


@functools.lru_cache(maxsize=8192)
def meaning(name: str) -> Meaning:
    """What a number is that is called `name`."""
    words = words_of(name)
    if name.startswith("~") or _RAISED.search(name):
        return Meaning(Sort.UNKNOWN)
    own = _before_place([word for word in words if word not in _EVALUATE | _TRAIN])
    if not own:
        return Meaning(Sort.PART, "loss") if words else Meaning(Sort.UNKNOWN)
    if (place := _place(own)) is not None:
        return place
    if _is_rate(own):
        is_other = len(own) > 1 and own not in (["learning", "rate"], ["current", "lr"])
        return Meaning(Sort.LR, rank=int(is_other) + ("min" in own or "max" in own))
    if _is_norm(own):
        return Meaning(Sort.GRAD_NORM, rank=len(own))
    return _quantity(own)


def _before_place(own: list[str]) -> list[str]:
    """What a number is without its place: the loss, of `loss on held-out data` and `loss for final step`."""
    for i, word in enumerate(own):
        is_time = word in ("for", "at") and not (_STEPS | _EPOCHS).isdisjoint(own[i:])
        if word in ("on", "over", "across") or is_time:
            return own[:i] if {"loss", "losses", "error"} & set(own[:i]) else own
    return own


def _place(own: list[str]) -> Meaning | None:
    bare = [word for word in own if word not in _OF_COUNTERS] or own[-1:]
    if len(bare) == 1 and bare[0] in _STEPS:
        worth = 0 if {"global", "updates", "timesteps", "globalstep", "iteration"} & set(own) else 1
        return Meaning(
            Sort.STEP,
            rank=worth
            + 2 * (bare[0] in ("batch", "batches", "minibatch", "i", "n", "s", "row", "unnamed", "index")),
        )
    if len(bare) == 1 and bare[0] in _EPOCHS:
        return Meaning(Sort.EPOCH)
    return None


def _is_rate(own: list[str]) -> bool:
    joined = "".join(own)
    if {"scale", "mult", "decay", "factor", "weight", "scheduler"} & set(own):
        return False
    return bool(_RATES & set(own)) or "learningrate" in joined or joined == "rate"


def _is_norm(own: list[str]) -> bool:
    joined = "".join(own)
    if "loss" in own or {"max", "clip", "threshold", "limit"} & set(own):
        return False
    return bool(_NORMS & set(own)) or (
        "grad" in joined and ("norm" in joined or own in (["grad"], ["gradient"]))
    )


def _quantity(own: list[str]) -> Meaning:
    rest = tuple(word for word in own if word not in _GENERIC and not word.isdigit())
    says = own[-1].endswith(("loss", "losses")) or any(
        w.endswith(("loss", "losses")) or w in ("lossmean",) for w in own
    )
    average = bool(_AVERAGES & set(own)) or "epoch" in own
    if {"scale", "scaler"} & set(own[-2:]) and (
        {"loss", "grad", "amp", "scaler"} & set(own) or own == ["scale"]
    ):
        return Meaning(Sort.GRAD_SCALE)
    if {"is", "was", "are", "not", "no", "detected", "too", "became", "exceeds", "exceeded"} & set(own):
        return Meaning(Sort.UNKNOWN)
    if says and not _beside(own) and own[-1] not in _ERRORS | _METRICS:
        return Meaning(Sort.LOSS, _ours(rest, own), average)
    if _METRICS & set(own) or direction("_".join(own), {}) is Direction.UP:
        return Meaning(Sort.METRIC)
    if _COUNTS & set(own) or _beside(own) or not is_loss("_".join(own), {}):
        return Meaning(Sort.BESIDE)
    if rest and (
        set(rest) <= _TERMS | _BLENDS | {"total"} and set(rest) & (_TERMS | {"entropy", "likelihood"})
    ):
        return Meaning(Sort.TERM, "_".join(rest), average)
    if not rest and "total" in own:
        return Meaning(Sort.TERM, "total", average)
    if _ERRORS & set(own):
        return Meaning(Sort.ERROR, "_".join(rest), average)
    return Meaning(Sort.UNKNOWN, "_".join(rest) or "_".join(own), average)


def _beside(own: list[str]) -> bool:
    """Whether the last word, or the first, changes what the others mean: a weight of a loss."""
    return (
        own[-1] in _BESIDE
        or own[0] in ("best", "min", "max", "prev", "previous", "lowest", "target", "initial")
        or "weight" in own[-2:]
    )


def _ours(rest: tuple[str, ...], own: list[str]) -> str:
    """What a loss is called here: its own words, with `loss` where these alone would name something else."""
    bare = [word.removesuffix("losses").removesuffix("loss") or word for word in rest]
    if not rest:
        return "total"
    short = "_".join(bare)
    return short if _names_a_loss(short) else f"{short}_loss"


def _names_a_loss(short: str) -> bool:
    return is_loss(short, {}) and short not in (
        "step",
        "epoch",
        "lr",
        "grad_norm",
        "weight_norm",
        "grad_scale",
        "total",
    )
