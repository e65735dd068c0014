"""A lower bound on the cost of any answer, from prices on the rules; exact, and no solver's word."""

from bisect import bisect_left
from collections.abc import Sequence
from fractions import Fraction

from zjtx_alloc.quota.crossing.chords import Curve, curves_of
from zjtx_alloc.quota.problem.problem import QuotaProblem
from zjtx_alloc.quota.problem.rule_tree import priced

GAP = Fraction(1, 10**6)  # of cost, within which answers are not distinguished


def meets(bound: Fraction, cost: Fraction) -> bool:
    """Whether a cost meets a lower bound, within a millionth."""
    return cost <= bound + GAP


def dual_bound(problem: QuotaProblem, prices: Sequence[float]) -> Fraction:
    """Lagrangian bound: every unit on its own, paying the prices, and the rules' bounds earning them.

    Weak duality makes it valid whatever the prices are; the duals of an LP whose vertex is integral make
    it tight.

    Parameters
    ----------
    prices : sequence of float
        Of a place; then for each row of ``problem.rows`` of its lower (≥ 0) and of its upper bound (≤ 0). A
        price of the wrong sign counts as zero.
    """
    earned, by_unit = _priced(problem, prices)
    return earned + sum(map(_least, curves_of(problem), by_unit), Fraction(0))


def leeway(problem: QuotaProblem, prices: Sequence[float], cost: Fraction) -> tuple[list[int], list[int]]:
    """Fewest and most places by position of all answers that cost no more than this; true whatever the prices are.

    What the cost is above the lower bound is all that such an answer can spare, and a unit off what it would choose at
    the prices takes a part of it.
    """
    earned, by_unit = _priced(problem, prices)
    units = [(curve, price, _chosen(curve, price)) for curve, price in zip(curves_of(problem), by_unit, strict=True)]
    spare = cost - earned - sum((curve.cost(x) - price * x for curve, price, x in units), Fraction(0))
    ends = [_reach(*unit, spare) for unit in units]
    return [low for low, _ in ends], [high for _, high in ends]


def _reach(curve: Curve, price: Fraction, x: int, spare: Fraction) -> tuple[int, int]:
    """Fewest and most places of a unit until what it costs beyond x places, less their price, is more than can be spared."""
    low, high, left = x, x, spare
    while low > curve.lower and (left := left + curve.slope(low) - price) >= 0:
        low -= 1
    left = spare
    while high < curve.upper and (left := left - curve.slope(high + 1) + price) >= 0:
        high += 1
    return low, high


def _priced(problem: QuotaProblem, prices: Sequence[float]) -> tuple[Fraction, list[Fraction]]:
    """What the total and the rules' bounds earn at these prices, and what they pay each unit for a place."""
    earned, by_unit = priced(problem.rows, prices[1:], len(problem.labels))
    place = Fraction(prices[0])
    return earned + place * problem.total, [place + paid for paid in by_unit]


def _least(curve: Curve, price: Fraction) -> Fraction:
    """Least cost − price·x over the integers within bounds."""
    x = _chosen(curve, price)
    return curve.cost(x) - price * x


def _chosen(curve: Curve, price: Fraction) -> int:
    """The places at which that is least: costs are convex, so all below the price are taken."""
    return curve.lower + bisect_left(range(curve.lower + 1, curve.upper + 1), price, key=curve.slope)
