"""The PuLP model for any linear rule; the room that runs HiGHS.

Each unit's cost (x − e)²/e, linear between integers, is the maximum of its chords between neighbouring
integers; minimising t ≥ every chord is the projection of the unit-increment LP, with n variables where
that has one a place. Chords are added where the answer touches none, so the last model is exact:
its optimum bounds the true cost from below and attains it. Under nested groups (and one further nested
family beside them) every vertex is integral, so the LP settles it; the same model with integer x is
solved only where a vertex is not.
"""

import math
from dataclasses import dataclass
from fractions import Fraction

import highspy
import pulp

from zjtx_alloc.errors import SolverError
from zjtx_alloc.messages import say
from zjtx_alloc.quota.bound import dual_bound
from zjtx_alloc.quota.problem import BILLION, QuotaProblem

_TOLERANCE = 1e-6  # of a place, in the solver's values
_GAP = Fraction(1, 10**6)  # between a cost and its lower bound
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
    (pulp.LpInteger, {"primal_feasibility_tolerance": 1e-9, "mip_feasibility_tolerance": 1e-9}),
)
_INFEASIBLE = (highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kUnboundedOrInfeasible)


@dataclass(frozen=True)
class ModelAnswer:
    """Integer places by position, a lower bound on the cost of any answer, and where the bound is from.

    ``proof``: ``dual`` (the LP's prices, recomputed exactly) or ``bound`` (the solver's word, for a MIP).
    """

    places: list[int]
    bound: Fraction
    proof: str


def solve_model(problem: QuotaProblem, cutoff: Fraction | None = None) -> ModelAnswer | None:
    """Solve the problem; None if there is no answer of cost at most ``cutoff``.

    Raises
    ------
    SolverError
        If the solver does not prove its answer.
    """
    bounds = zip(problem.billionths, problem.lower, problem.upper, strict=True)
    chords = [_first_chords(e, low, high) for e, low, high in bounds]
    coarse = None
    for category, tolerances in _STAGES:
        answer = _solve_stage(problem, chords, category, tolerances)
        if answer is None or (cutoff is not None and answer[1] > cutoff + _GAP):
            return None
        values, bound = answer
        places = [round(value) for value in values]
        if all(abs(value - x) <= _TOLERANCE for value, x in zip(values, places, strict=True)):
            coarse = ModelAnswer(places, bound, "dual" if category == pulp.LpContinuous else "bound")
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
        If the solver proves neither.
    """
    model.solve(pulp.HiGHS(msg=False, **_OPTIONS, **options))
    status = model.solverModel.getModelStatus()
    if status in _INFEASIBLE:
        return False
    if status != highspy.HighsModelStatus.kOptimal:
        raise SolverError(say("solver.status", status=model.solverModel.modelStatusToString(status)))
    return True


def meets(bound: Fraction, cost: Fraction) -> bool:
    """Whether a cost meets a lower bound, within a millionth."""
    return cost <= bound + _GAP


def _first_chords(e: int, low: int, high: int) -> set[int]:
    """Chords k (from k to k + 1) around the entitlement; one is enough to start, seven save rounds."""
    middle = min(max(e // BILLION, low), high)
    return set(range(max(middle - 3, 0), middle + 4)) if e else set()


def _solve_stage(
    problem: QuotaProblem, chords: list[set[int]], category: str, tolerances: dict[str, float]
) -> tuple[list[float], Fraction] | None:
    """Solve, add the chords that the answer lacks, repeat; the values of x and the bound at the end."""
    while True:
        model, x = _built(problem, chords, category)
        if not admits_answer(model, **tolerances):
            return None
        values = [float(variable.value()) for variable in x]
        if not _added_chords(problem, chords, values):
            return values, _bound(problem, model.solverModel, category)


def _added_chords(problem: QuotaProblem, chords: list[set[int]], values: list[float]) -> bool:
    """Give each unit whose cost the model undercuts the chords around its value."""
    added = False
    for value, held, e in zip(values, chords, problem.billionths, strict=True):
        k = math.floor(value + _TOLERANCE)
        touching = {k, k - 1} if abs(value - k) <= _TOLERANCE else {k}
        if e and not held & touching:
            held |= set(range(max(k - 2, 0), k + 3))
            added = True
    return added


def _bound(problem: QuotaProblem, solver: highspy.Highs, category: str) -> Fraction:
    """The MIP's own bound, or what the LP's prices prove."""
    scale = _scale(problem)
    if category == pulp.LpInteger:
        return Fraction(solver.getInfo().mip_dual_bound) * scale + problem.cost(problem.lower)
    duals = [dual * scale for dual in solver.getSolution().row_dual]  # in the order in which rows were added
    prices = duals[1 : 1 + 2 * len(problem.rows)]
    return dual_bound(problem, duals[0], list(zip(prices[::2], prices[1::2], strict=True)))


def _scale(problem: QuotaProblem) -> int:
    """What the costs are divided by so that none exceeds 10⁵, beyond which HiGHS may give up."""
    least = min((e for e in problem.billionths if e), default=BILLION)
    return max(1, BILLION // (least * 10**5))


def _built(
    problem: QuotaProblem, chords: list[set[int]], category: str
) -> tuple[pulp.LpProblem, list[pulp.LpVariable]]:
    model = pulp.LpProblem("quota", pulp.LpMinimize)
    span = range(len(problem.lower))
    x = [model.add_variable(f"x{i}", problem.lower[i], problem.upper[i], category) for i in span]
    # t is e times the cost beyond that of the lower bound: tiny entitlements then leave the rows well scaled.
    exact = [Fraction(e, BILLION) for e in problem.billionths]
    least = [(problem.lower[i] - exact[i]) ** 2 for i in span]
    t = [model.add_variable(f"t{i}", -float(least[i])) for i in span]
    scale = _scale(problem)
    model.setObjective(pulp.lpSum(float(1 / (e * scale)) * t[i] for i, e in enumerate(exact) if e))
    model.addConstraint(pulp.lpSum(x) == problem.total, "total")
    for number, row in enumerate(problem.rows):
        weighted = pulp.lpSum(w * x[i] for i, w in enumerate(row.weights) if w)
        model.addConstraint(weighted >= row.lower, f"lower{number}")
        model.addConstraint(weighted <= row.upper, f"upper{number}")
    for i, e in enumerate(exact):
        for k in sorted(chords[i]):
            slope = 2 * k + 1 - 2 * e
            start = (k - e) ** 2 - least[i] - slope * k
            model.addConstraint(t[i] >= float(slope) * x[i] + float(start), f"chord{i}_{k}")
    return model, x
