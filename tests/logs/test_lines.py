"""Bytes as programs print them -> lines: colours, progress bars, broken characters, endless lines."""

import random

import pytest

from stability.logs.lines import LONGEST, Lines
from stability.logs.text_source import Text
from stability.spec.command import TextSource


def lines(data: bytes, piece: int | None = None) -> list[str]:
    cutter = Lines()
    pieces = [data] if piece is None else [data[i : i + piece] for i in range(0, len(data), piece)]
    return [line for part in pieces for line in cutter.feed(part)] + cutter.end()


def test_colours_links_and_cursor_moves_are_dropped():
    data = b"\x1b[1m   --> STEP: 2/3\x1b[0m\n\x1b]8;;http://x\x07loss: \x1b[91m4.14\x1b[0m\x1b[K\n\x1b(B4\n"
    assert lines(data) == ["   --> STEP: 2/3", "loss: 4.14", "4"]


def test_every_state_of_a_progress_bar_is_a_line():
    tqdm = b"\r  0%|   | 0/3\r 33%|#  | 1/3 loss=2.0\r 66%|## | 2/3 loss=nan\n"
    assert lines(tqdm) == ["  0%|   | 0/3", " 33%|#  | 1/3 loss=2.0", " 66%|## | 2/3 loss=nan"]
    keras = b"1/2 [==>..]\x08\x08\x08\x08 - loss: 1.5\r\x1b[1G2/2 [====] - loss: 1.2\n"
    assert lines(keras) == ["1/2 [==>..]", " - loss: 1.5", "2/2 [====] - loss: 1.2"]


def test_windows_line_ends_and_empty_lines():
    assert lines(b"a\r\n\r\n   \nb\r\n") == ["a", "b"]


def test_broken_characters_and_nul_bytes_stay_local():
    assert lines(b"loss=\xff\xfe1\0.5 \xe2\x88\n") == ["loss=��1.5 �"]


def test_a_line_that_never_ends_is_cut_and_counted_once():
    cutter = Lines()
    got = []
    for _ in range(200):
        got += cutter.feed(b"x" * 50_000)
    got += cutter.feed(b"tail\nnext\n")
    assert [len(line) for line in got] == [LONGEST, len("next")]
    assert cutter.cut == 1


def test_the_pieces_do_not_matter():
    rng = random.Random(0)
    parts = [b"\x1b[31m", "∞ é".encode(), b"\r", b"\n", b"loss=nan", b" step 3 ", b"\0", b"\xc3", b"\x08"]
    for _ in range(200):
        data = b"".join(rng.choice(parts) for _ in range(rng.randrange(60)))
        whole = lines(data)
        assert lines(data, 1) == whole
        assert lines(data, rng.randrange(2, 9)) == whole


def test_what_has_not_ended_can_be_looked_at():
    cutter = Lines()
    assert cutter.feed(b"a\nloss=n") == ["a"]
    assert cutter.peek() == ["loss=n"]
    assert cutter.feed(b"an\n") == ["loss=nan"]


@pytest.mark.parametrize(
    ("expression", "why"),
    [(r"loss=\S+", r"'loss=\\S+' matched 2, but it names no group, such as (?P<loss>...)"),
     (r"loss=(?P<loss>\S+)", r"'loss=(?P<loss>\\S+)' matched 2, but `loss` was '2,0', which is no number")],
)  # fmt: skip
def test_what_matched_and_was_not_read_is_told(expression, why):
    text = Text(TextSource(train=[expression]))
    assert list(text.read(b"hello\nloss=2,0\nloss=1,5\n")) == []
    assert text.told("stdout") == f"3 lines came to parse.stdout; {why}"
