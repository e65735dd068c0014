"""The least largest deviation: boxes around the entitlements, halved until a narrower one admits no answer.

Each step halves what lies between a level that admits no answer and one that does, and goes on from a deviation that
units can have. Two of these that differ lie apart by at least one over the product of two entitlements' numerators and
denominators, so the steps are at most some seven times as many as these have digits.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pandas as pd

from zjtx_alloc.quota.crossing.cases import Case, Ladders, prove
from zjtx_alloc.quota.crossing.model_cases import search
from zjtx_alloc.quota.problem.criteria import Minimax
from zjtx_alloc.quota.problem.problem import QuotaProblem
from zjtx_alloc.quota.problem.rule_tree import Tree

Bounds = tuple[list[int], list[int]]


def boxed(problem: QuotaProblem, level: Fraction) -> QuotaProblem:
    """The problem of least squares with deviations at most a level."""
    return _within(problem, box(problem, level))


def _within(problem: QuotaProblem, bounds: Bounds) -> QuotaProblem:
    """The problem of least squares within these bounds."""
    floor, cap = (pd.Series(side, index=problem.entitlement.index) for side in bounds)
    return replace(problem, floor=floor, cap=cap, criterion=_minimax(problem).squares)


def box(problem: QuotaProblem, level: Fraction, *, below: bool = False) -> Bounds:
    """Bounds of the units, narrowed to deviations at most (or ``below``: less than) a level; may be empty."""
    p, q = level.numerator, level.denominator
    lower, upper = list(problem.lower), list(problem.upper)
    relative = _minimax(problem).relative
    for i, e in enumerate(problem.exact):
        if not e:
            continue
        n, d = e.numerator, e.denominator
        scale, by = max(n, d) if relative else d, d * q
        least, most = n * q - p * scale, n * q + p * scale  # by d · q
        if below:
            low, high = least // by + 1, -(-most // by) - 1
        else:
            low, high = -(-least // by), most // by
        lower[i], upper[i] = max(lower[i], low), min(upper[i], high)
    return lower, upper


def largest(problem: QuotaProblem, places: list[int]) -> Fraction:
    """The largest deviation, exactly; a unit with e = 0 does not count."""
    due = problem.due
    rough = np.where(due > 0, np.abs(np.array(places) - due), -1.0) / _scales(problem)
    near = np.flatnonzero(rough >= rough.max(initial=0.0) * (1 - 1e-9) - 1e-9 * due.max(initial=0.0))
    measure = _minimax(problem)
    exact = [measure.deviation(places[i], e) for i in near.tolist() if (e := problem.exact[i])]
    return max(exact, default=Fraction(0))


def least_level(problem: QuotaProblem) -> Fraction:
    """The least largest deviation of a problem that has an answer."""
    low, level = _narrowed(problem)
    while level and _admits(problem, bounds := box(problem, level, below=True)):
        level = _widest(problem, bounds)
        low = low if low < level else Fraction(0)  # floats had it that nothing lies below
        if _admits(problem, bounds := box(problem, middle := (low + level) / 2)):
            level = _widest(problem, bounds)
        else:
            low = middle
    return level


def _widest(problem: QuotaProblem, bounds: Bounds) -> Fraction:
    """The largest deviation within bounds."""
    return max(largest(problem, bounds[0]), largest(problem, bounds[1]))


def admits_below(problem: QuotaProblem, level: Fraction) -> bool:
    """Whether the rules admit deviations that are all below a level."""
    return level > 0 and _admits(problem, box(problem, level, below=True))


def _narrowed(problem: QuotaProblem) -> tuple[Fraction, Fraction]:
    """A level that seems to admit no answer and one that admits one; bisection, in floats where a tree makes that quick.

    Only a start: from any such level ``least_level`` comes down to the same one, so how near it is changes no answer.
    """
    most = high = _widest(problem, (problem.lower, problem.upper))
    low, fine = Fraction(0), Fraction(1, 10**11) if problem.tree else Fraction(1, 10**4)
    rough = _rough_test(problem, problem.tree) if problem.tree else None
    while high - low > fine * (1 + high):
        middle = Fraction(float(low + high) / 2)
        if rough(float(middle)) if rough else _admits(problem, box(problem, middle)):
            high = middle
        else:
            low = middle
    high *= 1 + Fraction(1, 10**9)  # what floats may have overlooked
    return low, high if _admits(problem, box(problem, high)) else most


def _rough_test(problem: QuotaProblem, tree: Tree) -> Callable[[float], bool]:
    due, scale, lower, upper = (
        np.array(values, dtype=float)[tree.order]
        for values in (problem.due, _scales(problem), problem.lower, problem.upper)
    )
    none = due == 0

    def admits(level: float) -> bool:
        low = np.where(none, lower, np.maximum(lower, np.ceil(due - level * scale)))
        high = np.where(none, upper, np.minimum(upper, np.floor(due + level * scale)))
        return tree.admits(low, high)

    return admits


def _admits(problem: QuotaProblem, bounds: Bounds) -> bool:
    """Whether bounds of the units leave an answer."""
    if problem.tree is not None:
        return problem.tree.admits(*(np.array(side)[problem.tree.order] for side in bounds))
    return not none_within(problem, bounds)[0]


def none_within(problem: QuotaProblem, bounds: Bounds) -> tuple[bool, tuple[Case, ...]]:
    """Whether rules that cross leave no answer within bounds of the units, and the cases that show it."""
    found = search(Ladders(problem, bounds, priced=False), 1)
    return found.places is None, found.cases


def refuted(problem: QuotaProblem, level: Fraction, cases: Sequence[Case]) -> bool:
    """Whether cases show that no answer has all its deviations below a level."""
    bounds = box(problem, level, below=True)
    crossed = any(low > high for low, high in zip(*bounds, strict=True))
    return not level or crossed or prove(Ladders(problem, bounds, priced=False), cases, 1)


def _scales(problem: QuotaProblem) -> np.ndarray:
    """What deviations are divided by, in floats."""
    return np.maximum(problem.due, 1) if _minimax(problem).relative else np.ones(len(problem.due))


def _minimax(problem: QuotaProblem) -> Minimax:
    measure = problem.yardstick
    assert isinstance(measure, Minimax)
    return measure
