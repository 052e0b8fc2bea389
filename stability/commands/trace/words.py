"""The answer of `stability trace` for a person: a few short lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

WIDTH = 10
SHOWN_LINKS = 6
WAYS = {
    "fork": "the step was run again in a copy of the program",
    "rerun": "the program was run a second time, up to that step",
}


def told(found: Mapping[str, Any]) -> Iterator[str]:
    """The lines that tell an answer."""
    if found["broke"] is None:
        yield f"stability: not observed: {found['reason']}"
    elif not found["broke"]:
        steps = _counted(found["steps"], "step")
        yield f"stability: every loss, gradient and weight that was seen was finite, in {steps}"
    elif found["kind"] == "explosion":
        yield from _explosion(found)
    elif found["phase"] is None:
        yield f"stability: {found['seen']}; where it was born is not known"
        yield _labelled("why", found.get("reason", "no copy of the program could be made before"))
    else:
        yield from _place(found)
    for note in found.get("notes", ()):
        yield _labelled("note", note)


def _explosion(found: Mapping[str, Any]) -> Iterator[str]:
    yield f"stability: the training was lost from step {found['step']} on; every number was finite"
    yield _labelled("seen", found["seen"])
    if found["module"]:
        yield _labelled("grew first", f"the gradient of {found['module']}")


def _place(found: Mapping[str, Any]) -> Iterator[str]:
    rank = f" of rank {found['rank']}" if "rank" in found else ""
    yield f"stability: step {found['step']}{rank}, {found['says']}"
    if found["file"]:
        parts = [f"module {found['module']}"] if found["module"] else []
        parts += [f"loss {found['component']}"] if found["component"] else []
        parts += [f"element {found['batch_index']} of the batch"] if found["batch_index"] is not None else []
        yield _labelled("at", ", ".join([f"{found['file']}:{found['line']}", *parts]))
        if found["source"]:
            yield _labelled("", f"> {found['source']}")
    if found["library_file"]:
        yield _labelled("within", f"{found['library_file']}:{found['library_line']}, which that line called")
    if found["guard"]:
        yield _labelled("guard", found["guard"])
    for number, link in enumerate(found["chain"][1 : SHOWN_LINKS + 1]):
        yield _labelled("" if number else "then", _link(link))
    yield _labelled("seen", found["seen"])
    yield _labelled("how", _how(found))


def _link(link: Mapping[str, Any]) -> str:
    place = f", {link['file']}:{link['line']}" if link["file"] else ""
    return f"{link['op']} gave {link['value']} ({link['phase']}{place})"


def _how(found: Mapping[str, Any]) -> str:
    again = WAYS[found["how"]]
    same = "with equal losses" if found["reproduced"] else f"which differed: {found.get('reason')}"
    return f"{found['how']}: {again}, {same}"


def _labelled(label: str, text: str) -> str:
    return f"  {label:{WIDTH}}{text}"


def _counted(count: int, noun: str) -> str:
    return f"1 {noun}" if count == 1 else f"{count} {noun}s"
