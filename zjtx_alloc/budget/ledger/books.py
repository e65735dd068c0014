"""What a ledger and a table of transfers say of units and years, side by side: the ground that differences are explained on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import NamedTuple

import pandas as pd

from zjtx_alloc.base.messages import say
from zjtx_alloc.base.units import load_units, members_of
from zjtx_alloc.budget.ledger.ledger import Ledger
from zjtx_alloc.rules.award import load_tails

Key = tuple[str, int]  # unit, fiscal year


class Document(NamedTuple):
    """What one row of a table transfers; ``row`` is blank where the table was taken apart."""

    row: int | None
    name: str
    amount: int
    netted: int = 0


@dataclass(frozen=True)
class Books:
    """What a ledger says of units and years, whole 万元; ``common`` is what all units have more than it says."""

    ledger: Ledger
    common: Mapping[Key, int] = field(default_factory=dict)

    @cached_property
    def _accounts(self) -> dict[str, dict[Key, int]]:
        return {flow: self.ledger.accounts[flow].to_dict() for flow in ("net", "due", "netted")}

    def expected(self, key: Key) -> int:
        """What is to be transferred: due less netted, and what is common to all."""
        return int(self._accounts["net"].get(key, 0)) + self.common.get(key, 0)

    def due(self, key: Key) -> int:
        """What falls due."""
        return int(self._accounts["due"].get(key, 0))

    def netted(self, key: Key) -> int:
        """What the ledger nets."""
        return int(self._accounts["netted"].get(key, 0))

    @cached_property
    def _netted_by(self) -> dict[str, dict[int, str]]:
        known: dict[str, dict[int, str]] = {}
        for row in self.ledger.adjustments.itertuples():
            known.setdefault(str(row.code), {})[int(str(row.recovered))] = str(row.document)
        return known

    def stated_recoveries(self, code: str) -> dict[int, str]:
        """Amounts that a document recovers from a unit, and which."""
        return self._netted_by.get(code, {})

    @cached_property
    def _booked(self) -> dict[str, dict[int, int]]:
        table = self.ledger.table
        found: dict[str, dict[int, int]] = {}
        for row in table[table["recovered"] > 0].itertuples():
            found.setdefault(str(row.code), {}).setdefault(int(str(row.recovered)), int(str(row.fiscal_year)))
        return found

    def booked_recoveries(self, key: Key) -> dict[int, int]:
        """Amounts that the ledger has recovered from a unit by this year, known or assumed, and their years."""
        code, now = key
        return {money: year for money, year in self._booked.get(code, {}).items() if year <= now}

    @cached_property
    def payments(self) -> dict[Key, dict[str, int]]:
        """What each cohort is paid, by unit and year."""
        found: dict[Key, dict[str, int]] = {}
        labels = {cohort.name: cohort.label for cohort in self.ledger.cohorts}
        for row in self.ledger.table[self.ledger.table["net"] > 0].itertuples():
            key = str(row.code), int(str(row.fiscal_year))
            found.setdefault(key, {})[labels.get(str(row.cohort), str(row.cohort))] = int(str(row.net))
        return found

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


@cache
def _short_names() -> dict[str, str]:
    return load_units()["short_name"].to_dict()


@cache
def inside(province: str) -> tuple[str, ...]:
    """The units that lie in a province beside itself."""
    return tuple(code for code in members_of(province) if code != province)


def name_of(key: Key) -> str:
    """The unit's short name."""
    return _short_names()[key[0]]


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
