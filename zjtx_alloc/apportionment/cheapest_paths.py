"""Tables of places with both margins fixed, by transfers along cheapest paths; floats lead, fractions decide.

A place in cell (i, j) is a unit of flow from row i to column j; its k-th costs log(d(k)/w), so that the cheapest
flow is the biproportional table (Balinski & Demange 1989; Rote & Zachariasen 2007; Pukelsheim 2017, ch. 14–15).
Along a cycle costs add up as a product of fractions, which shows a better table or a tie exactly.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from zjtx_alloc.apportionment.weights import Weights
from zjtx_alloc.quota.problem.signposts import Signposts

_SLIP = 1e-12  # float costs closer than this count as equal
_TIGHT = 1e-8  # an arc of larger reduced cost lies on no cycle that fractions need to look at

Arc = tuple[int, int, int]  # row, column, +1 for a place more in the cell or −1 for one less


@dataclass
class NoRouteError(Exception):
    """Rows and columns whose margins clash: the places of these rows can only lie in these columns."""

    rows: list[int]
    columns: list[int]


@dataclass(frozen=True)
class Table:
    """A table to fill: weights of the cells row by row, margins, and the least places of each cell."""

    weights: Weights
    signposts: Signposts
    rows: np.ndarray
    columns: np.ndarray
    least: np.ndarray

    @property
    def allowed(self) -> np.ndarray:
        """Cells that may hold places: of positive weight, in a row and a column that have places."""
        w = self.weights.floats.reshape(self.least.shape)
        return (w > 0) & (self.rows[:, None] > 0) & (self.columns > 0)

    def exact(self, arc: Arc, places: np.ndarray) -> Fraction:
        """Factor by which the arc changes the product of d(k)/w, to the power of the signposts."""
        i, j, step = arc
        w = self.weights.exact(i * self.columns.size + j)
        k = int(places[i, j])
        factor = self.signposts.exact(k + max(step, 0)) / Fraction(w) ** self.signposts.power
        return factor if step > 0 else 1 / factor

    def costs(self, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Costs of one place more and of one place less in each cell, in logarithms; infinite where barred."""
        w = self.weights.floats.reshape(places.shape)
        more, less = np.full(places.shape, math.inf), np.full(places.shape, math.inf)
        may, can = self.allowed, places > self.least
        more[may] = np.log(self.signposts.floats(places[may] + 1) / w[may])
        less[can] = -np.log(self.signposts.floats(places[can]) / w[can])
        return more, less


def scaled(table: Table) -> np.ndarray:
    """A table that is optimal for its own margins and near to the wanted ones: fitted, then rounded."""
    w = np.where(table.allowed, table.weights.floats.reshape(table.least.shape), 0.0)
    fitted = w / w.max(initial=1)
    row, column = np.ones(table.rows.size), np.ones(table.columns.size)
    for _ in range(60):
        row = np.clip(table.rows / np.maximum((fitted * column).sum(axis=1), 1e-100), 1e-40, 1e40)
        column = np.clip(table.columns / np.maximum((fitted * row[:, None]).sum(axis=0), 1e-100), 1e-40, 1e40)
    target = fitted * row[:, None] * column
    return np.maximum(np.where(table.allowed, table.signposts.count(target), 0), table.least).astype(np.int64)


def balanced(table: Table, places: np.ndarray) -> np.ndarray:
    """Transfer places along cheapest paths until both margins are met.

    Raises
    ------
    NoRouteError
        If no table meets the margins.
    """
    places = places.copy()
    while True:
        owing = np.concatenate([table.rows - places.sum(axis=1), places.sum(axis=0) - table.columns])
        if not owing.any():
            return places
        distance, before = _paths(*table.costs(places), np.where(owing > 0, 0.0, math.inf))
        reached = np.where(owing < 0, distance, math.inf)
        node = int(reached.argmin())
        if math.isinf(reached[node]):
            nodes = np.flatnonzero(np.isfinite(distance))
            split = table.rows.size
            raise NoRouteError(nodes[nodes < split].tolist(), (nodes[nodes >= split] - split).tolist())
        _push(places, _walk(before, node, table.rows.size))


def _paths(more: np.ndarray, less: np.ndarray, distance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cheapest paths from the nodes at distance 0 (Bellman–Ford): distances, and the node before each."""
    split = more.shape[0]
    distance, before = distance.copy(), np.full(distance.size, -1)
    for _ in range(2 * distance.size):
        changed = False
        for part, here, cost in ((slice(split, None), slice(split), more.T), (slice(split), slice(split, None), less)):
            through = distance[here] + cost
            via = through.argmin(axis=1)
            best = through[np.arange(via.size), via]
            better = best < distance[part] - _SLIP
            distance[part] = np.where(better, best, distance[part])
            before[part] = np.where(better, via + (here.start or 0), before[part])
            changed |= bool(better.any())
        if not changed:
            break
    return distance, before


def _walk(before: np.ndarray, node: int, split: int) -> Iterator[Arc]:
    """The arcs of the path that ends at the node."""
    while (previous := int(before[node])) >= 0:
        yield (previous, node - split, 1) if previous < split else (node, previous - split, -1)
        node = previous


def _push(places: np.ndarray, arcs: Iterator[Arc] | list[Arc]) -> None:
    for i, j, step in list(arcs):
        places[i, j] += step


def settled(table: Table, places: np.ndarray) -> tuple[np.ndarray, list[Arc]]:
    """Turn along cycles that fractions find better, and return the arcs on cycles that change nothing.

    The float potentials leave only tight arcs to look at: a cycle that does not cost more has no other.
    """
    places = places.copy()
    while True:
        arcs = _tight(table, places)
        price, cycle = _exact_prices(table, places, arcs)
        if not cycle:
            split = table.rows.size
            free = [a for a in arcs if price[_tail(a, split)] * table.exact(a, places) == price[_head(a, split)]]
            return places, [a for a in free if route(free, _head(a, split), _tail(a, split), split) is not None]
        _push(places, cycle)


def _tail(arc: Arc, split: int) -> int:
    return arc[0] if arc[2] > 0 else arc[1] + split


def _head(arc: Arc, split: int) -> int:
    return arc[1] + split if arc[2] > 0 else arc[0]


def _tight(table: Table, places: np.ndarray) -> list[Arc]:
    more, less = table.costs(places)
    split = table.rows.size
    price, _ = _paths(more, less, np.zeros(split + table.columns.size))
    slack = price[:split, None] - price[split:]
    arcs = [(i, j, 1) for i, j in np.argwhere(more + slack <= _TIGHT).tolist()]
    return arcs + [(i, j, -1) for i, j in np.argwhere(less - slack <= _TIGHT).tolist()]


def _exact_prices(table: Table, places: np.ndarray, arcs: list[Arc]) -> tuple[list[Fraction], list[Arc]]:
    """Prices of the nodes under which no arc gains, or a cycle of arcs that does."""
    split = table.rows.size
    price = [Fraction(1)] * (split + table.columns.size)
    before: dict[int, Arc] = {}
    factors = [(_tail(a, split), _head(a, split), table.exact(a, places), a) for a in arcs]
    for _ in range(len(price) + 1):
        moved = -1
        for tail, head, factor, arc in factors:
            if price[tail] * factor < price[head]:
                price[head], before[head], moved = price[tail] * factor, arc, head
        if moved < 0:
            return price, []
    for _ in price:
        moved = _tail(before[moved], split)
    cycle = [before[moved]]
    while _tail(cycle[-1], split) != moved:
        cycle.append(before[_tail(cycle[-1], split)])
    return price, cycle


def route(arcs: list[Arc], start: int, end: int, split: int) -> list[Arc] | None:
    """A path of arcs from node to node; None if there is none."""
    paths: dict[int, list[Arc]] = {start: []}
    frontier = [start]
    for node in frontier:
        if node == end:
            return paths[node]
        for arc in arcs:
            head = _head(arc, split)
            if _tail(arc, split) == node and head not in paths:
                paths[head] = [*paths[node], arc]
                frontier.append(head)
    return None


def largest_first(table: Table, places: np.ndarray, free: list[Arc]) -> np.ndarray:
    """Among equal tables the one with the largest cells first, read row by row."""
    places, free, split = places.copy(), sorted(free), table.rows.size
    for i, j in sorted({arc[:2] for arc in free}):
        around = route([a for a in free if a[:2] != (i, j)], j + split, i, split) if (i, j, 1) in free else None
        if around is not None:
            cycle = [(i, j, 1), *around]
            _push(places, cycle)
            free = [(r, c, -s) if (r, c, s) in cycle else (r, c, s) for r, c, s in free]
        free = [a for a in free if a[:2] != (i, j)]
    return places
