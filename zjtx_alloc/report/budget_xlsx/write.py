"""``budget.xlsx``: a budget that recalculates; each formula carries the value that Python found."""

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import xlsxwriter

from zjtx_alloc.base.files import write_whole
from zjtx_alloc.base.messages import say
from zjtx_alloc.budget.plan import BudgetPlan
from zjtx_alloc.report.budget_xlsx.actuals import actuals_sheet
from zjtx_alloc.report.budget_xlsx.assumptions import assumption_inputs, assumption_sheet
from zjtx_alloc.report.budget_xlsx.cells import FIRST_ROW, Given, Live, LiveSheet, letter
from zjtx_alloc.report.budget_xlsx.firms import batches, firms_sheet
from zjtx_alloc.report.budget_xlsx.ledger import ledger_sheet
from zjtx_alloc.report.budget_xlsx.years import scenario_sheet, unit_year_sheet
from zjtx_alloc.report.notes.marks import budget_marks
from zjtx_alloc.report.writers.xlsx import (
    CHECK_WIDTH,
    CREATED,
    IN_MEMORY,
    cell_styles,
    foot_of,
    print_setup,
    row_height,
)

_HEADER = FIRST_ROW - 2  # rows as xlsxwriter counts them
_SHARE = {"validate": "decimal", "criteria": "between", "minimum": 0, "maximum": 1}


def write_budget_workbook(path: Path, plan: BudgetPlan, found: pd.DataFrame | None = None, run: str = "") -> Path:
    """Write the workbook; ``found`` is what ``za.reconcile`` says of the booked ledger, if transfers are known; ``run`` its id."""
    heading = say("workbook.budget_heading", names="、".join(c.label for c in batches(plan)))
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, IN_MEMORY) as book:
        book.set_properties({"title": heading, "created": CREATED})
        styles = cell_styles(book) | _input_styles(book)
        told = "".join([*budget_marks(plan.allocations), say("note.run", run=run) if run else ""])
        for sheet in budget_sheets(plan, found):
            _write(book, replace(sheet, note=f"{sheet.note}{told}"), heading, styles).set_footer(foot_of(run))
    return write_whole(path, content.getvalue())


def budget_sheets(plan: BudgetPlan, found: pd.DataFrame | None = None) -> list[LiveSheet]:
    """The sheets in their order: assumptions first, what officials read next, the working behind them last."""
    firms = firms_sheet(plan)
    ledgers = [ledger_sheet(plan, number) for number in range(len(plan.assumptions))]
    sizes = [sheet.last_row for sheet in ledgers]
    money = [
        unit_year_sheet(plan, sizes[0]),
        ledgers[0],
        scenario_sheet(plan, sizes, assumption_inputs(plan)),
        actuals_sheet(plan, sizes[0], found),
    ]
    sheets = [*money, firms, *ledgers[1:]]
    checks = [cell for sheet in sheets for cell in _check_cells(sheet)]
    return [assumption_sheet(plan, checks), *sheets]


def _check_cells(sheet: LiveSheet) -> list[str]:
    """The cells of a sheet that must be zero."""
    if not sheet.tail:
        return []
    row = sheet.last_row + len(sheet.tail)
    return [
        f"'{sheet.title}'!{letter(place)}{row}" for place, cell in enumerate(sheet.tail[-1]) if isinstance(cell, Live)
    ]


def _input_styles(book: Any) -> dict[str, Any]:
    look = {"font_name": "等线", "font_size": 10, "valign": "vcenter", "border": 1, "border_color": "#BFBFBF"}
    free = look | {"font_color": "#0000FF", "bg_color": "#FFF9E5", "locked": False}
    header = look | {"bold": True, "bg_color": "#EEF4F9", "align": "left"}
    return {
        "input percent": book.add_format(free | {"num_format": "0.00##%"}),
        "input money": book.add_format(free | {"num_format": "General"}),  # "#,##0.##" shows 600 as 600. in Excel
        "input plain": book.add_format(free | {"num_format": "General"}),
        "incomplete year": book.add_format(look | {"num_format": say("workbook.incomplete_year_format")}),
        "header year": book.add_format(header | {"num_format": say("workbook.year_format")}),
        "header incomplete": book.add_format(header | {"num_format": say("workbook.incomplete_format")}),
    }


def _write(book: Any, table: LiveSheet, heading: str, styles: dict[str, Any]) -> Any:
    sheet = book.add_worksheet(table.title)
    widths = [column.width for column in table.columns]
    widths[0] = max(widths[0], CHECK_WIDTH if table.tail else 0)
    sheet.write_string(0, 0, f"{heading}　{table.title}", styles["heading"])
    _write_note(sheet, table, widths, styles["note"])
    for place, (column, width) in enumerate(zip(table.columns, widths, strict=True)):
        hidden = {"level": 1, "hidden": True} if column.is_helper else {}
        sheet.set_column(place, place, width, None, hidden)
        if isinstance(column.header, int):
            style = styles["header incomplete" if column.is_incomplete else "header year"]
            sheet.write_number(_HEADER, place, column.header, style)
        else:
            sheet.write_string(_HEADER, place, column.header.replace("（", "\n（"), styles["header"])
    sheet.set_row(_HEADER, row_height([str(c.header).replace("（", "\n（") for c in table.columns], widths))
    for row, line in enumerate([*table.rows, *table.tail], start=_HEADER + 1):
        total = "total " if row > _HEADER + len(table.rows) else ""
        texts = [cell if isinstance(cell, str) else "" for cell in line]
        sheet.set_row(row, row_height(texts, widths))
        for place, (cell, column) in enumerate(zip(line, table.columns, strict=True)):
            kind = getattr(cell, "kind", "") or ("text" if isinstance(cell, str) else column.kind)
            is_input = isinstance(cell, Given) and cell.is_input
            _write_cell(sheet, (row, place), cell, styles[("input " if is_input else total) + kind])
            if is_input and kind == "percent":
                sheet.data_validation(row, place, row, place, _SHARE)
            if name := getattr(cell, "name", ""):
                book.define_name(name, f"='{table.title}'!${letter(place)}${row + 1}")
    sheet.freeze_panes(_HEADER + 1, table.frozen)
    if table.tail:
        sheet.autofilter(_HEADER, 0, _HEADER + len(table.rows), len(table.columns) - 1)
    print_setup(sheet, False, _HEADER)
    return sheet


def _write_note(sheet: Any, table: LiveSheet, widths: list[float], style: Any) -> None:
    """The note above the header, as wide as the columns in sight and as high as it needs."""
    seen = [0.0 if column.is_helper else width for column, width in zip(table.columns, widths, strict=True)]
    sheet.merge_range(1, 0, 1, len(seen) - 1, "", style)
    sheet.write_string(1, 0, table.note, style)  # merge_range alone would take "=…" for a formula
    sheet.set_row(1, row_height([table.note], [sum(seen)]))


def _write_cell(sheet: Any, place: tuple[int, int], cell: Any, style: Any) -> None:
    match cell:
        case Live(formula, value):
            sheet.write_formula(*place, f"={formula}", style, value)
        case Given(value):
            sheet.write_number(*place, value, style)
        case str():
            sheet.write_string(*place, cell, style)
        case None:
            sheet.write_blank(*place, None, style)
        case _:
            sheet.write_number(*place, float(cell), style)
