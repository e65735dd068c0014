"""Who would give up a place first and who would take one first, by node of the tree: the proof under nested rules.

A place can move between two units if the giver is above its floor, the taker below its cap, and every set
that holds just one of them has room. So the dearest last place that can leave each node and the cheapest next
place that can enter it say, at the smallest set that holds both, whether any move is better: exact, in
one pass, without comparing all pairs.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from zjtx_alloc.quota.nested.demand import Demand
from zjtx_alloc.quota.problem.criteria import Price


@dataclass(frozen=True)
class Offers:
    """Units (in the tree's order) that would all give up, or take, a place at one price."""

    price: Price
    units: tuple[int, ...]


def meetings(demand: Demand, places: np.ndarray) -> Iterator[tuple[Offers, Offers]]:
    """Givers and takers whose best offers reach a node from below, node by node; places in the tree's order."""
    every = np.arange(len(places))
    last = np.where(places > demand.lower, demand.levels(every, np.maximum(places, 1)), -np.inf)
    following = np.where(places < demand.upper, demand.levels(every, places + 1), np.inf)
    _, value = demand.tree.sums(places)
    leaving: list[Offers] = []
    entering: list[Offers] = []
    for v, node in enumerate(demand.tree.nodes):
        own = slice(node.start, node.own)
        givers = _dearest(demand, _near(demand, own, last, 1), places, 0, [leaving[c] for c in node.children])
        takers = _dearest(demand, _near(demand, own, following, -1), places, 1, [entering[c] for c in node.children])
        yield givers, takers
        leaving.append(givers if value[v] > node.floor else _NOBODY)
        entering.append(takers if value[v] < node.cap else _NOBODY)


_NOBODY = Offers(None, ())


def _near(demand: Demand, own: slice, levels: np.ndarray, sign: int) -> np.ndarray:
    """Units whose level may be the highest (sign 1) or the lowest (sign −1)."""
    mine = levels[own] * sign
    best = mine.max(initial=-np.inf)
    if best == -np.inf:
        return np.array([], dtype=int)
    return own.start + np.flatnonzero(mine >= best - 2 * demand.doubt(best, demand.due[own].max()))


def _dearest(demand: Demand, near: np.ndarray, places: np.ndarray, step: int, below: list[Offers]) -> Offers:
    """All offers at the best price among a node's own units and those from below: the highest last (step 0)
    or the lowest next place (step 1).
    """
    prices: list[tuple[Price, tuple[int, ...]]]
    prices = [(demand.price(i, int(places[i]) + step), (i,)) for i in near.tolist()]
    prices += [(offers.price, offers.units) for offers in below if offers.units]
    if not prices:
        return _NOBODY
    best = min(p for p, _ in prices) if step else max(p for p, _ in prices)
    return Offers(best, tuple(i for price, units in prices if price == best for i in units))


def better_move(demand: Demand, places: np.ndarray) -> tuple[int, int, bool] | None:
    """A move (from, to, is cheaper) that is allowed and either cheaper or as good and preferred by the tie rule.

    None is the proof: the answer is optimal, and among equals the one that the tie rule names.
    """
    for givers, takers in meetings(demand, places):
        if not givers.units or not takers.units:
            continue
        giver = max(givers.units, key=demand.rank.__getitem__)
        taker = min(takers.units, key=demand.rank.__getitem__)
        if takers.price < givers.price or (takers.price == givers.price and demand.rank[taker] < demand.rank[giver]):
            return giver, taker, takers.price < givers.price
    return None


def tied_units(demand: Demand, places: np.ndarray) -> list[list[int]]:
    """Sets of units among which a place could move at no cost, of an optimal answer."""
    pairs = ((givers, takers) for givers, takers in meetings(demand, places) if givers.units and takers.units)
    return united({*givers.units, *takers.units} for givers, takers in pairs if givers.price == takers.price)


def united(sets: Iterable[set[int]]) -> list[list[int]]:
    """Sets of two and more with those that share a member made one."""
    found: list[set[int]] = []
    for one in sets:
        touching = [other for other in found if other & one]
        found = [other for other in found if other not in touching] + [one.union(*touching)]
    return [sorted(one) for one in found if len(one) > 1]
