"""A user's table of actual transfers (下达文件): unit, fiscal year, document, amount, and what it nets."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from zjtx_alloc.base.errors import DataError
from zjtx_alloc.base.messages import say, words
from zjtx_alloc.facts.cells import amount, header_of, plain, stated_measures, stated_otherwise
from zjtx_alloc.facts.grid import Grid, grid_of, read_grids
from zjtx_alloc.facts.layout import Heading, cell_at
from zjtx_alloc.facts.problems import Problem, problem, refusal, refuse_ragged
from zjtx_alloc.facts.reading import unit_in_row

COLUMNS = ("code", "fiscal_year", "document", "amount", "netted")
_NEEDED = ("year", "document", "amount")
_OPTIONAL = ("netted",)
_HEADER_WITHIN = 15  # rows in which a header is looked for
_YEAR = re.compile(r"(20\d\d)(\.0)?(年|年度|年预算)?")


@dataclass(frozen=True)
class _Sheet:
    """A sheet of transfers: its header row, its columns, and those that are headed like one of them."""

    grid: Grid
    header_row: int
    unit_places: tuple[int, ...]
    columns: dict[str, Heading]
    again: tuple[tuple[str, Heading], ...]

    def cell(self, row: list[Any], name: str) -> Any:
        """A row's cell in a column."""
        return cell_at(row, self.columns[name].place)


def read_transfers(source: str | Path | pd.DataFrame) -> pd.DataFrame:
    """Read actual transfers from an Excel or CSV file, or a frame with the same headers.

    Returns
    -------
    DataFrame
        A row a document and unit, in the table's order: code, fiscal_year (int), document (text), amount
        (实际下达) and netted (其中扣回; 0 where the column is absent or blank), whole 万元 as int64.

    Raises
    ------
    DataError
        If no sheet, or more than one, has these columns.
    TableError
        With every problem of the table at once.
    """
    if isinstance(source, pd.DataFrame):
        name, grids = say("transfers.frame"), [grid_of(source)]
    else:
        name, grids = Path(source).name, read_grids(Path(source))
    sheets = [sheet for grid in grids if (sheet := _sheet_of(grid)) is not None]
    if len(sheets) != 1:
        found = "、".join(sheet.grid.name for sheet in sheets)
        key = "transfers.many_sheets" if sheets else "transfers.no_header"
        raise DataError(say(key, file=name, sheets=found, **_accepted()))
    (sheet,) = sheets
    refuse_ragged(name, sheet.grid, [sheet.header_row], [n for n in sheet.grid.rows if n > sheet.header_row])
    rows, problems = _read(sheet)
    if problems:
        raise refusal(name, sheet.grid.name, problems)
    if not rows:
        raise DataError(say("transfers.empty", file=name))
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(dict.fromkeys(("fiscal_year", "amount", "netted"), "int64"))


def _accepted() -> dict[str, str]:
    """The plainest header of each column, for messages."""
    return {name: words(f"{name}_headers")[0] for name in ("unit", *_NEEDED, *_OPTIONAL)}


def _sheet_of(grid: Grid) -> _Sheet | None:
    for number in list(grid.rows)[:_HEADER_WITHIN]:
        headings = [Heading(place, plain(cell)) for place, cell in enumerate(grid.rows[number])]
        units = tuple(h.place for h in headings if h.name in words("unit_headers"))
        headed = [(c, h) for c in (*_NEEDED, *_OPTIONAL) for h in headings if h.name in words(f"{c}_headers")]
        columns = dict(reversed(headed))
        if units and all(column in columns for column in _NEEDED):
            again = tuple((column, h) for column, h in headed if h != columns[column])
            return _Sheet(grid, number, units, columns, again)
    return None


def _read(sheet: _Sheet) -> tuple[list[tuple[Any, ...]], list[Problem]]:
    rows, problems, total = [], [*_measure_problems(sheet), *_repeated(sheet)], None
    for number, row in sheet.grid.rows.items():
        if number <= sheet.header_row:
            continue
        label = next((cell for i in sheet.unit_places if plain(cell := cell_at(row, i)) != ""), None)
        if plain(label) in words("totals"):
            total = number, row
            continue
        code, wrong = unit_in_row(number, row, sheet.unit_places)
        cells: list[Any] = [
            _year(sheet, number, row),
            _document(sheet, number, row),
            _money(sheet, number, row, "amount"),
            _money(sheet, number, row, "netted") if "netted" in sheet.columns else 0,
        ]
        problems += [found for found in (wrong, *cells) if isinstance(found, Problem)]
        rows.append((code, *cells))
    if total is not None and not problems:
        problems += _total_problems(sheet, *total, rows)
    return rows, problems


def _total_problems(sheet: _Sheet, number: int, row: list[Any], rows: list[tuple[Any, ...]]) -> Iterator[Problem]:
    """Totals that are stated and differ from the sum of their rows."""
    for name in ("amount", "netted"):
        cell = sheet.cell(row, name) if name in sheet.columns else None
        made = sum(found[COLUMNS.index(name)] for found in rows)
        if plain(cell) != "" and _money(sheet, number, row, name) != made:
            yield problem(number, sheet.columns[name].label, cell, "total", sum=made)


def _measure_problems(sheet: _Sheet) -> list[Problem]:
    """Amounts are in 万元; a header or a title that names another measure is refused, never converted."""
    found = []
    stated = stated_measures(row for number, row in sheet.grid.rows.items() if number < sheet.header_row)
    for name in [name for name in ("amount", "netted") if name in sheet.columns]:
        heading = sheet.columns[name]
        measure = header_of(heading.text)[1] or stated_otherwise(stated, "万元")
        if measure not in ("", "万元"):
            found.append(problem(sheet.header_row, heading.label, measure, "measure", measure="万元"))
    return found


def _repeated(sheet: _Sheet) -> Iterator[Problem]:
    """Two columns that both may be the amount, or the year: which one is meant is not guessed."""
    for column, other in sheet.again:
        first = sheet.columns[column].label
        yield problem(sheet.header_row, other.label, other.text, "column_twice", first=first)


def _year(sheet: _Sheet, number: int, row: list[Any]) -> int | Problem:
    cell = sheet.cell(row, "year")
    match = _YEAR.fullmatch(plain(cell))
    return int(match.group(1)) if match else problem(number, sheet.columns["year"].label, cell, "year")


def _document(sheet: _Sheet, number: int, row: list[Any]) -> str | Problem:
    cell = sheet.cell(row, "document")
    return plain(cell) or problem(number, sheet.columns["document"].label, cell, "no_document")


def _money(sheet: _Sheet, number: int, row: list[Any], name: str) -> int | Problem:
    cell = sheet.cell(row, name)
    if name == "netted" and plain(cell) == "":
        return 0
    money = amount(cell, "万元")
    if isinstance(money, str):
        return problem(number, sheet.columns[name].label, cell, money)
    return int(money) if money == int(money) else problem(number, sheet.columns[name].label, cell, "not_whole_money")
