"""What provinces' firm workbooks say to the nation: approvals and outcomes, as cells of a programme's workbook."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from zjtx_alloc.base.errors import DataError
from zjtx_alloc.base.messages import say
from zjtx_alloc.base.units import load_units
from zjtx_alloc.budget.ledger.settlement import DISCONTINUED, OUTCOMES
from zjtx_alloc.facts.cells import plain
from zjtx_alloc.facts.grid import grids_of
from zjtx_alloc.firms.book import FirmBook, read_book
from zjtx_alloc.firms.stages import need_sound
from zjtx_alloc.rules.programme.forms import forms
from zjtx_alloc.rules.programme.known import ENDS
from zjtx_alloc.rules.programme.records import rows_by


def read_books(folder: Path) -> list[FirmBook]:
    """The firm workbooks of a folder, one of each unit and batch.

    Raises
    ------
    DataError
        If there is none, two are of one unit and batch, or invented firms stand beside real ones.
    """
    books, held = [], dict[tuple[str, int], str]()
    for path in sorted(path for path in folder.glob("*.xlsx") if not path.name.startswith("~$")):
        book = read_book(path)
        need_sound(book)
        if (first := held.setdefault((book.unit, book.batch), book.file)) != book.file:
            raise DataError(say("collect.twice", unit=_name(book), batch=book.batch, files=f"{first}、{book.file}"))
        books.append(book)
    if not books:
        raise DataError(say("collect.none", folder=folder))
    if len({book.firms.made_up for book in books}) > 1:
        raise DataError(say("firms.mixed"))
    return books


def collected(books: Sequence[FirmBook], programme: Path) -> tuple[dict[str, pd.DataFrame], list[str]]:
    """Approvals and outcomes as cells of a programme's workbook (by sheet, a row of Excel each), and what was read of each book.

    A count stands there only where a province has decided: recommended once firms are selected, approved once every
    selected firm has its 批复结论, outcomes once 结算 is filled.

    Raises
    ------
    DataError
        If the workbook has no sheet 审核结果 or 期末结果, or a firm selected has no decision while others have.
    """
    approvals = [row for book in books if (row := _approval(book))]
    outcomes = [row for book in books for row in _outcomes(book)]
    cells = {
        forms()["approvals"].title: _placed(programme, "approvals", ("batch", "code"), approvals),
        forms()["outcomes"].title: _placed(programme, "outcomes", ("batch", "code", "year"), outcomes),
    }
    lines = [_described(book, approvals, outcomes) for book in books]
    return cells, [*lines, *(line for book in books for line in _expected(book))]


def _expected(book: FirmBook) -> Iterator[str]:
    """A word on outcomes that were written before the year of the closing payment."""
    year, day = book.award.closing_year(book.batch), book.days.get(say("stage.settle"))
    if day is not None and day.year < year:
        yield say("collect.expected", file=book.file, day=day, year=year)


def _approval(book: FirmBook) -> dict[str, Any]:
    """The row of 审核结果; empty where nothing is decided."""
    decided = book.decisions
    chosen = decided["selected"].eq("yes")
    if not chosen.any():
        return {}
    row = {"batch": book.batch, "code": book.unit, "unit": _name(book), "recommended": int(chosen.sum())}
    said = decided.loc[chosen, "approved"]
    if said.isna().all():
        return row
    if said.isna().any():
        values = {"file": book.file, "firms": book.firms.names(said.index[said.isna()])}
        raise DataError(say("collect.undecided", **values))
    return row | {"approved": int(said.eq("yes").sum())}


def _outcomes(book: FirmBook) -> Iterator[dict[str, Any]]:
    """The rows of 期末结果: the discontinued in their years, the others in the year of the closing payment."""
    names = {say(f"ending.{outcome}"): outcome for outcome in (*OUTCOMES, DISCONTINUED)}
    left = {record["credit_code"]: record["left"] for record in book.entries["yearly"].records}
    closing, counts = book.award.closing_year(book.batch), dict[int, dict[str, int]]()
    for record in book.entries["ending"].records:
        if record["outcome"] is None:
            continue
        if record["outcome"] not in names:
            raise DataError(say("collect.outcome", file=book.file, row=record.row, value=record["outcome"]))
        outcome = names[record["outcome"]]
        year = left.get(record["credit_code"]) if outcome == DISCONTINUED else closing
        if year is None:
            raise DataError(say("collect.year", file=book.file, row=record.row))
        counts.setdefault(year, dict.fromkeys(ENDS, 0))[outcome] += 1
    for year in sorted(counts):
        yield {"batch": book.batch, "code": book.unit, "unit": _name(book), "year": year, **counts[year]}


def _placed(programme: Path, name: str, keys: tuple[str, ...], rows: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """Rows under their headers, where the sheet has them, else below what it has."""
    form = forms()[name]
    file, grids = grids_of(programme, "")
    grid = next((grid for grid in grids if plain(grid.name) == form.title), None)
    if grid is None:
        raise DataError(say("collect.no_sheet", file=file, sheet=form.title))
    held, following = rows_by(grid, form, keys), max(grid.rows, default=0) + 1
    places = []
    for row in rows:
        place = held.get(tuple(row[key] for key in keys))
        places.append(following if place is None else place)
        following += place is None
    return pd.DataFrame(rows, index=places).rename(columns={key: field.header for key, field in form.fields.items()})


def _described(book: FirmBook, approvals: Sequence[dict[str, Any]], outcomes: Sequence[dict[str, Any]]) -> str:
    def own(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        return [row for row in rows if (row["code"], row["batch"]) == (book.unit, book.batch)]

    row = next(iter(own(approvals)), {})
    counts = {name: row.get(name, say("collect.unknown")) for name in ("recommended", "approved")}
    ends = sum(one[name] for one in own(outcomes) for name in ENDS)
    return say("collect.read", file=book.file, unit=_name(book), batch=book.batch, ends=ends, **counts)


def _name(book: FirmBook) -> str:
    return str(load_units().at[book.unit, "short_name"])
