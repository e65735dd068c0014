"""Moving one place from one unit to another: exact costs, ties, and which bound stands in the way.

Taking the x-th place from unit i saves (2x_i − 1)/e_i, giving one more to unit j costs
(2x_j + 1)/e_j. Under bounds and nested sums an answer that no single allowed move improves is optimal,
and the tie rule's answer is reached by single moves of equal cost: the feasible answers and the optimal
ones among them form M-convex sets (Murota 2003, Discrete Convex Analysis, theorems 6.26 and 6.30).
"""

from collections.abc import Iterator

from zjtx_alloc.quota.problem import QuotaProblem, Row


def _balance(problem: QuotaProblem, places: list[int], i: int, j: int) -> int:
    """Sign of the change in cost when a place moves from i to j: negative is better. Exact."""
    e = problem.billionths
    return (2 * places[j] + 1) * e[i] - (2 * places[i] - 1) * e[j]


def _blockers(problem: QuotaProblem, places: list[int], i: int, j: int) -> list[tuple[str, int | Row]]:
    """What forbids moving a place from i to j: ("floor", i), ("cap", j) or ("row", row)."""
    found: list[tuple[str, int | Row]] = []
    if places[i] <= problem.lower[i]:
        found.append(("floor", i))
    if places[j] >= problem.upper[j]:
        found.append(("cap", j))
    for row in problem.rows:
        step = row.weights[j] - row.weights[i]
        if step and not row.lower <= row.value(places) + step <= row.upper:
            found.append(("row", row))
    return found


def _moves(problem: QuotaProblem, places: list[int]) -> Iterator[tuple[int, int, int]]:
    """Every move that would do no harm, as (balance, from, to), allowed or not."""
    active = [i for i in problem.order if problem.billionths[i]]
    for i in active:
        for j in active:
            if i != j and places[i] > 0 and (balance := _balance(problem, places, i, j)) <= 0:
                yield balance, i, j


def _prefers(problem: QuotaProblem, i: int, j: int) -> bool:
    """Whether the tie rule gives j the place rather than i."""
    return problem.rank[j] < problem.rank[i]


def improving_move(problem: QuotaProblem, places: list[int]) -> tuple[int, int] | None:
    """A move (from, to) that is allowed and strictly better; None proves optimality if nested."""
    for balance, i, j in _moves(problem, places):
        if balance < 0 and not _blockers(problem, places, i, j):
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
    for balance, i, j in _moves(problem, places):
        if balance == 0 and _prefers(problem, i, j) and not _blockers(problem, places, i, j):
            return i, j
    return None


def tied_sets(problem: QuotaProblem, places: list[int]) -> tuple[tuple[str, ...], ...]:
    """Sets of units among which a place could move at no cost: where the tie rule decided."""
    sets: list[set[int]] = []
    for balance, i, j in _moves(problem, places):
        if balance == 0 and not _blockers(problem, places, i, j):
            touching = [s for s in sets if s & {i, j}]
            sets = [s for s in sets if s not in touching] + [set().union({i, j}, *touching)]
    return tuple(tuple(problem.labels[i] for i in sorted(s)) for s in sets)


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
    for balance, i, j in _moves(problem, places):
        blockers = _blockers(problem, places, i, j)
        if len(blockers) != 1 or (balance == 0 and not _prefers(problem, i, j)):
            continue
        kind, what = blockers[0]
        held = [k for k in (i, j) if what.weights[k]] if isinstance(what, Row) else [what]
        name = what.name if isinstance(what, Row) else kind
        for k in held:
            if name not in found[problem.labels[k]]:
                found[problem.labels[k]].append(name)
    return found
