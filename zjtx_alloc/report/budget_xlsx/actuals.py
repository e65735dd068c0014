"""The reconciliation sheet: actual transfers against the live ledger, or an empty form to fill in."""

from typing import Any

from zjtx_alloc.base.messages import header, say, words
from zjtx_alloc.budget.plan import BudgetPlan
from zjtx_alloc.report.writers.sheet import Cell, Column, Sheet, known_columns, sums_of

_FORM_ROWS = 200


def actuals_sheet(plan: BudgetPlan, ledger: Sheet) -> Sheet:
    """Actual transfers compared with the booked ledger, where some are known; else the form."""
    if (found := plan.reconciliation) is None:
        return _form()
    rows = [_row(ledger, row) for row in found.reset_index().itertuples()]
    columns = {
        **known_columns(short_name=9), "year": Column(header("fiscal_year"), "year", 8),
        **known_columns(expected=13, actual=13, gap=12, documents=28, match_status=11, cause=50),
    }  # fmt: skip
    return Sheet(
        say("workbook.actuals"), columns, rows,
        [{"short_name": say("table.total"), **sums_of(rows, ("expected", "actual", "gap"))}],
        {"short_name": say("workbook.check"), "gap": Cell(0, '[actual:total]-[gap:total]-SUMIF([actual:$rows],"<>",[expected:$rows])')},
        note=say("workbook.actuals_note", title=plan.assumptions[0].title), is_filtered=True,
    )  # fmt: skip


def _row(ledger: Sheet, row: Any) -> dict[str, Any]:
    expected, due = (ledger.sum_of(flow, short_name="[$short_name]", year="[$year]") for flow in ("net", "due"))
    status = {name: say(f"match.{name}") for name in ("matched", "unknown", "short", "over", "absent", "doubtful")}
    even = status["doubtful" if row.status == "doubtful" else "matched"]
    found = f'IF({due}=0,"{status["unknown"]}",IF([gap]<0,"{status["short"]}","{status["over"]}"))'
    unit = {"short_name": row.short_name, "year": int(row.fiscal_year), "expected": Cell(int(row.expected), expected)}
    unit |= {"documents": row.documents, "cause": row.explanation}
    if row.status == "absent":
        return unit | {"actual": None, "gap": None, "match_status": status["absent"]}
    return unit | {
        "actual": int(row.actual), "gap": Cell(int(row.difference), "[actual]-[expected]"),
        "match_status": Cell(status[row.status], f'IF([gap]=0,"{even}",{found})', "plain"),
    }  # fmt: skip


def _form() -> Sheet:
    """Blank rows under headers that ``za.reconcile`` reads."""
    names = {name: words(f"{name}_headers")[0] for name in ("unit", "year", "document", "amount", "netted")}
    columns = {
        "unit": Column(names["unit"], "text"), "year": Column(names["year"], "year", 10),
        "document": Column(names["document"], "text", 30),
        **{name: Column(say("table.in_wan", name=names[name]), "money", 16) for name in ("amount", "netted")},
    }  # fmt: skip
    return Sheet(say("workbook.actuals"), columns, [{}] * _FORM_ROWS, note=say("workbook.form_note"), frozen=0)
