"""A figure of several years together: what is due in each, and in all of them."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from zjtx_alloc.allocation.allocate import Allocation
from zjtx_alloc.base.messages import say
from zjtx_alloc.budget.forecast import BudgetOutlook
from zjtx_alloc.budget.joint import joint_ranges
from zjtx_alloc.budget.ledger.ledger import gaps_in
from zjtx_alloc.report.figures.colours import BLUE, GREY
from zjtx_alloc.report.figures.style import WAN_TO_YI, foot, in_style
from zjtx_alloc.report.notes.marks import condition, outlook_notes, source_line, year_label

_PLACES = ("p5", "p25", "p50", "p75", "p95")


@in_style()
def joint_figure(outlook: BudgetOutlook, allocations: tuple[Allocation, ...]) -> Figure:
    """What is due in the years that hang on outcomes, each and all together: P5–P95, P25–P75 and the median.

    The sum of the years' own P5 and P95 stands beside the range of all together, which is narrower: not every year is
    low, or high, at once. Under each year stands the size of the batch that it holds for.
    """
    table = joint_ranges(outlook).query("measure == 'due'")
    is_sum = table["first_year"] < table["last_year"]
    years, money = table.loc[~is_sum, "first_year"], table[list(_PLACES)] / WAN_TO_YI
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
    places = np.arange(len(money))
    for low, high, alpha in (("p5", "p95", 0.28), ("p25", "p75", 0.6)):
        axes.bar(places, money[high] - money[low], bottom=money[low], width=0.5, color=BLUE, alpha=alpha, linewidth=0)
    axes.hlines(money["p50"], places - 0.25, places + 0.25, color=BLUE, linewidth=1.6)
    for place, (low, middle, high) in enumerate(money[["p5", "p50", "p95"]].to_numpy()):
        for level, side in ((low, "top"), (middle, "bottom"), (high, "bottom")):
            axes.annotate(f"{level:.1f}", (place, level), (0, 2 if side == "bottom" else -2), textcoords="offset points",
                          ha="center", va=side, fontsize=8)  # fmt: skip
    axes.set_ylim(0, money["p95"].max() * 1.15)


def _added(axes: Axes, ends: pd.Series) -> None:
    """The years' own ends added up, as a bracket beside the range of all together."""
    axes.vlines(1, ends["p5"], ends["p95"], color=GREY, linewidth=1.2)
    axes.hlines(ends, 0.85, 1.15, color=GREY, linewidth=1.2)
    for level, side in ((ends["p5"], "top"), (ends["p95"], "bottom")):
        axes.annotate(f"{level:.1f}", (1, level), (0, 2 if side == "bottom" else -2), textcoords="offset points",
                      ha="center", va=side, fontsize=8)  # fmt: skip
    axes.set_ylim(0, max(axes.get_ylim()[1], ends["p95"] * 1.12))
