"""An empty firm table (企业表) to fill in: every column of the schema, cells that are checked as they are typed."""

from pathlib import Path
from typing import Any

from zjtx_alloc.base.messages import header, say
from zjtx_alloc.base.resources import shipped_table
from zjtx_alloc.base.units import load_units
from zjtx_alloc.firms.table.columns import FirmColumn, choices_of, firm_columns
from zjtx_alloc.report.writers.sheet import Column, Page, Sheet, known_columns
from zjtx_alloc.report.writers.xlsx import write_form

_ROWS = 1000  # that are checked; more may be filled in
_HEADER = 48  # points
_WIDTHS = {"credit_code": 22, "name": 32}  # characters
_KINDS = {"amount": "free number", "percent": "free number", "date": "free date"}


def write_firm_template(path: str | Path) -> Path:
    """Write the empty firm table as ``.xlsx``; filled in, ``load_firms`` reads it as it is.

    Raises
    ------
    ReportError
        If the file exists, since it may hold firms already, or is no ``.xlsx``.
    """
    return write_form(path, say("firm_template.sheet"), [_table(), _guide()])


def _table() -> Sheet:
    columns = {
        column.code: Column(
            column.title, _KINDS.get(column.kind, "free text"), _WIDTHS.get(column.code, 16),
            "needed header" if column.needed else "form header", rule=_validation(column),
        )
        for column in firm_columns().values()
    }  # fmt: skip
    return Sheet(
        say("firm_template.sheet"), columns, [], heading=say("firm_template.sheet"), note=say("firm_template.hint"),
        frozen=list(columns).index("name") + 1, spare=_ROWS, page=Page(header=_HEADER, is_form=True),
    )  # fmt: skip


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


def _guide() -> Sheet:
    columns = {
        "name": Column(header("column"), "text", 30), **known_columns(measure=10),
        "needed": Column(say("firm_template.needed"), "text", 10), **known_columns(note=80),
    }  # fmt: skip
    rows = [
        {
            "name": column.name,
            "measure": column.measure,
            "needed": say("firm_template.yes") if column.needed else "",
            "note": _described(column.code),
        }
        for column in firm_columns().values()
    ]
    return Sheet(
        say("template.notes_sheet"), columns, rows, heading=say("template.how"),
        steps=say("firm_template.steps").split("\n"), frozen=None, page=Page(is_form=True),
    )  # fmt: skip
