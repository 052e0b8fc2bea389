"""What the report may say: both catalogues complete, and nothing in them that promises or blames."""

from __future__ import annotations

import re
import string

import pytest

from stability.records import UserError
from stability.report.blocks import Code, plain
from stability.report.words import CATALOGUES, TERMS, Words

FORBIDDEN = {
    "en": r"guarantee|caus(e|ed|es|ing)\b|\bbecause of\b|due to|\bsafe(ly)?\b|\bstable\b|\balways\b|prove[sn]?\b",
    "fa": r"تضمین|گارانتی|باعث|موجب|علت|به دلیل|(?<!نا)پایدار|امن|ایمن|بی‌خطر|همیشه|قطعاً|ثابت می‌کند|ثابت شد",
}


def fields(text: str) -> set[str]:
    return {field for _, field, _, _ in string.Formatter().parse(text) if field}


@pytest.mark.parametrize("lang", CATALOGUES)
def test_no_sentence_promises_or_blames(lang):
    found = {key: text for key, text in CATALOGUES[lang].items() if re.search(FORBIDDEN[lang], text, re.I)}
    assert found == {}


@pytest.mark.parametrize(
    ("lang", "claim"),
    [
        ("en", "The recipe is stable."),
        ("en", "A high learning rate caused it"),
        ("en", "guaranteed"),
        ("fa", "این تنظیم پایدار است"),
        ("fa", "نرخ بالا باعث انفجار می‌شود"),
    ],
)
def test_the_scan_finds_what_the_seed_report_said(lang, claim):
    assert re.search(FORBIDDEN[lang], claim, re.I)


def test_both_languages_hold_the_same_sentences_with_the_same_fields():
    english, persian = CATALOGUES["en"], CATALOGUES["fa"]
    assert list(english) == list(persian)
    assert {key: fields(text) for key, text in english.items()} == {k: fields(t) for k, t in persian.items()}


def test_persian_sentences_are_persian():
    digits_or_yeh = re.compile(r"[0-9يك]")
    prose = {key: re.sub(r"\{\w+\}|JSON|sha256", "", text) for key, text in CATALOGUES["fa"].items()}
    assert {key: text for key, text in prose.items() if digits_or_yeh.search(text)} == {}


def test_every_term_of_the_evidence_has_a_name():
    for lang in CATALOGUES:
        assert all(plain(Words(lang).named(term)) for term in TERMS)


def test_one_trial_gets_the_sentence_of_the_house():
    text = Words("en").text("answer_one_trial", arm=Code("basic"), upper="95%")
    assert text == "basic: insufficient evidence: up to 95% divergence is still compatible."


def test_integers_take_the_languages_digits():
    assert Words("fa").text("rows_left_out", count=120).endswith("۱۲۰.")


def test_an_unknown_language_is_refused():
    with pytest.raises(UserError, match=r"^unknown language 'de'; allowed: en, fa$"):
        Words("de")
