"""PuLP models over single bounds: whether some of them admit an answer, and the least change that makes all do."""

from collections.abc import Sequence
from fractions import Fraction

import pulp

from zjtx_alloc.base.errors import SolverError
from zjtx_alloc.base.messages import say
from zjtx_alloc.quota.crossing.model import FINE, admits_answer
from zjtx_alloc.quota.problem.limits import Limit

_SLACK = 1e-6  # of a place, on a sum held at its optimum
# Among equal changes: rather a joint rule than a unit's own bound, rather that than places for e = 0.
_RELUCTANCE = {"group": 0, "rule": 0, "floor": 1, "cap": 1, "zero": 2}


def admit(limits: Sequence[Limit], units: int, total: int | None) -> bool:
    """Whether integers x ≥ 0 keep these limits and, if given, sum to the total.

    Raises
    ------
    SolverError
        If the solver proves neither, or its answer breaks a limit.
    """
    model, x, _ = _built(limits, units, total)
    if not admits_answer(model, **FINE):
        return False
    places = [round(variable.value()) for variable in x]
    if any(limit.excess(places) for limit in limits) or (total is not None and sum(places) != total):
        raise SolverError(say("solver.fraction"))
    return True


def least_breach(limits: Sequence[Limit], units: int, total: int) -> list[int]:
    """Places that sum to the total and break the limits least: what they break is what to change.

    The sum of changes (each from the bound as it was set, in its rule's own measure) is least; among these, joint rules change rather
    than units' bounds; among these, the largest change of a unit's bound is least; among these, bounds rather change the earlier they
    stand. So what is proposed does not hang on the solver's version.
    """
    model, x, change = _built(limits, units, total, loose=True)
    largest = model.add_variable("largest", 0)
    for number, (limit, step) in enumerate(zip(limits, change, strict=True)):
        if _RELUCTANCE[limit.kind]:
            model.addConstraint(largest >= step, f"largest{number}")
    # Each stage's optimum is held in the next; a later one that lost it to tolerances is not taken.
    reluctance = [_RELUCTANCE[limit.kind] for limit in limits]
    stages = (
        pulp.lpSum(change),
        pulp.lpSum(r * s for r, s in zip(reluctance, change, strict=True)),
        largest + 0,
        pulp.lpSum(order * step for order, step in enumerate(change)),
    )
    best: list[int] = []
    for number, objective in enumerate(stages):
        model.setObjective(objective)
        if not admits_answer(model, **FINE):
            raise SolverError(say("solver.fraction"))
        places = [round(variable.value()) for variable in x]
        if best and _breach(limits, places) > _breach(limits, best):
            break
        best = places
        model.addConstraint(objective <= float(pulp.value(objective)) + _SLACK, f"stage{number}")
    return best


def _breach(limits: Sequence[Limit], places: list[int]) -> Fraction:
    return sum((limit.excess(places) for limit in limits), Fraction(0))


def _built(
    limits: Sequence[Limit], units: int, total: int | None, *, loose: bool = False
) -> tuple[pulp.LpProblem, list[pulp.LpVariable], list[pulp.LpVariable]]:
    """The model of these limits in whole places; or else (``loose``) as they were set, each with a change that costs nothing."""
    model = pulp.LpProblem("limits", pulp.LpMinimize)
    x = [model.add_variable(f"x{i}", 0, total, pulp.LpInteger) for i in range(units)]
    change = [model.add_variable(f"s{number}", 0) for number in range(len(limits) if loose else 0)]
    model.setObjective(pulp.lpSum(x))
    if total is not None:
        model.addConstraint(pulp.lpSum(x) == total, "total")
    for number, limit in enumerate(limits):
        value = pulp.lpSum(weight / limit.scale * x[i] for i, weight in limit.weights.items())
        if loose:
            value += change[number] if limit.lower else -change[number]
        bound = float(Fraction(limit.value if loose else limit.inward) / limit.scale)
        model.addConstraint(value >= bound if limit.lower else value <= bound, f"limit{number}")
    return model, x, change
