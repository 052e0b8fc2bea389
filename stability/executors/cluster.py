"""Trials on the nodes of a Ray cluster that is running already. The only module that knows Ray.

Every trial that runs at a time has an actor, which lives on some node with the resources of one
trial. It runs the trial there as `LocalExecutor` does here: in a child process, within the same
limits. Code and features travel to the nodes, directories of ended trials travel back, so no folder
is shared and the driver alone writes.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stability import trialdir
from stability.executors.local import LocalExecutor
from stability.executors.place import Place, code_beside, versions
from stability.records import Ending, Outcome, TrialSpec, UserError

LOGGER = logging.getLogger("stability")
PATIENCE_S = 60.0
"""How long a trial waits for resources that others hold before the user is told."""
ANSWER_S = 0.5
"""An actor that has a place answers within this."""
CAPACITY_AGE_S = 5.0
IDLE_S = 3.0
"""How long an actor without a trial keeps its resources, which another driver's trial may wait for."""
CLEAR_S = 5.0
CONNECT_S = 5.0
EXAMPLE = "start one with `ray start --head`, then give --address HOST:6379"
TOKEN = "; if it asks for a token, set RAY_AUTH_MODE=token"
"""A cluster that was started on a machine with a token file asks for it; a driver sends it when told to."""


@dataclass(frozen=True, slots=True)
class Request:
    """What one trial needs of a node, in Ray's units; fractions share a core or a GPU."""

    cpus: float = 1.0
    gpus: float = 0.0

    def fits(self, resources: Mapping[str, float]) -> int:
        """How many such trials a node with `resources` runs at a time."""
        fits = []
        if self.cpus:
            fits.append(int(resources.get("CPU", 0.0) / self.cpus + 1e-9))
        if self.gpus:  # Ray never puts a trial on parts of two GPUs
            fits.append(int(resources.get("GPU", 0.0)) * int(1 / self.gpus + 1e-9))
        return min(fits)

    def __str__(self) -> str:
        return f"{self.cpus:g} CPUs and {self.gpus:g} GPUs" if self.gpus else f"{self.cpus:g} CPUs"


@dataclass(slots=True)
class _Running:
    trial: TrialSpec
    actor: Any
    start_s: float
    told: bool = False


class RayExecutor:
    """As many trials at a time as fit on the cluster, `at_most` if given."""

    def __init__(self, address: str | None, request: Request, at_most: int | None = None) -> None:
        """Connect to the cluster at `address`, by default the one of this machine.

        Raises `UserError` without Ray or a cluster, and for a request that no node can satisfy.
        """
        _check(request, at_most)
        self._request, self._at_most = request, at_most
        self._ray = _connected(address)
        self._capacity, self._counted_s = 0, -CAPACITY_AGE_S
        self._told_of_no_room = False
        self._running: dict[Any, _Running] = {}  # by the reference to what the actor will answer
        self._idle: list[tuple[float, Any]] = []  # since when, and the actor; the longest idle first
        self._brought: Any = None
        with _disconnected_on_failure(self._ray):
            self._require_room()

    @property
    def free(self) -> int:
        self._release_idle()
        return max(0, self._allowed() - len(self._running))

    def prepare(self, trainer: Any, data: Mapping[str, Any], cache: Path) -> None:
        """Prepare here, and lay what nodes need of it into the cluster's store of objects."""
        here = LocalExecutor(["cpu"])
        with contextlib.closing(here):
            here.prepare(trainer, data, cache)
        parts = {"cache": trialdir.pack(cache)} | code_beside(trainer)
        self._brought = self._ray.put(parts)

    def submit(self, trial: TrialSpec) -> None:
        actor = self._idle.pop()[1] if self._idle else self._start_actor()
        reference = actor.run.remote(trial, self._brought)
        self._running[reference] = _Running(trial, actor, time.monotonic())

    def finished(self, timeout_s: float) -> list[Path]:
        """See `Executor.finished`. Raises `UserError` when the nodes run other versions than this driver."""
        self._release_idle()
        if not self._running:
            return []
        ended, _ = self._ray.wait(list(self._running), timeout=timeout_s)
        if ended:  # and whatever else has ended by now
            ended, _ = self._ray.wait(list(self._running), num_returns=len(self._running), timeout=0)
        self._tell_who_waits()
        return [self._taken_back(reference) for reference in ended]

    def close(self) -> None:
        actors = [*(running.actor for running in self._running.values()), *(a for _, a in self._idle)]
        self._running, self._idle = {}, []
        self._end(actors)
        self._ray.shutdown()

    def _allowed(self) -> int:
        """How many trials the cluster, as it is now, runs at a time."""
        now_s = time.monotonic()
        if now_s - self._counted_s >= CAPACITY_AGE_S:
            fits = sum(self._request.fits(node["Resources"]) for node in self._nodes())
            if fits == 0 and not self._told_of_no_room:
                LOGGER.warning("no node of the cluster has %s; waiting for one that has", self._request)
            self._told_of_no_room = fits == 0
            self._capacity, self._counted_s = fits, now_s
        return self._capacity if self._at_most is None else min(self._capacity, self._at_most)

    def _release_idle(self) -> None:
        """End actors without a trial for a while: one that waits, here or elsewhere, may need their room."""
        old_s = time.monotonic() - IDLE_S
        released = [actor for since_s, actor in self._idle if since_s <= old_s]
        if released:
            self._idle = self._idle[len(released) :]
            self._end(released)

    def _end(self, actors: list[Any]) -> None:
        """End actors and what they run, and give their resources back."""
        cleared = [actor.clear.remote() for actor in actors]
        if cleared:
            self._ray.wait(cleared, num_returns=len(cleared), timeout=CLEAR_S)
        for actor in actors:
            self._ray.kill(actor)

    def _start_actor(self) -> Any:
        needs = {"num_cpus": self._request.cpus, "num_gpus": self._request.gpus}
        actor = self._ray.remote(**needs, max_restarts=0, max_concurrency=2)(Place)
        return actor.remote(self._request.gpus, versions())

    def _taken_back(self, reference: Any) -> Path:
        running = self._running.pop(reference)
        directory = running.trial.directory
        try:
            answer = self._ray.get(reference)
        except self._ray.exceptions.RayError as error:
            if "ModuleNotFoundError" in str(error):
                raise UserError(_not_installed(error)) from None
            self._ray.kill(running.actor)  # it lives yet if only its answer was lost
            self._counted_s = -CAPACITY_AGE_S  # a node may be gone
            trialdir.write_ending(directory, self._ending_of(error, time.monotonic() - running.start_s))
            return directory
        if isinstance(answer, str):
            raise UserError(answer)
        trialdir.unpack(answer, directory)
        self._idle.append((time.monotonic(), running.actor))
        return directory

    def _ending_of(self, error: Exception, wall_s: float) -> Ending:
        """The ending of a trial that did not come back."""
        gone = (self._ray.exceptions.RayActorError, self._ray.exceptions.ObjectLostError)
        if isinstance(error, self._ray.exceptions.OutOfMemoryError):
            why = "Ray ended it, since its node was short of memory"
            return Ending(Outcome.OUT_OF_MEMORY, why, wall_s=wall_s)
        lost = "the node or the process that ran it was lost"
        return Ending(Outcome.LOST, lost if isinstance(error, gone) else _last_line(error), wall_s=wall_s)

    def _require_room(self) -> None:
        nodes = [node["Resources"] for node in self._nodes()]
        if any(self._request.fits(resources) for resources in nodes):
            return
        largest = max(nodes, key=lambda node: (node.get("GPU", 0.0), node.get("CPU", 0.0)), default={})
        has = f"{largest.get('CPU', 0.0):g} CPUs and {largest.get('GPU', 0.0):g} GPUs"
        raise UserError(
            f"a trial asks for {self._request}, and none of the {len(nodes)} nodes has that; the largest has "
            f"{has}: lower --cpus-per-trial or --gpus-per-trial, or add a node"
        )

    def _nodes(self) -> list[dict[str, Any]]:
        return [node for node in self._ray.nodes() if node["Alive"]]

    def _tell_who_waits(self) -> None:
        """Say it once of a trial whose actor has not been placed on a node: others hold what it needs."""
        old_s = time.monotonic() - PATIENCE_S
        waiting = [r for r in self._running.values() if not r.told and r.start_s <= old_s]
        if not waiting:
            return
        answers = {r.actor.ready.remote(): r for r in waiting}
        _, pending = self._ray.wait(list(answers), num_returns=len(answers), timeout=ANSWER_S)
        for reference, running in answers.items():
            running.told = True
            if reference in pending:
                LOGGER.warning(
                    "%s waits for %s on the cluster, which others hold", running.trial.key, self._request
                )


def _check(request: Request, at_most: int | None) -> None:
    for option, value in (("--cpus-per-trial", request.cpus), ("--gpus-per-trial", request.gpus)):
        if not 0.0 <= value < float("inf"):
            raise UserError(f"{option} {value:g}: error: a number of 0 or more, such as 1 or 0.25")
    if not (request.cpus or request.gpus):
        raise UserError("a trial that asks for no CPU and no GPU has no limit; give --cpus-per-trial 1")
    if request.gpus > 1:
        raise UserError(
            f"--gpus-per-trial {request.gpus:g}: error: a trial trains on one GPU or a part of it"
        )
    if at_most is not None and at_most < 1:
        raise UserError(f"--jobs {at_most}: error: at least 1 trial at a time; leave it out for the default")


def _connected(address: str | None) -> Any:
    """The module `ray`, connected; SIGTERM keeps the meaning it had."""
    try:
        import ray
    except ImportError:
        raise UserError('--executor ray needs Ray: pip install "stability[ray]"') from None
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # Ray's coming default; else it warns
    on_sigterm = signal.getsignal(signal.SIGTERM)
    try:
        _require_listener(address)
        ray.init(address or "auto", log_to_driver=False, logging_level=logging.ERROR)
    except (OSError, ValueError, RuntimeError) as error:
        where = "on this machine" if address is None else f"at {address}"
        refused = isinstance(error, ConnectionError) and not isinstance(error, ConnectionRefusedError)
        hint = TOKEN if refused and "RAY_AUTH_MODE" not in os.environ else ""
        why = f"{_first_line(error)}; {EXAMPLE}{hint}"
        raise UserError(f"no Ray cluster {where} to connect to: {why}") from None
    finally:
        signal.signal(signal.SIGTERM, on_sigterm)
    return ray


def _require_listener(address: str | None) -> None:
    """Raise `OSError` where nobody listens; Ray would try for minutes."""
    host, _, port = (address or "").rpartition(":")
    if host and port.isdigit():
        socket.create_connection((host, int(port)), timeout=CONNECT_S).close()


@contextlib.contextmanager
def _disconnected_on_failure(ray: Any) -> Iterator[None]:
    try:
        yield
    except BaseException:
        ray.shutdown()
        raise


def _not_installed(error: Exception) -> str:
    line = next((line for line in str(error).splitlines() if "ModuleNotFoundError" in line), "")
    return f"a node of the cluster lacks a module ({line.strip()}); install stability on every node"


def _last_line(error: Exception) -> str:
    """Of an error on a node, whose text begins with the traceback there."""
    return (str(error).strip().splitlines() or [type(error).__name__])[-1]


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
