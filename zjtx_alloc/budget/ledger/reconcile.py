"""What was really transferred beside the ledger (对账): matched or not, and the likely causes of a difference."""

from pathlib import Path

import pandas as pd

from zjtx_alloc.base.messages import say
from zjtx_alloc.budget.ledger.books import Books, Document, Key, name_of, split
from zjtx_alloc.budget.ledger.differences import Explained, explained
from zjtx_alloc.budget.ledger.hypotheses import Case, repeated
from zjtx_alloc.budget.ledger.ledger import Ledger
from zjtx_alloc.facts.payments import read_transfers

CAUSES = (
    "rate", "instalment", "common_year", "duplicate", "measure", "older_round", "recovery", "absent", "city", "exchanged", "unit",
    "year", "digit", "firms", "unexplained",
)  # fmt: skip


def reconcile(ledger: Ledger, actuals: str | Path | pd.DataFrame) -> pd.DataFrame:
    """Compare actual transfers with the ledger, unit by unit, in the fiscal years that they name.

    Several documents of one unit and year (提前下达 and the later release) count together.

    Parameters
    ----------
    ledger : Ledger
    actuals : path or DataFrame
        Excel, CSV or frame; Chinese headers: 单位, 年度 (the budget year the document names), 文号, 金额
        （万元）, and, if a document nets something, 扣回. As ``read_transfers`` reads them: headers in two rows, 元,
        rows of money taken back, provinces with a city inside.

    Returns
    -------
    DataFrame
        Index (code, fiscal_year); short_name, expected (the ledger's net), actual, difference (actual −
        expected), whole 万元, Int64 and blank for a unit without a document; documents (numbers joined by 、); status:
        matched, short, over, unknown (the ledger has nothing due), absent (no document: nothing to compare) or doubtful
        (the amounts agree, and a document stands there twice); cause: blank, or names of ``CAUSES``, joined by + where they
        hold together and by / where one of them does; explanation (Chinese). Causes are candidates, not proven.

    Raises
    ------
    DataError
        As ``read_transfers`` does, with every problem of the table at once.

    Notes
    -----
    What is common to many comes first: a rate withheld from all or a region, an instalment left out or shifted, a wrong year for
    all. Of the rest the explanation has the fewest causes, each to the 万元: what the table itself shows
    (a document twice, 元 for 万元, a recovery that it states, no document) counts 1; what only fits an amount (one digit, a number of
    firms, a recovery that the ledger has by then) and what two units or years share (exchanged, a document of another) counts 2;
    原因未查明 counts 5. Two causes that only fit are never put together, and what ties is listed, all of it
    (``budget/ledger/hypotheses.py`` holds the causes, ``differences.py`` the choice).
    """
    books = Books(ledger)
    documents, notes = split(books, read_transfers(actuals))
    case = Case(books, documents)
    keys, causes = case.keys, explained(case)
    rows = [_row(books, key, documents.get(key, ()), causes[key], notes.get(key, "")) for key in keys]
    columns = ["short_name", "expected", "actual", "difference", "documents", "status", "cause", "explanation"]
    index = pd.MultiIndex.from_tuples(keys, names=["code", "fiscal_year"])
    table = pd.DataFrame(rows, index=index, columns=columns)
    return table.astype({"expected": "int64", "actual": "Int64", "difference": "Int64"})


def _row(
    books: Books, key: Key, documents: tuple[Document, ...], found: Explained, note: str
) -> tuple[str, int, int | None, int | None, str, str, str, str]:
    expected, actual = books.expected(key), sum(document.amount for document in documents)
    gap = actual - expected
    names = "、".join(dict.fromkeys(document.name for document in documents))
    said, causes = "；".join(filter(None, (note, found.text))), found.causes(CAUSES)
    if not documents:
        return name_of(key), expected, None, None, names, "absent", causes, said
    status = "matched" if gap == 0 else "unknown" if books.due(key) == 0 else "short" if gap < 0 else "over"
    if gap == 0 and (again := repeated(documents)):
        status = "doubtful"
        twice = say(
            "cause.doubtful", documents="、".join(dict.fromkeys(one.name for one in again)), money=again[0].amount
        )
        causes, said = causes or "duplicate", said if "duplicate" in causes else "；".join(filter(None, (said, twice)))
    return name_of(key), expected, actual, gap, names, status, causes, said
