"""From a sheet of cells to facts of the 37 units, or to every problem that stands in the way."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from zjtx_alloc.errors import DataError
from zjtx_alloc.intake.cells import amount, plain, unit_of
from zjtx_alloc.intake.grid import Grid, read_grids
from zjtx_alloc.intake.layout import Column, Layout, layout_of
from zjtx_alloc.messages import say, words
from zjtx_alloc.resources import shipped_table
from zjtx_alloc.units import load_units, members_of

SUPPLIED = "user"  # status and source of a fact that the user handed in


@dataclass(frozen=True)
class Problem:
    """One thing wrong: the row as Excel shows it (None: the whole table), column, value, what, remedy."""

    row: int | None
    column: str
    value: str
    what: str
    remedy: str


@dataclass
class Reading:
    """What was understood of a file. ``facts`` counts only if ``problems`` is empty."""

    file: str
    layout: Layout
    facts: pd.DataFrame = field(default_factory=pd.DataFrame)
    problems: list[Problem] = field(default_factory=list)
    blank: tuple[str, ...] = ()
    total_row: int | None = None
    totals: dict[str, float] = field(default_factory=dict)


def read_table(path: str | Path) -> Reading:
    """Read a user's table of indicators by unit.

    Returns
    -------
    Reading
        With the facts (columns as ``panel.FACT_COLUMNS``), or with every problem found.

    Raises
    ------
    DataError
        If the file is no table at all, or no sheet, or more than one, looks like a table of indicators.
    """
    path = Path(path)
    grids = read_grids(path)
    layouts = {grid.name: layout for grid in grids if (layout := layout_of(grid)) is not None and layout.columns}
    if len(layouts) != 1:
        raise DataError(_which_sheet(path, grids, list(layouts)))
    ((name, layout),) = layouts.items()
    grid = next(grid for grid in grids if grid.name == name)
    used, blank = _without_blank_columns(grid, layout)
    reading = Reading(path.name, used, blank=blank)
    if not used.columns:
        raise DataError(say("intake.empty", file=path.name, columns="、".join(blank)))
    _read_rows(grid, reading)
    return reading


def _without_blank_columns(grid: Grid, layout: Layout) -> tuple[Layout, tuple[str, ...]]:
    """A column without any value was not filled in: it is left out and named."""
    body = [row for number, row in grid.rows.items() if number > max(layout.header_rows)]
    filled = [c for c in layout.columns if any(plain(cell_at(row, c.place)) != "" for row in body)]
    blank = tuple(column.label for column in layout.columns if column not in filled)
    return replace(layout, columns=tuple(filled)), blank


def problem_table(problems: list[Problem]) -> pd.DataFrame:
    """The problems with Chinese headers, in the order of the rows; what concerns the whole table comes last."""
    ordered = sorted(problems, key=lambda p: (p.row is None, p.row or 0))
    rows = [("—" if p.row is None else p.row, p.column, p.value, p.what, p.remedy) for p in ordered]
    return pd.DataFrame(rows, columns=[say(f"intake.{name}") for name in ("row", "column", "value", "what", "remedy")])


def _which_sheet(path: Path, grids: list[Grid], found: list[str]) -> str:
    names = "、".join(grid.name for grid in grids if grid.name) or "—"
    if found:
        return say("intake.many_sheets", file=path.name, sheets="、".join(found))
    known = "、".join(shipped_table("indicators.csv", "code")["name"])
    return say("intake.no_header", file=path.name, sheets=names, known=known)


def _read_rows(grid: Grid, reading: Reading) -> None:
    layout, facts = reading.layout, []
    reading.problems += _column_problems(layout)
    seen: dict[tuple[str, str], int] = {}
    for number, row in grid.rows.items():
        if number <= max(layout.header_rows):
            continue
        label = _label(row, layout)
        if plain(label) in words("totals"):
            reading.total_row = number
            values = {c.indicator: amount(cell_at(row, c.place), c.measure) for c in layout.columns}
            reading.totals = {name: value for name, value in values.items() if not isinstance(value, str)}
            continue
        if _is_note(row, layout, label):
            continue
        unit, problem = unit_in_row(number, row, layout.unit_places)
        scope, scope_problem = _scope(number, row, layout, unit)
        reading.problems += [p for p in (problem, scope_problem) if p is not None]
        if unit is not None and scope is not None:
            if (unit, scope) in seen:
                reading.problems.append(problem_at(number, "unit", label, "twice", first=seen[unit, scope]))
            seen.setdefault((unit, scope), number)
        for column in layout.columns:
            value = amount(
                cell_at(row, column.place), shipped_table("indicators.csv", "code").at[column.indicator, "measure"]
            )
            if isinstance(value, str):
                reading.problems.append(problem_at(number, column.label, cell_at(row, column.place), value))
            elif unit is not None and scope is not None:
                facts.append(_fact(reading.file, unit, scope, column, value))
    reading.problems += _coverage(seen)
    reading.facts = pd.DataFrame(facts)


def _column_problems(layout: Layout) -> Iterator[Problem]:
    held: dict[str, Column] = {}
    for column in layout.columns:
        measure = shipped_table("indicators.csv", "code").at[column.indicator, "measure"]
        counted = {"家", "个", "户"}
        if column.measure and column.measure != measure and not {column.measure, measure} <= counted:
            yield problem_at(layout.header_rows[0], column.label, column.measure, "measure", measure=measure)
        if column.indicator in held:
            first = held[column.indicator].label
            yield problem_at(layout.header_rows[0], column.label, column.header, "column_twice", first=first)
        held.setdefault(column.indicator, column)


def _label(row: list[Any], layout: Layout) -> Any:
    """The first unit cell that says something."""
    return next((cell for i in layout.unit_places if plain(cell := cell_at(row, i)) != ""), None)


def cell_at(row: list[Any], place: int) -> Any:
    """The cell at a place of a row; None beyond its end."""
    return row[place] if place < len(row) else None


def _is_note(row: list[Any], layout: Layout, label: Any) -> bool:
    """A remark below the table: no value in any column, and no unit."""
    empty = all(plain(cell_at(row, column.place)) == "" for column in layout.columns)
    return empty and unit_of(label) is None


def unit_in_row(number: int, row: list[Any], places: tuple[int, ...]) -> tuple[str | None, Problem | None]:
    """Code of the unit that a row names in these places, or what is wrong with it."""
    cells = [cell for i in places if plain(cell := cell_at(row, i)) != ""]
    if not cells:
        return None, problem_at(number, "unit", "", "no_unit")
    codes = [unit_of(cell) for cell in cells]
    if None in codes:
        unknown = cells[codes.index(None)]
        kind = "includes" if "(含" in plain(unknown) else "unknown_unit"
        return None, problem_at(number, "unit", unknown, kind)
    if len(set(codes)) > 1:
        return None, problem_at(number, "unit", "、".join(map(str, cells)), "units_differ")
    return codes[0], None


def _scope(number: int, row: list[Any], layout: Layout, unit: str | None) -> tuple[str | None, Problem | None]:
    text = "" if layout.scope_place is None else plain(cell_at(row, layout.scope_place))
    if text in words("unit_scopes"):
        return "unit", None
    if text not in words("province_scopes"):
        return None, problem_at(number, "scope", text, "scope")
    if unit is not None and load_units().at[unit, "kind"] != "province":
        return None, problem_at(number, "scope", text, "not_a_province")
    return "province", None


def _coverage(seen: dict[tuple[str, str], int]) -> list[Problem]:
    """Units that no row speaks for: listed, never guessed."""
    units = load_units()
    spoken = {u for unit, scope in seen for u in (members_of(unit) if scope == "province" else (unit,))}
    missing = [code for code in units.index if code not in spoken]
    inside = [code for code in missing if (units.at[code, "parent"], "unit") in seen]
    rest = [code for code in missing if code not in inside]
    names = units["short_name"]
    problems = []
    if inside:
        parents = "、".join(dict.fromkeys(names[units.at[code, "parent"]] for code in inside))
        said = "、".join(names[inside])
        problems.append(problem_at(None, "unit", said, "inside", parents=parents))
    if rest:
        problems.append(problem_at(None, "unit", "、".join(names[rest]), "missing", count=len(rest)))
    return problems


def problem_at(row: int | None, column: str, value: Any, kind: str, **details: Any) -> Problem:
    """A problem of a kind that ``[wrong]`` and ``[remedy]`` in the messages know."""
    where = say(f"intake.{column}_column") if column in ("unit", "scope") else column
    shown = "" if value is None else str(value)
    return Problem(row, where, shown, say(f"wrong.{kind}", **details), say(f"remedy.{kind}", **details))


def _fact(file: str, unit: str, scope: str, column: Column, value: float) -> dict[str, Any]:
    return {
        "unit": unit,
        "unit_name": load_units().at[unit, "name"],
        "scope": scope,
        "indicator": column.indicator,
        "period": column.period or say("intake.no_period"),
        "value": value,
        "measure": shipped_table("indicators.csv", "code").at[column.indicator, "measure"],
        "status": SUPPLIED,
        "source": SUPPLIED,
        "note": file,
    }
