"""What is known of a programme beside its rules: quotas granted, approvals, outcomes, transfers, ceilings, the day."""

import datetime
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pandas as pd

from zjtx_alloc.base.text import runs
from zjtx_alloc.base.units import load_units
from zjtx_alloc.facts.payments import COLUMNS as TRANSFERS
from zjtx_alloc.facts.problems import Problem
from zjtx_alloc.rules.programme.records import Entries, Record
from zjtx_alloc.rules.scenario import DEFAULT

APPROVALS = ("granted", "recommended", "approved", "certified")  # columns of 审核结果
ENDS = ("completed", "missed", "under_invested", "discontinued")  # columns of 期末结果
_SMALL_CEILING, _LARGE_CEILING = 1000, 10**7  # 万元 a year: below and above, the measure is another
_MOST_A_TRANSFER = 10**6  # 万元 to one unit


@dataclass(frozen=True, kw_only=True)
class Known:
    """What is known of one batch; None: nothing is."""

    #: granted, recommended, approved, certified: 下达名额, 推荐, 审核通过, 新认定 of the units for which they are
    #: filled in: index ``code``, int64 (Series or None).
    granted: pd.Series | None = None
    recommended: pd.Series | None = None  #: See ``granted``.
    approved: pd.Series | None = None  #: See ``granted``.
    certified: pd.Series | None = None  #: See ``granted``.
    #: 期末结果: index (code, year); columns completed, missed, under_invested, discontinued (firms, Int64) (DataFrame
    #: or None).
    outcomes: pd.DataFrame | None = None
    #: 可推荐企业数, as ``granted``; a unit that it does not name has no cap (Series or None).
    pool: pd.Series | None = None

    @property
    def is_approved(self) -> bool:
        """Whether the approvals of all units are known."""
        return self.approved is not None and len(self.approved) == len(load_units())

    @property
    def state(self) -> str:
        """How far the batch is: open (测算), approved (已批复), settled (已清算: every approved firm has an outcome)."""
        if self.approved is None or not self.is_approved:
            return "open"
        ends = 0 if self.outcomes is None else int(self.outcomes.sum().sum())
        return "settled" if ends and ends == self.approved.sum() else "approved"


@dataclass(frozen=True)
class Money:
    """What the sheet 预算 says."""

    ceilings: dict[int, int] = field(default_factory=dict)
    confidence: str = "0.9"
    outcomes: tuple[str, ...] = ()
    tails: int | None = None
    before: tuple[str, ...] = ()
    as_of: datetime.date | None = None


def known_of(batch: int, approvals: Iterable[Record], outcomes: Iterable[Record], pool: dict[str, int]) -> Known:
    """What is known of a batch."""
    mine = [record for record in approvals if record["batch"] == batch]
    columns: dict[str, Any] = {name: _series(name, mine) for name in APPROVALS}
    ends = [r for r in outcomes if r["batch"] == batch and r["code"] is not None and r["year"] is not None]
    frame = None
    if ends:
        index = pd.MultiIndex.from_tuples([(r["code"], r["year"]) for r in ends], names=["code", "year"])
        rows = [[r[name] for name in ENDS] for r in ends]
        frame = pd.DataFrame(rows, index=index, columns=list(ENDS)).astype("Int64").sort_index()
    return Known(**columns, outcomes=frame, pool=_counts("pool", pool))


def _series(name: str, records: list[Record]) -> pd.Series | None:
    return _counts(name, {r["code"]: r[name] for r in records if r["code"] is not None and r[name] is not None})


def _counts(name: str, found: dict[str, int]) -> pd.Series | None:
    if not found:
        return None
    codes = [code for code in load_units().index if code in found]
    return pd.Series([found[c] for c in codes], index=pd.Index(codes, name="code"), name=name, dtype="int64")


def complete_batches(approvals: Iterable[Record]) -> tuple[int, ...]:
    """The batches whose approvals are known of all units."""
    approvals = list(approvals)
    batches = sorted({record["batch"] for record in approvals if record["batch"] is not None})
    return tuple(batch for batch in batches if known_of(batch, approvals, (), {}).is_approved)


def pools_of(records: Iterable[Record], batch: int) -> dict[str, int]:
    """可推荐企业数 of a batch by unit: those of its own rows before those of all batches."""
    rows = [r for r in records if r["pool"] is not None and r["code"] not in (None, DEFAULT)]
    return {r["code"]: r["pool"] for of in (None, batch) for r in rows if r["batch"] == of}


def pool_problems(records: Iterable[Record]) -> Iterator[Problem]:
    """可推荐企业数 in rows of all batches where there are several: a count of firms is of one, as the next one has fewer.

    A row of 其他单位 has its own answer: such counts are written unit by unit.
    """
    pools = [r for r in records if r["pool"] is not None and r["code"] != DEFAULT]
    wrong = [record for record in pools if record["batch"] is None]
    if wrong:
        yield wrong[0].problem("batch", "pool_of_which", rows=runs(record.row for record in wrong))


def approval_problems(records: Iterable[Record], totals: Mapping[int, int]) -> list[Problem]:
    """Rows that come twice, and counts that cannot be: more than the batch's total, more approved than recommended or granted."""
    records = list(records)
    found = [*_twice(records, "batch", "code")]
    for record in records:
        chain = [(name, record[name]) for name in APPROVALS[:3] if record[name] is not None]
        total = totals.get(record["batch"])
        found += [
            record.problem(n, "above_total", total=total) for n, count in chain if total is not None and count > total
        ]
        for (more, most), (less, count) in pairwise(chain):
            if count > most:
                found.append(record.problem(less, "more_than", most=most, of=record.labels[more]))
    return found


def _twice(records: Iterable[Record], *keys: str) -> Iterator[Problem]:
    """Rows of the same keys as an earlier one."""
    seen: dict[tuple[Any, ...], int] = {}
    for record in records:
        key = tuple(record[name] for name in keys)
        if None not in key and seen.setdefault(key, record.row) != record.row:
            yield record.problem("code", "twice", first=seen[key])


def outcome_problems(records: Iterable[Record], approved: dict[int, pd.Series | None]) -> list[Problem]:
    """Rows that come twice, and units with more outcomes than approved firms."""
    records = list(records)
    found, sums = [*_twice(records, "batch", "code", "year")], dict[tuple[Any, Any], int]()
    for record in records:
        key = record["batch"], record["code"]
        whole = sums[key] = sums.get(key, 0) + sum(record[name] or 0 for name in ENDS)
        known = approved.get(record["batch"])
        if known is not None and record["code"] in known.index and whole > known[record["code"]]:
            found.append(record.problem(_first(record), "more_ends", whole, most=known[record["code"]]))
    return found


def _first(record: Record) -> str:
    return next((name for name in ENDS if record[name] is not None), "code")


def transfers_of(entries: Entries) -> pd.DataFrame | None:
    """Actual transfers as ``read_transfers`` gives them; None without any."""
    if not entries.records or entries.problems:
        return None
    rows = [
        # What is taken back in a row of its own is netted.
        {name: r[name] for name in TRANSFERS} | ({"netted": max(-r["amount"], 0)} if r["netted"] is None else {})
        for r in entries.records
    ]
    table = pd.DataFrame(rows, columns=list(TRANSFERS))
    return table.astype(dict.fromkeys(("fiscal_year", "amount", "netted"), "int64"))


def transfer_problems(records: Iterable[Record]) -> list[Problem]:
    """Amounts that are 元, and a document's row that comes twice: money taken back may have one beside."""
    found, seen = [], dict[tuple[Any, ...], int]()
    for record in records:
        money = record["amount"]
        key = (*(record[name] for name in ("code", "fiscal_year", "document")), money is not None and money < 0)
        if None not in key and seen.setdefault(key, record.row) != record.row:
            found.append(record.problem("code", "twice", first=seen[key]))
        if money is not None and abs(money) > _MOST_A_TRANSFER:
            found.append(record.problem("amount", "yuan", converted=f"{money / 10**4:,.10g}"))
    return found


def other_measure(ceiling: int) -> tuple[str, str] | None:
    """The measure that a year's ceiling seems to be in (yuan, hundred_million), and its amount in 万元; else None."""
    if ceiling > _LARGE_CEILING:
        return "yuan", f"{ceiling / 10**4:.10g}"
    return ("hundred_million", str(ceiling * 10**4)) if 0 < ceiling < _SMALL_CEILING else None


def money_of(entries: Entries) -> tuple[Money, list[Problem]]:
    """What the sheet 预算 says, and what is wrong: a year twice, a ceiling in 元, a column with two answers."""
    records, problems = entries.records, list[Problem]()
    ceilings: dict[int, int] = {}
    for record in (r for r in records if r["ceiling"] is not None):
        year, ceiling = record["year"], record["ceiling"]
        if year is None:
            problems.append(record.problem("year", "needed"))
        elif year in ceilings:
            problems.append(record.problem("year", "year_twice"))
        elif other := other_measure(ceiling):
            problems.append(record.problem("ceiling", other[0], converted=other[1]))
        else:
            ceilings[year] = ceiling
    once: dict[str, Any] = {}
    for name in ("confidence", "outcomes", "tails", "before", "as_of"):
        given = [r for r in records if r[name] is not None]
        problems += [r.problem(name, "one_answer", first=given[0].row) for r in given[1:] if r[name] != given[0][name]]
        once[name] = given[0][name] if given else None
    lists = {name: tuple(_listed(once[name] or "")) for name in ("outcomes", "before")}
    money = Money(
        ceilings, once["confidence"] or "0.9", lists["outcomes"], once["tails"], lists["before"], once["as_of"]
    )
    return money, problems


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.replace("，", "、").replace(",", "、").split("、") if part.strip()]
