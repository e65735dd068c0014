"""The exact engine: places one by one, the cheapest first, under bounds and nested groups.

At a level of prices a unit asks for its places below it, within its bounds; a group grants the sum of what
its children ask for, within its own. The level at which the whole asks for the total is found in floats, to
within a handful of places; which of these are handed out is decided by exact prices and the tie rule. A
group held at a bound then finds a level of its own. Handing out the cheapest place that the rules allow is
optimal because nested bounds on sums make a generalised polymatroid (Federgruen & Groenevelt 1986, The
greedy procedure for resource allocation problems, Oper. Res. 34; Hochbaum 1994, Lower and upper bounds for
the allocation problem and other nonlinear optimization problems, Math. Oper. Res. 19).
"""

from bisect import bisect_left
from collections.abc import Callable

import numpy as np

from zjtx_alloc.quota.nested.demand import Demand
from zjtx_alloc.quota.problem.rule_tree import Tree

_HANDFUL = 64  # of places, few enough to sort
_ROUNDS = 200  # of bisection: more than floats have digits


def exact_places(demand: Demand, total: int) -> np.ndarray | None:
    """The optimal places that the tie rule names, in the tree's order; None if the rules clash."""
    tree = demand.tree
    if not tree.admits(demand.lower, demand.upper):
        return None
    places = demand.lower.copy()
    waiting = [(len(tree.nodes) - 1, total)]
    while waiting:
        v, target = waiting.pop()
        node = tree.nodes[v]
        fewest, places[node.start : node.stop], most = _handed_out(demand, v, target)
        granted = tree.sums(v, places[node.start : node.stop])[1]
        free = _free(tree, v, fewest) & _free(tree, v, most)
        below = list(node.children)
        while below:
            child = below.pop()
            if free[child - node.first]:
                below.extend(tree.nodes[child].children)
            else:
                waiting.append((child, granted[child - node.first]))
    return places


def _free(tree: Tree, v: int, places: np.ndarray) -> np.ndarray:
    """Which nodes from the first descendant of v to v are granted what they ask for."""
    return np.equal(*tree.sums(v, places))


def _handed_out(demand: Demand, v: int, target: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Places of the units of node v when it asks for the target: all at one level, but for groups held at a bound.

    Between what they are sure to have at that level and the most that floats leave open. A group that is held at a
    bound by either is to find its own level: what it would be sure to have is more than it may.
    """
    node = demand.tree.nodes[v]
    units = slice(node.start, node.stop)
    if (demand.lower[units] == demand.upper[units]).all():
        return (demand.lower[units],) * 3
    low, high = _bracket(demand, v, target)
    base, top = demand.count(units, low, -1), demand.count(units, high, 1)
    more = top - base
    unit = np.repeat(np.arange(node.stop - node.start), more)
    k = base[unit] + 1 + np.arange(len(unit)) - np.repeat(np.cumsum(more) - more, more)
    unit = unit[demand.ordered(unit + node.start, k)]

    def with_first(number: int) -> np.ndarray:
        return base + np.bincount(unit[:number], minlength=len(base))

    number = bisect_left(range(len(unit)), target, key=lambda n: demand.tree.sums(v, with_first(n))[0][-1])
    return base, with_first(number), top


def _bracket(demand: Demand, v: int, target: int) -> tuple[float, float]:
    """Two levels, a handful of places apart, between which node v comes to ask for the target."""
    node = demand.tree.nodes[v]
    units = slice(node.start, node.stop)

    def places(level: float) -> tuple[int, np.ndarray]:
        x = demand.count(units, level)
        return demand.tree.sums(v, x)[0][-1] - target, x

    low, high = _around(demand, units, lambda level: places(level)[0])
    (below, fewer), (above, more) = places(low), places(high)
    for turn in range(_ROUNDS):
        if (more - fewer).sum() <= _HANDFUL or high - low <= 1e-14 * max(abs(low), abs(high)):
            break
        # The rule of false position, and every third time the middle.
        share = 0.5 if turn % 3 == 2 or above == below else (0.5 - below) / (above - below)
        level = low + (high - low) * min(max(share, 1e-3), 1 - 1e-3)
        missing, x = places(level)
        if missing < 0:
            low, below, fewer = level, missing, x
        else:
            high, above, more = level, missing, x
    return low, high


def _around(demand: Demand, units: slice, missing: Callable[[float], int]) -> tuple[float, float]:
    """Two levels with the one sought between them, found from the typical one outward."""
    free = units.start + np.flatnonzero(demand.lower[units] < demand.upper[units])
    least = float(demand.levels(free, demand.lower[free] + 1).min())
    most = float(demand.levels(free, demand.upper[free]).max())
    some = free[:: len(free) // 100 + 1]
    near = np.clip(np.rint(demand.due[some]), demand.lower[some] + 1, demand.upper[some]).astype("int64")
    low = high = float(np.median(demand.levels(some, near)))
    step = 0.02 * abs(low) + 1e-12 * (most - least)
    while low > least and missing(low) > 0:
        low, high, step = max(low - step, least), low, 8 * step
    while high < most and missing(high) < 0:
        low, high, step = high, min(high + step, most), 8 * step
    return low, high
