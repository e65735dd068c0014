"""The forecast of a budget (预算): the ledger of cohorts whose outcomes are known, assumed or reported."""

from dataclasses import dataclass

import pandas as pd

from zjtx_alloc.budget.ledger.cohorts import Cohort
from zjtx_alloc.budget.ledger.ledger import Ledger
from zjtx_alloc.rules.award import Award

MONEY = ("commitment", "due", "recovered", "net", "direct", "empowerment")


@dataclass(frozen=True)
class BudgetForecast:
    """Money by batch, unit and fiscal year: a view of a ledger."""

    ledger: Ledger
    horizon: int | None = None  #: Last fiscal year shown; all if not given. The ledger stays whole.

    @property
    def cohorts(self) -> tuple[Cohort, ...]:
        """The cohorts, with the outcomes that count here."""
        return self.ledger.cohorts

    @property
    def award(self) -> Award:
        """The award standard that the money follows."""
        return self.ledger.award

    @property
    def assumed_completed(self) -> tuple[str, ...]:
        """Names of the cohorts whose outcomes are unknown and taken as completed by all firms."""
        return self.ledger.assumed_completed

    @property
    def table(self) -> pd.DataFrame:
        """Columns batch (text), code, fiscal_year (int) and, in whole 万元 as int64, ``MONEY``.

        commitment (应安排总额, in the opening year), due (应下达), recovered (应收回), net (实际下达: due
        less what the year nets of recoveries, never negative), direct (直接拨付企业), empowerment (培育赋能).
        """
        table = self.ledger.table.rename(columns={"cohort": "batch"})
        table = table[["batch", "code", "fiscal_year", *MONEY]]
        return table if self.horizon is None else table[table["fiscal_year"] <= self.horizon]

    @property
    def beyond(self) -> int:
        """Net payments (万元) of the fiscal years after the horizon."""
        years = self.ledger.by_year()["net"]
        return 0 if self.horizon is None else int(years[years.index > self.horizon].sum())

    def by_year(self) -> pd.DataFrame:
        """National sums by fiscal year (index), columns as ``MONEY``."""
        return self.table.groupby("fiscal_year")[list(MONEY)].sum()

    def by_batch_and_year(self) -> pd.DataFrame:
        """National sums, index (batch, fiscal_year), columns as ``MONEY``."""
        return self.table.groupby(["batch", "fiscal_year"], sort=False)[list(MONEY)].sum()
