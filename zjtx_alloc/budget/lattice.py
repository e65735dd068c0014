"""Exact sums of random money on a lattice of equal steps, state of the nation by state.

Every number is a sum of products of non-negative floats, so nothing cancels: a probability is good to about
1e-12 of itself (units of up to some thousand firms), however small. An FFT would lose the tails.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from itertools import groupby

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Lattice:
    """Distributions on whole steps, one for each state of the nation, or each pair of states."""

    start: int  #: Steps of the first column.
    #: Array of float, shape (states, steps) or (states, states, steps): ``mass[k, j]``: probability of ``start + j``
    #: steps in state k; each row sums to one. With pairs, an axis of length one says that the amount is the same
    #: whatever that state is; so sums are made no wider than they must.
    mass: np.ndarray

    def moved(self, steps: int) -> "Lattice":
        """The same with a certain amount more."""
        return Lattice(self.start + steps, self.mass)

    def negated(self) -> "Lattice":
        """The distribution of minus the amount."""
        return Lattice(1 - self.start - self.mass.shape[-1], self.mass[..., ::-1])

    def positive_part(self) -> "Lattice":
        """The distribution of max(amount, 0)."""
        below = min(max(-self.start, 0), self.mass.shape[-1] - 1)
        if self.start + self.mass.shape[-1] - 1 < 0:
            return certain(0, *self.mass.shape[:-1])
        mass = self.mass[..., below:].copy()
        mass[..., 0] += self.mass[..., :below].sum(axis=-1)
        return Lattice(max(self.start, 0), mass)

    def at_most(self, steps: int) -> np.ndarray:
        """Probability of at most so many steps, by state."""
        return self.mass[..., : max(steps - self.start + 1, 0)].sum(axis=-1)


def certain(steps: int, *states: int) -> Lattice:
    """An amount that is sure, in so many states; two numbers for pairs of states."""
    return Lattice(steps, np.ones((*states, 1)))


def added(parts: Iterable[Lattice]) -> Lattice:
    """The sum of amounts that are independent within each state of the nation: direct convolution.

    Amounts that hang on the same states are summed first, pairs of states last.
    """
    ordered = sorted(parts, key=lambda part: (part.mass.shape[:-1], part.mass.shape[-1]))
    alike = [reduce(_added, same) for _, same in groupby(ordered, key=lambda part: part.mass.shape[:-1])]
    return reduce(_added, sorted(alike, key=lambda part: part.mass.size))


def _added(one: Lattice, other: Lattice) -> Lattice:
    if other.mass.shape[-1] == 1:
        return one.moved(other.start)
    if one.mass.shape[-1] == 1:
        return other.moved(one.start)
    states = np.broadcast_shapes(one.mass.shape[:-1], other.mass.shape[:-1])
    pairs = zip(_rows(one, states), _rows(other, states), strict=True)
    rows = np.array([np.convolve(a, b) for a, b in pairs])
    return Lattice(one.start + other.start, rows.reshape(*states, -1))


def _rows(money: Lattice, states: tuple[int, ...]) -> np.ndarray:
    """The distributions one under another, an axis of length one repeated."""
    steps = money.mass.shape[-1]
    return np.broadcast_to(money.mass, (*states, steps)).reshape(-1, steps)


def unit_money(
    firms: int, rates: pd.DataFrame, rho: float, steps: Mapping[str, int], whole: np.ndarray | None = None
) -> Lattice:
    """What the outcomes of one unit's firms make: Dirichlet-multinomial counts (Mosimann 1962) × money.

    Parameters
    ----------
    firms : int
    rates : DataFrame
        A row a state, a column an outcome.
    rho : float
        Intra-class correlation of two firms of the unit, below 1; 0 is the multinomial.
    steps : mapping
        Money of a firm by outcome, in steps; at most three amounts. Outcomes worth the same are taken
        together, which the Dirichlet-multinomial allows.
    whole : array of float, optional
        What the rates sum to, by state; one if not given. Less than one: the rest is the share of something that
        has not happened to these firms, and they are drawn given that. The shares that remain are Dirichlet again
        and do not hang on the one taken away (Connor & Mosimann 1969).
    """
    whole = np.ones(len(rates)) if whole is None else whole
    worth: dict[int, np.ndarray] = {}
    for outcome, rate in rates.items():
        money = steps[str(outcome)]
        worth[money] = worth.get(money, 0) + rate.to_numpy()
    if len(worth) == 1:
        return certain(firms * next(iter(worth)), len(rates))
    tables = {money: _weights(firms, rate, rho) for money, rate in worth.items()}
    return _counted(firms, tables, _weights(firms, whole, rho)[:, firms])


def log_counts(firms: int, rate: np.ndarray, rho: float) -> np.ndarray:
    """Log probability that 0, 1, … of a unit's firms have one outcome, a row a state: beta-binomial.

    Parameters
    ----------
    firms : int
    rate : array of float
        Share of firms of that outcome, by state.
    rho : float
        As in ``unit_money``.
    """
    ways = _weights(firms, rate, rho) + _weights(firms, 1 - rate, rho)[:, ::-1]
    return ways - _weights(firms, np.ones(len(rate)), rho)[:, [firms]]


def _weights(firms: int, rate: np.ndarray, rho: float) -> np.ndarray:
    """Log Π_{i<x} (rate + iθ) / x!, a row a state, a column x = 0 … firms; θ = ρ / (1 − ρ)."""
    i = np.arange(firms)
    with np.errstate(divide="ignore"):  # no firm ends so where the rate is zero
        factors = np.log((rate[:, None] + i * rho / (1 - rho)) / (i + 1))
    return np.concatenate([np.zeros((len(rate), 1)), np.cumsum(factors, axis=1)], axis=1)


def _counted(firms: int, tables: dict[int, np.ndarray], scale: np.ndarray) -> Lattice:
    """Sum the masses of all counts by money: x firms worth the first, y the second, the rest the third."""
    (first, a), (second, b), *rest = tables.items()
    start = firms * min(tables)
    mass = np.zeros((len(a), firms * (max(tables) - min(tables)) + 1))
    for x in range(firms + 1):
        left = firms - x
        y = np.arange(left + 1) if rest else np.array([left])
        log, money = a[:, [x]] + b[:, y] - scale[:, None], first * x + second * y
        for third, c in rest:
            log, money = log + c[:, left - y], money + third * (left - y)
        mass[:, money - start] += np.exp(log)
    return Lattice(start, mass)
