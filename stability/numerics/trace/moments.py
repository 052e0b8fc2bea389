"""When and where an operation runs: its phase, the user's line, the modules around it."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from types import FrameType
from typing import Any

import torch
from torch import Tensor

from stability.numerics.trace.frames import Frames, Sight, Site, is_library_file, outer_node
from stability.numerics.trace.operations import Call
from stability.records import Phase

READINGS = frozenset({"_local_scalar_dense", "detach", "alias"})
"""What `.item()` and `.detach()` call."""


@dataclass(frozen=True, slots=True)
class Moment:
    """When and where an operation ran; `node` numbers the autograd node that it made or belongs to."""

    phase: Phase
    site: Site
    node: int | None


class Moments:
    """Keeps track of the phases of a step.

    `met` is told what the frames show of every operation that is not the engine's own, `differentiated`
    every tensor that `backward` is called on.
    """

    def __init__(self, met: Callable[[Sight, Call], None], differentiated: Callable[[Tensor], None]) -> None:
        self._met, self._differentiated = met, differentiated
        self._frames = Frames()
        self._sites: dict[int, dict[int, Site]] = {}  # by node, which each thread numbers for itself
        self._graph_tasks: set[int] = set()
        self._after_backward = False
        self._last_node: Any = None
        self._backward_site = Site()

    @property
    def backward_seen(self) -> bool:
        """Whether any backward pass ran."""
        return bool(self._graph_tasks)

    def now(self, call: Call, frame: FrameType) -> Moment | None:
        """What can be known cheaply; None within a backward pass, where `in_backward` says more."""
        task = torch._C._current_graph_task_id()
        if task != -1:
            self._last_node = torch._C._current_autograd_node() or self._last_node
            if task not in self._graph_tasks:
                self._graph_tasks.add(task)
                self._backward_begins(frame)
            if not torch.is_grad_enabled():
                return None
        sight = self._frames.look(frame)
        self._met(sight, call)
        if task != -1 and not sight.recomputing:
            return None
        node = torch.autograd._get_sequence_nr() - 1
        self._sites.setdefault(node, {}).setdefault(threading.get_ident(), sight.site)
        return Moment(self._phase(call, sight), sight.site, node)

    def in_backward(self, frame: FrameType) -> Moment:
        """The forward line of the running node, or the user's line inside a custom backward or a hook."""
        node = torch._C._current_autograd_node() or self._last_node
        sight = self._frames.look(frame)
        accumulates = node is None or node.name().endswith("AccumulateGrad")
        site = self._backward_site if accumulates else self._frames.node_site(node)
        if sight.inside:
            site = _called_from(site, sight.site)
        if accumulates:
            return Moment(Phase.BACKWARD, replace(site, modules=()), None)
        known = list(self._sites.get(node._sequence_nr(), {}).values())
        fitting = known if sight.inside else [each for each in known if each.same_line(site)]
        modules = fitting[0].modules if fitting else ()
        return Moment(Phase.BACKWARD, replace(site, modules=modules), outer_node(node)._sequence_nr())

    def _phase(self, call: Call, sight: Sight) -> Phase:
        """What follows a backward pass without building a new graph is the update: clipping, steps.

        Reading a loss that still requires grad, to print it, builds nothing.
        """
        builds = torch.is_grad_enabled() and any(tensor.requires_grad for tensor in call.tensors())
        builds = builds and call.kind.base not in READINGS
        if builds or (sight.calls and not sight.updating):
            self._after_backward &= not builds
            return Phase.FORWARD
        return Phase.OPTIMIZER if sight.updating or self._after_backward else Phase.FORWARD

    def _backward_begins(self, frame: FrameType) -> None:
        self._after_backward = True
        frames = [frame, *sys._current_frames().values()]  # on CUDA the engine runs in threads of its own
        begun = next((found for each in frames if (found := self._frames.backward_begun(each))), ([], Site()))
        roots, self._backward_site = begun
        for root in roots:
            self._differentiated(root)


def _called_from(forward: Site, inside: Site) -> Site:
    """The line inside a backward pass; of a library's backward, the user's line that called its forward."""
    library = inside.file is not None and is_library_file(inside.file)
    if not library or forward.file is None or is_library_file(forward.file):
        return inside
    return Site(forward.file, forward.line, library=(inside.file, inside.line or 0))
