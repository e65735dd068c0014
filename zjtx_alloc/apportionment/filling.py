"""Places to the cheapest rungs of a ladder within bounds: floats find the boundary, fractions settle it.

No table of units by places: only each unit's next and last place are ever priced.
"""

import itertools
import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from zjtx_alloc.apportionment.ladders import Ladder

_FEW = 4  # moves that are quicker one by one


class Tie(NamedTuple):
    """Units with exactly equal claims, by position, and how many of them get one place more."""

    #: List of (units, places): Who joins those that wait, and how many of all who then wait get a place; more than
    #: one round only where a claim counts from some house size on.
    rounds: list[tuple[list[int], int]]

    @property
    def units(self) -> list[int]:
        """All units that tie."""
        return sorted(i for joining, _ in self.rounds for i in joining)

    @property
    def places(self) -> int:
        """All places open among them."""
        return sum(places for _, places in self.rounds)

    def among(self, positions: np.ndarray) -> "Tie":
        """The same, where unit i stands at the i-th of these positions."""
        return Tie([(positions[joining].tolist(), places) for joining, places in self.rounds])

    def first(self, rank: Callable[[int], int]) -> list[int]:
        """The units that get the places if in every round the lowest ranks do."""
        chosen, waiting = list[int](), list[int]()
        for joining, places in self.rounds:
            waiting = sorted([*waiting, *joining], key=rank)
            chosen, waiting = [*chosen, *waiting[:places]], waiting[places:]
        return chosen


class Filled(NamedTuple):
    """The places that every cheapest choice agrees on, by position, and the ties over the rest, if any."""

    places: np.ndarray
    ties: list[Tie]


class _Bounded(NamedTuple):
    """A ladder seen between floors and caps: floats all, since they are compared and clipped in bulk."""

    ladder: Ladder
    lower: np.ndarray | None
    upper: np.ndarray | None

    def taken(self, price: float) -> np.ndarray:
        """Places taken at the price, within the bounds."""
        places = self.ladder.count(price)
        if self.lower is not None or price < 0:
            places = np.maximum(places, self.floors, out=places)
        return places if self.upper is None else np.minimum(places, self.upper, out=places)

    @property
    def floors(self) -> np.ndarray | float:
        """Least places."""
        return 0.0 if self.lower is None else self.lower

    def above(self, places: np.ndarray) -> np.ndarray:
        """Cost of each unit's next place; infinite at its cap."""
        cost = self.ladder.cost(places + 1)
        if self.upper is not None:
            cost[places >= self.upper] = math.inf
        return cost

    def below(self, places: np.ndarray) -> np.ndarray:
        """Cost of each unit's last place; −∞ at its floor."""
        if self.lower is None and places.item(places.argmin()) > 0:
            return self.ladder.cost(places)
        cost = self.ladder.cost(np.maximum(places, 1))
        cost[places <= self.floors] = -math.inf
        return cost


def fill(ladder: Ladder, seats: int, lower: np.ndarray | None, upper: np.ndarray | None) -> Filled:
    """Give the cheapest places beyond the floors (None: zero) until the seats are used up.

    Exact because each unit's costs rise: the cheapest places at each unit are its first ones (Federgruen &
    Groenevelt 1986). The bounds must admit the sum.
    """
    bounded = _Bounded(ladder, lower, upper)
    price, low, high = ladder.opening(seats), -math.inf, math.inf
    while True:
        places, gap = _near(bounded, seats, price, low, high)
        above, below = _moved(bounded, places, gap)
        first, last = above.item(above.argmin()), below.item(below.argmax())
        slack = ladder.tolerance(last) if last > -math.inf else 0.0
        if first > last + 2 * slack:
            return Filled(places.astype(np.int64), [])
        if first >= last - slack:
            return _settled(
                ladder, places, np.flatnonzero(below >= first - 2 * slack), np.flatnonzero(above <= last + 2 * slack)
            )
        low, high = max(low, first), min(high, last)
        price = _between(low, high)


def _near(bounded: _Bounded, seats: int, price: float, low: float, high: float) -> tuple[np.ndarray, int]:
    """Places at some price, and their gap to the seats, at most one place per unit.

    Newton's steps, of which every third is a halving of the bracket, since units at their bounds deceive.
    """
    for turn in itertools.count():
        places = bounded.taken(price)
        gap = seats - int(places.sum())
        if abs(gap) <= places.size:
            break
        low, high = (price, high) if gap > 0 else (low, price)
        inside = places > bounded.floors
        if bounded.upper is not None:
            inside &= places < bounded.upper
        step = gap / (bounded.ladder.slope(inside) or math.inf)
        price += step
        if not step or turn % 3 == 2 or not low < price < high:
            price = _between(low, high)
    return places, gap


def _between(low: float, high: float) -> float:
    """The mean; the geometric one across magnitudes; beyond the one end if the other is not known."""
    if math.isinf(low):
        return high - 3 * abs(high) - 1
    if math.isinf(high):
        return low + 3 * abs(low) + 1
    return math.sqrt(low) * math.sqrt(high) if 0 < 4 * low < high else (low + high) / 2


def _moved(bounded: _Bounded, places: np.ndarray, gap: int) -> tuple[np.ndarray, np.ndarray]:
    """Close the gap in place: the cheapest next places in, or the dearest last places out.

    Returns the costs of the next and of the last places after that.
    """
    above, below = bounded.above(places), bounded.below(places)
    while abs(gap) > _FEW:
        moves = abs(gap)
        chosen = np.argpartition(above, moves - 1)[:moves] if gap > 0 else np.argpartition(below, -moves)[-moves:]
        chosen = chosen[np.isfinite((above if gap > 0 else below)[chosen])]
        places[chosen] += 1 if gap > 0 else -1
        above, below = bounded.above(places), bounded.below(places)
        gap += -chosen.size if gap > 0 else chosen.size
    for _ in range(gap):
        i = int(above.argmin())
        places[i] = k = places.item(i) + 1
        below[i] = above[i]
        at_cap = bounded.upper is not None and k >= bounded.upper[i]
        above[i] = math.inf if at_cap else bounded.ladder.cost(k + 1, i)
    for _ in range(-gap):
        i = int(below.argmax())
        places[i] = k = places.item(i) - 1
        above[i] = below[i]
        at_floor = k <= (0 if bounded.lower is None else bounded.lower[i])
        below[i] = -math.inf if at_floor else bounded.ladder.cost(k, i)
    return above, below


def _settled(ladder: Ladder, places: np.ndarray, last: np.ndarray, following: np.ndarray) -> Filled:
    """Take back the last places that floats cannot distinguish from the next ones, and give them out by fractions."""
    certain = places.astype(np.int64)
    rungs = [(ladder.exact(i, int(certain[i])), i) for i in last.tolist()]
    rungs += [(ladder.exact(i, int(certain[i]) + 1), i) for i in following.tolist()]
    rungs.sort()
    certain[last] -= 1
    boundary = rungs[len(last) - 1][0] if len(last) else None
    sure = [i for cost, i in rungs if boundary is not None and cost < boundary]
    equal = [i for cost, i in rungs if cost == boundary]
    certain[sure] += 1
    left = len(last) - len(sure)
    if left == len(equal):
        certain[equal] += 1
        return Filled(certain, [])
    return Filled(certain, [Tie([(equal, left)])])
