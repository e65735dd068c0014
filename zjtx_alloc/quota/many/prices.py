"""Prices at which units and groups ask for the total, for many scenarios at once: in floats, only a start.

At a price a unit asks for the places that are worth it within its bounds, a group for the sum within its own;
the price where the whole asks for the total is found by safeguarded Newton steps, for all scenarios
together. A group held at a bound gets a price of its own (Federgruen & Groenevelt 1986; Hochbaum 1994).
"""

import numpy as np

from zjtx_alloc.quota.many.block import Block, sums
from zjtx_alloc.quota.many.costs import count

_ROUNDS = 120  # of Newton or bisection; what they leave is made up by single places
_QUICK = 8  # rounds of Newton alone, which is nearly always enough


def answer(block: Block, price: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What every unit asks for at a price, within its bounds; and whether the bounds left it at that."""
    asked = count(block.costs, price, block.weight)
    places = np.maximum(asked, block.lower)
    np.minimum(places, block.upper, out=places)
    return places, asked == places


def search(block: Block, target: np.ndarray) -> np.ndarray:
    """Prices at which the block's whole, its own bounds aside, asks for about the target."""
    weights = block.weight.sum(axis=0)
    if block.costs.power:
        price, low, high = target / weights, 0.25 / weights, target + 2.0
    else:
        price, low, high = (target - weights) / len(block.weight), -weights - 1, target + 1.0
    found = np.empty_like(price)
    columns = np.arange(len(price))
    for round_ in range(_ROUNDS):
        missing, slope = _response(block, price, target)
        found[columns] = price
        # A tie leaps over the target, by at most a place a unit: a closer look is given up, twofold each round.
        far = np.abs(missing) >= min(2.0 ** max(round_ - 2, 0), len(block.weight) + 1)
        if not far.any():
            break
        np.copyto(low, price, where=missing > 0)
        np.copyto(high, price, where=missing < 0)
        newton = price + missing / np.maximum(slope, 1e-300) if round_ < _QUICK or round_ % 2 else low
        price = _next(newton, low, high)
        if np.count_nonzero(far) < 0.7 * len(far):
            keep = np.flatnonzero(far)
            block = block.part(keep)
            columns, target = columns[keep], target[keep]
            price, low, high = price[keep], low[keep], high[keep]
    return found


def _response(block: Block, price: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How many places the whole asks for too few at a price, and how many more it asks for per price."""
    places, free = answer(block, price)
    asked, granted = sums(block.tree, places)
    rates = free * block.weight if block.costs.power else free.astype(float)
    slopes = np.empty_like(asked)
    for v, node in enumerate(block.tree.nodes):
        rates[node.start : node.own].sum(axis=0, out=slopes[v])
        for child in node.children:
            slopes[v] += slopes[child] * (asked[child] == granted[child])
    return target - asked[-1], slopes[-1]


def _next(price: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """The price where it lies between the bounds, their middle where it does not."""
    wide = (low > 0) & (high > 4 * low)
    middle = np.where(wide, np.sqrt(np.abs(low * high)), (low + high) / 2)
    return np.where((low < price) & (price < high), price, middle)
