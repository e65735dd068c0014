"""The quota problem: integers x with Σ x = total, close to the entitlements, under bounds and linear rules.

Entitlements are fractions. Floats of them lead; every comparison that can decide a place is made in fractions.
"""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from numbers import Real
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from zjtx_alloc.base.errors import InfeasibleError, ScenarioError
from zjtx_alloc.base.messages import say
from zjtx_alloc.base.text import shown
from zjtx_alloc.quota.problem.criteria import CRITERIA, Criterion, Minimax, check_prices
from zjtx_alloc.quota.problem.numbers import (
    LARGEST,
    are_whole,
    as_whole,
    entitled,
    entitlements_of,
    exactly,
    is_whole,
    ranked_entitlements,
)
from zjtx_alloc.quota.problem.redistribution import EQUAL, NATURAL, PROPORTION, redistributed
from zjtx_alloc.quota.problem.rule_tree import Row, Tree, tree_of

Bound: TypeAlias = Any  # given: a Series of int by label, or one number for all; kept: the Series

_MOST = 10**12  # places: far beyond any total, and within what floats hold to a thousandth


def _is_plain(number: Any) -> bool:
    """Whether a rule's number is finite and short enough for exact rows that a solver can still read."""
    is_number = isinstance(number, Real)
    if not (is_number and -_MOST <= number <= _MOST):
        return False
    exact = exactly(number)
    return max(abs(exact.numerator), exact.denominator) <= _MOST


def _is_among(label: Any, known: set[Any]) -> bool:
    try:
        return label in known
    except TypeError:  # a list, which is no label
        return False


def _for_all(name: str, bound: Any, index: pd.Index) -> pd.Series:
    try:
        return pd.Series(bound, index=index)
    except ValueError:  # a row of numbers of another length
        raise ScenarioError(say("quota.misaligned", name=name)) from None


@dataclass(frozen=True)
class Group:
    """Units under a joint floor or cap (places); nothing given means no bound on that side."""

    name: str
    members: tuple[str, ...]
    floor: int | None = None
    cap: int | None = None

    def without(self, taken: Mapping[str, int]) -> "Group":
        """The group's bounds for what its members have beyond these places."""
        places = sum(taken[label] for label in self.members)
        floor = None if self.floor is None else max(self.floor - places, 0)
        return replace(self, floor=floor, cap=None if self.cap is None else self.cap - places)


@dataclass(frozen=True)
class Rule:
    """lower ≤ Σ coefficient·x ≤ upper; a float means the decimal that it prints as."""

    name: str
    coefficients: Mapping[str, Fraction]
    lower: Fraction | None = None
    upper: Fraction | None = None

    def without(self, taken: Mapping[str, int]) -> "Rule":
        """The rule's bounds for what its units have beyond these places."""
        value = sum((exactly(c) * taken[label] for label, c in self.coefficients.items()), Fraction(0))
        lower, upper = (None if end is None else exactly(end) - value for end in (self.lower, self.upper))
        return replace(self, lower=lower, upper=upper)


@dataclass(frozen=True)
class QuotaProblem:
    """One batch to hand out.

    Parameters
    ----------
    total : int
        Places to hand out.
    entitlement : Series of float, or of Fraction, Decimal and int
        Real number of places by label beside the base, finite and ≥ 0; below 10^-12 none. Exact numbers are kept as fractions; a
        float counts as the ratio of small whole numbers that it is the rounding of, else as the decimal that it
        prints as.
    floor, cap : Series of int or int, optional
        Bounds by label (same index) or one number for all; 0 and ``total`` if not given.
    groups, rules : tuples of Group and Rule
        Joint bounds and linear rules.
    criterion : str or Criterion
        What "close" means: a name of ``CRITERIA``, or a separable convex criterion of one's own. Under
        every criterion a unit with e = 0 takes only its floor and does not count.
    names : mapping, optional
        What to call a label in messages.
    base : Series of int or int, optional
        Places that each unit has before the others are handed out (基数): the criterion compares what a unit has beyond
        its base with its entitlement. Bounds, groups and rules are of all its places; no floor is below a base.
    redistribution : str, optional
        How what caps take back from entitlements above them goes to the others: ``proportion`` or ``equal``; as the
        criterion does by itself if not given.

    Raises
    ------
    ScenarioError
        If labels do not match or repeat, a number is negative, missing or not finite, a total or bound is not whole or
        beyond 10^15, an entitlement is beyond 10^12, the criterion or the redistribution is unknown, prices fall, or there
        are places and no units.
    """

    total: int
    entitlement: pd.Series
    floor: Bound = 0
    cap: Bound = None
    groups: tuple[Group, ...] = ()
    rules: tuple[Rule, ...] = ()
    criterion: str | Criterion = "webster"
    names: Mapping[str, str] = field(default_factory=dict)
    base: Bound = 0
    redistribution: str = ""

    def __post_init__(self) -> None:
        if self.redistribution not in ("", PROPORTION, EQUAL):
            raise ScenarioError(say("quota.redistribution", value=shown(self.redistribution)))
        if not isinstance(self.criterion, Criterion) and self.criterion not in list(CRITERIA):
            raise ScenarioError(say("quota.criterion", criterion=self.criterion, known="、".join(CRITERIA)))
        if not (is_whole(self.total) and isinstance(self.entitlement, pd.Series)):
            raise ScenarioError(say("quota.form", total=shown(self.total)))
        object.__setattr__(self, "total", int(self.total))
        entitlement = entitlements_of(self.entitlement)
        wrong = list(entitlement.index[~((entitlement >= 0) & (entitlement <= _MOST))])
        if wrong or not entitlement.index.is_unique or not 0 <= self.total <= LARGEST:
            described = "、".join(map(str, wrong)) or "—"
            raise ScenarioError(say("quota.entitlement", labels=shown(described), total=shown(self.total)))
        if self.total and not len(entitlement):
            raise ScenarioError(say("apportion.nobody", seats=self.total))
        cap = self.total if self.cap is None else self.cap
        object.__setattr__(self, "entitlement", entitlement)
        has_none = isinstance(self.base, pd.Series) and not self.base.any()  # whatever the order of units that it had
        base, floor = self._bound("base", 0 if has_none else self.base), self._bound("floor", self.floor)
        object.__setattr__(self, "base", base)
        object.__setattr__(self, "floor", np.maximum(floor, base) if base.any() else floor)
        object.__setattr__(self, "cap", self._bound("cap", cap))
        self._check_joint_rules()
        if isinstance(self.criterion, Criterion):
            bounds = zip(self.exact, self.lower, self.upper, strict=True)
            check_prices(self.criterion, [(e, low, high) for e, low, high in bounds if e])

    def _check_joint_rules(self) -> None:
        known = set(self.labels)
        named = [(group.name, group.members) for group in self.groups]
        named += [(rule.name, tuple(rule.coefficients)) for rule in self.rules]
        for name, labels in named:
            if strangers := [str(label) for label in labels if not _is_among(label, known)]:
                raise ScenarioError(say("quota.stranger", rule=name, labels="、".join(strangers)))
            if repeated := [str(label) for label, times in Counter(labels).items() if times > 1]:
                raise ScenarioError(say("quota.repeated", rule=name, labels="、".join(repeated)))
        for group in self.groups:
            given = [bound for bound in (group.floor, group.cap) if bound is not None]
            if not all(is_whole(bound) and 0 <= bound <= LARGEST for bound in given):
                raise ScenarioError(say("quota.group_bound", rule=group.name, floor=group.floor, cap=group.cap))
        for rule in self.rules:
            bounds = [bound for bound in (rule.lower, rule.upper) if bound is not None]
            if not all(map(_is_plain, [*rule.coefficients.values(), *bounds])):
                raise ScenarioError(say("quota.rule_numbers", rule=rule.name))

    def _bound(self, name: str, bound: pd.Series) -> pd.Series:
        if not isinstance(bound, pd.Series):
            bound = _for_all(name, bound, self.entitlement.index)
        if not bound.index.equals(self.entitlement.index):
            raise ScenarioError(say("quota.misaligned", name=name))
        if not (whole := are_whole(bound)).all():
            wrong = "、".join(f"{self.name(label)} {value}" for label, value in bound[~whole].items())
            raise ScenarioError(say("quota.bound", name=name, wrong=shown(wrong)))
        return as_whole(bound).rename(name)

    @cached_property
    def labels(self) -> list[str]:
        """Unit labels in the problem's order."""
        return self.entitlement.index.to_numpy(dtype=object).tolist()

    def name(self, label: str) -> str:
        """What to call a label in messages."""
        return self.names.get(label, str(label))

    @property
    def yardstick(self) -> Criterion | Minimax:
        """The criterion itself, named or given."""
        return self.criterion if isinstance(self.criterion, Criterion) else CRITERIA[self.criterion]

    @cached_property
    def due(self) -> np.ndarray:
        """Entitlements in floats, which lead; none is exactly 0."""
        return self.entitlement.to_numpy(dtype=float)

    @cached_property
    def given(self) -> list[Any]:
        """Entitlements as they are kept, floats or fractions; ``entitled`` makes one of them exact."""
        return self.entitlement.to_list()

    @cached_property
    def exact(self) -> list[Fraction]:
        """Entitlements as fractions, which decide."""
        return [entitled(number) for number in self.given]

    @cached_property
    def lower(self) -> list[int]:
        """Least places by position."""
        return self.floor.to_list()

    @cached_property
    def upper(self) -> list[int]:
        """Most places by position: the cap, never above the total; the floor where e = 0."""
        capped = np.minimum(self.cap.to_numpy(), self.total)
        return np.where(self.due > 0, capped, self.floor.to_numpy()).tolist()

    @cached_property
    def order(self) -> list[int]:
        """Positions in tie order: larger entitlement first, then label."""
        try:
            by_label = sorted(range(len(self.labels)), key=self.labels.__getitem__)
        except TypeError:  # numbers among texts
            raise ScenarioError(say("quota.labels", labels=shown("、".join(map(str, self.labels))))) from None
        return sorted(by_label, key=(-ranked_entitlements(self.due, self.given)).__getitem__)

    @cached_property
    def rank(self) -> list[int]:
        """Place of each position in the tie order, 0 first."""
        return np.argsort(self.order).tolist()

    @cached_property
    def rows(self) -> list[Row]:
        """Groups and rules as integer rows."""
        return [*self._group_rows(), *self._rule_rows()]

    def _group_rows(self) -> Iterator[Row]:
        position = {label: i for i, label in enumerate(self.labels)}
        for group in self.groups:
            upper = self.total if group.cap is None else group.cap
            yield Row(
                group.name, dict.fromkeys((position[label] for label in group.members), 1), group.floor or 0, upper
            )

    def _rule_rows(self) -> Iterator[Row]:
        for rule in self.rules:
            exact = {self.entitlement.index.get_loc(label): exactly(c) for label, c in rule.coefficients.items() if c}
            scale = math.lcm(*(c.denominator for c in exact.values()))
            row = Row(rule.name, {i: int(c * scale) for i, c in exact.items()}, 0, 0, scale)
            least, most = row.span(self.lower, self.upper)
            lower = least if rule.lower is None else math.ceil(exactly(rule.lower) * scale)
            upper = most if rule.upper is None else math.floor(exactly(rule.upper) * scale)
            yield replace(row, lower=lower, upper=upper)

    @cached_property
    def plain(self) -> "QuotaProblem":
        """The problem of the places beyond the base, with entitlements as redistribution leaves them; itself without either."""
        natural = NATURAL.get(self.criterion) if isinstance(self.criterion, str) else None
        how = "" if natural == self.redistribution else self.redistribution
        if not self.base.any():
            return replace(self, entitlement=self._redistributed(how), redistribution="") if how else self
        taken = self.base.to_dict()
        beyond = replace(
            self,
            total=self.total - sum(taken.values()),
            floor=self.floor - self.base,
            cap=self.cap - self.base,
            groups=tuple(group.without(taken) for group in self.groups),
            rules=tuple(rule.without(taken) for rule in self.rules),
            base=0,
        )
        return beyond.plain

    def _redistributed(self, how: str) -> pd.Series:
        caps = [min(cap, self.total) for cap in self.cap.to_list()]
        return pd.Series(redistributed(self.exact, caps, how), self.entitlement.index, dtype=object)

    def beyond_base(self, places: Sequence[int]) -> list[int]:
        """Places by position without the base."""
        return [x - base for x, base in zip(places, self.base.to_list(), strict=True)]

    def with_first_places(self) -> "QuotaProblem":
        """The problem with a first place for every unit that has an entitlement and may have one."""
        triples = zip(self.lower, self.upper, self.due, strict=True)
        floor = [max(low, 1) if e and high else low for low, high, e in triples]
        return replace(self, floor=pd.Series(floor, index=self.entitlement.index))

    @property
    def whole(self) -> Row:
        """The total as a row over all units."""
        return Row(say("quota.total"), dict.fromkeys(range(len(self.labels)), 1), self.total, self.total)

    @cached_property
    def tree(self) -> Tree | None:
        """The rows as a tree of nested (laminar) sets; None where they cross or have weights."""
        return tree_of(self.rows, len(self.labels), self.whole)

    @cached_property
    def leaves(self) -> tuple[np.ndarray, ...]:
        """Least places, most places and tie rank of all units as arrays in the tree's order; nested rules have one."""
        assert self.tree is not None
        return tuple(np.array(each, dtype="int64")[self.tree.order] for each in (self.lower, self.upper, self.rank))

    @property
    def nested(self) -> bool:
        """Whether all rows are sums over nested (laminar) sets: then one-place exchanges prove optimality."""
        return self.tree is not None

    def cost(self, places: Sequence[int]) -> Fraction:
        """The exact cost: what the criterion adds up, or the largest deviation under minimax and leximin.

        A unit with e = 0 costs nothing, nor (see ``unserved``) one whose missing first place counts apart.
        """
        if self.plain is not self:
            return self.plain.cost(self.beyond_base(places))
        measure = self.yardstick
        pairs = [(x, e) for x, e in zip(places, self.exact, strict=True) if e]
        if isinstance(measure, Minimax):
            return max((measure.deviation(x, e) for x, e in pairs), default=Fraction(0))
        costs = (measure.cost(x, e) for x, e in pairs)
        return sum(costs, Fraction(0)) if measure.summable else max(costs, default=Fraction(0))

    def unserved(self, places: Sequence[int]) -> tuple[str, ...]:
        """Units with an entitlement and no place beside the base, if the criterion counts them before all else."""
        if isinstance(self.yardstick, Minimax) or not self.yardstick.first_is_free:
            return ()
        triples = zip(self.labels, self.beyond_base(places), self.due, strict=True)
        return tuple(label for label, x, e in triples if e and not x)

    def violations(self, places: Sequence[int]) -> list[str]:
        """The rules that an answer breaks, as sentences; empty if it breaks none."""
        if self._keeps_all(places):
            return []
        broken = []
        if sum(places) != self.total:
            broken.append(say("quota.sum", sum=sum(places), total=self.total))
        for label, x, low, high in zip(self.labels, places, self.lower, self.upper, strict=True):
            if not low <= x <= high:
                broken.append(say("quota.out_of_bounds", label=self.name(label), places=x, floor=low, cap=high))
        for row in self.rows:
            value = row.value(places)
            if not row.lower <= value <= row.upper:
                broken.append(say("quota.row", rule=row.name, value=value, lower=row.lower, upper=row.upper))
        return broken

    def _keeps_all(self, places: Sequence[int]) -> bool:
        """Whether nested rules are kept, in one pass over the tree; False if that does not decide."""
        if self.tree is None:
            return False
        x, (lower, upper, _) = np.array(places, dtype="int64")[self.tree.order], self.leaves
        asked, _ = self.tree.sums(x)
        kept = all(node.floor <= value <= node.cap for node, value in zip(self.tree.nodes, asked, strict=True))
        return kept and bool(((lower <= x) & (x <= upper)).all())

    def check_bounds(self) -> None:
        """Raise InfeasibleError if bounds alone already clash: by unit, by group, or in sum."""
        if self.tree is not None and (self.floor <= self.cap).all() and self.tree.admits(*self.leaves[:2]):
            return
        for label, low, high in zip(self.labels, self.lower, self.cap, strict=True):
            if low > high:
                raise InfeasibleError(say("quota.floor_above_cap", label=self.name(label), floor=low, cap=high))
        for row in (self.whole, *self.rows):
            least, most = row.span(self.lower, self.upper)
            if row.lower > row.upper:
                raise InfeasibleError(say("quota.crossed", rule=row.name, lower=row.lower, upper=row.upper))
            if least > row.upper:
                raise InfeasibleError(say("quota.too_much", rule=row.name, least=least, upper=row.upper))
            if most < row.lower:
                raise InfeasibleError(say("quota.too_little", rule=row.name, most=most, lower=row.lower))
