"""A user's file as sheets of raw cells, each row with the number that Excel shows."""

import codecs
import csv
import io
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from itertools import chain, count
from pathlib import Path
from typing import Any

import pandas as pd

from zjtx_alloc.base.errors import DataError
from zjtx_alloc.base.files import UnreadableError, read_whole
from zjtx_alloc.base.messages import say
from zjtx_alloc.base.text import shown
from zjtx_alloc.facts.xlsx.book import SheetPart, read_book
from zjtx_alloc.facts.xlsx.cells import MOST_COLUMNS, Budget, Cells, read_cells
from zjtx_alloc.facts.xlsx.package import BoundError, NoWorkbookError, Package, opened

MOST_ROWS = 1000
_MOST_BYTES = 64 * 2**20  # of a file: 50,000 firms take some 25 MB as CSV
_MOST_COPIED = 3_000_000  # cells of a workbook that is copied: more than 50,000 firms with 50 columns
_CHUNK = 2**20
_SNIFFED = 20  # lines in which the separator is looked for
_LONGEST_LINE = 2**20  # characters
_ENCODINGS = ("utf-8-sig", "gb18030")
_ZIP, _OLD_EXCEL = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
_WEB = (b"<", b"MIME-Version")  # a web page that a system exports under an Excel ending
_SEPARATOR = re.compile(r"sep=(.)")  # Excel reads this first line, and shows no row for it


@dataclass(frozen=True)
class Grid:
    """One sheet: its name ("" for CSV), its rows that are not blank by Excel row number, and what it hides.

    Hidden rows go by Excel row number, hidden columns by place, counted from 0. A sheet that is ``long``, with more
    rows than were asked for, is cut off: it is of another kind. ``separator`` stands between the cells of a CSV file.
    What ``is_hidden``, or very hidden, is read like any other sheet, and said to be.
    """

    name: str
    rows: dict[int, list[Any]]
    hidden_rows: frozenset[int] = frozenset()
    hidden_places: frozenset[int] = frozenset()
    long: bool = False
    separator: str = ""
    is_hidden: bool = False

    @property
    def label(self) -> str:
        """Its name as messages have it."""
        return self.name + (say("intake.hidden_sheet") if self.is_hidden else "")


def _grid_of(frame: pd.DataFrame) -> Grid:
    """A frame as Excel would show it: its columns in row 1, its cells below, blank ones as None."""
    try:
        given = frame.notna()
    except InvalidOperation:  # a Decimal that signals
        frame = frame.map(lambda cell: str(cell) if isinstance(cell, Decimal) else cell)
        given = frame.notna()
    cells = frame.astype(object).where(given, None).to_numpy().tolist()
    return Grid("", {1: list(frame.columns), **dict(enumerate(cells, start=2))})


def grids_of(source: str | Path | pd.DataFrame, frame: str, most_rows: int = MOST_ROWS) -> tuple[str, list[Grid]]:
    """Name and sheets of a file as ``read_sheets``, none of them longer; or a frame by itself, under that name."""
    if isinstance(source, pd.DataFrame):
        return frame, [_grid_of(source)]
    grids = read_sheets(Path(source), most_rows)
    refuse_long(Path(source).name, grids, most_rows)
    return Path(source).name, grids


def refuse_long(file: str, grids: list[Grid], most_rows: int = MOST_ROWS) -> None:
    """Raise DataError if a sheet is too long to be the table."""
    for grid in grids:
        if grid.long:
            raise DataError(say("intake.too_long", file=file, sheet=in_sheet(grid.name), most=most_rows))


def read_sheets(path: Path, most_rows: int = MOST_ROWS) -> list[Grid]:
    """Read the sheets of an ``.xlsx`` file, or the one table of a CSV file whatever its ending.

    Text may be UTF-8 (with or without BOM), GBK or UTF-16 with BOM (Excel's "Unicode text"), separated by
    commas, semicolons or tabs.

    Parameters
    ----------
    path : Path
    most_rows : int
        Rows that are not blank; a sheet with more of them is of another kind.

    Raises
    ------
    DataError
        If there is no such file, it is of another kind, or far too large to be read at all.
    """
    try:
        content = read_whole(path, _MOST_BYTES)
    except FileNotFoundError:
        raise DataError(say("intake.no_file", file=shown(path))) from None
    except UnreadableError as error:
        raise DataError(say("intake.unreadable", file=shown(path), reason=error)) from None
    if content.startswith(_OLD_EXCEL):
        raise DataError(say("intake.old_excel", file=path.name))
    if content[:_CHUNK].removeprefix(codecs.BOM_UTF8).lstrip().startswith(_WEB):
        raise DataError(say("intake.web_page", file=path.name))
    grids = (
        _workbook(path.name, content, most_rows) if content.startswith(_ZIP) else [_text(path.name, content, most_rows)]
    )
    return [replace(grid, long=len(grid.rows) > most_rows) for grid in grids]


def in_sheet(sheet: str) -> str:
    """The name of a sheet as messages add it to the file's; blank for CSV."""
    return say("intake.sheet", sheet=sheet) if sheet else ""


def hidden_notes(grids: Iterable[Grid]) -> Iterator[str]:
    """What was read although an office program does not show it, in Chinese: sheets, rows and columns."""
    if sheets := [grid.label for grid in grids if grid.is_hidden]:
        yield say("intake.hidden_read", names="、".join(sheets))
    for grid in grids:
        ends = [number for number in sorted(grid.hidden_rows) if number - 1 not in grid.hidden_rows]
        runs = [(first, next(n for n in count(first) if n + 1 not in grid.hidden_rows)) for first in ends]
        parts = [say("intake.hidden_row", rows=f"{a}" if a == b else f"{a}—{b}") for a, b in runs]
        parts += [say("intake.hidden_column", column=column_letters(n + 1)) for n in sorted(grid.hidden_places)]
        if parts:
            yield say("intake.hidden_parts", sheet=grid.name, parts="、".join(parts))


def column_letters(number: int) -> str:
    """The name of a column in Excel: A for the first, AA for the 27th."""
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def _workbook(file: str, content: bytes, most_rows: int) -> list[Grid]:
    budget = Budget()
    with workbook_of(file, content) as package:
        book = read_book(package)
        return [_sheet(package, sheet, Cells(book, most_rows, budget)) for sheet in book.sheets]


@contextmanager
def workbook_of(file: str, content: bytes) -> Iterator[Package]:
    """A workbook to be read within this; whatever keeps it from being read is a DataError that names the file."""
    try:
        with opened(content) as package:
            yield package
    except BoundError as error:
        raise _refused(file, error) from None
    except NoWorkbookError as error:
        raise DataError(say("intake.not_a_workbook", file=file)) from error


def _refused(file: str, error: BoundError) -> DataError:
    """The error that says what a workbook holds too much of."""
    return DataError(say(error.key, file=file, **error.details | {"sheet": in_sheet(error.details.get("sheet", ""))}))


def refuse_vast(path: Path) -> None:
    """Raise DataError if a workbook has more cells, blank and hidden ones too, than whoever keeps them all has memory for."""
    with workbook_of(path.name, path.read_bytes()) as package:
        if package.cells() > _MOST_COPIED:
            raise BoundError("intake.too_many_cells", most=_MOST_COPIED)


def _sheet(package: Package, sheet: SheetPart, cells: Cells) -> Grid:
    read_cells(package, sheet, cells)
    if len(cells.rows) > cells.most_rows:
        return Grid(sheet.title, cells.rows, is_hidden=not sheet.is_visible)
    width = max(map(len, cells.rows.values()), default=0)
    return Grid(
        sheet.title,
        cells.rows,
        frozenset(cells.hidden_rows.intersection(cells.rows)),
        frozenset(place for place in cells.hidden_places if place < width),
        is_hidden=not sheet.is_visible,
    )


def _text(file: str, content: bytes, most_rows: int) -> Grid:
    """The table of a CSV file, decoded line by line: one character beyond the common ones would make four bytes of each."""
    encoding = _encoding(file, content)
    with io.TextIOWrapper(io.BytesIO(content), encoding, newline="") as stream:
        first = [stream.readline(_LONGEST_LINE) for _ in range(_SNIFFED)]
        stated = _SEPARATOR.fullmatch(first[0].strip())
        separator = stated[1] if stated else max(",\t;", key=lambda mark: sum(line.count(mark) for line in first))
        rows: dict[int, list[Any]] = {}
        budget = Budget()
        lines = _lines(file, chain(first[1:] if stated else first, _rest(stream)), separator)
        try:
            for number, row in enumerate(csv.reader(lines, delimiter=separator, strict=True), 1):
                if any(map(str.strip, row)):
                    budget.spend(len(row))
                    rows[number] = row
                if len(rows) > most_rows:
                    break
        except (csv.Error, TypeError, ValueError) as error:  # a separator that is none
            key = "intake.long_cell" if "field limit" in str(error) else "intake.quotes"
            raise DataError(say(key, file=file)) from None
        except BoundError as error:
            raise _refused(file, error) from None
    return Grid("", rows, separator=separator)


def _rest(stream: io.TextIOWrapper) -> Iterator[str]:
    while line := stream.readline(_LONGEST_LINE):
        yield line


def _lines(file: str, lines: Iterable[str], separator: str) -> Iterator[str]:
    """The lines, none with more cells or longer than a table's."""
    for line in lines:
        if len(line) > MOST_COLUMNS and line.count(separator) > MOST_COLUMNS:
            raise BoundError("intake.too_wide", most=MOST_COLUMNS)
        if len(line) >= _LONGEST_LINE:
            raise BoundError("intake.long_cell")
        yield line


def _encoding(file: str, content: bytes) -> str:
    marked = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    if content.startswith(codecs.BOM_UTF32_LE) or (b"\0" in content and not marked):
        raise DataError(say("intake.not_a_table", file=file))
    for encoding in ("utf-16",) if marked else _ENCODINGS:
        decoder = codecs.getincrementaldecoder(encoding)()
        try:
            for start in range(0, len(content) + 1, _CHUNK):
                decoder.decode(content[start : start + _CHUNK], final=start + _CHUNK > len(content))
        except UnicodeDecodeError:
            continue
        return encoding
    raise DataError(say("intake.encoding", file=file))
