"""From a sheet of cells to facts of the 37 units, or to every problem that stands in the way."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd

from zjtx_alloc.base.messages import say, words
from zjtx_alloc.base.resources import shipped_table
from zjtx_alloc.base.units import load_units, members_of
from zjtx_alloc.facts.cells import COUNTS, amount, part_of, plain, stated_measures, stated_otherwise, unit_of
from zjtx_alloc.facts.grid import Grid, read_sheets
from zjtx_alloc.facts.layout import Column, Layout, cell_at
from zjtx_alloc.facts.problems import Problem, problem, refusal, refuse_ragged
from zjtx_alloc.facts.rows import Body, Row, body_of
from zjtx_alloc.facts.sheets import misspelt, table_sheet

SUPPLIED = "user"  # status and source of a fact that the user handed in: its column replaces those of all periods
OF_PERIOD = "user_period"  # status of such a fact that replaces only that of its own period


@dataclass(frozen=True)
class Reading:
    """What was understood of a file."""

    file: str
    layout: Layout  #: Only the columns that were filled in.
    facts: pd.DataFrame  #: Columns as ``panel.FACT_COLUMNS``.
    blank: tuple[str, ...]  #: Known columns without any value, by label.
    title_rows: tuple[int, ...]  #: Rows above the header.
    total_row: int | None  #: Row of the total as Excel shows it.
    has_totals: bool  #: Whether that row holds a number; then it equals the sum of the rows.
    #: Tuple of (int, str): Rows below the header that were not read, and what they say first.
    passed: tuple[tuple[int, str], ...]
    rows: dict[str, int]  #: Row of each unit or province that the table names, as Excel shows it.
    hidden: str  #: Rows and columns of the table that the sheet hides; they are read. Blank if none.

    def facts_of(self, column: Column) -> pd.DataFrame:
        """The facts of one column."""
        return self.facts[(self.facts["indicator"] == column.indicator) & (self.facts["period"] == _period(column))]


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
    grid, layout = table_sheet(path.name, read_sheets(path))
    body = body_of(grid, layout)
    refuse_ragged(path.name, grid, layout.header_rows, [number for number, _ in (*body.units, *body.totals)])
    filled, blank = _without_blank_columns(body, layout)
    if not filled.columns:
        raise refusal(path.name, grid.name, [problem(None, say("intake.columns"), "、".join(blank), "all_blank")])
    reading, problems = read_layout(path.name, grid, layout)
    if problems:
        raise refusal(path.name, grid.name, problems, reading.hidden)
    return reading


def read_layout(file: str, grid: Grid, layout: Layout, *, by_period: bool = False) -> tuple[Reading, list[Problem]]:
    """Read the sheet of a file that is the table: what was understood, and every problem.

    ``by_period``: an indicator may have a column for each period.
    """
    body = body_of(grid, layout)
    layout, blank = _without_blank_columns(body, layout)
    facts, rows, problems = _read(grid, layout, body, by_period=by_period)
    numbers = [amount(cell_at(row, c.place), "") for _, row in body.totals[-1:] for c in layout.columns]
    reading = Reading(
        file,
        layout,
        pd.DataFrame([fact | {"note": file} for fact in facts]),
        blank,
        tuple(number for number in grid.rows if number < min(layout.header_rows)),
        body.totals[-1][0] if body.totals else None,
        any(not isinstance(number, str) for number in numbers),
        body.passed,
        rows,
        _hidden(grid, layout),
    )
    return reading, problems


def _read(
    grid: Grid, layout: Layout, body: Body, *, by_period: bool
) -> tuple[list[dict[str, Any]], dict[str, int], list[Problem]]:
    """Facts of every row, the row of each unit, and every problem of columns, rows and totals."""
    titles = (row for number, row in grid.rows.items() if number < min(layout.header_rows))
    problems = [*_column_problems(layout, stated_measures(titles), by_period=by_period)]
    facts, seen = list[dict[str, Any]](), dict[tuple[str, str], int]()
    for number, row in body.units:
        found, wrong = _read_row(number, row, layout, seen)
        facts += found
        problems += wrong
    problems += _coverage(seen)
    if body.other is not None:
        label = layout.label(grid.rows[body.other])
        problems.append(problem(body.other, say("intake.unit_column"), label, "second_table"))
    if not problems:
        problems += [found for total in body.totals for found in _total_problems(total, layout, facts)]
    return facts, {unit: number for (unit, _), number in seen.items()}, problems


def _hidden(grid: Grid, layout: Layout) -> str:
    """What of a table the sheet hides, in words: a problem there is not to be seen in Excel."""
    rows = sorted(number for number in grid.hidden_rows if number > max(layout.header_rows))
    columns = [column.label for column in layout.columns if column.place in grid.hidden_places]
    parts = [say("intake.hidden_whole", sheet=grid.name)] if grid.is_hidden else []
    parts += [say("intake.hidden_rows", rows="、".join(map(str, rows)))] if rows else []
    parts += [say("intake.hidden_columns", columns="、".join(columns))] if columns else []
    return "；".join(parts)


def _without_blank_columns(body: Body, layout: Layout) -> tuple[Layout, tuple[str, ...]]:
    """A column without any value was not filled in: it is left out and named. A total of nothing is no value."""
    filled = [c for c in layout.columns if any(plain(cell_at(row, c.place)) != "" for _, row in body.units)]
    blank = tuple(column.label for column in layout.columns if column not in filled)
    return replace(layout, columns=tuple(filled)), blank


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
            problems.append(
                problem(number, say("intake.unit_column"), layout.label(row), "twice", first=seen[unit, scope])
            )
        seen.setdefault((unit, scope), number)
    for column in layout.columns:
        value = amount(cell_at(row, column.place), _measure(column))
        if isinstance(value, str):
            problems.append(problem(number, column.label, cell_at(row, column.place), value))
        elif unit is not None and scope is not None:
            facts.append(_fact(unit, scope, column, value))
    return facts, problems


def _column_problems(layout: Layout, stated: dict[str, str], *, by_period: bool) -> Iterator[Problem]:
    held: dict[tuple[str, str], Column] = {}
    for column in layout.columns:
        if refused := shipped_table("indicators.csv", "code").at[column.indicator, "refused"]:
            yield problem(layout.header_rows[0], column.label, column.text, str(refused))
        measure = _measure(column)
        own = column.measure or stated_otherwise(stated, measure)
        if own and own != measure and not {own, measure} <= {*COUNTS, "户"}:
            yield problem(layout.header_rows[0], column.label, own, "measure", measure=measure)
        key = column.indicator, column.period if by_period else ""
        if key in held:
            yield problem(layout.header_rows[0], column.label, column.text, "column_twice", first=held[key].label)
        held.setdefault(key, column)
    yield from misspelt(layout, by_period=by_period)


def _total_problems(total: Row, layout: Layout, facts: list[dict[str, Any]]) -> Iterator[Problem]:
    """Totals that differ from the sum of their rows; a unit inside a 省级合计 counts once."""
    number, row = total
    for column in layout.columns:
        stated = amount(cell_at(row, column.place), "")
        if isinstance(stated, str):
            continue
        mine = [fact for fact in facts if (fact["indicator"], fact["period"]) == (column.indicator, _period(column))]
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


def _measure(column: Column) -> str:
    return str(shipped_table("indicators.csv", "code").at[column.indicator, "measure"])


def unit_in_row(number: int, row: list[Any], places: Sequence[int]) -> tuple[str | None, Problem | None]:
    """Code of the one unit that a row names, or what is wrong with its name."""
    cells = [cell for i in places if plain(cell := cell_at(row, i)) != ""]
    if not cells:
        return None, problem(number, say("intake.unit_column"), "", "no_unit")
    codes = [unit_of(cell) for cell in cells]
    if None in codes:
        unknown = cells[codes.index(None)]
        if (part := part_of(unknown)) is not None and (parent := load_units().at[part, "parent"]):
            names = {"unit": load_units().at[part, "short_name"], "parent": load_units().at[parent, "short_name"]}
            return part, problem(number, say("intake.unit_column"), unknown, "part", **names)
        return None, problem(
            number,
            say("intake.unit_column"),
            unknown,
            "includes" if "(含" in plain(unknown) or whole_of(unknown) else "unknown_unit",
        )
    if len(set(codes)) > 1:
        return None, problem(number, say("intake.unit_column"), "、".join(map(str, cells)), "units_differ")
    return codes[0], None


def whole_of(name: Any) -> str | None:
    """Code of the province that a name says is meant with the units inside it: 广东（含深圳）, 广东省合计; else None."""
    text = re.sub(r"\(含[^)]{0,100}\)", "", plain(name))
    whole = unit_of(re.sub(r"(小计|合计|全省|全区)$", "", text))
    says_so = text != plain(name) or unit_of(text) is None
    return whole if says_so and whole is not None and len(members_of(whole)) > 1 else None


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
        yield problem(None, say("intake.unit_column"), "、".join(names[inside]), "inside", parents=parents)
    if rest:
        yield problem(None, say("intake.unit_column"), "、".join(names[rest]), "missing", count=len(rest))


def _period(column: Column) -> str:
    return column.period or say("intake.no_period")


def _fact(unit: str, scope: str, column: Column, value: float) -> dict[str, Any]:
    return {
        "unit": unit,
        "unit_name": load_units().at[unit, "name"],
        "scope": scope,
        "indicator": column.indicator,
        "period": _period(column),
        "value": value,
        "measure": _measure(column),
        "status": SUPPLIED,
        "source": SUPPLIED,
    }
