"""Every optimal answer of a problem, where ties leave several."""

from collections import deque
from dataclasses import dataclass

import pandas as pd

from zjtx_alloc.base.errors import ScenarioError
from zjtx_alloc.base.messages import say
from zjtx_alloc.base.text import shown
from zjtx_alloc.quota.crossing.exchange import equal_moves
from zjtx_alloc.quota.crossing.minimax import boxed
from zjtx_alloc.quota.problem.criteria import Minimax
from zjtx_alloc.quota.problem.problem import QuotaProblem
from zjtx_alloc.quota.solve import solve


@dataclass(frozen=True)
class Optima:
    """The optimal answers of a problem."""

    #: A row an answer, a column a unit; the one that the tie rule names first, then fewer and fewer places to the
    #: units that come first in its order (DataFrame of int64).
    quotas: pd.DataFrame
    complete: bool  #: Whether these are all; False if there are more than were asked for.


def all_optimal(problem: QuotaProblem, most: int = 1000) -> Optima:
    """Find all optimal answers of a problem under nested rules, up to a number.

    From the answer of ``solve``, by moves of one place that cost nothing: the optimal answers form an M-convex set, in
    which such moves lead from each to each (Murota 2003, *Discrete Convex Analysis*, section 4.1).

    Parameters
    ----------
    most : int, at least 1
        How many answers to give at most.

    Raises
    ------
    ScenarioError
        If rules cross, where answers of equal cost may be several moves apart; or ``most`` is no number of answers.
    InfeasibleError, SolverError
        As ``solve`` does.
    """
    if isinstance(most, bool) or not isinstance(most, int) or most < 1:
        raise ScenarioError(say("optima.most", most=shown(most)))
    if not problem.nested:
        raise ScenarioError(say("optima.crossing"))
    solution = solve(problem)
    plain = problem.plain
    if isinstance(plain.yardstick, Minimax):
        plain = boxed(plain, solution.certificate.level)
    first = tuple(problem.beyond_base(solution.quota.to_list()))
    known, waiting = {first}, deque([first])
    while waiting and len(known) <= most:
        places = waiting.popleft()
        for i, j in equal_moves(plain, list(places)):
            moved = list(places)
            moved[i], moved[j] = moved[i] - 1, moved[j] + 1
            if (answer := tuple(moved)) not in known:
                known.add(answer)
                waiting.append(answer)
    found = sorted(known - {first}, key=lambda places: [places[i] for i in problem.order], reverse=True)
    quotas = pd.DataFrame([first, *found][:most], columns=problem.entitlement.index, dtype="int64")
    return Optima(quotas + problem.base, len(known) <= most)
