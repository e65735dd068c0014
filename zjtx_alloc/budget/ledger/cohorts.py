"""Money follows approved firms (审核通过企业): the cohorts of allocated batches, and an older round's tails."""

from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
import pandas as pd

from zjtx_alloc.allocation.allocate import Allocation
from zjtx_alloc.allocation.allocate_programme import counted
from zjtx_alloc.allocation.approved import approved_firms
from zjtx_alloc.base.errors import DataError, ScenarioError
from zjtx_alloc.base.messages import say
from zjtx_alloc.base.text import shown
from zjtx_alloc.budget.ledger.known_ends import known_ends
from zjtx_alloc.budget.ledger.settlement import OUTCOMES
from zjtx_alloc.budget.ledger.shares import Shares
from zjtx_alloc.facts.panel import Panel
from zjtx_alloc.quota.problem.numbers import are_whole, as_floats, as_whole, exactly, is_count, is_finite, is_whole
from zjtx_alloc.rules.award import Award, Payment, load_award, load_tails

YEARS = (2000, 2200)  # of budgets, beyond any scenario's


@dataclass(frozen=True)
class Cohort:
    """The firms of one batch that get money together, or the tail (尾款) of an older round.

    Raises
    ------
    DataError
        If counts are negative or fractional, exceed the quota, units do not match, outcomes do not add
        up to the approved firms, or years run backwards.
    """

    name: str  #: The batch: "1", "2", "3"; a tail's own name.
    approved: pd.Series  #: Approved firms by unit, index ``code`` (Series of int).
    opening_year: int  #: opening_year, closing_year: fiscal years of the two payments (期初, 期末).
    closing_year: int  #: See ``opening_year``.
    #: Firms by unit (index ``code``) and outcome at the end: completed (完成), missed (投资达标未完成目标: closing
    #: not paid), under_invested (投资未达2000万: opening recovered). Each row, with the unit's discontinued firms,
    #: sums to the approved firms; a row of NA is a unit whose outcomes are not known or assumed yet. None: so are
    #: all.
    outcomes: pd.DataFrame | None = None
    #: Firms no longer supported (不再继续支持) by unit (index ``code``) and fiscal year (columns). A row of zeros is
    #: a unit that reported none, a row of NA one that has not reported. None: no unit has.
    discontinued: pd.DataFrame | None = None
    #: Series of int: Places by unit; those without an approved firm are unused. None: not known.
    quota: pd.Series | None = None
    payment: int | None = None  #: A tail: 万元 a firm, paid once, in the opening year. None: the award's payments.
    assumption: str = ""  #: What of this is assumed, in Chinese; blank if nothing.
    #: The mean shares that the outcomes are assumed at; None: known, or not assumed that way.
    shares: Shares | None = None

    def __post_init__(self) -> None:
        if wrong := [year for year in (self.opening_year, self.closing_year) if not is_count(year, *YEARS)]:
            raise DataError(say("budget.no_year", name=self.label, year=shown(wrong[0]), first=YEARS[0], last=YEARS[1]))
        if self.closing_year < self.opening_year:
            raise DataError(say("budget.years", name=self.label, opening=self.opening_year, closing=self.closing_year))
        object.__setattr__(self, "approved", _counts(self.label, self.approved).rename("approved"))
        if self.quota is not None:
            object.__setattr__(self, "quota", self._checked_quota(self.quota))
        if self.discontinued is not None:
            object.__setattr__(self, "discontinued", self._told(self._checked_discontinued(self.discontinued)))
        if self.outcomes is not None:
            outcomes = checked_outcomes(self.label, self.continued, self.outcomes)
            object.__setattr__(self, "outcomes", self._told(outcomes))
        if self.payment is not None and not self._is_one_payment(self.payment):
            raise DataError(say("budget.tail", name=self.label, payment=self.payment))

    @property
    def label(self) -> str:
        """The cohort as people read it: 第1批, or the tail's name."""
        return say("table.batch", batch=self.name) if self.name.isdecimal() else self.name

    @property
    def left(self) -> pd.DataFrame:
        """Firms known to have been discontinued, by unit and fiscal year; none where no report is known."""
        return (
            pd.DataFrame(index=self.approved.index)
            if self.discontinued is None
            else self.discontinued.fillna(0).astype("int64")
        )

    @property
    def reported(self) -> pd.Series:
        """Whether a unit's departures are known, were it none."""
        table = self.discontinued
        if table is None or table.empty:
            return pd.Series(False, self.approved.index)
        return table.notna().all(axis=1)

    @property
    def ended(self) -> pd.Series:
        """Whether a unit's outcomes are known."""
        return pd.Series(False, self.approved.index) if self.outcomes is None else self.outcomes.notna().all(axis=1)

    @property
    def continued(self) -> pd.Series:
        """Firms by unit that are supported to the end: the approved without the discontinued."""
        return self.approved if self.discontinued is None else self.approved - self.left.sum(axis=1).astype("int64")

    @property
    def ends(self) -> pd.DataFrame:
        """The outcomes by unit; all completed where none are known."""
        completed = pd.DataFrame({"completed": self.continued, "missed": 0, "under_invested": 0})
        return completed if self.outcomes is None else self.outcomes.where(self.ended, completed).astype("int64")

    def payments(self, award: Award) -> tuple[Payment, ...]:
        """What the firms are paid and when: the award's payments, or a tail's one, named ``tail``."""
        if self.payment is not None:
            return (Payment("tail", self.opening_year, self.payment, False),)
        return award.payments(self.opening_year, self.closing_year)

    def _checked_quota(self, quota: pd.Series) -> pd.Series:
        _same_units(self.label, quota.index, self.approved.index)
        quota = _counts(self.label, quota.reindex(self.approved.index)).rename("quota")
        over = self.approved.index[self.approved > quota]
        if len(over):
            raise DataError(say("budget.over_quota", name=self.label, codes="、".join(map(str, over))))
        return quota

    def _checked_discontinued(self, firms: pd.DataFrame) -> pd.DataFrame:
        _same_units(self.label, firms.index, self.approved.index)
        inside = [self.opening_year <= year <= self.closing_year for year in firms.columns]
        if not all(inside) or not firms.columns.is_unique:
            raise DataError(say("budget.discontinued_year", name=self.label, opening=self.opening_year,
                                closing=self.closing_year, years="、".join(map(str, firms.columns))))  # fmt: skip
        table = firms.reindex(self.approved.index)
        known = table.notna().any(axis=1)
        counts = {int(y): _counts(self.label, table.loc[known, y]) for y in sorted(table)}
        found = pd.DataFrame(counts, index=table.index[known])
        over = found.index[found.sum(axis=1) > self.approved[known]]
        if len(over):
            raise DataError(say("budget.discontinued_sum", name=self.label, codes="、".join(map(str, over))))
        return found if known.all() or table.empty else found.astype("Int64").reindex(table.index)

    def _told(self, table: pd.DataFrame) -> pd.DataFrame | None:
        """The table, or None if it says nothing of any unit."""
        return None if len(table) and len(table.columns) and table.isna().all(axis=None) else table

    def _is_one_payment(self, payment: int) -> bool:
        plain = self.outcomes is None and self.discontinued is None
        return is_whole(payment) and payment >= 0 and plain and self.opening_year == self.closing_year


def _counts(label: str, firms: pd.Series) -> pd.Series:
    """Counts by unit as int64, or DataError naming the units."""
    labelled = np.array([isinstance(code, str) for code in firms.index], dtype=bool)
    wrong = list(map(str, firms.index[~(are_whole(firms) & labelled) | firms.index.duplicated()]))
    if wrong:
        raise DataError(say("budget.approved", name=label, codes="、".join(wrong)))
    return as_whole(firms)


def _same_units(label: str, found: pd.Index, needed: pd.Index) -> None:
    if not found.is_unique or set(found) != set(needed):
        codes = "、".join(sorted(map(str, set(found) ^ set(needed)))) or "—"
        raise DataError(say("budget.units", name=label, codes=codes))


def checked_outcomes(label: str, firms: pd.Series, outcomes: pd.DataFrame) -> pd.DataFrame:
    """Return the outcomes as int64 in the order of ``firms``, or raise DataError naming the units.

    With rows of NA, units of which nothing is known, they are Int64.
    """
    same_units = outcomes.index.is_unique and set(outcomes.index) == set(firms.index)
    if set(outcomes.columns) != set(OUTCOMES) or not same_units:
        raise DataError(say("budget.outcome_form", name=label, columns="、".join(OUTCOMES)))
    table = outcomes.reindex(firms.index)[list(OUTCOMES)]
    known = table.notna().any(axis=1)
    if not known.any():
        return table.astype("Int64")
    found = table[known]
    counts = found.where(found.apply(are_whole), -1).astype("int64")
    wrong = found.index[counts.lt(0).any(axis=1) | counts.sum(axis=1).ne(firms[known])]
    if len(wrong):
        raise DataError(say("budget.outcome_sum", name=label, codes="、".join(map(str, wrong))))
    return counts if known.all() else counts.astype("Int64").reindex(firms.index)


def cohorts(*allocations: Allocation) -> tuple[Cohort, ...]:
    """The cohorts of allocated batches, in batch order, at each scenario's assumed approval rate.

    Quotas and approved firms are those that count (``za.allocate_programme``): what is known of a batch, its outcomes and
    departures too, takes the place of what is assumed, and places may be carried to the next of these batches.

    Parameters
    ----------
    *allocations : Allocation
        One a batch.

    Raises
    ------
    ScenarioError
        If two allocations are of the same batch, or follow different awards, or the award has no such batch.
    DataError
        If the outcomes that are known do not make up the approved firms.
    """
    if not allocations:
        return ()
    award_of(*allocations)
    found: dict[int, Cohort] = {}
    for allocation in counted(allocations):
        scenario = allocation.scenario
        if scenario.batch in found:
            raise ScenarioError(say("budget.same_batch", scenario=scenario.name, batch=scenario.batch))
        carried, (opening, closing) = allocation.carried, scenario.payment_years
        outcomes, gone = known_ends(scenario, allocation.approved)
        found[scenario.batch] = Cohort(
            name=str(scenario.batch),
            approved=allocation.approved,
            opening_year=opening,
            closing_year=closing,
            outcomes=outcomes,
            discontinued=gone,
            quota=allocation.quota,
            assumption=say("budget.carried", batch=scenario.batch, places=carried) if carried else "",
        )
    return tuple(found.values())


def award_of(*allocations: Allocation) -> Award:
    """The award that batches follow, with the fiscal years of payments that their scenarios state.

    Raises
    ------
    ScenarioError
        If they follow different awards.
    """
    awards = {allocation.scenario.award: load_award(allocation.scenario.award) for allocation in allocations}
    if len(awards) > 1:
        raise ScenarioError(say("budget.awards", awards="、".join(awards)))
    stated = [s for a in allocations if (s := a.scenario).opening_year is not None or s.closing_year is not None]
    return replace(next(iter(awards.values())), years={scenario.batch: scenario.payment_years for scenario in stated})


def tails(panel: Panel, payment: int | None = None, unseen_rate: Fraction | None = None) -> tuple[Cohort, ...]:
    """What the first round (财建〔2021〕2号) still pays in 2024 and 2025, as cohorts beside the new batches.

    Parameters
    ----------
    panel : Panel
        Holds the firms by unit that the ministries' lists of 2024 carry on.
    payment : int, optional
        万元 a firm and year; the nominal standard (200) if not given. 河南 2024 comes to about 143.
    unseen_rate : Fraction, optional
        A float means the decimal that it prints as. Batch 3's third year, whose list was not seen: the share of its second year's firms that go on.
        None: left out, and the ledger calls that year's total incomplete.

    Returns
    -------
    tuple of Cohort
        Each paid once, wholly direct: the first round's rule on 培育赋能 does not apply.

    Raises
    ------
    DataError
        If the rate is below 0 or above 1; if the panel lacks units, or has parts of firms: split from a province's
        figure, whose firms are whole.
    """
    if unseen_rate is not None and not (is_finite(unseen_rate) and 0 <= unseen_rate <= 1):
        (number,) = as_floats([unseen_rate]) if isinstance(unseen_rate, Fraction) else (unseen_rate,)  # 1.5, not 3/2
        raise DataError(say("budget_plan.tail_rate", value=shown(number)))
    known, rate = load_tails(), None if unseen_rate is None else exactly(unseen_rate)
    amount = known.payment if payment is None else payment
    key = "nominal" if payment is None else "given"
    money = say(f"tails.{key}", payment=amount, note=known.payment_note)
    found = []
    for tail in known.items:
        firms = _counts(tail.name, panel.values(tail.indicator, tail.period))
        assumption = money
        if not tail.seen:
            if rate is None:
                continue
            firms = approved_firms(firms, rate)
            assumption += say("tails.unseen", name=tail.name, rate=float(rate))
        found.append(
            Cohort(tail.name, firms, tail.fiscal_year, tail.fiscal_year, payment=amount, assumption=assumption)
        )
    return tuple(found)
