"""Cohorts with an assumption's mean outcomes, in whole firms: what a ledger can book before results are known."""

import datetime
import math
from dataclasses import replace
from fractions import Fraction

import pandas as pd

from zjtx_alloc.base.messages import say
from zjtx_alloc.budget.learning import PARTS, Learned
from zjtx_alloc.budget.ledger.cohorts import Cohort
from zjtx_alloc.budget.ledger.settlement import DISCONTINUED, OUTCOMES
from zjtx_alloc.budget.ledger.shares import Shares
from zjtx_alloc.budget.outcomes import OutcomeAssumption


def expected_cohorts(
    cohorts: tuple[Cohort, ...], assumption: OutcomeAssumption, as_of: datetime.date | None = None
) -> tuple[Cohort, ...]:
    """The cohorts with outcomes at the mean shares of what is expected; what is known already, and tails, stay.

    A batch's completed firms are its firms × share, rounded half up (四舍五入), spread by largest remainder,
    equal remainders in the order of the units. Likewise the under-invested among the others, then the
    discontinued among those left (reported at the end, in the closing year); the rest missed their goals.
    Units whose departures are known are spread apart from those that have not reported: their firms are the ones
    that have stayed.

    Parameters
    ----------
    cohorts : tuple of Cohort
    assumption : OutcomeAssumption
        The declared assumption; never official. Where results are known, its means are those after learning from them.
    as_of : date, optional
        The day as of which departures are known, as in ``BudgetOutlook``.
    """
    known = Learned(assumption, cohorts, as_of)
    return tuple(
        c if c.payment is not None or (c.outcomes is not None and c.ended.all()) else _expected(c, known)
        for c in cohorts
    )


def open_groups(cohort: Cohort) -> list[tuple[pd.Series, bool]]:
    """The units whose outcomes are not known, spread apart: those without a report of departures, and with one."""
    is_open = ~cohort.ended
    groups = [(is_open & ~cohort.reported, False), (is_open & cohort.reported, True)]
    return [(units, is_reported) for units, is_reported in groups if units.any()]


def mean_shares(known: Learned, cohort: Cohort, is_reported: bool = False) -> Shares:
    """What is expected of a cohort's firms that are still there.

    Parameters
    ----------
    known : Learned
        The assumption, and all cohorts with what is known of them.
    cohort : Cohort
    is_reported : bool
        Whether the firms' unit has reported its departures: then no known departure is counted again.
    """
    otherwise, early = known.assumption.otherwise, known.early(cohort, is_reported)
    under, gone = Fraction(otherwise.under_invested), known.gone_share(cohort)
    missed, late = Fraction(otherwise.missed) if early else 1 - under - gone, gone * (1 - early)
    return Shares(
        completed=_completed(known, cohort, is_reported),
        under_invested=under if not early else _in_parts(under, missed + late + under),
        discontinued=_in_parts(late, missed + late),
    )


def share_of_the_left(assumption: OutcomeAssumption) -> Fraction:
    """Share of the discontinued among firms that neither completed nor under-invested, in billionths."""
    missed, gone = (Fraction(share) for share in (assumption.otherwise.missed, assumption.otherwise.discontinued))
    return _in_parts(gone, missed + gone)


def _completed(known: Learned, cohort: Cohort, is_reported: bool) -> Fraction:
    if not (known.has_outcomes or known.early(cohort, is_reported)):
        return Fraction(known.assumption.completed.mean)
    return Fraction(round(known.completing(cohort, is_reported) * PARTS), PARTS)


def _in_parts(share: Fraction, whole: Fraction) -> Fraction:
    """A part of a whole, in billionths; of nothing, nothing."""
    return Fraction(math.floor(share / whole * PARTS + Fraction(1, 2)), PARTS) if whole else Fraction()


def _expected(cohort: Cohort, known: Learned) -> Cohort:
    groups = [(units, mean_shares(known, cohort, is_reported)) for units, is_reported in open_groups(cohort)]
    parts = [_spread(cohort.continued[units], shares) for units, shares in groups]
    spread = pd.concat([*parts, cohort.ends[cohort.ended].assign(**{DISCONTINUED: 0})]).reindex(cohort.approved.index)
    described = {int(str(year)): firms for year, firms in cohort.left.items()}
    described[cohort.closing_year] = spread[DISCONTINUED] + described.get(cohort.closing_year, 0)
    key = "learned" if known.has_outcomes else "learned_left"
    learned = say(f"outcomes.{key}", common=known.assumption.common_experience) if known.is_any else ""
    return replace(
        cohort,
        outcomes=spread[list(OUTCOMES)].astype("int64"),
        discontinued=pd.DataFrame(described).astype("int64"),
        shares=groups[0][1] if groups and groups[0][0].all() else None,  # else no one share is all units'
        assumption=cohort.assumption + known.assumption.note() + learned + say("outcomes.at_mean"),
    )


def _spread(firms: pd.Series, shares: Shares) -> pd.DataFrame:
    """Firms by unit and outcome at mean shares."""
    outcomes, gone = shares.outcomes_of(firms)
    return outcomes.assign(**{DISCONTINUED: gone})
