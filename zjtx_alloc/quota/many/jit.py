"""The same method one scenario at a time in machine code: the only room that imports numba (extra ``fast``)."""

from typing import Any, NamedTuple

import numba
import numpy as np

from zjtx_alloc.quota.many.block import Setting
from zjtx_alloc.quota.many.costs import NEAR, NONE, SAFE
from zjtx_alloc.quota.many.prices import QUICK, ROUNDS
from zjtx_alloc.quota.problem.numbers import BILLION, EXACT

_TOGETHER = 256  # scenarios that share their scratch arrays
_jit = numba.njit(cache=True, nogil=True, error_model="numpy")
_jit_sums = numba.njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "nsz"})  # of whole numbers


# Rows of the tables in a ``_Scenario``: few arrays, since every call counts its references.
_START, _OWN, _STOP, _FIRST, _PARENT, _FLOOR, _CAP = range(7)
_TIES, _WEIGHT, _LOWER, _UPPER, _PLACES = range(5)
_ASKED, _GRANTED, _SLOPE, _PASSABLE, _DEAREST, _CHEAPEST = range(6)


class _Costs(NamedTuple):
    """``Costs`` in plain numbers."""

    n0: int
    n1: int
    n2: int
    d0: int
    d1: int
    power: int


class _Scenario(NamedTuple):
    """One scenario in work; ``nodes`` is the tree, in whole numbers (the parent of the whole is −1)."""

    nodes: np.ndarray
    units: np.ndarray
    totals: np.ndarray


def fill(setting: Setting, values: np.ndarray, quotas: np.ndarray) -> np.ndarray:
    """Fill in the quotas of every scenario, −1 where there is none; the rows left open are returned."""
    table = setting.tree.nodes
    parent = np.full(len(table), -1)
    for v, node in enumerate(table):
        parent[list(node.children)] = v
    nodes = [(n.start, n.own, n.stop, n.first, parent[v], n.floor, n.cap) for v, n in enumerate(table)]
    costs = _Costs(*setting.costs.numerator, *setting.costs.denominator, setting.costs.power)
    left = np.zeros(len(values), dtype=np.bool_)
    shared = np.array(nodes, dtype=np.int64).T.copy(), setting.units, setting.columns, setting.tree.order
    _fill(shared, costs, values, quotas, left)
    return np.flatnonzero(left)


@numba.njit(cache=True, nogil=True, parallel=True, error_model="numpy")
def _fill(shared: tuple, costs: _Costs, values: np.ndarray, quotas: np.ndarray, left: np.ndarray) -> None:
    nodes, units, columns, order = shared
    for batch in numba.prange((len(values) + _TOGETHER - 1) // _TOGETHER):
        at = _Scenario(nodes, np.empty((5, len(columns))), np.empty((6, nodes.shape[1])))
        at.units[_TIES] = units[2]
        for row in range(batch * _TOGETHER, min((batch + 1) * _TOGETHER, len(values))):
            left[row] = not _read(at, units, values[row], columns)
            if not left[row] and _feasible(at):
                left[row] = not (_spread(at, costs) and _settle(at, costs))
                for i in range(len(order)):
                    quotas[row, order[i]] = np.int64(at.units[_PLACES, i])


@_jit
def _read(at: _Scenario, units: np.ndarray, entitlements: np.ndarray, columns: np.ndarray) -> bool:
    """Round to billionths; whether that is beyond doubt."""
    sure = True
    for i in range(len(columns)):
        product = entitlements[columns[i]] * BILLION
        rounded = np.rint(product)
        sure = sure and rounded < EXACT and abs(product - rounded) + product * 2.0**-51 < 0.5
        at.units[_WEIGHT, i] = max(rounded, 1.0)
        at.units[_LOWER, i] = units[0, i]
        at.units[_UPPER, i] = units[1, i] if rounded > 0 else units[0, i]
    return sure


@_jit
def _feasible(at: _Scenario) -> bool:
    """Whether there is an answer: as in ``many_block``."""
    whole = at.nodes.shape[1] - 1
    _sums(at, _LOWER, whole)
    for v in range(whole + 1):
        if at.totals[_ASKED, v] > at.nodes[_CAP, v] or at.nodes[_FLOOR, v] > at.nodes[_CAP, v]:
            return False
    _sums(at, _UPPER, whole)
    return bool((at.totals[_ASKED] >= at.nodes[_FLOOR]).all())


@_jit_sums
def _sums(at: _Scenario, what: int, top: int) -> None:
    """What every node up to ``top`` is asked for, and what those below it grant."""
    at.totals[_ASKED, at.nodes[_FIRST, top] : top + 1] = 0
    for v in range(at.nodes[_FIRST, top], top + 1):
        total = at.totals[_ASKED, v]
        for i in range(at.nodes[_START, v], at.nodes[_OWN, v]):
            total += at.units[what, i]
        at.totals[_ASKED, v] = total
        if v < top:
            at.totals[_GRANTED, v] = min(max(total, at.nodes[_FLOOR, v]), at.nodes[_CAP, v])
            at.totals[_ASKED, at.nodes[_PARENT, v]] += at.totals[_GRANTED, v]


@_jit
def _spread(at: _Scenario, costs: _Costs) -> bool:
    """Near-best places that sum to the total and keep all bounds: prices downwards, single places upwards."""
    whole = at.nodes.shape[1] - 1
    at.totals[_GRANTED, whole] = at.nodes[_FLOOR, whole]
    at.totals[_ASKED, whole] = -1
    for v in range(whole, -1, -1):
        if at.totals[_ASKED, v] != at.totals[_GRANTED, v]:
            _search(at, costs, v)
    for v in range(whole + 1):
        while at.totals[_ASKED, v] != at.totals[_GRANTED, v]:
            step = 1.0 if at.totals[_ASKED, v] < at.totals[_GRANTED, v] else -1.0
            chosen, _ = _pick(at, costs, v, step > 0)
            if chosen < 0:
                return False
            at.units[_PLACES, chosen] += step
            _sums(at, _PLACES, v)
    return True


@_jit
def _search(at: _Scenario, costs: _Costs, top: int) -> None:
    """Places at a price where ``top`` asks for about what it is granted; as in ``many_prices``."""
    target, units = at.totals[_GRANTED, top], range(at.nodes[_START, top], at.nodes[_STOP, top])
    weights = 0.0
    for i in units:
        weights += at.units[_WEIGHT, i]
    if costs.power:
        price, low, high = target / weights, 0.25 / weights, target + 2.0
    else:
        weights /= BILLION
        price, low, high = (target - weights) / len(units), -weights - 1.0, target + 1.0
    for round_ in range(ROUNDS):
        _answer(at, costs, top, price)
        missing = target - at.totals[_ASKED, top]
        if abs(missing) < min(2.0 ** max(round_ - 2, 0), len(units) + 1):
            break
        if missing > 0:
            low = price
        else:
            high = price
        price += missing / max(at.totals[_SLOPE, top], 1e-300)
        if not low < price < high or (round_ >= QUICK and not round_ % 2):
            price = np.sqrt(low * high) if low > 0 and high > 4 * low else (low + high) / 2


@_jit_sums
def _answer(at: _Scenario, costs: _Costs, top: int, price: float) -> None:
    """Set the places that every unit asks for at a price, the sums and how they grow with the price."""
    first = at.nodes[_FIRST, top]
    at.totals[_ASKED, first : top + 1] = 0
    at.totals[_SLOPE, first : top + 1] = 0
    for v in range(first, top + 1):
        total, slope = at.totals[_ASKED, v], at.totals[_SLOPE, v]
        for i in range(at.nodes[_START, v], at.nodes[_OWN, v]):
            wanted = _count(costs, price, at.units[_WEIGHT, i])
            places = min(max(wanted, at.units[_LOWER, i]), at.units[_UPPER, i])
            at.units[_PLACES, i] = places
            total += places
            slope += (at.units[_WEIGHT, i] if costs.power else 1.0) if places == wanted else 0.0
        at.totals[_ASKED, v], at.totals[_SLOPE, v] = total, slope
        if v < top:
            at.totals[_GRANTED, v] = min(max(total, at.nodes[_FLOOR, v]), at.nodes[_CAP, v])
            at.totals[_ASKED, at.nodes[_PARENT, v]] += at.totals[_GRANTED, v]
            at.totals[_SLOPE, at.nodes[_PARENT, v]] += slope if total == at.totals[_GRANTED, v] else 0.0


@_jit
def _count(costs: _Costs, price: float, weight: float) -> float:
    """As ``many_costs.count``."""
    level = price * weight if costs.power else weight / BILLION + price
    if costs.n2 == 0:
        return np.floor(level * (costs.d0 / costs.n1) - costs.n0 / costs.n1)
    if costs.power == 2:
        level *= level
    half = (level * costs.d1 - costs.n1) / (2 * costs.n2)
    return np.floor(half + np.sqrt(half * half + (level * costs.d0 - costs.n0) / costs.n2))


@_jit
def _cost(costs: _Costs, k: float, weight: float) -> float:
    """As ``many_costs.cost``."""
    if costs.power == 0:
        return (costs.n1 * k + costs.n0) * BILLION - costs.d0 * weight
    if costs.n2 == 0:
        return (k + costs.n0 / costs.n1) / weight
    value = (costs.n2 * k * k + costs.n1 * k + costs.n0) / (costs.d1 * k + costs.d0) / weight
    return value if costs.power == 1 else value / weight


@_jit
def _parts(costs: _Costs, k: Any, weight: Any) -> tuple:
    """As in ``many_costs``: in integers of integers, in floats of floats."""
    if costs.power == 0:
        return (costs.n1 * k + costs.n0) * BILLION - costs.d0 * weight, weight // weight
    below = (costs.d1 * k + costs.d0) * weight
    return costs.n2 * k * k + costs.n1 * k + costs.n0, below if costs.power == 1 else below * weight


@_jit
def _order(costs: _Costs, one: tuple, other: tuple) -> int:
    """−1 if a place (k, weight, rank of the label) comes before another, 1 if after, 2 if unknown."""
    left, right = _cost(costs, one[0], one[1]), _cost(costs, other[0], other[1])
    if abs(left - right) > NEAR * abs(left):
        return -1 if left < right else 1
    size = abs(_parts(costs, one[0], one[1])[0]) * _parts(costs, other[0], other[1])[1]
    if not size * (4 * NEAR) < SAFE:
        return 2
    above, below = _parts(costs, np.int64(one[0]), np.int64(one[1]))
    above_other, below_other = _parts(costs, np.int64(other[0]), np.int64(other[1]))
    difference = above * below_other - above_other * below
    if difference == 0:
        return -1 if one[1] > other[1] or (one[1] == other[1] and one[2] < other[2]) else 1
    return -1 if difference < 0 else 1


@_jit
def _pick(at: _Scenario, costs: _Costs, top: int, up: bool) -> tuple:
    """The first unit under ``top`` that may take a place, or the last that may give one, and its place.

    A node at its cap takes none, one at its floor gives none; −1 if there is no unit, −2 if in doubt.
    """
    best, place = -1, (0.0, 0.0, 0.0)
    for v in range(top, at.nodes[_FIRST, top] - 1, -1):
        room = at.totals[_ASKED, v] < at.nodes[_CAP, v] if up else at.totals[_ASKED, v] > at.nodes[_FLOOR, v]
        at.totals[_PASSABLE, v] = v == top or (room and at.totals[_PASSABLE, at.nodes[_PARENT, v]])
        if at.totals[_PASSABLE, v]:
            for i in range(at.nodes[_START, v], at.nodes[_OWN, v]):
                if at.units[_PLACES, i] < at.units[_UPPER, i] if up else at.units[_PLACES, i] > at.units[_LOWER, i]:
                    own = (at.units[_PLACES, i] + up, at.units[_WEIGHT, i], at.units[_TIES, i])
                    order = -1 if best < 0 else _order(costs, own, place)
                    if order == 2:
                        return -2, place
                    if best < 0 or (order < 0) == up:
                        best, place = i, own
    return best, place


@_jit
def _settle(at: _Scenario, costs: _Costs) -> bool:
    """Exchange single places from the inside out, as in ``many_moves``; False where that is in doubt."""
    at.totals[_DEAREST, :], at.totals[_CHEAPEST, :] = -NONE, NONE
    for v in range(at.nodes.shape[1]):
        dearest, cheapest = at.totals[_DEAREST, v], at.totals[_CHEAPEST, v]
        for i in range(at.nodes[_START, v], at.nodes[_OWN, v]):
            x, lower, upper = at.units[_PLACES, i], at.units[_LOWER, i], at.units[_UPPER, i]
            dearest = max(dearest, _cost(costs, x, at.units[_WEIGHT, i]) if x > lower else -NONE)
            cheapest = min(cheapest, _cost(costs, x + 1, at.units[_WEIGHT, i]) if x < upper else NONE)
        while dearest + abs(dearest) * NEAR >= cheapest:
            giver, given = _pick(at, costs, v, False)
            taker, taken = _pick(at, costs, v, True)
            order = _order(costs, taken, given)
            if giver == -2 or taker == -2 or order == 2:
                return False
            dearest, cheapest = _cost(costs, given[0], given[1]), _cost(costs, taken[0], taken[1])
            if order > 0:
                break
            _move(at, (giver, taker), v)
        if v < at.nodes.shape[1] - 1:
            up = at.nodes[_PARENT, v]
            if at.totals[_ASKED, v] > at.nodes[_FLOOR, v]:
                at.totals[_DEAREST, up] = max(at.totals[_DEAREST, up], dearest)
            if at.totals[_ASKED, v] < at.nodes[_CAP, v]:
                at.totals[_CHEAPEST, up] = min(at.totals[_CHEAPEST, up], cheapest)
    return True


@_jit
def _move(at: _Scenario, move: tuple, top: int) -> None:
    for i, step in ((move[0], -1.0), (move[1], 1.0)):
        at.units[_PLACES, i] += step
        for v in range(at.nodes[_FIRST, top], top):
            if at.nodes[_START, v] <= i < at.nodes[_STOP, v]:
                at.totals[_ASKED, v] += step
