"""What an official document (公文) says, as data; written as docx by ``official`` and as PDF by ``typesetting``."""

import datetime
import math
import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from zjtx_alloc.report.tables import Table, shown

PORTRAIT, LANDSCAPE = 156, 227  # mm between the margins
CREATED = datetime.datetime(2024, 6, 14, tzinfo=datetime.UTC)  # what files say of their making, whatever the clock
_LEAD = re.compile(r"（[一二三四五六七八九十]+）[^。]*。")
_CHARACTER, _PADDING, _WIDEST = 3.8, 4.2, 16  # mm, mm, characters: of a column before its cells wrap

Side = Literal["left", "center", "right"]


@dataclass(frozen=True)
class Cell:
    """A cell of a grid; one that spans is given once, at its upper left corner."""

    text: str
    align: Side = "left"
    across: int = 1
    down: int = 1


@dataclass(frozen=True)
class Grid:
    """A table of texts.

    Attributes
    ----------
    title : str
    rows : tuple of tuple of Cell
    widths : tuple of float
        Millimetres by column.
    heads : int
        How many rows at the top are headers, repeated on each page.
    has_total : bool
        Whether the last row is the total.
    notes : tuple of str
        What stands under the table.
    """

    title: str
    rows: tuple[tuple[Cell, ...], ...]
    widths: tuple[float, ...]
    heads: int = 1
    has_total: bool = False
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Section:
    """A heading of the first level (一、) and what follows; a text may begin with a lead like （一）总体情况。."""

    heading: str
    blocks: tuple[str | Grid, ...]


@dataclass(frozen=True)
class Annex:
    """An annex (附件): a grid on pages of its own."""

    grid: Grid
    landscape: bool


@dataclass(frozen=True)
class Manuscript:
    """A whole document.

    Attributes
    ----------
    title : tuple of str
        Its lines.
    header : str
        At the top of every page; blank for none.
    about : str
        What is said before the first section.
    sections, annexes : tuple
    closing : tuple of str
        Who signs and when, after the list of annexes.
    """

    title: tuple[str, ...]
    header: str
    about: str
    sections: tuple[Section, ...]
    annexes: tuple[Annex, ...]
    closing: tuple[str, ...] = ()


def lead(text: str) -> tuple[str, str]:
    """A text as its lead of the second level (（一）遴选程序。), blank if it has none, and the rest."""
    found = _LEAD.match(text)
    end = found.end() if found else 0
    return text[:end], text[end:]


def rows_of(texts: pd.DataFrame, right: Collection[str]) -> tuple[tuple[Cell, ...], ...]:
    """A header row and a row a record; the columns named in ``right`` are set to the right."""
    sides: list[Side] = ["right" if name in right else "left" for name in texts]
    body = [
        tuple(Cell(str(text), side) for text, side in zip(row, sides, strict=True))
        for row in texts.itertuples(index=False)
    ]
    return (tuple(Cell(str(name), "center") for name in texts), *body)


def grid_of(table: Table, width: float) -> Grid:
    """A table of the report as a grid of a given width in mm, its columns as wide as their texts need."""
    texts = pd.DataFrame(
        {name: [shown(table.kinds[name], value) for value in column] for name, column in table.frame.items()}
    )
    right = [name for name, kind in table.kinds.items() if kind != "text"]
    rows = rows_of(texts, right)
    return Grid(table.title, rows, _fitted(rows, width), has_total=table.has_total, notes=table.notes)


def _fitted(rows: tuple[tuple[Cell, ...], ...], width: float) -> tuple[float, ...]:
    """Widths after the longest text of each column; a header may take two lines."""
    needs = [
        max(math.ceil(_length(head.text) / 2), *(_length(cell.text) for cell in cells), 2)
        for head, *cells in zip(*rows, strict=True)
    ]
    wanted = [min(need, _WIDEST) * _CHARACTER + _PADDING for need in needs]
    return tuple(round(width * w / sum(wanted), 1) for w in wanted)


def _length(text: str) -> float:
    """In Chinese characters; a digit or Latin letter is half of one."""
    return sum(1 if unicodedata.east_asian_width(c) in "WF" else 0.55 for c in text)
