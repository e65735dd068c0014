"""Figures of facts: what is known when; each unit's factors with their ranges, beside the stand-ins used before."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogFormatter

from zjtx_alloc.base.messages import say
from zjtx_alloc.facts.panel import Panel
from zjtx_alloc.report.figures.colours import BLUE, GREY, ORANGE
from zjtx_alloc.report.figures.style import blank, foot, in_style, unit_rows
from zjtx_alloc.report.notes.marks import published
from zjtx_alloc.report.tables.data import former_values

_LEAST = 0.8  # firms: where zero stands on a logarithmic axis
_PUBLISHED: dict[str, Any] = {"color": BLUE, "marker": "o", "linestyle": "none", "markersize": 5}
_GUESSED: dict[str, Any] = {"color": ORANGE, "marker": "o", "linestyle": "none", "markersize": 5, "fillstyle": "none"}
_FORMER: dict[str, Any] = {"color": GREY, "marker": "x", "linestyle": "none", "markersize": 4.5}


@in_style()
def coverage_figure(panel: Panel) -> Figure:
    """Units with a figure, by indicator and year; a year of several periods counts the fullest."""
    years = panel.cells.index.get_level_values("period").str[:4]
    known = panel.cells.groupby(["indicator", "period", years.rename("year")]).size()
    table = known.groupby(["indicator", "year"]).max().unstack("year")
    table = table.reindex(panel.indicators.index)
    shades = Normalize(0, len(panel.units))
    figure, axes = blank(9, 0.42 * len(table) + 1.6)
    axes.imshow(table, cmap=colormaps["Blues"], norm=shades, aspect="auto")
    for (row, column), count in np.ndenumerate(table.to_numpy()):
        if not np.isnan(count):
            ink = "white" if shades(count) > 0.6 else "black"
            axes.text(column, row, f"{count:.0f}", ha="center", va="center", color=ink)
    axes.set_xticks(range(len(table.columns)), table.columns)
    axes.set_yticks(range(len(table)), [panel.name(code) for code in table.index])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_title(say("figure.coverage", units=len(panel.units)))
    foot(figure, say("figure.coverage_foot"))
    return figure


@in_style()
def estimate_figure(panel: Panel, columns: Sequence[tuple[str, str]]) -> Figure:
    """Each unit's factors with their ranges, published counts apart from estimates, beside what the stand-ins said."""
    former = former_values(panel)
    figure = Figure(figsize=(max(9.0, 4.6 * len(columns)), 10.2), layout="constrained")
    for axes, (code, period) in zip(figure.subplots(1, len(columns), squeeze=False)[0], columns, strict=True):
        cells = panel.column(code, period).iloc[::-1]
        _estimates(axes, cells, former.get(code))
        unit_rows(axes, panel.units["short_name"][cells.index])
        axes.set_title(say("figure.estimates", name=panel.name(code), period=period))
    labels = [say(f"figure.estimate_{kind}") for kind in ("known", "guess", "former")]
    handles = [Line2D([], [], **look) for look in (_PUBLISHED, _GUESSED, _FORMER)]
    figure.legend(handles, labels, loc="outside upper left", ncols=3, frameon=False)
    foot(figure, say("figure.estimates_foot") + published((panel, *column) for column in columns))
    return figure


def _estimates(axes: Axes, cells: pd.DataFrame, former: pd.Series | None) -> None:
    """A row a unit: the value, its range, the stand-in's number, and the value and range in figures."""
    values = cells["value"].clip(lower=_LEAST)
    low, high = cells["low"].fillna(values).clip(lower=_LEAST), cells["high"].fillna(values).clip(lower=_LEAST)
    rows = np.arange(len(cells))
    for guessed, look in ((False, _PUBLISHED), (True, _GUESSED)):
        chosen = cells["estimated"].eq(guessed).to_numpy()
        axes.hlines(rows[chosen], low[chosen], high[chosen], color=look["color"], linewidth=1.4)
        axes.plot(values[chosen], rows[chosen], **look)
    if former is not None:
        scaled = former[cells.index] * cells["value"].sum() / former.sum()
        axes.plot(scaled.clip(lower=_LEAST), rows, **_FORMER)
    for row, (value, least, most) in enumerate(zip(cells["value"], cells["low"], cells["high"], strict=True)):
        text = f"{value:,.0f}" if least == most or pd.isna(least) else f"{value:,.0f}（{least:,.0f}—{most:,.0f}）"
        axes.text(1.02, row, text, transform=axes.get_yaxis_transform(), va="center", fontsize=7)
    axes.set_xlabel(say("backtest.firms"))
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(lambda firms, _: f"{firms:,.0f}")
    axes.xaxis.set_minor_formatter(LogFormatter())  # the default writes formulas
    axes.set_ylim(-0.7, len(cells) - 0.3)
    axes.grid(axis="y", color="#EEEEEE", linewidth=0.6)
    axes.set_axisbelow(True)
