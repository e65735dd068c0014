"""The cells of a sheet, row by row, as Excel shows them; what of it is hidden."""

import datetime
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from zjtx_alloc.facts.xlsx.book import MOST_TEXT, Book, SheetPart, unescaped
from zjtx_alloc.facts.xlsx.package import MOST_DEEP, BoundError, NoWorkbookError, Package, Target, local

MOST_COLUMNS = 1000  # up to the last filled cell of a row
MOST_KEPT = 5_000_000  # cells of a workbook up to the last filled one of each row: 50,000 firms with 100 columns
_WIDEST = 16_384  # columns of Excel
_LONGEST = 1_048_576  # rows of Excel
_MOST_BLANK = 10_000  # rows written in a row without a value: beyond them a sheet is only formatted
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_INTEGER = re.compile(r"[+-]?\d+", re.ASCII)
_LONGEST_NUMBER = 400  # characters
_LETTERS = re.compile("[A-Z]{1,3}")
_DIGITS = "0123456789"
_YES = ("1", "true")
_TRUTHS = {"1": True, "true": True, "0": False, "false": False}


class Uncalculated(str):
    """A formula whose value no program has calculated yet."""


@dataclass(frozen=True)
class Formula:
    """A formula and its value, of a raw book; ``shared`` is the number of one that several cells share."""

    text: str
    value: Any
    shared: str | None = None


@dataclass
class Budget:
    """How many cells of a workbook are kept."""

    kept: int = 0

    def spend(self, kept: int) -> None:
        """Count those of a row, up to the last filled one."""
        self.kept += kept
        if self.kept > MOST_KEPT:
            raise BoundError("intake.too_many_cells", most=MOST_KEPT)


class EnoughError(Exception):
    """The rest of a sheet need not be read."""


class Cells(Target):
    """Takes the elements of a sheet: ``rows`` that are not blank by their number, and what is hidden.

    Parameters
    ----------
    book : Book
    most_rows : int
        One more is read, so that it can be seen that there are more.
    budget : Budget
        Of the whole workbook.
    """

    def __init__(self, book: Book, most_rows: int, budget: Budget) -> None:
        super().__init__()
        self.most_rows, self.budget = most_rows, budget
        self.texts, self.showers, self.is_raw = book.texts, book.showers, book.raw
        self.rows: dict[int, list[Any]] = {}
        self.hidden_rows: set[int] = set()
        self.hidden_places: set[int] = set()
        self.number = self.blank = 0  # of the row; rows without a value that stand above it
        self.row: list[Any] = []
        self.place = -1
        self.is_in_row = self.is_in_cell = False
        self.cell: dict[str, str] = {}
        self.value: str | None = None
        self.formula: str | None = None
        self.shared: str | None = None
        self.run = ""  # what an inline text says so far
        self.is_sound = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Take the beginning of an element, of cells first: there are most of them."""
        self.pieces.clear()
        self.deep += 1
        if self.deep > MOST_DEEP:
            raise NoWorkbookError
        if ":" in name:
            name = local(name)
        if name == "c":
            self._start_cell(attributes)
        elif name == "row":
            self._start_row(attributes)
        elif name not in ("v", "t"):
            self._start_other(name, attributes)

    def _start_other(self, name: str, attributes: dict[str, str]) -> None:
        if name == "f":
            self.shared = attributes.get("si") if attributes.get("t") == "shared" else None
        elif name == "rPh":
            self.is_sound = True
        elif name == "col" and attributes.get("hidden") in _YES:
            first, end = int(attributes["min"]), min(int(attributes["max"]), MOST_COLUMNS)
            self.hidden_places |= set(range(first - 1, end))

    def _start_row(self, attributes: dict[str, str]) -> None:
        number = _whole(attributes["r"]) if "r" in attributes else self.number + 1
        if not self.number < number <= _LONGEST or self.is_in_row:  # Excel opens no workbook whose rows go back
            raise NoWorkbookError
        if attributes.get("hidden") in _YES:
            self.hidden_rows.add(number)
        self.number, self.place, self.row, self.is_in_row = number, -1, [], True

    def _end_row(self) -> None:
        self.is_in_row = False
        self.budget.spend(len(self.row))
        self.blank = 0 if self.row else self.blank + 1
        if self.row:
            self.rows[self.number] = self.row
        if len(self.rows) > self.most_rows or self.blank > _MOST_BLANK:
            raise EnoughError

    def _start_cell(self, attributes: dict[str, str]) -> None:
        reference = attributes.get("r")
        place = self.place + 1 if reference is None else place_of(reference.rstrip(_DIGITS))
        if place <= self.place or not self.is_in_row or self.is_in_cell:
            raise NoWorkbookError
        self.place, self.cell, self.is_in_cell = place, attributes, True
        self.value = self.formula = self.shared = None
        self.run = ""

    def _end_cell(self) -> None:
        value: Any = None
        text, kind = self.value, self.cell.get("t")
        if kind == "inlineStr":
            value = unescaped(self.run)
        elif not text:
            pass
        elif kind == "s":
            value = self.texts[int(text)] if text.isdigit() and text.isascii() else _refused()
        elif kind is None or kind == "n":
            value = int(text) if len(text) < 16 and text.isdigit() and text.isascii() else _number(text)
            if (shower := self.showers.get(self.cell.get("s", "0"))) is not None:
                value = shower(value)
        else:
            value = _OTHERS[kind](text)
        if self.formula is not None:
            value = self._calculated(f"={self.formula}", value)
        self.is_in_cell = False
        if value is None or (type(value) is str and not value.strip()):
            return
        row, place = self.row, self.place
        if place >= MOST_COLUMNS:
            raise BoundError("intake.too_wide", most=MOST_COLUMNS)
        if gap := place - len(row):
            row += [None] * gap
        row.append(value)

    def _calculated(self, formula: str, value: Any) -> Any:
        if self.is_raw:
            return Formula(formula, value, self.shared)
        is_empty_text = self.value == "" and self.cell.get("t") == "str"
        return Uncalculated(formula) if value is None and not is_empty_text else value

    def end(self, name: str) -> None:
        """Take the end of an element."""
        if ":" in name:
            name = local(name)
        if name == "v":
            pieces = self.pieces
            self.value = pieces[0] if len(pieces) == 1 else "".join(pieces)
            if len(self.value) > MOST_TEXT:
                raise BoundError("intake.long_cell")
        elif name == "c":
            self._end_cell()
        elif name == "row":
            self._end_row()
        elif name == "t":
            if not self.is_sound:
                self.run += self.text()
            if len(self.run) > MOST_TEXT:
                raise BoundError("intake.long_cell")
        elif name == "f":
            self.formula = self.text()
        elif name == "rPh":
            self.is_sound = False
        self.deep -= 1


def read_cells(package: Package, sheet: SheetPart, cells: Cells) -> Cells:
    """Read a sheet as far as it goes on; what is hidden of it as far as it was read.

    Raises
    ------
    BoundError
        If it holds more than any table, with its title.
    NoWorkbookError
    """
    try:
        package.read(sheet.part, cells)
    except EnoughError:
        pass
    except BoundError as error:
        error.details["sheet"] = sheet.title
        raise
    return cells


@cache
def place_of(letters: str) -> int:
    """The place of a column, counted from 0, by its letters.

    Raises
    ------
    NoWorkbookError
        If there is no such column.
    """
    if not _LETTERS.fullmatch(letters):
        raise NoWorkbookError
    number = 0
    for letter in letters:
        number = 26 * number + ord(letter) - ord("A") + 1
    if number > _WIDEST:
        raise NoWorkbookError
    return number - 1


def _number(text: str) -> int | float:
    """A number as programs write it, in ASCII digits and without marks between them."""
    text = text.strip()
    if not _NUMBER.fullmatch(text) or len(text) > _LONGEST_NUMBER:
        raise NoWorkbookError
    return int(text) if _INTEGER.fullmatch(text) else float(text)


def _whole(text: str) -> int:
    """The number of a row, which some programs write as 3.0."""
    number = _number(text)
    return int(number) if number == int(number) else _refused()


def _day(text: str) -> Any:
    text = text.removesuffix("Z")
    try:
        return datetime.datetime.fromisoformat(text)
    except ValueError:
        return datetime.time.fromisoformat(text)


def _refused(*_: Any) -> Any:
    raise NoWorkbookError


_OTHERS: dict[str, Callable[[str], Any]] = {"str": unescaped, "e": str, "b": _TRUTHS.__getitem__, "d": _day}
