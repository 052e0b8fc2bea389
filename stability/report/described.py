"""Parts of a study in words: corpus, model, trainer, yardstick, ranges, bounds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stability.report.blocks import Code, Inline
from stability.report.numbers import rounded_inward, setting
from stability.report.words import Words


def corpus_name(value: Any, words: Words) -> Inline:
    """The corpus as the study names it."""
    return words.say("not_recorded") if value is None else (Code(setting(value)),)


def model_name(model: Mapping[str, Any], words: Words) -> Inline:
    """The model's settings."""
    if not model:
        return words.say("not_recorded")
    return words.listed([(Code(f"{name}={setting(value)}"),) for name, value in model.items()])


def trainer_name(trainer: Any) -> str:
    """The trainer: a name, a callable or a command."""
    if isinstance(trainer, dict) and "command" in trainer:
        return _command_line(trainer["command"])
    if isinstance(trainer, dict):
        return ", ".join(f"{key}: {trainer_name(value)}" for key, value in trainer.items())
    return " ".join(map(str, trainer)) if isinstance(trainer, list) else str(trainer)


def _command_line(command: list[Any]) -> str:
    """A command's items as one line; what depends on a parameter in brackets."""
    shown = []
    for item in command:
        if isinstance(item, dict):
            parts = [" ".join(map(str, item.get(key) or ())) for key in ("then", "else")]
            shown.append(f"[{item['when']}: {' | '.join(filter(None, parts))}]")
        else:
            shown.append(str(item).lower() if isinstance(item, bool) else str(item))
    return " ".join(shown)


def formula(yardstick: Mapping[str, float]) -> str:
    """The yardstick as a weighted sum."""
    return " + ".join(f"{weight:g}·{name}" for name, weight in yardstick.items())


def range_text(own: Mapping[str, Any]) -> str:
    """The searched range of one parameter."""
    if "choices" in own:
        return "{" + ", ".join(setting(choice) for choice in own["choices"]) + "}"
    return f"{own['low']:g}..{own['high']:g}"


def bound_text(details: Mapping[str, Any], value: float) -> str:
    """`lr <= 0.0048`, rounded to the calm side."""
    rising = details["diverges"] == "above"
    return f"{details['param']} {'<=' if rising else '>='} {rounded_inward(value, down=rising)}"


def distance_text(details: Mapping[str, Any], distance: float, words: Words) -> Inline:
    """A headroom or a price with its unit."""
    key = "decades" if details["log"] else "units"
    return words.say(key, value=words.numbers.significant(distance, 2), param=Code(details["param"]))
