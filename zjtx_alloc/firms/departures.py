"""Where a firm workbook departs from its inputs: results that are not what its stage computes, decisions without a reason.

A column is an input, a decision or a result (``data/firm_workbook.csv``). Beside a decision stand what its stage proposes
(``…_proposed``) and why it is otherwise (``…_reason``). Nothing is stored to compare with: a stage is computed again.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from zjtx_alloc.base.messages import say
from zjtx_alloc.facts.cells import plain
from zjtx_alloc.facts.layout import Heading
from zjtx_alloc.facts.problems import Problem
from zjtx_alloc.firms.book import FirmBook, firm_forms
from zjtx_alloc.rules.programme.records import Record, fault

_REASONS = {"left": "goes_on_reason"}  # decisions that share the reason of another, and have no proposal of their own
_BY_FIRM = ("firms", "yearly", "ending")  # sheets with a row a firm
_APART = 1e-6  # what a spreadsheet program may make of a number
_MOST_NAMED = 10  # cells in a sentence

Cells = Mapping[str, pd.DataFrame]  # by form: a row of the frame a row of Excel, columns by name


def decided(book: FirmBook, form: str, name: str, proposed: pd.Series) -> pd.DataFrame:
    """A decision's cells by row: what is proposed, and what holds: a person's word where it stands, else the proposal."""
    records = {record.row: record for record in book.entries[form].records}
    held = [_held(records.get(row), name, value) for row, value in proposed.items()]
    return pd.DataFrame({f"{name}_proposed": proposed, name: pd.Series(held, proposed.index, dtype=object)})


def _held(record: Record | None, name: str, proposed: Any) -> Any:
    """What a person wrote, or left blank with a reason; what a stage wrote follows it."""
    if record is None:
        return proposed
    before, held = record[f"{name}_proposed"], record[name]
    if held is None:
        return None if record[reason_of(name)] and before is not None else proposed
    return held if record[reason_of(name)] or not _same(held, before) else proposed


def reason_of(name: str) -> str:
    """The column in which the reason for a decision stands."""
    return _REASONS.get(name, f"{name}_reason")


@dataclass(frozen=True)
class _Entry:
    """A cell that a stage writes: its value as computed, and the record of the sheet that it belongs to."""

    form: str
    row: int
    name: str
    value: Any
    record: Record | None

    @property
    def held(self) -> Any:
        return None if self.record is None else self.record[self.name]

    @property
    def has_reason(self) -> bool:
        return self.record is not None and bool(self.record[reason_of(self.name)])

    @property
    def is_result(self) -> bool:
        return firm_forms()[self.form].fields[self.name].role == "result"


def _entries(book: FirmBook, cells: Cells) -> Iterator[_Entry]:
    """The results and decisions among the cells of a stage."""
    for form, frame in cells.items():
        records = {record.row: record for record in book.entries[form].records}
        for name in [str(name) for name in frame if firm_forms()[form].fields[str(name)].role != "input"]:
            for row, value in zip(frame.index.tolist(), frame[name].tolist(), strict=True):
                yield _Entry(form, row, name, value, records.get(row))


def unreasoned(book: FirmBook, cells: Cells) -> Iterator[Problem]:
    """The decisions of people that differ from what the stage of these cells proposes, without a reason."""
    for entry in _entries(book, cells):
        if f"{entry.name}_proposed" in cells[entry.form] and entry.held is not None and not entry.has_reason:
            proposed = cells[entry.form].at[entry.row, f"{entry.name}_proposed"]
            if _same(entry.held, entry.value) and not _same(entry.held, proposed):
                yield _problem(book, replace(entry, value=proposed), "unreasoned")


def differing(book: FirmBook, cells: Cells, stage: str) -> Iterator[Problem]:
    """The results that are not what a stage computes, the firms that have none of them, and decisions that are blank."""
    wrong, has_results = dict[tuple[str, int], list[_Entry]](), set[tuple[str, int]]()
    for entry in _entries(book, cells):
        if entry.is_result and entry.held is not None:
            has_results.add((entry.form, entry.row))
        is_proposed = entry.held is not None and f"{entry.name}_proposed" in cells[entry.form]  # which is compared
        is_settled = not entry.is_result and (is_proposed or entry.has_reason)
        if not is_settled and not _same(entry.held, entry.value):
            wrong.setdefault((entry.form, entry.row), []).append(entry)
    alone = {form for form, _ in wrong} == {"log"}  # else it repeats what the cells say
    for place, found in wrong.items():
        if place[0] in _BY_FIRM and place not in has_results:
            columns = list(firm_forms()[place[0]].fields)
            yield _problem(book, min(found, key=lambda entry: columns.index(entry.name)), "no_result", stage)
            continue
        for entry in found if place[0] != "log" or alone else ():
            yield _problem(book, entry, "other_result" if entry.is_result else "unreasoned", stage)


def overridden(book: FirmBook) -> list[str]:
    """A sentence on the decisions that differ from what was proposed, with their reasons; none if there are none."""
    found = [
        (form, record, name)
        for form in _BY_FIRM
        for name in firm_forms()[form].fields
        if f"{name}_proposed" in firm_forms()[form].fields
        for record in book.entries[form].records
        if record[name] is not None and record[reason_of(name)] and not _same(record[name], record[f"{name}_proposed"])
    ]
    cells = [
        say(
            "firm_book.overridden_cell", sheet=firm_forms()[form].title, row=record.row, column=book.header(form, name),
            value=_shown(form, name, record[name]), proposed=_shown(form, name, record[f"{name}_proposed"]),
            reason=record[reason_of(name)],
        )
        for form, record, name in found[:_MOST_NAMED]
    ]  # fmt: skip
    more = say("firms.and_more") if len(found) > _MOST_NAMED else ""
    return [say("firm_book.overridden", count=len(found), cells="；".join(cells) + more)] if found else []


def named(problems: list[Problem]) -> str:
    """The cells of problems, for a sentence."""
    cells = [say("firm_book.cell", sheet=one.sheet, row=one.row, column=one.column, value=one.value) for one in problems[:_MOST_NAMED]]  # fmt: skip
    return "、".join(cells) + (say("firms.and_more") if len(problems) > _MOST_NAMED else "")


def _problem(book: FirmBook, entry: _Entry, kind: str, stage: str = "") -> Problem:
    place, header = book.columns(entry.form).get(entry.name), book.header(entry.form, entry.name)
    label = header if place is None else Heading(place - 1, header).label
    expected, reason = _shown(entry.form, entry.name, entry.value), firm_forms()[entry.form].fields.get(reason_of(entry.name))  # fmt: skip
    details = {"expected": expected, "stage": stage and say(f"stage.{stage}"), "reason": reason and reason.header}
    return fault(book.grids[entry.form].name, entry.row, label, _shown(entry.form, entry.name, entry.held), kind, **details)  # fmt: skip


def _shown(form: str, name: str, value: Any) -> str:
    """A value as its cell shows it."""
    if _is_blank(value):
        return say("firm_book.blank_cell")
    choices = firm_forms()[form].fields[name].choices
    shown = next((text for text, code in choices.items() if code == value), value)
    return shown if isinstance(shown, str) else f"{float(shown):.10g}"


def _same(one: Any, other: Any) -> bool:
    if _is_blank(one) or _is_blank(other):
        return _is_blank(one) and _is_blank(other)
    if isinstance(one, str) or isinstance(other, str):
        return plain(one) == plain(other)
    return abs(float(one) - float(other)) <= _APART


def _is_blank(value: Any) -> bool:
    return value is None or value is pd.NaT or value == "" or (isinstance(value, float) and pd.isna(value))
