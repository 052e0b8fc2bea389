"""What must hold between the parts of a study file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stability.spec.plan import LOOKS, BoundaryStage, CompareStage, Early
from stability.spending import earliest_end, fewest_seeds
from stability.suggest import suggest
from stability.yamlfile import Address

if TYPE_CHECKING:
    from stability.spec import StudySpec


def check_arms(spec: StudySpec) -> None:
    for arm, settings in spec.arms.items():
        for name, value in settings.items():
            if name not in spec.params:
                message = f"unknown parameter {name!r} in arm {arm!r}{suggest(name, spec.params)}"
                raise spec.error(("arms", arm, name), message, at_key=True)
            if problem := spec.params[name].problem(value):
                raise spec.error(("arms", arm, name), f"arms.{arm}.{name}: {problem}")
        needed = [n for n, p in spec.params.items() if p.kind != "constant" and n not in settings]
        if needed:
            message = f"arm {arm!r} does not set {', '.join(needed)}; every arm sets every parameter"
            raise spec.error(("arms", arm), message, at_key=True)
    if spec.compare is None:
        return
    for role, arm in spec.compare.model_dump().items():
        if arm not in spec.arms:
            raise spec.error(("compare", role), f"unknown arm {arm!r}{suggest(arm, spec.arms)}")
    if spec.compare.baseline == spec.compare.treatment:
        raise spec.error(("compare",), "baseline and treatment are the same arm; name two")


def check_plan(spec: StudySpec) -> None:
    if not any(spec.yardstick.values()):
        raise spec.error(("yardstick",), "every weight is 0, so nothing would be measured; weigh a component")
    for name, weight in spec.yardstick.items():
        if weight and name in spec.signals and spec.signals[name].direction != "down":
            goes = "goes up" if spec.signals[name].direction == "up" else "has no direction"
            message = f"signal {name!r} {goes}, and the yardstick is a loss: leave it out of `yardstick`"
            raise spec.error(("signals", name), message, at_key=True)
    names = [entry.name for entry in spec.plan]
    for i, name in enumerate(names):
        if name in names[:i]:
            raise spec.error(("plan", i), f"stage {name!r} is in the plan twice; keep one")
    for name in ("compare", "boundary"):
        if name in names and not spec.arms:
            raise spec.error(("plan", names.index(name)), f"stage {name!r} needs `arms`; add at least one")
    if "attribute" in names and spec.compare is None:
        message = (
            "stage 'attribute' asks which setting makes two arms differ; "
            "add `compare: {baseline: ..., treatment: ...}`"
        )
        raise spec.error(("plan", names.index("attribute")), message)
    for i, entry in enumerate(spec.plan):
        if isinstance(entry.stage, CompareStage) and entry.stage.early:
            _check_early(spec, entry.stage, entry.stage.early, ("plan", i, "compare", "early"))
        if isinstance(entry.stage, BoundaryStage):
            _check_bounded(spec, entry.stage.param, ("plan", i, "boundary", "param"))


def _check_bounded(spec: StudySpec, name: str, address: Address) -> None:
    """A boundary is looked for along a range of numbers."""
    if name not in spec.params:
        raise spec.error(address, f"unknown parameter {name!r}{suggest(name, spec.params)}")
    if spec.params[name].choices is not None:
        ranges = [other for other, param in spec.params.items() if param.choices is None]
        known = f"; ranges here: {', '.join(ranges)}" if ranges else ""
        raise spec.error(address, f"{name!r} has no range to look in; give it min and max{known}")


def _check_early(spec: StudySpec, stage: CompareStage, early: Early, address: Address) -> None:
    """A stage that may end early has a question, and a look before the last that could answer it."""
    if spec.compare is None:
        message = (
            "early needs to know which two arms are compared; add `compare: {baseline: ..., treatment: ...}`"
        )
        raise spec.error(address, message)
    if stage.looks > stage.seeds:
        raise spec.error(
            address, f"{stage.looks} looks at {_seeds(stage.seeds)}; looks are 2 to as many as seeds"
        )
    if earliest_end(early.spending, stage.seeds, stage.looks) in (None, stage.seeds):
        enough = fewest_seeds(early.spending, stage.seeds, early.looks or LOOKS)
        raise spec.error(
            address,
            f"with {_seeds(stage.seeds)} no look before the last could end the stage, "
            f"however the trials come out; set seeds to {enough}, or leave `early` out",
        )


def _seeds(count: int) -> str:
    return "1 seed" if count == 1 else f"{count} seeds"
