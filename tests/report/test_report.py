"""Whole reports: pinned in both languages, and every shape a study can have."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from study_frames import BASIC, ENHANCED, ENVIRONMENT, NAN, StudyFrames, make_spec, small_study

from stability.records import UserError
from stability.report import build, html, write
from stability.report.blocks import Heading, plain
from stability.report.figures import FIGURES
from stability.report.markdown import render
from stability.report.sections import compose

GOLDEN = Path(__file__).parents[1] / "golden"
REGENERATE = "STABILITY_REGENERATE_GOLDEN"
"""Set to 1 to rewrite the golden reports; then read the difference before committing it."""


def text_of(frames, lang="en", **changes) -> str:
    """The report in Markdown, without drawing."""
    blocks = compose(build(make_spec(**changes), frames, ENVIRONMENT), lang)
    return render(blocks, lang, {name: f"{name}.png" for name in FIGURES})


@pytest.mark.parametrize("lang", ["en", "fa"])
def test_golden_report(lang, tmp_path):
    path = write(make_spec(), small_study(), ENVIRONMENT, format="md", lang=lang, out=tmp_path)
    pinned = GOLDEN / path.name
    if os.environ.get(REGENERATE) == "1":
        pinned.write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    assert path.read_text(encoding="utf-8") == pinned.read_text(encoding="utf-8")
    linked = re.findall(r"\]\((figures/[\w.]+)\)", path.read_text(encoding="utf-8"))
    suffix = ".fa" if lang == "fa" else ""
    assert linked == [f"figures/{name}{suffix}.png" for name in ("loss_fan", "lr_curve", "failure")]
    assert all((tmp_path / name).read_bytes().startswith(b"\x89PNG") for name in linked)


def only(*stages: str):
    frames = small_study()
    frames.trials = frames.trials[frames.trials["stage"].isin(stages)]
    return frames


def one_trial():
    study = StudyFrames()
    study.trial("compare", "basic", 0, params=BASIC)
    return study.frames()


def every_trial(kind: str):
    study = StudyFrames()
    for stage, arms in (("compare", ("basic", "enhanced")), ("search", (None,))):
        for seed in range(7):
            for arm in arms:
                getattr(study, kind)(stage, arm, seed, params=ENHANCED if arm == "enhanced" else BASIC)
    return study.frames()


def without_yardstick():
    frames = small_study()
    frames.trials["yardstick_final"] = None
    frames.epochs = frames.epochs[frames.epochs["source"] != "yardstick"]
    return frames


SHAPES = {
    "no trials": StudyFrames().frames(),
    "one trial": one_trial(),
    "only compare": only("compare"),
    "only search": only("search"),
    "all diverged": every_trial("diverged"),
    "none diverged": every_trial("trial"),
    "all failed": every_trial("failed"),
    "no yardstick": without_yardstick(),
    "typed columns": small_study(),
}
SHAPES["typed columns"].trials = SHAPES["typed columns"].trials.convert_dtypes()


TOLD_NAN = re.compile(r"mel was nan|\"\w+\": \"nan\"|`nan`|<code>nan</code>|nan\\?_loss")
"""Where a report says that something was NaN."""


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_of_study_has_a_report(shape, tmp_path):
    written = {
        lang: write(make_spec(), SHAPES[shape], ENVIRONMENT, format="md", lang=lang, out=tmp_path).read_text()
        for lang in ("en", "fa")
    }
    twin = build(make_spec(), SHAPES[shape], ENVIRONMENT)
    written["json"] = json.dumps(twin, allow_nan=False)
    written["html"] = html.render(compose(twin, "fa"), "fa", dict.fromkeys(FIGURES, b""))
    for format, text in written.items():
        assert not re.search(r"\b(nan|None(?! of)|NaN)\b", TOLD_NAN.sub("", text)), format


def test_no_trials_say_nothing():
    text = text_of(SHAPES["no trials"])
    assert "No trial has given evidence yet, so nothing can be said." in text
    assert "There is nothing to recommend on yet." in text


def test_one_trial_is_insufficient_evidence():
    text = text_of(SHAPES["one trial"], compare=None)
    assert "`basic`: insufficient evidence: up to 95% divergence is still compatible." in text
    assert "No trial of `enhanced` gave evidence" in text_of(SHAPES["one trial"])


def test_arms_that_all_diverged_have_no_means():
    text = text_of(SHAPES["all diverged"])
    assert "no trial got here" in text
    assert "Every trial of the search diverged, the smallest at `1e-05`" in text
    assert "both diverged in at least half of their trials: keep neither as it is" in text
    assert "keep either" not in text


def test_failed_not_measured_and_not_comparable_are_different_cells():
    failed = text_of(SHAPES["all failed"])
    assert "| `basic` | 0 | 0 | failed | failed | failed | failed | 7 |" in failed
    assert "| n/a | n/a | yes |" in failed
    assert "not comparable: definitions differ" in text_of(small_study())


def test_more_divergence_is_said_without_a_cause():
    study = StudyFrames()
    for seed in range(9):
        study.trial("compare", "basic", seed, params=BASIC)
        study.diverged("compare", "enhanced", seed, params=ENHANCED)
    text = text_of(study.frames())
    assert (
        "`enhanced` diverged more often than `basic`: 9 of 9 trials against 0 of 9, within at most 4 steps"
        " (exact McNemar, p = 0.0039)." in text
    )
    assert "Prefer `basic` to `enhanced`" in text
    assert "preset difference" in text
    assert "seeds an arm" not in text


def test_survivors_alone_do_not_recommend():
    assert "with diverged trials ranked last, no difference was shown" in text_of(small_study())
    for seeds in (4, 8):  # with 4 pairs no rank test can reach 5%, and nothing diverged that it would add
        assert "On the yardstick alone, `enhanced` was lower by" in text_of(every_better(seeds))


def every_better(seeds):
    study = StudyFrames()
    for seed in range(seeds):
        study.trial("compare", "basic", seed, params=BASIC, level=2.0 + 0.01 * seed)
        study.trial("compare", "enhanced", seed, params=ENHANCED, level=1.8 + 0.011 * seed)
    return study.frames()


def test_the_answer_has_at_most_three_sentences():
    for frames in SHAPES.values():
        blocks = compose(build(make_spec(), frames, ENVIRONMENT), "en")
        sentences = re.findall(r"[.](?:\s|$)", plain(blocks[2].text))
        assert 1 <= len(sentences) <= 3


def test_one_differing_setting_is_not_called_a_preset_difference():
    arms = {"basic": BASIC, "enhanced": BASIC | {"lr": 8e-5}}
    text = text_of(small_study(), arms=arms)
    assert "differ in one setting, `lr`" in text
    assert "preset difference" not in text


def test_a_fixed_design_search_is_a_share_of_its_ranges():
    assert "the share of diverged trials is not a rate" in text_of(small_study())
    assert "a share of the searched ranges" in text_of(small_study(), plan=plan("sobol"))


def plan(sampler):
    return (SimpleNamespace(name="search", stage=SimpleNamespace(sampler=sampler)),)


def test_names_and_errors_cannot_break_out_of_their_cell():
    study = StudyFrames()
    evil = "a|b`<script>alert(1)</script>"
    arms = {evil: BASIC, "enhanced": ENHANCED}
    study.trial("compare", evil, 0, params=BASIC)
    study.failed("compare", "enhanced", 0, params=ENHANCED, error="Traceback\n[x](http://y) | *boom* <b>")
    text = text_of(study.frames(), arms=arms, compare=None)
    assert "| \\[x\\](http://y) \\| \\*boom\\* \\<b\\> |" in text
    assert "``a\\|b`<script>" in text
    blocks = compose(build(make_spec(arms=arms, compare=None), study.frames(), ENVIRONMENT), "en")
    page = html.render(blocks, "en", dict.fromkeys(FIGURES, b""))
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_long_studies_show_some_rows_and_name_the_rest():
    study = StudyFrames()
    for seed in range(50):
        study.diverged("compare", "basic", seed, params=BASIC)
    assert "Rows left out here, all of them in the JSON report: 10." in text_of(study.frames(), compare=None)
    frames = one_trial()
    rows = [(1, epoch, "yardstick", "total", 2.0, None, 1) for epoch in range(-1, 500)]
    frames.epochs = pd.DataFrame(rows, columns=frames.epochs.columns)
    text = text_of(frames, compare=None)
    assert "Some epochs are left out here" in text
    assert "| 499 |" in text
    assert text.count("| `basic` | 1 |") <= 9


def test_nonfinite_values_stand_beside_the_mean():
    frames = small_study()
    first = (frames.epochs["trial_id"] == 1) & (frames.epochs["epoch"] == 0)
    frames.epochs.loc[first, "value"] = NAN
    assert "; 1 non-finite |" in text_of(frames)


class Page(HTMLParser):
    """Collects what the checks below look at."""

    def __init__(self):
        super().__init__()
        self.tags, self.sources, self.attributes, self.focusable = [], [], {}, []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes.setdefault(tag, dict(attrs))
        self.focusable += [(tag, dict(attrs).get("aria-label"))] if ("tabindex", "0") in attrs else []
        self.sources += [value for name, value in attrs if name in ("src", "href")]


def test_html_is_one_self_contained_right_to_left_file(tmp_path):
    path = write(make_spec(), small_study(), ENVIRONMENT, format="html", lang="fa", out=tmp_path)
    page = Page()
    page.feed(path.read_text(encoding="utf-8"))
    assert page.attributes["html"] == {"lang": "fa", "dir": "rtl"}
    assert "bdi" in page.tags
    assert len(page.sources) == 3
    assert all(source.startswith("data:image/png;base64,") for source in page.sources)
    assert [own.name for own in tmp_path.iterdir()] == ["report.fa.html"]


@pytest.mark.parametrize("lang", ["en", "fa"])
def test_what_scrolls_in_html_is_reached_by_keyboard_and_tables_are_named(tmp_path, lang):
    path = write(make_spec(), small_study(), ENVIRONMENT, format="html", lang=lang, out=tmp_path)
    page = Page()
    page.feed(path.read_text(encoding="utf-8"))
    assert page.tags.count("main") == 1
    assert [tag for tag, _ in page.focusable].count("div") == page.tags.count("table") > 0
    assert [tag for tag, _ in page.focusable].count("pre") == page.tags.count("pre") > 0
    assert all(label for tag, label in page.focusable if tag == "div")


def test_persian_html_brings_its_font_and_english_html_does_not(tmp_path):
    sizes = {}
    for lang in ("en", "fa"):
        path = write(make_spec(), small_study(), ENVIRONMENT, format="html", lang=lang, out=tmp_path)
        text = path.read_text(encoding="utf-8")
        fonts = re.findall(r"data:font/woff2;base64,([\w+/=]+)", text)
        sizes[lang] = [len(base64.b64decode(font)) for font in fonts]
        assert "url(http" not in text
    assert sizes == {"en": [], "fa": [html.FONT.stat().st_size]}


def test_the_json_report_is_the_twin(tmp_path):
    path = write(make_spec(), small_study(), ENVIRONMENT, format="json", lang="en", out=tmp_path)
    assert path == tmp_path / "report.json"
    assert json.loads(path.read_text(encoding="utf-8")) == build(make_spec(), small_study(), ENVIRONMENT)


def test_writing_again_replaces_whole_files(tmp_path):
    for _ in range(2):
        write(make_spec(), small_study(), ENVIRONMENT, format="md", lang="en", out=tmp_path)
    names = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file())
    figures = ("failure", "loss_fan", "lr_curve")
    assert names == [*(f"figures/{name}.png" for name in figures), "report.md"]


def test_bad_requests_name_what_is_allowed(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    frames = small_study()
    with pytest.raises(UserError, match=r"^unknown report format 'pdf'; allowed: md, html, json$"):
        write(make_spec(), frames, ENVIRONMENT, format="pdf", lang="en", out=tmp_path)
    for format in ("md", "html", "json"):
        with pytest.raises(UserError, match=r"^unknown language 'de'; allowed: en, fa$"):
            write(make_spec(), frames, ENVIRONMENT, format=format, lang="de", out=tmp_path)
    with pytest.raises(UserError, match=r"^cannot write the report to .*: .+; choose another folder$"):
        write(make_spec(), frames, ENVIRONMENT, format="json", lang="en", out=blocked / "below")


def test_every_part_of_the_seed_report_has_its_heading():
    blocks = compose(build(make_spec(), small_study(), ENVIRONMENT), "en")
    titles = [plain(block.text) for block in blocks if isinstance(block, Heading)]
    assert titles == [
        "Divergence report: small",
        *(
            "The answer",
            "What was compared",
            "What the knobs do",
            "Numbers",
            "Comparison",
            "Change of yardstick",
            "Divergence",
            "Yardstick per epoch",
        ),
        *("Printed training losses per epoch", "Along lr", "First bad steps", "Search", "Recommendation"),
        *("What was not shown, and limits", "Infrastructure failures", "All trials", "How to reproduce"),
    ]


def test_reports_need_neither_torch_nor_optuna_nor_early_matplotlib():
    code = "import sys, stability.report; print(sorted({'torch', 'optuna', 'matplotlib', 'sqlalchemy'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
