"""The tables of the provinces' side, as people read them; invented firms (虚构) are marked under each."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from zjtx_alloc.base.messages import header, say
from zjtx_alloc.base.units import load_units
from zjtx_alloc.firms.book import FirmBook, firm_forms
from zjtx_alloc.firms.steps.conditions import Conditions
from zjtx_alloc.firms.steps.rubric import Rubric
from zjtx_alloc.firms.steps.select import Selection, cut_lines
from zjtx_alloc.firms.table.columns import firm_columns
from zjtx_alloc.firms.table.roll import Firms
from zjtx_alloc.report.table import Table, titled
from zjtx_alloc.rules.programme.forms import Field


def condition_table(conditions: Conditions) -> Table:
    """The rules of a review with their clauses, those switched off too."""
    table = conditions.table()
    table["enabled"] = table["enabled"].map({True: say("firms.on"), False: say("firms.off")})
    return titled("conditions", table[["column", "enabled", "clause", "quote", "effective", "note"]])


def sheet_table(book: FirmBook, name: str, columns: tuple[str, ...] = (), by: str = "", most: int = 10) -> Table:
    """The first rows of a sheet of a firm workbook by a column, the firms' names before what stands beside them.

    Rows and columns that are blank are left out.
    """
    form, names = firm_forms()[name], book.firms.table.set_index("row")["name"]
    shown = {key: field for key, field in form.fields.items() if not columns or key in columns}
    entries = {
        r.row: {field.header: _picked(field, r[key]) for key, field in shown.items()}
        for r in book.entries[name].records
    }
    frame = pd.DataFrame.from_dict(entries, orient="index", columns=[field.header for field in shown.values()])
    frame = frame.dropna(axis=1, how="all").dropna(how="all").convert_dtypes()
    if by and form.fields[by].header in frame:
        frame = frame.sort_values(form.fields[by].header, kind="stable")
    if name == "firms":
        frame.insert(0, firm_columns()["name"].title, names.reindex(frame.index))
    return firm_table(form.title, frame.head(most), book.firms)


def _picked(field: Field, value: Any) -> Any:
    """A value as the sheet shows it; a year is no amount."""
    if field.kind == "year" and value is not None:
        return str(value)
    return next((text for text, code in field.choices.items() if code == value), value)


def tie_table(selection: Selection) -> Table:
    """Equal scores at a cut line, and what decided."""
    ties = _with_names(selection.ties.rename(columns={"selected": "chosen", "score": "tied_score"}))
    ties = ties[["short_name", "city", "tied_score", "tied", "chosen", "decided_by"]]
    return titled("ties", ties, *_rubric_notes(selection.scores.rubric, selection.firms))


def cut_table(selection: Selection) -> Table:
    """How the cut line moves with each weight."""
    lines = _with_names(cut_lines(selection).rename(columns={"step": "weight_step"}))
    lines = lines[["short_name", "indicator", "weight_step", "cut", "changed", "leaving", "entering"]]
    return titled("cuts", lines, *_rubric_notes(selection.scores.rubric, selection.firms))


def firm_table(title: str, frame: pd.DataFrame, firms: Firms, *notes: str) -> Table:
    """A frame that has Chinese headers already, under a Chinese title: numbers to two places, whole ones without, the rest as text."""
    frame = frame.drop(columns=header("note"), errors="ignore").reset_index(drop=True)
    if header("row") in frame:
        frame = frame.astype({header("row"): str})
    kinds: Mapping[str, str] = {str(name): _kind(frame[name]) for name in frame}
    return Table(title, frame, kinds, tuple(dict.fromkeys([*notes, *_marks(firms)])))


def _kind(column: pd.Series) -> str:
    if not pd.api.types.is_numeric_dtype(column):
        return "text"
    return "count" if pd.api.types.is_integer_dtype(column) else "places"


def _with_names(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(short_name=table["unit"].map(load_units()["short_name"]))


def _rubric_notes(rubric: Rubric, firms: Firms) -> tuple[str, ...]:
    return (say("firms.rubric", title=rubric.title), *_marks(firms))


def _marks(firms: Firms) -> tuple[str, ...]:
    return (firms.mark,) if firms.made_up else ()
