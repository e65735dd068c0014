"""What may have made a difference between transfers and ledger: each hypothesis with what it would explain, none yet chosen.

Three kinds: what a unit's own documents show or its amounts fit (``shown``, ``fitting``), and what two units or years share
(``shared``). What is common to all or to a region is in ``common``.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import NamedTuple

from zjtx_alloc.base.messages import say
from zjtx_alloc.budget.ledger.books import Books, Document, Documents, Key, inside, name_of

# What a cause costs an explanation: what the table itself shows, what only fits an amount or a place, and no cause.
SHOWN, FITS, OPEN = 1, 2, 5
UNIT = "{unit}"  # stands in a text for the units that a shared cause may concern
_MOST_NEW = 10  # firms that nobody expected
_SURELY_YUAN, _MOST_YI = 10**6, 100  # 万元 to one unit; 亿元
_STRAY = 0.2  # of the units
_MOST_OF_ALL, _FEW = 0.8, 5  # a document is expected of a unit where so many have it, and so many units are there


class Cause(NamedTuple):
    """A candidate: its name, the part of the difference that it makes, what is said of it, and whether documents show it.

    ``unit`` is the other unit of a shared cause, for ``UNIT`` in the text.
    """

    name: str
    money: int
    text: str
    price: int = FITS
    unit: str = ""

    @property
    def is_shown(self) -> bool:
        """Whether the table itself shows it."""
        return self.price == SHOWN


@dataclass(frozen=True)
class Shared:
    """A cause that two units or years share: how their documents would read without it, and what is said of each.

    The first of them holds what belongs to the other.
    """

    name: str
    documents: Documents
    texts: dict[Key, str]
    price: int = FITS

    def cause(self, key: Key) -> Cause:
        """The cause as one of the two has it."""
        others = [name_of(other) for other in self.documents if other != key]
        return Cause(self.name, 0, self.texts[key], self.price, *others)


@dataclass(frozen=True)
class Case:
    """What is to be explained: the books, and the documents by unit and year."""

    books: Books
    documents: Documents

    @cached_property
    def keys(self) -> tuple[Key, ...]:
        """Units and years to reconcile: what was transferred, and what the ledger has in the years that the table is of."""
        due = {key for key in self.books.payments if key[1] in set(self.years) - self.stray}
        return tuple(sorted(due | set(self.documents)))

    @cached_property
    def years(self) -> tuple[int, ...]:
        """Fiscal years that the table names."""
        return tuple(sorted({year for _, year in self.documents}))

    @cached_property
    def ahead(self) -> tuple[int, ...]:
        """Fiscal years that the table does not name and in which the ledger pays."""
        return tuple(sorted({year for _, year in self.books.payments} - set(self.years)))

    @cached_property
    def stray(self) -> set[int]:
        """Years of a few rows, beside a year of most units: the table is not of them, and lacks nobody there."""
        share = {year: self.held(year) / max(self.due(year), 1) for year in self.years}
        return {year for year, part in share.items() if part < _STRAY and max(share.values()) > 1 / 2}

    def held(self, year: int) -> int:
        """Units that have documents in a year."""
        return sum(key[1] == year for key in self.documents)

    def due(self, year: int) -> int:
        """Units that are to have money in a year."""
        return sum(key[1] == year for key in self.books.payments)

    @cached_property
    def usual(self) -> dict[int, tuple[str, ...]]:
        """By year, the documents that nearly all units of the table have."""
        found: dict[int, tuple[str, ...]] = {}
        for year in self.years:
            rows = [rows for key, rows in self.documents.items() if key[1] == year]
            names = Counter(name for some in rows for name in {one.name for one in some})
            enough = len(rows) >= _FEW
            found[year] = tuple(n for n, count in names.items() if enough and count >= _MOST_OF_ALL * len(rows))
        return found

    def gap(self, key: Key, documents: tuple[Document, ...]) -> int:
        """What documents transfer beyond what is expected."""
        return sum(document.amount for document in documents) - self.books.expected(key)


def _once(documents: tuple[Document, ...]) -> list[Document]:
    """The rows of the table, those that stand there twice once."""
    rows = [document for document in documents if document.row is not None]
    return list({(document.name, document.amount): document for document in reversed(rows)}.values())[::-1]


def repeated(documents: tuple[Document, ...]) -> list[Document]:
    """Rows that repeat another of the same document with the same amount."""
    seen, again = set[tuple[str, int]](), list[Document]()
    for document in documents:
        if document.row is not None:
            again += [document] if (document.name, document.amount) in seen else []
            seen.add((document.name, document.amount))
    return again


def shown(books: Books, key: Key, documents: tuple[Document, ...]) -> Iterator[Cause]:
    """What the documents of a unit and year show by themselves, each with the money that it would make."""
    if again := repeated(documents):
        said = say("cause.duplicate", documents="、".join(dict.fromkeys(one.name for one in again)))
        yield Cause("duplicate", sum(one.amount for one in again), said, SHOWN)
    once = _once(documents)
    for document in once:
        if abs(document.amount) >= _SURELY_YUAN and document.amount % 10**4 == 0:
            yield _measure(document, document.amount // 10**4, "元", SHOWN)
    older = [document for document in once if books.is_first_round(key, document.name)]
    for document in older:
        said = say("cause.older_round", document=document.name, money=document.amount)
        yield Cause("older_round", document.amount, said, SHOWN)
    stated = sum(document.netted for document in once)
    if stated and (more := stated - books.netted(key)):
        said = say("cause.stated" if more > 0 else "cause.netted_less", money=abs(more))
        yield Cause("recovery", -more, said, SHOWN)
    is_empty = not any(document.row is None for document in documents) and len(older) == len(once)
    if is_empty and (expected := books.expected(key)):
        yield Cause("absent", -expected, say("cause.absent"), SHOWN)


def _measure(document: Document, wan: int, measure: str, price: int) -> Cause:
    amount = f"{document.amount:,}"
    said = say("cause.measure", document=document.name, amount=amount, measure=measure, money=wan)
    return Cause("measure", document.amount - wan, said, price)


def fitting(case: Case, key: Key, documents: tuple[Document, ...], left: int) -> Iterator[Cause]:
    """Causes that would make exactly what is left of a difference."""
    if not documents:
        return
    missing = [name for name in case.usual.get(key[1], ()) if name not in {one.name for one in documents}]
    if len(missing) == 1 and left < 0:  # all others have it: that says more than what an amount fits
        yield Cause("absent", left, say("cause.absent_document", document=missing[0], money=-left), SHOWN)
    yield from _digits(documents, left)
    yield from _other_measures(documents, left)
    yield from _other_years(case, key, documents, left)
    yield from _recoveries(case.books, key, left)
    cohorts = case.books.payments.get(key, {})
    for cohort, money in cohorts.items():
        if money == -left and len(cohorts) > 1:
            yield Cause("absent", left, say("cause.absent_part", cohort=cohort, money=money))
    yield from _firms(case.books, key, left)


def _digits(documents: tuple[Document, ...], left: int) -> Iterator[Cause]:
    """One digit of one amount is another."""
    for document in _once(documents):
        found, right = str(document.amount), str(document.amount - left)
        if len(found) == len(right) and sum(a != b for a, b in zip(found, right, strict=True)) == 1:
            said = say("cause.digit", document=document.name, amount=document.amount, money=right)
            yield Cause("digit", left, said)


def _other_measures(documents: tuple[Document, ...], left: int) -> Iterator[Cause]:
    """An amount in 元 that is small, or in 亿元."""
    for document in _once(documents):
        amount = document.amount
        if amount % 10**4 == 0 and abs(amount) < _SURELY_YUAN and amount - amount // 10**4 == left:
            yield _measure(document, amount // 10**4, "元", FITS)
        if 0 < amount <= _MOST_YI and amount - amount * 10**4 == left:
            yield _measure(document, amount * 10**4, "亿元", FITS)


def _other_years(case: Case, key: Key, documents: tuple[Document, ...], left: int) -> Iterator[Cause]:
    """A document that is what another year expects of the unit, of which the table has nothing."""
    for document in _once(documents):
        for year in case.ahead:
            if document.amount == left == case.books.expected((key[0], year)):
                yield Cause("year", left, _year_text("year_from", document, year))


def _year_text(text: str, document: Document, year: int) -> str:
    return say(f"cause.{text}", document=document.name, money=document.amount, year=year)


def _recoveries(books: Books, key: Key, left: int) -> Iterator[Cause]:
    """A recovery that a document states or the ledger has, and that is netted too often or not at all."""
    if document := books.stated_recoveries(key[0]).get(abs(left)):
        yield Cause("recovery", left, say("cause.recovery", money=abs(left), what=document))
    elif year := books.booked_recoveries(key).get(abs(left)):
        yield Cause("recovery", left, say("cause.recovery_booked", money=abs(left), year=year))


def _firms(books: Books, key: Key, money: int) -> Iterator[Cause]:
    """A whole number of firms: ten, or a third of those approved."""
    for each, approved in books.each(key).items():
        count = money // each if money % each == 0 else 0
        if count and -min(approved, max(_MOST_NEW, approved // 3)) <= count <= max(_MOST_NEW, approved // 3):
            yield Cause("firms", money, say("cause.firms", firms=abs(count), each=each))


def shared(case: Case, open_keys: list[Key]) -> Iterator[Shared]:
    """What two units or years may share, of those that differ: without it their documents would read otherwise."""
    for key in open_keys:
        yield from _cities(case, key)
        yield from _elsewhere(case, key, open_keys)
    for first, second in combinations(open_keys, 2):
        if first[1] == second[1]:
            yield from _exchanges(case, first, second)


def _cities(case: Case, key: Key) -> Iterator[Shared]:
    """A unit without documents inside the province of this one."""
    code, year = key
    for member in inside(code) if year not in case.stray else ():
        inner = member, year
        money = case.books.expected(inner)
        if money > 0 and inner not in case.documents and key in case.documents:
            parts = {key: (*case.documents[key], Document(None, "", -money)), inner: (Document(None, "", money),)}
            said = {
                key: say("cause.city_within", city=UNIT, money=money),
                inner: say("cause.city_inside", province=UNIT),
            }
            yield Shared("city", parts, said, SHOWN)


def _elsewhere(case: Case, key: Key, open_keys: list[Key]) -> Iterator[Shared]:
    """One document of this unit and year that belongs to another unit, or to another year."""
    code, year = key
    rows = case.documents.get(key, ())
    years = [other for other in open_keys if other[0] == code and other != key]
    units = [other for other in open_keys if other[1] == year and other != key]
    for document in rows:
        rest = tuple(one for one in rows if one != document)
        # The only document of a unit and year in which something is due is its own, whatever else is open.
        is_own = not rest and case.books.expected(key) and year not in case.stray
        if document.row is None or document.amount <= 0 or is_own:
            continue
        for name, other in [*(("year", other) for other in years), *(("unit", other) for other in units)]:
            if case.gap(other, case.documents.get(other, ())) >= 0:
                continue
            said = {"document": document.name, "money": document.amount}
            texts = {
                key: say(f"cause.{name}_from", unit=UNIT, year=other[1], **said),
                other: say(f"cause.{name}_to", unit=UNIT, year=year, **said),
            }
            yield Shared(name, {key: rest, other: (*case.documents.get(other, ()), document)}, texts)


def _exchanges(case: Case, first: Key, second: Key) -> Iterator[Shared]:
    """The rows of two units exchanged: all, or those of one document."""
    here, there = case.documents.get(first, ()), case.documents.get(second, ())
    names = {one.name for one in here} & {one.name for one in there}
    for name in ["", *(sorted(names) if len(here) > 1 or len(there) > 1 else [])]:
        mine, others = ([one for one in rows if name in ("", one.name)] for rows in (here, there))
        if mine and others:
            parts = {
                first: (*(one for one in here if one not in mine), *others),
                second: (*(one for one in there if one not in others), *mine),
            }
            yield Shared("exchanged", parts, dict.fromkeys(parts, say("cause.exchanged", unit=UNIT)))
