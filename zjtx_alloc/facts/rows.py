"""The rows below a header: which speak for units, which are totals, and which are passed over by name."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from zjtx_alloc.base.messages import words
from zjtx_alloc.base.units import members_of
from zjtx_alloc.facts.cells import amount, plain, unit_of
from zjtx_alloc.facts.grid import Grid
from zjtx_alloc.facts.layout import Layout, cell_at, names_units

Row = tuple[int, list[Any]]
_SUBTOTAL = re.compile(r"(东部|中部|西部|东北)(地区|省份)?(小计|合计)?|.*小计")
_SUM = re.compile(r"(小计|合计)$")


@dataclass(frozen=True)
class Body:
    """The rows below a header, each with the number that Excel shows."""

    units: tuple[Row, ...]  #: Rows to be read: all that do not belong to the other kinds.
    totals: tuple[Row, ...]
    #: Tuple of (int, str): Rows that are not read, and what they say first: remarks, subtotals of regions, the header
    #: again, units left blank because their province's row contains them.
    passed: tuple[tuple[int, str], ...]
    other: int | None  #: Row of the header of another table; it and what follows is in no kind.


def body_of(grid: Grid, layout: Layout) -> Body:
    """Sort the rows below the header of a sheet."""
    rows = [(number, row) for number, row in grid.rows.items() if number > max(layout.header_rows)]
    header = [_texts(grid.rows[number]) for number in layout.header_rows]
    other = next((at for at, row in rows if _is_header(row, layout) and _texts(row) not in header), None)
    if other is not None:
        rows = [(number, row) for number, row in rows if number < other]
    last = max((number for number, row in rows if unit_of(layout.label(row)) is not None), default=0)
    whole = _whole_provinces(rows, layout)
    kinds: dict[str, list[Row]] = {"units": [], "totals": [], "passed": []}
    for number, row in rows:
        label = plain(layout.label(row))
        if label in words("totals"):
            kind = "totals"
        elif _texts(row) in header or _is_subtotal(label) or _is_remark(row, layout, whole):
            kind = "passed"
        else:
            after_total = any(at > last for at, _ in kinds["totals"])
            beyond = number > last and (after_total or not any(_numbers(row, layout)))
            kind = "passed" if beyond else "units"
        kinds[kind].append((number, row))
    passed = tuple(
        (number, plain(layout.label(row)) or next(filter(None, _texts(row)), "")) for number, row in kinds["passed"]
    )
    return Body(tuple(kinds["units"]), tuple(kinds["totals"]), passed, other)


def _texts(row: list[Any]) -> list[str]:
    """What a row says, without blank cells at its end; tables printed over several pages repeat their header."""
    texts = [plain(cell) for cell in row]
    while texts and texts[-1] == "":
        texts.pop()
    return texts


def _is_header(row: list[Any], layout: Layout) -> bool:
    """Whether a row is a header: it names the units where they stand, and holds no number."""
    return bool(set(names_units(row)) & set(layout.unit_places)) and not any(_numbers(row, layout))


def _is_subtotal(label: str) -> bool:
    return bool(_SUBTOTAL.fullmatch(label)) and unit_of(_SUM.sub("", label)) is None


def _is_remark(row: list[Any], layout: Layout, whole: set[str]) -> bool:
    """Whether a row has no value in any column, and names no unit or one that its province's row contains."""
    unit = unit_of(layout.label(row))
    empty = all(plain(cell_at(row, column.place)) == "" for column in layout.columns)
    return empty and (unit is None or unit in whole)


def _whole_provinces(rows: list[Row], layout: Layout) -> set[str]:
    """Cities and the Corps inside the provinces whose rows are 省级合计."""
    inside: set[str] = set()
    for _, row in rows:
        scope = "" if layout.scope_place is None else plain(cell_at(row, layout.scope_place))
        if scope in words("province_scopes") and (unit := unit_of(layout.label(row))) is not None:
            inside |= set(members_of(unit)) - {unit}
    return inside


def _numbers(row: list[Any], layout: Layout) -> Iterator[bool]:
    return (not isinstance(amount(cell_at(row, column.place), ""), str) for column in layout.columns)
