"""Config files of a program: which values they hold, and their text with other values in place.

All but the values stays as it is: comments, order and layout. Nothing here knows what a trial is.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from stability.suggest import suggest
from stability.trainers.config_files import json_text, toml_text, yaml_text
from stability.trainers.config_files.span import Span, Spans


class Format(Protocol):
    """How one format is read and written."""

    def spans(self, text: str) -> Spans:
        """Every scalar by its address. Raises `ValueError` for a text that is not of this format."""

    def written(self, value: Any) -> str:
        """A scalar as this format writes it. Raises `ValueError` for one that it cannot hold."""


FORMATS: Mapping[str, Format] = {
    ".json": json_text,
    ".yaml": yaml_text,
    ".yml": yaml_text,
    ".toml": toml_text,
}
"""By the end of a file's name."""


def format_of(path: str) -> Format | None:
    """The format that the end of a file's name says; None for another."""
    return FORMATS.get(Path(path).suffix.lower())


def scalars(text: str, form: Format) -> dict[str, Any]:
    """Every number, text, boolean and null by its whole name: `optimizer.lr`, `layers.0`."""
    return {_name(address): span.value for address, span in form.spans(text).items()}


def with_values(text: str, form: Format, values: Mapping[str, Any]) -> str:
    """The text with these values, by whole names, in place of those it has.

    Raises `ValueError` for a name that is not there, that several have, or that cannot be replaced alone.
    """
    spans = form.spans(text)
    chosen = {_address(name, spans): value for name, value in values.items()}
    new = text
    for address in sorted(chosen, key=lambda own: spans[own].start, reverse=True):
        span = spans[address]
        space = " " if span.start == span.end else ""  # YAML's null may be nothing at all
        new = f"{new[: span.start]}{space}{form.written(chosen[address])}{new[span.end :]}"
    wanted = {address: chosen.get(address, span.value) for address, span in spans.items()}
    found = {address: span.value for address, span in form.spans(new).items()}
    for address in wanted:
        if address not in found or not _same(found[address], wanted[address]):
            name = _name(address)
            raise ValueError(
                f"{name!r} cannot be replaced alone; write each value where it is used, without aliases"
            )
    return new


def _name(address: tuple[str | int, ...]) -> str:
    return ".".join(map(str, address))


def _address(name: str, spans: Mapping[tuple[str | int, ...], Span]) -> tuple[str | int, ...]:
    fits = [address for address in spans if _name(address) == name]
    if not fits:
        known = [_name(address) for address in spans]
        raise ValueError(f"it has no value {name!r}{suggest(name, known)}")
    if len(fits) > 1:
        raise ValueError(
            f"{name!r} may be any of {len(fits)} values; a name with a point in it is not told apart"
        )
    return fits[0]


def _same(found: Any, wanted: Any) -> bool:
    both_nan = (
        isinstance(found, float) and isinstance(wanted, float) and math.isnan(found) and math.isnan(wanted)
    )
    return both_nan or (found == wanted and isinstance(found, bool) == isinstance(wanted, bool))
