"""Cohorts with an assumption's mean outcomes, in whole firms: what a ledger can book before results are known."""

import math
from dataclasses import replace
from fractions import Fraction

import pandas as pd

from zjtx_alloc.base.messages import say
from zjtx_alloc.budget.ledger.cohorts import Cohort
from zjtx_alloc.budget.ledger.shares import Shares
from zjtx_alloc.budget.outcomes import OutcomeAssumption

PARTS = 10**9  # of a share: fine enough for any, and whole numbers in a workbook too


def expected_cohorts(cohorts: tuple[Cohort, ...], assumption: OutcomeAssumption) -> tuple[Cohort, ...]:
    """The cohorts with outcomes at the assumption's mean shares; those known already, and tails, stay.

    A batch's completed firms are its firms × share, rounded half up (四舍五入), spread by largest remainder,
    equal remainders in the order of the units. Likewise the under-invested among the others, then the
    discontinued among those left (reported at the end, in the closing year); the rest missed their goals.

    Parameters
    ----------
    cohorts : tuple of Cohort
    assumption : OutcomeAssumption
        The declared assumption; never official.
    """
    return tuple(c if c.outcomes is not None or c.payment is not None else _expected(c, assumption) for c in cohorts)


def share_of_the_left(assumption: OutcomeAssumption) -> Fraction:
    """Share of the discontinued among firms that neither completed nor under-invested, in billionths."""
    missed, gone = (Fraction(share) for share in (assumption.otherwise.missed, assumption.otherwise.discontinued))
    return Fraction(math.floor(gone / (missed + gone) * PARTS + Fraction(1, 2)), PARTS) if missed + gone else Fraction()


def _expected(cohort: Cohort, assumption: OutcomeAssumption) -> Cohort:
    shares = Shares(
        Fraction(assumption.completed.mean),
        Fraction(assumption.otherwise.under_invested),
        share_of_the_left(assumption),
    )
    outcomes, gone = shares.outcomes_of(cohort.continued)
    described = {} if cohort.discontinued is None else {int(str(y)): n for y, n in cohort.discontinued.items()}
    described[cohort.closing_year] = gone + described.get(cohort.closing_year, 0)
    return replace(
        cohort,
        outcomes=outcomes,
        discontinued=pd.DataFrame(described),
        shares=shares,
        assumption=cohort.assumption + assumption.note() + say("outcomes.at_mean"),
    )
