"""Objectives that should rise: a bound, a likelihood, a reward. Turned over, each is a loss."""

from __future__ import annotations

from collections.abc import Iterable

from stability.logs.series import Series
from stability.logs.vocabulary import Meaning, Sort
from stability.logs.words import words_of

_BOUNDS = frozenset(("elbo", "vlb", "evidence", "bound"))
"""Some programs print them as they are, others times -1: below 0 they should rise."""
_LIKELIHOODS = frozenset(("likelihood", "loglik", "loglikelihood"))
_REWARDS = frozenset(("reward", "rewards", "return", "returns", "rew"))
_TURNED = frozenset(("negative", "neg", "minus", "nll"))
_SUMS = frozenset(("cumulative", "accumulated", "cum"))


def rising(table: Iterable[Series]) -> list[Series]:
    """The objectives among these, those first that say most: a reward is one where nothing else is."""
    found = [one for one in table if not (one.is_counter or one.has_unit or one.key.is_fraction)]
    bounds = [one for one in found if _should_rise(one)]
    return bounds or [one for one in found if _REWARDS & set(words_of(one.printed)) and one.key.nth == 1]


def turned(one: Series) -> Series:
    """The series as a loss, and the name of that."""
    words = [word for word in words_of(one.printed) if word not in ("train", "training", "val", "valid")]
    if one.meaning.sort is Sort.LOSS:
        name = "total"
    elif _LIKELIHOODS & set(words):
        name = "nll"
    else:
        name = "_".join(("negative", *words))
    one.meaning = Meaning(Sort.LOSS, name, one.meaning.is_average, is_turned=True)
    return one


def without_sums(losses: list[Series]) -> list[Series]:
    """Without what is summed from the beginning on, where something else is there."""
    return [one for one in losses if not _is_sum(one)] or losses


def not_followed(table: Iterable[Series]) -> list[Series]:
    """What says the same as a loss beside it, where there is one."""
    found = list(table)
    return [*rising(found), *(one for one in found if _is_sum(one))]


def _is_sum(one: Series) -> bool:
    return bool(_SUMS & set(words_of(one.printed)))


def _should_rise(one: Series) -> bool:
    words = set(words_of(one.printed))
    below = sum(value < 0.0 for value in one.values) > len(one.values) / 2
    if one.meaning.sort is Sort.LOSS:  # minus a loss; but `neg_loss` above 0 is one of negative examples
        return below and bool(_TURNED & words)
    if _TURNED & words:
        return False
    return bool(_LIKELIHOODS & words) or (below and bool(_BOUNDS & words))
