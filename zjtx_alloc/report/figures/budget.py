"""Figures of money: by year and batch, from one budget to the next, the range of each year and of several together, totals that ceilings bear."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from zjtx_alloc.allocation.allocate import Allocation
from zjtx_alloc.base.messages import say
from zjtx_alloc.budget.forecast import BudgetOutlook
from zjtx_alloc.budget.joint import joint_ranges
from zjtx_alloc.budget.ledger.bridge import moving_steps
from zjtx_alloc.budget.ledger.budget import BudgetForecast
from zjtx_alloc.budget.ledger.ledger import gaps_in
from zjtx_alloc.report.figures.colours import BATCH_COLOURS, BLUE, GREEN, GREY, ORANGE
from zjtx_alloc.report.figures.style import WAN_TO_YI, blank, foot, in_style
from zjtx_alloc.report.notes.marks import batch_label, budget_notes, condition, outlook_notes, source_line, year_label
from zjtx_alloc.report.table import signed

FAN_COLOURS = (BLUE, GREEN, ORANGE)


@in_style()
def budget_figure(
    budget: BudgetForecast, allocations: tuple[Allocation, ...], actual: Mapping[int, int] = MappingProxyType({})
) -> Figure:
    """Net payments by fiscal year and batch, the first round's tails in grey; what is assumed is hatched.

    ``actual`` are transfers that are known, 万元 by fiscal year: a mark across the year's bar.
    """
    paid = budget.by_batch_and_year()["net"].unstack("batch", fill_value=0).sort_index() / WAN_TO_YI
    layers = []
    for number, allocation in enumerate(allocations):
        scenario, colour = allocation.scenario, BATCH_COLOURS[number % len(BATCH_COLOURS)]
        hatch = "///" if scenario.total_status == "assumed" else ""
        layers.append((paid[str(scenario.batch)], batch_label(allocation), colour, hatch))
    if tails := [cohort.name for cohort in budget.cohorts if cohort.payment is not None]:
        layers.append((paid[tails].sum(axis=1), say("figure.tails"), GREY, "///"))
    figure, axes = blank(8.4, 4.8)
    gaps = budget.ledger.gaps()
    below, years = np.zeros(len(paid)), [year_label(int(year), gaps) for year in paid.index]
    for height, label, colour, hatch in layers:
        axes.bar(years, height, bottom=below, width=0.6, edgecolor="white", color=colour, hatch=hatch, label=label)
        below = below + height.to_numpy()
    known = [(place, actual[year] / WAN_TO_YI) for place, year in enumerate(paid.index) if year in actual]
    if known:
        axes.scatter(*zip(*known, strict=True), marker="D", color="black", zorder=3, label=say("figure.transferred"))
    for x, sum_ in enumerate(below):
        axes.text(x, sum_ + below.max() * 0.015, f"{sum_:.2f}", ha="center", va="bottom")
    axes.set_ylim(0, below.max() * 1.25)
    axes.set_ylabel(say("figure.yi"))
    axes.set_xlabel(say("figure.fiscal_year"))
    axes.set_title(say("figure.budget_full" if budget.assumed_completed else "figure.budget"))
    axes.legend(frameon=False, loc="upper left", ncols=len(layers) + bool(known))
    foot(figure, "".join(budget_notes(budget, allocations)) + source_line(*allocations))
    return figure


@in_style()
def bridge_figure(steps: pd.DataFrame, *notes: str) -> Figure:
    """A waterfall from the last budget to this one, all fiscal years together, by the causes that moved money.

    ``steps`` as ``za.bridge`` returns them, in 万元; drawn in 亿元; notes at the foot.
    """
    money = moving_steps(steps).sum(axis=1)
    inner = money.index[1:-1]
    level = np.append(money.iloc[:-1].cumsum(), 0) / WAN_TO_YI
    height = money.abs().to_numpy() / WAN_TO_YI
    bottom = np.array([0.0, *np.minimum(level[1:-1], level[:-2]), 0.0])
    top = bottom + height
    figure, axes = blank(8.4, 4.8)
    places = np.arange(len(money))
    colours = [GREY, *(BLUE if money[name] >= 0 else ORANGE for name in inner), GREY]
    axes.bar(places, height, bottom=bottom, width=0.6, color=colours)
    axes.hlines(level[:-1], places[:-1] + 0.3, places[:-1] + 1.3, color="#555555", linewidth=0.7)
    for place, name in enumerate(money.index):
        amount = money[name] / WAN_TO_YI
        described = signed(amount, 2) if name in inner else f"{amount:.2f}"
        axes.text(place, top[place] + top.max() * 0.015, described, ha="center", va="bottom")
    axes.set_xticks(places, [say(f"step.{name}") for name in money.index])
    axes.set_ylim(0, (top.max() or 1) * 1.12)
    axes.set_ylabel(say("figure.yi"))
    axes.set_title(say("figure.bridge"))
    foot(figure, "".join((*notes, say("note.bridge"))))
    return figure


@in_style()
def fan_figure(
    outlooks: tuple[BudgetOutlook, ...],
    allocations: tuple[Allocation, ...],
    ceilings: Mapping[int, int] | None = None,
) -> Figure:
    """Net payments by fiscal year as ranges: P5–P95, P25–P75 and the median; assumptions side by side.

    Parameters
    ----------
    outlooks : tuple of BudgetOutlook
        One for a fan chart, several to compare; of the same cohorts.
    allocations : tuple of Allocation
        Those the cohorts come from, for the notes at the foot.
    ceilings : mapping of fiscal year to 万元, optional
        Drawn across their years; with one outlook the probability that what is due exceeds them is written there.
    """
    years = outlooks[0].shown_years
    width = 0.72 / len(outlooks)
    figure, axes = blank(8.4, 5.2)
    bars = []
    for number, outlook in enumerate(outlooks):
        places = np.arange(len(years)) + (number - (len(outlooks) - 1) / 2) * width
        bars.append(_fan(axes, places, width * 0.86, outlook, FAN_COLOURS[number % len(FAN_COLOURS)]))
    for year, ceiling in {y: c for y, c in (ceilings or {}).items() if y in years}.items():
        _ceiling(axes, years.index(year), ceiling, outlooks)
    gaps = gaps_in(years, outlooks[0].cohorts, outlooks[0].award)
    axes.set_xticks(range(len(years)), [year_label(year, gaps) for year in years])
    axes.set_ylim(0, axes.get_ylim()[1] * (1.3 if ceilings else 1.2))  # room for the legend above what is written there
    axes.set_ylabel(say("figure.yi"))
    axes.set_xlabel(say("figure.fiscal_year"))
    axes.set_title(say("figure.fan"))
    titles = [say("figure.outlook", title=outlook.outcomes.title) for outlook in outlooks]
    axes.legend(bars, titles, frameon=False, loc="upper left", ncols=len(outlooks))
    notes = "".join(outlook_notes(outlooks, allocations))
    foot(figure, say("figure.fan_key") + notes + source_line(*allocations))
    return figure


def _fan(axes: Axes, places: np.ndarray, width: float, outlook: BudgetOutlook, colour: str) -> Any:
    """Drawn, with the number of each median; gives the bars of the darker range, which the legend shows."""
    table = outlook.table().query("measure == 'net'").set_index("fiscal_year").drop(columns=["measure", "outcomes"])
    money = table / WAN_TO_YI
    bars = _bands(axes, places, width, money, colour)
    size = 8 if width > 0.5 else 6.5
    for place, bottom, median in zip(places, money["p5"], money["p50"], strict=True):
        axes.annotate(f"{median:.1f}", (place, bottom), (0, -3), textcoords="offset points", ha="center", va="top",
                      fontsize=size, zorder=3, bbox={"facecolor": "white", "pad": 0.4, "linewidth": 0})  # fmt: skip
    return bars


def _bands(axes: Axes, places: np.ndarray, width: float, money: pd.DataFrame, colour: str) -> Any:
    """P5–P95, P25–P75 and the median, drawn; gives the bars of the darker range."""
    for low, high, alpha in (("p5", "p95", 0.28), ("p25", "p75", 0.6)):
        bars = axes.bar(
            places, money[high] - money[low], bottom=money[low], width=width, color=colour, alpha=alpha, linewidth=0
        )
    axes.hlines(money["p50"], places - width / 2, places + width / 2, color=colour, linewidth=1.6)
    return bars


def _ceiling(axes: Axes, place: int, ceiling: int, outlooks: tuple[BudgetOutlook, ...]) -> None:
    year = outlooks[0].years[place]
    level = ceiling / WAN_TO_YI
    axes.hlines(level, place - 0.46, place + 0.46, color="black", linewidth=1.0, linestyles="--")
    text = say("figure.ceiling", ceiling=level)
    if len(outlooks) == 1:
        text += say("figure.exceeds", risk=outlooks[0].exceeds(year, ceiling))
    top = max(level, *(outlook.distribution(year).quantile(0.95) / WAN_TO_YI for outlook in outlooks))
    axes.annotate(text, (place, top), (0, 4), textcoords="offset points", ha="center", va="bottom", fontsize=7.5)


@in_style()
def joint_figure(outlook: BudgetOutlook, allocations: tuple[Allocation, ...]) -> Figure:
    """What is due in the years that hang on outcomes, each and all together: P5–P95, P25–P75 and the median.

    The sum of the years' own P5 and P95 stands beside the range of all together, which is narrower: not every year is
    low, or high, at once. Under each year stands the size of the batch that it holds for.
    """
    table = joint_ranges(outlook).query("measure == 'due'")
    is_sum = table["first_year"] < table["last_year"]
    years, money = table.loc[~is_sum, "first_year"], table[["p5", "p25", "p50", "p75", "p95"]] / WAN_TO_YI
    gaps = gaps_in(outlook.years, outlook.cohorts, outlook.award)
    figure = Figure(figsize=(8.4, 5.0), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=[max(len(years), 1), 1.15])
    _ranges(left, money[~is_sum])
    given = [condition(year, outlook.cohorts, allocations).replace("（", "\n（").replace("、", "\n") for year in years]
    labels = [f"{year_label(year, gaps)}\n{firms}" for year, firms in zip(years, given, strict=True)]
    left.set_xticks(range(len(years)), labels)
    left.set_ylabel(say("figure.yi"))
    left.set_xlabel(say("figure.given_size"))
    left.set_title(say("figure.joint"))
    if is_sum.any():
        _ranges(right, money[is_sum])
        _added(right, money.loc[~is_sum, ["p5", "p95"]].sum())
        (row,) = table[is_sum].to_dict("records")
        right.set_xticks(
            [0, 1],
            [say("table.years_together", first=row["first_year"], last=row["last_year"]), say("figure.years_added")],
        )
        right.set_xlabel(say("figure.within", within=row["within"]))
        right.set_xlim(-0.6, 1.6)
    else:
        right.set_axis_off()
    foot(figure, say("figure.joint_key") + "".join(outlook_notes((outlook,), allocations)) + source_line(*allocations))
    return figure


def _ranges(axes: Axes, money: pd.DataFrame) -> None:
    _bands(axes, np.arange(len(money)), 0.5, money, BLUE)
    for place, (low, middle, high) in enumerate(money[["p5", "p50", "p95"]].to_numpy()):
        _numbered(axes, place, (low, "top"), (middle, "bottom"), (high, "bottom"))
    axes.set_ylim(0, money["p95"].max() * 1.15)


def _added(axes: Axes, ends: pd.Series) -> None:
    """The years' own ends added up, as a bracket beside the range of all together."""
    axes.vlines(1, ends["p5"], ends["p95"], color=GREY, linewidth=1.2)
    axes.hlines(ends, 0.85, 1.15, color=GREY, linewidth=1.2)
    _numbered(axes, 1, (ends["p5"], "top"), (ends["p95"], "bottom"))
    axes.set_ylim(0, max(axes.get_ylim()[1], ends["p95"] * 1.12))


def _numbered(axes: Axes, place: int, *levels: tuple[float, str]) -> None:
    """Amounts written at their levels, below (top) or above them."""
    for level, side in levels:
        axes.annotate(f"{level:.1f}", (place, level), (0, 2 if side == "bottom" else -2), textcoords="offset points",
                      ha="center", va=side, fontsize=8)  # fmt: skip


@in_style()
def frontier_figure(found: pd.DataFrame, now: tuple[int, int], *notes: str) -> Figure:
    """Pairs of totals that keep the ceilings, and the totals as they are; notes at the foot.

    ``found`` as ``affordable_pairs`` gives it.
    """
    (first, second), batches = found.columns[:2], [int(name.removeprefix("batch_")) for name in found.columns[:2]]
    figure, axes = blank(7.2, 5.2)
    axes.plot(found[first], found[second], color=BLUE, marker="o", markersize=4, linewidth=1.4)
    for one, two, _ in found.itertuples(index=False):
        axes.annotate(f"{one}、{two}", (one, two), (4, 3), textcoords="offset points", fontsize=7.5)
    axes.plot(*now, color=ORANGE, marker="x", markersize=8, linestyle="none")
    axes.annotate(say("figure.now"), now, (0, 8), textcoords="offset points", ha="center", fontsize=8, color=ORANGE)
    axes.margins(0.15)
    axes.set_xlabel(say("figure.batch_total", batch=batches[0]))
    axes.set_ylabel(say("figure.batch_total", batch=batches[1]))
    axes.set_title(say("figure.frontier", first=batches[0], second=batches[1]))
    foot(figure, "".join(notes))
    return figure
