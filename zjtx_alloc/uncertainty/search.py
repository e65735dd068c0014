"""Search over admissible weights: the most and the fewest places that a unit can get, and its entitlement's ends.

Whether a unit gets its k-th place depends only on how many places the others ask for at the price of that
place, (k − ½)/e under Webster's method: nested groups grant what is asked for within their bounds, bottom-up.
What the others ask for rises with e_j/e_i, and this ratio's extremes over a cell of weights lie at its
vertices; so do those of sums of such ratios, which are taken for the units whose places vary within a cell (a
number rounded is within a half of itself). So a cell can be ruled out as a whole, or its middle shown to give
the place; what is neither is cut in two (branch and bound). Entitlements may be off by ``_MARGIN``, more than
what floats can do, always against the claim that is made.
"""

import heapq
from dataclasses import dataclass
from itertools import combinations, count

import numpy as np

from zjtx_alloc.quota.problem.problem import QuotaProblem
from zjtx_alloc.quota.problem.rule_tree import Tree
from zjtx_alloc.uncertainty.admissible import Admissible, Cell

_MARGIN = 1e-9  # of a place
_SUM = 1e-6  # of a place, in a sum of levels
_CELLS = 1000  # examined for one end of one unit; then the search ends with a bracket
_CLOSE = 1e-3  # of a place, for the bracket of an entitlement


@dataclass(frozen=True)
class End:
    """One end of a range: the value found, the weights that give it, and a bound that no weights exceed."""

    value: float
    point: Cell
    bound: float


@dataclass(frozen=True)
class _Asked:
    """Places asked for, when one unit asks for its k-th: bounds of the units by position, and the tree of nested rules."""

    lower: np.ndarray
    upper: np.ndarray
    tree: Tree

    def granted(self, i: int, asks: np.ndarray) -> bool:
        """Whether unit i gets what it asks for; every other unit has been given what it asks for at that price."""
        value = np.clip(asks, self.lower, self.upper)
        value[i] = asks[i]
        at = int(np.flatnonzero(self.tree.order == i)[0])
        sums, _ = self.tree.sums(value[self.tree.order])
        holding = (pair for pair in zip(sums, self.tree.nodes, strict=True) if pair[1].start <= at < pair[1].stop)
        # The smallest set that leaves no choice decides; the whole, whose floor is its cap, never leaves any.
        return next(asked <= node.floor for asked, node in holding if not node.floor < asked <= node.cap)

    def gets(self, corners: np.ndarray, i: int, k: int, *, everywhere: bool) -> bool:
        """Whether unit i gets at least k places everywhere, or else somewhere, within these corners.

        Everywhere: True is proven. Somewhere: False is.
        """
        if k <= self.lower[i] or k > self.upper[i]:
            return bool(k <= self.lower[i])
        if everywhere and corners[:, i].min() <= _MARGIN:
            return False  # an entitlement of nothing takes only its floor
        side = 1 if everywhere else -1
        level = (k - 0.5) * (corners + side * _MARGIN) / (corners[:, [i]] - side * _MARGIN)
        # The others: places no dearer than the k-th of i, or else those strictly cheaper.
        ends = level.min(axis=0), level.max(axis=0)
        least, most = (side * np.floor(side * end + 0.5) for end in ends)
        least[i] = most[i] = k
        asks = most if everywhere else least
        if self.granted(i, asks) == everywhere:
            return everywhere
        if len(self.tree.nodes) > 1:
            return not everywhere
        moving = (least < most) & (least >= self.lower) & (most <= self.upper)
        sums = (level[:, moving] + side * 0.5).sum(axis=1)
        fixed = np.clip(asks, self.lower, self.upper)[~moving].sum()
        return bool(fixed + (sums.max() if everywhere else sums.min()) <= self.tree.nodes[-1].cap - side * _SUM)


def _asked(problem: QuotaProblem) -> _Asked:
    assert problem.tree is not None
    floor, cap = problem.floor.to_numpy(), problem.cap.to_numpy()
    # An entitlement that rounds to nothing caps its unit at the floor; it is 0 here or weighs no more than that.
    return _Asked(floor, np.maximum(np.minimum(cap, problem.total), floor), problem.tree)


def quota_end(admissible: Admissible, problem: QuotaProblem, i: int, known: End, step: int) -> End:
    """The most (step 1) or fewest (step −1) places of unit i over all admissible weights, from a value that is attained.

    Place by place until no cell may hold one more; a bracket if that takes too many cells.
    """
    asked, up = _asked(problem), step > 0

    def beyond(corners: np.ndarray, value: int, *, everywhere: bool) -> bool:
        """Whether the unit passes a value everywhere, or else may somewhere, within these corners."""
        found = asked.gets(corners, i, value + up, everywhere=everywhere == up)
        return found == up

    best, point, waiting = int(known.value), known.point, _Cells(admissible, i, step)
    for _ in range(_CELLS):
        if not waiting.left:
            return End(best, point, best)
        cell, corners = waiting.pop()
        if not beyond(corners, best, everywhere=False):
            continue
        middle = _middle(cell)
        if beyond(admissible.entitlements(middle), best, everywhere=True):
            best, point = best + step, middle
            waiting.push(cell)
        else:
            waiting.push(*_halves(cell))
    bound = best
    for *_, corners in waiting.left:
        while beyond(corners, bound, everywhere=False):
            bound += step
    return End(best, point, bound)


def entitlement_end(admissible: Admissible, i: int, step: int) -> End:
    """The greatest (step 1) or least (step −1) entitlement of unit i over all admissible weights.

    At a vertex if all blocks vary independently. Where pools share weights, a sum of ratios, extremes may
    lie inside: a bracket, no wider than a thousandth of a place unless that takes too many cells.
    """
    vertices = [(step * _own(admissible, v, i), number) for number, v in enumerate(admissible.vertices)]
    best, number = max(vertices)
    point, waiting = admissible.vertices[number], _Cells(admissible, i, step)
    if admissible.independent:
        return End(step * best, point, step * best)
    for _ in range(_CELLS):
        cell, corners = waiting.pop()
        bound = max(float((step * corners[:, i]).max()), best)
        if bound <= best + _CLOSE:
            break
        middle = _middle(cell)
        if (value := step * _own(admissible, middle, i)) > best:
            best, point = value, middle
        waiting.push(*_halves(cell))
    return End(step * best, point, step * bound)


class _Cells:
    """Cells still to be examined with their corners, the most promising for a unit first."""

    def __init__(self, admissible: Admissible, i: int, step: int) -> None:
        self._admissible, self._i, self._step = admissible, i, step
        self.left: list[tuple[float, int, Cell, np.ndarray]] = []
        self._numbers = count()
        self.push(*admissible.cells)

    def push(self, *cells: Cell) -> None:
        for cell in cells:
            corners = self._admissible.entitlements(cell)
            promise = float((self._step * corners[:, self._i]).max())
            heapq.heappush(self.left, (-promise, next(self._numbers), cell, corners))

    def pop(self) -> tuple[Cell, np.ndarray]:
        return heapq.heappop(self.left)[2:]


def _own(admissible: Admissible, point: Cell, i: int) -> float:
    return float(admissible.entitlements(point)[0, i])


def _middle(cell: Cell) -> Cell:
    return tuple(block.mean(axis=0, keepdims=True) for block in cell)


def _halves(cell: Cell) -> tuple[Cell, Cell]:
    """The cell cut in two through the middle of its longest edge."""
    edges = [
        (float(np.linalg.norm(block[p] - block[q])), b, p, q)
        for b, block in enumerate(cell)
        for p, q in combinations(range(len(block)), 2)
    ]
    _, b, p, q = max(edges)
    middle = (cell[b][p] + cell[b][q]) / 2

    def with_middle_for(old: int) -> Cell:
        block = cell[b].copy()
        block[old] = middle
        return (*cell[:b], block, *cell[b + 1 :])

    return with_middle_for(p), with_middle_for(q)
