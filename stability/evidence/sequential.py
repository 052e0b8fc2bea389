"""Two divergence rates, looked at before all seeds are in: when may a stage end, and what may be said then?

The test is exact McNemar, as without looks, and its question is the one that heads the report: do baseline
and treatment differ in how often they diverge? Yardsticks and further arms end nothing.

Where the arms do not differ, each discordant pair falls to either arm with probability 1/2, whatever happened
before and however many pairs are discordant. So given those numbers the count of one arm is a random walk
with known steps, and the limit of each look follows exactly: the smallest lead for which the probability of
having ended by then stays within what the spending function allows (Lan & DeMets, Biometrika 70:659, 1983).
What a look cannot use, because counts are whole, stays for the later ones. This keeps the level at any number
of pairs, also of lost ones; nothing in it is asymptotic.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from stability.evidence.proportions import NEWCOMBE_PAIRED, PairTable, paired_difference
from stability.evidence.rates import (
    Conclusion,
    RateComparison,
    RateTest,
    arm_rate,
    compare_rates,
    mcnemar,
    needs,
    pair_table,
)
from stability.evidence.selection import of_stage, pair_by_seed
from stability.spending import Spending, schedule, spent

NAMES = {Spending.OBRIEN_FLEMING: "O'Brien-Fleming", Spending.POCOCK: "Pocock"}


@dataclass(frozen=True, slots=True)
class Design:
    """The looks of a stage: `schedule` holds how many seeds are in at each, counted from `first_seed`."""

    baseline: str
    treatment: str
    arms: tuple[str, ...]
    first_seed: int
    schedule: tuple[int, ...]
    spending: Spending

    @property
    def trials(self) -> int:
        """All that are planned."""
        return self.schedule[-1] * len(self.arms)


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen after the first `seeds` seeds, and what it was compared with.

    `spent` is the error allowed so far. The stage ends where `p_value` is at most `level`; None: over so few
    discordant pairs nothing would end it. Intervals at `confidence` hold at all looks together.
    """

    seeds: int
    pairs: PairTable
    spent: float
    p_value: float
    level: float | None
    ended: bool
    confidence: float


@dataclass(frozen=True, slots=True)
class Course:
    """The looks that were made, none after one that ended the stage."""

    design: Design
    looks: tuple[Look, ...]

    @property
    def decided(self) -> bool:
        return bool(self.looks) and self.looks[-1].ended

    @property
    def ended_early(self) -> bool:
        return self.decided and len(self.looks) < len(self.design.schedule)

    @property
    def trials(self) -> int:
        """Trials that the looks rest on, infrastructure failures included."""
        return self.looks[-1].seeds * len(self.design.arms) if self.looks else 0


def design_of(spec: Any) -> Design | None:
    """The looks that a study plans in its stage `compare`; None where it plans none."""
    stage = next((entry.stage for entry in spec.plan if entry.name == "compare"), None)
    if stage is None or stage.early is None:
        return None
    ends = tuple(schedule(stage.seeds, stage.looks))
    sides = (spec.compare.baseline, spec.compare.treatment)
    return Design(*sides, tuple(spec.arms), spec.seed, ends, stage.early.spending)


def follow(trials: pd.DataFrame, design: Design) -> Course:
    """Make the looks for which every trial is stored, in order, up to the first that ends the stage.

    Depends on nothing but verdicts and seeds. A seed without evidence in one of the two arms is left out.
    """
    stored = of_stage(trials, "compare")
    there = set(zip(stored["arm"], stored["seed"], strict=True))
    tables: list[PairTable] = []
    for seeds in design.schedule:
        within = range(design.first_seed, design.first_seed + seeds)
        if any((arm, seed) not in there for arm in design.arms for seed in within):
            break
        pairs = pair_by_seed(stored[stored["seed"].isin(within)], design.baseline, design.treatment)
        tables.append(pair_table(pairs))
    looks = _looks(tables, design)
    ended = next((i for i, look in enumerate(looks) if look.ended), len(looks))
    return Course(design, tuple(looks[: ended + 1]))


def leads(discordant: Sequence[int], allowed: Sequence[float]) -> list[int | None]:
    """The lead in discordant pairs that ends the stage at each look; None where no possible lead does.

    `discordant` counts those so far at each look, `allowed` is the error that may be spent by it. Two-sided.
    """
    found: list[int | None] = []
    alive, used = np.ones(1), 0.0  # P(the treatment leads in j pairs, and no look has ended the stage)
    for before, now, limit in zip((0, *discordant), discordant, allowed, strict=False):
        alive = np.convolve(alive, stats.binom.pmf(np.arange(now - before + 1), now - before, 0.5))
        by_lead = np.abs(2 * np.arange(now + 1) - now)
        tails = {lead: used + alive[by_lead >= lead].sum() for lead in by_lead.tolist()}
        lead = min((lead for lead, total in tails.items() if total <= limit), default=None)
        found.append(lead)
        if lead is not None:
            used = tails[lead]
            alive = np.where(by_lead >= lead, 0.0, alive)
    return found


def compare(trials: pd.DataFrame, design: Design) -> tuple[RateComparison, Course]:
    """`compare_rates` by the rule of the looks: it concludes what the last look made does, and no more.

    The interval is at the confidence of that look, 1 - the error that it may spend: so all looks' intervals
    hold together with 95% (Bonferroni; whatever their dependence), and the one shown holds wherever it ends.
    """
    course = follow(trials, design)
    seeds = course.looks[-1].seeds if course.looks else 0
    seen = trials[trials["seed"].isin(range(design.first_seed, design.first_seed + seeds))]
    found = compare_rates(seen, design.baseline, design.treatment)
    conclusion = _conclude(course)
    if not course.looks or course.looks[-1].pairs.n == 0:
        return replace(_nothing(found), conclusion=conclusion), course
    look = course.looks[-1]
    difference = (look.pairs.treatment - look.pairs.baseline) / look.pairs.n
    rates = [arm_rate(seen, arm) for arm in (design.baseline, design.treatment)]
    by_the_rule = replace(
        found,
        difference=difference,
        ci=paired_difference(look.pairs, look.confidence),
        method=NEWCOMBE_PAIRED,
        p_value=look.p_value,
        test=RateTest.MCNEMAR,
        pairs=look.pairs,
        conclusion=conclusion,
        needed=() if look.ended else needs(*rates, paired=True),
    )
    return by_the_rule, course


def sentence(course: Course) -> str:
    """Why the stage ended early, for the person who watches the run."""
    look, design = course.looks[-1], course.design
    place = f"look {len(course.looks)} of {len(design.schedule)}"
    return (
        f"compare ended early after {place} ({course.trials} of {design.trials} planned trials): "
        f"exact McNemar p = {look.p_value:.2g}, at most {look.level:.2g} ends it there "
        f"({NAMES[design.spending]} spending, Lan-DeMets); "
        f"{design.trials - course.trials} trials are not needed"
    )


def _looks(tables: Sequence[PairTable], design: Design) -> list[Look]:
    ends = design.schedule[: len(tables)]
    allowed = [spent(design.spending, seeds / design.schedule[-1]) for seeds in ends]
    limits = leads([table.treatment_only + table.baseline_only for table in tables], allowed)
    increments = np.diff([0.0, *allowed]).tolist()
    rows = zip(ends, tables, allowed, limits, increments, strict=True)
    return [_look(*row) for row in rows]


def _look(seeds: int, table: PairTable, allowed: float, limit: int | None, increment: float) -> Look:
    one, two = table.baseline_only, table.treatment_only
    ended = limit is not None and abs(two - one) >= limit
    level = None if limit is None else mcnemar(_with_lead(one + two, limit))
    return Look(seeds, table, allowed, mcnemar(table), level, ended, 1 - increment)


def _with_lead(discordant: int, lead: int) -> PairTable:
    return PairTable(0, (discordant + lead) // 2, (discordant - lead) // 2, 0)


def _nothing(found: RateComparison) -> RateComparison:
    """No look, or none with a pair: there is nothing to state."""
    return replace(found, difference=None, ci=None, method=None, p_value=None, test=None, pairs=None)


def _conclude(course: Course) -> Conclusion:
    """INSUFFICIENT before the first look, and where pairs that all went one way would not have decided."""
    if not course.looks:
        return Conclusion.INSUFFICIENT
    look = course.looks[-1]
    if look.ended:
        more = look.pairs.treatment_only > look.pairs.baseline_only
        return Conclusion.TREATMENT_DIVERGES_MORE if more else Conclusion.BASELINE_DIVERGES_MORE
    sizes = [made.pairs.n for made in course.looks]
    decidable = leads(sizes, [made.spent for made in course.looks])[-1] is not None
    return Conclusion.NO_DIFFERENCE_SHOWN if decidable else Conclusion.INSUFFICIENT
