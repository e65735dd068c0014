"""solve(problem) -> Solution: pick the engine, apply the tie rule exactly, prove the answer outside it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal

import numpy as np
import pandas as pd

from zjtx_alloc.base.errors import InfeasibleError, ScenarioError
from zjtx_alloc.base.messages import say
from zjtx_alloc.quota.crossing.exchange import tied_sets
from zjtx_alloc.quota.crossing.minimax import box, boxed, least_level, none_within
from zjtx_alloc.quota.crossing.model import solve_model
from zjtx_alloc.quota.crossing.tie_rule import largest_in_order
from zjtx_alloc.quota.diagnose import diagnosed
from zjtx_alloc.quota.nested.demand import demand_of
from zjtx_alloc.quota.nested.exchange_proof import better_move, tied_units
from zjtx_alloc.quota.nested.greedy import exact_places
from zjtx_alloc.quota.problem.criteria import Criterion, Minimax, criterion_name
from zjtx_alloc.quota.problem.problem import QuotaProblem
from zjtx_alloc.quota.verify import Certificate, proven

Engine = Literal["auto", "exact", "model"]


@dataclass(frozen=True)
class Solution:
    """A proven answer."""

    quota: pd.Series  #: Places by label, in the problem's order; sums to the total (Series of int64).
    #: What the criterion adds up (for webster Σ (x − e)²/e); under minimax and leximin the largest deviation.
    cost: float
    #: Units with an entitlement and no place, where the criterion counts them before the cost (adams, dean,
    #: huntington-hill).
    unserved: tuple[str, ...]
    engine: str  #: What found it: ``exact`` (place by place) or ``model`` (PuLP with HiGHS).
    #: Sets of units among which a place could move at no cost; empty if the optimum is unique (with crossing rules:
    #: as far as moves of one place show).
    ties: tuple[tuple[str, ...], ...]
    certificate: Certificate  #: What proves it; ``verify(problem, quota, certificate)`` checks it without any solver.


def solve(problem: QuotaProblem, engine: Engine = "auto") -> Solution:
    """Find the quota that is best by the problem's criterion; among equals the one the tie rule names.

    The tie rule: the lexicographically largest, units ordered by entitlement (descending), then label. Both
    engines give the same answer wherever both apply.

    Parameters
    ----------
    engine : str
        ``exact``: place by place, for bounds and nested groups (Federgruen & Groenevelt 1986; Hochbaum 1994).
        ``model``: a PuLP model, for any linear rules. ``auto``: exact where rules are nested, else the model.

    Raises
    ------
    InfeasibleError
        If no quota satisfies the rules; its ``diagnosis`` says which clash and the cheapest way out.
    ScenarioError
        If the engine or, where rules cross, the criterion does not suit the problem.
    SolverError
        If the answer is unproven or fails verification.
    """
    if engine not in ("auto", "exact", "model"):
        raise ScenarioError(say("engine.unknown", engine=engine))
    try:
        return _solved(problem, engine)
    except InfeasibleError as error:
        raise diagnosed(problem, error) from None


def _solved(problem: QuotaProblem, engine: Engine) -> Solution:
    problem.check_bounds()  # first, for a rule over no unit that nothing satisfies makes no tree
    if problem.plain is not problem:
        plain = _solved(problem.plain, engine)
        return replace(plain, quota=plain.quota + problem.base)
    if engine == "exact" and not problem.nested:
        raise ScenarioError(say("engine.crossing"))
    chosen = engine if engine != "auto" else "exact" if problem.nested else "model"
    find = _by_price if chosen == "exact" else _nested_model if problem.nested else _crossing_model
    inner, level = _separable(problem, find)
    found = find(inner)
    if found is None:
        raise InfeasibleError(say("quota.infeasible", rules="、".join(row.name for row in problem.rows) or "—"))
    places, certificate = found
    below = none_within(problem, box(problem, level, below=True))[1] if level and not problem.nested else ()
    certificate, measure = proven(problem, places, replace(certificate, level=level, below=below)), problem.yardstick
    level = certificate.level
    return Solution(
        quota=pd.Series(places, index=problem.entitlement.index, dtype="int64", name="quota"),
        cost=float(level) if isinstance(measure, Minimax) else measure.float_cost(places, problem.due),
        unserved=problem.unserved(places),
        engine=chosen,
        ties=_ties(inner, places),
        certificate=certificate,
    )


_Find = Callable[[QuotaProblem], tuple[list[int], Certificate] | None]


def _separable(problem: QuotaProblem, find: _Find) -> tuple[QuotaProblem, Fraction]:
    """The problem by a separable criterion, and the level that its bounds keep under minimax."""
    if not isinstance(problem.yardstick, Minimax):
        return problem, Fraction(0)
    squares = replace(problem, criterion=problem.yardstick.squares)
    if not problem.nested and none_within(problem, (problem.lower, problem.upper))[0]:
        return squares, Fraction(0)
    level = least_level(problem)
    return boxed(problem, level), level


def _by_price(problem: QuotaProblem) -> tuple[list[int], Certificate] | None:
    demand = demand_of(problem)
    found = exact_places(demand, problem.total)
    return None if found is None else (demand.tree.by_position(found), Certificate("exchange"))


def _nested_model(problem: QuotaProblem) -> tuple[list[int], Certificate] | None:
    """The model's answer, and moves of one place until none is better: what is left of it is exact."""
    demand = demand_of(problem)
    linear = problem if demand.criterion.summable else replace(problem, criterion="hamilton")
    answer = solve_model(linear)
    if answer is None:
        return None
    places = np.array(answer.places)[demand.tree.order]
    while (move := better_move(demand, places)) is not None:
        places[list(move[:2])] += (-1, 1)
    return demand.tree.by_position(places), Certificate("exchange")


def _crossing_model(problem: QuotaProblem) -> tuple[list[int], Certificate] | None:
    measure = problem.yardstick
    assert isinstance(measure, Criterion)
    if not measure.summable:
        raise ScenarioError(say("engine.not_summable", criterion=criterion_name(problem.criterion)))
    if measure.first_is_free:
        served = problem.with_first_places()
        if solve_model(served) is None:
            if none_within(problem, (problem.lower, problem.upper))[0]:
                return None
            raise ScenarioError(say("engine.unserved", criterion=criterion_name(problem.criterion)))
        problem = served
    answer = solve_model(problem)
    if answer is None:
        return None
    places = largest_in_order(problem, answer)
    kind = "cases" if answer.cases else "dual"
    return places, Certificate(kind, bound=answer.bound, prices=answer.prices, cases=answer.cases)


def _ties(problem: QuotaProblem, places: list[int]) -> tuple[tuple[str, ...], ...]:
    if (tree := problem.tree) is None:
        sets = tied_sets(problem, places)
    else:
        found = tied_units(demand_of(problem), np.array(places)[tree.order])
        sets = [tree.order[units].tolist() for units in found]
    return tuple(tuple(problem.labels[i] for i in sorted(units)) for units in sets)
