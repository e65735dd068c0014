"""The tables of the data notebook, each a function of a panel: what is known, for whom, from where."""

from collections.abc import Iterable, Iterator

import pandas as pd

from zjtx_alloc.base.messages import header, say
from zjtx_alloc.base.units import NATION
from zjtx_alloc.facts.panel import SPLIT, Panel, grounds_of
from zjtx_alloc.report.notes.marks import split_rule
from zjtx_alloc.report.table import Column, Table, titled
from zjtx_alloc.rules.scenario_files import load_scenario
from zjtx_alloc.uncertainty.known_counts import OLD


def coverage_table(panel: Panel) -> Table:
    """A row an indicator and period: units with a figure, estimated ones, their sum, the national figure."""
    nation = panel.facts[panel.facts["unit"] == NATION].set_index(["indicator", "period"])["value"]
    rows = [
        {
            "indicator": panel.name(indicator),
            "period": period,
            "measure": panel.indicators.at[indicator, "measure"],
            "units_known": len(cells),
            "estimated_units": int(cells["estimated"].sum()),
            "sum_of_units": cells["value"].sum(),
            "national": nation.get((indicator, period)),
            "source": "、".join(dict.fromkeys(cells["source"])),
        }
        for indicator, period, cells in _series(panel)
    ]
    return titled("coverage", pd.DataFrame(rows), say("note.coverage", units=len(panel.units)))


def _series(panel: Panel) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """Indicator, period and cells of everything known, in the order of the indicators."""
    for indicator in panel.indicators.index:
        for period in panel.periods(indicator):
            yield indicator, period, panel.cells.loc[(indicator, period)]


def estimated_columns(panel: Panel, columns: Iterable[tuple[str, str]] | None = None) -> list[tuple[str, str]]:
    """Indicators and periods with a range to their cells, of those given; if none are given the newest of each."""
    ranged = panel.cells.index[panel.cells["low"].notna()].droplevel("code").unique()
    given = list(dict(sorted(ranged)).items()) if columns is None else list(columns)
    return [column for column in given if column in ranged]


def cell_table(panel: Panel, columns: Iterable[tuple[str, str]]) -> Table:
    """The cells of columns that are not published throughout: value, range, and what each rests on, address and all."""
    rows = []
    for code, period in dict.fromkeys(columns):
        cells = panel.known(code, period).reindex(
            [c for c in panel.units.index if c in panel.known(code, period).index]
        )
        grounds = grounds_of(cells)
        rows += [
            {
                "short_name": panel.units.at[unit, "short_name"],
                "split_value": cell["value"],
                "value_low": cell["low"],
                "value_high": cell["high"],
                "measure": panel.indicators.at[code, "measure"],
                "ground": ground_name(grounds[unit]),
                "indicator": panel.name(code),
                "period": panel.supplied.get(code, period),
                "rests_on": basis_of(panel, code, cell),
            }
            for unit, cell in cells.iterrows()
            if cells["low"].notna().any() or cell["estimated"]
        ]
    numbers = ["split_value", "value_low", "value_high"]
    names = ["short_name", *numbers, "measure", "ground", "indicator", "period", "rests_on"]
    frame = pd.DataFrame(rows, columns=names)
    whole = frame["split_value"].mod(1).eq(0).all()
    heads = {name: Column(header(name), "count" if whole else "places") for name in numbers}
    return titled("estimates", frame.rename(columns=heads), say("note.estimates"))


def ground_name(ground: str) -> str:
    """What a cell rests on, in words."""
    return say(f"rests.{ground}", share="")


def basis_of(panel: Panel, indicator: str, cell: pd.Series) -> str:
    """Where a cell's number is from: the count and its address, the relation it is estimated by, or the rule of a split."""
    if pd.notna(cell["low"]):
        return str(cell["note"])
    if cell["estimated"]:
        return split_rule(panel, indicator)
    return str(panel.sources.at[cell["source"], "title"])


def former_values(panel: Panel) -> dict[str, pd.Series]:
    """What the stand-ins used before say, by the indicator that they stood in for; those that the panel has."""
    lines = load_scenario(OLD).indicators()
    return {
        line.stand_in_for: panel.values(code, line.period)
        for code, line in lines
        if line.stand_in_for and not panel.is_own(code, line.period) and line.period in panel.periods(code)
    }


def estimated_cells_table(panel: Panel) -> Table:
    """Estimated cells by indicator: which units, in which periods, and how."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for indicator, period, cells in _series(panel):
        grounds = grounds_of(cells)
        for ground in dict.fromkeys(grounds[cells["estimated"]]):
            units = "、".join(panel.units.at[code, "short_name"] for code in cells.index[grounds.eq(ground)])
            rule = split_rule(panel, indicator) if ground == SPLIT else ground_name(ground)
            found.setdefault((indicator, units, rule), []).append(period)
    rows = [
        {"indicator": panel.name(indicator), "period": "、".join(periods), "short_name": units, "rule": rule}
        for (indicator, units, rule), periods in found.items()
    ]
    return titled("estimated_cells", pd.DataFrame(rows, columns=["indicator", "period", "short_name", "rule"]))


def all_sources_table(panel: Panel) -> Table:
    """Every source of the panel's cells, with how far to trust it."""
    return sources_text(panel, dict.fromkeys(panel.facts["source"]))


def sources_text(panel: Panel, used: Iterable[str]) -> Table:
    """Some sources of a panel, in their order."""
    frame = panel.sources.reindex(used).rename_axis("source").reset_index()
    frame = frame[["source", "publisher", "title", "date", "location", "how_read", "reliability"]]
    return titled("sources", frame.fillna(""))
