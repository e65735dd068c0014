"""The sheets of ``report.xlsx``: the proposal's annexes, what they rest on, and charts; sums and differences recalculate."""

from collections.abc import Iterator
from dataclasses import replace
from typing import TypeVar

from zjtx_alloc.allocation.allocate import Allocation
from zjtx_alloc.allocation.entitlement import ADJUSTMENT
from zjtx_alloc.base.messages import header, say
from zjtx_alloc.budget.ledger.budget import BudgetForecast
from zjtx_alloc.report.notes.marks import short_marks, year_header, year_label
from zjtx_alloc.report.results import Results
from zjtx_alloc.report.table import Table
from zjtx_alloc.report.tables import allocation as allocation_tables, budget as budget_tables
from zjtx_alloc.report.tables.composite import composite_tables
from zjtx_alloc.report.writers.document import Grid, Manuscript
from zjtx_alloc.report.writers.sheet import Sheet, table_sheet
from zjtx_alloc.report.writers.xlsx_charts import Graph

Part = Table | Sheet | Grid | Graph
Named = TypeVar("Named", Table, Grid)


def report_sheets(results: Results, manuscript: Manuscript) -> list[Part]:
    """One sheet an annex, as the proposal numbers them; then the tables behind them, and the charts."""
    allocation, budget, allocations = results.allocation, results.budget, results.programme
    batches = table_sheet(
        budget_tables.batch_table(budget, allocations),
        {header("commitment"): f"{_at('approved')}*{budget.award.amount}"},
    )
    made_of = _contributions(allocation)
    years = _years(budget, allocations)
    quotas = _quotas(allocation, made_of, batches)
    by_unit = _unit_years(budget, allocations, years)
    decided = _annex(3, allocation_tables.decision_table(allocation))
    regions = _regions(allocation, quotas)
    return [
        quotas,
        by_unit,
        table_sheet(decided, {header("step"): f"{_at('quota')}-{_at('model')}"}),
        _annex(4, manuscript.annexes[3].grid),
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


def _at(name: str, place: str = "") -> str:
    """A column in a formula: its cell in the same row, or another place."""
    return f"[{header(name)}{place}]"


def _annex(number: int, part: Named) -> Named:
    return replace(part, title=f"{say('plan.annex', number=number)} {part.title}")


def _quotas(allocation: Allocation, made_of: Sheet, batches: Sheet) -> Sheet:
    """附件1: entitlements from what they are made of, differences and totals; the total is the batch's."""
    entitlement, quota = header("entitlement"), header("quota")
    unit = f"MATCH({_at('short_name')},{made_of.range(header('short_name'))},0)"
    batch = say("table.batch", batch=allocation.scenario.batch)
    given = f'SUMIF({batches.range(header("batch"))},"{batch}",{batches.range(header("total"))})'
    formulas = {
        entitlement: f"INDEX({made_of.range(entitlement)},{unit})",
        header("difference"): f"{_at('quota')}-{_at('entitlement')}",
    }
    checks = {
        quota: f"SUM({_at('quota', ':rows')})-{given}",
        entitlement: f"ROUND(SUM({_at('entitlement', ':rows')})-{given},6)",
    }
    return table_sheet(_annex(1, allocation_tables.allocation_table(allocation)), formulas, checks=checks)


def _contributions(allocation: Allocation) -> Sheet:
    """Each entitlement as the sum of its factors' contributions and what the coefficients add or take."""
    table, entitlement = allocation_tables.contribution_table(allocation), header("entitlement")
    parts = [name for name, kind in table.kinds.items() if kind in ("places", "difference") and name != entitlement]
    check = {header(ADJUSTMENT): f"ROUND(SUM({_at(ADJUSTMENT, ':rows')}),6)"}
    return table_sheet(table, {entitlement: "+".join(f"[{name}]" for name in parts)}, checks=check)


def _regions(allocation: Allocation, quotas: Sheet) -> Sheet:
    sums = {
        header(name): f"SUMIF({quotas.range(header('region'))},{_at('region')},{quotas.range(header(name))})"
        for name in ("entitlement", "quota")
    }
    whole = f"SUM({quotas.range(header('quota'))})"
    share = {header("share"): f"{_at('quota')}/{whole}"}
    check = {header("quota"): f"SUM({_at('quota', ':rows')})-{whole}"}
    return table_sheet(allocation_tables.region_table(allocation), sums | share, checks=check)


def _years(budget: BudgetForecast, allocations: tuple[Allocation, ...]) -> Sheet:
    """Money by year and batch; the total leaves out the years' own sums."""
    table = replace(budget_tables.year_table(budget, allocations), title=say("title.year_sums"))
    money = [name for name, kind in table.kinds.items() if kind == "money"]
    batch = _at("batch", ":rows")
    sums = {name: f'SUMIF({batch},"<>{say("table.all_batches")}",[{name}:rows])' for name in money}
    paid = "-".join(f"SUM({_at(name, ':rows')})" for name in ("net", "direct", "empowerment"))
    return table_sheet(table, sums=sums, checks={header("net"): paid})


def _unit_years(budget: BudgetForecast, allocations: tuple[Allocation, ...], years: Sheet) -> Sheet:
    """附件2: money by unit and year, summed both ways; each year's sum is that of the batches."""
    table = _annex(2, replace(budget_tables.unit_year_table(budget, allocations), title=say("title.years")))
    gaps = budget.ledger.gaps()
    columns = {year_header(year, gaps): year_label(year, gaps).replace("*", "~*") for year in budget.by_year().index}
    net, at, batch = (years.range(header(name)) for name in ("net", "fiscal_year", "batch"))
    checks = {
        name: f'SUM([{name}:rows])-SUMIFS({net},{at},"{year}",{batch},"<>{say("table.all_batches")}")'
        for name, year in columns.items()
    }
    return table_sheet(table, {header("sum"): "+".join(f"[{name}]" for name in columns)}, checks=checks)


def _graphs(allocation: Allocation, quotas: Sheet, regions: Sheet, by_unit: Sheet) -> Iterator[Graph]:
    quota, entitlement, note = header("quota"), header("entitlement"), short_marks(allocation)
    yield Graph(
        say("workbook.quota_graph"), quotas.range(header("short_name")), (quota, quotas.range(quota)),
        say("figure.places"), note, (entitlement, quotas.range(entitlement)), crowded=True,
    )  # fmt: skip
    yield Graph(
        say("workbook.region_graph"), regions.range(header("region")), (quota, regions.range(quota)),
        say("figure.places"), note, (entitlement, regions.range(entitlement)),
    )  # fmt: skip
    years = [name for name, column in by_unit.columns.items() if column.kind == "money" and name != header("sum")]
    names, sums = by_unit.across(years)
    net = header("net")
    yield Graph(say("workbook.money_graph"), names, (net, sums), net, say("note.budget_graph") + note)
