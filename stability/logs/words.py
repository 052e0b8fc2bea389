"""The words that logs name their numbers with, by what they say, and how a name is cut into words."""

from __future__ import annotations

import functools
import re

EVALUATE = {
    "val", "valid", "validation", "validate", "validating", "eval", "evaluation", "evaluate",
    "evaluating", "dev", "held", "test", "testing", "cv", "holdout", "heldout", "vali", "valset", "evals",
    "validset",
}  # fmt: skip
TRAIN = {"train", "training", "trn", "tr", "learn", "trainset"}
GENERIC = {
    "loss", "losses", "avg", "average", "mean", "raw", "total", "running", "current", "cur", "value",
    "batch", "the", "step", "epoch", "iter", "iteration", "this", "last", "latest", "smoothed",
    "overall", "sum", "model", "of", "at", "in", "all", "metric", "metrics", "scalar", "scalars",
    "summary", "per", "avr", "med", "median", "global", "final", "mini", "minibatch", "interval",
}  # fmt: skip
AVERAGES = {
    "avg", "average", "mean", "running", "smoothed", "smooth", "ema", "median", "med", "moving",
    "cumulative", "epoch", "avr", "averaged", "global",
}  # fmt: skip
STEPS = {
    "step", "steps", "iter", "iters", "iteration", "iterations", "it", "itr", "update", "updates",
    "nupdates", "timesteps", "tick", "ticks", "batch", "batches", "minibatch", "globalstep", "niter",
    "upd", "up", "round", "rounds", "row", "unnamed", "index", "tree", "kimg", "nimg", "i", "n",
    "sweep", "s",
}  # fmt: skip
EPOCHS = {"epoch", "epochs", "ep", "e", "epoc"}
OF_COUNTERS = {
    "global", "total", "trainer", "train", "training", "current", "cur", "num", "n", "optim", "opt",
    "optimizer", "gradient", "model", "at", "in", "the", "g", "number", "of", "finished", "completed",
    "done", "after", "local",
}  # fmt: skip
COUNTS = {
    "samples", "tokens", "examples", "images", "seen", "consumed", "frames", "episodes", "episode",
    "sentences", "words", "points", "games", "kimg", "params", "parameters",
}  # fmt: skip
TERMS = {
    "mel", "kl", "kld", "stop", "gate", "mle", "dur", "duration", "nll", "ce", "bce", "mse", "l1",
    "gen", "disc", "fm", "adv", "attn", "attention", "guided", "postnet", "cost", "objective",
    "reconstruction", "recon", "pitch", "energy", "align", "alignment", "feature", "generator",
    "discriminator", "xent", "elbo", "vlb", "commit", "ctc", "crossentropy", "vq", "criterion",
    "huber", "smoothl1", "rec", "recons", "contrastive", "distill", "loglik", "nlogp", "likelihood",
}  # fmt: skip
BLENDS = {
    "hinge", "cross", "entropy", "negative", "log", "likelihood", "smooth", "style", "content",
    "perceptual", "lpips",
}  # fmt: skip
ERRORS = {
    "rmse", "mae", "mape", "rmsle", "merror", "error", "err", "deviance", "ppl", "perplexity", "bpc",
    "bpd", "bits", "errors", "msle", "poisson", "gamma", "l2", "smape", "misfit", "residual", "energy",
    "fid", "wer", "cer",
}  # fmt: skip
BESIDE = {
    "best", "min", "max", "minimum", "maximum", "lowest", "prev", "previous", "target", "threshold",
    "patience", "clip", "limit", "scale", "weight", "weights", "coef", "coeff", "coefficient",
    "lambda", "factor", "time", "eta", "elapsed", "mem", "memory", "size", "seed", "rank", "worker",
    "gpu", "cuda", "device", "version", "port", "pid", "decay", "momentum", "warmup", "dropout",
    "skipped", "nan", "inf", "remaining", "std", "var", "from", "ratio", "temp", "delta", "id", "num",
    "width", "height", "dim", "layers", "heads", "world", "improved", "line", "node", "local", "sec",
    "secs", "seconds", "ms", "speed", "throughput", "util", "data", "wait", "wall", "clock", "runtime",
    "wps", "ups", "wpb", "bsz", "elasped",
}  # fmt: skip
METRICS = {
    "ap", "map", "ar", "auc", "auroc", "acc", "accuracy", "precision", "recall", "iou", "miou", "dice",
    "corr", "r", "correlation", "pearson", "spearman", "kappa", "mcc", "psnr", "ssim", "bleu", "rouge",
    "metric", "score", "rank", "reward", "return", "rew", "success", "win", "len", "length", "top",
    "hit", "specificity", "sensitivity", "p", "explained", "variance", "explainedvariance", "cosine",
    "snr", "pesq", "stoi", "mos", "rate", "jaccard", "class",
}  # fmt: skip
BEFORE_PLACES = {"at", "after", "in", "for", "on", "of"}
RATES = {"lr", "lrs", "learningrate"}
NORMS = {"gnorm", "gradnorm", "gn"}
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
_PIECES = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[A-Z]|\d+")


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
