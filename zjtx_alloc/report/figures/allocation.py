"""Figures in Chinese: entitlement against quota, the tile-grid map, money by fiscal year.

Every figure carries its marks and its assumptions at its foot.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from zjtx_alloc.allocation.allocate import Allocation
from zjtx_alloc.base.messages import say
from zjtx_alloc.base.resources import shipped_table
from zjtx_alloc.facts.panel import KNOWN
from zjtx_alloc.report.figures.colours import BLUE, ORANGE
from zjtx_alloc.report.figures.style import blank, foot, in_style, unit_rows
from zjtx_alloc.report.notes.marks import criterion_text, edged_note, mostly_guessed, short_marks
from zjtx_alloc.report.table import signed

_WHOLE, _KNOWN = "#BFD9EA", "#6FB1D9"  # a bar, and what of it rests on published counts
STEPS = LinearSegmentedColormap.from_list("steps", ["#E8966B", "white", "#6FB1D9"])


@in_style()
def quota_figure(allocation: Allocation) -> Figure:
    """Entitlement against quota by unit, largest first, and what rounding and rules added or took."""
    table = allocation.table().sort_values(["quota", "entitlement"], kind="stable")
    rows, reach = np.arange(len(table)), 1.08 * float(table[["quota", "entitlement"]].max(axis=None))
    figure = Figure(figsize=(9, 10.2), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=[3, 1.3])
    known = table["quota"] * allocation.entitlement.rests_on[KNOWN][table.index]
    for widths, colour in ((table["quota"], _WHOLE), (known, _KNOWN)):
        left.barh(rows, widths, color=colour, edgecolor=BLUE, linewidth=0.5)
    left.plot(table["entitlement"], rows, "o", color=ORANGE, markersize=4)
    for row, quota, entitlement in zip(rows, table["quota"], table["entitlement"], strict=True):
        left.text(max(quota, entitlement) + 0.013 * reach, row, f"{quota}", va="center", fontsize=8)
    unit_rows(left, table["short_name"])
    left.set_xlim(0, reach)
    left.set_xlabel(say("figure.places"))
    left.set_title(say("figure.quota", title=allocation.scenario.title))
    bars = [Patch(facecolor=colour, edgecolor=BLUE) for colour in (_WHOLE, _KNOWN)]
    labels = [say(f"figure.{name}") for name in ("quota_bar", "known_bar", "entitlement_dot")]
    left.legend([*bars, left.lines[0]], labels, loc="lower right", frameon=False)
    _differences(right, rows, table["quota"] - table["entitlement"])
    foot(figure, short_marks(allocation))
    return figure


def _differences(axes: Axes, rows: np.ndarray, difference: pd.Series) -> None:
    axes.barh(rows, difference, color=[BLUE if d >= 0 else ORANGE for d in difference], height=0.6)
    axes.axvline(0, color="black", linewidth=0.6)
    reach = max(1.0, float(difference.abs().max())) * 1.1
    axes.set_xlim(-reach, reach)
    axes.set_xlabel(say("figure.places"))
    axes.set_title(say("figure.difference"))
    axes.tick_params(axis="y", length=0)


def map_figure(allocation: Allocation) -> Figure:
    """Quotas on a tile-grid map; the separately quoted units in a strip of their own; 港澳台 take no part."""
    table = allocation.table()
    shades, colours = Normalize(0, float(table["quota"].max())), colormaps["Blues"]
    guessed = mostly_guessed(allocation)
    tiles = {
        str(unit.Index): Tile(
            colours(shades(unit.quota)),
            f"{unit.quota}",
            11,
            dark=shades(unit.quota) > 0.55,
            marked=bool(guessed[unit.Index]),
        )
        for unit in table.itertuples()
    }
    title = say("figure.map", title=allocation.scenario.title, total=allocation.total)
    return tile_figure(tiles, title, edged_note(guessed) + short_marks(allocation))


@dataclass(frozen=True)
class Tile:
    """How a unit's tile looks: its colour, what stands below its name and how large, dark or not, edged or not."""

    face: Any
    below: str
    size: float
    dark: bool = False
    marked: bool = False


@in_style()
def tile_figure(tiles: Mapping[str, Tile], title: str, note: str) -> Figure:
    """A tile-grid map, tiles by code, a note at its foot; what has no tile takes no part."""
    places = shipped_table("tiles.csv", "code").astype({"row": int, "column": int})
    nobody = Tile("#EDEDED", say("figure.no_part"), 7.5)
    figure, axes = blank(8.4, 8.8)
    for place in places.itertuples():
        tile = tiles.get(place.Index, nobody)
        axes.add_patch(
            Rectangle(
                (place.column, -place.row), 0.94, 0.94, facecolor=tile.face,
                edgecolor=ORANGE if tile.marked else "white", linewidth=1.6 if tile.marked else 0.8,
            )
        )  # fmt: skip
        ink = "white" if tile.dark else "black"
        axes.text(place.column + 0.47, -place.row + 0.64, place.name, ha="center", va="center", color=ink)
        axes.text(place.column + 0.47, -place.row + 0.28, tile.below, ha="center", va="center", color=ink,
                  fontsize=tile.size)  # fmt: skip
    strip = -int(places["row"].max())
    axes.text(1.0, strip + 1.12, say("figure.strip"), va="bottom")
    axes.set_xlim(0.8, 9.1)
    axes.set_ylim(strip - 0.15, 1.1)
    axes.set_aspect("equal")
    axes.axis("off")
    axes.set_title(title)
    foot(figure, note)
    return figure


@in_style()
def criteria_figure(allocations: dict[str, Allocation]) -> Figure:
    """What each other criterion gives or takes against the scenario's own, only the units that differ."""
    names, own = list(allocations), next(iter(allocations.values()))
    quotas = pd.DataFrame({name: a.quota for name, a in allocations.items()})
    steps = quotas[names[1:]].sub(quotas[names[0]], axis="index")
    differs = steps.ne(0).any(axis="columns")
    steps = steps[differs] if differs.any() else steps
    figure, axes = blank(9, 2.2 + 0.27 * len(steps))
    reach = max(1, int(steps.abs().to_numpy().max(initial=0)))
    axes.imshow(steps.to_numpy(dtype=float), cmap=STEPS, vmin=-reach, vmax=reach, aspect="auto")
    for (row, column), step in np.ndenumerate(steps.to_numpy()):
        if step:
            axes.text(column, row, signed(step), ha="center", va="center")
    heads = [criterion_text(name).replace("（", "\n（").replace("、", "、\n") for name in names[1:]]
    axes.set_xticks(range(len(heads)), heads, fontsize=7.5)
    axes.set_yticks(range(len(steps)), own.panel.units["short_name"][steps.index])
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_title(say("figure.criteria", title=own.scenario.title, own=criterion_text(names[0])))
    axes.hlines(np.arange(len(steps) + 1) - 0.5, -0.5, len(names) - 1.5, color="#E0E0E0", linewidth=0.6)
    foot(figure, short_marks(own))
    return figure
