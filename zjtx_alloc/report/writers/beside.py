"""A copy of a user's workbook with results written beside the inputs; everything else stays as it is."""

import io
import warnings
from collections.abc import Mapping
from copy import copy as copied
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
from openpyxl.cell.cell import MergedCell
from openpyxl.styles import Border, PatternFill, Side

from zjtx_alloc.base.errors import DataError, ReportError
from zjtx_alloc.base.files import check_absent, check_clock, write_whole
from zjtx_alloc.base.messages import say
from zjtx_alloc.facts.cells import header_of, plain
from zjtx_alloc.facts.grid import refused
from zjtx_alloc.facts.xlsx.package import BoundError, opened

_RESULT = PatternFill("solid", start_color="EEF4F9")
_LINE = Side(style="thin", color="BFBFBF")
_BORDER = Border(_LINE, _LINE, _LINE, _LINE)
_HEADER_WITHIN = 15  # rows in which a header is looked for
_MOST_CELLS = 3_000_000  # blank ones too: more than 50,000 firms with 50 columns
_MONEY = "万元"  # thousands are set apart in columns that are headed so


def write_beside(file: Path, copy: Path, cells: Mapping[str, pd.DataFrame]) -> Path:
    """Write a copy of a workbook with these cells.

    Parameters
    ----------
    file, copy : Path
        The copy does not exist yet.
    cells : mapping of sheet to DataFrame
        Index: rows as Excel counts them; columns: headers, added at the right where the sheet lacks one; None: blank.

    Raises
    ------
    ReportError
        If the copy exists or is no ``.xlsx``.
    DataError
        If the workbook has broken parts.
    """
    if copy.suffix.lower() != ".xlsx":
        raise ReportError(say("file.not_xlsx", file=copy))
    check_absent(copy)
    check_clock()
    book = open_whole(file)
    for title, frame in cells.items():
        if len(frame):
            _write_frame(next(sheet for sheet in book.worksheets if plain(sheet.title) == title), frame)
    return write_whole(copy, saved(book, file))


def open_whole(file: Path) -> Any:
    """A user's workbook with all that is in it, also what no reading looks at.

    Raises
    ------
    DataError
        If a part of it that is not read is broken, or it has more cells than openpyxl, 400 bytes a cell, can keep.
    """
    with warnings.catch_warnings():  # in English, of what openpyxl does not keep
        warnings.simplefilter("ignore")
        try:
            with opened(file.read_bytes()) as package:
                if package.cells() > _MOST_CELLS:
                    raise BoundError("intake.too_many_cells", most=_MOST_CELLS)
            return openpyxl.load_workbook(file)
        except BoundError as error:
            raise refused(file.name, error) from None
        except Exception as error:  # broken parts break openpyxl in ways of their own
            raise DataError(say("intake.not_a_workbook", file=file.name)) from error


def saved(book: Any, file: Path) -> bytes:
    """The workbook that was opened from a file, as bytes; DataError as for ``open_whole``."""
    content = io.BytesIO()
    try:
        book.save(content)
    except Exception as error:  # what was broken and could be opened
        raise DataError(say("intake.not_a_workbook", file=file.name)) from error
    return content.getvalue()


def _write_frame(sheet: Any, frame: pd.DataFrame) -> None:
    places = _places(sheet, list(frame.columns))
    for header, values in frame.items():
        place = places[str(header)]
        numbers = [value for value in values if isinstance(value, float | int)]
        is_whole = all(float(value).is_integer() for value in numbers if not pd.isna(value))
        for row, value in zip(frame.index, values.tolist(), strict=True):
            cell = _alone(sheet, row, place)
            cell.value = None if pd.isna(value) else int(value) if isinstance(value, float) and is_whole else value
            if isinstance(value, str):
                cell.data_type = "s"  # a name that begins with = is no formula
            cell.fill, cell.border = _RESULT, _BORDER
            if isinstance(cell.value, int) and _MONEY in str(header):
                cell.number_format = "#,##0"


def _alone(sheet: Any, row: int, place: int) -> Any:
    """A cell to write in; where it is merged with others they part."""
    cell = sheet.cell(row, place)
    if isinstance(cell, MergedCell):
        sheet.unmerge_cells(next(area.coord for area in sheet.merged_cells.ranges if cell.coordinate in area))
    return sheet.cell(row, place)


def _places(sheet: Any, headers: list[str]) -> dict[str, int]:
    """The column of each header."""
    wanted = {header_of(header)[0]: header for header in headers}
    rows = [sheet[number] for number in range(1, min(sheet.max_row, _HEADER_WITHIN) + 1)]
    named = [{wanted[n]: c.column for c in row if (n := header_of(plain(c.value))[0]) in wanted} for row in rows]
    best = max(range(len(rows)), key=lambda number: len(named[number]))
    places, last = dict(named[best]), max(cell.column for cell in rows[best] if cell.value is not None)
    for header in headers:
        if header not in places:
            last += 1
            places[header], pattern = last, rows[best][0]
            cell = _alone(sheet, best + 1, last)
            cell.value = header
            for part in ("font", "fill", "border", "alignment"):
                setattr(cell, part, copied(getattr(pattern, part)))
    return places
