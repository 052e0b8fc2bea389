"""What a program says of itself in words: that its numbers were not finite any more, or something else."""

from __future__ import annotations

import re

THEN = "; then "
"""Parts what a program said from what it ended with."""
WITHOUT_ROLE = "a number that is not finite was printed, and nothing says of what"
"""Begins what is said of a line that may be about anything."""
_NAN = (
    r"(?<![A-Za-z0-9_.-])[-+]?(?:nans?|infs?|infinit(?:e|y|ies)|non-?\s?finite"
    r"|not (?:a )?finite|not a number)(?![A-Za-z0-9_])(?![-./]\w)"
)
_NUMBERS = r"(?:loss|cost|objective|grad|gnorm|weight|logit|activation|parameter|norm|score|output|value)"
_BROKE = (
    r"\b(?:loss|losses|training|model|gradients?|optimi[sz]ation)\b[^.:;]{0,40}"
    r"\b(?:diverg|explod|blew up|blown up)"
    r"|\b(?:diverged|exploded|exploding)\b[^.:;]{0,40}\b(?:loss|training|gradients?)\b"
    r"|\bloss(?:es)?\b[^.:;]{0,20}\b(?:too (?:large|big|high)|unstable)\b[^;]{0,40}"
    r"\b(?:fail|abort|stop|exit|end)"
    r"|\bloss\b(?:[^.;]|\.\d){0,30}\b(?:exceed|above|larger than|greater than)(?:[^.;]|\.\d){0,40}"
    r"\b(?:fail|abort|stop|exit|terminat)"
    r"|\btraining\b[^.:;]{0,20}\bunstable\b[^.;]{0,40}\b(?:fail|abort|stop|exit|terminat)"
    r"|\bdiverg(?:ed|ence|ing)\b[^.;]{0,30}\b(?:detected\b|stopping|aborting|exiting|terminating)"
    r"|\binvalid loss\b|\bloss scale\b[^.;]{0,40}\bminimum|\bminimum loss scale\b|\bfound invalid values\b"
)
_ENDS = (
    r"\b(?:stop(?:ped|ping|s)?\b|abort|terminat|halt(?:ed|ing)?"
    r"|exiting|quitting|giv(?:e|ing) up|cannot continue)|abgebrochen|abbruch|停止|终止|中止|중단"
    r"|останов|прерван"
)
_NOT_A_NUMBER = re.compile(rf"(?i){_NAN}")
_OF_LOSS = re.compile(
    r"(?i)loss|\bcost|objective|verlust|\bperte\b|p[eé]rdida|\bperda\b|потер"
    r"|损失|損失|손실"
)
_ENDING = re.compile(rf"(?i){_ENDS}")
_MET = r"\b(?:encountered|found|detected|got|produced|became|contains?|is|are|was)\s+(?:an?\s+)?"
_OF_NUMBERS = re.compile(rf"(?i){_NUMBERS}")
_DENIED = re.compile(
    r"(?i)\b(?:no|not any|without|checks?|checked|checking|if|when|0|zero|false|all finite|policy|scal\w+)\b"
)
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


def says_training_broke(line: str) -> bool:
    """Whether a line says that a training diverged, exploded or was given up for its loss."""
    return _TRAINING_BROKE.search(line) is not None


def mentions_nonfinite(line: str) -> bool:
    """Whether words have one such as NaN among them, and do not deny it or name a number."""
    if speaks_of_broken_training(line):
        return True
    is_name = line.rstrip().endswith((":", "="))
    return _NOT_A_NUMBER.search(line) is not None and _DENIED.search(line) is None and not is_name


def speaks_of_broken_training(line: str) -> bool:
    """Whether a line says, in words, that the loss is not finite or that the program ends for that."""
    if _TRAINING_BROKE.search(line):
        return True
    if not _NOT_A_NUMBER.search(line):
        return False
    if _OF_LOSS.search(_SCALING.sub(" ", line)) or _ENDING.search(line):
        return True
    return _OF_NUMBERS.search(line) is not None and _DENIED.search(line) is None
