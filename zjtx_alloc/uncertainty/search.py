"""Search over admissible weights: the most and the fewest places that a unit can get, and its entitlement's ends.

Whether a unit gets its k-th place depends only on how many places the others ask for at the price of that
place, (k − ½)/e under Webster's method: nested groups grant what is asked for within their bounds, bottom-up.
What the others ask for rises with e_j/e_i, and this ratio's extremes over a cell of weights lie at its
vertices; so do those of sums of such ratios, which are taken for the units whose places vary within a cell (a
number rounded is within a half of itself). So a cell can be ruled out as a whole, or its middle shown to give
the place; what is neither is cut in two (branch and bound). Entitlements may be off by ``_MARGIN``, more than
what rounding them to billionths and floats can do, always against the claim that is made.
"""

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from zjtx_alloc.quota.problem.problem import QuotaProblem
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
    """Places asked for, when one unit asks for its k-th: bounds of the units, and nested rows from small to large."""

    lower: np.ndarray
    upper: np.ndarray
    rows: list[tuple[np.ndarray, int, int]]
    total: int

    def granted(self, i: int, asks: np.ndarray) -> bool:
        """Whether unit i gets what it asks for; every other unit has been given what it asks for at that price."""
        value = np.clip(asks, self.lower, self.upper)
        value[i] = asks[i]
        for members, floor, cap in self.rows:
            asked = value[members].sum()
            if members[i]:
                if asked <= floor:
                    return True
                if asked > cap:
                    return False
            else:
                value[members] = 0
                value[np.argmax(members)] = min(max(asked, floor), cap)
        return bool(value.sum() <= self.total)

    def possible(self, corners: np.ndarray, i: int, k: int) -> bool:
        """Whether unit i may get k places somewhere within these corners; False is proven."""
        if k <= self.lower[i] or k > self.upper[i]:
            return k <= self.lower[i]
        level = (k - 0.5) * (corners - _MARGIN) / (corners[:, [i]] + _MARGIN)
        asks, most = (np.ceil(ends - 0.5) for ends in (level.min(axis=0), level.max(axis=0)))
        asks[i] = most[i] = k  # the others: places strictly cheaper than the k-th of i
        if not self.granted(i, asks):
            return False
        moving = (asks < most) & (asks >= self.lower) & (most <= self.upper)
        least = np.clip(asks, self.lower, self.upper)[~moving].sum() + (level[:, moving] - 0.5).sum(axis=1).min()
        return bool(self.rows or least <= self.total + _SUM)

    def certain(self, corners: np.ndarray, i: int, k: int) -> bool:
        """Whether unit i gets at least k places everywhere within these corners; True is proven."""
        if k <= self.lower[i] or k > self.upper[i]:
            return k <= self.lower[i]
        if corners[:, i].min() <= _MARGIN:
            return False  # an entitlement of nothing takes only its floor
        level = (k - 0.5) * (corners + _MARGIN) / (corners[:, [i]] - _MARGIN)
        fewest, asks = (np.floor(ends + 0.5) for ends in (level.min(axis=0), level.max(axis=0)))
        asks[i] = fewest[i] = k  # the others: places no dearer than the k-th of i
        if self.granted(i, asks):
            return True
        moving = (fewest < asks) & (fewest >= self.lower) & (asks <= self.upper)
        most = np.clip(asks, self.lower, self.upper)[~moving].sum() + (level[:, moving] + 0.5).sum(axis=1).max()
        return bool(not self.rows and most <= self.total - _SUM)


def _asked(problem: QuotaProblem) -> _Asked:
    rows = sorted(problem.rows, key=lambda row: len(row.members))
    kept = [(np.array(row.dense(len(problem.labels)), dtype=bool), row.lower, row.upper) for row in rows]
    # An entitlement that rounds to nothing caps its unit at the floor; it is 0 here or weighs no more than that.
    upper = np.minimum(problem.cap.to_numpy(), problem.total)
    return _Asked(problem.floor.to_numpy(), np.maximum(upper, problem.floor.to_numpy()), kept, problem.total)


def most_places(admissible: Admissible, problem: QuotaProblem, i: int, known: End) -> End:
    """The most places of unit i over all admissible weights, upward from a value known to be attained."""
    asked = _asked(problem)
    return _climb(admissible, i, known, 1, (asked.possible, asked.certain))


def fewest_places(admissible: Admissible, problem: QuotaProblem, i: int, known: End) -> End:
    """The fewest places of unit i over all admissible weights, downward from a value known to be attained."""
    asked = _asked(problem)

    def may(corners: np.ndarray, unit: int, k: int) -> bool:
        return not asked.certain(corners, unit, k + 1)

    def does(corners: np.ndarray, unit: int, k: int) -> bool:
        return not asked.possible(corners, unit, k + 1)

    return _climb(admissible, i, known, -1, (may, does))


_Test = Callable[[np.ndarray, int, int], bool]


def _climb(admissible: Admissible, i: int, known: End, step: int, tests: tuple[_Test, _Test]) -> End:
    """Place by place until no cell may hold one more; a bracket if that takes too many cells."""
    may, does = tests
    best, point, waiting = int(known.value), known.point, _Cells(admissible, i, step)
    for _ in range(_CELLS):
        if not waiting:
            return End(best, point, best)
        cell, corners = waiting.pop()
        if not may(corners, i, best + step):
            continue
        middle = _middle(cell)
        if does(admissible.entitlements(middle), i, best + step):
            best, point = best + step, middle
            waiting.push(cell)
        else:
            waiting.push(*_halves(cell))
    bound = best
    for _, corners in waiting:
        while may(corners, i, bound + step):
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
    """Cells still to be examined, the most promising for a unit first."""

    def __init__(self, admissible: Admissible, i: int, step: int) -> None:
        self._admissible, self._i, self._step = admissible, i, step
        self._heap: list[tuple[float, int, Cell, np.ndarray]] = []
        self._pushed = 0
        self.push(*admissible.cells)

    def push(self, *cells: Cell) -> None:
        for cell in cells:
            corners = self._admissible.entitlements(cell)
            promise = float((self._step * corners[:, self._i]).max())
            self._pushed += 1
            heapq.heappush(self._heap, (-promise, self._pushed, cell, corners))

    def pop(self) -> tuple[Cell, np.ndarray]:
        return heapq.heappop(self._heap)[2:]

    def __len__(self) -> int:
        return len(self._heap)

    def __iter__(self) -> Iterator[tuple[Cell, np.ndarray]]:
        return (entry[2:] for entry in self._heap)


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
        return tuple(_replaced(block, old, middle) if c == b else block for c, block in enumerate(cell))

    return with_middle_for(p), with_middle_for(q)


def _replaced(block: np.ndarray, row: int, value: np.ndarray) -> np.ndarray:
    changed = block.copy()
    changed[row] = value
    return changed
