"""Divisor methods as data: signposts d(1) ≤ d(2) ≤ …; the k-th place of a unit of weight w costs d(k)/w.

A method is a row, not a branch. Signposts that are roots are kept as powers, so that every comparison of
d(j)/v with d(k)/w can be made in integers.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from zjtx_alloc.base.errors import DataError
from zjtx_alloc.base.messages import say
from zjtx_alloc.base.text import shown
from zjtx_alloc.quota.problem.numbers import is_whole

# Formulas in k: they take an int, or an array of floats, and return whole numbers of the same kind, or an int.
_Formula = Callable[[Any], Any]


_STEEPEST = 10  # exponent of a power mean


@dataclass(frozen=True)
class Signposts:
    """The signposts of one method: d(k)**power = numerator(k) / denominator(k) for the k-th place, k ≥ 1.

    Between k − 1 and k, unless k − d(k) is the same for all k.
    """

    name: str  #: name, source: the method's name in the literature, and who defined it or where it is law.
    source: str  #: See ``name``.
    numerator: _Formula  #: numerator, denominator: formulas that give whole numbers.
    denominator: _Formula  #: See ``numerator``.
    power: int = 1  #: 2 where the signposts are square roots; 1 where they are rational themselves.

    def exact(self, k: int) -> Fraction:
        """d(k)**power as a fraction."""
        return Fraction(self.numerator(k), self.denominator(k))

    def floats(self, k: np.ndarray) -> np.ndarray:
        """d(k) in float64; good to a few units in the last place, so it never settles a tie."""
        if self.linear:
            return k - self.tail
        k = np.asarray(k, dtype=float)
        ratio = np.asarray(self.numerator(k) / self.denominator(k), dtype=float)
        return ratio if self.power == 1 else ratio ** (1 / self.power)

    @cached_property
    def first_is_free(self) -> bool:
        """Whether d(1) = 0: every unit with a weight gets a place before any gets its second."""
        return bool(self.numerator(1) == 0)

    @cached_property
    def linear(self) -> bool:
        """Whether k − d(k) is the same for all k."""
        return self.power == 1 and len({k - self.exact(k) for k in (1, 2, 3, 10**6)}) == 1

    @cached_property
    def tail(self) -> float:
        """What k − d(k) tends to: ½ for webster, 0 for jefferson, 1 for adams."""
        if self.linear:
            return float(1 - self.exact(1))
        return float(10**6 - self.floats(np.asarray(1e6)))

    def count(self, target: np.ndarray) -> np.ndarray:
        """How many signposts are at most the target, as float64; good to one at the signposts themselves."""
        if self.linear:
            places = np.floor(target + self.tail)
            return places if self.tail >= 0 else np.maximum(places, 0, out=places)
        following = np.floor(target)
        following += 1
        following -= self.floats(following) > target
        return following


def stationary(r: Fraction | Decimal | float | str) -> Signposts:
    """Signposts d(k) = k + r for the place after the k-th: 0 is adams, ½ webster, 1 jefferson.

    Parameters
    ----------
    r : number or text, 0 ≤ r ≤ 1
        A float means the decimal that it prints as.

    Raises
    ------
    DataError
        If r lies outside [0, 1].

    References
    ----------
    Pukelsheim, F. (2017). *Proportional Representation*, 2nd ed., section 3.10.
    """
    try:
        share = Fraction(str(r))
    except (ValueError, ZeroDivisionError):  # "half", "1/0"
        raise DataError(say("apportion.stationary", r=r)) from None
    if not 0 <= share <= 1:
        raise DataError(say("apportion.stationary", r=r))
    a, b = share.numerator, share.denominator
    return Signposts(f"stationary({share})", "Pukelsheim 2017, 3.10", lambda k: (k - 1) * b + a, lambda k: b)


def power_mean(p: int) -> Signposts:
    """Signposts that are the power mean of k − 1 and k: −1 is dean, 0 huntington-hill, 1 webster.

    Parameters
    ----------
    p : int, −10 ≤ p ≤ 10
        The exponent; whole, so that d(k)^|p| is a fraction and ties are seen, and so small that even at the most
        places floats hold k^(2|p|). Its limits are adams (−∞) and jefferson (+∞).

    Raises
    ------
    DataError
        If p is not a whole number in that range.

    References
    ----------
    Pukelsheim, F. (2017). *Proportional Representation*, 2nd ed., section 3.11.
    """
    if not (is_whole(p) and -_STEEPEST <= p <= _STEEPEST):
        raise DataError(say("apportion.power_mean", p=shown(p)))
    q, name, source = abs(int(p)), f"power-mean({int(p)})", "Pukelsheim 2017, 3.11"
    if p > 0:
        return Signposts(name, source, lambda k: (k - 1) ** q + k**q, lambda k: 2, power=q)
    if p < 0:
        return Signposts(name, source, lambda k: 2 * (k - 1) ** q * k**q, lambda k: (k - 1) ** q + k**q, power=q)
    return Signposts(name, source, lambda k: k * (k - 1), lambda k: 1, power=2)


SIGNPOSTS = {
    method.name: method
    for method in (
        Signposts("adams", "J. Q. Adams 1832; Balinski & Young 1982", lambda k: k - 1, lambda k: 1),
        Signposts("dean", "J. Dean 1832; Balinski & Young 1982", lambda k: 2 * k * (k - 1), lambda k: 2 * k - 1),
        Signposts("huntington-hill", "2 U.S.C. § 2a; Huntington 1928", lambda k: k * (k - 1), lambda k: 1, power=2),
        Signposts("webster", "D. Webster 1832; Sainte-Laguë 1910", lambda k: 2 * k - 1, lambda k: 2),
        Signposts("jefferson", "T. Jefferson 1792; D’Hondt 1882", lambda k: k, lambda k: 1),
        Signposts(
            "modified-webster", "divisors 1.4, 3, 5, …: Norway, Sweden 1952–2014; Lijphart 1994",
            lambda k: 10 * k - 5 + 2 * (k == 1), lambda k: 10,
        ),
        Signposts("danish", "divisors 1, 4, 7, …: Folketing Elections Act of Denmark", lambda k: 3 * k - 2, lambda k: 3),
        Signposts("imperiali", "divisors 2, 3, 4, …: Belgian municipal law; P. G. Imperiali", lambda k: k + 1, lambda k: 1),
    )
}  # fmt: skip
