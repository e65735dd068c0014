"""From the last budget to this one, cause by cause, whatever the order in which causes are looked at (Shapley)."""

from dataclasses import fields, replace
from fractions import Fraction
from functools import cache, cached_property
from math import factorial, floor

import numpy as np
import pandas as pd

from zjtx_alloc.allocation.approved import approved_firms
from zjtx_alloc.budget.ledger.budget import BudgetForecast
from zjtx_alloc.budget.ledger.cohorts import Cohort
from zjtx_alloc.budget.ledger.ledger import Ledger, ledger
from zjtx_alloc.rules.award import Award

CAUSES = ("batch_total", "approval", "award", "timing", "outcomes", "recoveries")
_RECOVERY = ("recovered_share", "empowerment_recovered", "discontinued_recovered")
_NO_MONEY = ("name", "title", "number", "issued", "parameters")  # of an award: what its money does not hang on


def bridge(before: Ledger | BudgetForecast, after: Ledger | BudgetForecast) -> pd.DataFrame:
    """What moved the money between two budgets, by cause and fiscal year.

    A cause's part is the difference that its change makes, averaged over every order in which the causes could be
    changed one after another (the Shapley value): no order is preferred, and what does not change has no part. Where
    several change, what they only make together is shared evenly between them.

    - batch_total: quotas, at an unchanged approval rate and unchanged shares of outcomes; batches that came or went.
    - approval: approved firms, where the quota is known beside them (else the whole change of firms).
    - award: 奖补标准, opening share, empowerment, a tail's money a firm.
    - timing: fiscal years of the payments.
    - outcomes: shares of outcomes and of firms no longer supported. Outcomes assumed at mean shares are worked out
      anew for other numbers of firms, as ``za.expected_cohorts`` does; others keep each unit's shares.
    - recoveries: what is recovered, and other schemes' 清算.

    Returns
    -------
    DataFrame
        Index step: before, the causes, after; columns fiscal years; net (实际下达), whole 万元. In every
        column the rows before and causes sum to the row after: the exact parts are rounded down, and the 万元 left
        go to the largest remainders, equal ones in the order of ``CAUSES``.

    Notes
    -----
    Shapley, L. S. (1953), A value for n-person games (``docs/method.md``). All coalitions of the causes that changed are booked, at
    most 2^6.
    """
    change = _Change(_books(before), _books(after))
    nets = {coalition: change.net(coalition) for coalition in change.coalitions}
    years = sorted({int(year) for net in nets.values() for year in net.index})
    money = {coalition: net.reindex(years, fill_value=0).to_numpy() for coalition, net in nets.items()}
    parts = _whole(_shapley(money, change.causes), factorial(len(change.causes)))
    first, last = money[frozenset()], money[frozenset(change.causes)]
    rows = [first, *(parts.get(cause, np.zeros_like(first)) for cause in CAUSES), last]
    index = pd.Index(["before", *CAUSES, "after"], name="step")
    return pd.DataFrame(np.array(rows), index, pd.Index(years, name="fiscal_year")).astype("int64")


def moving_steps(steps: pd.DataFrame) -> pd.DataFrame:
    """The steps of a bridge without the causes that moved no money in any year."""
    return steps[steps.ne(0).any(axis=1) | ~steps.index.isin(CAUSES)]


def _books(budget: Ledger | BudgetForecast) -> Ledger:
    return budget.ledger if isinstance(budget, BudgetForecast) else budget


def _shapley(money: dict[frozenset[str], np.ndarray], causes: tuple[str, ...]) -> dict[str, np.ndarray]:
    """The Shapley values by cause, times n!, so that they are whole."""
    found = {}
    for cause in causes:
        found[cause] = sum(
            factorial(len(others)) * factorial(len(causes) - len(others) - 1) * (money[others | {cause}] - value)
            for others, value in money.items()
            if cause not in others
        )
    return found


def _whole(parts: dict[str, np.ndarray], of: int) -> dict[str, np.ndarray]:
    """The parts divided, whole, with the same sum in every year (largest remainder)."""
    if not parts:
        return {}
    table = np.array(list(parts.values()))
    whole, remainder = table // of, table % of
    ranks = np.argsort(np.argsort(-remainder, axis=0, kind="stable"), axis=0)
    whole += ranks < remainder.sum(axis=0) // of
    return dict(zip(parts, whole, strict=True))


class _Change:
    """What changed between two books, and the money if only some of it had."""

    def __init__(self, first: Ledger, last: Ledger) -> None:
        self.first, self.last = first, last
        olds, news = ({cohort.name: cohort for cohort in books.cohorts} for books in (first, last))
        self._pairs = [_Pair(olds.get(name), news.get(name)) for name in {**olds, **news}]
        self._known: dict[tuple[object, ...], pd.Series] = {}

    @cached_property
    def causes(self) -> tuple[str, ...]:
        """The causes that changed, in the order of ``CAUSES``."""
        moved = {cause for pair in self._pairs for cause in pair.causes} | self._rules
        return tuple(cause for cause in CAUSES if cause in moved)

    @property
    def coalitions(self) -> list[frozenset[str]]:
        """Every set of the causes that changed."""
        found: list[frozenset[str]] = [frozenset()]
        for cause in self.causes:
            found += [coalition | {cause} for coalition in found]
        return found

    @cached_property
    def _rules(self) -> set[str]:
        """The causes that lie in the award and in other schemes' recoveries."""
        one, two = self.first.award, self.last.award
        plain = [field.name for field in fields(Award) if field.name not in (*_RECOVERY, *_NO_MONEY)]
        found = set() if _alike(one, two, plain) else {"award"}
        same = self.first.adjustments.reset_index(drop=True).equals(self.last.adjustments.reset_index(drop=True))
        return found if same and _alike(one, two, _RECOVERY) else found | {"recoveries"}

    def net(self, changed: frozenset[str]) -> pd.Series:
        """National net money by fiscal year if these causes alone had changed; each state is booked once."""
        key = (changed & self._rules, *(changed & pair.causes for pair in self._pairs))
        if key not in self._known:
            cohorts = [cohort for pair in self._pairs if (cohort := pair.at(changed & pair.causes)) is not None]
            recovering = self.last if "recoveries" in changed else self.first
            award = self.last.award if "award" in changed else self.first.award
            award = replace(award, **{name: getattr(recovering.award, name) for name in _RECOVERY})
            given = recovering.adjustments if len(recovering.adjustments) else None
            self._known[key] = ledger(tuple(cohorts), award, given).by_year()["net"]
        return self._known[key]


class _Pair:
    """One batch before and after; None where there is none."""

    def __init__(self, old: Cohort | None, new: Cohort | None) -> None:
        self.old, self.new = old, new
        self.at = cache(self._at)

    @property
    def _both(self) -> tuple[Cohort, Cohort]:
        assert self.old is not None
        assert self.new is not None
        return self.old, self.new

    @cached_property
    def causes(self) -> frozenset[str]:
        """The causes that changed of this batch; a batch that cannot be compared comes and goes whole."""
        old, new = self.old, self.new
        if old is None or new is None or not _comparable(old, new):
            return frozenset({"batch_total"})
        firms = self._firms
        found = {
            "batch_total": not firms[False, False].equals(firms[True, False])
            or not firms[False, True].equals(firms[True, True]),
            "approval": not firms[False, False].equals(firms[False, True])
            or not firms[True, False].equals(firms[True, True]),
            "award": old.payment != new.payment,
            "timing": (old.opening_year, old.closing_year) != (new.opening_year, new.closing_year),
            "outcomes": not all(_same_outcomes(old, new, count) for count in firms.values()),
        }
        return frozenset(cause for cause, changed in found.items() if changed)

    @cached_property
    def _firms(self) -> dict[tuple[bool, bool], pd.Series]:
        """Approved firms by whether the total and whether the approval is the new one."""
        old, new = self._both
        one, two = old.approved, new.approved.reindex(old.approved.index)
        quota = None if new.quota is None else new.quota.reindex(one.index)
        if old.quota is None or quota is None or old.quota.equals(quota):
            return {(False, False): one, (True, False): one, (False, True): two, (True, True): two}
        if _same_rate((old.quota, one), (quota, two)):
            return {(False, False): one, (True, False): two, (False, True): one, (True, True): two}
        return {
            (False, False): one,
            (True, False): approved_firms(quota, _rate(old.quota, one)),
            (False, True): approved_firms(old.quota, _rate(quota, two)),
            (True, True): two,
        }

    def _at(self, changed: frozenset[str]) -> Cohort | None:
        """The batch if these of its causes alone had changed."""
        if not changed or changed == self.causes:
            return self.new if changed else self.old
        old, new = self._both
        firms = self._firms["batch_total" in changed, "approval" in changed].rename("approved")
        timed = new if "timing" in changed else old
        described = new if "outcomes" in changed else old
        ends, gone = _outcomes_at(described, firms)
        return replace(
            timed,
            approved=firms,
            quota=None,  # no money hangs on places
            payment=(new if "award" in changed else old).payment,
            outcomes=ends,
            discontinued=None if gone is None else _moved(gone, described, timed),
            shares=None,
        )


def _alike(one: Award, two: Award, names: list[str] | tuple[str, ...]) -> bool:
    return type(one) is type(two) and all(getattr(one, name) == getattr(two, name) for name in names)


def _comparable(old: Cohort, new: Cohort) -> bool:
    same_kind = (old.payment is None) == (new.payment is None)
    return same_kind and set(old.approved.index) == set(new.approved.index)


def _rate(quota: pd.Series, firms: pd.Series) -> Fraction:
    """The national approval rate; 1 where there is no place."""
    places = int(quota.sum())
    return Fraction(int(firms.sum()), places) if places else Fraction(1)


def _same_rate(*batches: tuple[pd.Series, pd.Series]) -> bool:
    """Whether one approval rate gives the firms of both: whole firms seldom have exactly the same rate.

    The rates looked at are the simplest that both national numbers are rounded from, as people state them, and both
    batches' own.
    """
    ends = [_rounded_from(int(quota.sum()), int(firms.sum())) for quota, firms in batches]
    low, high = max(low for low, _ in ends), min(high for _, high in ends)
    rates = {_rate(*batch) for batch in batches} | ({_simplest(low, high)} if low < high else set())
    return any(all(_is_at(quota, firms, rate) for quota, firms in batches) for rate in rates)


def _is_at(quota: pd.Series, firms: pd.Series, rate: Fraction) -> bool:
    """Whether these firms are approved at a rate as ``approved_firms`` has it, whoever went first among equals."""
    exact = {code: int(places) * rate for code, places in quota.items()}
    more = {code: int(firms[code]) - floor(part) for code, part in exact.items()}
    least = min((exact[code] % 1 for code, one in more.items() if one == 1), default=Fraction(1))
    most = max((exact[code] % 1 for code, one in more.items() if one == 0), default=Fraction(0))
    whole = floor(sum(exact.values()) + Fraction(1, 2))
    return set(more.values()) <= {0, 1} and least >= most and int(firms.sum()) == whole


def _rounded_from(places: int, firms: int) -> tuple[Fraction, Fraction]:
    """The rates between which this many places make this many firms; the upper end, unless 1, makes one more."""
    if not places:
        return Fraction(0), Fraction(1)
    low, high = Fraction(2 * firms - 1, 2 * places), Fraction(2 * firms + 1, 2 * places)
    return max(low, Fraction(0)), min(high, Fraction(1))


def _simplest(low: Fraction, high: Fraction) -> Fraction:
    """The fraction of the smallest denominator between two."""
    denominator = 1
    while -(-low * denominator // 1) > high * denominator:
        denominator += 1
    return Fraction(int(-(-low * denominator // 1)), denominator)


def _outcomes_at(cohort: Cohort, firms: pd.Series) -> tuple[pd.DataFrame | None, pd.DataFrame | None]:
    """A batch's outcomes and its discontinued firms if it had these firms."""
    if cohort.approved.equals(firms) or (cohort.outcomes is None and cohort.discontinued is None):
        return cohort.outcomes, cohort.discontinued
    if (derived := _derived(cohort, firms)) is not None:
        return derived
    parts = cohort.ends if cohort.discontinued is None else cohort.ends.join(cohort.discontinued)
    rows = {code: _spread(parts.loc[code], int(count)) for code, count in firms.items()}
    spread = pd.DataFrame.from_dict(rows, orient="index").rename_axis("code")
    described = (cohort.outcomes, cohort.discontinued)
    ends, gone = (None if table is None else spread[list(table.columns)] for table in described)
    return ends, gone


def _derived(cohort: Cohort, firms: pd.Series) -> tuple[pd.DataFrame, pd.DataFrame] | None:
    """The outcomes at the batch's mean shares, if that is where its own come from; known departures stay."""
    if cohort.shares is None or cohort.outcomes is None or cohort.discontinued is None:
        return None
    known = cohort.discontinued.drop(columns=cohort.closing_year)
    left_before = known.sum(axis=1).astype("int64")
    own, gone = cohort.shares.outcomes_of(cohort.approved - left_before)
    if not own.equals(cohort.outcomes) or not gone.equals(cohort.discontinued[cohort.closing_year]):
        return None
    left = firms.reindex(known.index) - left_before
    if left.lt(0).any():
        return None
    ends, gone = cohort.shares.outcomes_of(left)
    return ends, known.assign(**{"": gone}).rename(columns={"": cohort.closing_year})


def _spread(row: pd.Series, firms: int) -> pd.Series:
    """One unit's outcomes at another number of firms: shares kept (largest remainder); all completed where none is."""
    if row.sum() == 0:
        return row.where(row.index != "completed", firms)
    return approved_firms(row, Fraction(firms, int(row.sum())))


def _same_outcomes(old: Cohort, new: Cohort, firms: pd.Series) -> bool:
    """Whether both batches' outcomes would be the same with the same firms, in the same years."""
    found = []
    for cohort in (old, new):
        ends, gone = _outcomes_at(cohort, firms)
        ends = replace(cohort, approved=firms, quota=None, outcomes=ends, discontinued=gone, shares=None).ends
        moved = pd.DataFrame(index=firms.index) if gone is None else _moved(gone, cohort, old)
        found.append((ends.reindex(firms.index), moved.loc[:, moved.gt(0).any()].reindex(firms.index)))
    (one, left), (two, other) = found
    return one.equals(two) and left.equals(other)


def _moved(gone: pd.DataFrame, own: Cohort, timed: Cohort) -> pd.DataFrame:
    """Discontinued firms in another cohort's years: at the end stays at the end, outside its years at their edge."""
    ends = {own.closing_year: timed.closing_year}
    years = [ends.get(int(y), min(max(int(y), timed.opening_year), timed.closing_year)) for y in gone.columns]
    moved = gone.set_axis(years, axis=1)
    return moved.T.groupby(level=0).sum().T.astype("int64")
