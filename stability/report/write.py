"""Writes a report: twin -> blocks -> one file, replaced whole. The only writer of report files."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from stability.records import UserError
from stability.report import html, markdown
from stability.report.blocks import Block, Figure
from stability.report.sections import compose
from stability.report.twin import Frames, build
from stability.report.words import Words

FORMATS = ("md", "html", "json")


def write(
    spec: Any,
    frames: Frames,
    environment: Mapping[str, Any],
    *,
    format: Literal["md", "html", "json"],
    lang: Literal["en", "fa"],
    out: Path,
) -> Path:
    """Write the report into the folder `out` and return its path.

    `md` also writes `figures/*.png`; `json`, the twin, is the same in every language. Files appear whole or
    not at all. Raises `UserError` for an unknown format or language and for a folder that cannot be written.
    """
    _check(format, lang)
    return write_twin(build(spec, frames, environment), format=format, lang=lang, out=out)


def write_twin(
    twin: dict[str, Any], *, format: Literal["md", "html", "json"], lang: Literal["en", "fa"], out: Path
) -> Path:
    """`write` of a twin that is there already, such as a kept `report.json`."""
    _check(format, lang)
    try:
        return _write(twin, format, lang, out)
    except OSError as error:
        raise UserError(
            f"cannot write the report to {out}: {error.strerror}; choose another folder"
        ) from None


def _check(format: str, lang: str) -> None:
    """Raise `UserError` for an unknown format or language, before anything is computed."""
    if format not in FORMATS:
        raise UserError(f"unknown report format {format!r}; allowed: {', '.join(FORMATS)}")
    Words(lang)


def page(
    spec: Any,
    frames: Frames,
    environment: Mapping[str, Any],
    *,
    format: Literal["html", "json"],
    lang: Literal["en", "fa"],
) -> str:
    """The report as one text: a self-contained HTML page, or the twin."""
    return _page(build(spec, frames, environment), format, lang)


def _page(twin: dict, format: str, lang: str) -> str:
    if format == "json":
        return json.dumps(twin, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    blocks = compose(twin, lang)
    return html.render(blocks, lang, _images(twin, blocks, lang))


def _write(twin: dict, format: str, lang: str, out: Path) -> Path:
    if format == "json":
        return _replace(out / "report.json", _page(twin, format, lang).encode())
    suffix = ".fa" if lang == "fa" else ""
    if format == "html":
        return _replace(out / f"report{suffix}.html", _page(twin, format, lang).encode())
    blocks = compose(twin, lang)
    images = _images(twin, blocks, lang)
    paths = {name: f"figures/{name}{suffix}.png" for name in images}
    for name, png in images.items():
        _replace(out / paths[name], png)
    return _replace(out / f"report{suffix}.md", markdown.render(blocks, lang, paths).encode())


def _images(twin: dict, blocks: list[Block], lang: str) -> dict[str, bytes]:
    from stability.report import figures  # here: matplotlib takes half a second to import

    return {block.name: figures.draw(block.name, twin, lang) for block in blocks if isinstance(block, Figure)}


def _replace(path: Path, content: bytes) -> Path:
    """Write beside `path`, then rename over it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        temporary.chmod(0o644)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return path
