"""A user's table of actual transfers (下达文件): unit, fiscal year, document, amount, and what it nets."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache, reduce
from pathlib import Path
from typing import Any

import pandas as pd

from zjtx_alloc.base.errors import DataError
from zjtx_alloc.base.messages import say, words
from zjtx_alloc.base.units import load_units, members_of
from zjtx_alloc.facts.cells import (
    MOST,
    amount,
    header_of,
    in_measure,
    part_of,
    plain,
    unit_of,
    year_of,
    yuan_in,
)
from zjtx_alloc.facts.grid import Grid, grids_of
from zjtx_alloc.facts.headed import HEADER_WITHIN, Headed, headed
from zjtx_alloc.facts.layout import cell_at
from zjtx_alloc.facts.problems import Problem, problem, refusal, refuse_ragged
from zjtx_alloc.facts.reading import unit_in_row, whole_of

COLUMNS = ("code", "fiscal_year", "document", "amount", "netted")
_NEEDED = ("unit", "year", "document", "amount")
_HEADED = (*_NEEDED, "netted")
_FISCAL_YEAR = re.compile(r"20\d\d(?=年(?!\d{1,2}月))|^20\d\d$")
_DOCUMENT = re.compile(r"[\u4e00-\u9fff]{1,6}[〔\[(]20\d\d[〕\])]\d{1,5}号")
_TAKEN_BACK = re.compile(r"[-−△▲](?P<minus>[^-−]*)|\((?P<brackets>.*)\)")  # a negative amount as books have it


def read_transfers(source: str | Path | pd.DataFrame) -> pd.DataFrame:
    """Read actual transfers from an Excel or CSV file, or a frame with the same headers.

    The header may take two rows. A fiscal year or document without a column is the one that the titles name; years may
    stand side by side, a column each (2024年, or 2024年（财建〔2024〕359号）), blank where nothing was paid. Amounts in 元, 千元 or 亿元 are converted where a header or a title says so. A
    negative amount (-73, △73, (73)) is money taken back: it counts as netted too. Of a row 其中：深圳 the province's
    row above is freed; 广东省合计 under 广东 and 深圳 is a subtotal.

    Returns
    -------
    DataFrame
        A row a document and unit, in the table's order: code, fiscal_year (int), document (text), amount
        (实际下达) and netted (其中扣回; 0 where the column is absent or blank), whole 万元 as int64; includes, the
        codes of units that a province's row holds beside its own (广东（含深圳）), joined by 、.

    Raises
    ------
    DataError
        If no sheet, or more than one, has these columns.
    TableError
        With every problem of the table at once.
    """
    name, grids = grids_of(source, say("transfers.frame"))
    sheets = _sheets(grids)
    if len(sheets) != 1:
        found = "、".join(parts[0].grid.label for parts in sheets)
        key = "transfers.many_sheets" if sheets else "transfers.no_header"
        plainest = {code: words(f"{code}_headers")[0] for code in _HEADED}
        raise DataError(say(key, file=name, sheets=found, **plainest))
    (parts,) = sheets
    refuse_ragged(name, parts[0].grid, parts[0].header_rows, parts[0].body)
    rows, problems = list[_Row](), list[Problem]()
    for part in parts:
        found_rows, found_problems = _read(part)
        rows, problems = rows + found_rows, problems + found_problems
    if problems:
        raise refusal(name, parts[0].grid.name, problems)
    if not rows:
        raise DataError(say("transfers.empty", file=name))
    table = pd.DataFrame([row.values for row in rows], columns=[*COLUMNS, "includes"])
    return table.astype(dict.fromkeys(("fiscal_year", "amount", "netted"), "int64"))


@dataclass(frozen=True)
class _Row:
    """A document's row: ``role`` says whether its unit stands for itself, is part of the row above, or holds others."""

    number: int
    cell: Any
    code: str
    year: int
    document: str
    amount: int
    netted: int
    role: str = ""
    includes: tuple[str, ...] = ()

    @property
    def values(self) -> tuple[str, int, str, int, int, str]:
        """The row as the table has it."""
        return self.code, self.year, self.document, self.amount, self.netted, "、".join(self.includes)

    def beside(self, other: "_Row") -> bool:
        """Whether both are of one document and year."""
        return (self.year, self.document) == (other.year, other.document)

    def without(self, other: "_Row") -> "_Row":
        """The row less the money of another."""
        return replace(self, amount=self.amount - other.amount, netted=self.netted - other.netted)


@cache
def _spellings() -> dict[str, str]:
    return {spelling: code for code in _HEADED for spelling in words(f"{code}_headers")}


def _sheets(grids: list[Grid]) -> list[list[Headed]]:
    """The sheets with every column; else those of which titles or headings say what has no column, a part each year."""
    if whole := headed(grids, _spellings(), set(_NEEDED).issubset):
        return [[sheet] for sheet in whole]
    tops = (plain(cell) for grid in grids for row in list(grid.rows.values())[:HEADER_WITHIN] for cell in row)
    years = {header_of(text)[0]: "amount" for text in tops if _DOCUMENT.search(text) and header_of(text)[2]}
    found = headed(grids, _spellings() | years | {"": "amount"}, {"unit", "amount"}.issubset)
    return [parts for parts in map(_by_year, found) if all(map(_is_complete, parts))]


def _by_year(sheet: Headed) -> list[Headed]:
    """The sheet, or where the amounts of several years stand side by side, a part for each."""
    amounts = [one for one in sheet.known if one[0] == "amount"]
    years = {header_of(heading.text)[2] for _, heading in amounts}
    if len(amounts) == 1 or len(years) < len(amounts) or "" in years:
        return [sheet]
    others = tuple(one for one in sheet.known if one[0] != "amount")
    return [replace(sheet, known=(*others, one)) for one in amounts]


def _is_complete(sheet: Headed) -> bool:
    """Whether it has a year and a document, in columns or above them."""
    return set(_NEEDED) <= {*sheet.columns, *_stated(sheet)}


def _stated(sheet: Headed) -> dict[str, str]:
    """The year and the document that the heading of the amounts names, else the titles, if they name one."""
    above = [plain(cell) for number, row in sheet.grid.rows.items() if number < sheet.header_rows[0] for cell in row]
    found: dict[str, str] = {}
    for texts in ([sheet.columns["amount"].text], above):
        for name, pattern in (("year", _FISCAL_YEAR), ("document", _DOCUMENT)):
            if len(named := {match for text in texts for match in pattern.findall(plain(text))}) == 1:
                found.setdefault(name, *named)
    return found


def _given(sheet: Headed, row: list[Any], name: str) -> Any:
    """A row's cell in a column; where the table has no such column, what is stated above."""
    return sheet.cell(row, name) if name in sheet.columns else _stated(sheet).get(name)


def _read(sheet: Headed) -> tuple[list[_Row], list[Problem]]:
    places = [heading.place for code, heading in sheet.known if code == "unit"]
    problems, rows, total = [*_measure_problems(sheet), *sheet.repeated(several=["unit"])], list[_Row](), None
    for number, row in sheet.body.items():
        label = next((cell for place in places if plain(cell := cell_at(row, place)) != ""), None)
        if not _is_a_transfer(sheet, row, label):
            total = (number, row) if _is_total(sheet, row) else total
            continue
        role, code, wrong = _unit(number, row, places, label)
        cells: list[Any] = [_year(sheet, number, row), _document(sheet, number, row), *_amounts(sheet, number, row)]
        found = [cell for cell in (wrong, *cells) if isinstance(cell, Problem)]
        problems += found
        if not found:
            year, document, money, netted = cells
            rows.append(_Row(number, label, str(code), year, document, money, netted, role))
    if problems:
        return rows, problems
    rows, problems = _untangled(sheet, rows)
    if total is not None and not problems:
        problems += _total_problems(sheet, *total, rows)
    return rows, problems


def _is_total(sheet: Headed, row: list[Any]) -> bool:
    """Whether a row calls itself the total, left of the money; 合计 is often merged with the column of running numbers."""
    return any(plain(cell) in words("totals") for cell in row[: sheet.columns["amount"].place])


def _is_a_transfer(sheet: Headed, row: list[Any], label: Any) -> bool:
    """Whether a row is neither a total nor a remark, which names no unit and says nothing under the other headers."""
    said = any(plain(sheet.cell(row, name)) != "" for name in _HEADED if name != "unit")
    if "year" not in sheet.columns and header_of(sheet.columns["amount"].text)[2]:
        said = plain(sheet.cell(row, "amount")) != ""  # a column a year: blank where nothing was paid in it
        return said and not _is_total(sheet, row)
    return not _is_total(sheet, row) and (said or unit_of(label) is not None)


def _unit(number: int, row: list[Any], places: list[int], label: Any) -> tuple[str, str | None, Problem | None]:
    """What a row speaks for: a unit, a part of the province above, or a province with the units inside it."""
    if (part := part_of(label)) is not None and load_units().at[part, "parent"]:
        return "part", part, None
    if (whole := whole_of(label)) is not None:
        return "whole", whole, None
    return "", *unit_in_row(number, row, places)


def _untangled(sheet: Headed, rows: list[_Row]) -> tuple[list[_Row], list[Problem]]:
    """The rows with every unit's money once: provinces less the parts and units that other rows show."""
    problems = list[Problem]()
    kept = list[_Row]()
    for row in rows:
        if row.role == "part":
            parent = load_units().at[row.code, "parent"]
            above = [n for n, one in enumerate(kept) if one.code == parent and one.beside(row)]
            if not above:
                problems.append(_problem(sheet, row, "part_alone", parent=load_units().at[parent, "short_name"]))
                continue
            kept[above[-1]] = kept[above[-1]].without(row)
        kept.append(row)
    found = list[_Row]()
    for row in kept:
        members = [one for one in kept if one.code in members_of(row.code) and one.beside(row) and one.role != "whole"]
        if row.role != "whole":
            found.append(row)
        elif not any(one.code == row.code for one in members):
            rest = reduce(_Row.without, [one for one in members if one.role != "part"], row)
            held = {one.code for one in members} | {row.code}
            found.append(replace(rest, includes=tuple(c for c in members_of(row.code) if c not in held)))
        elif row.amount != (made := sum(one.amount for one in members)):
            problems.append(_problem(sheet, row, "total", value=row.amount, sum=made))
    return found, problems


def _problem(sheet: Headed, row: _Row, kind: str, **details: Any) -> Problem:
    column = "amount" if "value" in details else "unit"
    return problem(row.number, sheet.columns[column].label, details.pop("value", row.cell), kind, **details)


def _measure_problems(sheet: Headed) -> Iterator[Problem]:
    """Money columns whose headers name a measure that is no money."""
    for name in ("amount", "netted"):
        if name in sheet.columns and not yuan_in(measure := _measure(sheet, name)):
            yield problem(sheet.row, sheet.columns[name].label, measure, "measure", measure="万元")


def _measure(sheet: Headed, name: str) -> str:
    """The measure of a column: as its header says, else as titles say, else 万元."""
    return sheet.other_measure(sheet.columns[name], "万元") or "万元"


def _total_problems(sheet: Headed, number: int, row: list[Any], rows: list[_Row]) -> Iterator[Problem]:
    """Totals that are stated and differ from the sum of their rows."""
    for name, made in (("amount", sum(r.amount for r in rows)), ("netted", sum(r.netted for r in rows))):
        cell = sheet.cell(row, name)
        if plain(cell) != "" and _money(sheet, number, row, name) != made:
            yield problem(number, sheet.columns[name].label, cell, "total", sum=made)


def _year(sheet: Headed, number: int, row: list[Any]) -> int | Problem:
    cell = _given(sheet, row, "year")
    return year_of(cell) or problem(number, sheet.columns["year"].label, cell, "year")


def _document(sheet: Headed, number: int, row: list[Any]) -> str | Problem:
    cell = _given(sheet, row, "document")
    return plain(cell) or problem(number, sheet.columns["document"].label, cell, "no_document")


def _amounts(sheet: Headed, number: int, row: list[Any]) -> tuple[int | Problem, int | Problem]:
    """What a row transfers and what it nets; money taken back in a row of its own is netted."""
    money = _money(sheet, number, row, "amount")
    if plain(sheet.cell(row, "netted")) != "":
        return money, _money(sheet, number, row, "netted")
    return money, max(-money, 0) if isinstance(money, int) else 0


def unsigned(cell: Any) -> tuple[Any, int]:
    """A cell without the sign of money taken back (-73, △73, (73)), and the sign: 1 or -1."""
    negative = _TAKEN_BACK.fullmatch(plain(cell))
    return (cell, 1) if negative is None else (negative["minus"] or negative["brackets"], -1)


def _money(sheet: Headed, number: int, row: list[Any], name: str) -> int | Problem:
    """Whole 万元 of a cell, whatever measure its column has; only an amount may be negative."""
    cell = sheet.cell(row, name)
    cell, sign = unsigned(cell) if name == "amount" else (cell, 1)
    money = amount(cell, "万元")
    if isinstance(money, str):
        return problem(number, sheet.columns[name].label, sheet.cell(row, name), money)
    whole = in_measure(money, _measure(sheet, name), "万元")
    if whole > MOST:
        return problem(number, sheet.columns[name].label, sheet.cell(row, name), "too_large")
    if whole != int(whole):
        return problem(number, sheet.columns[name].label, sheet.cell(row, name), "not_whole_money")
    return sign * int(whole)
