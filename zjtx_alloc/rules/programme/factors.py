"""The sheet 因素: which of its columns the user changed, and the panel with these in the place of the shipped ones."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import pandas as pd

from zjtx_alloc.base.errors import DataError
from zjtx_alloc.base.messages import say
from zjtx_alloc.base.resources import shipped_table
from zjtx_alloc.base.units import load_units, members_of
from zjtx_alloc.facts.cells import COUNTS, amount, header_of
from zjtx_alloc.facts.grid import Grid
from zjtx_alloc.facts.layout import Column, Layout, cell_at, indicator_names, layout_of
from zjtx_alloc.facts.panel import Panel, with_facts
from zjtx_alloc.facts.problems import Problem
from zjtx_alloc.facts.reading import OF_PERIOD, Reading, read_layout
from zjtx_alloc.rules.check_table import wrong_totals, zeros
from zjtx_alloc.rules.own_columns import POOL
from zjtx_alloc.rules.plausible import doubt_problems
from zjtx_alloc.rules.programme.records import fault
from zjtx_alloc.rules.scenario import Scenario

_DIGITS = 12  # significant ones that a cell shows of a number that is no count
# The batches that read an indicator at a period; none: it could be read.
Uses = Mapping[tuple[str, str], tuple[int, ...]]


@dataclass(frozen=True)
class FactorSheet:
    """What the sheet 因素 says: the panel, sentences on what was done, doubts, mistakes, and columns that nobody reads."""

    panel: Panel
    notes: tuple[str, ...] = ()
    doubts: tuple[Problem, ...] = ()
    problems: tuple[Problem, ...] = ()
    unread: tuple[str, ...] = ()


def shown_columns(scenarios: Iterable[Scenario]) -> Uses:
    """The columns of the sheet: every indicator and period that a scenario reads, and what could be read, without a period."""
    table = shipped_table("indicators.csv", "code")
    read: dict[str, dict[str, list[int]]] = {}
    for scenario in scenarios:
        for code, line in scenario.indicators():
            if code in table.index:
                batches = read.setdefault(code, {}).setdefault(line.period, [])
                batches += [] if scenario.batch in batches else [scenario.batch]
            if line.stand_in_for:
                read.setdefault(line.stand_in_for, {})
    others = table.index[(table["template"] == "1") & (table.index != POOL)]
    read |= {str(code): {} for code in others if code not in read}
    return {(code, period): tuple(of) for code, periods in read.items() for period, of in (periods or {"": []}).items()}


def shown_column(panel: Panel, indicator: str, period: str) -> tuple[str, pd.DataFrame | None]:
    """The period and the cells that the sheet shows of an indicator, as rounded there; the latest complete ones if none is asked."""
    whole = panel.indicators.at[indicator, "measure"] in COUNTS
    for when in [period] if period else reversed(panel.periods(indicator)):
        try:
            cells = panel.column(indicator, when)
        except DataError:  # some units have none: a column is filled or it is blank
            continue
        values = [float(round(v)) if whole else float(f"{v:.{_DIGITS}g}") for v in cells["value"]]
        return when, cells.assign(value=values)
    return "", None


def read_factors(file: str, grid: Grid, panel: Panel, uses: Uses) -> FactorSheet:
    """Read the sheet; a column as shipped counts as shipped, a changed one is the user's own.

    It takes the place of the shipped one in the batches that read its period; if no batch reads that and the sheet has
    no other column of the indicator that one does, in all batches.
    """
    layout = layout_of(grid)
    if layout is None:
        return FactorSheet(panel, problems=(fault(grid.name, None, "", None, "no_sheet_header", needed="代码"),))
    notes = [note for column in _compared(layout) if (note := _comparison(panel, grid, column, uses))]
    mark = say("programme.only_compared")
    layout = replace(layout, unread=tuple(h for h in layout.unread if mark not in h.text))
    nobody = tuple(f"{grid.name} {heading.label}" for heading in layout.unread)
    reading, problems = read_layout(file, grid, layout, by_period=True)
    changed: dict[Column, _Changed] = {}
    if reading.layout.columns and not problems:
        changed, unread, problems = _all_changed(panel, reading, uses)
        notes += unread
    if problems and reading.layout.columns:
        return FactorSheet(panel, problems=tuple(replace(found, sheet=grid.name) for found in problems))
    if not changed:
        return FactorSheet(panel, tuple(notes), unread=nobody)
    own = replace(
        reading,
        layout=replace(reading.layout, columns=tuple(changed)),
        facts=pd.concat([_own_facts(panel, reading, *item) for item in changed.items()], ignore_index=True),
    )
    mixed = with_facts(panel, own.facts)
    notes += [_changed_note(mixed, column, found) for column, found in changed.items()]
    problems = [replace(found, sheet=grid.name) for found in wrong_totals(panel, mixed, own)]
    doubts = [replace(found, sheet=grid.name) for found in (*zeros(panel, mixed, own), *doubt_problems(mixed, own))]
    return FactorSheet(mixed, tuple(notes), tuple(doubts), tuple(problems), nobody)


def _all_changed(
    panel: Panel, reading: Reading, uses: Uses
) -> tuple[dict[Column, "_Changed"], list[str], list[Problem]]:
    """The columns that the user changed; notes on those that no batch reads; those of which it is not known which batches do."""
    columns, changed, notes, problems = reading.layout.columns, dict[Column, _Changed](), list[str](), list[Problem]()
    for column in columns:
        found = _changed(panel, reading, column, uses)
        if found is None:
            continue
        read = {period for (code, period), batches in uses.items() if code == column.indicator and batches}
        present = read & {one.period for one in columns if one.indicator == column.indicator}
        first = next((one for one in changed if one.indicator == column.indicator), None)
        row = reading.layout.header_rows[0]
        if column.period in read:
            changed[column] = replace(found, batches=uses[column.indicator, column.period])
        elif present and present == read:
            notes.append(say("programme.unused_period", column=column.label, period=column.period))
        elif present:
            problems.append(
                fault("", row, column.label, column.text, "which_batches", present="、".join(sorted(present)))
            )
        elif first is not None:
            problems.append(fault("", row, column.label, column.text, "column_twice", first=first.label))
        else:
            changed[column] = found
    return changed, notes, problems


def _compared(layout: Layout) -> Iterator[Column]:
    """Columns that are headed 仅供对照."""
    mark = say("programme.only_compared")
    for heading in layout.unread:
        name, measure, period = header_of(heading.text.replace(mark, ""))
        if mark in heading.text and name in indicator_names():
            yield Column(heading.place, heading.text, indicator_names()[name], period, measure)


def _comparison(panel: Panel, grid: Grid, column: Column, uses: Uses) -> str:
    """How a column that is only compared differs from the shipped one; blank where none is shipped."""
    when, cells = _shipped(panel, column, uses)
    if cells is None:
        return say("programme.compared_none", column=column.label)
    layout = layout_of(grid)
    assert layout is not None
    typed = {layout.label(row): amount(cell_at(row, column.place), "") for row in grid.rows.values()}
    numbers = [number for number in typed.values() if not isinstance(number, str)]
    ratio = sum(numbers) / float(cells["value"].sum()) if cells["value"].sum() else 0.0
    return say("programme.compared", column=column.label, period=when, count=len(numbers), ratio=ratio)


def _shipped(panel: Panel, column: Column, uses: Uses) -> tuple[str, pd.DataFrame | None]:
    """The shipped column that a user's goes on from: of its own period, of one that a batch reads, or the latest."""
    read = [period for code, period in uses if code == column.indicator]
    for period in dict.fromkeys([column.period, *read, ""]):
        if period and (found := shown_column(panel, column.indicator, period))[1] is not None:
            return found
    return shown_column(panel, column.indicator, "")


@dataclass(frozen=True)
class _Changed:
    """A changed column: the shipped period that it goes on from, the units whose cells differ, the batches that read it (None: all)."""

    when: str
    units: tuple[str, ...]
    batches: tuple[int, ...] | None = None


def _changed(panel: Panel, reading: Reading, column: Column, uses: Uses) -> _Changed | None:
    """How a column differs from the shipped one; None if it does not."""
    when, cells = _shipped(panel, column, uses)
    facts = reading.facts_of(column)
    if cells is None:
        return _Changed("", tuple(facts["unit"]))
    if (facts["scope"] != "unit").any():
        return _Changed(when, tuple(panel.units.index))
    shipped_values = cells["value"]
    typed = zip(facts["unit"], facts["value"], strict=True)
    differing = tuple(u for u, v in typed if abs(v - shipped_values[u]) > 1e-9 * max(1.0, abs(shipped_values[u])))
    return _Changed(when, differing) if differing else None


def _own_facts(panel: Panel, reading: Reading, column: Column, found: _Changed) -> pd.DataFrame:
    """The facts of a changed column: the user's; where no cell of a province changed, the shipped ones with their marks."""
    when, mine = found.when, reading.facts_of(column)
    if found.batches is not None:
        mine = mine.assign(status=OF_PERIOD)
    if not when or (column.period and column.period != when) or (mine["scope"] != "unit").any():
        return mine
    parents = load_units()["parent"]
    touched = {u for unit in found.units for u in members_of(parents[unit] or unit)}
    theirs = panel.facts[(panel.facts["indicator"] == column.indicator) & (panel.facts["period"] == when)]
    kept = theirs[theirs["scope"].isin(("unit", "province")) & ~theirs["unit"].isin(touched)]
    return pd.concat([kept, mine[mine["unit"].isin(touched)].assign(period=when)], ignore_index=True)


def _changed_note(panel: Panel, column: Column, found: _Changed) -> str:
    """That a column is the user's own: how many cells differ, its period if still the shipped one's, and the batches."""
    units = found.units
    names = "、".join(panel.units.loc[list(units[:5]), "short_name"])
    more = say("programme.and_more", count=len(units)) if len(units) > 5 else ""
    period = panel.supplied.get(column.indicator, column.period)
    key = "changed_same" if found.when and period == found.when else "changed"
    numbers = "、".join(map(str, found.batches or ()))
    batches = say("programme.used_by", batches=numbers) if numbers else say("programme.used_by_all")
    name = panel.name(column.indicator)
    return say(f"programme.{key}", name=name, period=period, units=names + more, batches=batches)
