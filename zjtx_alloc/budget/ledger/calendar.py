"""The calendar of a cohort: the dates that the notice and the budget law set, and what a unit must do by them."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pandas as pd

from zjtx_alloc.base.resources import shipped_table
from zjtx_alloc.budget.ledger.cohorts import Cohort
from zjtx_alloc.rules.award import Award

BASES = ("fixed", "known", "computed", "analogy", "undated")
COLUMNS = (
    "date", "cohort", "fiscal_year", "event", "who", "document", "clause", "quote", "basis", "note",
)  # fmt: skip


def calendar(award: Award, cohorts: tuple[Cohort, ...] | None = None) -> pd.DataFrame:
    """The dates of each cohort, from the award's notice and the rules on transfers.

    Parameters
    ----------
    award : Award
    cohorts : tuple of Cohort, optional
        The award's batches if not given. A tail has the dates of its payment only.

    Returns
    -------
    DataFrame
        In the order of the dates: date (the last day; None where the rule sets none), cohort (Chinese),
        fiscal_year (whose money or evaluation it is), event, who, document, clause, quote, basis, note. The
        basis is ``fixed`` (the rule names the day), ``known`` (the day on which it happened), ``computed`` (days
        after another day), ``analogy`` (the rule names another batch's or year's day) or ``undated``. Days before
        the award's notice was issued, and those counted from them, are left out.
    """
    if cohorts is None:
        years = [(n, award.opening_year(n), award.closing_year(n)) for n in range(1, award.batches + 1)]
        cohorts = tuple(Cohort(str(n), pd.Series(dtype="int64"), first, last) for n, first, last in years)
    rows = [row for cohort in cohorts for row in _dated(cohort, award)]
    dates = pd.DataFrame(rows, columns=list(COLUMNS))
    return dates.iloc[sorted(range(len(dates)), key=last_days(dates).__getitem__)].reset_index(drop=True)


def last_days(dates: pd.DataFrame) -> list[date]:
    """The last day of each row of a calendar; the end of its year where the rule sets none."""
    return [day or date(year, 12, 31) for day, year in zip(dates["date"], dates["fiscal_year"], strict=True)]


def duties(award: Award, cohort: Cohort) -> pd.DataFrame:
    """What the notice asks of a province-level unit for one batch, and by when.

    Returns
    -------
    DataFrame
        In the notice's order: duty (Chinese), quote (the notice's words, 财建〔2024〕148号), clause, days (``by`` or
        ``before`` the dates, ``received``: 30 days after money is received, ``open``: no day is set, ``always``) and
        dates, a DataFrame with date, fiscal_year and basis as in ``calendar``; empty where the calendar has none.
    """
    rules = shipped_table("policy/deadlines.csv", "key")
    days, asked = calendar(award, (cohort,)), shipped_table("policy/duties.csv", "key")
    dates = [
        days.loc[days["event"] == (rules.at[key, "event"] if key else ""), ["date", "fiscal_year", "basis"]]
        for key in asked["deadline"]
    ]
    return asked[["duty", "quote", "clause", "days"]].assign(dates=dates)


def _years(cohort: Cohort, award: Award) -> dict[str, list[int]]:
    """The fiscal years to which rules apply: each payment by its name, all of them, evaluations of the support."""
    paid = {payment.name: payment.year for payment in cohort.payments(award)}
    first, last = min(paid.values()), max(paid.values())
    named = {name: [year] for name, year in paid.items()}
    return named | {"payment": sorted({*paid.values()}), "support": list(range(first + 1, last + 1))}


def _dated(cohort: Cohort, award: Award) -> Iterator[tuple[Any, ...]]:
    rules, years = shipped_table("policy/deadlines.csv", "key"), _years(cohort, award)
    since = award.issued if cohort.payment is None else date.min
    for key, rule in rules.iterrows():
        for year in years.get(rule["per"], []):
            day, basis = _day(rules, str(key), year, cohort.name)
            first, _ = _day(rules, _first(rules, str(key)), year, cohort.name)
            if first is None or first >= since:
                described = [rule[column] for column in ("event", "who", "document", "clause", "quote")]
                yield day, cohort.label, year, *described, basis, rule["note"]


def _first(rules: pd.DataFrame, key: str) -> str:
    """The rule from whose day another's is counted in the end, or itself."""
    return _first(rules, rules.at[key, "after"]) if rules.at[key, "after"] else key


def _day(rules: pd.DataFrame, key: str, year: int, name: str) -> tuple[date | None, str]:
    """The last day of a rule for one fiscal year, and what it rests on."""
    rule = rules.loc[key]
    if rule["after"]:
        base, basis = _day(rules, rule["after"], year, name)
        assert base is not None, "what other days are counted from has a day"
        return base + timedelta(days=int(rule["days"])), "analogy" if basis == "analogy" else "computed"
    if not rule["month_day"]:
        return None, "undated"
    known = shipped_table("policy/approvals.csv", "year")["date"]
    if rule["fixed_for"] == "approvals" and str(year) in known.index:
        return date.fromisoformat(known[str(year)]), "known"
    day = date.fromisoformat(f"{year + int(rule['year_offset'])}-{rule['month_day']}")
    return day, "fixed" if rule["fixed_for"] in ("all", name) else "analogy"
