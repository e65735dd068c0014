"""The calendar of a cohort: the dates that the notice and the budget law set, and what a unit must do by them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import pandas as pd

from zjtx_alloc.base.messages import say
from zjtx_alloc.base.resources import shipped_table
from zjtx_alloc.budget.ledger.cohorts import Cohort
from zjtx_alloc.rules.award import Award

BASES = ("fixed", "known", "computed", "analogy", "undated")
COLUMNS = (
    "date", "cohort", "fiscal_year", "event", "who", "document", "clause", "quote", "basis", "note",
)  # fmt: skip


@dataclass(frozen=True)
class _Span:
    """The years of a cohort that the calendar speaks of."""

    name: str
    label: str
    opening: int
    closing: int
    since: date
    is_tail: bool = False

    def years(self, per: str) -> list[int]:
        """The fiscal years to which a rule applies: payments, evaluations of the support, the ends."""
        if self.is_tail:
            return [self.opening] if per == "payment" else []
        support = list(range(self.opening + 1, self.closing + 1))
        return {
            "opening": [self.opening],
            "closing": [self.closing],
            "payment": sorted({self.opening, self.closing}),
            "support": support,
        }[per]


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
    spans = [_span_of(cohort, award) for cohort in cohorts] if cohorts is not None else _batches(award)
    rows = [row for span in spans for row in _dated(span)]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    last = [found or date(year, 12, 31) for found, year in zip(table["date"], table["fiscal_year"], strict=True)]
    return table.assign(last=last).sort_values("last", kind="stable").drop(columns="last").reset_index(drop=True)


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


def _batches(award: Award) -> list[_Span]:
    return [
        _Span(str(b), say("table.batch", batch=b), award.opening_year(b), award.closing_year(b), award.issued)
        for b in range(1, award.batches + 1)
    ]


def _span_of(cohort: Cohort, award: Award) -> _Span:
    is_tail = cohort.payment is not None
    since = date.min if is_tail else award.issued
    return _Span(cohort.name, cohort.label, cohort.opening_year, cohort.closing_year, since, is_tail)


def _dated(span: _Span) -> Iterator[tuple[object, ...]]:
    rules = shipped_table("policy/deadlines.csv", "key")
    for key, rule in rules.iterrows():
        for year in span.years(rule["per"]):
            day, basis = _day(rules, str(key), year, span.name)
            first, _ = _day(rules, _first(rules, str(key)), year, span.name)
            if first is None or first >= span.since:
                described = [rule[column] for column in ("event", "who", "document", "clause", "quote")]
                yield day, span.label, year, *described, basis, rule["note"]


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
