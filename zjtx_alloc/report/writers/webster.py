"""Webster's method in cells: a divisor found by bisection, what is left handed out in order; and the same in Python.

Rounding to halves is arithmetic that Excel, WPS and LibreOffice share. The bisection stops while the two ends still
differ by a hundred-billionth: floats tell places apart there, and places between the ends are ordered by their price,
and after that by the tie rule. Here exactness ends: the cells have floats, so prices that agree to twelve digits count as
the same, as equal fractions do in floats. Where that gives another quota than fractions, the program's is shown instead.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from zjtx_alloc.base.messages import say
from zjtx_alloc.quota.problem.numbers import BILLION
from zjtx_alloc.quota.problem.problem import QuotaProblem
from zjtx_alloc.report.writers.sheet import FIRST_ROW, Cell, Column, Content, Page, Sheet

STEPS = 60
_CLOSE = 1.00000000001  # how far apart the ends stay, as the formulas have it
_DIGITS = 12  # of a price that count; floats spoil those from the fifteenth on
_NO_PRICE = 10**9  # of a unit whose next place is not in question
_COLUMN = re.compile(r"\[(low|high|divisor|places)\b")


@dataclass(frozen=True)
class Search:
    """The search for a divisor as the sheets compute it.

    Entitlements, bounds, and the place of each unit in the tie order, 0 first.
    """

    due: Sequence[float]
    lower: Sequence[int]
    upper: Sequence[int]
    total: int
    rank: Sequence[int]

    @classmethod
    def of(cls, problem: QuotaProblem) -> "Search":
        """The search for the divisor of a problem, without its groups and rules."""
        return cls(problem.due.tolist(), problem.lower, problem.upper, problem.total, problem.rank)

    @cached_property
    def steps(self) -> list[tuple[float, float, float, int]]:
        """Lower end, upper end, divisor and the places it gives, step by step."""
        low, high = 1 / BILLION / (self.total + 1), 4 * max(self.due)
        divisor, found = math.sqrt(low * high), list[tuple[float, float, float, int]]()
        for _ in range(STEPS):
            places = sum(self.rounded(divisor))
            found.append((low, high, divisor, places))
            low, high = (divisor, high) if places > self.total else (low, divisor)
            divisor = high if places == self.total or high / low < _CLOSE else math.sqrt(low * high)
        return found

    @cached_property
    def ends(self) -> tuple[float, float]:
        """The ends after the last step."""
        low, high, divisor, places = self.steps[-1]
        return (divisor, high) if places > self.total else (low, divisor)

    def rounded(self, divisor: float) -> list[int]:
        """Entitlements over a divisor, rounded within the bounds."""
        units = zip(self.due, self.lower, self.upper, strict=True)
        return [min(max(math.floor(e / divisor + 0.5), low), high) for e, low, high in units]

    @cached_property
    def at_low(self) -> list[int]:
        """Places at the lower end, which may be too many."""
        return self.rounded(self.ends[0])

    @cached_property
    def at_high(self) -> list[int]:
        """Places at the upper end, which are never too many."""
        return self.rounded(self.ends[1])

    @cached_property
    def prices(self) -> list[float]:
        """The price of the next place where it is in question, next to 1 at the divisor; else ``_NO_PRICE``."""
        triples, divisor = zip(self.at_low, self.at_high, self.due, strict=True), self.ends[1]
        return [
            round((2 * places + 1) / e * divisor / 2, _DIGITS) if more > places else _NO_PRICE
            for more, places, e in triples
        ]

    @cached_property
    def places(self) -> list[int]:
        """In which order the places in question are handed out, from 1."""
        keys = list(zip(self.prices, self.rank, strict=True))
        return [sum(other < mine for other in keys) + 1 for mine in keys]

    @cached_property
    def left(self) -> int:
        """Places still to be handed out at the upper end."""
        return self.total - sum(self.at_high)

    @cached_property
    def quota(self) -> list[int]:
        """The quota, without groups and rules."""
        units = zip(self.at_high, self.prices, self.places, strict=True)
        return [low + (price < _NO_PRICE and place <= self.left) for low, price, place in units]


@dataclass(frozen=True)
class LiveSearch:
    """A search in cells: ``ranges`` gives the units' cells of a column, in whatever sheet, as formulas call them.

    The columns are ``entitlement`` (which ``own`` calls otherwise), ``floor``, ``cap``, ``tie_order`` and those of ``helper_columns``;
    ``total`` is the name of the total's cell; ``prefix`` begins the names of the ends and of the columns of steps.
    """

    search: Search
    total: str
    ranges: Callable[[str], str]
    prefix: str = ""
    own: str = "entitlement"

    def unit_cells(self, unit: int) -> dict[str, Cell]:
        """The helper cells of a unit by its position."""
        price = f"ROUND((2*[at_high]+1)/[{self.own}]*{self.prefix}divisor_high/2,{_DIGITS})"
        prices, orders = self.ranges("next_price"), self.ranges("tie_order")
        ahead = f"({prices}<[next_price])+({prices}=[next_price])*({orders}<[tie_order])"
        found, divisor = self.search, f"{self.prefix}divisor_"
        return {
            "at_high": Cell(found.at_high[unit], self._bounded(f"[{self.own}]/{divisor}high", unit)),
            "at_low": Cell(found.at_low[unit], self._bounded(f"[{self.own}]/{divisor}low", unit)),
            "next_price": Cell(found.prices[unit], f"IF([at_low]>[at_high],{price},10^9)"),
            "place": Cell(found.places[unit], f"SUMPRODUCT({ahead})+1"),
        }

    def _bounded(self, ratio: str, unit: int) -> str:
        floor, cap = (f"INDEX({self.ranges(name)},{unit + 1})" for name in ("floor", "cap"))
        return f"MEDIAN({floor},ROUND({ratio},0),{cap})"

    @property
    def quota(self) -> str:
        """What a unit gets: its places at the upper end, and the next one where its turn comes."""
        return f"[at_high]+([next_price]<10^9)*([place]<={self.prefix}places_left)"

    def columns(self, label: str = "") -> dict[str, Column]:
        """The columns of its steps."""
        kinds = {"low": ("plain", 22), "high": ("plain", 22), "divisor": ("plain", 22), "places": ("count", 14)}
        return {self.prefix + name: Column(label + say(f"calculation.{name}"), *kind) for name, kind in kinds.items()}

    def steps(self) -> list[dict[str, Cell]]:
        """The steps of the bisection, a row each."""
        floor, cap, entitlement = map(self.ranges, ("floor", "cap", "entitlement"))
        whole = f"ROUND({entitlement}/[divisor],0)"
        clipped = f"{whole}+({floor}-{whole})*({whole}<{floor})+({cap}-{whole})*({whole}>{cap})"
        first = {"low": f"1/10^9/({self.total}+1)", "high": f"4*MAX({entitlement})", "divisor": "SQRT([low]*[high])"}
        rows = []
        for row, values in enumerate(self.search.steps, start=FIRST_ROW):
            is_above = f"[places:{row - 1}]>{self.total}"
            formulas = {
                "low": f"IF({is_above},[divisor:{row - 1}],[low:{row - 1}])",
                "high": f"IF({is_above},[high:{row - 1}],[divisor:{row - 1}])",
                "divisor": f"IF(OR([places:{row - 1}]={self.total},[high]/[low]<{_CLOSE!r}),[high],SQRT([low]*[high]))",
            }
            formulas = {**(formulas if row > FIRST_ROW else first), "places": f"SUMPRODUCT({clipped})"}
            rows.append(self._row(dict(zip(formulas, map(Cell, values, formulas.values()), strict=True))))
        return rows

    def ends(self) -> list[dict[str, Cell]]:
        """The ends after the last step, and the places left at the upper one."""
        last, found, high = FIRST_ROW + STEPS - 1, self.search, self.ranges("at_high")
        is_above = f"[places:{last}]>{self.total}"
        ends = f"IF({is_above},[divisor:{last}],[low:{last}])", f"IF({is_above},[high:{last}],[divisor:{last}])"
        names = (f"{self.prefix}divisor_low", f"{self.prefix}divisor_high", f"{self.prefix}places_left")
        low_end, high_end = map(Cell, found.ends, ends, ("", ""), names)
        return [
            self._row({"divisor": low_end}),
            self._row({"divisor": high_end, "places": Cell(sum(found.at_high), f"SUM({high})")}),
            self._row({"places": Cell(found.left, f"{self.total}-SUM({high})", name=names[2])}),
        ]

    def _row(self, cells: Mapping[str, Cell]) -> dict[str, Cell]:
        """Cells under the columns of this search."""
        formulas = {name: _COLUMN.sub(rf"[{self.prefix}\1", cell.formula) for name, cell in cells.items()}
        return {self.prefix + name: replace(cell, formula=formulas[name]) for name, cell in cells.items()}


def helper_columns(prefix: str | None = None) -> dict[str, Column]:
    """The columns of units in which a search works; with a prefix they have names in the workbook."""
    kinds = {"at_high": "count", "at_low": "count", "next_price": "plain", "place": "count"}
    names = {name: "" if prefix is None else prefix + name for name in kinds}
    return {
        name: Column(say(f"calculation.{name}"), kind, 10, is_helper=True, name=names[name])
        for name, kind in kinds.items()
    }


def search_sheet(title: str, note: str, searches: Mapping[str, LiveSearch]) -> Sheet:
    """The steps of searches side by side, each under its label."""
    columns = {"step": Column(say("calculation.step"), "count", 24)}
    rows: list[dict[str, Content]] = [{"step": number} for number in range(1, STEPS + 1)]
    ends: list[dict[str, Content]] = [{"step": say(f"calculation.{end}")} for end in ("divisor_low", "divisor_high", "places_left")]  # fmt: skip
    for label, live in searches.items():
        columns |= live.columns(label)
        for row, cells in zip([*rows, *ends], [*live.steps(), *live.ends()], strict=True):
            row.update(cells)
    return Sheet(title, columns, rows, ends, note=note, frozen=1, page=Page(landscape=len(searches) > 1, pages=1))


def spread_formulas(
    column: str, product: tuple[str, str], rests: str, orders: tuple[str, str], same: str = ""
) -> dict[str, str]:
    """A count × share in whole numbers by largest remainder: formulas of whole part, remainder in billionths, and result.

    ``rests`` are the remainders of all rows, ``orders`` what orders equal ones: of all rows and of this one; ``same``
    times what is summed keeps rows apart that are not spread together. Whole numbers below 2^53 are exact in floats.
    """
    count, share = product
    part, rest = f"{column}_part", f"{column}_rest"
    billionths = f"{count}*ROUND({share}*10^9,0)"
    ahead = f"({rests}>[{rest}])+({rests}=[{rest}])*({orders[0]}<{orders[1]})"
    ahead = f"SUMPRODUCT({same}({ahead}))" if same else f"SUMPRODUCT({ahead})"
    every = f"SUMPRODUCT({same}{rests})" if same else f"SUM({rests})"
    return {
        part: f"INT({billionths}/10^9)",
        rest: f"{billionths}-[{part}]*10^9",
        column: f"[{part}]+IF({ahead}<INT(({every}+5*10^8)/10^9),1,0)",
    }
