"""``budget.xlsx``: a budget that recalculates; each formula carries the value that Python found."""

from dataclasses import replace
from pathlib import Path

from zjtx_alloc.base.messages import say
from zjtx_alloc.budget.plan import BudgetPlan
from zjtx_alloc.report.budget_xlsx.accounts import account_sheet
from zjtx_alloc.report.budget_xlsx.actuals import actuals_sheet
from zjtx_alloc.report.budget_xlsx.assumptions import assumption_inputs, assumption_sheet
from zjtx_alloc.report.budget_xlsx.firms import bare_firms_sheet, batches, firms_sheet, first_row_of
from zjtx_alloc.report.budget_xlsx.ledger import bare_ledger_sheet, ledger_sheet
from zjtx_alloc.report.budget_xlsx.quotas import solver_sheet
from zjtx_alloc.report.budget_xlsx.years import scenario_sheet, unit_year_sheet
from zjtx_alloc.report.notes.marks import budget_marks
from zjtx_alloc.report.writers.sheet import Sheet
from zjtx_alloc.report.writers.xlsx import write_workbook


def write_budget_workbook(path: Path, plan: BudgetPlan) -> Path:
    """Write the workbook."""
    heading = say("workbook.budget_heading", names="、".join(c.label for c in batches(plan)))
    marks = "".join(budget_marks(plan.allocations))
    sheets = [replace(sheet, note=sheet.note + marks) for sheet in budget_sheets(plan)]
    return write_workbook(path, sheets, heading)


def budget_sheets(plan: BudgetPlan) -> list[Sheet]:
    """The sheets in their order: assumptions first, what officials read next, the working behind them last."""
    first = {int(cohort.name): first_row_of(plan, cohort.name) for cohort in batches(plan)}
    numbers = range(len(plan.assumptions) + 1)
    solver = solver_sheet(plan, bare_firms_sheet(plan), first)
    accounts = account_sheet(plan, [bare_ledger_sheet(plan, number) for number in numbers])
    firms = firms_sheet(plan)
    ledgers = [ledger_sheet(plan, firms, accounts, number) for number in numbers]
    sheets = [
        unit_year_sheet(plan, ledgers[0]),
        ledgers[0],
        scenario_sheet(plan, ledgers, assumption_inputs(plan)),
        actuals_sheet(plan, ledgers[0]),
        firms,
        *ledgers[1:],
        accounts,
        *([solver] if solver is not None else []),
    ]
    checks = [cell for sheet in sheets for cell in sheet.checks()]
    return [assumption_sheet(plan, checks), *sheets]
