"""Changes of plans in a firm workbook (计划调整, 三（五）): checked one by one, in force from the day on which they were agreed to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import pandas as pd

from zjtx_alloc.base.errors import DataError
from zjtx_alloc.base.messages import header, say
from zjtx_alloc.base.text import shown
from zjtx_alloc.firms.book import FirmBook, firm_forms
from zjtx_alloc.firms.steps.changes import check_change
from zjtx_alloc.firms.table.columns import TARGETS, as_read, firm_columns
from zjtx_alloc.firms.table.roll import Firms
from zjtx_alloc.rules.programme.records import Record

_CHANGED = ("planned_investment", *TARGETS.values())


@dataclass(frozen=True)
class ChangedPlans:
    """A workbook on a day."""

    book: FirmBook  #: With the plans that are in force on the day.
    findings: pd.Series  #: What is to be said of each change, index: row of the sheet 计划调整 (Series of str).
    #: A row a cell changed, as people read it: firm, column, before, after, reason, day agreed, finding.
    table: pd.DataFrame

    @property
    def notes(self) -> tuple[str, ...]:
        """How many changes are in force; blank if there are none."""
        if self.findings.empty:
            return ()
        held = int(self.findings.eq(say("plan_change.in_force")).sum())
        return (say("plan_change.count", count=len(self.findings), held=held),)


def plans_on(book: FirmBook, day: date | None) -> ChangedPlans:
    """The workbook with the changes of plans that were agreed to by a day (all agreed to, if no day is given).

    Each change is compared with the plan as it stands by then: neither investment nor targets may fall.

    Raises
    ------
    DataError
        If a change is of a firm that is not in 企业.
    """
    firms, findings, lines = book.firms, dict[int, str](), list[dict[str, str]]()
    for record in sorted(book.entries["changes"].records, key=lambda r: (str(r["agreed"] or "9999"), r.row)):
        now = firms.only(firms.table.index[firms.table["credit_code"].eq(record["credit_code"])])
        if not len(now):
            sheet = firm_forms()["changes"].title
            raise DataError(say("plan_change.nobody", sheet=sheet, row=record.row, code=shown(record["credit_code"])))
        then = replace(now, table=now.table.assign(**{c: record[c] for c in _CHANGED if record[c] is not None}))
        findings[record.row] = finding = _finding(now, then, record, day)
        lines += _lines(book, now, then, record, finding)
        if finding == say("plan_change.in_force"):
            firms = replace(firms, table=_with_rows(firms.table, then.table))
    told = pd.Series(findings, dtype=object, name="finding").sort_index()
    return ChangedPlans(replace(book, firms=firms), told, changes_of(lines))


def changes_of(lines: Sequence[Mapping[str, str]]) -> pd.DataFrame:
    """Lines as people read them."""
    fields = firm_forms()["changes"].fields
    columns = [firm_columns()["name"].title, *map(header, ("plan_item", "before", "after"))]
    return pd.DataFrame(lines, columns=[*columns, *(fields[name].header for name in ("reason", "agreed", "finding"))])


def _finding(now: Firms, then: Firms, record: Record, day: date | None) -> str:
    wrong = check_change(now, then)
    if len(wrong):
        what = wrong[header("column")] + say("firm_book.colon") + wrong[header("problem")]
        return say("plan_change.refused", what="；".join(what))
    agreed = record["agreed"] is not None and (day is None or pd.Timestamp(record["agreed"]).date() <= day)
    return say("plan_change.in_force" if agreed else "plan_change.pending")


def _lines(book: FirmBook, now: Firms, then: Firms, record: Record, finding: str) -> list[dict[str, str]]:
    """A line for each cell that the change fills in."""
    rest = {book.header("changes", name): str(record[name] or "") for name in ("reason", "agreed")}
    return [
        {
            firm_columns()["name"].title: now.table["name"].iloc[0],
            header("plan_item"): firm_columns()[column].title,
            header("before"): _read(now, column),
            header("after"): _read(then, column),
            **rest,
            book.header("changes", "finding"): finding,
        }
        for column in _CHANGED
        if record[column] is not None
    ]


def _read(firms: Firms, column: str) -> str:
    return as_read(column, firms.table[column].iloc[0]) if column in firms.table else ""


def _with_rows(table: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """The table with these rows in place of its own."""
    changed: dict[str, Any] = {name: table.get(name, "") for name in rows}
    table = table.assign(**changed)
    table.loc[rows.index, list(rows)] = rows
    return table
