"""A batch's places, live: a divisor method needs no solver, so the total can be changed in the workbook.

Places at a scale are entitlement × scale rounded half up and held within floor and cap; their sum never falls as the
scale grows. The sheet 名额求解 halves an interval of scales again and again; units whose places still differ between its two
ends are tied there, and get what is left in the order of the tie rule, as ``za.solve`` gives it.
"""

from typing import Any

from zjtx_alloc.allocation.allocate import Allocation
from zjtx_alloc.base.messages import say
from zjtx_alloc.budget.plan import BudgetPlan
from zjtx_alloc.report.writers.sheet import FIRST_ROW, Cell, Column, Content, Sheet

HELPERS = ("places", "floor", "cap", "lower_places", "upper_places")  # columns of the firms' sheet beside the quota
_HALVINGS = 46  # to 1.4e-11: finer than entitlements are known, coarser than what LibreOffice's INT rounds away
_WIDEST = 10**3  # where caps bind, the scale is larger than 1
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
    rows: list[dict[str, Content]] = [{"step": number} for number in range(_HALVINGS + 1)]
    for a in live:
        batch = a.scenario.batch
        for end in _ENDS:
            text = say(f"workbook.{end}", batch=say("table.batch", batch=batch))
            columns[f"{end}_{batch}"] = Column(text, "count" if end == "middle_sum" else "plain", 20)
        last = first[batch] + len(a.quota) - 1
        parts = tuple(firms.range(name, first[batch], last) for name in HELPERS[:3])
        for number, (low, high, places) in enumerate(_halved(a)):
            rows[number] |= _halving(batch, number, (low, high, places), parts)
    return Sheet(say("workbook.solver"), columns, rows, note=say("workbook.solver_note"), frozen=1)


def _halved(allocation: Allocation) -> list[tuple[float, float, int]]:
    """Both ends of the interval and the places at its middle, step by step, as the sheet finds them."""
    total, low, high = allocation.scenario.total, 0.0, float(_WIDEST)
    found = []
    for _ in range(_HALVINGS + 1):
        middle = (low + high) / 2
        places = sum(_places_at(allocation, middle))
        found.append((low, high, places))
        low, high = (low, middle) if places >= total else (middle, high)
    return found


def _places_at(allocation: Allocation, scale: float) -> list[int]:
    problem = allocation.problem
    parts = zip(problem.due, problem.lower, problem.upper, strict=True)
    return [min(max(int(places * scale + 0.5), low), high) for places, low, high in parts]


def _halving(batch: int, number: int, found: tuple[float, float, int], parts: tuple[str, ...]) -> dict[str, Content]:
    lower, upper, middle = (f"{end}_{batch}" for end in _ENDS)
    ends: tuple[Content, Content] = found[:2]
    if number:
        above = FIRST_ROW + number - 1
        is_enough = f"[{middle}:{above}]>={total_name(batch)}"
        centre = f"([{lower}:{above}]+[{upper}:{above}])/2"
        ends = (
            Cell(found[0], f"IF({is_enough},[{lower}:{above}],{centre})"),
            Cell(found[1], f"IF({is_enough},{centre},[{upper}:{above}])"),
        )
    places = _scaled(parts, f"([{lower}]+[{upper}])/2")
    centre_sum = Cell(found[2], f"SUMPRODUCT({places})") if number < _HALVINGS else None
    return {lower: ends[0], upper: ends[1], middle: centre_sum}


def _scaled(parts: tuple[str, ...], scale: str) -> str:
    """Places at a scale; clipping is arithmetic, which all spreadsheet programs compute alike within SUMPRODUCT."""
    places, floor, cap = parts
    whole = f"INT({places}*({scale})+0.5)"
    return f"{whole}+({floor}-{whole})*({whole}<{floor})+({cap}-{whole})*({whole}>{cap})"


def quota_cells(allocation: Allocation, solver: Sheet, first: int) -> list[dict[str, Any]]:
    """The cells of a live batch in the firms' sheet, unit by unit: entitlement, floor, cap, both ends, and the formula of its places."""
    problem, batch = allocation.problem, allocation.scenario.batch
    low, high, _ = _halved(allocation)[-1]
    ends = [solver.cell(f"{end}_{batch}", FIRST_ROW + _HALVINGS) for end in _ENDS[:2]]
    formulas = [_scaled(("[places]", "[floor]", "[cap]"), end) for end in ends]
    last = first + len(problem.labels) - 1
    tied = f"([upper_places:{first}-{last}]>[lower_places:{first}-{last}])*([order:{first}-{last}]<=[order])"
    left = f"{total_name(batch)}-SUM([lower_places:{first}-{last}])"
    quota = f"[lower_places]+([upper_places]>[lower_places])*(SUMPRODUCT({tied})<={left})"
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
