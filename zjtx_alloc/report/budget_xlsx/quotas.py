"""A batch's places, live: a divisor method needs no solver, so the total can be changed in the workbook.

Places at a scale are entitlement × scale rounded half up and held within floor and cap; their sum never falls as the
scale grows. The sheet 名额求解 halves an interval of scales again and again; units whose places still differ between its two
ends are tied there, and get what is left in the order of the tie rule, as ``za.solve`` gives it.
"""

from functools import partial
from typing import Any

from zjtx_alloc.allocation.allocate import Allocation
from zjtx_alloc.base.messages import say
from zjtx_alloc.budget.plan import BudgetPlan
from zjtx_alloc.report.writers.halving import HALVINGS, halved, halving, rounded
from zjtx_alloc.report.writers.sheet import FIRST_ROW, Cell, Column, Content, Sheet

HELPERS = ("places", "floor", "cap", "lower_places", "upper_places")  # columns of the firms' sheet beside the quota
_ENDS = ("lower", "upper", "middle_sum")


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
    return scenario.criterion == "webster" and plain and allocation.is_plain and set(ways) <= {"unit"}


def total_name(batch: int | str) -> str:
    """The name of a batch's total in the workbook."""
    return say("cell.total", batch=batch)


def solver_sheet(plan: BudgetPlan, firms: Sheet, first: dict[int, int]) -> Sheet | None:
    """The halvings, a row each, three columns a batch; None if no total can be changed.

    ``firms`` is the firms' sheet, or one with its columns; ``first`` the row of each batch's first unit there.
    """
    live = live_batches(plan)
    if not live:
        return None
    columns = {"step": Column(say("workbook.halving"), "count", 8)}
    rows: list[dict[str, Content]] = [{"step": number} for number in range(HALVINGS + 1)]
    for a in live:
        batch = a.scenario.batch
        for end in _ENDS:
            text = say(f"workbook.{end}", batch=say("table.batch", batch=batch))
            columns[f"{end}_{batch}"] = Column(text, "count" if end == "middle_sum" else "plain", 20)
        last = first[batch] + len(a.quota) - 1
        places, floor, cap = (firms.range(name, first[batch], last) for name in HELPERS[:3])
        at = partial(rounded, places, floor=floor, cap=cap)
        names = [f"{end}_{batch}" for end in _ENDS]
        for number, cells in enumerate(halving(names, FIRST_ROW, total_name(batch), at, _halved(a))):
            rows[number] |= cells
    return Sheet(say("workbook.solver"), columns, rows, note=say("workbook.solver_note"), frozen=1)


def _halved(allocation: Allocation) -> list[tuple[float, float, int]]:
    return halved(lambda scale: sum(_places_at(allocation, scale)), allocation.scenario.total)


def _places_at(allocation: Allocation, scale: float) -> list[int]:
    problem = allocation.problem
    parts = zip(problem.due, problem.lower, problem.upper, strict=True)
    return [min(max(int(places * scale + 0.5), low), high) for places, low, high in parts]


def quota_cells(allocation: Allocation, solver: Sheet, first: int) -> list[dict[str, Any]]:
    """The cells of a live batch in the firms' sheet, unit by unit: entitlement, floor, cap, both ends, and the formula of its places."""
    problem, batch = allocation.problem, allocation.scenario.batch
    low, high, _ = _halved(allocation)[-1]
    *ends, handed = [solver.cell(f"{end}_{batch}", FIRST_ROW + HALVINGS) for end in _ENDS]
    formulas = [rounded("[places]", end, "[floor]", "[cap]") for end in ends]
    last = first + len(problem.labels) - 1
    tied = f"([upper_places:{first}-{last}]>[lower_places:{first}-{last}])*([order:{first}-{last}]<=[order])"
    quota = f"[lower_places]+([upper_places]>[lower_places])*(SUMPRODUCT({tied})<={total_name(batch)}-{handed})"
    rows = zip(problem.due.tolist(), problem.lower, problem.upper, _places_at(allocation, low),
               _places_at(allocation, high), strict=True)  # fmt: skip
    return [
        {
            "places": places, "floor": floor,
            "cap": Cell(cap, total_name(batch)) if cap == problem.total else cap,
            "lower_places": Cell(under, formulas[0]), "upper_places": Cell(over, formulas[1]), "quota": quota,
        }
        for places, floor, cap, under, over in rows
    ]  # fmt: skip
