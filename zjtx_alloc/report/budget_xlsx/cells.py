"""Cells of a workbook that recalculates: formulas with the value they have, inputs with their names."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

FIRST_ROW = 4  # of data, as Excel counts: heading, note and header stand above


@dataclass(frozen=True)
class Live:
    """A formula (without =) and its value as calculated here; the file shows it before any program recalculates."""

    formula: str
    value: float | str
    kind: str = ""
    name: str = ""


def value_of(cell: Any) -> Any:
    """What a cell shows: a formula's value, or the cell itself."""
    return cell.value if isinstance(cell, Live) else cell


@dataclass(frozen=True)
class Given:
    """A number that formulas refer to by name; users may change it if ``is_input``."""

    value: float
    kind: str
    name: str = ""
    is_input: bool = True


@dataclass(frozen=True)
class Column:
    """Header, kind (a key of ``FORMATS``) and width in characters.

    Helpers are narrow, grouped and not printed; a header that is a fiscal year is starred if its total is incomplete.
    """

    header: str | int
    kind: str
    width: float = 12
    is_helper: bool = False
    is_incomplete: bool = False


@dataclass(frozen=True)
class LiveSheet:
    """A sheet: columns, rows of text, numbers, ``Live``, ``Given`` or None; the last rows total and check.

    Attributes
    ----------
    title, note : str
        Name of the sheet; the line under its heading.
    tail : sequence of rows
        Totals and, last, the checks, each zero; drawn bold.
    frozen : int
        Columns that stay in sight.
    """

    title: str
    note: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Any]]
    tail: Sequence[Sequence[Any]] = ()
    frozen: int = 2

    @property
    def last_row(self) -> int:
        """Excel's number of the last row of data."""
        return FIRST_ROW + len(self.rows) - 1


def letter(place: int) -> str:
    """The name of a column: 0 is A."""
    name = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        name = chr(65 + rest) + name
    return name


def whole(column: str, first: int, last: int, sheet: str = "") -> str:
    """An absolute range of one column, e.g. ``'台账'!$L$4:$L$225``."""
    place = f"${column}${first}:${column}${last}"
    return f"'{sheet}'!{place}" if sheet else place


@dataclass(frozen=True)
class Spread:
    """A largest-remainder spread: base × share over the rows, rounded half up, in whole places.

    Attributes
    ----------
    base : str
        What is multiplied, with ``{row}`` for the row, e.g. ``(E{row}-H{row})``.
    share : str
        The share's name.
    known : list of (whole part, remainder in billionths, places)
        What each row comes to.
    order : str
        Column of whole numbers that orders equal remainders; blank: the order of the rows.
    """

    base: str
    share: str
    known: list[tuple[int, int, int]]
    order: str = ""


def append_spread(rows: list[list[Any]], spread: Spread, first: int) -> None:
    """Append whole part, remainder and places to each row; ``first`` is Excel's number of the first.

    Whole parts are handed out, then one more to the largest remainders. Everything is a whole number below
    2^53, so Excel's floating point computes it exactly, as Python does.
    """
    part, rest, _ = (letter(len(rows[0]) + place) for place in range(3))
    rests = whole(rest, first, first + len(rows) - 1)
    orders = whole(spread.order, first, first + len(rows) - 1) if spread.order else f"ROW({rests})"
    missing = f"INT((SUM({rests})+5*10^8)/10^9)"
    for row, (line, known) in enumerate(zip(rows, spread.known, strict=True), start=first):
        billionths = f"{spread.base.format(row=row)}*ROUND({spread.share}*10^9,0)"
        mine = f"{spread.order}{row}" if spread.order else f"ROW({rest}{row})"
        ahead = f"SUMPRODUCT(({rests}>{rest}{row})+({rests}={rest}{row})*({orders}<{mine}))"
        formulas = [
            f"INT({billionths}/10^9)",
            f"{billionths}-{part}{row}*10^9",
            f"{part}{row}+IF({ahead}<{missing},1,0)",
        ]
        line += [Live(formula, value) for formula, value in zip(formulas, known, strict=True)]
