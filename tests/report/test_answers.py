"""What the report says of findings that are only half there: each sentence against its tables."""

from __future__ import annotations

import copy
import json
import math
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from study_frames import BASIC, ENHANCED, ENVIRONMENT, StudyFrames, make_spec

from stability.report import build, html, tables
from stability.report.advice import check
from stability.report.answers import answer, key_settings, recommendation
from stability.report.attribution import culprit_sentences
from stability.report.blocks import Heading, plain
from stability.report.figures import FIGURES
from stability.report.markdown import render
from stability.report.patch import changes
from stability.report.sections import compose
from stability.report.titles import headroom_title
from stability.report.words import CATALOGUES, Words

REPORTS = Path(__file__).parents[2] / "reports"
EN = Words("en")


def kept(study="basic_vs_enhanced", **changes):
    """The twin of a kept report, with other top-level parts."""
    return json.loads((REPORTS / study / "report.json").read_text()) | changes


def text_of(twin, lang="en"):
    return render(compose(twin, lang), lang, {name: f"{name}.png" for name in FIGURES})


def told(sentences):
    return " ".join(map(plain, sentences))


def test_the_risk_that_the_report_names_can_be_asked_for():
    twin = kept()
    [risk] = set(re.findall(r"--max-risk ([\d.]+)", text_of(twin)))
    check(SimpleNamespace(arms={}), float(risk))
    assert float(risk) < twin["boundary_details"]["risk"]
    assert "best setting of the search" in text_of(twin)
    assert "best setting of the search" not in text_of(twin | {"search": None})


@pytest.mark.parametrize("study", ["basic_vs_enhanced", "lightning", "hf_speecht5"])
def test_no_effect_is_said_only_of_settings_without_a_part_in_any_response(study):
    found = kept(study)["attribution"]
    clear = {
        name
        for one in (found, *found["others"])
        for name, own in one["effects"].items()
        if own["p_adjusted"] < 0.05
    }
    sentences = list(map(plain, culprit_sentences(kept(study), EN)))
    none = [sentence for sentence in sentences if sentence.startswith("No effect was shown")]
    assert clear and not any(re.search(rf"\b{name}\b", sentence) for sentence in none for name in clear)
    others = clear - {found["confirmation"]["param"]}
    assert all(any(re.search(rf"\b{name}\b", sentence) for sentence in sentences) for name in others)


def test_a_part_that_is_not_confirmed_yet_is_told_as_that():
    twin = kept()
    twin["attribution"]["confirmation"] = None
    sentences = told(culprit_sentences(twin, EN))
    assert sentences.startswith(
        "Which setting: a part in the difference is shown of lr, not confirmed on fresh seeds."
    )
    assert "no effect was shown of any" not in sentences
    for one in (twin["attribution"], *twin["attribution"]["others"]):
        for own in one["effects"].values():
            own["p_adjusted"] = 1.0
    assert told(culprit_sentences(twin, EN)).startswith(
        "Which setting: no effect was shown of any (lr, mel_weight,"
    )


def test_the_culprit_is_told_of_the_response_in_which_it_was_found():
    """Divergence heads the report, and the setting was found by the yardstick alone."""
    twin = kept()
    found = twin["attribution"]
    divergence = copy.deepcopy(found) | {"response": "diverged"}
    for own in divergence["effects"].values():
        own["p_adjusted"] = 1.0
    heads = {key: found[key] for key in ("arms", "confirmation")} | {"others": [found]}
    sentences = told(culprit_sentences(twin | {"attribution": divergence | heads}, EN))
    assert "basic stands at 0.524 times its yardstick" in sentences
    assert not re.search(r"No effect was shown of [^.]*\blr\b", sentences)


@pytest.mark.parametrize("study", ["lightning", "hf_speecht5"])
def test_a_swap_that_loses_every_pair_is_evidence_on_divergence(study):
    text = text_of(kept(study))
    confirmed = text[text.index("### Confirmed on fresh seeds") :].split("\n## ")[0]
    assert len(re.findall(r"changes by −?100% \(95% interval", confirmed)) == 2
    assert "too few for an interval of the yardstick" in confirmed


def test_the_rate_after_a_swap_has_its_interval():
    swap = kept()["attribution"]["confirmation"]["added"]
    low, high = (EN.numbers.percent(end) for end in swap["rate_difference_ci"])
    assert text_of(kept()).count(f"divergence rate changes by 0% (95% interval {low} to {high})") >= 2


def compared(basic, enhanced, n=30):
    """So many of `n` trials of each arm diverged; the yardstick of `enhanced` is lower."""
    study = StudyFrames()
    for arm, params, lost, level in (("basic", BASIC, basic, 2.0), ("enhanced", ENHANCED, enhanced, 1.6)):
        for seed in range(n):
            if seed < lost:
                study.diverged("compare", arm, seed, params=params)
            else:
                study.trial("compare", arm, seed, params=params, level=level + 0.01 * (seed * 7 % 12))
    return build(make_spec(), study.frames(), ENVIRONMENT)


def test_an_arm_that_diverges_in_half_of_its_trials_is_not_handed_out():
    assert key_settings(compared(18, 18), EN) is None
    assert key_settings(compared(18, 29), EN) is None
    arms, why = key_settings(compared(3, 29), EN)
    assert list(arms) == ["basic"]
    assert plain(why) == "basic diverged less often: 3 of 30 trials. Its settings, as part of a study file:"
    arms, why = key_settings(compared(0, 0), EN)
    assert list(arms) == ["enhanced"]
    assert plain(why).startswith("enhanced had the lower yardstick, and 0 of its 30 trials diverged.")


@pytest.mark.parametrize("value", [100, 100.0, -3, 0.7])
@pytest.mark.parametrize("bound", [12.34, -12.34, 0.0261, 1999.6])
@pytest.mark.parametrize("diverges", ["above", "below"])
def test_a_patch_lies_on_the_calm_side_of_its_bound(diverges, bound, value):
    arm = {"param": "n", "headroom": -1.0, "p05_lower": bound, "value": value}
    patch = changes({"boundary": {"ours": arm}, "boundary_details": {"diverges": diverges}})
    proposed = patch["ours"]["n"]
    assert proposed <= bound if diverges == "above" else proposed >= bound
    assert type(proposed) is type(value)


def unbounded(*arms):
    """The default study with no bound for these arms."""
    twin = kept()
    for arm in arms:
        twin["boundary"][arm] |= {"p05_lower": None, "headroom": None, "near": None, "plain_bound": None}
    return twin


def test_an_arm_without_a_bound_is_not_said_to_have_more_room():
    twin = unbounded("enhanced")
    head, _ = answer(twin, EN)
    assert "enhanced: no bound on lr can be stated" in told(head)
    title = plain(headroom_title(twin, EN))
    assert "least room" not in title and title.endswith("; no bound for enhanced")
    assert "No bound on lr is supported" in plain(headroom_title(unbounded("basic", "enhanced"), EN))


def test_an_arm_outside_its_bound_comes_before_one_without():
    twin = unbounded("enhanced")
    twin["boundary"]["basic"]["headroom"] = -0.5
    head, _ = answer(twin, EN)
    assert "basic lies 0.50 decades outside" in told(head)


def test_what_was_not_recorded_is_not_said_to_be_the_same():
    limits = kept()["limits"]
    own = limits | {"corpus": None, "model": {}}
    assert "were the same throughout" in text_of(kept())
    assert "the program has its own data and model" in text_of(kept(limits=own))
    imported = text_of(kept(limits=own | {"imported": True}))
    assert "may have differed between them" in imported and "Only the seeds vary" not in imported


def test_ranges_bound_what_a_boundary_shows_too():
    assert "outside the ranges that trials were drawn from: `lr 1e-06..1`" in text_of(kept(search=None))


def test_a_curve_of_two_stages_has_a_heading_of_its_own():
    def headings(twin):
        return [plain(block.text) for block in compose(twin, "en") if isinstance(block, Heading)]

    assert {"Along lr", "Search"} <= set(headings(kept()))
    assert "Trials of `boundary`, `search`, whose other settings vary too" in text_of(kept())
    alone = headings(kept("lightning"))
    assert "Along lr" in alone and "Search" not in alone


def test_a_lost_trial_s_last_yardstick_stands_in_brackets():
    twin = kept("lightning")
    lost = [trial for trial in twin["trials"] if trial["verdict"] == "DIVERGED"]
    last = [row[5] for row in tables.trials_table(twin, EN).rows if row[3] == "DIVERGED"]
    known = [trial["yardstick"] is not None for trial in lost]
    assert [cell.startswith("lost (") for cell in last] == known and any(known)


@pytest.mark.parametrize("lang", CATALOGUES)
@pytest.mark.parametrize("key", ["answer_inside", "answer_outside", "rec_inside", "rec_outside"])
def test_no_bound_is_told_without_steps_risk_and_confidence(lang, key):
    assert all(f"{{{field}}}" in CATALOGUES[lang][key] for field in ("steps", "risk", "confidence"))


@pytest.mark.parametrize("shape", ["plain", "inert", "prints"])
def test_the_answer_has_three_sentences_also_where_a_setting_is_inert(shape):
    twin = kept()
    twin["liveness_details"] |= {
        "plain": {},
        "inert": {"inert": ["clip"]},
        "prints": {"inert": ["clip", "huber"], "prints": ["huber"]},
    }[shape]
    for own in twin["boundary"].values():
        own["inside_stuck"] = 0  # what learned nothing inside a bound has a sentence of its own beside it
    head, _ = answer(twin, EN)
    assert len(head) == 3
    assert all(len(re.findall(r"[.](?:\s|$)", plain(sentence))) == 1 for sentence in head)


def test_one_arm_without_a_divergence_is_told_how_many_seeds_would_show_something():
    study = StudyFrames()
    for seed in range(3):
        study.trial("compare", "basic", seed, params=BASIC)
    twin = build(make_spec(arms={"basic": BASIC}, compare=None), study.frames(), ENVIRONMENT)
    assert (
        told(recommendation(twin, EN))
        == "59 seeds without a divergence would exclude a rate of 5% or more at 95% confidence."
    )


@pytest.mark.parametrize("lang", ["en", "fa"])
def test_losses_too_large_to_be_added_up_have_a_report(lang):
    study = StudyFrames()
    for seed in range(3):
        study.trial("compare", "basic", seed, params=BASIC, level=1e200 * (seed + 1))
        study.trial("compare", "enhanced", seed, params=ENHANCED, level=1.7e308)
    twin = build(make_spec(), study.frames(), ENVIRONMENT)
    assert "± " in text_of(twin, lang)
    assert "inf" in text_of(twin, lang)
    assert not math.isnan(len(html.render(compose(twin, lang), lang, dict.fromkeys(FIGURES, b""))))


def test_the_table_of_all_trials_keeps_its_order_in_persian_and_its_names_harmless():
    study = StudyFrames()
    evil = "[x](http://evil)"
    study.trial("compare", evil, 0, params=BASIC)
    twin = build(make_spec(arms={evil: BASIC}, compare=None), study.frames(), ENVIRONMENT)
    rows = [line for line in text_of(twin, "fa").splitlines() if "> ۴" in line and line.startswith("|")]
    assert len(rows) == 1 and "\u2066\\> ۴\u2069" in rows[0]
    assert "\\[x\\](http" in rows[0] and "[x](http" not in text_of(twin, "en").replace("\\[x\\]", "").replace(
        "`[x](http", ""
    )


def test_english_words_in_a_persian_page_say_so():
    page = html.render(compose(kept(), "fa"), "fa", dict.fromkeys(FIGURES, b""))
    assert '<bdi dir="ltr" lang="en"><code>basic</code></bdi>' in page
    assert 'lang="en"><code>' not in html.render(compose(kept(), "en"), "en", dict.fromkeys(FIGURES, b""))
