"""The end of a batch, firm by firm: outcomes, their money, and the way from score to grade to money.

What an outcome means in money is worked out in ``budget.settlement``; here firms are only told apart.
"""

from dataclasses import dataclass
from decimal import Decimal

import pandas as pd

from zjtx_alloc.budget.batches import Cohort
from zjtx_alloc.budget.settlement import DISCONTINUED, OUTCOMES, outcome_of, recovered_money
from zjtx_alloc.budget.settlement import settle as settle_outcome
from zjtx_alloc.errors import DataError
from zjtx_alloc.firms.evaluation import Evaluation
from zjtx_alloc.firms.roll import Firms, marked
from zjtx_alloc.messages import header, say
from zjtx_alloc.policy import Award
from zjtx_alloc.units import load_units

_ACHIEVED = 100  # % of the targets
_MONEY = {"closing": "closing_money", "forgone": "forgone_money", "recovered": "recovered_money"}


@dataclass(frozen=True)
class FirmSettlement:
    """What becomes of each firm's money, at the award's standard.

    Attributes
    ----------
    firms : Firms
    table : DataFrame
        Index ``firm``: unit, outcome (completed, missed, under_invested, discontinued), year (Int64, in which
        a firm was discontinued), and in 万元 as int64 closing (期末下达), forgone (不再安排), recovered (收回).
    """

    firms: Firms
    table: pd.DataFrame

    @property
    def by_unit(self) -> pd.DataFrame:
        """万元 by unit (index ``code``, all units): closing, forgone, recovered."""
        return self.table.groupby("unit")[list(_MONEY)].sum().reindex(load_units().index, fill_value=0)

    @property
    def outcomes(self) -> pd.DataFrame:
        """Firms by unit (all units) and outcome, without the discontinued: fit for ``Cohort.outcomes``."""
        return self._counts("outcome", list(OUTCOMES))

    @property
    def discontinued(self) -> pd.DataFrame | None:
        """Discontinued firms by unit and year, fit for ``Cohort.discontinued``; None if there is none."""
        years = sorted(int(year) for year in self.table["year"].dropna().unique())
        return self._counts("year", years) if years else None

    def displayed(self) -> pd.DataFrame:
        """Every firm's outcome and money as people read it."""
        rows = self.table
        added = {header("outcome"): rows["outcome"].map({o: say(f"ending.{o}") for o in (*OUTCOMES, DISCONTINUED)})}
        added |= {header(shown): rows[name] for name, shown in _MONEY.items()}
        return marked(self.firms.displayed(["unit", "credit_code", "name"]).assign(**added), self.firms)

    def _counts(self, column: str, values: list) -> pd.DataFrame:
        counts = pd.crosstab(self.table["unit"], self.table[column])
        return counts.reindex(index=load_units().index, columns=values, fill_value=0).astype("int64")


def settle(firms: Firms, award: Award, left: pd.Series) -> FirmSettlement:
    """Settle a batch firm by firm (四（二）): closing paid, closing forgone, opening recovered.

    Parameters
    ----------
    firms : Firms
        Supported firms with actual_investment (万元) and target_completion (%; targets are met from 100).
    award : Award
    left : Series of int
        Fiscal year by firm, for firms no longer supported (不再继续支持), as ``leaving`` gives it; empty if all are
        supported to the end. These firms are paid nothing at the end, whatever they achieved, and need no results.

    Raises
    ------
    DataError
        If a credit code stands twice, a result is blank for a firm supported to the end, or a discontinued firm
        is not in the table.
    """
    firms.each_once(say("firms.frame"))
    strangers = left.index.difference(firms.table.index)
    if len(strangers):
        raise DataError(say("closing.strangers", firms="、".join(map(str, strangers))))
    ended = firms.only(firms.table.index.difference(left.index, sort=False))
    held = ended.need("actual_investment", "target_completion")
    outcome = pd.Series(DISCONTINUED, firms.table.index, dtype=object)
    outcome[held.index] = [
        outcome_of(Decimal(repr(invested)), achieved, award)
        for invested, achieved in zip(held["actual_investment"], held["target_completion"] >= _ACHIEVED, strict=True)
    ]
    table = pd.DataFrame({"unit": firms.table["unit"], "outcome": outcome.astype(str)})
    table["year"] = left.reindex(table.index).astype("Int64")
    each = {name: settle_outcome(name, award) for name in (*OUTCOMES, DISCONTINUED)}
    table["closing"] = table["outcome"].map({name: money.closing for name, money in each.items()}).astype("int64")
    table["forgone"] = table["outcome"].map({name: money.forgone for name, money in each.items()}).astype("int64")
    table["recovered"] = _recovered(table, award)
    return FirmSettlement(firms, table)


def _recovered(table: pd.DataFrame, award: Award) -> pd.Series:
    """A unit's recovered money, as the ledger rounds it, spread over the firms that owe it."""
    keys = [table["unit"], table["outcome"], table["year"].fillna(0)]
    groups = table.groupby(keys, sort=False)["unit"]
    counts = groups.size().reset_index(name="count")
    sums = pd.concat(
        [recovered_money(part["count"], str(name), award) for name, part in counts.groupby("outcome")]
        or [counts["count"]]
    ).sort_index()
    each, odd = sums // counts["count"], sums % counts["count"]
    number = groups.ngroup()
    return each.reindex(number).to_numpy() + (groups.cumcount().to_numpy() < odd.reindex(number).to_numpy())


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
    if len(absent := frame.index.difference(due.dropna().index)):
        raise DataError(say("closing.no_due", firms=firms.names(absent)))
    frame["due"] = due.loc[frame.index]
    frame["unpaid"] = frame["due"] - frame["received"]
    if (over := frame.index[frame["unpaid"] < 0]).size:
        raise DataError(say("closing.overpaid", firms=firms.names(over)))
    return frame


def trace(evaluation: Evaluation, continued: Firms, settled: FirmSettlement) -> pd.DataFrame:
    """From score to grade to money, a row a firm, as people read it: parts, score, grade, goes on, outcome, 万元.

    The three are told apart by credit code.

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
    left = settled.table["outcome"].eq(DISCONTINUED).set_axis(numbered)
    if len(forgotten := numbered[~goes_on[numbered] & ~left[numbered]]):
        raise DataError(say("closing.forgotten", firms=evaluation.firms.names(forgotten)))
    ends = settled.displayed().set_axis(numbered)
    money = ends[[header("outcome"), *map(header, _MONEY.values())]]
    return marked(graded.assign(**{header("continued"): answer}).join(money), evaluation.firms)
