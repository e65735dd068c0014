"""Rules in integers, and the tree that nested ones make."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Row:
    """A rule or group in integers: lower ≤ Σ weight·x ≤ upper, bounds rounded inward.

    ``terms``: the weights by position, none of them zero. ``scale``: what a rule's own numbers were
    multiplied by to become integers.
    """

    name: str
    terms: Mapping[int, int]
    lower: int
    upper: int
    scale: int = 1

    def weight(self, i: int) -> int:
        """Weight of the unit at a position; 0 outside the row."""
        return self.terms.get(i, 0)

    @property
    def largest_weight(self) -> int:
        """The largest of its weights, signs aside; 1 if it has none."""
        return max(map(abs, self.terms.values()), default=1)

    def value(self, places: Sequence[Any]) -> Any:
        """Σ weight·x, in the numbers that the places are in."""
        return sum(w * places[i] for i, w in self.terms.items())

    def among(self, units: Mapping[int, int], places: Sequence[int]) -> "Row":
        """The row over these units alone, by their new positions, all others being given these places."""
        given = sum(w * places[i] for i, w in self.terms.items() if i not in units)
        terms = {units[i]: w for i, w in self.terms.items() if i in units}
        return replace(self, terms=terms, lower=self.lower - given, upper=self.upper - given)

    def span(self, lower: Sequence[int], upper: Sequence[int]) -> tuple[int, int]:
        """Least and greatest value within bounds of the units."""
        ends = [(w * lower[i], w * upper[i]) for i, w in self.terms.items()]
        return sum(map(min, ends)), sum(map(max, ends))


def priced(rows: Sequence[Row], prices: Sequence[float | Fraction], units: int) -> tuple[Fraction, list[Fraction]]:
    """What bounds of rows earn at prices of each row's lower and upper bound, and what they pay each unit for a place."""
    earned, by_unit = Fraction(0), [Fraction(0)] * units
    for row, lower, upper in zip(rows, prices[::2], prices[1::2], strict=True):
        low, high = Fraction(max(lower, 0.0)), Fraction(min(upper, 0.0))
        earned += low * row.lower + high * row.upper
        if low or high:
            for i, weight in row.terms.items():
                by_unit[i] += (low + high) * weight
    return earned, by_unit


@dataclass(frozen=True)
class Node:
    """A set of the tree: its units stand at ``start:stop`` of the tree's order, those of no smaller set at
    ``start:own``; its descendants are the nodes from ``first`` up to itself.
    """

    name: str
    floor: int
    cap: int
    start: int
    own: int
    stop: int
    first: int
    children: tuple[int, ...]

    def moved(self, units: int, nodes: int) -> "Node":
        """The same set where units and nodes before it have come or gone."""
        start, own, stop = (end + units for end in (self.start, self.own, self.stop))
        children = tuple(child + nodes for child in self.children)
        return replace(self, start=start, own=own, stop=stop, first=self.first + nodes, children=children)


@dataclass(frozen=True)
class Tree:
    """Nested (laminar) sets over units put side by side."""

    order: np.ndarray  #: For each unit in the tree's order, its position in the problem (array of int).
    nodes: tuple[Node, ...]  #: Sets before those that hold them; the last is the whole.

    @cached_property
    def slices(self) -> tuple[np.ndarray, np.ndarray]:
        """``start`` and ``own`` of every node."""
        return np.array([n.start for n in self.nodes]), np.array([n.own for n in self.nodes])

    def sums(self, places: np.ndarray) -> tuple[list[int], list[int]]:
        """By node: what its units (in the tree's order) and its children ask for, and that within its bounds."""
        before = np.concatenate(([0], np.cumsum(places)))
        starts, owns = self.slices
        asked = (before[owns] - before[starts]).tolist()
        granted: list[int] = []
        for v, node in enumerate(self.nodes):
            asked[v] += sum(granted[child] for child in node.children)
            granted.append(min(max(asked[v], node.floor), node.cap))
        return asked, granted

    def by_position(self, places: np.ndarray) -> list[int]:
        """What stands in the tree's order, in the problem's."""
        answer = np.empty_like(places)
        answer[self.order] = places
        return answer.tolist()

    def limb(self, v: int) -> "Tree":
        """Node v and what is below it as a tree of its own, over its own units."""
        top = self.nodes[v]
        nodes = tuple(node.moved(-top.start, -top.first) for node in self.nodes[top.first : v + 1])
        return Tree(self.order[top.start : top.stop], nodes)

    def admits(self, lower: np.ndarray, upper: np.ndarray) -> bool:
        """Whether bounds of units (in the tree's order) leave an answer: at no node is the least above the most."""
        sides = zip(self.nodes, self.sums(lower)[0], self.sums(upper)[0], strict=True)
        kept = all(least <= n.cap and most >= n.floor and n.floor <= n.cap for n, least, most in sides)
        return kept and bool((lower <= upper).all())


def tree_of(rows: Sequence[Row], size: int, whole: Row) -> Tree | None:
    """The tree of rows over ``size`` units; None if two sets cross or a weight is not 1.

    An empty row is left out, and one that nothing can satisfy makes no tree.
    """
    if any(not row.terms and not row.lower <= 0 <= row.upper for row in rows):
        return None
    given = sorted((row for row in rows if row.terms), key=lambda row: -len(row.terms))
    home = np.zeros(size, dtype=int)  # of each unit, its smallest set so far; 0 is the whole
    below: list[list[int]] = [[] for _ in range(len(given) + 1)]
    for number, row in enumerate(given, start=1):
        inside = np.fromiter(row.terms, dtype=int)
        parent = home[inside[0]]
        if set(row.terms.values()) != {1} or (home[inside] != parent).any():
            return None
        below[parent].append(number)
        home[inside] = number
    return _tree((whole, *given), home, below)


def _tree(rows: Sequence[Row], home: np.ndarray, below: Sequence[Sequence[int]]) -> Tree:
    """The tree of sets, the whole first; without recursion, for a thousand sets may lie within each other."""
    backward, waiting = [], [0]
    while waiting:
        backward.append(v := waiting.pop())
        waiting.extend(below[v])
    owns, starts = np.bincount(home, minlength=len(rows)).tolist(), [0] * len(rows)
    for v in backward:  # a set before those in it
        at = starts[v] + owns[v]
        for child in below[v]:
            starts[child] = at
            at += len(rows[child].terms)
    nodes: list[Node] = []
    place: dict[int, int] = {}
    for v in reversed(backward):  # a set after those in it
        row, start = rows[v], starts[v]
        first = nodes[place[below[v][0]]].first if below[v] else len(nodes)
        stop, children = start + len(row.terms), tuple(place[child] for child in below[v])
        place[v] = len(nodes)
        nodes.append(Node(row.name, row.lower, row.upper, start, start + owns[v], stop, first, children))
    return Tree(np.argsort(np.array(starts)[home], kind="stable"), tuple(nodes))
