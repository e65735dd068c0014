"""Counts brought to another date, as the nation moved in between; where a place's own new firms are known, with these."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import combinations, pairwise
from typing import Protocol

from zjtx_alloc.base.errors import DataError
from zjtx_alloc.base.messages import say
from zjtx_alloc.base.units import NATION, load_units, provinces
from zjtx_alloc.facts.evidence.observations import ABOVE, NAMED, SME, STOCK, Observation, observations

_APART = 0.5  # of a year or list: nearer pairs say nothing of drift
_ENOUGH = 4  # pairs


class Path(Protocol):
    """How an indicator moves from date to date."""

    @property
    def cells(self) -> tuple[Observation, ...]:
        """Counts of places and of the nation, in the measure asked for."""

    def total(self, month: int) -> float:
        """The nation's total at a month."""

    def moved(self, cell: Observation, month: int) -> float:
        """A place's count brought to a month."""

    def distance(self, cell: Observation, month: int) -> float:
        """How far a count is from a month: in years or lists."""

    def state(self, month: int) -> int:
        """What has to be the same for a count to stand as it is: the last list; 0 where there are none."""


@dataclass(frozen=True)
class Lists:
    """“小巨人” in force: they change when a list is named and an earlier one reviewed, and not in between.

    ``known_by`` bounds the dates of counts; places in ``without`` count as unknown.
    """

    known_by: str | None
    without: frozenset[str] = frozenset()

    @cached_property
    def cells(self) -> tuple[Observation, ...]:
        """Counts of places and of the nation."""
        return tuple(o for o in observations(STOCK, self.known_by) if o.place not in self.without)

    @cached_property
    def _force(self) -> dict[int, Observation]:
        return {o.batch: o for o in self.cells if o.place == NATION and not o.cumulative}

    @cached_property
    def _published(self) -> dict[int, float]:
        return {o.batch: o.value for o in self.cells if o.place == NATION and o.cumulative}

    @cached_property
    def _named(self) -> dict[tuple[str, int], float]:
        return {(o.place, o.batch): o.value for o in observations(NAMED, self.known_by) if o.place not in self.without}

    def state(self, month: int) -> int:
        """The last list named by a month."""
        lists = [batch for batch, o in self._force.items() if o.month <= month]
        if not lists:
            raise DataError(say("nowcast.no_total", period=_period(month)))
        return max(lists)

    def total(self, month: int) -> float:
        """Firms in force in the nation."""
        return self._force[self.state(month)].value

    def moved(self, cell: Observation, month: int) -> float:
        """What is left of a count after each review, and the firms of each list: the place's own where they are known."""
        return self._at(cell, self.state(month), self._rate)

    def _at(self, cell: Observation, target: int, rate: Callable[[str, int], float]) -> float:
        value = cell.value * (self._force[cell.batch].value / self._published[cell.batch] if cell.cumulative else 1)
        for batch in range(cell.batch + 1, target + 1):
            own = self._named.get((cell.place, batch))
            value = value * self._kept(batch) + (value * rate(cell.place, batch) if own is None else own)
        for batch in range(cell.batch, target, -1):
            own = self._named.get((cell.place, batch), math.inf)
            grown = self._kept(batch) + rate(cell.place, batch)
            value = (value - own) / self._kept(batch) if own < value else value / grown
        return value

    def _kept(self, batch: int) -> float:
        """The part of the firms in force before a list that stays in force after it."""
        return (self._force[batch].value - self._named[NATION, batch]) / self._force[batch - 1].value

    def _rate(self, place: str, batch: int) -> float:
        """New firms a firm in force: of the province where its list is known, else of all provinces whose list is not."""
        return self._rate_given(self._known_lists, place, batch)

    def _rate_given(self, lists: Mapping[int, dict[str, tuple[float, float]]], place: str, batch: int) -> float:
        known = lists.get(batch, {})
        province = load_units().at[place, "parent"] or place
        if province in known:
            new, stock = known[province]
            return new / stock
        left = self._force[batch - 1].value - math.fsum(stock for _, stock in known.values())
        return (self._named[NATION, batch] - math.fsum(new for new, _ in known.values())) / left

    @cached_property
    def _known_lists(self) -> dict[int, dict[str, tuple[float, float]]]:
        """By list the provinces whose new firms are known, each with these and with its firms in force before.

        Either the new firms are published, or the firms in force both before and after. Lists are taken in their order:
        a count is brought to the list before by what earlier lists show, and by the nation's rate over later ones.
        """
        found: dict[int, dict[str, tuple[float, float]]] = {}
        rate = partial(self._rate_given, found)
        for batch in sorted(self._force)[1:]:
            known = {}
            for place in provinces():
                new, before, after = (
                    self._named.get((place, batch)),
                    self._stock(place, batch - 1),
                    self._stock(place, batch),
                )
                if new is not None and (near := self._nearest(place, batch - 1)):
                    known[place] = new, self._at(near, batch - 1, rate)
                elif before and after:
                    known[place] = max(0.0, after - before * self._kept(batch)), before
            found[batch] = known
        return found

    def _stock(self, place: str, batch: int) -> float | None:
        own = [o for o in self.cells if (o.place, o.batch, o.cumulative) == (place, batch, False)]
        return min(own, key=lambda o: o.rank).value if own else None

    def _nearest(self, place: str, batch: int) -> Observation | None:
        own = [o for o in self.cells if o.place == place and o.value > 0]
        return min(own, key=lambda o: (abs(o.batch - batch), o.cumulative, o.rank), default=None)

    def distance(self, cell: Observation, month: int) -> float:
        """Lists named in between, and one more where reviews were left out; at least the years."""
        return max(abs(cell.month - month) / 12, abs(self.state(month) - cell.batch) + cell.cumulative)


@dataclass(frozen=True)
class Growth:
    """Above-scale industrial firms, or the small and medium ones: they move with the nation, evenly between known years.

    ``shares`` of small and medium firms among above-scale ones: likely, least, most. ``known_by`` bounds the dates of
    counts; places in ``without`` count as unknown.
    """

    known_by: str | None
    without: frozenset[str]
    sme: bool
    shares: tuple[float, float, float]

    @cached_property
    def cells(self) -> tuple[Observation, ...]:
        """Counts of places and of the nation, in the measure asked for."""
        likely, least, most = self.shares
        own, other = (SME, ABOVE) if self.sme else (ABOVE, SME)
        value, low, high = (likely, least, most) if self.sme else (1 / likely, 1 / most, 1 / least)
        scaled = [
            replace(o, value=o.value * value, low=o.low * low, high=o.high * high)
            for o in observations(other, self.known_by)
        ]
        return tuple(o for o in (*observations(own, self.known_by), *scaled) if o.place not in self.without)

    @cached_property
    def _points(self) -> list[tuple[int, float]]:
        return sorted((o.month, math.log(o.value)) for o in self.cells if o.place == NATION)

    def state(self, month: int) -> int:
        """Always 0."""
        return 0

    def total(self, month: int) -> float:
        """The nation's total: published, or on the straight line of logarithms between two published ones.

        Raises
        ------
        DataError
            If the month is outside what is published.
        """
        if not self._points or not self._points[0][0] <= month <= self._points[-1][0]:
            raise DataError(say("nowcast.no_total", period=_period(month)))
        return math.exp(self._log(month))

    def _log(self, month: int) -> float:
        pairs = list(pairwise(self._points))
        (m0, y0), (m1, y1) = next((pair for pair in pairs if month <= pair[1][0]), pairs[-1])
        return y1 if month == m1 else y0 + (y1 - y0) * (month - m0) / (m1 - m0)

    def moved(self, cell: Observation, month: int) -> float:
        """The count, times the nation's growth in between; beyond the last known year as in the last one."""
        return cell.value * math.exp(self._log(month) - self._log(cell.month))

    def distance(self, cell: Observation, month: int) -> float:
        """Years between."""
        return abs(cell.month - month) / 12


def drift_error(path: Path, usual: float) -> float:
    """Relative error of a count brought over a distance of one, as pairs of counts of the same place show it.

    ``usual`` is what is assumed where too few pairs are known.
    """
    squares = list(_squares(path))
    return math.sqrt(math.fsum(squares) / len(squares)) if len(squares) >= _ENOUGH else usual


def _squares(path: Path) -> Iterator[float]:
    for one, other in combinations(sorted(path.cells, key=lambda o: (o.place, o.month)), 2):
        if one.place == other.place != NATION and other.batch == path.state(other.month) and other.value > 0:
            distance = path.distance(one, other.month)
            if distance >= _APART and (moved := path.moved(one, other.month)) > 0:
                yield math.log(moved / other.value) ** 2 / distance


def _period(month: int) -> str:
    return f"{(month - 1) // 12}-{(month - 1) % 12 + 1:02d}"
