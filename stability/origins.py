"""Where a number broke, in the words of the one whose program it is. Pure: nothing is traced or read here."""

from __future__ import annotations

from collections.abc import Iterator

from stability.records import InputRange, Phase, Provenance

ALL_FINITE = "every loss, gradient, weight and number of the optimizer's state ended finite"
POWERS = ("pow", "float_power")
GUARDS = {
    ("log", "log2", "log10"): (
        "clamp its input from below, log(x.clamp(min=1e-6)), or add a small number to it"
    ),
    ("sqrt", "rsqrt"): "add a small number under the root, sqrt(x + 1e-8): its slope has no end at 0",
    ("div", "reciprocal", "true_divide"): "add a small number to the divisor, or clamp it away from 0",
    ("exp", "exp2", "expm1", "sinh", "cosh"): (
        "clamp its input from above, or stay with logarithms (logsumexp)"
    ),
    POWERS: "clamp the base away from 0, and from what is negative",
    ("acos", "asin", "atanh", "acosh"): "clamp its input inside its range, x.clamp(-1 + 1e-6, 1 - 1e-6)",
    ("atan2",): "keep its two inputs from being 0 together: add a small number to the second where both are",
    ("norm", "linalg_vector_norm", "_euclidean_dist", "_cdist_forward"): (
        "take the root of the sum of squares plus a small number: a norm has no slope at 0"
    ),
    ("std", "var", "std_mean", "var_mean"): (
        "take it of two numbers at least (correction=0 of one), and add a small number before its root"
    ),
    ("_softmax", "_log_softmax", "logsumexp", "_safe_softmax"): (
        "leave out rows that are masked everywhere, or let them see one place"
    ),
    ("mean", "nanmean"): "skip the term where nothing was selected: a mean of no numbers is NaN",
    ("_to_copy", "copy_"): "keep numbers of that size in float32 or bfloat16",
    ("mm", "addmm", "bmm", "baddbmm", "mv", "convolution"): (
        "look at what made its inputs that large; in half precision, scale them down or use bfloat16"
    ),
}
"""What usually keeps an operation from breaking, by its name in aten."""
WHERE = "a torch.where behind it guards its value, not its slope"


def sentence(found: Provenance | None) -> str:
    """One line on what `trace` found: the operation, what it worked on, what it gave, and where."""
    if found is None:
        return ALL_FINITE
    if found.file is None:
        return event(found)
    return f"{event(found)}, at {found.file}:{found.line}{_circumstances(found)}"


def event(found: Provenance) -> str:
    """What happened, without the file: `backward of log (line 37): its input was 1e-40 in element 3`."""
    if found.phase is Phase.EXTERNAL:
        reader = f", first read by {found.op}" if found.op else ""
        named = f" ({found.setting})" if found.setting else ""
        return f"{found.phase}: {found.value} arrived in {found.source}{named}{reader}"
    if found.setting is not None:
        return f"{found.phase}: {found.setting}, from which {found.op} made {found.value}"
    numbers = _numbers(found)
    if found.phase is Phase.BACKWARD and found.backward_of is not None:
        line = "" if found.line is None else f" (line {found.line})"
        worked_on = f": {numbers}" if numbers else ""
        return f"backward of {found.backward_of.rstrip('_')}{line}{worked_on}; {found.op} gave {found.value}"
    return f"{found.phase}: {found.op} gave {found.value}" + (f"; {numbers}" if numbers else "")


def ranges(found: Provenance) -> str:
    """The sizes of what the operation worked on: `self 1e-40 to 2.1, other 1 to 1`; empty if not known."""
    known = [each for each in found.inputs if each.smallest is not None and each.largest is not None]
    return ", ".join(f"{each.name} {each.smallest:.4g} to {each.largest:.4g}" for each in known)


def guard(found: Provenance) -> str | None:
    """What usually guards the operation, or that whose slope broke; None where nothing usually does."""
    if found.phase is Phase.EXTERNAL or found.setting is not None or found.op is None:
        return None
    name = (found.backward_of or found.op.split(".")[1]).rstrip("_")
    advice = next((text for names, text in GUARDS.items() if name in names), None)
    if advice is None or found.phase is not Phase.BACKWARD:
        return advice
    return f"{advice}; {WHERE}"


def _numbers(found: Provenance) -> str:
    """The numbers at the place that broke, or the sizes of all, or how large they were at most."""
    there = [each for each in found.inputs if each.at is not None]
    element = "" if found.batch_index is None else f" in element {found.batch_index}"
    if len(there) == 1 == len(found.inputs):
        return f"its input was {there[0].at + 0.0:.4g}{element}"
    if there:
        return f"its inputs were {' and '.join(_named(there))}{element}"
    if sizes := ranges(found):
        return f"sizes of its inputs: {sizes}"
    return "" if found.max_abs_input is None else f"its inputs were no larger than {found.max_abs_input:.4g}"


def _named(inputs: list[InputRange]) -> Iterator[str]:
    for each in inputs:
        yield f"{each.at + 0.0:.4g} ({each.name})"


def _circumstances(found: Provenance) -> str:
    parts = [f"in module {found.module}"] if found.module else []
    parts += [f"loss {found.component}"] if found.component else []
    parts += [f"within {found.library_file}:{found.library_line}"] if found.library_file else []
    return f" ({', '.join(parts)})" if parts else ""
