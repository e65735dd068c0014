"""A batch's places, live: a divisor method needs no solver, so the total can be changed in the workbook.

The sheet 名额求解 searches the divisor of each such batch as that of ``report.xlsx`` does.
"""

from typing import Any

from zjtx_alloc.allocation.allocate import Allocation
from zjtx_alloc.base.messages import say
from zjtx_alloc.budget.plan import BudgetPlan
from zjtx_alloc.report.writers.sheet import Cell, Sheet
from zjtx_alloc.report.writers.webster import LiveSearch, Search, search_sheet


def live_batches(plan: BudgetPlan) -> tuple[Allocation, ...]:
    """The batches whose places follow their total by formulas: nothing known, and no rule but floors and caps.

    With a limit on change against another batch that batch's places make bounds: then no total can be changed here.
    """
    if any(allocation.scenario.change is not None for allocation in plan.allocations):
        return ()
    return tuple(a for a in plan.allocations if _is_live(a))


def _is_live(allocation: Allocation) -> bool:
    scenario, ways = allocation.scenario, () if allocation.counted is None else allocation.counted.ways
    known = scenario.known.granted or scenario.known.approved
    plain = not (scenario.groups or scenario.rules or known)
    is_webster = scenario.criterion == "webster" and plain and allocation.is_plain and set(ways) <= {"unit"}
    return is_webster and Search.of(allocation.problem).quota == allocation.solution.quota.tolist()


def total_name(batch: int | str) -> str:
    """The name of a batch's total in the workbook."""
    return say("cell.total", batch=batch)


def _live(allocation: Allocation, firms: Sheet, first: int) -> LiveSearch:
    """A batch's search over its rows of the firms' sheet, of which ``first`` is the first."""
    batch, last = allocation.scenario.batch, first + len(allocation.quota) - 1
    return LiveSearch(
        Search.of(allocation.problem),
        total_name(batch),
        lambda name: firms.range(name, first, last),
        f"batch_{batch}_",
    )


def solver_sheet(plan: BudgetPlan, firms: Sheet, first: dict[int, int]) -> Sheet | None:
    """The searches, four columns a batch; None if no total can be changed.

    ``firms`` is the firms' sheet, or one with its columns; ``first`` the row of each batch's first unit there.
    """
    searches = {
        say("table.batch", batch=a.scenario.batch): _live(a, firms, first[a.scenario.batch]) for a in live_batches(plan)
    }
    note = say("workbook.solver_note") + say("calculation.search_note")
    return search_sheet(say("workbook.solver"), note, searches) if searches else None


def quota_cells(allocation: Allocation, firms: Sheet, first: int) -> list[dict[str, Any]]:
    """The cells of a live batch in the firms' sheet, unit by unit: entitlement, floor, cap, the search, and the formula of its places."""
    live, problem = _live(allocation, firms, first), allocation.problem
    whole = Cell(problem.total, total_name(allocation.scenario.batch))
    rows = zip(problem.due.tolist(), problem.lower, problem.upper, strict=True)
    return [
        {"entitlement": places, "floor": floor, "cap": whole if cap == problem.total else cap, "quota": live.quota}
        | live.unit_cells(unit)
        for unit, (places, floor, cap) in enumerate(rows)
    ]
