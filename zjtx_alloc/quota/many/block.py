"""Scenarios side by side: entitlements, bounds, and which scenarios are feasible at all."""

from dataclasses import dataclass

import numpy as np

from zjtx_alloc.quota.many.costs import Costs
from zjtx_alloc.quota.problem.numbers import LEAST
from zjtx_alloc.quota.problem.problem import QuotaProblem
from zjtx_alloc.quota.problem.rule_tree import Tree


@dataclass(frozen=True)
class Block:
    """Scenarios side by side: arrays of float64 with a row a unit, in the tree's order, a column a scenario."""

    tree: Tree
    costs: Costs
    weight: np.ndarray  #: Array (n, R): Entitlements; 1 where there is none (such a unit has its floor for a cap).
    lower: np.ndarray  #: lower, upper: bounds of the units.
    upper: np.ndarray  #: See ``lower``.
    ties: np.ndarray  #: Array (n, 1): Rank of the units' labels.

    def part(self, columns: np.ndarray) -> "Block":
        """Some of the scenarios."""
        return self._cut(self.tree, slice(None), columns)

    def limb(self, v: int, columns: np.ndarray) -> "Block":
        """The units of node v in some of the scenarios, v as the whole."""
        node = self.tree.nodes[v]
        return self._cut(self.tree.limb(v), slice(node.start, node.stop), columns)

    def _cut(self, tree: Tree, units: slice, columns: np.ndarray) -> "Block":
        scenarios = self.weight.shape[1]
        lower, upper, weight = (
            a[units] if a.shape[1] < scenarios else a[units].take(columns, axis=1)
            for a in (self.lower, self.upper, self.weight)
        )
        return Block(tree, self.costs, weight, lower, upper, self.ties[units])


def sums(tree: Tree, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """By node and scenario: what its children ask for, and that within its bounds."""
    asked = np.empty((len(tree.nodes), places.shape[1]))
    granted = np.empty_like(asked)
    for v, node in enumerate(tree.nodes):
        places[node.start : node.own].sum(axis=0, out=asked[v])
        for child in node.children:
            asked[v] += granted[child]
        np.clip(asked[v], node.floor, node.cap, out=granted[v])
    return asked, granted


def block_of(problem: QuotaProblem, costs: Costs, weight: np.ndarray) -> Block:
    """The block of scenarios with these entitlements (n, R), in the tree's order.

    ``problem``: of nested rules, all its entitlements the same, so that its tie order is that of the labels.
    """
    lower, upper, ties = (each.astype(float)[:, None] for each in problem.leaves)
    tree = problem.tree
    assert tree is not None
    none = weight < LEAST
    if none.any():
        upper = np.where(none, lower, upper)
        weight = np.where(none, 1.0, weight)
    return Block(tree, costs, weight, lower, upper, ties)


def feasible(block: Block) -> np.ndarray:
    """Which scenarios have an answer: at every node, bottom-up, the least is not above the most."""
    least, _ = sums(block.tree, block.lower)
    most, _ = sums(block.tree, block.upper)
    floor, cap = np.array([(float(node.floor), float(node.cap)) for node in block.tree.nodes]).T[:, :, None]
    kept = ((least <= cap) & (most >= floor) & (floor <= cap)).all(axis=0)
    return np.broadcast_to(kept, block.weight.shape[1:])
