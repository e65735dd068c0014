"""A lower bound on the cost of any answer, from prices on the rules; exact, and no solver's word."""

from collections.abc import Sequence
from fractions import Fraction

from zjtx_alloc.quota.problem import BILLION, QuotaProblem


def dual_bound(problem: QuotaProblem, total_price: float, row_prices: Sequence[tuple[float, float]]) -> Fraction:
    """Lagrangian bound: every unit on its own, paying the prices, and the rules' bounds earning them.

    Weak duality makes it valid whatever the prices are; the duals of an LP whose vertex is integral make
    it tight.

    Parameters
    ----------
    total_price : float
        Price of a place.
    row_prices : sequence of (float, float)
        For each row of ``problem.rows``: price of its lower (≥ 0) and of its upper bound (≤ 0); a price of
        the wrong sign counts as zero.
    """
    prices = [Fraction(total_price)] * len(problem.labels)
    bound = Fraction(total_price) * problem.total
    for row, (lower, upper) in zip(problem.rows, row_prices, strict=True):
        low, high = Fraction(max(lower, 0.0)), Fraction(min(upper, 0.0))
        bound += low * row.lower + high * row.upper
        if low or high:
            prices = [price + (low + high) * weight for price, weight in zip(prices, row.weights, strict=True)]
    for i, (e, price) in enumerate(zip(problem.billionths, prices, strict=True)):
        bound += _least(Fraction(e, BILLION), price, problem.lower[i], problem.upper[i])
    return bound


def _least(e: Fraction, price: Fraction, low: int, high: int) -> Fraction:
    """Least (x − e)²/e − price·x over the integers from low to high; no cost where e = 0."""
    if not e:
        return -price * low  # such a unit takes only its floor
    centre = e * (2 + price) / 2
    x = min(max(round(centre), low), high)  # the nearest integer is best, since the cost is a parabola
    return (x - e) ** 2 / e - price * x
