"""Figures of a sweep: bands of quotas by unit, what drives them, who gains and who loses."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.patches import Patch

from zjtx_alloc.base.messages import say
from zjtx_alloc.report.figures.allocation import Tile, tile_figure
from zjtx_alloc.report.figures.colours import BLUE, GREEN, GREY, ORANGE
from zjtx_alloc.report.figures.style import blank, foot, in_style, unit_rows
from zjtx_alloc.report.notes.marks import short_marks
from zjtx_alloc.report.table import span
from zjtx_alloc.report.tables.sweep import factor_name, sweep_notes, whole_percent
from zjtx_alloc.uncertainty.drivers import OVERALL
from zjtx_alloc.uncertainty.sweep import Sweep

_BANDS = {"min_max": "#E8E8E8", "q05_q95": "#BFD9EA", "q25_q75": "#6FB1D9"}
_COLOURS = {"weights": BLUE, "coefficients": GREEN, "facts": ORANGE, "totals": GREY}
_GAIN_LOSS = LinearSegmentedColormap.from_list("gain_loss", ["#E8966B", "#F6F6F6", "#6FB1D9"])


@in_style()
def band_figure(found: Sweep) -> Figure:
    """Bands by unit: all quotas drawn, nine tenths of them, half of them; the baseline's as a dot."""
    table = found.table.sort_values(["quota", "mean"], kind="stable")
    rows, reach = np.arange(len(table)), 1.1 * float(table["max"].max())
    figure, axes = blank(9, 9.6)
    for band, colour in _BANDS.items():
        low, high = (table[end] for end in band.split("_"))
        axes.barh(rows, high - low, left=low, color=colour, height=0.72, edgecolor=colour, linewidth=1)
    dots = axes.plot(table["quota"], rows, "o", color=ORANGE, markersize=4)
    for row, unit in enumerate(table.itertuples()):
        axes.text(unit.max + 0.012 * reach, row, span(unit.q05, unit.q95), va="center", fontsize=8)
    unit_rows(axes, table["short_name"])
    axes.set_xlim(0, reach)
    axes.set_xlabel(say("figure.places"))
    axes.set_title(say("sweep.bands", title=found.allocation.scenario.title))
    patches = [Patch(facecolor=colour) for colour in _BANDS.values()]
    labels = [*(say(f"sweep.band_{band}") for band in _BANDS), say("robust.baseline")]
    axes.legend([*patches, *dots], labels, loc="lower right", frameon=False)
    foot(figure, sweep_notes(found)[0] + say("sweep.number_is_band") + short_marks(found.allocation))
    return figure


@in_style()
def driver_figure(found: Sweep) -> Figure:
    """Sobol indices by unit (each block alone) and over all units (alone and in total); Shapley effects of weights."""
    order = found.table.sort_values(["quota", "mean"], kind="stable").index
    figure = Figure(figsize=(9, 9.6), layout=ConstrainedLayoutEngine(h_pad=0.12))  # a title apart from the axis above
    grid = figure.add_gridspec(1, 2, width_ratios=[1.15, 1])
    left, right = figure.add_subfigure(grid[0]), figure.add_subfigure(grid[1])
    _stacked(left.subplots(), found.sobol["first"].loc[order], found.allocation.panel.units["short_name"][order])
    axes = right.subplots(2, 1) if len(found.shapley.columns) else [right.subplots()]
    _overall(axes[0], found)
    if len(found.shapley.columns):
        effects = found.shapley.loc[OVERALL].fillna(0.0).iloc[::-1]
        axes[1].barh([_two_lines(factor_name(found, *name)) for name in effects.index], effects, height=0.5, color=BLUE)
        _shares(axes[1], say("sweep.weights_title"), say("sweep.weights_axis"))
        _numbers(axes[1], np.arange(len(effects)), effects, found.shapley_bars)
    foot(figure, say("sweep.sobol_note", base=found.base) + say("sweep.bars_note") + short_marks(found.allocation))
    return figure


def _stacked(axes: Axes, first: pd.DataFrame, names: pd.Series) -> None:
    ends = np.zeros(len(first))
    for block in first:
        part = first[block].fillna(0.0).clip(lower=0).to_numpy()
        axes.barh(np.arange(len(first)), part, left=ends, color=_COLOURS[block], label=say(f"sweep.block_{block}"))
        ends += part
    for row in np.flatnonzero(first.isna().all(axis=1)):
        axes.text(0.01, float(row), "—", va="center")
    axes.axvline(1, color="black", linewidth=0.6)
    unit_rows(axes, names)
    _shares(axes, say("sweep.drivers"), say("sweep.share_axis"))
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.07), ncols=4, frameon=False)


def _overall(axes: Axes, found: Sweep) -> None:
    first, total = (found.sobol.loc[OVERALL][order].fillna(0.0).iloc[::-1] for order in ("first", "total"))
    rows = np.arange(len(first))
    colours = [_COLOURS[block] for block in first.index]
    axes.barh(rows + 0.2, first, height=0.36, color=colours)
    axes.barh(rows - 0.2, total, height=0.36, color=colours, alpha=0.45)
    for shift, order, values in ((0.2, "first", first), (-0.2, "total", total)):
        _numbers(axes, rows + shift, values, found.sobol_bars.xs(order, axis=1, level="order"))
    axes.set_yticks(rows, [say(f"sweep.block_{block}") for block in first.index])
    _shares(axes, say("sweep.overall_title"), say("sweep.share_axis"))


def _numbers(axes: Axes, rows: np.ndarray, values: pd.Series, bars: pd.DataFrame) -> None:
    """Each value beside its error bar."""
    low, high = (bars[end].loc[OVERALL].reindex(values.index).fillna(0.0) for end in ("low", "high"))
    axes.hlines(rows, low, high, color="black", linewidth=0.8)
    for row, value, end in zip(rows, values, high, strict=True):
        axes.text(max(value, end, 0) + 0.015, row, whole_percent(value), va="center", fontsize=8)


def _shares(axes: Axes, title: str, of: str) -> None:
    axes.set_xlim(0, 1.12)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "25%", "50%", "75%", "100%"])
    axes.set_xlabel(of)
    axes.set_title(title)


def _two_lines(text: str) -> str:
    half = (len(text) + 1) // 2
    return text if len(text) < 10 else f"{text[:half]}\n{text[half:]}"


def gain_figure(found: Sweep) -> Figure:
    """Who gains and who loses against the baseline at equal totals, on the tile-grid map: both probabilities, and how they balance."""
    tiles = {
        str(unit.Index): Tile(
            _GAIN_LOSS(min(max(0.5 + unit.gain - unit.lose, 0.0), 1.0)),
            say("sweep.map_tile", gain=unit.gain, lose=unit.lose),
            7.5,
        )
        for unit in found.table.itertuples()
    }
    note = say("sweep.map_note") + say("sweep.same_total") + sweep_notes(found)[0] + short_marks(found.allocation)
    return tile_figure(tiles, say("sweep.map", title=found.allocation.scenario.title), note)
