"""Figures of scenarios side by side: who gains and loses, where, and what each region has."""

import numpy as np
import pandas as pd
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from zjtx_alloc.allocation.compare import Comparison
from zjtx_alloc.base.messages import say
from zjtx_alloc.report.figures.allocation import STEPS, Tile, tile_figure
from zjtx_alloc.report.figures.colours import BLUE, COLOURS, ORANGE
from zjtx_alloc.report.figures.style import WAN_TO_YI, blank, foot, in_style, unit_rows
from zjtx_alloc.report.notes.marks import edged_note, mostly_guessed
from zjtx_alloc.report.tables.compare import gain_text, marks_line

_SEEN = 0.5  # places: less than this is not drawn as a gain


@in_style()
def gains_figure(comparison: Comparison) -> Figure:
    """What each unit gains or loses against the first, a panel each of the others; only units that differ in one."""
    gains = comparison.gains
    seen = gains[gains.abs().ge(_SEEN).any(axis=1)]
    seen = seen.sort_values(seen.columns[0], kind="stable")
    names, rows = comparison.allocations[0].panel.units["short_name"][seen.index], np.arange(len(seen))
    reach = max(1.0, float(seen.abs().to_numpy().max(initial=0))) * 1.28
    figure = Figure(figsize=(max(6.4, 3.1 * len(gains.columns)), 2.0 + 0.24 * len(seen)), layout="constrained")
    panels = figure.subplots(1, len(gains.columns), sharey=True, squeeze=False)[0]
    for axes, name in zip(panels, gains, strict=True):
        axes.barh(rows, seen[name], color=[BLUE if g >= 0 else ORANGE for g in seen[name]], height=0.66)
        for row, gain in zip(rows, seen[name], strict=True):
            if abs(gain) >= _SEEN:
                away = reach * 0.02 * (1 if gain > 0 else -1)
                axes.text(
                    gain + away, row, gain_text(gain), va="center", ha="left" if gain > 0 else "right", fontsize=8
                )
        axes.axvline(0, color="black", linewidth=0.6)
        axes.set_xlim(-reach, reach)
        unit_rows(axes, names)
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.set_xlabel(say("figure.places"))
        axes.set_title(name, fontsize=9)
    figure.suptitle(say("figure.gains", first=comparison.quota.columns[0]), x=0.01, ha="left")
    foot(figure, say("figure.gains_foot") + marks_line(comparison))
    return figure


def gain_map(comparison: Comparison, name: str) -> Figure:
    """Where one of the others gives and takes, on the tile-grid map: its quota and the difference."""
    gains = comparison.gains[name]
    reach = max(1.0, float(comparison.gains.abs().to_numpy().max()))
    shades = Normalize(-reach, reach)
    allocation = next(a for a in comparison.allocations if a.scenario.name == name)
    guessed = mostly_guessed(allocation)
    tiles = {
        str(code): Tile(
            STEPS(shades(gain)),
            f"{allocation.quota[code]}（{gain_text(gain)}）" if abs(gain) >= _SEEN else f"{allocation.quota[code]}",
            8.5,
            marked=bool(guessed[code]),
        )
        for code, gain in gains.items()
    }
    title = say("figure.gain_map", name=name, first=comparison.quota.columns[0])
    return tile_figure(tiles, title, edged_note(guessed) + say("figure.gain_map_foot") + marks_line(comparison))


def regions_figure(comparison: Comparison) -> Figure:
    """Each region's share of all places, a bar a scenario."""
    shares = comparison.regions / comparison.regions.sum() * 100
    return _grouped(shares, comparison, say("figure.region_shares"), (say("figure.percent"), "{:.1f}"))


def money_figure(comparison: Comparison, money: pd.DataFrame) -> Figure:
    """Net payments by fiscal year, as ``money_by_year``, a bar a scenario, each its own batch alone."""
    figure = _grouped(money / WAN_TO_YI, comparison, say("figure.compared_money"), (say("figure.yi"), "{:.2f}"))
    figure.axes[0].set_xlabel(say("figure.fiscal_year"))
    return figure


@in_style()
def _grouped(table: pd.DataFrame, comparison: Comparison, title: str, measure: tuple[str, str]) -> Figure:
    """A group of bars a row, a bar a column, labelled with its number."""
    (label, form), places = measure, np.arange(len(table))
    width = 0.82 / len(table.columns)
    figure, axes = blank(max(8.4, 0.62 * table.size), 4.4)
    bars = []
    for number, (_name, heights) in enumerate(table.items()):
        x = places + (number - (len(table.columns) - 1) / 2) * width
        colour = COLOURS[number % len(COLOURS)]
        bars.append(axes.bar(x, heights.fillna(0), width * 0.94, color=colour))
        for at, height in zip(x, heights, strict=True):
            if not np.isnan(height):
                axes.text(at, height, form.format(height), ha="center", va="bottom", fontsize=8)
    axes.set_xticks(places, [str(name) for name in table.index])
    axes.set_ylim(0, float(table.to_numpy()[~table.isna().to_numpy()].max()) * 1.22)
    axes.set_ylabel(label)
    axes.set_title(title)
    # Names are given here: as labels of bars, those that begin with an underscore would be left out.
    axes.legend(bars, list(table), frameon=False, loc="upper right", ncols=min(len(table.columns), 4))
    foot(figure, marks_line(comparison))
    return figure
