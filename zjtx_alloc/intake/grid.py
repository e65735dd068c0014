"""A user's file as sheets of raw cells, each row with the number that Excel shows."""

import codecs
import csv
import io
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openpyxl

from zjtx_alloc.errors import DataError
from zjtx_alloc.messages import say

MOST_ROWS = 1000
_MOST_BLANK = 200  # rows in a row: beyond them a sheet is only formatted
_UNSIZED = 3  # times the most rows, in a sheet that does not state its size
_ENCODINGS = ("utf-8-sig", "gb18030")
_FORMULA = re.compile(rb"<(\w+:)?f[ >/]")
_HIDDEN_ROW = re.compile(rb"<(?:\w+:)?row (?=[^>]*\bhidden=\"(?:1|true)\")[^>]*\br=\"(\d+)\"")
_HIDDEN_COLUMNS = re.compile(rb"<(?:\w+:)?col (?=[^>]*\bhidden=\"(?:1|true)\")[^>]*>")
_ENDS = re.compile(rb"\b(min|max)=\"(\d+)\"")
_ZIP, _OLD_EXCEL = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
_WEB = (b"<", b"MIME-Version")  # a web page that a system exports under an Excel ending
_SEPARATOR = re.compile(r"sep=(.)")  # Excel reads this first line, and shows no row for it


class Uncalculated:
    """The value of a formula that no program has calculated yet."""

    def __init__(self, formula: str) -> None:
        self.formula = formula

    def __str__(self) -> str:
        return self.formula


@dataclass(frozen=True)
class Grid:
    """One sheet: its name ("" for CSV), its rows that are not blank by Excel row number, and what it hides.

    Hidden rows go by Excel row number, hidden columns by place, counted from 0.
    """

    name: str
    rows: dict[int, list[Any]]
    hidden_rows: frozenset[int] = frozenset()
    hidden_places: frozenset[int] = frozenset()


def read_grids(path: Path, most_rows: int = MOST_ROWS) -> list[Grid]:
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
        If there is no such file, it is of another kind, or has far too many rows.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise DataError(say("intake.no_file", file=path)) from None
    except OSError as error:
        raise DataError(say("intake.locked", file=path, reason=error.strerror)) from None
    if content.startswith(_OLD_EXCEL):
        raise DataError(say("intake.old_excel", file=path.name))
    if content.removeprefix(codecs.BOM_UTF8).lstrip()[:20].startswith(_WEB):
        raise DataError(say("intake.web_page", file=path.name))
    grids = _workbook(path, content, most_rows) if content.startswith(_ZIP) else [_text(path, content)]
    for grid in grids:
        if len(grid.rows) > most_rows:
            raise DataError(say("intake.too_long", file=path.name, sheet=_named(grid.name), most=most_rows))
    return grids


def _named(sheet: str) -> str:
    return say("intake.sheet", sheet=sheet) if sheet else ""


def _workbook(path: Path, content: bytes, most_rows: int) -> list[Grid]:
    try:
        if _is_unsized_and_long(content, _UNSIZED * most_rows):
            raise DataError(say("intake.too_long", file=path.name, sheet="", most=most_rows))
        values = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        formulas = openpyxl.load_workbook(io.BytesIO(content), read_only=True) if _has_formulas(content) else None
        visible = [sheet for sheet in values.worksheets if sheet.sheet_state == "visible"]
        return [_sheet(sheet, formulas and formulas[sheet.title], most_rows) for sheet in visible]
    except DataError:
        raise
    except Exception as error:  # a package of another kind breaks openpyxl in ways of its own
        raise DataError(say("intake.not_a_workbook", file=path.name)) from error


def _sheet(sheet: Any, formulas: Any, most_rows: int) -> Grid:
    rows = _rows(sheet, most_rows)
    if formulas is not None:
        rows = _with_formulas(rows, _rows(formulas, most_rows))
    if len(rows) > most_rows:
        return Grid(sheet.title, rows)
    return Grid(sheet.title, rows, *_hidden(sheet, set(rows)))


def _hidden(sheet: Any, rows: set[int]) -> tuple[frozenset[int], frozenset[int]]:
    """The rows and places that a sheet hides; openpyxl does not tell them of a sheet that it only reads."""
    with sheet.parent._archive.open(sheet._worksheet_path) as part:
        content = part.read()
    hidden = {int(number) for number in _HIDDEN_ROW.findall(content)} & rows
    places: set[int] = set()
    for column in _HIDDEN_COLUMNS.findall(content):
        ends = {name: int(number) for name, number in _ENDS.findall(column)}
        places |= set(range(ends[b"min"] - 1, min(ends[b"max"], sheet.max_column or 0)))
    return frozenset(hidden), frozenset(places)


def _has_formulas(content: bytes) -> bool:
    """Whether any sheet holds one: long tables without need not be read twice."""
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        sheets = [name for name in package.namelist() if name.startswith("xl/worksheets/")]
        return any(_FORMULA.search(package.read(name)) for name in sheets)


def _is_unsized_and_long(content: bytes, most: int) -> bool:
    """Whether a sheet that does not state its size, and so would be parsed whole to find it, is far too long."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in archive.namelist():
            if name.startswith("xl/worksheets/") and name.endswith(".xml"):
                with archive.open(name) as sheet:
                    start = sheet.read(4096)
                    rows = 0 if b"<dimension" in start else start.count(b"<row ")
                    while rows and rows <= most and (chunk := sheet.read(2**20)):
                        rows += chunk.count(b"<row ")
                    if rows > most:
                        return True
    return False


def _rows(sheet: Any, most_rows: int) -> dict[int, list[Any]]:
    rows: dict[int, list[Any]] = {}
    last = 0
    for number, cells in enumerate(sheet.iter_rows(), start=1):
        row = [_shown(cell) for cell in cells]
        if any(cell not in (None, "") for cell in row):
            rows[number] = row
            last = number
        if len(rows) > most_rows or number > last + _MOST_BLANK:
            break
    return rows


def _shown(cell: Any) -> Any:
    """A cell's value; one that Excel shows as a percentage, as it is shown: its number is a hundredth of that."""
    value = cell.value
    if isinstance(value, int | float) and not isinstance(value, bool) and "%" in (cell.number_format or ""):
        return f"{100 * value:.10g}%"
    return value


def _with_formulas(values: dict[int, list[Any]], formulas: dict[int, list[Any]]) -> dict[int, list[Any]]:
    """Put a formula without a calculated value in the place of the nothing that stands there."""
    merged = {}
    for number, row in formulas.items():
        known = values.get(number, [None] * len(row))
        merged[number] = [
            Uncalculated(formula) if value is None and isinstance(formula, str) and formula.startswith("=") else value
            for value, formula in zip(known, row, strict=True)
        ]
    return merged


def _text(path: Path, content: bytes) -> Grid:
    text = _decoded(path, content)
    first, _, rest = text.partition("\n")
    if stated := _SEPARATOR.fullmatch(first.strip()):
        separator, text = stated.group(1), rest
    else:
        lines = text.splitlines()[:20]
        separator = max(",\t;", key=lambda mark: sum(line.count(mark) for line in lines))
    try:
        table = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True))
    except csv.Error:
        raise DataError(say("intake.quotes", file=path.name)) from None
    return Grid("", {number: list(row) for number, row in enumerate(table, start=1) if any(map(str.strip, row))})


def _decoded(path: Path, content: bytes) -> str:
    marked = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    if b"\0" in content and not marked:
        raise DataError(say("intake.not_a_table", file=path.name))
    for encoding in ("utf-16",) if marked else _ENCODINGS:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise DataError(say("intake.encoding", file=path.name))
