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
from zjtx_alloc.facts.panel import Panel, with_table
from zjtx_alloc.facts.problems import Problem
from zjtx_alloc.facts.reading import Reading, read_layout
from zjtx_alloc.rules.check_table import wrong_totals, zeros
from zjtx_alloc.rules.programme.records import fault
from zjtx_alloc.rules.scenario import Scenario

_DIGITS = 12  # significant ones that a cell shows of a number that is no count
POOL = "eligible_pool"


@dataclass(frozen=True)
class FactorSheet:
    """What the sheet 因素 says: the panel, the indicators changed in it, sentences on what was done, doubts, and mistakes."""

    panel: Panel
    changed: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    doubts: tuple[Problem, ...] = ()
    problems: tuple[Problem, ...] = ()


def shown_indicators(scenarios: Iterable[Scenario]) -> dict[str, str]:
    """The indicators of the sheet, each with the period that the first scenario reads; blank: none reads it."""
    periods: dict[str, str] = {}
    for scenario in scenarios:
        for code, line in scenario.indicators():
            if code in shipped_table("indicators.csv", "code").index:
                periods.setdefault(code, line.period)
            if line.stand_in_for:
                periods.setdefault(line.stand_in_for, "")
    table = shipped_table("indicators.csv", "code")
    others = table.index[(table["template"] == "1") & (table.index != POOL)]
    return periods | {str(code): "" for code in others if code not in periods}


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


def read_factors(file: str, grid: Grid, panel: Panel, periods: Mapping[str, str]) -> FactorSheet:
    """Read the sheet; a column as shipped counts as shipped, a changed one is the user's own."""
    layout = layout_of(grid)
    if layout is None:
        return FactorSheet(panel, problems=(fault(grid.name, None, "", None, "no_sheet_header", needed="代码"),))
    notes = [note for column in _compared(layout) if (note := _comparison(panel, grid, column, periods))]
    mark = say("programme.only_compared")
    layout = replace(layout, unread=tuple(h for h in layout.unread if mark not in h.text))
    reading, problems = read_layout(file, grid, layout)
    if problems and reading.layout.columns:
        return FactorSheet(panel, problems=tuple(replace(found, sheet=grid.name) for found in problems))
    changed = {
        column: found for column in reading.layout.columns if (found := _changed(panel, reading, column, periods))
    }
    if not changed:
        return FactorSheet(panel, notes=tuple(notes))
    own = replace(
        reading,
        layout=replace(reading.layout, columns=tuple(changed)),
        facts=pd.concat([_own_facts(panel, reading, *item) for item in changed.items()], ignore_index=True),
    )
    mixed = with_table(panel, own)
    notes += [_changed_note(mixed, column, *found) for column, found in changed.items()]
    problems = [replace(found, sheet=grid.name) for found in wrong_totals(panel, mixed, own)]
    doubts = [replace(found, sheet=grid.name) for found in zeros(panel, mixed, own)]
    return FactorSheet(mixed, tuple(c.indicator for c in changed), tuple(notes), tuple(doubts), tuple(problems))


def _compared(layout: Layout) -> Iterator[Column]:
    """Columns that are headed 仅供对照."""
    mark = say("programme.only_compared")
    for heading in layout.unread:
        name, measure, period = header_of(heading.text.replace(mark, ""))
        if mark in heading.text and name in indicator_names():
            yield Column(heading.place, heading.text, indicator_names()[name], period, measure)


def _comparison(panel: Panel, grid: Grid, column: Column, periods: Mapping[str, str]) -> str:
    """How a column that is only compared differs from the shipped one; blank where none is shipped."""
    when, cells = shown_column(panel, column.indicator, periods.get(column.indicator, ""))
    if cells is None:
        return say("programme.compared_none", column=column.label)
    layout = layout_of(grid)
    assert layout is not None
    typed = {layout.label(row): amount(cell_at(row, column.place), "") for row in grid.rows.values()}
    numbers = [number for number in typed.values() if not isinstance(number, str)]
    ratio = sum(numbers) / float(cells["value"].sum()) if cells["value"].sum() else 0.0
    return say("programme.compared", column=column.label, period=when, count=len(numbers), ratio=ratio)


def _changed(
    panel: Panel, reading: Reading, column: Column, periods: Mapping[str, str]
) -> tuple[str, tuple[str, ...]] | None:
    """The shipped period that a column goes on from, and the units whose cells differ; None if it is as shipped."""
    code = column.indicator
    for period in dict.fromkeys([column.period, periods.get(code, ""), ""]):
        when, cells = shown_column(panel, code, period)
        if cells is not None:
            break
    facts = reading.facts[reading.facts["indicator"] == code]
    if cells is None:
        return "", tuple(facts["unit"])
    typed = dict(zip(facts["unit"], facts["value"], strict=True))
    if (facts["scope"] != "unit").any():
        return when, tuple(panel.units.index)
    shipped_values = cells["value"]
    differing = tuple(
        u for u, v in typed.items() if abs(v - shipped_values[u]) > 1e-9 * max(1.0, abs(shipped_values[u]))
    )
    return (when, differing) if differing else None


def _own_facts(panel: Panel, reading: Reading, column: Column, found: tuple[str, tuple[str, ...]]) -> pd.DataFrame:
    """The facts of a changed column: the user's; where no cell of a province changed, the shipped ones with their marks."""
    when, units = found
    mine = reading.facts[reading.facts["indicator"] == column.indicator]
    if not when or (column.period and column.period != when) or (mine["scope"] != "unit").any():
        return mine
    parents = load_units()["parent"]
    touched = {u for unit in units for u in members_of(parents[unit] or unit)}
    theirs = panel.facts[(panel.facts["indicator"] == column.indicator) & (panel.facts["period"] == when)]
    kept = theirs[theirs["scope"].isin(("unit", "province")) & ~theirs["unit"].isin(touched)]
    return pd.concat([kept, mine[mine["unit"].isin(touched)].assign(period=when)], ignore_index=True)


def _changed_note(panel: Panel, column: Column, when: str, units: tuple[str, ...]) -> str:
    """That a column is the user's own: how many cells differ, and that the period is still the shipped one's."""
    names = "、".join(panel.units.loc[list(units[:5]), "short_name"])
    more = say("programme.and_more", count=len(units)) if len(units) > 5 else ""
    period = panel.supplied[column.indicator]
    key = "changed_same" if when and period == when else "changed"
    return say(f"programme.{key}", name=panel.name(column.indicator), period=period, units=names + more)
