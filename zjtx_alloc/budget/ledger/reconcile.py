"""What was really transferred against the ledger (对账): matched or not, and the likely cause of a difference."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from zjtx_alloc.base.messages import say
from zjtx_alloc.base.units import load_units
from zjtx_alloc.budget.ledger.ledger import Ledger
from zjtx_alloc.facts.payments import read_transfers

_Key = tuple[str, int]


def reconcile(ledger: Ledger, actuals: str | Path | pd.DataFrame) -> pd.DataFrame:
    """Hold actual transfers against the ledger, unit by unit, in the fiscal years that they name.

    Several documents of one unit and year (提前下达 and the later release) count together.

    Parameters
    ----------
    ledger : Ledger
    actuals : path or DataFrame
        Excel, CSV or frame; Chinese headers: 单位, 年度 (the budget year the document names), 文号, 金额
        （万元）, and, if a document nets something, 扣回.

    Returns
    -------
    DataFrame
        Index (code, fiscal_year); short_name, expected (the ledger's net), actual, difference (actual −
        expected), whole 万元; documents (numbers joined by 、); status: matched, short, over or unknown
        (the ledger has nothing due); cause: blank or the first of ``CAUSES`` whose test holds;
        explanation (Chinese). The cause is likely, not proven.

    Raises
    ------
    DataError
        As ``read_transfers`` does, with every problem of the table at once.
    """
    transfers = read_transfers(actuals)
    money = (ledger.accounts[["net", "due"]], transfers.groupby(["code", "fiscal_year"])[["amount", "netted"]].sum())
    evidence = _Evidence(ledger, transfers, *(table[flow].to_dict() for table in money for flow in table))
    cells = evidence.cells()
    rows = [_row(evidence, key) for key in cells]
    columns = ["short_name", "expected", "actual", "difference", "documents", "status", "cause", "explanation"]
    index = pd.MultiIndex.from_tuples(cells, names=["code", "fiscal_year"])
    return pd.DataFrame(rows, index=index, columns=columns)


@dataclass(frozen=True)
class _Evidence:
    """What the ledger expects and what was transferred, by unit and fiscal year, whole 万元."""

    ledger: Ledger
    transfers: pd.DataFrame
    expected: dict[_Key, int]
    due: dict[_Key, int]
    actual: dict[_Key, int]
    stated: dict[_Key, int]

    def cells(self) -> list[_Key]:
        """Units and years to reconcile: what was transferred, and what was expected in those years."""
        years = sorted({int(year) for year in self.transfers["fiscal_year"]})
        every = [(str(code), year) for code in load_units().index for year in years]
        return [key for key in every if key in self.actual or self.expected.get(key, 0) > 0]

    def gap(self, key: _Key) -> int:
        """Transferred less expected."""
        return int(self.actual.get(key, 0) - self.expected.get(key, 0))

    def of(self, key: _Key) -> pd.DataFrame:
        """The documents of one unit and year."""
        return self.transfers[(self.transfers["code"] == key[0]) & (self.transfers["fiscal_year"] == key[1])]


def _row(evidence: _Evidence, key: _Key) -> tuple[str, int, int, int, str, str, str, str]:
    name, gap = load_units().at[key[0], "short_name"], evidence.gap(key)
    money = (int(evidence.expected.get(key, 0)), int(evidence.actual.get(key, 0)), gap)
    documents = "、".join(dict.fromkeys(evidence.of(key)["document"]))
    if gap == 0:
        return name, *money, documents, "matched", "", ""
    status = "unknown" if evidence.due.get(key, 0) == 0 else "short" if gap < 0 else "over"
    found = ((cause, test(evidence, key, gap)) for cause, test in _TESTS.items())
    return name, *money, documents, status, *next(pair for pair in found if pair[1])


def _duplicate(evidence: _Evidence, key: _Key, gap: int) -> str:
    """The same document with the same amount stands there twice."""
    documents = evidence.of(key)
    again = documents[documents.duplicated(["document", "amount"])]
    if int(again["amount"].sum()) == gap:
        return say("cause.duplicate", documents="、".join(dict.fromkeys(again["document"])))
    return ""


def _year(evidence: _Evidence, key: _Key, gap: int) -> str:
    """The opposite difference stands in the year before or after."""
    code, year = key
    found = [other for other in (year - 1, year + 1) if evidence.gap((code, other)) == -gap]
    return say("cause.year", year=found[0]) if found else ""


def _unit(evidence: _Evidence, key: _Key, gap: int) -> str:
    """The opposite difference stands under another unit, as the amount of one document."""
    code, year = key
    units = load_units()["short_name"]
    others = [str(other) for other in units.index if other != code and evidence.gap((str(other), year)) == -gap]
    holders = [code] * len(others) if gap > 0 else others
    found = [
        other
        for other, holder in zip(others, holders, strict=True)
        if abs(gap) in set(evidence.of((holder, year))["amount"])
    ]
    return say("cause.unit", units="、".join(units[found])) if found else ""


def _absent(evidence: _Evidence, key: _Key, gap: int) -> str:
    """No document of this unit and year is among the transfers."""
    return "" if key in evidence.actual else say("cause.absent")


def _recovery(evidence: _Evidence, key: _Key, gap: int) -> str:
    """The difference is a recovery that the documents state, or that the ledger knows of this unit."""
    code = key[0]
    stated = int(evidence.stated.get(key, 0))
    if stated and evidence.actual[key] + stated == evidence.due.get(key, 0):
        return say("cause.stated", money=stated)
    table, adjustments = evidence.ledger.table, evidence.ledger.adjustments
    mine = adjustments[adjustments["code"] == code]
    known = {int(money): name for money, name in zip(mine["recovered"], mine["document"], strict=True)}
    own = table[(table["code"] == code) & (table["recovered"] > 0)]
    for row in own.itertuples():
        known.setdefault(int(row.recovered), say("cause.recovered_in", year=row.fiscal_year))
    return say("cause.recovery", money=abs(gap), what=known[abs(gap)]) if abs(gap) in known else ""


def _firms(evidence: _Evidence, key: _Key, gap: int) -> str:
    """The difference is whole firms, at what a firm is paid in this year; at the first payment of all where none is."""
    (code, year), award = key, evidence.ledger.award
    mine = [cohort for cohort in evidence.ledger.cohorts if cohort.approved.get(code, 0)]
    paid = [payment.each for cohort in mine for payment in cohort.payments(award) if payment.year == year]
    for each in dict.fromkeys(paid or [award.payments_of(1)[0].each]):
        if each and gap % each == 0:
            return say("cause.firms", firms=abs(gap) // each, each=each)
    return ""


# In this order: what is more specific comes first, since a whole number of firms fits much.
_TESTS: dict[str, Callable[[_Evidence, _Key, int], str]] = {
    "duplicate": _duplicate, "year": _year, "unit": _unit, "absent": _absent, "recovery": _recovery, "firms": _firms,
    "unexplained": lambda evidence, key, gap: say("cause.unexplained"),
}  # fmt: skip
CAUSES = tuple(_TESTS)
