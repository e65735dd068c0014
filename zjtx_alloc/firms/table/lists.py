"""Lists of firms already supported (已获支持名单), by credit code or, as published lists are, by full name."""

from collections.abc import Iterable
from pathlib import Path

from zjtx_alloc.base.errors import DataError
from zjtx_alloc.base.messages import say
from zjtx_alloc.facts.cells import plain
from zjtx_alloc.facts.credit_codes import is_entry, valid_code
from zjtx_alloc.facts.grid import grids_of
from zjtx_alloc.facts.headed import headed
from zjtx_alloc.facts.problems import Problem, problem, refusal, refuse_ragged
from zjtx_alloc.firms.table.columns import column_spellings
from zjtx_alloc.firms.table.reading import is_remark

MOST_LISTED = 50_000
_ENTRY = ("credit_code", "name")
_MOST_NAMED = 5


def load_list(path: str | Path) -> list[str]:
    """Read a list of firms from Excel or CSV: its credit codes, or the name where a row has no code.

    Raises
    ------
    DataError
        If the file is no table, a row of it is wider than its header, or no sheet, or more than one, has a
        column of codes or names.
    TableError
        With the row of every entry that is neither a code nor a name.
    """
    file, grids = grids_of(path, "", MOST_LISTED)
    sheets = headed(grids, column_spellings(), lambda codes: not set(codes).isdisjoint(_ENTRY))
    for sheet in sheets:
        refuse_ragged(file, sheet.grid, [sheet.row], sheet.body)
    if len(sheets) != 1:
        key = "lists.many_sheets" if sheets else "lists.no_column"
        raise DataError(say(key, file=file, sheets="、".join(sheet.grid.label for sheet in sheets)))
    (sheet,) = sheets
    entries, wrong = list[str](), list[Problem]()
    for number, row in sheet.body.items():
        code = next((code for code in _ENTRY if plain(sheet.cell(row, code))), None)
        if code is not None and is_entry(cell := sheet.cell(row, code)):
            entries.append(plain(cell))
        elif code is not None or not is_remark(row):
            first = sheet.columns[code or next(code for code in _ENTRY if code in sheet.columns)]
            wrong.append(problem(number, first.label, sheet.cell(row, code or ""), "list_entry"))
    if wrong:
        raise refusal(file, sheet.grid.name, wrong)
    return entries


def listed(entries: Iterable[str], name: str) -> list[str]:
    """Entries as they are compared, each once: codes in the list's order, then names.

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
        elif not is_entry(entry):
            wrong.append(entry)
        else:
            names[entry] = None
    if wrong:
        shown = "、".join(f"“{entry}”" for entry in wrong[:_MOST_NAMED])
        raise DataError(say("lists.wrong", name=name, count=len(wrong), entries=shown))
    return [*codes, *names]
