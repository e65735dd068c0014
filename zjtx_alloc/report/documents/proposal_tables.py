"""The tables of the proposal (建议稿) that no other report has: the annexes, and what is cut to a page's width."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import groupby
from typing import Any

from zjtx_alloc.allocation.allocate import Allocation
from zjtx_alloc.base.messages import header, say
from zjtx_alloc.report.notes.marks import mark_shares
from zjtx_alloc.report.table import Table
from zjtx_alloc.report.tables.allocation import decision_table
from zjtx_alloc.report.tables.ranges import range_table
from zjtx_alloc.report.writers.document import PORTRAIT, Cell, Grid, grid_of
from zjtx_alloc.uncertainty.weight_range import WeightRange

_MOST = 10  # units in the table of the widest ranges
_FORM_WIDTHS = (30.0, 34.0, 46.0, 46.0)


def narrowed(table: Table, *columns: str, notes: bool = True) -> Table:
    """A table with some of its columns, by their names in code."""
    names = [header(column) for column in columns]
    kinds = {name: table.kinds[name] for name in names}
    return replace(table, frame=table.frame[names], kinds=kinds, notes=table.notes if notes else ())


def decision_annex(allocation: Allocation) -> Grid:
    """附件 人工调整表; one row that says so where nothing was decided."""
    grid = grid_of(decision_table(allocation), PORTRAIT)
    if len(grid.rows) > 1:
        return grid
    nothing = (Cell(say("proposal.no_decision"), "center", across=len(grid.widths)),)
    return replace(grid, rows=(*grid.rows, nothing), widths=(PORTRAIT / len(grid.widths),) * len(grid.widths))


def widest_ranges(ranges: WeightRange) -> Table:
    """The units whose quota the weights move most."""
    table = narrowed(
        range_table(ranges), "short_name", "entitlement", "entitlement_min", "entitlement_max", "quota", "quota_min",
        "quota_max", "span", notes=False,
    )  # fmt: skip
    frame = table.frame.sort_values(header("span"), ascending=False, kind="stable").head(_MOST)
    return replace(table, title=say("proposal.most_moved"), frame=frame, notes=(mark_shares(ranges.allocation),))


def target_annex(form: Mapping[str, Any], facts: Mapping[str, Any]) -> Grid:
    """附件 绩效目标表, in the form of the published ones: money, the goal, indicators of three levels."""
    local, blank = say("proposal.local"), say("proposal.blank")
    opening = str(facts["opening"])
    rows = [
        (_label("programme"), Cell(form["programme"].format(**facts), across=3)),
        (
            _label("ministry"),
            Cell(say("proposal.ministry_name")),
            _label("finance"),
            Cell(say("proposal.finance_name")),
        ),
        (
            Cell(say("proposal.money"), "center", down=3),
            Cell(say("proposal.amount", year=facts["opening_year"]), "center"),
            Cell(opening, "right", across=2),
        ),
        (_label("central"), Cell(opening, "right", across=2)),
        (Cell(local, "center"), Cell(blank, "right", across=2)),
        (_label("goal"), Cell(form["goal"], across=3)),
        tuple(_label(name) for name in ("first", "second", "third", "value")),
        *_indicators([[text.format(**facts) for text in row] for row in form["indicators"]]),
    ]
    return Grid(form["title"], tuple(rows), _FORM_WIDTHS, heads=0, notes=(form["note"],))


def _label(name: str) -> Cell:
    return Cell(say(f"proposal.{name}"), "center")


def _indicators(rows: list[list[str]]) -> Iterator[tuple[Cell, ...]]:
    """Rows whose first and second level are said once and reach down."""
    for first, under in groupby(rows, key=lambda row: row[0]):
        group = list(under)
        upper = [Cell(first, "center", down=len(group))]
        for second, parts in groupby(group, key=lambda row: row[1]):
            leaves = list(parts)
            middle = [Cell(second, "center", down=len(leaves))]
            for leaf in leaves:
                yield (*upper, *middle, *(Cell(text) for text in leaf[2:]))
                upper, middle = [], []
