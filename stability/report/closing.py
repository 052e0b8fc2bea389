"""Twin -> the report's last blocks: limits, infrastructure failures, how to reproduce."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from stability.report import tables
from stability.report.blocks import (
    Block,
    Bullets,
    Code,
    CodeBlock,
    Details,
    Heading,
    Inline,
    Paragraph,
    Strong,
)
from stability.report.described import corpus_name, model_name, range_text
from stability.report.unshown import missing
from stability.report.words import Words

Twin = dict[str, Any]


def limits(twin: Twin, words: Words) -> Iterator[Block]:
    """What the trials do not show."""
    yield Heading(2, words.say("h_limits"))
    yield Bullets(tuple(_limits(twin, words)))


def _limits(twin: Twin, words: Words) -> Iterator[Inline]:
    limits = twin["limits"]
    if steps := max((n for n in limits["steps"].values() if n is not None), default=0):
        yield words.say("limit_steps", steps=steps)
    yield _data(limits, words)
    yield words.say("limit_not_evaluated" if limits.get("yardstick_not_evaluated") else "limit_verdicts")
    several = twin["comparison"] and sum(row["differs"] for row in twin["settings"]) > 1
    if several and not twin["attribution"]:
        yield words.say("limit_preset")
    if twin["search"] or twin["boundary_details"]:
        ranges = [(Code(f"{name} {range_text(own)}"),) for name, own in limits["ranges"].items()]
        yield words.say("limit_ranges", ranges=words.listed(ranges))
    if twin["infrastructure_failures"]:
        key = "limit_failures_counted" if "undecided" in twin else "limit_failures"
        yield words.say(key, count=len(twin["infrastructure_failures"]))
    if twin.get("undecided"):
        yield words.say("limit_undecided", count=len(twin["undecided"]))
    if limits["not_run"]:
        stages = words.listed([(Code(stage),) for stage in limits["not_run"]])
        yield words.say("limit_not_run", stages=stages)
    yield from (words.say(reason) for reason in missing(twin))


def _data(limits: Twin, words: Words) -> Inline:
    """What the trials have in common, as far as that is known."""
    if limits.get("imported"):
        return words.say("limit_data_imported")
    if limits["corpus"] is None or not limits["model"]:
        return words.say("limit_data_own")
    named = {"corpus": corpus_name(limits["corpus"], words), "model": model_name(limits["model"], words)}
    return words.say("limit_data", **named)


def failures(twin: Twin, words: Words) -> Iterator[Block]:
    """The trials that the infrastructure failed, and those without a verdict, where there are any."""
    for key, name in (("infrastructure_failures", "failures"), ("undecided", "undecided")):
        if without := twin.get(key):
            yield Heading(2, words.say(f"h_{name}"))
            yield Paragraph(words.say(f"{name}_intro"))
            if name == "failures" and (alike := twin.get("failed_alike")):
                told = {"outcome": Code(alike["outcome"]), "message": Code(alike["message"])}
                counts = {"count": alike["count"], "total": len(twin["trials"])}
                yield Paragraph(words.say("failures_alike", **counts, **told))
            yield tables.failures_table(without, words)
            yield from tables.left_out(without, words)


def reproduce(twin: Twin, words: Words) -> Iterator[Block]:
    """The command, the identity of study and code, the environment."""
    yield Heading(2, words.say("h_reproduce"))
    command = twin["environment"].get("command")
    if command:
        yield Paragraph(words.say("reproduce_command"))
        yield CodeBlock(command if isinstance(command, str) else " ".join(command))
    project = {"revision": twin["revision"], **(twin["environment"].get("project") or {})}
    directory = twin["environment"].get("working_directory") or {}
    sha256 = _fact(words.say("env_spec_sha256"), twin["spec_sha256"], words)
    trees = (_tree("env_project", project, words), _tree("env_working_directory", directory, words))
    yield Bullets((sha256, *trees))
    yield Details(words.say("environment_summary"), (tables.environment_table(twin, words),))


def _fact(name: Inline, value: str | None, words: Words) -> Inline:
    return (*name, ": ", *((Code(value),) if value else words.say("not_recorded")))


def _tree(name: str, tree: Twin, words: Words) -> Inline:
    """A git tree's revision, with a mark on uncommitted changes."""
    fact = _fact(words.say(name), tree.get("revision"), words)
    if tree.get("dirty") is None:
        return fact
    mark = Strong(words.text("dirty")) if tree["dirty"] else words.text("clean")
    return (*fact, " (", mark, ")")
