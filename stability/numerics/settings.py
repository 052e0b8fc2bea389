"""What an optimizer really got, as text: its class and the settings of its groups."""

from __future__ import annotations

import torch

OF_THE_IMPLEMENTATION = frozenset(
    {"params", "param_names", "foreach", "fused", "capturable", "differentiable"}
)
"""What says how an update is computed, not which."""
PER_STEP = frozenset({"lr", "initial_lr"})
"""Recorded with every step instead."""


def optimizer_settings(optimizer: torch.optim.Optimizer) -> dict[str, str]:
    """Name -> value, or the values of the groups where they differ; the class stands under `optimizer`."""
    settings = {"optimizer": type(optimizer).__name__}
    groups = optimizer.param_groups
    for name in groups[0].keys() - OF_THE_IMPLEMENTATION - PER_STEP:
        values = list(dict.fromkeys(str(group.get(name)) for group in groups))
        settings[name] = ", ".join(values)
    settings["trained_elements"] = str(sum(w.numel() for group in groups for w in group["params"]))
    return dict(sorted(settings.items()))
