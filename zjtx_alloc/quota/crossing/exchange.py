"""Moving one place from one unit to another under any rules: exact prices, ties, and which bound stands in the way.

Under bounds and nested sums an answer that no single allowed move improves is optimal, and the tie rule's
answer is reached by single moves of equal cost: the feasible answers and the optimal ones among them form
M-convex sets (Murota 2003, Discrete Convex Analysis, theorems 6.26 and 6.30).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import permutations

import numpy as np

from zjtx_alloc.quota.nested.exchange_proof import united
from zjtx_alloc.quota.problem.criteria import Minimax, Price
from zjtx_alloc.quota.problem.problem import QuotaProblem


def _prices(problem: QuotaProblem, places: list[int]) -> tuple[list[Price], list[Price]]:
    """Price of each unit's last and of its next place; None for one that cannot be or is never worth moving.

    Under minimax no move beyond the largest deviation is worth it.
    """
    measure = problem.yardstick
    sums = measure.squares if isinstance(measure, Minimax) else measure
    level = problem.cost(places) if isinstance(measure, Minimax) else Fraction(0)
    last: list[Price] = []
    following: list[Price] = []
    for x, e in zip(places, problem.exact, strict=True):
        fewer, more = bool(e) and x > 0, bool(e)
        if isinstance(measure, Minimax) and e:
            fewer = fewer and measure.deviation(x - 1, e) <= level
            more = measure.deviation(x + 1, e) <= level
        last.append(sums.price(x, e) if fewer else None)
        following.append(sums.price(x + 1, e) if more else None)
    return last, following


def _blockers(problem: QuotaProblem, places: list[int], i: int, j: int) -> list[tuple[str, list[int]]]:
    """What forbids moving a place from i to j: "floor", "cap" or the name of a row, and which of the two it holds."""
    found = [("floor", [i])] if places[i] <= problem.lower[i] else []
    if places[j] >= problem.upper[j]:
        found.append(("cap", [j]))
    for row in problem.rows:
        step = row.weight(j) - row.weight(i)
        if step and not row.lower <= row.value(places) + step <= row.upper:
            found.append((row.name, [k for k in (i, j) if row.weight(k)]))
    return found


def improving_move(problem: QuotaProblem, places: list[int]) -> tuple[int, int] | None:
    """A move (from, to) that is allowed and strictly better; None proves optimality if nested."""
    return next(_offers(problem, places).moves(better=True), None)


def preferred_move(problem: QuotaProblem, places: list[int]) -> tuple[int, int] | None:
    """A move (from, to) that is allowed, costs nothing and that the tie rule prefers."""
    equal = _offers(problem, places).moves(better=False)
    return next(((i, j) for i, j in equal if problem.rank[j] < problem.rank[i]), None)


def polished(problem: QuotaProblem, places: list[int]) -> list[int]:
    """Make every allowed improving move, then every allowed move of equal cost that the tie rule prefers."""
    places = list(places)
    while (move := improving_move(problem, places) or preferred_move(problem, places)) is not None:
        places[move[0]] -= 1
        places[move[1]] += 1
    return places


def equal_moves(problem: QuotaProblem, places: list[int]) -> list[tuple[int, int]]:
    """The allowed moves of one place (from, to) that cost nothing."""
    return list(_offers(problem, places).moves(better=False))


def tied_sets(problem: QuotaProblem, places: list[int]) -> list[list[int]]:
    """Sets of units among which a place could move at no cost, as far as moves of one place show."""
    return united({*move} for move in equal_moves(problem, places))


@dataclass(frozen=True)
class _Offers:
    """Who could give up a place and who could take one, each in tie order, so that all pairs are compared as arrays."""

    givers: list[int]  #: givers, takers: positions of the units.
    takers: np.ndarray  #: See ``givers``.
    #: asked, paid: what their last place, and their next one, costs: as ranks among all these prices, which compare
    #: exactly.
    asked: list[int]
    paid: np.ndarray  #: See ``asked``.
    #: By unit: units with the same weights in all rows that are nearly full are of one kind, and rows treat them
    #: alike (array of int).
    kinds: np.ndarray
    weights: np.ndarray  #: By nearly full row and kind (array).
    down: np.ndarray  #: down, up: how far each of these rows may fall and rise.
    up: np.ndarray  #: See ``down``.

    def moves(self, *, better: bool) -> Iterator[tuple[int, int]]:
        """Every allowed move that is better, or else that costs nothing, as (from, to)."""
        allowed = cache(self._allowed)
        for i, asked in zip(self.givers, self.asked, strict=True):
            worth = self.paid < asked if better else (self.paid == asked) & (self.takers != i)
            if worth.any():
                yield from ((i, j) for j in self.takers[worth & allowed(self.kinds[i])].tolist())

    def _allowed(self, kind: int) -> np.ndarray:
        """Whether rows let each taker have a place of this kind of unit."""
        step = self.weights - self.weights[:, [kind]]
        kept = (step == 0) | ((step >= -self.down[:, None]) & (step <= self.up[:, None]))
        return kept.all(axis=0).astype(bool)[self.kinds[self.takers]]


def _offers(problem: QuotaProblem, places: list[int]) -> _Offers:
    last, following = _prices(problem, places)
    rank = {price: at for at, price in enumerate(sorted({p for p in (*last, *following) if p is not None}))}
    givers = [i for i in problem.order if last[i] is not None and places[i] > problem.lower[i]]
    takers = [j for j in problem.order if following[j] is not None and places[j] < problem.upper[j]]
    asked, paid = [rank[last[i]] for i in givers], np.array([rank[following[j]] for j in takers], dtype=int)
    return _Offers(givers, np.array(takers, dtype=int), asked, paid, *_kinds(problem, places))


def _kinds(problem: QuotaProblem, places: list[int]) -> tuple[np.ndarray, ...]:
    """Kinds, weights, down and up, as of ``_Offers``."""
    ends = list[tuple[int, int]]()
    held = [list[tuple[int, int]]() for _ in places]
    for row in problem.rows:
        known, value = {0, *row.terms.values()}, row.value(places)
        reach = max(known) - min(known)  # no move changes the row by more
        down, up = value - row.lower, row.upper - value
        if min(down, up) < reach:
            for i, weight in row.terms.items():
                held[i].append((len(ends), weight))
            ends.append((min(down, reach), min(up, reach)))
    number: dict[tuple[tuple[int, int], ...], int] = {}
    kinds = [number.setdefault(tuple(each), len(number)) for each in held]
    largest = max((abs(weight) for each in number for _, weight in each), default=0)
    exact = np.int64 if largest < 2**60 else object
    weights = np.zeros((len(ends), len(number)), dtype=exact)
    for each, kind in number.items():
        for at, weight in each:
            weights[at, kind] = weight
    down, up = np.array(ends, dtype=exact).reshape(-1, 2).T
    return np.array(kinds, dtype=int), weights, down, up


def binding(problem: QuotaProblem, places: list[int]) -> dict[str, list[str]]:
    """What holds each unit where it is.

    Returns
    -------
    dict
        By label: "floor", "cap" and names of groups and rules such that, with that one bound alone
        lifted, a single move to or from the unit would be better (or equal and preferred). Exact
        under nested rules; with crossing rules it names single moves only.
    """
    if problem.plain is not problem:
        return binding(problem.plain, problem.beyond_base(places))
    found: dict[str, list[str]] = {label: [] for label in problem.labels}
    last, following = _prices(problem, places)
    for i, j in permutations(problem.order, 2):
        if last[i] is None or following[j] is None or following[j] > last[i]:
            continue  # it would do harm
        blockers = _blockers(problem, places, i, j)
        if len(blockers) != 1 or not (following[j] < last[i] or problem.rank[j] < problem.rank[i]):
            continue
        name, held = blockers[0]
        for k in held:
            if name not in found[problem.labels[k]]:
                found[problem.labels[k]].append(name)
    return found
