"""《名额分配方案（建议稿）》: a batch's quotas and money as an official document, written from the numbers.

The sentences are in ``data/proposal.toml``; docx and PDF are two ways to write the same manuscript.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import groupby
from typing import Any

from zjtx_alloc.allocation.allocate import Allocation
from zjtx_alloc.base.messages import header, say
from zjtx_alloc.base.resources import shipped_toml
from zjtx_alloc.budget.ledger.budget import BudgetForecast
from zjtx_alloc.report.documents.proposal_facts import change_reasons, proposal_facts
from zjtx_alloc.report.notes.marks import budget_marks, gaps_note, mark_shares
from zjtx_alloc.report.results import Results
from zjtx_alloc.report.table import Table
from zjtx_alloc.report.tables.allocation import (
    allocation_table,
    decision_table,
    factor_table,
    region_table,
    replan_table,
    rule_table,
    source_table,
)
from zjtx_alloc.report.tables.budget import batch_table, unit_year_table, year_table
from zjtx_alloc.report.tables.headline import asked_ranges, key_figures, open_decisions
from zjtx_alloc.report.tables.ranges import range_table
from zjtx_alloc.report.writers.document import (
    LANDSCAPE,
    PORTRAIT,
    Annex,
    Cell,
    Grid,
    Manuscript,
    Section,
    blocks_of,
    grid_of,
    narrowed,
)
from zjtx_alloc.uncertainty.weight_range import WeightRange

# Columns of tables that are cut to a page's width.
_BATCHES = ("batch", "total", "total_status", "approval_rate", "approved", "commitment")
_YEARS = ("fiscal_year", "batch", "commitment", "due", "net", "direct", "empowerment")
_DATA = ("indicator", "period", "value", "measure", "estimated_units", "publisher")
_RANGES = (
    "short_name", "entitlement", "entitlement_min", "entitlement_max", "quota", "quota_min", "quota_max", "span",
)  # fmt: skip
_MOST = 10  # units in the table of the widest ranges
_FORM_WIDTHS = (30.0, 34.0, 46.0, 46.0)
_FIGURE_WIDTHS, _DECISION_WIDTHS = (38.0, 28.0, 90.0), (30.0, 50.0, 76.0)
_NAME, _PLACES, _NUMBER = 14.0, 17.0, 11.6  # mm of 附件1's columns beside the reason


def proposal(results: Results) -> Manuscript:
    """The proposal for one batch.

    Parameters
    ----------
    results : Results
        Of the batch's scenario.

    Returns
    -------
    Manuscript
        Basis, method, result, changes and reasons, money, data, sensitivity, assumptions; annexes 分配表,
        资金分年表, 绩效目标表, and 人工调整表 where anything was decided. Its first page is 一页纸: the answer, key figures,
        and three decisions that are the reader's.
    """
    form, allocation, ranges = shipped_toml("proposal.toml"), results.allocation, asked_ranges(results)
    facts, decided = proposal_facts(results, ranges), decision_table(allocation)
    annexes = (
        Annex(_quota_annex(allocation, ranges), landscape=False),
        Annex(_by_year(results.budget, results.programme), landscape=True),
        Annex(_target_annex(form["form"], facts), landscape=False),
        *([Annex(grid_of(decided, PORTRAIT), landscape=False)] if len(decided.frame) else []),
    )
    tables = _tables(results, ranges)
    first = (
        replace(grid_of(key_figures(results), PORTRAIT), widths=_FIGURE_WIDTHS),
        replace(grid_of(open_decisions(results), PORTRAIT, small=True), widths=_DECISION_WIDTHS),
    )
    return Manuscript(
        title=tuple(line.format(**facts) for line in form["title"]),
        header=form["header"].format(**facts),
        about=form["about"].format(**facts),
        sections=tuple(Section(part["heading"], tuple(blocks_of(part, facts, tables))) for part in form["sections"]),
        annexes=annexes,
        closing=tuple(form["closing"]),
        front=(form["front"].format(**facts), *first),
    )


def _tables(results: Results, ranges: WeightRange | None) -> dict[str, Grid]:
    allocation, budget, allocations = results.allocation, results.budget, results.programme
    factors, pools = factor_table(allocation), ["pool", "pool_share"] if allocation.scenario.pools else []
    found = {
        "factors": narrowed(factors, *pools, "indicator", "weight", "period", "stand_in_for", notes=()),
        "rules": rule_table(allocation),
        "regions": replace(region_table(allocation), notes=()),
        "batches": narrowed(batch_table(budget, allocations), *_BATCHES, notes=()),
        "years": narrowed(year_table(budget, allocations), *_YEARS),
        "data": narrowed(factors, *_DATA, title=say("title.data"), notes=()),
        "sources": narrowed(source_table(allocation), "publisher", "title", "date", "reliability"),
    }
    if len((moved := replan_table(allocation)).frame):
        found["replan"] = _without(moved, "code")
    if ranges is not None:
        found["ranges"] = _widest_ranges(ranges)
    return {name: grid_of(table, PORTRAIT) for name, table in found.items()}


def _without(table: Table, *columns: str) -> Table:
    """A table without some columns, by their names in code."""
    return narrowed(table, *(name for name in table.names.values() if name not in columns), notes=table.notes)


def _widest_ranges(ranges: WeightRange) -> Table:
    """The units whose quota the weights move most."""
    table = range_table(ranges)
    frame = table.frame.sort_values(header("span"), ascending=False, kind="stable").head(_MOST)
    return narrowed(replace(table, frame=frame), *_RANGES, title=say("proposal.most_moved"), notes=())


def _by_year(budget: BudgetForecast, allocations: tuple[Allocation, ...]) -> Grid:
    """附件 资金分年表: net payments by unit and year."""
    table = unit_year_table(budget, allocations)
    table = replace(table, frame=table.frame.iloc[:, 1:], title=say("title.years"))
    completed = say("note.outcomes", years=budget.award.implementation_years)
    notes = (completed, say("note.net"), *gaps_note(budget.ledger.gaps()), *budget_marks(allocations))
    return grid_of(replace(table, notes=notes), LANDSCAPE)


def _quota_annex(allocation: Allocation, ranges: WeightRange | None) -> Grid:
    """附件 名额分配表 on one page; where there is a batch before, its quota, the change and the reason."""
    beside = {} if ranges is None else {end: ranges.table[end] for end in ("quota_min", "quota_max")}
    reasons, marks = change_reasons(allocation), mark_shares(allocation)
    if reasons is None:
        return grid_of(replace(allocation_table(allocation, "annex", **beside), notes=(marks,)), PORTRAIT, small=True)
    table = replace(
        allocation_table(allocation, "annex_next", **beside, why=reasons), notes=(marks, say("proposal.annex_reasons"))
    )
    widths = (_NAME, _PLACES, *[_NUMBER] * (len(table.frame.columns) - 3))
    # A reason stays on one line: two for many units, and the page does not hold all.
    return replace(grid_of(table, PORTRAIT, small=True), widths=(*widths, PORTRAIT - sum(widths)))


def _target_annex(form: Mapping[str, Any], facts: Mapping[str, Any]) -> Grid:
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
