"""Several batches as one plan (三批统筹): rounding that does not hurt the same small units every time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from zjtx_alloc.allocation.allocate import Allocation, allocated, scenario_behind
from zjtx_alloc.allocation.allocate_programme import counted, within_change
from zjtx_alloc.allocation.running_totals import Plan, known_places, planned, why_moved
from zjtx_alloc.base.errors import DataError, ScenarioError
from zjtx_alloc.base.messages import say
from zjtx_alloc.facts.panel import Panel
from zjtx_alloc.quota.problem.numbers import are_whole
from zjtx_alloc.rules.scenario import Scenario


@dataclass(frozen=True)
class Replan:
    """A plan made again after some batches became known, and what it changed."""

    plan: Plan
    #: Index (batch, code), planned quotas that changed; short_name, before, after, difference (places), arrears
    #: (places that the known batches left the unit short of its part of all approvals; negative where it had more),
    #: why (Chinese).
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
    ordered = sorted(scenarios, key=lambda item: scenario_behind(item).batch)
    found = within_change(counted(allocated(ordered, panel, own)))
    return planned(found, {a.scenario.batch: places for a in found if (places := known_places(a)) is not None})


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
