"""Each unit's account through the years, live: what a recovery leaves open is carried, in whatever year a payment falls."""

from collections.abc import Sequence

from zjtx_alloc.base.messages import header, say
from zjtx_alloc.base.units import load_units
from zjtx_alloc.budget.plan import BudgetPlan
from zjtx_alloc.report.writers.sheet import FIRST_ROW, Cell, Column, Content, Sheet, known_columns

SPARE_YEARS = 3  # beyond the last payment: the implementation period may be made longer
_MONEY = ("due", "recovered", "netted")


def account_years(plan: BudgetPlan) -> range:
    """Every fiscal year from the first payment to some after the last."""
    years = plan.outlooks[0].years
    return range(min(years), max(years) + SPARE_YEARS + 1)


def account_sheet(plan: BudgetPlan, ledgers: Sequence[Sheet]) -> Sheet:
    """A row a unit and fiscal year, three columns a ledger: due, recovered, and what of it is netted by then.

    ``ledgers`` are their sheets, or ones with their columns, with the last row that each has.
    """
    units, years = load_units()["short_name"], account_years(plan)
    columns = {**known_columns(short_name=9), "year": Column(header("fiscal_year"), "year", 8)}
    budgets = (*plan.budgets, plan.full)
    for number, sheet in enumerate(ledgers):
        columns |= {f"{name}_{number}": Column(f"{header(name)}\n{sheet.title}", "money", 14) for name in _MONEY}
    accounts = [budget.ledger.accounts for budget in budgets]
    found = [table[list(_MONEY)].to_dict("index") for table in accounts]
    rows: list[dict[str, Content]] = []
    for code, name in units.items():
        for place, year in enumerate(years):
            row: dict[str, Content] = {"short_name": name, "year": year}
            for number, sheet in enumerate(ledgers):
                known = found[number].get((str(code), year), dict.fromkeys(_MONEY, 0))
                row |= _cells(number, sheet, known, at=FIRST_ROW + len(rows), first=FIRST_ROW + len(rows) - place)
            rows.append(row)
    check: dict[str, Content] = {"short_name": say("workbook.check")}
    for number, sheet in enumerate(ledgers):
        booked = sheet.range("due")
        check[f"due_{number}"] = Cell(0, f"SUM([due_{number}:rows])-SUM({booked})")
    return Sheet(
        say("workbook.accounts"), columns, rows, [], check, note=say("workbook.accounts_note"), is_filtered=True
    )


def _cells(number: int, ledger: Sheet, known: dict[str, int], at: int, first: int) -> dict[str, Content]:
    """Due and recovered of the ledger; what was recovered by now and not netted before is netted as far as due allows."""
    due, recovered, netted = (f"{name}_{number}" for name in _MONEY)
    sums = (ledger.sum_of(flow, short_name="[$short_name]", year="[$year]") for flow in ("due", "recovered"))
    before = "" if at == first else f"-SUM([{netted}:{first}]:[{netted}:{at - 1}])"
    owed = f"SUM([{recovered}:{first}]:[{recovered}:{at}]){before}"
    formulas = (*sums, f"MIN([{due}],{owed})")
    cells = zip((due, recovered, netted), _MONEY, formulas, strict=True)
    return {column: Cell(int(known[name]), formula) for column, name, formula in cells}
