"""Which sheet of a file is the table of indicators, or what keeps the likeliest one from being it."""

from collections.abc import Iterator
from difflib import get_close_matches
from functools import cache

from zjtx_alloc.base.messages import say, words
from zjtx_alloc.base.resources import shipped_table
from zjtx_alloc.facts.cells import plain, unit_of
from zjtx_alloc.facts.grid import Grid, column_letters, refuse_long
from zjtx_alloc.facts.layout import Layout, cell_at, indicator_names, layout_of
from zjtx_alloc.facts.problems import Problem, problem, refusal

_ALIKE = 0.85  # likeness at which an unknown header is taken for a slip of the pen
_MANY = 20  # units that a row or a column must name to be taken for that of the units


def table_sheet(file: str, grids: list[Grid]) -> tuple[Grid, Layout]:
    """The one sheet that looks like a table of indicators; one too long for it (明细) may stand beside.

    Raises
    ------
    TableError
        If none or several do: what each lacks, as far as can be seen.
    DataError
        If none does, and one is too long.
    """
    laid = [(grid, layout) for grid in grids if not grid.long and (layout := layout_of(grid)) is not None]
    found = [(grid, layout) for grid, layout in laid if layout.columns]
    if len(found) == 1:
        return found[0]
    if not found:
        refuse_long(file, grids)
    known = "、".join(shipped_table("indicators.csv", "code").query("refused == ''")["name"])
    names = "、".join(grid.label for grid in grids if grid.name) or "—"
    if found:
        names = "、".join(grid.label for grid, _ in found)
        raise refusal(file, "", [problem(None, say("intake.sheets"), names, "many_sheets")])
    if not laid:
        strange = [found for grid in grids for found in (*_transposed(grid), *_unnamed_units(grid))]
        raise refusal(file, "", strange or [problem(None, say("intake.sheets"), names, "no_header", known=known)])
    grid, layout = laid[0]
    headers = "、".join(column.text for column in layout.unread) or "—"
    strangers = [*_transposed(grid), *misspelt(layout)] or [
        problem(layout.header_rows[0], say("intake.columns"), headers, "no_indicator", known=known)
    ]
    raise refusal(file, grid.name, strangers)


def _transposed(grid: Grid) -> Iterator[Problem]:
    """A row that names the units side by side."""
    for number, row in grid.rows.items():
        if len({unit for cell in row if (unit := unit_of(cell)) is not None}) >= _MANY:
            yield problem(number, say("intake.unit_column"), "", "transposed")
            return


def _unnamed_units(grid: Grid) -> Iterator[Problem]:
    """A column that names the units, but has no header that says so."""
    for place in range(max(map(len, grid.rows.values()), default=0)):
        named = [number for number, row in grid.rows.items() if unit_of(cell_at(row, place)) is not None]
        if len(named) >= _MANY:
            above, letter = max(named[0] - 1, 1), column_letters(place + 1)
            shown = plain(cell_at(grid.rows.get(above, []), place))
            yield problem(above, letter, shown, "unnamed_units", letter=letter)
            return


def misspelt(layout: Layout, *, by_period: bool = False) -> Iterator[Problem]:
    """Headers that differ from a known one by a slip: read as nothing, they would be lost without a word.

    ``by_period``: an indicator may have a column for each period, so that one more may be meant.
    """
    held = {column.indicator for column in layout.columns}
    for header in layout.unread:
        indicator = _nearest(_core(header.name), _cores()) or _nearest(header.name, indicator_names())
        if indicator and (by_period or indicator not in held):
            near = shipped_table("indicators.csv", "code").loc[indicator]
            kind = near["refused"] or "misspelt"
            yield problem(layout.header_rows[0], header.label, header.text, kind, known=near["name"])


def _nearest(text: str, codes: dict[str, str]) -> str:
    """Code of the spelling most like a text; blank if none is, or the text only adds to it, as 上年 or 占比 does."""
    found = next(iter(get_close_matches(text, codes, n=1, cutoff=_ALIKE)), "")
    return codes[found] if found and (found == text or found not in text) else ""


def _core(name: str) -> str:
    """What a header says without the words that headers of one thing differ by: 小巨人 of 小巨人企业数量."""
    for filler, full in (("规上", "规模以上"), ("研发", "R&D"), *((word, "") for word in words("header_fillers"))):
        name = name.replace(filler, full)
    return name


@cache
def _cores() -> dict[str, str]:
    """Codes of the indicators by the cores of their spellings; the first of two indicators with the same has it."""
    cores: dict[str, str] = {}
    for name, code in indicator_names().items():
        cores.setdefault(_core(name), code)
    return cores
