"""A lower bound on the cost of any answer, from prices on the rules; exact, and no solver's word."""

import math
from bisect import bisect_left
from collections.abc import Sequence
from fractions import Fraction

from zjtx_alloc.quota.criteria import BILLION, Criterion
from zjtx_alloc.quota.problem import QuotaProblem

_GAP = Fraction(1, 10**6)


def meets(bound: Fraction, cost: Fraction) -> bool:
    """Whether a cost meets a lower bound, within a millionth."""
    return cost <= bound + _GAP


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
    return earned + sum((_least(problem, i, price) for i, price in enumerate(by_unit)), Fraction(0))


def bounds_with_more(problem: QuotaProblem, prices: Sequence[float], places: Sequence[int]) -> list[Fraction | float]:
    """For each unit a lower bound on the cost of any answer that gives it more than these places; inf beyond its cap."""
    earned, by_unit = _priced(problem, prices)
    least = [_least(problem, i, price) for i, price in enumerate(by_unit)]
    whole = earned + sum(least, Fraction(0))
    return [
        whole - least[i] + _least(problem, i, price, places[i] + 1) if places[i] < problem.upper[i] else math.inf
        for i, price in enumerate(by_unit)
    ]


def _priced(problem: QuotaProblem, prices: Sequence[float]) -> tuple[Fraction, list[Fraction]]:
    """What the rules' bounds earn at these prices, and what they pay each unit for a place."""
    by_unit = [Fraction(prices[0])] * len(problem.labels)
    earned = by_unit[0] * problem.total if by_unit else Fraction(0)
    for row, lower, upper in zip(problem.rows, prices[1::2], prices[2::2], strict=True):
        low, high = Fraction(max(lower, 0.0)), Fraction(min(upper, 0.0))
        earned += low * row.lower + high * row.upper
        if low or high:
            for i, weight in row.terms.items():
                by_unit[i] += (low + high) * weight
    return earned, by_unit


def _least(problem: QuotaProblem, i: int, price: Fraction, floor: int = 0) -> Fraction:
    """Least cost − price·x over the integers within bounds: convex, so all places below the price are taken."""
    measure, e = problem.yardstick, Fraction(problem.billionths[i], BILLION)
    assert isinstance(measure, Criterion)
    if not e:
        return -price * problem.lower[i]  # takes only its floor
    floor = max(floor, problem.lower[i])
    x = floor + bisect_left(range(floor + 1, problem.upper[i] + 1), price, key=lambda k: measure.slope(k, e))
    return measure.cost(x, e) - price * x
