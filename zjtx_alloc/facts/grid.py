"""A user's file as sheets of raw cells, each row with the number that Excel shows."""

import codecs
import csv
import io
import operator
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pandas as pd

from zjtx_alloc.base.errors import DataError
from zjtx_alloc.base.files import UnreadableError, read_whole
from zjtx_alloc.base.messages import say
from zjtx_alloc.base.text import shown
from zjtx_alloc.facts.zip_limits import has_formulas

MOST_ROWS = 1000
_MOST_BYTES = 64 * 2**20  # of a file: 50,000 firms take some 25 MB as CSV
_MOST_COLUMNS = 1000  # up to the last filled cell of a row
_MOST_CELLS = 20_000_000  # of a sheet, blank ones too
_MOST_BLANK = 200  # rows in a row: beyond them a sheet is only formatted
_UNSIZED = 3  # times the most rows, in a sheet that does not state its size
_ENCODINGS = ("utf-8-sig", "gb18030")
_HIDDEN_ROW = re.compile(rb"<(?:\w+:)?row (?=[^>]*\bhidden=\"(?:1|true)\")[^>]*\br=\"(\d+)\"")
_HIDDEN_COLUMNS = re.compile(rb"<(?:\w+:)?col (?=[^>]*\bhidden=\"(?:1|true)\")[^>]*>")
_ENDS = re.compile(rb"\b(min|max)=\"(\d+)\"")
_ZIP, _OLD_EXCEL = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
_WEB = (b"<", b"MIME-Version")  # a web page that a system exports under an Excel ending
_SEPARATOR = re.compile(r"sep=(.)")  # Excel reads this first line, and shows no row for it
_FORMAT = re.compile(r'"[^"]*"|\\.|[_*].|\[[^\]]*\]|.', re.DOTALL)  # the parts of a number format
_CONDITION = re.compile(r"\[(<=|>=|<>|<|>|=)(-?\d+\.?\d*)\]")
_COMPARED = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
    "<>": operator.ne,
}


class Uncalculated(str):
    """A formula whose value no program has calculated yet."""


@dataclass(frozen=True)
class Grid:
    """One sheet: its name ("" for CSV), its rows that are not blank by Excel row number, and what it hides.

    Hidden rows go by Excel row number, hidden columns by place, counted from 0. A sheet that is ``long``, with more
    rows than were asked for, is cut off: it is of another kind. ``separator`` stands between the cells of a CSV file.
    """

    name: str
    rows: dict[int, list[Any]]
    hidden_rows: frozenset[int] = frozenset()
    hidden_places: frozenset[int] = frozenset()
    long: bool = False
    separator: str = ""


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
    if content.removeprefix(codecs.BOM_UTF8).lstrip()[:20].startswith(_WEB):
        raise DataError(say("intake.web_page", file=path.name))
    grids = _workbook(path, content, most_rows) if content.startswith(_ZIP) else [_text(path, content, most_rows)]
    return [replace(grid, long=len(grid.rows) > most_rows) for grid in grids]


def in_sheet(sheet: str) -> str:
    """The name of a sheet as messages add it to the file's; blank for CSV."""
    return say("intake.sheet", sheet=sheet) if sheet else ""


def column_letters(number: int) -> str:
    """The name of a column in Excel: A for the first, AA for the 27th."""
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def _workbook(path: Path, content: bytes, most_rows: int) -> list[Grid]:
    import openpyxl  # noqa: PLC0415 - time that whoever reads no workbook need not pay, each kernel of a report among them

    try:
        with_formulas = has_formulas(path.name, content, _UNSIZED * most_rows)
        values = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        formulas = openpyxl.load_workbook(io.BytesIO(content), read_only=True) if with_formulas else None
        visible = [sheet for sheet in values.worksheets if sheet.sheet_state == "visible"]
        return [_sheet(path.name, sheet, formulas and formulas[sheet.title], most_rows) for sheet in visible]
    except (DataError, MemoryError):
        raise
    except Exception as error:  # a package of another kind breaks openpyxl in ways of its own
        raise DataError(say("intake.not_a_workbook", file=path.name)) from error


def _sheet(file: str, sheet: Any, formulas: Any, most_rows: int) -> Grid:
    rows = _rows(file, sheet, most_rows)
    if formulas is not None:
        rows = _with_formulas(rows, _rows(file, formulas, most_rows))
    if len(rows) > most_rows:
        return Grid(sheet.title, rows)
    return Grid(sheet.title, rows, *_hidden(sheet, rows))


def _hidden(sheet: Any, rows: dict[int, list[Any]]) -> tuple[frozenset[int], frozenset[int]]:
    """The rows and places that a sheet hides; openpyxl does not report them of a sheet that it only reads."""
    with sheet.parent._archive.open(sheet._worksheet_path) as part:
        content = part.read()
    hidden = {int(number) for number in _HIDDEN_ROW.findall(content)} & set(rows)
    width = max(map(len, rows.values()), default=0)
    places: set[int] = set()
    for column in _HIDDEN_COLUMNS.findall(content):
        ends = {name: int(number) for name, number in _ENDS.findall(column)}
        places |= set(range(ends[b"min"] - 1, min(ends[b"max"], width)))
    return frozenset(hidden), frozenset(places)


def _rows(file: str, sheet: Any, most_rows: int) -> dict[int, list[Any]]:
    rows: dict[int, list[Any]] = {}
    last, cells = 0, 0
    sheet.reset_dimensions()  # some systems write A1 whatever the sheet's size, and the rest would not be read
    for number, (row, width) in enumerate(_cells_of(sheet), start=1):
        if row:
            rows[number] = row
            last = number
            _check_width(file, sheet.title, len(row))
        cells += width
        if cells > _MOST_CELLS:
            raise DataError(say("intake.too_many_cells", file=file, sheet=in_sheet(sheet.title), most=_MOST_CELLS))
        if len(rows) > most_rows or number > last + _MOST_BLANK:
            break
    return rows


def _cells_of(sheet: Any) -> Iterator[tuple[list[Any], int]]:
    """What the cells of each row show, up to the last that is not blank, and how many cells it has with those."""
    for cells in sheet.iter_rows():
        end = next((place for place in range(len(cells), 0, -1) if cells[place - 1].value not in (None, "")), 0)
        yield [_shown(cell) for cell in cells[:end]], len(cells)


def _check_width(file: str, sheet: str, width: int) -> None:
    if width > _MOST_COLUMNS:
        raise DataError(say("intake.too_wide", file=file, sheet=in_sheet(sheet), most=_MOST_COLUMNS))


def _shown(cell: Any) -> Any:
    """A cell's value; one that Excel shows with a percent sign, as it is shown.

    A sign of the format's own makes a hundredth of the number one per cent; one that is only text beside the
    number (``0.00"%"``) changes nothing.
    """
    value = cell.value
    if not isinstance(value, int | float) or isinstance(value, bool):
        return value
    parts = _section(cell.number_format or "", value)
    if "%" in parts:
        return f"{100 * value:.10g}%"
    return f"{value:.10g}%" if any("%" in part for part in parts if part[0] in '"\\') else value


def _section(number_format: str, value: float) -> list[str]:
    """The parts of that section of a number format which shows this number: by its condition, else by sign."""
    sections: list[list[str]] = [[]]
    for part in _FORMAT.findall(number_format):
        if part == ";":
            sections.append([])
        else:
            sections[-1].append(part)
    numbers = sections[:3]  # the fourth shows text
    by_sign = (value >= 0 if len(numbers) < 3 else value > 0, value < 0, True)
    for parts, is_shown in zip(numbers, by_sign, strict=False):
        conditions = [_COMPARED[m[1]](value, float(m[2])) for part in parts if (m := _CONDITION.fullmatch(part))]
        if all(conditions) if conditions else is_shown:
            return parts
    return numbers[-1]


def _with_formulas(values: dict[int, list[Any]], formulas: dict[int, list[Any]]) -> dict[int, list[Any]]:
    """Put a formula without a calculated value in the place of the nothing that stands there."""
    return {
        number: [
            Uncalculated(text) if value is None and (text := _formula(formula)) else value
            for value, formula in zip_longest(values.get(number, []), formulas.get(number, []))
        ]
        for number in sorted(values.keys() | formulas.keys())
    }


def _formula(cell: Any) -> str:
    """The formula of a cell, also one of an array or of a table of data; blank where there is none."""
    text = getattr(cell, "text", None) or cell
    return text if isinstance(text, str) and text.startswith("=") else ""


def _text(path: Path, content: bytes, most_rows: int) -> Grid:
    text = _decoded(path, content)
    first, _, rest = text.partition("\n")
    if stated := _SEPARATOR.fullmatch(first.strip()):
        separator, text = stated.group(1), rest
    else:
        lines = [line for line, _ in zip(io.StringIO(text), range(20), strict=False)]
        separator = max(",\t;", key=lambda mark: sum(line.count(mark) for line in lines))
    for line in io.StringIO(text):
        _check_width(path.name, "", line.count(separator) if len(line) > _MOST_COLUMNS else 0)
    rows: dict[int, list[Any]] = {}
    try:
        for number, row in enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True), 1):
            if any(map(str.strip, row)):
                rows[number] = row
            if len(rows) > most_rows:
                break
    except (csv.Error, TypeError, ValueError) as error:  # a separator that is none
        key = "intake.long_cell" if "field limit" in str(error) else "intake.quotes"
        raise DataError(say(key, file=path.name)) from None
    return Grid("", rows, separator=separator)


def _decoded(path: Path, content: bytes) -> str:
    marked = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    if content.startswith(codecs.BOM_UTF32_LE) or (b"\0" in content and not marked):
        raise DataError(say("intake.not_a_table", file=path.name))
    for encoding in ("utf-16",) if marked else _ENCODINGS:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise DataError(say("intake.encoding", file=path.name))
