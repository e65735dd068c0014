"""Money follows approved firms (审核通过企业): cohorts, and what is due by fiscal year in whole 万元."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import pandas as pd

from zjtx_alloc.allocation import Allocation
from zjtx_alloc.errors import DataError, ScenarioError
from zjtx_alloc.messages import say
from zjtx_alloc.policy import Award, load_award

OUTCOMES = ("completed", "missed", "under_invested")
MONEY = ("commitment", "due", "recovered", "net", "direct", "empowerment")


@dataclass(frozen=True)
class Cohort:
    """The firms of one batch that get money together.

    Attributes
    ----------
    name : str
        The batch: "1", "2", "3".
    approved : Series of int
        Approved firms by unit, index ``code``.
    opening_year, closing_year : int
        Fiscal years of the two payments (期初, 期末).
    outcomes : DataFrame, optional
        Firms by unit (index ``code``) and outcome at the end: completed (完成), missed (投资达标未完成
        目标: closing not paid), under_invested (投资未达2000万: opening recovered). Each row sums to the
        approved firms. None: not known or assumed yet.

    Raises
    ------
    DataError
        If counts are negative or fractional, outcomes do not add up to the approved firms, or years
        run backwards.
    """

    name: str
    approved: pd.Series
    opening_year: int
    closing_year: int
    outcomes: pd.DataFrame | None = None

    def __post_init__(self) -> None:
        if self.closing_year < self.opening_year:
            raise DataError(say("budget.years", name=self.name, opening=self.opening_year, closing=self.closing_year))
        wrong = [str(c) for c, n in self.approved.items() if not (n >= 0 and n == int(n))]
        if wrong:
            raise DataError(say("budget.approved", name=self.name, codes="、".join(wrong)))
        object.__setattr__(self, "approved", self.approved.astype("int64").rename("approved"))
        if self.outcomes is not None:
            object.__setattr__(self, "outcomes", checked_outcomes(self.name, self.approved, self.outcomes))


@dataclass(frozen=True)
class BudgetForecast:
    """Money by batch, unit and fiscal year.

    Attributes
    ----------
    cohorts : tuple of Cohort
    award : Award
    table : DataFrame
        Columns batch (text), code, fiscal_year (int) and, in whole 万元 as int64: commitment (应安排
        总额, in the opening year), due (应下达), recovered (应收回), net (due − recovered; negative
        where a unit owes more back than it is due), direct (直接拨付企业), empowerment (培育赋能).
    assumed_completed : tuple of str
        Names of the cohorts whose outcomes are unknown and taken as completed by all firms.
    """

    cohorts: tuple[Cohort, ...]
    award: Award
    table: pd.DataFrame
    assumed_completed: tuple[str, ...] = ()

    def by_year(self) -> pd.DataFrame:
        """National sums by fiscal year (index), columns as ``MONEY``."""
        return self.table.groupby("fiscal_year")[list(MONEY)].sum()

    def by_batch_and_year(self) -> pd.DataFrame:
        """National sums, index (batch, fiscal_year), columns as ``MONEY``."""
        return self.table.groupby(["batch", "fiscal_year"], sort=False)[list(MONEY)].sum()


def approved_firms(quota: pd.Series, rate: Fraction, order: list[str]) -> pd.Series:
    """Approved firms by unit at an approval rate.

    The national number is quota total × rate, rounded half up (四舍五入); it is spread by largest
    remainder of quota × rate, so no unit exceeds its quota.

    Parameters
    ----------
    quota : Series of int
        Places by unit.
    rate : Fraction
        Between 0 and 1.
    order : list of labels
        Who goes first among equal remainders.
    """
    exact = {code: int(places) * rate for code, places in quota.items()}
    approved = {code: math.floor(firms) for code, firms in exact.items()}
    left = math.floor(sum(exact.values()) + Fraction(1, 2)) - sum(approved.values())
    for code in sorted(order, key=lambda c: approved[c] - exact[c])[:left]:
        approved[code] += 1
    return pd.Series(approved, name="approved", dtype="int64").rename_axis(quota.index.name)


def cohorts(*allocations: Allocation) -> tuple[Cohort, ...]:
    """The cohorts of allocated batches, in batch order, at each scenario's assumed approval rate.

    Raises
    ------
    ScenarioError
        If two allocations are of the same batch, or the award has no such batch.
    """
    found: dict[int, Cohort] = {}
    for allocation in sorted(allocations, key=lambda a: a.scenario.batch):
        scenario, problem = allocation.scenario, allocation.problem
        if scenario.batch in found:
            raise ScenarioError(say("budget.same_batch", scenario=scenario.name, batch=scenario.batch))
        award = load_award(scenario.award)
        order = [problem.labels[i] for i in problem.order]
        found[scenario.batch] = Cohort(
            name=str(scenario.batch),
            approved=approved_firms(allocation.quota, scenario.approval.exact, order),
            opening_year=award.opening_year(scenario.batch),
            closing_year=award.closing_year(scenario.batch),
        )
    return tuple(found.values())


def forecast_budget(
    cohorts: tuple[Cohort, ...], award: Award, outcomes: Mapping[str, pd.DataFrame] | None = None
) -> BudgetForecast:
    """What is committed, due and recovered, by cohort, unit and fiscal year.

    Parameters
    ----------
    cohorts : tuple of Cohort
    award : Award
    outcomes : mapping, optional
        Outcomes by cohort name, as in ``Cohort.outcomes``; they replace what the cohorts carry. A
        cohort without any is taken as completed by all its firms.

    Returns
    -------
    BudgetForecast
        Two rows a cohort and unit (opening and closing), whole 万元. Source: 财建〔2024〕148号 四（一）
        to 四（三）; an under-invested firm's opening is taken as recovered in full, in the closing year.
    """
    outcomes = outcomes or {}
    strangers = sorted(set(outcomes) - {cohort.name for cohort in cohorts})
    if strangers:
        raise DataError(say("budget.no_cohort", names="、".join(strangers)))
    frames = []
    for cohort in cohorts:
        ends = outcomes.get(cohort.name, cohort.outcomes)
        ends = _all_completed(cohort.approved) if ends is None else checked_outcomes(cohort.name, cohort.approved, ends)
        opening = _payment(cohort, cohort.opening_year, award.opening * cohort.approved, award)
        opening["commitment"] = award.amount * cohort.approved
        closing = _payment(cohort, cohort.closing_year, award.closing * ends["completed"], award)
        closing["recovered"] = award.opening * ends["under_invested"]
        frames += [opening, closing]
    table = pd.concat(frames).rename_axis("code").reset_index()
    table["net"] = table["due"] - table["recovered"]
    unknown = tuple(c.name for c in cohorts if outcomes.get(c.name, c.outcomes) is None)
    return BudgetForecast(cohorts, award, table[["batch", "code", "fiscal_year", *MONEY]], unknown)


def _payment(cohort: Cohort, year: int, due: pd.Series, award: Award) -> pd.DataFrame:
    empowerment = due.map(lambda money: math.floor(int(money) * award.empowerment_cap))
    frame = pd.DataFrame({"due": due, "direct": due - empowerment, "empowerment": empowerment})
    return frame.assign(batch=cohort.name, fiscal_year=year, commitment=0, recovered=0)


def _all_completed(approved: pd.Series) -> pd.DataFrame:
    return pd.DataFrame({"completed": approved, "missed": 0, "under_invested": 0})


def checked_outcomes(name: str, approved: pd.Series, outcomes: pd.DataFrame) -> pd.DataFrame:
    """Return the outcomes as int64 in the order of ``approved``, or raise DataError naming the units."""
    same_units = outcomes.index.is_unique and set(outcomes.index) == set(approved.index)
    if set(outcomes.columns) != set(OUTCOMES) or not same_units:
        raise DataError(say("budget.outcome_form", name=name, columns="、".join(OUTCOMES)))
    table = outcomes.reindex(approved.index)[list(OUTCOMES)]
    whole = table.ge(0).all(axis=1) & table.mod(1).eq(0).all(axis=1)
    wrong = approved.index[~(whole & table.sum(axis=1).eq(approved))]
    if len(wrong):
        raise DataError(say("budget.outcome_sum", name=name, codes="、".join(map(str, wrong))))
    return table.astype("int64")
