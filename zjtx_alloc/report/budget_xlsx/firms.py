"""The firms behind the money, live: quotas, approved firms, and outcomes by assumption, unit by unit."""

from fractions import Fraction
from typing import Any

import pandas as pd

from zjtx_alloc.allocation.allocate import Allocation
from zjtx_alloc.base.messages import header, say
from zjtx_alloc.base.units import load_units
from zjtx_alloc.budget.expected import PARTS, share_of_the_left
from zjtx_alloc.budget.ledger.cohorts import Cohort, approved_firms
from zjtx_alloc.budget.outcomes import OutcomeAssumption
from zjtx_alloc.budget.plan import BudgetPlan
from zjtx_alloc.report.budget_xlsx.cells import (
    FIRST_ROW,
    Column,
    Live,
    LiveSheet,
    Spread,
    append_spread,
    letter,
    value_of,
    whole,
)

ORDER, QUOTA, APPROVED, GONE = "D", "E", "H", "J"  # GONE: known to be discontinued
_FIXED = 10  # columns before the assumptions' blocks
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
    places = [4, 7, 8, 9, *(_FIXED + _BLOCK * n + p for n in range(len(plan.assumptions)) for p in (2, 5, 8, 9))]
    total += [None] * (_FIXED + _BLOCK * len(plan.assumptions) - len(total))
    check: list[Any] = [say("workbook.check"), *[None] * (len(total) - 1)]
    for place in places:
        sum_ = sum(value_of(row[place]) for row in rows)
        total[place] = Live(f"SUM({whole(letter(place), FIRST_ROW, last)})", sum_)
    check[7] = Live(_approval_check(plan), 0)
    approved, quota = whole(APPROVED, FIRST_ROW, last), whole(QUOTA, FIRST_ROW, last)
    check[8] = Live(f"SUMPRODUCT(({approved}>{quota})*1)", 0)
    for number in range(len(plan.assumptions)):
        ends = [end_column(number, o) for o in ("completed", "under_invested", "discontinued", "missed")]
        formula = "-".join(f"{column}{last + 1}" for column in (APPROVED, GONE, *ends))
        check[_FIXED + _BLOCK * number + 9] = Live(formula, 0)
    note = say("workbook.firms_note") + known_note(plan)
    return LiveSheet(say("workbook.firms"), note, _columns(plan), rows, [total, check], frozen=3)


def known_note(plan: BudgetPlan) -> str:
    """Which batches have approved firms, departures or outcomes that are known; blank if none has."""
    known = [c.label for c in batches(plan) if ends_known(c) or not _is_by_rate(c, _allocation_of(plan, c))]
    return say("workbook.known_note", names="、".join(known)) if known else ""


def ends_known(cohort: Cohort) -> bool:
    """Whether something is known of a batch's end: its outcomes, or firms that left."""
    return cohort.outcomes is not None or cohort.discontinued is not None


def _is_by_rate(cohort: Cohort, allocation: Allocation) -> bool:
    """Whether the approved firms are quota × rate, not known otherwise."""
    order = [allocation.problem.labels[i] for i in allocation.problem.order]
    assert cohort.quota is not None, "cohorts of allocations know their quota"
    return bool(cohort.approved.eq(approved_firms(cohort.quota, allocation.scenario.approval.exact, order)).all())


def _allocation_of(plan: BudgetPlan, cohort: Cohort) -> Allocation:
    (allocation,) = (a for a in plan.allocations if str(a.scenario.batch) == cohort.name)
    return allocation


def _approval_check(plan: BudgetPlan) -> str:
    """Approved firms less quota × rate rounded, batch by batch: zero; nothing to check of firms known otherwise."""
    parts = ["0"]
    for cohort in batches(plan):
        if not _is_by_rate(cohort, _allocation_of(plan, cohort)):
            continue
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
        Column(say("workbook.gone"), "count", 10),
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
    allocation = _allocation_of(plan, cohort)
    names, first = load_units()["short_name"], first_row_of(plan, cohort.name)
    rank = {allocation.problem.labels[i]: place for place, i in enumerate(allocation.problem.order, start=1)}
    assert cohort.quota is not None, "cohorts of allocations know their quota"
    rows: list[list[Any]] = [
        [cohort.label, str(code), names[code], rank[str(code)], places]
        for code, places in zip(cohort.quota.index, _quotas(plan, cohort, allocation), strict=True)
    ]
    rate = allocation.scenario.approval.exact
    if _is_by_rate(cohort, allocation):
        known = _known(cohort.quota, rate, cohort.approved)
        append_spread(rows, Spread(QUOTA + "{row}", rate_name(cohort), known, ORDER), first)
    else:
        _append_numbers(rows, cohort.approved)
    unused, gone = cohort.quota - cohort.approved, cohort.approved - cohort.continued
    for row, (line, places, left) in enumerate(zip(rows, unused, gone, strict=True), start=first):
        line += [Live(f"{QUOTA}{row}-{APPROVED}{row}", int(places)), int(left)]
    for number, (assumption, budget) in enumerate(zip(plan.assumptions, plan.budgets, strict=True)):
        if cohort.outcomes is None:
            (told,) = (c for c in budget.cohorts if c.name == cohort.name)
            _append_ends(rows, number, assumption, (cohort, told), first)
        else:
            for firms in (cohort.outcomes["completed"], cohort.outcomes["under_invested"], cohort.approved * 0):
                _append_numbers(rows, firms)
            for line, missed in zip(rows, cohort.outcomes["missed"], strict=True):
                line.append(int(missed))
    return rows


def _append_numbers(rows: list[list[Any]], firms: pd.Series) -> None:
    """Append known firms where formulas would stand with their two helpers."""
    for line, number in zip(rows, firms, strict=True):
        line += [None, None, int(number)]


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


def _append_ends(
    rows: list[list[Any]], number: int, assumption: OutcomeAssumption, cohorts: tuple[Cohort, Cohort], first: int
) -> None:
    """The outcomes of one assumption: completed, under-invested and discontinued spread, the rest missed.

    ``cohorts`` are the plan's, whose outcomes are unknown, and the same with those assumed.
    """
    cohort, told = cohorts
    gone = cohort.continued - told.continued  # those known to have left stand in a column of their own
    completed, under, left = told.ends["completed"], told.ends["under_invested"], told.ends["missed"] + gone
    done, low, out = (end_column(number, outcome) for outcome in ("completed", "under_invested", "discontinued"))
    all_ = f"({APPROVED}{{row}}-{GONE}{{row}})"
    failing, rest = f"({all_}-{done}{{row}})", f"({all_}-{done}{{row}}-{low}{{row}})"
    steps = [
        (all_, "completed", Fraction(assumption.completed.mean), cohort.continued, completed),
        (failing, "under_invested", Fraction(assumption.otherwise.under_invested), under + left, under),
        (rest, "discontinued_left", share_of_the_left(assumption), left, gone),
    ]
    for base, name, share, of, firms in steps:
        append_spread(rows, Spread(base, say(f"cell.{name}", number=number + 1), _known(of, share, firms)), first)
    for row, (line, missed) in enumerate(zip(rows, told.ends["missed"], strict=True), start=first):
        line.append(Live(f"{APPROVED}{row}-{GONE}{row}-{done}{row}-{low}{row}-{out}{row}", int(missed)))


def _known(base: pd.Series, share: Fraction, firms: pd.Series) -> list[tuple[int, int, int]]:
    """Whole part, remainder in billionths and places of each unit, as Python knows them."""
    billionths = int(share * PARTS)
    return [(*divmod(int(n) * billionths, PARTS), int(places)) for n, places in zip(base, firms, strict=True)]
