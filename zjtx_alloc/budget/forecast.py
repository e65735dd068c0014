"""What a fiscal year's money may come to: exact distributions under a declared assumption on outcomes.

Within a state of the nation (``OutcomeAssumption.states``) units and batches are independent. The state is
one for all batches: the same evaluators and the same economy meet them, and taking it as common makes the
sum of several years wider, never narrower. Known outcomes and departures change what is thought of the state, for
the batches that have them and, as far as experience is common, for the others (``budget/learning.py``).
"""

import datetime
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal, overload

import numpy as np
import pandas as pd

from zjtx_alloc.base.errors import DataError
from zjtx_alloc.base.messages import say
from zjtx_alloc.base.units import find_unit, load_units
from zjtx_alloc.budget.distribution import BudgetDistribution, mixed
from zjtx_alloc.budget.lattice import Lattice, added, certain, unit_money
from zjtx_alloc.budget.learning import Learned, mean_and_range
from zjtx_alloc.budget.ledger.budget import BudgetForecast
from zjtx_alloc.budget.ledger.cohorts import Cohort
from zjtx_alloc.budget.ledger.ledger import ledger
from zjtx_alloc.budget.ledger.settlement import DISCONTINUED, OUTCOMES, settlement_of
from zjtx_alloc.budget.outcomes import COMPLETED, OutcomeAssumption, States, load_outcomes
from zjtx_alloc.rules.award import Award

Measure = Literal["due", "recovered", "net"]
MEASURES: tuple[Measure, ...] = ("due", "recovered", "net")
_Years = dict[int, dict[str, Lattice]]  # fiscal year -> code -> money in steps
_Made = dict[tuple[Any, ...], Lattice]  # by firms, share of departures known, and what their cohort teaches


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
    """Money by unit and fiscal year as distributions."""

    cohorts: tuple[Cohort, ...]  #: Those whose outcomes are known keep them; only the others are uncertain.
    award: Award
    outcomes: OutcomeAssumption  #: The declared assumption everything here rests on.
    horizon: int | None = None  #: Last fiscal year that tables and figures show; all if not given.
    #: The day as of which departures are known; the end of the last year for which any are reported if not given.
    as_of: datetime.date | None = None
    #: What is known of all cohorts, and when, where these are only some of them: sums of parts are then over the same
    #: states, and ``as_of`` is the evidence's.
    evidence: Learned | None = None

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
        """The states of the nation as declared, before anything is known."""
        return self.outcomes.states

    @cached_property
    def known(self) -> Learned:
        """What is known of the state of the nation."""
        return self.evidence or Learned(self.outcomes, self.cohorts, self.as_of)

    @property
    def weights(self) -> np.ndarray:
        """Weights of the states, or pairs of them, of ``by_state``: as ``Learned.weights``."""
        return self.known.weights

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
        if (asked := (year, measure, of)) not in self._distributions:
            codes = self._members(of)
            total = added(self.by_state(measure)[year][code] for code in codes)
            self._distributions[asked] = self.mixed(total, self.certain_tails((year,), measure, codes))
        return self._distributions[asked]

    @cached_property
    def _distributions(self) -> dict[tuple[int, str, str | None], BudgetDistribution]:
        """Those asked for so far: tables and figures ask for the same."""
        return {}

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
            | self.distribution(year, measure, group).summary()
            for year in self.shown_years for group in groups for measure in MEASURES
        ]  # fmt: skip
        return pd.DataFrame(rows).assign(outcomes=self.outcomes.name)

    def learned(self) -> pd.DataFrame:
        """What is known of each batch, and what it changes: before and after side by side.

        Returns
        -------
        DataFrame
            A row a batch: cohort, fiscal_year (of its closing); outcome (``completed`` or ``discontinued``: what is known
            of it; blank if nothing), units, firms (of those units), observed (their share of the outcome), low, high
            (the shares that the declared states expect), outside (``below`` or ``above`` them; blank inside); rate_results,
            gone_rate_results (firms of all batches that completion, and the rate of leaving, are learned from); then, each
            before and after, the share of firms that complete in the nation's state (``rate_before``,
            ``rate_before_p5``, ``rate_before_p95``, ``rate_after`` …), that of firms that leave (``gone_rate_before`` …) and
            the nation's net of that year, 万元 (``net_before``, … ``net_after_p95``). Before: as if nothing were known of
            any batch.
        """
        plain = tuple(replace(c, outcomes=None, discontinued=None) for c in self.cohorts)
        before = replace(self, cohorts=plain, evidence=None)
        batches = [(old, new) for old, new in zip(plain, self.cohorts, strict=True) if new.payment is None]
        return pd.DataFrame([self._seen(new) | self._change(before, old, new) for old, new in batches])

    def _seen(self, cohort: Cohort) -> dict[str, Any]:
        row: dict[str, Any] = {"cohort": cohort.name, "fiscal_year": cohort.closing_year}
        row |= {"rate_results": self.known.rests_on(COMPLETED), "gone_rate_results": self.known.rests_on(DISCONTINUED)}
        if not self.known.seen(cohort):
            return row | {"outcome": "", "units": 0, "firms": 0, "observed": math.nan, "low": math.nan, "high": math.nan,
                          "outside": ""}  # fmt: skip
        seen = self.known.seen(cohort)[0]
        ends = {"low": float(seen.rates.min()), "high": float(seen.rates.max())}
        row |= {"outcome": seen.outcome, "units": len(seen.units), "firms": int(seen.units.sum())}
        return row | {"observed": seen.share, **ends, "outside": seen.outside}

    def _change(self, before: "BudgetOutlook", old: Cohort, new: Cohort) -> dict[str, float]:
        found: dict[str, float] = {}
        for name, outcome in (("rate", COMPLETED), ("gone_rate", DISCONTINUED)):
            rates = self.states.rates[outcome].to_numpy()
            for when, outlook, cohort in (("before", before, old), ("after", self, new)):
                found |= _named(f"{name}_{when}", *mean_and_range(rates, outlook.known.weights_of(cohort, outcome)))
        for when, outlook in (("before", before), ("after", self)):
            net = outlook.distribution(new.closing_year)
            found |= _named(f"net_{when}", net.mean, net.quantile(0.05), net.quantile(0.95))
        return found

    def by_state(self, measure: Measure) -> _Years:
        """Money in steps by fiscal year and code, in each state of ``weights``; without tails that stand apart."""
        if measure not in MEASURES:
            raise DataError(say("forecast.measure", measure=measure, known="、".join(MEASURES)))
        if measure == "net":
            return self._netted[0]
        return self._due if measure == "due" else self._recovered

    @cached_property
    def _due(self) -> _Years:
        return self._summed(due=1, recovered=0)

    @cached_property
    def _recovered(self) -> _Years:
        return self._summed(due=0, recovered=1)

    @cached_property
    def _netted(self) -> tuple[_Years, _Years]:
        """What each unit is paid in a year, and what it owes before it."""
        net, owed = _Years(), _Years()
        carried = dict.fromkeys(self._codes, self.sure(0))
        for year, units in self.balance.items():
            owed[year] = dict(carried)
            left = {code: added([money, carried[code].negated()]) for code, money in units.items()}
            net[year] = {code: money.positive_part() for code, money in left.items()}
            carried |= {code: money.negated().positive_part() for code, money in left.items()}
        return net, owed

    @cached_property
    def balance(self) -> _Years:
        """Due less recovered, in steps by fiscal year and code, in each state of ``weights``; independent over years."""
        return self._summed(due=1, recovered=-1)

    def paid_over(self, years: tuple[int, ...]) -> dict[str, Lattice]:
        """What each unit is paid over years that follow each other, in steps, in each state of ``weights``.

        With balances m and a debt d before the first, that is max(0, m₁ − d, m₁ + m₂ − d, …): a debt can only grow
        where nothing is paid (Lindley's recursion read backwards), so one amount is enough to follow.
        """
        owed, paid = self._netted[1][years[0]], dict.fromkeys(self._codes, self.sure(0))
        for year in reversed(years):
            paid = {code: added([self.balance[year][code], paid[code]]).positive_part() for code in paid}
        return {code: added([owed[code].negated(), paid[code]]).positive_part() for code in paid}

    def _summed(self, due: int, recovered: int) -> _Years:
        """Each unit's money by year: so many times what is due, and so many times what is recovered."""
        worth = {outcome: due * paid + recovered * back for outcome, (paid, back) in settled(self.award).items()}
        years: _Years = {year: dict.fromkeys(self._codes, self.sure(0)) for year in self.years}
        made: _Made = {}
        for cohort in self.cohorts:
            if cohort.payment is not None and self._tails_apart:
                continue
            for payment in cohort.payments(self.award):
                units = years[payment.year]
                if payment.on_outcome:
                    units |= {code: added([units[code], end]) for code, end in self._ends(cohort, worth, made).items()}
                    continue
                for code, firms in cohort.approved.items():
                    units[str(code)] = units[str(code)].moved(due * int(firms) * payment.each // self.step)
        for year, firms_of in self._discontinued:
            for code, firms in firms_of.items():
                lost = int(firms) * worth[DISCONTINUED] // self.step
                years[year][str(code)] = years[year][str(code)].moved(lost)
        return years

    @property
    def _discontinued(self) -> list[tuple[int, pd.Series]]:
        """Known discontinued firms: fiscal year, firms by unit."""
        return [(int(str(year)), firms) for cohort in self.cohorts for year, firms in cohort.left.items()]

    def sure(self, steps: int) -> Lattice:
        """An amount that is the same in every state of ``weights``."""
        axes = self.weights.shape
        return certain(steps, *(axes if len(axes) == 1 else (1, 1)))

    def _ends(self, cohort: Cohort, worth: Mapping[str, int], made: _Made) -> dict[str, Lattice]:
        """Money of each unit's firms at the end: known, or drawn given which have left so far."""
        steps = {outcome: money // self.step for outcome, money in worth.items()}
        kinds = set(cohort.reported[~cohort.ended])
        early = {is_reported: self.known.early(cohort, is_reported) for is_reported in kinds}
        shares = {is_reported: self.known.still_there(cohort, is_reported) for is_reported in kinds}
        taught = [self.known.teaches(cohort, outcome) for outcome in (COMPLETED, DISCONTINUED)]
        sure = cohort.ends.mul({outcome: steps[outcome] for outcome in OUTCOMES}).sum(axis=1)
        ends: dict[str, Lattice] = {}
        for code, ended, reported, firms in zip(
            sure.index, cohort.ended, cohort.reported, cohort.continued, strict=True
        ):
            if ended:
                ends[str(code)] = self.sure(int(sure[code]))
                continue
            kind = int(firms), early[reported], *taught
            if kind not in made:
                made[kind] = self._drawn(int(firms), steps, *shares[reported], is_taught=taught[0])
            ends[str(code)] = made[kind]
        return ends

    def _drawn(
        self, firms: int, steps: Mapping[str, int], rates: pd.DataFrame, whole: np.ndarray, is_taught: bool
    ) -> Lattice:
        money = unit_money(firms, rates, float(self.outcomes.rho_unit), steps, whole)
        if self.weights.ndim == 1:
            return money
        return Lattice(money.start, np.expand_dims(money.mass, 1 if is_taught else 0))

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

    def certain_tails(self, years: tuple[int, ...], measure: Measure, of: list[str] | None = None) -> int:
        """万元 of tails that stand apart from the lattice."""
        if not self._tails_apart or measure == "recovered":
            return 0
        tails = (c for c in self.cohorts if c.payment is not None and c.opening_year in years)
        codes = self._codes if of is None else of
        return sum(int(c.approved.reindex(codes, fill_value=0).sum()) * (c.payment or 0) for c in tails)

    def mixed(self, money: Lattice, sure: int = 0) -> BudgetDistribution:
        """An amount in steps mixed over the states, with what is certain beside it (万元)."""
        total = mixed(money, self.weights, self.step, self.outcomes.note())
        return replace(total, values=total.values + sure)


def _named(name: str, mean: float, low: float, high: float) -> dict[str, float]:
    return {name: mean, f"{name}_p5": low, f"{name}_p95": high}


@overload
def forecast_budget(
    cohorts: tuple[Cohort, ...], award: Award, outcomes: Mapping[str, pd.DataFrame] | None = None
) -> BudgetForecast: ...
@overload
def forecast_budget(
    cohorts: tuple[Cohort, ...],
    award: Award,
    outcomes: OutcomeAssumption | str,
    as_of: datetime.date | None = None,
) -> BudgetOutlook: ...


def forecast_budget(
    cohorts: tuple[Cohort, ...],
    award: Award,
    outcomes: Mapping[str, pd.DataFrame] | OutcomeAssumption | str | None = None,
    as_of: datetime.date | None = None,
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
    as_of : date, optional
        As of ``BudgetOutlook``; says nothing where outcomes are fixed.

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
        return BudgetOutlook(cohorts, award, outcomes, as_of=as_of)
    outcomes = outcomes or {}
    if strangers := sorted(set(outcomes) - {cohort.name for cohort in cohorts}):
        raise DataError(say("budget.no_cohort", names="、".join(strangers)))
    described = tuple(replace(c, outcomes=outcomes[c.name]) if c.name in outcomes else c for c in cohorts)
    return BudgetForecast(ledger(described, award))
