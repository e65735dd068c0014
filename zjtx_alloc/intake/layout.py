"""How a sheet is laid out: where its header is, which column names units, which names what indicator."""

from dataclasses import dataclass
from functools import cache
from itertools import combinations
from typing import Any

from openpyxl.utils import get_column_letter

from zjtx_alloc.intake.cells import amount, header_of, plain
from zjtx_alloc.intake.grid import Grid
from zjtx_alloc.messages import words
from zjtx_alloc.resources import shipped_table

_HEADER_WITHIN = 15  # rows in which a header is looked for


@dataclass(frozen=True)
class Heading:
    """The header of a column: its place, counted from 0, and its text."""

    place: int
    text: str

    @property
    def label(self) -> str:
        """As Excel shows it, e.g. ``C 规上工业中小企业数``."""
        return f"{get_column_letter(self.place + 1)} {self.text}"

    @property
    def name(self) -> str:
        """The text without measure, period and marks."""
        return header_of(self.text)[0]


@dataclass(frozen=True)
class Column(Heading):
    """A recognised indicator column; period and measure as its header states them, else blank."""

    indicator: str
    period: str
    measure: str


@dataclass(frozen=True)
class Layout:
    """How a sheet is laid out, by Excel row numbers and column places; what it has beside is ``unread``."""

    sheet: str
    header_rows: tuple[int, ...]
    unit_places: tuple[int, ...]
    scope_place: int | None
    columns: tuple[Column, ...]
    unread: tuple[Heading, ...]


def layout_of(grid: Grid) -> Layout | None:
    """The layout of a sheet; None if no row near its top has a column of units."""
    numbers = list(grid.rows)[:_HEADER_WITHIN]
    for position, number in enumerate(numbers):
        row = grid.rows[number]
        units = [i for i, cell in enumerate(row) if header_of(plain(cell))[0] in words("unit_headers")]
        if units:
            above = _group_row(grid, numbers[position - 1]) if position else []
            below_number = numbers[position + 1] if position + 1 < len(numbers) else None
            below = _second_row(grid, below_number, units)
            rows = (number,) if not below else (number, below_number)
            return _columns(grid.name, tuple(r for r in rows if r is not None), [above, row, below], units)
    return None


def _group_row(grid: Grid, number: int) -> list[Any]:
    """The row above the header, if it groups columns; a title stands in one cell only."""
    row = grid.rows[number]
    return _carried(row) if sum(plain(cell) != "" for cell in row) > 1 else []


def _second_row(grid: Grid, number: int | None, units: list[int]) -> list[Any]:
    """The row below the header, if it goes on with headers: no unit, no number."""
    if number is None:
        return []
    row = grid.rows[number]
    cells = [cell for cell in row if plain(cell) != ""]
    is_header = all(plain(row[i]) == "" for i in units if i < len(row)) and all(
        isinstance(amount(cell, ""), str) for cell in cells
    )
    return row if is_header else []


def _carried(row: list[Any]) -> list[Any]:
    """A merged cell keeps its text in its first column only: carry it to the right."""
    carried: list[Any] = []
    for cell in row:
        carried.append(carried[-1] if plain(cell) == "" and carried else cell)
    return carried


def _columns(sheet: str, rows: tuple[int, ...], stack: list[list[Any]], units: list[int]) -> Layout:
    if stack[2]:
        stack = [stack[0], _carried(stack[1]), stack[2]]
    columns, unread, scope = [], [], None
    for place in range(max(map(len, stack))):
        texts = [plain(row[place]) for row in stack if place < len(row) and plain(row[place]) != ""]
        if place in units or not texts:
            continue
        if header_of(texts[-1])[0] in words("scope_headers"):
            scope = place
        elif (column := _column(place, list(dict.fromkeys(texts)))) is not None:
            columns.append(column)
        else:
            unread.append(Heading(place, texts[-1]))
    return Layout(sheet, rows, tuple(units), scope, tuple(columns), tuple(unread))


def _column(place: int, texts: list[str]) -> Column | None:
    """The indicator that a column's header texts name, together or alone; the longest reading first."""
    for size in range(len(texts), 0, -1):
        for chosen in combinations(texts, size):
            name, measure, period = header_of("".join(chosen))
            if name in indicator_names():
                return Column(place, "".join(texts), indicator_names()[name], period, measure)
    return None


@cache
def indicator_names() -> dict[str, str]:
    """Codes of the indicators by every spelling of their names, as ``header_of`` leaves it."""
    names: dict[str, str] = {}
    for code, row in shipped_table("indicators.csv", "code").iterrows():
        spellings = [str(code), row["name"], *filter(None, row["aliases"].split("|"))]
        names |= {header_of(spelling)[0]: str(code) for spelling in spellings}
    return names
