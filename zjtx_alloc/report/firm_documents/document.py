"""The documents of the provinces' side by their kind: forms in ``data/firm_documents.toml``, filled from a dossier."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from zjtx_alloc.base.errors import DataError
from zjtx_alloc.base.files import write_whole
from zjtx_alloc.base.messages import header, say
from zjtx_alloc.base.resources import shipped_toml
from zjtx_alloc.base.units import NATION
from zjtx_alloc.firms.table.columns import firm_columns
from zjtx_alloc.report.firm_documents import of_evaluation, of_money, of_plan, of_review
from zjtx_alloc.report.firm_documents.dossier import Dossier
from zjtx_alloc.report.firm_documents.fillings import (
    Filling,
    listed,
    money,
    numbered,
    percent,
    sentence,
    with_spoken_days,
)
from zjtx_alloc.report.table import Table
from zjtx_alloc.report.writers.document import (
    LANDSCAPE,
    NUMERALS,
    PORTRAIT,
    Annex,
    Cell,
    Grid,
    Manuscript,
    Section,
    grid_of,
)
from zjtx_alloc.report.writers.docx import docx_file

PLAN = "plan"  # 工作实施方案
_FORMS = "firm_documents.toml"
_NUMBER = re.compile(r"[\d,.]*")
_ROWS = 12  # of a form that is empty
_FILLINGS: dict[str, Callable[[Dossier], Filling]] = {
    PLAN: of_plan.plan,
    "summary-tables": of_plan.plan,
    "firm-sheets": of_plan.plan,
    "submissions": of_plan.submissions,
    "measures": of_plan.measures,
    "list-notice": of_review.list_notice,
    "opinion": of_review.opinion,
    "money-proposal": of_money.money_proposal,
    "money-notice": of_money.money_notice,
    "yearly-report": of_evaluation.yearly_report,
    "grade-summary": of_evaluation.grade_summary,
    "rectification": of_evaluation.rectification,
    "empowerment-use": of_money.empowerment_use,
    "recovery": of_money.recovery,
}  # a form that is not here holds sentences alone


def kinds() -> dict[str, str]:
    """The documents there are: Chinese names by kind."""
    return {kind: str(form["name"]) for kind, form in shipped_toml(_FORMS)["kinds"].items()}


def document(kind: str, dossier: Dossier, path: str | Path) -> Path:
    """Write a document as ``.docx``: a draft, with the clause it serves; 【　】 is left to people.

    Parameters
    ----------
    kind : str
        One of ``kinds()``.
    dossier : Dossier
        What the steps found; a document says which it needs.
    path : path

    Raises
    ------
    DataError
        If there is no such document, a step that it needs is not done, or a unit's document is asked for the nation.
    ReportError
        If the file cannot be written.
    """
    return write_whole(path, docx_file(manuscript(kind, dossier)))


def manuscript(kind: str, dossier: Dossier) -> Manuscript:
    """What a document says; as ``document``."""
    if kind not in kinds():
        known = "、".join(f"{code}（{name}）" for code, name in kinds().items())
        raise DataError(say("firm_document.unknown", kind=kind, known=known))
    shared, form, full = shipped_toml(_FORMS)["shared"], shipped_toml(_FORMS)["kinds"][kind], dossier.complete()
    _check(form, full)
    filling = _FILLINGS[kind](full) if kind in _FILLINGS else Filling()
    facts = _facts(form, full) | filling.facts
    sections = (
        Section(part["heading"], tuple(sentence(text, facts) for text in part["paragraphs"]))
        for part in form["sections"]
    )
    return Manuscript(
        title=tuple(line.format(**facts) for line in (*form["title"], shared["title"])),
        header=full.mark,
        about=shared["about"].format(**facts),
        sections=tuple(sections),
        annexes=tuple(_annexes(form.get("tables", ()), filling, full)),
        closing=tuple(shared["closing"]),
    )


def _check(form: dict[str, Any], dossier: Dossier) -> None:
    """Raise DataError if the form needs a unit or a step that the dossier does not hold."""
    if form.get("of_unit") and dossier.unit == NATION:
        raise DataError(say("firm_document.of_unit", name=form["name"]))
    absent = [step for step in form.get("needs", ()) if getattr(dossier, step) is None]
    if absent:
        steps = "、".join(say(f"firm_document.{step}") for step in absent)
        raise DataError(say("firm_document.absent", name=form["name"], steps=steps))


def _facts(form: dict[str, Any], dossier: Dossier) -> dict[str, Any]:
    award = dossier.award
    return {
        "scope": dossier.scope,
        "batch": NUMERALS[dossier.batch - 1],
        "notice": award.title,
        "number": award.number,
        "clause": form["clause"],
        "amount": award.amount,
        "line": money(award.recovery_investment),
        "direct_share": percent(1 - award.empowerment_cap),
        "empowerment_share": percent(award.empowerment_cap),
        **dossier.state,
    }


def _annexes(forms: list[dict[str, Any]], filling: Filling, dossier: Dossier) -> Iterator[Annex]:
    """The tables that have rows, and empty ones to be filled in by hand; a unit's document does not repeat its name."""
    repeated = [] if dossier.unit == NATION else [header("short_name"), firm_columns()["unit"].title]
    shared = shipped_toml(_FORMS)["tables"]
    for form in (shared[form["of"]] if "of" in form else form for form in forms):
        if "parts" in form:
            yield from of_plan.firm_sheets(of_plan.recommended(dossier), form)
            continue
        rows = _rows(form, filling, dossier)
        if not len(rows) and not form.get("empty"):
            continue
        if not len(rows):
            rows = numbered(pd.DataFrame("", range(_ROWS), rows.columns.drop(header("number"), errors="ignore")))
        rows = rows.drop(columns=[name for name in repeated if name != rows.columns[0]], errors="ignore")
        texts = rows.apply(lambda column: column.map(_text)).assign(**dict.fromkeys(form.get("blank", ()), ""))
        numbers = {name: "written" for name in rows if all(map(_NUMBER.fullmatch, texts[name]))}
        landscape, has_total = bool(form.get("landscape")), "total" in form or form.get("rows") in filling.totals
        table = Table(form["title"], texts, dict.fromkeys(texts, "text") | numbers, (), has_total)
        grid = grid_of(table, LANDSCAPE if landscape else PORTRAIT, small=bool(form.get("small")))
        if "widths" in form:  # columns left to people are as wide as what is written there
            grid = replace(grid, widths=tuple(form["widths"]))
        yield Annex(_merged(grid, form.get("merged", 0)), landscape)


def _rows(form: dict[str, Any], filling: Filling, dossier: Dossier) -> pd.DataFrame:
    """What fills a table: the filling's rows, columns of the firms recommended, or nothing."""
    if "columns" not in form:
        return filling.tables[form["rows"]] if "rows" in form else numbered(pd.DataFrame(index=range(_ROWS)))
    firms = of_plan.recommended(dossier)
    rows = listed(firms, *form["columns"])
    if not form.get("total"):
        return rows
    sums = {
        firm_columns()[c].title: of_plan.total(firms, c) for c in form["columns"] if firm_columns()[c].kind == "amount"
    }
    last = dict.fromkeys(rows, "") | {rows.columns[0]: say("table.total")} | sums
    return pd.concat([rows, pd.DataFrame([last])], ignore_index=True)


def _text(value: object) -> str:
    if isinstance(value, str):
        return with_spoken_days(value)
    return "—" if pd.isna(value) else f"{value:,.10g}"


def _merged(grid: Grid, columns: int) -> Grid:
    """The grid with the first columns of rows that belong to one firm, by its number, as one cell."""
    if not columns:
        return grid
    head, *body = grid.rows
    numbers = [row[0].text for row in body]
    rows: list[tuple[Cell, ...]] = [head]
    for place, row in enumerate(body):
        if place and numbers[place - 1] == numbers[place]:
            rows.append(row[columns:])
        else:
            down = numbers.count(numbers[place])
            rows.append((*(replace(cell, down=down) for cell in row[:columns]), *row[columns:]))
    return replace(grid, rows=tuple(rows))
