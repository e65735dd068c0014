"""Sums of the ledgers, live: units by fiscal year, and the assumptions side by side with their distributions."""

from collections.abc import Sequence
from typing import Any

from zjtx_alloc.base.messages import header, say
from zjtx_alloc.base.units import load_units
from zjtx_alloc.budget.ledger.ledger import FLOWS
from zjtx_alloc.budget.plan import BudgetPlan
from zjtx_alloc.report.budget_xlsx.firms import batches, end_column, ends_known, first_row_of, known_note
from zjtx_alloc.report.notes.marks import batch_sizes, condition, gaps_note
from zjtx_alloc.report.writers.sheet import FIRST_ROW, Cell, Column, Row, Sheet, known_columns, number_of, sums_of

_MONEY = ("due", "recovered", "net")
_SUMMARY = ("mean", "p5", "p25", "p50", "p75", "p95")


def unit_year_sheet(plan: BudgetPlan, ledger: Sheet) -> Sheet:
    """Net payments, units by fiscal year, of the booked assumption and its ledger."""
    units, books, years = load_units(), plan.budgets[0].ledger, plan.outlooks[0].years
    sums = books.table.groupby("code")[list(FLOWS)].sum().reindex(units.index, fill_value=0)
    nets = books.accounts["net"].unstack("fiscal_year").reindex(index=units.index, columns=years, fill_value=0)
    net, year_of, unit_of = (ledger.range(name) for name in ("net", "year", "short_name"))
    booked = {flow: f"SUMIFS({ledger.range(flow)},{unit_of},[$short_name])" for flow in FLOWS}
    rows = []
    for code, unit in units.iterrows():
        row: dict[str, Any] = {"code": str(code), "short_name": unit["short_name"], "region": unit["region"]}
        mine = sums.loc[code]
        row |= {flow: Cell(int(mine[flow]), booked[flow]) for flow in ("commitment", "forgone", "recovered")}
        for year in years:
            formula = f"SUMIFS({net},{unit_of},[$short_name],{year_of},[{year}:head])"
            row[str(year)] = Cell(int(nets.at[code, year]), formula)
        row["paid"] = Cell(int(nets.loc[code].sum()), f"SUM([{years[0]}]:[{years[-1]}])")
        left = int(mine["recovered"] - mine["netted"])
        row["receivable"] = Cell(left, f"{booked['recovered']}-{booked['netted']}")
        rows.append(row)
    gaps = books.gaps()
    columns = _unit_columns(years, gaps)
    summed = [name for name, column in columns.items() if column.kind == "money"]
    check = {str(year): Cell(0, f"[{year}:total]-SUMIFS({net},{year_of},[{year}:head])") for year in years}
    paid = "[commitment:total]-[forgone:total]-[recovered:total]+[receivable:total]-[paid:total]"
    return Sheet(
        say("workbook.unit_years"), columns, rows, [{"code": say("table.total"), **sums_of(rows, summed, fixed="")}],
        {"code": say("workbook.check"), **check, "paid": Cell(0, paid)},
        note="".join([say("workbook.years_note", title=plan.assumptions[0].title), *gaps_note(gaps)]),
        frozen=3, is_filtered=True,
    )  # fmt: skip


def _unit_columns(years: Sequence[int], gaps: Any) -> dict[str, Column]:
    return {
        **known_columns(code=9, short_name=9, region=7, commitment=13, forgone=13),
        **{str(y): Column(y, "money", 11, "header incomplete" if y in gaps else "header year") for y in years},
        "paid": Column(say("workbook.paid"), "money", 13), **known_columns(recovered=12, receivable=12),
    }  # fmt: skip


def scenario_sheet(plan: BudgetPlan, firms: Sheet, ledgers: Sequence[Sheet], inputs: dict[str, Any]) -> Sheet:
    """Due, recovered and net by year and assumption, live; beside them the exact distributions, fixed.

    A cell says whether these still belong to the ``inputs``: the assumptions' cells and the values they had.
    """
    rows = []
    for year in plan.outlooks[0].years:
        rows.append(_full_row(plan, year, firms, ledgers[0]))
        rows += [_scenario_row(plan, number, year, ledger) for number, ledger in enumerate(ledgers)]
    totals, every = list[Row](), len(ledgers) + 1
    for number, title in enumerate([say("table.outcomes_full"), *(a.title for a in plan.assumptions)]):
        places = range(number, len(rows), every)
        sums = {
            name: Cell(
                sum(number_of(rows[place][name]) for place in places),
                "+".join(f"[{name}:{FIRST_ROW + place}]" for place in places),
            )
            for name in _MONEY
        }
        totals.append({"year": say("table.total"), "outcomes": title, **sums})
    booked = FIRST_ROW + len(rows) + 1  # the total of the first assumption
    check: Row = {"year": say("workbook.check"), "net": Cell(0, f"[net:{booked}]-SUM({ledgers[0].range('net')})")}
    given = say("note.conditional", batches=batch_sizes(plan.allocations))
    notes = [
        say("workbook.scenarios_note"),
        known_note(plan),
        given,
        *(a.note() for a in plan.assumptions),
        *gaps_note(plan.full.ledger.gaps()),
    ]
    return Sheet(
        say("workbook.scenarios"), _scenario_columns(plan), rows, [*totals, _fresh(inputs)], check,
        note="".join(notes), is_filtered=True,
    )  # fmt: skip


def _scenario_columns(plan: BudgetPlan) -> dict[str, Column]:
    ceilings = {
        "ceiling": Column(say("workbook.ceiling"), "money"), "exceeds": Column(say("workbook.exceeds"), "share", 10)
    }  # fmt: skip
    return {
        "year": Column(header("fiscal_year"), "year", 8), **known_columns(outcomes=10),
        **{name: Column(f"{header(name)}{say('workbook.live')}", "money", 14) for name in _MONEY},
        **known_columns(**dict.fromkeys(_SUMMARY, 12)),
        **(ceilings if plan.request.ceilings else {}),
        **known_columns(condition=26),
    }  # fmt: skip


def _fresh(inputs: dict[str, Any]) -> dict[str, Any]:
    """Whether the distributions belong to the assumptions as they now stand."""
    same = ",".join(f"ABS({name}-{value!r})<1E-9" for name, value in inputs.items())
    fresh = say("workbook.is_fresh")
    return {
        "year": say("workbook.fresh"),
        "due": Cell(fresh, f'IF(AND({same}),"{fresh}","{say("workbook.is_stale")}")', "plain"),
    }


def _year_cells(plan: BudgetPlan, year: int) -> dict[str, Any]:
    """A fiscal year, starred where its total is incomplete, and what its numbers are conditional on."""
    kind = "incomplete year" if year in plan.full.ledger.gaps() else "year"
    return {"year": Cell(year, kind=kind), "condition": condition(year, plan.cohorts, plan.allocations)}


def _full_row(plan: BudgetPlan, year: int, firms: Sheet, ledger: Sheet) -> dict[str, Any]:
    """All firms completed whose outcomes are unknown: what is due, and the closings that the booked ledger assumes away.

    Known outcomes may recover money, and how it is netted then is no formula: recovered and net stay as computed.
    """
    sums, books = [_in_year(ledger, "due")], plan.full.ledger.by_year()
    for cohort in batches(plan):
        if cohort.outcomes is None and cohort.closing_year == year:
            first = first_row_of(plan, cohort.name)
            ends = (end_column(0, outcome) for outcome in ("missed", "under_invested", "discontinued"))
            lost = ",".join(firms.range(name, first, first + len(cohort.approved) - 1) for name in ends)
            sums.append(f"{say('cell.closing')}*SUM({lost})")
    due, recovered, net = (int(books.at[year, flow]) for flow in _MONEY)
    money: dict[str, Any] = {"recovered": Cell(0, "0"), "net": Cell(net, "[due]-[recovered]")}
    if any(map(ends_known, batches(plan))):
        money = {"recovered": recovered, "net": net}
    outcomes = say("table.outcomes_full")
    return {**_year_cells(plan, year), "outcomes": outcomes, "due": Cell(due, "+".join(sums)), **money}


def _scenario_row(plan: BudgetPlan, number: int, year: int, ledger: Sheet) -> dict[str, Any]:
    outlook, books = plan.outlooks[number], plan.budgets[number].ledger.by_year().loc[year]
    row = _year_cells(plan, year) | {"outcomes": plan.assumptions[number].title}
    row |= {flow: Cell(int(books[flow]), _in_year(ledger, flow)) for flow in _MONEY}
    summary = outlook.distribution(year).summary()
    row |= {name: float(summary[name]) for name in _SUMMARY}
    ceiling = plan.request.ceilings.get(year)
    return row if ceiling is None else row | {"ceiling": ceiling, "exceeds": outlook.exceeds(year, ceiling)}


def _in_year(ledger: Sheet, flow: str) -> str:
    return f"SUMIFS({ledger.range(flow)},{ledger.range('year')},[$year])"
