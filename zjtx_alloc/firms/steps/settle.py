"""The end of a batch, firm by firm: outcomes, their money, and the way from score to grade to money.

What an outcome means in money is worked out in ``budget.settlement``; here firms are only sorted.
"""

import math
from dataclasses import dataclass, replace
from decimal import Decimal

import pandas as pd

from zjtx_alloc.base.errors import DataError
from zjtx_alloc.base.messages import header, say
from zjtx_alloc.base.units import load_units
from zjtx_alloc.budget.ledger.cohorts import Cohort
from zjtx_alloc.budget.ledger.settlement import (
    DEFRAUDED,
    DISCONTINUED,
    OUTCOMES,
    outcome_of,
    recovered_money,
    settlement_of,
)
from zjtx_alloc.firms.steps.evaluate import Evaluation
from zjtx_alloc.firms.table.roll import Firms, marked
from zjtx_alloc.quota.problem.numbers import are_whole, as_floats
from zjtx_alloc.rules.award import Award

_ALL = (*OUTCOMES, DISCONTINUED, DEFRAUDED)
_ACHIEVED = 100  # % of the targets
_MONEY = {"closing": "closing_money", "forgone": "forgone_money", "recovered": "recovered_money"}


@dataclass(frozen=True)
class FirmSettlement:
    """What becomes of each firm's money: the closing at the award's standard, what comes back as it was granted."""

    firms: Firms
    #: Index ``firm``: unit, outcome (completed, missed, under_invested, discontinued, defrauded), year (Int64, in
    #: which a firm was discontinued), and in 万元 as int64 closing (期末下达), forgone (不再安排), recovered (收回:
    #: the award's share of what this firm got).
    table: pd.DataFrame
    award: Award

    @property
    def by_unit(self) -> pd.DataFrame:
        """万元 by unit (index ``code``, all units): closing, forgone, recovered, from_firms, empowerment, difference.

        recovered is what the ledger takes back at the award's standard. It is made of what firms give back
        (from_firms), 培育赋能, which no firm got, and the standard's direct part less what firms were granted (difference,
        negative where firms got more).
        """
        sums = self.table.groupby("unit")[list(_MONEY)].sum().rename(columns={"recovered": "from_firms"})
        recovered, direct = (
            _booked(self.table, award) for award in (self.award, replace(self.award, empowerment_recovered=False))
        )
        sums = sums.assign(recovered=recovered, empowerment=recovered - direct, difference=direct - sums["from_firms"])
        columns = [*_MONEY, "from_firms", "empowerment", "difference"]
        return sums.reindex(load_units().index, fill_value=0)[columns].astype("int64")

    @property
    def outcomes(self) -> pd.DataFrame:
        """Firms by unit (all units) and outcome, without the discontinued: fit for ``Cohort.outcomes``.

        The books count a defrauded firm as under_invested: its opening comes back, its closing is not paid.
        """
        counts = self._counts("outcome", [*OUTCOMES, DEFRAUDED])
        return counts.assign(under_invested=counts["under_invested"] + counts[DEFRAUDED])[list(OUTCOMES)]

    @property
    def discontinued(self) -> pd.DataFrame | None:
        """Discontinued firms by unit and year, fit for ``Cohort.discontinued``; None if there is none."""
        years = sorted(int(year) for year in self.table["year"].dropna().unique())
        return self._counts("year", years) if years else None

    def displayed(self) -> pd.DataFrame:
        """Every firm's outcome and money as people read it."""
        rows = self.table
        added = {header("outcome"): rows["outcome"].map({o: say(f"ending.{o}") for o in _ALL})}
        added |= {header(shown): rows[name] for name, shown in _MONEY.items()}
        return marked(self.firms.displayed(["unit", "credit_code", "name"]).assign(**added), self.firms)

    def _counts(self, column: str, values: list[str] | list[int]) -> pd.DataFrame:
        counts = pd.crosstab(self.table["unit"], self.table[column])
        return counts.reindex(index=load_units().index, columns=values, fill_value=0).astype("int64")


def settle(
    firms: Firms, award: Award, discontinued: pd.Series | None = None, granted: pd.Series | None = None
) -> FirmSettlement:
    """Settle a batch firm by firm (四（二）): closing paid, closing forgone, opening recovered.

    Parameters
    ----------
    firms : Firms
        Supported firms with actual_investment (万元) and target_completion (%; targets are met from 100). Where
        fraud says yes (检查考核认定虚报、冒领, 五（二）), the firm gives back what it got, whatever it achieved.
    award : Award
    discontinued : Series of int
        Fiscal year by firm, for firms no longer supported (不再继续支持), as ``leaving`` gives it; empty if all are
        supported to the end. These firms are paid nothing at the end, whatever they achieved, and need no results.
    granted : Series of int
        Whole 万元 by firm: what each got of the opening payment, ``grants.amount`` or what really arrived.

    Raises
    ------
    DataError
        If it is not said who left or what each got: neither is guessed. If a credit code stands twice, a result is blank for a firm supported to the end, a discontinued firm is
        not in the table, or what a firm got is unknown or no whole 万元.
    """
    firms.each_once(say("firms.frame"))
    if discontinued is None or granted is None:
        raise DataError(say("closing.unsaid"))
    strangers = discontinued.index.difference(firms.table.index)
    if len(strangers):
        raise DataError(say("closing.strangers", firms="、".join(map(str, strangers))))
    outcome = _outcomes(firms, award, discontinued.index)
    table = pd.DataFrame({"unit": firms.table["unit"], "outcome": outcome})
    table["year"] = discontinued.reindex(table.index).where(outcome.eq(DISCONTINUED)).astype("Int64")
    each = {name: settlement_of(name, award) for name in _ALL}
    table["closing"] = table["outcome"].map({name: money.closing for name, money in each.items()}).astype("int64")
    table["forgone"] = table["outcome"].map({name: money.forgone for name, money in each.items()}).astype("int64")
    owes = table["outcome"].map({name: money.recovered > 0 for name, money in each.items()}).astype(bool)
    given_back = _whole_money(firms, granted).map(lambda money: math.floor(int(money) * award.recovered_share))
    table["recovered"] = given_back.where(owes, 0).astype("int64")
    return FirmSettlement(firms, table, award)


def _outcomes(firms: Firms, award: Award, discontinued: pd.Index) -> pd.Series:
    """The outcome of each firm; fraud goes before all else, so that money comes back also from a firm that left."""
    table = firms.table
    defrauded = table.index[table["fraud"].eq("yes")] if "fraud" in table else table.index[:0]
    ended = firms.only(table.index.difference(discontinued.union(defrauded), sort=False))
    held = ended.need("actual_investment", "target_completion")
    outcome = pd.Series(DISCONTINUED, table.index, dtype=object)
    outcome[defrauded] = DEFRAUDED
    outcome[held.index] = [
        outcome_of(Decimal(repr(invested)), achieved, award)
        for invested, achieved in zip(held["actual_investment"], held["target_completion"] >= _ACHIEVED, strict=True)
    ]
    return outcome.astype(str)


def _whole_money(firms: Firms, granted: pd.Series) -> pd.Series:
    """What each firm got, or DataError naming those without a whole amount."""
    money = granted.reindex(firms.table.index)
    wrong = money.index[~are_whole(money)]
    if len(wrong):
        raise DataError(say("closing.granted", firms=firms.names(wrong)))
    return money.astype("int64")


def _booked(table: pd.DataFrame, award: Award) -> pd.Series:
    """What the ledger recovers of each unit, index ``unit``: rounded by outcome and year, as it does."""
    booked = table["outcome"].replace(DEFRAUDED, "under_invested")
    keys = [table["unit"], booked, table["year"].fillna(0)]
    counts = table.groupby(keys, sort=False).size()
    money = [recovered_money(part, str(name), award) for name, part in counts.groupby("outcome")]
    return pd.concat(money or [counts]).groupby("unit").sum()


def firm_cohort(
    batch: int, approved: pd.Series, award: Award, quota: pd.Series | None = None, settled: FirmSettlement | None = None
) -> Cohort:
    """The cohort of a batch from its firms: approved by unit, and their outcomes once settled."""
    return Cohort(
        name=str(batch),
        approved=approved,
        opening_year=award.opening_year(batch),
        closing_year=award.closing_year(batch),
        outcomes=None if settled is None else settled.outcomes,
        discontinued=None if settled is None else settled.discontinued,
        quota=quota,
    )


def progress(firms: Firms, due: pd.Series | None = None) -> pd.DataFrame:
    """Payment progress (资金拨付使用进度): what each firm was due, received, spent, and what lies idle.

    Parameters
    ----------
    firms : Firms
        With money_received and money_spent (万元).
    due : Series, optional
        万元 by firm, e.g. ``grants.amount``; firms of another file first take its numbers by
        ``firms.numbered_as(grants.firms)``.

    Returns
    -------
    DataFrame
        Index ``firm``: unit, received, spent, idle (received − spent) and, with ``due``, due and unpaid; 万元.

    Raises
    ------
    DataError
        If a firm spent more than it received, received more than it was due, or has no amount due.
    """
    table = firms.need("money_received", "money_spent")
    frame = pd.DataFrame({"unit": table["unit"], "received": table["money_received"], "spent": table["money_spent"]})
    frame["idle"] = frame["received"] - frame["spent"]
    if (over := frame.index[frame["idle"] < 0]).size:
        raise DataError(say("closing.overspent", firms=firms.names(over)))
    if due is None:
        return frame
    due = pd.Series(as_floats(due), due.index).where(lambda money: money.abs() < math.inf)
    if len(absent := frame.index.difference(due.dropna().index)):
        raise DataError(say("closing.no_due", firms=firms.names(absent)))
    frame["due"] = due.loc[frame.index]
    frame["unpaid"] = frame["due"] - frame["received"]
    if (over := frame.index[frame["unpaid"] < 0]).size:
        raise DataError(say("closing.overpaid", firms=firms.names(over)))
    return frame


def trace(evaluation: Evaluation, continued: Firms, settled: FirmSettlement) -> pd.DataFrame:
    """From score to grade to money, a row a firm, as people read it: parts, score, grade, goes on, outcome, 万元.

    The three are matched by credit code.

    Raises
    ------
    DataError
        If a firm settled was not evaluated, or one no longer supported was settled as if it were.
    """
    graded = evaluation.displayed().drop(columns=header("note"), errors="ignore")
    codes = evaluation.firms.table["credit_code"]
    goes_on = codes.isin(continued.table["credit_code"])
    answer = goes_on.map({True: say("closing.goes_on"), False: say("closing.stops")})
    numbered = settled.firms.numbered_as(evaluation.firms).table.index
    left = settled.table["outcome"].isin([DISCONTINUED, DEFRAUDED]).set_axis(numbered)
    if len(forgotten := numbered[~goes_on[numbered] & ~left[numbered]]):
        raise DataError(say("closing.forgotten", firms=evaluation.firms.names(forgotten)))
    ends = settled.displayed().set_axis(numbered)
    money = ends[[header("outcome"), *map(header, _MONEY.values())]]
    return marked(graded.assign(**{header("continued"): answer}).join(money), evaluation.firms)
