"""All planted faults and healthy look-alikes. A new family is one file and one line here."""

from __future__ import annotations

from collections.abc import Iterable

import attention
import audio
import collated
import healthy
import layouts
import machinery
import masks
import normalisation
import optimizers
import poisoned
import precision
import probability
import recurrent
import spectra
import torch
from planted import Fault, Healthy

FAULTS: tuple[Fault, ...] = (
    *probability.FAULTS,
    *attention.FAULTS,
    *spectra.FAULTS,
    *audio.FAULTS,
    *recurrent.FAULTS,
    *normalisation.FAULTS,
    *precision.FAULTS,
    *optimizers.FAULTS,
    *machinery.FAULTS,
    *layouts.FAULTS,
    *collated.FAULTS,
    *poisoned.FAULTS,
)
HEALTHY: tuple[Healthy, ...] = (*masks.HEALTHY, *healthy.HEALTHY)


def on_devices(cases: Iterable[Fault | Healthy]) -> list[tuple[Fault | Healthy, str]]:
    """Each case with each device at hand that has its path."""
    devices = ["cpu"] + ["cuda"] * torch.cuda.is_available()
    return [(case, device) for case in cases for device in devices if device == "cpu" or case.on_cuda]


def label(value: Fault | Healthy | str) -> str:
    """A parameter's name in a test's id."""
    return value if isinstance(value, str) else value.name
