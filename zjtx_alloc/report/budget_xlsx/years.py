"""Sums of the ledgers, live: units by fiscal year, and the assumptions side by side with their distributions."""

from typing import Any

import pandas as pd

from zjtx_alloc.base.messages import header, say
from zjtx_alloc.base.units import load_units
from zjtx_alloc.budget.plan import BudgetPlan
from zjtx_alloc.report.budget_xlsx.cells import FIRST_ROW, Column, Given, Live, LiveSheet, letter, value_of, whole
from zjtx_alloc.report.budget_xlsx.firms import batches, end_column, ends_known, first_row_of, known_note
from zjtx_alloc.report.budget_xlsx.ledger import FLOWS, NET, PLACE, UNIT, YEAR, ledger_title
from zjtx_alloc.report.notes.marks import condition, conditional_note, gaps_note

_YEARS_FROM = 5  # columns before the years
_QUANTILES = ("p5", "p25", "p50", "p75", "p95")


def money_years(plan: BudgetPlan) -> list[int]:
    """Fiscal years in which money moves."""
    return list(plan.outlooks[0].years)


def unit_year_sheet(plan: BudgetPlan, size: int) -> LiveSheet:
    """Net payments, units by fiscal year, of the booked assumption; ``size`` is the last row of its ledger."""
    units, books, years = load_units(), plan.budgets[0].ledger, money_years(plan)
    sums = books.table.groupby("code")[list(FLOWS)].sum().reindex(units.index, fill_value=0)
    nets = books.accounts["net"].unstack("fiscal_year").reindex(index=units.index, columns=years, fill_value=0)
    rows = []
    for row, (code, unit) in enumerate(units.iterrows(), start=FIRST_ROW):
        line: list[Any] = [str(code), unit["short_name"], unit["region"]]
        line += [_of_unit(flow, size, row, sums.at[code, flow]) for flow in ("commitment", "forgone")]
        for place, year in enumerate(years, start=_YEARS_FROM):
            at = f"{_range(YEAR, size)},{letter(place)}${FIRST_ROW - 1}"
            formula = f"SUMIFS({_range(NET, size)},{_range(UNIT, size)},$B{row},{at})"
            line.append(Live(formula, int(nets.at[code, year])))
        first, last = letter(_YEARS_FROM), letter(_YEARS_FROM + len(years) - 1)
        line.append(Live(f"SUM({first}{row}:{last}{row})", int(nets.loc[code].sum())))
        line.append(_of_unit("recovered", size, row, sums.at[code, "recovered"]))
        line.append(_receivable(size, row, int(sums.at[code, "recovered"] - sums.at[code, "netted"])))
        rows.append(line)
    money, gaps = [Column(header(flow), "money", 13) for flow in ("commitment", "forgone")], books.gaps()
    columns = [
        Column(header("code"), "text", 9), Column(header("short_name"), "text", 9), Column(header("region"), "text", 7),
        *money, *(Column(year, "money", 11, is_incomplete=year in gaps) for year in years), Column(say("workbook.paid"), "money", 13),
        Column(header("recovered"), "money", 12), Column(header("receivable"), "money", 12),
    ]  # fmt: skip
    note = "".join([say("workbook.years_note", title=plan.assumptions[0].title), *gaps_note(gaps)])
    return LiveSheet(say("workbook.unit_years"), note, columns, rows, _year_tail(rows, size), frozen=3)


def _of_unit(flow: str, size: int, row: int, value: int) -> Live:
    formula = f"SUMIFS({_range(PLACE[flow], size)},{_range(UNIT, size)},$B{row})"
    return Live(formula, int(value))


def _receivable(size: int, row: int, value: int) -> Live:
    recovered, netted = (_of_unit(flow, size, row, 0).formula for flow in ("recovered", "netted"))
    return Live(f"{recovered}-{netted}", value)


def _range(column: str, size: int) -> str:
    return whole(column, FIRST_ROW, size, ledger_title(0))


def _year_tail(rows: list[list[Any]], size: int) -> list[list[Any]]:
    """The total row, and the checks against the ledger's own sums."""
    last, width = FIRST_ROW + len(rows) - 1, len(rows[0])
    sums = [
        Live(f"SUM({letter(place)}{FIRST_ROW}:{letter(place)}{last})", sum(row[place].value for row in rows))
        for place in range(3, width)
    ]
    years = range(_YEARS_FROM, width - 3)
    check: list[Any] = [say("workbook.check"), *[None] * (width - 1)]
    for place in years:
        year = f"{letter(place)}${FIRST_ROW - 1}"
        booked = f"SUMIFS({_range(NET, size)},{_range(YEAR, size)},{year})"
        check[place] = Live(f"{letter(place)}{last + 1}-{booked}", 0)
    paid, recovered, receivable = (f"{letter(place)}{last + 1}" for place in range(width - 3, width))
    check[width - 3] = Live(f"D{last + 1}-E{last + 1}-{recovered}+{receivable}-{paid}", 0)
    return [[say("table.total"), None, None, *sums], check]


def scenario_sheet(plan: BudgetPlan, sizes: list[int], inputs: dict[str, float]) -> LiveSheet:
    """Due, recovered and net by year and assumption, live; beside them the exact distributions, fixed.

    A cell says whether these still belong to the ``inputs``: the assumptions' cells and the values they had.
    """
    rows: list[list[Any]] = []
    for year in money_years(plan):
        rows.append(_full_row(plan, year, sizes[0], FIRST_ROW + len(rows)))
        rows += [_scenario_row(plan, n, year, size, FIRST_ROW + len(rows) + n) for n, size in enumerate(sizes)]
    last, live = FIRST_ROW + len(rows) - 1, say("workbook.live")
    total: list[list[Any]] = []
    for number, title in enumerate([say("table.outcomes_full"), *(a.title for a in plan.assumptions)]):
        mine = rows[number :: len(sizes) + 1]
        sums = [
            Live(
                "+".join(f"{c}{FIRST_ROW + at}" for at in range(number, len(rows), len(sizes) + 1)),
                sum(value_of(r[p]) for r in mine),
            )
            for p, c in enumerate("CDE", start=2)
        ]
        total.append([say("table.total"), title, *sums, *[None] * (len(rows[0]) - 5)])
    booked = f"SUM({whole(NET, FIRST_ROW, sizes[0], ledger_title(0))})"
    check = [say("workbook.check"), None, None, None, Live(f"E{last + 2}-{booked}", 0), *[None] * (len(rows[0]) - 5)]
    columns = [Column(header("fiscal_year"), "year", 8), Column(header("outcomes"), "text", 10)]
    columns += [Column(f"{header(name)}{live}", "money", 14) for name in ("due", "recovered", "net")]
    columns += [Column(header(name), "money", 12) for name in ("mean", *_QUANTILES)]
    if plan.request.ceilings:
        columns += [Column(say("workbook.ceiling"), "money", 12), Column(say("workbook.exceeds"), "share", 10)]
    columns.append(Column(header("condition"), "text", 26))
    gaps = gaps_note(plan.full.ledger.gaps())
    about = [say("workbook.scenarios_note"), known_note(plan), conditional_note(plan.allocations)]
    note = "".join([*about, *(a.note() for a in plan.assumptions), *gaps])
    return LiveSheet(say("workbook.scenarios"), note, columns, rows, [*total, _fresh(inputs, len(columns)), check])


def _fresh(inputs: dict[str, float], width: int) -> list[Any]:
    """Whether the distributions belong to the assumptions as they now stand."""
    same = ",".join(f"ABS({name}-{value!r})<1E-9" for name, value in inputs.items())
    told = Live(
        f'IF(AND({same}),"{say("workbook.is_fresh")}","{say("workbook.is_stale")}")', say("workbook.is_fresh"), "plain"
    )
    return [say("workbook.fresh"), None, told, *[None] * (width - 3)]


def _year(plan: BudgetPlan, year: int) -> Given:
    """A fiscal year, starred where its total is incomplete."""
    return Given(year, "incomplete year" if year in plan.full.ledger.gaps() else "year", is_input=False)


def _full_row(plan: BudgetPlan, year: int, size: int, row: int) -> list[Any]:
    """All firms completed whose outcomes are unknown: what is due, and the closings that the booked ledger assumes away.

    Known outcomes may recover money, and how it is netted then is no formula: recovered and net stay as computed.
    """
    sums, books = [_in_year(0, "due", size, row)], plan.full.ledger.by_year()
    for cohort in batches(plan):
        if cohort.outcomes is None and cohort.closing_year == year:
            first = first_row_of(plan, cohort.name)
            ends = (end_column(0, outcome) for outcome in ("missed", "under_invested", "discontinued"))
            lost = ",".join(
                whole(column, first, first + len(cohort.approved) - 1, say("workbook.firms")) for column in ends
            )
            sums.append(f"{say('cell.closing')}*SUM({lost})")
    due, recovered, net = (int(books.at[year, flow]) for flow in ("due", "recovered", "net"))
    money: list[Any] = [Live("0", 0), Live(f"C{row}-D{row}", net)]
    if any(map(ends_known, batches(plan))):
        money = [recovered, net]
    rest = 1 + len(_QUANTILES) + 2 * bool(plan.request.ceilings)
    return [
        _year(plan, year),
        say("table.outcomes_full"),
        Live("+".join(sums), due),
        *money,
        *[None] * rest,
        _condition(plan, year),
    ]


def _scenario_row(plan: BudgetPlan, number: int, year: int, size: int, row: int) -> list[Any]:
    outlook, books = plan.outlooks[number], plan.budgets[number].ledger.by_year().loc[year]
    money = [Live(_in_year(number, f, size, row), int(books[f])) for f in ("due", "recovered", "net")]
    found = outlook.distribution(year)
    summary = pd.Series(found.summary())
    line: list[Any] = [_year(plan, year), plan.assumptions[number].title, *money, *summary[["mean", *_QUANTILES]]]
    ceiling = plan.request.ceilings.get(year)
    if plan.request.ceilings:
        line += [None, None] if ceiling is None else [ceiling, outlook.exceeds(year, ceiling)]
    return [*line, _condition(plan, year)]


def _condition(plan: BudgetPlan, year: int) -> str:
    return condition(year, plan.cohorts, plan.allocations)


def _in_year(number: int, flow: str, size: int, row: int) -> str:
    sheet = ledger_title(number)
    return f"SUMIFS({whole(PLACE[flow], FIRST_ROW, size, sheet)},{whole(YEAR, FIRST_ROW, size, sheet)},$A{row})"
