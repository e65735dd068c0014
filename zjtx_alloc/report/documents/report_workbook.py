"""The sheets of ``report.xlsx``: the proposal's annexes, what they rest on, and charts; sums and differences recalculate."""

from collections.abc import Iterator
from dataclasses import replace
from typing import TypeVar

from zjtx_alloc.allocation.allocate import Allocation
from zjtx_alloc.allocation.entitlement import ADJUSTMENT
from zjtx_alloc.base.messages import header, say
from zjtx_alloc.budget.ledger.budget import MONEY, BudgetForecast
from zjtx_alloc.report.notes.marks import short_marks, year_header, year_label
from zjtx_alloc.report.results import Results
from zjtx_alloc.report.table import Table
from zjtx_alloc.report.tables import allocation as allocation_tables, budget as budget_tables
from zjtx_alloc.report.tables.composite import composite_tables
from zjtx_alloc.report.writers.document import Grid, Manuscript
from zjtx_alloc.report.writers.sheet import Sheet, table_sheet
from zjtx_alloc.report.writers.xlsx import Graph

Part = Table | Sheet | Grid | Graph
Named = TypeVar("Named", Table, Grid)


def report_sheets(results: Results, manuscript: Manuscript) -> list[Part]:
    """One sheet an annex, as the proposal numbers them; then the tables behind them, and the charts."""
    allocation, budget, allocations = results.allocation, results.budget, results.programme
    committed = {"commitment": f"[approved]*{budget.award.amount}"}
    batches = table_sheet(budget_tables.batch_table(budget, allocations), committed)
    made_of = _contributions(allocation)
    years = _years(budget, allocations)
    quotas = _quotas(allocation, made_of, batches)
    by_unit = _unit_years(budget, allocations, years)
    decided = _annex(4, allocation_tables.decision_table(allocation))
    regions = _regions(allocation, quotas)
    return [
        quotas,
        by_unit,
        _annex(3, manuscript.annexes[2].grid),
        table_sheet(decided, {"step": "[quota]-[model]"}),
        regions,
        made_of,
        *composite_tables(allocation),
        batches,
        years,
        allocation_tables.factor_table(allocation),
        allocation_tables.assumption_table(allocation),
        allocation_tables.rule_table(allocation),
        allocation_tables.estimate_table(allocation),
        allocation_tables.source_table(allocation),
        budget_tables.award_table(budget.award),
        *_graphs(allocation, quotas, regions, by_unit),
    ]


def _annex(number: int, part: Named) -> Named:
    return replace(part, title=f"{say('plan.annex', number=number)} {part.title}")


def _quotas(allocation: Allocation, made_of: Sheet, batches: Sheet) -> Sheet:
    """附件1: entitlements from what they are made of, differences and totals; the total is the batch's."""
    unit = f"MATCH([short_name],{made_of.range('short_name')},0)"
    batch = say("table.batch", batch=allocation.scenario.batch)
    given = f'SUMIF({batches.range("batch")},"{batch}",{batches.range("total")})'
    formulas = {
        "entitlement": f"INDEX({made_of.range('entitlement')},{unit})",
        "difference": "[quota]-[entitlement]",
    }
    checks = {
        "quota": f"SUM([quota:rows])-{given}",
        "entitlement": f"ROUND(SUM([entitlement:rows])-{given},6)",
    }
    return table_sheet(_annex(1, allocation_tables.allocation_table(allocation)), formulas, checks=checks)


def _contributions(allocation: Allocation) -> Sheet:
    """Each entitlement as the sum of its factors' contributions and what the coefficients add or take."""
    table = allocation_tables.contribution_table(allocation)
    numbers = [head for head, kind in table.kinds.items() if kind in ("places", "difference")]
    parts = [name for head in numbers if (name := table.names.get(head, head)) != "entitlement"]
    check = {ADJUSTMENT: f"ROUND(SUM([{ADJUSTMENT}:rows]),6)"}
    return table_sheet(table, {"entitlement": "+".join(f"[{name}]" for name in parts)}, checks=check)


def _regions(allocation: Allocation, quotas: Sheet) -> Sheet:
    sums = {name: f"SUMIF({quotas.range('region')},[region],{quotas.range(name)})" for name in ("entitlement", "quota")}
    whole = f"SUM({quotas.range('quota')})"
    check = {"quota": f"SUM([quota:rows])-{whole}"}
    return table_sheet(allocation_tables.region_table(allocation), sums | {"share": f"[quota]/{whole}"}, checks=check)


def _years(budget: BudgetForecast, allocations: tuple[Allocation, ...]) -> Sheet:
    """Money by year and batch; the total leaves out the years' own sums."""
    table = replace(budget_tables.year_table(budget, allocations), title=say("title.year_sums"))
    sums = {name: f'SUMIF([batch:rows],"<>{say("table.all_batches")}",[{name}:rows])' for name in MONEY}
    paid = "-".join(f"SUM([{name}:rows])" for name in ("net", "direct", "empowerment"))
    return table_sheet(table, sums=sums, checks={"net": paid})


def _unit_years(budget: BudgetForecast, allocations: tuple[Allocation, ...], years: Sheet) -> Sheet:
    """附件2: money by unit and year, summed both ways; each year's sum is that of the batches."""
    table = _annex(2, replace(budget_tables.unit_year_table(budget, allocations), title=say("title.years")))
    gaps = budget.ledger.gaps()
    columns = {year_header(year, gaps): year_label(year, gaps).replace("*", "~*") for year in budget.by_year().index}
    net, at, batch = (years.range(name) for name in ("net", "fiscal_year", "batch"))
    checks = {
        name: f'SUM([{name}:rows])-SUMIFS({net},{at},"{year}",{batch},"<>{say("table.all_batches")}")'
        for name, year in columns.items()
    }
    return table_sheet(table, {"sum": "+".join(f"[{name}]" for name in columns)}, checks=checks)


def _graphs(allocation: Allocation, quotas: Sheet, regions: Sheet, by_unit: Sheet) -> Iterator[Graph]:
    quota, entitlement, net, note = header("quota"), header("entitlement"), header("net"), short_marks(allocation)
    yield Graph(
        say("workbook.quota_graph"), quotas.range("short_name"), (quota, quotas.range("quota")),
        say("figure.places"), note, (entitlement, quotas.range("entitlement")), crowded=True,
    )  # fmt: skip
    yield Graph(
        say("workbook.region_graph"), regions.range("region"), (quota, regions.range("quota")),
        say("figure.places"), note, (entitlement, regions.range("entitlement")),
    )  # fmt: skip
    years = [name for name, column in by_unit.columns.items() if column.kind == "money" and name != "sum"]
    names, sums = by_unit.across(years)
    yield Graph(say("workbook.money_graph"), names, (net, sums), net, say("note.budget_graph") + note)
