"""The PuLP model for any linear rule; the room that runs HiGHS.

Each unit's cost, convex and linear between integers, is the maximum of its chords between neighbouring
integers; minimising t ≥ every chord is the projection of the unit-increment LP, with n variables where
that has one a place. Chords are added where the answer touches none, so the last model is exact:
its optimum bounds the true cost from below and attains it. Under nested groups (and one further nested
family beside them) every vertex is integral, so the LP settles it; the same model with integer x is
solved only where a vertex is not.
"""

import math
from dataclasses import dataclass
from fractions import Fraction

import pulp

from zjtx_alloc.errors import SolverError
from zjtx_alloc.messages import say
from zjtx_alloc.quota.bound import dual_bound, meets
from zjtx_alloc.quota.criteria import BILLION
from zjtx_alloc.quota.curves import Curve, curves_of
from zjtx_alloc.quota.problem import QuotaProblem

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

    ``prices``: of the LP, from which the bound was recomputed exactly; empty if it is the solver's word, for a MIP.
    ``guide``: of the LP, whichever gave the answer: they tell what other answers cost at least.
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
    chords = [curve.around(problem.billionths[i] // BILLION, 3) for i, curve in enumerate(curves)]
    coarse, guide = None, tuple[float, ...]()
    for category, tolerances in _STAGES:
        answer = _solve_stage(problem, curves, chords, category, tolerances)
        if answer is None or (cutoff is not None and not meets(cutoff, answer[1])):
            return None
        values, bound, prices = answer
        guide = prices or guide
        places = [round(value) for value in values]
        if all(abs(value - x) <= NEAR_WHOLE for value, x in zip(values, places, strict=True)):
            coarse = ModelAnswer(places, bound, prices, guide)
            if problem.nested or meets(bound, problem.cost(places)):
                return coarse
    if coarse is None:
        raise SolverError(say("solver.fraction"))
    return coarse


def admits_answer(model: pulp.LpProblem, **options: float) -> bool:
    """Run HiGHS on a model: whether it admits an answer, which the variables then hold, proven optimal.

    Raises
    ------
    SolverError
        If the solver proves neither, or is not there.
    """
    if highspy is None:
        raise SolverError(say("solver.missing"))
    # A presolve that gives up on small pivots (kSolveError at fine tolerances) says nothing of the model itself.
    for presolve in ("choose", "off"):
        model.solve(pulp.HiGHS(msg=False, presolve=presolve, **_OPTIONS, **options))
        status = model.solverModel.getModelStatus()
        if status.name != "kSolveError":
            break
    if status.name in _INFEASIBLE:
        return False
    if status.name != _PROVEN:
        raise SolverError(say("solver.status", status=model.solverModel.modelStatusToString(status)))
    return True


def _solve_stage(
    problem: QuotaProblem, curves: list[Curve], chords: list[set[int]], category: str, tolerances: dict[str, float]
) -> tuple[list[float], Fraction, tuple[float, ...]] | None:
    """Solve, add the chords that the answer lacks, repeat; values of x, the bound and the LP's prices at the end."""
    scale = max(1, int(max((1 / curve.unit for curve in curves), default=0) / 10**5))  # beyond, HiGHS may give up
    while True:
        model, x = _built(problem, curves, chords, category, scale)
        if not admits_answer(model, **tolerances):
            return None
        values = [float(variable.value()) for variable in x]
        if _added_chords(curves, chords, values):
            continue
        solver = model.solverModel
        if category == pulp.LpInteger:
            base = sum((curve.base for curve in curves), Fraction(0))
            return values, Fraction(solver.getInfo().mip_dual_bound) * scale + base, ()
        # In the order in which rows were added: the total, then a lower and an upper bound for each row.
        prices = tuple(dual * scale for dual in solver.getSolution().row_dual[: 1 + 2 * len(problem.rows)])
        return values, dual_bound(problem, prices), prices


def _added_chords(curves: list[Curve], chords: list[set[int]], values: list[float]) -> bool:
    """Give each unit whose cost the model undercuts the chords around its value."""
    added = False
    for value, held, curve in zip(values, chords, curves, strict=True):
        k = math.floor(value + NEAR_WHOLE)
        touching = {k, k + 1} if abs(value - k) <= NEAR_WHOLE else {k + 1}
        if held and not held & touching:
            held.update(curve.around(k, 2))
            added = True
    return added


def _built(
    problem: QuotaProblem, curves: list[Curve], chords: list[set[int]], category: str, scale: int
) -> tuple[pulp.LpProblem, list[pulp.LpVariable]]:
    model = pulp.LpProblem("quota", pulp.LpMinimize)
    x = [model.add_variable(f"x{i}", problem.lower[i], problem.upper[i], category) for i in range(len(curves))]
    # t is the cost beyond that of the lower bound, in the curve's own unit, so that all rows are well scaled.
    t = {i: model.add_variable(f"t{i}") for i, held in enumerate(chords) if held}
    model.setObjective(pulp.lpSum(float(1 / (curves[i].unit * scale)) * t[i] for i in t))
    model.addConstraint(pulp.lpSum(x) == problem.total, "total")
    for number, row in enumerate(problem.rows):
        weighted = pulp.lpSum(w * x[i] for i, w in row.terms.items())
        model.addConstraint(weighted >= row.lower, f"lower{number}")
        model.addConstraint(weighted <= row.upper, f"upper{number}")
    for i, above in t.items():
        for k in sorted(chords[i]):
            slope, start = curves[i].chord(k)
            model.addConstraint(above >= float(slope) * x[i] + float(start), f"chord{i}_{k}")
    return model, x
