"""What drives the quotas: Sobol indices of independent blocks of parameters, Shapley effects of the weights.

Blocks are independent of one another, so variance splits among them (Sobol 2001; Saltelli et al. 2010). Weights
on a simplex are not: given the others the last is known. Their Shapley effects share out all the variance,
whatever the dependence (Owen 2014, SIAM/ASA J. UQ 2; Song, Nelson & Staum 2016, ibid. 4).
"""

import warnings
from collections.abc import Callable, Hashable
from dataclasses import replace
from itertools import chain, combinations
from math import comb

import numpy as np
import pandas as pd

from zjtx_alloc.uncertainty.draws import BLOCKS, Draws, Sampling, block_is_point, joined

OVERALL = "overall"
SOBOL_MOST = 2**13
_SHAPLEY_MOST = 2**12  # draws a set of weights
_SHAPLEY_LEAST = 16
_SHAPLEY_SCENARIOS = 2**18  # for all sets together
_PLAYERS = 10  # weights that vary; the sets of them double with each
_ROUNDS = 12  # of redrawing three weights or more in pairs: by then no trace is left of where they began
_RESAMPLES = 400
_BAR = (0.025, 0.975)  # quantiles of the resamples between which an error bar stands

Model = Callable[[Draws], np.ndarray]  # draws to quotas (draws, units)


def sobol_base(draws: int) -> int:
    """How many draws the Sobol indices rest on: twice this many of the sweep's own, a power of two."""
    return min(SOBOL_MOST, 2 ** ((draws // 2).bit_length() - 1))


Estimated = tuple[pd.DataFrame, pd.DataFrame]  # values and their error bars, (end, …) by end: low and high


def block_indices(
    model: Model, pair: tuple[Draws, Draws], values: tuple[np.ndarray, np.ndarray], seed: int = 0
) -> Estimated:
    """First-order and total Sobol indices of the quotas, by block of parameters, and their error bars.

    Parameters
    ----------
    model : callable
    pair : two Draws of the same number, a power of two, independent of each other
    values : their quotas (draws, units)
    seed : int
        Of the resamples.

    Returns
    -------
    indices, bars : DataFrame
        A row a unit in the model's order, then ``OVERALL`` (each unit's index weighted by its variance:
        Lamboni, Monod & Makowski 2011, RESS 96); columns (order, block), order first or total, in the bars
        (end, order, block): 95 % of bootstrap resamples of the draws lie between low and high (Archer, Saltelli
        & Sobol 1997, J. Statist. Comput. Simul. 58). NaN where the quota does not vary.
    """
    a, b = pair
    blocks = [block for block in BLOCKS if a.uncertain(block)]
    mixed = model(joined([replace(a, **{block: getattr(b, block)}) for block in blocks]))
    mixed = mixed.reshape(len(blocks), len(a), -1).astype(float)
    f_a, f_b = (quotas.astype(float) for quotas in values)
    varies = (f_a != f_a[0]).any(axis=0) & (f_b != f_b[0]).any(axis=0)
    variance = np.vstack([f_a, f_b]).var(axis=0)
    found = np.full((len(varies) + 1, 2, len(blocks)), np.nan)
    if varies.any():
        tables = (f_a[:, varies].T, f_b[:, varies].T, mixed[:, :, varies].transpose(0, 2, 1))
        both = np.stack(sobol_indices(*map(np.ascontiguousarray, tables)), axis=-2)
        found[:-1][varies] = both
        found[-1] = np.average(both, axis=0, weights=variance[varies])
    columns = pd.MultiIndex.from_product([("first", "total"), blocks], names=["order", "block"])
    resamples = np.full((_RESAMPLES, *found.shape), np.nan)
    if varies.any():
        resamples[:, np.append(varies, True)] = _resampled_indices(*tables, np.random.default_rng((seed, 2)))
    return pd.DataFrame(found.reshape(len(found), -1), columns=columns), _bars(resamples, columns)


def _resampled_indices(f_a: np.ndarray, f_b: np.ndarray, mixed: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The indices of each resample of the draws, (resamples, outputs and all together, 2, blocks).

    Each index is made of means over the draws, so the resamples are one product of matrices.
    """
    centre = np.mean([f_a, f_b], axis=(0, -1))[:, None]
    f_a, f_b, mixed = f_a - centre, f_b - centre, mixed - centre
    step = mixed - f_a
    terms = np.concatenate([f_b * step, step, step**2, (f_a + f_b)[None] / 2, (f_a**2 + f_b**2)[None] / 2])
    means = _resampled_means(terms.transpose(2, 0, 1), rng)
    product, shift, square = np.split(means[:, :-2], 3, axis=1)
    centre, variance = means[:, -2:-1], means[:, -1] - means[:, -2] ** 2
    parts = np.stack([product - centre * shift, square / 2]).transpose(1, 3, 0, 2)  # resamples, outputs, order, blocks
    parts = np.concatenate([parts, parts.sum(axis=1, keepdims=True)], axis=1)
    variance = np.column_stack([variance, variance.sum(axis=1)])[:, :, None, None]
    return np.divide(parts, variance, out=np.full_like(parts, np.nan), where=variance > 0)


def _resampled_means(terms: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Means of ``terms`` (draws, …) over resamples of the draws with replacement, (resamples, …)."""
    draws = len(terms)
    picked = rng.integers(draws, size=(_RESAMPLES, draws)) + draws * np.arange(_RESAMPLES)[:, None]
    counts = np.bincount(picked.ravel(), minlength=_RESAMPLES * draws).reshape(_RESAMPLES, draws)
    return (counts / draws @ terms.reshape(draws, -1)).reshape(_RESAMPLES, *terms.shape[1:])


def _bars(resamples: np.ndarray, columns: pd.MultiIndex) -> pd.DataFrame:
    """The ends of the error bars, rows as in the resamples (resamples, rows, …)."""
    with warnings.catch_warnings():  # a quota that does not vary has none
        warnings.simplefilter("ignore", RuntimeWarning)
        ends = np.nanquantile(resamples.reshape(*resamples.shape[:2], -1), _BAR, axis=0)
    tables = {end: pd.DataFrame(each, columns=columns) for end, each in zip(("low", "high"), ends, strict=True)}
    return pd.concat(tables, axis=1, names=["end"])


def ranked(values: pd.Series, bars: pd.DataFrame) -> list[list[Hashable]]:
    """Labels from the largest value down, in groups: of two whose bars overlap neither stands above the other.

    Parameters
    ----------
    values : Series
    bars : DataFrame
        low and high, index as the values.
    """
    groups: list[list[Hashable]] = []
    for label in values.sort_values(ascending=False, kind="stable").index:
        group = [label]
        while groups and bars["high"][label] >= bars["low"][groups[-1]].min():
            group = groups.pop() + group
        groups.append(group)
    return groups


def sobol_indices(f_a: np.ndarray, f_b: np.ndarray, mixed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """First-order and total Sobol indices (outputs, blocks), as ``scipy.stats.sobol_indices``, which takes long to import.

    Parameters
    ----------
    f_a, f_b : arrays (outputs, draws)
    mixed : array (blocks, outputs, draws)
        The first draws with one block of the second.

    References
    ----------
    Saltelli et al. 2010, Computer Physics Communications 181(2), table 2 (b) and (f).
    """
    mean = np.mean([f_a, f_b], axis=(0, -1))[:, None]
    f_a, f_b, mixed = f_a - mean, f_b - mean, mixed - mean
    variance = np.var([f_a, f_b], axis=(0, -1))
    first = np.mean(f_b * (mixed - f_a), axis=-1) / variance
    total = 0.5 * np.mean((f_a - mixed) ** 2, axis=-1) / variance
    return first.T, total.T


def weight_effects(sampling: Sampling, model: Model, draws: Draws, seed: int) -> Estimated:
    """Shapley effects of the weights, as parts of the variance that the weights alone give each quota; error bars.

    Returns
    -------
    effects, bars : DataFrame
        Rows as in ``block_indices``; columns (pool, factor), the weights that vary, in the bars (end, pool, factor);
        a row of effects sums to 1. NaN where the weights do not move the quota. No columns if the weights are
        certain or more than ten vary.
    """
    named = _movers(sampling, draws)
    movers, columns = list(named), pd.MultiIndex.from_tuples(list(named.values()), names=["pool", "factor"])
    if not movers or len(movers) > _PLAYERS:
        return pd.DataFrame(columns=columns[:0]), pd.DataFrame(columns=columns[:0])
    count = min(len(draws), _SHAPLEY_MOST, max(min(2 * len(draws), _SHAPLEY_SCENARIOS) >> len(movers), _SHAPLEY_LEAST))
    alone = replace(sampling.baseline, weights=draws.part(slice(0, count)).weights)
    costs = _unexplained(sampling, model, alone, np.random.default_rng(np.random.SeedSequence((seed, 1))))
    parts = np.concatenate([shapley_values(movers, costs), costs[frozenset(movers)][None]])  # by draw
    means = np.concatenate(
        [parts.mean(axis=1)[None], _resampled_means(parts.swapaxes(0, 1), np.random.default_rng((seed, 3)))]
    )
    means = np.concatenate([means, means.sum(axis=2, keepdims=True)], axis=2)  # all units together
    variance = means[:, -1:]
    shares = np.divide(means[:, :-1], variance, out=np.full_like(means[:, :-1], np.nan), where=variance > 0)
    shares = shares.swapaxes(1, 2)
    return pd.DataFrame(shares[0], columns=columns), _bars(shares[1:], columns)


_Mover = tuple[int, int]  # block of weights, position in it


def shapley_values(players: list[_Mover], costs: dict[frozenset[_Mover], np.ndarray]) -> np.ndarray:
    """Shapley values (players, …) of the game that ``costs`` gives for each set of players."""
    values = np.zeros((len(players), *next(iter(costs.values())).shape))
    for i, player in enumerate(players):
        others = [other for other in players if other != player]
        for size in range(len(players)):
            for group in combinations(others, size):
                gain = costs[frozenset((*group, player))] - costs[frozenset(group)]
                values[i] += gain / (comb(len(others), size) * len(players))
    return values


def _movers(sampling: Sampling, draws: Draws) -> dict[_Mover, tuple[str, str]]:
    """The weights that vary, each with its pool and factor."""
    each = [(block, i) for block, weights in enumerate(draws.weights) for i in range(weights.shape[1])]
    named = zip(each, sampling.admissible.names, strict=True)
    return {(block, i): name for (block, i), name in named if np.ptp(draws.weights[block][:, i]) > 0}


def _unexplained(
    sampling: Sampling, model: Model, draws: Draws, rng: np.random.Generator
) -> dict[frozenset[_Mover], np.ndarray]:
    """For each set of weights the variance left when all others are known: E Var(quota | others), by draw and unit."""
    movers, base = list(_movers(sampling, draws)), model(draws).astype(float)
    costs = {frozenset(movers): (base - base.mean(axis=0)) ** 2}
    for free in chain.from_iterable(combinations(movers, size) for size in range(len(movers))):
        redrawn = _redrawn(sampling, draws, free, rng)
        moved = any(new is not old for new, old in zip(redrawn.weights, draws.weights, strict=True))
        gap = model(redrawn) - base if moved else np.zeros_like(base)
        costs[frozenset(free)] = gap**2 / 2
    return costs


def _redrawn(sampling: Sampling, draws: Draws, free: tuple[_Mover, ...], rng: np.random.Generator) -> Draws:
    """The weights with those that are free drawn anew from what the others leave them."""
    weights = list(draws.weights)
    for block in {b for b, _ in free}:
        inside = [i for b, i in free if b == block]
        if len(inside) > 1:
            weights[block] = _paired(sampling, block, weights[block].copy(), inside, rng)
    return replace(draws, weights=tuple(weights))


def _paired(
    sampling: Sampling, block: int, weights: np.ndarray, free: list[int], rng: np.random.Generator
) -> np.ndarray:
    """Gibbs steps: two weights at a time drawn anew within their sum, which is exact for two and keeps the law."""
    alpha = None
    if block_is_point(sampling.admissible.blocks[block]):  # then it is Dirichlet
        alpha = sampling.scenario.uncertainty.concentration * sampling.baseline.weights[block][0]
    corners = np.array([[float(x) for x in v] for simplex in sampling.admissible.blocks[block] for v in simplex])
    low, high = corners.min(axis=0), corners.max(axis=0)
    for _ in range(1 if len(free) == 2 else _ROUNDS):
        for i, j in combinations(free, 2):
            both = weights[:, i] + weights[:, j]
            if alpha is None:
                least, most = np.maximum(low[i], both - high[j]), np.minimum(high[i], both - low[j])
                weights[:, i] = least + np.maximum(most - least, 0) * rng.random(len(weights))
            else:
                weights[:, i] = both * rng.beta(alpha[i], alpha[j], len(weights))
            weights[:, j] = both - weights[:, i]
    return weights
