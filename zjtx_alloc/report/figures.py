"""Figures in Chinese: entitlement against quota, the tile-grid map, money by fiscal year.

This room alone knows the fonts of figures. Every figure carries its marks and its assumptions at its foot.
"""

import io
import re
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from IPython.display import Image
from matplotlib import colormaps, font_manager, rc_context
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle
from pylopdf_fonts_zh_cn import sans_path

from zjtx_alloc.allocation import Allocation
from zjtx_alloc.budget.accounts import BudgetForecast
from zjtx_alloc.messages import say
from zjtx_alloc.report.notes import budget_notes, short_marks
from zjtx_alloc.resources import shipped

# Okabe & Ito (2008): distinct to colour-blind readers.
BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#8C8C8C"
BATCH_COLOURS = (BLUE, ORANGE, GREEN)
_NOTE_WIDTH = 66  # Chinese characters a line at the foot
_WAN_TO_YI = 10_000


@cache
def _style() -> dict[Any, Any]:
    path = str(sans_path())
    font_manager.fontManager.addfont(path)
    return {
        "font.family": font_manager.FontProperties(fname=path).get_name(),
        "axes.titleweight": "normal",  # the font has one weight
        "axes.unicode_minus": False,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.titlelocation": "left",
        "font.size": 9,
        "hatch.linewidth": 0.6,
    }


def picture(figure: Figure) -> Image:
    """A figure as a PNG for a notebook, sharp on dense screens."""
    with rc_context(_style()):
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=200, metadata={"Software": None})
    return Image(buffer.getvalue(), width=int(figure.get_figwidth() * 100))


def quota_figure(allocation: Allocation) -> Figure:
    """Entitlement against quota by unit, largest first, and what rounding and rules added or took."""
    table = allocation.table().sort_values(["quota", "entitlement"], kind="stable")
    rows = np.arange(len(table))
    with rc_context(_style()):
        figure = Figure(figsize=(9, 10.2), layout="constrained")
        left, right = figure.subplots(1, 2, sharey=True, width_ratios=[3, 1.3])
        hatches = ["////" if mark else "" for mark in table["estimated"]]
        left.barh(rows, table["quota"], color="#BFD9EA", edgecolor=BLUE, linewidth=0.5, hatch=hatches)
        left.plot(table["entitlement"], rows, "o", color=ORANGE, markersize=4)
        for row, quota, entitlement in zip(rows, table["quota"], table["entitlement"], strict=True):
            left.text(max(quota, entitlement) + 1.5, row, f"{quota}", va="center", fontsize=8)
        left.set_yticks(rows, table["short_name"])
        left.set_ylim(-0.7, len(table) - 0.3)
        left.set_xlim(0, table["quota"].max() * 1.08)
        left.set_xlabel(say("figure.places"))
        left.set_title(say("figure.quota", title=allocation.scenario.title))
        handles = [
            Patch(facecolor="#BFD9EA", edgecolor=BLUE, label=say("figure.quota_bar")),
            Patch(facecolor="#BFD9EA", edgecolor=BLUE, hatch="////", label=say("figure.estimated_bar")),
            left.lines[0],
        ]
        left.legend(handles=handles, labels=[*(h.get_label() for h in handles[:2]), say("figure.entitlement_dot")],
                    loc="lower right", frameon=False)  # fmt: skip
        _differences(right, rows, table["quota"] - table["entitlement"])
        _foot(figure, short_marks(allocation))
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
    tiles = pd.read_csv(shipped("data", "tiles.csv"), dtype={"code": str}, encoding="utf-8")
    table = allocation.table()
    shades = Normalize(0, float(table["quota"].max()))
    with rc_context(_style()):
        figure = Figure(figsize=(8.4, 8.8), layout="constrained")
        axes = figure.subplots()
        colours = colormaps["Blues"]
        for tile in tiles.itertuples():
            taking_part = tile.code in table.index
            quota = int(table.at[tile.code, "quota"]) if taking_part else None
            estimated = bool(taking_part and table.at[tile.code, "estimated"])
            face = colours(shades(quota)) if quota is not None else "#EDEDED"
            axes.add_patch(
                Rectangle(
                    (tile.column, -tile.row), 0.94, 0.94, facecolor=face,
                    edgecolor=ORANGE if estimated else "white", linewidth=1.6 if estimated else 0.8,
                )
            )  # fmt: skip
            ink = "white" if quota is not None and shades(quota) > 0.55 else "black"
            below = say("figure.no_part") if quota is None else f"{quota}"
            axes.text(tile.column + 0.47, -tile.row + 0.64, tile.name, ha="center", va="center", color=ink)
            axes.text(tile.column + 0.47, -tile.row + 0.28, below, ha="center", va="center", color=ink,
                      fontsize=7.5 if quota is None else 11)  # fmt: skip
        strip = -int(tiles["row"].max())
        axes.text(1.0, strip + 1.12, say("figure.strip"), va="bottom")
        axes.set_xlim(0.8, 9.1)
        axes.set_ylim(strip - 0.15, 1.1)
        axes.set_aspect("equal")
        axes.axis("off")
        axes.set_title(say("figure.map", title=allocation.scenario.title, total=allocation.scenario.total))
        _foot(figure, say("figure.orange") + short_marks(allocation))
    return figure


def budget_figure(budget: BudgetForecast, allocations: tuple[Allocation, ...]) -> Figure:
    """Net payments by fiscal year and batch; batches of assumed size are hatched."""
    paid = budget.by_batch_and_year()["net"].unstack("batch", fill_value=0).sort_index() / _WAN_TO_YI
    with rc_context(_style()):
        figure = Figure(figsize=(8.4, 4.8), layout="constrained")
        axes = figure.subplots()
        below = np.zeros(len(paid))
        for number, allocation in enumerate(allocations):
            batch, status = allocation.scenario.batch, allocation.scenario.total_status
            height = paid[str(batch)].to_numpy()
            axes.bar(
                [str(year) for year in paid.index], height, bottom=below, width=0.6, edgecolor="white",
                color=BATCH_COLOURS[number % len(BATCH_COLOURS)], hatch="///" if status == "assumed" else "",
                label=say("table.batch_status", batch=batch, status=say(f"status.{status}")),
            )  # fmt: skip
            below = below + height
        for x, sum_ in enumerate(below):
            axes.text(x, sum_ + below.max() * 0.015, f"{sum_:.2f}", ha="center", va="bottom")
        axes.set_ylim(0, below.max() * 1.25)
        axes.set_ylabel(say("figure.yi"))
        axes.set_xlabel(say("figure.fiscal_year"))
        axes.set_title(say("figure.budget"))
        axes.legend(frameon=False, loc="upper left", ncols=len(allocations))
        _foot(figure, "".join(budget_notes(budget, allocations)))
    return figure


def _foot(figure: Figure, text: str) -> None:
    """Assumptions and marks under the figure."""
    figure.supxlabel(_wrapped(text), fontsize=7.5, color="#555555", x=0.01, ha="left")


def _wrapped(text: str) -> str:
    """Break lines between characters, but within no number or word and before no closing mark."""
    lines = [""]
    for piece in re.findall(r"[A-Za-z0-9.%&]+[，。；：、）”]*|.[，。；：、）”]*", text):
        if len(lines[-1]) + len(piece) > _NOTE_WIDTH:
            lines.append("")
        lines[-1] += piece
    return "\n".join(lines)
