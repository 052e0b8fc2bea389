"""What the knobs really do: `liveness`, `control` and `effective` of the twin, and their section."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from stability.evidence.control import control
from stability.evidence.effective import effective, overridden
from stability.evidence.liveness import liveness
from stability.evidence.printed import FEWEST_DIGITS, FEWEST_NUMBERS, Printed, is_printed, printed_numbers
from stability.evidence.selection import identical, of_stage
from stability.report.blocks import Block, Bullets, Code, Heading, Inline, Paragraph, Table
from stability.report.numbers import rounded
from stability.report.words import Words

Twin = dict[str, Any]


def knobs_part(spec: Any, frames: Any) -> Twin:
    """The twin's keys that say which knobs are connected and what each arm really got."""
    alone, compared = (of_stage(frames.trials, stage) for stage in ("liveness", "compare"))
    found = liveness(alone, _printed(spec, frames, alone)) if len(alone) else None
    return {
        "liveness": found and {knob.param: knob.state for knob in found.knobs if knob.state},
        "liveness_details": found and _details(found),
        "control": _control(spec, compared),
        "effective": _effective(spec, compared),
    }


def _printed(spec: Any, frames: Any, alone: pd.DataFrame) -> Mapping[int, Printed] | None:
    """The numbers of these trials, where they come from a log."""
    if not is_printed(spec.trainer):
        return None
    own = (frame[frame["trial_id"].isin(alone["trial_id"])] for frame in (frames.steps, frames.epochs))
    return printed_numbers(*own)


def knobs_section(twin: Twin, words: Words) -> Iterator[Block]:
    """Which knobs are connected, what the arms really got, and an arm against itself."""
    notes = [*_repeat_notes(twin, words), *_override_notes(twin, words), *_control_notes(twin, words)]
    table, differing = _liveness_table(twin, words), _effective_table(twin, words)
    if not (notes or table or differing):
        return
    yield Heading(2, words.say("h_knobs"))
    if table:
        yield Paragraph(_means(twin["liveness_details"], words))
        yield table
    if differing:
        yield Paragraph(words.say("effective_means"))
        yield differing
    if notes:
        yield Bullets(tuple(notes))


def inert_sentences(twin: Twin, words: Words) -> list[Inline]:
    """What heads the report where a knob changes nothing."""
    details = twin["liveness_details"]
    if not details:
        return []
    if not details.get("exact", True):
        agree = details["agree"]
        names = [words.say("knob_counted", name=Code(name), **agree[name]) for name in details["inert"]]
        return [words.say("answer_inert_printed", names=words.listed(names))] if names else []
    silent = [name for name in details["inert"] if name not in details["prints"]]
    groups = {"answer_inert": silent, "answer_inert_prints": details["prints"]}
    return [
        words.say(key, names=words.listed([(Code(name),) for name in names]))
        for key, names in groups.items()
        if names
    ]


def identical_part(spec: Any, trials: pd.DataFrame) -> Twin:
    """The twin's `identical`: where trials of different seeds are one piece of evidence."""
    return {"exact": not is_printed(spec.trainer), "found": identical(trials)}


def identical_sentences(part: Twin | None, words: Words) -> list[Inline]:
    """That no seed arrived in a training, and what is left of its trials; `part` is `identical_part`'s.

    Printed numbers that agree leave open whether a seed moved only digits that were not printed.
    """
    found = [] if part is None else part["found"]
    how = "exact" if part and part["exact"] else "printed"
    return [
        words.say(
            f"identical_all_{how}" if each["pieces"] == 1 else f"identical_some_{how}",
            name=Code(each["arm"] or each["stage"]),
            trials=each["trials"],
            pieces=each["pieces"],
        )
        for each in found
    ]


def _details(found: Any) -> Twin:
    return {
        "n": found.n,
        "repeatable": found.repeatable,
        "inert": [knob.param for knob in found.knobs if knob.state == "inert"],
        "unknown": [knob.param for knob in found.knobs if knob.state is None],
        "prints": [knob.param for knob in found.knobs if knob.state == "inert" and knob.prints],
        "exact": found.exact,
        "compared": found.compared,
        "agree": {
            knob.param: {"numbers": knob.numbers, "digits": knob.digits}
            for knob in found.knobs
            if knob.numbers is not None
        },
    }


def _control(spec: Any, compared: pd.DataFrame) -> Twin | None:
    if spec.compare is None or compared.empty:
        return None
    found = control(compared, spec.compare.baseline)
    return {
        "arm": found.arm,
        "aa_yardstick_ratio": found.ratio,
        "aa_yardstick_ratio_ci": found.ci,
        "differs": found.differs,
        "n": found.n,
        "left_out": found.left_out,
    }


def _effective(spec: Any, compared: pd.DataFrame) -> Twin | None:
    if compared.empty or not spec.arms:
        return None
    found = effective(compared, tuple(spec.arms))
    constants = {name: p.choices[0] for name, p in spec.params.items() if p.kind == "constant"}
    asked = {arm: constants | dict(own) for arm, own in spec.arms.items()}
    rows = [{"setting": each.name, "values": each.values, "differs": each.differs} for each in found]
    return {"settings": rows, "overridden": overridden(found, asked)}


def _liveness_table(twin: Twin, words: Words) -> Table | None:
    details = twin["liveness_details"]
    if not details:
        return None
    states = {**twin["liveness"], **dict.fromkeys(details["unknown"])}
    params = [row["param"] for row in twin["settings"] if row["param"] in states]
    rows = tuple(((Code(name),), _state(name, states, details, words)) for name in params)
    return Table((words.say("col_setting"), words.say("col_live")), rows) if rows else None


def _means(details: Twin, words: Words) -> Inline:
    """How the trials were compared."""
    if details.get("exact", True):
        return words.say("liveness_means", n=details["n"])
    fewest = {"numbers": FEWEST_NUMBERS, "digits": FEWEST_DIGITS}
    return words.say("liveness_means_printed", n=details["n"], **fewest)


def _state(name: str, states: Twin, details: Twin, words: Words) -> Inline:
    if name in details["prints"]:
        return words.say("knob_prints")
    agree = details.get("agree", {}).get(name)
    if agree is None:
        return words.say(f"knob_{states[name] or 'unknown'}")
    if states[name]:
        return words.say("knob_inert_printed", **agree)
    return words.say("knob_few_digits" if agree["numbers"] else "knob_no_digits", **agree)


def _effective_table(twin: Twin, words: Words) -> Table | None:
    """What the arms' trainings had that differs between them."""
    rows = [row for row in (twin["effective"] or {}).get("settings", ()) if row["differs"]]
    if not rows:
        return None
    arms = list(rows[0]["values"])
    header = (words.say("col_setting"), *((Code(arm),) for arm in arms))
    cells = ((_values(row["values"][arm], words) for arm in arms) for row in rows)
    named = zip(rows, cells, strict=True)
    return Table(header, tuple(((Code(row["setting"]),), *own) for row, own in named))


def _values(values: list[str], words: Words) -> Inline:
    return words.listed([(Code(value),) for value in values]) if values else words.say("na")


def _repeat_notes(twin: Twin, words: Words) -> Iterator[Inline]:
    details = twin["liveness_details"]
    if details:
        key = {True: "repeats", False: "repeats_not", None: "repeats_unknown"}[details["repeatable"]]
        if not details.get("exact", True):
            key = f"{key}_printed"
        yield words.say(key, compared=details.get("compared") or 0)


def _override_notes(twin: Twin, words: Words) -> Iterator[Inline]:
    for each in (twin["effective"] or {}).get("overridden", ()):
        got = words.listed([(Code(value),) for value in each["got"]])
        yield words.say("overridden", arm=Code(each["arm"]), asked=Code(rounded(each["asked"], 4)), got=got)


def _control_notes(twin: Twin, words: Words) -> Iterator[Inline]:
    found = twin["control"]
    if not found:
        return
    arm = Code(found["arm"])
    if found["aa_yardstick_ratio_ci"] is None:
        yield words.say("control_too_few", arm=arm, n=found["n"])
        return
    significant = words.numbers.significant
    yield words.say(
        "control_differs" if found["differs"] else "control_agrees",
        arm=arm,
        n=found["n"],
        ratio=significant(found["aa_yardstick_ratio"]),
        interval=words.numbers.interval(*map(significant, found["aa_yardstick_ratio_ci"])),
    )
