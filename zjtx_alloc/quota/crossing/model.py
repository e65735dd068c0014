"""The PuLP model for any linear rule; the module that runs HiGHS.

Each unit's cost, convex and linear between integers, is the maximum of its chords between neighbouring
integers; minimising t ≥ every chord is the projection of the unit-increment LP, with n variables where
that has one a place. Chords are added where the answer touches none, to the model as HiGHS holds it, which goes
on from where it was; so the last model is exact: its optimum bounds the true cost from below and attains it.
Under nested groups (and one further nested
family beside them) every vertex is integral, so the LP settles it; the same model with integer x is
solved only where a vertex is not.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import pulp

from zjtx_alloc.base.errors import SolverError
from zjtx_alloc.base.messages import say
from zjtx_alloc.quota.crossing.chords import Curve, curves_of
from zjtx_alloc.quota.crossing.lagrangian_bound import dual_bound, meets
from zjtx_alloc.quota.problem.problem import QuotaProblem
from zjtx_alloc.quota.problem.rule_tree import Row

try:
    import highspy
except ImportError:  # not installed, or its library does not load: only rules that cross need it
    highspy = None  # type: ignore[assignment]

NEAR_WHOLE = 1e-6  # of a place, in the solver's values
FINE = {"primal_feasibility_tolerance": 1e-9, "mip_feasibility_tolerance": 1e-9}
_OPTIONS = {
    "threads": 1,  # another number later in the same process silently ends in "not solved"
    "gapRel": 0.0,
    "gapAbs": 0.0,
    "dual_feasibility_tolerance": 1e-10,
    "timeLimit": 300,  # a guard, not a way to stop: an answer that meets it is refused
}
# In turn: the LP; the MIP where its vertex is not integral; a finer MIP where small entitlements, which
# multiply what a row lets through, leave the proof too coarse.
_STAGES: tuple[tuple[str, dict[str, float]], ...] = (
    (pulp.LpContinuous, {}),
    (pulp.LpInteger, {}),
    (pulp.LpInteger, FINE),
)
_PROVEN, _INFEASIBLE = "kOptimal", ("kInfeasible", "kUnboundedOrInfeasible")


@dataclass(frozen=True)
class ModelAnswer:
    """Integer places by position, a lower bound on the cost of any answer, and where the bound is from.

    ``prices``: of the LP, from which the bound was recomputed exactly; empty if it is the solver's word, for a MIP whose
    cost the LP's bound does not meet.
    ``guide``: of the LP, whichever gave the answer: they say what other answers cost at least.
    """

    places: list[int]
    bound: Fraction
    prices: tuple[float, ...]
    guide: tuple[float, ...]


def solve_model(problem: QuotaProblem, cutoff: Fraction | None = None) -> ModelAnswer | None:
    """Solve a problem whose criterion adds up; None if there is no answer of cost at most ``cutoff``.

    Raises
    ------
    SolverError
        If the solver does not prove its answer.
    """
    curves = curves_of(problem)
    chords = [curve.around(int(curve.e), 3) for i, curve in enumerate(curves)]
    coarse, least, guide = None, Fraction(0), tuple[float, ...]()
    for category, tolerances in _STAGES:
        answer = _solve_stage(problem, curves, chords, category, tolerances)
        if answer is None or (cutoff is not None and not meets(cutoff, answer[1])):
            return None
        values, bound, prices = answer
        if prices:
            least, guide = bound, prices
        places = [round(value) for value in values]
        if all(abs(value - x) <= NEAR_WHOLE for value, x in zip(values, places, strict=True)):
            coarse, cost = ModelAnswer(places, bound, prices, guide), problem.cost(places)
            if meets(least, cost):  # so which of several vertices the LP found does not say how the answer is proven
                return ModelAnswer(places, least, guide, guide)
            if problem.nested or meets(bound, cost):
                return coarse
    if coarse is None:
        raise SolverError(say("solver.fraction"))
    return coarse


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


def _solve_stage(
    problem: QuotaProblem, curves: list[Curve], chords: list[set[int]], category: str, tolerances: dict[str, float]
) -> tuple[list[float], Fraction, tuple[float, ...]] | None:
    """Solve, add the chords that the answer lacks, go on; values of x, the bound and the LP's prices at the end."""
    scale = max(1, int(max((1 / curve.unit for curve in curves), default=0) / 10**5))  # beyond, HiGHS may give up
    model, costs = _built(problem, curves, chords, category, scale)
    admitted = admits_answer(model, **tolerances)
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
        if not lacking and category == pulp.LpInteger:
            base = sum((curve.base for curve in curves), Fraction(0))
            return values, Fraction(solver.getInfo().mip_dual_bound) * scale + base, ()
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
    problem: QuotaProblem, curves: list[Curve], chords: list[set[int]], category: str, scale: int
) -> tuple[pulp.LpProblem, dict[int, int]]:
    """The model, and in which column of the solver each unit's cost stands; its places stand in the unit's own."""
    model = pulp.LpProblem("quota", pulp.LpMinimize)
    # PuLP 3 hands columns over sorted by name ("__dummy" its own), PuLP 4 as they were added: these names make both one.
    x = [
        model.add_variable(f"X{i:09}", low, high, category)
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
