"""All places where one trial's program leaves numbers, read together."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from stability.logs.files import FILES, FileSource, StructuralRows, opened
from stability.logs.observation import Observation
from stability.logs.reading import names_loss
from stability.logs.screening import Screening
from stability.logs.skips import Course
from stability.logs.tail import Tail
from stability.logs.text_source import StructuralText, Text, WatchedText
from stability.logs.timeline import Timeline
from stability.records import Recorder
from stability.spec.command import LogSource, Parse, TextSource

STREAMS = ("stdout", "stderr")
"""What a program prints on."""


class Sources:
    """Records what a program prints, and what it writes into files, which are looked at now and then."""

    def __init__(
        self,
        parse: Parse,
        paths: Mapping[str, Path],
        recorder: Recorder,
        weighed: Collection[str],
        rest: Sequence[Path] = (),
    ) -> None:
        """`paths` of the sources that are files; `weighed` components make an evaluation complete.

        `rest`: the files that a log goes on in, as those of programs do that begin one with each epoch.
        """
        given = parse.sources()
        self._texts = {
            name: StructuralText(own, weighed, paths.get(name)) if own.is_structural else Text(own)
            for name, own in given.items()
            if isinstance(own, TextSource)
        }
        self._files: dict[str, FileSource | StructuralRows] = {
            name: opened(name, own, paths[name], weighed) for name, own in given.items() if name in FILES
        }
        self._logs = {
            name: [Tail(path) for path in (paths[name], *rest)]
            for name, own in given.items()
            if isinstance(own, LogSource)
        }
        self._all = self._texts | self._files
        self._evaluates = any(source.evaluate for source in given.values())
        self.structural = {
            name: source.reader
            for name, source in (self._texts | self._files).items()
            if hasattr(source, "reader")
        }
        self._watched = {name: WatchedText() for name in STREAMS if name not in self._texts}
        self._overlooked = [
            source.overlooked
            for source in (*self._all.values(), *self._watched.values())
            if hasattr(source, "overlooked")
        ]
        self._course = Course()
        for own in self._overlooked:
            own.course = self._course
        self._screenings = {name: Screening() for name in self.structural}
        self._trainer: str | None = None  # of those read by their structure, the one that trains
        kinds = {name: source.kind for name, source in self._all.items()}
        self._timeline = Timeline(recorder, kinds, weighed)

    def printed(self, name: str, piece: bytes) -> None:
        """Take in what the program printed. Raises `StopTrial` once the trial is lost, as all of these do."""
        if name in self._texts:
            self._add(name, self._texts[name].read(piece))
        else:
            self._watched[name].read(piece)

    def quiet(self) -> None:
        """Nothing was printed for a while: a line without an end may say already that the trial is lost."""
        for name, text in self._texts.items():
            self._add(name, [observation for observation in text.peek() if observation.is_lost])

    def look(self) -> None:
        """Take in what files have that is new."""
        for name, tails in self._logs.items():
            for tail in tails:
                for piece in tail.pieces():
                    self._add(name, self._texts[name].read(piece) if piece else ())
                if tail is not tails[-1]:
                    self._add(name, self._texts[name].read(b"\n"))
        for name, source in self._files.items():
            self._add(name, source.new())

    def finish(self) -> None:
        """Nothing more will come."""
        self.look()
        for name, source in self._all.items():
            self._add(name, source.end())
        for name, screening in self._screenings.items():
            self._take(name, screening.end())
        for watched in self._watched.values():
            watched.end()
        self._timeline.skipped += self._course.announced
        self._timeline.finish()

    @property
    def steps(self) -> int:
        """How many were recorded."""
        return self._timeline.steps

    def names_losses(self) -> bool:
        """Whether what was taken for a loss of the training is called one, or nothing says what it is."""
        readings = [own.reading for own in self.structural.values() if own.reading is not None]
        return not readings or any(names_loss(reading) for reading in readings)

    def problem(self) -> str | None:
        """Why the trial cannot be judged, in one line; None where it can."""
        if not self.steps:
            told = [source.told(name) for name, source in self._all.items()]
            return "; ".join([*told, *self._advice()])
        if self._evaluates and not self._timeline.evaluations:
            why = "was read"
            if self._timeline.incomplete:
                why = f"has all that the yardstick weighs ({self._timeline.incomplete:,} lack some of it)"
            return f"steps were read, but no evaluation {why}; mend `evaluate`, or leave it out"
        return next(filter(None, (source.problem(name) for name, source in self._all.items())), None)

    def _advice(self) -> Iterator[str]:
        """What to write where the structure shows no loss."""
        for name in self.structural:
            if name in self._files:
                yield f'name its column: `parse: {{{name}: {{path: ..., train: {{loss: "column"}}}}}}`'
            else:
                yield 'name the loss: `parse: {loss: "words before the number"}`'
            return

    def notes(self) -> Iterator[str]:
        """What a person should know of how it was read."""
        for name, source in self._all.items():
            yield from source.notes(name)
        for screening in self._screenings.values():
            yield from screening.notes()
        counts = {
            "numbers replaced an earlier one of the same step": self._timeline.replaced,
            "numbers came after their step was recorded": self._timeline.late,
            "evaluations lacked what the yardstick weighs": self._timeline.incomplete,
        }
        yield from (f"{count:,} {words}" for words, count in counts.items() if count)
        if self.steps and (problem := self.problem()):
            yield problem

    def overlooked(self) -> str | None:
        """What was printed that is not finite, and that no loss accounts for."""
        owners = [*self._overlooked, *self._screenings.values()]
        return next(filter(None, (own.problem() for own in owners)), None)

    def _add(self, name: str, observations: Iterable[Observation]) -> None:
        screening = self._screenings.get(name)
        self._take(name, observations if screening is None else screening.left_of(observations))

    def _take(self, name: str, observations: Iterable[Observation]) -> None:
        course, timeline = self._course, self._timeline
        is_structural = name in self.structural
        for observation in observations:
            is_step = not observation.is_evaluation and observation.has_loss
            if is_step:
                course.went_on(observation)
            if not is_structural:
                timeline.add(name, observation)
            elif observation.is_evaluation:
                timeline.add(self._trainer or name, observation)
            elif self._trainer == name or self._trains(name, observation):
                timeline.add(name, observation)
            if is_step and course.announced:  # before this step, which is not recorded yet
                timeline.skipped += course.announced
                course.announced = 0

    def _trains(self, name: str, observation: Observation) -> bool:
        """Whether this source is the one that the training is read from: the first that had a loss.

        What another prints of it, such as a bar beside a logger, is the same training again.
        """
        if self._trainer is None and observation.has_loss:
            self._trainer = name
        return self._trainer in (None, name)
