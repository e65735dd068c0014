"""The firms behind the money, live: quotas, approved firms, and outcomes by assumption, unit by unit."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import takewhile
from typing import Any

import numpy as np
import pandas as pd

from zjtx_alloc.allocation.allocate import Allocation
from zjtx_alloc.allocation.approved import approved_firms
from zjtx_alloc.base.messages import header, say
from zjtx_alloc.base.units import load_units
from zjtx_alloc.budget.expected import PARTS, open_groups
from zjtx_alloc.budget.ledger.cohorts import Cohort
from zjtx_alloc.budget.plan import BudgetPlan
from zjtx_alloc.report.budget_xlsx.quotas import live_batches, quota_cells, total_name
from zjtx_alloc.report.budget_xlsx.shares import NAMES, shares_of
from zjtx_alloc.report.writers.sheet import FIRST_ROW, Cell, Column, Content, Page, Sheet, known_columns, sums_of
from zjtx_alloc.report.writers.webster import helper_columns, spread_formulas

_Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class _Spread:
    """A largest-remainder spread: base × share over the rows of a batch, rounded half up, in whole firms."""

    column: str  # where the firms stand; two helpers stand before it
    base: str  # what is multiplied, e.g. ``([approved]-[gone])``
    share: str  # the share's name
    of: pd.Series  # what the base comes to by unit
    firms: pd.Series
    exact: Fraction  # what the share comes to
    is_ordered: bool = False  # ``tie_order`` orders equal remainders, else the rows do


def end_column(number: int, outcome: str) -> str:
    """The column of the firms of one outcome under the assumption of this number."""
    return f"{outcome}_{number}"


def closing_cells(plan: BudgetPlan, firms: Sheet, number: int, place: tuple[str, str, int]) -> dict[str, str]:
    """Where a unit's firms of each outcome stand; ``place`` is its batch, its code and its row.

    After the last assumption: if all firms complete whose outcomes are not known.
    """
    name, code, row = place
    (cohort,) = (c for c in plan.cohorts if c.name == name)
    outcomes = (*NAMES, "missed")
    if number < len(plan.assumptions):
        return {outcome: firms.cell(end_column(number, outcome), row) for outcome in outcomes}
    if cohort.ended[code]:
        return {outcome: firms.cell(end_column(0, outcome), row) for outcome in outcomes}
    return dict.fromkeys(outcomes, "0") | {"completed": f"{firms.cell('approved', row)}-{firms.cell('gone', row)}"}


def batches(plan: BudgetPlan) -> list[Cohort]:
    """The cohorts with two payments, in the order of the sheet's blocks."""
    return [cohort for cohort in plan.cohorts if cohort.payment is None]


def first_row_of(plan: BudgetPlan, name: str) -> int:
    """Excel's row of a batch's first unit."""
    above = takewhile(lambda cohort: cohort.name != name, batches(plan))
    return FIRST_ROW + sum(len(cohort.approved) for cohort in above)


def bare_firms_sheet(plan: BudgetPlan) -> Sheet:
    """The sheet without its rows, for what refers to it and stands behind it."""
    return Sheet(say("workbook.firms"), _columns(plan), [])


def firms_sheet(plan: BudgetPlan) -> Sheet:
    """A row a batch and unit; what places follow from, whole parts and remainders stand in grouped helper columns."""
    rows = [row for cohort in batches(plan) for row in _batch_rows(plan, cohort)]
    ends = [[end_column(number, o) for o in (*NAMES, "missed")] for number in range(len(plan.assumptions))]
    summed = ["quota", "approved", "unused", "gone", *(name for names in ends for name in names)]
    check: dict[str, Content] = {
        "batch": say("workbook.check"),
        "quota": Cell(0, _quota_check(plan)),
        "approved": Cell(0, _approval_check(plan)),
        "unused": Cell(0, "SUMPRODUCT(([approved:$rows]>[quota:$rows])*1)"),
    }
    for names in ends:
        check[names[-1]] = Cell(0, "-".join(f"[{name}:total]" for name in ("approved", "gone", *names)))
    return Sheet(
        say("workbook.firms"), _columns(plan), rows, [{"batch": say("table.total"), **sums_of(rows, summed)}], check,
        note=say("workbook.firms_note") + known_note(plan), frozen=3, is_filtered=True, page=Page(wide=2),
    )  # fmt: skip


def known_note(plan: BudgetPlan) -> str:
    """Which batches have approved firms, departures or outcomes that are known; blank if none has."""
    known = [c.label for c in batches(plan) if ends_known(c) or not is_by_rate(plan, c)]
    return say("workbook.known_note", names="、".join(known)) if known else ""


def ends_known(cohort: Cohort) -> bool:
    """Whether something is known of a batch's end: its outcomes, or firms that left."""
    return cohort.outcomes is not None or cohort.discontinued is not None


def is_by_rate(plan: BudgetPlan, cohort: Cohort) -> bool:
    """Whether the approved firms are quota × rate, not known otherwise."""
    allocation = allocation_of(plan, cohort)
    if allocation.scenario.known.approved:
        return False
    order = [allocation.problem.labels[i] for i in allocation.problem.order]
    assert cohort.quota is not None, "cohorts of allocations know their quota"
    return bool(cohort.approved.eq(approved_firms(cohort.quota, allocation.scenario.approval.exact, order)).all())


def allocation_of(plan: BudgetPlan, cohort: Cohort) -> Allocation:
    """The allocation that a cohort's firms come from."""
    (allocation,) = (a for a in plan.allocations if str(a.scenario.batch) == cohort.name)
    return allocation


def _approval_check(plan: BudgetPlan) -> str:
    """Approved firms less quota × rate rounded, batch by batch: zero; nothing to check of firms known otherwise."""
    parts = ["0"]
    for cohort in (c for c in batches(plan) if is_by_rate(plan, c)):
        rows = _rows_of(plan, cohort.name)
        firms, quota = f"SUM([approved:{rows}])", f"SUM([quota:{rows}])"
        parts.append(f"ABS({firms}-ROUND({quota}*{rate_name(cohort)},0))")
    return "+".join(parts)


def rate_name(cohort: Cohort) -> str:
    """The name of a batch's approval rate in the workbook."""
    return say("cell.approval", batch=cohort.name)


def _quota_check(plan: BudgetPlan) -> str:
    """Places less the total and what the batch before leaves, over the batches whose total can be changed: zero."""
    parts = ["0"]
    for allocation in live_batches(plan):
        rows = _rows_of(plan, str(allocation.scenario.batch))
        left = f"-{_left_over(plan, allocation)}" if allocation.carried else ""
        parts.append(f"ABS(SUM([quota:{rows}])-{total_name(allocation.scenario.batch)}{left})")
    return "+".join(parts)


def _left_over(plan: BudgetPlan, allocation: Allocation) -> str:
    """Formula of the places that the batch before leaves to this one."""
    rows = _rows_of(plan, _batch_before(plan, allocation).name)
    return f"(SUM([quota:{rows}])-SUM([approved:{rows}]))"


def _batch_before(plan: BudgetPlan, allocation: Allocation) -> Cohort:
    place = next(number for number, one in enumerate(plan.allocations) if one is allocation)
    return batches(plan)[place - 1]


def _rows_of(plan: BudgetPlan, name: str) -> str:
    """A batch's rows, as formulas of this sheet have them."""
    first = first_row_of(plan, name)
    (cohort,) = (c for c in batches(plan) if c.name == name)
    return f"{first}-{first + len(cohort.approved) - 1}"


def _columns(plan: BudgetPlan) -> dict[str, Column]:
    helpers = {"entitlement": header("entitlement"), "floor": say("workbook.floor"), "cap": say("workbook.cap")}
    columns = {
        **known_columns(batch=8, code=9, short_name=9), "tie_order": Column(say("workbook.order"), "count", 7),
        **{name: Column(text, "plain", is_helper=True) for name, text in helpers.items()}, **helper_columns(),
        **known_columns(quota=8), **_with_helpers("approved", header("approved"), 10),
        **known_columns(unused=8),
        "group": Column(say("workbook.group"), "count", 8, is_helper=True), "gone": Column(say("workbook.gone"), "count", 10),
    }  # fmt: skip
    for number, assumption in enumerate(plan.assumptions):
        for outcome in (*NAMES, "missed"):
            text = say("workbook.outcome", outcome=say(f"outcome.{outcome}"), title=assumption.title)
            name = end_column(number, outcome)
            columns |= _with_helpers(name, text, 11) if outcome in NAMES else {name: Column(text, "count", 11)}
    return columns


def _with_helpers(name: str, text: str, width: float) -> dict[str, Column]:
    """A column of spread firms after its whole parts and remainders."""
    return {
        f"{name}_part": Column(say("workbook.part"), "count", 8, is_helper=True),
        f"{name}_rest": Column(say("workbook.rest"), "count", is_helper=True),
        name: Column(text, "count", width),
    }


def _batch_rows(plan: BudgetPlan, cohort: Cohort) -> _Rows:
    allocation = allocation_of(plan, cohort)
    names, first = load_units()["short_name"], first_row_of(plan, cohort.name)
    rank = {allocation.problem.labels[i]: place for place, i in enumerate(allocation.problem.order, start=1)}
    assert cohort.quota is not None, "cohorts of allocations know their quota"
    rows: _Rows = [
        {"batch": cohort.label, "code": str(code), "short_name": names[code], "tie_order": rank[str(code)], **places}
        for code, places in zip(cohort.quota.index, _quotas(plan, cohort.quota, allocation), strict=True)
    ]
    if is_by_rate(plan, cohort):
        rate = allocation.scenario.approval.exact
        spread = _Spread("approved", "[quota]", rate_name(cohort), cohort.quota, cohort.approved, rate, is_ordered=True)
        _add_spread(_Block(rows, first, np.full(len(rows), True)), spread)
    else:
        _add_numbers(rows, "approved", cohort.approved)
    unused = cohort.quota - cohort.approved
    for row, places in zip(rows, unused, strict=True):
        row["unused"] = Cell(int(places), "[quota]-[approved]")
    _add_numbers(rows, "gone", cohort.approved - cohort.continued)
    for row, is_ended, is_reported in zip(rows, cohort.ended, cohort.reported, strict=True):
        row["group"] = 0 if is_ended else 2 if is_reported else 1
    for number, budget in enumerate(plan.budgets):
        (assumed,) = (c for c in budget.cohorts if c.name == cohort.name)
        _add_ends(rows, number, plan, (cohort, assumed))
    return rows


def _add_numbers(rows: _Rows, column: str, firms: pd.Series) -> None:
    """Add known firms; helpers stay blank."""
    for row, number in zip(rows, firms, strict=True):
        row[column] = int(number)


def _quotas(plan: BudgetPlan, quota: pd.Series, allocation: Allocation) -> _Rows:
    """A batch's places, live where its total can be changed, and with what the batch before leaves over if it is carried."""
    base, carried = quota, [""] * len(quota)
    if allocation.carried:
        last = _batch_before(plan, allocation)
        assert last.quota is not None, "cohorts of allocations know their quota"
        first, base = first_row_of(plan, last.name), quota - (last.quota - last.approved)
        carried = [f"+[quota:{row}]-[approved:{row}]" for row in range(first, first + len(quota))]
    if any(one is allocation for one in live_batches(plan)):
        rows = quota_cells(allocation, bare_firms_sheet(plan), first_row_of(plan, str(allocation.scenario.batch)))
    else:
        rows = [{"quota": str(int(places)) if extra else ""} for places, extra in zip(base, carried, strict=True)]
    return [
        row | {"quota": Cell(int(places), f"{row['quota']}{extra}")}
        for row, places, extra in zip(rows, quota, carried, strict=True)
    ]


def _add_ends(rows: _Rows, number: int, plan: BudgetPlan, cohorts: tuple[Cohort, Cohort]) -> None:
    """The outcomes of one assumption: completed, under-invested and discontinued spread, the rest missed.

    ``cohorts`` are the plan's, and the same with the outcomes assumed that are not known. Units with and without a
    report of departures are spread apart, as the ledger does; known outcomes stay numbers.
    """
    cohort, assumed = cohorts
    gone = cohort.continued - assumed.continued  # those known to have left stand in a column of their own
    completed, under, left = assumed.ends["completed"], assumed.ends["under_invested"], assumed.ends["missed"] + gone
    done, low, out, missed = (end_column(number, outcome) for outcome in (*NAMES, "missed"))
    for column, firms in ((done, completed), (low, under), (out, gone), (missed, assumed.ends["missed"])):
        _add_numbers(rows, column, firms)
    first, staying = first_row_of(plan, cohort.name), "[approved]-[gone]"
    for units, is_reported in open_groups(cohort):
        share = shares_of(plan, number, cohort, is_reported)
        block = _Block(rows, first, units.to_numpy())
        for spread in (
            _Spread(done, f"({staying})", share["completed"][0], cohort.continued, completed, share["completed"][1]),
            _Spread(low, f"(({staying})-[{done}])", share["under_invested"][0], under + left, under, share["under_invested"][1]),
            _Spread(out, f"(({staying})-[{done}]-[{low}])", share["discontinued"][0], left, gone, share["discontinued"][1]),
        ):  # fmt: skip
            _add_spread(block, spread)
        for row, firms in block.chosen(assumed.ends["missed"]):
            row[missed] = Cell(int(firms), f"{staying}-[{done}]-[{low}]-[{out}]")


@dataclass(frozen=True)
class _Block:
    """The rows of a batch, the first one's number, and which of them are spread together."""

    rows: _Rows
    first: int
    together: np.ndarray

    def chosen(self, *columns: pd.Series) -> Iterator[tuple[Any, ...]]:
        """The rows that are spread together, each with its values."""
        for row, is_in, *values in zip(self.rows, self.together, *columns, strict=True):
            if is_in:
                yield row, *values

    @property
    def condition(self) -> str:
        """Of formulas over the batch: that a row is spread with this one; blank where all are."""
        last = self.first + len(self.rows) - 1
        return "" if self.together.all() else f"([group:{self.first}-{last}]=[group])*"


def _add_spread(block: _Block, spread: _Spread) -> None:
    """Add whole part, remainder in billionths and firms to each row that is spread.

    Whole parts are handed out, then one more to the largest remainders. Everything is a whole number below
    2^53, so Excel's floating point computes it exactly, as Python does.
    """
    first, last = block.first, block.first + len(block.rows) - 1
    rests = f"[{spread.column}_rest:{first}-{last}]"
    orders = f"[tie_order:{first}-{last}]" if spread.is_ordered else f"ROW({rests})"
    order = "[tie_order]" if spread.is_ordered else f"ROW([{spread.column}_rest])"
    formulas = spread_formulas(spread.column, (spread.base, spread.share), rests, (orders, order), block.condition)
    share = int(spread.exact * PARTS)
    for row, of, firms in block.chosen(spread.of, spread.firms):
        values = (*divmod(int(of) * share, PARTS), int(firms))
        row.update(zip(formulas, map(Cell, values, formulas.values()), strict=True))
