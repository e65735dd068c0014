"""What is asked of a total: ceilings of its fiscal years, kept together with some probability, beside fixed batches."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property, reduce
from itertools import pairwise

import numpy as np
import pandas as pd

from zjtx_alloc.allocation.allocate import Allocation, unit_bounds
from zjtx_alloc.allocation.allocate_programme import counted
from zjtx_alloc.base.errors import DataError, ScenarioError
from zjtx_alloc.base.messages import say
from zjtx_alloc.base.text import shown
from zjtx_alloc.budget.distribution import ACCURACY
from zjtx_alloc.budget.forecast import BudgetOutlook
from zjtx_alloc.budget.lattice import Lattice, added
from zjtx_alloc.budget.ledger.cohorts import Cohort, award_of, cohorts
from zjtx_alloc.budget.outcomes import OutcomeAssumption
from zjtx_alloc.quota.problem.numbers import is_finite, is_whole
from zjtx_alloc.rules.award import Award

_MOST = 10**6  # places a scenario can have
_TIMES = 50  # a ceiling this many times too wide is a slip of the unit
MoneyByYear = dict[int, Lattice]  # fiscal year -> national money in steps


def left_for_batches(ceilings: Mapping[int, int], held: tuple[Cohort, ...], award: Award) -> dict[int, int]:
    """The ceilings less the tails of their years, which are certain."""
    left = dict(ceilings)
    for tail in held:
        for payment in tail.payments(award) if tail.payment is not None else ():
            if payment.year in left:
                left[payment.year] -= payment.each * int(tail.approved.sum())
    return left


@dataclass(frozen=True, eq=False)
class Question:
    """Ceilings, what is fixed, and how sure one wants to be; of an outlook its assumption counts, as of its day."""

    ceilings: dict[int, int]
    batches: tuple[int, ...]
    allocations: tuple[Allocation, ...]
    outcomes: OutcomeAssumption | BudgetOutlook
    confidence: float

    def __post_init__(self) -> None:
        if not (is_finite(self.confidence) and 0 < self.confidence <= 1):
            raise DataError(say("affordable.confidence", confidence=shown(self.confidence)))
        if wrong := [
            f"{year}={money}" for year, money in self.ceilings.items() if not (is_whole(money) and money >= 0)
        ]:
            raise DataError(say("budget_plan.ceilings", value=shown("、".join(wrong))))
        for batch in self.batches:
            years = [payment.year for payment in self.award.payments_of(batch)]
            self.varied(batch)
            if not set(years) & set(self.ceilings):
                raise DataError(say("affordable.no_ceiling", batch=batch, opening=years[0], closing=years[-1]))
            sure, total = min(self.sure_total(batch), self.most(batch)), self.varied(batch).scenario.total
            if sure > _TIMES * total:
                raise DataError(say("affordable.unit", batch=batch, firms=sure, total=total, times=_TIMES))
        first, last = min(self.batches, default=0), max(self.batches, default=0)
        if first < last and last in self.moved_by(first):
            raise ScenarioError(say("affordable.carries", first=first, second=last))

    def moved_by(self, batch: int) -> tuple[int, ...]:
        """The batches whose firms follow this one's total: itself, and those its unused places are carried into."""
        found = [batch]
        for one, after in pairwise(sorted((a.scenario for a in self.allocations), key=lambda s: s.batch)):
            if one.batch == found[-1] and one.approval.unused == "unit":
                found.append(after.batch)
        return tuple(found)

    def cohorts_with(self, allocation: Allocation) -> tuple[Cohort, ...]:
        """The cohorts that follow one batch's total, if this is its allocation.

        Running totals (取整结转) move places between units and leave the nation's money as it is; unused places do not.
        """
        if not any(a.scenario.approval.unused == "unit" for a in self.allocations):
            return cohorts(allocation)
        batch = allocation.scenario.batch
        others = (replace(a, counted=None) for a in self.allocations)
        made = cohorts(*(allocation if a.scenario.batch == batch else a for a in others))
        return tuple(c for c in made if int(c.name) in self.moved_by(batch))

    @property
    def assumption(self) -> str:
        """What the answers rest on, one sentence."""
        return self._whole.outcomes.note()

    @property
    def award(self) -> Award:
        """The award standard of the batches asked about."""
        return award_of(*self.allocations)

    def varied(self, batch: int) -> Allocation:
        """The allocation of a batch whose total is asked for."""
        found = [a for a in self.allocations if a.scenario.batch == batch]
        if not found:
            known = "、".join(str(a.scenario.batch) for a in self.allocations)
            raise ScenarioError(say("affordable.batch", batch=batch, known=known))
        return found[0]

    def most(self, batch: int) -> int:
        """No total beyond this can be admitted."""
        allocation = self.varied(batch)
        scenario = allocation.scenario.model_copy(update={"total": _MOST})
        bounds = unit_bounds(allocation.panel, scenario, pooled=allocation.pooled, previous=allocation.previous)
        return min(_MOST, int(bounds["cap"].sum()))

    def sure_total(self, batch: int) -> int:
        """Up to here the batch breaks no ceiling of its own two years, even if every firm completes."""
        if len(self.moved_by(batch)) > 1:
            return 0
        firms = _MOST
        for year, ceiling in self.ceilings.items():
            if each := sum(payment.each for payment in self.award.payments_of(batch) if payment.year == year):
                others = self._fixed.get(year)
                taken = 0 if others is None else (others.start + others.mass.shape[-1] - 1) * self._step
                firms = min(firms, (ceiling - taken) // each)
        rate = self.varied(batch).scenario.approval.exact
        if not rate:
            return _MOST
        # floor((total + carried) x rate + 1/2) <= firms, as firms are approved
        return max(math.ceil((firms + Fraction(1, 2)) / rate) - 1 - self._carried_into(batch), 0)

    def due(self, cohorts: tuple[Cohort, ...]) -> MoneyByYear:
        """National money due for these cohorts, by year."""
        outlook = replace(self._whole, cohorts=cohorts, evidence=self._whole.known)
        return {year: added(units.values()) for year, units in outlook.by_state("due").items()}

    def keeps(self, *parts: MoneyByYear) -> bool:
        """Whether these cohorts, beside those that stay fixed, keep the ceilings of their years surely enough."""
        return self.chance(*parts) >= self.confidence - ACCURACY

    def chance(self, *parts: MoneyByYear) -> float:
        """Joint probability that the ceilings of all years in which the batches asked about have money are kept."""
        years = {payment.year for number in self._moved for payment in self.award.payments_of(number)}
        kept = [chances for year, chances in self._kept(parts).items() if year in years]
        return self._mixed(reduce(np.multiply, kept))

    def by_year(self, *parts: MoneyByYear) -> pd.DataFrame:
        """Each stated year by itself: ceiling (万元) and the probability that it is kept."""
        rows = {y: {"ceiling": self.ceilings[y], "kept": self._mixed(k)} for y, k in self._kept(parts).items()}
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("fiscal_year")

    def _kept(self, parts: tuple[MoneyByYear, ...]) -> dict[int, np.ndarray]:
        nothing = self._whole.sure(0)
        money = {y: added(p.get(y, nothing) for p in (self._fixed, *parts)) for y in sorted(self.ceilings)}
        return {year: due.at_most(self.ceilings[year] // self._step) for year, due in money.items()}

    def _mixed(self, chances: np.ndarray) -> float:
        """A probability by state, mixed over the states."""
        weights = self._whole.weights
        return float(weights.ravel() @ np.broadcast_to(chances, weights.shape).ravel())

    @cached_property
    def _whole(self) -> BudgetOutlook:
        """All batches as they are: what is known of some counts for all, and every sum is over the same states."""
        known = cohorts(*self.allocations)
        if isinstance(self.outcomes, BudgetOutlook):
            return replace(self.outcomes, cohorts=known, evidence=None)
        return BudgetOutlook(known, self.award, self.outcomes)

    @cached_property
    def _moved(self) -> set[int]:
        """The batches whose firms follow the totals asked about; no total can do anything about the years of others."""
        return {number for batch in self.batches for number in self.moved_by(batch)}

    @cached_property
    def _fixed(self) -> MoneyByYear:
        return self.due(tuple(c for c in self._whole.cohorts if int(c.name) not in self._moved))

    def _carried_into(self, batch: int) -> int:
        """Places that earlier batches leave to this one."""
        return next(a.carried for a in counted(self.allocations) if a.scenario.batch == batch)

    @cached_property
    def _step(self) -> int:
        return replace(self._whole, cohorts=()).step
