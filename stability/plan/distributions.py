"""A parameter's range in Optuna's terms."""

from __future__ import annotations

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from stability.params import Param


def distribution(param: Param, *, stepped: bool = True) -> BaseDistribution:
    """The range; without its steps where not `stepped`: an arm may lie between them."""
    if param.choices is not None:
        return CategoricalDistribution(param.choices)
    step = param.step if stepped else None
    if param.kind == "int":
        return IntDistribution(param.low, param.high, log=param.log, step=int(step or 1))
    return FloatDistribution(param.low, param.high, log=param.log, step=step)
