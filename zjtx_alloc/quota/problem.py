"""The quota problem: minimise Σ (x − e)²/e over integers x with Σ x = total, under bounds and linear rules.

Entitlements are rounded to billionths on entry. Every comparison that can decide a place uses these
integers, never floats.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from functools import cached_property

import numpy as np
import pandas as pd

from zjtx_alloc.errors import InfeasibleError, ScenarioError
from zjtx_alloc.messages import say

BILLION = 10**9


@dataclass(frozen=True)
class Group:
    """Units under a joint floor or cap (places); nothing given means no bound on that side."""

    name: str
    members: tuple[str, ...]
    floor: int | None = None
    cap: int | None = None


@dataclass(frozen=True)
class Rule:
    """lower ≤ Σ coefficient·x ≤ upper; numbers are taken exactly (pass fractions, not floats)."""

    name: str
    coefficients: Mapping[str, Fraction]
    lower: Fraction | None = None
    upper: Fraction | None = None


@dataclass(frozen=True)
class Row:
    """A rule or group in integers: lower ≤ weights·x ≤ upper, bounds rounded inward."""

    name: str
    weights: tuple[int, ...]
    lower: int
    upper: int

    @property
    def members(self) -> frozenset[int]:
        """Positions of the units with a weight."""
        return frozenset(i for i, weight in enumerate(self.weights) if weight)

    def value(self, places: list[int]) -> int:
        """weights·x."""
        return sum(w * x for w, x in zip(self.weights, places, strict=True))


@dataclass(frozen=True)
class QuotaProblem:
    """One batch to hand out.

    Parameters
    ----------
    total : int
        Places to hand out.
    entitlement : Series of float
        Real number of places by label, finite and ≥ 0.
    floor, cap : Series of int or int, optional
        Bounds by label (same index) or one number for all; 0 and ``total`` if not given.
    groups, rules : tuples of Group and Rule
        Joint bounds and linear rules.
    criterion : str
        ``webster``: Σ (x − e)²/e, the least-squares form of Webster's method. A unit with e = 0
        takes only its floor.
    names : mapping, optional
        What to call a label in messages.

    Raises
    ------
    ScenarioError
        If labels do not match or repeat, a number is negative or not finite, or the criterion unknown.
    """

    total: int
    entitlement: pd.Series
    floor: pd.Series = 0
    cap: pd.Series = None
    groups: tuple[Group, ...] = ()
    rules: tuple[Rule, ...] = ()
    criterion: str = "webster"
    names: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.criterion != "webster":
            raise ScenarioError(say("quota.criterion", criterion=self.criterion))
        entitlement = self.entitlement.astype(float)
        wrong = [c for c, e in entitlement.items() if not 0 <= e < math.inf]
        if wrong or not entitlement.index.is_unique or self.total < 0:
            raise ScenarioError(say("quota.entitlement", labels="、".join(map(str, wrong)) or "—", total=self.total))
        cap = self.total if self.cap is None else self.cap
        object.__setattr__(self, "entitlement", entitlement)
        object.__setattr__(self, "floor", self._bound("floor", self.floor))
        object.__setattr__(self, "cap", self._bound("cap", cap))
        known = set(entitlement.index)
        named = [(group.name, group.members) for group in self.groups]
        named += [(rule.name, tuple(rule.coefficients)) for rule in self.rules]
        for name, labels in named:
            if strangers := [str(label) for label in labels if label not in known]:
                raise ScenarioError(say("quota.stranger", rule=name, labels="、".join(strangers)))

    def _bound(self, name: str, bound: pd.Series) -> pd.Series:
        if not isinstance(bound, pd.Series):
            bound = pd.Series(bound, index=self.entitlement.index)
        if not bound.index.equals(self.entitlement.index):
            raise ScenarioError(say("quota.misaligned", name=name))
        if not (np.mod(bound, 1) == 0).all() or (bound < 0).any():
            raise ScenarioError(say("quota.bound", name=name, values=list(bound)))
        return bound.astype("int64").rename(name)

    @property
    def labels(self) -> list[str]:
        """Unit labels in the problem's order."""
        return list(self.entitlement.index)

    def name(self, label: str) -> str:
        """What to call a label in messages."""
        return self.names.get(label, str(label))

    @cached_property
    def billionths(self) -> list[int]:
        """Entitlements as integers, in billionths of a place."""
        return [int((Decimal(repr(float(e))) * BILLION).to_integral_value(ROUND_HALF_EVEN)) for e in self.entitlement]

    @cached_property
    def lower(self) -> list[int]:
        """Least places by position."""
        return [int(f) for f in self.floor]

    @cached_property
    def upper(self) -> list[int]:
        """Most places by position: the cap, never above the total; the floor where e = 0."""
        bounds = zip(self.floor, self.cap, self.billionths, strict=True)
        return [min(int(c), self.total) if e else int(f) for f, c, e in bounds]

    @cached_property
    def order(self) -> list[int]:
        """Positions in tie order: larger entitlement first, then label."""
        return sorted(range(len(self.labels)), key=lambda i: (-self.billionths[i], self.labels[i]))

    @cached_property
    def rank(self) -> list[int]:
        """Place of each position in the tie order, 0 first."""
        return [self.order.index(i) for i in range(len(self.order))]

    @cached_property
    def rows(self) -> list[Row]:
        """Groups and rules as integer rows."""
        return [*self._group_rows(), *self._rule_rows()]

    def _group_rows(self) -> Iterator[Row]:
        for group in self.groups:
            weights = tuple(int(label in group.members) for label in self.labels)
            upper = self.total if group.cap is None else group.cap
            yield Row(group.name, weights, group.floor or 0, upper)

    def _rule_rows(self) -> Iterator[Row]:
        for rule in self.rules:
            exact = [Fraction(rule.coefficients.get(label, 0)) for label in self.labels]
            scale = math.lcm(*(c.denominator for c in exact))
            weights = tuple(int(c * scale) for c in exact)
            spread = [(w * self.upper[i], w * self.lower[i]) for i, w in enumerate(weights)]
            least, most = sum(map(min, spread)), sum(map(max, spread))
            lower = least if rule.lower is None else math.ceil(rule.lower * scale)
            upper = most if rule.upper is None else math.floor(rule.upper * scale)
            yield Row(rule.name, weights, lower, upper)

    @cached_property
    def nested(self) -> bool:
        """Whether all rows are sums over nested (laminar) sets: then one-place exchanges prove optimality."""
        if any(set(row.weights) - {0, 1} for row in self.rows):
            return False
        sets = [row.members for row in self.rows]
        return all(a <= b or b <= a or not a & b for i, a in enumerate(sets) for b in sets[:i])

    def cost(self, places: list[int]) -> Fraction:
        """Σ (x − e)²/e exactly, in the problem's billionths; a unit with e = 0 costs nothing."""
        pairs = zip(places, self.billionths, strict=True)
        return sum((Fraction((x * BILLION - e) ** 2, e * BILLION) for x, e in pairs if e), Fraction(0))

    def violations(self, places: list[int]) -> list[str]:
        """The rules that an answer breaks, as sentences; empty if it breaks none."""
        broken = []
        if sum(places) != self.total:
            broken.append(say("quota.sum", sum=sum(places), total=self.total))
        for label, x, low, high in zip(self.labels, places, self.lower, self.upper, strict=True):
            if not low <= x <= high:
                broken.append(say("quota.out_of_bounds", label=self.name(label), places=x, floor=low, cap=high))
        for row in self.rows:
            if not row.lower <= row.value(places) <= row.upper:
                broken.append(
                    say("quota.row", rule=row.name, value=row.value(places), lower=row.lower, upper=row.upper)
                )
        return broken

    def check_bounds(self) -> None:
        """Raise InfeasibleError if bounds alone already clash: by unit, by group, or in sum."""
        for label, low, high in zip(self.labels, self.lower, self.cap, strict=True):
            if low > high:
                raise InfeasibleError(say("quota.floor_above_cap", label=self.name(label), floor=low, cap=high))
        whole = Row(say("quota.total"), (1,) * len(self.labels), self.total, self.total)
        for row in (whole, *self.rows):
            spread = [(w * self.lower[i], w * self.upper[i]) for i, w in enumerate(row.weights)]
            least, most = sum(map(min, spread)), sum(map(max, spread))
            if row.lower > row.upper:
                raise InfeasibleError(say("quota.crossed", rule=row.name, lower=row.lower, upper=row.upper))
            if least > row.upper:
                raise InfeasibleError(say("quota.too_much", rule=row.name, least=least, upper=row.upper))
            if most < row.lower:
                raise InfeasibleError(say("quota.too_little", rule=row.name, most=most, lower=row.lower))
