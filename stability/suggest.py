"""What to say of an unknown name: the nearest allowed one, and all of them."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def suggest(name: object, allowed: Iterable[str]) -> str:
    """`; did you mean 'x'? (x, y, z)`: the end of every error about an unknown name."""
    by_lower_case = {candidate.lower(): candidate for candidate in allowed}
    close = difflib.get_close_matches(str(name).lower(), by_lower_case, n=1, cutoff=0.5)
    question = f" did you mean {by_lower_case[close[0]]!r}?" if close else ""
    return f";{question} ({', '.join(by_lower_case.values())})"
