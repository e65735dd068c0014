"""What is wrong with a user's table, all of it at once: row, column, value, what is wrong, remedy."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from zjtx_alloc.base.errors import TableError
from zjtx_alloc.base.messages import say
from zjtx_alloc.base.text import shown
from zjtx_alloc.facts.cells import plain
from zjtx_alloc.facts.grid import Grid, in_sheet

_LONGEST = 200  # characters of a value: all 37 units are named in 130
_MOST_TOLD = 200  # problems in the message; the table of them has all


@dataclass(frozen=True)
class Problem:
    """One thing wrong: the row as Excel shows it (None: the whole table), column, value, what, remedy.

    ``sheet`` is named where a file has several that are read.
    """

    row: int | None
    column: str
    value: str
    what: str
    remedy: str
    sheet: str = ""


def problem(row: int | None, column: str, value: Any, kind: str, **details: Any) -> Problem:
    """A problem of a kind (a key of ``[wrong]`` and ``[remedy]`` in the messages)."""
    described = "" if value is None else shown(value, _LONGEST)
    return Problem(row, column, described, say(f"wrong.{kind}", **details), say(f"remedy.{kind}", **details))


def problem_table(problems: Sequence[Problem]) -> pd.DataFrame:
    """The problems with Chinese headers, in the order of the rows; what concerns the whole table comes last.

    Where sheets are named, the first column is the sheet, in the order of the file.
    """
    sheets = list(dict.fromkeys(p.sheet for p in problems))
    ordered = sorted(problems, key=lambda p: (sheets.index(p.sheet), p.row is None, p.row or 0))
    rows = [(p.sheet, "—" if p.row is None else p.row, p.column, p.value, p.what, p.remedy) for p in ordered]
    names = ("sheet_name", "row", "column", "value", "what", "remedy")
    table = pd.DataFrame(rows, columns=[say(f"intake.{name}") for name in names])
    return table if any(sheets) else table.iloc[:, 1:]


def refusal(file: str, sheet: str, problems: Sequence[Problem], note: str = "") -> TableError:
    """The error that reports every problem of a file, and a note on what cannot be seen of it."""
    table = problem_table(problems)
    described = table.head(_MOST_TOLD)
    lines = ["｜".join(map(str, row)) for row in [tuple(table), *described.itertuples(index=False, name=None)]]
    lines += [say("intake.more", count=len(table) - len(described))] if len(described) < len(table) else []
    lines += [note] if note else []
    values = {"sheet": in_sheet(sheet), "count": len(table), "table": "\n".join(lines)}
    return TableError(say("intake.problems", file=file, **values), problems=table)


def refuse_ragged(file: str, grid: Grid, header_rows: Iterable[int], numbers: Iterable[int]) -> None:
    """Refuse a CSV table with rows wider than its header: 5,700 without quotation marks makes two cells of a number.

    A blank cell too many means nothing only if every row ends with it. What stands beside a table in Excel has a
    place of its own.

    Raises
    ------
    TableError
        Naming every such row among ``numbers``, as Excel numbers them.
    """
    rows = {number: grid.rows[number] for number in numbers}
    if not grid.separator or not rows:
        return
    width = max(len(grid.rows[number]) for number in header_rows)
    most = max(width, min(map(len, rows.values())))
    separator = say("intake.tab") if grid.separator == "\t" else grid.separator
    problems = [
        problem(number, "", grid.separator.join(row), "ragged", count=len(row), width=width, separator=separator)
        for number, row in rows.items()
        if len(row) > most or any(plain(cell) != "" for cell in row[width:])
    ]
    if problems:
        raise refusal(file, grid.name, problems)
