"""What may explain a difference between transfers and ledger: of all explanations the cheapest at stated prices."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache, cached_property
from itertools import combinations
from typing import NamedTuple

import pandas as pd

from zjtx_alloc.base.messages import say
from zjtx_alloc.base.units import load_units, members_of
from zjtx_alloc.budget.ledger.ledger import Ledger
from zjtx_alloc.rules.award import load_tails

Key = tuple[str, int]  # unit, fiscal year
# What a cause costs an explanation, from what a table itself shows to what only fits its amount. Fewer causes are
# cheaper; a firm too many or too few costs a little more each, since whole firms fit much.
PRICES = {
    "duplicate": 1.0, "measure": 1.0, "older_round": 1.0, "recovery": 1.0, "absent": 1.0,
    "city": 1.0, "exchanged": 2.5, "unit": 2.5, "year": 2.5, "firms": 3.0, "unexplained": 8.0,
}  # fmt: skip
# More, where no document says so: a recovery that the ledger knows, a batch that is not among the documents.
_GUESSED = 1.0
_A_FIRM = 0.1
_OVERLOOKED = 2.0  # to leave aside what a document shows: it stands there twice, nets, is of the first round
_EVEN = 1.5  # less, where the unit or year comes out even without the document that belongs elsewhere
_IN_A_CROWD = 0.75  # more for each further difference: among many, two that fit each other are nothing rare
_MOST_MOVES = 2  # causes of one unit and year, beside a number of firms
_MOST_SHARED = 50
_MOST_NEW = 10  # firms that nobody expected
_YUAN, _SURELY_YUAN, _MOST_YI = 10**5, 10**6, 100  # 万元 to one unit; 亿元


class Document(NamedTuple):
    """What one row of a table transfers; ``row`` is blank where the table was taken apart."""

    row: int | None
    name: str
    amount: int
    netted: int = 0


class Cause(NamedTuple):
    """A likely cause: its name, the part of the difference that it makes, what is said of it, its price."""

    name: str
    money: int
    text: str
    price: float
    shown: bool = False


@dataclass(frozen=True)
class Books:
    """What a ledger says of units and years, whole 万元."""

    ledger: Ledger

    @cached_property
    def _accounts(self) -> dict[str, dict[Key, int]]:
        return {flow: self.ledger.accounts[flow].to_dict() for flow in ("net", "due", "netted")}

    def expected(self, key: Key) -> int:
        """What is to be transferred: due less netted."""
        return int(self._accounts["net"].get(key, 0))

    def due(self, key: Key) -> int:
        """What falls due."""
        return int(self._accounts["due"].get(key, 0))

    def netted(self, key: Key) -> int:
        """What the ledger nets."""
        return int(self._accounts["netted"].get(key, 0))

    @cached_property
    def _recovered(self) -> dict[str, dict[int, str]]:
        """By unit, the amounts known to be recovered and what they are."""
        known: dict[str, dict[int, str]] = {}
        for row in self.ledger.adjustments.itertuples():
            known.setdefault(str(row.code), {})[int(str(row.recovered))] = str(row.document)
        table = self.ledger.table
        for row in table[table["recovered"] > 0].itertuples():
            said = say("cause.recovered_in", year=row.fiscal_year)
            known.setdefault(str(row.code), {}).setdefault(int(str(row.recovered)), said)
        return known

    def recovered(self, code: str) -> dict[int, str]:
        """Amounts known to be recovered from a unit, and what they are."""
        return self._recovered.get(code, {})

    @cached_property
    def _paid(self) -> dict[Key, dict[str, int]]:
        """By unit and year, what each cohort is paid, where there are several."""
        found: dict[Key, dict[str, int]] = {}
        labels = {cohort.name: cohort.label for cohort in self.ledger.cohorts}
        for row in self.ledger.table[self.ledger.table["net"] > 0].itertuples():
            key = str(row.code), int(str(row.fiscal_year))
            found.setdefault(key, {})[labels.get(str(row.cohort), str(row.cohort))] = int(str(row.net))
        return {key: cohorts for key, cohorts in found.items() if len(cohorts) > 1}

    def paid(self, key: Key) -> dict[str, int]:
        """What each of several cohorts is paid."""
        return self._paid.get(key, {})

    def each(self, key: Key) -> dict[int, int]:
        """What a firm is paid in this year, and how many there are; at the first payment of all where none is."""
        code, year = key
        found: dict[int, int] = {}
        for cohort in self.ledger.cohorts:
            if firms := int(cohort.approved.get(code, 0)):
                for payment in cohort.payments(self.ledger.award):
                    if payment.year == year and payment.each:
                        found[payment.each] = max(firms, found.get(payment.each, 0))
        return found or {self.ledger.award.payments_of(1)[0].each: 0}

    def is_first_round(self, key: Key, document: str) -> bool:
        """Whether this is a document of the first round, where the ledger has none of its money."""
        code, year = key
        tails = (cohort for cohort in self.ledger.cohorts if cohort.payment is not None)
        held = any(cohort.opening_year == year and cohort.approved.get(code, 0) for cohort in tails)
        return not held and load_tails().names(document, year)


Documents = dict[Key, tuple[Document, ...]]


@dataclass(frozen=True)
class _Shared:
    """A cause that two units or years share: how their documents would read without it, and what is said of each.

    The first of them holds what belongs to the other.
    """

    name: str
    documents: Documents
    texts: dict[Key, str]
    price: float


def explained(books: Books, documents: Documents, keys: list[Key]) -> dict[Key, tuple[Cause, ...]]:
    """The likely causes of the differences of these units and years; nothing where there is none.

    First what two of them share (a city inside its province, two units exchanged, a wrong unit or year): the one that
    makes the explanation of both cheaper by most, then the next. Then each unit and year by itself: of at most two
    causes and a number of firms that together make the difference to the 万元, the cheapest; else what stays open.
    """
    shared: dict[Key, list[Cause]] = {}
    for _ in range(_MOST_SHARED):
        saved = [(_saved(books, documents, keys, one), one) for one in _candidates(books, documents, keys)]
        most = max((money for money, _ in saved), default=0.0)
        if most <= 0:
            break
        best = _one_of([one for money, one in saved if money == most])
        documents = documents | best.documents
        for key, text in best.texts.items():
            shared.setdefault(key, []).append(Cause(best.name, 0, text, 0))
    return {key: (*shared.get(key, []), *_alone(books, key, documents.get(key, ()))) for key in keys}


def _one_of(found: list[_Shared]) -> _Shared:
    """The first of equally good causes; if they move one document to several units, it is not said which one."""
    first = found[0]
    holder = next(iter(first.documents))
    alike = [one for one in found if one.name == "unit" and one.documents.get(holder) == first.documents[holder]]
    if len(alike) < 2:
        return first
    names = "、".join(name_of(key) for one in alike for key in one.documents if key != holder)
    (other,) = [key for key in first.documents if key != holder]
    moved = first.documents[other][-1]
    said = say("cause.unit_among", document=moved.name, money=moved.amount, units=names)
    return replace(first, documents={holder: first.documents[holder]}, texts={holder: said})


def _gap(books: Books, key: Key, documents: tuple[Document, ...]) -> int:
    return sum(document.amount for document in documents) - books.expected(key)


def _saved(books: Books, documents: Documents, keys: list[Key], one: _Shared) -> float:
    """By how much a shared cause makes the whole explanation cheaper; a year that is not reconciled must come out even."""
    price = one.price
    for key, changed in one.documents.items():
        if key in keys:
            price += sum(cause.price for cause in _alone(books, key, changed))
            price -= sum(cause.price for cause in _alone(books, key, documents.get(key, ())))
        elif _gap(books, key, changed):
            return -1.0
    return -price


def _candidates(books: Books, documents: Documents, keys: list[Key]) -> Iterator[_Shared]:
    open_keys = [key for key in keys if _gap(books, key, documents.get(key, ()))]
    crowd = _IN_A_CROWD * max(sum(key in documents for key in open_keys) - 2, 0)
    for key in open_keys:
        yield from _cities(books, documents, key)
        for one in _elsewhere(books, documents, key, open_keys):
            yield replace(one, price=one.price + (crowd if one.name == "unit" else 0))
    for first, second in combinations(open_keys, 2):
        if first[1] == second[1] and first in documents and second in documents:
            near = bool(set(members_of(first[0])) & set(members_of(second[0])))
            pair = (first, second), (second, first)
            texts = {key: say("cause.exchanged", unit=name_of(other)) for key, other in pair}
            price = PRICES["exchanged"] + (0 if near else crowd)
            yield _Shared("exchanged", {key: documents[other] for key, other in pair}, texts, price)


def _cities(books: Books, documents: Documents, key: Key) -> Iterator[_Shared]:
    """A unit without documents inside the province of this one."""
    code, year = key
    for member in members_of(code):
        inner = member, year
        money = books.expected(inner)
        if member != code and money > 0 and inner not in documents and key in documents:
            parts = {key: (*documents[key], Document(None, "", -money)), inner: (Document(None, "", money),)}
            said = {
                key: say("cause.city_within", city=name_of(inner), money=money),
                inner: say("cause.city_inside", province=name_of(key)),
            }
            yield _Shared("city", parts, said, PRICES["city"])


def _elsewhere(books: Books, documents: Documents, key: Key, open_keys: list[Key]) -> Iterator[_Shared]:
    """One document of this unit and year that belongs to another unit, or to the year before or after."""
    code, year = key
    years = [(code, year - 1), (code, year + 1)]
    units = [other for other in open_keys if other[1] == year and other != key]
    for document in documents.get(key, ()):
        if document.row is None or document.amount <= 0:
            continue
        rest = tuple(one for one in documents[key] if one.row != document.row)
        is_even = _gap(books, key, rest) == 0
        if not rest and not is_even:  # its one document is its own, whatever else is open
            continue
        for cause, other in [*(("year", other) for other in years), *(("unit", other) for other in units)]:
            if _gap(books, other, documents.get(other, ())) >= 0:
                continue
            said = {"document": document.name, "money": document.amount}
            texts = {
                key: say(f"cause.{cause}_from", unit=name_of(other), year=other[1], **said),
                other: say(f"cause.{cause}_to", unit=name_of(key), year=year, **said),
            }
            parts = {key: rest, other: (*documents.get(other, ()), document)}
            yield _Shared(cause, parts, texts, PRICES[cause] - (_EVEN if is_even else 0))


@cache
def _short_names() -> dict[str, str]:
    return load_units()["short_name"].to_dict()


def name_of(key: Key) -> str:
    """The unit's short name."""
    return _short_names()[key[0]]


def _alone(books: Books, key: Key, documents: tuple[Document, ...]) -> tuple[Cause, ...]:
    """The cheapest explanation of one unit and year; what documents show counts where it is left aside."""
    if (gap := _gap(books, key, documents)) == 0:
        return ()
    moves = [*_moves(books, key, documents)]
    shown = sum(move.shown for move in moves)
    best, least = (_open(gap, gap),), PRICES["unexplained"] + _OVERLOOKED * shown
    for count in range(_MOST_MOVES + 1):
        for chosen in combinations(moves, count):
            left = gap - sum(move.money for move in chosen)
            ends = [(), *((one,) for one in _firms(books, key, left))] if left else [()]
            for end in ends if not left else [*ends[1:], (_open(left, gap),)]:
                causes = (*chosen, *end)
                overlooked = shown - sum(move.shown for move in chosen)
                price = sum(cause.price for cause in causes) + _OVERLOOKED * overlooked
                if price < least:
                    best, least = causes, price
    return best


def _open(money: int, gap: int) -> Cause:
    said = say("cause.unexplained") if money == gap else say("cause.rest", money=money)
    return Cause("unexplained", money, said, PRICES["unexplained"])


def _moves(books: Books, key: Key, documents: tuple[Document, ...]) -> Iterator[Cause]:
    """Causes of this unit and year by themselves, each with the money that it would make."""
    yield from _duplicates(documents)
    yield from _measures(documents)
    older = [document for document in documents if books.is_first_round(key, document.name)]
    for document in older:
        said = say("cause.older_round", document=document.name, money=document.amount)
        yield Cause("older_round", document.amount, said, PRICES["older_round"], shown=True)
    yield from _recoveries(books, key, documents)
    if len(older) == len(documents) and (expected := books.expected(key)):
        yield Cause("absent", -expected, say("cause.absent"), PRICES["absent"])
    for cohort, money in books.paid(key).items():
        said = say("cause.absent_part", cohort=cohort, money=money)
        yield Cause("absent", -money, said, PRICES["absent"] + _GUESSED)


def _duplicates(documents: tuple[Document, ...]) -> Iterator[Cause]:
    """The same document with the same amount stands there twice: all that do, or one of them."""
    seen, again = set[tuple[str, int]](), list[Document]()
    for document in documents:
        if document.row is not None:
            again += [document] if (document.name, document.amount) in seen else []
            seen.add((document.name, document.amount))
    for number, some in enumerate([again, *([one] for one in again if len(again) > 1)]):
        if some:
            names = "、".join(dict.fromkeys(document.name for document in some))
            said = say("cause.duplicate", documents=names)
            yield Cause("duplicate", sum(one.amount for one in some), said, PRICES["duplicate"], shown=number == 0)


def _measures(documents: tuple[Document, ...]) -> Iterator[Cause]:
    """An amount in 元 or 亿元: of one document, or of all."""
    for document in documents:
        amount = document.amount
        wan, measure = (amount // 10**4, "元") if abs(amount) >= _YUAN else (amount * 10**4, "亿元")
        if amount and (abs(amount) % 10**4 == 0 if measure == "元" else 0 < amount <= _MOST_YI):
            said = say("cause.measure", document=document.name, amount=f"{amount:,}", measure=measure, money=wan)
            price = PRICES["measure"] + (_GUESSED if measure == "亿元" else 0)
            yield Cause("measure", amount - wan, said, price, shown=abs(amount) >= _SURELY_YUAN)


def _recoveries(books: Books, key: Key, documents: tuple[Document, ...]) -> Iterator[Cause]:
    """A recovery that the documents state and the ledger does not net; or one that the ledger knows of this unit."""
    once = {(document.name, document.amount): document.netted for document in documents}
    stated = sum(once.values())  # what stands there twice is netted once
    if stated and (more := stated - books.netted(key)):
        said = say("cause.stated" if more > 0 else "cause.netted_less", money=abs(more))
        yield Cause("recovery", -more, said, PRICES["recovery"], shown=True)
    for money, what in books.recovered(key[0]).items():
        said = say("cause.recovery", money=money, what=what)
        for sign in (1, -1):
            yield Cause("recovery", sign * money, said, PRICES["recovery"] + _GUESSED)


def _firms(books: Books, key: Key, money: int) -> Iterator[Cause]:
    """A whole number of firms, no more than are missing or could be new."""
    for each, approved in books.each(key).items():
        count = money // each if money % each == 0 else 0
        if count and -approved <= count <= max(_MOST_NEW, approved):
            said = say("cause.firms", firms=abs(count), each=each)
            yield Cause("firms", money, said, PRICES["firms"] + _A_FIRM * abs(count))


def documents_of(transfers: pd.DataFrame) -> Documents:
    """The rows of a table of transfers by unit and year, in its order."""
    found: dict[Key, list[Document]] = {}
    for number, row in enumerate(transfers.itertuples(index=False)):
        key = str(row.code), int(str(row.fiscal_year))
        money = Document(number, str(row.document), int(str(row.amount)), int(str(row.netted)))
        found.setdefault(key, []).append(money)
    return {key: tuple(rows) for key, rows in found.items()}


def split(books: Books, transfers: pd.DataFrame) -> tuple[Documents, dict[Key, str]]:
    """The documents with provinces' rows that hold other units taken apart, and what is said of those.

    A unit inside is given what it is expected to have and no document of its own shows; the difference stays with the
    province.
    """
    documents, said = documents_of(transfers), dict[Key, str]()
    rows = transfers[transfers["includes"] != ""]
    for (code, year), some in rows.groupby(["code", "fiscal_year"]):
        key = str(code), int(str(year))
        for member in dict.fromkeys("、".join(some["includes"]).split("、")):
            inner = member, key[1]
            own = sum(document.amount for document in documents.get(inner, ()))
            if (money := books.expected(inner) - own) > 0:
                part = Document(None, str(some["document"].iloc[0]), money)
                documents[key] = (*documents[key], part._replace(amount=-money))
                documents[inner] = (*documents.get(inner, ()), part)
            said |= {one: say("cause.split", province=name_of(key), city=name_of(inner)) for one in (key, inner)}
    return documents, said
