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
from fractions import Fraction

import highspy
import pulp

from zjtx_alloc.errors import SolverError
from zjtx_alloc.messages import say
from zjtx_alloc.quota.bound import dual_bound
from zjtx_alloc.quota.problem import BILLION, QuotaProblem

_TOLERANCE = 1e-6


@dataclass(frozen=True)
class ModelAnswer:
    """Integer places by position, a lower bound on the cost of any answer, and where the bound is from.

    ``proof``: ``dual`` (the LP's prices, recomputed exactly) or ``bound`` (the solver's word, for a MIP).
    """

    places: list[int]
    bound: float
    proof: str


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
            return ModelAnswer(places, bound, "dual" if category == pulp.LpContinuous else "bound")
    raise SolverError(say("solver.fraction"))


def meets(bound: float, cost: float) -> bool:
    """Whether a cost meets a lower bound, within a millionth."""
    return cost <= bound + _slack(cost)


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
    # t is e times the cost beyond that of the lower bound: tiny entitlements then leave the rows well scaled.
    exact = [Fraction(e, BILLION) for e in problem.billionths]
    least = [(problem.lower[i] - exact[i]) ** 2 for i in span]
    t = [model.add_variable(f"t{i}", -float(least[i])) for i in span]
    model.setObjective(pulp.lpSum(float(1 / e) * t[i] for i, e in enumerate(exact) if e))
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
    # threads: another number later in the same process silently ends in "not solved".
    model.solve(pulp.HiGHS(msg=False, threads=1, gapRel=0.0, gapAbs=0.0))
    solver = model.solverModel
    status = solver.getModelStatus()
    if status == highspy.HighsModelStatus.kInfeasible:
        return None
    if status != highspy.HighsModelStatus.kOptimal:
        raise SolverError(say("solver.status", status=solver.modelStatusToString(status)))
    values = [float(v.value()) for v in x]
    if category == pulp.LpInteger:
        return values, float(solver.getInfo().mip_dual_bound) + float(problem.cost(problem.lower))
    duals = list(solver.getSolution().row_dual)
    pairs = duals[1 : 1 + 2 * len(problem.rows)]
    return values, float(dual_bound(problem, duals[0], list(zip(pairs[::2], pairs[1::2], strict=True))))
