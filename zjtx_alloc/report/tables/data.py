"""The tables of the data notebook, each a function of a panel: what is known, for whom, from where."""

from collections.abc import Iterable, Iterator

import pandas as pd

from zjtx_alloc.base.messages import say
from zjtx_alloc.base.units import NATION
from zjtx_alloc.facts.panel import Panel
from zjtx_alloc.report.notes.marks import split_rule
from zjtx_alloc.report.table import Table, titled

# What a count of above-scale firms with R&D is a part of, and where both are known.
PART, WHOLE = ("rd_active_firms", "2020"), "above_scale_firms"


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


def stand_in_comparison(panel: Panel) -> pd.DataFrame:
    """Units for which both the stand-in and the count of all above-scale firms are known.

    Returns
    -------
    DataFrame
        Index ``code``; part (firms with R&D), whole (above-scale firms, the known period nearest to the
        part's; the user's own where there are), period of the whole, part_of_whole, estimated (bool). The whole
        includes large firms: it is not 规上工业中小企业数.
    """
    part, known = panel.column(*PART), panel.cells.loc[WHOLE].reset_index()
    if WHOLE in panel.supplied:
        known = known[known["period"] == panel.supplied[WHOLE]]
    year, years = (
        pd.to_numeric(of.str[:4], errors="coerce") for of in (pd.Series([part_period(panel)]), known["period"])
    )
    distance = (years - year[0]).abs()
    known = known.assign(distance=distance).sort_values(["distance", "period"]).groupby("code").first()
    frame = known[["value", "period"]].rename(columns={"value": "whole"}).join(part[["value", "estimated"]])
    frame = frame.rename(columns={"value": "part"}).reindex([c for c in panel.units.index if c in frame.index])
    return frame.assign(part_of_whole=frame["part"] / frame["whole"])


def part_period(panel: Panel) -> str:
    """Of when the stand-in's figures are: a user's own have a period of their own."""
    return panel.supplied.get(*PART)


def stand_in_table(panel: Panel) -> Table:
    """How the stand-in compares with the few known counts of above-scale firms."""
    frame = stand_in_comparison(panel)
    frame = frame.assign(
        short_name=panel.units["short_name"],
        estimated=frame["estimated"].map({True: say("mark.estimated"), False: ""}),
    )
    shares = frame["part_of_whole"]
    note = say(
        "note.stand_in_compared", count=len(frame), least=shares.min(), most=shares.max(), part=part_period(panel)
    )
    return titled("stand_ins", frame[["short_name", "part", "estimated", "whole", "period", "part_of_whole"]], note)


def estimated_cells_table(panel: Panel) -> Table:
    """Estimated cells by indicator: which units, in which periods, and by which rule."""
    found: dict[tuple[str, str], list[str]] = {}
    for indicator, period, cells in _series(panel):
        if cells["estimated"].any():
            units = "、".join(panel.units.at[code, "short_name"] for code in cells.index[cells["estimated"]])
            found.setdefault((indicator, units), []).append(period)
    rows = [
        {
            "indicator": panel.name(indicator),
            "period": "、".join(periods),
            "short_name": units,
            "rule": split_rule(panel, indicator),
        }
        for (indicator, units), periods in found.items()
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
