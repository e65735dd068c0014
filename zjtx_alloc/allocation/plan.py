"""Several batches as one plan (三批统筹): rounding that does not hurt the same small units every time."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import pandas as pd

from zjtx_alloc.allocation.allocate import Allocation, allocated, scenario_behind
from zjtx_alloc.base.errors import DataError, InfeasibleError, ScenarioError
from zjtx_alloc.base.messages import say
from zjtx_alloc.facts.panel import Panel
from zjtx_alloc.quota.crossing.model_plan import Course, solve_plan
from zjtx_alloc.quota.nested.continuous import bounded_entitlement, wanted_of
from zjtx_alloc.quota.problem.numbers import are_whole
from zjtx_alloc.quota.problem.problem import QuotaProblem
from zjtx_alloc.rules.own_columns import pool_caps
from zjtx_alloc.rules.scenario import DEFAULT, Scenario


@dataclass(frozen=True)
class Plan:
    """Quotas of several batches that belong together.

    Attributes
    ----------
    allocations : tuple of Allocation
        The batches, each allocated on its own.
    table : DataFrame
        Index (batch, code); short_name, target (the batch's bounded entitlement 有界理论名额: the optimum of its
        own problem in real numbers), separate (its quota on its own), quota (int64; what was approved in a
        batch that is known), running (sum of quota so far), running_target (what the unit is due so far; in
        a batch that is known, its part of all that was approved), known (bool).
    cost : float
        Σ (running − running_target)² over the batches that are planned.
    proof : str
        ``dual`` or ``bound``, as in ``Certificate``: the cost meets a lower bound within 1e-6.
    pool_until : int
        The last batch in which 可推荐企业数 binds; 0 if it binds in none.
    """

    allocations: tuple[Allocation, ...]
    table: pd.DataFrame
    cost: float
    proof: str
    pool_until: int

    @property
    def quota(self) -> pd.DataFrame:
        """Places, index ``code``, a column a batch."""
        codes = self.allocations[0].quota.index
        return self.table["quota"].unstack("batch").reindex(codes)


@dataclass(frozen=True)
class Replan:
    """A plan made again after some batches became known, and what it changed.

    Attributes
    ----------
    plan : Plan
    changes : DataFrame
        Index (batch, code), planned quotas that changed; short_name, before, after, difference (places),
        arrears (places that the known batches left the unit short of its part of all approvals; negative
        where it had more), why (Chinese).
    """

    plan: Plan
    changes: pd.DataFrame


def plan(scenarios: Sequence[Scenario | Allocation], panel: Panel | None = None, own: int | None = None) -> Plan:
    """Plan the quotas of several batches together.

    Each batch's total is exact and its rules hold; each unit's running total is floor or ceiling of its
    running target, and the squares of their distances have the least sum. 可推荐企业数 (eligible_pool), where the
    user's own table gives it, caps one batch; if that is the first, running totals after it too while scenarios
    say what is newly certified (``[certified]``), for what is unknown is not nothing.

    Parameters
    ----------
    scenarios : sequence of Scenario or Allocation
        One a batch, in any order.
    panel : Panel, optional
        The shipped facts if not given.
    own : int, optional
        The batch that the user's 可推荐企业数 are of; the first if not given.

    Raises
    ------
    ScenarioError
        If two scenarios are of the same batch, or there are none.
    InfeasibleError
        If crossing rules leave no such running totals, or the pool is too small; names them.
    DataError, SolverError
        As ``allocate`` does, and if the optimum is not proven.

    References
    ----------
    Tijdeman 1980, The chairman assignment problem, Discrete Mathematics 32.
    """
    batches = [scenario_behind(item).batch for item in scenarios]
    if not batches or len(set(batches)) < len(batches):
        raise ScenarioError(say("plan.batches", batches="、".join(map(str, sorted(batches))) or "—"))
    return _planned(allocated(sorted(scenarios, key=lambda item: scenario_behind(item).batch), panel, own), {})


def replan(before: Plan, actual: Mapping[int, pd.Series]) -> Replan:
    """Plan again once the first batches are known, by what was approved, not by what was recommended.

    What a unit fell short of its part of all approvals (in proportion to its targets) is added to what it
    wants in the next batch, and what it had too much is taken off; the rules of each batch hold.

    Parameters
    ----------
    actual : mapping of batch to Series
        Approved firms by unit (index ``code``, whole numbers ≥ 0) of the plan's first batches.

    Raises
    ------
    DataError
        If a batch is not among the plan's first ones, all are known, or numbers are missing, wrong or given twice.
    InfeasibleError, SolverError
        As ``plan`` does.
    """
    batches = [allocation.scenario.batch for allocation in before.allocations]
    if sorted(actual) != batches[: len(actual)] or not 0 < len(actual) < len(batches):
        raise DataError(
            say("plan.known", known="、".join(map(str, sorted(actual))) or "—", batches="、".join(map(str, batches)))
        )
    codes = before.allocations[0].quota.index
    known = {batch: _approved(batch, approved, codes) for batch, approved in actual.items()}
    after = _planned(before.allocations, known)
    return Replan(after, _changes(before, after))


def _approved(batch: int, approved: pd.Series, codes: pd.Index) -> list[int]:
    twice = approved.index.duplicated()
    numbers = approved[~twice].reindex(codes)
    wrong = [*codes[~are_whole(numbers)], *(c for c in approved.index if c not in codes), *approved.index[twice]]
    if wrong:
        raise DataError(say("plan.approved", batch=batch, codes="、".join(map(str, wrong))))
    return [int(x) for x in numbers]


def _planned(allocations: tuple[Allocation, ...], known: Mapping[int, list[int]]) -> Plan:
    due = [bounded_entitlement(allocation.problem) for allocation in allocations]
    done = [known[a.scenario.batch] for a in allocations[: len(known)]]
    parts = [_scaled(targets, sum(places)) for targets, places in zip(due, done, strict=False)]
    start = _sums(done, len(due[0]))
    ideal, reached = _sums(parts, len(due[0])), [Fraction(x) for x in start]
    problems, targets, pool_until = [], [], 0
    for allocation, pool, batch_due in zip(
        allocations[len(done) :], _pools(allocations)[len(done) :], due[len(done) :], strict=True
    ):
        ideal = [a + d for a, d in zip(ideal, batch_due, strict=True)]
        problem = allocation.problem
        placed = _towards(problem, ideal, reached, pool)
        reached = [a + x for a, x in zip(reached, placed, strict=True)]
        problems.append(problem)
        targets.append(tuple(reached))
        pool_until = pool_until if pool is None else allocation.scenario.batch
    numbers = tuple(allocation.scenario.batch for allocation in allocations[len(done) :])
    course = Course(tuple(problems), tuple(int(x) for x in start), tuple(targets), numbers)
    found = solve_plan(course)
    running_targets = [_sums(parts[: b + 1], len(start)) for b in range(len(parts))] + [list(t) for t in targets]
    table = _table(allocations, due, [*done, *found.places], running_targets, len(done))
    return Plan(allocations, table, float(found.cost), found.proof, pool_until)


def _scaled(targets: list[Fraction], total: int) -> list[Fraction]:
    """A known batch's targets, shrunk to what was approved in all."""
    whole = sum(targets, Fraction(0))
    return [t * total / whole for t in targets]


def _sums(batches: Sequence[Sequence[Fraction | int]], units: int) -> list[Fraction]:
    return [sum((Fraction(batch[i]) for batch in batches), Fraction(0)) for i in range(units)]


def _towards(
    problem: QuotaProblem, ideal: list[Fraction], reached: list[Fraction], pool: list[int] | None
) -> list[Fraction]:
    """The batch's real places that bring running totals closest to what is due, within its rules and the pool."""
    wanted = wanted_of(problem)
    upper = wanted.upper
    if pool is not None:
        upper = tuple(min(u, p - r) for u, p, r in zip(upper, pool, reached, strict=True))
        short = [
            problem.name(c) for c, low, high in zip(problem.labels, wanted.lower, upper, strict=True) if low > high
        ]
        if short:
            raise InfeasibleError(say("plan.pool_short", names="、".join(short)))
        if sum(upper, Fraction(0)) < problem.total:
            raise InfeasibleError(
                say("allocation.pool_total", total=problem.total, most=math.floor(sum(upper, Fraction(0))))
            )
    places = tuple(d - r for d, r in zip(ideal, reached, strict=True))
    return bounded_entitlement(problem, replace(wanted, places=places, upper=upper))


def _pools(allocations: tuple[Allocation, ...]) -> list[list[int] | None]:
    """By batch the most that running totals may be, in the user's own current counts; None where that is unknown.

    Counts of a later batch than the first leave out what earlier ones took: they cap that batch alone, in its own problem.
    """
    first, found = allocations[0], list[list[int] | None]()
    pool = pool_caps(first.panel) if first.pooled else {}
    counts = [pool[code] for code in first.quota.index] if set(pool) == set(first.quota.index) else None
    for number, allocation in enumerate(allocations):
        if number and counts is not None:
            new = allocation.scenario.certified
            counts = (
                [n + new.get(c, new.get(DEFAULT, 0)) for n, c in zip(counts, first.quota.index, strict=True)]
                if new
                else None
            )
        found.append(counts)
    return found


def _table(
    allocations: tuple[Allocation, ...],
    due: list[list[Fraction]],
    places: list[list[int]],
    running_targets: list[list[Fraction]],
    done: int,
) -> pd.DataFrame:
    parts = {}
    running = 0
    for number, allocation in enumerate(allocations):
        quota = pd.Series(places[number], index=allocation.quota.index, dtype="int64")
        running = running + quota
        parts[allocation.scenario.batch] = pd.DataFrame(
            {
                "short_name": allocation.panel.units["short_name"],
                "target": [float(t) for t in due[number]],
                "separate": allocation.quota,
                "quota": quota,
                "running": running,
                "running_target": [float(t) for t in running_targets[number]],
                "known": number < done,
            }
        )
    return pd.concat(parts, names=["batch", "code"])


def _changes(before: Plan, after: Plan) -> pd.DataFrame:
    last = after.table[after.table["known"]].groupby("code").last()
    arrears = last["running_target"] - last["running"]
    table = after.table.loc[~after.table["known"], ["short_name"]].assign(
        before=before.table["quota"], after=after.table["quota"]
    )
    table["difference"] = table["after"] - table["before"]
    table["arrears"] = arrears.reindex(table.index.get_level_values("code")).to_numpy()
    table["why"] = [_why(row.arrears, row.difference) for row in table.itertuples()]
    return table[table["difference"] != 0]


def _why(arrears: float, difference: int) -> str:
    if arrears * difference > 0 and abs(arrears) >= 0.5:
        return say("plan.short" if arrears > 0 else "plan.over", places=abs(arrears))
    return say("plan.rounding")
