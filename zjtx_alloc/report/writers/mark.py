"""A copy of a user's workbook with the wrong cells coloured and commented; everything else stays as it is."""

import datetime
import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any
from zipfile import is_zipfile

import openpyxl
import pandas as pd
from openpyxl.comments import Comment
from openpyxl.styles import PatternFill

from zjtx_alloc.base.errors import DataError, ReportError, TableError
from zjtx_alloc.base.files import check_absent, check_clock, write_whole
from zjtx_alloc.base.messages import say
from zjtx_alloc.facts.grid import refused
from zjtx_alloc.facts.xlsx.package import BoundError, opened

_FILL = PatternFill("solid", start_color="FFC7CE")
_AUTHOR = "zjtx"
_LETTERS = re.compile("[A-Z]{1,3}(?= |$)")
_MOST_CELLS = 3_000_000  # blank ones too: more than 50,000 firms with 50 columns
_SIZE = (320, 120)  # pixels of a comment


@contextmanager
def marking(file: Path, copy: Path | None) -> Iterator[None]:
    """Where a table turns out to be wrong, write the marked copy before the error goes on; None: no copy is asked for.

    Raises
    ------
    ReportError
        If the copy exists or is no ``.xlsx``, or the file is none.
    """
    if copy is None:
        yield
        return
    if copy.suffix.lower() != ".xlsx" or (file.is_file() and not is_zipfile(file)):
        raise ReportError(say("programme.mark_xlsx", file=copy))
    check_absent(copy)
    check_clock()
    try:
        yield
    except TableError as error:
        try:
            marked_copy(file, copy, error.problems)
        except DataError as broken:  # what is wrong in its cells is known all the same
            raise TableError(f"{error}\n{broken}", error.problems) from None
        raise TableError(f"{error}\n{say('programme.marked', file=copy)}", error.problems) from None


def marked_copy(file: Path, copy: Path, problems: pd.DataFrame) -> Path:
    """Write the copy: each problem at its cell, or at the first cell of its row or sheet."""
    book = _opened(file)
    for row in problems.to_dict("records"):
        sheet = _sheet(book, str(row.get(say("intake.sheet_name"), "")))
        letters = _LETTERS.match(str(row[say("intake.column")]))
        number = row[say("intake.row")]
        cell = sheet[f"{letters[0] if letters else 'A'}{number if isinstance(number, int) else 1}"]
        cell = next((_corner(sheet, area) for area in sheet.merged_cells.ranges if cell.coordinate in area), cell)
        text = f"{row[say('intake.what')]}。{row[say('intake.remedy')]}"
        earlier = f"{cell.comment.text}\n" if cell.comment is not None else ""
        cell.fill, cell.comment = _FILL, Comment(earlier + text, _AUTHOR, *reversed(_SIZE))
    _say_checked(book, len(problems))
    return write_whole(copy, _saved(book, file))


def _opened(file: Path) -> Any:
    """A user's workbook with all that is in it, also what no reading looks at; DataError if a part of it is broken, or
    it has more cells than openpyxl, 400 bytes a cell, can keep.
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


def _saved(book: Any, file: Path) -> bytes:
    """The workbook that was opened from a file, as bytes; DataError as above."""
    content = io.BytesIO()
    try:
        book.save(content)
    except Exception as error:  # what was broken and could be opened
        raise DataError(say("intake.not_a_workbook", file=file.name)) from error
    return content.getvalue()


def _say_checked(book: Any, count: int) -> None:
    """Write on the sheet 说明, if a programme's workbook has it, when it was checked and how many problems were found."""
    title = say("programme.guide")
    for row in book[title].iter_rows() if title in book.sheetnames else ():
        for cell, after in pairwise(row):
            if cell.value == say("programme.last_check"):
                after.value = say("programme.last_checked", day=datetime.date.today(), count=count)


def _sheet(book: Any, title: str) -> Any:
    return book[title] if title in book.sheetnames else book.worksheets[0]


def _corner(sheet: Any, area: Any) -> Any:
    return sheet.cell(area.min_row, area.min_col)
