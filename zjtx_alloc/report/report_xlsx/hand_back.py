"""A report.xlsx handed back: what was changed in it, as a scenario and facts; every cell that no longer computes is named."""

import math
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openpyxl.formula.tokenizer import TokenizerError
from openpyxl.formula.translate import Translator
from pydantic import ValidationError

from zjtx_alloc.base.errors import DataError, ScenarioError
from zjtx_alloc.base.files import UnreadableError, read_whole
from zjtx_alloc.base.messages import header, say
from zjtx_alloc.base.toml_files import mistakes
from zjtx_alloc.facts.grid import Grid, column_letters, refuse_long, workbook_of
from zjtx_alloc.facts.panel import Panel, load_panel
from zjtx_alloc.facts.problems import Problem, refusal
from zjtx_alloc.facts.xlsx.book import read_book, titles
from zjtx_alloc.facts.xlsx.cells import Budget, Cells, Formula, read_cells
from zjtx_alloc.facts.xlsx.package import BoundError, NoWorkbookError, opened
from zjtx_alloc.report.report_xlsx.annexes import followers, live_sheets
from zjtx_alloc.report.report_xlsx.model import Model
from zjtx_alloc.report.report_xlsx.source import read_source
from zjtx_alloc.report.results import Results
from zjtx_alloc.report.writers.sheet import Cell, Sheet, cell_of
from zjtx_alloc.rules.own_columns import pool_caps
from zjtx_alloc.rules.programme.factors import read_factors, shown_column
from zjtx_alloc.rules.scenario import Scenario
from zjtx_alloc.rules.scenario_files import companion, put_together
from zjtx_alloc.rules.scenario_ranges import with_ranges_following

_MOST_BYTES = 64 * 2**20
_MOST_ROWS = 20_000  # of a sheet: the lines of a user's own facts
_LONGEST_SHARED = 1000  # characters of a formula that cells share and that is written out; longer ones count as changed
_MOST_TOLD = 12  # changes in the scenario's own words
_NEAR = 1e-9  # how far, relatively, a number may be from what it was and count as unchanged
_Rows = dict[int, list[Any]]


@dataclass(frozen=True)
class HandedBack:
    """What a workbook says: the scenario, the facts of the user's own (None: the shipped ones), and what was changed, in words."""

    scenario: Scenario
    own: Panel | None
    changes: tuple[str, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Change:
    """A changed input: where it stands, what it is, what it was and is."""

    key: tuple[str, ...]
    what: str
    old: Any
    new: Any
    place: tuple[str, int, str]  # sheet, row, column

    def told(self) -> str:
        old, new = (
            "—" if value is None else f"{value:.12g}" if _is_number(value) else value for value in (self.old, self.new)
        )
        return say("calculation.moved_cell", what=self.what, old=old, new=new)


def is_report(path: Path) -> bool:
    """Whether a file is a workbook with the sheets of a report that recalculates; who reads it says what else is wrong."""
    try:
        with opened(read_whole(path, _MOST_BYTES)) as package:
            return say("calculation.source") in titles(package)
    except (UnreadableError, FileNotFoundError, NoWorkbookError, BoundError):
        return False


def read_report(path: Path) -> HandedBack:
    """Read a workbook that ``zjtx report`` wrote and a user changed.

    Raises
    ------
    DataError, ScenarioError
        If it is no such workbook, or its source cannot be read.
    TableError
        With every cell at once that was changed and may not be, or holds nothing that can be used.
    """
    formulas, values = _cells(path)
    scenario, own = read_source(path, values.get(say("calculation.source"), {}))
    panel = load_panel() if own is None else own
    model = Model(Results(panel, scenario))
    changes, problems = list[_Change](), list[Problem]()
    for sheet in (*live_sheets(model), *followers(model)):
        found = _compared(sheet, formulas.get(sheet.title), values.get(sheet.title, {}))
        changes += [one for one in found if isinstance(one, _Change)]
        problems += [one for one in found if isinstance(one, Problem)]
    if problems:
        raise refusal(path.name, "", problems)
    counted = [change for change in changes if change.key]
    if not counted:
        return HandedBack(scenario, own, ())
    mixed, notes = _facts(path, model, panel, counted)
    made = _scenario(path, scenario, panel, counted)
    return HandedBack(made, mixed or own, tuple(change.told() for change in counted), notes)


def _cells(path: Path) -> tuple[dict[str, _Rows], dict[str, _Rows]]:
    """Formulas and values of all sheets, row by row as Excel numbers them."""
    budget, found = Budget(), dict[str, _Rows]()
    try:
        content = read_whole(path, _MOST_BYTES)
    except (UnreadableError, FileNotFoundError):
        raise DataError(say("intake.not_a_workbook", file=path.name)) from None
    with workbook_of(path.name, content) as package:
        book = read_book(package, raw=True)
        for sheet in book.sheets:
            found[sheet.title] = rows = read_cells(package, sheet, Cells(book, _MOST_ROWS, budget)).rows
            refuse_long(path.name, [Grid(sheet.title, rows, long=len(rows) > _MOST_ROWS)], _MOST_ROWS)
    formulas = {title: _written_out(rows) for title, rows in found.items()}
    values = {
        title: {n: [cell.value if isinstance(cell, Formula) else cell for cell in row] for n, row in rows.items()}
        for title, rows in found.items()
    }
    return formulas, values


def _written_out(rows: _Rows) -> _Rows:
    """Rows with the texts of their formulas; one that cells share is written out for each."""
    first: dict[str, tuple[str, str]] = {}
    made: _Rows = {}
    for number, row in rows.items():
        made[number] = [cell.text if isinstance(cell, Formula) else cell for cell in row]
        for place, cell in enumerate(row):
            if isinstance(cell, Formula) and cell.shared is not None:
                here = f"{column_letters(place + 1)}{number}"
                text, origin = first.setdefault(cell.shared, (cell.text, here))
                if here != origin and len(text) <= _LONGEST_SHARED:
                    with suppress(TokenizerError):  # what is no formula counts as changed
                        made[number][place] = Translator(text, origin).translate_formula(here)
    return made


def _compared(sheet: Sheet, formulas: _Rows | None, values: _Rows) -> list[_Change | Problem]:
    """What is not as the program wrote it in a sheet."""
    if formulas is None:
        return [_problem((sheet.title, None, ""), None, "no_sheet")]
    heads = [_text(column.header) for column in sheet.columns.values()]
    if [_text(cell) for cell in formulas.get(sheet.first - 1, [])][: len(heads)] != heads:
        return [_problem((sheet.title, sheet.first - 1, ""), None, "moved")]
    names, found = list(sheet.columns), list[_Change | Problem]()
    rows = dict(enumerate([*sheet.rows, *sheet.totals, *filter(None, [sheet.check])], start=sheet.first))
    for number, row in rows.items():
        typed, shown = formulas.get(number, []), values.get(number, [])
        if _text(_at(typed, 0)) != _text(cell_of(row.get(names[0])).value):
            return [_problem((sheet.title, number, sheet.columns[names[0]].header), _at(typed, 0), "moved")]
        for place, name in enumerate(names):
            where = (sheet.title, number, str(sheet.columns[name].header))
            cell = cell_of(row.get(name))
            written = sheet.written(cell.formula, number) if cell.formula else ""
            found += _difference(
                cell, written, (_at(typed, place), _at(shown, place)), (where, _named(sheet, row, name))
            )
    return found


def _named(sheet: Sheet, row: Mapping[str, Any], name: str) -> str:
    """What a cell is, in words."""
    if "short_name" in sheet.columns:
        return f"{cell_of(row.get('short_name')).value}{sheet.columns[name].header}"
    return str(cell_of(row.get("parameter")).value)


def _difference(
    cell: Cell, written: str, found: tuple[Any, Any], about: tuple[tuple[str, int, str], str]
) -> Iterator[_Change | Problem]:
    """A change of an input, or what is wrong with a cell; nothing if it is as it was."""
    (typed, value), (where, what) = found, about
    is_formula = isinstance(typed, str) and typed.startswith("=")
    if written:
        if not is_formula:
            yield _problem(where, typed, "no_formula", formula=written)
        elif _plain(typed) != _plain(written):
            yield _problem(where, typed, "other_formula", formula=written)
    elif cell.is_input:
        if is_formula and value is None:
            yield _problem(where, typed, "formula")
        elif not _same(value, cell.value):
            is_text = cell.key[-1:] == ("reason",)
            if value is not None and not is_text and not _is_number(value):
                yield _problem(where, value, "text")
            else:
                yield _Change(cell.key, what, cell.value, value if _filled(value) else None, where)
    elif not _same(typed, cell.value):
        yield _problem(where, typed, "not_here", known=_text(cell.value) or "—")


def _problem(where: tuple[str, int | None, Any], value: Any, kind: str, **details: Any) -> Problem:
    sheet, row, column = where
    described = "" if value is None else _text(value)
    what, remedy = say(f"handed_back.{kind}"), say(f"handed_back_remedy.{kind}", **details)
    return Problem(row, str(column), described, what, remedy, sheet)


def _plain(formula: str) -> str:
    """A formula without what programs write in their own way: fixed letters, quotes around sheets, blanks, case."""
    return re.sub(r"[\s$']|_xlfn\.", "", formula).upper()


def _at(row: list[Any], place: int) -> Any:
    return row[place] if place < len(row) else None


def _text(value: Any) -> str:
    if value is None:
        return ""
    if _is_number(value):
        return f"{value:.12g}"
    return str(value).replace("\n", "")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _filled(value: Any) -> bool:
    return value is not None and str(value).strip() != ""


def _same(found: Any, known: Any) -> bool:
    if _is_number(found) and _is_number(known):
        return math.isclose(found, known, rel_tol=_NEAR, abs_tol=_NEAR)
    return _text(found).strip() == _text(known).strip()


def _facts(path: Path, model: Model, panel: Panel, changes: list[_Change]) -> tuple[Panel | None, tuple[str, ...]]:
    """The panel with the columns of 测算 that were changed, as the sheet 因素 of a programme is read; None without any."""
    cells = {change.key[1:]: change for change in changes if change.key[0] == "facts"}
    if not cells:
        return None, ()
    uses = {(indicator, period): (model.allocation.scenario.batch,) for indicator, period, _ in cells}
    place = next(iter(cells.values())).place[0]
    rows: _Rows = {3: [header("code")]}
    rows |= {number: [code] for number, code in enumerate(panel.units.index, start=4)}
    for indicator, period in uses:
        when, shown = shown_column(panel, indicator, period)
        assert shown is not None, "a factor has a figure for every unit"
        told = say("programme.period", period=when) if when else ""
        rows[3].append(f"{panel.name(indicator)}（{panel.indicators.at[indicator, 'measure']}{told}）")
        for number, code in enumerate(panel.units.index, start=4):
            change = cells.get((indicator, period, str(code)))
            rows[number].append(float(shown.at[code, "value"]) if change is None else change.new)
    read = read_factors(path.name, Grid(place, rows), panel, uses)
    if read.problems:
        raise refusal(path.name, "", read.problems)
    return read.panel, read.notes


def _scenario(path: Path, scenario: Scenario, panel: Panel, changes: list[_Change]) -> Scenario:
    """The scenario with what was changed, under a name and title that say so."""
    before = scenario.resolved()
    tables = deepcopy(before)
    own = [change for change in changes if change.key[0] != "facts"]
    if kept := [c for c in own if c.key[0] == "eligible_pool" and c.new is None and c.key[1] in pool_caps(panel)]:
        raise refusal(path.name, "", [_problem(c.place, c.old, "pool_of_table") for c in kept])
    for change in own:
        _put(tables, change)
    if any(change.key == ("total",) for change in own):
        tables["total_status"] = "assumed"
        tables.get("assumptions", {}).pop("total", None)
    tables = with_ranges_following(before, tables, {})
    more = say("programme.and_more", count=len(changes)) if len(changes) > _MOST_TOLD else ""
    told = "；".join(change.told() for change in changes[:_MOST_TOLD]) + more
    told = say("calculation.from_workbook", changes=told)
    tables["assumptions"] = tables.get("assumptions", {}) | {"handed_back": told}
    name, title = (
        say(f"calculation.{key}_changed", **{key: text})
        for key, text in (("name", scenario.name), ("title", scenario.title))
    )
    ending = say("calculation.name_changed", name="")
    if scenario.name.endswith(ending):
        name, title = scenario.name, scenario.title
    try:
        made = Scenario.model_validate({"name": name} | tables | {"title": title})
    except ValidationError as error:
        raise _refused(path, own, error) from None
    others = {reference: companion(scenario, reference) for reference in scenario.references()}
    put_together({f"{name}.toml": made, **{n: one for n, one in others.items() if n.endswith(".toml")}}, path.parent)
    return made


def _put(tables: dict[str, Any], change: _Change) -> None:
    """Write a changed number where it stands in the tables; a blank cell takes it away, and tables that it leaves empty."""
    *above, last = change.key
    within = [tables]
    for key in above:
        within.append(within[-1].setdefault(key, {}))
    if change.new is not None:
        within[-1][last] = _as_stored(change)
        return
    within[-1].pop(last, None)
    for table, key in reversed(list(zip(within, above, strict=False))):
        if table[key] == {}:
            del table[key]


def _as_stored(change: _Change) -> Any:
    """A number as the tables have it: whole places as integers, a rate as a decimal text."""
    if change.key == ("approval", "rate"):
        return f"{change.new:.12g}"
    is_places = change.key[0] in ("total", "floor", "cap", "eligible_pool", "fixed")
    if is_places and _is_number(change.new) and float(change.new).is_integer():
        return int(change.new)
    return float(change.new) if _is_number(change.new) else str(change.new)


def _refused(path: Path, changes: list[_Change], error: ValidationError) -> Exception:
    """What is wrong with the changed numbers, at the cells that they stand in."""
    problems, lines = list[Problem](), list[str]()
    for mistake in mistakes(error):
        near = [change for change in changes if change.key[: len(mistake.keys)] == mistake.keys and mistake.keys]
        near = near or [change for change in changes if mistake.keys and change.key[0] == mistake.keys[0]]
        if near:
            sheet, row, column = near[0].place
            problems.append(
                Problem(row, column, _text(near[0].new), mistake.allowed, say("handed_back_remedy.text"), sheet)
            )
        else:
            lines.append(mistake.allowed)
    if problems:
        return refusal(path.name, "", problems, "；".join(lines))
    return ScenarioError(say("handed_back.unfit", file=path.name, what="；".join(lines)))
