"""What a unit's next place costs under a method: rising ladders of costs, so that the cheapest places win.

A ladder answers in floats, within a declared tolerance, for all units at once, and exactly for one unit: at what price
the units take about so many places, how many each takes at a price (good to one place; within bounds a price may ask for
any number), how many more per unit of price, what the k-th place of each costs. Every weight is positive.
"""

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import TypeAlias

import numpy as np

from zjtx_alloc.apportionment.methods import LargestRemainder, Quota
from zjtx_alloc.apportionment.weights import Weights
from zjtx_alloc.quota.problem.signposts import Signposts

_ALL = slice(None)
_MANY = 1e13  # more places than any unit can get, and still far from the limits of float64


@dataclass(frozen=True)
class DivisorLadder:
    """The k-th place costs d(k)/w (Balinski & Young 1982)."""

    weights: Weights
    signposts: Signposts

    def opening(self, seats: int) -> float:
        """At this price the places sum to the seats, but for chance in the rounding."""
        w = self.weights.floats
        return max(seats - w.size * (self.signposts.tail - 0.5), 0.5 * seats) / float(w.sum())

    def count(self, price: float) -> np.ndarray:
        """Signposts up to price·w; there are none below zero."""
        target = self.weights.floats * max(price, 0.0)
        if not self.signposts.linear:  # whose powers would overflow
            np.minimum(target, _MANY, out=target)
        return self.signposts.count(target)

    def slope(self, free: np.ndarray | slice) -> float:
        """Sum of the weights."""
        return float(self.weights.floats[free].sum())

    def cost(self, k: np.ndarray, units: np.ndarray | int | slice = _ALL) -> np.ndarray:
        """d(k)/w."""
        return self.signposts.floats(k) / self.weights.floats[units]

    def tolerance(self, price: float) -> float:
        """Weight, signpost, root and quotient: some ten roundings, taken a hundredfold."""
        return 1e-13 * price

    def exact(self, i: int, k: int) -> Fraction:
        """(d(k)/w)**power."""
        return self.signposts.exact(k) / self.weights.exact(i) ** self.signposts.power


@dataclass(frozen=True)
class RemainderLadder:
    """The k-th place costs k − e, where e is the weight in quotas.

    Cheapest places first is then the largest remainder; and as (k − e)² − (k − 1 − e)² = 2(k − e) − 1, it is
    the vector nearest to e in least squares within any bounds.
    """

    weights: Weights
    method: LargestRemainder
    seats: int
    scale: Fraction | int = 1  # of the shares

    @cached_property
    def shares(self) -> np.ndarray:
        """Weights in quotas."""
        w = self.weights.floats
        if self.method.whole:
            scale = float(self.weights.total) / float(w.sum())
            return w * (scale / float(self._quota / self.scale))
        return w * (float(self.scale) / self._rule(float(w.sum()), self.seats))

    @cached_property
    def _quota(self) -> Fraction:
        return Fraction(self._rule(self.weights.total, self.seats))

    @cached_property
    def _rule(self) -> Quota:
        """Which of the method's quotas counts."""
        *others, last = self.method.quotas
        return next((rule for rule in others if self._given(rule) <= self.seats), last)

    def _given(self, rule: Quota) -> int:
        """Places that whole quotas give out."""
        quota = Fraction(rule(self.weights.total, self.seats))
        return sum(self.weights.exact(i) // quota for i in range(self.weights.floats.size))

    def opening(self, seats: int) -> float:
        """Rounding to the nearest, moved evenly to the right sum."""
        return 0.5 + (seats - float(self.shares.sum())) / self.shares.size

    def count(self, price: float) -> np.ndarray:
        """⌊e + price⌋."""
        return np.floor(self.shares + price)

    def slope(self, free: np.ndarray | slice) -> float:
        """One place per unit."""
        return float(self.shares[free].size)

    def cost(self, k: np.ndarray, units: np.ndarray | int | slice = _ALL) -> np.ndarray:
        """How far the k-th place lies beyond the share: k − e."""
        return k - self.shares[units]

    def tolerance(self, price: float) -> float:
        """Relative to the shares, since k − e cancels."""
        return 1e-13 * (float(self.shares.max()) + abs(price) + 1)

    def exact(self, i: int, k: int) -> Fraction:
        """The same in fractions."""
        return k - self.weights.exact(i) * self.scale / self._quota


Ladder: TypeAlias = DivisorLadder | RemainderLadder
