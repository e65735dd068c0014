"""A firm table (企业表) in Excel or CSV, read or refused with every problem named."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import pandas as pd

from zjtx_alloc.base.errors import DataError
from zjtx_alloc.base.messages import say, words
from zjtx_alloc.base.text import shown
from zjtx_alloc.facts.cells import header_of, plain, stated_measures, stated_otherwise, unit_of
from zjtx_alloc.facts.grid import Grid, grid_of, read_grids
from zjtx_alloc.facts.layout import Heading, cell_at
from zjtx_alloc.facts.problems import Problem, problem, refusal, refuse_ragged
from zjtx_alloc.firms.table.cells import Wrong, read_cells
from zjtx_alloc.firms.table.columns import column_spellings, firm_columns
from zjtx_alloc.firms.table.roll import Firms

MOST_FIRMS = 50_000
HEADER_WITHIN = 15  # rows in which the header is looked for
_FEWEST = 3  # columns that make a row a header
_ALIKE = 0.8
_MEASURES = {"", "家", "个"}


@dataclass(frozen=True)
class _Layout:
    row: int
    columns: dict[str, Heading]
    unread: tuple[Heading, ...]
    problems: tuple[Problem, ...]


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
    if isinstance(source, pd.DataFrame):
        file, grids = say("firms.frame"), [grid_of(source)]
    else:
        file, grids = Path(source).name, read_grids(Path(source), MOST_FIRMS)
    grid, layout = _sheet(file, grids)
    own = {layout.columns[name].place for name in ("credit_code", "name") if name in layout.columns} - {0}
    body = {n: row for n, row in grid.rows.items() if n > layout.row and not is_remark(row, own)}
    refuse_ragged(file, grid, [layout.row], body)
    problems = [*layout.problems, *_absent(layout, code)]
    if not body:
        problems.append(problem(None, "", "", "no_firms"))
    columns, wrong = _cells(body, layout)
    problems += [*wrong, *_reversed(body, layout, columns), *_beyond_plan(body, layout, columns)]
    if code is not None:
        problems += _other_units(body, layout, columns.get("unit", []), code)
        columns["unit"] = [code] * len(body)
    invented = [say("firms.invented") in str(name) for name in columns.get("name", [])]
    if any(invented) and not all(invented):
        problems.append(problem(None, layout.columns["name"].label, f"{sum(invented)}/{len(invented)}", "mixed"))
    if problems:
        raise refusal(file, grid.name, problems)
    table = pd.DataFrame({"file": file, "row": list(body), **_typed(columns)}).rename_axis("firm")
    return Firms(table, all(invented), tuple(heading.label for heading in layout.unread))


def _sheet(file: str, grids: list[Grid]) -> tuple[Grid, _Layout]:
    found = [(grid, layout) for grid in grids if (layout := _layout(grid)) is not None]
    if len(found) == 1:
        return found[0]
    names = "、".join(grid.name for grid, _ in found) or "、".join(grid.name for grid in grids if grid.name) or "—"
    needed = "、".join(column.name for column in firm_columns().values() if column.needed)
    kind = "many_firm_sheets" if found else "no_firm_header"
    raise refusal(file, "", [problem(None, say("intake.sheets"), names, kind, known=needed)])


def _layout(grid: Grid) -> _Layout | None:
    """The layout of a sheet whose header is among its first rows; None if it has none."""
    for number in list(grid.rows)[:HEADER_WITHIN]:
        headings = [Heading(place, plain(cell)) for place, cell in enumerate(grid.rows[number]) if plain(cell)]
        known = [h for h in headings if h.name in column_spellings()]
        if len(known) >= _FEWEST:
            columns: dict[str, Heading] = {}
            for heading in known:
                columns.setdefault(column_spellings()[heading.name], heading)
            unread = tuple(h for h in headings if h not in known)
            stated = stated_measures(row for above, row in grid.rows.items() if above < number)
            problems = (*_header_problems(number, known, unread, columns), *_measure_problems(number, known, stated))
            return _Layout(number, columns, unread, problems)
    return None


def _header_problems(
    row: int, known: list[Heading], unread: tuple[Heading, ...], columns: dict[str, Heading]
) -> Iterator[Problem]:
    for heading in known:
        column = firm_columns()[column_spellings()[heading.name]]
        first = columns[column.code]
        if heading is not first:
            yield problem(row, heading.label, heading.text, "column_twice", first=first.label)
    for heading in unread:
        for name in get_close_matches(heading.name, column_spellings(), n=1, cutoff=_ALIKE):
            code = column_spellings()[name]
            if code not in columns:
                yield problem(row, heading.label, heading.text, "misspelt", known=firm_columns()[code].name)


def _measure_problems(row: int, known: list[Heading], stated: dict[str, str]) -> Iterator[Problem]:
    """Headers, or titles where a header says nothing, that name another measure than the column's."""
    for heading in known:
        column = firm_columns()[column_spellings()[heading.name]]
        measure = header_of(heading.text)[1] or stated_otherwise(stated, column.measure)
        if column.measure and measure not in {column.measure, *_MEASURES}:
            yield problem(row, heading.label, measure, "measure", measure=column.measure)


def _absent(layout: _Layout, unit: str | None) -> Iterator[Problem]:
    for column in firm_columns().values():
        if column.needed and column.code not in layout.columns and not (column.code == "unit" and unit is not None):
            yield problem(layout.row, column.title, "", "no_column")


def is_remark(row: list[Any], own: Collection[int] = ()) -> bool:
    """A total, or a note that stands in one cell, at none of a firm's own places: what stands there is a firm."""
    filled = ((place, text) for place, cell in enumerate(row) if (text := plain(cell)) != "")
    (place, first), (_, second) = next(filled, (0, "")), next(filled, (0, ""))
    return first in words("totals") or (second == "" and place not in own)


def _cells(body: dict[int, list[Any]], layout: _Layout) -> tuple[dict[str, list[Any]], list[Problem]]:
    """Values by column, and what is wrong with cells."""
    columns, problems = {}, []
    refused = {found.column for found in layout.problems}  # a header in yuan is reported once, not again for every cell
    for code, heading in layout.columns.items():
        cells = [cell_at(row, heading.place) for row in body.values()]
        columns[code] = read_cells(cells, firm_columns()[code])
        problems += [
            problem(number, heading.label, cell, value.kind, **value.details)
            for number, cell, value in zip(body, cells, columns[code], strict=True)
            if isinstance(value, Wrong) and not (value.kind == "in_yuan" and heading.label in refused)
        ]
    return columns, problems


def _reversed(body: dict[int, list[Any]], layout: _Layout, columns: dict[str, list[Any]]) -> Iterator[Problem]:
    """Certificates that end before they begin."""
    begin, end = (columns.get(name, []) for name in ("certificate_start", "certificate_end"))
    for number, first, last in zip(body, begin, end, strict=False):
        if isinstance(first, date) and isinstance(last, date) and last < first:
            place = layout.columns["certificate_end"]
            yield problem(number, place.label, body[number][place.place], "date_order", first=f"{first}")


def _beyond_plan(body: dict[int, list[Any]], layout: _Layout, columns: dict[str, list[Any]]) -> Iterator[Problem]:
    """Research money (产学研合作投入) above the whole plan that it is a part of."""
    part, whole = (columns.get(name, []) for name in ("research_money", "planned_investment"))
    for number, research, plan in zip(body, part, whole, strict=False):
        if isinstance(research, int | float) and isinstance(plan, int | float) and research > plan:
            place = layout.columns["research_money"]
            cell = cell_at(body[number], place.place)
            yield problem(number, place.label, cell, "research_over_plan", plan=f"{plan:,.15g}")


def _other_units(body: dict[int, list[Any]], layout: _Layout, units: list[Any], code: str) -> Iterator[Problem]:
    for number, found in zip(body, units, strict=False):
        if isinstance(found, str) and found != code:
            place = layout.columns["unit"]
            yield problem(number, place.label, body[number][place.place], "other_unit")


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
