"""Tables of transfers with one or two errors planted in them: whether a reconciliation names the errors."""

from collections import Counter
from itertools import combinations

import numpy as np
import pandas as pd
import pytest

import zjtx_alloc as za
from zjtx_alloc.base.units import load_units
from zjtx_alloc.budget.ledger.reconcile import CAUSES

AWARD = za.load_award("caijian-2024-148")
HEAD = ["代码", "年度", "文号", "金额（万元）", "扣回（万元）"]
YEARS = (2024, 2025)
CODES = load_units().index.tolist()
PARENTS = {code: parent for code, parent in load_units()["parent"].items() if parent}


def random_books(random):
    """Two batches in 37 units, and recoveries of other schemes that some units have netted in the first year."""
    batches = [
        za.Cohort(str(number + 1), pd.Series(random.integers(1, 90, 37), pd.Index(CODES, name="code")), year, year + 3)
        for number, year in enumerate(YEARS)
    ]
    rows = [(code, 2024, "清算", int(random.integers(5, 250))) for code in random.choice(CODES, 6, replace=False)]
    return za.ledger(
        tuple(batches), AWARD, pd.DataFrame(rows, columns=["code", "fiscal_year", "document", "recovered"])
    )


class Table:
    """What the books expect, in one or two documents a unit and year, and the errors planted in it."""

    def __init__(self, books, random):
        self.books, self.random = books, random
        self.rows, self.truth = {}, {}
        for (code, year), account in books.accounts.iterrows():
            if year in YEARS and account["net"]:
                early = int(account["net"] * 0.4) if random.random() < 0.3 else 0
                parts = [("提前", early, 0)] if early else []
                self.rows[code, year] = [*parts, (f"{year}文", int(account["net"] - early), int(account["netted"]))]

    def key(self):
        """A unit and year in which nothing was planted."""
        while True:
            code, year = str(self.random.choice(CODES)), int(self.random.choice(YEARS))
            if (code, year) not in self.truth and (code, year) in self.rows:
                return code, year

    def change(self, key, amount, netted=0):
        """Change the last document of a unit and year."""
        name, money, off = self.rows[key][-1]
        self.rows[key][-1] = name, money + amount, off + netted

    def mark(self, cause, *keys):
        for key in keys:
            self.truth.setdefault(key, set()).add(cause)

    def frame(self):
        rows = [(code, year, *row) for (code, year), found in self.rows.items() for row in found]
        return pd.DataFrame(rows, columns=HEAD)


def duplicate(table, key):
    table.rows[key].append(table.rows[key][-1])


def measure(table, key):
    name, money, off = table.rows[key][-1]
    table.rows[key][-1] = name, money * 10**4, off


def older_round(table, key):
    assert key[1] == 2024
    table.rows[key].append(("财建〔2024〕142号", int(table.random.integers(150, 9000)), 0))


def recovery(table, key):
    """Netted as the document says, and unknown to the ledger."""
    money = int(table.random.integers(5, 250))
    table.change(key, -money, money)


def recovery_of_books(table, key):
    """Known to the ledger, and not netted."""
    name, money, off = table.rows[key][-1]
    table.rows[key][-1] = name, money + off, 0


def absent(table, key):
    table.rows[key] = []


def firms(table, key):
    count = int(table.random.choice([-3, -2, -1, 1, 2, 3]))
    table.change(key, 300 * count if table.rows[key][-1][1] + 300 * count > 0 else 300)


def unexplained(table, key):
    table.change(key, int(table.random.integers(1, 3000)) // 300 * 300 + int(table.random.integers(1, 299)))


def city(table, key):
    """The city's money stands in its province's row."""
    province = PARENTS[key[0]], key[1]
    table.change(province, sum(row[1] for row in table.rows[key]))
    table.rows[key] = []
    return province


def exchanged(table, key):
    other = table.key()
    while other[1] != key[1] or other == key:
        other = table.key()
    table.rows[key], table.rows[other] = table.rows[other], table.rows[key]
    return other


def unit(table, key):
    other = table.key()
    while other[1] != key[1] or other == key:
        other = table.key()
    table.rows[other].append((f"{table.rows[key][-1][0]}甲", *table.rows[key].pop()[1:]))
    return other


def year(table, key):
    other = key[0], sum(YEARS) - key[1]
    table.rows[other].append(table.rows[key].pop())
    return other


ERRORS = (
    duplicate,
    measure,
    older_round,
    recovery,
    recovery_of_books,
    absent,
    firms,
    unexplained,
    city,
    exchanged,
    unit,
    year,
)
# What can stand together in one unit and year, as it comes about: amounts, then their measure, then a second entry, then
# another place. Any amount is some firms and a rest: those two together are not to be told from a rest.
TOGETHER = (firms, recovery, unexplained, measure, duplicate, older_round)
PAIRS = [pair for pair in combinations(TOGETHER, 2) if pair != (firms, unexplained)]
# A number of firms that moved with its row is not to be told from a number of firms at both ends.
MOVED = [(recovery, place) for place in (city, exchanged, unit, year)] + [(duplicate, exchanged)]


def plant(table, error, key=None):
    """Plant an error, where it can be if no place is named."""
    key = key or free(table, error)
    other = error(table, key)
    table.mark(error.__name__.split("_of_")[0], key, *([other] if other else []))


def free(table, error):
    """A unit and year in which an error can be planted."""
    while not possible(table, error, key := table.key()):
        pass
    return key


def possible(table, error, key):
    inside = (PARENTS.get(key[0]), key[1])
    mirror = key[0], sum(YEARS) - key[1]
    return {
        older_round: key[1] == 2024,
        recovery_of_books: table.books.accounts.at[key, "netted"] > 0,
        city: inside in table.rows and inside not in table.truth,
        year: mirror in table.rows and mirror not in table.truth,
        # What is netted goes with its document, and to another unit it is another error.
        exchanged: key[1] == 2025,
        unit: key[1] == 2025,
    }.get(error, True)


def planted(tables, seed):
    """The errors of random tables and what was named: by cause, how many and how many rightly."""
    random = np.random.default_rng(seed)
    right, all_, wrong = Counter(), Counter(), []
    for number in range(tables):
        if number % 20 == 0:
            books = random_books(random)
        table = Table(books, random)
        kind, first = number // len(ERRORS) % 4, ERRORS[number % len(ERRORS)]
        if kind == 2:
            key = str(random.choice(CODES)), 2024
            for error in PAIRS[int(random.integers(len(PAIRS)))]:
                plant(table, error, key)
        elif kind == 3:
            one, place = MOVED[int(random.integers(len(MOVED)))]
            key = free(table, place)
            plant(table, one, (PARENTS[key[0]], key[1]) if place is city else key)
            plant(table, place, key)
        else:
            plant(table, first)
            if kind == 1:
                plant(table, ERRORS[int(random.integers(len(ERRORS)))])
        found = za.reconcile(books, table.frame())
        named = {key: ways_of(causes) for key, causes in found["cause"].items() if causes}
        for place, causes in table.truth.items():
            all_.update(causes)
            right.update(causes if causes in named.get(place, []) else ())
        if any(table.truth.get(key) not in ways for key, ways in named.items()) or set(named) < set(table.truth):
            wrong.append((number, table.truth, named))
    return right, all_, wrong


def ways_of(causes):
    """The candidates of a unit and year, each the causes that would hold together."""
    return [set(way.split("+")) for way in causes.split("/")]


def share(right, all_):
    return sum(right.values()) / sum(all_.values())


def test_planted_errors_are_named():
    right, all_, wrong = planted(12, seed=1)
    assert set(all_) == set(CAUSES) - {"rate", "instalment", "common_year", "digit"}
    assert share(right, all_) >= 0.95, wrong


@pytest.mark.thorough
def test_planted_errors_are_named_in_many_tables(capsys):
    tables = 240
    right, all_, wrong = planted(tables, seed=2)
    with capsys.disabled():
        print(f"\n{tables} tables, {sum(all_.values())} errors: {share(right, all_):.1%} named;", end=" ")
        print(f"{1 - len(wrong) / tables:.1%} of tables wholly;", {c: f"{right[c]}/{all_[c]}" for c in sorted(all_)})
    assert share(right, all_) >= 0.95
    assert len(wrong) <= 0.05 * tables
