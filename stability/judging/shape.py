"""What one series of a training did: learned, gave back, ended above its start, and so on. Pure numbers.

A shape is made of differences between levels, in units of the series' own noise, so it is the same in any
unit. A constant that is added changes only what is asked of numbers above 0 as they are: growth by orders of
magnitude (`is_multiple`, `_runs_away`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from itertools import pairwise

from stability.judging.policy import Policy
from stability.judging.trend import MANY, WINDOWS, Trend, blocks, falls, median, quiet, scatter, trend

FEWEST = 4
"""Of fewer numbers no order is unlikely: three fall in order by chance in one case of six."""
HOPELESS = 1e4
"""A loss that ends so many times its first scatter above its start has no working level there. Of the
recorded healthy ones, GANs and tasks that get harder among them, none rises by more than 110 times."""
STEEPER = 0.6
"""A straight line's last numbers are above its last level by half of what that gained on the one before."""
THOUSANDFOLD = 1000.0
"""A single number so many times its noise above the start, in a loss that learned nothing, is no accident."""
FASTER = 2.5
"""Four numbers of noise grow by steps of which each is so many times the one before in one case of 1000."""
LONE = 20.0
"""A single number may be so many times as far off as three neighbours."""


class Course(StrEnum):
    """What a series did, seen as a loss: lower is better."""

    SHORT = "short"  # fewer than `FEWEST` numbers, and nothing drastic among them
    FLAT = "flat"  # no change beyond its noise
    LEARNED = "learned"  # ended below its start, and near its best
    SPIKED = "spiked"  # learned, after an excursion far larger than what it learned
    PART = "gave back part"  # ended below its start, and gave back half or more of what it had learned
    BACK = "gave back"  # gave back nearly all, or more
    RETURNED = "returned"  # went far above its start, and ended where it had begun
    ABOVE = "above its start"  # ended above its start, by far more than noise
    ROSE = "rose"  # ended above its start, as a loss does that has no direction or began near 0
    EXPLODED = "exploded at the end"  # its last numbers are far above all that it had learned


@dataclass(frozen=True, slots=True)
class Shape:
    """`at` is the index where it began to go wrong, `given_back` the share of what had been learned."""

    course: Course
    trend: Trend | None
    at: int = 0
    given_back: float = 0.0


def shape(
    values: Sequence[float], policy: Policy, *, exact_start: bool = False, declared: bool = False
) -> Shape:
    """The shape of finite `values`.

    `exact_start`: the first is a measurement without noise of its own. `declared`: a person said that they
    should fall, so a few numbers far above the first are enough.
    """
    if not values:
        return Shape(Course.SHORT, None)
    t = trend(values, exact_start=exact_start)
    if _runs_away(values):
        return Shape(Course.ABOVE, t, at=_leaves(values, t.start, t.end))
    if len(values) < FEWEST:
        return Shape(Course.SHORT, t)
    if _explodes_at_the_end(t, policy):
        return Shape(Course.EXPLODED, t, at=_leaves(values, t.end, t.tail))
    questions = (_gave_back, _returned, partial(_rose, declared=declared), _learned)
    for question in questions:
        if (found := question(values, t, policy)) is not None:
            return found
    if (last := _ends_off_its_best(values, t, policy)) is not None:
        return last
    if _spiked_a_thousandfold(values, t):
        return Shape(Course.RETURNED, t, at=values.index(t.top))
    jumped = t.top - t.start > policy.excursion_noise * t.noise and t.end > t.start
    return Shape(Course.ROSE if jumped and t.n >= MANY else Course.FLAT, t)


def _gave_back(values: Sequence[float], t: Trend, policy: Policy) -> Shape | None:
    """It learned, and its last numbers lie far above its best."""
    learned = t.start - t.best
    best_error = t.error(min(t.best_noise, t.noise))
    if not learned > policy.level_errors * math.hypot(t.start_error, best_error):
        return None
    share = (t.end - t.best) / learned
    limit = t.best + policy.level_errors * best_error
    if share < policy.given_back_part or not _stays_above(values, t, limit):
        return None
    at = _leaves(values, t.best, t.end)
    if share < policy.given_back:
        return Shape(Course.PART, t, at, share)
    above = (t.end - t.start) / learned
    swings = above < 10.0 and t.highest - t.end > 0.5 * (t.end - t.best)
    doubtful = swings or (above < 100.0 and _falls_again(values, at)) or (above < 3.0 and _climbs_slowly(t))
    return Shape(Course.ROSE if doubtful else Course.BACK, t, at, share)


def _returned(values: Sequence[float], t: Trend, policy: Policy) -> Shape | None:
    """An excursion far above noise and gain, and an end at the start, up to a few numbers' noise."""
    gain, excursion = t.start - t.end, t.peak - t.start
    far = excursion > 2.0 * policy.excursion_noise * min(t.noise, t.end_noise, t.best_noise)
    if not (far and excursion > policy.excursion_gain * abs(gain)):
        return None
    learned = gain > policy.level_errors * math.hypot(t.start_error, t.error(t.end_noise))
    if learned or abs(gain) >= policy.returned_noise * t.end_noise:
        return None
    limit = t.start + min(policy.excursion_noise * t.noise, 0.5 * excursion)
    at_once = next((i for i, value in enumerate(values) if value > limit), 0) <= _soon(t)
    at_once = at_once and t.peak_at <= max(10, t.n // 10)
    return Shape(Course.RETURNED if at_once else Course.ROSE, t, at=t.peak_at)


def _rose(values: Sequence[float], t: Trend, policy: Policy, *, declared: bool) -> Shape | None:
    """Its last numbers lie above its start."""
    rise = t.end - t.start
    beyond_noise = rise > policy.level_errors * math.hypot(t.start_error, t.error(t.end_noise))
    below = sum(value <= t.start for value in values[1:])
    always = (t.start_error == 0.0 or declared) and below <= (t.n - 1) // 10
    by_chance = falls([-level for level in t.blocks])
    rose = beyond_noise or always or by_chance < policy.learned_chance / 5
    perhaps = t.n < MANY and by_chance < policy.learned_chance  # too few for more than a doubt
    if not (rise > 0.0 and (rose or perhaps)):
        return None
    at = _leaves(values, t.start, t.end)
    far = rise > policy.rise_noise * min(t.noise, t.end_noise)
    comes_back = t.n >= MANY and min(values[_soon(t) :]) < t.start + rise / 3.0
    hump = t.peak_at > _soon(t) and t.peak - t.end > policy.excursion_gain * rise
    steps_up = at <= 2 and t.n >= MANY and t.peak - t.start < 1.3 * rise  # to a level where it stays, calmly
    doubtful = comes_back or hump or steps_up or _settles(t)
    doubtful = doubtful or (at > t.n // 10 and _falls_again(values, at))
    few = t.n < MANY and not (t.exact or declared)
    certain = (rose and far and not (doubtful or few)) or _is_hopeless(t)
    return Shape(Course.ABOVE if certain else Course.ROSE, t, at)


def _learned(values: Sequence[float], t: Trend, policy: Policy) -> Shape | None:
    """Its last numbers lie below its start."""
    gain = t.start - t.end
    beyond_noise = gain > policy.level_errors * math.hypot(t.start_error, t.error(t.end_noise))
    if t.n < MANY:
        kept = gain > (1.0 - policy.given_back_part) * (t.start - min(values))
        calm = kept and gain > policy.level_errors * scatter(values[t.n // 3 :])
        beyond_noise = calm or _stays_below(values, t)
    chance = policy.learned_chance if t.n < 10 else policy.learned_chance / 5
    if not (gain > 0.0 and (beyond_noise or falls(t.blocks) < chance)):
        return None
    last, far = values[-t.window :], policy.excursion_noise * t.noise
    if t.peak - t.start > max(far, policy.excursion_gain * gain):
        return Shape(Course.SPIKED, t, at=t.peak_at)
    if t.top - t.start > max(far, LONE * policy.excursion_gain * gain):
        return Shape(Course.SPIKED, t, at=values.index(t.top))
    # Rare numbers may be so large that their mean undoes what the median gained.
    undone = sum(value / len(last) for value in last) - t.start
    if undone > policy.level_errors * t.error(t.end_noise):
        return Shape(Course.SPIKED, t, at=t.n - t.window + max(range(t.window), key=last.__getitem__))
    return _ends_off_its_best(values, t, policy) or Shape(Course.LEARNED, t)


def _stays_below(values: Sequence[float], t: Trend) -> bool:
    """Whether a first measurement without noise is followed, at last, by some that keep half of the gain.

    The yardstick of the same data differs only as the weights do, so no noise brings them there.
    """
    last = values[-max(2, t.n // 2) :]
    return t.exact and max(last) < t.start - 0.5 * (t.start - t.end)


def _spiked_a_thousandfold(values: Sequence[float], t: Trend) -> bool:
    """Whether one number is no accident; of numbers that are equal but for it, the size stands for noise."""
    changes = [abs(after - before) for before, after in pairwise(values) if after != before]
    calm = min(changes, default=0.0) if t.exact else t.noise
    if sum(value == t.start for value in values) >= t.n - max(1, t.n // 10):
        calm = abs(t.start)
    enough = t.n >= MANY or t.exact or calm == abs(t.start)
    return enough and t.top - t.start > THOUSANDFOLD * calm > 0.0


def _ends_off_its_best(values: Sequence[float], t: Trend, policy: Policy) -> Shape | None:
    """Its very last numbers, too few to make a level, give back much of what it had learned."""
    last, best = (t.tail, t.best) if t.n >= MANY else (values[-1], min(values[1:]))
    learned = t.start - best
    noise = quiet(values) if t.exact else policy.excursion_noise / 2.5 * max(t.noise, t.end_noise)
    if last - best < policy.given_back_part * learned or not learned > 2.5 * noise:
        return None
    if not (t.exact or last - min(t.end, best) > 2.5 * noise):
        return None
    return Shape(Course.PART, t, t.n - 1, (last - best) / learned)


def _stays_above(values: Sequence[float], t: Trend, limit: float) -> bool:
    """Whether nine of ten of the last numbers are above a limit, or all of those that make the last level.

    Of many, their levels will do in the last three tenths: single numbers scatter more than what was learned.
    """
    last = [value > limit for value in values[-max(t.window, min(3, t.n // 3)) :]]
    half = last[-max((t.window + 1) // 2, min(3, t.n // 3)) :]
    if last.count(False) <= len(last) / 10 or all(half):
        return True
    return t.n >= 10 * WINDOWS and min(t.blocks[-3:]) > limit


def _is_hopeless(t: Trend) -> bool:
    """Whether a series ended so far above its start that no training works there."""
    return t.end - t.start > HOPELESS * t.start_noise > 0.0 or is_multiple(t, HOPELESS)


def is_multiple(t: Trend, factor: float) -> bool:
    """Whether a series that began above 0 ended at more than `factor` times its start."""
    return t.end > factor * t.start > 0.0


def _runs_away(values: Sequence[float]) -> bool:
    """Whether all numbers grow, by ever larger steps: each `FASTER` times the one before, or to more than ten
    times the first from above 0.

    Of two or three numbers: above 0, and to more than a million times. No noise does that.
    """
    first, last = values[0], values[-1]
    if len(values) < FEWEST:
        return len(values) > 1 and last > 1e6 * first > 0.0
    steps = [after - before for before, after in pairwise(values)]
    if not (steps[0] > 0.0 and all(before <= after for before, after in pairwise(steps))):
        return False
    faster = all(after > FASTER * before for before, after in pairwise(steps))
    return faster or last > 10.0 * first > 0.0


def _explodes_at_the_end(t: Trend, policy: Policy) -> bool:
    lift = t.tail - t.end
    above = t.tail > t.start and lift > max(t.start - t.best, 0.0)
    far = lift > policy.excursion_noise * max(t.noise, t.end_noise)
    return t.n >= MANY and above and far and lift > STEEPER * (t.end - t.blocks[-2])


def _falls_again(values: Sequence[float], at: int) -> bool:
    """Whether the numbers after a rise come down steadily: the task got harder, or the training recovers."""
    rest = values[at:]
    return len(rest) >= MANY and falls(blocks(rest)) < 0.05


def _climbs_slowly(t: Trend) -> bool:
    """Whether it took a quarter of the series to climb from its best to its end, and has stopped climbing."""
    if len(t.blocks) < 10:
        return False
    low = min(t.blocks)
    near = low + 0.1 * (t.end - low)
    best = max(i for i, level in enumerate(t.blocks) if level <= near)
    high = low + 0.9 * (t.end - low)
    arrived = next((i for i, level in enumerate(t.blocks) if i > best and level >= high), len(t.blocks))
    return arrived - best >= 3 and arrived <= 7


def _settles(t: Trend) -> bool:
    """Whether the level rose by and by, and has stopped: so does a loss that nears its working level."""
    if len(t.blocks) < 10:
        return False
    first, middle, last = t.blocks[0], t.blocks[len(t.blocks) // 2], t.blocks[-1]
    rise = last - t.start
    on_the_way = sum(t.start + 0.1 * rise < level < t.start + 0.9 * rise for level in t.blocks)
    return first < t.start + 0.5 * rise and on_the_way >= 2 and abs(last - middle) < 0.25 * rise


def _soon(t: Trend) -> int:
    """How many numbers an explosion may take that began with the first updates."""
    return max(5, t.n // 50)


def _leaves(values: Sequence[float], low: float, high: float) -> int:
    """The index from which on the numbers stay above the middle between two levels, medians of three."""
    middle = low + 0.5 * (high - low)
    smooth = [median(values[max(0, i - 1) : i + 2]) for i in range(len(values))]
    below = [i for i, value in enumerate(smooth[:-1]) if value <= middle]
    return below[-1] + 1 if below else 0
