"""Every sentence of the report, filled with values. The only module that makes claims (with its catalogues).

A claim is a key in `words_en` and `words_fa`; both hold the same keys with the same fields. What a report
may not say (words that promise, or name a cause) is tested against both catalogues.
"""

from __future__ import annotations

import string
from dataclasses import dataclass

from stability.evidence.comparability import Reason
from stability.evidence.paired import IntervalMethod
from stability.evidence.proportions import NEWCOMBE_PAIRED, NEWCOMBE_UNPAIRED
from stability.evidence.rates import RateTest
from stability.records import UserError
from stability.report.blocks import Code, Inline, Latin, Strong, plain
from stability.report.numbers import Numbers
from stability.report.words_en import ENGLISH
from stability.report.words_fa import PERSIAN
from stability.spending import Spending

CATALOGUES = {"en": ENGLISH, "fa": PERSIAN}

TERMS: dict[str, str] = {
    RateTest.MCNEMAR: "name_mcnemar",
    RateTest.BARNARD: "name_barnard",
    NEWCOMBE_PAIRED: "name_newcombe_paired",
    NEWCOMBE_UNPAIRED: "name_newcombe_unpaired",
    IntervalMethod.BCA: "name_bca",
    IntervalMethod.STUDENT: "name_student",
    IntervalMethod.ONE_PAIR: "name_one_pair",
    IntervalMethod.ALL_EQUAL: "name_all_equal",
    Spending.OBRIEN_FLEMING: "name_obrien_fleming",
    Spending.POCOCK: "name_pocock",
    Reason.SAME: "reason_same",
    Reason.DEFINITIONS_DIFFER: "reason_definitions",
    Reason.LOSS_WEIGHTS_DIFFER: "reason_weights",
    Reason.NOT_RECORDED: "reason_unrecorded",
}
"""What the evidence calls things -> the key of its name."""

Value = str | int | Code | Latin | Strong | Inline


@dataclass(frozen=True, slots=True)
class Words:
    """The sentences and number formats of one language."""

    lang: str

    def __post_init__(self) -> None:
        if self.lang not in CATALOGUES:
            raise UserError(f"unknown language {self.lang!r}; allowed: {', '.join(CATALOGUES)}")

    @property
    def numbers(self) -> Numbers:
        return Numbers(self.lang)

    def say(self, key: str, **values: Value) -> Inline:
        """The sentence `key` with its fields filled; integers are written in the language's digits."""
        spans: list = []
        for text, field, _, _ in string.Formatter().parse(CATALOGUES[self.lang][key]):
            spans.extend([text] if text else [])
            if field is not None:
                spans.extend(self._spans(values[field]))
        return tuple(spans)

    def text(self, key: str, **values: Value) -> str:
        """`say` without mark-up."""
        return plain(self.say(key, **values))

    def named(self, term: str) -> Inline:
        """The name of a test, method or reason that the twin holds under its own term."""
        return self.say(TERMS[term])

    def listed(self, items: list[Inline]) -> Inline:
        """Items separated by the language's comma."""
        comma = CATALOGUES[self.lang]["comma"]
        spans: list = []
        for i, item in enumerate(items):
            spans.extend([comma] if i else [])
            spans.extend(item)
        return tuple(spans)

    def _spans(self, value: Value) -> Inline:
        if isinstance(value, tuple):
            return value
        if isinstance(value, int):
            return (self.numbers.count(value),)
        return (value,)
