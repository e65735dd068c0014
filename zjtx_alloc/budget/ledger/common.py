"""What a whole table of transfers has in common: a rate withheld everywhere or in a region, an instalment left out or shifted."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import combinations

from zjtx_alloc.base.messages import say
from zjtx_alloc.base.units import load_units
from zjtx_alloc.budget.ledger.books import Key
from zjtx_alloc.budget.ledger.hypotheses import Case, Cause, shown

_LEAST = 3  # units, with as many different amounts: fewer may agree by chance
_STEPS = 1000  # rates are looked for in steps of a tenth of a percent
_MOST_RATE = 500
_MOST_COMMON = 3
_MOST_COHORTS = 5


@dataclass(frozen=True)
class Common:
    """What all of a group have in common: what they are expected to have besides, a cause each.

    ``of`` are the units and years of the group, those included that come out even without it.
    """

    shifts: dict[Key, int]
    of: list[Key]
    name: str
    text: str

    def cause(self, key: Key) -> Cause:
        """The cause as one unit and year has it."""
        return Cause(self.name, self.shifts[key], self.text)


def with_common(case: Case) -> tuple[Case, list[Common]]:
    """The books with what is common to many units counted in, as long as most of those that it concerns come out even."""
    found = list[Common]()
    for _ in range(_MOST_COMMON):
        gains = [(_gain(case, one), -len(one.of), one) for one in _candidates(case)]
        most, _, best = max(gains, key=lambda gain: gain[:2], default=(0, 0, None))
        if best is None or most <= 0:
            break
        found.append(best)
        case = _counted(case, best.shifts)
    return case, found


def _counted(case: Case, shifts: dict[Key, int]) -> Case:
    common = dict(case.books.common)
    for key, money in shifts.items():
        common[key] = common.get(key, 0) + money
    return replace(case, books=replace(case.books, common=common))


def _is_even(case: Case, key: Key) -> bool:
    return _bare_gap(case, key) == 0


def _bare_gap(case: Case, key: Key) -> int:
    """A difference without rows that stand there twice and without other measures, so that a rate rounds as it was."""
    rows = case.documents.get(key, ())
    seen = sum(cause.money for cause in shown(case.books, key, rows) if cause.name in ("duplicate", "measure"))
    return case.gap(key, rows) - seen


def _gain(case: Case, one: Common) -> int:
    """How many units come out even by it, if they are most of the group and differ among themselves."""
    after = _counted(case, one.shifts)
    even = [key for key in one.shifts if key in case.documents and _is_even(after, key)]
    amounts = {sum(document.amount for document in case.documents[key]) for key in even}
    if len(amounts) < _LEAST or 2 * len(even) <= sum(key in case.documents for key in one.of):
        return 0
    return len(even) - sum(_is_even(case, key) for key in one.shifts if key in case.documents)


def _candidates(case: Case) -> Iterator[Common]:
    for year in sorted(set(case.years) - case.stray):
        keys = [key for key in case.keys if key[1] == year]
        open_keys = [key for key in keys if not _is_even(case, key)]
        if sum(key in case.documents for key in open_keys) >= _LEAST:
            yield from _instalments(case, year, keys, open_keys)
            for other in case.ahead:
                shifts = {key: case.books.expected((key[0], other)) - case.books.expected(key) for key in open_keys}
                yield Common(shifts, keys, "common_year", say("cause.common_year", year=year, other=other))
            for group, members in _groups(keys):
                yield from _rates(case, group, members, [key for key in open_keys if key in members])


def _groups(keys: list[Key]) -> Iterator[tuple[str, list[Key]]]:
    """All of them, and those of each region."""
    yield say("cause.all_units"), keys
    regions = load_units()["region"].to_dict()
    for region in dict.fromkeys(regions.values()):
        yield say("cause.region", region=region), [key for key in keys if regions[key[0]] == region]


def _rates(case: Case, group: str, of: list[Key], open_keys: list[Key]) -> Iterator[Common]:
    """The rate by which most of a group have less, or more, than expected."""
    gaps = {key: (_bare_gap(case, key), expected) for key in open_keys if (expected := case.books.expected(key)) > 0}
    votes = Counter(round(Fraction(gap * _STEPS, expected)) for gap, expected in gaps.values())
    for steps, _ in votes.most_common(3):
        if not steps or abs(steps) > _MOST_RATE:
            continue
        shifts = {key: _rounded(gap, expected, steps) for key, (gap, expected) in gaps.items()}
        rate = f"{abs(steps) / (_STEPS // 100):g}%"
        even = [key for key, shift in shifts.items() if shift == gaps[key][0]]
        said = say("cause.rate_less" if steps < 0 else "cause.rate_more", group=group, count=len(even), rate=rate)
        yield Common(shifts, of, "rate", said)


def _rounded(gap: int, expected: int, steps: int) -> int:
    """A rate of what is expected in whole 万元; the gap itself where it is that but for rounding."""
    exact = Fraction(expected * steps, _STEPS)
    return gap if abs(gap - exact) < 1 else round(exact)


def _instalments(case: Case, year: int, of: list[Key], keys: list[Key]) -> Iterator[Common]:
    """Payments of some of a year's cohorts that the table does not have, or has in another of its years; or of another year."""
    payments = case.books.payments
    cohorts = list(dict.fromkeys(name for key in of for name in payments.get(key, {})))[:_MOST_COHORTS]
    for count in range(1, len(cohorts) + 1):
        for some in combinations(cohorts, count):
            paid = {key: sum(payments.get(key, {}).get(name, 0) for name in some) for key in keys}
            less = {key: -money for key, money in paid.items() if money}
            names = "、".join(some)
            paying = [key for key in of if any(name in payments.get(key, {}) for name in some)]
            if count < len(cohorts):
                yield Common(less, paying, "instalment", say("cause.instalment_absent", cohorts=names, year=year))
            for other in case.years:
                if other != year:
                    more = {(code, other): -money for (code, _), money in less.items()}
                    said = say("cause.instalment_shifted", cohorts=names, year=year, other=other)
                    yield Common(less | more, paying, "instalment", said)
