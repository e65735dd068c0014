"""Webster's method in cells: a divisor found by bisection, what is left handed out in order; and the same in Python.

Rounding to halves is arithmetic that Excel, WPS and LibreOffice share. The bisection stops while the two ends still
differ by a hundred-billionth: floats tell places apart there, and places between the ends are ordered by their price,
and after that by the tie rule. Here exactness ends: the cells have floats, so prices that agree to twelve digits count as
the same, as equal fractions do in floats. Where that gives another quota than fractions, the program's is shown instead.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from zjtx_alloc.base.messages import say
from zjtx_alloc.quota.problem.numbers import BILLION
from zjtx_alloc.report.writers.sheet import Cell, Column, Page, Row, Sheet

STEPS = 60
_CLOSE = 1.00000000001  # how far apart the ends stay, as the formulas have it
_DIGITS = 12  # of a price that count; floats spoil those from the fifteenth on
_NO_PRICE = 10**9  # of a unit whose next place is not in question
COMPARED = "compared_"  # begins the names of the second set of weights


@dataclass(frozen=True)
class Search:
    """The search for a divisor as the sheets compute it.

    Attributes
    ----------
    due : sequence of float
        Entitlements.
    lower, upper : sequence of int
    total : int
    rank : sequence of int
        Place of each unit in the tie order, 0 first.
    """

    due: Sequence[float]
    lower: Sequence[int]
    upper: Sequence[int]
    total: int
    rank: Sequence[int]

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


def search_columns(prefix: str = "") -> dict[str, Column]:
    """Helper columns of a sheet of units in which the search works."""
    names = {
        "billionths": "count", "tie_order": "count", "at_high": "count", "at_low": "count",
        "next_price": "plain", "place": "count",
    }  # fmt: skip
    return {
        name: Column(say(f"calculation.{name}"), kind, 10, is_helper=True, name=prefix + name)
        for name, kind in names.items()
    }


def search_cells(search: Search, unit: int, entitlement: str, prefix: str = "") -> dict[str, Any]:
    """The helper cells of a unit; ``entitlement`` names its column."""
    price = f"ROUND((2*[at_high]+1)/[{entitlement}]*{prefix}divisor_high/2,{_DIGITS})"
    formulas: Mapping[str, tuple[float, str]] = {
        "billionths": (round(search.due[unit] * BILLION), f"ROUND([{entitlement}]*10^9,0)"),
        "tie_order": (search.rank[unit] + 1, _order(prefix)),
        "at_high": (search.at_high[unit], _bounded(f"[{entitlement}]/{prefix}divisor_high", unit)),
        "at_low": (search.at_low[unit], _bounded(f"[{entitlement}]/{prefix}divisor_low", unit)),
        "next_price": (search.prices[unit], f"IF([at_low]>[at_high],{price},10^9)"),
        "place": (
            search.places[unit],
            f"SUMPRODUCT(({prefix}next_price<[next_price])+({prefix}next_price=[next_price])*"
            f"({prefix}tie_order<[tie_order]))+1",
        ),
    }  # fmt: skip
    return {name: Cell(value, formula) for name, (value, formula) in formulas.items()}


def quota_formula(prefix: str = "") -> str:
    """What a unit gets: its places at the upper end, and the next one where its turn comes."""
    return f"[at_high]+([next_price]<10^9)*([place]<={prefix}places_left)"


def _order(prefix: str) -> str:
    mine = f"({prefix}billionths=[billionths])*(serial<[serial])"
    return f"SUMPRODUCT(({prefix}billionths>[billionths])+{mine})+1"


def _bounded(ratio: str, unit: int) -> str:
    floor, cap = (f"INDEX({name},{unit + 1})" for name in ("floor_in_force", "cap_in_force"))
    return f"MEDIAN({floor},ROUND({ratio},0),{cap})"


def search_sheet(search: Search, prefix: str = "") -> Sheet:
    """The steps of the bisection, the ends, and what is left to be handed out in order."""
    entitlement = f"{prefix}entitlement"
    whole = f"ROUND({entitlement}/[divisor],0)"
    clipped = f"{whole}+(floor_in_force-{whole})*({whole}<floor_in_force)+(cap_in_force-{whole})*({whole}>cap_in_force)"
    rows: list[dict[str, Any]] = []
    for number, (low, high, divisor, places) in enumerate(search.steps, start=1):
        row = 3 + number
        above = {name: f"[{name}:{row - 1}]" for name in ("low", "high", "divisor", "places")}
        formulas = {
            "low": f"IF({above['places']}>total,{above['divisor']},{above['low']})",
            "high": f"IF({above['places']}>total,{above['high']},{above['divisor']})",
            "divisor": f"IF(OR({above['places']}=total,[high]/[low]<{_CLOSE!r}),[high],SQRT([low]*[high]))",
        }
        if number == 1:
            formulas = {
                "low": "1/10^9/(total+1)", "high": f"4*MAX({entitlement})", "divisor": "SQRT([low]*[high])",
            }  # fmt: skip
        numbers = {"low": low, "high": high, "divisor": divisor}
        rows.append(
            {"step": number, **{name: Cell(numbers[name], formula) for name, formula in formulas.items()},
             "places": Cell(places, f"SUMPRODUCT({clipped})")}
        )  # fmt: skip
    columns = {
        "step": Column(say("calculation.step"), "count", 24),
        **{name: Column(say(f"calculation.{name}"), "plain", 22) for name in ("low", "high", "divisor")},
        "places": Column(say("calculation.places"), "count", 14),
    }
    title = say(f"calculation.{prefix}search")
    return Sheet(
        title, columns, rows, _ends(search, prefix), note=say(f"calculation.{prefix}search_note"), frozen=1,
        page=Page(landscape=False, pages=1),
    )  # fmt: skip


def _ends(search: Search, prefix: str) -> list[Row]:
    """The ends after the last step, and the places left at the upper one."""
    last, (low, high) = 3 + STEPS, search.ends
    is_above = f"[places:{last}]>total"
    return [
        {"step": say("calculation.divisor_low"),
         "divisor": Cell(low, f"IF({is_above},[divisor:{last}],[low:{last}])", name=f"{prefix}divisor_low")},
        {"step": say("calculation.divisor_high"),
         "divisor": Cell(high, f"IF({is_above},[high:{last}],[divisor:{last}])", name=f"{prefix}divisor_high"),
         "places": Cell(sum(search.at_high), f"SUM({prefix}at_high)")},
        {"step": say("calculation.places_left"),
         "places": Cell(search.left, f"total-SUM({prefix}at_high)", name=f"{prefix}places_left")},
    ]  # fmt: skip
