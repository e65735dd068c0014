"""Several fiscal years together: the exact distribution of their sum, and how surely all keep their ranges at once."""

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import pandas as pd

from zjtx_alloc.base.errors import DataError
from zjtx_alloc.base.messages import say
from zjtx_alloc.base.text import shown
from zjtx_alloc.budget.distribution import BudgetDistribution
from zjtx_alloc.budget.forecast import MEASURES, BudgetOutlook, Measure
from zjtx_alloc.budget.lattice import added
from zjtx_alloc.quota.problem.numbers import is_count

LOW, HIGH = 0.05, 0.95  # the range of a year of which is asked whether all years keep it


def joint_ranges(outlook: BudgetOutlook, years: tuple[int, ...] | None = None) -> pd.DataFrame:
    """Each year's money and that of all years together: means and quantiles, and how surely all keep their ranges.

    Parameters
    ----------
    outlook : BudgetOutlook
    years : tuple of int, optional
        Fiscal years that follow each other among those in which money moves; if not given, those of ``open_years``.

    Returns
    -------
    DataFrame
        A row a measure and year, then one for all: first_year, last_year (the same for a single year), measure, mean,
        sd (float), p5, p25, p50, p75, p95 (whole 万元); within: the probability that what is due (应下达) stays between
        P5 and P95 in every year at once, on the row of all years; of other measures blank, as netting makes years hang
        together within units. In a single year's row it is that year's own.

    Raises
    ------
    DataError
        If there is no such year, or the years leave one out between them.
    """
    years = _checked(outlook, open_years(outlook) if years is None else years)
    rows = []
    for measure in MEASURES:
        each = {year: outlook.distribution(year, measure) for year in years}
        bounds = {year: (found.quantile(LOW), found.quantile(HIGH)) for year, found in each.items()}
        kept = [within(outlook, {year: bounds[year]}) if measure == "due" else np.nan for year in years]
        rows += [
            _row(year, year, measure, found) | {"within": k}
            for (year, found), k in zip(each.items(), kept, strict=True)
        ]
        if len(years) > 1:
            together = within(outlook, bounds) if measure == "due" else np.nan
            rows.append(_row(years[0], years[-1], measure, money_over(outlook, years, measure)) | {"within": together})
    return pd.DataFrame(rows)


def open_years(outlook: BudgetOutlook) -> tuple[int, ...]:
    """The years from the first to the last whose money hangs on outcomes that are not known, up to the horizon."""
    batches = [c for c in outlook.cohorts if c.payment is None and not c.ended.all()]
    ends = [paid.year for c in batches for paid in c.payments(outlook.award) if paid.on_outcome]
    return tuple(year for year in outlook.shown_years if ends and min(ends) <= year <= max(ends))


def money_over(outlook: BudgetOutlook, years: tuple[int, ...], measure: Measure = "net") -> BudgetDistribution:
    """The distribution of the nation's money over several years together.

    Parameters and errors as in ``joint_ranges``. What a unit owes is netted off its next payments, as year by year.
    """
    years = _checked(outlook, years)
    if measure == "net":
        total = added(outlook.paid_over(years).values())
    else:
        money = outlook.by_state(measure)
        total = added(added(money[year].values()) for year in years)
    return outlook.mixed(total, outlook.certain_tails(years, measure))


def within(outlook: BudgetOutlook, bounds: Mapping[int, tuple[int, int]]) -> float:
    """Probability that what is due (应下达) lies between its bounds (万元, both included) in all these years at once."""
    kept = np.ones((1,) * outlook.weights.ndim)
    for year in _checked(outlook, tuple(sorted(bounds)), is_run=False):
        due = added(outlook.by_state("due")[year].values())
        low, high = (bound - outlook.certain_tails((year,), "due") for bound in bounds[year])
        kept = kept * (due.at_most(high // outlook.step) - due.at_most(-(-low // outlook.step) - 1))
    return float((outlook.weights * kept).sum())


def _checked(outlook: BudgetOutlook, years: tuple[int, ...], is_run: bool = True) -> tuple[int, ...]:
    known = list(outlook.years)
    if strange := [year for year in years if not is_count(year) or year not in known]:
        raise DataError(say("forecast.year", year=shown(strange[0]), known="、".join(map(str, known))))
    places = [known.index(year) for year in years]
    if not years or (is_run and any(two - one != 1 for one, two in pairwise(places))):
        raise DataError(say("forecast.run", years="、".join(map(str, years)), known="、".join(map(str, known))))
    return tuple(years)


def _row(first: int, last: int, measure: Measure, found: BudgetDistribution) -> dict[str, object]:
    return {"first_year": first, "last_year": last, "measure": measure, **found.summary()}
