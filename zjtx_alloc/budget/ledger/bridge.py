"""From the last budget to this one, cause by cause: sequential replacement, so the steps sum exactly."""

from dataclasses import replace
from fractions import Fraction

import pandas as pd

from zjtx_alloc.allocation.approved import approved_firms
from zjtx_alloc.budget.ledger.budget import BudgetForecast
from zjtx_alloc.budget.ledger.cohorts import Cohort
from zjtx_alloc.budget.ledger.ledger import Ledger, ledger
from zjtx_alloc.rules.award import Award

CAUSES = ("batch_total", "approval", "award", "timing", "outcomes", "recoveries")
_RECOVERY = ("recovered_share", "empowerment_recovered", "discontinued_recovered")


def bridge(before: Ledger | BudgetForecast, after: Ledger | BudgetForecast) -> pd.DataFrame:
    """What moved the money between two budgets, by cause and fiscal year.

    One thing at a time is replaced by its new state, in the order of ``CAUSES``, and the books are opened
    anew: a step is the difference it makes, given those before it.

    - batch_total: quotas, at the old approval rate and old shares of outcomes; batches that came or went.
    - approval: approved firms, where the quota is known beside them (else the whole change of firms).
    - award: 奖补标准, opening share, empowerment, a tail's money a firm.
    - timing: fiscal years of the payments.
    - outcomes: outcomes and firms no longer supported.
    - recoveries: what is recovered, and other schemes' 清算.

    Returns
    -------
    DataFrame
        Index step: before, the causes, after; columns fiscal years; net (实际下达), whole 万元. In every
        column the rows before and causes sum to the row after.
    """
    first, last = _books(before), _books(after)
    given = first.adjustments if len(first.adjustments) else None
    mixed = replace(last.award, **{name: getattr(first.award, name) for name in _RECOVERY})
    olds, news = {cohort.name: cohort for cohort in first.cohorts}, last.cohorts
    totals = tuple(_at_old_rate(olds.get(new.name), new) for new in news)
    approved = tuple(
        _resized(old, new.approved.reindex(old.approved.index)) for old, new in zip(totals, news, strict=True)
    )
    paid = tuple(replace(old, payment=new.payment) for old, new in zip(approved, news, strict=True))
    moved = tuple(_moved(old, new) for old, new in zip(paid, news, strict=True))
    stages: list[tuple[tuple[Cohort, ...], Award]] = [
        (totals, first.award), (approved, first.award), (paid, mixed), (moved, mixed), (last.cohorts, mixed),
    ]  # fmt: skip
    path = [first, *(ledger(cohorts, award, given) for cohorts, award in stages), last]
    nets = [books.by_year()["net"] for books in path]
    years = sorted({int(year) for net in nets for year in net.index})
    table = pd.DataFrame([net.reindex(years, fill_value=0) for net in nets]).reset_index(drop=True)
    steps = [table.iloc[0], *(table.diff().iloc[number] for number in range(1, len(table))), table.iloc[-1]]
    frame = pd.DataFrame(steps).astype("int64")
    return frame.set_axis(["before", *CAUSES, "after"]).rename_axis(index="step", columns="fiscal_year")


def _books(budget: Ledger | BudgetForecast) -> Ledger:
    return budget.ledger if isinstance(budget, BudgetForecast) else budget


def _at_old_rate(old: Cohort | None, new: Cohort) -> Cohort:
    """The new batch at its old approval rate; one that cannot be compared comes whole."""
    if old is None or (old.payment is None) != (new.payment is None):
        return new
    if set(old.approved.index) != set(new.approved.index):
        return new
    if old.quota is None or new.quota is None:
        return old
    quota = new.quota.reindex(old.quota.index)
    if quota.equals(old.quota):
        return old
    places = int(old.quota.sum())
    rate = Fraction(int(old.approved.sum()), places) if places else Fraction(1)
    return _resized(old, approved_firms(quota, rate))


def _resized(cohort: Cohort, approved: pd.Series) -> Cohort:
    """The cohort with other numbers of firms, each unit's shares of outcomes kept (largest remainder).

    Its places go: no money hangs on them, and the numbers are not theirs.
    """
    if approved.equals(cohort.approved) or (cohort.outcomes is None and cohort.discontinued is None):
        return replace(cohort, approved=approved, quota=None)
    parts = cohort.ends if cohort.discontinued is None else cohort.ends.join(cohort.discontinued)
    rows = {code: _spread(parts.loc[code], int(firms)) for code, firms in approved.items()}
    spread = pd.DataFrame.from_dict(rows, orient="index").rename_axis("code")
    described = (cohort.outcomes, cohort.discontinued)
    ends, gone = (None if table is None else spread[list(table.columns)] for table in described)
    return replace(cohort, approved=approved, quota=None, outcomes=ends, discontinued=gone)


def _spread(row: pd.Series, firms: int) -> pd.Series:
    if row.sum() == 0:
        return row.where(row.index != "completed", firms)
    return approved_firms(row, Fraction(firms, int(row.sum())))


def _moved(old: Cohort, new: Cohort) -> Cohort:
    """The cohort in its new fiscal years; firms reported to leave outside them leave at their edge."""
    gone = old.discontinued
    if gone is not None:
        gone = gone.rename(columns=lambda year: min(max(int(year), new.opening_year), new.closing_year))
        gone = gone.T.groupby(level=0).sum().T
    return replace(old, opening_year=new.opening_year, closing_year=new.closing_year, discontinued=gone)
