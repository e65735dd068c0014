"""Workbooks: a sheet a table, form or chart; numbers as numbers, codes as text, sums as formulas; ready to print."""

import io
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd
import xlsxwriter
from xlsxwriter.utility import xl_col_to_name

from zjtx_alloc.base.errors import ReportError
from zjtx_alloc.base.files import check_absent, write_whole
from zjtx_alloc.base.messages import say
from zjtx_alloc.report.table import FORMATS, Table, shown
from zjtx_alloc.report.writers import document as manuscript
from zjtx_alloc.report.writers.document import Cell, Grid
from zjtx_alloc.report.writers.xlsx_charts import Graph, write_graph

CREATED = manuscript.CREATED.replace(tzinfo=None)  # xlsxwriter wants it so
IN_MEMORY = {"in_memory": True}  # not by way of a disk that may be full
_HEADER_ROW = 2
_WIDEST = 40  # characters
_LINE = 13.5  # points
_LONG_TABLE = 25  # rows
_LONGEST_ON_A_PAGE = 100  # rows
_FIXED_COLUMNS = 2
CHECK_WIDTH = 15  # characters of the words before a check
_NOTE_WIDTH, _PLAIN_WIDTH = 80, 8.43  # characters: of notes at the least, of a column that is left as it is
_CHARACTERS = 0.52  # of a column, to a millimetre of a form
_SUMMED = ("count", "money", "places", "difference", "step")


@dataclass(frozen=True)
class Sheet:
    """A table as a sheet that recalculates; without formulas its numbers stand still.

    In a formula ``{header}`` is the column of that header: its cell in the same row, or in sums and checks the
    range of its rows. Headers are in Chinese, as the table has them.

    Attributes
    ----------
    table : Table
    formulas : mapping of header to formula
        Columns that follow from others, row by row.
    sums : mapping of header to formula
        Totals other than the plain sum, where the table has a total.
    checks : mapping of header to (formula, value)
        What stands under each column in the check row; a value other than 0 says what is wrong.
    """

    table: Table
    formulas: Mapping[str, str] = field(default_factory=dict)
    sums: Mapping[str, str] = field(default_factory=dict)
    checks: Mapping[str, str] = field(default_factory=dict)

    @property
    def rows(self) -> tuple[int, int]:
        """The first and the last row of data, without the total, as Excel counts."""
        return _HEADER_ROW + 2, _HEADER_ROW + 1 + len(self.table.frame) - int(self.table.has_total)

    def column(self, header: str) -> str:
        """The data of one column, for formulas of other sheets."""
        letter, (first, last) = xl_col_to_name(list(self.table.frame).index(header)), self.rows
        return f"'{self.table.title}'!${letter}${first}:${letter}${last}"

    def across(self, headers: Sequence[str]) -> tuple[str, str]:
        """The headers of neighbouring columns and their totals, for a chart."""
        places = [list(self.table.frame).index(header) for header in headers]
        left, right = (xl_col_to_name(place) for place in (min(places), max(places)))
        title, total = self.table.title, self.rows[1] + 1
        names, totals = (f"'{title}'!${left}${row}:${right}${row}" for row in (_HEADER_ROW + 1, total))
        return names, totals

    def written(self, formula: str, row: int | None = None) -> str:
        """A formula with the cells of one row (as Excel counts) in it, or with ranges."""
        first, last = self.rows
        for place, header in enumerate(self.table.frame):
            letter = xl_col_to_name(place)
            formula = formula.replace(f"{{{header}}}", f"{letter}{row}" if row else f"{letter}{first}:{letter}{last}")
        return f"={formula}"


def write_form(path: str | Path, title: str, fill: Callable[[Any], None]) -> Path:
    """Write a workbook that users fill in.

    Raises
    ------
    ReportError
        If the file exists, since it may be filled in already, or is no ``.xlsx``.
    """
    path = Path(path)
    if path.suffix.lower() != ".xlsx":
        raise ReportError(say("file.not_xlsx", file=path))
    check_absent(path)
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, IN_MEMORY) as book:
        book.set_properties({"title": title, "created": CREATED})
        fill(book)
    return write_whole(path, content.getvalue())


def write_workbook(path: Path, parts: Sequence[Table | Sheet | Grid | Graph], heading: str, run: str = "") -> Path:
    """Write tables, forms and charts, a sheet each named by its title, under a common heading; each bears the run's id."""
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, IN_MEMORY) as book:
        book.set_properties({"title": heading, "created": CREATED})
        styles = cell_styles(book)
        told = (say("note.run", run=run),) if run else ()
        for part in parts:
            match part:
                case Graph():
                    sheet = write_graph(book, part, heading)
                case Grid():
                    sheet = book.add_worksheet(part.title)
                    _write_form(sheet, replace(part, notes=(*part.notes, *told)), heading, styles)
                case _:
                    live = part if isinstance(part, Sheet) else Sheet(part)
                    sheet = book.add_worksheet(live.table.title)
                    live = replace(live, table=replace(live.table, notes=(*live.table.notes, *told)))
                    _write_sheet(sheet, live, heading, styles)
            sheet.set_footer(foot_of(run))
    return write_whole(path, content.getvalue())


def cell_styles(book: Any) -> dict[str, Any]:
    """The formats of all sheets: heading, note, header, and every kind of cell, plain and in a total."""
    base = {"font_name": "等线", "font_size": 10, "valign": "vcenter"}
    cell = base | {"border": 1, "border_color": "#BFBFBF"}
    form = cell | {"bold": True, "text_wrap": True, "align": "center"}
    styles = {
        "heading": book.add_format(base | {"bold": True, "font_size": 14}),
        "note": book.add_format(base | {"font_size": 9, "font_color": "#555555", "text_wrap": True, "valign": "top"}),
        "hint": book.add_format(base | {"font_size": 9, "font_color": "#555555"}),
        "form header": book.add_format(form | {"bg_color": "#EEF4F9"}),
        "needed header": book.add_format(form | {"bg_color": "#FFE699"}),
        "header": book.add_format(cell | {"bold": True, "text_wrap": True, "bg_color": "#EEF4F9"}),
    }
    for kind, (_, number) in FORMATS.items():
        look = cell | {"num_format": number, "text_wrap": kind == "text", "indent": int(kind == "text")}
        styles[kind] = book.add_format(look)
        styles[f"total {kind}"] = book.add_format(look | {"bold": True, "bg_color": "#F2F2F2"})
    return styles


def _write_sheet(sheet: Any, live: Sheet, heading: str, styles: dict[str, Any]) -> None:
    table = live.table
    columns = list(table.frame.columns)
    headers = [column.replace("（", "\n（") for column in columns]
    widths = [_width(table, column) for column in columns]
    widths[0] = max(widths[0], CHECK_WIDTH if live.checks else 0)
    _head(sheet, f"{heading}　{table.title}", headers, widths, styles)
    for number, row in enumerate(table.frame.itertuples(index=False), start=_HEADER_ROW + 1):
        is_total = number == live.rows[1] and table.has_total
        texts = [v if table.kinds[c] == "text" else "" for c, v in zip(columns, row, strict=True)]
        sheet.set_row(number, row_height(texts, widths))
        for place, (column, value) in enumerate(zip(columns, row, strict=True)):
            kind = table.kinds[column]
            formula = _total(live, column, value) if is_total else live.formulas.get(column, "")
            written = live.written(formula, None if is_total else number + 1) if formula else ""
            _write_cell(sheet, (number, place), value, kind, (styles[f"total {kind}" if is_total else kind], written))
    under = _HEADER_ROW + len(table.frame) + 1
    if live.checks:
        _write_checks(sheet, live, under, styles)
        under += 1
    _write_notes(sheet, table.notes, under + 1, widths, styles)
    sheet.freeze_panes(_HEADER_ROW + 1, _FIXED_COLUMNS if len(columns) > _FIXED_COLUMNS + 1 else 0)
    print_setup(sheet, _LONG_TABLE < len(table.frame) <= _LONGEST_ON_A_PAGE)


def _head(sheet: Any, title: str, headers: list[str], widths: list[float], styles: dict[str, Any]) -> None:
    sheet.write_string(0, 0, title, styles["heading"])
    sheet.set_row(0, 24)
    sheet.set_row(_HEADER_ROW, row_height(headers, widths))
    for number, (text, width) in enumerate(zip(headers, widths, strict=True)):
        sheet.write_string(_HEADER_ROW, number, text, styles["header"])
        sheet.set_column(number, number, width)


def _total(live: Sheet, column: str, value: Any) -> str:
    """What a total follows from: what the sheet says, else the sum; blank for words, shares and blanks."""
    if pd.isna(value) or live.table.kinds[column] not in _SUMMED:
        return ""
    return live.sums.get(column, f"SUM({{{column}}})")


def _write_checks(sheet: Any, live: Sheet, row: int, styles: dict[str, Any]) -> None:
    for place, column in enumerate(live.table.frame):
        if column in live.checks:
            sheet.write_formula(row, place, live.written(live.checks[column]), styles["total plain"], 0)
        else:
            sheet.write_string(row, place, "" if place else say("workbook.check"), styles["total text"])


def _write_notes(sheet: Any, notes: Sequence[str], row: int, widths: list[float], styles: dict[str, Any]) -> None:
    last, width = len(widths) - 1, sum(widths)
    while width < _NOTE_WIDTH:  # under a narrow table they would fill a page of their own
        last, width = last + 1, width + _PLAIN_WIDTH
    for number, note in enumerate(notes, start=row):
        sheet.merge_range(number, 0, number, last, "", styles["note"])
        sheet.write_string(number, 0, note, styles["note"])  # merge_range alone would take "=…" for a formula
        sheet.set_row(number, row_height([note], [width]))


def _write_form(sheet: Any, form: Grid, heading: str, styles: dict[str, Any]) -> None:
    """A form of cells that span, such as 绩效目标表; what reads as a number is one."""
    widths = [width * _CHARACTERS for width in form.widths]
    sheet.write_string(0, 0, f"{heading}　{form.title}", styles["heading"])
    sheet.set_row(0, 24)
    for place, width in enumerate(widths):
        sheet.set_column(place, place, width)
    taken: set[tuple[int, int]] = set()
    for row, cells in enumerate(form.rows, start=_HEADER_ROW):
        place, heights = 0, [_LINE * 1.6]
        for cell in cells:
            while (row, place) in taken:
                place += 1
            area = (row, place, row + cell.down - 1, place + cell.across - 1)
            taken |= {(r, c) for r in range(area[0], area[2] + 1) for c in range(area[1], area[3] + 1)}
            _write_span(sheet, area, cell, styles)
            heights.append(row_height([cell.text], [sum(widths[area[1] : area[3] + 1])]) if cell.down == 1 else 0)
        sheet.set_row(row, max(heights))
    _write_notes(sheet, form.notes, _HEADER_ROW + len(form.rows) + 1, widths, styles)
    print_setup(sheet, True)


def _write_span(sheet: Any, area: tuple[int, int, int, int], cell: Cell, styles: dict[str, Any]) -> None:
    """A cell of a form, merged where it spans; an amount as a number."""
    plain = cell.text.replace(",", "")
    is_number = cell.align == "right" and plain.isdecimal()
    style = styles["money" if is_number else "form header" if cell.align == "center" else "text"]
    if area[:2] != area[2:]:
        sheet.merge_range(*area, "", style)
    if is_number:
        sheet.write_number(*area[:2], int(plain), style)
    else:
        sheet.write_string(*area[:2], cell.text, style)


def _write_cell(sheet: Any, place: tuple[int, int], value: Any, kind: str, look: tuple[Any, str]) -> None:
    style, formula = look
    if pd.isna(value):
        sheet.write_blank(*place, None, style)
    elif formula:
        sheet.write_formula(*place, formula, style, float(value))
    elif kind == "text" or value == math.inf:
        sheet.write_string(*place, shown(kind, value), style)
    else:
        sheet.write_number(*place, float(value), style)


def row_height(texts: Sequence[str], widths: Sequence[float]) -> float:
    """Height of a row in points, for its longest text wrapped to its column."""
    lines = max(
        sum(math.ceil(_columns(line) / (width - 1)) for line in text.split("\n"))
        for text, width in zip(texts, widths, strict=True)
    )
    return _LINE * max(lines, 1) + 2


def _width(table: Table, column: str) -> float:
    """Column width in characters; a Chinese character takes two."""
    shown = [FORMATS[table.kinds[column]][0].format(v) for v in table.frame[column] if not pd.isna(v)]
    longest = max([_columns(text) for text in shown] + [_columns(column) / 2, 5])
    return min(longest + 3, _WIDEST)


def _columns(text: str) -> int:
    return sum(2 if ord(character) > 0x2E80 else 1 for character in text)


def foot_of(run: str) -> str:
    """The foot of a printed sheet: page numbers, and the run on the left."""
    return (f"&L{say('note.run', run=run)}" if run else "") + say("workbook.footer")


def print_setup(sheet: Any, is_long: bool, header_row: int = _HEADER_ROW) -> None:
    """A4, one page wide; long tables stand upright and fit one page, very long ones lie on as many as they need."""
    if not is_long:
        sheet.set_landscape()
    sheet.set_paper(9)
    sheet.set_margins(left=0.5, right=0.5, top=0.6, bottom=0.6)
    sheet.fit_to_pages(1, 1 if is_long else 0)
    sheet.repeat_rows(header_row)
