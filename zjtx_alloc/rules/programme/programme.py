"""A programme (项目): batches with their scenarios, and what is known of them, read from one workbook."""

import datetime
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from zjtx_alloc.base.errors import DataError, ScenarioError
from zjtx_alloc.base.messages import say
from zjtx_alloc.base.units import plain
from zjtx_alloc.facts.cells import header_of
from zjtx_alloc.facts.grid import Grid, grids_of, read_sheets
from zjtx_alloc.facts.likeness import likeliest
from zjtx_alloc.facts.panel import Panel, load_panel
from zjtx_alloc.facts.problems import Problem, refusal
from zjtx_alloc.rules.check_table import pool_beyond_nation
from zjtx_alloc.rules.plausible import far_total
from zjtx_alloc.rules.programme.assembly import BatchRow, base_of, batch_scenario, default_base
from zjtx_alloc.rules.programme.factors import FactorSheet, read_factors, shown_columns
from zjtx_alloc.rules.programme.forms import FACTORS, forms
from zjtx_alloc.rules.programme.known import (
    Known,
    Money,
    approval_problems,
    complete_batches,
    known_of,
    money_of,
    outcome_problems,
    pool_problems,
    pools_of,
    transfer_problems,
    transfers_of,
)
from zjtx_alloc.rules.programme.notes import batch_notes, reading_notes, unread_notes
from zjtx_alloc.rules.programme.records import Entries, Record, fault, read_form
from zjtx_alloc.rules.programme.scenario_rows import in_words
from zjtx_alloc.rules.scenario import Scenario
from zjtx_alloc.rules.scenario_files import put_together
from zjtx_alloc.rules.scenario_ranges import range_notes

_SHIPPED_BATCHES = (1, 2, 3)
# Sheets that are wrong or right as a whole.
_SUMMED = tuple(forms()[name].title for name in ("weights", "coefficients"))
# Columns that only say what a row is of; 可推荐企业数 come with what is known of a batch.
_KEYS = {
    "weights": ("pool", "factor"), "coefficients": ("key",), "units": ("code", "unit", "pool"),
    "groups": ("name", "kind", "region", "units"), "settings": ("key", "note"),
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Batch(Known):
    """A batch of a programme, with what is known of it (the attributes of ``Known``)."""

    number: int
    scenario: Scenario
    moved: tuple[str, ...] = ()  #: What became of ranges whose number the workbook changed, in Chinese.

    @property
    def rounding_carried(self) -> bool:
        """取整结转: whether running totals follow running entitlements."""
        return self.scenario.carry_rounding

    @property
    def unused(self) -> str:
        """未用名额: lapse (作废), unit (本单位补回) or pool (统筹补回)."""
        return self.scenario.approval.unused

    @property
    def opening_year(self) -> int | None:
        """期初年度 where the workbook says another than the award has; else None."""
        return self.scenario.opening_year

    @property
    def closing_year(self) -> int | None:
        """期末年度 where the workbook says another than the award has; else None."""
        return self.scenario.closing_year


@dataclass(frozen=True)
class Programme:
    """A programme as its workbook says."""

    file: str  #: Name of the workbook.
    batches: tuple[Batch, ...]  #: In their order.
    panel: Panel  #: The facts, with the columns of 因素 that the user changed.
    #: Actual transfers: code, fiscal_year, document, amount, netted (whole 万元) (DataFrame or None).
    transfers: pd.DataFrame | None = None
    money: Money = field(default_factory=Money)  #: The sheet 预算.
    #: What was read and inherited, column by column where the user changed something, in Chinese.
    notes: tuple[str, ...] = ()
    doubts: tuple[Problem, ...] = ()  #: What looks wrong and may be right.
    unread: tuple[str, ...] = ()  #: Those of the notes that say what nobody reads.

    @property
    def ceilings(self) -> dict[int, int]:
        """Fiscal year to 限额 in whole 万元."""
        return self.money.ceilings

    @property
    def as_of(self) -> datetime.date | None:
        """测算基准日: what happened up to this day counts as known."""
        return self.money.as_of

    @property
    def current(self) -> Batch:
        """The earliest batch whose approvals are not all known; the last one if all are."""
        return next((batch for batch in self.batches if not batch.is_approved), self.batches[-1])

    def batch(self, number: int | None = None) -> Batch:
        """A batch by its number; the current one if none is named.

        Raises
        ------
        ScenarioError
            If there is none.
        """
        if number is None:
            return self.current
        found = [batch for batch in self.batches if batch.number == number]
        if not found:
            known = "、".join(str(batch.number) for batch in self.batches)
            raise ScenarioError(say("programme.no_batch", file=self.file, batch=number, known=known))
        return found[0]

    def notes_on(self, batch: Batch) -> tuple[str, ...]:
        """What was used of the workbook for a batch, and what was not and why."""
        return (*self.notes, *batch_notes(batch, self))


def load_programme(path: str | Path) -> Programme:
    """Read a programme from a workbook, as ``zjtx new`` writes it; any sheet may be left out.

    Raises
    ------
    DataError
        If the file is no workbook, or none of its sheets is one of a programme.
    TableError
        With every problem of all sheets at once: sheet, row, column, value, what is wrong, remedy.
    """
    path = Path(path)
    grids, others = _sheets(path)
    entries = {name: read_form(grid, forms()[name]) for name, grid in grids.items() if name != FACTORS}
    rows, problems = _batch_rows(path, entries)
    problems = [
        *(p for one in entries.values() for p in one.problems),
        *problems,
        *_strange_batches(entries, rows),
    ]
    money, wrong = money_of(entries["budget"]) if "budget" in entries else (Money(), [])
    problems += wrong
    known, wrong = _known(rows, entries)
    beyond, doubts = _wide_pools(known, entries)
    problems += beyond
    scenarios, wrong_batches = _scenarios(rows, entries, known)
    problems += _without_echoes(wrong, problems)
    problems += [*_without_echoes(wrong_batches, problems), *_misspelt_sheets(grids, others)]
    bases = dict.fromkeys(shown_columns(row.base for row in rows if row.base is not None), tuple[int, ...]())
    uses = {**bases, **shown_columns(scenarios.values())}
    factors = FactorSheet(load_panel())
    if FACTORS in grids:
        factors = read_factors(path.name, grids[FACTORS], factors.panel, uses)
    problems += factors.problems or _missing_facts(scenarios.values(), factors.panel, entries)
    transfers = transfers_of(entries["transfers"]) if "transfers" in entries else None
    if problems:
        raise refusal(path.name, "", _ordered(dict.fromkeys(problems), grids))
    put_together({f"{one.name}.toml": one for one in scenarios.values()}, path.parent)
    batches = tuple(_batch(row, scenarios[row.number], known[row.number]) for row in rows)
    columns = [f"{grids[name].name} {label}" for name, one in entries.items() for label in one.unread]
    unread = unread_notes(others, [*factors.unread, *columns])
    notes = (*reading_notes(grids, entries, rows), *unread, *factors.notes)
    doubts = [*factors.doubts, *_far_totals(rows), *doubts]
    return Programme(path.name, batches, factors.panel, transfers, money, notes, tuple(doubts), unread)


def is_programme(path: Path) -> bool:
    """Whether a file is a workbook with a sheet of a programme; who reads it says what else is wrong with it."""
    titles = {say("programme.factors"), *(form.title for form in forms().values())}
    try:
        return any(plain(grid.name) in titles for grid in read_sheets(path))
    except DataError:
        return False


def _sheets(path: Path) -> tuple[dict[str, Grid], list[str]]:
    """The sheets of the workbook that a programme has, by name, and the titles of the others."""
    _, grids = grids_of(path, "")
    titles = {say("programme.factors"): FACTORS} | {form.title: name for name, form in forms().items()}
    known = {titles[plain(grid.name)]: grid for grid in grids if plain(grid.name) in titles}
    if not known:
        raise DataError(say("programme.no_sheet", file=path.name, known="、".join(titles)))
    return known, [grid.name for grid in grids if plain(grid.name) not in titles]


def _misspelt_sheets(grids: Mapping[str, Grid], others: Iterable[str]) -> list[Problem]:
    absent = [form.title for name, form in forms().items() if name not in grids]
    absent += [] if FACTORS in grids else [say("programme.factors")]
    near = {title: likeliest(header_of(title)[0], absent) for title in others}
    return [fault(title, None, "", title, "misspelt_sheet", known=known) for title, known in near.items() if known]


def _without_echoes(found: Iterable[Problem], cells: Sequence[Problem]) -> list[Problem]:
    """Problems of rows and sums, but for those that only follow from a cell that could not be read."""
    rows, sheets = {(p.sheet, p.row) for p in cells}, {p.sheet for p in cells if plain(p.sheet) in _SUMMED}
    of = {plain(p.sheet) for p in cells}  # what is said of a sheet as a whole follows from its cells
    return [
        p
        for p in found
        if (p.sheet, p.row) not in rows and p.sheet not in sheets and (p.row is not None or p.sheet not in of)
    ]


def _ordered(problems: Iterable[Problem], grids: Mapping[str, Grid]) -> list[Problem]:
    order = [say("programme.factors"), *(form.title for form in forms().values())]
    return sorted(problems, key=lambda p: order.index(plain(p.sheet)) if plain(p.sheet) in order else -1)


def _batch_rows(path: Path, entries: Mapping[str, Entries]) -> tuple[list[BatchRow], list[Problem]]:
    """The batches that the workbook has; the shipped ones if it has no sheet of them."""
    if "batches" not in entries:
        return [BatchRow(n, _name(path, n, None), None, default_base(n)) for n in _SHIPPED_BATCHES], []
    rows, problems, seen = list[BatchRow](), list[Problem](), dict[int, Record]()
    for record in entries["batches"].records:
        number = record["batch"]
        if number is None:
            continue
        if number in seen:
            problems.append(record.problem("batch", "twice", first=seen[number].row))
            continue
        seen[number] = record
        base = base_of(record, "base" in entries["batches"].columns)
        if isinstance(base, Problem):
            problems.append(base)
            base = None
        rows.append(BatchRow(number, _name(path, number, record["name"]), record, base))
    if not seen and not entries["batches"].problems:
        problems.append(fault(forms()["batches"].title, None, "", None, "no_batches"))
    rows += [
        BatchRow(
            n, _name(path, n, None), None, base, min((row for row in seen.items() if row[0] > n), default=(n, None))[1]
        )
        for n in (complete_batches(entries["approvals"].records) if "approvals" in entries else ())
        if n not in seen and (base := default_base(n)) is not None
    ]
    return sorted(rows, key=lambda row: row.number), problems


def _name(path: Path, number: int, given: str | None) -> str:
    return given or say("programme.scenario_name", stem=path.stem, batch=number)


def _strange_batches(entries: Mapping[str, Entries], rows: Sequence[BatchRow]) -> list[Problem]:
    """Rows of batches that the sheet 批次 does not have: beyond its last one, or results that are not complete.

    Rules of a batch that is not computed any more are left aside, which a note says.
    """
    known, found = {row.number for row in rows}, list[Problem]()
    listed, last = "、".join(map(str, sorted(known))), max(*known, *_SHIPPED_BATCHES)
    for name, one in entries.items() if known else ():
        others = [r for r in one.records if name not in ("batches", "settings") and r["batch"] not in (None, *known)]
        found += [r.problem("batch", "no_such_batch", known=listed) for r in others if r["batch"] > last]
        if name in ("approvals", "outcomes") and not one.problems:
            first = {r["batch"]: r for r in reversed(others) if r["batch"] <= last}
            found += [r.problem("batch", "results_alone") for r in first.values()]
    return found


def _missing_facts(scenarios: Iterable[Scenario], panel: Panel, entries: Mapping[str, Entries]) -> list[Problem]:
    """Factors of the sheet 权重 whose period some units have no figure of."""
    rows = entries["weights"].records if "weights" in entries else ()
    records = {r["factor"]: r for r in rows} | {(r["factor"], r["period"]): r for r in rows}
    found = []
    for column in dict.fromkeys((code, line.period) for one in scenarios for code, line in one.indicators()):
        record = records.get(column) or records.get(column[0])
        if record is None:
            continue
        try:
            panel.column(*column)
        except DataError as error:
            what, _, remedy = in_words(str(error)).partition("；")
            found.append(record.problem("period", "as_said", what=what, remedy=remedy))
    return found


def _without_effect(
    entries: Mapping[str, Entries], used: Iterable[Record], problems: Iterable[Problem]
) -> list[Problem]:
    """Rows for all batches of which no batch uses a cell, since each has a row of its own; a row that is wrong is not one."""
    rows, found = {(r.sheet, r.row) for r in used} | {(p.sheet, p.row) for p in problems}, list[Problem]()
    for sheet, keys in _KEYS.items():
        for record in entries[sheet].records if sheet in entries else ():
            if sheet == "units" and record["pool"] is not None:
                continue  # it caps the batch that is being computed
            said = [name for name, value in record.values.items() if value is not None and name not in keys]
            if record["batch"] is None and said and (record.sheet, record.row) not in rows:
                found.append(record.problem("batch", "without_effect"))
    return found


def _known(rows: Sequence[BatchRow], entries: Mapping[str, Entries]) -> tuple[dict[int, Known], list[Problem]]:
    """What is known of each batch, and what cannot be."""
    approvals, outcomes, units = (
        entries[name].records if name in entries else () for name in ("approvals", "outcomes", "units")
    )
    found = {row.number: known_of(row.number, approvals, outcomes, pools_of(units, row.number)) for row in rows}
    totals = {row.number: row.row["total"] for row in rows if row.row is not None and row.row["total"] is not None}
    problems = approval_problems(approvals, totals)
    problems += outcome_problems(outcomes, {n: known.approved for n, known in found.items()})
    problems += transfer_problems(entries["transfers"].records) if "transfers" in entries else []
    problems += pool_problems(units) if len(rows) > 1 else []
    return found, problems


def _wide_pools(known: Mapping[int, Known], entries: Mapping[str, Entries]) -> tuple[list[Problem], list[Problem]]:
    """可推荐企业数 of a batch that are in all far above what the nation has in force: mistakes; those only above it: doubts."""
    far, near = list[Problem](), list[Problem]()
    for number, one in known.items():
        total = 0 if one.pool is None else int(one.pool.sum())
        if (beyond := pool_beyond_nation(load_panel(), total)) is None:
            continue
        first = next(r for r in entries["units"].records if r["pool"] is not None and r["batch"] in (number, None))
        (far if beyond[0] else near).append(first.problem("pool", "pool_beyond", total, batch=number, **beyond[1]))
    return far, near


def _far_totals(rows: Sequence[BatchRow]) -> Iterator[Problem]:
    """Totals that are several times the shipped one of their batch, or a small part of it."""
    for row in rows:
        shipped = default_base(row.number)
        total = None if row.row is None else row.row["total"]
        if shipped and total and row.row and (said := far_total(total, shipped.total)):
            yield row.row.problem("total", "far_total", **said)


def _scenarios(
    rows: Sequence[BatchRow], entries: Mapping[str, Entries], known: Mapping[int, Known]
) -> tuple[dict[int, Scenario], list[Problem]]:
    names = {row.number: row.name for row in rows}
    found, problems, used = dict[int, Scenario](), list[Problem](), list[Record]()
    for row in rows:
        one, before = known[row.number], known.get(row.number - 1)
        told = ("granted", _table(one.granted)), ("approved", _table(one.approved)), ("outcomes", _ends(one.outcomes))
        facts: dict[str, dict[str, Any]] = {
            "eligible_pool": _table(one.pool), "certified": _table(before and before.certified),
            "known": {name: table for name, table in told if table},
        }  # fmt: skip
        scenario, wrong, records = batch_scenario(row, entries, names, facts)
        problems += wrong
        used += records
        if scenario is not None:
            found[row.number] = scenario
    return found, [*problems, *(_without_effect(entries, used, problems) if rows else [])]


def _table(counts: pd.Series | None) -> dict[str, int]:
    return {} if counts is None else {str(code): int(count) for code, count in counts.items()}


def _ends(outcomes: pd.DataFrame | None) -> dict[str, dict[str, dict[str, int]]]:
    """期末结果 by unit and year, without what is blank."""
    found: dict[str, dict[str, dict[str, int]]] = {}
    for (code, year), row in () if outcomes is None else outcomes.iterrows():
        found.setdefault(str(code), {})[str(year)] = {str(name): int(firms) for name, firms in row.dropna().items()}
    return found


def _batch(row: BatchRow, scenario: Scenario, known: Known) -> Batch:
    before = () if row.base is None else range_notes(row.base.assumptions)
    moved = tuple(note for note in range_notes(scenario.assumptions) if note not in before)
    return Batch(**vars(known), number=row.number, scenario=scenario, moved=moved)
