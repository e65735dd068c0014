"""Several batches as one plan (三批统筹): rounding that does not hurt the same small units every time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import pandas as pd

from zjtx_alloc.allocation.allocate import Allocation, allocated, scenario_behind
from zjtx_alloc.base.errors import DataError, ScenarioError
from zjtx_alloc.base.messages import say
from zjtx_alloc.facts.panel import Panel
from zjtx_alloc.quota.crossing.model_plan import Course, solve_plan
from zjtx_alloc.quota.nested.continuous import bounded_entitlement, wanted_of
from zjtx_alloc.quota.problem.numbers import are_whole
from zjtx_alloc.quota.problem.problem import QuotaProblem
from zjtx_alloc.rules.scenario import Scenario


@dataclass(frozen=True)
class Plan:
    """Quotas of several batches that belong together.

    Attributes
    ----------
    allocations : tuple of Allocation
        The batches, each allocated on its own.
    table : DataFrame
        Index (batch, code); short_name, target (the batch's bounded entitlement 有界理论名额: the optimum of its
        own problem in real numbers), separate (its quota on its own), counts (the quota that counts, ``Allocation.quota``),
        quota (int64; what was approved or granted in a batch that is known), running (sum of quota so far), running_target (what the unit is due so far; in
        a batch that is known, its part of all that was approved), known (bool).
    cost : float
        Σ (running − running_target)² over the batches that are planned.
    proof : str
        ``dual`` or ``bound``, as in ``Certificate``: the cost meets a lower bound within 1e-6.
    pool_until : int
        The last batch that 可推荐企业数 cap; 0 if they cap none.
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
    running target, and the squares of their distances have the least sum. A batch whose quotas are known
    (``[known]``) keeps them. 可推荐企业数 cap a batch as any other of its rules does.

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
    found = allocated(sorted(scenarios, key=lambda item: scenario_behind(item).batch), panel, own)
    return planned(found, {a.scenario.batch: places for a in found if (places := known_places(a)) is not None})


def known_places(allocation: Allocation) -> list[int] | None:
    """What running totals count of a batch that is known: its quotas; its approved firms if failed reviews are made good.

    None while neither the quotas nor the approvals of all units are known.
    """
    known, alone = allocation.scenario.known, allocation.solution.quota
    if len(alone) not in (len(known.granted), len(known.approved)):
        return None
    if allocation.scenario.approval.unused == "pool" and len(known.approved) == len(alone):
        return [known.approved[str(code)] for code in alone.index]
    return [known.granted.get(str(c), max(int(n), known.approved.get(str(c), 0))) for c, n in alone.items()]


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
    after = planned(before.allocations, known)
    return Replan(after, _changes(before, after))


def _approved(batch: int, approved: pd.Series, codes: pd.Index) -> list[int]:
    twice = approved.index.duplicated()
    numbers = approved[~twice].reindex(codes)
    wrong = [*codes[~are_whole(numbers)], *(c for c in approved.index if c not in codes), *approved.index[twice]]
    if wrong:
        raise DataError(say("plan.approved", batch=batch, codes="、".join(map(str, wrong))))
    return [int(x) for x in numbers]


def planned(allocations: tuple[Allocation, ...], known: Mapping[int, list[int]]) -> Plan:
    """The batches planned together around those whose places are known, by batch in the order of the units."""
    due = [bounded_entitlement(allocation.problem) for allocation in allocations]
    units = len(due[0])
    ideal = reached = [Fraction(0)] * units
    past = [0] * units  # places of known batches, which targets of the model leave out
    problems, targets, running = [], [], []
    for allocation, batch_due in zip(allocations, due, strict=True):
        places = known.get(allocation.scenario.batch)
        if places is None:
            ideal = _added(ideal, batch_due)
            reached = _added(reached, _towards(allocation.problem, ideal, reached))
            problems.append(allocation.problem)
            targets.append(tuple(r - p for r, p in zip(reached, past, strict=True)))
            running.append(reached)
        else:
            ideal, reached = _added(ideal, _scaled(batch_due, sum(places))), _added(reached, places)
            past = [a + p for a, p in zip(past, places, strict=True)]
            running.append(ideal)
    numbers = tuple(a.scenario.batch for a in allocations if a.scenario.batch not in known)
    found = solve_plan(Course(tuple(problems), (0,) * units, tuple(targets), numbers)) if problems else None
    open_places = iter(found.places if found else [])
    places_of = [known.get(a.scenario.batch) or next(open_places) for a in allocations]
    table = _table(allocations, due, places_of, running, known)
    pooled = [a.scenario.batch for a in allocations if a.is_pooled]
    return Plan(
        allocations,
        table,
        float(found.cost) if found else 0.0,
        found.proof if found else "dual",
        max(pooled, default=0),
    )


def _scaled(targets: list[Fraction], total: int) -> list[Fraction]:
    """A known batch's targets, shrunk to what was approved in all."""
    whole = sum(targets, Fraction(0))
    return [t * total / whole for t in targets]


def _added(one: Sequence[Fraction], other: Sequence[Fraction | int]) -> list[Fraction]:
    return [a + b for a, b in zip(one, other, strict=True)]


def _towards(problem: QuotaProblem, ideal: list[Fraction], reached: list[Fraction]) -> list[Fraction]:
    """The batch's real places that bring running totals closest to what is due, within its rules."""
    places = tuple(d - r for d, r in zip(ideal, reached, strict=True))
    return bounded_entitlement(problem, replace(wanted_of(problem), places=places))


def _table(
    allocations: tuple[Allocation, ...],
    due: list[list[Fraction]],
    places: list[list[int]],
    running_targets: list[list[Fraction]],
    known: Mapping[int, list[int]],
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
                "separate": allocation.solution.quota,
                "counts": allocation.quota,
                "quota": quota,
                "running": running,
                "running_target": [float(t) for t in running_targets[number]],
                "known": allocation.scenario.batch in known,
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
    table["why"] = [why_moved(row.arrears, row.difference) for row in table.itertuples()]
    return table[table["difference"] != 0]


def why_moved(arrears: float, difference: int) -> str:
    """Why a plan gives a unit more or fewer places: to make good what earlier batches left it short, or since others moved."""
    if arrears * difference > 0 and abs(arrears) >= 0.5:
        return say("plan.short" if arrears > 0 else "plan.over", places=abs(arrears))
    return say("plan.rounding")
