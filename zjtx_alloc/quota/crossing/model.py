"""The PuLP model for any linear rule; the module that runs HiGHS.

Each unit's cost, convex and linear between integers, is the maximum of its chords between neighbouring
integers; minimising t ≥ every chord is the projection of the unit-increment LP, with n variables where
that has one a place. Chords are added where the answer touches none, to the model as HiGHS holds it, which goes
on from where it was; so the last model is exact: its optimum bounds the true cost from below and attains it.
Under nested groups (and one further nested
family beside them) every vertex is integral, so the LP settles it; where a vertex is not, its prices narrow what is
left to a small box, in which cases are distinguished (``model_cases``).
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import pulp

from zjtx_alloc.base.errors import SolverError
from zjtx_alloc.base.messages import say
from zjtx_alloc.quota.crossing.cases import Case, Ladders
from zjtx_alloc.quota.crossing.chords import Curve, curves_of
from zjtx_alloc.quota.crossing.lagrangian_bound import GAP, dual_bound, leeway, meets
from zjtx_alloc.quota.crossing.model_cases import NEAR_WHOLE, Gains, search, whole_answer
from zjtx_alloc.quota.problem.problem import QuotaProblem
from zjtx_alloc.quota.problem.rule_tree import Row

try:
    import highspy
except ImportError:  # not installed, or its library does not load: only rules that cross need it
    highspy = None  # type: ignore[assignment]

FINE = {"primal_feasibility_tolerance": 1e-9, "mip_feasibility_tolerance": 1e-9}
_OPTIONS = {
    "threads": 1,  # another number later in the same process silently ends in "not solved"
    "gapRel": 0.0,
    "gapAbs": 0.0,
    "dual_feasibility_tolerance": 1e-10,
    "timeLimit": 300,  # a guard, not a way to stop: an answer that meets it is refused
}
_PROVEN, _INFEASIBLE = "kOptimal", ("kInfeasible", "kUnboundedOrInfeasible")


@dataclass(frozen=True)
class ModelAnswer:
    """Integer places by position, a lower bound on the cost of any answer, and what proves it.

    ``prices``: of the LP, from which a bound is recomputed exactly. ``cases``: where the cost does not meet it.
    ``gains``: what the search has learned, for the tie rule's.
    """

    places: list[int]
    bound: Fraction
    prices: tuple[float, ...]
    gains: Gains
    cases: tuple[Case, ...] = ()


def solve_model(problem: QuotaProblem) -> ModelAnswer | None:
    """Solve a problem whose criterion adds up; None if there is no answer.

    Raises
    ------
    SolverError
        If the solver does not prove its answer.
    """
    relaxed = _relaxed(problem)
    if relaxed is None:  # as floats have it; that no answer is left, cases prove
        known = _any_answer(problem)
        if known is None:
            return None
        prices = (0.0,) * (1 + 2 * len(problem.rows))
        relaxed = list(map(float, known)), dual_bound(problem, prices), prices
    values, bound, prices = relaxed
    places, gains = whole_answer(problem, np.array(values)), Gains(len(values))
    if places is not None and (problem.nested or meets(bound, problem.cost(places))):
        return ModelAnswer(places, bound, prices, gains)
    for cost in _costs_to_try(problem, relaxed):
        ladders = Ladders(problem, leeway(problem, prices, cost))
        found = search(ladders, ladders.part(cost) + 1, ladders.part(GAP / 2), place=prices[0], gains=gains)
        if found.places is not None:
            least = problem.cost(found.places)
            if meets(bound, least):  # so which of several vertices the LP found does not say how the answer is proven
                return ModelAnswer(found.places, bound, prices, gains)
            return ModelAnswer(found.places, least - GAP, prices, gains, found.cases)
    return None


def _costs_to_try(
    problem: QuotaProblem, relaxed: tuple[list[float], Fraction, tuple[float, ...]]
) -> Iterator[Fraction]:
    """Costs below which an answer is looked for: little above the bound at first, for a small box; at last that of any answer."""
    values, bound, _ = relaxed
    parts = [
        value for value in zip(curves_of(problem), values, strict=True) if abs(value[1] - round(value[1])) > NEAR_WHOLE
    ]
    step = max((1 / curve.unit for curve, _ in parts), default=GAP)
    yield from (bound + step * Fraction(2) ** power for power in range(-7, 5))
    known = _any_answer(problem)
    if known is not None:
        yield sum(map(Curve.cost, curves_of(problem), known), Fraction(0))


def _any_answer(problem: QuotaProblem) -> list[int] | None:
    """Places that keep the rules; None if none do, which cases have shown."""
    return search(Ladders(problem, (problem.lower, problem.upper), priced=False), 1).places


def hold(model: pulp.LpProblem, x: Sequence[pulp.LpVariable], rows: Sequence[Row]) -> None:
    """Hold rows over these places: for each a lower and an upper bound, the order in which their prices are read."""
    for number, row in enumerate(rows):
        value = pulp.lpSum(w * x[i] for i, w in row.terms.items())
        model.addConstraint(value >= row.lower, f"lower{number}")
        model.addConstraint(value <= row.upper, f"upper{number}")


def admits_answer(model: pulp.LpProblem, **options: float) -> bool:
    """Run HiGHS on a model: whether it admits an answer, which the variables then hold, proven optimal.

    Raises
    ------
    SolverError
        If the solver proves neither, or is not there.
    """
    if highspy is None:
        raise SolverError(say("solver.missing"))

    def solved(presolve: str) -> Any:
        model.solve(pulp.HiGHS(msg=False, presolve=presolve, **_OPTIONS, **options))
        return model.solverModel

    return _admits(solved)


def _admits(solved: Callable[[str], Any]) -> bool:
    # A presolve that gives up on small pivots (kSolveError at fine tolerances; kNotset, kUnknown where prices lie many
    # magnitudes apart) says nothing of the model itself.
    for presolve in ("choose", "off"):
        solver = solved(presolve)
        status = solver.getModelStatus()
        if status.name in (_PROVEN, *_INFEASIBLE, "kTimeLimit"):
            break
    if status.name in _INFEASIBLE:
        return False
    if status.name != _PROVEN:
        raise SolverError(say("solver.status", status=solver.modelStatusToString(status)))
    return True


def _relaxed(problem: QuotaProblem) -> tuple[list[float], Fraction, tuple[float, ...]] | None:
    """Solve the LP, add the chords that its answer lacks, go on; places, the bound and the prices at the end."""
    curves = curves_of(problem)
    chords = [curve.around(int(curve.e), 3) for curve in curves]
    scale = max(1, int(max((1 / curve.unit for curve in curves), default=0) / 10**5))  # beyond, HiGHS may give up
    model, costs = _built(problem, curves, chords, scale)
    admitted = admits_answer(model)
    solver = model.solverModel

    def again(presolve: str) -> Any:
        if presolve == "off":
            solver.clearSolver()  # nor may it start from where the last attempt was lost
        solver.setOptionValue("presolve", presolve)
        solver.run()
        return solver

    while admitted:
        values = list(solver.getSolution().col_value)[: len(curves)]
        lacking = _lacking_chords(curves, chords, values)
        if not lacking:
            # In the order in which rows were added: the total, then a lower and an upper bound for each row.
            prices = tuple(dual * scale for dual in list(solver.getSolution().row_dual)[: 1 + 2 * len(problem.rows)])
            return values, dual_bound(problem, prices), prices
        for i, k in lacking:
            slope, start = curves[i].chord(k)
            solver.addRow(float(start), highspy.kHighsInf, 2, [costs[i], i], [1.0, -float(slope)])
        admitted = _admits(again)
    return None


def _lacking_chords(curves: list[Curve], chords: list[set[int]], values: list[float]) -> list[tuple[int, int]]:
    """Give each unit whose cost the model undercuts the chords around its value: those are returned."""
    lacking = []
    for i, (value, held, curve) in enumerate(zip(values, chords, curves, strict=True)):
        k = math.floor(value + NEAR_WHOLE)
        touching = {k, k + 1} if abs(value - k) <= NEAR_WHOLE else {k + 1}
        if held and not held & touching:
            lacking += [(i, chord) for chord in sorted(curve.around(k, 2) - held)]
            held.update(curve.around(k, 2))
    return lacking


def _built(
    problem: QuotaProblem, curves: list[Curve], chords: list[set[int]], scale: int
) -> tuple[pulp.LpProblem, dict[int, int]]:
    """The model, and in which column of the solver each unit's cost stands; its places stand in the unit's own."""
    model = pulp.LpProblem("quota", pulp.LpMinimize)
    # PuLP 3 hands columns over sorted by name ("__dummy" its own), PuLP 4 as they were added: these names make both one.
    x = [
        model.add_variable(f"X{i:09}", low, high)
        for i, (low, high) in enumerate(zip(problem.lower, problem.upper, strict=True))
    ]
    # t is the cost beyond that of the lower bound, in the curve's own unit, so that all rows are well scaled.
    t = {i: model.add_variable(f"Y{i:09}") for i, held in enumerate(chords) if held}
    model.setObjective(pulp.lpSum(float(1 / (curves[i].unit * scale)) * t[i] for i in t))
    model.addConstraint(pulp.lpSum(x) == problem.total, "total")
    hold(model, x, problem.rows)
    for i, above in t.items():
        for k in sorted(chords[i]):
            slope, start = curves[i].chord(k)
            model.addConstraint(above >= float(slope) * x[i] + float(start), f"chord{i}_{k}")
    return model, {i: len(x) + column for column, i in enumerate(t)}
