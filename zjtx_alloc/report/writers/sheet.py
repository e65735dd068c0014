"""A sheet of a workbook as data: named columns, rows of cells, formulas that name columns; written by ``xlsx``.

In a formula ``[quota]`` is the cell of the column ``quota`` in the same row, ``[$quota]`` the same with its letter fixed.
After a colon stands another place of that column: ``[quota:rows]`` its data, ``[quota:$rows]`` the same fixed,
``[quota:4-40]`` rows as Excel counts them, fixed, ``[quota:7]`` one row, ``[quota:head]`` its header, ``[quota:total]`` the
first row of totals, ``[quota:above]`` from the header to the row before. Other sheets are reached by ``Sheet.range`` and
``Sheet.cell``, single cells by their names. Letters are computed here alone.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pandas as pd

from zjtx_alloc.base.messages import say
from zjtx_alloc.facts.grid import column_letters
from zjtx_alloc.report.table import FORMATS, Table, described, shown

FIRST_ROW = 4  # of data, as Excel counts: heading, note and header stand above
_WIDEST = 40  # characters
_LONG_TABLE = 25  # rows
_LONGEST_ON_A_PAGE = 100  # lines
_FIXED_COLUMNS = 2
_WORDS = re.compile(r"[!-.0-~]*/+|[!-.0-~]+|.")
_SUMMED = ("count", "money", "places", "difference", "step")
_NONE: Mapping[str, str] = {}


@dataclass(frozen=True)
class Cell:
    """A cell that is more than a text or a number of its column's kind."""

    value: str | float | None  # of a formula: what it comes to here; the file shows it before any program recalculates
    formula: str = ""  # without =
    kind: str = ""  # a key of ``FORMATS`` or of the further styles of ``xlsx``; blank: text, or as its column
    name: str = ""  # by which formulas of the workbook refer to it
    is_input: bool = False  # users may change it
    key: tuple[str, ...] = ()  # which number of a scenario an input is, for whoever reads the workbook back


Content = Cell | str | float | None
Row = Mapping[str, Content]


def cell_of(content: Content) -> Cell:
    """What stands in a row, as a cell."""
    return content if isinstance(content, Cell) else Cell(content)


def number_of(content: Content) -> float:
    """The number that a cell shows."""
    value = cell_of(content).value
    assert isinstance(value, int | float), f"no number: {value!r}"
    return value


@dataclass(frozen=True)
class Column:
    """A column of a sheet."""

    header: str | int  # a fiscal year is a number, so that formulas can compare it
    kind: str  # how its cells are written, unless they say so themselves
    width: float = 12  # characters
    look: str = "header"  # the style of its header
    is_helper: bool = False  # narrow, grouped and not shown
    rule: Mapping[str, Any] = field(
        default_factory=dict
    )  # what users may enter, as xlsxwriter's data validation has it
    name: str = ""  # by which formulas of the workbook refer to its data


def known_columns(**widths: float) -> dict[str, Column]:
    """Columns by their names in ``data/columns.csv``, each so many characters wide."""
    known = {name: described(name) for name in widths}
    return {name: Column(column.header, column.kind, widths[name]) for name, column in known.items()}


@dataclass(frozen=True)
class Page:
    """How a sheet is laid out and printed; heights in points (None: as their texts need, of a form as the program likes)."""

    landscape: bool = True
    pages: int = 0  # how many it is high; 0: as many as it needs
    heading: float | None = None
    header: float | None = None
    row: float | None = None
    is_form: bool = False  # printed as users set it: default margins, no footer, headers not repeated
    wide: int = 1  # pages; from the second on the frozen columns are repeated


@dataclass(frozen=True)
class Sheet:
    """A sheet from top to bottom; the columns missing in a row are blank."""

    title: str  # also the name of the sheet
    columns: Mapping[str, Column]  # in their order; formulas and rows know a column by its name
    rows: Sequence[Row]
    totals: Sequence[Row] = ()  # drawn bold
    check: Row = field(default_factory=dict)  # formulas that are zero, else something is wrong
    heading: str = ""  # blank: the workbook's heading and the title
    note: str = ""  # between heading and headers
    steps: Sequence[str] = ()  # what to do, a line each under the heading
    notes: Sequence[str] = ()  # under the table
    frozen: int | None = 2  # columns that stay in sight with the headers; None: nothing does
    is_filtered: bool = False
    spare: int = 0  # rows to fill in, below the data
    page: Page = Page()

    def __post_init__(self) -> None:
        unknown = {name for row in (*self.rows, *self.totals, self.check) for name in row} - set(self.columns)
        if unknown:
            raise ValueError(f"{self.title}: no column is named {', '.join(sorted(unknown))}")

    @property
    def first(self) -> int:
        """Excel's number of the first row of data."""
        return FIRST_ROW + len(self.steps)

    @property
    def last(self) -> int:
        """Excel's number of the last row of data."""
        return self.first + len(self.rows) - 1

    def range(self, column: str, first: int = 0, last: int = 0) -> str:
        """The data of one column, or some of its rows, for formulas of other sheets and charts."""
        return f"'{self.title}'!{self._fixed(column, first or self.first, last or self.last)}"

    def sum_of(self, column: str, **where: str) -> str:
        """The sum of a column over the rows in which others are as said, for formulas of other sheets."""
        tests = "".join(f",{self.range(name)},{test}" for name, test in where.items())
        return f"SUMIFS({self.range(column)}{tests})"

    def cell(self, column: str, row: int) -> str:
        """One cell, for formulas of other sheets."""
        return f"'{self.title}'!{self._letters[column]}{row}"

    def across(self, columns: Sequence[str]) -> tuple[str, str]:
        """The headers of neighbouring columns and their totals, for a chart."""
        left, right = self._letters[columns[0]], self._letters[columns[-1]]
        head, total = (f"'{self.title}'!${left}${row}:${right}${row}" for row in (self.first - 1, self.last + 1))
        return head, total

    def checks(self) -> list[str]:
        """The cells that must be zero, for formulas of other sheets."""
        row = self.last + len(self.totals) + 1
        return [self.cell(name, row) for name, content in self.check.items() if cell_of(content).formula]

    def written(self, formula: str, row: int) -> str:
        """A formula as the file has it in a row (as Excel counts).

        Raises
        ------
        ValueError
            If it names a column that the sheet does not have.
        """
        return "=" + self._references.sub(lambda found: self._place(found, row), formula)

    @cached_property
    def _letters(self) -> dict[str, str]:
        return {name: column_letters(place) for place, name in enumerate(self.columns, start=1)}

    @cached_property
    def _references(self) -> re.Pattern[str]:
        names = "|".join(map(re.escape, sorted(self.columns, key=len, reverse=True)))
        return re.compile(rf"\[(\$?)({names})(?::(\$?rows|head|above|total|\d+)(?:-(\d+))?)?\]|\[[^\[\]]*\]")

    def _place(self, found: re.Match[str], row: int) -> str:
        """A reference in a formula as Excel has it."""
        fixed, name, at, last = found.groups(default="")
        if not name:
            raise ValueError(f"{self.title}: {found[0]} names no column")
        if last:
            return self._fixed(name, int(at), int(last))
        column, head = self._letters[name], self.first - 1
        places = {
            "rows": f"{column}{self.first}:{column}{self.last}",
            "$rows": self._fixed(name, self.first, self.last),
            "head": f"{column}${head}",
            "above": f"{column}${head}:{column}{row - 1}",
            "total": f"{column}{self.last + 1}",
        }
        return places.get(at, f"{fixed}{column}{at or row}")

    def _fixed(self, column: str, first: int, last: int) -> str:
        name = self._letters[column]
        return f"${name}${first}:${name}${last}"


def sums_of(rows: Sequence[Row], columns: Sequence[str], fixed: str = "$") -> dict[str, Cell]:
    """Totals of columns, as formulas with their values; blanks add nothing, as in SUM."""
    cells = {name: [row[name] for row in rows if row[name] is not None] for name in columns}
    return {name: Cell(sum(map(number_of, cells[name])), f"SUM([{name}:{fixed}rows])") for name in columns}


def table_sheet(
    table: Table,
    formulas: Mapping[str, str] = _NONE,
    sums: Mapping[str, str] = _NONE,
    checks: Mapping[str, str] = _NONE,
) -> Sheet:
    """A table as a sheet, its columns named as in code, or by their headers; without formulas its numbers stand still.

    Parameters
    ----------
    table : Table
    formulas : mapping of name to formula
        Columns that follow from others, row by row.
    sums : mapping of name to formula
        Totals other than the plain sum, where the table has a total.
    checks : mapping of name to formula
        What must be zero under each column.
    """
    records = list(table.frame.itertuples(index=False))
    columns = {
        table.names.get(head, head): Column(head, table.kinds[head], _width(table, head)) for head in table.frame
    }
    last = len(records) - int(table.has_total)
    totals = {name: sums.get(name, f"SUM([{name}:rows])") for name, column in columns.items() if column.kind in _SUMMED}
    check: Row = {
        **dict.fromkeys(columns, ""), next(iter(columns)): say("workbook.check"),
        **{name: Cell(0, formula, "plain") for name, formula in checks.items()},
    }  # fmt: skip
    lines = [
        max(text_lines(shown(c.kind, v), c.width - 1) for c, v in zip(columns.values(), r, strict=True))
        for r in records[: _LONGEST_ON_A_PAGE + 1]
    ]
    is_long = len(records) > _LONG_TABLE and sum(lines) <= _LONGEST_ON_A_PAGE  # stands upright on one page
    return Sheet(
        table.title, columns,
        [_table_row(columns, record, formulas) for record in records[:last]],
        [_table_row(columns, record, totals) for record in records[last:]],
        check if checks else {}, notes=table.notes, page=Page(not is_long, int(is_long), heading=24),
        frozen=_FIXED_COLUMNS if len(columns) > _FIXED_COLUMNS + 1 else 0,
    )  # fmt: skip


def _table_row(columns: Mapping[str, Column], record: Sequence[Any], formulas: Mapping[str, str]) -> Row:
    values = zip(columns.items(), record, strict=True)
    return {name: _table_cell(value, column.kind, formulas.get(name, "")) for (name, column), value in values}


def _table_cell(value: Any, kind: str, formula: str) -> Cell:
    if pd.isna(value):
        return Cell(None)
    if formula:
        return Cell(float(value), formula)
    return Cell(shown(kind, value) if kind == "text" or value == math.inf else float(value), kind=kind)


def _width(table: Table, column: str) -> float:
    """Column width in characters; a Chinese character takes two."""
    texts = [FORMATS[table.kinds[column]][0].format(v) for v in table.frame[column] if not pd.isna(v)]
    longest = max([text_width(text) for text in texts] + [text_width(column) / 2, 5])
    return min(longest + 3, _WIDEST)


def text_lines(text: str, width: float) -> int:
    """How many lines a text takes in so many characters: between Chinese characters and after slashes it may break."""
    lines, filled = 1, 0.0
    for word in _WORDS.findall(text) if text_width(text) > width else ():
        size = text_width(word)
        if filled and filled + size > width:
            lines, filled = lines + 1, 0.0
        beyond = max(math.ceil((filled + size) / width) - 1, 0)
        lines, filled = lines + beyond, filled + size - beyond * width
    return lines


def text_width(text: str) -> int:
    """How many characters wide a text is; a Chinese one counts twice."""
    return sum(2 if ord(character) > 0x2E80 else 1 for character in text)
