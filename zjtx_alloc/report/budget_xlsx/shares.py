"""By which shares a plan's firms are spread over outcomes, batch by batch, and how the workbook calls them."""

from fractions import Fraction

from zjtx_alloc.base.messages import say
from zjtx_alloc.budget.expected import mean_shares
from zjtx_alloc.budget.learning import Learned
from zjtx_alloc.budget.ledger.cohorts import Cohort
from zjtx_alloc.budget.plan import BudgetPlan

NAMES = ("completed", "under_invested", "discontinued")  # each share is one of what those before leave


def learned(plan: BudgetPlan, number: int) -> Learned:
    """An assumption by its number, and what is known beside it."""
    return Learned(plan.assumptions[number], plan.cohorts, plan.request.as_of)


def shares_of(plan: BudgetPlan, number: int, cohort: Cohort, is_reported: bool) -> dict[str, tuple[str, Fraction]]:
    """The shares of a group by ``NAMES``: the cell that holds each, and what it comes to.

    Where nothing is known they are the assumption's; else each batch and group has its own, which learned from it.
    """
    known = learned(plan, number)
    found = mean_shares(known, cohort, is_reported)
    exact = {name: getattr(found, name) for name in NAMES}
    if known.is_any:
        group = say("cell.reported" if is_reported else "cell.unreported")
        return {
            name: (say(f"cell.{name}_of", number=number + 1, batch=cohort.name, group=group), share)
            for name, share in exact.items()
        }
    cells = zip(NAMES, ("completed", "under_invested", "discontinued_left"), strict=True)
    return {name: (say(f"cell.{cell}", number=number + 1), exact[name]) for name, cell in cells}
