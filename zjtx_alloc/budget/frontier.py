"""Where several years of a plan are over: pairs of batches' totals that keep the ceilings of their years together."""

from itertools import combinations

import pandas as pd

from zjtx_alloc.budget.affordable import affordable_pairs
from zjtx_alloc.budget.ceilings import Question, left_for_batches
from zjtx_alloc.budget.plan import BudgetPlan


def years_over(plan: BudgetPlan) -> tuple[int, ...]:
    """The fiscal years whose ceilings the plan as it is does not keep surely enough, under its first assumption."""
    outlook, risk = plan.outlooks[0], 1 - float(plan.request.confidence)
    return tuple(year for year, money in sorted(plan.request.ceilings.items()) if outlook.exceeds(year, money) > risk)


def frontiers(plan: BudgetPlan) -> dict[tuple[int, int], pd.DataFrame]:
    """Pairs of totals for every two batches that are paid in different years that are over; the others as they are.

    A batch whose approvals are known has no total to choose any more.

    Returns
    -------
    dict
        Two batches, to a table as ``affordable_pairs`` gives it; empty where fewer than two years are over, and
        where unused places are carried over: the firms of one batch then follow the total of another.
    """
    over = set(years_over(plan))
    held = {
        a.scenario.batch: over & {p.year for p in plan.award.payments_of(a.scenario.batch)}
        for a in plan.allocations if not a.has_known_approvals
    }  # fmt: skip
    if any(a.scenario.approval.unused == "unit" for a in plan.allocations):
        return {}
    left = left_for_batches(plan.request.ceilings, plan.cohorts, plan.award)
    confidence, found = float(plan.request.confidence), {}
    for pair in combinations([batch for batch, years in held.items() if years], 2):
        if len(held[pair[0]] | held[pair[1]]) > 1:
            found[pair] = affordable_pairs(Question(left, pair, plan.allocations, plan.outlooks[0], confidence))
    return found
