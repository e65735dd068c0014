"""Results in the sheets of a copy of a user's workbook, under its headers, in the look of its own cells."""

import re
from bisect import bisect, bisect_left
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from lxml import etree

from zjtx_alloc.base.errors import ReportError
from zjtx_alloc.base.files import check_absent
from zjtx_alloc.base.messages import say
from zjtx_alloc.facts.cells import header_of, plain
from zjtx_alloc.facts.grid import column_letters
from zjtx_alloc.facts.xlsx.cells import place_of
from zjtx_alloc.report.writers.sheet import Cell, cell_of
from zjtx_alloc.report.writers.user_copy import UserCopy, space_of, text_of, write_copy

_HEADER_WITHIN = 15  # rows in which a header is looked for
_MONEY = "万元"  # thousands are set apart in columns that are headed so
_ILLEGAL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")  # no XML can hold them


def write_results_into_copy(file: Path, copy: Path, *cells: Mapping[str, pd.DataFrame]) -> Path:
    """Write a copy of a workbook with these cells.

    Parameters
    ----------
    file, copy : Path
        The copy does not exist yet.
    *cells : mapping of sheet to DataFrame
        Written one after the other. Index: rows as Excel counts them; columns: headers, added at the right where the sheet lacks one; None: blank.
        A ``Cell`` with a formula is written with it, references as Excel has them.

    Raises
    ------
    ReportError
        If the copy exists or is no ``.xlsx``.
    DataError
        If a part of the workbook that must be changed is broken, or there are more cells than memory holds.
    """
    if copy.suffix.lower() != ".xlsx":
        raise ReportError(say("file.not_xlsx", file=copy))
    check_absent(copy)
    frames = [(title, frame) for layer in cells for title, frame in layer.items() if len(frame)]

    def change(book: UserCopy) -> None:
        parts = {title: book.sheets[title] for title, _ in frames}
        book.know_texts(parts.values(), _HEADER_WITHIN)
        sheets = {title: SheetCells(book, part) for title, part in parts.items()}
        for title, frame in frames:
            sheets[title].write(frame)

    return write_copy(file, copy, change)


class SheetCells:
    """The cells of a sheet, found and written."""

    def __init__(self, book: UserCopy, part: str) -> None:
        self.book, self.tree = book, book.tree(part, changes=True)
        self.space, tree = space_of(self.tree), self.tree
        self.data = tree.find(f"{self.space}sheetData")
        self.rows: dict[int, Any] = {}
        for row in self.data:
            number = int(row.get("r") or max(self.rows, default=0) + 1)
            row.set("r", f"{number}")
            self.rows[number] = row
        self.numbers = sorted(self.rows)
        columns = tree.iterfind(f"{self.space}cols/{self.space}col")
        self.of_columns = [(int(c.get("min")), int(c.get("max")), c.get("style", "0")) for c in columns]

    def write(self, frame: pd.DataFrame) -> None:
        """Write a frame under its headers."""
        places = self._places([str(header) for header in frame])
        ordered = sorted(frame, key=lambda header: places[str(header)])
        columns = [(places[str(header)], _MONEY in str(header), _written(frame[header])) for header in ordered]
        self._part(sorted(map(int, frame.index)), list(places.values()))
        for at, number in enumerate(frame.index):
            held = self._cells(self._row(int(number)), columns[0][0])
            for place, has_money, values in columns:
                self._set(held, int(number), place, values[at], has_money)
        self._stretch(int(max(frame.index)), columns[-1][0])

    def _places(self, headers: list[str]) -> dict[str, int]:
        """The column of each header."""
        wanted = {header_of(header)[0]: header for header in headers}
        rows = [self._shown(self.rows[number]) for number in self.numbers[:_HEADER_WITHIN]]
        named = [
            {wanted[n]: at for at, text in row.items() if (n := header_of(plain(text))[0]) in wanted} for row in rows
        ]
        best = max(range(len(rows)), key=lambda number: len(named[number]))
        places, last, number = dict(named[best]), max(rows[best]), self.numbers[best]
        style = next(iter(self.rows[number])).get("s", "0")
        for header in headers:
            if header not in places:
                last += 1
                places[header] = last
                self._part([number], [last])
                _fill(self._cell(self._cells(self._row(number), last), number, last), header, self.space)
                self._cells(self._row(number), last)[last].set("s", style)
        return places

    def _part(self, rows: Sequence[int], places: Sequence[int]) -> None:
        """Take merged cells apart where one of them other than the first is written (rows in order)."""
        merged = self.tree.find(f"{self.space}mergeCells")
        for area, (left, top), (right, bottom) in self._merged():
            within = rows[bisect_left(rows, top) : bisect(rows, bottom)]
            across = [place for place in places if left <= place <= right]
            if within and across and (within, across) != ([top], [left]):
                merged.remove(area)
                merged.set("count", f"{len(merged)}")
        if merged is not None and not len(merged):
            self.tree.remove(merged)

    def _merged(self) -> list[tuple[Any, tuple[int, int], tuple[int, int]]]:
        """The merged areas, each with the column and row of its first and its last cell."""
        areas = self.tree.iterfind(f"{self.space}mergeCells/{self.space}mergeCell")
        found = []
        for area in areas:
            ends = [place_in(end) for end in area.get("ref").split(":")]
            found.append((area, ends[0], ends[-1]))
        return found

    def shade(self, place: int, number: int) -> tuple[int, int]:
        """Show a cell, by column and row, as wrong; which one it is, where it is merged with others."""
        for _, first, last in self._merged():
            if first[0] <= place <= last[0] and first[1] <= number <= last[1]:
                place, number = first
        cell = self._cell(self._cells(self._row(number), place), number, place)
        cell.set("s", self.book.styles.like(cell.get("s", "0"), None, is_wrong=True))
        self._stretch(number, place)
        return place, number

    def answer(self, label: str, text: str) -> None:
        """Write a text after each cell that says what it is about."""
        for number, row in list(self.rows.items()):
            for place in [place for place, shown in self._shown(row).items() if shown == label]:
                _fill(self._cell(self._cells(row, place), number, place + 1), text, self.space)

    def _shown(self, row: Any) -> dict[int, str]:
        """The texts of a row by column."""
        found = {}
        for place, cell in self._cells(row, 1).items():
            value, inline = cell.findtext(f"{self.space}v"), cell.find(f"{self.space}is")
            text = (
                text_of(inline)
                if inline is not None
                else self.book.texts.get(value or "", "")
                if cell.get("t") == "s"
                else value
            )
            if text:
                found[place] = text
        return found

    def _row(self, number: int) -> Any:
        """A row, made where there is none."""
        if number not in self.rows:
            row = etree.Element(f"{self.space}row", r=f"{number}")
            at = bisect(self.numbers, number)
            if at < len(self.numbers):  # not by its place, which lxml would count from the first row
                self.rows[self.numbers[at]].addprevious(row)
            else:
                self.data.append(row)
            self.numbers.insert(at, number)
            self.rows[number] = row
        return self.rows[number]

    def _cells(self, row: Any, first: int) -> dict[int, Any]:
        """The cells of a row by column, from a column on."""
        found = {}
        if len(row) and row[0].get("r") is None:  # then none says where it stands
            for place, cell in enumerate(row, start=1):
                cell.set("r", f"{column_letters(place)}{row.get('r')}")
        row.attrib.pop("spans", None)
        for cell in row.iterchildren(f"{self.space}c", reversed=True):
            place = _number_of(cell.get("r").rstrip("0123456789"))
            if place < first:
                break
            found[place] = cell
        return found

    def _cell(self, held: dict[int, Any], number: int, place: int) -> Any:
        """A cell among those of its row, made where there is none."""
        if place not in held:
            row, after = self.rows[number], [at for at in held if at > place]
            cell = etree.Element(f"{self.space}c", r=f"{column_letters(place)}{number}", s=self._style(row, place))
            if after:
                held[min(after)].addprevious(cell)
            else:
                row.append(cell)
            held[place] = cell
        return held[place]

    def _style(self, row: Any, place: int) -> str:
        """The style of a cell that is not there: its row's, else its column's."""
        by_column = (style for first, last, style in self.of_columns if first <= place <= last)
        return str(row.get("s", "0") if row.get("customFormat") == "1" else next(by_column, "0"))

    def _set(self, held: dict[int, Any], number: int, place: int, value: Cell, has_money: bool) -> None:
        cell = self._cell(held, number, place)
        kind: Any = str if isinstance(value.value, str) else type(value.value) if has_money else None
        cell.set("s", self.book.styles.like(cell.get("s", "0"), kind))
        _fill(cell, value, self.space)

    def _stretch(self, row: int, column: int) -> None:
        """The size that the sheet states, with what was written."""
        stated = self.tree.find(f"{self.space}dimension")
        if stated is not None:
            first, _, last = stated.get("ref").partition(":")
            place, number = place_in(last or first)
            end = f"{column_letters(max(place, column))}{max(number, row)}"
            stated.set("ref", f"{first}:{end}")


def _written(values: pd.Series) -> list[Cell]:
    """Values as cells; whole numbers without a fraction where the column has no other."""
    plainly = (value.item() if isinstance(value, np.generic) else value for value in values.tolist())
    cells = [cell_of(None if value is pd.NaT or value is pd.NA else value) for value in plainly]
    numbers = [cell.value for cell in cells if isinstance(cell.value, float | int)]
    is_whole = all(float(number).is_integer() for number in numbers if not pd.isna(number))
    return [_shortened(cell, is_whole) for cell in cells]


def _shortened(cell: Cell, is_whole: bool) -> Cell:
    if isinstance(cell.value, float) and (is_whole or pd.isna(cell.value)):
        return Cell(None if pd.isna(cell.value) else int(cell.value), cell.formula)
    return cell


def _fill(cell: Any, content: Cell | str, space: str) -> None:
    """Put a value, or a formula with its value, into a cell; a text that begins with = is no formula."""
    held = cell_of(content)
    for child in list(cell):
        cell.remove(child)
    for name in ("t", "cm", "vm"):
        cell.attrib.pop(name, None)
    if held.formula:
        etree.SubElement(cell, f"{space}f").text = held.formula
    if isinstance(held.value, str):
        text = legal(held.value)
        cell.set("t", "str" if held.formula else "inlineStr")
        inner = cell if held.formula else etree.SubElement(cell, f"{space}is")
        made = etree.SubElement(inner, f"{space}{'v' if held.formula else 't'}")
        made.text = text
        if text != text.strip():
            made.set("{http://www.w3.org/XML/1998/namespace}space", "preserve")
    elif held.value is not None:
        etree.SubElement(cell, f"{space}v").text = repr(held.value)


def _number_of(letters: str) -> int:
    """The number of a column by its letters, 1 for A."""
    return place_of(letters) + 1


def place_in(reference: str) -> tuple[int, int]:
    """Column and row of a reference such as B2, from 1."""
    letters = reference.rstrip("0123456789")
    return _number_of(letters), int(reference[len(letters) :])


def legal(text: str) -> str:
    """A text without the characters that no XML can hold."""
    return _ILLEGAL.sub("", text)
