"""A proof by cases where rules cross: a tree of splits, each end of it settled by prices alone; in integers, by no solver.

Each case is a box of bounds on the units. Prices on the rules give a lower bound on what answers within it cost, and
show which places no answer can have that is cheap enough (reduced costs); what is left is split in two at a number of
places of one unit. A case ends where its bound reaches the cost to be proven, or where prices show that its box keeps
no answer at all (Farkas 1902). Costs and prices are whole multiples of a fine grid, costs rounded down, so every bound
is exact and on the safe side (Neumaier & Shcherbina 2004, Mathematical Programming A 99, in fixed point).
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from itertools import accumulate

from zjtx_alloc.quota.crossing.chords import curves_of
from zjtx_alloc.quota.problem.numbers import is_count, is_finite
from zjtx_alloc.quota.problem.problem import QuotaProblem

Box = tuple[list[int], list[int]]  # fewest and most places by position

_FINE = 2**44  # parts of a unit of cost, made finer by the number of units and the largest weight of a row


@dataclass(frozen=True)
class Case:
    """One box of the tree, named by its prices; cases follow one another depth first."""

    #: Of a place, then of each row: above zero of its lower bound, below zero of its upper.
    prices: tuple[float, ...]
    #: The next case has at most these places of the unit, the one after all of its own has more; None at an end.
    split: tuple[int, int] | None = None
    empty: bool = False  #: Whether the prices show that no answer lies in the box, rather than what answers cost.


@dataclass(frozen=True)
class Ladders:
    """The costs of a problem within a box, in parts of a fine grid and rounded down; what prices say of smaller boxes.

    Parameters
    ----------
    priced : bool
        False where only the rules count: then every answer costs nothing.
    """

    problem: QuotaProblem
    box: Box
    priced: bool = True

    @cached_property
    def fine(self) -> int:
        """Parts that a unit of cost has."""
        return _FINE * len(self.problem.labels) * max((row.largest_weight for row in self.problem.rows), default=1)

    @cached_property
    def slopes(self) -> list[list[int]]:
        """By unit, the cost of each place beyond the box's fewest."""
        units = zip(curves_of(self.problem), *self.box, strict=True)
        return [[self.part(curve.slope(k)) for k in range(low + 1, high + 1)] for curve, low, high in units]

    @cached_property
    def costs(self) -> list[list[int]]:
        """By unit, the cost of each number of places in the box."""
        units = zip(curves_of(self.problem), self.box[0], self.slopes, strict=True)
        return [list(accumulate(slopes, initial=self.part(curve.cost(low)))) for curve, low, slopes in units]

    def part(self, cost: Fraction) -> int:
        """A cost in parts of the grid, rounded down."""
        return cost.numerator * self.fine // cost.denominator

    def cost(self, places: Sequence[int]) -> int:
        """What places in the box cost, in parts of the grid."""
        return sum(costs[x - low] for costs, x, low in zip(self.costs, places, self.box[0], strict=True))

    @cached_property
    def nothing(self) -> Case:
        """Prices of zero, which say no more than that of a single answer the cost is known."""
        return Case((0.0,) * (1 + len(self.problem.rows)))

    def broken_by(self, places: Sequence[int]) -> Case:
        """What shows that places break a rule: a price on that rule alone; ``nothing`` if they keep all."""
        for at, row in enumerate((self.problem.whole, *self.problem.rows)):
            if not row.lower <= (value := row.value(places)) <= row.upper:
                sign = 1.0 if value < row.lower else -1.0
                return replace(
                    self.nothing, prices=tuple(sign * (at == n) for n in range(len(self.nothing.prices))), empty=True
                )
        return self.nothing

    def left(self, case: Case, box: Box, target: int) -> Box | None:
        """Where in a box a case leaves answers that cost less than a target (in parts of the grid); None if nowhere."""
        paid, earned = self._paid(case.prices)
        if case.empty:
            spent = sum(price * (high if price > 0 else low) for price, low, high in zip(paid, *box, strict=True))
            return None if earned > spent else box
        if not self.priced:
            return box
        low, high = ([x - start for x, start in zip(side, self.box[0], strict=True)] for side in box)
        chosen = list(map(bisect_left, self.slopes, paid, low, high))
        units = zip(self.costs, paid, self.box[0], chosen, strict=True)
        spare = target - earned - sum(costs[x] - price * (start + x) for costs, price, start, x in units)
        if spare <= 0:
            return None
        reach = (
            _reach(*unit, spare) for unit in zip(self.slopes, paid, zip(low, chosen, high, strict=True), strict=True)
        )
        ends = [(start + fewest, start + most) for start, (fewest, most) in zip(self.box[0], reach, strict=True)]
        return [fewest for fewest, _ in ends], [most for _, most in ends]

    def _paid(self, prices: Sequence[float]) -> tuple[list[int], int]:
        """What each unit is paid for a place, and what the total and the rules' bounds earn."""
        place, *others = (round(price * self.fine) for price in prices)
        paid, earned = [place] * len(self.problem.labels), place * self.problem.total
        for row, price in zip(self.problem.rows, others, strict=True):
            if price:
                earned += price * (row.lower if price > 0 else row.upper)
                for i, weight in row.terms.items():
                    paid[i] += weight * price
        return paid, earned


def _reach(slopes: Sequence[int], price: int, at: tuple[int, int, int], spare: int) -> tuple[int, int]:
    """Fewest and most places that cost a unit less than can be spared beyond the number it would choose at its price."""
    least, low, most = at
    high, left = low, spare
    while low > least and (left := left + slopes[low - 1] - price) > 0:
        low -= 1
    left = spare
    while high < most and (left := left - slopes[high] + price) > 0:
        high += 1
    return low, high


def halves(box: Box, unit: int, places: int) -> tuple[Box | None, Box | None]:
    """The part of a box where a unit has at most these places, and the part where it has more; None for an empty one."""
    low, high = box
    fewer = (low, [*high[:unit], min(high[unit], places), *high[unit + 1 :]])
    more = ([*low[:unit], max(low[unit], places + 1), *low[unit + 1 :]], high)
    return (fewer if low[unit] <= places else None), (more if high[unit] > places else None)


def prove(ladders: Ladders, cases: Sequence[Case], target: int) -> bool:
    """Whether these cases show that no answer in the ladders' box costs less than a target; false if one is malformed."""
    boxes: list[Box | None] = [ladders.box]
    for case in cases:
        if not boxes or not _is_formed(case, len(ladders.problem.labels)):
            return False
        box = boxes.pop()
        if box is not None and len(case.prices) != 1 + len(ladders.problem.rows):
            return False
        left = None if box is None else ladders.left(case, box, target)
        if case.split is not None:
            boxes += reversed((None, None) if left is None else halves(left, *case.split))
        elif left is not None:
            return False
    return all(box is None for box in boxes)


def _is_formed(case: object, units: int) -> bool:
    """Whether something is a case of finite prices that leaves no number of places between its halves."""
    if not (isinstance(case, Case) and all(map(is_finite, case.prices))):
        return False
    if case.split is None:
        return True
    unit, places = case.split
    return is_count(unit, 0, units - 1) and is_count(places)
