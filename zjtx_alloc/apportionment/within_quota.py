"""Balinski and Young's quota method: house monotone, and no unit ever above its upper quota."""

import heapq
import itertools
import math
from fractions import Fraction

import numpy as np

from zjtx_alloc.apportionment.filling import Filled, Tie
from zjtx_alloc.apportionment.weights import Weights
from zjtx_alloc.quota.problem.signposts import Signposts


def fill_within_quota(weights: Weights, seats: int, signposts: Signposts) -> Filled:
    """Give place after place to the unit of largest w/d(k) whose k places stay below its quota rounded up.

    At house size h a unit with a places may have another while a < h·w/Σw, that is from h = ⌊a·Σw/w⌋ + 1 on:
    it waits until then, so each place costs one turn of a heap and not a look at every unit.

    References
    ----------
    Balinski, M. L. & Young, H. P. (1975). The quota method of apportionment. *American Mathematical
    Monthly* 82, 701–730.
    """
    total = weights.total
    exact = [Fraction(weights.exact(i)) for i in range(weights.floats.size)]
    places, given, since = [0] * len(exact), [0] * len(exact), [0] * len(exact)
    waiting = [(1, i) for i, w in enumerate(exact) if w]
    ready: list[tuple[Fraction, int, int]] = []
    for house in range(1, seats + 1):
        while waiting and waiting[0][0] <= house:
            _, i = heapq.heappop(waiting)
            heapq.heappush(ready, (signposts.exact(places[i] + 1) / exact[i], i, house))
        _, i, since[i] = heapq.heappop(ready)
        places[i], given[i] = places[i] + 1, house
        heapq.heappush(waiting, (math.floor(places[i] * total / exact[i]) + 1, i))
    served: dict[Fraction, list[tuple[int, int, int]]] = {}
    for i, k in enumerate(places):
        if k:
            served.setdefault(signposts.exact(k) / exact[i], []).append((given[i], since[i], i))
    return _with_ties(places, ready, served)


def _with_ties(
    places: list[int], ready: list[tuple[Fraction, int, int]], served: dict[Fraction, list[tuple[int, int, int]]]
) -> Filled:
    """Find who was served while an equal claim, still unserved, was ready: any of them could have had it.

    Parameters
    ----------
    ready : list of (cost, unit, house size since which it was ready)
        Claims left over.
    served : cost -> list of (house size when served, house size since which it was ready, unit)
        The last place of each unit.
    """
    certain, ties = np.array(places, dtype=np.int64), []
    for cost in sorted({cost for cost, _, _ in ready} & served.keys()):
        left = [(since, i) for c, i, since in ready if c == cost]
        earliest, houses = min(left)[0], list[int]()
        for house, since, i in sorted(served[cost], reverse=True):
            if house >= earliest:
                houses.append(house)
                left.append((since, i))
                earliest = min(earliest, since)
                certain[i] -= 1
        if houses:
            # Who joins before each house size at which one of the equal claims is served; who joins after the last never is.
            ends = itertools.pairwise([0, *sorted(houses)])
            ties.append(Tie([(sorted(i for since, i in left if a < since <= b), 1) for a, b in ends]))
    return Filled(certain, ties)
