"""Bytes as a program writes them -> lines of text, in bounded memory."""

from __future__ import annotations

import re

LONGEST = 64 * 1024
"""Characters of a line that are looked at; what a line has beyond them is dropped, and the line counted."""
_LINE_ENDS = bytes.maketrans(b"\r\b", b"\n\n")
_COLUMN_ONE = re.compile(r"\x1b\[\d*G")
_ESCAPE = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b\n]*(?:\x07|\x1b\\)?|[()][A-Za-z0-9]|[@-Z\\-_=>])"
)


class Lines:
    """Cuts a stream of bytes, given in any pieces, into lines without their ends.

    A carriage return ends a line, as progress bars use it, and so does a backspace. Escape sequences of
    terminals and NUL bytes are dropped, bytes that are no UTF-8 become U+FFFD, empty lines are left out.
    `cut` counts lines longer than `LONGEST`.
    """

    def __init__(self) -> None:
        self._rest = b""
        self._skipping = False  # within what a line has too much
        self.cut = 0

    def feed(self, piece: bytes) -> list[str]:
        """The lines that end in `piece`."""
        data = piece.translate(_LINE_ENDS, b"\0")
        if self._skipping:
            _, end, data = data.partition(b"\n")
            self._skipping = not end
        whole, _, self._rest = (self._rest + data).rpartition(b"\n")
        lines = self._text(whole)
        if len(self._rest) > LONGEST:
            lines += self._text(self._rest)
            self._rest, self._skipping = b"", True
        return lines

    def peek(self) -> list[str]:
        """The line that has not ended yet, as far as it goes; it comes again, whole, from `feed` or `end`."""
        return self._text(self._rest)

    def end(self) -> list[str]:
        """The last line, where it has no end."""
        lines, self._rest, self._skipping = self._text(self._rest), b"", False
        return lines

    def _text(self, data: bytes) -> list[str]:
        text = data.decode("utf-8", errors="replace")
        if "\x1b" in text:
            text = _ESCAPE.sub("", _COLUMN_ONE.sub("\n", text))
        lines = [line for line in text.split("\n") if line and not line.isspace()]
        if len(data) > LONGEST:
            lines = [self._shortened(line) for line in lines]
        return lines

    def _shortened(self, line: str) -> str:
        self.cut += len(line) > LONGEST
        return line[:LONGEST]
