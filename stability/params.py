"""The range of one hyperparameter: what a study file may say of it, and what a value must satisfy.

Reads the native form (`min`, `max`, `log`, `values`) and the W&B sweep form (`distribution`, `q`,
nested `parameters`). No YAML, no Optuna.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Number = int | float
Scalar = bool | int | float | str | None

DISTRIBUTIONS: Mapping[str, frozenset[str]] = {
    "constant": frozenset({"value"}),
    "categorical": frozenset({"values"}),
    "uniform": frozenset({"min", "max"}),
    "int_uniform": frozenset({"min", "max"}),
    "q_uniform": frozenset({"min", "max", "q"}),
    "log_uniform_values": frozenset({"min", "max"}),
}
"""The W&B distributions that have a meaning here, and the keys that go with each.

Source: https://docs.wandb.ai/guides/sweeps/sweep-config-keys
"""


@dataclass(frozen=True, slots=True)
class Param:
    """The range of one hyperparameter: an interval [low, high] or a list of choices."""

    name: str
    kind: Literal["float", "int", "choice", "constant"]
    low: Number | None = None
    high: Number | None = None
    log: bool = False
    step: Number | None = None
    choices: tuple[Scalar, ...] | None = None

    def problem(self, value: Any) -> str | None:
        """Why `value` is not allowed, or None when it is."""
        if self.choices is not None:
            if any(value == choice and type(value) is type(choice) for choice in self.choices):
                return None
            return f"{value!r} is not one of {', '.join(map(_show, self.choices))}"
        wanted = "an integer" if self.kind == "int" else "a number"
        if isinstance(value, bool) or not isinstance(value, int if self.kind == "int" else Number):
            return f"{value!r} is not {wanted}"
        if not self.low <= value <= self.high:
            return f"{value!r} is outside {self.low:g} to {self.high:g}"
        return None

    def at(self, u: float) -> Scalar:
        """The value at quantile `u` in [0, 1): how space-filling designs fill a range."""
        if self.choices is not None:
            return self.choices[int(u * len(self.choices))]
        if self.kind == "int" and not self.log:
            step = int(self.step or 1)
            return int(self.low + step * int(u * ((self.high - self.low) // step + 1)))
        if self.log:
            value = math.exp(math.log(self.low) + u * (math.log(self.high) - math.log(self.low)))
        else:
            value = self.low + u * (self.high - self.low)
        if self.kind == "int":
            return round(value)
        if self.step:
            value = self.low + self.step * round((value - self.low) / self.step)
        return min(max(value, self.low), self.high)


class ParamEntry(BaseModel):
    """One entry under `params`: `value`, `values`, or `min` and `max`."""

    model_config = ConfigDict(extra="forbid", strict=True)

    value: Scalar = None
    values: list[Scalar] | None = Field(default=None, min_length=1)
    min: Number | None = None
    max: Number | None = None
    log: bool = False
    q: Number | None = Field(default=None, gt=0, description="step between values (W&B's q_uniform)")
    distribution: str | None = Field(default=None, description=f"W&B: one of {', '.join(DISTRIBUTIONS)}")
    parameters: dict[str, ParamEntry] | None = Field(default=None, description="W&B: nested parameters")

    @model_validator(mode="after")
    def _is_one_form(self) -> ParamEntry:
        given = self.model_fields_set - {"distribution"}
        forms = [bool(given & form) for form in ({"value"}, {"values"}, {"min", "max"}, {"parameters"})]
        if self.distribution is not None:
            self._check_distribution(given)
        if sum(forms) != 1:
            raise ValueError("give exactly one of `value`, `values`, or `min` with `max`")
        if given & {"min", "max"}:
            self._check_interval()
        elif extra := given & {"log", "q"}:
            raise ValueError(
                f"{' and '.join(sorted(extra))} belongs to a range; give `min` and `max` with it"
            )
        self._check_choices([self.value] if "value" in given else self.values or [])
        return self

    def _check_distribution(self, given: set[str]) -> None:
        if self.distribution not in DISTRIBUTIONS:
            allowed = ", ".join(DISTRIBUTIONS)
            raise ValueError(f"unknown distribution {self.distribution!r}; allowed: {allowed}")
        if extra := given - DISTRIBUTIONS[self.distribution]:
            keys = ", ".join(sorted(DISTRIBUTIONS[self.distribution]))
            raise ValueError(f"{self.distribution} takes {keys}; not {', '.join(sorted(extra))}")
        ends = (self.min, self.max)
        if self.distribution == "int_uniform" and any(isinstance(end, float) for end in ends):
            raise ValueError(f"int_uniform needs integer ends, got {self.min} and {self.max}")
        if self.distribution == "q_uniform" and self.min is not None and self.min % (self.q or 1):
            raise ValueError(
                f"q_uniform draws multiples of q; min {self.min} is no multiple of {self.q or 1}"
            )

    def _check_choices(self, choices: list[Scalar]) -> None:
        """Refuse NaN and infinities, and choices that Python, and so Optuna, cannot tell apart."""
        for i, choice in enumerate(choices):
            if isinstance(choice, float) and not math.isfinite(choice):
                raise ValueError(f"{choice} is no setting; give finite numbers")
            if choice in choices[:i]:
                raise ValueError(f"{_show(choice)} equals an earlier choice; give each once, in one type")

    def _check_interval(self) -> None:
        if self.min is None or self.max is None:
            raise ValueError("give both `min` and `max`")
        if not (math.isfinite(self.min) and math.isfinite(self.max)):
            raise ValueError(f"min {self.min} and max {self.max} must be finite")
        if self.min >= self.max:
            raise ValueError(f"min {self.min} must be below max {self.max}")
        if self.is_log and self.min <= 0:
            raise ValueError(f"a log range needs min above 0, got {self.min}")
        if self.is_log and self.q is not None:
            raise ValueError("a log range has no step; leave out `q`")

    @property
    def is_log(self) -> bool:
        return self.log or "log_uniform" in (self.distribution or "")

    @property
    def is_integer(self) -> bool:
        """W&B's rule: integer ends make an integer range; write 1.0 for a real one."""
        if self.distribution in ("uniform", "log_uniform_values"):
            return False  # named as real, whatever its ends look like
        return all(isinstance(end, int) for end in (self.min, self.max)) and not isinstance(self.q, float)

    def ranges(self, name: str) -> list[Param]:
        """The ranges this entry stands for; nested W&B parameters are joined with dots."""
        if self.parameters is not None:
            return [p for key, entry in self.parameters.items() for p in entry.ranges(f"{name}.{key}")]
        if self.values is not None:
            return [Param(name, "choice", choices=tuple(self.values))]
        if self.min is None:
            return [Param(name, "constant", choices=(self.value,))]
        kind = "int" if self.is_integer else "float"
        step = 1 if self.distribution == "q_uniform" and self.q is None else self.q
        return [Param(name, kind, low=self.min, high=self.max, log=self.is_log, step=step)]


def _show(choice: Scalar) -> str:
    """A choice as a study file writes it."""
    if choice is None:
        return "null"
    return str(choice).lower() if isinstance(choice, bool) else repr(choice)
