"""Lists of firms already supported (已获支持名单), by credit code or, as published lists are, by full name."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from zjtx_alloc.base.errors import DataError
from zjtx_alloc.base.messages import say
from zjtx_alloc.facts.cells import header_of, plain
from zjtx_alloc.facts.grid import Grid, read_grids
from zjtx_alloc.facts.layout import cell_at
from zjtx_alloc.facts.problems import refuse_ragged
from zjtx_alloc.firms.table.cells import valid_code
from zjtx_alloc.firms.table.columns import column_spellings
from zjtx_alloc.firms.table.reading import HEADER_WITHIN, is_remark

MOST_LISTED = 50_000
_MOST_NAMED = 5


@dataclass(frozen=True)
class Listed:
    """Entries of a list: credit codes, and names as they are compared, each once and in the list's order."""

    codes: tuple[str, ...]
    names: tuple[str, ...]

    def holds(self, table: pd.DataFrame) -> pd.Series:
        """Whether each firm of a table is on the list."""
        coded = table["credit_code"].isin(self.codes)
        return coded | table["name"].map(plain).isin(self.names) if self.names else coded

    def found_in(self, table: pd.DataFrame) -> dict[str, bool]:
        """Whether each entry names a firm of a table, by entry: codes first."""
        known = {*table["credit_code"], *table["name"].map(plain)}
        return {entry: entry in known for entry in (*self.codes, *self.names)}


def load_list(path: str | Path) -> list[str]:
    """Read a list of firms from Excel or CSV: its credit codes, or the name where a row has no code.

    Raises
    ------
    DataError
        If the file is no table, a row of it is wider than its header, or no sheet, or more than one, has a
        column of codes or names.
    """
    file = Path(path)
    found = {
        grid.name: entries
        for grid in read_grids(file, MOST_LISTED)
        if (entries := _entries(file.name, grid)) is not None
    }
    if len(found) != 1:
        key = "lists.many_sheets" if found else "lists.no_column"
        raise DataError(say(key, file=file.name, sheets="、".join(found)))
    return found.popitem()[1]


def listed(entries: Iterable[str], name: str) -> Listed:
    """Entries separated into codes and names.

    Raises
    ------
    DataError
        If an entry is neither a credit code nor a Chinese name; ``name`` says which list it stands in.
    """
    if isinstance(entries, str):
        raise DataError(say("lists.text", name=name, entry=entries))
    codes, names, wrong = dict[str, None](), dict[str, None](), []
    for entry in map(plain, entries):
        if (code := valid_code(entry)) is not None:
            codes[code] = None
        elif entry.isascii():  # blank, a code with a slip, or one that Excel made 9.1E+17
            wrong.append(entry)
        else:
            names[entry] = None
    if wrong:
        shown = "、".join(f"“{entry}”" for entry in wrong[:_MOST_NAMED])
        raise DataError(say("lists.wrong", name=name, count=len(wrong), entries=shown))
    return Listed(tuple(codes), tuple(names))


def _entries(file: str, grid: Grid) -> list[str] | None:
    """The entries of a sheet; None if no row of its first ones heads a column of codes or names."""
    for number in list(grid.rows)[:HEADER_WITHIN]:
        heads = [column_spellings().get(header_of(plain(cell))[0]) for cell in grid.rows[number]]
        places = [heads.index(column) for column in ("credit_code", "name") if column in heads]
        if places:
            body = {n: row for n, row in grid.rows.items() if n > number}
            refuse_ragged(file, grid, [number], body)
            found = {n: next(filter(None, (plain(cell_at(row, p)) for p in places)), "") for n, row in body.items()}
            return [entry for n, entry in found.items() if entry or not is_remark(body[n])]
    return None
