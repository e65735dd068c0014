"""The sheets of ``report.xlsx``: the proposal's annexes, what they rest on, and charts; sums and differences recalculate."""

from collections.abc import Iterator
from dataclasses import replace

from zjtx_alloc.allocation.allocate import Allocation
from zjtx_alloc.allocation.entitlement import ADJUSTMENT
from zjtx_alloc.base.messages import header, say
from zjtx_alloc.budget.ledger.budget import BudgetForecast
from zjtx_alloc.report.notes.marks import short_marks, year_header, year_label
from zjtx_alloc.report.table import Table
from zjtx_alloc.report.tables import allocation as allocation_tables, budget as budget_tables
from zjtx_alloc.report.tables.composite import composite_tables
from zjtx_alloc.report.writers.document import Grid, Manuscript
from zjtx_alloc.report.writers.xlsx import Sheet
from zjtx_alloc.report.writers.xlsx_charts import Graph

Part = Table | Sheet | Grid | Graph


def report_sheets(
    allocation: Allocation, budget: BudgetForecast, allocations: tuple[Allocation, ...], manuscript: Manuscript
) -> list[Part]:
    """One sheet an annex, as the proposal numbers them; then the tables behind them, and the charts."""
    batches = _batches(allocation, budget, allocations)
    made_of = _contributions(allocation)
    years = _years(budget, allocations)
    quotas = _quotas(allocation, made_of, batches)
    by_unit = _unit_years(budget, allocations, years)
    decided = allocation_tables.decision_table(allocation)
    step = {header("step"): f"{{{header('quota')}}}-{{{header('model')}}}"}
    annexes: list[Part] = [quotas, by_unit, Sheet(_annex(3, decided), step)]
    annexes.append(replace(manuscript.annexes[3].grid, title=_title(4, manuscript.annexes[3].grid.title)))
    regions = _regions(allocation, quotas)
    return [
        *annexes,
        regions,
        made_of,
        *composite_tables(allocation),
        batches,
        years,
        *_grounds(allocation, budget),
        *_graphs(allocation, quotas, regions, by_unit),
    ]


def _title(number: int, title: str) -> str:
    return f"{say('plan.annex', number=number)} {title}"


def _annex(number: int, table: Table) -> Table:
    return replace(table, title=_title(number, table.title))


def _quotas(allocation: Allocation, made_of: Sheet, batches: Sheet) -> Sheet:
    """附件1: entitlements from what they are made of, differences and totals; the total is the batch's."""
    entitlement, quota = header("entitlement"), header("quota")
    unit = f"MATCH({{{header('short_name')}}},{made_of.column(header('short_name'))},0)"
    batch = say("table.batch", batch=allocation.scenario.batch)
    given = f'SUMIF({batches.column(header("batch"))},"{batch}",{batches.column(header("total"))})'
    formulas = {
        entitlement: f"INDEX({made_of.column(entitlement)},{unit})",
        header("difference"): f"{{{quota}}}-{{{entitlement}}}",
    }
    checks = {
        quota: f"SUM({{{quota}}})-{given}",
        entitlement: f"ROUND(SUM({{{entitlement}}})-{given},6)",
    }
    return Sheet(_annex(1, allocation_tables.allocation_table(allocation)), formulas, checks=checks)


def _contributions(allocation: Allocation) -> Sheet:
    """Each entitlement as the sum of its factors' contributions and what the coefficients add or take."""
    table, entitlement = allocation_tables.contribution_table(allocation), header("entitlement")
    parts = [name for name, kind in table.kinds.items() if kind in ("places", "difference") and name != entitlement]
    check = {header(ADJUSTMENT): f"ROUND(SUM({{{header(ADJUSTMENT)}}}),6)"}
    return Sheet(table, {entitlement: "+".join(f"{{{name}}}" for name in parts)}, checks=check)


def _regions(allocation: Allocation, quotas: Sheet) -> Sheet:
    table, region = allocation_tables.region_table(allocation), header("region")
    sums = {
        name: f"SUMIF({quotas.column(region)},{{{region}}},{quotas.column(name)})"
        for name in (header("entitlement"), header("quota"))
    }
    whole = f"SUM({quotas.column(header('quota'))})"
    share = {header("share"): f"{{{header('quota')}}}/{whole}"}
    return Sheet(table, sums | share, checks={header("quota"): f"SUM({{{header('quota')}}})-{whole}"})


def _batches(allocation: Allocation, budget: BudgetForecast, allocations: tuple[Allocation, ...]) -> Sheet:
    table = budget_tables.batch_table(budget, allocations)
    return Sheet(table, {header("commitment"): f"{{{header('approved')}}}*{budget.award.amount}"})


def _years(budget: BudgetForecast, allocations: tuple[Allocation, ...]) -> Sheet:
    """Money by year and batch; the total leaves out the years' own sums."""
    table = replace(budget_tables.year_table(budget, allocations), title=say("title.year_sums"))
    batch, net = header("batch"), header("net")
    money = [name for name, kind in table.kinds.items() if kind == "money"]
    sums = {name: f'SUMIF({{{batch}}},"<>{say("table.all_batches")}",{{{name}}})' for name in money}
    paid = "-".join(f"SUM({{{header(name)}}})" for name in ("net", "direct", "empowerment"))
    return Sheet(table, sums=sums, checks={net: paid})


def _unit_years(budget: BudgetForecast, allocations: tuple[Allocation, ...], years: Sheet) -> Sheet:
    """附件2: money by unit and year, summed both ways; each year's sum is that of the batches."""
    table = _annex(2, replace(budget_tables.unit_year_table(budget, allocations), title=say("title.years")))
    gaps = budget.ledger.gaps()
    columns = {year_header(year, gaps): year_label(year, gaps).replace("*", "~*") for year in budget.by_year().index}
    net, at, batch = (years.column(header(name)) for name in ("net", "fiscal_year", "batch"))
    checks = {
        name: f'SUM({{{name}}})-SUMIFS({net},{at},"{year}",{batch},"<>{say("table.all_batches")}")'
        for name, year in columns.items()
    }
    return Sheet(table, {header("sum"): "+".join(f"{{{name}}}" for name in columns)}, checks=checks)


def _grounds(allocation: Allocation, budget: BudgetForecast) -> Iterator[Table]:
    yield allocation_tables.factor_table(allocation)
    yield allocation_tables.assumption_table(allocation)
    yield allocation_tables.rule_table(allocation)
    yield allocation_tables.estimate_table(allocation)
    yield allocation_tables.source_table(allocation)
    yield budget_tables.award_table(budget.award)


def _graphs(allocation: Allocation, quotas: Sheet, regions: Sheet, by_unit: Sheet) -> Iterator[Graph]:
    quota, entitlement, note = header("quota"), header("entitlement"), short_marks(allocation)
    yield Graph(
        say("workbook.quota_graph"), "column", quotas.column(header("short_name")), {quota: quotas.column(quota)},
        say("figure.places"), note, {entitlement: quotas.column(entitlement)}, crowded=True,
    )  # fmt: skip
    yield Graph(
        say("workbook.region_graph"), "column", regions.column(header("region")), {quota: regions.column(quota)},
        say("figure.places"), note, {entitlement: regions.column(entitlement)},
    )  # fmt: skip
    years = [name for name in by_unit.table.frame if by_unit.table.kinds[name] == "money" and name != header("sum")]
    names, sums = by_unit.across(years)
    yield Graph(
        say("workbook.money_graph"),
        "column",
        names,
        {header("net"): sums},
        header("net"),
        say("note.budget_graph") + note,
    )
