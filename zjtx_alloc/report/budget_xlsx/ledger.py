"""The ledger, live: one sheet an assumption, every flow of every row a formula."""

from typing import Any

import pandas as pd

from zjtx_alloc.base.messages import header, say
from zjtx_alloc.base.units import load_units
from zjtx_alloc.budget.ledger.cohorts import Cohort
from zjtx_alloc.budget.plan import BudgetPlan
from zjtx_alloc.report.budget_xlsx.cells import FIRST_ROW, Column, Live, LiveSheet, letter, value_of, whole
from zjtx_alloc.report.budget_xlsx.firms import APPROVED, end_column, first_row_of

YEAR, UNIT, NETTED, NET = "A", "D", "K", "L"
FLOWS = ("commitment", "forgone", "due", "recovered", "netted", "net", "direct", "empowerment")  # G to N
PLACE = {flow: letter(6 + number) for number, flow in enumerate(FLOWS)}


def ledger_title(number: int) -> str:
    """The name of an assumption's ledger sheet; the first has the plain one."""
    return say("workbook.ledger") if number == 0 else say("workbook.ledger_of", number=number + 1)


def ledger_sheet(plan: BudgetPlan, number: int) -> LiveSheet:
    """A row a year, batch, unit and payment, in the order in which recoveries are netted."""
    budget = plan.budgets[number]
    entries = sorted(
        ((year, place, kind) for place, cohort in enumerate(budget.cohorts) for year, kind in _payments(cohort)),
        key=lambda entry: entry[:2],
    )
    size = sum(len(budget.cohorts[place].approved) for _, place, _ in entries)
    last, rows = FIRST_ROW + size - 1, list[list[Any]]()
    known = budget.ledger.table.set_index(["cohort", "fiscal_year", "code"]).sort_index()
    for year, place, kind in entries:
        cohort = budget.cohorts[place]
        books = known.loc[(cohort.name, year)]
        for code in cohort.approved.index:
            row = FIRST_ROW + len(rows)
            rows.append(_entry(plan, number, (row, last), (cohort, kind, year, str(code), books.loc[code])))
    columns = [
        Column(header("fiscal_year"), "year", 8), Column(header("batch"), "text", 14), Column(header("code"), "text", 9),
        Column(header("short_name"), "text", 9), Column(say("workbook.payment"), "text", 8),
        Column(say("workbook.firms_paid"), "count", 9), *(Column(header(flow), "money", 13) for flow in FLOWS),
    ]  # fmt: skip
    sums = [Live(f"SUM({whole(letter(p), FIRST_ROW, last)})", sum(value_of(r[p]) for r in rows)) for p in range(6, 14)]
    total = [say("table.total"), *[None] * 5, *sums]
    note = say("workbook.ledger_note", title=plan.assumptions[number].title)
    return LiveSheet(ledger_title(number), note, columns, rows, [total, _ledger_check(last + 1)], frozen=5)


def _payments(cohort: Cohort) -> list[tuple[int, str]]:
    """The rows of a cohort: its payments, and years in which firms only leave."""
    if cohort.payment is not None:
        return [(cohort.opening_year, "tail")]
    paid = {cohort.opening_year: "opening", cohort.closing_year: "closing"}
    left = [] if cohort.discontinued is None else [int(str(year)) for year in cohort.discontinued]
    return list((dict.fromkeys(left, "left") | paid).items())


def _known_left(plan: BudgetPlan, name: str, year: int, code: str) -> int:
    """Firms of a unit that are known to have left in a year; those of an assumption stand in the firms' sheet."""
    (cohort,) = (c for c in plan.cohorts if c.name == name)
    told = cohort.discontinued
    return 0 if told is None or year not in told else int(told.at[code, year])


_Entry = tuple[Cohort, str, int, str, pd.Series]


def _entry(plan: BudgetPlan, number: int, rows: tuple[int, int], entry: _Entry) -> list[Any]:
    """One row of a ledger: text, firms, and each flow as a formula with the ledger's own number."""
    (row, last), (cohort, kind, year, code, books) = rows, entry
    firms = cohort.approved[code] if kind != "closing" else cohort.ends.at[code, "completed"]
    paid: Any = int(firms) if kind != "left" else 0
    if kind in ("opening", "closing"):
        at = first_row_of(plan, cohort.name) + list(cohort.approved.index).index(code)
        column = APPROVED if kind == "opening" else end_column(number, "completed")
        paid = Live(f"'{say('workbook.firms')}'!{column}{at}", paid)
    formulas = _flows(kind, f"F{row}")
    left = 0 if kind == "tail" else _known_left(plan, cohort.name, year, code)
    if kind == "closing":
        formulas |= _settled(number, at, left)
    elif left:
        formulas |= _lost(str(left))
    due, recovered = f"{PLACE['due']}{row}", PLACE["recovered"]
    owed = (
        f"SUMIFS({whole(recovered, FIRST_ROW, last)},{whole(UNIT, FIRST_ROW, last)},{UNIT}{row},"
        f'{whole(YEAR, FIRST_ROW, last)},"<="&{YEAR}{row})'
    )
    # Rows stand in the order of netting, so what is netted already is what stands above.
    above = f"SUMIFS({NETTED}${FIRST_ROW - 1}:{NETTED}{row - 1},{UNIT}${FIRST_ROW - 1}:{UNIT}{row - 1},{UNIT}{row})"
    formulas |= {
        "netted": f"MIN({due},{owed}-{above})",
        "net": f"{due}-{NETTED}{row}",
        "direct": f"{due}-{PLACE['empowerment']}{row}",
    }
    text = [year, cohort.label, code, load_units().at[code, "short_name"], say(f"payment.{kind}"), paid]
    return [*text, *(Live(formulas[f], int(books[f])) if f in formulas else int(books[f]) for f in FLOWS)]


def _flows(kind: str, firms: str) -> dict[str, str]:
    """Formulas of commitment, due and empowerment."""
    if kind == "tail":
        money = f"{say('cell.tail')}*{firms}"
        return {"commitment": money, "due": money}
    if kind == "left":
        return {}
    each = say("cell.opening") if kind == "opening" else say("cell.closing")
    found = {"due": f"{each}*{firms}", "empowerment": f"INT(ROUND({each}*{firms}*{say('cell.empowerment_cap')},6))"}
    return found | ({"commitment": f"{say('cell.amount')}*{firms}"} if kind == "opening" else {})


def _lost(left: str) -> dict[str, str]:
    """Formulas of what firms that leave forgo and give back."""
    return {
        "forgone": f"{say('cell.closing')}*{left}",
        "recovered": f"INT(ROUND({say('cell.each_discontinued')}*{left},6))",
    }


def _settled(number: int, row: int, left: int) -> dict[str, str]:
    """Formulas of what the closing no longer pays and what comes back: the firms' sheet, and those known to leave then."""
    place = {o: f"'{say('workbook.firms')}'!{end_column(number, o)}{row}" for o in ("missed", "under_invested", "discontinued")}  # fmt: skip
    gone = f"({place['discontinued']}+{left})" if left else place["discontinued"]
    lost = _lost(gone)
    return {
        "forgone": f"{say('cell.closing')}*({place['missed']}+{place['under_invested']}+{gone})",
        "recovered": f"INT(ROUND({say('cell.each')}*{place['under_invested']},6))+{lost['recovered']}",
    }


def _ledger_check(total: int) -> list[Any]:
    """Identities over the whole ledger, each zero, under the column they end in."""
    at = {flow: f"{column}{total}" for flow, column in PLACE.items()}
    checks = {
        "due": f"{at['commitment']}-{at['forgone']}-{at['due']}",
        "net": f"{at['due']}-{at['netted']}-{at['net']}",
        "empowerment": f"{at['due']}-{at['direct']}-{at['empowerment']}",
    }
    return [
        say("workbook.check"), *[None] * 5,
        *(Live(checks[flow], 0) if flow in checks else None for flow in FLOWS),
    ]  # fmt: skip
