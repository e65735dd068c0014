"""The PuLP model of least worst squares: integers x that minimise the greatest of Σ (x − e_v)² − c_v over targets v.

With x counted from a whole number a near the targets, Σ (x − e_v)² is one convex sum, the same for all targets,
plus a linear form in x: squares become chords between neighbouring integers, as in ``quota.model``. One target
under nested rules needs no model: its squares are the criterion ``hamilton``, whose places are handed out one by one.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
import pulp

from zjtx_alloc.base.errors import InfeasibleError, SolverError
from zjtx_alloc.base.messages import say
from zjtx_alloc.quota.crossing.lagrangian_bound import meets
from zjtx_alloc.quota.crossing.model import FINE, admits_answer, hold
from zjtx_alloc.quota.crossing.model_cases import NEAR_WHOLE
from zjtx_alloc.quota.nested.demand import demand_of
from zjtx_alloc.quota.nested.greedy import exact_places
from zjtx_alloc.quota.problem.problem import QuotaProblem

_NEAR = 3  # chords either side of where places went
_FAR = (-32, -16, -8, 7, 15, 31)  # chords that show what it costs to be driven off by rules


@dataclass(frozen=True)
class Target:
    """What places are measured against: Σ (x − e)² − credit; e in fractions, as a quota problem keeps them."""

    places: tuple[Fraction, ...]
    credit: Fraction = Fraction(0)

    def loss(self, places: Sequence[int]) -> Fraction:
        """Σ (x − e)² − credit, exactly."""
        return sum(((x - e) ** 2 for x, e in zip(places, self.places, strict=True)), -self.credit)


@dataclass(frozen=True)
class LeastWorst:
    """Integer places by position, their worst loss, and a lower bound on that of any places (the solver's word, or exact)."""

    places: list[int]
    worst: Fraction
    bound: Fraction


def least_worst(problem: QuotaProblem, targets: Sequence[Target]) -> LeastWorst:
    """Places within the problem's rules whose worst loss over the targets is least.

    Raises
    ------
    InfeasibleError
        If no places keep the rules.
    SolverError
        If the answer breaks a rule or is not proven.
    """
    if len(targets) == 1 and problem.nested and _priced(problem, targets[0]):
        return _nearest(problem, targets[0])
    columns = list(zip(*(target.places for target in targets), strict=True))
    middles = [math.floor(sum(column) / len(column)) for column in columns]
    held = [_window(column, a) for column, a in zip(columns, middles, strict=True)]
    # One target is a separable convex sum: its LP has whole vertices under nested rules, and mostly where rules cross.
    whole = len(targets) > 1
    while True:
        model, x = _built(problem, targets, middles, held, pulp.LpInteger if whole else pulp.LpContinuous)
        if not admits_answer(model, **FINE):
            raise _infeasible(problem)
        values = [float(variable.value()) for variable in x]
        steps = [round(value) for value in values]
        if not whole and any(abs(v - y) > NEAR_WHOLE for v, y in zip(values, steps, strict=True)):
            whole = True
            continue
        if all({y - 1, y} <= chords for y, chords in zip(steps, held, strict=True)):
            break
        for y, chords in zip(steps, held, strict=True):
            chords |= set(range(y - _NEAR, y + _NEAR))
    places = [y + a for y, a in zip(steps, middles, strict=True)]
    worst = max(target.loss(places) for target in targets)
    found = model.solverModel.getInfo()
    bound = Fraction(found.mip_dual_bound if whole else found.objective_function_value)
    if broken := problem.violations(places):
        raise SolverError(say("solver.broken", what="；".join(broken)))
    if not meets(bound, worst):
        raise SolverError(say("solver.unproven"))
    return LeastWorst(places, worst, min(bound, worst))


def _priced(problem: QuotaProblem, target: Target) -> bool:
    """Whether every unit that has a choice has an entitlement: without one, a place has no price."""
    return all(e or low == high for e, low, high in zip(target.places, problem.lower, problem.upper, strict=True))


def _nearest(problem: QuotaProblem, target: Target) -> LeastWorst:
    """The least loss of one target under nested rules: exact, and its own bound."""
    problem.check_bounds()
    demand = demand_of(replace(problem, criterion="hamilton"))
    due = [target.places[i] for i in demand.tree.order.tolist()]
    numbers = np.array(due, dtype=float)
    demand = replace(demand, due=np.where(numbers > 0, numbers, 1.0), given=due)
    found = exact_places(demand, problem.total)
    if found is None:
        raise _infeasible(problem)
    places = demand.tree.by_position(found)
    worst = target.loss(places)
    return LeastWorst(places, worst, worst)


def _infeasible(problem: QuotaProblem) -> InfeasibleError:
    return InfeasibleError(say("quota.infeasible", rules="、".join(row.name for row in problem.rows) or "—"))


def _window(column: Sequence[Fraction], middle: int) -> set[int]:
    """Chords k (from k to k + 1, counted from the middle) around all targets of a unit, and some far off."""
    return set(range(math.floor(min(column)) - middle - 2, math.ceil(max(column)) - middle + 2)) | set(_FAR)


def _built(
    problem: QuotaProblem, targets: Sequence[Target], middles: list[int], held: list[set[int]], category: str
) -> tuple[pulp.LpProblem, list[pulp.LpVariable]]:
    model = pulp.LpProblem("regret", pulp.LpMinimize)
    bounds = list(zip(problem.lower, problem.upper, middles, strict=True))
    x = [model.add_variable(f"x{i}", low - a, high - a, category) for i, (low, high, a) in enumerate(bounds)]
    square = [model.add_variable(f"s{i}", 0) for i in range(len(x))]
    worst = model.add_variable("worst")
    model.setObjective(worst + 0)
    model.addConstraint(pulp.lpSum(x) == problem.total - sum(middles), "total")
    ahead = [row.value(middles) for row in problem.rows]
    rows = zip(problem.rows, ahead, strict=True)
    hold(model, x, [replace(row, lower=row.lower - value, upper=row.upper - value) for row, value in rows])
    for v, target in enumerate(targets):
        away = [e - a for e, a in zip(target.places, middles, strict=True)]
        constant = sum((d * d for d in away), -target.credit)
        linear = pulp.lpSum(float(-2 * d) * x[i] for i, d in enumerate(away))
        model.addConstraint(worst >= pulp.lpSum(square) + linear + float(constant), f"target{v}")
    for i, chords in enumerate(held):
        for k in sorted(chords):
            model.addConstraint(square[i] >= (2 * k + 1) * x[i] - k * (k + 1), f"chord{i}_{k}".replace("-", "m"))
    return model, x
