"""A lower bound on the cost of any answer, from prices on the rules; exact, and no solver's word."""

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
    by_unit = [Fraction(prices[0])] * len(problem.labels)
    bound = by_unit[0] * problem.total if by_unit else Fraction(0)
    for row, lower, upper in zip(problem.rows, prices[1::2], prices[2::2], strict=True):
        low, high = Fraction(max(lower, 0.0)), Fraction(min(upper, 0.0))
        bound += low * row.lower + high * row.upper
        if low or high:
            for i, weight in row.terms.items():
                by_unit[i] += (low + high) * weight
    for i, (e, price) in enumerate(zip(problem.billionths, by_unit, strict=True)):
        bound += _least(problem, i, price) if e else -price * problem.lower[i]  # e = 0 takes only its floor
    return bound


def _least(problem: QuotaProblem, i: int, price: Fraction) -> Fraction:
    """Least cost − price·x over the integers within bounds: convex, so all places below the price are taken."""
    measure, e = problem.yardstick, Fraction(problem.billionths[i], BILLION)
    assert isinstance(measure, Criterion)
    places = range(problem.lower[i] + 1, problem.upper[i] + 1)
    x = problem.lower[i] + bisect_left(places, price, key=lambda k: measure.slope(k, e))
    return measure.cost(x, e) - price * x
