"""Figures of ranges, plans and look-backs: bands by unit, running totals against what is due, observed against fitted, the fit's simplex."""

from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from zjtx_alloc.allocation.running_totals import Plan
from zjtx_alloc.base.messages import say
from zjtx_alloc.report.figures.colours import BATCH_COLOURS, BLUE, GREEN, ORANGE
from zjtx_alloc.report.figures.style import blank, foot, in_style, unit_rows
from zjtx_alloc.report.notes.marks import published, short_marks
from zjtx_alloc.report.table import span
from zjtx_alloc.report.tables.backtest import backtest_notes
from zjtx_alloc.report.tables.plan import deviations, plan_notes
from zjtx_alloc.report.tables.ranges import range_notes
from zjtx_alloc.uncertainty.fit_weights import WeightFit
from zjtx_alloc.uncertainty.robust import Robust
from zjtx_alloc.uncertainty.weight_range import WeightRange

_STEPS = 80  # of the grid over the simplex, a side
_MARKERS = "osD^v"


@in_style()
def plan_figure(plan: Plan) -> Figure:
    """Running total less what is due, by unit after each batch: batches on their own, and the plan."""
    off = deviations(plan)
    order = plan.allocations[0].entitlement.places.sort_values(kind="stable").index
    names = plan.allocations[0].panel.units["short_name"]
    reach = max(1.15, 1.08 * float(off.abs().max(axis=None)))
    figure = Figure(figsize=(9, 9.6), layout="constrained")
    for axes, column in zip(figure.subplots(1, 2, sharey=True), ("separate", "planned"), strict=True):
        axes.axvspan(-1, 1, color="#EAF2F8", zorder=0)
        axes.axvline(0, color="black", linewidth=0.6)
        for number, (batch, part) in enumerate(off[column].groupby("batch")):
            values = part.droplevel("batch").reindex(order)
            axes.plot(
                values, np.arange(len(order)), _MARKERS[number % len(_MARKERS)], markersize=4.5, zorder=3,
                color=BATCH_COLOURS[number % len(BATCH_COLOURS)], label=say("plan.after", batch=batch),
            )  # fmt: skip
        axes.set_xlim(-reach, reach)
        axes.set_xlabel(say("plan.axis"))
        axes.set_title(say(f"plan.panel_{column}"))
        axes.grid(axis="y", color="#E5E5E5", linewidth=0.5)
        axes.tick_params(axis="y", length=0)
    unit_rows(figure.axes[0], names[order])
    figure.legend(*figure.axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=5, frameon=False)
    foot(figure, say("plan.band") + plan_notes(plan)[1] + short_marks(*plan.allocations))
    return figure


@in_style()
def range_figure(ranges: WeightRange, found: Robust) -> Figure:
    """Bands by unit: the quotas that some admissible weights give, the baseline's and the robust ones."""
    table = ranges.table.sort_values(["quota", "entitlement"], kind="stable")
    rows, robust = np.arange(len(table)), found.quota["robust"].reindex(table.index)
    reach = 1.1 * max(float(table["quota_upper"].max()), float(robust.max()))
    figure, axes = blank(9, 9.6)
    wide = table["quota_upper"] - table["quota_lower"]
    axes.barh(rows, wide, left=table["quota_lower"], color="#E8E8E8", height=0.72)
    axes.barh(rows, table["quota_max"] - table["quota_min"], left=table["quota_min"], color="#9CC7E3", height=0.72)
    base = axes.plot(table["quota"], rows, "o", color=BLUE, markersize=4.5)
    held = axes.plot(robust, rows, "D", color=ORANGE, markersize=4.5, fillstyle="none")
    for row, unit in enumerate(table.itertuples()):
        axes.text(unit.quota_upper + 0.012 * reach, row, span(unit.quota_min, unit.quota_max), va="center", fontsize=8)
    unit_rows(axes, table["short_name"])
    axes.set_xlim(0, reach)
    axes.set_xlabel(say("figure.places"))
    axes.set_title(say("ranges.figure", title=ranges.allocation.scenario.title))
    bands = {"ranges.band": "#9CC7E3"}
    if not ranges.table["quota_exact"].all():
        bands["ranges.beyond"] = "#E8E8E8"
    labels = [*(say(key) for key in bands), say("robust.baseline"), say("robust.robust")]
    patches = [Patch(facecolor=colour) for colour in bands.values()]
    axes.legend([*patches, *base, *held], labels, loc="lower right", frameon=False)
    foot(figure, range_notes(ranges)[0] + short_marks(ranges.allocation))
    return figure


@in_style()
def fit_figure(fit: WeightFit) -> Figure:
    """Observed firms by unit, as fitted, and as predicted without the unit's region."""
    table = fit.table.sort_values("observed", kind="stable")
    rows = np.arange(len(table))
    figure, axes = blank(9, 9.6)
    hatches = ["////" if estimated else "" for estimated in table["estimated"]]
    axes.barh(rows, table["observed"], color="#BFD9EA", edgecolor=BLUE, linewidth=0.5, hatch=hatches)
    fitted = axes.plot(table["fitted"], rows, "o", color=ORANGE, markersize=4.5)
    left = axes.plot(table["left_out"], rows, "D", color=GREEN, markersize=4.5, fillstyle="none")
    unit_rows(axes, table["short_name"])
    axes.set_xlim(0)
    axes.set_xlabel(say("backtest.firms"))
    axes.set_title(say("backtest.figure", name=fit.panel.name(fit.observed.partition(":")[0])))
    bars = [Patch(facecolor="#BFD9EA", edgecolor=BLUE, hatch=hatch) for hatch in ("", "////")]
    labels = [say(f"backtest.{name}") for name in ("seen", "seen_estimated", "dot", "diamond")]
    axes.legend([*bars, *fitted, *left], labels, loc="lower right", frameon=False)
    foot(figure, "".join(backtest_notes(fit)) + _facts(fit))
    return figure


@in_style()
def simplex_figure(fit: WeightFit) -> Figure:
    """All weights of three factors: how much worse than the best each fits, and those that fit almost as well."""
    grid = np.array([(a, b, _STEPS - a - b) for a in range(_STEPS + 1) for b in range(_STEPS + 1 - a)]) / _STEPS
    x, y = _flat(grid)
    misfit = fit.misfit(grid)
    levels = [1, 1 + fit.slack, 1.5, 2, 3, 5, 1e9]
    figure, axes = blank(7.6, 6.6)
    shades = ["#0072B2", "#5BA3D0", "#9CC7E3", "#C9E0EF", "#E4EFF6", "#F5F5F5"]
    axes.tricontourf(x, y, misfit, levels=levels, colors=shades)
    best = axes.plot(*_flat(fit.weights["weight"].to_numpy()[None]), "*", color=ORANGE, markersize=13, clip_on=False)
    _corners(axes, fit)
    bounds = ["1", *(f"{level:g}" for level in levels[1:-1])]
    labels = [say("backtest.level", low=a, high=b) for a, b in pairwise(bounds)]
    labels.append(say("backtest.worse", low=bounds[-1]))
    patches = [Patch(facecolor=shade) for shade in shades]
    axes.legend([*best, *patches], [say("backtest.best"), *labels], loc="upper right", frameon=False)
    axes.set_title(say("backtest.simplex"))
    foot(figure, say("backtest.slack", slack=fit.slack) + backtest_notes(fit)[0] + _facts(fit))
    return figure


def _facts(fit: WeightFit) -> str:
    """Whose facts a fit rests on."""
    columns = (name.partition(":") for name in (fit.observed, *fit.factors))
    return published((fit.panel, code, period) for code, _, period in columns)


def _flat(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where three weights lie in a triangle: the second at the top, the third on the right."""
    return weights[:, 2] + weights[:, 1] / 2, weights[:, 1] * np.sqrt(3) / 2


def _corners(axes: Axes, fit: WeightFit) -> None:
    ends = np.eye(3)
    x, y = _flat(ends)
    axes.plot([*x, x[0]], [*y, y[0]], color="black", linewidth=0.8)
    places = [(0, -12, "left", "top"), (0, 8, "center", "bottom"), (0, -12, "right", "top")]
    for i, (dx, dy, across, along) in enumerate(places):
        axes.annotate(
            say("backtest.corner", name=fit.panel.name(fit.shares.columns[i])), (x[i], y[i]),
            xytext=(dx, dy), textcoords="offset points", ha=across, va=along,
        )  # fmt: skip
    axes.set_xlim(-0.05, 1.25)
    axes.set_ylim(-0.12, 1.0)
    axes.set_aspect("equal")
    axes.axis("off")
