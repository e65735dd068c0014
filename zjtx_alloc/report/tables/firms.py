"""The tables of the provinces' side, as people read them; invented firms (虚构) are marked under each."""

from collections.abc import Iterator, Mapping

import pandas as pd

from zjtx_alloc.base.messages import header, say
from zjtx_alloc.base.units import load_units
from zjtx_alloc.firms.chain import Closing
from zjtx_alloc.firms.steps.amounts import Grants
from zjtx_alloc.firms.steps.conditions import Conditions
from zjtx_alloc.firms.steps.review import Review
from zjtx_alloc.firms.steps.rubric import Rubric
from zjtx_alloc.firms.steps.select import Selection, cut_lines
from zjtx_alloc.firms.table.roll import MOST_NAMED, Firms
from zjtx_alloc.report.table import Table, titled


def condition_table(conditions: Conditions) -> Table:
    """The rules of a review with their clauses, those switched off too."""
    table = conditions.table()
    table["enabled"] = table["enabled"].map({True: say("firms.on"), False: say("firms.off")})
    return titled("conditions", table[["column", "enabled", "clause", "quote", "effective", "note"]])


def review_table(found: Review) -> Table:
    """Firms recommended, struck out and passed by unit, with quota and excess where there is a quota."""
    table = found.by_unit
    spoken = table["recommended"].gt(0) | (table["quota"].gt(0) if "quota" in table else False)
    table = _with_names(table[spoken].rename_axis("unit").reset_index())
    counts = [name for name in ("recommended", "struck", "passed", "quota", "excess") if name in table]
    return titled("review", table[["short_name", *counts]], *_list_notes(found), *_marks(found.firms))


def _list_notes(found: Review) -> Iterator[str]:
    """How many entries of each earlier list name no firm of the table, and which: a slip in a name lets a firm through."""
    for name, entries in found.lists.groupby("list", sort=False):
        rest = entries.loc[~entries["held"], "entry"]
        described = "、".join(rest.head(MOST_NAMED)) + (say("firms.and_more") if len(rest) > MOST_NAMED else "")
        key = "review.unmatched" if len(rest) else "review.all_matched"
        yield say(key, name=name, count=len(entries), rest=len(rest), entries=described)


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


def ranking_table(selection: Selection, most: int) -> Table:
    """The first firms of a selection, with the parts of their scores."""
    notes = _rubric_notes(selection.scores.rubric, selection.firms)
    return firm_table("ranking", selection.displayed().head(most), selection.firms, *notes)


def grant_table(grants: Grants, most: int) -> Table:
    """The first firms' amounts, how they were graded, and their sum over all."""
    total = say("firms.sum", count=len(grants.firms), money=f"{grants.amount.sum():,}")
    return firm_table("grants", grants.displayed().head(most), grants.firms, total, *grants.notes())


def step_table(closing: Closing) -> Table:
    """Every step of a batch from quota to ledger, reconciled."""
    return firm_table("steps", closing.steps(), closing.continued)


def firms_to_books_table(closing: Closing) -> Table:
    """From what firms got to the books of their unit, line by line, and the nation."""
    lines = closing.by_unit()
    lines = lines[lines.ne(0).any(axis=1)]
    frame = _with_names(lines.rename_axis("unit").reset_index())[["short_name", *lines.columns]]
    total = lines.sum().to_dict() | {"short_name": say("table.total")}
    return titled("firms_to_books", frame, say("note.firms_to_books"), *_marks(closing.continued), total=total)


def progress_table(pace: pd.DataFrame, firms: Firms) -> Table:
    """Payment progress by unit, 万元."""
    names = [name for name in ("due", "received", "spent", "idle", "unpaid") if name in pace]
    table = _with_names(pace.groupby("unit")[names].sum().reset_index())
    return titled("progress", table[["short_name", *names]], *_marks(firms))


def firm_table(title: str, frame: pd.DataFrame, firms: Firms, *notes: str) -> Table:
    """A frame that has Chinese headers already: numbers to two places, whole ones without, the rest as text."""
    frame = frame.drop(columns=header("note"), errors="ignore").reset_index(drop=True)
    if header("row") in frame:
        frame = frame.astype({header("row"): str})
    kinds: Mapping[str, str] = {str(name): _kind(frame[name]) for name in frame}
    return Table(say(f"title.{title}"), frame, kinds, tuple(dict.fromkeys([*notes, *_marks(firms)])))


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
