"""Twin -> tables. Each function makes one table; an empty cell says why it is empty."""

from __future__ import annotations

import itertools
from typing import Any

from stability.records import BEFORE_TRAINING, Outcome, VerdictLabel
from stability.report.blocks import Code, Inline, Latin, LongTable, Paragraph, Table
from stability.report.numbers import rounded, setting
from stability.report.words import Words

Twin = dict[str, Any]

MOST_EPOCHS = 8
MOST_TRIALS = 40
"""Rows shown before a table points to the JSON report."""

STATED = frozenset({"spec_sha256", "revision", "command", "project", "working_directory", "spec"})
"""What of the environment has its own sentence."""


def settings_table(twin: Twin, words: Words) -> Table:
    """One row a setting, one column an arm, differing rows marked."""
    arms = list(twin["arms"])
    header = (
        words.say("col_setting"),
        *(arm_head(twin, name, words) for name in arms),
        words.say("col_differs"),
    )
    rows = []
    for row in twin["settings"]:
        cells = (_setting_cell(row["values"], arm, words) for arm in arms)
        rows.append(((Code(row["param"]),), *cells, words.say("differs") if row["differs"] else ()))
    return Table(header, tuple(rows))


def arm_head(twin: Twin, name: str, words: Words) -> Inline:
    """An arm's name with its role in the comparison."""
    comparison = twin["comparison"] or {}
    for role in ("baseline", "treatment"):
        if comparison.get(role) == name:
            return words.say(f"arm_{role}", arm=Code(name))
    return (Code(name),)


def comparison_table(twin: Twin, words: Words) -> Table:
    """metric | baseline | treatment | factor | improvement | comparable?"""
    comparison = twin["comparison"]
    sides = ("baseline", "treatment")
    header = (
        words.say("col_metric"),
        *(arm_head(twin, comparison[side], words) for side in sides),
        *(words.say(key) for key in ("col_factor", "col_improvement", "col_comparable")),
    )
    rows = []
    for row in twin["table"]:
        arms = (loss_cell(row[side], twin["arms"][comparison[side]], words) for side in sides)
        rows.append((_metric(row, words), *arms, *_verdict_cells(row, words)))
    return Table(header, tuple(rows))


def rates_table(twin: Twin, words: Words) -> Table:
    """One row an arm: counts, rate with interval and bound, time to divergence, failures."""
    keys = ("col_arm", "col_n", "col_diverged", "col_rate", "col_interval", "col_upper", "col_median_steps")
    some = any(arm.get("undecided") for arm in twin["arms"].values())
    header = tuple(words.say(key) for key in (*keys, "col_failures", *(["col_undecided"] if some else [])))
    rows = (_rate_row(twin, name, arm, words) for name, arm in twin["arms"].items())
    open_ = ([(words.numbers.count(arm["undecided"]),)] if some else [] for arm in twin["arms"].values())
    return Table(header, tuple((*row, *more) for row, more in zip(rows, open_, strict=True)))


def epochs_table(twin: Twin, source: str, words: Words) -> tuple[Table, bool] | None:
    """Losses per epoch and arm from one source, and whether epochs were left out; None without any."""
    cells = {
        (row["epoch"], row["arm"], row["component"]): row for row in twin["epochs"] if row["source"] == source
    }
    if not cells:
        return None
    components = sorted({key[2] for key in cells}, key=_component_order(twin))
    epochs = sorted({key[0] for key in cells})
    shown = _spread_out(epochs)
    arms = [name for name in twin["arms"] if any(key[1] == name for key in cells)]
    header = (
        words.say("col_epoch"),
        words.say("col_arm"),
        words.say("col_n"),
        *((Code(c),) for c in components),
    )
    rows = []
    for epoch, arm in itertools.product(shown, arms):
        own = [cells.get((epoch, arm, component)) for component in components]
        n = (words.numbers.count(max(cell["n"] if cell else 0 for cell in own)),)
        losses = (loss_cell(cell, twin["arms"][arm], words) for cell in own)
        rows.append((_epoch_cell(epoch, words), (Code(arm),), n, *losses))
    return Table(header, tuple(rows)), len(shown) < len(epochs)


def first_bad_table(twin: Twin, words: Words) -> Table:
    """The diverged trials: when, what and where it went wrong."""
    keys = ("col_trial", "col_arm", "col_seed", "col_step", "col_kind", "col_where", "col_evidence")
    rows = []
    for row in twin["first_bad_steps"][:MOST_TRIALS]:
        place = (_count(row["step"], words), _code(row["kind"], words), _code(row["where"], words))
        rows.append((*_who(row, words), *place, _evidence(row, words)))
    return Table(tuple(words.say(key) for key in keys), tuple(rows))


def _evidence(row: Twin, words: Words) -> Inline:
    """What was measured: in English in the rule's own words, else as the value and its limit."""
    value = row["nonfinite"] or row["value"]
    if words.lang == "en" or value is None:
        return _latin(row["evidence"], words)
    shown = Code(value) if isinstance(value, str) else words.numbers.significant(value, 3)
    if row["threshold"] is None:
        return words.say("evidence_value", value=shown)
    limit = words.numbers.significant(row["threshold"], 3)
    return words.say("evidence_limit", value=shown, limit=limit)


def failures_table(without: list[Twin], words: Words) -> Table:
    """Trials that gave no evidence, with the last line of what went wrong."""
    keys = ("col_trial", "col_arm", "col_seed", "col_outcome", "col_error")
    rows = []
    for row in without[:MOST_TRIALS]:
        last = row["error"].strip().splitlines()[-1] if row["error"].strip() else ""
        rows.append((*_who(row, words), _code(row["outcome"], words), _latin(last, words)))
    return Table(tuple(words.say(key) for key in keys), tuple(rows))


def trials_table(twin: Twin, words: Words) -> LongTable:
    """Every trial: what became of it, when, and its settings."""
    params = list(dict.fromkeys(name for trial in twin["trials"] for name in trial["params"]))
    keys = ("col_trial", "col_arm", "col_seed", "col_verdict", "col_step", "col_final")
    header = (*(words.say(key) for key in keys), *((Code(name),) for name in params))
    na = words.text("na")
    rows = tuple(_trial_row(trial, params, na, words) for trial in twin["trials"])
    more = words.say("rows_left_out", count=max(0, len(rows) - MOST_TRIALS))
    return LongTable(header, rows, MOST_TRIALS, more)


def _trial_row(trial: Twin, params: list[str], na: str, words: Words) -> tuple[str, ...]:
    """A trial that did not diverge is censored after its steps: `> 16`."""
    failed = trial["verdict"] == VerdictLabel.INCONCLUSIVE
    if failed:
        step = words.text("undecided" if is_undecided(trial) else "failed")
    elif trial["first_bad_step"] is not None:
        step = words.numbers.count(trial["first_bad_step"])
    else:
        step = na if trial["steps"] is None else f"> {words.numbers.count(trial['steps'])}"
    settings = (_short_setting(trial["params"], name, na) for name in params)
    seed = na if trial["seed"] is None else words.numbers.count(trial["seed"])
    place = f"{trial['stage']} {words.numbers.count(trial['number'])}"
    return (place, trial["arm"] or na, seed, trial["verdict"], step, _final(trial, words), *settings)


def is_undecided(trial: Twin) -> bool:
    """Whether a trial came to its end without a verdict on its training."""
    return trial["verdict"] == VerdictLabel.INCONCLUSIVE and trial.get("outcome") == Outcome.FINISHED


def _final(trial: Twin, words: Words) -> str:
    if trial["verdict"] == VerdictLabel.INCONCLUSIVE:
        return words.text("undecided" if is_undecided(trial) else "failed")
    value = None if trial["yardstick"] is None else words.numbers.significant(trial["yardstick"])
    if trial["verdict"] == VerdictLabel.DIVERGED:
        return words.text("lost") if value is None else words.text("lost_at", value=value)
    return value or words.text("na")


def _short_setting(params: Twin, name: str, na: str) -> str:
    if name not in params:
        return na
    value = params[name]
    return rounded(value, 4) if isinstance(value, float) else setting(value)


def left_out(rows: list[Twin], words: Words) -> list[Paragraph]:
    """Where the rows that do not fit into the table are."""
    more = len(rows) - MOST_TRIALS
    return [Paragraph(words.say("rows_left_out", count=more))] if more > 0 else []


def definitions_table(twin: Twin, words: Words) -> Table | None:
    """Both arms' definitions of every printed loss that does not compare; None where all do."""
    rows = []
    for part in twin["comparability"]:
        if part["comparable"]:
            continue
        for arm, texts in part["definitions"].items():
            text = (Latin("; ".join(texts)),) if texts else words.say("not_recorded")
            rows.append(((Code(part["component"]),), words.named(part["reason"]), (Code(arm),), text))
    keys = ("col_component", "col_comparable", "col_arm", "col_definition")
    return Table(tuple(words.say(key) for key in keys), tuple(rows)) if rows else None


def environment_table(twin: Twin, words: Words) -> Table:
    """The environment, flattened to `name | value`, without what stands above it."""
    rest = {key: value for key, value in twin["environment"].items() if key not in STATED}
    rows = tuple(((Code(name),), (Latin(text),)) for name, text in _flat(rest))
    return Table((words.say("col_item"), words.say("col_value")), rows)


def loss_cell(summary: Twin | None, arm: Twin, words: Words) -> Inline:
    """Mean ± sd, or why there is none: non-finite, never reached, failed, not measured."""
    if summary is None or not (summary["n"] or summary["nonfinite"] or summary["missing"]):
        return words.say("failed" if arm["infrastructure_failures"] and not arm["n"] else "na")
    if summary["n"] == 0:
        if summary["nonfinite"]:
            return words.say("nonfinite_cell", count=summary["nonfinite"])
        return words.say("none_reached" if summary["missing"] <= arm["diverged"] else "na")
    mean = words.numbers.spread(summary["mean"], summary["sd"])
    if summary["nonfinite"]:
        return words.say("partly_nonfinite", mean=mean, count=summary["nonfinite"])
    return (mean,)


def _setting_cell(values: Twin, arm: str, words: Words) -> Inline:
    return (Code(setting(values[arm])),) if arm in values else words.say("na")


def _metric(row: Twin, words: Words) -> Inline:
    return words.say(f"metric_{row['metric']}", component=Code(row["component"]))


def _verdict_cells(row: Twin, words: Words) -> tuple[Inline, Inline, Inline]:
    """factor, improvement and comparable? of one row."""
    if not row["comparable"]:
        why = words.say("reason_cell", reason=words.named(row["reason"]))
        return words.say("not_comparable"), words.say("not_comparable"), why
    yes = words.say("comparable")
    if row["factor"] is None:
        return words.say("na"), words.say("na"), yes
    factor = words.numbers.significant(row["factor"], 3)
    if row["factor_ci"] is None:
        return words.say("factor_bare", factor=factor), words.say("na"), yes
    low, high = row["factor_ci"]
    ends = words.numbers.interval(words.numbers.significant(low, 3), words.numbers.significant(high, 3))
    return words.say("factor_cell", factor=factor, interval=ends), _improvement(row, words), yes


def _improvement(row: Twin, words: Words) -> Inline:
    low, high = row["factor_ci"]
    if low <= 1 <= high:
        return words.say("no_improvement")
    size = max(row["improvement"], 1 / row["improvement"])
    return words.say("better" if high < 1 else "worse", factor=words.numbers.significant(size, 3))


def _rate_row(twin: Twin, name: str, arm: Twin, words: Words) -> tuple[Inline, ...]:
    counts = ((words.numbers.count(arm["n"]),), (words.numbers.count(arm["diverged"]),))
    failures = (words.numbers.count(arm["infrastructure_failures"]),)
    if arm["n"] == 0:
        empty = words.say("failed" if arm["infrastructure_failures"] else "na")
        return (Code(name),), *counts, empty, empty, empty, empty, failures
    percent = words.numbers.percent
    ends = words.numbers.interval(*(percent(end) for end in arm.get("rate_ci_worst", arm["rate_ci"])))
    return (
        (Code(name),),
        *counts,
        (percent(arm["rate"]),),
        (ends,),
        (percent(arm.get("rate_upper_worst", arm["rate_upper"])),),
        _median(twin["survival"][name], words),
        failures,
    )


def _median(survival: Twin, words: Words) -> Inline:
    if survival["median_steps"] is None:
        return words.say("median_not_reached")
    return (words.numbers.count(round(survival["median_steps"])),)


def _component_order(twin: Twin) -> Any:
    """Total first, then the yardstick's order, then by name."""
    known = list(twin["limits"]["yardstick"])
    return lambda name: (name != "total", known.index(name) if name in known else len(known), name)


def _spread_out(epochs: list[int]) -> list[int]:
    """All epochs, or the first ones and an even spread up to the last."""
    if len(epochs) <= MOST_EPOCHS:
        return epochs
    last = len(epochs) - 1
    kept = {0, 1, 2} | {round(2 + (last - 2) * i / (MOST_EPOCHS - 3)) for i in range(MOST_EPOCHS - 2)}
    return [epochs[i] for i in sorted(kept)]


def _epoch_cell(epoch: int, words: Words) -> Inline:
    if epoch == BEFORE_TRAINING:
        return words.say("before_training")
    return words.say("first_epoch", epoch=0) if epoch == 0 else (words.numbers.count(epoch),)


def _who(row: Twin, words: Words) -> tuple[Inline, Inline, Inline]:
    trial = words.say("trial_cell", stage=Code(row["stage"]), number=row["number"])
    return trial, _code(row["arm"], words), _count(row["seed"], words)


def _count(value: int | None, words: Words) -> Inline:
    return words.say("na") if value is None else (words.numbers.count(value),)


def _code(value: str | None, words: Words) -> Inline:
    return (Code(value),) if value else words.say("na")


def _latin(value: str, words: Words) -> Inline:
    return (Latin(value),) if value else words.say("na")


def _flat(value: Any, name: str = "") -> list[tuple[str, str]]:
    """`{"a": {"b": 1}}` as `[("a.b", "1")]`."""
    if isinstance(value, dict):
        return [pair for key, item in value.items() for pair in _flat(item, f"{name}.{key}" if name else key)]
    if isinstance(value, list):
        return [(name, " ".join(map(str, value)))]
    return [(name, setting(value))]
