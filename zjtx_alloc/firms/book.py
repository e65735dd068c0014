"""A province's firm workbook (企业工作簿) as it is read: inputs, and what earlier stages or people wrote beside them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import pandas as pd

from zjtx_alloc.base.errors import DataError
from zjtx_alloc.base.messages import say
from zjtx_alloc.facts.cells import Uncalculated, header_of, plain
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
SEARCH = "search"  # the sheet in which formulas find what each firm gets; without it amounts stand still
# Columns of results that formulas may stand in, with the stage that computes them, and those that only people read.
_STAGES = {"select": "firms", "amounts": "firms", "evaluate": "yearly", "settle": "ending"}
_ENDS = ("granted", "outcome", "closing", "recovered", "score", "planned", "entitlement")
_RESULTS: Mapping[str, Mapping[str, str]] = {
    "firms": {**dict.fromkeys(("score", "rank", "selected"), "select"), **dict.fromkeys(("entitlement", "granted"), "amounts")},
    "yearly": dict.fromkeys(("score", "grade", "goes_on"), "evaluate"),
    "ending": dict.fromkeys(_ENDS, "settle"),
    "basics": {}, "grants": {}, SEARCH: {},
}  # fmt: skip
_PAYMENTS = [f"{payment}_{part}" for payment in ("opening", "closing") for part in ("low", "high", "sum")]
_SHOWN_ONLY = {
    "score",
    "planned",
    "entitlement",
    "chosen",
    "check",
    "evaluation_check",
    "count",
    "total",
    "handed",
    *_PAYMENTS,
}
_LEAST = 60  # points with which a firm goes on where the sheet is blank


def firm_forms() -> Mapping[str, Form]:
    """The sheets of a firm workbook by name; of 企业 only what stages write beside the firms."""
    return forms(FORMS)


@dataclass(frozen=True)
class FirmBook:
    """A firm workbook.

    Attributes
    ----------
    file : str
    basics : Record
        The one row of 基本情况.
    firms : Firms
    entries : mapping of str to Entries
        The sheets by name, as they are filled in.
    grids : mapping of str to Grid
    again : sequence of Stage and places
        Stages computed again since a program had saved their formulas without values: form, row and column of each.
    stuck : mapping of str to str
        Stages whose formulas cannot follow what was changed, and what is to be said of them; their cells count as blank.
    """

    file: str
    basics: Record
    firms: Firms
    entries: Mapping[str, Entries]
    grids: Mapping[str, Grid]
    again: tuple[tuple[Any, tuple[tuple[str, int, str], ...]], ...] = ()
    stuck: Mapping[str, str] = field(default_factory=dict)

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
        """What stands beside the firms: index ``firm``; review, score, selected, approved, granted (None: blank)."""
        names = ("review", "score", "selected", "approved", "granted")
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

    def need_sound(self, before: str = "") -> None:
        """Raise DataError if a stage, of those before one, is to be run again as its formulas say."""
        stages = ("review", *_STAGES)
        for stage in stages[: stages.index(before)] if before else stages:
            if stage in self.stuck:
                raise DataError(self.stuck[stage])

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
    absent = [form.title for name, form in firm_forms().items() if name not in grids and name != SEARCH]
    if absent:
        kind = DataError if set(grids) - {"firms"} else NoBookError
        raise kind(say("firm_book.no_sheet", file=file, sheets="、".join(absent)))
    grids, stale = _without_formulas(grids)
    grids, stuck = _without_errors(file, grids)
    book = replace(_book_of(file, grids), stuck=stuck)
    return _computed(book, stale) if stale else book


def _book_of(file: str, grids: Mapping[str, Grid]) -> FirmBook:
    entries = {name: read_form(grid, firm_forms()[name]) for name, grid in grids.items()}
    if problems := [p for one in entries.values() for p in one.problems]:
        raise refusal(file, "", problems)
    basics = _one_row(file, entries["basics"])
    firms = firms_of(file, [grids["firms"]], str(basics["province"]))
    others = hidden_notes([grid for name, grid in grids.items() if name != "firms"])
    return FirmBook(file, basics, replace(firms, notes=(*others, *firms.notes)), entries, grids)


_Stale = Mapping[tuple[str, int, int], str]  # form, row, place: column


def _without_formulas(grids: Mapping[str, Grid]) -> tuple[dict[str, Grid], _Stale]:
    """The sheets with blanks for those formulas of stages that nobody calculated, and where these were."""
    own = say("firm_check.rerun", stage="")  # a stage's formulas say so where they cannot follow; a person's do not
    stale = {
        key: name
        for key, name, cell in _texts_of_results(grids)
        if isinstance(cell, Uncalculated) and (own in cell or name in _SHOWN_ONLY)
    }
    return _filled(grids, dict.fromkeys(stale)), stale


def _texts_of_results(grids: Mapping[str, Grid]) -> Iterator[tuple[tuple[str, int, int], str, str]]:
    """The texts in columns that formulas of stages may stand in: form, row and place; column; text."""
    for form, names in _RESULTS.items():
        if form not in grids:
            continue
        first, columns = _first_row(form, grids[form]), _columns(form, grids[form])
        places = {name: place - 1 for name, place in columns.items() if name in names or name in _SHOWN_ONLY}
        for number, row in grids[form].rows.items():
            for name, place in places.items() if number >= first else ():
                if place < len(row) and isinstance(cell := row[place], str):
                    yield (form, number, place), name, cell


def _without_errors(file: str, grids: Mapping[str, Grid]) -> tuple[dict[str, Grid], dict[str, str]]:
    """The sheets with blanks for results that cannot follow what was changed, and what is to be said, by stage."""
    reruns = {say("firm_check.rerun", stage=say(f"stage.{stage}")) for stage in _STAGES}
    held = [(key, name, text) for key, name, text in _texts_of_results(grids) if text in reruns or text.startswith("#")]
    stuck = dict[str, str]()
    for stage, form in _STAGES.items():
        mine = [
            (row, name, text) for (of, row, _), name, text in held if of == form and _RESULTS[form].get(name) == stage
        ]
        if mine:
            row, name, value = mine[0]
            column, sheet = firm_forms()[form].fields[name].header, grids[form].name
            values = {"file": file, "sheet": sheet, "row": row, "column": column, "count": len(mine), "value": value}
            stuck[stage] = say("firm_book.stuck", **values, stage=say(f"stage.{stage}"))
    return _filled(grids, dict.fromkeys(key for key, _, _ in held)), stuck


def _filled(grids: Mapping[str, Grid], values: Mapping[tuple[str, int, int], Any]) -> dict[str, Grid]:
    """Sheets with other values in some cells."""
    held = {form: dict(grids[form].rows) for form in {form for form, _, _ in values}}
    for (form, number, place), value in values.items():
        row = list(held[form][number])
        row[place], held[form][number] = value, row
    return {**grids, **{form: replace(grids[form], rows=rows) for form, rows in held.items()}}


def _computed(book: FirmBook, stale: _Stale) -> FirmBook:
    """A workbook that a program saved without calculating: its stages are computed again, what people wrote stays."""
    from zjtx_alloc.firms.stages import carried  # noqa: PLC0415 - the stages stand on the book

    for stage, form in _STAGES.items():
        mine = {key: name for key, name in stale.items() if key[0] == form and _RESULTS[form].get(name) == stage}
        if not mine or (day := book.days.get(say(f"stage.{stage}"))) is None:
            continue
        done, fields = carried(stage, book, day), firm_forms()[form].fields
        frame = done.cells[form]
        found = {key: frame.at[key[1], name] for key, name in mine.items() if key[1] in frame.index}
        shown = {name: {code: text for text, code in fields[name].choices.items()} for name in mine.values()}
        values = {key: shown[mine[key]].get(value, value) for key, value in found.items() if not pd.isna(value)}
        places = tuple((form, key[1], name) for key, name in mine.items() if key in values)
        filled = _book_of(book.file, _filled(book.grids, values))
        book = replace(filled, again=(*book.again, (done, places)), stuck=book.stuck)
    return book


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
