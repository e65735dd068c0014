"""The PuLP model for any linear rule; the only room that imports pulp.

Each unit's cost (x − e)²/e, linear between integers, is the maximum of its chords between neighbouring
integers; minimising t ≥ every chord is the projection of the unit-increment LP, with n variables where
that has one a place. Chords are added where the answer touches none, so the last model is exact:
its optimum bounds the true cost from below and attains it. Under nested groups (and one further nested
family beside them) every vertex is integral, so the LP settles it; the same model with integer x is
solved only where a vertex is not.
"""

import math
from dataclasses import dataclass

import highspy
import pulp

from zjtx_alloc.errors import SolverError
from zjtx_alloc.messages import say
from zjtx_alloc.quota.problem import BILLION, QuotaProblem

_TOLERANCE = 1e-6


@dataclass(frozen=True)
class ModelAnswer:
    """Integer places by position, and the solver's lower bound on the cost of any answer."""

    places: list[int]
    bound: float


def solve_model(problem: QuotaProblem, cutoff: float = math.inf) -> ModelAnswer | None:
    """Solve the problem; None if there is no answer of cost at most ``cutoff``.

    Raises
    ------
    SolverError
        If the solver does not prove its answer.
    """
    bounds = zip(problem.billionths, problem.lower, problem.upper, strict=True)
    chords = [_first_chords(e, low, high) for e, low, high in bounds]
    for category in (pulp.LpContinuous, pulp.LpInteger):
        answer = _solve_category(problem, chords, category)
        if answer is None or answer[1] > cutoff + _slack(cutoff):
            return None
        values, bound = answer
        places = [round(value) for value in values]
        if all(abs(value - x) <= _TOLERANCE for value, x in zip(values, places, strict=True)):
            return ModelAnswer(places, bound)
    raise SolverError(say("solver.fraction"))


def is_proven(problem: QuotaProblem, answer: ModelAnswer) -> bool:
    """Whether the answer's own cost meets the solver's bound."""
    cost = float(problem.cost(answer.places))
    return cost <= answer.bound + _slack(cost)


def _slack(cost: float) -> float:
    return _TOLERANCE * max(1.0, cost)


def _first_chords(e: int, low: int, high: int) -> set[int]:
    """Chords k (from k to k + 1) around the entitlement; one is enough to start, seven save rounds."""
    middle = min(max(e // BILLION, low), high)
    return set(range(max(middle - 3, 0), middle + 4)) if e else set()


def _solve_category(problem: QuotaProblem, chords: list[set[int]], category: str) -> tuple[list[float], float] | None:
    """Solve, add the chords that the answer lacks, repeat; the values of x and the bound at the end."""
    while True:
        solved = _solve_once(problem, chords, category)
        if solved is None:
            return None
        lacking = False
        for value, held, e in zip(solved[0], chords, problem.billionths, strict=True):
            k = math.floor(value + _TOLERANCE)
            touching = {k, k - 1} if abs(value - k) <= _TOLERANCE else {k}
            if e and not held & touching:
                held |= set(range(max(k - 2, 0), k + 3))
                lacking = True
        if not lacking:
            return solved


def _solve_once(problem: QuotaProblem, chords: list[set[int]], category: str) -> tuple[list[float], float] | None:
    model = pulp.LpProblem("quota", pulp.LpMinimize)
    span = range(len(problem.lower))
    x = [model.add_variable(f"x{i}", problem.lower[i], problem.upper[i], category) for i in span]
    t = [model.add_variable(f"t{i}", 0) for i in span]
    model.setObjective(pulp.lpSum(t))
    model.addConstraint(pulp.lpSum(x) == problem.total, "total")
    for number, row in enumerate(problem.rows):
        weighted = pulp.lpSum(w * x[i] for i, w in enumerate(row.weights) if w)
        model.addConstraint(weighted >= row.lower, f"lower{number}")
        model.addConstraint(weighted <= row.upper, f"upper{number}")
    for i in span:
        e = problem.billionths[i] / BILLION
        for k in sorted(chords[i]):
            slope, start = (2 * k + 1) / e - 2, (k - e) ** 2 / e
            model.addConstraint(t[i] >= slope * x[i] + (start - slope * k), f"chord{i}_{k}")
    # threads: another number later in the same process silently ends in "not solved".
    model.solve(pulp.HiGHS(msg=False, threads=1, gapRel=0.0, gapAbs=0.0))
    solver = model.solverModel
    status = solver.getModelStatus()
    if status == highspy.HighsModelStatus.kInfeasible:
        return None
    if status != highspy.HighsModelStatus.kOptimal:
        raise SolverError(say("solver.status", status=solver.modelStatusToString(status)))
    info = solver.getInfo()
    bound = info.mip_dual_bound if category == pulp.LpInteger else info.objective_function_value
    return [float(v.value()) for v in x], float(bound)
