"""The reconciliation sheet: actual transfers against the live ledger, or an empty form to fill in."""

from typing import Any

import pandas as pd

from zjtx_alloc.base.messages import header, say, words
from zjtx_alloc.budget.plan import BudgetPlan
from zjtx_alloc.report.budget_xlsx.cells import FIRST_ROW, Column, Live, LiveSheet, value_of, whole
from zjtx_alloc.report.budget_xlsx.ledger import NET, PLACE, UNIT, YEAR, ledger_title

FORM_ROWS = 200


def actuals_sheet(plan: BudgetPlan, size: int, found: pd.DataFrame | None) -> LiveSheet:
    """What ``za.reconcile`` found against the booked ledger, of which ``size`` is the last row; or the form."""
    if found is None:
        return _form()
    rows = [_row(size, row, FIRST_ROW + n) for n, row in enumerate(found.reset_index().itertuples())]
    last = FIRST_ROW + len(rows) - 1
    sums = [
        Live(f"SUM({whole(c, FIRST_ROW, last)})", sum(value_of(row[p]) for row in rows)) for p, c in enumerate("CDE", 2)
    ]
    total = [say("table.total"), None, *sums, None, None, None]
    check = [say("workbook.check"), *[None] * 3, Live(f"D{last + 1}-C{last + 1}-E{last + 1}", 0), *[None] * 3]
    columns = [
        Column(header("short_name"), "text", 9), Column(header("fiscal_year"), "year", 8),
        Column(header("expected"), "money", 13), Column(header("actual"), "money", 13), Column(header("gap"), "step", 12),
        Column(header("documents"), "text", 28), Column(header("match_status"), "text", 11), Column(header("cause"), "text", 50),
    ]  # fmt: skip
    note = say("workbook.actuals_note", title=plan.assumptions[0].title)
    return LiveSheet(say("workbook.actuals"), note, columns, rows, [total, check])


def _row(size: int, row: Any, at: int) -> list[Any]:
    expected, due = (_booked(size, column, at) for column in (NET, PLACE["due"]))
    status = {name: say(f"match.{name}") for name in ("matched", "unknown", "short", "over")}
    told = f'IF(E{at}=0,"{status["matched"]}",IF({due}=0,"{status["unknown"]}",IF(E{at}<0,"{status["short"]}","{status["over"]}")))'
    return [
        row.short_name, int(row.fiscal_year), Live(expected, int(row.expected)), int(row.actual),
        Live(f"D{at}-C{at}", int(row.difference)), row.documents, Live(told, status[row.status], "plain"), row.explanation,
    ]  # fmt: skip


def _booked(size: int, column: str, at: int) -> str:
    money, unit, year = (whole(c, FIRST_ROW, size, ledger_title(0)) for c in (column, UNIT, YEAR))
    return f"SUMIFS({money},{unit},$A{at},{year},$B{at})"


def _form() -> LiveSheet:
    """Blank rows under headers that ``za.reconcile`` reads."""
    names = {name: words(f"{name}_headers")[0] for name in ("unit", "year", "document", "amount", "netted")}
    columns = [
        Column(names["unit"], "text", 12), Column(names["year"], "year", 10), Column(names["document"], "text", 30),
        Column(say("table.in_wan", name=names["amount"]), "money", 16),
        Column(say("table.in_wan", name=names["netted"]), "money", 16),
    ]  # fmt: skip
    rows = [[None] * len(columns) for _ in range(FORM_ROWS)]
    return LiveSheet(say("workbook.actuals"), say("workbook.form_note"), columns, rows, frozen=0)
