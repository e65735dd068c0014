"""The figure of two batches' totals that ceilings bear together."""

import pandas as pd
from matplotlib.figure import Figure

from zjtx_alloc.base.messages import say
from zjtx_alloc.report.figures.colours import BLUE, ORANGE
from zjtx_alloc.report.figures.style import blank, foot, in_style


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
