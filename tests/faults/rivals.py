"""What a user has today: `torch.autograd.detect_anomaly`, and forward hooks on every module.

Each rival runs the same step and is judged with the benefit of the doubt. Neither tells a phase, a batch
element or a loss component, so none is asked for.

- `detect_anomaly` is exact if the node it names is the one of the faulty operation and the innermost line of
  the user's code in its forward traceback is the expected one. For a fault in the forward pass, naming that
  operation's backward node at that line is exact; so is naming the first reader of a broken input. The right
  line with another of its operations is "line", which is half an answer.
- Hooks report the first module that finishes with an output that is not finite. A module names no operation
  and no line, so the answer is exact only if the module consists of the faulty operation (`Fault.alone`);
  if the operation ran somewhere in the module it is "module", which is half an answer; else it is wrong.
- Silent: nothing was reported. Whatever either reports of a healthy look-alike is a false alarm.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from pathlib import Path

import torch
from planted import Fault, TrainingStep, lies_in
from torch import nn
from torch.nn.modules import module as modules
from torch.utils._pytree import tree_leaves

from stability.records import Phase

TORCH = str(Path(torch.__file__).parent)
FRAME = re.compile(r'File "([^"]+)", line (\d+)')
FUNCTION = re.compile(r"Function '(\w+)' returned nan")


@dataclass(frozen=True, slots=True)
class Anomaly:
    """The autograd node `detect_anomaly` stopped at, and the user's line that made it."""

    node: str
    file: str | None
    line: int | None

    def judge(self, fault: Fault) -> str:
        if self.file != str(fault.file) or self.line not in fault.lines:
            return "wrong"
        return "exact" if _family(self.node) == _node(fault) else "line"

    def __str__(self) -> str:
        return f"{self.node} {Path(self.file or '?').name}:{self.line}"


@dataclass(frozen=True, slots=True)
class Hooked:
    """The first module whose output was not finite: its path below the outermost one, and its class."""

    path: str
    kind: str

    def judge(self, fault: Fault) -> str:
        if fault.phase not in (Phase.FORWARD, Phase.EXTERNAL) or fault.module is None:
            return "wrong"
        if fault.alone and lies_in(self.path, fault.module):
            return "exact"
        return "module" if lies_in(fault.module, self.path) else "wrong"

    def __str__(self) -> str:
        return f"{self.path or '(outermost)'}: {self.kind}"


def by_anomaly(step: TrainingStep) -> Anomaly | None:
    """Run `step` under `detect_anomaly`; what it stopped at, or None."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            with torch.autograd.detect_anomaly():
                step()
        except RuntimeError as error:
            named = FUNCTION.search(str(error))
            if named is None:
                raise
            return Anomaly(named[1], *_innermost("".join(str(warning.message) for warning in caught)))
    return None


def _innermost(warned: str) -> tuple[str | None, int | None]:
    """The user's innermost frame of the node itself; parents (`induced by`) are told after it."""
    traceback = warned.partition("Traceback of forward call")[2].partition("Previous calculation")[0]
    frames = [(file, int(line)) for file, line in FRAME.findall(traceback) if not file.startswith(TORCH)]
    return frames[-1] if frames else (None, None)


def _family(node: str) -> str:
    return re.sub(r"Backward\d*$", "", node).lower()


def _node(fault: Fault) -> str:
    if fault.node:
        return _family(fault.node)
    name = fault.op.split(".")[1].replace("_forward", "")
    return name.replace("_", "")


def by_hooks(step: TrainingStep) -> Hooked | None:
    """Run `step` with a hook on every module that is called; the first one with a broken output, or None."""
    watched = _Outputs()
    handles = [
        modules.register_module_forward_pre_hook(watched.enter),
        modules.register_module_forward_hook(watched.leave),
    ]
    try:
        step()
    finally:
        for handle in handles:
            handle.remove()
    return watched.first


class _Outputs:
    """Follows calls of modules; the first broken output stays in `first`."""

    def __init__(self) -> None:
        self.first: Hooked | None = None
        self._outer: list[nn.Module] = []

    def enter(self, module: nn.Module, inputs: object) -> None:
        self._outer.append(module)

    def leave(self, module: nn.Module, inputs: object, output: object) -> None:
        outermost = self._outer[0]
        self._outer.pop()
        if self.first is None and any(_broken(leaf) for leaf in tree_leaves(output)):
            paths = {inner: path for path, inner in outermost.named_modules()}
            self.first = Hooked(paths.get(module, ""), type(module).__name__)


def _broken(value: object) -> bool:
    return isinstance(value, torch.Tensor) and not bool(torch.isfinite(value.detach()).all())
