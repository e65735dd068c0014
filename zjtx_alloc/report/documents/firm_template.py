"""An empty firm table (企业表) to fill in: every column of the schema, cells that are checked as they are typed."""

from pathlib import Path
from typing import Any

from zjtx_alloc.base.messages import header, say
from zjtx_alloc.base.resources import shipped_table
from zjtx_alloc.base.units import load_units
from zjtx_alloc.firms.table.columns import FirmColumn, choices_of, firm_columns
from zjtx_alloc.report.writers.xlsx import cell_styles, write_form

_ROWS = 1000  # that are checked; more may be filled in
_HEADER_ROW = 2
_WIDTHS = {"credit_code": 22, "name": 32}  # characters


def write_firm_template(path: str | Path) -> Path:
    """Write the empty firm table as ``.xlsx``; filled in, ``load_firms`` reads it as it is.

    Raises
    ------
    ReportError
        If the file exists, since it may hold firms already, or is no ``.xlsx``.
    """
    return write_form(path, say("firm_template.sheet"), _fill)


def _fill(book: Any) -> None:
    styles = cell_styles(book)
    _write_table(book, styles)
    _write_notes(book, styles)


def _write_table(book: Any, styles: dict[str, Any]) -> None:
    sheet, columns = book.add_worksheet(say("firm_template.sheet")), firm_columns()
    sheet.write_string(0, 0, say("firm_template.sheet"), styles["heading"])
    sheet.write_string(1, 0, say("firm_template.hint"), styles["hint"])
    text = book.add_format({"font_name": "等线", "font_size": 10, "num_format": "@"})
    number = book.add_format({"font_name": "等线", "font_size": 10, "num_format": "General"})
    day = book.add_format({"font_name": "等线", "font_size": 10, "num_format": "yyyy-mm-dd"})
    looks = {"amount": number, "percent": number, "date": day}
    for place, column in enumerate(columns.values()):
        sheet.write_string(
            _HEADER_ROW, place, column.title, styles["needed header" if column.needed else "form header"]
        )
        sheet.set_column(place, place, _WIDTHS.get(column.code, 16), looks.get(column.kind, text))
        if rule := _validation(column):
            sheet.data_validation(_HEADER_ROW + 1, place, _HEADER_ROW + _ROWS, place, rule)
    sheet.set_row(_HEADER_ROW, 48)
    sheet.freeze_panes(_HEADER_ROW + 1, list(columns).index("name") + 1)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)


def _validation(column: FirmColumn) -> dict[str, Any]:
    """What a cell takes; where several choices may stand in one cell, the list only offers them."""
    wrong = {"error_title": say("template.wrong"), "error_message": _described(column.code)[:255]}
    match column.kind:
        case "choice" | "choices":
            lenient = {"error_type": "information"} if column.kind == "choices" else {}
            return {"validate": "list", "source": list(choices_of(column.code).values())} | wrong | lenient
        case "unit":
            return {"validate": "list", "source": load_units()["short_name"].tolist()} | wrong
        case "amount":
            return {"validate": "decimal", "criteria": ">=", "value": 0} | wrong
        case "percent":
            return {"validate": "decimal", "criteria": "between", "minimum": 0, "maximum": 100} | wrong
        case _:
            return {}


def _described(code: str) -> str:
    return str(shipped_table("firm_columns.csv", "code").at[code, "description"])


def _write_notes(book: Any, styles: dict[str, Any]) -> None:
    sheet = book.add_worksheet(say("template.notes_sheet"))
    sheet.set_column(0, 0, 30)
    sheet.set_column(1, 2, 10)
    sheet.set_column(3, 3, 80)
    sheet.write_string(0, 0, say("template.how"), styles["heading"])
    lines = say("firm_template.steps").split("\n")
    for row, line in enumerate(lines, start=1):
        sheet.merge_range(row, 0, row, 3, line, styles["text"])
        sheet.set_row(row, 32)
    start = len(lines) + 2
    for place, text in enumerate((header("column"), header("measure"), say("firm_template.needed"), header("note"))):
        sheet.write_string(start, place, text, styles["header"])
    for row, column in enumerate(firm_columns().values(), start=start + 1):
        needed = say("firm_template.yes") if column.needed else ""
        for place, text in enumerate((column.name, column.measure, needed, _described(column.code))):
            sheet.write_string(row, place, text, styles["text"])
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
