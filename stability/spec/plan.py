"""The plan of a study file: its stages and their options."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from stability.spec.sections import PositiveInt, Section, SectionOrName
from stability.spending import Spending

REFERENCE, REPEAT, FLIP = "reference", "repeat", "flip-"
"""How the trials of stage `liveness` are named within their side: `basic/flip-lr`."""
ROLES = ("baseline", "treatment", "added", "removed")
"""How stage `attribute` confirms: `added-lr/seed-0` is the baseline with the treatment's lr."""
LOOKS = 4
"""Looks of a stage that may end early and does not say how many; each makes running trials wait for all."""


class Early(SectionOrName):
    """The looks at which a comparison may end, and how its error is spent over them."""

    spending: Annotated[Spending, Field(strict=False)] = Spending.OBRIEN_FLEMING
    looks: Annotated[int, Field(ge=2)] | None = None

    @classmethod
    def names(cls) -> list[str]:
        return list(Spending)

    @model_validator(mode="before")
    @classmethod
    def _bare_name(cls, early: Any) -> Any:
        """`early: pocock` means `early: {spending: pocock}`."""
        if isinstance(early, str):
            return {"spending": early}
        if not isinstance(early, dict):
            raise ValueError(f"obrien_fleming, or {{spending: ..., looks: 4}}, belongs here, got {early!r}")
        return early


class LivenessStage(Section):
    """Each knob changed once, and every side once more unchanged."""


class CompareStage(Section):
    """Every arm, once per seed; trial k of every arm has the same seed. Without `early` it never peeks."""

    seeds: PositiveInt = 20
    early: Early | None = None

    @property
    def looks(self) -> int:
        """How often the stage is looked at, its end included."""
        if self.early is None:
            return 1
        return self.early.looks or min(LOOKS, self.seeds)


class AttributeStage(Section):
    """Combinations of the settings in which two arms differ, then `confirm` fresh seeds."""

    trials: PositiveInt = 64
    confirm: Annotated[int, Field(ge=0)] = 5


class BoundaryStage(Section):
    """Trials that look for where, along `param`, training begins to diverge, and on which side it does."""

    param: str
    trials: PositiveInt = 40
    diverges: Literal["above", "below"] = "above"
    sampler: Literal["v_optimal", "staircase"] = "v_optimal"

    @property
    def drawn_by(self) -> str:
        """What its trials are drawn by: trials drawn otherwise do not continue them."""
        return f"{self.sampler} along {self.param}, diverging {self.diverges}"

    @property
    def rising(self) -> bool:
        """Whether larger values diverge."""
        return self.diverges == "above"


class SearchStage(Section):
    """`trials` settings drawn from `params`; `points` values per numeric range for the grid."""

    sampler: Literal["random", "sobol", "tpe", "gp", "grid"] = "tpe"
    trials: PositiveInt = 40
    points: PositiveInt = 5

    @property
    def drawn_by(self) -> str:
        """As for a boundary."""
        return self.sampler


Stage = LivenessStage | CompareStage | AttributeStage | BoundaryStage | SearchStage


class PlanEntry(SectionOrName):
    """One stage of the plan under its name."""

    liveness: LivenessStage | None = None
    compare: CompareStage | None = None
    attribute: AttributeStage | None = None
    boundary: BoundaryStage | None = None
    search: SearchStage | None = None

    @classmethod
    def names(cls) -> list[str]:
        return [name for name in cls.model_fields if name != "boundary"]  # which needs its `param`

    @model_validator(mode="before")
    @classmethod
    def _bare_name(cls, entry: Any) -> Any:
        """`- compare` means `- compare: {}`."""
        if isinstance(entry, str):
            return {entry: {}}
        if isinstance(entry, dict):
            return {key: {} if value is None else value for key, value in entry.items()}
        return entry

    @model_validator(mode="after")
    def _one_stage(self) -> PlanEntry:
        if len(self.model_fields_set) != 1:
            raise ValueError(
                f"one stage an entry ({', '.join(type(self).model_fields)}), each after its own '-'"
            )
        return self

    @property
    def name(self) -> str:
        return next(iter(self.model_fields_set))

    @property
    def stage(self) -> Stage:
        return getattr(self, self.name)
