"""《名额分配方案（建议稿）》: a batch's quotas and money as an official document, written from the numbers.

The sentences are in ``data/proposal.toml``; docx and PDF are two ways to write the same manuscript.
"""

import tomllib
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

from zjtx_alloc.allocation.allocate import Allocation
from zjtx_alloc.base.messages import say
from zjtx_alloc.base.resources import shipped
from zjtx_alloc.budget.ledger.budget import BudgetForecast
from zjtx_alloc.report.documents.proposal_facts import proposal_facts
from zjtx_alloc.report.documents.proposal_tables import (
    decision_annex,
    narrowed,
    quota_annex,
    target_annex,
    widest_ranges,
)
from zjtx_alloc.report.notes.marks import budget_marks, gaps_note
from zjtx_alloc.report.results import Results
from zjtx_alloc.report.tables.allocation import factor_table, region_table, rule_table, source_table
from zjtx_alloc.report.tables.budget import batch_table, unit_year_table, year_table
from zjtx_alloc.report.writers.document import LANDSCAPE, PORTRAIT, Annex, Grid, Manuscript, Section, grid_of
from zjtx_alloc.uncertainty.weight_range import WeightRange, searched


@cache
def _form() -> dict[str, Any]:
    return tomllib.loads(shipped("data", "proposal.toml").read_text(encoding="utf-8"))


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
        资金分年表, 人工调整表, 绩效目标表.
    """
    form, allocation = _form(), results.allocation
    ranges = results.ranges if results.doubtful and searched(allocation.problem) else None
    facts = proposal_facts(results, ranges)
    annexes = (
        Annex(grid_of(quota_annex(allocation, ranges), PORTRAIT), landscape=False),
        Annex(_by_year(results.budget, results.programme), landscape=True),
        Annex(decision_annex(allocation), landscape=False),
        Annex(target_annex(form["form"], facts), landscape=False),
    )
    tables = _tables(results, ranges)
    return Manuscript(
        title=tuple(line.format(**facts) for line in form["title"]),
        header=form["header"].format(**facts),
        about=form["about"].format(**facts),
        sections=tuple(Section(part["heading"], tuple(_blocks(part, facts, tables))) for part in form["sections"]),
        annexes=annexes,
        closing=tuple(form["closing"]),
    )


def _blocks(part: dict[str, Any], facts: dict[str, Any], tables: dict[str, Grid]) -> Iterator[str | Grid]:
    for paragraph in part["paragraphs"]:
        yield from (line for line in paragraph.format(**facts).split("\n") if line)
    yield from (tables[name] for name in part.get("tables", []) if name in tables)


def _tables(results: Results, ranges: WeightRange | None) -> dict[str, Grid]:
    allocation, budget, allocations = results.allocation, results.budget, results.programme
    factors, pools = factor_table(allocation), ["pool", "pool_share"] if allocation.scenario.pools else []
    found = {
        "factors": narrowed(factors, *pools, "indicator", "weight", "period", "stand_in_for", notes=False),
        "rules": rule_table(allocation),
        "regions": region_table(allocation),
        "batches": narrowed(
            batch_table(budget, allocations),
            "batch",
            "total",
            "total_status",
            "approval_rate",
            "approved",
            "commitment",
            notes=False,
        ),
        "years": narrowed(
            year_table(budget, allocations), "fiscal_year", "batch", "commitment", "due", "net", "direct", "empowerment"
        ),
        "data": replace(
            narrowed(factors, "indicator", "period", "value", "measure", "estimated_units", "source", notes=False),
            title=say("title.data"),
        ),
        "sources": narrowed(source_table(allocation), "source", "publisher", "title", "date", "reliability"),
    }
    if ranges is not None:
        found["ranges"] = widest_ranges(ranges)
    return {name: grid_of(table, PORTRAIT) for name, table in found.items()}


def _by_year(budget: BudgetForecast, allocations: tuple[Allocation, ...]) -> Grid:
    """附件 资金分年表: net payments by unit and year."""
    table = unit_year_table(budget, allocations)
    table = replace(table, frame=table.frame.iloc[:, 1:], title=say("title.years"))
    completed = say("note.outcomes", years=budget.award.implementation_years)
    notes = (completed, say("note.net"), *gaps_note(budget.ledger.gaps()), *budget_marks(allocations))
    return grid_of(replace(table, notes=notes), LANDSCAPE)
