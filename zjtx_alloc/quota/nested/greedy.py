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
from collections.abc import Callable, Iterator

import numpy as np

from zjtx_alloc.quota.nested.demand import Demand

_HANDFUL = 64  # of places, few enough to sort
_ROUNDS = 200  # of bisection: more than floats have digits


def exact_places(demand: Demand, total: int) -> np.ndarray | None:
    """The optimal places that the tie rule names, in the tree's order; None if the rules clash."""
    if not demand.tree.admits(demand.lower, demand.upper):
        return None
    places = demand.lower.copy()
    waiting = [(demand, total, places)]
    while waiting:  # groups may lie within each other by the thousand
        waiting.extend(_hand_out(*waiting.pop()))
    return places


def _hand_out(demand: Demand, target: int, places: np.ndarray) -> Iterator[tuple[Demand, int, np.ndarray]]:
    """Give the units in place what they have when all ask for the target at one level; a group held at a bound, which
    has its own, is handed back with its target and its places.
    """
    if (demand.lower == demand.upper).all():
        return
    fewest, places[:], most = _at_one_level(demand, target)
    tree, granted = demand.tree, demand.tree.sums(places)[1]
    free = np.equal(*tree.sums(fewest)) & np.equal(*tree.sums(most))
    below = list(tree.nodes[-1].children)
    while below:
        node = tree.nodes[child := below.pop()]
        if free[child]:
            below.extend(node.children)
        else:
            yield demand.limb(child), granted[child], places[node.start : node.stop]


def _at_one_level(demand: Demand, target: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Places of the units when together they ask for the target.

    Between what they are sure to have at that level and the most that floats leave open. A group that is held at a
    bound by either is to find its own level: what it would be sure to have is more than it may.
    """
    low, high = _bracket(demand, target)
    base, top = demand.count(low, -1), demand.count(high, 1)
    more = top - base
    unit = np.repeat(np.arange(len(base)), more)
    k = base[unit] + 1 + np.arange(len(unit)) - np.repeat(np.cumsum(more) - more, more)
    unit = unit[demand.ordered(unit, k)]

    def with_first(number: int) -> np.ndarray:
        return base + np.bincount(unit[:number], minlength=len(base))

    number = bisect_left(range(len(unit)), target, key=lambda n: demand.tree.sums(with_first(n))[0][-1])
    return base, with_first(number), top


def _bracket(demand: Demand, target: int) -> tuple[float, float]:
    """Two levels, a handful of places apart, between which the units come to ask for the target."""

    def places(level: float) -> tuple[int, np.ndarray]:
        x = demand.count(level)
        return demand.tree.sums(x)[0][-1] - target, x

    low, high = _around(demand, lambda level: places(level)[0])
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


def _around(demand: Demand, missing: Callable[[float], int]) -> tuple[float, float]:
    """Two levels with the one sought between them, found from the typical one outward."""
    free = np.flatnonzero(demand.lower < demand.upper)
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
