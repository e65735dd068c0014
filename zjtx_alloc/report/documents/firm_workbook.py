"""A province's firm workbook (企业工作簿), empty or with invented firms to try it, and its copies stage by stage."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from zjtx_alloc.base.errors import DataError
from zjtx_alloc.base.messages import header, say
from zjtx_alloc.base.resources import shipped_table
from zjtx_alloc.base.units import load_units
from zjtx_alloc.firms.book import EXAMPLES, firm_forms
from zjtx_alloc.firms.made_up import made_up_table
from zjtx_alloc.firms.rubric_rows import rubric_rows
from zjtx_alloc.firms.stages import SWITCHES, Stage
from zjtx_alloc.firms.steps.rubric import load_rubric
from zjtx_alloc.firms.table.columns import FirmColumn, as_read, choices_of, firm_columns
from zjtx_alloc.firms.table.reading import RESULTS
from zjtx_alloc.firms.table.roll import Firms
from zjtx_alloc.report.writers.sheet import Cell, Column, Page, Sheet, known_columns
from zjtx_alloc.report.writers.user_sheet import write_results_into_copy
from zjtx_alloc.report.writers.xlsx import write_form
from zjtx_alloc.rules.award import award_in_force
from zjtx_alloc.rules.programme.forms import Field

_ROWS = 1000  # that are checked; more may be filled in
_HEADER = 48  # points
_WIDTHS = {"credit_code": 22, "name": 32}  # characters
_KINDS = {"amount": "free number", "percent": "free number", "date": "free date"}
_FIELD_KINDS = {
    **dict.fromkeys(("number", "whole", "positive", "money", "rate", "year", "batch"), "free number"),
    "date": "free date",
}
_MADE_UP_DAY = date(2024, 7, 31)
_PLACES = 3, 2  # of so many invented firms so many have a place


def write_firm_workbook(
    path: str | Path, unit: str | None = None, batch: int = 1, made_up: int = 0, seed: int = 1
) -> Path:
    """Write a firm workbook as ``.xlsx``: empty, or with invented firms (虚构) to try it.

    Parameters
    ----------
    path : str or Path
    unit : str, optional
        Code of the province-level unit.
    batch : int
    made_up, seed : int
        How many invented firms, and their seed.

    Raises
    ------
    ReportError
        If the file exists, since it may hold firms already, or is no ``.xlsx``.
    """
    basics: dict[str, Any] = {"province": unit and load_units().at[unit, "short_name"], "batch": batch}
    firms: list[dict[str, Any]] = []
    if made_up:
        day = _MADE_UP_DAY.replace(year=award_in_force(batch).opening_year(batch))
        firms = _firm_rows(made_up_table(seed, made_up, day, unit))
        basics |= {"as_of": f"{day}", "quota": made_up * _PLACES[1] // _PLACES[0], "seed": seed}
        basics |= dict.fromkeys(SWITCHES, say("firms.off"))
    return _written(path, basics, firms, say("firms.made_up") if made_up else "")


def write_table_as_workbook(path: Path, firms: Firms, batch: int, columns: Mapping[str, Any]) -> Path:
    """Write a firm workbook as ``.xlsx`` with the firms of one unit's firm table; ``columns`` are written beside each firm.

    Raises
    ------
    DataError
        If the firms are not all of one unit.
    """
    units = load_units()["short_name"][firms.table["unit"].unique()]
    if len(units) != 1:
        raise DataError(say("firm_book.one_unit", units="、".join(units)))
    beside = {f"_{name}": value for name, value in columns.items()}
    rows = [
        {code: _typed(code, value) for code, value in row.items() if code in firm_columns() and not pd.isna(value)}
        | beside
        for row in firms.table.drop(columns=list(RESULTS), errors="ignore").to_dict("records")
    ]
    return _written(path, {"province": units.iloc[0], "batch": batch}, rows, firms.mark)


def _typed(code: Any, value: Any) -> Any:
    """A value as a cell of 企业 holds it: numbers as they are, the rest as people read it."""
    if code == "unit":
        return load_units().at[value, "short_name"]
    return value if isinstance(value, float) else as_read(code, value)


def _written(path: str | Path, basics: Mapping[str, Any], firms: Sequence[Mapping[str, Any]], mark: str) -> Path:
    filled: dict[str, Sequence[Mapping[str, Any]]] = {
        "basics": [basics],
        **{name: [*rubric_rows(load_rubric(example))] for name, example in EXAMPLES.items()},
        "grants": [{"payment": code, "share": "0.6", "floor": 200, "cap": 400} for code in ("opening", "closing")],
    }
    sheets = [
        _firm_sheet(firms) if name == "firms" else _form_sheet(name, filled.get(name, ())) for name in firm_forms()
    ]
    sheets = [replace(sheet, heading=sheet.title + (f"（{mark}）" if mark else "")) for sheet in sheets]
    first = [sheet for sheet in sheets if sheet.title == firm_forms()["firms"].title]
    rest = [sheet for sheet in sheets if sheet not in first]
    return write_form(path, say("firm_book.title") + mark, [_guide(mark), rest[0], *first, *rest[1:]])


def write_stage(file: str | Path, out: str | Path, stage: Stage) -> Path:
    """Write a copy of a firm workbook with the results of a stage beside its inputs.

    Raises
    ------
    ReportError
        If the copy exists, or is no ``.xlsx``.
    """
    titled = {firm_forms()[name].title: _shown(name, frame) for name, frame in stage.cells.items()}
    return write_results_into_copy(Path(file), Path(out), titled)


def _shown(form: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Cells under the headers of their sheet, choices as people read them."""
    fields, columns = firm_forms()[form].fields, {}
    for name, values in frame.items():
        field = fields[str(name)]
        shown = {code: text for text, code in field.choices.items()}
        columns[field.header] = values.map(lambda value, shown=shown: shown.get(value, value)) if shown else values
    return pd.DataFrame(columns, index=frame.index)


def _firm_rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    codes = {column.title: code for code, column in firm_columns().items()}
    return [
        {codes[str(title)]: f"{cell}" if isinstance(cell, date) else cell for title, cell in row.items()}
        for row in table.to_dict("records")
    ]


def _firm_sheet(rows: Sequence[Mapping[str, Any]]) -> Sheet:
    columns = {
        column.code: Column(
            column.title, _KINDS.get(column.kind, "free text"), _WIDTHS.get(column.code, 16),
            "needed header" if column.needed else "form header", rule=_validation(column),
        )
        for column in firm_columns().values() if column.code not in RESULTS
    }  # fmt: skip
    beside = {f"_{name}": _column(field) for name, field in firm_forms()["firms"].fields.items()}
    cells = [{name: _cell(value, (columns | beside)[name].kind) for name, value in row.items()} for row in rows]
    return Sheet(
        firm_forms()["firms"].title, columns | beside, cells,
        note=say("firm_book_sheet.firms"), frozen=list(columns).index("name") + 1, spare=_ROWS,
        page=Page(header=_HEADER, is_form=True, wide=3),
    )  # fmt: skip


def _form_sheet(name: str, rows: Sequence[Mapping[str, Any]]) -> Sheet:
    form = firm_forms()[name]
    columns = {key: _column(field) for key, field in form.fields.items()}
    lines = []
    for row in rows:
        shown = {key: _choice(form.fields[key], value) for key, value in row.items() if value is not None}
        lines.append({key: _cell(value, columns[key].kind) for key, value in shown.items()})
    return Sheet(
        form.title, columns, lines, note=say(f"firm_book_sheet.{name}"), frozen=None, spare=_ROWS,
        page=Page(header=_HEADER, is_form=True),
    )  # fmt: skip


def _column(field: Field) -> Column:
    rule: dict[str, Any] = {"validate": "any", "input_title": field.header[:32], "input_message": field.remark[:255]}
    if field.choices:
        rule |= {"validate": "list", "source": list(field.choices), "error_title": say("template.wrong")}
    kind = _FIELD_KINDS.get(field.kind, "free text")
    return Column(field.header, kind, field.width, "needed header" if field.needed else "form header", rule=rule)


def _choice(field: Field, value: Any) -> Any:
    return next((text for text, code in field.choices.items() if code == value), value)


def _cell(value: Any, kind: str) -> Cell | None:
    """A value as the sheet holds it; what reads as a decimal is a number."""
    if value is None or value == "":
        return None
    if kind == "free number" and isinstance(value, str):
        return Cell(float(value), kind=kind)
    return Cell(value, kind=kind if isinstance(value, str) else "free number")


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


def _guide(mark: str) -> Sheet:
    """What to do, and what each column of each sheet is."""
    columns = {
        "sheet": Column(say("intake.sheet_name"), "text", 12), "name": Column(header("column"), "text", 30),
        **known_columns(measure=10), "role": Column(say("firm_template.role"), "text", 8), "needed": Column(say("firm_template.needed"), "text", 10), **known_columns(note=80),
    }  # fmt: skip
    title, yes = firm_forms()["firms"].title, say("firm_template.yes")
    rows = [
        {"sheet": title, "name": column.name, "measure": column.measure, "role": say("firm_role.input"), "needed": yes if column.needed else "", "note": _described(column.code)}
        for column in firm_columns().values() if column.code not in RESULTS
    ]  # fmt: skip
    rows += [
        {"sheet": form.title, "name": field.header, "measure": "", "role": say(f"firm_role.{field.role}"), "needed": yes if field.needed else "", "note": field.remark}
        for form in firm_forms().values() for field in form.fields.values()
    ]  # fmt: skip
    return Sheet(
        say("template.notes_sheet"), columns, rows, heading=say("firm_book.title") + mark,
        steps=say("firm_template.steps").split("\n"), frozen=None, page=Page(is_form=True),
    )  # fmt: skip
