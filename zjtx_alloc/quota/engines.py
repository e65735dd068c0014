"""solve(problem) -> Solution: run the model, apply the tie rule exactly, verify outside the solver."""

from dataclasses import dataclass, replace
from fractions import Fraction

import pandas as pd

from zjtx_alloc.errors import InfeasibleError, SolverError
from zjtx_alloc.messages import say
from zjtx_alloc.quota.exchange import improving_move, polished, tied_sets
from zjtx_alloc.quota.model import meets, solve_model
from zjtx_alloc.quota.problem import QuotaProblem


@dataclass(frozen=True)
class Solution:
    """A proven answer.

    Attributes
    ----------
    quota : Series of int64
        Places by label, in the problem's order; sums to the total.
    cost : float
        Σ (x − e)²/e of the answer.
    engine : str
        What found it: ``model`` (PuLP with HiGHS).
    ties : tuple of tuples of labels
        Sets of units among which a place could move at no cost; empty if the optimum is unique
        (with crossing rules: as far as moves of one place show).
    proof : str
        ``exchange``: no allowed move of one place improves it, compared in integers, which proves
        it under nested rules. Where rules cross, its cost meets a lower bound within 1e-6: ``dual``, one
        from the LP's prices recomputed exactly outside the solver; ``bound``, the solver's own, where the
        rules left the LP fractional.
    """

    quota: pd.Series
    cost: float
    engine: str
    ties: tuple[tuple[str, ...], ...]
    proof: str


def solve(problem: QuotaProblem) -> Solution:
    """Find the quota of least Σ (x − e)²/e; among equals the one the tie rule names.

    The tie rule: the lexicographically largest, units ordered by entitlement (descending), then label.

    Raises
    ------
    InfeasibleError
        If no quota satisfies the rules.
    SolverError
        If the answer is unproven or fails verification.
    """
    problem.check_bounds()
    answer = solve_model(problem)
    if answer is None:
        rules = "、".join(row.name for row in problem.rows) or "—"
        raise InfeasibleError(say("quota.infeasible", rules=rules))
    places = polished(problem, answer.places)
    if not problem.nested:
        places = _largest_in_order(problem, places)
    verify(problem, places, answer.bound)
    quota = pd.Series(places, index=problem.entitlement.index, dtype="int64", name="quota")
    return Solution(
        quota=quota,
        cost=float(problem.cost(places)),
        engine="model",
        ties=tied_sets(problem, places),
        proof="exchange" if problem.nested else answer.proof,
    )


def verify(problem: QuotaProblem, places: list[int], bound: Fraction) -> None:
    """Raise SolverError unless the places keep every rule and are proven optimal. Uses no solver.

    Nested rules need no bound: the absence of an improving move proves the optimum.
    """
    broken = problem.violations(places)
    if broken:
        raise SolverError(say("solver.broken", what="；".join(broken)))
    if improving_move(problem, places) is not None:
        raise SolverError(say("solver.not_best"))
    if not problem.nested and not meets(bound, problem.cost(places)):
        raise SolverError(say("solver.unproven"))


def _largest_in_order(problem: QuotaProblem, places: list[int]) -> list[int]:
    """The tie rule where rules cross: single moves may not reach it, so unit by unit, try for one place more.

    Each try is solved within the remaining bounds and compared by its exact cost; one that is cheaper by
    less than the solver can see starts the round again.
    """
    cost, narrowed = problem.cost(places), problem
    for i in problem.order:
        while places[i] < narrowed.upper[i]:
            raised = _with_bounds(narrowed, i, places[i] + 1, narrowed.upper[i])
            answer = solve_model(raised, cutoff=cost)
            found = None if answer is None else polished(raised, answer.places)
            if found is None or problem.cost(found) > cost:
                break
            if problem.cost(found) < cost:
                return _largest_in_order(problem, polished(problem, found))
            places = found
        narrowed = _with_bounds(narrowed, i, places[i], places[i])
    return places


def _with_bounds(problem: QuotaProblem, i: int, floor: int, cap: int) -> QuotaProblem:
    floors, caps = problem.floor.copy(), problem.cap.copy()
    floors.iloc[i], caps.iloc[i] = floor, cap
    return replace(problem, floor=floors, cap=caps)
