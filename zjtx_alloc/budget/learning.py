"""What known results say: outcomes of the state of the nation, departures of the rate of leaving and of nothing else.

Batches with known outcomes share one state of the nation, the others a second one. The first has the posterior
weights π; the second is the first with the declared probability c (``common_experience``), and else drawn anew from the
declared weights w: W = c·diag(π) + (1 − c)·π wᵀ. So the others have the weights c·π + (1 − c)·w.

An assumption lets a fixed share of the firms that do not complete leave. That is no evidence, so departures do not speak of the
state: they have states of their own and teach the rate of leaving; completion is kept. Among firms that are still there
it hangs on the assumed rate all the same: it is spread over the ends that the rate may have, with the same mean.

A batch speaks by its totals over the units that report. Their probability in a state is exact, the convolution of the
units' Dirichlet-multinomial counts. How firms lie within units is left out on purpose: it would speak of the state
only through ``rho_unit``, which no evidence supports; shares that are the same in every unit would then move the state away
from that very share.
"""

import datetime
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from zjtx_alloc.base.errors import ScenarioError
from zjtx_alloc.base.messages import say
from zjtx_alloc.base.resources import shipped_table
from zjtx_alloc.budget.lattice import Lattice, added, log_counts
from zjtx_alloc.budget.ledger.cohorts import Cohort
from zjtx_alloc.budget.ledger.settlement import DISCONTINUED
from zjtx_alloc.budget.outcomes import COMPLETED, OutcomeAssumption, States

PARTS = 10**9  # of a share: fine enough for any, and whole numbers in a workbook too
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
    """A total that a batch has shown."""

    outcome: str  #: ``completed``, or ``discontinued`` for firms that have left so far.
    count: int  #: Firms of this outcome.
    units: pd.Series  #: Approved firms of the units that are counted (Series of int).
    #: Share of firms that each state of the nation expects, ascending or descending (array of float).
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
    """An assumption, and what is known beside it."""

    assumption: OutcomeAssumption
    #: All of them: those of which something is known teach, those of which nothing is known learn.
    cohorts: tuple[Cohort, ...]
    as_of: datetime.date | None = None  #: The day as of which departures are known.

    @cached_property
    def prior(self) -> States:
        """The states as declared."""
        return self.assumption.states

    @cached_property
    def is_any(self) -> bool:
        """Whether any cohort has shown anything, were it departures alone."""
        return bool(self._seen)

    def teaches(self, cohort: Cohort, outcome: str = COMPLETED) -> bool:
        """Whether this cohort has shown anything of the state of the nation, or of the rate of leaving (``discontinued``)."""
        return any(seen.outcome == outcome for seen in self.seen(cohort))

    def rests_on(self, outcome: str) -> int:
        """Firms of which it is known whether they have this outcome: all that learning rests on."""
        return sum(int(seen.units.sum()) for _, seen in self._seen if seen.outcome == outcome)

    @cached_property
    def _seen(self) -> list[tuple[Cohort, Seen]]:
        return [(cohort, seen) for cohort in self.cohorts for seen in self.seen(cohort)]

    @cached_property
    def posterior(self) -> np.ndarray:
        """Weights of the states after the outcomes that are known: prior × likelihood.

        Raises
        ------
        ScenarioError
            If the assumption says that what happened cannot happen, naming the batch.
        """
        return self._after(COMPLETED)

    @cached_property
    def leaving(self) -> np.ndarray:
        """Weights of the declared rates of leaving after the departures that are known; errors as ``posterior``."""
        return self._after(DISCONTINUED)

    def _after(self, outcome: str) -> np.ndarray:
        if not self.rests_on(outcome):
            return self.prior.weights
        with np.errstate(divide="ignore"):  # a state may have no weight
            log = np.log(self.prior.weights)
        for cohort, seen in ((cohort, seen) for cohort, seen in self._seen if seen.outcome == outcome):
            log = log + self._log_chance(seen)
            if np.isneginf(log).all():
                raise ScenarioError(say("learning.impossible", title=self.assumption.title, name=cohort.label,
                                        count=seen.count, firms=seen.units.sum(), outcome=say(f"outcome.{outcome}")))  # fmt: skip
        weights = np.exp(log - log.max())
        weights = np.where(weights < _NOTHING * weights.sum(), 0.0, weights)
        return weights / weights.sum()

    def weights_of(self, cohort: Cohort, outcome: str = COMPLETED) -> np.ndarray:
        """Weights of the states for this cohort; of the rates of leaving for ``discontinued``."""
        learned = self.posterior if outcome == COMPLETED else self.leaving
        return learned if self.teaches(cohort, outcome) else self._shared(learned, self.prior.weights)

    def _shared(self, learned: Any, declared: Any) -> Any:
        """What cohorts that have shown nothing take over of what the others teach."""
        return declared if learned is declared else self._common * learned + (1 - self._common) * declared

    @property
    def _common(self) -> float:
        return float(self.assumption.common_experience)

    @cached_property
    def weights(self) -> np.ndarray:
        """The weights that money is mixed with.

        One axis where one state decides all that is open, and two, that of the cohorts that teach and that of the
        others, where both still have open outcomes. On an axis with firms that are still there after departures are
        known each state stands twice, once for each end of the rate of leaving; it is the same end on both axes.
        """
        taught, others = self._is_spread[True], self._is_spread[False]
        if self._open != {True, False}:
            weights = self.posterior[self.posterior > 0] if self._open == {True} else self._alone
            return np.repeat(weights, 2) / 2 if taught or others else weights
        joint = (1 - self._common) * np.outer(self.posterior, self.prior.weights)
        joint += self._common * np.diag(self.posterior)
        ends = np.eye(2) / 2 if taught and others else np.full((1 + taught, 1 + others), 1 / (1 + max(taught, others)))
        return np.kron(joint[self.posterior > 0], ends)

    @property
    def _alone(self) -> np.ndarray:
        return self._shared(self.posterior, self.prior.weights) if self.has_outcomes else self.prior.weights

    @cached_property
    def has_outcomes(self) -> bool:
        """Whether any cohort teaches the state of the nation."""
        return bool(self.rests_on(COMPLETED))

    @cached_property
    def _open(self) -> set[bool]:
        """Whether the cohorts with open outcomes teach."""
        return {self.teaches(c) for c in self.cohorts if c.payment is None and not c.ended.all()}

    @cached_property
    def _is_spread(self) -> dict[bool, bool]:
        """Whether cohorts that teach, and the others, have firms still there after departures are known."""
        kinds = {self.teaches(c) for c in self.cohorts if (c.reported & ~c.ended).any() and early_share(c, self.as_of)}
        return {kind: kind in kinds for kind in (True, False)}

    def early(self, cohort: Cohort, is_reported: bool) -> Fraction:
        """The share of a unit's departures that is known."""
        return early_share(cohort, self.as_of) if is_reported else Fraction(0)

    def still_there(self, cohort: Cohort, is_reported: bool) -> tuple[pd.DataFrame, np.ndarray]:
        """The rates of a cohort's firms that are still there, by state of its axis of ``weights``, and what they sum to.

        Parameters
        ----------
        cohort : Cohort
        is_reported : bool
            Whether their unit has reported its departures; else they are all approved firms.
        """
        rates, teaches, early = self.prior.rates, self.teaches(cohort), self.early(cohort, is_reported)
        if self._open == {True} or (teaches and len(self._open) == 2):
            rates = rates[self.posterior > 0]
        is_spread = self._is_spread[teaches] if len(self._open) == 2 else any(self._is_spread.values())
        rates = rates.loc[rates.index.repeat(1 + is_spread)].reset_index(drop=True)
        completed, gone = rates[COMPLETED].to_numpy(), float(self.gone_share(cohort))
        under = float(Fraction(self.assumption.otherwise.under_invested))
        if not early:
            moved = {DISCONTINUED: (1 - completed) * gone, "missed": (1 - completed) * (1 - under - gone)}
            return rates.assign(**moved) if self.rests_on(DISCONTINUED) else rates, np.ones(len(rates))
        rate, doubt = self._assumed_leaving(teaches)
        whole = 1 - float(early) * np.minimum(rate, (1 - under) * (1 - completed))
        missed = float(Fraction(self.assumption.otherwise.missed))
        others = {DISCONTINUED: gone * float(1 - early), "missed": missed, "under_invested": under}
        if not sum(others.values()):  # who did not complete has left
            return self._divided(np.ones(len(rates)), others, whole), whole
        room = np.full(len(rates), np.inf)
        np.divide(1, completed, out=room, where=completed > 0)
        reach = doubt * np.minimum(1 / whole - 1, room - 1 / whole)
        return self._divided(completed * (1 / whole + np.tile([-1, 1], len(rates) // 2) * reach), others, whole), whole

    def completing(self, cohort: Cohort, is_reported: bool) -> float:
        """The mean share of a cohort's firms still there that complete."""
        rates, whole = self.still_there(cohort, is_reported)
        shares = np.divide(rates[COMPLETED].to_numpy(), whole, out=np.zeros(len(whole)), where=whole > 0)
        weights = self.weights
        if weights.ndim == 2:
            weights = weights.sum(axis=1 if self.teaches(cohort) else 0)
        return float(weights @ shares)

    @staticmethod
    def _divided(completed: np.ndarray, others: dict[str, float], whole: np.ndarray) -> pd.DataFrame:
        """Rates that sum to the whole: a share that completes, and the others in these proportions."""
        rest = whole * (1 - completed) / (sum(others.values()) or 1)
        return pd.DataFrame({COMPLETED: whole * completed} | {name: rest * part for name, part in others.items()})

    def gone_share(self, cohort: Cohort) -> Fraction:
        """The share of the firms that do not complete that leave: as declared, moved with the rate of leaving."""
        otherwise = self.assumption.otherwise
        declared, most = Fraction(otherwise.discontinued), 1 - Fraction(otherwise.under_invested)
        if not (self.rests_on(DISCONTINUED) and declared and self._mean_leaving):
            return declared
        mean = float(self.leaving @ self.prior.rates[DISCONTINUED].to_numpy())
        learned = mean if self.teaches(cohort, DISCONTINUED) else self._shared(mean, float(self._mean_leaving))
        return min(Fraction(round(learned / float(self._mean_leaving) * PARTS), PARTS) * declared, most)

    @property
    def _mean_leaving(self) -> Fraction:
        return (1 - Fraction(self.assumption.completed.mean)) * Fraction(self.assumption.otherwise.discontinued)

    def _assumed_leaving(self, teaches: bool) -> tuple[float, float]:
        """The rate of leaving that goes with completion as it is thought of, and how much of the doubt about it is left.

        It is the declared mean, until outcomes are known beside the departures of the same firms: then it is moved to what was seen
        there, as a beta prior whose firms are as alike as ``rho_nation`` says.
        """
        mean, rho = float(self._mean_leaving), float(self.assumption.rho_nation)
        firms = left = 0
        for cohort in filter(self.teaches, self.cohorts):
            firms += int(cohort.approved[cohort.ended].sum())
            left += int(cohort.left[cohort.ended].to_numpy().sum())
        if not firms or not rho:
            return mean, 1.0
        alike = 1 / rho - 1
        rate, doubt = (alike * mean + left) / (alike + firms), ((alike + 1) / (alike + 1 + firms)) ** 0.5
        return (rate, doubt) if teaches else (self._shared(rate, mean), self._shared(doubt, 1.0))

    def seen(self, cohort: Cohort) -> tuple[Seen, ...]:
        """The totals that a cohort has shown: firms completed where outcomes are known, firms that have left where these are."""
        if cohort.payment is not None:
            return ()
        ended, here, rates = cohort.ended, cohort.reported & ~cohort.ended, self.prior.rates
        early = float(early_share(cohort, self.as_of))
        completed, left = cohort.ends["completed"], cohort.left.sum(axis=1).astype("int64")
        found = [Seen(COMPLETED, int(completed[ended].sum()), cohort.approved[ended], rates[COMPLETED].to_numpy())]
        if early:
            expected = early * rates[DISCONTINUED].to_numpy()
            found.append(Seen(DISCONTINUED, int(left[here].sum()), cohort.approved[here], expected))
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


def mean_and_range(rates: np.ndarray, weights: np.ndarray) -> tuple[float, float, float]:
    """Mean, P5 and P95 of a share of firms over the states of the nation, whose rates rise or fall."""
    order = np.argsort(rates)
    reached = np.cumsum(weights[order])
    low, high = (float(rates[order][np.searchsorted(reached, share - 1e-12)]) for share in (0.05, 0.95))
    return float(weights @ rates), low, high
