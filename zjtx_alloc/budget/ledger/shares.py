"""The mean shares that a cohort's outcomes are assumed at, so that they can be worked out again at another size."""

from dataclasses import dataclass
from fractions import Fraction

import pandas as pd

from zjtx_alloc.allocation.approved import approved_firms


@dataclass(frozen=True)
class Shares:
    """Shares of firms by outcome, each of those that the ones before leave."""

    completed: Fraction  #: Of the firms supported to the end.
    under_invested: Fraction  #: Of the firms that do not complete.
    discontinued: Fraction  #: Of the firms left, reported at the end; the rest missed their goals.

    def outcomes_of(self, firms: pd.Series) -> tuple[pd.DataFrame, pd.Series]:
        """Whole firms by unit and outcome, and those discontinued at the end, of the firms supported so far.

        Each share is applied to the nation, rounded half up (四舍五入) and spread by largest remainder.
        """
        completed = approved_firms(firms, self.completed)
        under = approved_firms(firms - completed, self.under_invested)
        gone = approved_firms(firms - completed - under, self.discontinued)
        missed = firms - completed - under - gone
        return pd.DataFrame({"completed": completed, "missed": missed, "under_invested": under}), gone
