"""Marginal costs of a separable criterion over whole arrays: fast in floats, exact in fractions near a tie."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from zjtx_alloc.quota.problem.criteria import Criterion
from zjtx_alloc.quota.problem.numbers import entitled, ranked, ranked_entitlements
from zjtx_alloc.quota.problem.signposts import SIGNPOSTS

LARGEST = 2.0**23  # more places of a unit or of all, and floats cannot say what is near
_NEAR = 1e-14  # relative; costs further apart than this are ordered by their floats
_NEAR_ZERO = 2.0**-24  # absolute, of costs that are differences of numbers up to ``LARGEST``
NONE = 1e300  # the cost of a place that nobody may take; its negative, of one that nobody may give


@dataclass(frozen=True)
class Costs:
    """What the k-th place of a unit of weight w costs, as numbers that any engine can carry.

    ``(n0 + n1·k + n2·k²) / ((d0 + d1·k)·w**power)``, or where power is 0 the numerator less the denominator times w.
    It is d(k)/w or its square; for ``hamilton``, 2(d(k) − e).
    """

    numerator: tuple[int, int, int]
    denominator: tuple[int, int]
    power: int


def costs_of(criterion: str | Criterion) -> Costs | None:
    """Return the marginal costs of a criterion: a divisor method by its signposts, or ``hamilton``; else None."""
    if criterion == "hamilton":  # Σ (x − e)²: the k-th place costs 2k − 1 − 2e
        return Costs((-1, 2, 0), (2, 0), 0)
    method = SIGNPOSTS.get(criterion) if isinstance(criterion, str) else None
    if method is None:
        return None
    n0, n1, n2 = (int(method.numerator(k)) for k in range(3))
    d0, d1 = (int(method.denominator(k)) for k in range(2))
    twice = n2 - 2 * n1 + n0
    return Costs((n0, n1 - n0 - twice // 2, twice // 2), (d0, d1 - d0), method.power)


def count(costs: Costs, price: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """How many places are worth their price, as floats: exact but for rounding, so only a start."""
    (n0, n1, n2), (d0, d1), power = costs.numerator, costs.denominator, costs.power
    level = price * weight if power else weight + price
    if n2 == 0:
        level *= d0 / n1
        level -= n0 / n1
        return np.floor(level, out=level)
    if power == 2:
        level *= level
    half = (level * d1 - n1) / (2 * n2)
    return np.floor(half + np.sqrt(half * half + (level * d0 - n0) / n2))


def cost(costs: Costs, k: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """What the k-th place costs, within a few units in the last place."""
    (n0, n1, n2), (d0, d1), power = costs.numerator, costs.denominator, costs.power
    if power == 0:
        return n1 * k + n0 - d0 * weight
    if n2 == 0:
        return (k + n0 / n1) / weight
    value = (n2 * k * k + n1 * k + n0) / (d1 * k + d0) / weight
    return value if power == 1 else value / weight


def near(costs: Costs, cost: np.ndarray) -> np.ndarray:
    """How far from a cost another may be for floats to leave open which is larger."""
    return np.abs(cost) * _NEAR + (0.0 if costs.power else _NEAR_ZERO)


def exact_ranks(costs: Costs, k: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ranks of what k-th places cost, and of the entitlements themselves: in fractions where floats leave it open."""
    pairs, back = np.unique(k + 1j * weight, return_inverse=True)  # ties repeat the same few
    places, due = pairs.real, pairs.imag
    rough = cost(costs, places, due)

    def price(at: int) -> Fraction:
        return _exact(costs, int(places[at]), entitled(float(due[at])))

    prices = ranked(rough, lambda order: near(costs, rough[order][1:]), price)
    return prices[back], ranked_entitlements(due, due.tolist())[back]


def _exact(costs: Costs, k: int, e: Fraction) -> Fraction:
    (n0, n1, n2), (d0, d1), power = costs.numerator, costs.denominator, costs.power
    if not power:
        return n1 * k + n0 - d0 * e
    return Fraction((n2 * k * k + n1 * k + n0) * e.denominator**power, (d1 * k + d0) * e.numerator**power)
