"""A line of text -> its numbers, each with the words that name it. Knows no program and no meaning."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stability.logs.fields import UNNAMED, Field, Line, value_of
from stability.logs.number_format import NONFINITE, nonfinite
from stability.logs.vocabulary import place_behind, speaks, split_of
from stability.logs.words import UNITS

_DATES = (
    r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}(?:[T _,]{1,2}\d{1,2}:\d{2}(?::\d{2})?(?:[.,]\d+)?)?"
    r"(?:Z|\s?[+-]\d{2}:?\d{2}\b)?",
    r"\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4}(?![\d.])",
    r"\d{1,2}[/-]\d{1,2}\s+\d{1,2}:\d{2}(?::\d{2})?(?:[.,]\d+)?",
    r"(?:\d{1,2}[ -])?\b(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*[ -]+"
    r"\d{1,4}(?:,? +\d{4})?\b",
)
_TIMES = (
    r"\d+:\d{2}:\d{2}(?:[.,]\d+)?(?:<[\d:?]+)?",
    r"\d{1,3}:\d{2}(?![\d:.])(?:<[\d:?]+)?",
    r"\d+(?:h|hr|hrs)\s?\d+(?:m|min)(?:\s?\d+s)?",
    r"\d+m\s?\d+(?:\.\d+)?s\b",
    r"\d+\s?days?,?\s+\d+:\d{2}:\d{2}",
)  # fmt: skip
_OTHERS = (
    r"\w+://\S+",
    r"(?<![\w)\]])[.~]{0,2}/[\w.+=-][\w./+=-]*",
    r"\d+\.\d+\.\d+[\w.+-]*",
    r"0x[0-9a-fA-F]+",
    r"\b\d[0-9a-f]*[a-f][0-9a-f]{10,}\b",
)  # fmt: skip
_DIGITS = (
    r"(?:\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?|"
    r"\d+,\d+(?:[.,]\d+)*|\d+(?:\.\d+|\.(?![\w.]))?|\.\d+)(?:[eE][-+]?\d+)?"
)
_WORD = r"[^\W\d]\w*(?:(?:[./@+]|-(?=\w))\w+)*"


def _tokens(behind: str) -> re.Pattern[str]:
    """What a line is made of, in the order in which it is tried.

    `behind`: what may not stand right behind a word for NaN.
    """
    unit = r"(?P<tail>x+|ms|s|sec|it/s|[GMK]i?B|dB)?"
    return re.compile(
        rf"(?P<skip>{'|'.join((*_DATES, *_TIMES, *_OTHERS))})"
        rf"|(?P<nonfinite>(?<![\w.])[-+]?(?i:{NONFINITE})(?:\.0)?){unit}(?!{behind})"
        r"|(?P<fraction>(?<![\w./])(?P<of>\d+)\s*/\s*(?P<most>\d+|\?)(?![\w.]*/))"
        rf"|(?P<word>{_WORD})"
        rf"|(?P<number>(?:(?<![\w)\]])[-+])?{_DIGITS})(?P<unit>%|[^\W\d_][\w/]*)?"
        r"|(?P<blank>\s+)|(?P<sign>.)"
    )


_TOKEN = _tokens(r"\w|[-.]\w|/[^\W\d]")
"""`NaN/0` is a number and its limit, `nan/count` a name."""
_FORCED_TOKEN = _tokens(r"\w")
"""Where a number is due, a word for NaN is one whatever stands behind it."""
_WRAPPED = re.compile(
    r"(?:\b[A-Za-z_]\w*\.)*\b(?i:[a-z]*tensor|devicearray|array|arrayimpl|(?:np\.|numpy\.)?float\d*|variable|parameter)"
    r"\(\s*\[?(?P<inner>[^()\[\],]*?)\]?\s*(?:,[^()]*(?:\([^()]*\)[^()]*)*)?\)"
)
"""`tensor(2.5, device='cuda:0', grad_fn=<X>)`: the number alone says as much."""
_COUNTED = re.compile(r"(?P<word>(?i:epoch|epochs|ep|step|iter|iteration|it|batch))[_-]?(?P<count>\d+)")
_SENTENCE = re.compile(
    r"\w*(?:Error|Exception|Warning)|(?i:info|debug|warn|warning|error|critical|fatal|note)"
)
_LEVEL = re.compile(r"INFO|DEBUG|WARN|WARNING|ERROR|CRITICAL|FATAL|TRACE|(?i:info|debug|warning)")
_VERBS = frozenset((
    "found", "detected", "encountered", "is", "was", "are", "were", "has", "have", "got", "contains",
    "due", "to", "with", "or", "and", "of", "for", "a", "an", "if", "any", "no", "not", "be", "became",
    "becomes", "produced", "returned", "skip", "skipping", "skipped", "avoid", "avoiding",
))  # fmt: skip
"""Behind these a `nan` is part of a sentence."""
_SOFT = frozenset(",;|\t>*#•·│┃║~→—–!?")
_OPENING, _CLOSING = "([{<", ")]}>"
_LINKING = frozenset(("is", "was", "are", "were", "equals", "reached"))
_WIDE = str.maketrans("：，；（）＝％、｜［］", ":,;()=%,|[]")
_FAR = 3
"""So many blanks part the columns of a text."""
MOST_WORDS = 12


def unwrapped(text: str) -> str:
    """The line with `tensor(2.5, ...)` and the like written as 2.5."""
    return _WRAPPED.sub(lambda found: found["inner"] or " ", text) if "(" in text else text


def read_line(text: str, *, forced: bool = False) -> Line:
    """The fields of one line, tokens in the order they stand in.

    `forced`: a word such as `nan` is a number wherever it stands, since numbers stood there in other lines.
    """
    text = unwrapped(text if text.isascii() else text.translate(_WIDE))
    walk = _Walk(forced=forced)
    for token in (_FORCED_TOKEN if forced else _TOKEN).finditer(text):
        walk.take(token)
    part = walk.end()
    return Line(text, tuple(walk.named()), part)


class _Walk:
    """Goes through the tokens of one line, and keeps the words that may name the next number."""

    def __init__(self, *, forced: bool = False) -> None:
        self.fields: list[Field] = []
        self._forced = forced
        self._seen: list[str] = []
        self._words: list[str] = []
        self._is_over = False  # a new word begins a new name
        self._is_apart = True  # a number without words has no name
        self._open: list[tuple[list[str], int]] = []
        self._name, self._nth, self._unnamed = "", 0, 0
        self._part = ""
        self._carried: list[str] = []  # of `loss at step 5: 0.3` the words that name the 0.3
        self._first: int | None = None  # the field that begins what stands between two commas, if one does
        self._fresh = True  # nothing stands behind the last comma yet
        self._is_plain = True  # nothing but a number and words stood there so far
        self._after_sign = False  # : or = stands between words and what comes
        self._blank = 0

    def take(self, token: re.Match[str]) -> None:
        kind, text = token.lastgroup, token.group()
        if kind == "blank":
            self._blank = 9 if "\t" in text else len(text)
            if self._blank >= _FAR and self._words and not self._after_sign:
                self._is_over = True
            return
        match kind:
            case "word":
                self._word(token, text)
            case "sign":
                self._sign(text)
            case "skip":
                self._clear()
            case "nonfinite" | "tail":
                self._nonfinite(token, token["nonfinite"])
            case _:
                self._number(token)
        self._blank = 0

    def named(self) -> Iterator[Field]:
        """The fields; those without a name are told apart by the words of their line, but for `12/100`."""
        line = UNNAMED + " ".join(self._seen)
        for own in self.fields:
            yield own if own.name or own.most else own._replace(name=line)

    def _next_part(self) -> None:
        """`3.2 loss, 0.1 LR`: words behind the number that stands alone between commas name it."""
        if self._first is not None and self._is_plain and self._words and len(self.fields) == self._first + 1:
            own = self.fields[-1]
            if not own.most and own.unit != "%":
                self._name, self._nth = " ".join(self._words), 1
                part = next((part for word in self._words if (part := split_of(word))), own.part)
                self.fields[-1] = own._replace(name=self._name, nth=1, part=part)
                self._words = []
        self._first, self._is_plain = None, True

    def end(self) -> str:
        self._next_part()
        self._clear()
        return self._part

    def _word(self, token: re.Match[str], text: str) -> None:
        self._fresh = False
        if text.isalpha() and len(self._seen) < MOST_WORDS:
            self._seen.append(text)
        if self._is_unit(text, token.start()) and token.string[token.end() : token.end() + 1] not in (
            ":",
            "=",
        ):
            self.fields[-1] = self.fields[-1]._replace(unit=text)
            return
        if self._after_sign or self._is_over:
            self._clear()
        if _LEVEL.fullmatch(text):
            self._clear()
            return
        if counted := _COUNTED.fullmatch(text):
            self._words.append(counted["word"])
            self._add(counted["count"], token.start("word") + counted.start("count"), token.end())
            return
        self._words.append(text)

    def _is_unit(self, text: str, start: int) -> bool:
        """`812 ms`, `1.2 it/s`: a word that says what the number before it counts."""
        last = self.fields[-1] if self.fields else None
        near = last is not None and not self._words and start - last.end <= 1
        return near and text.lower() in UNITS

    def _sign(self, text: str) -> None:
        if text in ",;|":
            self._next_part()
            self._fresh = True
        elif text not in "\"'`":
            self._is_plain = self._is_plain and text not in ":=([{"
        if text in ":=":
            self._after_sign = bool(self._words)
            self._is_over = False
        elif text in _OPENING and text != "<":
            self._open.append((self._words, len(self.fields)))
            self._is_over = True
        elif text in _CLOSING and text != ">":
            self._closed(text)
        elif text in _SOFT or (text in "-." and self._blank):
            self._is_over = True
            self._is_apart = self._is_apart or not (self._open and self._name)
        elif text not in "\"'`/±":
            self._is_over = True

    def _closed(self, text: str) -> None:
        """`Mem [MB]: 5` is named before the brackets; what is in brackets alone names nothing behind them."""
        words, fields = self._open.pop() if self._open else ([], 0)
        if len(self.fields) > fields or not words:
            self._clear()
            self._is_apart = self._is_apart or text == "]"
        else:
            self._words = words
        self._is_over = False

    def _nonfinite(self, token: re.Match[str], text: str) -> None:
        """A word such as `nan` is a number where one may stand; elsewhere it is part of a sentence."""
        follows = token.string[token.end() : token.end() + 9].lstrip(" ")
        is_far = token.string[token.end() : token.end() + 2] == "  "
        if not self._forced and self._words and self._words[-1].lower() in _VERBS:
            self._words.append(text)
            return
        behind_number = bool(self.fields) and not self._words
        at_end = is_far or not follows.strip() or follows[0] in ",;|)]}/\"'	│"
        if (
            self._forced
            or behind_number
            or self._speaks()
            or (at_end and (self._after_sign or self._open or self._words))
        ):
            self._add(text, token.start(), token.end(), unit=token["tail"] or "")
        else:
            self._words.append(text)

    def _speaks(self) -> bool:
        """Whether the words before a number name it, or a sign does where they are no exception's name."""
        if not self._words:
            return False
        named = any(speaks(" ".join(self._words[-n:])) for n in (1, 2))
        return named or (self._after_sign and not _SENTENCE.fullmatch(self._words[-1]))

    def _number(self, token: re.Match[str]) -> None:
        if token.lastgroup == "fraction" or token["fraction"]:
            self._add(token["of"], token.start("of"), token.end("of"), most=token["most"])
        else:
            unit = token["unit"] or ""
            self._add(token["number"], token.start("number"), token.end("number"), unit=unit)

    def _add(self, text: str, start: int, end: int, *, most: str = "", unit: str = "") -> None:
        if self._fresh and (self._is_over or not self._words):
            self._first, self._is_plain = len(self.fields), True
        self._fresh = False
        part = self._named()
        value = nonfinite(text) if text[-1:].isalpha() or "∞" in text or "#" in text else value_of(text)
        self.fields.append(Field(self._name, self._nth, text, value, start, end, most, unit, part))
        self._is_over = self._after_sign = self._is_apart = False

    def _named(self) -> str:
        """Takes the words as the name of what comes next; which part of the data it is of."""
        while self._words and self._words[-1].lower() in _LINKING:
            self._words.pop()
        if not self._words and self._carried:
            self._words, self._carried = self._carried, []
        if not self._words:
            if self._is_apart or not self._name:
                self._unnamed += 1
                self._name, self._nth = "", self._unnamed
            else:
                self._nth += 1
            return self._part
        words, self._words = self._words, []
        own = next((part for word in reversed(words) if (part := split_of(word))), "")
        at = place_behind(words)
        self._carried, words = words[: max(0, at - 1)], words[at:]
        self._name, self._nth = " ".join(words), 1
        if own and len(words) + at > 1:
            self._part = own
        return own or self._part

    def _clear(self) -> None:
        """The words so far name no number: they may say of which data the next ones are."""
        for word in self._words:
            self._part = split_of(word) or self._part
        self._words, self._is_over, self._after_sign, self._is_apart = [], False, False, True
