"""Reads Python frames: the user's line, the modules being called, the backward pass that is running."""

from __future__ import annotations

import re
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import torch
from torch import Tensor, nn

STANDARD_LIBRARY = sysconfig.get_path("stdlib") + "/"
INSTALLED = (sysconfig.get_path("purelib") + "/", sysconfig.get_path("platlib") + "/")
TORCH = str(Path(torch.__file__).parent) + "/"
SCRIPTS = sysconfig.get_path("scripts") + "/"
PACKAGE = str(Path(__file__).parents[2]) + "/"
THIS_ROOM = str(Path(__file__).parents[1]) + "/"
OBSERVER = str(Path(__file__).parents[2] / "observing") + "/"
WRITTEN_BY_MACHINES = ("<frozen", "<eval_with_key>", "<__array_function__")
TRACEBACK_LINE = re.compile(r'File "(?P<file>.*)", line (?P<line>\d+), in (?P<name>\S+)')
ENGINE = "_engine_run_backward"


class Role(Enum):
    """What a frame is to the tracer."""

    USER = auto()
    CALL = auto()  # nn.Module.__call__
    ENGINE = auto()  # the start of a backward pass
    CHECKPOINT = auto()  # torch.utils.checkpoint, which may be computing a forward pass again
    UPDATE = auto()  # Optimizer.step
    LOADER = auto()  # torch.utils.data, which makes a batch of items
    CLIPPING = auto()  # torch.nn.utils.clip_grad
    SCALING = auto()  # a gradient scaler
    OTHER = auto()


@dataclass(frozen=True, slots=True)
class Site:
    """Where an operation was called: the user's line and the modules around it, outermost first.

    `library` is the file and the line within a library that the user's line called, if it called one.
    """

    file: str | None = None
    line: int | None = None
    modules: tuple[nn.Module, ...] = ()
    library: tuple[str, int] | None = None

    def same_line(self, other: Site) -> bool:
        return (self.file, self.line, self.library) == (other.file, other.line, other.library)


@dataclass(frozen=True, slots=True)
class Sight:
    """What the frames above an operation show.

    `inside` says that the user's line lies within the innermost backward pass (a custom backward, a hook);
    `recomputing` that checkpointing runs a forward pass again in there. `optimizer` is the one whose `step`
    is running; `updating`: no module was called by it since; `loading`: a data loader is putting a batch
    together; `clipping` and `scaling`: the user's line called torch's clipping, or a gradient scaler. `calls`
    are the frames of module calls, outermost first; `user` the user's frames, innermost first.
    """

    site: Site
    inside: bool
    recomputing: bool
    optimizer: Any
    updating: bool
    loading: bool
    clipping: bool
    scaling: bool
    calls: tuple[FrameType, ...]
    user: tuple[FrameType, ...]


class Frames:
    """Sorts frames by their code, each code once."""

    def __init__(self) -> None:
        self._roles: dict[CodeType, Role] = {
            nn.Module._call_impl.__code__: Role.CALL,
            torch.autograd.graph._engine_run_backward.__code__: Role.ENGINE,
        }

    def look(self, frame: FrameType | None) -> Sight:
        """Walk outwards from `frame`."""
        place: tuple[str | None, int | None] = (None, None)
        library: tuple[str, int] | None = None
        modules: list[nn.Module] = []
        calls, user = [], []
        optimizer, updating, inside, recomputing, left_engine = None, False, False, False, False
        loading, clipping, scaling = False, False, False
        while frame is not None:
            role = self._role(frame.f_code)
            if role is Role.USER:
                user.append(frame)
                inside = inside if place[0] else not left_engine
                if not (inside and left_engine):  # the line that called `backward` did not call what is in it
                    place, library = _nearer(place, library, (frame.f_code.co_filename, frame.f_lineno))
            elif role is Role.CALL:
                calls.append(frame)
            elif role is Role.ENGINE:
                left_engine = True
            elif role is Role.CHECKPOINT:
                recomputing |= not left_engine
            elif role is Role.LOADER:
                loading = True
            elif role is Role.CLIPPING:
                clipping |= not user
            elif role is Role.SCALING:
                scaling |= not user
            elif role is Role.UPDATE and optimizer is None:
                optimizer, updating = frame.f_locals.get("self"), not calls
            if (module := _module_of(frame, role)) is not None and (not modules or modules[-1] is not module):
                modules.append(module)
            frame = frame.f_back
        site = Site(*place, tuple(reversed(modules)), library)
        outermost_first = tuple(reversed(calls))
        return Sight(
            site,
            inside=inside,
            recomputing=recomputing,
            optimizer=optimizer,
            updating=updating,
            loading=loading,
            clipping=clipping,
            scaling=scaling,
            calls=outermost_first,
            user=tuple(user),
        )

    def backward_begun(self, frame: FrameType | None) -> tuple[list[Tensor], Site] | None:
        """What the innermost running `backward` was called on (nothing for `autograd.grad`), and where."""
        while frame is not None:
            if self._role(frame.f_code) is Role.ENGINE:
                seen = frame.f_locals
                roots = seen["t_outputs"] if seen["kwargs"].get("accumulate_grad") else ()
                return [t for t in roots if isinstance(t, Tensor)], self.look(frame).site
            frame = frame.f_back
        return None

    def node_site(self, node: Any) -> Site:
        """The user's line that made an autograd node, as anomaly mode noted it.

        A node that a backward pass made for a second-order gradient has the line of the node it came from;
        one that a checkpoint made by running the forward pass again has its own.
        """
        place: tuple[str | None, int | None] = (None, None)
        library: tuple[str, int] | None = None
        for entry in reversed(node.metadata.get("traceback_", [])):
            found = TRACEBACK_LINE.search(entry)
            if found is None:
                continue
            if found["name"] == ENGINE and (parent := node.metadata.get("parent_")) is not None:
                if place[0] is None:
                    return self.node_site(parent)
                break
            if is_user_file(found["file"]):
                place, library = _nearer(place, library, (found["file"], int(found["line"])))
        if place[0] is not None:
            return Site(*place, library=library)
        parent = node.metadata.get("parent_")
        return Site() if parent is None else self.node_site(parent)

    def _role(self, code: CodeType) -> Role:
        if (role := self._roles.get(code)) is None:
            role = self._roles[code] = _role_of(code)
        return role


def outer_node(node: Any) -> Any:
    """The node of the graph that the user differentiated on whose behalf a node runs."""
    while (parent := node.metadata.get("parent_")) is not None:
        node = parent
    return node


def is_user_file(name: str) -> bool:
    """Neither torch, nor this room or the observer, nor the standard library, nor what starts a program."""
    if name.startswith((TORCH, THIS_ROOM, OBSERVER, SCRIPTS, *WRITTEN_BY_MACHINES)):
        return False
    return name.startswith(INSTALLED) or not name.startswith(STANDARD_LIBRARY)


def is_library_file(name: str) -> bool:
    """Whether a file was installed with a package; what this package trains itself counts as the user's."""
    return name.startswith(INSTALLED) and not name.startswith(PACKAGE)


Place = tuple[str | None, int | None]


def _nearer(
    place: Place, library: tuple[str, int] | None, outer: tuple[str, int]
) -> tuple[Place, tuple[str, int] | None]:
    """The user's line and the place in a library, given one more frame outwards.

    The user's line is the innermost outside of libraries; where all are in libraries, the innermost.
    """
    if place[0] is None:
        return outer, None
    if library is None and is_library_file(place[0]) and not is_library_file(outer[0]):
        return outer, (place[0], place[1] or 0)
    return place, library


def containers(frames: tuple[FrameType, ...]) -> Iterator[nn.Module]:
    """Modules that the variables of `frames` hold, or the attributes of their `self`."""
    for frame in frames:
        variables = frame.f_locals
        held = getattr(variables.get("self"), "__dict__", {})
        for value in (*variables.values(), *held.values()):
            if isinstance(value, nn.Module):
                yield value


def _role_of(code: CodeType) -> Role:
    name = code.co_filename
    if is_user_file(name):
        return Role.USER
    if name.startswith(TORCH + "utils/data/"):
        return Role.LOADER
    if name == TORCH + "utils/checkpoint.py":
        return Role.CHECKPOINT
    if name == TORCH + "nn/utils/clip_grad.py":
        return Role.CLIPPING
    if name == TORCH + "amp/grad_scaler.py":
        return Role.SCALING
    if code.co_qualname == "Optimizer.profile_hook_step.<locals>.wrapper":
        return Role.UPDATE
    return Role.OTHER


def _module_of(frame: FrameType, role: Role) -> nn.Module | None:
    """The module whose call or method a frame is."""
    names = frame.f_code.co_varnames
    if role not in (Role.CALL, Role.USER) or not names or names[0] != "self":
        return None
    owner = frame.f_locals.get("self")
    return owner if isinstance(owner, nn.Module) else None
