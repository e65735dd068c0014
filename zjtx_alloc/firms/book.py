"""A province's firm workbook (企业工作簿) as it is read: inputs, and what earlier stages or people wrote beside them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from pathlib import Path

import pandas as pd

from zjtx_alloc.base.errors import DataError
from zjtx_alloc.base.messages import say
from zjtx_alloc.facts.cells import header_of, plain
from zjtx_alloc.facts.grid import Grid, grids_of, hidden_notes
from zjtx_alloc.facts.problems import refusal
from zjtx_alloc.firms.rubric_rows import rubric_of
from zjtx_alloc.firms.steps.amounts import GrantRule
from zjtx_alloc.firms.steps.rubric import Rubric, load_rubric
from zjtx_alloc.firms.table.columns import column_spellings
from zjtx_alloc.firms.table.reading import MOST_FIRMS, firms_of, with_results
from zjtx_alloc.firms.table.roll import Firms
from zjtx_alloc.rules.award import Award, award_in_force
from zjtx_alloc.rules.programme.forms import Form, forms
from zjtx_alloc.rules.programme.records import Entries, Record, read_form

FORMS = "firm_workbook.csv"
EXAMPLES = {"selection": "example-selection", "evaluation": "example-evaluation"}
_LEAST = 60  # points with which a firm goes on where the sheet is blank


def firm_forms() -> Mapping[str, Form]:
    """The sheets of a firm workbook by name; of 企业 only what stages write beside the firms."""
    return forms(FORMS)


@dataclass(frozen=True)
class FirmBook:
    """A firm workbook."""

    file: str
    basics: Record  #: The one row of 基本情况.
    firms: Firms
    entries: Mapping[str, Entries]  #: The sheets by name, as they are filled in.
    grids: Mapping[str, Grid]

    @property
    def unit(self) -> str:
        """Code of the province-level unit."""
        return str(self.basics["province"])

    @property
    def batch(self) -> int:
        """Number of the batch."""
        return int(self.basics["batch"])

    @property
    def least(self) -> str:
        """Least score with which a firm goes on being supported."""
        return str(_LEAST if self.basics["least"] is None else self.basics["least"])

    @property
    def award(self) -> Award:
        """The award standard of the batch, with the share of 培育赋能 that the sheet says."""
        found, said = award_in_force(self.batch), self.basics["empowerment"]
        if said is None:
            return found
        if Fraction(said) > found.empowerment_cap:
            raise DataError(say("firm_book.empowerment", value=said, most=float(found.empowerment_cap)))
        return replace(found, empowerment_cap=Fraction(said))

    @property
    def decisions(self) -> pd.DataFrame:
        """What stands beside the firms: index ``firm``; review, its reason, selected, approved, granted (None: blank)."""
        names = ("review", "review_reason", "selected", "approved", "granted")
        rows = {record.row: [record[name] for name in names] for record in self.entries["firms"].records}
        table = pd.DataFrame.from_dict(rows, orient="index", columns=list(names)).astype(object)
        return table.reindex(self.firms.table["row"]).set_axis(self.firms.table.index).replace({float("nan"): None})

    @property
    def supported(self) -> tuple[Firms, pd.Series]:
        """The firms that were paid at the start, and what each got (whole 万元)."""
        granted = self.decisions["granted"].dropna()
        if granted.empty:
            raise DataError(say("firm_book.before", stage=say("stage.amounts"), column=self.header("firms", "granted")))
        return self.firms.only(granted.index), granted.astype("int64")

    @property
    def selected(self) -> Firms:
        """The firms recommended (入选)."""
        chosen = self.decisions["selected"].eq("yes")
        if not chosen.any():
            raise DataError(say("firm_book.before", stage=say("stage.select"), column=self.header("firms", "selected")))
        return self.firms.only(chosen.index[chosen])

    @property
    def days(self) -> dict[str, date]:
        """The day of the last run of each stage, by its Chinese name, in the order in which 办理情况 lists them."""
        told = ((r["stage"], pd.to_datetime(r["day"], errors="coerce")) for r in self.entries["log"].records)
        return {stage: day.date() for stage, day in told if not pd.isna(day)}

    def day(self, given: date | None, stage: str = "") -> date:
        """The day given, else that of the stage's last run, else the sheet's."""
        found = given or (self.days.get(say(f"stage.{stage}")) if stage else None) or self.basics["as_of"]
        if found is None:
            raise DataError(say("firm_book.no_day", file=self.file))
        return pd.Timestamp(found).date()

    def rubric(self, name: str) -> Rubric:
        """The rubric of the sheet 遴选标准 (``selection``) or 评价标准 (``evaluation``)."""
        return rubric_of(self.entries[name].records, firm_forms()[name].title, [load_rubric(EXAMPLES[name])])

    def grant_rule(self, payment: str) -> GrantRule:
        """How a payment is graded: ``opening`` or ``closing``."""
        rows = [record for record in self.entries["grants"].records if record["payment"] == payment]
        if len(rows) != 1:
            raise DataError(say("firm_book.payments", sheet=firm_forms()["grants"].title))
        return GrantRule(rows[0]["share"], rows[0]["floor"] or 0, rows[0]["cap"])

    def results(self, name: str, firms: Firms) -> Firms:
        """Firms with their results in the sheet 年度评价 (``yearly``) or 结算 (``ending``)."""
        return with_results(self.file, self.grids[name], firms)

    def rows(self, name: str) -> dict[str, int]:
        """Excel rows of a sheet by credit code."""
        return {str(r["credit_code"]): r.row for r in self.entries[name].records if r["credit_code"] is not None}

    def first_row(self, form: str) -> int:
        """The first row under a sheet's header, as Excel counts."""
        return _first_row(form, self.grids[form])

    def columns(self, form: str) -> dict[str, int]:
        """The columns of a sheet by their names in code, counted from 1: a form's own, and those of a firm table."""
        return _columns(form, self.grids[form])

    def header(self, form: str, name: str) -> str:
        """A column's header."""
        return firm_forms()[form].fields[name].header


class NoBookError(DataError):
    """A file that has no sheet of a firm workbook but 企业: a plain firm table, perhaps."""


def read_book(path: str | Path, name: str = "") -> FirmBook:
    """Read a firm workbook, as ``zjtx firms new`` writes it; ``name`` is what the user calls a file that was made of his.

    Raises
    ------
    DataError
        If the file is no workbook, or lacks a sheet.
    TableError
        With every problem of a sheet: row, column, value, what is wrong, remedy.
    """
    file, sheets = grids_of(path, "", MOST_FIRMS)
    file = name or file
    titles = {form.title: name for name, form in firm_forms().items()}
    grids = {titles[plain(grid.name)]: grid for grid in sheets if plain(grid.name) in titles}
    absent = [form.title for name, form in firm_forms().items() if name not in grids]
    if absent:
        kind = DataError if set(grids) - {"firms"} else NoBookError
        raise kind(say("firm_book.no_sheet", file=file, sheets="、".join(absent)))
    entries = {name: read_form(grid, firm_forms()[name]) for name, grid in grids.items()}
    if problems := [p for one in entries.values() for p in one.problems]:
        raise refusal(file, "", problems)
    basics = _one_row(file, entries["basics"])
    firms = firms_of(file, [grids["firms"]], str(basics["province"]))
    others = hidden_notes([grid for name, grid in grids.items() if name != "firms"])
    return FirmBook(file, basics, replace(firms, notes=(*others, *firms.notes)), entries, grids)


def _first_row(form: str, grid: Grid) -> int:
    heads = {word for field in firm_forms()[form].fields.values() for word in field.words}
    return next(number for number, row in grid.rows.items() if {header_of(plain(cell))[0] for cell in row} & heads) + 1


def _columns(form: str, grid: Grid) -> dict[str, int]:
    own = {word: name for name, field in firm_forms()[form].fields.items() for word in field.words}
    known, header = column_spellings() | own, grid.rows[_first_row(form, grid) - 1]
    named = [(known.get(header_of(plain(cell))[0]), place) for place, cell in enumerate(header, start=1)]
    return {name: place for name, place in reversed(named) if name}


def _one_row(file: str, entries: Entries) -> Record:
    if len(entries.records) != 1 or entries.records[0]["batch"] is None:
        raise DataError(say("firm_book.one_row", file=file, sheet=firm_forms()["basics"].title))
    return entries.records[0]
