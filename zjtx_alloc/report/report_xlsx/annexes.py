"""The sheets of ``report.xlsx``: the calculation, the proposal's annexes and what they rest on, which follow it, and charts."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TypeVar

from zjtx_alloc.allocation.allocate import Allocation
from zjtx_alloc.base.messages import header, say
from zjtx_alloc.budget.ledger.budget import MONEY
from zjtx_alloc.report.notes.marks import batch_label, short_marks, year_header, year_label
from zjtx_alloc.report.report_xlsx.calculation import (
    calculation_sheet,
    comparison_sheet,
    has_plain_money,
    payment_years,
)
from zjtx_alloc.report.report_xlsx.model import COMPARED, Model
from zjtx_alloc.report.report_xlsx.parameters import parameter_sheet
from zjtx_alloc.report.report_xlsx.source import source_sheet
from zjtx_alloc.report.results import Results
from zjtx_alloc.report.table import Table
from zjtx_alloc.report.tables import allocation as allocation_tables, budget as budget_tables
from zjtx_alloc.report.writers.document import Grid, Manuscript
from zjtx_alloc.report.writers.sheet import FIRST_ROW, Sheet, cell_of, number_of, table_sheet
from zjtx_alloc.report.writers.webster import search_sheet
from zjtx_alloc.report.writers.xlsx import Graph
from zjtx_alloc.rules.scenario import ADJUSTMENT

Part = Table | Sheet | Grid | Graph
Named = TypeVar("Named", Table, Grid)


def report_sheets(results: Results, manuscript: Manuscript) -> list[Part]:
    """The calculation; one sheet an annex, as the proposal numbers them; the tables behind them, how it is solved, charts."""
    model, allocation = Model(results), results.allocation
    live = live_sheets(model)
    quotas, by_unit, regions, made_of, batches, years, *decided = followers(model)
    return [
        *live[:3],
        quotas,
        by_unit,
        _still(_annex(3, manuscript.annexes[2].grid)),
        *decided,
        regions,
        made_of,
        *allocation_tables.composite_tables(allocation),
        batches,
        years,
        allocation_tables.factor_table(allocation),
        allocation_tables.assumption_table(allocation),
        allocation_tables.rule_table(allocation),
        allocation_tables.estimate_table(allocation),
        allocation_tables.source_table(allocation),
        budget_tables.award_table(results.budget.award),
        *live[3:],
        source_sheet(results),
        *_graphs(results, quotas, regions, by_unit),
    ]


def live_sheets(model: Model) -> list[Sheet]:
    """What recalculates from what may be changed: 参数, 测算 and 对比, and how the latter two are solved."""
    return [
        parameter_sheet(model), calculation_sheet(model), comparison_sheet(model),
        *(search_sheet(say(f"calculation.{prefix}search"), say(f"calculation.{prefix}search_note"), {"": model.live(prefix)})
          for prefix in ("", COMPARED)),
    ]  # fmt: skip


def followers(model: Model) -> list[Sheet]:
    """The sheets of figures that follow the calculation: 附件1 and 2, regions, contributions, batches, years; 附件4 if it has rows."""
    allocation, batches = model.allocation, _batches(model)
    years, quotas = _years(model), _quotas(allocation, batches)
    decided = _still(_annex(4, allocation_tables.decision_table(allocation)))
    return [
        quotas,
        _unit_years(model, years),
        _regions(allocation, quotas),
        _contributions(model),
        batches,
        years,
        *([table_sheet(decided, {"step": "[quota]-[model]"})] if len(decided.frame) else []),
    ]


def _annex(number: int, part: Named) -> Named:
    return replace(part, title=f"{say('plan.annex', number=number)} {part.title}")


def _still(part: Named) -> Named:
    """A part that does not follow the calculation, which says so."""
    return replace(part, notes=(*part.notes, say("calculation.static")))


def _of_unit(name: str) -> str:
    """A unit's cell of a named column of the calculation."""
    return f"INDEX({name},MATCH([short_name],unit_name,0))"


def _quotas(allocation: Allocation, batches: Sheet) -> Sheet:
    """附件1: entitlements and quotas of the calculation, differences and totals; the total is the batch's."""
    batch = say("table.batch", batch=allocation.scenario.batch)
    given = f'SUMIF({batches.range("batch")},"{batch}",{batches.range("total")})'
    formulas = {
        "entitlement": _of_unit("entitlement"), "quota": _of_unit("quota"), "difference": "[quota]-[entitlement]",
        "from_last": "[quota]-[previous]",
    }  # fmt: skip
    checks = {} if allocation.total != allocation.scenario.total else {"quota": f"SUM([quota:rows])-{given}"}
    checks |= {
        "entitlement": f"ROUND(SUM([entitlement:rows])-{given},6)",
    }
    return table_sheet(_annex(1, allocation_tables.allocation_table(allocation, "sheet")), formulas, checks=checks)


def _contributions(model: Model) -> Sheet:
    """Each entitlement as the sum of its factors' contributions and what the coefficients add or take."""
    table = allocation_tables.contribution_table(model.allocation)
    panel, parts = model.allocation.panel, dict[str, list[str]]()
    for line in model.lines:
        pool = f"pool_share_{line.pool}*" if len(model.pools) > 1 else ""
        parts.setdefault(panel.name(line.code), []).append(f"{pool}{line.weight}*{_of_unit(f'share_{line.number}')}")
    by_formula = "(total-SUM(base_places))" if model.has_base else "total"
    formulas = {name: f"{by_formula}*({'+'.join(texts)})" for name, texts in parts.items()}
    formulas["entitlement"] = _of_unit("entitlement")
    formulas[ADJUSTMENT] = "[entitlement]-" + "-".join(
        f"[{name}]" for name in [*parts, *(["base"] if model.has_base else [])]
    )
    check = {ADJUSTMENT: f"ROUND(SUM([{ADJUSTMENT}:rows]),6)"}
    return table_sheet(table, formulas, checks=check)


def _regions(allocation: Allocation, quotas: Sheet) -> Sheet:
    sums = {name: f"SUMIF({quotas.range('region')},[region],{quotas.range(name)})" for name in ("entitlement", "quota")}
    whole = f"SUM({quotas.range('quota')})"
    check = {"quota": f"SUM([quota:rows])-{whole}"}
    return table_sheet(allocation_tables.region_table(allocation), sums | {"share": f"[quota]/{whole}"}, checks=check)


def _live(sheet: Sheet, place: int, formulas: Mapping[str, str]) -> Sheet:
    """A sheet with formulas in some cells of one row; what they come to stands there already."""
    rows = list(sheet.rows)
    made = {name: replace(cell_of(rows[place][name]), formula=formula) for name, formula in formulas.items()}
    rows[place] = {**rows[place], **made}
    return replace(sheet, rows=rows)


def _batches(model: Model) -> Sheet:
    """The batches of the budget; total, rate and firms of the scenario's own follow the calculation."""
    budget, allocations = model.results.budget, model.results.programme
    committed = {"commitment": f"[approved]*{budget.award.amount}"}
    sheet = table_sheet(budget_tables.batch_table(budget, allocations), committed)
    place = allocations.index(model.allocation)
    own = {"total": "total", "approved": "SUM(approved)", "unused": "SUM(quota)-[approved]"}
    own |= {} if model.is_by_program else {"approval_rate": "approval_rate"}
    return _live(sheet, place, own)


def _years(model: Model) -> Sheet:
    """Money by year and batch; the total leaves out the years' own sums."""
    budget, allocations = model.results.budget, model.results.programme
    table = replace(budget_tables.year_table(budget, allocations), title=say("title.year_sums"))
    every = say("table.all_batches")
    sums = {name: f'SUMIF([batch:rows],"<>{every}",[{name}:rows])' for name in MONEY}
    paid = "-".join(f"SUM([{name}:rows])" for name in ("net", "direct", "empowerment"))
    sheet = table_sheet(table, sums=sums, checks={"net": paid})
    keys = [(str(cell_of(row["fiscal_year"]).value), str(cell_of(row["batch"]).value)) for row in sheet.rows]
    gaps = budget.ledger.gaps()
    if has_plain_money(model):
        for year, money in zip(payment_years(model), ("opening_money", "closing_money"), strict=True):
            place = keys.index((year_label(year, gaps), batch_label(model.allocation)))
            sheet = _live(sheet, place, _paid(money))
    for place, (label, batch) in enumerate(keys):
        if batch == every:
            rows = [FIRST_ROW + n for n, key in enumerate(keys) if key[0] == label and key[1] != every]
            sheet = _live(sheet, place, {name: "+".join(f"[{name}:{row}]" for row in rows) for name in MONEY})
    return sheet


def _paid(money: str) -> dict[str, str]:
    """A payment of the scenario's own batch in the year table."""
    found = {
        "due": f"SUM({money})", "net": "[due]-[recovered]", "direct": "[net]-[empowerment]",
        "empowerment": f"SUMPRODUCT(INT(ROUND({money}*award_empowerment_cap,6)))",
    }  # fmt: skip
    return found | ({"commitment": "SUM(commitment_money)"} if money == "opening_money" else {})


def _unit_years(model: Model, years: Sheet) -> Sheet:
    """附件2: money by unit and year, summed both ways; each year's sum is that of the batches."""
    budget, allocations = model.results.budget, model.results.programme
    table = _annex(2, replace(budget_tables.unit_year_table(budget, allocations), title=say("title.years")))
    gaps = budget.ledger.gaps()
    columns = {year_header(year, gaps): year_label(year, gaps).replace("*", "~*") for year in budget.by_year().index}
    parts = f'"<>{say("table.all_batches")}"'
    checks = {
        name: f"SUM([{name}:rows])-" + years.sum_of("net", fiscal_year=f'"{year}"', batch=parts)
        for name, year in columns.items()
    }
    sheet = table_sheet(table, {"sum": "+".join(f"[{name}]" for name in columns)}, checks=checks)
    if not has_plain_money(model):
        return sheet
    award, firms = budget.award, model.allocation.approved
    for year, money in zip(payment_years(model), ("opening_money", "closing_money"), strict=True):
        name, each = year_header(year, gaps), award.opening if money == "opening_money" else award.closing
        for place, (row, own) in enumerate(zip(sheet.rows, firms * each, strict=True)):
            rest = round(number_of(row[name])) - int(own)
            sheet = _live(sheet, place, {name: f"{rest}+{_of_unit(money)}" if rest else _of_unit(money)})
    return sheet


def _graphs(results: Results, quotas: Sheet, regions: Sheet, by_unit: Sheet) -> Iterator[Graph]:
    quota, entitlement, net, note = (
        header("quota"),
        header("entitlement"),
        header("net"),
        short_marks(results.allocation),
    )
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
    yield Graph(
        say("workbook.money_graph"), names, (net, sums), net, say("note.budget_graph") + short_marks(*results.programme)
    )
