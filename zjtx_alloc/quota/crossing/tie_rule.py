"""The tie rule where rules cross: single moves may not reach its answer, so all that cost no more are searched.

The prices of the LP leave most units one number of places in any answer of equal cost (reduced costs); of the boxes that
are left, those that hold no answer preferred to the best so far are passed over.
"""

from dataclasses import replace

from zjtx_alloc.base.errors import SolverError
from zjtx_alloc.base.messages import say
from zjtx_alloc.quota.crossing.cases import Box, Ladders
from zjtx_alloc.quota.crossing.exchange import polished
from zjtx_alloc.quota.crossing.lagrangian_bound import leeway
from zjtx_alloc.quota.crossing.model import ModelAnswer
from zjtx_alloc.quota.crossing.model_cases import MOST_CASES, Increments, Step, steps, whole_answer
from zjtx_alloc.quota.problem.problem import QuotaProblem


def largest_in_order(problem: QuotaProblem, answer: ModelAnswer) -> list[int]:
    """Of the answers that cost no more than one (after single moves) the lexicographically largest in the tie order.

    Each is compared by its exact cost; one that is cheaper by less than the solver can see starts anew.

    Raises
    ------
    SolverError
        If it takes more boxes than ``MOST_CASES``.
    """
    places = polished(problem, answer.places)
    cost = problem.cost(places)
    ladders = Ladders(problem, leeway(problem, answer.prices, cost))
    model, target = Increments(ladders, answer.prices[0]), ladders.part(cost) + 1
    nodes: list[tuple[Box | None, Step | None]] = [(ladders.box, None)]
    seen = 0
    while nodes:
        box, step = nodes.pop()
        if box is None or not _may_lead(problem, box, places):
            continue
        if (seen := seen + 1) > MOST_CASES:
            raise SolverError(say("solver.many_cases", most=MOST_CASES))
        values, now, case = model.solved(box)
        answer.gains.learn(step, values, now)
        if (left := ladders.left(case, box, target)) is None:
            continue
        if found := whole_answer(problem, values):
            if (least := problem.cost(found)) < cost:
                return largest_in_order(problem, replace(answer, places=found))
            if least == cost:
                places = max(places, found, key=lambda x: [x[i] for i in problem.order])
            unit = next((i for i in problem.order if left[0][i] < left[1][i]), None)
            if unit is None:
                nodes += [] if list(left[0]) == found else [(left, None)]
                continue
            at = min(max(found[unit], left[0][unit]), left[1][unit] - 1)
        else:
            unit, at = answer.gains.split(left, values)
        nodes += steps(left, unit, at, values, now)
    return places


def _may_lead(problem: QuotaProblem, box: Box, places: list[int]) -> bool:
    """Whether a box may hold places that the tie rule prefers to these."""
    return [box[1][i] for i in problem.order] > [places[i] for i in problem.order]
