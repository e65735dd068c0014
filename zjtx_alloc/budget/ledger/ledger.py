"""The ledger (台账): commitment, due, recovered and paid by cohort, unit and fiscal year, in whole 万元."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pandas as pd

from zjtx_alloc.base.errors import DataError
from zjtx_alloc.base.messages import say
from zjtx_alloc.base.units import load_units
from zjtx_alloc.budget.ledger.cohorts import Cohort
from zjtx_alloc.budget.ledger.settlement import DISCONTINUED, OUTCOMES, recovered_money, settlement_of
from zjtx_alloc.quota.problem.numbers import exactly
from zjtx_alloc.rules.award import Award, load_tails

FLOWS = ("commitment", "forgone", "due", "recovered", "netted", "net", "direct", "empowerment")
_KEY = ["cohort", "code", "fiscal_year"]
_ADJUSTMENT = ["code", "fiscal_year", "document", "recovered"]


@dataclass(frozen=True)
class Ledger:
    """Money by cohort, unit and fiscal year (the budget year a document names, not its date), whole 万元.

    Raises
    ------
    DataError
        If the books do not balance: no ledger exists whose identities fail.
    """

    cohorts: tuple[Cohort, ...]
    award: Award
    #: Other schemes' 清算 netted off these transfers: code, fiscal_year, document, recovered.
    adjustments: pd.DataFrame
    #: Columns cohort (text; adjustments stand under a name of their own), code, fiscal_year and, int64: commitment
    #: (应安排总额) and, Int64, unused (名额结余, places; blank if unknown) in the opening year; forgone (不再安排);
    #: due (应下达); recovered (应收回); netted (本年扣回: off the cohorts' due in their order); net (实际下达 = due −
    #: netted); direct (直接拨付企业); empowerment (培育赋能).
    table: pd.DataFrame
    #: Index (code, fiscal_year), every year from first to last: due, recovered, netted, net, receivable (待扣回 at
    #: the year's end: recovered and not yet netted; a transfer is never negative).
    accounts: pd.DataFrame

    def __post_init__(self) -> None:
        broken = [name for name, holds in _identities(self.table, self.accounts).items() if not holds]
        if broken:
            raise DataError(say("ledger.unbalanced", identities="、".join(broken)))

    @property
    def assumed_completed(self) -> tuple[str, ...]:
        """Names of the cohorts with units whose outcomes are unknown and taken as completed by all firms."""
        return tuple(
            c.name for c in self.cohorts if c.payment is None and not (c.outcomes is not None and c.ended.all())
        )

    def by_year(self) -> pd.DataFrame:
        """National sums by fiscal year (index), columns as ``FLOWS`` and receivable."""
        years = self.accounts.index.unique("fiscal_year")
        flows = self.table.groupby("fiscal_year")[list(FLOWS)].sum().reindex(years, fill_value=0)
        return flows.assign(receivable=self.accounts.groupby("fiscal_year")["receivable"].sum())

    def by_cohort_and_year(self) -> pd.DataFrame:
        """National sums, index (cohort, fiscal_year), columns as ``FLOWS``."""
        return self.table.groupby(["cohort", "fiscal_year"], sort=False)[list(FLOWS)].sum()

    def documents(self, early: Mapping[int, Fraction]) -> pd.DataFrame:
        """The documents that make up each unit's transfer: 提前下达 and the later release share one due.

        Parameters
        ----------
        early : mapping of fiscal year to Fraction or float
            Share of a year's transfer released before the year begins, rounded down (a float means the decimal that
            it prints as); a year not named is released in one document.

        Returns
        -------
        DataFrame
            Index (code, fiscal_year, document), document ``early`` or ``release``; amount, whole 万元.

        Raises
        ------
        DataError
            If a share is below 0 or above 1.
        """
        net = self.accounts["net"]
        shares = [exactly(early.get(int(year), 0)) for _, year in net.index]
        if wrong := sorted({float(share) for share in shares if not 0 <= share <= 1}):
            raise DataError(say("ledger.early", values="、".join(map(str, wrong))))
        first = pd.Series([math.floor(int(m) * s) for m, s in zip(net, shares, strict=True)], net.index, "int64")
        frame = pd.DataFrame({"early": first, "release": net - first}).rename_axis(columns="document")
        amounts = frame.stack().rename("amount")
        return amounts[amounts.gt(0)].to_frame()

    def gaps(self) -> dict[int, tuple[str, ...]]:
        """Fiscal years whose total is incomplete: what of the whole programme the ledger leaves out.

        The award's batches and the first round's tails are the whole; a year is named only if the
        ledger speaks of it.
        """
        return gaps_in(self.accounts.index.unique("fiscal_year"), self.cohorts, self.award)


def gaps_in(years: Iterable[int], cohorts: tuple[Cohort, ...], award: Award) -> dict[int, tuple[str, ...]]:
    """What of the whole programme cohorts leave out of these fiscal years, as ``Ledger.gaps``."""
    held = {cohort.name for cohort in cohorts}
    absent = [(tail.fiscal_year, tail.name) for tail in load_tails().items if tail.name not in held]
    for batch in range(1, award.batches + 1):
        if str(batch) not in held:
            name = say("table.batch", batch=batch)
            absent += [(payment.year, name) for payment in award.payments_of(batch)]
    return {int(y): missing for y in years if (missing := tuple(name for at, name in absent if at == y))}


def ledger(cohorts: tuple[Cohort, ...], award: Award, adjustments: pd.DataFrame | None = None) -> Ledger:
    """Open the books: what is committed, due, recovered, netted and paid.

    Parameters
    ----------
    cohorts : tuple of Cohort
        A cohort without outcomes is taken as completed by all its firms.
    award : Award
    adjustments : DataFrame, optional
        Other schemes' 清算 that these transfers net: columns code, fiscal_year, document, recovered (万元).

    Returns
    -------
    Ledger
        Source: 财建〔2024〕148号 四（一） to 四（三）. Recoveries fall in the closing year, those of
        discontinued firms in the year they are reported. A recovery larger than the year's due is carried.

    Raises
    ------
    DataError
        If there is no cohort, two share a name, or an adjustment is malformed.
    """
    names = [cohort.name for cohort in cohorts]
    if not cohorts or len({*names, say("ledger.other")}) <= len(names):
        raise DataError(say("ledger.cohorts", names="、".join(names)))
    given = checked_adjustments(adjustments)
    frames = [_rows(cohort, award) for cohort in cohorts]
    if len(given):
        frames.append(_adjustment_rows(given))
    table = pd.concat(frames, ignore_index=True)
    if table.empty:
        raise DataError(say("ledger.nobody"))
    accounts = _accounts(table)
    table["netted"] = _attributed(table, accounts["netted"])
    table["net"] = table["due"] - table["netted"]
    return Ledger(tuple(cohorts), award, given, table[[*_KEY, *FLOWS, "unused"]], accounts)


def checked_adjustments(adjustments: pd.DataFrame | None) -> pd.DataFrame:
    """The adjustments with whole positive money and known units, or DataError naming the rows."""
    if adjustments is None:
        return pd.DataFrame(columns=_ADJUSTMENT).astype({"fiscal_year": "int64", "recovered": "int64"})
    if missing := [column for column in _ADJUSTMENT if column not in adjustments]:
        raise DataError(say("ledger.adjustment_columns", columns="、".join(missing)))
    frame = adjustments[_ADJUSTMENT].reset_index(drop=True)
    units = frame["code"].isin(load_units().index)
    numbers = frame[["fiscal_year", "recovered"]].apply(pd.to_numeric, errors="coerce")
    whole = numbers.gt(0).all(axis=1) & numbers.mod(1).eq(0).all(axis=1)
    named = frame["document"].map(lambda text: isinstance(text, str) and bool(text.strip()))
    wrong = frame[~(units & whole & named) | frame.duplicated(["code", "fiscal_year", "document"])]
    if len(wrong):
        rows = "；".join("，".join(map(str, row)) for row in wrong.itertuples(index=False))
        raise DataError(say("ledger.adjustments", rows=rows))
    return frame.astype({"fiscal_year": "int64", "recovered": "int64"})


_Event = tuple[int, dict[str, np.ndarray]]


def _rows(cohort: Cohort, award: Award) -> pd.DataFrame:
    """A cohort's rows: one a unit and year in which something happens to its money."""
    payments, firms = cohort.payments(award), cohort.approved.to_numpy()
    cap = award.empowerment_cap if cohort.payment is None else Fraction(0)
    ended = sum(settlement_of(outcome, award).closing * cohort.ends[outcome].to_numpy() for outcome in OUTCOMES)
    events = [(p.year, _payment(ended if p.on_outcome else p.each * firms, cap)) for p in payments]
    events.append((cohort.opening_year, {"commitment": sum(p.each for p in payments) * firms}))
    if cohort.payment is None:
        events += [(int(str(year)), _lost(gone, DISCONTINUED, award)) for year, gone in cohort.left.items()]
        events += [(cohort.closing_year, _lost(cohort.ends[outcome], outcome, award)) for outcome in OUTCOMES]
    return _booked(cohort, events)


def _payment(due: np.ndarray, cap: Fraction) -> dict[str, np.ndarray]:
    """A payment and its parts; the cap's base is the payment itself, as 天津 did in 2024."""
    empowerment = np.array([math.floor(int(money) * cap) for money in due], dtype="int64")
    return {"due": due, "direct": due - empowerment, "empowerment": empowerment}


def _lost(firms: pd.Series, outcome: str, award: Award) -> dict[str, np.ndarray]:
    forgone = settlement_of(outcome, award).forgone * firms.to_numpy()
    return {"forgone": forgone, "recovered": recovered_money(firms, outcome, award).to_numpy()}


def _booked(cohort: Cohort, events: list[_Event]) -> pd.DataFrame:
    """The events of one cohort, summed by year and unit, in every column of the table."""
    years, units = sorted({year for year, _ in events}), cohort.approved.index
    books = np.zeros((len(years), len(units), len(FLOWS)), dtype="int64")
    for year, flows in events:
        for flow, money in flows.items():
            books[years.index(year), :, FLOWS.index(flow)] += money
    table = pd.DataFrame(books.reshape(-1, len(FLOWS)), columns=list(FLOWS))
    unused = pd.array([pd.NA] * len(table), dtype="Int64")
    if cohort.quota is not None:
        unused[: len(units)] = (cohort.quota - cohort.approved).to_numpy()
    return table.assign(
        cohort=cohort.name, code=np.tile(units, len(years)), fiscal_year=np.repeat(years, len(units)), unused=unused
    )


def _adjustment_rows(adjustments: pd.DataFrame) -> pd.DataFrame:
    sums = adjustments.groupby(["fiscal_year", "code"], as_index=False)["recovered"].sum()
    empty = dict.fromkeys([flow for flow in FLOWS if flow != "recovered"], 0)
    return sums.assign(**empty, cohort=say("ledger.other"), unused=pd.array([pd.NA] * len(sums), dtype="Int64"))


def _accounts(table: pd.DataFrame) -> pd.DataFrame:
    """Each unit's account through the years: what a recovery leaves open is carried to the next."""
    rows, codes = pd.factorize(table["code"])
    years = np.arange(table["fiscal_year"].min(), table["fiscal_year"].max() + 1)
    cells = (rows, (table["fiscal_year"] - years[0]).to_numpy())
    due, recovered, netted, receivable = np.zeros((4, len(codes), len(years)), dtype="int64")
    np.add.at(due, cells, table["due"].to_numpy())
    np.add.at(recovered, cells, table["recovered"].to_numpy())
    carried = np.zeros(len(codes), dtype="int64")
    for place in range(len(years)):
        owed = carried + recovered[:, place]
        netted[:, place] = np.minimum(owed, due[:, place])
        receivable[:, place] = carried = owed - netted[:, place]
    columns = {"due": due, "recovered": recovered, "netted": netted, "net": due - netted, "receivable": receivable}
    index = pd.MultiIndex.from_product([codes, years], names=["code", "fiscal_year"])
    return pd.DataFrame({name: money.ravel() for name, money in columns.items()}, index)


def _attributed(table: pd.DataFrame, netted: pd.Series) -> pd.Series:
    """A unit's netted money of a year, taken off its cohorts' due in their order."""
    keys = ["code", "fiscal_year"]
    taken = netted.reindex(pd.MultiIndex.from_frame(table[keys])).to_numpy()
    before = table.groupby(keys)["due"].cumsum() - table["due"]
    return (taken - before).clip(lower=0).clip(upper=table["due"]).astype("int64")


def _identities(table: pd.DataFrame, accounts: pd.DataFrame) -> dict[str, bool]:
    """The identities of the books, by unit and over all years, to the unit."""
    opened = accounts.groupby("code")["receivable"].shift(fill_value=0)
    carried = opened + accounts["recovered"] - accounts["netted"]
    units = table.groupby("code")[list(FLOWS)].sum()
    last = accounts.groupby("code")["receivable"].last().reindex(units.index)
    kept = units["commitment"] - units["forgone"]
    flows = list(accounts.columns.intersection(FLOWS))
    booked = table.groupby(["code", "fiscal_year"])[flows].sum().reindex(accounts.index, fill_value=0)
    return {
        say("ledger.net"): table["net"].eq(table["due"] - table["netted"]).all()
        and table["netted"].between(0, table["due"]).all(),
        say("ledger.receivable"): carried.eq(accounts["receivable"]).all() and accounts["receivable"].ge(0).all(),
        say("ledger.parts"): table["due"].eq(table["direct"] + table["empowerment"]).all(),
        say("ledger.due"): units["due"].eq(kept).all(),
        say("ledger.paid"): units["net"].eq(kept - units["recovered"] + last).all(),
        say("ledger.sums"): booked.eq(accounts[flows]).all(axis=None),
    }
