"""Tables as they leave the package: fixed columns, fixed decimals, the same bytes for the same inputs."""

import pandas as pd

from zjtx_alloc.allocation import Allocation
from zjtx_alloc.budget.accounts import BudgetForecast

ENTITLEMENT_DECIMALS = 6


def allocation_csv(allocation: Allocation) -> str:
    """``allocation.csv``: code and the columns of ``Allocation.table``; 37 rows, no total row."""
    table = allocation.table()
    places = table["entitlement"].map(lambda e: f"{e:.{ENTITLEMENT_DECIMALS}f}")
    return _csv(table.assign(entitlement=places).reset_index())


def budget_csv(budget: BudgetForecast) -> str:
    """``budget.csv``: the columns of ``BudgetForecast.table``, whole 万元."""
    return _csv(budget.table)


def _csv(table: pd.DataFrame) -> str:
    return table.to_csv(index=False, lineterminator="\n")
