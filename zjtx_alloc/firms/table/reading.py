"""A firm table (企业表) in Excel or CSV, read or refused with every problem named."""

from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from zjtx_alloc.base.errors import DataError
from zjtx_alloc.base.messages import say, words
from zjtx_alloc.base.text import shown
from zjtx_alloc.facts.cells import COUNTS, Wrong, plain, unit_of, yuan_in
from zjtx_alloc.facts.grid import Grid, grids_of, hidden_notes
from zjtx_alloc.facts.headed import Headed, headed
from zjtx_alloc.facts.likeness import likeliest
from zjtx_alloc.facts.problems import Problem, problem, refusal, refuse_ragged
from zjtx_alloc.firms.table.cells import read_cells
from zjtx_alloc.firms.table.columns import column_spellings, firm_columns
from zjtx_alloc.firms.table.roll import Firms

MOST_FIRMS = 50_000
YEARLY = ("actual_investment", "target_completion", "money_received", "money_spent")  # results of a year
RESULTS = (*YEARLY, "fraud")  # and at the end
_FEWEST = 3  # columns that make a row a header
_CLASHING = ("certificate_start", "certificate_end", "research_money", "planned_investment", "unit")


def load_firms(source: str | Path | pd.DataFrame, unit: str | None = None) -> Firms:
    """Read a firm table.

    Parameters
    ----------
    source : path or DataFrame
        ``.xlsx`` or CSV (UTF-8 or GBK), one firm a row, with the Chinese headers of
        ``data/firm_columns.csv``; titles above and totals or notes below are understood. Or a table of
        cells under such headers, whose rows count from 2.
    unit : str, optional
        The unit whose table it is, by code or name; then no column of units is needed.

    Raises
    ------
    DataError
        If the file is no table, or the unit is unknown.
    TableError
        With every problem found: Excel row, column, value, what is wrong, remedy.
    """
    code = None if unit is None else unit_of(unit)
    if unit is not None and code is None:
        raise DataError(say("firms.unknown_unit", name=shown(unit)))
    return firms_of(*grids_of(source, say("firms.frame"), MOST_FIRMS), code)


def firms_of(file: str, grids: list[Grid], code: str | None) -> Firms:
    """The firms of the one sheet that is a firm table, as ``load_firms``; ``code`` is their unit's."""
    sheet = _sheet(file, grids)
    own = {sheet.columns[name].place for name in ("credit_code", "name") if name in sheet.columns} - {0}
    body = {number: row for number, row in sheet.body.items() if not is_remark(row, own)}
    refuse_ragged(file, sheet.grid, [sheet.row], body)
    problems = [*_header_problems(sheet, code)]
    if not body:
        problems.append(problem(None, "", "", "no_firms"))
    columns, wrong = _cells(body, sheet, {found.column for found in problems})
    problems += [*wrong, *_clashes(body, sheet, columns, code)]
    if code is not None:
        columns["unit"] = [code] * len(body)
    invented = [say("firms.invented") in str(name) for name in columns.get("name", [])]
    if any(invented) and not all(invented):
        problems.append(problem(None, sheet.columns["name"].label, f"{sum(invented)}/{len(invented)}", "mixed"))
    if problems:
        raise refusal(file, sheet.grid.name, problems)
    table = pd.DataFrame({"file": file, "row": list(body), **_typed(columns)}).rename_axis("firm")
    notes = (*hidden_notes([sheet.grid]), *_converted(sheet))
    return Firms(table, all(invented), tuple(heading.label for heading in sheet.unread), notes)


def with_results(file: str, grid: Grid, firms: Firms) -> Firms:
    """These firms with their results in another sheet, recognised by credit code.

    Raises
    ------
    TableError
        With every cell that is wrong.
    DataError
        If a firm is missing there, stands there twice, or is none of these.
    """
    needed = ("credit_code", *RESULTS[:2])
    sheets = headed([grid], column_spellings(), lambda codes: len({*needed} & {*codes}) > 1)
    if absent := [name for name in needed if not sheets or name not in sheets[0].columns]:
        named = "".join(f"“{firm_columns()[name].title}”" for name in absent)
        raise DataError(say("firm_book.no_results", file=file, sheet=grid.name, columns=named))
    sheet, held = sheets[0], {"credit_code", "name", *RESULTS}
    sheet = replace(sheet, known=tuple((code, heading) for code, heading in sheet.known if code in held))
    body = {number: row for number, row in sheet.body.items() if not is_remark(row)}
    columns, problems = _cells(body, sheet, ())
    if problems:
        raise refusal(file, grid.name, problems)
    table = pd.DataFrame({"file": file, "row": list(body), **_typed(columns)}).rename_axis("firm")
    listed = Firms(table, firms.made_up)
    if len(strangers := table.index[~table["credit_code"].isin(firms.table["credit_code"])]):
        raise DataError(say("firm_book.strangers", sheet=grid.name, firms=listed.names(strangers)))
    found = listed.numbered_as(firms)
    if len(left := firms.table.index.difference(found.table.index, sort=False)):
        raise DataError(say("firm_book.absent", sheet=grid.name, firms=firms.names(left)))
    results = found.table[[name for name in RESULTS if name in found.table]].reindex(firms.table.index)
    return replace(firms, table=firms.table.drop(columns=list(results), errors="ignore").join(results))


def _sheet(file: str, grids: list[Grid]) -> Headed:
    found = headed(grids, column_spellings(), lambda codes: len(codes) >= _FEWEST)
    asked = {column.code for column in firm_columns().values() if column.needed and column.code != "unit"}
    whole = [sheet for sheet in found if asked <= set(sheet.columns)]  # beside it a firm workbook has results
    if len(found) == 1 or len(whole) == 1:
        return (whole or found)[0]
    names = (
        "、".join(sheet.grid.label for sheet in found) or "、".join(grid.label for grid in grids if grid.name) or "—"
    )
    needed = "、".join(column.name for column in firm_columns().values() if column.needed)
    kind = "many_firm_sheets" if found else "no_firm_header"
    raise refusal(file, "", [problem(None, say("intake.sheets"), names, kind, known=needed)])


def _header_problems(sheet: Headed, unit: str | None) -> Iterator[Problem]:
    yield from sheet.repeated()
    held = {*sheet.columns, *(["unit"] if unit is not None else [])}
    absent = {name: code for name, code in column_spellings().items() if code not in held}
    for heading in sheet.unread:
        if name := likeliest(heading.name, absent):
            known = firm_columns()[absent[name]].name
            yield problem(sheet.row, heading.label, heading.text, "misspelt", known=known)
    yield from sheet.other_measures(((heading, firm_columns()[code].measure) for code, heading in sheet.known), COUNTS)
    for column in firm_columns().values():
        if column.needed and column.code not in sheet.columns and not (column.code == "unit" and unit is not None):
            yield problem(sheet.row, column.title, "", "no_column")


def is_remark(row: list[Any], own: Collection[int] = ()) -> bool:
    """A total, or a note that stands in one cell, at none of a firm's own places: what stands there is a firm."""
    filled = ((place, text) for place, cell in enumerate(row) if (text := plain(cell)) != "")
    (place, first), (_, second) = next(filled, (0, "")), next(filled, (0, ""))
    return first in words("totals") or (second == "" and place not in own)


def _cells(
    body: dict[int, list[Any]], sheet: Headed, refused: Collection[str]
) -> tuple[dict[str, list[Any]], list[Problem]]:
    """Values by column, and what is wrong with cells; a header in yuan is reported once, not again for every cell."""
    columns, problems = {}, []
    for code, heading in sheet.columns.items():
        cells = [sheet.cell(row, code) for row in body.values()]
        columns[code] = read_cells(cells, firm_columns()[code], _converted_from(sheet, code))
        problems += [
            problem(number, heading.label, cell, value.kind, **value.details)
            for number, cell, value in zip(body, cells, columns[code], strict=True)
            if isinstance(value, Wrong) and not (value.kind == "in_yuan" and heading.label in refused)
        ]
    return columns, problems


def _converted_from(sheet: Headed, code: str) -> str:
    """The measure of money that a column is in, if it is another than its own."""
    named = sheet.other_measure(sheet.columns[code], firm_columns()[code].measure)
    return named if yuan_in(named) and yuan_in(firm_columns()[code].measure) else ""


def _converted(sheet: Headed) -> Iterator[str]:
    """What is said of columns of money in another measure."""
    for code, heading in sheet.columns.items():
        if named := _converted_from(sheet, code):
            yield say("firms.converted", column=heading.label, measure=named, wanted=firm_columns()[code].measure)


def _clashes(
    body: dict[int, list[Any]], sheet: Headed, columns: dict[str, list[Any]], unit: str | None
) -> Iterator[Problem]:
    """Certificates that end before they begin, research money above the whole plan it is part of, firms of another unit."""

    def clash(number: int, code: str, kind: str, **details: str) -> Problem:
        return problem(number, sheet.columns[code].label, sheet.cell(body[number], code), kind, **details)

    read = [columns.get(code) or [None] * len(body) for code in _CLASHING]
    for number, begin, end, research, plan, found in zip(body, *read, strict=True):
        if isinstance(begin, date) and isinstance(end, date) and end < begin:
            yield clash(number, "certificate_end", "date_order", first=f"{begin}")
        if isinstance(research, int | float) and isinstance(plan, int | float) and research > plan:
            yield clash(number, "research_money", "research_over_plan", plan=f"{plan:,.15g}")
        if unit is not None and isinstance(found, str) and found != unit:
            yield clash(number, "unit", "other_unit")


def _typed(columns: dict[str, list[Any]]) -> dict[str, Any]:
    """Columns in the schema's order and types."""
    typed: dict[str, Any] = {}
    for code, column in firm_columns().items():
        if code in columns:
            values = pd.Series(columns[code], dtype=object)
            if column.kind in ("amount", "percent"):
                typed[code] = values.astype(float)
            elif column.kind == "date":
                typed[code] = pd.to_datetime(values)
            else:
                typed[code] = values.fillna("").astype(str)
    return typed
