"""Every hyperparameter and model size of the built-in trainee, with its type, range, default and meaning.

One table: the fields of `Hyperparameters`. No torch here, so that study files are checked without it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from stability.records import UserError
from stability.suggest import suggest


@dataclass(frozen=True, slots=True)
class Setting:
    """What one hyperparameter accepts; `kind` is number, integer, toggle or choice.

    `null` says that None is accepted, `toggle` that a number may also be given as true or false.
    """

    kind: str
    meaning: str
    low: float = -math.inf
    high: float = math.inf
    above_low: bool = False
    choices: tuple[str, ...] = ()
    null: bool = False
    toggle: bool = False

    def allowed(self) -> str:
        """The accepted values in words, for error messages and the docs."""
        if self.kind == "choice":
            return ", ".join(self.choices)
        if self.kind == "toggle":
            return "true, false"
        opening = "(" if self.above_low else "["
        noun = "a number" if self.kind == "number" else "an integer"
        words = f"{noun} in {opening}{self.low:g}, {self.high:g}]"
        return words + (", true, false" if self.toggle else "") + (", null" if self.null else "")

    def accepts(self, value: Any) -> bool:
        """Whether `value` has the right type and lies in the range; a bool is never a number."""
        if value is None:
            return self.null
        if isinstance(value, bool):
            return self.kind == "toggle" or self.toggle
        if self.kind == "choice":
            return isinstance(value, str) and value in self.choices
        if self.kind == "toggle" or not isinstance(value, int if self.kind == "integer" else (int, float)):
            return False
        return (self.low < value if self.above_low else self.low <= value) and value <= self.high


def _number(default: float | None, low: float, high: float, meaning: str, **extra: bool) -> Any:
    return field(default=default, metadata={"setting": Setting("number", meaning, low, high, **extra)})


def _integer(default: int | None, low: int, high: int, meaning: str, **extra: bool) -> Any:
    return field(default=default, metadata={"setting": Setting("integer", meaning, low, high, **extra)})


def _toggle(default: bool, meaning: str) -> Any:
    return field(default=default, metadata={"setting": Setting("toggle", meaning)})


def _choice(choices: tuple[str, ...], meaning: str) -> Any:
    """A choice whose default is the first of `choices`."""
    return field(default=choices[0], metadata={"setting": Setting("choice", meaning, choices=choices)})


@dataclass(frozen=True, slots=True)
class Hyperparameters:
    """The settings of one trial; each field's metadata holds its `Setting`."""

    lr: float = _number(1e-3, 0.0, 1e3, "peak learning rate")
    warmup_steps: int = _integer(0, 0, 10**7, "steps of linear warm-up to the peak learning rate")
    schedule: str = _choice(("constant", "cosine", "linear", "inverse_sqrt"), "learning rate after warm-up")
    optimizer: str = _choice(("adamw", "sgd"), "the update rule")
    weight_decay: float = _number(0.01, 0.0, 1e3, "decay of matrices; decoupled for adamw, L2 for sgd")
    momentum: float = _number(0.9, 0.0, 0.999, "momentum of sgd; beta1 of adamw")
    clip: float | None = _number(
        1.0, 0.0, 1e9, "largest global gradient norm; null: off", above_low=True, null=True
    )
    mel_weight: float = _number(1.0, 0.0, 1e6, "coefficient of the mel loss")
    stop_weight: float = _number(1.0, 0.0, 1e6, "coefficient of the stop loss")
    kl_weight: float = _number(0.5, 0.0, 1e6, "coefficient of the KL divergence, once annealed")
    kl_anneal_steps: int = _integer(0, 0, 10**7, "steps over which the KL coefficient rises from 0")
    adaptive: bool = _toggle(False, "learn the loss coefficients (Kendall et al., arXiv 1705.07115)")
    label_smoothing: float = _number(
        0.0, 0.0, 1.0, "smoothing of the stop targets; true: 0.1, false: 0", toggle=True
    )
    huber: bool = _toggle(False, "mel loss: Huber with threshold 1 instead of L1")
    pos_weight: float = _number(
        5.0, 0.0, 1e6, "weight of the last group in the stop loss (arXiv 1809.08895: 5 to 8)", above_low=True
    )
    norm: str = _choice(("pre", "post"), "layer norm before or after each residual branch (arXiv 2002.04745)")
    mel_scale: str = _choice(("normalised", "raw"), "scale of the log-mel that is fed and predicted")
    logvar_clamp: float | None = _number(
        None, 0.0, 1e3, "clamp of the posterior log-variance to [-x, x]; null: off", above_low=True, null=True
    )
    dropout: float = _number(0.1, 0.0, 0.99, "dropout probability, in training only")
    precision: str = _choice(("fp32", "bf16-mixed", "16-mixed"), "precision of the forward and backward pass")
    grad_scaler: bool = _toggle(True, "dynamic loss scaling; acts under 16-mixed only (arXiv 1710.03740)")
    batch_size: int | None = _integer(
        None, 1, 10**6, "utterances a step; null: the budget's batch_size", null=True
    )

    @property
    def smoothing(self) -> float:
        """`label_smoothing` as an amount: true is 0.1 (arXiv 1512.00567)."""
        return 0.1 if self.label_smoothing is True else float(self.label_smoothing)


@dataclass(frozen=True, slots=True)
class Size:
    """The dimensions of one model size: channels, transformer layers each side, and so on."""

    width: int
    layers: int
    heads: int
    feedforward: int
    postnet_layers: int
    latent: int = 16


SETTINGS: Mapping[str, Setting] = {f.name: f.metadata["setting"] for f in fields(Hyperparameters)}

SIZES: Mapping[str, Size] = {
    "tiny": Size(width=64, layers=2, heads=2, feedforward=256, postnet_layers=3),
    "small": Size(width=192, layers=3, heads=4, feedforward=768, postnet_layers=3),
    "normal": Size(width=384, layers=6, heads=6, feedforward=1536, postnet_layers=5),
}


def expected(name: str) -> str:
    """The kind of hyperparameter `name`: number, integer, toggle or choice. Raises UserError if unknown."""
    return setting(name).kind


def setting(name: str) -> Setting:
    """The `Setting` of hyperparameter `name`. Raises UserError, with a suggestion, if there is none."""
    if name not in SETTINGS:
        raise UserError(_unknown("hyperparameter", name, SETTINGS))
    return SETTINGS[name]


def check(params: Mapping[str, Any]) -> None:
    """Raise UserError for the first unknown name, wrong type or value out of range in `params`."""
    for name, value in params.items():
        rule = setting(name)
        if not rule.accepts(value):
            raise UserError(f"{name} = {_written(value)} is not allowed; {name} is {rule.allowed()}")


def from_params(params: Mapping[str, Any]) -> Hyperparameters:
    """The checked hyperparameters of a trial; what `params` does not name keeps its default."""
    check(params)
    return Hyperparameters(**params)


def check_model(model: Mapping[str, Any]) -> Size:
    """The dimensions that `model` ({"size": NAME}, tiny if absent) asks for. Raises UserError if unknown."""
    for key in model:
        if key != "size":
            raise UserError(_unknown("model setting", key, ["size"]))
    size = model.get("size", "tiny")
    if not isinstance(size, str) or size not in SIZES:
        raise UserError(_unknown("model size", size, SIZES))
    return SIZES[size]


def _unknown(noun: str, given: Any, allowed: Iterable[str]) -> str:
    return f"unknown {noun} {_written(given)}{suggest(given, allowed)}"


def _written(value: Any) -> str:
    """`value` as a study file writes it."""
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else repr(value)
