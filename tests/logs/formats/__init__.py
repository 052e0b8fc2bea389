"""Log formats written without a look at what reads them; `FORMATS` holds all, by name."""

from . import detection, handmade, language, other, speech, text, vision, voice
from .form import FORMATS, HEALTHY, LOST, Format, Training, training

MODULES = (detection, handmade, language, other, speech, text, vision, voice)

__all__ = ["FORMATS", "HEALTHY", "LOST", "MODULES", "Format", "Training", "training"]
