"""Holds an observed process together: what torch tells becomes records, copies, and the cause of a break."""

from __future__ import annotations

import atexit
import json
import math
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from stability.observing import findings, process, quarantine, seeds, sleepers, torch_hooks
from stability.observing.budget import Budget
from stability.observing.copies import Copies
from stability.observing.findings import Broke, Process
from stability.observing.finiteness import first_nonfinite, norms, state_of, weights_of
from stability.observing.iterations import Ended, Iterations
from stability.observing.names import losses_in
from stability.observing.recording import Recording, joined
from stability.observing.search import FORK, RERUN, Search
from stability.observing.trained import Trained
from stability.records import Step

PATIENCE_S, PATIENCE = 60.0, 400.0
"""A copy may take so long: at least, and in times of what the program took since it was made."""
UNFINISHED, UNFINISHED_S = 5.0, 1.0
"""An iteration that the program ended in is looked at if it took so many usual ones, and seconds, at most."""
TELL_S = 5.0
"""How often what is known of the process is written down, which takes as long as a short iteration."""


class Observer:
    """Listens to one process that trains. See `torch_hooks.Listener`."""

    def __init__(self, folder: Path, options: dict[str, Any]) -> None:
        self._folder, self._options = folder, options
        self._begins()
        self.hooks = torch_hooks.Hooks(self)
        atexit.register(self._exits)
        os.register_at_fork(after_in_child=self._forked)
        process.watch_end(self._ends_badly)
        self._seeds = seeds.states()
        if "rerun" in options:
            self._rerun(options["rerun"])
        else:
            self._copy()

    def _begins(self) -> None:
        """Nothing was seen yet of this process."""
        self._pid = os.getpid()
        self._iterations = Iterations()
        self._recording = Recording(self._folder)
        self._budget = Budget(self._options.get("every"))
        self._trained = Trained(self._goes)
        self._copies = Copies()
        self._copies_wanted = bool(self._options.get("copies", True))
        self._search: Search | None = None
        self._broke: Broke | None = None
        self._notes: dict[str, None] = {}
        self._failed = self._copying = False
        self._row: dict[str, Any] = {}
        self._clipped: list[Tensor] = []
        self._differentiated = 0  # backward passes since the last iteration ended
        self._nodes = 0
        self._last_s = self._told_s = time.perf_counter()
        self._bad_end: str | None = None  # how the program ended, if not well
        self._ended = False

    # -- what torch tells

    def made(self, optimizer: Any) -> None:
        first = self._trained.made(optimizer)
        if first and self._iterations.number == 0 and not self._iterations.is_between_optimizers:
            self._copy()

    def called(self, module: nn.Module) -> None:
        if self._search is not None and self._search.awaits_forward:
            self._search.forward_begins(first_nonfinite(self._trained.kept()))
        self._trained.called(module)

    def differentiates(self, losses: Sequence[Tensor], frame: Any) -> None:
        if self._trained.by_hand and self._differentiated:
            self._iteration_ended(self._iterations.ended_without_step())
        self._differentiated += 1
        numbers = [loss.detach().item() for loss in losses if loss.numel() == 1]
        self._iterations.differentiated(sum(numbers) if numbers else math.nan)
        if self._search is not None and self._search.is_tracing:
            self._search.tracer.components(losses_in(frame, losses))
        if not all(map(math.isfinite, numbers)):
            bad = next(number for number in numbers if not math.isfinite(number))
            self._alarm(f"the loss was {bad}", losses)

    def clips(self, norm: Tensor) -> None:
        self._clipped.append(norm.detach())

    def updates(self, optimizer: Any, has_closure: bool) -> None:
        if not has_closure:
            self._look_at_gradients(optimizer)

    def updated(self, optimizer: Any) -> None:
        if "grad_norm" not in self._row:
            self._look_at_gradients(optimizer)
        self._clipped = []
        self._trained.stepped(optimizer)
        for ended in self._iterations.stepped(id(optimizer), map(id, self._trained.optimizers())):
            self._iteration_ended(ended)

    def scaler_updated(self, scaler: Any) -> None:
        self._row["grad_scale"] = scaler.get_scale()
        if self._differentiated and not self._iterations.is_between_optimizers:
            self._row["skipped"] = True
            self._iteration_ended(self._iterations.ended_without_step())

    def failed(self, error: Exception) -> None:
        if self._search is not None:
            self._search.give_up(f"observing the copy failed: {type(error).__name__}: {error}")
        if not self._failed:
            self._failed = True
            self._note(f"observing failed at step {self._iterations.number}: {type(error).__name__}: {error}")
            self._copies.kill()
            self._tell()

    # -- iterations

    def _look_at_gradients(self, optimizer: Any) -> None:
        weights = [w for _, w in weights_of(optimizer) if w.grad is not None]
        rates = [float(group["lr"]) for group in optimizer.param_groups if "lr" in group]
        self._row["lr"] = max([*rates, self._row.get("lr", 0.0)]) if rates else self._row.get("lr")
        if not weights:
            return
        sizes = norms([w.grad for w in weights])
        after = math.hypot(*sizes)
        clipped = math.hypot(*(float(norm) for norm in self._clipped))
        before = clipped if self._clipped and not clipped < after else after
        scale = self._fused_scale(optimizer)
        self._row["grad_norm"] = math.hypot(before / scale, self._row.get("grad_norm", 0.0))
        if self._fused_skip(optimizer):
            self._row["skipped"] = True
        elif not math.isfinite(after):
            self._check_gradients(weights)
        elif after > 0.0 and len(self._trained.optimizers()) == 1:
            grown = [size * before / after / scale for size in sizes]
            self._recording.grew(self._iterations.number, [id(w) for w in weights], grown)

    def _check_gradients(self, weights: Sequence[Tensor]) -> None:
        """A norm may be too large for its type although all gradients are finite."""
        named = ((self._recording.names.get(id(w), "a weight"), w.grad) for w in weights)
        if (name := first_nonfinite(named)) is not None:
            self._alarm(f"the gradient of {name} was not finite")

    def _fused_scale(self, optimizer: Any) -> float:
        scale = getattr(optimizer, "grad_scale", None)
        return 1.0 if scale is None else float(scale)

    def _fused_skip(self, optimizer: Any) -> bool:
        found = getattr(optimizer, "found_inf", None)
        return found is not None and float(found) > 0.0

    def _iteration_ended(self, ended: Ended) -> None:
        if self._failed:
            return
        if ended.number == 0:
            self._know_modules()
        self._record(ended)
        self._differentiated, self._row = 0, {}
        self._budget.iteration_ended()
        if self._search is not None:
            self._search_on(ended)
        elif self._broke is None and self._copies_wanted and self._budget.allows():
            self._checkpoint()
        self._nodes, self._last_s = torch_hooks.nodes_made(), time.perf_counter()
        if self._last_s - self._told_s > TELL_S:
            self._tell()

    def _record(self, ended: Ended) -> None:
        losses, total = joined(ended.losses)
        if self._search is not None:
            self._search.compare(ended.number, total)
            return
        self._recording.add(Step(ended.number, losses, total, **self._row))

    def _know_modules(self) -> None:
        if self._search is None:
            self.hooks.modules_are_known()
        self._recording.names = self._trained.names()

    # -- copies

    def _checkpoint(self) -> None:
        """A copy of a process whose numbers are all finite; those before it are of no more use."""
        begun_s = time.perf_counter()
        broken = first_nonfinite(self._trained.everything())
        if broken is not None:
            self._alarm(f"{broken} was not finite", step=self._iterations.number - 1)
            return
        self._copy(begun_s)

    def _copy(self, begun_s: float | None = None) -> None:
        """Make a copy that goes on from here, if this process can be copied."""
        if not self._copies_wanted or self._broke is not None or self._search is not None:
            return
        begun_s = begun_s or time.perf_counter()
        if (why := self._copies.obstacle()) is not None:
            self._note(f"not copied: {why}")
            return
        self._copying = True
        made = sleepers.copy(self._iterations.number, self._copies.all)
        if isinstance(made, dict):
            self._woken(made)
            return
        self._copying = False
        self._copies.add(made, overlaps=self._trained.by_hand)
        self._recording.forget_before(made.step)
        self._budget.copied(time.perf_counter() - begun_s)

    def _nearest(self, step: int) -> sleepers.Sleeper:
        return self._copies.nearest(step, overlaps=self._trained.by_hand)

    def _alarm(self, what: str, losses: Sequence[Tensor] = (), step: int | None = None) -> None:
        """A number is not finite."""
        step = self._iterations.number if step is None else step
        if self._search is not None:
            self._found(step, losses)
        elif self._broke is None:
            self._broke = Broke(step, what, time.time())
            self._find(step)
            self._copies.kill()
            self._tell()

    def _find(self, step: int) -> None:
        """Wake the last copy before an iteration that broke, and wait for what it finds."""
        self._recording.write()
        if not self._copies:
            return
        cause = str(self._folder / f"cause-{self._pid}.json")
        losses = {str(number): str(loss) for number, loss in self._recording.totals.items()}
        limit_s = PATIENCE_S + PATIENCE * (time.perf_counter() - self._last_s + self._since_copy_s())
        order = {"until": step, "how": FORK, "losses": losses, "cause": cause, "own": str(self._folder)}
        if not self._nearest(step).wake(order, limit_s):
            self._note(f"the copy had not ended after {limit_s:.0f} s")
        quarantine.take_away(self._folder)

    def _since_copy_s(self) -> float:
        return self._budget.usual_s() * (self._iterations.number - self._copies.all[0].step)

    # -- in a copy that was woken

    def _woken(self, order: dict[str, Any]) -> None:
        self._copies = Copies()
        self._search = Search(order, self._iterations.number)
        self.hooks.tell_modules()
        if not self._search.is_tracing:
            self._copy_again()

    def _rerun(self, order: dict[str, Any]) -> None:
        """The program runs again: draw the same numbers, and trace if this is the process that broke."""
        own = process.who()
        drawn = [each for each in order["seeds"] if each["who"] == own]
        if drawn:
            seeds.restore(drawn[0]["states"])
        self._copies_wanted = False
        if order["who"] == own:
            self._search = Search({**order, "how": RERUN, "own": str(self._folder)}, 0)
        else:
            quarantine.begin(self._folder, alone=False)

    def _copy_again(self) -> None:
        """A copy of this copy, on the way to the iteration that broke."""
        made = sleepers.copy(self._iterations.number, self._copies.all)
        if isinstance(made, dict):
            self._woken(made)
            return
        self._copies.add(made, overlaps=self._trained.by_hand)

    def _search_on(self, ended: Ended) -> None:
        broken = first_nonfinite(self._trained.everything())
        if broken is not None:
            self._found(ended.number, ())
        self._search.iteration_ended(ended.number, overlaps=self._trained.by_hand)
        if self._search.is_tracing or not self._search.copies:
            return
        if self._iterations.number - self._copies.all[-1].step >= self._search.every:
            self._copy_again()

    def _found(self, step: int, losses: Sequence[Tensor]) -> None:
        if self._search.is_tracing:
            self._search.conclude(step, losses)
        if not self._search.copies:
            self._search.broke_earlier(step)
        self._nearest(step).wake(self._search.deeper(step), PATIENCE_S + PATIENCE)
        os._exit(0)

    def _search_exits(self) -> None:
        """A copy, or a rerun, has come to the end of the program."""
        if self._search.is_tracing or not self._search.copies:
            self._search.ended(self._iterations.number, self._bad_end)
        step = self._iterations.number
        self._nearest(step).wake(self._search.deeper(step), PATIENCE_S + PATIENCE)
        os._exit(0)

    # -- the end

    def _exits(self) -> None:
        """The program has ended, its variables of functions are gone."""
        self._ended = True
        if self._search is not None:
            self._search_exits()
        if os.getpid() != self._pid:
            return
        try:
            if not self._failed:
                self._last_look()
        except Exception as error:  # the program comes first
            self.failed(error)
        self._copies.kill()
        self._recording.write()
        self._recording.write_growth()
        self._tell(ended=True)

    def _last_look(self) -> None:
        if self._broke is None and (broken := first_nonfinite(self._trained.everything())) is not None:
            self._alarm(f"{broken} was not finite", step=max(0, self._iterations.number - 1))
        if self._broke is None and self._copies and self._is_unfinished():
            self._find(self._iterations.number)
            found = findings.cause(self._folder, self._pid)
            if found is not None and found.born is not None:
                self._broke = Broke(found.step, "a number was not finite", time.time())

    def _goes(self, optimizer: Any) -> None:
        """The program lets an optimizer go: a last look at what it has trained."""
        if self._ended or self._failed or os.getpid() != self._pid or self._broke is not None:
            return
        try:
            with torch._C._DisableTorchDispatch():
                broken = first_nonfinite([*weights_of(optimizer), *state_of(optimizer)])
            if broken is not None:
                self._alarm(f"{broken} was not finite", step=max(0, self._iterations.number - 1))
        except Exception as error:  # the program comes first
            self.failed(error)

    def _ends_badly(self, how: str) -> None:
        self._bad_end = how

    def _is_unfinished(self) -> bool:
        """Whether the program ended in the middle of an iteration: it may have seen a bad number itself."""
        if torch_hooks.nodes_made() == self._nodes:
            return False
        short = time.perf_counter() - self._last_s < UNFINISHED * self._budget.usual_s() + UNFINISHED_S
        return self._bad_end is not None or (self._iterations.number > 0 and short)

    def _forked(self) -> None:
        """The program was forked, by us or by itself."""
        if self._copying:
            return
        self._copies.let_go()
        self._begins()
        self._copies_wanted = False

    def _note(self, text: str) -> None:
        self._notes[text] = None

    def _tell(self, *, ended: bool = False) -> None:
        self._told_s = time.perf_counter()
        if not (self._iterations.number or self._differentiated or self._broke or self._failed):
            return
        told = Process(
            pid=self._pid,
            steps=self._iterations.number,
            rank=process.rank(),
            broke=self._broke,
            notes=tuple(self._notes),
            facts=process.facts(),
            ended=ended,
        )
        findings.write(self._folder / f"process-{self._pid}.json", told)
        drawn = self._folder / f"seeds-{self._pid}.json"
        if not drawn.exists():
            findings.write(drawn, {"who": process.who(), "states": self._seeds})


def begin(folder: str) -> Observer:
    """Observe this process; `folder` is where the command looks for what is found."""
    options = Path(folder, "options.json")
    return Observer(Path(folder), json.loads(options.read_text()) if options.is_file() else {})
