"""Single places that make many near answers exact at once: floats decide what is clear, fractions the rest."""

import numpy as np

from zjtx_alloc.quota.many.block import Block, sums
from zjtx_alloc.quota.many.costs import NONE, cost, exact_ranks, near
from zjtx_alloc.quota.many.prices import answer, search


def best_places(block: Block, total: int) -> np.ndarray:
    """Return the places of feasible scenarios."""
    places, granted = _spread(block, np.full(block.weight.shape[1], float(total)))
    _exchange(block, places, granted)
    return places


def _spread(block: Block, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Near-best places of each unit that sum to the target and keep all bounds, and the sums by node."""
    places, _ = answer(block, search(block, target))
    asked, granted = sums(block.tree, places)
    for v in reversed(range(len(block.tree.nodes) - 1)):
        columns = np.flatnonzero(asked[v] != granted[v])
        if len(columns):
            node = block.tree.nodes[v]
            inside = _spread(block.limb(v, columns), granted[v, columns])
            places[node.start : node.stop, columns], asked[node.first : v + 1, columns] = inside
            granted[node.first : v + 1, columns] = inside[1]
    _make_up(block, target, places, asked)
    return places, asked


def _make_up(block: Block, target: np.ndarray, places: np.ndarray, asked: np.ndarray) -> None:
    """Hand out or take back, in place, what is missing to the target, in the order of the prices.

    All groups are within their bounds by now: in one that asks for far more than its cap no single place would count.
    """
    columns = np.flatnonzero(asked[-1] != target)
    while len(columns):
        part, x = block.part(columns), places[:, columns]
        up = asked[-1, columns] < target[columns]
        free = np.where(up, x < part.upper, x > part.lower)
        for v, node in enumerate(block.tree.nodes[:-1]):
            a = asked[v, columns]
            free[node.start : node.stop] &= np.where(up, a < node.cap, a > node.floor)
        chosen, _ = _pick(part, x + up, up, free)
        x[chosen, np.arange(len(columns))] += np.where(up, 1.0, -1.0)
        places[:, columns] = x
        asked[:, columns], _ = sums(block.tree, x)
        columns = columns[asked[-1, columns] != target[columns]]


def _exchange(block: Block, places: np.ndarray, granted: np.ndarray) -> None:
    """Move places, in place, until within no node a move is better or preferred.

    From the inside out: what is best within a group stays so when the group gives or takes one place.
    """
    give = np.where(places > block.lower, cost(block.costs, places, block.weight), -NONE)
    take = np.where(places < block.upper, cost(block.costs, places + 1, block.weight), NONE)
    dearest, cheapest = np.empty_like(granted), np.empty_like(granted)
    for v, node in enumerate(block.tree.nodes):
        give[node.start : node.own].max(axis=0, out=dearest[v], initial=-NONE)
        take[node.start : node.own].min(axis=0, out=cheapest[v], initial=NONE)
        for child in node.children:
            np.maximum(dearest[v], dearest[child], out=dearest[v])
            np.minimum(cheapest[v], cheapest[child], out=cheapest[v])
        unclear = np.flatnonzero(dearest[v] + near(block.costs, dearest[v]) >= cheapest[v])
        if len(unclear):
            inside = places[node.start : node.stop, unclear], granted[node.first : v + 1, unclear]
            dearest[v, unclear], cheapest[v, unclear] = _exchange_within(block.limb(v, unclear), *inside)
            places[node.start : node.stop, unclear], granted[node.first : v + 1, unclear] = inside
        dearest[v][granted[v] <= node.floor] = -NONE
        cheapest[v][granted[v] >= node.cap] = NONE


def _exchange_within(block: Block, places: np.ndarray, granted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Exchange, in place, across a block whose inner nodes are settled.

    Returns the dearest place that could be given and the cheapest that could be taken in the end.
    """
    dearest, cheapest = np.empty((2, places.shape[1]))
    columns = np.arange(places.shape[1])
    while len(columns):
        part, x = block.part(columns), places[:, columns]
        leave, enter = x > part.lower, x < part.upper
        for v, node in enumerate(block.tree.nodes[:-1]):
            leave[node.start : node.stop] &= granted[v, columns] > node.floor
            enter[node.start : node.stop] &= granted[v, columns] < node.cap
        giver, dearest[columns] = _pick(part, x, np.zeros(len(columns), dtype=bool), leave)
        taker, cheapest[columns] = _pick(part, x + 1, np.ones(len(columns), dtype=bool), enter)
        better = _better(part, x, giver, taker) & (dearest[columns] > -NONE) & (cheapest[columns] < NONE)
        columns, giver, taker = columns[better], giver[better], taker[better]
        places[giver, columns] -= 1
        places[taker, columns] += 1
        for v, node in enumerate(block.tree.nodes[:-1]):
            granted[v, columns] -= (giver >= node.start) & (giver < node.stop)
            granted[v, columns] += (taker >= node.start) & (taker < node.stop)
    return dearest, cheapest


def _better(block: Block, places: np.ndarray, giver: np.ndarray, taker: np.ndarray) -> np.ndarray:
    """Whether the taker should have the giver's place: cheaper, or as cheap and preferred."""
    every = np.arange(places.shape[1])
    k, weight = (np.array([a[giver, every], a[taker, every]]) for a in (places, block.weight))
    k[1] += 1
    paid, asked = cost(block.costs, k, weight)
    better = paid > asked
    open_ = np.flatnonzero(np.abs(paid - asked) <= near(block.costs, paid))
    if len(open_):
        price, size = (
            ranks.reshape(2, -1) for ranks in exact_ranks(block.costs, k[:, open_].ravel(), weight[:, open_].ravel())
        )
        earlier = block.ties[taker[open_], 0] < block.ties[giver[open_], 0]
        preferred = (size[1] > size[0]) | ((size[1] == size[0]) & earlier)
        better[open_] = (price[1] < price[0]) | ((price[1] == price[0]) & preferred)
    return better


def _pick(block: Block, k: np.ndarray, up: np.ndarray, free: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The free unit whose k-th place is cheapest (``up``) or dearest, fractions comparing the near, and its cost.

    Among equals the first in the tie order takes and the last gives.
    """
    way, every = np.where(up, 1, -1), np.arange(len(up))
    key = np.where(free, cost(block.costs, k, block.weight) * way, NONE)
    chosen = key.argmin(axis=0)
    best = key[chosen, every]
    close = (key <= best + near(block.costs, best)) & free
    close &= np.count_nonzero(close, axis=0) > 1
    if close.any():
        unit, column = np.nonzero(close)
        price, size = exact_ranks(block.costs, k[close], block.weight[close])
        toward = way[column]
        order = np.lexsort((toward * block.ties[unit, 0], -toward * size, toward * price, column))
        columns, first = np.unique(column[order], return_index=True)
        chosen[columns] = unit[order[first]]
    return chosen, best * way
