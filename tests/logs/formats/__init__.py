"""Log formats written without a look at what reads them; `FORMATS` holds all, by name."""

from . import detection, speech, vision, voice
from .form import FORMATS, HEALTHY, LOST, Format, Training, training

__all__ = [
    "FORMATS",
    "HEALTHY",
    "LOST",
    "Format",
    "Training",
    "detection",
    "speech",
    "training",
    "vision",
    "voice",
]
