"""How many places the money affords: totals that keep the ceilings of all stated years together.

A ceiling (万元) is held against what is due (应下达) in its fiscal year; money that may come back is not
counted on. Openings are certain, closings independent of each other in each state of the nation, so the
joint probability over the years is exact: a product in each state, mixed.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property, lru_cache

import numpy as np
import pandas as pd

from zjtx_alloc.allocation import Allocation, allocate, unit_bounds
from zjtx_alloc.budget.accounts import Cohort, cohorts
from zjtx_alloc.budget.distribution import ACCURACY
from zjtx_alloc.budget.forecast import BudgetOutlook
from zjtx_alloc.budget.lattice import Lattice, added, certain
from zjtx_alloc.budget.outcomes import OutcomeAssumption
from zjtx_alloc.errors import DataError, InfeasibleError, ScenarioError
from zjtx_alloc.messages import say
from zjtx_alloc.policy import Award, load_award

_MOST = 10**6  # places a scenario can have
_TIMES = 50  # a ceiling this many times too wide is a slip of the unit
_BLOCK = 64  # totals that one look at their envelope may settle
_Years = dict[int, Lattice]  # fiscal year -> national money in steps


@dataclass(frozen=True)
class AffordableTotal:
    """The largest affordable total of a batch.

    Attributes
    ----------
    batch, total : int
        The batch; its total in places.
    confidence, probability : float
        The probability asked for, and that with which this total keeps all ceilings together.
    by_year : DataFrame
        Index fiscal_year; ceiling (万元), kept (probability that this year alone is kept).
    assumption : str
        What it rests on, one sentence.
    """

    batch: int
    total: int
    confidence: float
    probability: float
    by_year: pd.DataFrame
    assumption: str


def affordable_total(
    ceilings: Mapping[int, int],
    batch: int,
    allocations: tuple[Allocation, ...],
    outcomes: OutcomeAssumption,
    confidence: float,
) -> AffordableTotal:
    """The largest total T of a batch such that every total up to T keeps all ceilings with this probability.

    Every total is allocated anew under the batch's own scenario; the other batches stay as they are. Totals
    that the scenario's rules do not admit are passed over. Raising a ceiling never lowers the answer.

    Parameters
    ----------
    ceilings : mapping of fiscal year to whole 万元
        Only stated years count: state the closing years too, or later obligations go unwatched.
    batch : int
    allocations : tuple of Allocation
        The programme: the batch, and those that stay fixed.
    outcomes : OutcomeAssumption
        The declared assumption; there is no default.
    confidence : float
        Above 0, at most 1.

    Raises
    ------
    InfeasibleError
        If not even the smallest total keeps the ceilings.
    ScenarioError, DataError
        If the batch is not among the allocations, no ceiling concerns it, or the confidence is impossible.
    """
    question = _Question(dict(ceilings), (batch,), allocations, outcomes, confidence)
    cohort_of = _family(question.varied(batch))

    def keeps(cohort: Cohort) -> bool:
        return question.keeps(question.due(cohort))

    most = question.most(batch)
    sure = min(question.sure_total(batch), most)
    # Up to the sure total the chance is the same whatever the total, so one look settles them all.
    below = next((t for t in range(sure, 0, -1) if cohort_of(t) is not None), 0)
    settled = cohort_of(below) if below else None
    total = 0
    if settled is None or keeps(settled):
        total = max(_kept_in_turn(cohort_of, sure, most, keeps), default=below)
    if total == 0:
        raise InfeasibleError(say("affordable.none", batch=batch, confidence=confidence))
    cohort = cohort_of(total)
    assert cohort is not None  # only admitted totals are kept
    due = question.due(cohort)
    return AffordableTotal(batch, total, confidence, question.chance(due), question.by_year(due), outcomes.note())


def affordable_frontier(
    ceilings: Mapping[int, int],
    batches: tuple[int, int],
    allocations: tuple[Allocation, ...],
    outcomes: OutcomeAssumption,
    confidence: float,
) -> pd.DataFrame:
    """The pairs of totals of two batches of which neither can grow alone: the Pareto frontier.

    Every pair of smaller totals keeps the ceilings too. A pair is judged by the most firms that it or any
    smaller one gives each unit: exact where a larger total takes no place from any unit, and on the safe
    side under rules that make it do so.

    Parameters
    ----------
    ceilings, allocations, outcomes, confidence
        As in ``affordable_total``.
    batches : two ints

    Returns
    -------
    DataFrame
        Columns ``batch_<n>`` (places) for the two batches, and probability; the first ascending, the second
        descending. Empty if no pair keeps the ceilings.
    """
    question = _Question(dict(ceilings), batches, allocations, outcomes, confidence)
    envelopes = [_Envelope(_family(question.varied(batch)), question.most(batch)) for batch in batches]
    dues = [lru_cache(maxsize=8)(lambda t, e=envelope: question.due(e[t])) for envelope in envelopes]

    def keeps(one: int, two: int) -> bool:
        within = one <= envelopes[0].most and two <= envelopes[1].most
        return within and question.keeps(dues[0](one), dues[1](two))

    least = [envelope.least() for envelope in envelopes]
    rows: list[tuple[int, int, float]] = []
    for one, two in _staircase(keeps, least[0], least[1]):
        rows.append((one, two, question.chance(dues[0](one), dues[1](two))))
    return pd.DataFrame(rows, columns=[f"batch_{batches[0]}", f"batch_{batches[1]}", "probability"])


@dataclass(frozen=True, eq=False)
class _Question:
    """Ceilings, what is fixed, and how sure one wants to be."""

    ceilings: dict[int, int]
    batches: tuple[int, ...]
    allocations: tuple[Allocation, ...]
    outcomes: OutcomeAssumption
    confidence: float

    def __post_init__(self) -> None:
        if not 0 < self.confidence <= 1:
            raise DataError(say("affordable.confidence", confidence=self.confidence))
        for batch in self.batches:
            years = (self.award.opening_year(batch), self.award.closing_year(batch))
            self.varied(batch)
            if not set(years) & set(self.ceilings):
                raise DataError(say("affordable.no_ceiling", batch=batch, opening=years[0], closing=years[1]))
            sure, total = min(self.sure_total(batch), self.most(batch)), self.varied(batch).scenario.total
            if sure > _TIMES * total:
                raise DataError(say("affordable.unit", batch=batch, firms=sure, total=total, times=_TIMES))

    @property
    def award(self) -> Award:
        return load_award(self.varied(self.batches[0]).scenario.award)

    def varied(self, batch: int) -> Allocation:
        found = [a for a in self.allocations if a.scenario.batch == batch]
        if not found:
            known = "、".join(str(a.scenario.batch) for a in self.allocations)
            raise ScenarioError(say("affordable.batch", batch=batch, known=known))
        return found[0]

    def most(self, batch: int) -> int:
        """No total beyond this can be admitted."""
        allocation = self.varied(batch)
        scenario = allocation.scenario.model_copy(update={"total": _MOST})
        return min(_MOST, int(unit_bounds(allocation.panel, scenario)["cap"].sum()))

    def sure_total(self, batch: int) -> int:
        """Up to here the batch breaks no ceiling of its own two years, even if every firm completes."""
        firms = _MOST
        for year, ceiling in self.ceilings.items():
            each = self.award.opening * (year == self.award.opening_year(batch))
            each += self.award.closing * (year == self.award.closing_year(batch))
            if each:
                others = self._fixed.get(year)
                taken = 0 if others is None else (others.start + others.mass.shape[1] - 1) * self._step
                firms = min(firms, (ceiling - taken) // each)
        rate = self.varied(batch).scenario.approval.exact
        # floor(total x rate + 1/2) <= firms, as firms are approved
        return max(math.ceil((firms + Fraction(1, 2)) / rate) - 1, 0) if rate else _MOST

    def due(self, cohort: Cohort) -> _Years:
        """National money due for one cohort, by year."""
        return _national(BudgetOutlook((cohort,), self.award, self.outcomes))

    def keeps(self, *parts: _Years) -> bool:
        return self.chance(*parts) >= self.confidence - ACCURACY

    def chance(self, *parts: _Years) -> float:
        """Joint probability that all ceilings are kept."""
        kept = self._kept(parts)
        return float(self.outcomes.states.weights @ np.prod(list(kept.values()), axis=0))

    def by_year(self, *parts: _Years) -> pd.DataFrame:
        weights = self.outcomes.states.weights
        rows = {y: {"ceiling": self.ceilings[y], "kept": float(weights @ k)} for y, k in self._kept(parts).items()}
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("fiscal_year")

    def _kept(self, parts: tuple[_Years, ...]) -> dict[int, np.ndarray]:
        nothing = certain(0, len(self.outcomes.states.weights))
        money = {y: added(p.get(y, nothing) for p in (self._fixed, *parts)) for y in sorted(self.ceilings)}
        return {year: due.at_most(self.ceilings[year] // self._step) for year, due in money.items()}

    @cached_property
    def _fixed(self) -> _Years:
        fixed = cohorts(*(a for a in self.allocations if a.scenario.batch not in self.batches))
        return _national(BudgetOutlook(fixed, self.award, self.outcomes))

    @cached_property
    def _step(self) -> int:
        return BudgetOutlook((), self.award, self.outcomes).step


def _national(outlook: BudgetOutlook) -> _Years:
    return {year: added(units.values()) for year, units in outlook.by_state("due").items()}


def _family(allocation: Allocation) -> Callable[[int], Cohort | None]:
    """The batch's cohort at any total, allocated anew; None where the rules admit no such total."""

    @lru_cache(maxsize=2 * _BLOCK)
    def cohort(total: int) -> Cohort | None:
        scenario = allocation.scenario.model_copy(update={"total": total})
        try:
            return cohorts(allocate(allocation.panel, scenario))[0]
        except InfeasibleError:
            return None

    return cohort


def _kept_in_turn(
    cohort_of: Callable[[int], Cohort | None], start: int, most: int, keeps: Callable[[Cohort], bool]
) -> Iterator[int]:
    """Admitted totals above ``start``, in turn, up to the first that fails; not all are yielded.

    Fewer firms in every unit make less money due in every state (stochastic dominance), so a block of totals
    is kept if the most firms that any of them gives each unit would be; else each is looked at by itself.
    """
    size = 1
    while start < most:
        end, size = min(start + size, most), min(2 * size, _BLOCK)
        block = {t: cohort for t in range(start + 1, end + 1) if (cohort := cohort_of(t)) is not None}
        start = end
        if block and keeps(_most_firms(list(block.values()))):
            yield max(block)
            continue
        for total, cohort in block.items():
            if not keeps(cohort):
                return
            yield total


def _most_firms(found: list[Cohort]) -> Cohort:
    return replace(found[0], approved=pd.concat([c.approved for c in found], axis=1).max(axis=1))


class _Envelope:
    """The most firms that any total up to T gives each unit."""

    def __init__(self, cohort_of: Callable[[int], Cohort | None], most: int) -> None:
        self._cohort_of, self.most = cohort_of, most
        self._found: list[Cohort | None] = [None]

    def least(self) -> int:
        """The smallest admitted total; beyond ``most`` if there is none."""
        return next((t for t in range(1, self.most + 1) if self._cohort_of(t) is not None), self.most + 1)

    def __getitem__(self, total: int) -> Cohort:
        while len(self._found) <= total:
            both = [c for c in (self._found[-1], self._cohort_of(len(self._found))) if c is not None]
            self._found.append(_most_firms(both) if both else None)
        found = self._found[total]
        assert found is not None  # asked from the smallest admitted total on
        return found


def _staircase(keeps: Callable[[int, int], bool], one: int, least: int) -> Iterator[tuple[int, int]]:
    """Corners of a region that holds with any pair all smaller ones; each step looks at one new pair."""
    two = least
    if not keeps(one, two):
        return
    while keeps(one, two + 1):
        two += 1
    while two >= least:
        while keeps(one + 1, two):
            one += 1
        yield one, two
        one += 1
        while two >= least and not keeps(one, two):
            two -= 1
