"""What an official document (公文) says, as data; written as docx by ``docx`` and as PDF by ``pdf``."""

import datetime
import math
import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from itertools import accumulate
from typing import Any, Literal

import pandas as pd

from zjtx_alloc.base.messages import header, say
from zjtx_alloc.report.table import Table

PORTRAIT, LANDSCAPE = 156, 227  # mm between the margins
CREATED = datetime.datetime(2024, 6, 14, tzinfo=datetime.UTC)  # what files say of their making, whatever the clock
NUMERALS = "一二三四五六七八九"  # of batches
_LEAD = re.compile(r"（[一二三四五六七八九十]+）[^。]*。")
_RUN = re.compile(r"[!-~]+")
# mm of a character of a cell, of a small one, and of what is left and right
_CHARACTER, _SMALL, _PADDING = 3.8, 3.25, 4.2
_TOGETHER = 14  # rows
_SHORT = 4  # characters: a header of no more stays on one line
_WIDEST, _WRAPS = 16, 5  # characters: a column is no wider, and one of words wider than this may be narrowed

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
    """A table of texts; short ones among paragraphs are kept on one page (``together``)."""

    title: str
    rows: tuple[tuple[Cell, ...], ...]
    widths: tuple[float, ...]  #: Millimetres by column.
    heads: int = 1  #: How many rows at the top are headers, repeated on each page.
    has_total: bool = False  #: Whether the last row is the total.
    measure: str = ""  #: The measure of its money (单位：万元), above it on the right; blank if there is none.
    notes: tuple[str, ...] = ()  #: What stands under the table.
    #: Whether it is set in 小五 instead of 五号, on lines close enough for the 37 units to stand on one page.
    small: bool = False

    @property
    def together(self) -> bool:
        """Whether it is short enough to stand on one page: few rows, and of few lines."""
        longest = max(len(cell.text) for row in self.rows for cell in row)
        return len(self.rows) <= _TOGETHER and longest <= 2 * _WIDEST


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
    """A whole document."""

    title: tuple[str, ...]  #: Its lines.
    header: str  #: At the top of every page; blank for none.
    about: str  #: What is said before the first section.
    sections: tuple[Section, ...]
    annexes: tuple[Annex, ...]
    closing: tuple[str, ...] = ()  #: Who signs and when, after the list of annexes.
    #: What the first page holds under the title (一页纸); the rest then begins on the second.
    front: tuple[str | Grid, ...] = ()

    def numbered(self) -> tuple[tuple[int, Annex], ...]:
        """The annexes with their numbers; those that follow one of the same title are parts of it."""
        titles = [annex.grid.title for annex in self.annexes]
        begins = [int(place == 0 or titles[place - 1] != title) for place, title in enumerate(titles)]
        return tuple(zip(accumulate(begins), self.annexes, strict=True))


@cache
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


def grid_of(table: Table, width: float, *, small: bool = False) -> Grid:
    """A table of the report as a grid of a given width in mm; the measure of its money stands above it, once."""
    suffix = say("manuscript.suffix")
    texts = table.texts().rename(columns=lambda name: str(name).removesuffix(suffix))
    right = [str(name).removesuffix(suffix) for name, kind in table.kinds.items() if kind != "text"]
    rows = rows_of(texts, right)
    measure = say("manuscript.measure") if any(str(name).endswith(suffix) for name in table.frame) else ""
    widths = _fitted(rows, width, _SMALL if small else _CHARACTER)
    return Grid(table.title, rows, widths, 1, table.has_total, measure, table.notes, small)


def narrowed(table: Table, *columns: str, **changes: Any) -> Table:
    """A table with some of its columns, by their names in code, as wide as a page; ``changes`` are its title and notes."""
    heads = [header(column) for column in columns]
    return replace(table, frame=table.frame[heads], kinds={head: table.kinds[head] for head in heads}, **changes)


def blocks_of(part: Mapping[str, Any], facts: Mapping[str, Any], tables: Mapping[str, Grid]) -> Iterator[str | Grid]:
    """What a section of a form comes to: its paragraphs filled with facts, line by line, then those of its tables that there are."""
    for paragraph in part["paragraphs"]:
        yield from (line for line in paragraph.format(**facts).split("\n") if line)
    yield from (tables[name] for name in part.get("tables", []) if name in tables)


def _fitted(rows: tuple[tuple[Cell, ...], ...], width: float, character: float) -> tuple[float, ...]:
    """Widths after the longest text of each column; a header may take two lines, and words give way to numbers."""
    needs = [
        min(max([_head(head.text), *(_length(cell.text) for cell in cells), 2]), _WIDEST)
        for head, *cells in zip(*rows, strict=True)
    ]
    wanted = [need * character + _PADDING for need in needs]
    wraps = [cells[-1].align == "left" and _breakable(cells[1:]) > _WRAPS for cells in zip(*rows, strict=True)]
    firm = sum(w for w, wrap in zip(wanted, wraps, strict=True) if not wrap)
    if sum(wanted) > width and any(wraps):
        scale = (width - firm) / (sum(wanted) - firm)
        return tuple(round(w * scale if wrap else w, 1) for w, wrap in zip(wanted, wraps, strict=True))
    return tuple(round(width * w / sum(wanted), 1) for w in wanted)


def _breakable(cells: tuple[Cell, ...]) -> float:
    """How long the longest text of a column is beside its longest run of digits and letters, which stays on one line."""
    lengths = (_length(cell.text) - max(map(_length, _RUN.findall(cell.text)), default=0) for cell in cells)
    return max(lengths, default=0)


def _head(text: str) -> float:
    """A header of up to four characters stays on one line, a longer one takes two."""
    return _length(text) if len(text) <= _SHORT else math.ceil(_length(text) / 2)


def _length(text: str) -> float:
    """In Chinese characters; a digit or Latin letter is half of one."""
    return sum(1 if unicodedata.east_asian_width(c) in "WF" else 0.58 for c in text)
