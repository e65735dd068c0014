"""The cost of each unit as a convex curve, linear between integers, for linear models."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from zjtx_alloc.quota.problem.criteria import Criterion
from zjtx_alloc.quota.problem.numbers import BILLION
from zjtx_alloc.quota.problem.problem import QuotaProblem


@dataclass(frozen=True)
class Curve:
    """Cost of one unit over its bounds.

    Attributes
    ----------
    base : Fraction
        Cost at the lower bound.
    unit : Fraction
        What a model should measure this unit's cost in: half its curvature at the entitlement.
    """

    lower: int
    upper: int
    base: Fraction
    unit: Fraction
    cost: Callable[[int], Fraction]
    slope: Callable[[int], Fraction]

    def around(self, middle: int, reach: int) -> set[int]:
        """Chords near a number of places, each named by its right end."""
        middle = min(max(middle, self.lower), self.upper)
        return set(range(max(middle - reach, self.lower) + 1, min(middle + reach + 1, self.upper) + 1))

    def chord(self, k: int) -> tuple[Fraction, Fraction]:
        """Slope and value at zero of the chord from k − 1 to k, beyond ``base`` and in ``unit``."""
        slope = self.slope(k)
        return slope * self.unit, (self.cost(k) - self.base - slope * k) * self.unit


def curves_of(problem: QuotaProblem) -> list[Curve]:
    """The curve of each unit, by a criterion that adds up; flat where e = 0 or there is nothing to choose."""
    measure = problem.yardstick
    assert isinstance(measure, Criterion)
    assert measure.summable
    bounds = zip(problem.billionths, problem.lower, problem.upper, strict=True)
    return [_curve(measure, Fraction(e, BILLION), low, high) for e, low, high in bounds]


def _curve(measure: Criterion, e: Fraction, lower: int, upper: int) -> Curve:
    if not e or lower == upper:
        fixed = measure.cost(lower, e) if e else Fraction(0)
        return Curve(lower, lower, fixed, Fraction(1), lambda x: fixed, lambda k: Fraction(0))
    k = max(int(e), 2)
    bend = measure.slope(k + 1, e) - measure.slope(k, e)
    steepest = max(abs(measure.slope(lower + 1, e)), abs(measure.slope(upper, e)))
    unit = 2 / max(bend, steepest / 10**6) if max(bend, steepest) else Fraction(1)

    def cost(x: int) -> Fraction:
        return measure.cost(x, e) if x or not measure.first_is_free else measure.cost(1, e) - measure.slope(1, e)

    return Curve(lower, upper, cost(lower), unit, cost, lambda k: measure.slope(k, e))
