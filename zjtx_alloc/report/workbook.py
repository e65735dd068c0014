"""``report.xlsx``: one sheet a table, numbers as numbers, codes as text, ready to print."""

import io
import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
import xlsxwriter

from zjtx_alloc.files import write_whole
from zjtx_alloc.messages import say
from zjtx_alloc.report.tables import FORMATS, Table, shown

CREATED = datetime(2024, 6, 14)  # the notice's date: a fixed one, so that the same inputs give the same bytes
_HEADER_ROW = 2
_WIDEST = 40  # characters
_LINE = 13.5  # points
_LONG_TABLE = 25  # rows
_FIXED_COLUMNS = 2


def write_workbook(path: Path, tables: list[Table], heading: str, run: str = "") -> Path:
    """Write the tables, a sheet each named by its title, under a common heading; each bears the id of the run."""
    content = io.BytesIO()
    with xlsxwriter.Workbook(content) as book:
        book.set_properties({"title": heading, "created": CREATED})
        styles = cell_styles(book)
        told = [say("note.run", run=run)] if run else []
        for table in tables:
            sheet = book.add_worksheet(table.title)
            _write_sheet(sheet, replace(table, notes=(*table.notes, *told)), heading, styles)
            sheet.set_footer(foot_of(run))
    return write_whole(path, content.getvalue())


def cell_styles(book: Any) -> dict[str, Any]:
    """The formats of all sheets: heading, note, header, and every kind of cell, plain and in a total."""
    base = {"font_name": "等线", "font_size": 10, "valign": "vcenter"}
    cell = base | {"border": 1, "border_color": "#BFBFBF"}
    styles = {
        "heading": book.add_format(base | {"bold": True, "font_size": 14}),
        "note": book.add_format(base | {"font_size": 9, "font_color": "#555555", "text_wrap": True, "valign": "top"}),
        "hint": book.add_format(base | {"font_size": 9, "font_color": "#555555"}),
        "header": book.add_format(cell | {"bold": True, "text_wrap": True, "bg_color": "#EEF4F9"}),
    }
    for kind, (_, number) in FORMATS.items():
        look = cell | {"num_format": number, "text_wrap": kind == "text", "indent": int(kind == "text")}
        styles[kind] = book.add_format(look)
        styles[f"total {kind}"] = book.add_format(look | {"bold": True, "bg_color": "#F2F2F2"})
    return styles


def _write_sheet(sheet: Any, table: Table, heading: str, styles: dict[str, Any]) -> None:
    columns = list(table.frame.columns)
    headers = [column.replace("（", "\n（") for column in columns]
    widths = [_width(table, column) for column in columns]
    sheet.write_string(0, 0, f"{heading}　{table.title}", styles["heading"])
    sheet.set_row(0, 24)
    sheet.set_row(_HEADER_ROW, row_height(headers, widths))
    for number, (text, width) in enumerate(zip(headers, widths, strict=True)):
        sheet.write_string(_HEADER_ROW, number, text, styles["header"])
        sheet.set_column(number, number, width)
    for number, row in enumerate(table.frame.itertuples(index=False), start=_HEADER_ROW + 1):
        is_total = table.has_total and number == _HEADER_ROW + len(table.frame)
        sheet.set_row(
            number,
            row_height([v if table.kinds[c] == "text" else "" for c, v in zip(columns, row, strict=True)], widths),
        )
        for place, (column, value) in enumerate(zip(columns, row, strict=True)):
            kind = table.kinds[column]
            _write_cell(sheet, (number, place), value, kind, styles[f"total {kind}" if is_total else kind])
    last = max(len(columns) - 1, 1)
    for number, note in enumerate(table.notes, start=_HEADER_ROW + len(table.frame) + 2):
        sheet.merge_range(number, 0, number, last, note, styles["note"])
        sheet.set_row(number, row_height([note], [max(sum(widths), 2 * widths[0])]))
    sheet.freeze_panes(_HEADER_ROW + 1, _FIXED_COLUMNS if len(columns) > _FIXED_COLUMNS + 1 else 0)
    print_setup(sheet, len(table.frame) > _LONG_TABLE)


def _write_cell(sheet: Any, place: tuple[int, int], value: Any, kind: str, style: Any) -> None:
    if pd.isna(value):
        sheet.write_blank(*place, None, style)
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
    """A4, one page wide; long tables stand upright and fit one page."""
    if not is_long:
        sheet.set_landscape()
    sheet.set_paper(9)
    sheet.set_margins(left=0.5, right=0.5, top=0.6, bottom=0.6)
    sheet.fit_to_pages(1, 1 if is_long else 0)
    sheet.repeat_rows(header_row)
    sheet.set_footer(say("workbook.footer"))
