"""What known results say of the state of the nation: exact posterior weights, and how far they reach other batches.

Batches of which something is known share one state of the nation, the others a second one. The first has the posterior
weights π; the second is the first with the declared probability c (``common_experience``), and else drawn anew from the
declared weights w: W = c·diag(π) + (1 − c)·π wᵀ. So the others have the weights c·π + (1 − c)·w.

A batch speaks by its totals over the units that report: firms completed where outcomes are known, else firms that left
so far. Their probability in a state is exact, the convolution of the units' Dirichlet-multinomial counts. How firms lie
within units is left out on purpose: it would speak of the state only through ``rho_unit``, which no evidence supports;
shares that are the same in every unit would then move the state away from that very share.
"""

import datetime
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np
import pandas as pd

from zjtx_alloc.base.errors import ScenarioError
from zjtx_alloc.base.messages import say
from zjtx_alloc.base.resources import shipped_table
from zjtx_alloc.budget.lattice import Lattice, added, log_counts
from zjtx_alloc.budget.ledger.cohorts import Cohort
from zjtx_alloc.budget.ledger.settlement import DISCONTINUED
from zjtx_alloc.budget.outcomes import COMPLETED, OutcomeAssumption, States

_NOTHING = 1e-16  # posterior weights below this count as none: all together less than a probability is good to


def decided_years(cohort: Cohort, as_of: datetime.date | None) -> tuple[int, ...]:
    """The fiscal years whose departures can be known on a day: those of the evaluations held, of all that decide.

    Whether a firm is supported further is decided by the yearly evaluation (三（六）) of each fiscal year between the
    two payments; the first round's lists count them too (``outcome_evidence``). Batch 1 has two, in April 2025 and 2026:
    from May 2026 on nobody else leaves, and what is open is settled at the end. Firms that have left show that an
    evaluation was held, or done the work of one: at least the first, and those up to the last year in which any left.

    Parameters
    ----------
    cohort : Cohort
    as_of : date, optional
        None: the end of the last fiscal year for which departures are reported.
    """
    evaluations = _evaluations(cohort)
    years = [int(str(year)) for year in cohort.left]
    day = as_of or datetime.date(max(years, default=cohort.opening_year), 12, 31)
    month_day = shipped_table("policy/deadlines.csv", "key").at["evaluation", "month_day"]
    held = sum(datetime.date.fromisoformat(f"{year}-{month_day}") <= day for year in evaluations)
    shown = max((max(year - cohort.opening_year, 1) for year in years if cohort.left[year].any()), default=0)
    return tuple(evaluations[: max(held, shown)])


def early_share(cohort: Cohort, as_of: datetime.date | None) -> Fraction:
    """The share of all departures of a cohort that can be known on a day: its decided years, of all that decide.

    A unit that reports is taken to report all that it knows on the day, as ``decided_years`` has it.
    """
    evaluations = len(_evaluations(cohort))
    if cohort.discontinued is None or not evaluations:
        return Fraction(int(cohort.discontinued is not None))
    return Fraction(len(decided_years(cohort, as_of)), evaluations)


def _evaluations(cohort: Cohort) -> range:
    return range(cohort.opening_year + 1, cohort.closing_year)


@dataclass(frozen=True, eq=False)
class Seen:
    """A total that a batch has shown.

    Attributes
    ----------
    outcome : str
        ``completed``, or ``discontinued`` for firms that have left so far.
    count : int
        Firms of this outcome.
    units : Series of int
        Approved firms of the units that are counted.
    rates : array of float
        Share of firms that each state of the nation expects, ascending or descending.
    """

    outcome: str
    count: int
    units: pd.Series
    rates: np.ndarray

    @property
    def share(self) -> float:
        """The share of the firms."""
        return self.count / int(self.units.sum())

    @property
    def outside(self) -> str:
        """``below`` or ``above`` where the share lies outside what the declared states expect; blank inside."""
        if self.share < self.rates.min():
            return "below"
        return "above" if self.share > self.rates.max() else ""


@dataclass(frozen=True, eq=False)
class Learned:
    """An assumption, and what is known beside it.

    Attributes
    ----------
    assumption : OutcomeAssumption
    cohorts : tuple of Cohort
        All of them: those of which something is known teach, those of which nothing is known learn.
    as_of : date, optional
        The day as of which departures are known.
    """

    assumption: OutcomeAssumption
    cohorts: tuple[Cohort, ...]
    as_of: datetime.date | None = None

    @cached_property
    def prior(self) -> States:
        """The states as declared."""
        return self.assumption.states

    def teaches(self, cohort: Cohort) -> bool:
        """Whether anything that tells of the state of the nation is known of this cohort."""
        return cohort.payment is None and bool(self.seen(cohort))

    @cached_property
    def is_any(self) -> bool:
        """Whether any cohort teaches."""
        return any(map(self.teaches, self.cohorts))

    @cached_property
    def posterior(self) -> np.ndarray:
        """Weights of the states after what is known: prior × likelihood.

        Raises
        ------
        ScenarioError
            If the assumption says that what happened cannot happen, naming the batch.
        """
        with np.errstate(divide="ignore"):  # a state may have no weight
            log = np.log(self.prior.weights)
        for cohort in filter(self.teaches, self.cohorts):
            for seen in self.seen(cohort):
                log = log + self._log_chance(seen)
                if np.isneginf(log).all():
                    raise ScenarioError(say("learning.impossible", title=self.assumption.title, name=cohort.label,
                                            count=seen.count, firms=seen.units.sum(), outcome=say(f"outcome.{seen.outcome}")))  # fmt: skip
        weights = np.exp(log - log.max())
        weights = np.where(weights < _NOTHING * weights.sum(), 0.0, weights)
        return weights / weights.sum()

    @property
    def others(self) -> np.ndarray:
        """Weights of the states for cohorts of which nothing is known."""
        return self._common * self.posterior + (1 - self._common) * self.prior.weights

    def weights_of(self, cohort: Cohort) -> np.ndarray:
        """Weights of the states for this cohort."""
        if not self.is_any:
            return self.prior.weights
        return self.posterior if self.teaches(cohort) else self.others

    @cached_property
    def states(self) -> tuple[np.ndarray, pd.DataFrame, pd.DataFrame]:
        """The weights that money is mixed with, and the rates by state of cohorts that teach and of the others.

        The weights have one axis where one state decides all that is open, and two, that of the cohorts that teach
        and that of the others, where both still have open outcomes.
        """
        rates = self.prior.rates
        if not self.is_any:
            return self.prior.weights, rates, rates
        open_ones = [self.teaches(c) for c in self.cohorts if c.payment is None and not c.ended.all()]
        if not any(open_ones):
            return self.others, rates, rates
        possible = self.posterior > 0
        weights, taught = self.posterior[possible], rates[possible]
        if all(open_ones):
            return weights, taught, rates
        joint = (1 - self._common) * np.outer(self.posterior, self.prior.weights)
        joint += self._common * np.diag(self.posterior)
        return joint[possible], taught, rates

    @property
    def _common(self) -> float:
        return float(self.assumption.common_experience)

    def seen(self, cohort: Cohort) -> tuple[Seen, ...]:
        """What a cohort that teaches has shown, by its totals: completions where outcomes are known, departures elsewhere."""
        ended, here = cohort.ended, cohort.reported & ~cohort.ended
        early = float(early_share(cohort, self.as_of))
        rates = self.prior.rates
        completed, left = cohort.ends["completed"], cohort.left.sum(axis=1).astype("int64")
        found = [Seen(COMPLETED, int(completed[ended].sum()), cohort.approved[ended], rates[COMPLETED].to_numpy())]
        if early:
            found.append(
                Seen(DISCONTINUED, int(left[here].sum()), cohort.approved[here], early * rates[DISCONTINUED].to_numpy())
            )
        return tuple(one for one in found if one.units.sum())

    def _log_chance(self, seen: Seen) -> np.ndarray:
        """Log probability of such a total, by state.

        Counts are weighted with e^(tilt × count) so that the total seen lies in the middle of what is summed: however far it
        is from what a state expects, nothing underflows.
        """
        firms, rho = int(seen.units.sum()), float(self.assumption.rho_unit)
        share = min(max(seen.share, 0.5 / firms), 1 - 0.5 / firms)
        with np.errstate(divide="ignore"):
            tilt = np.log(share / (1 - share)) - np.log(seen.rates) + np.log1p(-seen.rates)
        tilt = np.where(np.isfinite(tilt), tilt, 0.0)
        parts, log = list[Lattice](), -tilt * seen.count
        for of_unit, units in zip(*np.unique(seen.units, return_counts=True), strict=True):
            tilted = log_counts(int(of_unit), seen.rates, rho) + tilt[:, None] * np.arange(of_unit + 1)
            top = tilted.max(axis=1, keepdims=True)
            mass = np.exp(tilted - top)
            whole = mass.sum(axis=1, keepdims=True)
            log = log + units * (top + np.log(whole))[:, 0]
            parts += [Lattice(0, mass / whole)] * int(units)
        with np.errstate(divide="ignore"):
            return log + np.log(added(parts).mass[:, seen.count])


def completion(states: States, weights: np.ndarray) -> tuple[float, float, float]:
    """Mean, P5 and P95 of the share of firms that complete, over the states of the nation."""
    rates = states.rates[COMPLETED].to_numpy()
    reached = np.cumsum(weights)
    low, high = (float(rates[np.searchsorted(reached, share - 1e-12)]) for share in (0.05, 0.95))
    return float(weights @ rates), low, high
