"""Sums of the ledgers, live: units by fiscal year, and the assumptions side by side with their distributions."""

from collections.abc import Sequence
from typing import Any

from zjtx_alloc.base.messages import header, say
from zjtx_alloc.base.units import load_units
from zjtx_alloc.budget.ledger.ledger import FLOWS
from zjtx_alloc.budget.plan import BudgetPlan
from zjtx_alloc.report.budget_xlsx.accounts import account_years
from zjtx_alloc.report.budget_xlsx.firms import known_note
from zjtx_alloc.report.budget_xlsx.ledger import budget_of
from zjtx_alloc.report.notes.marks import batch_sizes, condition, gaps_note
from zjtx_alloc.report.writers.sheet import FIRST_ROW, Cell, Column, Row, Sheet, known_columns, number_of, sums_of

_MONEY = ("due", "recovered", "net")
_SUMMARY = ("mean", "p5", "p25", "p50", "p75", "p95")


def unit_year_sheet(plan: BudgetPlan, ledger: Sheet) -> Sheet:
    """Net payments, units by fiscal year, of the booked assumption and its ledger."""
    units, books, years = load_units(), plan.budgets[0].ledger, plan.outlooks[0].years
    shown = account_years(plan)
    sums = books.table.groupby("code")[list(FLOWS)].sum().reindex(units.index, fill_value=0)
    nets = books.accounts["net"].unstack("fiscal_year").reindex(index=units.index, columns=shown, fill_value=0)
    booked = {flow: ledger.sum_of(flow, short_name="[$short_name]") for flow in FLOWS}
    rows = []
    for code, unit in units.iterrows():
        row: dict[str, Any] = {"code": str(code), "short_name": unit["short_name"], "region": unit["region"]}
        mine = sums.loc[code]
        row |= {flow: Cell(int(mine[flow]), booked[flow]) for flow in ("commitment", "forgone", "recovered")}
        for year in shown:
            formula = ledger.sum_of("net", short_name="[$short_name]", year=f"[{year}:head]")
            row[str(year)] = Cell(int(nets.at[code, year]), formula)
        row["paid"] = Cell(int(nets.loc[code].sum()), f"SUM([{shown[0]}]:[{shown[-1]}])")
        left = int(mine["recovered"] - mine["netted"])
        row["receivable"] = Cell(left, f"{booked['recovered']}-{booked['netted']}")
        rows.append(row)
    gaps = books.gaps()
    columns = _unit_columns(shown, years, gaps)
    summed = [name for name, column in columns.items() if column.kind == "money"]
    check = {str(year): Cell(0, f"[{year}:total]-" + ledger.sum_of("net", year=f"[{year}:head]")) for year in shown}
    paid = "[commitment:total]-[forgone:total]-[recovered:total]+[receivable:total]-[paid:total]"
    return Sheet(
        say("workbook.unit_years"), columns, rows, [{"code": say("table.total"), **sums_of(rows, summed, fixed="")}],
        {"code": say("workbook.check"), **check, "paid": Cell(0, paid)},
        note="".join([say("workbook.years_note", title=plan.assumptions[0].title), *gaps_note(gaps)]),
        frozen=3, is_filtered=True,
    )  # fmt: skip


def _unit_columns(shown: Sequence[int], years: Sequence[int], gaps: Any) -> dict[str, Column]:
    """The columns; years in which nothing is paid so far are folded away: a payment may be moved there."""
    looks = {year: "header incomplete" if year in gaps and year in years else "header year" for year in shown}
    return {
        **known_columns(code=9, short_name=9, region=7, commitment=13, forgone=13),
        **{str(y): Column(y, "money", 11, look, is_helper=y not in years) for y, look in looks.items()},
        "paid": Column(say("workbook.paid"), "money", 13), **known_columns(recovered=12, receivable=12),
    }  # fmt: skip


def scenario_sheet(plan: BudgetPlan, ledgers: Sequence[Sheet], inputs: dict[str, Any]) -> Sheet:
    """Due, recovered and net by year and assumption, live; beside them the exact distributions, fixed.

    A cell says whether these still belong to the ``inputs``: the assumptions' cells and the values they had.
    """
    order = [len(plan.assumptions), *range(len(plan.assumptions))]  # all firms completed first
    rows = [_scenario_row(plan, number, year, ledgers[number]) for year in plan.outlooks[0].years for number in order]
    rows += [_other_row(plan, number, ledgers[number], rows[place :: len(order)]) for place, number in enumerate(order)]
    totals = [_total_row(plan, number, place, rows) for place, number in enumerate(order)]
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
        **known_columns(condition=32),
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


def _scenario_row(plan: BudgetPlan, number: int, year: int, ledger: Sheet) -> dict[str, Any]:
    books = budget_of(plan, number).ledger.by_year().loc[year]
    row = _year_cells(plan, year) | {"outcomes": _outcomes_title(plan, number)}
    row |= {flow: Cell(int(books[flow]), ledger.sum_of(flow, year="[$year]")) for flow in _MONEY}
    if number == len(plan.assumptions):
        return row
    outlook = plan.outlooks[number]
    summary = outlook.distribution(year).summary()
    row |= {name: float(summary[name]) for name in _SUMMARY}
    ceiling = plan.request.ceilings.get(year)
    if ceiling is None:
        return row
    # The probability is the program's: of another ceiling it is not known here.
    chance = outlook.exceeds(year, ceiling)
    formula = f'IF([ceiling]={ceiling},{chance!r},"{say("workbook.ceiling_stale")}")'
    return row | {"ceiling": ceiling, "exceeds": Cell(chance, formula)}


def _outcomes_title(plan: BudgetPlan, number: int) -> str:
    return say("table.outcomes_full") if number == len(plan.assumptions) else plan.assumptions[number].title


def _other_row(plan: BudgetPlan, number: int, ledger: Sheet, listed: Sequence[Row]) -> dict[str, Any]:
    """What years hold that are not listed: nothing, unless the implementation period is changed."""
    every = len(plan.assumptions) + 1
    places = [FIRST_ROW + place for place in range(_place(plan, number), len(listed) * every, every)]
    sums = {
        flow: Cell(0, f"SUM({ledger.range(flow)})-{'-'.join(f'[{flow}:{place}]' for place in places)}")
        for flow in _MONEY
    }
    return {"year": Cell(say("workbook.other_years")), "outcomes": _outcomes_title(plan, number), **sums}


def _place(plan: BudgetPlan, number: int) -> int:
    """Where an assumption stands among the rows of a year."""
    return 0 if number == len(plan.assumptions) else number + 1


def _total_row(plan: BudgetPlan, number: int, place: int, rows: Sequence[Row]) -> Row:
    places = range(place, len(rows), len(plan.assumptions) + 1)
    sums = {
        name: Cell(
            sum(number_of(rows[at][name]) for at in places), "+".join(f"[{name}:{FIRST_ROW + at}]" for at in places)
        )
        for name in _MONEY
    }
    return {"year": say("table.total"), "outcomes": _outcomes_title(plan, number), **sums}
