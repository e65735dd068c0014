"""Marginal costs of a separable criterion over whole arrays: fast in floats, exact in integers near a tie."""

from dataclasses import dataclass

import numpy as np

from zjtx_alloc.quota.problem.criteria import Criterion
from zjtx_alloc.quota.problem.numbers import BILLION
from zjtx_alloc.quota.problem.signposts import SIGNPOSTS

NEAR = 1e-14  # relative; costs further apart than this are ordered by their floats
NONE = 1e300  # the cost of a place that nobody may take; its negative, of one that nobody may give


@dataclass(frozen=True)
class Costs:
    """What the k-th place of a unit of weight w (billionths) costs, as numbers that any engine can carry.

    ``(n0 + n1·k + n2·k²) / ((d0 + d1·k)·w**power)``, or where power is 0 the numerator times a
    billion less the denominator times w. It is d(k)/w or its square; for ``hamilton``, 2(d(k) − e).
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
    level = price * weight if power else weight / BILLION + price
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
        return (n1 * k + n0) * BILLION - d0 * weight
    if n2 == 0:
        return (k + n0 / n1) / weight
    value = (n2 * k * k + n1 * k + n0) / (d1 * k + d0) / weight
    return value if power == 1 else value / weight


def sign(costs: Costs, k: np.ndarray, weight: np.ndarray, j: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Sign of the cost of place k at one weight less that of place j at another, exactly: floats that are whole."""
    (above, below), (above_other, below_other) = _parts(costs, k, weight), _parts(costs, j, other)
    return np.sign(above * below_other - above_other * below).astype(int)


def _parts(costs: Costs, places: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Numerator and denominator of the k-th place's cost, in integers: of any size, or where 64 bits suffice of those."""
    k, weight = places.astype(np.int64), weights.astype(np.int64)
    (n0, n1, n2), (d0, d1), power = costs.numerator, costs.denominator, costs.power
    if power == 0:
        return (n1 * k + n0) * BILLION - d0 * weight, np.ones_like(weight)
    k, weight = k.astype(object), weight.astype(object)
    return n2 * k * k + n1 * k + n0, (d1 * k + d0) * weight**power
