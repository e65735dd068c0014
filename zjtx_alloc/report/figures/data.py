"""Figures of the data notebook: what is known when, and the stand-in against the few true counts."""

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from zjtx_alloc.base.messages import say
from zjtx_alloc.facts.panel import Panel
from zjtx_alloc.report.figures.style import BLUE, GREY, ORANGE, blank, foot, in_style
from zjtx_alloc.report.tables.data import part_period, stand_in_comparison


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
def stand_in_figure(panel: Panel) -> Figure:
    """The part of above-scale firms that the stand-in counts, where both are known."""
    frame = stand_in_comparison(panel).sort_values("part_of_whole")
    labels = [f"{panel.units.at[code, 'short_name']}（{row['period']}）" for code, row in frame.iterrows()]
    figure, axes = blank(8.4, 0.45 * len(frame) + 1.6)
    colours = [ORANGE if estimated else BLUE for estimated in frame["estimated"]]
    axes.barh(labels, 100 * frame["part_of_whole"], color=colours, height=0.6)
    for row, share in enumerate(frame["part_of_whole"]):
        axes.text(
            100 * share + 0.4, row, f"{share:.1%}", va="center", bbox={"facecolor": "white", "linewidth": 0, "pad": 1}
        )
    axes.axvline(100 * frame["part"].sum() / frame["whole"].sum(), color=GREY, linewidth=1, linestyle="--")
    axes.set_xlim(0, 100 * frame["part_of_whole"].max() * 1.12)
    axes.set_xlabel(say("figure.percent"))
    axes.set_title(say("figure.stand_in"))
    foot(figure, say("figure.stand_in_foot", part=part_period(panel)))
    return figure
