"""The tie rule where rules cross: single moves may not reach its answer, so unit by unit more places are tried.

The prices of the LP leave most units one number of places in any answer of equal cost (reduced costs): only the others
are solved for, and only where bounds leave them room.
"""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pandas as pd

from zjtx_alloc.quota.crossing.exchange import polished
from zjtx_alloc.quota.crossing.lagrangian_bound import Leeway, leeway
from zjtx_alloc.quota.crossing.model import solve_model
from zjtx_alloc.quota.problem.problem import QuotaProblem


def largest_in_order(problem: QuotaProblem, places: list[int], guide: Sequence[float]) -> list[int]:
    """Of the answers that cost no more than these places the lexicographically largest in the tie order.

    Each try is solved and compared by its exact cost; one that is cheaper by less than the solver can see starts anew.

    Parameters
    ----------
    guide : sequence of float
        Prices of the LP, as of ``leeway``.
    """
    room = leeway(problem, guide, problem.cost(places))
    for i in problem.order:
        while places[i] < room.high[i]:
            found, saved = _with_more(problem, room, i, places)
            if saved > 0:
                return largest_in_order(problem, polished(problem, found), guide)
            if found == places:
                break
            places = found
        room.low[i] = room.high[i] = places[i]
    return places


def _with_more(problem: QuotaProblem, room: Leeway, i: int, places: list[int]) -> tuple[list[int], Fraction]:
    """Places that cost no more and give unit i more, and what they save; the same places if there are none."""
    low = list(room.low)
    low[i] = places[i] + 1
    free = [j for j in range(len(low)) if j == i or low[j] < room.high[j]]
    part = _part(problem, room, low, free)
    if part is None:
        return places, Fraction(0)
    before = part.cost([places[j] for j in free])
    answer = solve_model(part, cutoff=before)
    if answer is None:
        return places, Fraction(0)
    inner = polished(part, answer.places)
    saved = before - part.cost(inner)
    if saved < 0:
        return places, Fraction(0)
    found = np.array(places)
    found[free] = inner
    return found.tolist(), saved


def _part(problem: QuotaProblem, room: Leeway, low: list[int], free: list[int]) -> QuotaProblem | None:
    """The problem of the free units alone; None if bounds leave it no answer."""
    position = {j: at for at, j in enumerate(free)}
    rows = [row.among(position, low) for row in room.rows]
    whole = problem.whole.among(position, low)
    floors, caps = ([ends[j] for j in free] for ends in (low, room.high))
    for row in (whole, *rows):
        least, most = row.span(floors, caps)
        if least > row.upper or most < row.lower:
            return None
    due = problem.entitlement.iloc[free]
    floor, cap = (pd.Series(ends, due.index) for ends in (floors, caps))
    part = QuotaProblem(whole.lower, due, floor, cap, criterion=problem.criterion)
    part.__dict__["rows"] = [row for row in rows if row.terms]  # as integers, which a rule need not be short enough for
    return part
