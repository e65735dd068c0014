"""Moving one place from one unit to another under any rules: exact prices, ties, and which bound stands in the way.

Under bounds and nested sums an answer that no single allowed move improves is optimal, and the tie rule's
answer is reached by single moves of equal cost: the feasible answers and the optimal ones among them form
M-convex sets (Murota 2003, Discrete Convex Analysis, theorems 6.26 and 6.30).
"""

from collections.abc import Iterator
from fractions import Fraction

from zjtx_alloc.quota.criteria import BILLION, Minimax, Price
from zjtx_alloc.quota.problem import QuotaProblem
from zjtx_alloc.quota.rows import Row


def _prices(problem: QuotaProblem, places: list[int]) -> tuple[list[Price], list[Price]]:
    """Price of each unit's last and of its next place; None for one that cannot be or is never worth moving.

    Under minimax no move beyond the largest deviation is worth it.
    """
    measure = problem.yardstick
    sums = measure.squares if isinstance(measure, Minimax) else measure
    level = problem.cost(places) if isinstance(measure, Minimax) else Fraction(0)
    last: list[Price] = []
    following: list[Price] = []
    for x, billionths in zip(places, problem.billionths, strict=True):
        e = Fraction(billionths, BILLION)
        fewer, more = bool(e) and x > 0, bool(e)
        if isinstance(measure, Minimax) and e:
            fewer = fewer and measure.deviation(x - 1, e) <= level
            more = measure.deviation(x + 1, e) <= level
        last.append(sums.price(x, e) if fewer else None)
        following.append(sums.price(x + 1, e) if more else None)
    return last, following


def _blockers(problem: QuotaProblem, places: list[int], i: int, j: int) -> list[tuple[str, int | Row]]:
    """What forbids moving a place from i to j: ("floor", i), ("cap", j) or ("row", row)."""
    found: list[tuple[str, int | Row]] = []
    if places[i] <= problem.lower[i]:
        found.append(("floor", i))
    if places[j] >= problem.upper[j]:
        found.append(("cap", j))
    for row in problem.rows:
        step = row.weight(j) - row.weight(i)
        if step and not row.lower <= row.value(places) + step <= row.upper:
            found.append(("row", row))
    return found


def _moves(problem: QuotaProblem, places: list[int]) -> Iterator[tuple[bool, int, int]]:
    """Every move that would do no harm, as (is better, from, to), allowed or not."""
    last, following = _prices(problem, places)
    for i in problem.order:
        for j in problem.order:
            if i != j and last[i] is not None and following[j] is not None and following[j] <= last[i]:
                yield following[j] < last[i], i, j


def _prefers(problem: QuotaProblem, i: int, j: int) -> bool:
    """Whether the tie rule gives j the place rather than i."""
    return problem.rank[j] < problem.rank[i]


def improving_move(problem: QuotaProblem, places: list[int]) -> tuple[int, int] | None:
    """A move (from, to) that is allowed and strictly better; None proves optimality if nested."""
    for better, i, j in _moves(problem, places):
        if better and not _blockers(problem, places, i, j):
            return i, j
    return None


def polished(problem: QuotaProblem, places: list[int]) -> list[int]:
    """Make every allowed improving move, then every allowed move of equal cost that the tie rule prefers."""
    places = list(places)
    while (move := improving_move(problem, places) or _preferred_move(problem, places)) is not None:
        places[move[0]] -= 1
        places[move[1]] += 1
    return places


def _preferred_move(problem: QuotaProblem, places: list[int]) -> tuple[int, int] | None:
    for better, i, j in _moves(problem, places):
        if not better and _prefers(problem, i, j) and not _blockers(problem, places, i, j):
            return i, j
    return None


def tied_sets(problem: QuotaProblem, places: list[int]) -> list[list[int]]:
    """Sets of units among which a place could move at no cost, as far as moves of one place show."""
    sets: list[set[int]] = []
    for better, i, j in _moves(problem, places):
        if not better and not _blockers(problem, places, i, j):
            touching = [s for s in sets if s & {i, j}]
            sets = [s for s in sets if s not in touching] + [set().union({i, j}, *touching)]
    return [sorted(s) for s in sets]


def binding(problem: QuotaProblem, places: list[int]) -> dict[str, list[str]]:
    """What holds each unit where it is.

    Returns
    -------
    dict
        By label: "floor", "cap" and names of groups and rules such that, with that one bound alone
        lifted, a single move to or from the unit would be better (or equal and preferred). Exact
        under nested rules; with crossing rules it names single moves only.
    """
    found: dict[str, list[str]] = {label: [] for label in problem.labels}
    for better, i, j in _moves(problem, places):
        blockers = _blockers(problem, places, i, j)
        if len(blockers) != 1 or not (better or _prefers(problem, i, j)):
            continue
        kind, what = blockers[0]
        held = [k for k in (i, j) if what.weight(k)] if isinstance(what, Row) else [what]
        name = what.name if isinstance(what, Row) else kind
        for k in held:
            if name not in found[problem.labels[k]]:
                found[problem.labels[k]].append(name)
    return found
