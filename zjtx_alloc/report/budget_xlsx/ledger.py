"""The ledger, live: one sheet an assumption and one if all firms complete, every flow of every row a formula."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from zjtx_alloc.base.messages import header, say
from zjtx_alloc.base.units import load_units
from zjtx_alloc.budget.ledger.budget import BudgetForecast
from zjtx_alloc.budget.ledger.cohorts import Cohort
from zjtx_alloc.budget.ledger.ledger import FLOWS
from zjtx_alloc.budget.plan import BudgetPlan
from zjtx_alloc.report.budget_xlsx.firms import closing_cells, first_row_of
from zjtx_alloc.report.writers.sheet import FIRST_ROW, Cell, Column, Sheet, known_columns, sums_of
from zjtx_alloc.rules.award import Award

_FORMULAS = {"net": "[due]-[netted]", "direct": "[due]-[empowerment]"}
_CHECKS = {
    "due": "[commitment:total]-[forgone:total]-[due:total]",
    "net": "[due:total]-[netted:total]-[net:total]",
    "empowerment": "[due:total]-[direct:total]-[empowerment:total]",
}  # identities over the whole ledger, each under the column it ends in


def budget_of(plan: BudgetPlan, number: int) -> BudgetForecast:
    """The budget of an assumption by its number; after the last: if all firms complete."""
    return (*plan.budgets, plan.full)[number]


def bare_ledger_sheet(plan: BudgetPlan, number: int) -> Sheet:
    """The sheet with blank rows, for what refers to it and stands behind it."""
    units = sum(len(cohort.approved) for cohort, _, _ in _entries(budget_of(plan, number), plan.award))
    return Sheet(_title(plan, number), _columns(), [{}] * units)


def ledger_sheet(plan: BudgetPlan, firms: Sheet, accounts: Sheet, number: int) -> Sheet:
    """A row a batch, payment and unit; batches in their order, in which a year's recoveries are netted."""
    budget = budget_of(plan, number)
    known = budget.ledger.table.set_index(["cohort", "fiscal_year", "code"]).sort_index()
    rows = list[dict[str, Any]]()
    for cohort, year, kind in _entries(budget, plan.award):
        books = known.loc[(cohort.name, year)]
        for code in cohort.approved.index:
            entry, at = (cohort, kind, year, str(code)), FIRST_ROW + len(rows)
            formulas = _formulas(plan, (firms, number), entry) | {"netted": _netted(accounts, number, at)}
            rows.append(_entry(entry, formulas, books.loc[code]))
    is_full = number == len(plan.assumptions)
    title = say("table.outcomes_full") if is_full else plan.assumptions[number].title
    return Sheet(
        _title(plan, number), _columns(), rows, [{"year": say("table.total"), **sums_of(rows, FLOWS)}],
        {"year": say("workbook.check"), **{flow: Cell(0, formula) for flow, formula in _CHECKS.items()}},
        note=say("workbook.full_ledger_note" if is_full else "workbook.ledger_note", title=title),
        frozen=5, is_filtered=True,
    )  # fmt: skip


def _title(plan: BudgetPlan, number: int) -> str:
    if number == len(plan.assumptions):
        return say("workbook.full_ledger")
    return say("workbook.ledger_of", number=number + 1) if number else say("workbook.ledger")


def _columns() -> dict[str, Column]:
    return {
        "year": Column(header("fiscal_year"), "year", 8), **known_columns(batch=14, code=9, short_name=9),
        "payment": Column(say("workbook.payment"), "text", 10), "firms": Column(say("workbook.firms_paid"), "count", 9),
        **known_columns(**dict.fromkeys(FLOWS, 13)),
    }  # fmt: skip


def _entries(budget: BudgetForecast, award: Award) -> Iterator[tuple[Cohort, int, str]]:
    """Cohort, fiscal year and kind of each block of rows: payments, and years in which firms only leave."""
    for cohort in budget.cohorts:
        paid = {payment.year: payment.name for payment in cohort.payments(award)}
        left = [int(str(year)) for year in cohort.left]
        yield from ((cohort, year, kind) for year, kind in sorted((dict.fromkeys(left, "left") | paid).items()))


def _netted(accounts: Sheet, number: int, at: int) -> str:
    """What the unit's account nets in the year, less what rows above have due then, as far as this row is due."""
    taken = accounts.sum_of(f"netted_{number}", short_name="[$short_name]", year="[$year]")
    above = ""
    if at > FIRST_ROW:
        above = "-SUMIFS([due:above],[short_name:above],[$short_name],[year:above],[$year])"
    return f"MAX(0,MIN([due],{taken}{above}))"


def _known_left(plan: BudgetPlan, name: str, year: int, code: str) -> int:
    """Firms of a unit that are known to have left in a year; those of an assumption stand in the firms' sheet."""
    (cohort,) = (c for c in plan.cohorts if c.name == name)
    return int(cohort.left.at[code, year]) if year in cohort.left else 0


_Entry = tuple[Cohort, str, int, str]  # cohort, kind of payment, fiscal year, code


def _entry(entry: _Entry, formulas: dict[str, str], books: pd.Series) -> dict[str, Any]:
    """One row of a ledger: text, firms, and each flow with the ledger's own number."""
    cohort, kind, year, code = entry
    firms = cohort.approved[code] if kind != "closing" else cohort.ends.at[code, "completed"]
    paid = int(firms) if kind != "left" else 0
    text = {
        "year": Cell(year, formulas.get("year", ""), "year"), "batch": cohort.label, "code": code,
        "short_name": load_units().at[code, "short_name"], "payment": say(f"payment.{kind}"),
    }  # fmt: skip
    numbers = {"firms": paid, **{flow: int(books[flow]) for flow in FLOWS}}
    return text | {name: Cell(value, formulas.get(name, "")) for name, value in numbers.items()}


def _formulas(plan: BudgetPlan, sheets: tuple[Sheet, int], entry: _Entry) -> dict[str, str]:
    """Formulas of the firms that are paid and of the flows, which follow from them and from those that left."""
    (firms, number), (cohort, kind, year, code) = sheets, entry
    formulas = _FORMULAS | _paid(kind)
    if kind == "tail":
        return formulas
    left = _known_left(plan, cohort.name, year, code)
    row = first_row_of(plan, cohort.name) + list(cohort.approved.index).index(code)
    if kind == "opening":
        formulas["firms"] = firms.cell("approved", row)
    if kind == "closing":
        cells = closing_cells(plan, firms, number, (cohort.name, code, row))
        formulas |= {"year": say("cell.closing_year", batch=cohort.name), "firms": cells["completed"]}
        return formulas | _settled(cells, left)
    return formulas | (_lost(str(left)) if left else {})


def _paid(kind: str) -> dict[str, str]:
    """Formulas of commitment, due and empowerment."""
    if kind == "tail":
        money = f"{say('cell.tail')}*[firms]"
        return {"commitment": money, "due": money}
    if kind == "left":
        return {}
    each = say("cell.opening") if kind == "opening" else say("cell.closing")
    found = {"due": f"{each}*[firms]", "empowerment": f"INT(ROUND({each}*[firms]*{say('cell.empowerment_cap')},6))"}
    return found | ({"commitment": f"{say('cell.amount')}*[firms]"} if kind == "opening" else {})


def _lost(left: str) -> dict[str, str]:
    """Formulas of what firms that leave forgo and give back."""
    return {
        "forgone": f"{say('cell.closing')}*{left}",
        "recovered": f"INT(ROUND({say('cell.each_discontinued')}*{left},6))",
    }


def _settled(ends: dict[str, str], left: int) -> dict[str, str]:
    """Formulas of what the closing no longer pays and what comes back: the firms' cells, and those known to leave then."""
    gone = f"({ends['discontinued']}+{left})" if left else ends["discontinued"]
    lost = _lost(gone)
    return {
        "forgone": f"{say('cell.closing')}*({ends['missed']}+{ends['under_invested']}+{gone})",
        "recovered": f"INT(ROUND({say('cell.each')}*{ends['under_invested']},6))+{lost['recovered']}",
    }
