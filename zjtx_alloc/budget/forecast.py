"""What a fiscal year's money may come to: exact distributions under a declared assumption on outcomes.

Within a state of the nation (``OutcomeAssumption.states``) units and batches are independent. The state is
one for all batches: the same evaluators and the same economy meet them, and taking it as common makes the
sum of several years wider, never narrower.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, overload

import pandas as pd

from zjtx_alloc.base.errors import DataError
from zjtx_alloc.base.messages import say
from zjtx_alloc.base.units import find_unit, load_units
from zjtx_alloc.budget.distribution import BudgetDistribution, mixed
from zjtx_alloc.budget.lattice import Lattice, added, certain, unit_money
from zjtx_alloc.budget.ledger.budget import BudgetForecast
from zjtx_alloc.budget.ledger.cohorts import Cohort
from zjtx_alloc.budget.ledger.ledger import ledger
from zjtx_alloc.budget.ledger.settlement import DISCONTINUED, OUTCOMES, settlement_of
from zjtx_alloc.budget.outcomes import OutcomeAssumption, States, load_outcomes
from zjtx_alloc.rules.award import Award

Measure = Literal["due", "recovered", "net"]
MEASURES: tuple[Measure, ...] = ("due", "recovered", "net")
_Years = dict[int, dict[str, Lattice]]  # fiscal year -> code -> money in steps


def settled(award: Award) -> dict[str, tuple[int, int]]:
    """Due and recovered at the end, 万元 a firm, by outcome, as ``settlement_of`` rules.

    Raises
    ------
    DataError
        If the award's shares make a recovery that is not whole 万元: amounts would lie on no lattice.
    """
    rules = {outcome: settlement_of(outcome, award) for outcome in (*OUTCOMES, DISCONTINUED)}
    for outcome, rule in rules.items():
        if rule.recovered.denominator != 1:
            raise DataError(say("forecast.fraction", outcome=say(f"outcome.{outcome}"), money=float(rule.recovered)))
    return {outcome: (rule.closing, int(rule.recovered)) for outcome, rule in rules.items()}


@dataclass(frozen=True, eq=False)
class BudgetOutlook:
    """Money by unit and fiscal year as distributions.

    Attributes
    ----------
    cohorts : tuple of Cohort
        Those whose outcomes are known keep them; only the others are uncertain.
    award : Award
    outcomes : OutcomeAssumption
        The declared assumption everything here rests on.
    horizon : int, optional
        Last fiscal year that tables and figures show; all if not given.
    """

    cohorts: tuple[Cohort, ...]
    award: Award
    outcomes: OutcomeAssumption
    horizon: int | None = None

    @property
    def years(self) -> tuple[int, ...]:
        """Fiscal years in which money moves."""
        events = {paid.year for cohort in self.cohorts for paid in cohort.payments(self.award)}
        return tuple(sorted(events | {year for year, _ in self._discontinued}))

    @property
    def shown_years(self) -> tuple[int, ...]:
        """The years up to the horizon."""
        return tuple(year for year in self.years if self.horizon is None or year <= self.horizon)

    @property
    def step(self) -> int:
        """万元 between two possible amounts: the greatest common divisor of all payments and recoveries.

        Tails paid before anything can be recovered are certain and need no place on the lattice.
        """
        ends = settled(self.award).values()
        tails = () if self._tails_apart else (c.payment for c in self.cohorts if c.payment is not None)
        return math.gcd(
            *(payment.each for payment in self.award.payments_of(1)),
            *(money for pair in ends for money in pair),
            *tails,
        )

    @cached_property
    def states(self) -> States:
        """The states of the nation."""
        return self.outcomes.states

    def distribution(self, year: int, measure: Measure = "net", of: str | None = None) -> BudgetDistribution:
        """The distribution of a fiscal year's money.

        Parameters
        ----------
        year : int
        measure : {"due", "recovered", "net"}
            应下达, 应收回, 实际下达. A unit's net is due − what is netted: what it owes, also from
            earlier years, is taken off what it is due and the rest carried (待扣回), never below zero.
        of : str, optional
            A unit (code or name) or a region (东部); the nation if left out.

        Raises
        ------
        DataError
            If nothing is due in the year, or there is no such measure, unit or region.
        """
        if year not in self.years:
            raise DataError(say("forecast.year", year=year, known="、".join(map(str, self.years))))
        return self._mixed(year, measure, self._members(of))

    def exceeds(self, year: int, ceiling: int) -> float:
        """Probability that what is due (应下达) in a fiscal year is above its ceiling (万元); nothing is netted first."""
        return self.distribution(year, "due").exceeds(ceiling)

    def table(self, by: Literal["nation", "region", "unit"] = "nation") -> pd.DataFrame:
        """Means and quantiles of every year and measure.

        Returns
        -------
        DataFrame
            Columns fiscal_year, then region or code (not for the nation), measure, mean, sd (float),
            p5, p25, p50, p75, p95 (whole 万元), outcomes (the name of the assumption).
        """
        units = load_units()["region"]
        label = {"nation": None, "region": "region", "unit": "code"}[by]
        groups = {"nation": [None], "region": list(dict.fromkeys(units)), "unit": self._codes}[by]
        rows = [
            {"fiscal_year": year} | ({label: group} if label else {}) | {"measure": measure}
            | self._mixed(year, measure, self._members(group)).summary()
            for year in self.shown_years for group in groups for measure in MEASURES
        ]  # fmt: skip
        return pd.DataFrame(rows).assign(outcomes=self.outcomes.name)

    def by_state(self, measure: Measure) -> _Years:
        """Money in steps by fiscal year and code, in each state of the nation; without tails that stand apart."""
        if measure not in MEASURES:
            raise DataError(say("forecast.measure", measure=measure, known="、".join(MEASURES)))
        return {"due": self._due, "recovered": self._recovered, "net": self._net}[measure]

    @cached_property
    def _due(self) -> _Years:
        return self._summed(due=1, recovered=0)

    @cached_property
    def _recovered(self) -> _Years:
        return self._summed(due=0, recovered=1)

    @cached_property
    def _net(self) -> _Years:
        net: _Years = {}
        carried = dict.fromkeys(self._codes, certain(0, len(self.states.weights)))
        for year, units in self._summed(due=1, recovered=-1).items():
            left = {code: added([money, carried[code].negated()]) for code, money in units.items()}
            net[year] = {code: money.positive_part() for code, money in left.items()}
            carried |= {code: money.negated().positive_part() for code, money in left.items()}
        return net

    def _summed(self, due: int, recovered: int) -> _Years:
        """Each unit's money by year: so many times what is due, and so many times what is recovered."""
        worth = {outcome: due * paid + recovered * back for outcome, (paid, back) in settled(self.award).items()}
        nothing = certain(0, len(self.states.weights))
        years: _Years = {year: dict.fromkeys(self._codes, nothing) for year in self.years}
        made: dict[int, Lattice] = {}
        for cohort in self.cohorts:
            if cohort.payment is not None and self._tails_apart:
                continue
            for payment in cohort.payments(self.award):
                units = years[payment.year]
                for code, firms in cohort.approved.items():
                    if payment.on_outcome:
                        units[str(code)] = added([units[str(code)], self._ends(cohort, str(code), worth, made)])
                    else:
                        units[str(code)] = units[str(code)].moved(due * int(firms) * payment.each // self.step)
        for year, firms_of in self._discontinued:
            for code, firms in firms_of.items():
                lost = int(firms) * worth[DISCONTINUED] // self.step
                years[year][str(code)] = years[year][str(code)].moved(lost)
        return years

    @property
    def _discontinued(self) -> list[tuple[int, pd.Series]]:
        """Known discontinued firms: fiscal year, firms by unit."""
        described = [c.discontinued for c in self.cohorts if c.discontinued is not None]
        return [(int(str(year)), firms) for table in described for year, firms in table.items()]

    def _ends(self, cohort: Cohort, code: str, worth: Mapping[str, int], made: dict[int, Lattice]) -> Lattice:
        steps = {outcome: money // self.step for outcome, money in worth.items()}
        if cohort.outcomes is not None:
            known = cohort.outcomes.loc[code]
            sure = sum(int(known[outcome]) * money // self.step for outcome, money in worth.items() if outcome in known)
            return certain(sure, len(self.states.weights))
        firms = int(cohort.continued[code])
        if firms not in made:
            made[firms] = unit_money(firms, self.states.rates, float(self.outcomes.rho_unit), steps)
        return made[firms]

    @cached_property
    def _codes(self) -> list[str]:
        return list(dict.fromkeys(str(code) for cohort in self.cohorts for code in cohort.approved.index))

    def _members(self, of: str | None) -> list[str]:
        regions = load_units()["region"]
        if of is None:
            return self._codes
        found = [code for code in self._codes if of in (code, regions.get(code)) or find_unit(of) == code]
        if not found:
            raise DataError(say("forecast.of", of=of, regions="、".join(dict.fromkeys(regions))))
        return found

    @cached_property
    def _tails_apart(self) -> bool:
        """Whether every tail is paid before the first year in which money may be recovered."""
        ends = [paid.year for cohort in self.cohorts for paid in cohort.payments(self.award) if paid.on_outcome]
        recoveries = [*ends, *(year for year, _ in self._discontinued)]
        first = min(recoveries, default=math.inf)
        return all(cohort.opening_year < first for cohort in self.cohorts if cohort.payment is not None)

    def _mixed(self, year: int, measure: Measure, codes: list[str]) -> BudgetDistribution:
        money = self.by_state(measure)[year]
        total = mixed(added(money[code] for code in codes), self.states.weights, self.step, self.outcomes.note())
        if not self._tails_apart or measure == "recovered":
            return total
        tails = (c for c in self.cohorts if c.payment is not None and c.opening_year == year)
        sure = sum(int(c.approved.reindex(codes, fill_value=0).sum()) * (c.payment or 0) for c in tails)
        return replace(total, values=total.values + sure)


@overload
def forecast_budget(
    cohorts: tuple[Cohort, ...], award: Award, outcomes: Mapping[str, pd.DataFrame] | None = None
) -> BudgetForecast: ...
@overload
def forecast_budget(cohorts: tuple[Cohort, ...], award: Award, outcomes: OutcomeAssumption | str) -> BudgetOutlook: ...


def forecast_budget(
    cohorts: tuple[Cohort, ...],
    award: Award,
    outcomes: Mapping[str, pd.DataFrame] | OutcomeAssumption | str | None = None,
) -> BudgetForecast | BudgetOutlook:
    """What is committed, due and recovered, by unit and fiscal year: amounts, or distributions.

    Parameters
    ----------
    cohorts : tuple of Cohort
    award : Award
    outcomes : mapping, OutcomeAssumption or str, optional
        Outcomes by cohort name, as in ``Cohort.outcomes``: they replace what the cohorts carry, and a
        cohort without any is taken as completed by all its firms. Or an assumption, or its name
        (``optimistic``, ``central``, ``stress``): never official, and no default.

    Returns
    -------
    BudgetForecast
        For fixed outcomes: a row a cohort, unit and year with a payment or a loss, whole 万元.
    BudgetOutlook
        For an assumption: the exact distribution of every year's due, recovered and net. Source:
        财建〔2024〕148号 四（一）to 四（三）; an under-invested firm's opening is recovered in the closing year, as far
        as the award assumes (``recovered_share``, ``empowerment_recovered``).

    Raises
    ------
    DataError
        If outcomes are given for a cohort that is not there, or do not add up to its firms.
    ScenarioError
        If there is no such assumption.
    """
    if isinstance(outcomes, str):
        outcomes = load_outcomes(outcomes)
    if isinstance(outcomes, OutcomeAssumption):
        return BudgetOutlook(cohorts, award, outcomes)
    outcomes = outcomes or {}
    if strangers := sorted(set(outcomes) - {cohort.name for cohort in cohorts}):
        raise DataError(say("budget.no_cohort", names="、".join(strangers)))
    described = tuple(replace(c, outcomes=outcomes[c.name]) if c.name in outcomes else c for c in cohorts)
    return BudgetForecast(ledger(described, award))
