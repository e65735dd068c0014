"""All that is computed for reports, which show what is in here: of one scenario each thing once and when it is asked for."""

from dataclasses import dataclass, replace
from functools import cached_property

import pandas as pd

from zjtx_alloc.allocation.allocate import Allocation
from zjtx_alloc.allocation.allocate_programme import allocate_programme
from zjtx_alloc.allocation.compare import Comparison
from zjtx_alloc.allocation.explain import explain
from zjtx_alloc.allocation.explanation_text import Explanation
from zjtx_alloc.allocation.fairness import Paradoxes, paradoxes
from zjtx_alloc.allocation.plan import plan
from zjtx_alloc.allocation.running_totals import Plan
from zjtx_alloc.base.errors import ScenarioError, SolverError
from zjtx_alloc.budget.forecast import forecast_budget
from zjtx_alloc.budget.ledger.budget import BudgetForecast
from zjtx_alloc.budget.ledger.calendar import duties
from zjtx_alloc.budget.ledger.cohorts import award_of, cohorts
from zjtx_alloc.facts.panel import Panel
from zjtx_alloc.quota.problem.criteria import CRITERIA
from zjtx_alloc.quota.solve import solve
from zjtx_alloc.rules.scenario import Scenario
from zjtx_alloc.uncertainty.known_counts import known_counts
from zjtx_alloc.uncertainty.robust import Robust, robust_of
from zjtx_alloc.uncertainty.sweep import Sweep, sweep_of
from zjtx_alloc.uncertainty.weight_range import WeightRange, ranges_of

_ACROSS = ("webster", "hamilton", "huntington-hill", "minimax")  # where rules cross, each takes a second or two


@dataclass(frozen=True)
class Results:
    """What is computed of a scenario: each property on first use, then kept.

    Each raises what the function of its name raises; nothing is computed, and nothing can fail, before it is asked for.
    """

    panel: Panel
    scenario: Scenario

    @cached_property
    def allocation(self) -> Allocation:
        """The scenario's own batch, with the quota that counts."""
        return next(one for one in self.programme if one.scenario.batch == self.scenario.batch)

    @cached_property
    def programme(self) -> tuple[Allocation, ...]:
        """The scenario's batch and its companions', in batch order, as ``za.allocate_programme``."""
        return allocate_programme(self.panel, self.scenario)

    @cached_property
    def budget(self) -> BudgetForecast:
        """The money of the programme if every firm completes."""
        return _forecast(*self.programme)

    @cached_property
    def duties(self) -> pd.DataFrame:
        """What the notice asks of each unit in this batch, and by when."""
        (cohort,) = (one for one in self.budget.cohorts if one.name == str(self.scenario.batch))
        return duties(self.budget.award, cohort)

    @property
    def doubtful(self) -> bool:
        """Whether the scenario says that weights are unknown, so that there are ranges and a robust quota."""
        doubt = self.allocation.scenario.uncertainty
        return bool(doubt.weights or doubt.pools)

    @cached_property
    def ranges(self) -> WeightRange:
        """What each unit can get under any admissible weights."""
        return ranges_of(self.allocation)

    @cached_property
    def robust(self) -> Robust:
        """The quotas that can be defended whatever the weights are."""
        return robust_of(self.allocation)

    @cached_property
    def sweep(self) -> Sweep:
        """Quotas under draws of all that the scenario says is unknown."""
        return sweep_of(self.allocation)

    @cached_property
    def known(self) -> pd.DataFrame:
        """The counts known of the new round beside what the programme gives, as ``za.known_counts``."""
        return known_counts(self.programme)

    @cached_property
    def plan(self) -> Plan:
        """The programme's batches planned together."""
        return plan(self.programme)

    @cached_property
    def by_criterion(self) -> dict[str, Allocation]:
        """The allocation under each criterion that its rules admit (the main ones where rules cross), its own first."""
        own = replace(self.allocation, counted=None)
        found: dict[str, Allocation] = {own.scenario.criterion: own}
        for name in CRITERIA if own.problem.nested else _ACROSS:
            problem = replace(own.problem, criterion=name)
            try:
                found.setdefault(name, replace(own, problem=problem, solution=solve(problem)))
            except (ScenarioError, SolverError):  # crossing rules do not admit it, or leave it unproven
                continue
        return found

    @cached_property
    def paradoxes(self) -> dict[str, Paradoxes]:
        """House monotonicity around the total by the scenario's own criterion and by Hamilton's; none where rules cross."""
        problem, own = self.allocation.problem, self.allocation.scenario.criterion
        criteria = dict.fromkeys([own, "hamilton"]) if problem.nested else {}
        return {name: paradoxes(replace(problem, criterion=name)) for name in criteria}

    @cached_property
    def _explanations(self) -> dict[str, Explanation]:
        return {}

    def explanation(self, unit: str) -> Explanation:
        """Why a unit has its quota, as ``za.explain``."""
        if unit not in self._explanations:
            self._explanations[unit] = explain(self.allocation, unit)
        return self._explanations[unit]


def money_by_year(comparison: Comparison) -> pd.DataFrame:
    """Net payments in 万元 by fiscal year (index) and scenario, each its own batch alone; NaN where none falls due."""
    budgets = {a.scenario.name: _forecast(a) for a in comparison.allocations}
    return pd.DataFrame({name: budget.by_year()["net"] for name, budget in budgets.items()}).sort_index()


def _forecast(*allocations: Allocation) -> BudgetForecast:
    return forecast_budget(cohorts(*allocations), award_of(*allocations))
