"""What "closest to the entitlement" means (准则): each criterion by the exact price of every place.

A criterion is a row. Separable convex ones are given by their increasing marginal costs; then greedy choice
is exact under nested rules, and any two engines can be compared with each other price by price. Leximin is
one of them, with prices that are compared but not added. Minimax is a box of bounds, and least squares in it.

Under nested rules only the order of the prices counts, and a divisor method is one however its prices are scaled.
Where rules cross the prices are added: there is no common divisor, and another scale may give another answer.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, lru_cache
from types import MappingProxyType
from typing import Any

import numpy as np

from zjtx_alloc.base.errors import ScenarioError
from zjtx_alloc.base.messages import say
from zjtx_alloc.base.text import shown
from zjtx_alloc.quota.problem.numbers import entitled, is_finite
from zjtx_alloc.quota.problem.signposts import SIGNPOSTS

Price = Any  # a Fraction, or a tuple of them; prices of one criterion compare with each other


@dataclass(frozen=True)
class Shape:
    """Float forms over arrays that make a criterion fast; they never settle a tie."""

    #: Callable (k, e): Rises and falls with the price of the k-th place, across all units.
    level: Callable[[Any, Any], Any]
    #: Callable (level, e): Its inverse: ``floor(reach)`` places of a unit are below the level. Good to 1e-12 of the
    #: places.
    reach: Callable[[Any, Any], Any]
    cost: Callable[[Any, Any], Any]  #: Callable (x, e): Cost of x places in closed form; exact where x and e are.


@dataclass(frozen=True)
class Criterion:
    """A separable convex criterion, given by its increasing marginal costs.

    Parameters
    ----------
    name : str
        As scenarios and messages name it.
    marginal : callable (k, e)
        Cost of the k-th place, k ≥ 1, of a unit with entitlement e > 0 (a Fraction), as an exact Fraction
        that never decreases in k. A problem asks for the prices of all its places, or of some tens of thousands
        of them spread over each unit's, and refuses a criterion that breaks this: every proof rests on it.
    first_is_free : bool
        A unit's first place costs −∞ (``marginal`` is then asked from k = 2 on and for the finite part of the
        first; such a criterion needs a ``shape``). Costs compare as: the number of units with e > 0 and no
        place, then the sum of their entitlements (so that the larger are served), then the finite part.
    summable : bool
        False where prices only compare (leximin); such a criterion has no linear model, and the ``cost`` of its
        ``shape``, which it needs, is a deviation.
    shape : Shape, optional
        What makes it fast; without it the engines ask ``marginal``.
    """

    name: str
    marginal: Callable[[int, Fraction], Price]
    first_is_free: bool = False
    summable: bool = True
    shape: Shape | None = None

    def __post_init__(self) -> None:
        if self.shape is None and (self.first_is_free or not self.summable):
            raise ScenarioError(say("criterion_form.shape", criterion=self.name))

    def price(self, k: int, e: Fraction) -> Price:
        """The exact price of the k-th place; a tuple where first places come before all others."""
        if not self.first_is_free:
            return self.marginal(k, e)
        return (-1, -e, self.marginal(k, e)) if k == 1 else (0, Fraction(0), self.marginal(k, e))

    def cost(self, x: int, e: Fraction) -> Fraction:
        """The exact (finite part of the) cost of x places, up to a constant that depends on e alone."""
        if self.first_is_free and not x:
            return Fraction(0)
        if self.shape is not None:
            return Fraction(self.shape.cost(x, e))
        return sum((self.marginal(k, e) for k in range(1, x + 1)), Fraction(0))

    def float_cost(self, places: Sequence[int], due: np.ndarray) -> float:
        """The cost of all units in floats, without the one big fraction of the exact sum; leximin: the largest deviation.

        A unit with e = 0 costs nothing.
        """
        x = np.array(places, dtype=float)
        counts = (due > 0) & ((x > 0) | (not self.first_is_free))
        x, due = x[counts], due[counts]
        if self.shape is None:
            return math.fsum(float(self.cost(int(k), entitled(e))) for k, e in zip(x, due.tolist(), strict=True))
        costs = self.shape.cost(x, due)
        return math.fsum(costs.tolist()) if self.summable else float(costs.max(initial=0.0))

    def slope(self, k: int, e: Fraction) -> Fraction:
        """What a linear model charges for the k-th place: its marginal cost, and less for a first place that is free.

        Under nested rules only the order counts, and moves of one place put right what is left of it; where
        rules cross, models are asked for answers in which such places are given.
        """
        if self.first_is_free and k == 1:
            return min(self.marginal(2, e), Fraction(0)) - 1 - e
        return Fraction(self.marginal(k, e))


@dataclass(frozen=True)
class Minimax:
    """The largest deviation is least; among such quotas, the sum of squared deviations, then the tie rule.

    Parameters
    ----------
    name : str
        As scenarios and messages name it.
    relative : bool
        Deviations are ``|x − e| / max(e, 1)`` instead of ``|x − e|``: below one place of entitlement they count
        as absolute ones, so that a crumb of an entitlement does not decide everything.
    squares : Criterion
        Σ of the squared deviations.
    """

    name: str
    relative: bool
    squares: Criterion

    def scale(self, e: Fraction) -> Fraction:
        """What a deviation is divided by."""
        return max(e, Fraction(1)) if self.relative else Fraction(1)

    def deviation(self, x: int, e: Fraction) -> Fraction:
        """``|x − e|``, divided by max(e, 1) if relative."""
        return abs(x - e) / self.scale(e)


def _divisor(
    name: str,
    cost: Callable[[Any, Any], Any],
    marginal: Callable[[int, Fraction], Fraction] | None = None,
) -> Criterion:
    """A divisor method; the level of the k-th place is d(k)/e, below zero for a first place that is free.

    ``marginal``: d(k)/e unless another is given.
    """
    signposts = SIGNPOSTS[name]
    free = signposts.first_is_free

    def level(k: Any, e: Any) -> Any:
        ratio = signposts.floats(k) / e
        return np.where(k <= 1, -e, ratio) if free else ratio

    def reach(level: Any, e: Any) -> Any:
        places = signposts.count(np.maximum(level, 0) * e) + 0.5
        # From 1 where the level passes −e to 1.5 at zero: a first place and no second.
        return np.where(level < 0, 1.5 + level / (2 * e), np.maximum(places, 1.5)) if free else places

    return Criterion(
        name, marginal or (lambda k, e: signposts.exact(k) / e), first_is_free=free, shape=Shape(level, reach, cost)
    )


def _squares(name: str, scale: Callable[[Any], Any]) -> Criterion:
    """Σ ((x − e)/scale)²; the level is the marginal cost (2k − 1 − 2e)/scale²."""
    return Criterion(
        name,
        lambda k, e: (2 * k - 1 - 2 * e) / Fraction(scale(e)) ** 2,
        shape=Shape(
            level=lambda k, e: (2 * k - 1 - 2 * e) / scale(e) ** 2,
            reach=lambda level, e: e + (level * scale(e) ** 2 + 1) / 2,
            cost=lambda x, e: ((x - e) / scale(e)) ** 2,
        ),
    )


def _leximin(name: str, scale: Callable[[Any], Any]) -> Criterion:
    """The k-th place takes a unit from deviation a to b: a gain where a > b, and the larger counts first.

    The prices are those of Σ φ(deviation) with φ growing so fast that one larger deviation outweighs any
    number of smaller ones; its optimum is the quota whose deviations, sorted from the largest, are
    lexicographically least.
    """

    def marginal(k: int, e: Fraction) -> Price:
        before, after = abs(k - 1 - e) / scale(e), abs(k - e) / scale(e)
        if before == after:
            return (0, Fraction(0), Fraction(0))
        return (1, after, -before) if after > before else (-1, -before, after)

    def level(k: Any, e: Any) -> Any:
        return np.select([2 * k - 1 > 2 * e, 2 * k - 1 < 2 * e], [k - e, k - 1 - e], 0.0) / scale(e)

    def reach(level: Any, e: Any) -> Any:
        step, even = level * scale(e), e + 0.5  # a place at exactly e + ½ neither gains nor costs
        before = np.where(even == np.rint(even), even - 0.5, even)
        return np.where(level > 0, np.maximum(even, e + step), np.minimum(before, e + 1 + step))

    return Criterion(name, marginal, summable=False, shape=Shape(level, reach, lambda x, e: abs(x - e) / scale(e)))


def _one(e: Any) -> Any:
    return e * 0 + 1


def _at_least_one(e: Any) -> Any:
    return np.maximum(e, 1) if isinstance(e, np.ndarray) else max(e, Fraction(1))


def _dean(x: Any, e: Any) -> Any:
    """Σ d(k)/e over the first x places; harmonic, so there is no closed form."""
    signposts = SIGNPOSTS["dean"]
    if not isinstance(x, np.ndarray):
        return _dean_sum(int(x)) / e
    sums = np.concatenate([[0.0], np.cumsum(signposts.floats(np.arange(1, int(x.max(initial=0)) + 1)))])
    return sums[x.astype(int)] / e


@cache
def _dean_sum(x: int) -> Fraction:
    return sum(map(SIGNPOSTS["dean"].exact, range(1, x + 1)), Fraction(0))


def _hill(k: int, e: Fraction) -> Fraction:
    """Marginal cost of Σ (x − e)²/x: 1 − e²/(k(k − 1)), which rises with d(k)/e and is rational."""
    return 1 - e**2 / (k * (k - 1)) if k > 1 else (1 - e) ** 2


_ROWS: tuple[Criterion | Minimax, ...] = (
    _divisor("webster", lambda x, e: (x - e) ** 2 / e, lambda k, e: (2 * k - 1) / e - 2),
    _squares("hamilton", _one),
    _divisor("huntington-hill", lambda x, e: (x - e) ** 2 / x, _hill),
    _divisor("dean", _dean),
    _divisor("adams", lambda x, e: x * (x - 1) / (2 * e)),
    _divisor("jefferson", lambda x, e: x * (x + 1) / (2 * e)),
    _leximin("leximin", _one),
    _leximin("leximin-relative", _at_least_one),
    Minimax("minimax", False, _squares("minimax", _one)),
    Minimax("minimax-relative", True, _squares("minimax-relative", _at_least_one)),
)
CRITERIA: Mapping[str, Criterion | Minimax] = MappingProxyType({row.name: row for row in _ROWS})
"""By name: the least Σ of (x − e)²/e (webster), (x − e)² (hamilton), (x − e)²/x (huntington-hill), of signposts
d(k)/e over the places (dean, adams, jefferson); the least deviations from the largest down (leximin) or the
largest alone (minimax), of |x − e| or, relative, of |x − e| / max(e, 1).

Webster's and Huntington's sums: Balinski & Young (1982), Fair Representation, appendix A.
"""


_PACKAGE = frozenset(row.squares if isinstance(row, Minimax) else row for row in _ROWS)
_ASKED = 2**16  # prices of one problem


def check_prices(criterion: Criterion, units: Sequence[tuple[Fraction, int, int]]) -> None:
    """Refuse a criterion of one's own whose price of some place is no finite number or less than that of one before.

    Parameters
    ----------
    units : sequence of (e, least places, most places)
    """
    if criterion not in _PACKAGE:
        for e, low, high in units:
            _check_rising(criterion, e, low, high, _ASKED // len(units))


def _spread(low: int, high: int, middle: int, number: int) -> Sequence[int]:
    """The places beyond ``low`` up to ``high``; if more than a number, those at the ends, around the middle, and between."""
    if high - low <= number:
        return range(low + 1, high + 1)
    few = number // 5 + 1
    ranges = (low + 1, low + 1 + few), (middle - few, middle + few), (high - few, high + 1)
    near = [k for start, stop in ranges for k in range(max(start, low + 1), min(stop, high + 1))]
    return sorted({*near, *range(low + 1, high + 1, (high - low) // few)})


@lru_cache(4096)  # the many problems that an explanation solves differ in a few units
def _check_rising(criterion: Criterion, e: Fraction, low: int, high: int, number: int) -> None:
    last: list[tuple[int, Price]] = []
    for k in _spread(low, high, int(e), number):
        price = criterion.price(k, e)
        finite = all(map(is_finite, price)) if isinstance(price, tuple) else is_finite(price)
        if not finite or (last and price < last[0][1]):
            pairs = [(k, price)] if not finite else [*last, (k, price)]
            described = "，".join(say("criterion_form.price", k=at, price=shown(cost)) for at, cost in pairs)
            raise ScenarioError(
                say("criterion_form.falls", criterion=criterion.name, e=f"{float(e):g}", prices=described)
            )
        last = [(k, price)]


def criterion_name(criterion: str | Criterion) -> str:
    """What reports call a criterion in Chinese; a criterion of one's own goes by its own name."""
    return say(f"criterion.{criterion}") if isinstance(criterion, str) else criterion.name
