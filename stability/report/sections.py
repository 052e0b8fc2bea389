"""Twin -> blocks: the report's structure. Numbers come from the twin, sentences from `words`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from stability import yamlfile
from stability.evidence.selection import VARYING
from stability.records import VerdictLabel
from stability.report import looks, tables
from stability.report.answers import answer, counted_sentences, key_settings, recommendation, test_values
from stability.report.attribution import attribution_section
from stability.report.blocks import (
    Block,
    Bullets,
    Code,
    CodeBlock,
    Details,
    Figure,
    Heading,
    Inline,
    Latin,
    Paragraph,
)
from stability.report.boundary import LOWER_RISK, boundary_section, undecided_beside
from stability.report.change import change_section
from stability.report.closing import failures, limits, reproduce
from stability.report.described import corpus_name, formula, model_name, trainer_name
from stability.report.knobs import knobs_section
from stability.report.numbers import rounded, setting
from stability.report.titles import failure_title, loss_fan_title, lr_curve_title
from stability.report.words import Words

Twin = dict[str, Any]

SENSITIVITY = Latin("Wortsman et al. 2023, arXiv 2309.14322")


def compose(twin: Twin, lang: str) -> list[Block]:
    """The whole report in one language, `en` or `fa`.

    Raises `UserError` for another language.
    """
    words = Words(lang)
    evidence = (knobs_section, _numbers, attribution_section, boundary_section, _curve, _first_bad, _search)
    parts = (_title, _answer, _compared, *evidence, _recommendation, limits, failures, _trials, reproduce)
    return [block for part in parts for block in part(twin, words)]


def _title(twin: Twin, words: Words) -> Iterator[Block]:
    yield Heading(1, words.say("title", study=Code(twin["study"])))


def _answer(twin: Twin, words: Words) -> Iterator[Block]:
    """Three sentences, then what else was found."""
    yield Heading(2, words.say("h_answer"))
    sentences, further = answer(twin, words)
    yield Paragraph(tuple(span for text in sentences for span in (*text, " "))[:-1])
    if further:
        yield Bullets(tuple(further))


def _compared(twin: Twin, words: Words) -> Iterator[Block]:
    yield Heading(2, words.say("h_compared"))
    if twin["arms"]:
        yield tables.settings_table(twin, words)
        if twin["comparison"]:
            yield Paragraph(_difference(twin, words))
    else:
        yield Paragraph(words.say("no_arms"))
    limits = twin["limits"]
    steps = max((n for n in limits["steps"].values() if n is not None), default=0)
    yield Bullets(
        (
            words.say(
                "trial_means",
                steps=steps,
                epochs=limits["epochs"],
                batch=limits["batch_size"],
                corpus=corpus_name(limits["corpus"], words),
                model=model_name(limits["model"], words),
                trainer=Code(trainer_name(limits["trainer"])),
            ),
            words.say("yardstick_is", formula=Code(formula(limits["yardstick"]))),
            *((words.say(_origin(limits)),) if len(twin["arms"]) > 1 or limits.get("imported") else ()),
        )
    )


def _origin(limits: Twin) -> str:
    """Where trials come from: made in pairs, or finished before."""
    return "imported_runs" if limits.get("imported") else "paired_seeds"


def _difference(twin: Twin, words: Words) -> Inline:
    names = [(Code(row["param"]),) for row in twin["settings"] if row["differs"]]
    sides = {role: Code(twin["comparison"][role]) for role in ("baseline", "treatment")}
    if not names:
        return words.say("same_settings", **sides)
    asked = "preset_difference_asked" if twin["attribution"] else "preset_difference"
    key = "single_difference" if len(names) == 1 else asked
    return words.say(key, **sides, count=len(names), names=words.listed(names))


def _numbers(twin: Twin, words: Words) -> Iterator[Block]:
    kinds = ("n", "infrastructure_failures", "undecided")
    if not any(arm.get(kind) for arm in twin["arms"].values() for kind in kinds):
        return
    yield Heading(2, words.say("h_numbers"))
    if twin["plots"]["loss_fan"]:
        yield Figure("loss_fan", loss_fan_title(twin, words))
    if twin["comparison"]:
        yield from _comparison(twin, words)
    yield from _rates(twin, words)
    for source in ("yardstick", "train"):
        yield from _epochs(twin, source, words)


def _comparison(twin: Twin, words: Words) -> Iterator[Block]:
    comparison = twin["comparison"]
    yield Heading(3, words.say("h_comparison"))
    yield tables.comparison_table(twin, words)
    yield Paragraph(words.say("factor_means", method=words.named(comparison["yardstick_pairs"]["method"])))
    yield Bullets(tuple(_pairs(comparison, words)))
    if table := tables.definitions_table(twin, words):
        yield Paragraph(words.say("definitions_intro"))
        yield table
    yield from change_section(twin, words)


def _pairs(comparison: Twin, words: Words) -> Iterator[Inline]:
    pairs = comparison["yardstick_pairs"]
    names = {role: Code(comparison[role]) for role in ("baseline", "treatment")}
    yield words.say(
        "pairs_used",
        **names,
        used=pairs["used"],
        baseline_only=pairs["baseline_diverged_only"],
        treatment_only=pairs["treatment_diverged_only"],
        both=pairs["both_diverged"],
        dropped=pairs["dropped"],
    )
    if pairs["ranked"]:
        probability = words.numbers.significant(pairs["win_probability"], 2)
        p_value = words.numbers.p_value(pairs["wilcoxon_p_value"])
        counts = {key: pairs[key] for key in ("wins", "losses", "ties")}
        yield words.say("wins", treatment=names["treatment"], probability=probability, p=p_value, **counts)


def _rates(twin: Twin, words: Words) -> Iterator[Block]:
    yield Heading(3, words.say("h_rates"))
    yield tables.rates_table(twin, words)
    counted = counted_sentences(twin, words)
    yield Paragraph(words.say("rates_intro_worst" if counted else "rates_intro"))
    notes = [*_one_seed(twin, words), *counted, *_rate_notes(twin["comparison"], words)]
    notes += _looks_notes(twin["comparison"], words)
    if notes:
        yield Bullets(tuple(notes))


def _one_seed(twin: Twin, words: Words) -> Iterator[Inline]:
    for arm in twin["arms"].values():
        if arm["n"] == 1 and not arm["diverged"]:
            yield words.say("one_seed", upper=words.numbers.percent(arm["rate_upper"]))
            return


def _rate_notes(comparison: Twin | None, words: Words) -> Iterator[Inline]:
    if not comparison or comparison["rate_difference"] is None:
        return
    names = {role: Code(comparison[role]) for role in ("baseline", "treatment")}
    percent = words.numbers.percent
    ends = words.numbers.interval(*(percent(end) for end in comparison["rate_difference_ci"]))
    yield words.say(
        "rate_difference",
        **names,
        difference=percent(comparison["rate_difference"]),
        interval=ends,
        method=words.named(comparison["rate_difference_method"]),
        **test_values(comparison, words),
    )
    yield from _worst_notes(comparison, words)
    if pairs := comparison["pairs"]:
        counts = {key: pairs[key] for key in ("treatment_only", "baseline_only")}
        total = sum(pairs[key] for key in ("both", "neither", *counts))
        yield words.say("discordant", pairs=total, **names, **counts)
    if comparison["logrank_p_value"] is not None:
        yield words.say("logrank", p=words.numbers.p_value(comparison["logrank_p_value"]))


def _worst_notes(comparison: Twin, words: Words) -> Iterator[Inline]:
    """The difference with the trials that nobody knows of taken either way."""
    worst = comparison.get("worst_case")
    if worst and worst["ci"]:
        ends = words.numbers.interval(*(words.numbers.percent(end) for end in worst["ci"]))
        yield words.say("rate_difference_worst", counted=worst["counted"], interval=ends)
    if found := comparison.get("failures"):
        names = {role: Code(comparison[role]) for role in ("baseline", "treatment")}
        counts = {
            f"{count}_{role}": found[key][i]
            for i, role in enumerate(names)
            for count, key in (("k", "failed"), ("n", "n"))
        }
        yield words.say("failures_compared", **names, **counts, **test_values(found, words))


def _looks_notes(comparison: Twin | None, words: Words) -> Iterator[Inline]:
    if comparison:
        yield from looks.notes(comparison, words)


def _epochs(twin: Twin, source: str, words: Words) -> Iterator[Block]:
    found = tables.epochs_table(twin, source, words)
    if found is None:
        return
    table, skipped = found
    yield Heading(3, words.say(f"h_{source}_epochs"))
    notes = ["epochs_intro", *(["epochs_skipped"] if skipped else [])]
    shown = (table, *(Paragraph(words.say(key)) for key in notes))
    if source == "yardstick":
        yield from shown
    else:
        yield Details(words.say("epochs_summary", n=len(table.rows)), shown)


def _first_bad(twin: Twin, words: Words) -> Iterator[Block]:
    yield Heading(2, words.say("h_first_bad"))
    if not twin["first_bad_steps"]:
        yield Paragraph(words.say("first_bad_none"))
        return
    if twin["plots"]["failure"]:
        yield Figure("failure", failure_title(twin, words))
    yield Paragraph(words.say("first_bad_intro"))
    yield tables.first_bad_table(twin, words)
    yield from tables.left_out(twin["first_bad_steps"], words)


def _curve(twin: Twin, words: Words) -> Iterator[Block]:
    curve = twin["plots"]["lr_curve"]
    if not curve:
        return
    stages = [(Code(stage),) for stage in VARYING if stage not in twin["limits"]["not_run"]]
    yield Heading(2, words.say("h_curve", param=Code(curve["param"])))
    yield Figure("lr_curve", lr_curve_title(twin, words))
    yield Paragraph(words.say("curve_means", stages=words.listed(stages), source=SENSITIVITY))


def _search(twin: Twin, words: Words) -> Iterator[Block]:
    if twin["search"]:
        yield Heading(2, words.say("h_search"))
        yield Bullets(tuple(_search_facts(twin["search"], words)))


def _search_facts(search: Twin, words: Words) -> Iterator[Inline]:
    sampler = (Code(search["sampler"]),) if search["sampler"] else words.say("not_recorded")
    counts = {"n": search["n"], "k": search["diverged"], "failures": search["infrastructure_failures"]}
    yield (*words.say("search_counts", sampler=sampler, **counts), *undecided_beside(search, words))
    if best := search["best"]:
        settings = words.listed(
            [(Code(f"{name}={_short(value)}"),) for name, value in best["params"].items()]
        )
        value = words.numbers.significant(best["yardstick"])
        yield words.say("search_best", number=best["number"], value=value, settings=settings)
    else:
        yield words.say("search_no_best")
    if search["edge"]:
        yield from _edge(search["edge"], words)
    yield words.say("caveat_adaptive" if search["adaptive"] else "caveat_space")


def _edge(edge: Twin, words: Words) -> Iterator[Inline]:
    param, bad, good = Code(edge["param"]), edge["smallest_diverged"], edge["largest_not_diverged"]
    if bad is None:
        low, high = (Code(rounded(edge[end], 4)) for end in ("lowest", "highest"))
        yield words.say("search_no_divergence", param=param, low=low, high=high)
        return
    largest = words.say("na") if good is None else Code(rounded(good, 4))
    yield words.say("search_edge", param=param, smallest=Code(rounded(bad, 4)), largest=largest)
    if good is not None and good >= bad:
        yield words.say("search_overlap", low=Code(rounded(bad, 4)), high=Code(rounded(good, 4)))


def _recommendation(twin: Twin, words: Words) -> Iterator[Block]:
    yield Heading(2, words.say("h_recommendation"))
    yield Bullets(tuple(recommendation(twin, words)))
    if found := key_settings(twin, words):
        arms, reason = found
        yield Heading(3, words.say("h_key_settings"))
        yield Paragraph(reason)
        yield CodeBlock(yamlfile.written({"arms": arms}).rstrip(), "yaml")
    if twin["boundary"]:
        key = "patch_command_search" if twin["search"] else "patch_command"
        yield Paragraph(words.say(key, option=Code(f"--max-risk {LOWER_RISK}")))
        yield CodeBlock(f"stability recommend {twin['study']} > patch.yaml")


def _trials(twin: Twin, words: Words) -> Iterator[Block]:
    if not twin["trials"]:
        return
    yield Heading(2, words.say("h_trials"))
    verdicts = [trial["verdict"] for trial in twin["trials"]]
    open_ = sum(map(tables.is_undecided, twin["trials"]))
    counts = {
        "k": verdicts.count(VerdictLabel.DIVERGED),
        "failures": verdicts.count(VerdictLabel.INCONCLUSIVE) - open_,
    }
    summary = words.say("trials_summary", n=len(verdicts), **counts)
    if open_:
        summary = words.say("trials_summary_undecided", counts=summary, undecided=open_)
    means = words.say("trials_mean", example=Code(f"> {words.numbers.count(16)}"))
    yield Details(summary, (Paragraph(means), tables.trials_table(twin, words)))


def _short(value: Any) -> str:
    return rounded(value, 4) if isinstance(value, float) else setting(value)
