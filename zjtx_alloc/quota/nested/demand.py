"""The units of a nested problem in the tree's order: what each asks for at a level of prices, and exact prices."""

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, cached_property
from typing import Any

import numpy as np

from zjtx_alloc.quota.problem.criteria import Criterion, Price
from zjtx_alloc.quota.problem.numbers import entitled, ranked
from zjtx_alloc.quota.problem.problem import QuotaProblem
from zjtx_alloc.quota.problem.rule_tree import Tree

_MARGIN = 1e-12  # far above what a float form can err by, far below what separates places


@dataclass(frozen=True)
class Demand:
    """Arrays by unit, in the tree's order."""

    tree: Tree
    criterion: Criterion
    #: Entitlements; 1 where there is none (such a unit has one number of places only) (array of float).
    due: np.ndarray
    given: list[Any]  #: Entitlements as the problem keeps them, for exact prices (list of float or Fraction).
    rank: np.ndarray  #: Place in the tie order (array of int).
    lower: np.ndarray  #: lower, upper: bounds of the units.
    upper: np.ndarray  #: See ``lower``.

    def limb(self, v: int) -> "Demand":
        """The units of node v alone."""
        units = slice(self.tree.nodes[v].start, self.tree.nodes[v].stop)
        due, rank, lower, upper = (each[units] for each in (self.due, self.rank, self.lower, self.upper))
        return Demand(self.tree.limb(v), self.criterion, due, self.given[units], rank, lower, upper)

    def count(self, level: float, lean: int = 0) -> np.ndarray:
        """Places of each unit below a level, within its bounds.

        ``lean``: −1 for no place that floats are unsure of, 1 for all of them.
        """
        level += lean * (_MARGIN * abs(level) + 1e-300)
        if self.criterion.shape is None:
            return self._count_by_price(level)
        reach = self.criterion.shape.reach(level, self.due)
        if lean:
            reach = reach + lean * (1e-9 + _MARGIN * (np.abs(reach) + self.due))
        return np.clip(np.floor(reach), self.lower, self.upper).astype("int64")

    def _count_by_price(self, level: float) -> np.ndarray:
        """As ``count``, of a criterion without float forms: bisection on exact prices."""

        def places(low: int, high: int, e: Any) -> int:
            return low + bisect_left(range(low + 1, high + 1), level, key=lambda k: float(self._price(k, e)))

        bounds = zip(self.lower.tolist(), self.upper.tolist(), self.given, strict=True)
        return np.array([places(*each) for each in bounds])

    def levels(self, who: np.ndarray, k: np.ndarray) -> np.ndarray:
        """Levels of the k-th places of units, in floats."""
        if self.criterion.shape is not None:
            return np.asarray(self.criterion.shape.level(k.astype(float), self.due[who]))
        pairs = zip(who.tolist(), k.tolist(), strict=True)
        return np.array([float(self.price(i, k)) for i, k in pairs])

    def doubt(self, levels: np.ndarray, due: np.ndarray) -> np.ndarray:
        """How far two levels must be apart for floats to say which is higher."""
        return _MARGIN * (1 + np.abs(levels) + due)

    def price(self, i: int, k: int) -> Price:
        """The exact price of a unit's k-th place."""
        return self._price(k, self.given[i])

    @cached_property
    def _price(self) -> Callable[[int, Any], Price]:
        """The exact price of the k-th place at an entitlement; kept, since ties repeat it."""
        return cache(lambda k, given: self.criterion.price(k, entitled(given) or Fraction(1)))

    def ordered(self, who: np.ndarray, k: np.ndarray) -> np.ndarray:
        """The order in which places are handed out: by exact price, then by the tie order of their units."""
        levels = self.levels(who, k)

        def doubt(order: np.ndarray) -> np.ndarray:
            return self.doubt(levels[order][1:], np.maximum.accumulate(self.due[who][order])[1:])

        return np.lexsort((self.rank[who], ranked(levels, doubt, lambda at: self.price(int(who[at]), int(k[at])))))


def demand_of(problem: QuotaProblem) -> Demand:
    """The units of a problem of nested rules, by a separable criterion."""
    tree, criterion = problem.tree, problem.yardstick
    assert tree is not None
    assert isinstance(criterion, Criterion)
    due, given = problem.due[tree.order], [problem.given[i] for i in tree.order.tolist()]
    lower, upper, rank = problem.leaves
    return Demand(tree, criterion, np.where(due > 0, due, 1.0), given, rank, lower, upper)
