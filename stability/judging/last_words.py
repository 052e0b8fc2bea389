"""What a program says of itself in words: that its numbers were not finite any more, or something else."""

from __future__ import annotations

import re

THEN = "; then "
"""Parts what a program said from what it ended with."""
WITHOUT_ROLE = "a number that is not finite was printed, and nothing says of what"
"""Begins what is said of a line that may be about anything."""
_NAN = (
    r"(?<![\w.-])[-+]?(?:nans?|infs?|infinit(?:e|y|ies)|non-?\s?finite|not (?:a )?finite|not a number)"
    r"(?!\w)(?![-./]\w)"
)
_NUMBERS = r"(?:loss|cost|objective|grad|gnorm|weight|logit|activation|parameter|norm|score|output|value)"
_BROKE = (
    r"\b(?:loss|losses|training|model|gradients?|optimi[sz]ation)\b[^.:;]{0,40}"
    r"\b(?:diverg|explod|blew up|blown up)"
    r"|\b(?:diverged|exploded|exploding)\b[^.:;]{0,40}\b(?:loss|training|gradients?)\b"
    r"|\binvalid loss\b|\bloss scale\b[^.;]{0,40}\bminimum|\bminimum loss scale\b|\bfound invalid values\b"
)
_ENDS = (
    r"\b(?:stop(?:ped|ping|s)?\b|abort|terminat|halt(?:ed|ing)?"
    r"|exiting|quitting|giv(?:e|ing) up|cannot continue)"
)
_NOT_A_NUMBER = re.compile(rf"(?i){_NAN}")
_OF_LOSS = re.compile(r"(?i)\b\w*(?:loss|cost|objective)\w*\b")
_ENDING = re.compile(rf"(?i){_ENDS}")
_MET = r"\b(?:encountered|found|detected|got|produced|became|contains?|is|are|was)\s+(?:an?\s+)?"
_OF_NUMBERS = re.compile(rf"(?i){_NUMBERS}")
_MET_ONE = re.compile(rf"(?i){_MET}{_NAN}")
_TRAINING_BROKE = re.compile(rf"(?i){_BROKE}")
_RAISED = re.compile(
    r"(?:^|[\s:'\"|.])(?P<name>[A-Za-z_]\w*(?:Error|Exception|Warning))\b:?(?P<said>.*)", re.DOTALL
)
_OTHERS = re.compile(
    r"(?:File|Module|Import|Key|Attribute|Type|Name|Syntax|Index|Permission|Unicode|JSON\w*|Connection|Indentation|OS|IO)\w*Error|FileNotFoundError"
)
_OVERFLOW = re.compile(r"(?i)math range|infinit|\bnan\b|too large|overflow")
_TO_WHOLE = re.compile(r"(?i)to C (?:long|int|ssize)|string length")
_SCALING = re.compile(r"(?i)loss[ _-]?scal\w*")
_ASSERTED = re.compile(r"(?i)\bassert\b.*(?:isfinite|is_finite|isnan|isinf|==\s*(?P<same>\w+))")


def names_nonfinite(error: str) -> bool:
    """Whether the last words of a program that failed say that a number of its training was not finite.

    `FloatingPointError`, an overflow, an error that speaks of NaN, a loss that is NaN or exploded; not an
    error about a file, a module or a key whose name has these letters.
    """
    return any(map(_names_nonfinite, error.split(THEN)))


def _names_nonfinite(error: str) -> bool:
    if WITHOUT_ROLE in error:
        return False
    raised = list(_RAISED.finditer(error))
    own = next(
        (one for one in reversed(raised) if one["name"] not in ("CommandFailed", "ChildFailedError")), None
    )
    if own is None:
        broke = _NOT_A_NUMBER.search(error) and _OF_NUMBERS.search(error)
        return bool(broke or _MET_ONE.search(error)) or speaks_of_broken_training(error)
    name, said = own["name"], own["said"]
    if name == "FloatingPointError":
        return True
    if name == "OverflowError":
        return _OVERFLOW.search(said) is not None and _TO_WHOLE.search(said) is None
    if _OTHERS.fullmatch(name):
        return False
    if name == "AssertionError" and _ASSERTED.search(error):
        return True
    return (
        _NOT_A_NUMBER.search(f"{name.replace('Error', ' ')} {said}") is not None
        or _TRAINING_BROKE.search(said) is not None
    )


def speaks_of_broken_training(line: str) -> bool:
    """Whether a line says, in words, that the loss is not finite or that the program ends for that."""
    if _TRAINING_BROKE.search(line):
        return True
    if not _NOT_A_NUMBER.search(line):
        return False
    return bool(_OF_LOSS.search(_SCALING.sub(" ", line)) or _ENDING.search(line))
