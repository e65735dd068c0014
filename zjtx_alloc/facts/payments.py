"""A user's table of actual transfers (下达文件): unit, fiscal year, document, amount, and what it nets."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from zjtx_alloc.base.errors import DataError
from zjtx_alloc.base.messages import say, words
from zjtx_alloc.facts.cells import amount, plain
from zjtx_alloc.facts.grid import grids_of
from zjtx_alloc.facts.headed import Headed, headed
from zjtx_alloc.facts.layout import cell_at
from zjtx_alloc.facts.problems import Problem, problem, refusal, refuse_ragged
from zjtx_alloc.facts.reading import unit_in_row

COLUMNS = ("code", "fiscal_year", "document", "amount", "netted")
_NEEDED = ("unit", "year", "document", "amount")
_HEADED = (*_NEEDED, "netted")
_YEAR = re.compile(r"(20\d\d)(\.0)?(年|年度|年预算)?")


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
    name, grids = grids_of(source, say("transfers.frame"))
    sheets = headed(grids, _spellings(), set(_NEEDED).issubset)
    if len(sheets) != 1:
        found = "、".join(sheet.grid.name for sheet in sheets)
        key = "transfers.many_sheets" if sheets else "transfers.no_header"
        plainest = {code: words(f"{code}_headers")[0] for code in _HEADED}
        raise DataError(say(key, file=name, sheets=found, **plainest))
    (sheet,) = sheets
    refuse_ragged(name, sheet.grid, [sheet.row], sheet.body)
    rows, problems = _read(sheet)
    if problems:
        raise refusal(name, sheet.grid.name, problems)
    if not rows:
        raise DataError(say("transfers.empty", file=name))
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(dict.fromkeys(("fiscal_year", "amount", "netted"), "int64"))


@cache
def _spellings() -> dict[str, str]:
    return {spelling: code for code in _HEADED for spelling in words(f"{code}_headers")}


def _read(sheet: Headed) -> tuple[list[tuple[Any, ...]], list[Problem]]:
    places = [heading.place for code, heading in sheet.known if code == "unit"]
    money = [(sheet.columns[code], "万元") for code in ("amount", "netted") if code in sheet.columns]
    rows, problems, total = [], [*sheet.other_measures(money), *sheet.repeated(several=["unit"])], None
    for number, row in sheet.body.items():
        label = next((cell for place in places if plain(cell := cell_at(row, place)) != ""), None)
        if plain(label) in words("totals"):
            total = number, row
            continue
        code, wrong = unit_in_row(number, row, places)
        cells: list[Any] = [
            _year(sheet, number, row),
            _document(sheet, number, row),
            _money(sheet, number, row, "amount"),
            _money(sheet, number, row, "netted"),
        ]
        problems += [found for found in (wrong, *cells) if isinstance(found, Problem)]
        rows.append((code, *cells))
    if total is not None and not problems:
        problems += _total_problems(sheet, *total, rows)
    return rows, problems


def _total_problems(sheet: Headed, number: int, row: list[Any], rows: list[tuple[Any, ...]]) -> Iterator[Problem]:
    """Totals that are stated and differ from the sum of their rows."""
    for name in ("amount", "netted"):
        cell = sheet.cell(row, name)
        made = sum(found[COLUMNS.index(name)] for found in rows)
        if plain(cell) != "" and _money(sheet, number, row, name) != made:
            yield problem(number, sheet.columns[name].label, cell, "total", sum=made)


def _year(sheet: Headed, number: int, row: list[Any]) -> int | Problem:
    cell = sheet.cell(row, "year")
    match = _YEAR.fullmatch(plain(cell))
    return int(match.group(1)) if match else problem(number, sheet.columns["year"].label, cell, "year")


def _document(sheet: Headed, number: int, row: list[Any]) -> str | Problem:
    cell = sheet.cell(row, "document")
    return plain(cell) or problem(number, sheet.columns["document"].label, cell, "no_document")


def _money(sheet: Headed, number: int, row: list[Any], name: str) -> int | Problem:
    cell = sheet.cell(row, name)
    if name == "netted" and plain(cell) == "":
        return 0
    money = amount(cell, "万元")
    if isinstance(money, str):
        return problem(number, sheet.columns[name].label, cell, money)
    return int(money) if money == int(money) else problem(number, sheet.columns[name].label, cell, "not_whole_money")
