"""Where a number broke, in one sentence for a person. Pure: nothing is traced or read here."""

from __future__ import annotations

from stability.records import Phase, Provenance

ALL_FINITE = "every loss, gradient, weight and number of the optimizer's state ended finite"


def sentence(found: Provenance | None) -> str:
    """One line on what `trace` found: the operation, what it gave, and the line of the program."""
    if found is None:
        return ALL_FINITE
    if found.file is None:
        return event(found)
    return f"{event(found)}, at {found.file}:{found.line}{_circumstances(found)}"


def event(found: Provenance) -> str:
    """What happened, without the place: `backward: aten.div.Tensor gave nan of inputs up to 1`."""
    if found.phase is Phase.EXTERNAL:
        reader = f", first read by {found.op}" if found.op else ""
        named = f" ({found.setting})" if found.setting else ""
        return f"{found.phase}: {found.value} arrived in {found.source}{named}{reader}"
    if found.setting is not None:
        return f"{found.phase}: {found.setting}, from which {found.op} made {found.value}"
    largest = "" if found.max_abs_input is None else f" of inputs up to {found.max_abs_input:.4g}"
    return f"{found.phase}: {found.op} gave {found.value}{largest}"


def _circumstances(found: Provenance) -> str:
    parts = [f"in module {found.module}"] if found.module else []
    parts += [f"loss {found.component}"] if found.component else []
    parts += [f"element {found.batch_index} of the batch"] if found.batch_index is not None else []
    return f" ({', '.join(parts)})" if parts else ""
