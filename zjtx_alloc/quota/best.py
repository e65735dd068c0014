"""The best quota of a changed problem, solved once: what-if questions of 37 units ask for the same ones again and again."""

from functools import cached_property, lru_cache

import pandas as pd

from zjtx_alloc.errors import InfeasibleError, ScenarioError
from zjtx_alloc.messages import say
from zjtx_alloc.quota.engines import solve
from zjtx_alloc.quota.problem import QuotaProblem

_KEPT = 1024  # answers of 37 numbers each: those of one allocation's explanations, and some more


def best_quota(problem: QuotaProblem) -> pd.Series:
    """The solved quota.

    Raises
    ------
    InfeasibleError
        Also, without a diagnosis, where rules cross and leave a unit out that the criterion serves first.
    """
    places, clash = _answer(_Question(problem))
    if clash is not None:
        raise InfeasibleError(str(clash), clash.diagnosis)
    return pd.Series(places, index=problem.entitlement.index, dtype="int64", name="quota")


class _Question:
    """A problem as a key: two are one if they agree in all that decides the answer and what is said of a clash."""

    def __init__(self, problem: QuotaProblem) -> None:
        self.problem = problem

    @cached_property
    def content(self) -> tuple[object, ...]:
        problem = self.problem
        rules = ((r.name, tuple(r.coefficients.items()), r.lower, r.upper) for r in problem.rules)
        numbers = (problem.total, *problem.billionths, *problem.floor.to_list(), *problem.cap.to_list())
        names = (tuple(problem.labels), tuple(problem.names.items()))
        return (numbers, problem.groups, tuple(rules), problem.criterion, names)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Question) and self.content == other.content

    def __hash__(self) -> int:
        return hash(self.content)


@lru_cache(_KEPT)
def _answer(question: _Question) -> tuple[list[int], InfeasibleError | None]:
    """The places, or why there are none."""
    try:
        return _solved(question.problem), None
    except InfeasibleError as error:
        return [], error.with_traceback(None)


def _solved(problem: QuotaProblem) -> list[int]:
    try:
        return [int(x) for x in solve(problem).quota]
    except ScenarioError:
        raise InfeasibleError(say("whatif.unserved")) from None
