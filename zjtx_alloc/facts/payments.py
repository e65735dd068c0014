"""A user's table of actual transfers (下达文件): unit, fiscal year, document, amount, and what it nets."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from openpyxl.utils import get_column_letter

from zjtx_alloc.base.errors import DataError
from zjtx_alloc.base.messages import say, words
from zjtx_alloc.facts.cells import amount, header_of, plain, stated_measures, stated_otherwise
from zjtx_alloc.facts.grid import Grid, grid_of, read_grids
from zjtx_alloc.facts.layout import cell_at
from zjtx_alloc.facts.problems import Problem, problem, refusal, refuse_ragged
from zjtx_alloc.facts.reading import unit_in_row

COLUMNS = ("code", "fiscal_year", "document", "amount", "netted")
_NEEDED = ("year", "document", "amount")
_OPTIONAL = ("netted",)
_HEADER_WITHIN = 15  # rows in which a header is looked for
_YEAR = re.compile(r"(20\d\d)(\.0)?(年|年度|年预算)?")


@dataclass(frozen=True)
class _Sheet:
    """A sheet of transfers: its header row, the places of its columns, and of those that are headed like one of them."""

    grid: Grid
    header_row: int
    unit_places: tuple[int, ...]
    places: dict[str, int]
    again: tuple[tuple[str, int], ...]

    def label(self, name: str) -> str:
        """The header of a column, as Excel shows it."""
        return self.label_at(self.places[name])

    def label_at(self, place: int) -> str:
        """The same, by place."""
        return f"{get_column_letter(place + 1)} {plain(cell_at(self.grid.rows[self.header_row], place))}"


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
        names = [header_of(plain(cell))[0] for cell in grid.rows[number]]
        units = tuple(place for place, name in enumerate(names) if name in words("unit_headers"))
        headed = [
            (column, place)
            for column in (*_NEEDED, *_OPTIONAL)
            for place, name in enumerate(names)
            if name in words(f"{column}_headers")
        ]
        places = dict(reversed(headed))
        if units and all(column in places for column in _NEEDED):
            again = tuple((column, place) for column, place in headed if place != places[column])
            return _Sheet(grid, number, units, places, again)
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
            _money(sheet, number, row, "netted") if "netted" in sheet.places else 0,
        ]
        problems += [found for found in (wrong, *cells) if isinstance(found, Problem)]
        rows.append((code, *cells))
    if total is not None and not problems:
        problems += _total_problems(sheet, *total, rows)
    return rows, problems


def _total_problems(sheet: _Sheet, number: int, row: list[Any], rows: list[tuple[Any, ...]]) -> Iterator[Problem]:
    """Totals that are stated and differ from the sum of their rows."""
    for name in ("amount", "netted"):
        cell = cell_at(row, sheet.places[name]) if name in sheet.places else None
        made = sum(found[COLUMNS.index(name)] for found in rows)
        if plain(cell) != "" and _money(sheet, number, row, name) != made:
            yield problem(number, sheet.label(name), cell, "total", sum=made)


def _measure_problems(sheet: _Sheet) -> list[Problem]:
    """Amounts are in 万元; a header or a title that names another measure is refused, never converted."""
    found = []
    stated = stated_measures(row for number, row in sheet.grid.rows.items() if number < sheet.header_row)
    for name in ("amount", "netted"):
        own = header_of(plain(cell_at(sheet.grid.rows[sheet.header_row], sheet.places.get(name, -1))))[1]
        measure = own or stated_otherwise(stated, "万元")
        if name in sheet.places and measure not in ("", "万元"):
            found.append(problem(sheet.header_row, sheet.label(name), measure, "measure", measure="万元"))
    return found


def _repeated(sheet: _Sheet) -> Iterator[Problem]:
    """Two columns that both may be the amount, or the year: which one is meant is not guessed."""
    for column, place in sheet.again:
        text = plain(cell_at(sheet.grid.rows[sheet.header_row], place))
        yield problem(sheet.header_row, sheet.label_at(place), text, "column_twice", first=sheet.label(column))


def _year(sheet: _Sheet, number: int, row: list[Any]) -> int | Problem:
    cell = cell_at(row, sheet.places["year"])
    match = _YEAR.fullmatch(plain(cell))
    return int(match.group(1)) if match else problem(number, sheet.label("year"), cell, "year")


def _document(sheet: _Sheet, number: int, row: list[Any]) -> str | Problem:
    cell = cell_at(row, sheet.places["document"])
    return plain(cell) or problem(number, sheet.label("document"), cell, "no_document")


def _money(sheet: _Sheet, number: int, row: list[Any], name: str) -> int | Problem:
    cell = cell_at(row, sheet.places[name])
    if name == "netted" and plain(cell) == "":
        return 0
    money = amount(cell, "万元")
    if isinstance(money, str):
        return problem(number, sheet.label(name), cell, money)
    return int(money) if money == int(money) else problem(number, sheet.label(name), cell, "not_whole_money")
