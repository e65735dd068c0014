"""The cost of each unit as a convex curve, linear between integers, for linear models and bounds on what they find."""

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from zjtx_alloc.quota.problem.criteria import Criterion
from zjtx_alloc.quota.problem.problem import QuotaProblem


@dataclass(frozen=True)
class Curve:
    """Cost of one unit over its bounds, by a criterion that adds up; nothing where e = 0, which leaves no choice."""

    measure: Criterion
    e: Fraction
    lower: int
    upper: int

    def cost(self, x: int) -> Fraction:
        """The cost of x places; that of none is above what a free first place is worth."""
        if not self.e:
            return Fraction(0)
        if not x and self.measure.first_is_free and self.upper:
            return self.measure.cost(1, self.e) - self.slope(1)
        return self.measure.cost(x, self.e)

    def slope(self, k: int) -> Fraction:
        """The cost of the k-th place."""
        return self.measure.slope(k, self.e)

    @cached_property
    def base(self) -> Fraction:
        """Cost at the lower bound."""
        return self.cost(self.lower)

    @cached_property
    def unit(self) -> Fraction:
        """What a model should measure this unit's cost in: half its curvature at the entitlement."""
        if self.lower == self.upper:
            return Fraction(1)
        k = max(int(self.e), 2)
        bend = self.slope(k + 1) - self.slope(k)
        steepest = max(abs(self.slope(self.lower + 1)), abs(self.slope(self.upper)))
        return 2 / max(bend, steepest / 10**6) if max(bend, steepest) else Fraction(1)

    def around(self, middle: int, reach: int) -> set[int]:
        """Chords near a number of places, each named by its right end."""
        middle = min(max(middle, self.lower), self.upper)
        return set(range(max(middle - reach, self.lower) + 1, min(middle + reach + 1, self.upper) + 1))

    def chord(self, k: int) -> tuple[Fraction, Fraction]:
        """Slope and value at zero of the chord from k − 1 to k, beyond ``base`` and in ``unit``."""
        slope = self.slope(k)
        return slope * self.unit, (self.cost(k) - self.base - slope * k) * self.unit


def curves_of(problem: QuotaProblem) -> list[Curve]:
    """The curve of each unit."""
    measure = problem.yardstick
    assert isinstance(measure, Criterion)
    assert measure.summable
    bounds = zip(problem.exact, problem.lower, problem.upper, strict=True)
    return [Curve(measure, e, low, high) for e, low, high in bounds]
