"""What a table is as it leaves the package: a CSV file, or a Chinese table of notebook and workbook."""

import html
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from zjtx_alloc.allocation.allocate import Allocation
from zjtx_alloc.base.messages import header, say
from zjtx_alloc.base.resources import shipped_table
from zjtx_alloc.base.text import unarmed
from zjtx_alloc.base.units import load_units
from zjtx_alloc.budget.ledger.budget import MONEY, BudgetForecast
from zjtx_alloc.budget.plan import BudgetPlan
from zjtx_alloc.report.allocation_view import allocation_view
from zjtx_alloc.report.terminal import aligned

ALL_COMPLETED = "all_completed"  # how budget.csv of a plan calls the outcome that all firms complete
_LONG_TEXT, _PARAGRAPH = 16, 120  # characters; longer cells wrap, in a column that is wider the longer they are
_HEAD, _LONG_WIDTH = 6, 12  # characters of a header, and of a long text, that stay on one line in a notebook
_MANY_ROWS = 50  # more than the units and their total
_LONG_NAME = 8  # characters; longer names of rows wrap on a telephone
_EXCEL_TEXT = r";mso-number-format:'\@'"  # pasted into Excel, a code stays text

# How a column of each kind is written: in a page (Python format) and in a workbook (Excel format).
FORMATS: Mapping[str, tuple[str, str]] = {
    "text": ("{}", "@"),
    "count": ("{:,.0f}", "#,##0"),
    "difference": ("{:+,.2f}", "+#,##0.00;-#,##0.00;0.00"),
    "step": ("{:+,.0f}", "+#,##0;-#,##0;0"),
    "places": ("{:,.2f}", "#,##0.00"),
    "index": ("{:.3f}", "0.000"),
    "score": ("{:,.4f}", "#,##0.0000"),
    "weight": ("{:.2f}", "0.00"),
    "share": ("{:.1%}", "0.0%"),
    "money": ("{:,.0f}", "#,##0"),
    "percent": ("{:.4%}", "0.00##%"),
    "part": ("{:.2%}", "0.00%"),
    "written": ("{}", "@"),
    "year": ("{:.0f}", "0"),
    "plain": ("{:g}", "General"),
}


@dataclass(frozen=True)
class Table:
    """A table for people: Chinese title, headers and notes; how each column is written."""

    title: str  #: Chinese title, also the name of its sheet (at most 31 characters).
    frame: pd.DataFrame  #: Chinese headers, a row a record, no index of its own.
    kinds: Mapping[str, str]
    notes: tuple[str, ...] = ()  #: What stands under the table: marks, sources, assumptions, measures.
    has_total: bool = False  #: Whether the last row is the total.
    #: What columns of ``data/columns.csv`` are called in code, for the formulas of a workbook.
    names: Mapping[str, str] = field(default_factory=dict)

    def texts(self) -> pd.DataFrame:
        """The cells as people read them."""
        cells = {name: [shown(self.kinds[name], value) for value in column] for name, column in self.frame.items()}
        return pd.DataFrame(cells, columns=self.frame.columns, dtype=object)

    def _repr_html_(self) -> str:
        names = self._row_heads()
        head = "".join(
            f'<th scope="col" style="text-align:{self._side(column)}{_unbroken(str(column), _HEAD, _HEAD)}">{html.escape(str(column))}</th>'
            for column in self.frame.columns
        )
        last = len(self.frame) - 1
        body = "".join(
            f"<tr{' class=total' if self.has_total and number == last else ''}>"
            + "".join(self._cell(column, value, names) for column, value in zip(self.frame.columns, row, strict=True))
            + "</tr>"
            for number, row in enumerate(self.frame.itertuples(index=False))
        )
        whole = sliding(
            self.title,
            f"<table class=zjtx><caption>{html.escape(self.title)}</caption>"
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>",
        )
        if len(self.frame) >= _MANY_ROWS:  # folded up under its title and number of rows; paper shows it all
            summary = say("nav.rows", title=html.escape(self.title), count=len(self.frame))
            whole = f'<details class="rows"><summary>{summary}</summary>{whole}</details>'
        return whole + notes_html(*self.notes)

    def _row_heads(self) -> str:
        """The column that says what a row is of: the unit, else the first if it is of words that differ."""
        units = [head for head, name in self.names.items() if name == "short_name"]
        first = [head for head in self.frame.columns[:1] if self.kinds[head] == "text" and self.frame[head].is_unique]
        return str(next(iter(units + first), ""))

    def _side(self, column: str) -> str:
        return "left" if self.kinds[column] == "text" else "right"

    def _cell(self, column: str, value: object, names: str) -> str:
        kind = self.kinds[column]
        text = shown(kind, value)
        is_name = column == names and bool(text)
        as_text = _EXCEL_TEXT + _unbroken(text) if kind == "text" else ""
        tag, scope = ("th", ' scope="row"') if is_name else ("td", "")
        return f'<{tag}{scope}{_width(text, is_name)} style="text-align:{self._side(column)}{as_text}">{html.escape(text)}</{tag}>'


def _width(text: str, is_name: bool) -> str:
    """The class of a cell that wraps, by the length of its text."""
    if len(text) > _PARAGRAPH:
        return ' class="long wide"'
    if len(text) > _LONG_TEXT:
        return " class=long"
    return " class=named" if is_name and len(text) > _LONG_NAME else ""


def _unbroken(text: str, most: int = _LONG_TEXT, least: int = _LONG_WIDTH) -> str:
    """What keeps a notebook, which has no style sheet of ours, from breaking Chinese text after each character.

    Up to ``most`` characters stay on one line; longer texts have a column of ``least`` and paragraphs twice that.
    """
    if text.isascii() and text.isalnum():
        return ""
    width = 2 * least if len(text) > _PARAGRAPH else least
    return ";white-space:nowrap" if len(text) <= most else f";min-width:{width}em;overflow-wrap:anywhere"


def sliding(title: str, table: str) -> str:
    """A table in a box of its own, which slides where the page is narrow; the keyboard reaches it, and it says what it is."""
    region = f'role="region" aria-label="{html.escape(title)}"'
    return f'<div class="scroll" tabindex="0" {region} style="overflow-x:auto">{table}</div>'


def notes_html(*notes: str) -> str:
    """Notes as they stand under a table or a page, those that are not blank."""
    return "".join(f'<p class="note">{html.escape(note)}</p>' for note in notes if note)


def shown(kind: str, value: object) -> str:
    """A value as people read it: a dash where there is none, no sign before what rounds to nothing."""
    if pd.isna(value):
        return "—"
    if value == math.inf:
        return "∞"
    text = FORMATS[kind][0].format(value)
    nothing = kind != "text" and text[:1] in ("+", "-") and not text.strip("+-0.%")
    return text[1:] if nothing else text  # the minus stays that of ASCII: it can be pasted into Excel


def span(least: float, most: float) -> str:
    """Two ends as people read them; one number where they are the same."""
    return f"{least:,.0f}" if least == most else f"{least:,.0f}—{most:,.0f}"


def signed(amount: float, decimals: int = 0) -> str:
    """A difference in a sentence or a figure: its sign before it, a minus as it is printed, none before nothing."""
    text = f"{amount:+,.{decimals}f}".replace("-", "−")
    return text if text.strip("+−0.") else text[1:]


@dataclass(frozen=True)
class Column:
    """A column as people see it: its Chinese header, and how its values are written, a key of ``FORMATS``."""

    header: str
    kind: str


def described(column: str | Column) -> Column:
    """A column by its name in ``data/columns.csv``; one that only a run can name (a year, a scenario) is given whole."""
    if isinstance(column, Column):
        return column
    return Column(header(column), str(shipped_table("columns.csv", "name").at[column, "kind"]))


def of_kind(kind: str, named: Callable[[Any], str] = str) -> Callable[[Any], Column]:
    """What makes labels that only a run knows columns of a kind, for ``DataFrame.rename``; ``named`` gives the header."""
    return lambda label: Column(named(label), kind)


def titled(
    key: str,
    frame: pd.DataFrame,
    /,
    *notes: str,
    total: Mapping[Any, object] | None = None,
    has_total: bool = False,
    **values: object,
) -> Table:
    """A table for people from a frame whose columns are names of ``data/columns.csv``, or ``Column`` themselves.

    Parameters
    ----------
    key : str
        The title is the message ``title.key``, filled with ``values``.
    frame : DataFrame
        The columns to be shown, in their order.
    notes : str
        What stands under the table.
    total : mapping of column to value, optional
        What the total row says; it is blank in words and has no number elsewhere. Other columns may be among them.
    has_total : bool
        Whether the last row of the frame is the total already.
    """
    columns = [described(column) for column in frame]
    if total is not None:
        blanks = ("" if column.kind == "text" else None for column in columns)
        last = {name: total.get(name, blank) for name, blank in zip(frame, blanks, strict=True)}
        frame = pd.concat([frame.astype(object), pd.DataFrame([last], dtype=object)])
    kinds = {column.header: column.kind for column in columns}
    pairs = zip(kinds, frame, strict=True)  # a scenario may be called as a column is in code
    names = {head: name for head, name in pairs if isinstance(name, str) and name not in kinds}
    frame = frame.set_axis(list(kinds), axis=1).reset_index(drop=True)
    return Table(say(f"title.{key}", **values), frame, kinds, notes, has_total or total is not None, names)


def plain_table(frame: pd.DataFrame) -> str:
    """A table of texts for the terminal, its columns in line; a Chinese character is two columns wide."""
    return "\n".join(aligned([list(map(str, row)) for row in (frame.columns, *frame.itertuples(index=False))]))


def printed(table: Table) -> str:
    """A table as text for a terminal."""
    return "\n".join([table.title, "", plain_table(table.texts()), "", *table.notes])


def allocation_csv(allocation: Allocation) -> str:
    """``allocation.csv``: code and the columns of ``Allocation.table``; 37 rows, no total row."""
    table = allocation_view(allocation, "csv")
    return csv_text(table.assign(entitlement=six_decimals(table["entitlement"])))


def people_csv(allocation: Allocation) -> str:
    """``名额分配表.csv``: the same for people: Chinese headers, a blank cap where none is set, no total row."""
    table = allocation_view(allocation, "people")
    table = table.assign(entitlement=six_decimals(table["entitlement"]), cap_set=table["cap_set"].astype("Int64"))
    return csv_text(table.rename(columns=header))


def six_decimals(places: pd.Series) -> pd.Series:
    """Places before rounding as the CSV files have them."""
    return places.map("{:.6f}".format)


def budget_csv(budget: BudgetForecast) -> str:
    """``budget.csv``: the columns of ``BudgetForecast.table``, whole 万元."""
    return csv_text(budget.table)


def plan_csv(plan: BudgetPlan) -> str:
    """``budget.csv`` of a plan: assumed_outcomes (``ALL_COMPLETED``, then the assumptions by name), and those columns."""
    names = [ALL_COMPLETED, *(assumption.name for assumption in plan.assumptions)]
    budgets = zip(names, (plan.full, *plan.budgets), strict=True)
    return csv_text(
        pd.concat([b.table.assign(assumed_outcomes=name) for name, b in budgets])[
            ["assumed_outcomes", *plan.full.table]
        ]
    )


def plan_csv_shown(plan: BudgetPlan) -> str:
    """``资金分年表.csv``: the rows of ``budget.csv`` for people, under Chinese headers, with the units' names."""
    names = {ALL_COMPLETED: say("table.outcomes_full")} | {a.name: a.title for a in plan.assumptions}
    labels, units = {cohort.name: cohort.label for cohort in plan.cohorts}, load_units()["short_name"]
    budgets = zip(names.values(), (plan.full, *plan.budgets), strict=True)
    frame = pd.concat([b.table.assign(outcomes=title) for title, b in budgets])
    frame = frame.assign(batch=frame["batch"].map(labels), short_name=frame["code"].map(units))
    frame = frame[["outcomes", "batch", "code", "short_name", "fiscal_year", *MONEY]]
    return csv_text(frame.rename(columns=header))


def csv_text(table: pd.DataFrame) -> str:
    """A table as the CSV files have it: plain newlines, no index, no text that Excel takes for a formula."""
    safe = table.rename(columns=unarmed)
    texts = safe.select_dtypes(exclude=["number", "bool"])
    return safe.assign(**{name: texts[name].map(unarmed) for name in texts}).to_csv(index=False, lineterminator="\n")
