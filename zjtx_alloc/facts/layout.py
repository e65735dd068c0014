"""How a sheet is laid out: where its header is, which column names units, which names what indicator."""

from dataclasses import dataclass
from functools import cache
from itertools import combinations
from typing import Any

from zjtx_alloc.base.messages import words
from zjtx_alloc.base.resources import shipped_table, spellings
from zjtx_alloc.facts.cells import amount, header_of, plain, unit_of, without_remarks
from zjtx_alloc.facts.grid import Grid, column_letters

_HEADER_WITHIN = 30  # rows in which a header is looked for
_MOST_BELOW = 3  # rows that a header may go on for


@dataclass(frozen=True)
class Heading:
    """The header of a column: its place, counted from 0, and its text."""

    place: int
    text: str

    @property
    def label(self) -> str:
        """As Excel shows it, e.g. ``C 规上工业中小企业数``."""
        return f"{column_letters(self.place + 1)} {self.text}"

    @property
    def name(self) -> str:
        """The text without measure, period and marks."""
        return header_of(self.text)[0]

    @property
    def bare_name(self) -> str:
        """The name without remarks in parentheses."""
        return header_of(without_remarks(self.text))[0]


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

    def label(self, row: list[Any]) -> Any:
        """What a row calls itself: its unit cells; without any, as where 合计 is merged, what stands left of the values."""
        ends = min((column.place for column in self.columns), default=0)
        places = [*self.unit_places, *(place for place in range(ends) if place != self.scope_place)]
        return next((cell for place in places if plain(cell := cell_at(row, place)) != ""), None)


def cell_at(row: list[Any], place: int) -> Any:
    """The cell of a row; None where the row is shorter."""
    return row[place] if place < len(row) else None


def names_units(row: list[Any]) -> list[int]:
    """Places of a row whose cells are headers of a column of units."""
    known = words("unit_headers")
    return [place for place, cell in enumerate(row) if isinstance(cell, str) and header_of(cell)[0] in known]


def layout_of(grid: Grid) -> Layout | None:
    """The layout of a sheet; None if no row near its top has a column of units."""
    numbers = list(grid.rows)[:_HEADER_WITHIN]
    for position, number in enumerate(numbers):
        row = grid.rows[number]
        if units := names_units(row):
            above = _group_row(grid, numbers[position - 1]) if position else []
            texts, rows = [row], [number]
            for below in numbers[position + 1 : position + 1 + _MOST_BELOW]:
                if _is_index(grid.rows[below], units):
                    rows.append(below)
                elif _goes_on(grid.rows[below], units):
                    rows.append(below)
                    texts.append(grid.rows[below])
                else:
                    break
            body = [cells for at, cells in grid.rows.items() if at > rows[-1]]
            return _columns(grid.name, tuple(rows), [above, *texts], _filled(units, body))
    return None


def _filled(units: list[int], body: list[list[Any]]) -> list[int]:
    """Of several columns headed as units, those whose cells mostly are: 地区 may hold 东部, 中部 beside the 省份."""
    if len(units) < 2:
        return units
    shares = {}
    for place in units:
        cells = [cell for row in body if plain(cell := cell_at(row, place)) != ""]
        shares[place] = 2 * sum(unit_of(cell) is not None for cell in cells) >= len(cells) > 0
    return [place for place in units if shares[place]] or units


def _group_row(grid: Grid, number: int) -> list[Any]:
    """The row above the header, if it groups columns; a title stands in one cell only."""
    row = grid.rows[number]
    return _carried(row) if sum(plain(cell) != "" for cell in row) > 1 else []


def _goes_on(row: list[Any], units: list[int]) -> bool:
    """Whether a row below the header goes on with it: no unit, no number."""
    return all(plain(cell_at(row, place)) == "" for place in units) and all(
        isinstance(amount(cell, ""), str) for cell in row if plain(cell) != ""
    )


def _is_index(row: list[Any], units: list[int]) -> bool:
    """Whether a row only counts the columns (甲, 1, 2; 栏次), as statistical tables have it below the header."""
    return any(plain(cell_at(row, place)) in words("index_rows") for place in units)


def _carried(row: list[Any]) -> list[Any]:
    """A merged cell keeps its text in its first column only: carry it to the right."""
    carried: list[Any] = []
    for cell in row:
        carried.append(carried[-1] if plain(cell) == "" and carried else cell)
    return carried


def _columns(sheet: str, rows: tuple[int, ...], stack: list[list[Any]], units: list[int]) -> Layout:
    stack = [*map(_carried, stack[:-1]), stack[-1]]
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
    table = shipped_table("indicators.csv", "code")
    return {header_of(text)[0]: str(code) for code, row in table.iterrows() for text in spellings(row)}
