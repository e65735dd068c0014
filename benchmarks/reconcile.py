"""Reconciliation on tables with planted errors: how many it names rightly, and how many causes it gives that are wrong.

Run with ``python benchmarks/reconcile.py [FILES] [SEED]``: files of each of seven kinds alone, then of five kinds at once. A file has
37 units, one or two years and one or two documents; the books have two batches and recoveries of other schemes. An error is
named where the candidates for its unit and year hold its cause: alone, or among several that explain the difference to
the 万元. A cause is wrong where no candidate is what was planted, or where nothing was; that a unit without a document has none
(``absent``) is a fact and not counted. Five errors lie in different units and years
but for a common rate, which holds in all units, or in those of a region.
"""

import sys
from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

import zjtx_alloc as za
from zjtx_alloc.base.units import load_units

HEAD = ["代码", "年度", "文号", "金额（万元）", "扣回（万元）"]
YEARS = (2024, 2025)
WHAT = ("planted", "named", "alone")
Key = tuple[str, int]


def random_books(random: np.random.Generator) -> za.Ledger:
    """Two batches in the 37 units, and recoveries of other schemes that some of them have netted in the first year."""
    codes = load_units().index
    batches = tuple(
        za.Cohort(str(number + 1), pd.Series(random.integers(1, 111, 37), codes), year, year + 3)
        for number, year in enumerate(YEARS)
    )
    rows = [(code, 2024, "清算", int(random.integers(5, 250))) for code in random.choice(codes, 6, replace=False)]
    netted = pd.DataFrame(rows, columns=["code", "fiscal_year", "document", "recovered"])
    return za.ledger(batches, za.load_award("caijian-2024-148"), netted)


@dataclass
class Table:
    """What the books expect, as documents by unit and year, and the errors planted in it: cause by unit and year."""

    random: np.random.Generator
    rows: dict[Key, list[tuple[str, int, int]]]
    planted: dict[Key, set[str]] = field(default_factory=dict)
    common: dict[Key, str] = field(default_factory=dict)

    def key(self, year: int | None = None) -> Key:
        """A unit and year in which nothing was planted."""
        free = [key for key in self.rows if key not in self.planted and year in (None, key[1])]
        return free[int(self.random.integers(len(free)))]

    def plant(self, cause: str, *keys: Key) -> None:
        for key in keys:
            self.planted.setdefault(key, set()).add(cause)

    def true(self) -> dict[Key, set[str]]:
        """The causes by unit and year; a common one shows where there is a document."""
        common = {key: {cause} for key, cause in self.common.items() if self.rows[key]}
        return {key: self.planted.get(key, set()) | common.get(key, set()) for key in {*self.planted, *common}}

    def frame(self) -> pd.DataFrame:
        rows = [(code, year, *row) for (code, year), found in self.rows.items() for row in found]
        return pd.DataFrame(rows, columns=HEAD)

    def change(self, key: Key, amount: int) -> None:
        """Change the amount of the last document."""
        name, _, netted = self.rows[key][-1]
        self.rows[key][-1] = name, amount, netted


def random_table(books: za.Ledger, random: np.random.Generator) -> Table:
    years = YEARS if random.random() < 0.5 else (YEARS[int(random.integers(2))],)
    early = 0.4 if random.random() < 0.3 else 0.0
    rows: dict[Key, list[tuple[str, int, int]]] = {}
    for (code, year), account in books.accounts.iterrows():
        if year in years and account["net"]:
            first = int(account["net"] * early)
            parts = [(f"{year}提前", first, 0)] if first else []
            rows[code, year] = [*parts, (f"{year}文", int(account["net"] - first), int(account["netted"]))]
    return Table(random, rows)


def exchanged(table: Table) -> None:
    """Two units exchanged."""
    first = table.key()
    table.planted[first] = set()
    second = table.key(first[1])
    while table.rows[second] == table.rows[first]:
        second = table.key(first[1])
    table.rows[first], table.rows[second] = table.rows[second], table.rows[first]
    table.plant("exchanged", first, second)


def duplicate(table: Table) -> None:
    """A row twice."""
    key = table.key()
    table.rows[key].append(table.rows[key][int(table.random.integers(len(table.rows[key])))])
    table.plant("duplicate", key)


def absent(table: Table) -> None:
    """A row missing."""
    key = table.key()
    table.rows[key].pop(int(table.random.integers(len(table.rows[key]))))
    table.plant("absent", key)


def rate(table: Table) -> None:
    """The same share withheld in a year from all units, or from those of a region."""
    year = table.key()[1]
    regions = load_units()["region"]
    region = "" if table.random.random() < 0.5 else str(table.random.choice(regions.unique()))
    share = int(table.random.integers(2, 41)) / 200
    for key in [key for key in table.rows if key[1] == year and region in ("", regions[key[0]])]:
        total = sum(row[1] for row in table.rows[key])
        table.change(key, table.rows[key][-1][1] - round(total * share))
        if round(total * share):
            table.common[key] = "rate"


def year(table: Table) -> None:
    """A row under another year."""
    code, was = table.key()
    other = was + int(table.random.choice([-1, 1]))
    while (code, other) in table.planted:
        code, was = table.key()
        other = was + int(table.random.choice([-1, 1]))
    row = table.rows[code, was].pop(int(table.random.integers(len(table.rows[code, was]))))
    table.rows.setdefault((code, other), []).append(row)
    table.plant("year", (code, was), (code, other))


def measure(table: Table) -> None:
    """元 for 万元."""
    key = table.key()
    table.change(key, table.rows[key][-1][1] * 10**4)
    table.plant("measure", key)


def digit(table: Table) -> None:
    """One digit of an amount."""
    key = table.key()
    was = str(table.rows[key][-1][1])
    place = int(table.random.integers(len(was)))
    digits = [one for one in "0123456789" if one != was[place] and (place or one != "0")]
    table.change(key, int(was[:place] + str(table.random.choice(digits)) + was[place + 1 :]))
    table.plant("digit", key)


KINDS = (exchanged, duplicate, absent, rate, year, measure, digit)


def tried(kinds: list, books: za.Ledger, random: np.random.Generator) -> tuple[Counter, list]:
    """Plant errors and reconcile: how many of each kind, how many are named, and as the one candidate; and wrong causes."""
    table = random_table(books, random)
    for kind in sorted(kinds, key=lambda kind: kind is not rate):
        kind(table)
    found, true = za.reconcile(books, table.frame())["cause"], table.true()
    ways = {
        key: [set(way.split("+")) for way in str(found.get(key, "")).split("/") if way] for key in {*found.index, *true}
    }
    counts = Counter()
    for kind in kinds:
        keys = [key for key, causes in true.items() if kind.__name__ in causes]
        is_named = all(true[key] in ways[key] for key in keys)
        counts[kind.__name__, "planted"] += 1
        counts[kind.__name__, "named"] += is_named
        counts[kind.__name__, "alone"] += is_named and all(len(ways[key]) == 1 for key in keys)
    stated = {key: [way for way in some if "unexplained" not in way] for key, some in ways.items()}
    wrong = [(key, true.get(key, set()), some) for key, some in stated.items() if some and true.get(key) not in some]
    wrong = [one for one in wrong if table.rows.get(one[0]) or one[2] != [{"absent"}]]
    return counts, wrong


def main(files: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    for planted in (1, 5):
        counts, wrong, books = Counter(), [], random_books(random)
        for number in range(files * (len(KINDS) if planted == 1 else 1)):
            books = books if number % 10 else random_books(random)
            kinds = [KINDS[number % len(KINDS)]] if planted == 1 else list(random.choice(KINDS, 5, replace=False))
            more, mistakes = tried(kinds, books, random)
            counts, wrong = counts + more, wrong + [(number, *one) for one in mistakes]
        print(f"{planted} planted: kind, errors, named, as the one candidate")
        for kind in (*(one.__name__ for one in KINDS), None):
            sums = [sum(n for (k, w), n in counts.items() if what == w and kind in (None, k)) for what in WHAT]
            print(f"  {kind or 'all':10} {sums[0]:5} {sums[1] / sums[0]:7.1%} {sums[2] / sums[0]:7.1%}")
        print(f"  units and years with a wrong cause: {len(wrong)}", *wrong[:12], sep="\n    ")


if __name__ == "__main__":
    main(*(int(text) for text in (sys.argv[1:] + ["100", "1"][len(sys.argv) - 1 :])))
