"""Divisor methods as data: signposts d(1) ≤ d(2) ≤ …; the k-th place of a unit of weight w costs d(k)/w.

A method is a row, not a branch. Signposts that are roots are kept as powers, so that every comparison of
d(j)/v with d(k)/w can be made in integers.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

# Polynomials in k: they take an int, or an array of ints or floats, and return the same kind.
_Polynomial = Callable[[Any], Any]


@dataclass(frozen=True)
class Signposts:
    """The signposts of one method: d(k)**power = numerator(k) / denominator(k) for the k-th place, k ≥ 1.

    Attributes
    ----------
    name, source : str
        The method's name in the literature, and who defined it or where it is law.
    numerator, denominator : callables
        Polynomials with integer coefficients.
    power : int
        2 where the signposts are square roots; 1 where they are rational themselves.
    """

    name: str
    source: str
    numerator: _Polynomial
    denominator: _Polynomial
    power: int = 1

    def exact(self, k: int) -> Fraction:
        """d(k)**power as a fraction."""
        return Fraction(self.numerator(k), self.denominator(k))

    def floats(self, k: np.ndarray) -> np.ndarray:
        """d(k) in float64; good to a few units in the last place, so it never settles a tie."""
        k = np.asarray(k, dtype=float)
        ratio = np.asarray(self.numerator(k) / self.denominator(k), dtype=float)
        return ratio if self.power == 1 else ratio ** (1 / self.power)

    @property
    def first_is_free(self) -> bool:
        """Whether d(1) = 0: every unit with a weight gets a place before any gets its second."""
        return bool(self.numerator(1) == 0)


def _one(k: Any) -> Any:
    return k * 0 + 1


SIGNPOSTS = {
    method.name: method
    for method in (
        Signposts("adams", "J. Q. Adams 1832; Balinski & Young 1982", lambda k: k - 1, _one),
        Signposts("dean", "J. Dean 1832; Balinski & Young 1982", lambda k: 2 * k * (k - 1), lambda k: 2 * k - 1),
        Signposts("huntington-hill", "2 U.S.C. § 2a; Huntington 1928", lambda k: k * (k - 1), _one, power=2),
        Signposts("webster", "D. Webster 1832; Sainte-Laguë 1910", lambda k: 2 * k - 1, lambda k: 2 * _one(k)),
        Signposts("jefferson", "T. Jefferson 1792; D’Hondt 1882", lambda k: k, _one),
    )
}
