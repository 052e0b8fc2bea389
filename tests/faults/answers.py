"""What of a tracer's answer agrees with the expected one, under the rules that `planted.py` states."""

from __future__ import annotations

from pathlib import Path

from planted import Fault, lies_in

from stability.records import Provenance

PLACE = ("phase", "op", "line")


def mistakes(fault: Fault, found: Provenance | None, device: str = "cpu") -> dict[str, tuple[object, object]]:
    """What `found` has wrong, by name: (expected, found); empty for the expected answer.

    Phase, op, line and batch element must be equal, an expected None of the element included. A component,
    module or source is checked where the catalogue names one.
    """
    if found is None:
        return {"phase": (fault.phase, None)}
    pairs = {
        "phase": (fault.phase, found.phase),
        "op": (fault.op_on(device), found.op),
        "line": (_places(fault), f"{Path(found.file or '').name}:{found.line}"),
        "batch_index": (fault.batch_index, found.batch_index),
        "component": (fault.component, found.component),
        "module": (fault.module, found.module),
        "source": (fault.source, found.source),
    }
    return {name: pair for name, pair in pairs.items() if not _agree(name, *pair)}


def _places(fault: Fault) -> tuple[str, ...]:
    return tuple(f"{fault.file.name}:{line}" for line in fault.lines)


def _agree(name: str, expected, found) -> bool:
    if name == "line":
        return found in expected
    if name in ("phase", "op", "batch_index"):
        return found == expected
    if expected is None:
        return True
    if name == "module":  # a parametrisation's own module lies below the one whose weight it makes
        return lies_in(found, expected) if expected else not found
    if name == "source":
        return expected in (found or "")
    return found == expected
