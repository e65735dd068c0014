"""The bounded entitlement (有界理论名额): the problem's optimum in real numbers, exactly.

Minimises Σ (x − d)²/e under the total, bounds, groups and rules; d is what is wanted, the entitlement e itself if
nothing else is said. At a price λ a unit takes d + λ·e within its bounds, a nested group what its members
take within its own: piecewise linear in λ, so the level at which all is handed out is a fraction. Where
rules cross, floats guess which bounds hold, places are solved for in fractions and proven by a lower bound.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np

from zjtx_alloc.base.errors import InfeasibleError, SolverError
from zjtx_alloc.base.messages import say
from zjtx_alloc.quota.nested.least_squares import least
from zjtx_alloc.quota.problem.problem import QuotaProblem
from zjtx_alloc.quota.problem.rule_tree import Node, Row, Tree, priced

_Curve = list[tuple[Fraction, Fraction]]  # (λ, places), rising; level before the first and after the last
_CLOSE = 1e-5  # of a place, in the guess
_GAP = Fraction(1, 10**9)  # to a lower bound on the cost; the places are then as near to the optimum as √(gap × e)


@dataclass(frozen=True)
class Wanted:
    """What a problem in real numbers asks: places wanted and weights e by position, and bounds, which may be fractions."""

    places: tuple[Fraction, ...]
    weights: tuple[Fraction, ...]
    lower: tuple[Fraction, ...]
    upper: tuple[Fraction, ...]


def wanted_of(problem: QuotaProblem) -> Wanted:
    """The entitlements themselves beside the base, within the problem's own bounds."""
    due = tuple(problem.exact)
    places = tuple(e + base for e, base in zip(due, problem.base.to_list(), strict=True))
    lower, upper = (tuple(Fraction(x) for x in bounds) for bounds in (problem.lower, problem.upper))
    return Wanted(places, due, lower, upper)


def bounded_entitlement(problem: QuotaProblem, wanted: Wanted | None = None) -> list[Fraction]:
    """Real places by position that sum to the total, keep every rule and are closest to what is wanted; exact.

    Raises
    ------
    InfeasibleError
        If no real places keep the rules.
    SolverError
        If rules cross and the optimum could not be proven.
    """
    wanted = wanted or wanted_of(problem)
    for label, low, high in zip(problem.labels, wanted.lower, wanted.upper, strict=True):
        if low > high:
            raise InfeasibleError(say("quota.floor_above_cap", label=problem.name(label), floor=low, cap=high))
    return _proven(problem, wanted) if problem.tree is None else _handed_out(problem.tree, wanted)


def _handed_out(tree: Tree, wanted: Wanted) -> list[Fraction]:
    """Each set's places handed out to its units and the sets below it: what they take at the level where all take those."""
    units = [_unit(i, wanted) for i in tree.order.tolist()]
    inside, curves = list[_Curve](), list[_Curve]()  # of each set, before its own bounds and within them
    for node in tree.nodes:
        inside.append(_sum(node, [*units[node.start : node.own], *(curves[child] for child in node.children)]))
        curves.append(_bounded(node, inside[-1]))
    targets = [Fraction(node.floor) for node in tree.nodes]  # that of the whole is the total
    places = [Fraction(0)] * len(units)
    for v, node in reversed(list(enumerate(tree.nodes))):
        level = _level(inside[v], targets[v])
        for at in range(node.start, node.own):
            places[tree.order[at]] = _at(units[at], level)
        for child in node.children:
            targets[child] = _at(curves[child], level)
    return places


def _unit(i: int, wanted: Wanted) -> _Curve:
    e, d, low, high = wanted.weights[i], wanted.places[i], wanted.lower[i], wanted.upper[i]
    return [((low - d) / e, low), ((high - d) / e, high)] if e and low < high else [(Fraction(0), low)]


def _sum(node: Node, parts: list[_Curve]) -> _Curve:
    """What the parts of a set take together."""
    levels = sorted({level for part in parts for level, _ in part})
    total = [(level, sum((_at(part, level) for part in parts), Fraction(0))) for level in levels]
    if not total or total[0][1] > node.cap or total[-1][1] < node.floor:
        raise InfeasibleError(say("quota.infeasible", rules=node.name))
    return total


def _bounded(node: Node, inside: _Curve) -> _Curve:
    """A curve within a set's bounds, with corners where it meets them."""
    low, high = Fraction(node.floor), Fraction(node.cap)
    ends = {_level(inside, end) for end in (low, high) if inside[0][1] < end < inside[-1][1]}
    return [
        (level, min(max(_at(inside, level), low), high)) for level in sorted(ends.union(level for level, _ in inside))
    ]


def _at(curve: _Curve, level: Fraction) -> Fraction:
    """Places at a level."""
    if level <= curve[0][0]:
        return curve[0][1]
    for (a, x), (b, y) in pairwise(curve):
        if level <= b:
            return x + (y - x) * (level - a) / (b - a)
    return curve[-1][1]


def _level(curve: _Curve, places: Fraction) -> Fraction:
    """A level at which a curve gives these places."""
    for (a, x), (b, y) in pairwise(curve):
        if x <= places <= y and x < y:
            return a + (b - a) * (places - x) / (y - x)
    return curve[0][0] if places <= curve[0][1] else curve[-1][0]


def _proven(problem: QuotaProblem, wanted: Wanted) -> list[Fraction]:
    """The optimum where rules cross: guessed in floats, solved in fractions, proven by prices."""
    guess = _guess(problem, wanted)
    rows = [problem.whole, *problem.rows]
    sides = [_side(float(row.value(guess.tolist())), row.lower, row.upper) for row in rows]
    at = [_side(x, float(low), float(high)) for x, low, high in zip(guess, wanted.lower, wanted.upper, strict=True)]
    _, slopes = _paid(rows, _prices(rows, sides, at, wanted))
    places = [_placed(i, side, slopes[i], wanted) for i, side in enumerate(at)]
    kept = all(row.lower <= row.value(places) <= row.upper for row in rows)
    inside = all(low <= x <= high for x, low, high in zip(places, wanted.lower, wanted.upper, strict=True))
    if not (kept and inside and _cost(places, wanted) - _bound(rows, sides, places, wanted) <= _GAP):
        raise SolverError(say("solver.unproven"))
    return places


def _paid(rows: list[Row], prices: list[Fraction]) -> tuple[Fraction, list[Fraction]]:
    """As ``priced``, where a row has one price: of its lower bound if positive, else of its upper one."""
    sides = [side for price in prices for side in (max(price, Fraction(0)), min(price, Fraction(0)))]
    return priced(rows, sides, len(rows[0].terms))  # the first is the total: every unit has a term


def _cost(places: Sequence[Fraction], wanted: Wanted) -> Fraction:
    return sum(
        ((x - d) ** 2 / e for x, d, e in zip(places, wanted.places, wanted.weights, strict=True) if e), Fraction(0)
    )


def _bound(rows: list[Row], sides: list[int], places: list[Fraction], wanted: Wanted) -> Fraction:
    """A lower bound on the cost of any real places, from the prices that suit these best; exact by weak duality."""
    earned, slopes = _paid(rows, _suiting(rows, sides, places, wanted))
    best = [
        min(max(d + e * slope, low), high)
        for d, e, slope, low, high in zip(
            wanted.places, wanted.weights, slopes, wanted.lower, wanted.upper, strict=True
        )
    ]
    paid = sum((2 * slope * x for slope, x in zip(slopes, best, strict=True)), Fraction(0))
    return _cost(best, wanted) - paid + 2 * earned


def _suiting(rows: list[Row], sides: list[int], places: list[Fraction], wanted: Wanted) -> list[Fraction]:
    """Prices of tight rows under which these places come closest to what each unit would choose."""
    tight = [r for r, side in enumerate(sides) if side]
    matrix, ends = [], []
    for i, (x, e) in enumerate(zip(places, wanted.weights, strict=True)):
        low, high = wanted.lower[i], wanted.upper[i]
        if not e or low == high:
            continue
        line, slope = [float(rows[r].weight(i)) for r in tight], float((x - wanted.places[i]) / e)
        for sign, free in ((1.0, x < high), (-1.0, x > low)):
            if free:  # could take more: is not paid more than it costs; could give back: is not paid less
                matrix.append([*(sign * w for w in line), -1.0])
                ends.append(sign * slope)
    signs = np.array(
        [*({-1: (0, np.inf), 1: (-np.inf, 0), 2: (-np.inf, np.inf)}[sides[r]] for r in tight), (0, np.inf)]
    )
    cost, below = np.append(np.zeros(len(tight)), 1.0), np.full(len(ends), -np.inf)
    found = least(cost, tuple(signs.T), np.array(matrix).reshape(-1, len(cost)), (below, np.array(ends)))
    prices = dict(zip(tight, found, strict=False))
    return [Fraction(prices.get(r, 0)) for r in range(len(rows))]


def _guess(problem: QuotaProblem, wanted: Wanted) -> np.ndarray:
    e = np.array([max(float(w), 1e-9) for w in wanted.weights])
    d, low, high = (np.array([float(x) for x in xs]) for xs in (wanted.places, wanted.lower, wanted.upper))
    rows = [problem.whole, *problem.rows]
    ends = np.array([(row.lower, row.upper) for row in rows], dtype=float)
    matrix = np.array([[row.weight(i) for i in range(len(e))] for row in rows], dtype=float)
    return least(-2 * d / e, (low, high), matrix, tuple(ends.T), 1 / e)


def _side(value: float, low: float, high: float) -> int:
    """Which bound a value is at: −1 lower, 1 upper, 2 both, 0 neither."""
    at = (value <= low + _CLOSE, value >= high - _CLOSE)
    return {(True, True): 2, (True, False): -1, (False, True): 1, (False, False): 0}[at]


def _placed(i: int, side: int, slope: Fraction, wanted: Wanted) -> Fraction:
    if side == 0 and wanted.weights[i]:
        return wanted.places[i] + slope * wanted.weights[i]
    return wanted.upper[i] if side == 1 else wanted.lower[i]


def _prices(rows: list[Row], sides: list[int], at: list[int], wanted: Wanted) -> list[Fraction]:
    """Prices that put every tight row on its bound, 0 for the others and for rows that follow from tight ones."""
    free = [i for i, side in enumerate(at) if side == 0 and wanted.weights[i]]
    tight = [r for r, side in enumerate(sides) if side]
    ahead = [_placed(i, side, Fraction(0), wanted) for i, side in enumerate(at)]
    system = []
    for row, side in ((rows[r], sides[r]) for r in tight):
        weights = [row.weight(i) * wanted.weights[i] for i in free]
        line = [sum((w * rows[s].weight(i) for i, w in zip(free, weights, strict=True)), Fraction(0)) for s in tight]
        system.append([*line, Fraction(row.upper if side == 1 else row.lower) - row.value(ahead)])
    solved = dict(zip(tight, _solved(system), strict=True))
    return [solved.get(r, Fraction(0)) for r in range(len(rows))]


def _solved(system: list[list[Fraction]]) -> list[Fraction]:
    """A solution of a square system with a symmetric matrix, by elimination; what is left undetermined is 0."""
    size, pivots = len(system), dict[int, int]()
    rows = [list(row) for row in system]
    for column in range(size):
        pivot = next((r for r in range(size) if r not in pivots.values() and rows[r][column]), None)
        if pivot is None:
            continue
        pivots[column] = pivot
        rows[pivot] = [x / rows[pivot][column] for x in rows[pivot]]
        for r in range(size):
            if r != pivot and rows[r][column]:
                rows[r] = [x - rows[r][column] * p for x, p in zip(rows[r], rows[pivot], strict=True)]
    return [rows[pivots[c]][-1] if c in pivots else Fraction(0) for c in range(size)]
