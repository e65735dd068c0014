"""One random amount of money: its exact probabilities, moments, quantiles and the risk of a ceiling."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from zjtx_alloc.base.errors import DataError
from zjtx_alloc.base.messages import say
from zjtx_alloc.budget.lattice import Lattice

QUANTILES = (0.05, 0.25, 0.50, 0.75, 0.95)
ACCURACY = 1e-12  # of a probability; comparisons of probabilities allow for it


@dataclass(frozen=True)
class BudgetDistribution:
    """The distribution of one amount under a declared assumption."""

    assumption: str  #: The assumption on outcomes it rests on, one sentence.
    values: np.ndarray  #: Possible amounts, whole 万元, ascending (array of int64).
    probability: np.ndarray  #: Of each value; sums to one within 1e-11 (array of float).

    @cached_property
    def mean(self) -> float:
        """Expected amount, 万元."""
        least = int(self.values[0])
        return least + float((self.values - least) @ self.probability)

    @cached_property
    def sd(self) -> float:
        """Standard deviation, 万元."""
        return float(np.sqrt((self.values - self.mean) ** 2 @ self.probability))

    def quantile(self, share: float) -> int:
        """Smallest possible amount (万元) that is not exceeded with at least this probability.

        Raises
        ------
        DataError
            If the share is not between 0 and 1.
        """
        if not 0 <= share <= 1:
            raise DataError(say("forecast.share", share=share))
        reached = np.cumsum(self.probability) >= share - ACCURACY
        return int(self.values[int(np.argmax(reached))]) if reached.any() else int(self.values[-1])

    def exceeds(self, ceiling: int) -> float:
        """Probability that the amount is above a ceiling (万元)."""
        return float(self.probability[self.values > ceiling].sum())

    def summary(self) -> dict[str, float]:
        """Mean and sd (万元, floats) and the quantiles p5, p25, p50, p75, p95 (whole 万元)."""
        quantiles = {f"p{share * 100:.0f}": self.quantile(share) for share in QUANTILES}
        return {"mean": self.mean, "sd": self.sd} | quantiles


def mixed(lattice: Lattice, weights: np.ndarray, step: int, assumption: str) -> BudgetDistribution:
    """The states of the nation, or pairs of them, mixed by their weights; values that cannot occur are left out."""
    same = tuple(axis for axis, states in enumerate(lattice.mass.shape[:-1]) if states < weights.shape[axis])
    seen = weights.sum(axis=same).ravel()
    mass = seen @ lattice.mass.reshape(len(seen), -1)
    possible = np.flatnonzero(mass)
    values = (lattice.start + possible).astype("int64") * step
    return BudgetDistribution(assumption, values, mass[possible])
