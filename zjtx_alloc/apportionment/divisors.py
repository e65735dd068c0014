"""The divisors that give an apportionment: all of them, exactly, and a short one to publish."""

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from zjtx_alloc.apportionment.apportion import Numbers, apportion_ties
from zjtx_alloc.apportionment.bounds import Bound, aligned
from zjtx_alloc.apportionment.methods import Method, method_of
from zjtx_alloc.apportionment.weights import read_weights
from zjtx_alloc.base.errors import DataError
from zjtx_alloc.base.messages import say
from zjtx_alloc.quota.problem.numbers import exactly
from zjtx_alloc.quota.problem.signposts import Signposts

_DIGITS = 400  # beyond what decimals of any interval need


@dataclass(frozen=True)
class Divisors:
    """The divisors under which weight ÷ divisor, rounded by the method within floors and caps, sums to the seats."""

    #: least, most: the ends of the interval; ``most`` is infinite where floors leave no unit that could lose a place.
    #: At an end some quotient is exactly a signpost, so that its rounding is a choice.
    least: float
    most: float  #: See ``least``.
    powers: tuple[Fraction, Fraction | None]  #: The ends exactly, to the power ``power``.
    power: int  #: 1 where signposts are rational, 2 where they are square roots (huntington-hill).
    #: A divisor inside of as few decimal digits as there is; None where units tie, so that only the end itself gives
    #: the sum.
    short: Fraction | None

    def __contains__(self, divisor: Any) -> bool:
        """Whether a number (a float is the decimal that it prints as) lies between the ends, or is one."""
        number = exactly(divisor) ** self.power
        low, high = self.powers
        return low <= number and (high is None or number <= high)


def divisors(  # noqa: PLR0913 - those of apportion, but for ties, which all end at one divisor
    weights: Numbers,
    seats: int,
    method: str | Method = "webster",
    floor: Bound = 0,
    cap: Bound | None = None,
    *,
    base: Bound = 0,
) -> Divisors:
    """Find the interval of divisors that give the answer of :func:`apportion`.

    A unit of x places beyond its base b has the quotient weight ÷ divisor between the signposts d(x − b) and
    d(x − b + 1); at its floor it may be below, at its cap above.

    Raises
    ------
    DataError
        If the method is no divisor method, no divisor gives the seats (too few for the first places that are free),
        or an argument is not what it should be.
    InfeasibleError
        If floors, caps and seats contradict each other.

    References
    ----------
    Pukelsheim, F. (2017). *Proportional Representation*, 2nd ed., section 4.6. Springer.
    """
    row = method_of(method)
    if not isinstance(row, Signposts):
        raise DataError(say("apportion.divisors", method=row.name))
    given = read_weights(weights)
    found = apportion_ties(given, seats, row, floor, cap, base=base)
    size, open_places = given.floats.size, set(found.tied)
    own = np.zeros(size, dtype=np.int64) if isinstance(base, int) and not base else aligned(given, "base", base)
    least = np.maximum(aligned(given, "floor", floor), own)
    most = np.full(size, seats) if cap is None else aligned(given, "cap", cap)
    above, below = [Fraction(0)], list[Fraction]()
    for i, places in enumerate(np.asarray(found.certain).tolist()):
        weight = Fraction(given.exact(i)) ** row.power
        taken = places + (given.label(i) in open_places)  # a tied unit stands at the signpost of its next place
        if weight and places < most[i]:
            above.append(_quotient(weight, row.exact(places + 1 - int(own[i])), seats))
        if weight and taken > least[i] and (signpost := row.exact(taken - int(own[i]))):
            below.append(weight / signpost)
    low, high = max(above), min(below, default=None)
    return Divisors(
        _root(low, row.power),
        math.inf if high is None else _root(high, row.power),
        (low, high),
        row.power,
        _short(low, high, row.power),
    )


def _quotient(weight: Fraction, signpost: Fraction, seats: int) -> Fraction:
    if not signpost:
        raise DataError(say("apportion.no_divisor", seats=seats))
    return weight / signpost


def _root(number: Fraction | int, power: int) -> float:
    return float(number) ** (1 / power)


def _short(low: Fraction, high: Fraction | None, power: int) -> Fraction | None:
    """The number of fewest digits strictly between two ends, given to a power; None if they leave none."""
    if high is not None and low >= high:
        return None
    top = high if high is not None else 100 * (low or 1)
    exponent = math.floor(math.log10(_root(top, power))) + 1
    for digit in range(exponent, exponent - _DIGITS, -1):
        step = Fraction(10) ** digit
        times = math.floor(_root(low / step**power, power))
        candidates = (Fraction(k) * step for k in range(max(times - 1, 1), times + 3))
        if (found := next((c for c in candidates if low < c**power < top), None)) is not None:
            return found
    return None
