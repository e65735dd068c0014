"""An empty table of indicators for the user to fill in: the 37 units, validated cells, notes."""

from pathlib import Path
from typing import Any

import pandas as pd

from zjtx_alloc.base.messages import header, say, words
from zjtx_alloc.base.resources import shipped_table
from zjtx_alloc.base.units import load_units
from zjtx_alloc.facts.cells import COUNTS
from zjtx_alloc.report.writers.sheet import Cell, Column, Page, Sheet, sums_of
from zjtx_alloc.report.writers.xlsx import write_form

_HEADER = 48  # points


def write_template(path: str | Path) -> Path:
    """Write the empty table as ``.xlsx``; filled in, ``load_panel`` reads it as it is.

    Raises
    ------
    ReportError
        If the file exists, since it may hold numbers already, or is no ``.xlsx``.
    """
    indicators = shipped_table("indicators.csv", "code")
    indicators = indicators[indicators["template"] == "1"]
    return write_form(path, say("template.title"), [_table(indicators), _guide(indicators)])


def _table(indicators: pd.DataFrame) -> Sheet:
    scope = {"validate": "list", "source": [words("province_scopes")[0]], "input_title": say("intake.scope_column"),
             "input_message": say("template.scope"), "error_message": say("remedy.scope")}  # fmt: skip
    columns = {
        "code": Column(header("code"), "fixed", 10, "form header"),
        "unit": Column(header("short_name"), "fixed", 10, "form header"),
        "scope": Column(say("intake.scope_column"), "choice", 10, "form header", rule=scope),
    }
    for code, row in indicators.iterrows():
        kind, text = "count" if row["measure"] in COUNTS else "places", f"{row['name']}\n（{row['measure']}）"
        columns[str(code)] = Column(text, kind, 17, "form header", rule=_validation(row))
    empty = dict.fromkeys(map(str, indicators.index))
    rows = [
        {"code": Cell(str(code), kind="fixed"), "unit": Cell(unit["short_name"], kind="fixed"), **empty}
        for code, unit in load_units().iterrows()
    ]
    total = {"code": Cell(words("totals")[0], kind="fixed"), "scope": Cell(None, kind="fixed")}
    return Sheet(
        say("template.sheet"), columns, rows, [total | sums_of(rows, list(empty), fixed="")],
        heading=say("template.title"), note=say("template.hint"), page=Page(pages=1, header=_HEADER, is_form=True),
    )  # fmt: skip


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


def _guide(indicators: pd.DataFrame) -> Sheet:
    columns = {
        name: Column(header(text), "explained", width, "form header")
        for name, text, width in (("name", "indicator", 34), ("measure", "measure", 10), ("description", "note", 80))
    }
    rows = [{name: Cell(row[name], kind="explained") for name in columns} for _, row in indicators.iterrows()]
    return Sheet(
        say("template.notes_sheet"), columns, rows, heading=say("template.how"),
        steps=say("template.steps").split("\n"), frozen=None, page=Page(pages=1, row=32, is_form=True),
    )  # fmt: skip
