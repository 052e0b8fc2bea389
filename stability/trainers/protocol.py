"""Programs that write a trial's records themselves: the rules follow them, so that a lost trial ends."""

from __future__ import annotations

from collections.abc import Iterator

from stability import trialdir
from stability.judging.monitor import Monitor
from stability.judging.policy import Policy
from stability.judging.verdict import describe
from stability.records import Severity, Step, StopTrial, TrialSpec


class Protocol:
    """Follows steps.jsonl; records nothing, since all of it is there."""

    def __init__(self, trial: TrialSpec) -> None:
        self._follower = trialdir.Follower(trial.directory)
        self._monitor = Monitor(trial.yardstick, Policy(), trial.directions)
        self._weighed = trial.yardstick.keys()
        self.steps = 0

    def printed(self, name: str, piece: bytes) -> None:
        """What is printed is kept, but not read."""

    def quiet(self) -> None:
        """Nothing was printed for a while."""

    def look(self) -> None:
        """Judge the lines that are new. Raises `StopTrial` for a lost trial, `ValueError` for no record."""
        for record in self._follower.new():
            if isinstance(record, Step):
                self.steps += 1
                events = self._monitor.step(record)
            elif missing := self._weighed - record.losses.keys():
                raise ValueError(
                    f"an evaluation lacks {', '.join(sorted(missing))}, which the yardstick weighs"
                )
            else:
                events = self._monitor.evaluation(record)
            for event in events:
                if event.severity is Severity.LOST:
                    raise StopTrial(describe(event))

    def finish(self) -> None:
        self.look()

    def problem(self) -> str | None:
        """Why there is nothing to judge; None where there is."""
        if self.steps:
            return None
        return (
            "the program wrote no step to $STABILITY_TRIAL_DIR/steps.jsonl; let it do so, or say with "
            "`parse` how its output is read"
        )

    def overlooked(self) -> str | None:
        """What is printed is not read."""
        return None

    def notes(self) -> Iterator[str]:
        yield from ()
