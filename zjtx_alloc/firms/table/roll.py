"""A roll of firms (企业名册): the checked rows of one or many firm tables, a row a firm."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pandas as pd

from zjtx_alloc.base.errors import DataError
from zjtx_alloc.base.messages import header, say
from zjtx_alloc.base.units import load_units
from zjtx_alloc.firms.table.columns import as_read, firm_columns
from zjtx_alloc.quota.problem.numbers import are_whole

MOST_NAMED = 10  # firms named in a sentence


@dataclass(frozen=True)
class Firms:
    """Firms as their tables state them."""

    #: Index ``firm`` (a running number that a firm keeps from review to settlement; of firms read from another file
    #: see ``numbered_as``); columns file, row (as Excel shows it) and those columns of ``data/firm_columns.csv`` that
    #: the tables have: unit as code, dates as datetime64, choices as codes (several joined by ``|``), amounts and
    #: percentages as float (NaN where blank), the rest as text (blank where blank).
    table: pd.DataFrame
    made_up: bool  #: Whether the firms are invented (虚构), for trying the tool: every output says so.
    unread: tuple[str, ...] = ()  #: Headers that are no column of the schema, among them any personal data: not read.
    notes: tuple[str, ...] = ()  #: What was read although it is hidden, and what money was converted, in Chinese.

    def __len__(self) -> int:
        return len(self.table)

    @property
    def by_unit(self) -> pd.Series:
        """How many firms each unit has, int64, index ``code``, all units."""
        return self.table["unit"].value_counts().reindex(load_units().index, fill_value=0).astype("int64")

    def only(self, firms: pd.Index) -> "Firms":
        """These firms alone, in this order."""
        return replace(self, table=self.table.loc[firms])

    def need(self, *columns: str) -> pd.DataFrame:
        """The table, if it has these columns filled in for every firm.

        Raises
        ------
        DataError
            Naming the columns that are missing, or blank and for which firms: missing is never zero.
        """
        absent = [firm_columns()[column].name for column in columns if column not in self.table]
        if absent:
            raise DataError(say("firms.no_column", columns="、".join(absent)))
        for column in columns:
            held = self.table[column]
            blank = self.table.index[held.isna() | held.eq("")]
            if len(blank):
                raise DataError(
                    say("firms.blank", column=firm_columns()[column].name, count=len(blank), firms=self.names(blank))
                )
        return self.table

    def each_once(self, table: str) -> None:
        """Raise DataError if a credit code stands twice; ``table`` says in Chinese where."""
        twice = self.table.index[self.table["credit_code"].duplicated()]
        if len(twice):
            raise DataError(say("firms.repeated", table=table, firms=self.names(twice)))

    def numbered_as(self, other: "Firms") -> "Firms":
        """The same firms under the numbers that their credit codes have in another roll, from another file perhaps.

        Raises
        ------
        DataError
            If a firm is not in the other roll, or a credit code stands twice in either.
        """
        for roll in (self, other):
            roll.each_once(say("firms.frame"))
        codes, numbers = self.table["credit_code"], pd.Index(other.table["credit_code"])
        strangers = self.table.index[~codes.isin(numbers)]
        if len(strangers):
            raise DataError(say("firms.strangers", firms=self.names(strangers)))
        return replace(self, table=self.table.set_axis(other.table.index[numbers.get_indexer(codes)]))

    def names(self, firms: pd.Index) -> str:
        """Names of firms for a sentence, the first few with their rows."""
        more = say("firms.and_more") if len(firms) > MOST_NAMED else ""
        return "、".join(self.labels(firms[:MOST_NAMED])) + more

    def labels(self, firms: pd.Index) -> list[str]:
        """What to call each of these firms in a sentence: its name, file and row; in a sheet that can be sorted name and code."""
        row_of = "given_row" if "given_row" in self.table else "row"  # of a table made a workbook: as the user has it
        rows = self.table.loc[firms, ["name", "file", row_of, "credit_code"]].itertuples(index=False)
        return [
            say("firms.at", name=name, file=file, row=row) if file else say("firms.coded", name=name, code=code)
            for name, file, row, code in rows
        ]

    @property
    def in_their_sheet(self) -> "Firms":
        """The same, as a text beside them calls them: without file and row."""
        return replace(self, table=self.table.assign(file=""))

    def displayed(self, columns: Sequence[str]) -> pd.DataFrame:
        """Columns as people read them, with Chinese headers and units by name; a column not held is blank."""
        names = load_units()["short_name"]
        found = {}
        for code in columns:
            values = self.table[code] if code in self.table else pd.Series("", self.table.index)
            each = {value: names[value] if code == "unit" else as_read(code, value) for value in values.unique()}
            found[firm_columns()[code].title] = values.map(each) if each else values
        return pd.DataFrame(found, index=self.table.index)

    @property
    def mark(self) -> str:
        """What every output of invented firms says; blank for real ones."""
        return say("firms.made_up") if self.made_up else ""


def together(*rolls: Firms) -> Firms:
    """Many lists as one, numbered anew; invented and real firms are never mixed.

    Raises
    ------
    DataError
        If some lists are invented and others are not.
    """
    if len({roll.made_up for roll in rolls}) != 1:
        raise DataError(say("firms.mixed"))
    table = pd.concat([roll.table for roll in rolls], ignore_index=True).rename_axis("firm")
    unread = tuple(dict.fromkeys(text for roll in rolls for text in roll.unread))
    return Firms(table, rolls[0].made_up, unread, tuple(dict.fromkeys(note for roll in rolls for note in roll.notes)))


def whole_places(quota: pd.Series) -> None:
    """Raise DataError unless places by unit are whole, not negative, and of units that exist, each once."""
    names = load_units()["short_name"]
    strangers = [str(unit) for unit in quota.index if unit not in names.index]
    if strangers:
        raise DataError(say("firms.stranger_units", units="、".join(strangers)))
    if twice := [names[unit] for unit in quota.index[quota.index.duplicated()].unique()]:
        raise DataError(say("firms.units_twice", units="、".join(twice)))
    wrong = [f"{names[unit]} {n}" for unit, n in quota[~are_whole(quota)].items()]
    if wrong:
        raise DataError(say("firms.whole_places", units="、".join(wrong)))


def marked(table: pd.DataFrame, firms: Firms) -> pd.DataFrame:
    """A table to show, with a column that says that its firms are invented, if they are."""
    return table.assign(**{header("note"): firms.mark}) if firms.made_up else table
