"""What was really transferred beside the ledger (对账): matched or not, and the likely causes of a difference."""

from pathlib import Path

import pandas as pd

from zjtx_alloc.base.units import load_units
from zjtx_alloc.budget.ledger.differences import (
    PRICES,
    Books,
    Cause,
    Document,
    Documents,
    Key,
    explained,
    name_of,
    split,
)
from zjtx_alloc.budget.ledger.ledger import Ledger
from zjtx_alloc.facts.payments import read_transfers

CAUSES = tuple(PRICES)


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
        expected), whole 万元; documents (numbers joined by 、); status: matched, short, over or unknown
        (the ledger has nothing due); cause: blank, or the likely causes in the order of ``CAUSES``, joined by +;
        explanation (Chinese). Causes are likely, not proven.

    Raises
    ------
    DataError
        As ``read_transfers`` does, with every problem of the table at once.

    Notes
    -----
    Causes are tried together, and the explanation is the one that makes the differences to the 万元 at the lowest
    price (``differences.PRICES``). In the order of plausibility:

    - 1: what the table itself shows: a document registered twice; an amount in 元; a document of the first round whose
      money the ledger leaves out; a recovery that a document states; no document at all; none of a city whose province
      has as much more. Left aside where it stands there, it costs 2.
    - 2: a recovery that only the ledger knows, or one batch's money missing.
    - 2.5: two units exchanged; a document under another unit or year (1 if that one comes out even without it). One
      cause for both ends; between units 0.75 more for each further difference in the table, since among many, two that
      fit each other are nothing rare.
    - 3 and 0.1 each: firms.
    - 8: none. Three guesses are no better than 原因未查明, which is also said of what is left over.
    """
    books = Books(ledger)
    documents, notes = split(books, transfers := read_transfers(actuals))
    keys = _keys(books, documents, transfers)
    causes = explained(books, documents, keys)
    rows = [_row(books, key, documents.get(key, ()), causes[key], notes.get(key, "")) for key in keys]
    columns = ["short_name", "expected", "actual", "difference", "documents", "status", "cause", "explanation"]
    index = pd.MultiIndex.from_tuples(keys, names=["code", "fiscal_year"])
    return pd.DataFrame(rows, index=index, columns=columns)


def _keys(books: Books, documents: Documents, transfers: pd.DataFrame) -> list[Key]:
    """Units and years to reconcile: what was transferred, and what was expected in those years."""
    years = sorted({int(year) for year in transfers["fiscal_year"]})
    every = [(str(code), year) for code in load_units().index for year in years]
    return [key for key in every if key in documents or books.expected(key) > 0]


def _row(
    books: Books, key: Key, documents: tuple[Document, ...], causes: tuple[Cause, ...], note: str
) -> tuple[str, int, int, int, str, str, str, str]:
    expected, actual = books.expected(key), sum(document.amount for document in documents)
    gap = actual - expected
    names = "、".join(dict.fromkeys(document.name for document in documents))
    status = "matched" if gap == 0 else "unknown" if books.due(key) == 0 else "short" if gap < 0 else "over"
    found = "+".join(name for name in CAUSES if name in {cause.name for cause in causes})
    said = "；".join(dict.fromkeys(filter(None, (note, *(cause.text for cause in causes)))))
    return name_of(key), expected, actual, gap, names, status, found, said
