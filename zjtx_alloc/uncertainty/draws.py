"""Samples of everything a scenario is uncertain about, and the entitlements that they give, many at once.

The factor method of ``allocation/entitlement.py`` for S scenarios as arrays. Draws come in blocks, each from its own child of
the seed and each kind of parameter from its own child of that: the d-th draw depends on the seed alone, neither
on how many draws there are nor on who computes them.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

import numpy as np
import pandas as pd

from zjtx_alloc.allocation.entitlement import coefficient_keys, multiplier_of
from zjtx_alloc.base.messages import say
from zjtx_alloc.facts.panel import Panel
from zjtx_alloc.rules.scenario import Scenario
from zjtx_alloc.rules.scenario_uncertainty import FactErrors
from zjtx_alloc.uncertainty.admissible import Admissible, weight_blocks
from zjtx_alloc.uncertainty.polytope import Simplex, uniform_draws

BLOCKS = ("weights", "coefficients", "facts", "totals")
_CELLS = 2**22  # of a block
_ROWS = 2**17  # of a block, at most

Key = tuple[str, str]  # indicator and period of a fact, or table and key of a coefficient


@dataclass(frozen=True)
class Draws:
    """Parameters drawn, a row a draw; an array of one row holds for every draw."""

    weights: tuple[np.ndarray, ...]  #: The pools' shares, then each set of weights, as in ``Admissible.blocks``.
    coefficients: np.ndarray  #: Array (S, coefficients): In the order of ``Sampling.coefficients``.
    #: Tuple of arrays (S, units): For each column of ``Sampling.values`` the true value as a multiple of the panel's;
    #: float32.
    facts: tuple[np.ndarray, ...]
    totals: np.ndarray  #: array (S,) of int

    def __len__(self) -> int:
        return max(map(len, (*self.weights, self.coefficients, *self.facts, self.totals)))

    def part(self, rows: slice) -> "Draws":
        """Some of the draws."""
        return _array_by_array(lambda array: array if len(array) == 1 else array[rows], self)

    def uncertain(self, block: str) -> bool:
        """Whether a block of parameters varies."""
        arrays = getattr(self, block)
        return any(len(array) > 1 for array in (arrays if isinstance(arrays, tuple) else (arrays,)))


def joined(parts: list[Draws]) -> Draws:
    """Draws one after another, all of the same sampling."""
    return _array_by_array(lambda *arrays: arrays[0] if len(arrays[0]) == 1 else np.concatenate(arrays), *parts)


def _array_by_array(make: Callable[..., np.ndarray], *draws: Draws) -> Draws:
    """Draws each of whose arrays is made of those at its place in these."""
    blocks = ([getattr(each, block) for each in draws] for block in BLOCKS)
    made: list[Any] = [tuple(map(make, *held)) if isinstance(held[0], tuple) else make(*held) for held in blocks]
    return Draws(*made)


@dataclass(frozen=True)
class _PoolSampling:
    weights: int  # its block
    factors: tuple[tuple[Key, np.ndarray], ...]  # the fact's column, and its multiplier by unit
    coefficients: tuple[np.ndarray, ...]  # for each table the positions of the units' coefficients


@dataclass(frozen=True)
class Sampling:
    """A scenario taken apart for sampling."""

    scenario: Scenario
    admissible: Admissible  #: The blocks of weights.
    values: dict[Key, np.ndarray]  #: dict of (indicator, period) to array (units,)
    #: Dict of (indicator, period) to array (2, units): The least and the most that the true value may be, as
    #: multiples of the panel's.
    spreads: dict[Key, np.ndarray]
    coefficients: dict[Key, tuple[float, float, float]]  #: dict of (table, key) to (least, baseline, most)
    pools: tuple[_PoolSampling, ...]  #: How each pool shares out.

    @property
    def block_rows(self) -> int:
        """Draws in a block."""
        units = len(next(iter(self.values.values())))
        return max(min(_CELLS // units, _ROWS), 1)

    @property
    def baseline(self) -> Draws:
        """What the scenario itself has, as one draw."""
        pools = self.scenario.all_pools().values()
        of_pool = self.admissible.of_pool
        sets = {block: [f.weight for f in p.factors.values()] for block, p in zip(of_pool, pools, strict=True)}
        weights = [[p.share for p in pools], *(sets[block] for block in sorted(sets))]
        middle = [base for _, base, _ in self.coefficients.values()]
        totals = np.array([self.scenario.total])
        return Draws(tuple(np.array([w]) for w in weights), np.array([middle]), (), totals)


def sampling(panel: Panel, scenario: Scenario) -> Sampling:
    """Take a scenario apart; whatever ``entitlement`` refuses must have been refused before.

    Raises
    ------
    ScenarioError
        As ``weight_blocks`` does.
    """
    doubt, pools = scenario.uncertainty, scenario.all_pools().values()
    admissible = weight_blocks(panel, scenario)
    columns = {(c, f.period): panel.column(c, f.period) for pool in pools for c, f in pool.factors.items()}
    coefficients = {
        (name, key): (span.min, value, span.max) if (span := getattr(doubt, name).get(key)) else (value,) * 3
        for name in ("region_coefficient", "grade_coefficient")
        for key, value in getattr(scenario, name).items()
    }
    return Sampling(
        scenario,
        admissible,
        {cell: column["value"].to_numpy(float) for cell, column in columns.items()},
        {cell: _spread(column, doubt.facts) for cell, column in columns.items()},
        coefficients,
        tuple(_pool_samplings(panel, scenario, admissible, list(coefficients))),
    )


def _spread(column: pd.DataFrame, errors: FactErrors) -> np.ndarray:
    """Ends by cell: its own range where it has one (what is published is off by as much as any published cell besides)."""
    even = np.where(column["estimated"], errors.estimated, errors.published)
    ends = np.array([1 - even, 1 + even])
    if errors.ranges and "low" in column:
        value = column["value"].to_numpy(float)
        own = (column["low"].notna() & column["value"].gt(0)).to_numpy()
        known = np.where(column["estimated"], 0.0, errors.published)[own]
        ends[0, own] = np.minimum(column["low"].to_numpy(float)[own] / value[own], 1 - known)
        ends[1, own] = np.maximum(column["high"].to_numpy(float)[own] / value[own], 1 + known)
    return ends


def _pool_samplings(
    panel: Panel, scenario: Scenario, admissible: Admissible, coefficients: list[Key]
) -> Iterator[_PoolSampling]:
    place = {cell: position for position, cell in enumerate(coefficients)}
    for block, pool in zip(admissible.of_pool, scenario.all_pools().values(), strict=True):
        factors = [
            ((code, factor.period), multiplier_of(panel, scenario, factor).to_numpy(float))
            for code, factor in pool.factors.items()
        ]
        tables = [
            np.array([place[name, key] for key in keys])
            for name, keys in coefficient_keys(panel, scenario, pool).items()
        ]
        yield _PoolSampling(block, tuple(factors), tuple(tables))


def drawn_block(sampling: Sampling, seed: int, number: int, rows: int | None = None) -> Draws:
    """A block of draws, or only its first rows: the same ones, for most is drawn row by row."""
    streams = dict(zip(BLOCKS, np.random.SeedSequence(seed, spawn_key=(number,)).spawn(len(BLOCKS)), strict=True))
    rng = {block: np.random.default_rng(stream) for block, stream in streams.items()}
    rows = sampling.block_rows if rows is None else rows
    doubt, base = sampling.scenario.uncertainty, sampling.baseline
    ends = np.array(list(sampling.coefficients.values())).reshape(-1, 3)
    coefficients, facts, totals = base.coefficients, base.facts, base.totals
    if (ends[:, 0] < ends[:, 2]).any():
        coefficients = ends[:, 0] + (ends[:, 2] - ends[:, 0]) * rng["coefficients"].random((rows, len(ends)))
    if any(np.ptp(spread, axis=0).any() for spread in sampling.spreads.values()):
        spreads = enumerate(sampling.spreads.values())
        facts = tuple(_multiples(spread, rows, streams["facts"], n * sampling.block_rows) for n, spread in spreads)
    if doubt.total is not None and doubt.total.min < doubt.total.max:
        totals = rng["totals"].integers(doubt.total.min, doubt.total.max, rows, endpoint=True)
    weights = _drawn_weights(sampling, sampling.block_rows, rng["weights"])  # a draw takes as many numbers as it needs
    return Draws(weights, coefficients, facts, totals).part(slice(0, rows))


def _multiples(spread: np.ndarray, rows: int, stream: np.random.SeedSequence, before: int) -> np.ndarray:
    """As often below the panel's value as above it, evenly on either side; rows ``before`` these are passed over."""
    bits, passed = np.random.PCG64(stream), before * spread.shape[1]  # as default_rng takes them
    bits.advance(passed // 2)  # two numbers of 32 bits a step
    rng = np.random.Generator(bits)
    rng.random(passed % 2, dtype=np.float32)
    below, above = (1 - spread[0]).astype(np.float32), (spread[1] - 1).astype(np.float32)
    drawn = rng.random((rows, len(below)), dtype=np.float32)
    drawn *= 2
    drawn -= 1
    drawn *= np.where(drawn < 0, below, above)
    drawn += 1
    return drawn


def _drawn_weights(sampling: Sampling, rows: int, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Each set of weights, uniform over its ranges or Dirichlet around the baseline; a point stays one row."""
    drawn, concentration = [], sampling.scenario.uncertainty.concentration
    for number, (block, base) in enumerate(zip(sampling.admissible.blocks, sampling.baseline.weights, strict=True)):
        if number and concentration and np.count_nonzero(base) > 1:
            held = base[0] > 0
            weights = np.zeros((rows, base.shape[1]))
            weights[:, held] = rng.dirichlet(concentration * base[0, held], size=rows)
            drawn.append(weights)
        else:
            drawn.append(base if block_is_point(block) else uniform_draws(block, rows, rng))
    return tuple(drawn)


def block_is_point(block: Sequence[Simplex]) -> bool:
    """Whether a set of weights cannot vary."""
    return len({point for simplex in block for point in simplex}) == 1


def drawn(sampling: Sampling, seed: int, draws: int) -> Iterator[Draws]:
    """The first draws of a seed, block by block."""
    for number, start in enumerate(range(0, draws, sampling.block_rows)):
        yield drawn_block(sampling, seed, number, min(sampling.block_rows, draws - start))


def entitlements_of(sampling: Sampling, draws: Draws) -> np.ndarray:
    """Entitlements (draws, units) beyond the base, in places: ``entitlement`` for each draw, up to the last bits of a float."""
    held = dict(zip(sampling.values, draws.facts, strict=True)) if draws.facts else {}
    scenario, whole = sampling.scenario, np.zeros((1, 1))
    by_formula = np.maximum(draws.totals - (scenario.total - scenario.by_formula), 0)
    for number, pool in enumerate(sampling.pools):
        base = _pool_base(sampling, pool, held, draws.weights[pool.weights])
        for table in pool.coefficients:
            base = base * draws.coefficients[:, table]
        base = base * (by_formula[:, None] * draws.weights[0][:, [number]] / base.sum(axis=1, keepdims=True))
        whole = whole + base
    return np.broadcast_to(whole, (len(draws), np.shape(whole)[1]))


def _pool_base(sampling: Sampling, pool: _PoolSampling, held: dict[Key, np.ndarray], weights: np.ndarray) -> np.ndarray:
    """The weighted sum of factor shares; sums taken in the order of the factors, whatever the number of draws."""
    parts = []
    for number, (cell, multiplier) in enumerate(pool.factors):
        values = (sampling.values[cell] * multiplier)[None]
        if cell in held:
            values = values * held[cell]
        parts.append(values * (weights[:, [number]] / values.sum(axis=1, keepdims=True)))
    return reduce(np.add, parts)


def one(sampling: Sampling, seed: int, number: int) -> Draws:
    """A single draw, counted from 0."""
    block, row = divmod(number, sampling.block_rows)
    return drawn_block(sampling, seed, block, row + 1).part(slice(row, row + 1))


def as_scenario(panel: Panel, sampling: Sampling, draw: Draws) -> tuple[Panel, Scenario]:
    """The panel and the scenario that one draw stands for: what ``allocate`` takes. ``panel`` has the composites."""
    scenario = sampling.scenario
    pools = {}
    for number, (name, pool) in enumerate(scenario.all_pools().items()):
        weights = draw.weights[sampling.admissible.of_pool[number]][0]
        factors = {
            code: factor.model_copy(update={"weight": float(w), "period": factor.period or say("uncertainty.drawn")})
            for (code, factor), w in zip(pool.factors.items(), weights, strict=True)
        }
        pools[name] = pool.model_copy(update={"share": float(draw.weights[0][0, number]), "factors": factors})
    changed: dict[str, object] = {"pools": pools} if scenario.pools else {"factors": pools[""].factors}
    for (name, key), value in zip(sampling.coefficients, draw.coefficients[0], strict=True):
        changed[name] = {**changed.get(name, {}), key: float(value)}  # type: ignore[dict-item]
    cells = panel.cells.copy()
    for (code, period), multiples in zip(sampling.values, draw.facts, strict=False):
        index = pd.MultiIndex.from_product([[code], [panel.supplied.get(code, period)], panel.units.index])
        cells.loc[index, "value"] = sampling.values[code, period] * multiples[0]
    # A composite's scores stand in the panel as drawn, under a period of their own: they are not to be computed again.
    changed |= {"total": int(draw.totals[0]), "composites": {}}
    return replace(panel, cells=cells.rename({"": say("uncertainty.drawn")}, level="period")), scenario.model_copy(
        update=changed
    )
