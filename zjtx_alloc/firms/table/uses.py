"""What 培育赋能 was spent on (四（三）): a table of entries, a row a payment."""

import datetime
from pathlib import Path

import pandas as pd

from zjtx_alloc.base.errors import DataError
from zjtx_alloc.base.messages import header, say
from zjtx_alloc.facts.cells import amount, header_of, in_measure, plain
from zjtx_alloc.facts.grid import grids_of
from zjtx_alloc.facts.headed import Headed, headed
from zjtx_alloc.facts.problems import Problem, problem, refusal, refuse_ragged
from zjtx_alloc.firms.table.reading import is_remark

USES = ("use_date", "use_matter", "use_provider", "use_firms", "use_money", "use_voucher")  # names of data/columns.csv
_NEEDED = {"use_matter", "use_money"}
_MEASURE = "万元"


def load_uses(source: str | Path | pd.DataFrame) -> pd.DataFrame:
    """Read the entries of 培育赋能 from Excel or CSV, as the document ``empowerment-use`` lays them out.

    Returns
    -------
    DataFrame
        A row an entry, in the table's order: ``USES``, texts (blank where blank) and use_money as float, 万元.

    Raises
    ------
    DataError
        If no sheet, or more than one, has columns of what was bought and of the money.
    TableError
        With every amount that is none.
    """
    file, grids = grids_of(source, say("uses.frame"))
    sheets = headed(grids, {header_of(header(name))[0]: name for name in USES}, _NEEDED.issubset)
    if len(sheets) != 1:
        names = "、".join(sheet.grid.label for sheet in sheets) or say("plan.none")
        raise DataError(say("uses.sheets", file=file, sheets=names))
    (sheet,) = sheets
    refuse_ragged(file, sheet.grid, sheet.header_rows, sheet.body)
    money_column = sheet.columns["use_money"]
    problems = [*sheet.repeated(), *sheet.other_measures([(money_column, _MEASURE)])]
    rows = {number: row for number, row in sheet.body.items() if not is_remark(row)}
    money = {number: _money(sheet, number, row) for number, row in rows.items()}
    problems += [found for found in money.values() if isinstance(found, Problem)]
    if problems:
        raise refusal(file, sheet.grid.name, problems)
    entries = [{name: _text(sheet.cell(row, name)) for name in USES} for row in rows.values()]
    return pd.DataFrame(entries, columns=list(USES)).assign(use_money=pd.Series(list(money.values()), dtype=float))


def _text(cell: object) -> str:
    """A cell as text: a day without its hour, a whole number without a fraction."""
    if isinstance(cell, datetime.date):
        return f"{cell:%Y-%m-%d}"
    return f"{cell:.15g}" if isinstance(cell, float) else plain(cell)


def _money(sheet: Headed, number: int, row: list[object]) -> float | Problem:
    cell, column = sheet.cell(row, "use_money"), sheet.columns["use_money"]
    found = amount(cell, _MEASURE)
    if isinstance(found, str):
        return problem(number, column.label, plain(cell), found)
    return float(in_measure(found, sheet.other_measure(column, _MEASURE) or _MEASURE, _MEASURE))
