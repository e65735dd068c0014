"""From a sheet of cells to facts of the 37 units, or to every problem that stands in the way."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import pandas as pd

from zjtx_alloc.intake.cells import COUNTS, amount, plain, unit_of
from zjtx_alloc.intake.grid import Grid, read_grids
from zjtx_alloc.intake.layout import Column, Layout, indicator_names, layout_of
from zjtx_alloc.intake.problems import Problem, problem, refusal
from zjtx_alloc.messages import say, words
from zjtx_alloc.resources import shipped_table
from zjtx_alloc.units import load_units, members_of

SUPPLIED = "user"  # status and source of a fact that the user handed in
_ALIKE = 0.85  # likeness at which an unknown header is taken for a slip of the pen
_Row = tuple[int, list[Any]]


@dataclass(frozen=True)
class Reading:
    """What was understood of a file.

    Attributes
    ----------
    file : str
    layout : Layout
        Only the columns that were filled in.
    facts : DataFrame
        Columns as ``panel.FACT_COLUMNS``.
    blank : tuple of str
        Known columns without any value, by label.
    total_row : int, optional
        Row of the total as Excel shows it.
    has_totals : bool
        Whether that row holds a number; then it equals the sum of the rows.
    """

    file: str
    layout: Layout
    facts: pd.DataFrame
    blank: tuple[str, ...]
    total_row: int | None
    has_totals: bool


def read_table(path: str | Path) -> Reading:
    """Read a user's table of indicators by unit.

    Raises
    ------
    DataError
        If the file is no table at all.
    TableError
        With every problem found: in the sheets, the columns, the rows, the cells, and in what is missing.
    """
    path = Path(path)
    grid, layout = _sheet(path.name, read_grids(path))
    body = [(number, row) for number, row in grid.rows.items() if number > max(layout.header_rows)]
    layout, blank = _without_blank_columns(body, layout)
    if not layout.columns:
        raise refusal(path.name, grid.name, [problem(None, say("intake.columns"), "、".join(blank), "all_blank")])
    rows, total = _split(body, layout)
    problems, facts, seen = [*_column_problems(layout)], [], dict[tuple[str, str], int]()
    for number, row in rows:
        found, wrong = _read_row(number, row, layout, seen)
        facts += found
        problems += wrong
    problems += _coverage(seen)
    if not problems and total is not None:
        problems += _total_problems(total, layout, facts)
    if problems:
        raise refusal(path.name, grid.name, problems)
    table = pd.DataFrame([fact | {"note": path.name} for fact in facts])
    stated = total is not None and any(
        not isinstance(amount(cell_at(total[1], c.place), ""), str) for c in layout.columns
    )
    return Reading(path.name, layout, table, blank, None if total is None else total[0], stated)


def _sheet(file: str, grids: list[Grid]) -> tuple[Grid, Layout]:
    """The one sheet that looks like a table of indicators."""
    laid = [(grid, layout) for grid in grids if (layout := layout_of(grid)) is not None]
    found = [(grid, layout) for grid, layout in laid if layout.columns]
    if len(found) == 1:
        return found[0]
    known = "、".join(shipped_table("indicators.csv", "code")["name"])
    names = "、".join(grid.name for grid in grids if grid.name) or "—"
    if found:
        names = "、".join(grid.name for grid, _ in found)
        raise refusal(file, "", [problem(None, say("intake.sheets"), names, "many_sheets")])
    if not laid:
        raise refusal(file, "", [problem(None, say("intake.sheets"), names, "no_header", known=known)])
    grid, layout = laid[0]
    headers = "、".join(column.text for column in layout.unread) or "—"
    strangers = [*_misspelt(layout)] or [
        problem(layout.header_rows[0], say("intake.columns"), headers, "no_indicator", known=known)
    ]
    raise refusal(file, grid.name, strangers)


def _without_blank_columns(body: list[_Row], layout: Layout) -> tuple[Layout, tuple[str, ...]]:
    """A column without any value was not filled in: it is left out and named. A total of nothing is no value."""
    rows = [row for _, row in body if plain(_label(row, layout)) not in words("totals")]
    filled = [c for c in layout.columns if any(plain(cell_at(row, c.place)) != "" for row in rows)]
    blank = tuple(column.label for column in layout.columns if column not in filled)
    return replace(layout, columns=tuple(filled)), blank


def _split(body: list[_Row], layout: Layout) -> tuple[list[_Row], _Row | None]:
    """The rows of units, without remarks, and the last row of totals."""
    rows, total = [], None
    for number, row in body:
        label = _label(row, layout)
        if plain(label) in words("totals"):
            total = (number, row)
        elif not _is_note(row, layout, label):
            rows.append((number, row))
    return rows, total


def _is_note(row: list[Any], layout: Layout, label: Any) -> bool:
    """A remark below the table: no value in any column, and no unit."""
    empty = all(plain(cell_at(row, column.place)) == "" for column in layout.columns)
    return empty and unit_of(label) is None


def _read_row(
    number: int, row: list[Any], layout: Layout, seen: dict[tuple[str, str], int]
) -> tuple[list[dict[str, Any]], list[Problem]]:
    """Facts and problems of one row; notes in ``seen`` which unit and scope it speaks for."""
    unit, wrong_unit = unit_in_row(number, row, layout.unit_places)
    scope, wrong_scope = _scope(number, row, layout, unit)
    problems = [p for p in (wrong_unit, wrong_scope) if p is not None]
    facts = []
    if unit is not None and scope is not None:
        if (unit, scope) in seen:
            problems.append(problem(number, _unit_header(), _label(row, layout), "twice", first=seen[unit, scope]))
        seen.setdefault((unit, scope), number)
    for column in layout.columns:
        value = amount(cell_at(row, column.place), _measure(column))
        if isinstance(value, str):
            problems.append(problem(number, column.label, cell_at(row, column.place), value))
        elif unit is not None and scope is not None:
            facts.append(_fact(unit, scope, column, value))
    return facts, problems


def _column_problems(layout: Layout) -> Iterator[Problem]:
    held: dict[str, Column] = {}
    for column in layout.columns:
        measure = _measure(column)
        if column.measure and column.measure != measure and not {column.measure, measure} <= {*COUNTS, "户"}:
            yield problem(layout.header_rows[0], column.label, column.measure, "measure", measure=measure)
        if column.indicator in held:
            first = held[column.indicator].label
            yield problem(layout.header_rows[0], column.label, column.text, "column_twice", first=first)
        held.setdefault(column.indicator, column)
    yield from _misspelt(layout)


def _misspelt(layout: Layout) -> Iterator[Problem]:
    """Headers that differ from a known one by a slip: read as nothing, they would be lost without a word."""
    names, held = indicator_names(), {column.indicator for column in layout.columns}
    for header in layout.unread:
        for name in get_close_matches(header.name, names, n=1, cutoff=_ALIKE):
            if names[name] not in held and name not in header.name:
                known = shipped_table("indicators.csv", "code").at[names[name], "name"]
                yield problem(layout.header_rows[0], header.label, header.text, "misspelt", known=known)


def _total_problems(total: _Row, layout: Layout, facts: list[dict[str, Any]]) -> Iterator[Problem]:
    """Totals that differ from the sum of their rows; a unit inside a 省级合计 counts once."""
    number, row = total
    for column in layout.columns:
        stated = amount(cell_at(row, column.place), "")
        if isinstance(stated, str):
            continue
        mine = [fact for fact in facts if fact["indicator"] == column.indicator]
        within = {u for fact in mine if fact["scope"] == "province" for u in members_of(fact["unit"])}
        counted = [f["value"] for f in mine if f["scope"] == "province" or f["unit"] not in within]
        exact = [Decimal(repr(value)) for value in counted]
        difference = abs(Decimal(repr(stated)) - sum(exact))
        if difference > _rounding([*exact, Decimal(repr(stated))], _measure(column)):
            shown = f"{float(sum(exact)):.10g}"
            yield problem(number, column.label, cell_at(row, column.place), "total", sum=shown)


def _rounding(values: list[Decimal], measure: str) -> Decimal:
    """What rounding every number to its own decimals can add up to; nothing for counts."""
    if measure in COUNTS:
        return Decimal(0)
    return sum((Decimal(10) ** min(int(v.as_tuple().exponent), 0) / 2 for v in values), Decimal(0))


def _label(row: list[Any], layout: Layout) -> Any:
    """The first unit cell that says something."""
    return next((cell for i in layout.unit_places if plain(cell := cell_at(row, i)) != ""), None)


def cell_at(row: list[Any], place: int) -> Any:
    """The cell of a row; None where the row is shorter."""
    return row[place] if place < len(row) else None


def _measure(column: Column) -> str:
    return str(shipped_table("indicators.csv", "code").at[column.indicator, "measure"])


def _unit_header() -> str:
    return say("intake.unit_column")


def unit_in_row(number: int, row: list[Any], places: Sequence[int]) -> tuple[str | None, Problem | None]:
    """Code of the one unit that a row names, or what is wrong with its name."""
    cells = [cell for i in places if plain(cell := cell_at(row, i)) != ""]
    if not cells:
        return None, problem(number, _unit_header(), "", "no_unit")
    codes = [unit_of(cell) for cell in cells]
    if None in codes:
        unknown = cells[codes.index(None)]
        kind = "includes" if "(含" in plain(unknown) else "unknown_unit"
        return None, problem(number, _unit_header(), unknown, kind)
    if len(set(codes)) > 1:
        return None, problem(number, _unit_header(), "、".join(map(str, cells)), "units_differ")
    return codes[0], None


def _scope(number: int, row: list[Any], layout: Layout, unit: str | None) -> tuple[str | None, Problem | None]:
    text = "" if layout.scope_place is None else plain(cell_at(row, layout.scope_place))
    if text in words("unit_scopes"):
        return "unit", None
    if text not in words("province_scopes"):
        return None, problem(number, say("intake.scope_column"), text, "scope")
    if unit is not None and load_units().at[unit, "kind"] != "province":
        return None, problem(number, say("intake.scope_column"), text, "not_a_province")
    return "province", None


def _coverage(seen: Iterable[tuple[str, str]]) -> Iterator[Problem]:
    """Units that no row speaks for: listed, never guessed."""
    units, seen = load_units(), set(seen)
    spoken = {u for unit, scope in seen for u in (members_of(unit) if scope == "province" else (unit,))}
    missing = [code for code in units.index if code not in spoken]
    inside = [code for code in missing if (units.at[code, "parent"], "unit") in seen]
    rest = [code for code in missing if code not in inside]
    names = units["short_name"]
    if inside:
        parents = "、".join(dict.fromkeys(names[units.at[code, "parent"]] for code in inside))
        yield problem(None, _unit_header(), "、".join(names[inside]), "inside", parents=parents)
    if rest:
        yield problem(None, _unit_header(), "、".join(names[rest]), "missing", count=len(rest))


def _fact(unit: str, scope: str, column: Column, value: float) -> dict[str, Any]:
    return {
        "unit": unit,
        "unit_name": load_units().at[unit, "name"],
        "scope": scope,
        "indicator": column.indicator,
        "period": column.period or say("intake.no_period"),
        "value": value,
        "measure": _measure(column),
        "status": SUPPLIED,
        "source": SUPPLIED,
    }
