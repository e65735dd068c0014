"""An empty table of indicators for the user to fill in: the 37 units, validated cells, notes."""

from pathlib import Path
from typing import Any

from xlsxwriter.utility import xl_col_to_name

from zjtx_alloc.base.messages import header, say, words
from zjtx_alloc.base.resources import shipped_table
from zjtx_alloc.base.units import load_units
from zjtx_alloc.facts.cells import COUNTS
from zjtx_alloc.report.writers.xlsx import write_form

_HEADER_ROW = 2
_FIRST = _HEADER_ROW + 1
_UNIT_COLUMNS = 3  # code, name, scope


def write_template(path: str | Path) -> Path:
    """Write the empty table as ``.xlsx``; filled in, ``load_panel`` reads it as it is.

    Raises
    ------
    ReportError
        If the file exists, since it may hold numbers already, or is no ``.xlsx``.
    """
    return write_form(path, say("template.title"), _fill)


def _fill(book: Any) -> None:
    _write_table(book)
    _write_notes(book)


def _indicators() -> Any:
    indicators = shipped_table("indicators.csv", "code")
    return indicators[indicators["template"] == "1"]


def _write_table(book: Any) -> None:
    sheet, units, indicators = book.add_worksheet(say("template.sheet")), load_units(), _indicators()
    look = _looks(book)
    last = _FIRST + len(units) - 1
    kinds = ["count" if measure in COUNTS else "amount" for measure in indicators["measure"]]
    sheet.write_string(0, 0, say("template.title"), look["title"])
    sheet.write_string(1, 0, say("template.hint"), look["hint"])
    headers = [header("code"), header("short_name"), say("intake.scope_column")]
    headers += [f"{row['name']}\n（{row['measure']}）" for _, row in indicators.iterrows()]
    for place, text in enumerate(headers):
        sheet.write_string(_HEADER_ROW, place, text, look["header"])
    for row, (code, unit) in enumerate(units.iterrows(), start=_FIRST):
        sheet.write_string(row, 0, str(code), look["fixed"])
        sheet.write_string(row, 1, unit["short_name"], look["fixed"])
        sheet.write_blank(row, 2, None, look["text"])
        for place, kind in enumerate(kinds, start=_UNIT_COLUMNS):
            sheet.write_blank(row, place, None, look[kind])
    sheet.write_string(last + 1, 0, words("totals")[0], look["fixed"])
    sheet.write_blank(last + 1, 1, None, look["fixed"])
    sheet.write_blank(last + 1, 2, None, look["fixed"])
    for place, (kind, (_, row)) in enumerate(zip(kinds, indicators.iterrows(), strict=True), start=_UNIT_COLUMNS):
        column = xl_col_to_name(place)
        formula = f"=SUM({column}{_FIRST + 1}:{column}{last + 1})"
        sheet.write_formula(last + 1, place, formula, look[f"{kind} total"], 0)
        sheet.data_validation(_FIRST, place, last, place, _validation(row))
    scope = {"validate": "list", "source": [words("province_scopes")[0]], "input_title": say("intake.scope_column"),
             "input_message": say("template.scope"), "error_message": say("remedy.scope")}  # fmt: skip
    sheet.data_validation(_FIRST, 2, last, 2, scope)
    sheet.set_row(_HEADER_ROW, 48)
    sheet.set_column(0, 2, 10)
    sheet.set_column(_UNIT_COLUMNS, len(headers) - 1, 17)
    sheet.freeze_panes(_FIRST, 2)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 1)


def _validation(indicator: Any) -> dict[str, Any]:
    """Counts take whole numbers, the rest any number; none takes a negative one."""
    is_count = indicator["measure"] in COUNTS
    return {
        "validate": "integer" if is_count else "decimal",
        "criteria": ">=",
        "value": 0,
        "input_title": indicator["name"][:32],
        "input_message": indicator["description"][:255],
        "error_title": say("template.wrong"),
        "error_message": say("template.count" if is_count else "template.number", measure=indicator["measure"]),
    }


def _write_notes(book: Any) -> None:
    sheet, look = book.add_worksheet(say("template.notes_sheet")), _looks(book)
    sheet.set_column(0, 0, 34)
    sheet.set_column(1, 1, 10)
    sheet.set_column(2, 2, 80)
    sheet.write_string(0, 0, say("template.how"), look["title"])
    lines = say("template.steps").split("\n")
    for row, line in enumerate(lines, start=1):
        sheet.merge_range(row, 0, row, 2, line, look["note"])
        sheet.set_row(row, 32)
    start = len(lines) + 2
    for place, text in enumerate((header("indicator"), header("measure"), header("note"))):
        sheet.write_string(start, place, text, look["header"])
    for row, (_, indicator) in enumerate(_indicators().iterrows(), start=start + 1):
        for place, name in enumerate(("name", "measure", "description")):
            sheet.write_string(row, place, indicator[name], look["note"])
        sheet.set_row(row, 32)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 1)


def _looks(book: Any) -> dict[str, Any]:
    base = {"font_name": "等线", "font_size": 10, "valign": "vcenter"}
    cell = base | {"border": 1, "border_color": "#BFBFBF"}
    return {
        "title": book.add_format(base | {"bold": True, "font_size": 14}),
        "hint": book.add_format(base | {"font_size": 9, "font_color": "#555555"}),
        "header": book.add_format(cell | {"bold": True, "text_wrap": True, "align": "center", "bg_color": "#EEF4F9"}),
        "fixed": book.add_format(cell | {"num_format": "@", "bg_color": "#F2F2F2"}),
        "text": book.add_format(cell | {"align": "center"}),
        "count": book.add_format(cell | {"num_format": "#,##0"}),
        "amount": book.add_format(cell | {"num_format": "#,##0.00"}),
        "count total": book.add_format(cell | {"num_format": "#,##0", "bold": True, "bg_color": "#F2F2F2"}),
        "amount total": book.add_format(cell | {"num_format": "#,##0.00", "bold": True, "bg_color": "#F2F2F2"}),
        "note": book.add_format(cell | {"text_wrap": True}),
    }
