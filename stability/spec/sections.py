"""What the sections of a study file are made of, and those that need nothing else."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

PositiveInt = Annotated[int, Field(ge=1)]
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class SectionOrName(Section):
    """A section that may be written as a name alone; `names` are those that the schema allows."""

    @classmethod
    def names(cls) -> list[str]:
        raise NotImplementedError

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"anyOf": [{"enum": cls.names()}, handler(core_schema)]}


class Budget(Section):
    """How long every trial trains."""

    epochs: PositiveInt = 4
    batch_size: PositiveInt = 8
    max_steps: PositiveInt | None = None
    timeout_s: Seconds = 120.0
    memory_gb: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None


_ALIKE = (
    "So many trials failed for one reason, and none gave evidence: end the study, or the stage. null: never."
)


class Limits(Section):
    """When a run ends before its plan is done, and how often a trial that was lost is tried again."""

    max_wall_s: Seconds | None = None
    max_failures: Annotated[int, Field(ge=0)] | None = None
    max_alike_failures: Annotated[int, Field(ge=2)] | None = Field(default=4, description=_ALIKE)
    retries: Annotated[int, Field(ge=0, le=2)] = 2


class Signal(Section):
    """Which way a recorded number goes in a training that goes well; none: it says nothing of that."""

    direction: Literal["down", "up", "none"]


class Compare(Section):
    """Which two arms the report sets side by side."""

    baseline: str
    treatment: str
