"""A table under one row of headers, or two, as of firms, transfers or a list: where it is, and what its headers have wrong."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise, zip_longest
from typing import Any

from zjtx_alloc.facts.cells import header_of, plain, stated_measures, stated_otherwise, yuan_in
from zjtx_alloc.facts.grid import Grid
from zjtx_alloc.facts.layout import Heading, cell_at
from zjtx_alloc.facts.problems import Problem, problem

HEADER_WITHIN = 30  # rows in which the header is looked for


@dataclass(frozen=True)
class Headed:
    """A sheet with its header's row as Excel numbers it, the headings that name a column, by its code, and the others.

    Of a header in two rows, ``row`` is the lower one.
    """

    grid: Grid
    row: int
    known: tuple[tuple[str, Heading], ...]
    unread: tuple[Heading, ...]
    above: int | None = None

    @property
    def header_rows(self) -> list[int]:
        """The rows of the header."""
        return [self.row] if self.above is None else [self.above, self.row]

    @cached_property
    def columns(self) -> dict[str, Heading]:
        """The columns by code; of several with one code the first."""
        columns: dict[str, Heading] = {}
        for code, heading in self.known:
            columns.setdefault(code, heading)
        return columns

    @property
    def body(self) -> dict[int, list[Any]]:
        """The rows below the header."""
        return {number: row for number, row in self.grid.rows.items() if number > self.row}

    def cell(self, row: list[Any], code: str) -> Any:
        """A row's cell in a column; None where either is missing."""
        return cell_at(row, self.columns[code].place) if code in self.columns else None

    def repeated(self, several: Collection[str] = ()) -> Iterator[Problem]:
        """Two columns that both may be the amount, or the year: which one is meant is not guessed, but of ``several``."""
        for code, heading in self.known:
            if (first := self.columns[code]) is not heading and code not in several:
                yield problem(self.row, heading.label, heading.text, "column_twice", first=first.label)

    def other_measures(self, headings: Iterable[tuple[Heading, str]], alike: Iterable[str] = ()) -> Iterator[Problem]:
        """Headings that name another measure than theirs, or titles that do, but for money, which is converted."""
        for heading, measure in headings:
            named = self.other_measure(heading, measure)
            if named and not (yuan_in(named) if yuan_in(measure) else named in {*alike}):
                yield problem(self.row, heading.label, named, "measure", measure=measure)

    def other_measure(self, heading: Heading, measure: str) -> str:
        """The measure that a heading names, or the titles do, in the place of its column's; blank if none."""
        named = header_of(heading.text)[1] or stated_otherwise(self._stated, measure)
        return named if measure and named != measure else ""

    @cached_property
    def _stated(self) -> dict[str, str]:
        return stated_measures(row for number, row in self.grid.rows.items() if number < self.header_rows[0])


def headed(grids: Iterable[Grid], codes: Mapping[str, str], suffices: Callable[[list[str]], bool]) -> list[Headed]:
    """The sheets with a row near the top whose known headers suffice, or if there is none two rows.

    Parameters
    ----------
    grids : iterable of Grid
    codes : mapping
        Codes of the columns by every spelling of a header, as ``header_of`` leaves it.
    suffices : function of the codes that a row names, to bool
    """
    found = []
    for grid in grids:
        found += [sheet for sheet in _read_as(grid, codes) if suffices([code for code, _ in sheet.known])][:1]
    return found


def best_headed(grid: Grid, codes: Mapping[str, str]) -> Headed | None:
    """The sheet under the row, or the two rows, near the top that name most columns, two at least; None if none does.

    A header that begins with a spelling is that column, too.
    """
    found = [sheet for sheet in _read_as(grid, codes, begun=True) if len(sheet.columns) > 1]
    return max(found, key=lambda sheet: len(sheet.columns), default=None)


def _read_as(grid: Grid, codes: Mapping[str, str], *, begun: bool = False) -> Iterator[Headed]:
    """The sheet as if each row near the top were its header, then each two.

    A heading of two rows goes by the lower text where that is known or stands alone, else by the upper one; where it
    names no measure, the upper one's counts.
    """
    numbers = list(grid.rows)[:HEADER_WITHIN]
    for number in numbers:
        yield _under(grid, number, grid.rows[number], codes, begun)
    for upper, lower in pairwise(numbers):
        joined = _joined(grid.rows[upper], grid.rows[lower], codes, begun)
        yield replace(_under(grid, lower, joined, codes, begun), above=upper)


def _joined(upper: list[Any], lower: list[Any], codes: Mapping[str, str], begun: bool) -> list[str]:
    """Two rows of headers as one; a merged cell of the upper one goes on to the right as far as the lower one fills."""
    texts, group = [], ""
    for above, below in zip_longest(map(plain, upper), map(plain, lower), fillvalue=""):
        group = above or (group if below else "")
        measure = header_of(group)[1] if below and not header_of(below)[1] else ""
        is_above = (
            above and _code(Heading(0, above), codes, begun) and not (below and _code(Heading(0, below), codes, begun))
        )
        texts.append(above if is_above else f"{below}({measure})" if measure else below or above)
    return texts


def _code(heading: Heading, codes: Mapping[str, str], begun: bool) -> str | None:
    """The column that a header names by itself, without its remarks, or by beginning with it."""
    exact = codes.get(heading.name) or (codes.get(heading.bare_name) if heading.bare_name else None)
    words = [word for word in codes if begun and heading.name.startswith(word)]
    return exact or (codes[max(words, key=len)] if words else None)


def _under(grid: Grid, number: int, header: list[Any], codes: Mapping[str, str], begun: bool) -> Headed:
    """The sheet if this were its header; of two headings for one column one with a remark is another thing."""
    headings = [Heading(place, plain(cell)) for place, cell in enumerate(header) if plain(cell)]
    exact = {codes[heading.name] for heading in headings if heading.name in codes}
    known = [
        (code, h)
        for h in headings
        if (code := _code(h, codes, begun)) and (begun or h.name in codes or code not in exact)
    ]
    held = {heading for _, heading in known}
    return Headed(grid, number, tuple(known), tuple(heading for heading in headings if heading not in held))
