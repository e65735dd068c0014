"""The PuLP model of several batches as one plan: whole places whose running totals follow real ones.

Each running total lies between floor and ceiling of its target, so its squared distance to it is linear in
it. Totals and nested groups of each batch are one laminar family, each unit's running totals another: two
such families have a totally unimodular matrix (Hoffman & Kruskal 1956; Edmonds 1970), the real targets
keep every row and every bound is whole, so the LP has an answer and an optimal one in whole places: the
argument that bounds Tijdeman's chairman assignment (1980, Discrete Mathematics 32) by less than a place.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import pulp

from zjtx_alloc.base.errors import InfeasibleError, SolverError
from zjtx_alloc.base.messages import say
from zjtx_alloc.quota.crossing.lagrangian_bound import meets
from zjtx_alloc.quota.crossing.model import FINE, admits_answer, hold
from zjtx_alloc.quota.crossing.model_cases import NEAR_WHOLE
from zjtx_alloc.quota.problem.problem import QuotaProblem
from zjtx_alloc.quota.problem.rule_tree import Row, priced


@dataclass(frozen=True)
class Course:
    """What a plan follows."""

    problems: tuple[QuotaProblem, ...]  #: Batch by batch, the same units in the same order.
    start: tuple[int, ...]  #: Running total of each unit before the first of them.
    targets: tuple[tuple[Fraction, ...], ...]  #: Running total that each unit is due after each batch.
    batches: tuple[int, ...] = ()  #: What messages call the batches; 1, 2, … if not given.

    @property
    def rows(self) -> list[tuple[int, Row]]:
        """Groups and rules with the position of their batch."""
        return [(b, row) for b, problem in enumerate(self.problems) for row in problem.rows]

    def _beside(self, places: Sequence[Sequence[int]]) -> Iterator[tuple[int, Fraction]]:
        """Every running total and its target."""
        totals: Sequence[int] = self.start
        for batch, due in zip(places, self.targets, strict=True):
            totals = [a + x for a, x in zip(totals, batch, strict=True)]
            yield from zip(totals, due, strict=True)

    def cost(self, places: Sequence[Sequence[int]]) -> Fraction:
        """Σ (running total − target)², exactly."""
        return sum(((x - t) ** 2 for x, t in self._beside(places)), Fraction(0))

    def violations(self, places: Sequence[Sequence[int]]) -> list[str]:
        """What places break, as sentences: rules of a batch, and running totals beside their target."""
        broken = [line for p, batch in zip(self.problems, places, strict=True) for line in p.violations(list(batch))]
        far = [(x, t) for x, t in self._beside(places) if not math.floor(t) <= x <= math.ceil(t)]
        return broken + [say("plan.far", running=x, target=float(t)) for x, t in far]


@dataclass(frozen=True)
class Planned:
    """Whole places by batch and unit, their cost Σ (running total − target)², and a lower bound on any cost.

    ``proof``: ``dual`` (the LP's prices, recomputed exactly) or ``bound`` (the solver's word, for a MIP).
    """

    places: list[list[int]]
    cost: Fraction
    bound: Fraction
    proof: str


def solve_plan(course: Course) -> Planned:
    """The whole places that follow the targets most closely; one answer where several do.

    Raises
    ------
    InfeasibleError
        If crossing rules leave no running totals beside their targets; some of them, none to spare, are named.
    SolverError
        If the answer breaks a rule or is not proven.
    """
    for category in (pulp.LpContinuous, pulp.LpInteger):
        model, x = _built(course, category)
        if not admits_answer(model, **FINE):
            raise InfeasibleError(say("plan.infeasible", rules="、".join(_clash(course))))
        values = [float(variable.value()) for variable in x]
        if all(abs(value - round(value)) <= NEAR_WHOLE for value in values):
            break
    whole, units = list(map(round, values)), len(course.start)
    places = [whole[first : first + units] for first in range(0, len(whole), units)]
    if broken := course.violations(places):
        raise SolverError(say("solver.broken", what="；".join(broken)))
    if category == pulp.LpContinuous:
        bound, proof = _dual_bound(course, model.solverModel.getSolution().row_dual), "dual"
    else:
        bound, proof = Fraction(model.solverModel.getInfo().mip_dual_bound) + _constant(course), "bound"
    cost = course.cost(places)
    if not meets(bound, cost):
        raise SolverError(say("solver.unproven"))
    return Planned(places, cost, bound, proof)


def _lines(course: Course, rows: Sequence[tuple[int, Row]] | None = None) -> list[Row]:
    """Totals and rules (or those given) of the batches, then every running total between floor and ceiling of its target.

    Over cells: the units of the first batch, then those of the next.
    """
    units = len(course.start)
    totals = [(b, problem.whole) for b, problem in enumerate(course.problems)]
    lines = [
        replace(row, terms={b * units + i: w for i, w in row.terms.items()})
        for b, row in (*totals, *(course.rows if rows is None else rows))
    ]
    for b, due in enumerate(course.targets):
        for i, (target, ahead) in enumerate(zip(due, course.start, strict=True)):
            cells = dict.fromkeys(range(i, (b + 1) * units, units), 1)
            lines.append(Row("", cells, math.floor(target) - ahead, math.ceil(target) - ahead))
    return lines


def _bounds(course: Course) -> list[tuple[int, int]]:
    """Least and most places of every cell."""
    return [ends for problem in course.problems for ends in zip(problem.lower, problem.upper, strict=True)]


def _slopes(course: Course) -> list[Fraction]:
    """What one place more in a cell costs: the sum over its own and all later running totals."""
    steps = [[1 - 2 * (t - math.floor(t)) for t in due] for due in course.targets]
    return [sum(column, Fraction(0)) for b in range(len(steps)) for column in zip(*steps[b:], strict=True)]


def _constant(course: Course) -> Fraction:
    """The cost, as the model has it, of no places at all."""
    parts = [
        (t - math.floor(t), a - math.floor(t)) for due in course.targets for t, a in zip(due, course.start, strict=True)
    ]
    return sum((f * f + (1 - 2 * f) * below for f, below in parts), Fraction(0))


def _built(
    course: Course, category: str, rows: Sequence[tuple[int, Row]] | None = None
) -> tuple[pulp.LpProblem, list[pulp.LpVariable]]:
    model, units = pulp.LpProblem("plan", pulp.LpMinimize), len(course.start)
    x = [
        model.add_variable(f"x{at // units}_{at % units}", low, high, category)
        for at, (low, high) in enumerate(_bounds(course))
    ]
    model.setObjective(pulp.lpSum(float(slope) * cell for slope, cell in zip(_slopes(course), x, strict=True)))
    hold(model, x, _lines(course, rows))
    return model, x


def _dual_bound(course: Course, duals: Sequence[float]) -> Fraction:
    """Every cell on its own, paying the rows' prices: by weak duality a lower bound whatever the prices are."""
    slopes = _slopes(course)
    earned, paid = priced(_lines(course), duals, len(slopes))
    prices = [slope - price for slope, price in zip(slopes, paid, strict=True)]
    cells = (min(p * low, p * high) for p, (low, high) in zip(prices, _bounds(course), strict=True))
    return _constant(course) + earned + sum(cells, Fraction(0))


def _clash(course: Course) -> list[str]:
    """Rules that leave no answer, none to spare: each in turn is left out, for good if none appears."""
    kept = course.rows
    for rule in list(kept):
        fewer = [other for other in kept if other is not rule]
        if not admits_answer(_built(course, pulp.LpInteger, fewer)[0], **FINE):
            kept = fewer
    return [say("plan.rule", batch=course.batches[b] if course.batches else b + 1, rule=row.name) for b, row in kept]
