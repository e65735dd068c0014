"""The tables of a comparison, and what ``zjtx compare`` prints."""

import pandas as pd

from zjtx_alloc.comparison import Comparison
from zjtx_alloc.messages import header, say
from zjtx_alloc.report.notes import marks_note, weights_note
from zjtx_alloc.report.supply import plain_table
from zjtx_alloc.report.tables import FORMATS, Table


def unit_table(comparison: Comparison) -> Table:
    """Places by unit and scenario, and what each unit gains or loses against the first."""
    quota, gains = comparison.quota, comparison.gains
    frame = pd.concat(
        [
            comparison.allocations[0].panel.units["short_name"].rename(header("short_name")),
            quota,
            gains.rename(columns={name: say("compare.gain", name=name) for name in gains}),
        ],
        axis=1,
    )
    kinds = {header("short_name"): "text"} | dict.fromkeys(quota, "count")
    kinds |= {say("compare.gain", name=name): "difference" for name in gains}
    return Table(
        say("title.compared_units"), frame.reset_index(drop=True), kinds, (_scaled(comparison), weights_note())
    )


def region_table(comparison: Comparison) -> Table:
    """Places by region and scenario, and the total."""
    frame = comparison.regions.rename_axis(header("region")).reset_index()
    frame.loc[len(frame)] = [say("table.total"), *comparison.quota.sum()]
    kinds = {header("region"): "text"} | dict.fromkeys(comparison.quota, "count")
    return Table(say("title.compared_regions"), frame, kinds, _marks(comparison), has_total=True)


def distance_table(comparison: Comparison) -> Table:
    """How far every two of them are apart."""
    frame = comparison.distance.rename_axis(header("scenario")).reset_index()
    kinds = {header("scenario"): "text"} | dict.fromkeys(comparison.quota, "share")
    return Table(say("title.distances"), frame, kinds, (say("compare.distance"),))


def comparison_text(comparison: Comparison) -> str:
    """What ``zjtx compare`` prints: units, regions, distances, who gains and loses most."""
    blocks = []
    for table in (unit_table(comparison), region_table(comparison), distance_table(comparison)):
        shown = table.frame.astype(object)
        for column, kind in table.kinds.items():
            shown[column] = [FORMATS[kind][0].format(value) for value in shown[column]]
        blocks += [table.title, plain_table(shown), *table.notes, ""]
    return "\n".join([*blocks, *gain_lines(comparison)])


def gain_lines(comparison: Comparison) -> list[str]:
    """A sentence for each of the others: how many units gain and lose, and who most."""
    names, first = comparison.allocations[0].panel.units["short_name"], comparison.quota.columns[0]
    lines = []
    for name, gain in comparison.gains.items():
        up, down = gain[gain >= 0.5].sort_values(ascending=False), gain[gain <= -0.5].sort_values()
        most = ["、".join(f"{names[c]}{g:+.1f}" for c, g in side.head(3).items()) or "—" for side in (up, down)]
        lines.append(
            say("compare.summary", name=name, first=first, up=len(up), down=len(down), gained=most[0], lost=most[1])
        )
    return lines


def _marks(comparison: Comparison) -> tuple[str, ...]:
    """Every mark that any of the allocations bears, once."""
    notes = [note for allocation in comparison.allocations for note in marks_note(allocation)]
    return (*dict.fromkeys(notes), weights_note())


def _scaled(comparison: Comparison) -> str:
    same = comparison.quota.sum().nunique() == 1
    return say("compare.same_total" if same else "compare.other_total", first=comparison.quota.columns[0])
