"""Workbooks: a sheet a table, form or chart, which beside a table would shrink the printed page; numbers as numbers, codes as text, sums as formulas; ready to print."""

import io
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path
from typing import Any

import xlsxwriter

from zjtx_alloc.base.errors import ReportError
from zjtx_alloc.base.files import check_absent, write_whole
from zjtx_alloc.base.messages import say
from zjtx_alloc.facts.grid import column_letters
from zjtx_alloc.report.run_id import run_line
from zjtx_alloc.report.table import FORMATS, Table
from zjtx_alloc.report.writers import document as manuscript
from zjtx_alloc.report.writers.document import Grid
from zjtx_alloc.report.writers.sheet import FIRST_ROW, Cell, Page, Sheet, cell_of, table_sheet, text_lines

_CREATED = manuscript.CREATED.replace(tzinfo=None)  # xlsxwriter wants it so
_IN_MEMORY = {"in_memory": True}  # not by way of a disk that may be full
_TOP = FIRST_ROW - 2  # of a form under its heading, as xlsxwriter counts
_LINE = 13.5  # points
_STEP = 32  # points: a line of what to do
_CHECK_WIDTH = 15  # characters of the words before a check
_NOTE_WIDTH, _PLAIN_WIDTH = 80, 8.43  # characters: of notes at the least, of a column that is left as it is
_CHARACTERS = 0.52  # of a column, to a millimetre of a form
TONES = {
    "published": "#FFFFFF",
    "estimated": "#FCE4D6",
    "stand-in": "#E4DFEC",
    "blank": "#FFF9E5",
}  # of facts to be changed
_SHARE = {"validate": "decimal", "criteria": "between", "minimum": 0, "maximum": 1}


@dataclass(frozen=True)
class Graph:
    """A chart on a sheet of its own, drawn from another sheet's columns."""

    title: str  # also the name of its sheet
    names: str  # range of the names along the axis
    columns: tuple[str, str]  # label and range of what is drawn as columns
    measure: str  # of the axis
    note: str  # under the chart: assumptions and marks
    marks: tuple[str, str] | tuple[()] = ()  # label and range of what is drawn as marks above them
    crowded: bool = False  # the names are so many that they stand upright


def write_form(path: str | Path, title: str, sheets: Sequence[Sheet]) -> Path:
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
    return write_workbook(path, sheets, title)


def write_workbook(path: Path, parts: Sequence[Table | Sheet | Grid | Graph], heading: str) -> Path:
    """Write tables, sheets, forms and charts, each named by its title, under a common heading; each bears the run's id."""
    content, signature = io.BytesIO(), tuple(filter(None, [run_line()]))
    footer = "".join(f"&L{line}" for line in signature) + say("workbook.footer")
    with xlsxwriter.Workbook(content, _IN_MEMORY) as book:
        book.set_properties({"title": heading, "created": _CREATED})
        styles = _cell_styles(book)
        for part in parts:
            match part:
                case Graph():
                    sheet = _write_graph(book, part, heading)
                case Grid():
                    sheet = _write_grid(book, replace(part, notes=(*part.notes, *signature)), heading, styles)
                case _:
                    sheet = _write_sheet(book, _signed(part, heading, signature), styles)
            if not (isinstance(part, Sheet) and part.page.is_form):
                sheet.set_footer(footer)
    return write_whole(path, content.getvalue())


def _signed(part: Table | Sheet, heading: str, signature: Sequence[str]) -> Sheet:
    """A sheet with its first line, and the run's id where its notes stand."""
    sheet = table_sheet(part) if isinstance(part, Table) else part
    sheet = replace(sheet, heading=sheet.heading or f"{heading}　{sheet.title}")
    if sheet.note:
        return replace(sheet, note="".join([sheet.note, *signature]))
    return replace(sheet, notes=(*sheet.notes, *signature))


def _cell_styles(book: Any) -> dict[str, Any]:
    """The formats of all sheets: heading, note, headers, every kind of cell, plain, in a total and to fill in."""
    font = {"font_name": "等线", "font_size": 10}
    base = font | {"valign": "vcenter"}
    cell = base | {"border": 1, "border_color": "#BFBFBF"}
    small, shaded = base | {"font_size": 9, "font_color": "#555555"}, cell | {"bold": True, "bg_color": "#EEF4F9"}
    form = shaded | {"text_wrap": True, "align": "center"}
    free = cell | {"font_color": "#0000FF", "bg_color": "#FFF9E5", "locked": False}
    fixed = cell | {"num_format": "@", "bg_color": "#F2F2F2"}
    looks = {
        "heading": base | {"bold": True, "font_size": 14},
        "note": small | {"text_wrap": True, "valign": "top"},
        "hint": small,
        "header": shaded | {"text_wrap": True},
        "form header": form,
        "needed header": form | {"bg_color": "#FFE699"},
        "header year": shaded | {"align": "left", "num_format": say("workbook.year_format")},
        "header incomplete": shaded | {"align": "left", "num_format": say("workbook.incomplete_format")},
        "incomplete year": cell | {"num_format": say("workbook.incomplete_year_format")},
        "input percent": free | {"num_format": "0.00##%"},
        "input money": free | {"num_format": "General"},  # "#,##0.##" shows 600 as 600. in Excel
        "input plain": free | {"num_format": "General"}, "input text": free | {"num_format": "@", "text_wrap": True},
        "fixed": fixed, "total fixed": fixed, "choice": cell | {"align": "center"}, "explained": cell | {"text_wrap": True},
        "free text": font | {"num_format": "@"}, "free number": font | {"num_format": "General"},
        "free date": font | {"num_format": "yyyy-mm-dd"},
    }  # fmt: skip
    entry = cell | {"text_wrap": True}
    looks |= {"entry": entry, "entry text": entry | {"num_format": "@", "indent": 1}, "entry count": entry | {"num_format": "#,##0"},
              "entry share": entry, "entry date": entry | {"num_format": "yyyy-mm-dd"}, "entry batch": entry | {"align": "center"}}  # fmt: skip
    for tone, colour in TONES.items():
        for kind in ("count", "places"):
            toned = cell | {"num_format": FORMATS[kind][1], "bg_color": colour}
            looks |= {f"{tone} {kind}": toned, f"input {tone} {kind}": free | toned}
        looks[f"{tone} legend"] = entry | {"bg_color": colour}
    for kind, (_, number) in FORMATS.items():
        looks[kind] = cell | {"num_format": number, "text_wrap": kind == "text", "indent": int(kind == "text")}
        looks[f"total {kind}"] = looks[kind] | {"bold": True, "bg_color": "#F2F2F2"}
    return {name: book.add_format(look) for name, look in looks.items()}


def _write_sheet(book: Any, data: Sheet, styles: dict[str, Any]) -> Any:
    sheet, page, columns = book.add_worksheet(data.title), data.page, list(data.columns.values())
    widths = [column.width for column in columns]
    widths[0] = max(widths[0], _CHECK_WIDTH if data.check else 0)
    _write_head(sheet, data, widths, styles)
    rows = [*data.rows, *data.totals, *([data.check] if data.check else [])]
    for number, row in enumerate(rows, start=data.first):
        cells = [cell_of(row.get(name)) for name in data.columns]
        if not page.is_form:
            texts = [cell.value if isinstance(cell.value, str) and not cell.formula else "" for cell in cells]
            sheet.set_row(number - 1, _row_height(texts, widths))
        elif page.row:
            sheet.set_row(number - 1, page.row)
        for place, (cell, column) in enumerate(zip(cells, columns, strict=True)):
            kind = cell.kind or ("text" if isinstance(cell.value, str) else column.kind)
            look = ("input " if cell.is_input else "total " if number > data.last else "") + kind
            written = data.written(cell.formula, number) if cell.formula else ""
            _write_cell(sheet, (number - 1, place), cell, written, styles[look])
            if cell.is_input and kind == "percent":
                sheet.data_validation(number - 1, place, number - 1, place, _SHARE)
            if cell.name:
                book.define_name(cell.name, f"='{data.title}'!${column_letters(place + 1)}${number}")
    for name, column in data.columns.items():
        if column.name:
            book.define_name(column.name, f"={data.range(name)}")
    _write_notes(sheet, data.notes, data.first + len(rows), widths, styles)
    head = data.first - 2
    if data.frozen is not None:
        sheet.freeze_panes(head + 1, data.frozen)
    if data.is_filtered:
        sheet.autofilter(head, 0, data.last - 1, len(columns) - 1)
    _print_setup(sheet, page, head)
    if page.wide > 1 and data.frozen:
        sheet.repeat_columns(0, data.frozen - 1)
    return sheet


def _write_head(sheet: Any, data: Sheet, widths: list[float], styles: dict[str, Any]) -> None:
    """Heading, steps or note, and headers with the widths of their columns and what may be entered under them."""
    page, columns, head = data.page, list(data.columns.values()), data.first - 2
    last = len(columns) - 1
    sheet.write_string(0, 0, data.heading, styles["heading"])
    if page.heading:
        sheet.set_row(0, page.heading)
    for number, step in enumerate(data.steps, start=1):
        _write_across(sheet, (number, last), step, styles[columns[0].kind])
        sheet.set_row(number, _STEP)
    if data.note and page.is_form:
        sheet.write_string(1, 0, data.note, styles["hint"])
    elif data.note:  # as wide as the columns in sight on the first page
        seen = list(accumulate(0.0 if c.is_helper else width for c, width in zip(columns, widths, strict=True)))
        end = max(bisect_right(seen, seen[-1] / page.wide), 2) - 1
        _write_across(sheet, (1, end), data.note, styles["note"])
        sheet.set_row(1, _row_height([data.note], [seen[end]]))
    texts = [str(column.header) for column in columns]
    if not page.is_form:
        texts = [text.replace("（", "\n（") for text in texts]
    if page.header or not page.is_form:
        sheet.set_row(head, page.header or _row_height(texts, widths))
    for place, (column, text, width) in enumerate(zip(columns, texts, widths, strict=True)):
        look = styles[column.kind] if data.spare else None
        sheet.set_column(place, place, width, look, {"level": 1, "hidden": True} if column.is_helper else {})
        if isinstance(column.header, int):
            sheet.write_number(head, place, column.header, styles[column.look])
        else:
            sheet.write_string(head, place, text, styles[column.look])
        if column.rule:
            sheet.data_validation(head + 1, place, data.last + data.spare - 1, place, dict(column.rule))


def _write_across(sheet: Any, where: tuple[int, int], text: str, style: Any) -> None:
    """A text over all columns up to the last; merge_range alone would take "=…" for a formula."""
    row, last = where
    sheet.merge_range(row, 0, row, last, "", style)
    sheet.write_string(row, 0, text, style)


def _write_notes(sheet: Any, notes: Sequence[str], row: int, widths: list[float], styles: dict[str, Any]) -> None:
    last, width = len(widths) - 1, sum(widths)
    while width < _NOTE_WIDTH:  # under a narrow table they would fill a page of their own
        last, width = last + 1, width + _PLAIN_WIDTH
    for number, note in enumerate(notes, start=row):
        _write_across(sheet, (number, last), note, styles["note"])
        sheet.set_row(number, _row_height([note], [width]))


def _write_cell(sheet: Any, place: tuple[int, int], cell: Cell, formula: str, style: Any) -> None:
    if formula:
        sheet.write_formula(*place, formula, style, cell.value)
    elif cell.value is None:
        sheet.write_blank(*place, None, style)
    elif isinstance(cell.value, str):
        sheet.write_string(*place, cell.value, style)
    else:
        sheet.write_number(*place, float(cell.value), style)


def _write_grid(book: Any, form: Grid, heading: str, styles: dict[str, Any]) -> Any:
    """A form of cells that span, such as 绩效目标表; what reads as a number is one."""
    sheet, widths = book.add_worksheet(form.title), [width * _CHARACTERS for width in form.widths]
    sheet.write_string(0, 0, f"{heading}　{form.title}", styles["heading"])
    sheet.set_row(0, 24)
    for place, width in enumerate(widths):
        sheet.set_column(place, place, width)
    taken: set[tuple[int, int]] = set()
    for row, cells in enumerate(form.rows, start=_TOP):
        place, heights = 0, [_LINE * 1.6]
        for cell in cells:
            while (row, place) in taken:
                place += 1
            area = (row, place, row + cell.down - 1, place + cell.across - 1)
            taken |= {(r, c) for r in range(area[0], area[2] + 1) for c in range(area[1], area[3] + 1)}
            _write_span(sheet, area, cell, styles)
            heights.append(_row_height([cell.text], [sum(widths[area[1] : area[3] + 1])]) if cell.down == 1 else 0)
        sheet.set_row(row, max(heights))
    _write_notes(sheet, form.notes, _TOP + len(form.rows) + 1, widths, styles)
    _print_setup(sheet, Page(landscape=False, pages=1), _TOP)
    return sheet


def _write_span(sheet: Any, area: tuple[int, int, int, int], cell: manuscript.Cell, styles: dict[str, Any]) -> None:
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


def _write_graph(book: Any, graph: Graph, heading: str) -> Any:
    """A chart with its title, its measure on the axis, and the note under it."""
    font, chart = {"name": "等线", "size": 10}, book.add_chart({"type": "column"})
    labels = {"value": True, "font": font | {"size": 9}}
    chart.add_series(_series(graph, graph.columns) | {"fill": {"color": "#0072B2"}, "gap": 40, "data_labels": labels})
    if graph.marks:
        marks, colour = book.add_chart({"type": "line"}), {"color": "#D55E00"}
        marker = {"type": "diamond", "size": 7, "fill": colour, "border": colour}
        marks.add_series(_series(graph, graph.marks) | {"line": {"none": True}, "marker": marker})
        chart.combine(marks)
    title = f"{heading}　{graph.title}".replace("!", "！")  # xlsxwriter takes 甲!B2 for a cell
    chart.set_title({"name": title, "name_font": font | {"size": 14}, "overlay": False})
    chart.set_x_axis(
        {
            "name": graph.note,
            "name_font": font | {"size": 9, "bold": False},
            "num_font": font | ({"rotation": -90} if graph.crowded else {}),
            "interval_unit": 1,
        }
    )
    chart.set_y_axis(
        {"name": graph.measure, "name_font": font, "num_font": font, "num_format": "#,##0", "min": 0,
         "major_gridlines": {"visible": True, "line": {"color": "#E0E0E0"}}}
    )  # fmt: skip
    chart.set_legend({"position": "top", "font": font} if graph.marks else {"none": True})
    sheet = book.add_chartsheet(graph.title)
    sheet.set_chart(chart)
    sheet.set_landscape()
    sheet.set_paper(9)
    return sheet


def _series(graph: Graph, what: tuple[str, str]) -> dict[str, Any]:
    label, values = what
    return {"name": label, "categories": f"={graph.names}", "values": f"={values}"}


def _row_height(texts: Sequence[str], widths: Sequence[float]) -> float:
    """Height of a row in points, for its longest text wrapped to its column."""
    lines = max(
        sum(text_lines(line, width - 1) for line in text.split("\n")) for text, width in zip(texts, widths, strict=True)
    )
    return _LINE * max(lines, 1) + 2


def _print_setup(sheet: Any, page: Page, header: int) -> None:
    """A4, as many pages as the page says, its headers on each."""
    if page.landscape:
        sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(page.wide, page.pages)
    if not page.is_form:
        sheet.set_margins(left=0.5, right=0.5, top=0.6, bottom=0.6)
        sheet.repeat_rows(header)
