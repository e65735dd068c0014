"""From a sheet of a programme's workbook to its records, with every problem of headers and cells."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from zjtx_alloc.base.messages import is_said, say, words
from zjtx_alloc.base.text import shown
from zjtx_alloc.facts.cells import Wrong, amount, plain
from zjtx_alloc.facts.grid import Grid
from zjtx_alloc.facts.headed import Headed, best_headed
from zjtx_alloc.facts.layout import Heading, cell_at
from zjtx_alloc.facts.likeness import likeliest
from zjtx_alloc.facts.problems import Problem, problem
from zjtx_alloc.quota.problem.numbers import exactly
from zjtx_alloc.rules.programme.forms import Form
from zjtx_alloc.rules.programme.values import value_of

_LONGEST = 200  # characters of a value
_SUMMED = ("whole", "money", "transfer")  # kinds of columns that totals add up
_KEYS = {"batch", "code", "unit", "year"}  # a row where only these are filled is one to fill in


@dataclass(frozen=True)
class Record:
    """A row: the sheet, its number as Excel shows it, values by column (None: blank), the columns' labels."""

    sheet: str
    row: int
    values: dict[str, Any]
    labels: dict[str, str]

    def __getitem__(self, name: str) -> Any:
        return self.values.get(name)

    def problem(self, name: str, kind: str, value: Any = None, /, **details: object) -> Problem:
        """A problem of one of its cells; its value is shown if no other is given."""
        return fault(
            self.sheet, self.row, self.labels.get(name, ""), self[name] if value is None else value, kind, **details
        )


@dataclass(frozen=True)
class Entries:
    """What a sheet says: its records, the columns that it has, those that nobody reads, and what is wrong."""

    records: tuple[Record, ...]
    columns: tuple[str, ...]
    unread: tuple[str, ...]
    problems: tuple[Problem, ...]


def fault(sheet: str, row: int | None, column: str, value: object, kind: str, /, **details: object) -> Problem:
    """A problem of a kind that only a programme has (``[programme_wrong]``), or that any table may have (``[wrong]``)."""
    if not is_said(f"programme_wrong.{kind}"):
        return replace(problem(row, column, value, kind, **details), sheet=sheet)
    described = "" if value is None else shown(value, _LONGEST)
    what = say(f"programme_wrong.{kind}", **details)
    return Problem(row, column, described, what, say(f"programme_remedy.{kind}", **details), sheet)


def read_form(grid: Grid, form: Form) -> Entries:
    """Read a sheet: titles above its header, two rows of headers, totals, rows left blank, and what stands beside."""
    sheet = best_headed(grid, _codes(form))
    if sheet is None:
        fields = form.fields.values()
        needed = "、".join(field.header for field in [f for f in fields if f.needed] or fields)
        return Entries((), (), (), (fault(grid.name, None, "", None, "no_sheet_header", needed=needed),))
    columns, problems = sheet.columns, [*_header_problems(sheet, form)]
    labels = {name: heading.label for name, heading in columns.items()}
    labels = {"code": labels["unit"], **labels} if "unit" in labels else labels
    records, totals, summed = list[Record](), list[tuple[int, list[Any]]](), frozenset(words("totals"))
    for number, row in grid.rows.items():
        cells = {name: cell_at(row, heading.place) for name, heading in columns.items()}
        filled = {name for name, cell in cells.items() if plain(cell) != ""}
        is_blank = not filled - _KEYS
        if number <= sheet.row or (is_blank and len(filled) < 2):  # one cell alone is a remark under the table
            continue
        if any(isinstance(cell, str) and plain(cell) in summed for cell in row):
            totals.append((number, row))
            continue
        values = _values(cells, form)
        record = Record(grid.name, number, {n: v for n, v in values.items() if not isinstance(v, Wrong)}, labels)
        problems += _cell_problems(record, cells, values, form, is_blank)
        records += [] if is_blank else [record]
    for total in totals:
        problems += _total_problems(grid.name, total, columns, form, records)
    unread = tuple(heading.label for heading in sheet.unread)
    return Entries(tuple(records), tuple(columns), unread, tuple(problems))


def rows_by(grid: Grid, form: Form, keys: tuple[str, ...]) -> dict[tuple[Any, ...], int]:
    """Excel rows of a sheet by the values of some columns, rows still to be filled in too."""
    found = dict[int, tuple[Any, ...]]()
    if (sheet := best_headed(grid, _codes(form))) is None:
        return {}
    for number, row in sheet.body.items():
        values = _values({name: sheet.cell(row, name) for name in sheet.columns}, form)
        found[number] = tuple(values.get(key) for key in keys)
    return {key: number for number, key in reversed(found.items())}


def _values(cells: Mapping[str, Any], form: Form) -> dict[str, Any]:
    """What the cells of a row hold; its unit may be named by code or by name, in the column of codes or that of names."""
    values = {name: value_of(cell, form.fields[name]) for name, cell in cells.items()}
    if "code" in form.fields and "unit" in cells:
        named = value_of(cells["unit"], form.fields["code"])
        if values.get("code") is None:
            values |= {"unit": named} if isinstance(named, Wrong) else {"code": named}
        elif (
            not isinstance(values["code"], Wrong | None)
            and not isinstance(named, Wrong | None)
            and named != values["code"]
        ):
            values["unit"] = Wrong("units_differ")
    return values


def _codes(form: Form) -> dict[str, str]:
    """Names of the columns by every word for them; the first of two with the same has it."""
    return {word: name for name, field in reversed([*form.fields.items()]) for word in reversed(field.words)}


def _header_problems(sheet: Headed, form: Form) -> Iterator[Problem]:
    where, first = (sheet.grid.name, sheet.row), sheet.columns
    for name, heading in sheet.known:
        if first[name] != heading:
            yield fault(*where, heading.label, heading.text, "header_twice", first=first[name].label)
        if form.fields[name].kind in ("money", "transfer") and (measure := sheet.other_measure(heading, "万元")):
            yield fault(*where, heading.label, measure, "measure", measure="万元")
    for name, field in form.fields.items():
        if field.needed and name not in first and not (name == "code" and "unit" in first):
            yield fault(*where, "", None, "no_sheet_column", header=field.header)
    others = {word: field.header for name, field in form.fields.items() if name not in first for word in field.words}
    for heading in sheet.unread:
        if near := likeliest(heading.name, others):
            yield fault(*where, heading.label, heading.text, "misspelt", known=others[near])


def _cell_problems(
    record: Record, cells: dict[str, Any], values: dict[str, Any], form: Form, is_blank: bool
) -> Iterator[Problem]:
    for name, field in form.fields.items():
        value = values.get(name)
        if isinstance(value, Wrong):
            yield record.problem(name, value.kind, cells[name], **value.details)
        elif (
            field.needed
            and value is None
            and name in record.labels
            and not is_blank
            and not isinstance(values.get("unit"), Wrong)
        ):
            yield record.problem(name, "needed", cells.get(name))


def _total_problems(
    sheet: str, total: tuple[int, list[Any]], columns: dict[str, Heading], form: Form, records: list[Record]
) -> Iterator[Problem]:
    """Totals that are stated and differ from the sum of their rows."""
    number, row = total
    for name, heading in columns.items():
        stated = amount(cell_at(row, heading.place), "")
        made = (
            sum(exactly(record[name]) for record in records if record[name] is not None)
            if (form.fields[name].kind in _SUMMED)
            else None
        )
        if made is not None and not isinstance(stated, str) and stated != made:
            yield fault(sheet, number, heading.label, cell_at(row, heading.place), "total", sum=f"{float(made):.10g}")
