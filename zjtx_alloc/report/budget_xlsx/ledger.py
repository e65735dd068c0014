"""The ledger, live: one sheet an assumption, every flow of every row a formula."""

from typing import Any

import pandas as pd

from zjtx_alloc.base.messages import header, say
from zjtx_alloc.base.units import load_units
from zjtx_alloc.budget.ledger.cohorts import Cohort
from zjtx_alloc.budget.ledger.ledger import FLOWS
from zjtx_alloc.budget.plan import BudgetPlan
from zjtx_alloc.report.budget_xlsx.firms import end_column, first_row_of
from zjtx_alloc.report.writers.sheet import Cell, Column, Sheet, known_columns, sums_of
from zjtx_alloc.rules.award import Award

_FORMULAS = {
    # Rows stand in the order of netting, so what is netted already is what stands above.
    "netted": 'MIN([due],SUMIFS([recovered:$rows],[short_name:$rows],[short_name],[year:$rows],"<="&[year])'
    "-SUMIFS([netted:above],[short_name:above],[short_name]))",
    "net": "[due]-[netted]",
    "direct": "[due]-[empowerment]",
}
_CHECKS = {
    "due": "[commitment:total]-[forgone:total]-[due:total]",
    "net": "[due:total]-[netted:total]-[net:total]",
    "empowerment": "[due:total]-[direct:total]-[empowerment:total]",
}  # identities over the whole ledger, each under the column it ends in


def ledger_sheet(plan: BudgetPlan, firms: Sheet, number: int) -> Sheet:
    """A row a year, batch, unit and payment, in the order in which recoveries are netted."""
    budget = plan.budgets[number]
    entries = sorted(
        (
            (year, place, kind)
            for place, cohort in enumerate(budget.cohorts)
            for year, kind in _payments(cohort, plan.award)
        ),
        key=lambda entry: entry[:2],
    )
    known = budget.ledger.table.set_index(["cohort", "fiscal_year", "code"]).sort_index()
    rows = []
    for year, place, kind in entries:
        cohort = budget.cohorts[place]
        books = known.loc[(cohort.name, year)]
        for code in cohort.approved.index:
            formulas = _formulas(plan, (firms, number), (cohort, kind, year, str(code)))
            rows.append(_entry((cohort, kind, year, str(code)), formulas, books.loc[code]))
    columns = {
        "year": Column(header("fiscal_year"), "year", 8), **known_columns(batch=14, code=9, short_name=9),
        "payment": Column(say("workbook.payment"), "text", 8), "firms": Column(say("workbook.firms_paid"), "count", 9),
        **known_columns(**dict.fromkeys(FLOWS, 13)),
    }  # fmt: skip
    title = say("workbook.ledger_of", number=number + 1) if number else say("workbook.ledger")
    return Sheet(
        title, columns, rows, [{"year": say("table.total"), **sums_of(rows, FLOWS)}],
        {"year": say("workbook.check"), **{flow: Cell(0, formula) for flow, formula in _CHECKS.items()}},
        note=say("workbook.ledger_note", title=plan.assumptions[number].title), frozen=5, is_filtered=True,
    )  # fmt: skip


def _payments(cohort: Cohort, award: Award) -> list[tuple[int, str]]:
    """The rows of a cohort: its payments, and years in which firms only leave."""
    paid = {payment.year: payment.name for payment in cohort.payments(award)}
    left = [int(str(year)) for year in cohort.left]
    return list((dict.fromkeys(left, "left") | paid).items())


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
        "year": year, "batch": cohort.label, "code": code, "short_name": load_units().at[code, "short_name"],
        "payment": say(f"payment.{kind}"),
    }  # fmt: skip
    numbers = {"firms": paid, **{flow: int(books[flow]) for flow in FLOWS}}
    return text | {name: Cell(value, formulas.get(name, "")) for name, value in numbers.items()}


def _formulas(plan: BudgetPlan, sheets: tuple[Sheet, int], entry: _Entry) -> dict[str, str]:
    """Formulas of the firms that are paid and of the flows, which follow from them, from those that left and from the netting."""
    (firms, number), (cohort, kind, year, code) = sheets, entry
    formulas = _FORMULAS | _paid(kind)
    if kind == "tail":
        return formulas
    left = _known_left(plan, cohort.name, year, code)
    if kind in ("opening", "closing"):
        row = first_row_of(plan, cohort.name) + list(cohort.approved.index).index(code)
        formulas["firms"] = firms.cell("approved" if kind == "opening" else end_column(number, "completed"), row)
    if kind == "closing":
        ends = {o: firms.cell(end_column(number, o), row) for o in ("missed", "under_invested", "discontinued")}
        return formulas | _settled(ends, left)
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
