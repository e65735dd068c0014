"""The firms behind the money, live: quotas, approved firms, and outcomes by assumption, unit by unit."""

from fractions import Fraction
from typing import Any

import pandas as pd

from zjtx_alloc.allocation import Allocation
from zjtx_alloc.budget.batches import Cohort
from zjtx_alloc.budget.expected import PARTS, share_of_the_left
from zjtx_alloc.budget.outcomes import OutcomeAssumption
from zjtx_alloc.budget.plan import BudgetPlan
from zjtx_alloc.messages import header, say
from zjtx_alloc.report.live import FIRST_ROW, Column, Live, LiveSheet, Spread, append_spread, letter, value_of, whole
from zjtx_alloc.units import load_units

ORDER, QUOTA, APPROVED = "D", "E", "H"
_FIXED = 9  # columns before the assumptions' blocks
_BLOCK = 10  # columns an assumption


def end_column(number: int, outcome: str) -> str:
    """The column of the firms of one outcome under the assumption of this number."""
    place = {"completed": 2, "under_invested": 5, "discontinued": 8, "missed": 9}[outcome]
    return letter(_FIXED + _BLOCK * number + place)


def batches(plan: BudgetPlan) -> list[Cohort]:
    """The cohorts with two payments, in the order of the sheet's blocks."""
    return [cohort for cohort in plan.cohorts if cohort.payment is None]


def first_row_of(plan: BudgetPlan, name: str) -> int:
    """Excel's row of a batch's first unit."""
    row = FIRST_ROW
    for cohort in batches(plan):
        if cohort.name == name:
            break
        row += len(cohort.approved)
    return row


def firms_sheet(plan: BudgetPlan) -> LiveSheet:
    """A row a batch and unit; whole parts and remainders stand in grouped helper columns."""
    rows = [row for cohort in batches(plan) for row in _batch_rows(plan, cohort)]
    last = FIRST_ROW + len(rows) - 1
    total: list[Any] = [say("table.total"), None, None, None]
    places = [4, 7, 8, *(_FIXED + _BLOCK * n + p for n in range(len(plan.assumptions)) for p in (2, 5, 8, 9))]
    total += [None] * (_FIXED + _BLOCK * len(plan.assumptions) - len(total))
    check: list[Any] = [say("workbook.check"), *[None] * (len(total) - 1)]
    for place in places:
        sum_ = sum(value_of(row[place]) for row in rows)
        total[place] = Live(f"SUM({whole(letter(place), FIRST_ROW, last)})", sum_)
    check[7] = Live(_approval_check(plan), 0)
    for number in range(len(plan.assumptions)):
        ends = [end_column(number, o) for o in ("completed", "under_invested", "discontinued", "missed")]
        formula = f"{APPROVED}{last + 1}-" + "-".join(f"{end}{last + 1}" for end in ends)
        check[_FIXED + _BLOCK * number + 9] = Live(formula, 0)
    note = say("workbook.firms_note")
    return LiveSheet(say("workbook.firms"), note, _columns(plan), rows, [total, check], frozen=3)


def _approval_check(plan: BudgetPlan) -> str:
    """Approved firms less quota × rate rounded, batch by batch: zero."""
    parts = []
    for cohort in batches(plan):
        first = first_row_of(plan, cohort.name)
        last = first + len(cohort.approved) - 1
        quota, firms = whole(QUOTA, first, last), whole(APPROVED, first, last)
        parts.append(f"ABS(SUM({firms})-ROUND(SUM({quota})*{rate_name(cohort)},0))")
    return "+".join(parts)


def rate_name(cohort: Cohort) -> str:
    """The name of a batch's approval rate in the workbook."""
    return say("cell.approval", batch=cohort.name)


def _columns(plan: BudgetPlan) -> list[Column]:
    helpers = [Column(say("workbook.part"), "count", 8, True), Column(say("workbook.rest"), "count", 12, True)]
    columns = [
        Column(header("batch"), "text", 8), Column(header("code"), "text", 9), Column(header("short_name"), "text", 9),
        Column(say("workbook.order"), "count", 7), Column(header("quota"), "count", 8),
        *helpers, Column(header("approved"), "count", 10), Column(header("unused"), "count", 8),
    ]  # fmt: skip
    for assumption in plan.assumptions:
        for outcome in ("completed", "under_invested", "discontinued"):
            text = say("workbook.outcome", outcome=say(f"outcome.{outcome}"), title=assumption.title)
            columns += [*helpers, Column(text, "count", 11)]
        columns.append(
            Column(say("workbook.outcome", outcome=say("outcome.missed"), title=assumption.title), "count", 11)
        )
    return columns


def _batch_rows(plan: BudgetPlan, cohort: Cohort) -> list[list[Any]]:
    (allocation,) = (a for a in plan.allocations if str(a.scenario.batch) == cohort.name)
    names, first = load_units()["short_name"], first_row_of(plan, cohort.name)
    rank = {allocation.problem.labels[i]: place for place, i in enumerate(allocation.problem.order, start=1)}
    assert cohort.quota is not None, "cohorts of allocations know their quota"
    rows: list[list[Any]] = [
        [cohort.label, str(code), names[code], rank[str(code)], places]
        for code, places in zip(cohort.quota.index, _quotas(plan, cohort, allocation), strict=True)
    ]
    rate = allocation.scenario.approval.exact
    known = _known(cohort.quota, rate, cohort.approved)
    append_spread(rows, Spread(QUOTA + "{row}", rate_name(cohort), known, ORDER), first)
    unused = cohort.quota - cohort.approved
    for row, (line, places) in enumerate(zip(rows, unused, strict=True), start=first):
        line.append(Live(f"{QUOTA}{row}-{APPROVED}{row}", int(places)))
    for number, (assumption, budget) in enumerate(zip(plan.assumptions, plan.budgets, strict=True)):
        (told,) = (c for c in budget.cohorts if c.name == cohort.name)
        _append_ends(rows, number, assumption, told, first)
    return rows


def _quotas(plan: BudgetPlan, cohort: Cohort, allocation: Allocation) -> list[int | Live]:
    """A batch's places: as allocated, and with what the batch before leaves over where its scenario carries it."""
    known = [int(places) for places in cohort.quota] if cohort.quota is not None else []
    place = next(number for number, one in enumerate(plan.allocations) if one is allocation)
    if place == 0 or not plan.allocations[place - 1].scenario.approval.carry_unused:
        return list(known)
    first = first_row_of(plan, batches(plan)[place - 1].name)
    return [
        Live(f"{places}+{QUOTA}{row}-{APPROVED}{row}", value)
        for row, (places, value) in enumerate(zip(allocation.quota, known, strict=True), start=first)
    ]


def _append_ends(rows: list[list[Any]], number: int, assumption: OutcomeAssumption, told: Cohort, first: int) -> None:
    """The outcomes of one assumption: completed, under-invested and discontinued spread, the rest missed."""
    assert told.discontinued is not None, "an expected cohort tells who leaves"
    gone = told.discontinued.sum(axis=1)
    completed, under, left = told.ends["completed"], told.ends["under_invested"], told.ends["missed"] + gone
    done, low, out = (end_column(number, outcome) for outcome in ("completed", "under_invested", "discontinued"))
    all_, failing = APPROVED + "{row}", f"({APPROVED}{{row}}-{done}{{row}})"
    rest = f"({APPROVED}{{row}}-{done}{{row}}-{low}{{row}})"
    steps = [
        (all_, "completed", Fraction(assumption.completed.mean), told.approved, completed),
        (failing, "under_invested", Fraction(assumption.otherwise.under_invested), under + left, under),
        (rest, "discontinued_left", share_of_the_left(assumption), left, gone),
    ]
    for base, name, share, of, firms in steps:
        append_spread(rows, Spread(base, say(f"cell.{name}", number=number + 1), _known(of, share, firms)), first)
    for row, (line, missed) in enumerate(zip(rows, told.ends["missed"], strict=True), start=first):
        line.append(Live(f"{APPROVED}{row}-{done}{row}-{low}{row}-{out}{row}", int(missed)))


def _known(base: pd.Series, share: Fraction, firms: pd.Series) -> list[tuple[int, int, int]]:
    """Whole part, remainder in billionths and places of each unit, as Python knows them."""
    billionths = int(share * PARTS)
    return [(*divmod(int(n) * billionths, PARTS), int(places)) for n, places in zip(base, firms, strict=True)]
