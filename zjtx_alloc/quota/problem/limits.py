"""The bounds of a problem one by one, as they were set, so that each can be named, left out or relaxed."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from zjtx_alloc.quota.problem.numbers import exactly
from zjtx_alloc.quota.problem.problem import QuotaProblem
from zjtx_alloc.quota.problem.rule_tree import Row


@dataclass(frozen=True)
class Limit:
    """One bound: weights·x ≥ value if ``lower``, else weights·x ≤ value."""

    #: ``floor`` or ``cap`` of a unit; ``zero``: a unit with e = 0 takes no more than its floor; ``group`` and
    #: ``rule``.
    kind: str
    number: int  #: Which unit, group or rule, by position.
    name: str  #: The unit's label, or the name of the group or rule.
    lower: bool
    weights: Mapping[int, int]
    value: int | Fraction  #: As it was set: in places, or for a rule in ``1/scale`` of its own measure.
    scale: int = 1

    @property
    def members(self) -> frozenset[int]:
        """Positions of the units with a weight."""
        return frozenset(self.weights)

    @property
    def side(self) -> str:
        """``floor``, ``cap`` or ``zero``."""
        return "zero" if self.kind == "zero" else "floor" if self.lower else "cap"

    @property
    def joint(self) -> bool:
        """Whether it is of a group or rule."""
        return self.kind in ("group", "rule")

    @property
    def inward(self) -> int:
        """The value in whole numbers: up for a lower bound, down for an upper one. Whole places keep both or neither."""
        return math.ceil(self.value) if self.lower else math.floor(self.value)

    def reached(self, places: Sequence[int]) -> int:
        """weights·x."""
        return sum(weight * places[i] for i, weight in self.weights.items())

    def excess(self, places: Sequence[int]) -> Fraction:
        """By how much the places break this bound, in the rule's own measure; 0 if they keep it."""
        step = self.value - self.reached(places)
        return Fraction(max(step if self.lower else -step, 0)) / self.scale


def limits(problem: QuotaProblem) -> tuple[Limit, ...]:
    """Every bound that can matter beside the total and x ≥ 0: groups and rules first, then units."""
    return (*_row_limits(problem), *_unit_limits(problem))


def _row_limits(problem: QuotaProblem) -> Iterator[Limit]:
    given = [
        *(("group", n, g.floor or None, g.cap) for n, g in enumerate(problem.groups)),
        *(("rule", n, r.lower, r.upper) for n, r in enumerate(problem.rules)),
    ]
    for (kind, number, lower, upper), row in zip(given, problem.rows, strict=True):
        if lower is not None:
            yield Limit(kind, number, row.name, True, row.terms, _scaled(lower, row), row.scale)
        if upper is not None and (kind == "rule" or row.upper < problem.total):
            yield Limit(kind, number, row.name, False, row.terms, _scaled(upper, row), row.scale)


def _scaled(bound: Any, row: Row) -> int | Fraction:
    """A bound as it was set, in the measure of the row's integer weights."""
    value = exactly(bound) * row.scale
    return value.numerator if value.denominator == 1 else value


def _unit_limits(problem: QuotaProblem) -> Iterator[Limit]:
    units = zip(problem.labels, problem.floor, problem.cap, problem.due, strict=True)
    for i, (label, floor, cap, e) in enumerate(units):
        if floor:
            yield Limit("floor", i, label, True, {i: 1}, int(floor))
        if cap < problem.total:
            yield Limit("cap", i, label, False, {i: 1}, int(cap))
        if not e:
            yield Limit("zero", i, label, False, {i: 1}, int(floor))


def relaxed(problem: QuotaProblem, changes: Sequence[tuple[Limit, int | Fraction]]) -> QuotaProblem:
    """The problem with each of these limits at its new value (in the measure of ``Limit.value``); a floor takes the base along."""
    floors, caps = problem.floor.copy(), problem.cap.copy()
    groups, rules = list(problem.groups), list(problem.rules)
    side: dict[str, Any]
    for change, value in changes:
        if change.kind == "cap":
            caps.iloc[change.number] = value
        elif change.kind == "group":
            side = {"floor" if change.lower else "cap": value}
            groups[change.number] = replace(groups[change.number], **side)
        elif change.kind == "rule":
            side = {"lower" if change.lower else "upper": Fraction(value) / change.scale}
            rules[change.number] = replace(rules[change.number], **side)
        else:
            floors.iloc[change.number] = value
    base = np.minimum(problem.base, floors)
    return replace(problem, floor=floors, cap=caps, groups=tuple(groups), rules=tuple(rules), base=base)
