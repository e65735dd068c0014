"""The admissible weights of a scenario, and the entitlements that they can give.

A pool shares out by a ratio of two sums, both linear in its weights: entitlements are linear-fractional in
the weights of each pool, and linear in the pools' shares. Such functions keep their extremes at vertices
(Charnes & Cooper 1962, Naval Research Logistics Quarterly 9; Boyd & Vandenberghe 2004, Convex
Optimization, 2.3.3 and 3.4.2); so do their ratios and sums where each depends on one block of weights only.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from pydantic import ValidationError

from zjtx_alloc.allocation.entitlement import adjusted_shares
from zjtx_alloc.base.errors import ScenarioError
from zjtx_alloc.base.messages import say
from zjtx_alloc.base.text import shown
from zjtx_alloc.base.toml_files import mistakes
from zjtx_alloc.facts.panel import Panel
from zjtx_alloc.quota.problem.numbers import is_count
from zjtx_alloc.rules.scenario import Scenario
from zjtx_alloc.rules.scenario_files import check_scenario
from zjtx_alloc.rules.scenario_ranges import without_range_notes
from zjtx_alloc.rules.scenario_uncertainty import Range, UncertainPool
from zjtx_alloc.uncertainty.polytope import Simplex, simplices, uniform_draws

_MOST_VARYING = 8  # weights of a block: they fill up to 15,619 simplices, nine ten times as many
_MOST_CELLS = 2**14  # products of simplices: minutes of search

Weights = Mapping[str, tuple[float, float]]
Cell = tuple[np.ndarray, ...]  # a simplex a block, each an array (vertices, weights); a point has one vertex each


@dataclass(frozen=True)
class Admissible:
    """Blocks that vary independently: the pools' shares, then each set of weights."""

    #: Each fills the polytope of its block; the first is that of the pools' shares.
    blocks: tuple[list[Simplex], ...]
    of_pool: tuple[int, ...]  #: For each pool the block of its weights.
    shares: tuple[np.ndarray, ...]  #: For each pool the units' adjusted shares (units, factors).
    #: Tuple of (pool, factor): What each number of a point means, block by block; the factor of a share is "", as is
    #: the pool of weights that pools have in common.
    names: tuple[tuple[str, str], ...]
    total: int

    @property
    def independent(self) -> bool:
        """Whether no two pools share their weights: then extremes lie at vertices."""
        return len(set(self.of_pool)) == len(self.of_pool)

    @cached_property
    def cells(self) -> list[Cell]:
        """Products of simplices that fill the whole set."""
        return [tuple(_floats(simplex) for simplex in chosen) for chosen in product(*self.blocks)]

    @cached_property
    def vertices(self) -> list[Cell]:
        """The vertices of the whole set, as points."""
        ends = [sorted({point for simplex in block for point in simplex}) for block in self.blocks]
        return [tuple(_floats((point,)) for point in chosen) for chosen in product(*ends)]

    def entitlements(self, cell: Cell) -> np.ndarray:
        """Entitlements beyond the base (combinations, units) at the vertices of a cell, every pool at every vertex of its own.

        Where pools share weights some combinations are not admissible: bounds, no more.
        """
        by_pool = []
        for block, shares in zip(self.of_pool, self.shares, strict=True):
            base = cell[block] @ shares.T
            by_pool.append(base / base.sum(axis=1, keepdims=True))
        found = [
            sum(part * pool for part, pool in zip(parts, chosen, strict=True))
            for parts in cell[0]
            for chosen in product(*by_pool)
        ]
        return self.total * np.array(found)

    def draws(self, number: int, seed: int) -> list[Cell]:
        """Points drawn uniformly from each block, independently."""
        rng = np.random.default_rng(seed)
        drawn = [uniform_draws(block, number, rng) for block in self.blocks]
        return [tuple(block[d : d + 1] for block in drawn) for d in range(number)]


def check_draws(draws: Any, seed: Any, least: int, most: int) -> None:
    """Raise ScenarioError unless both are integers, the draws within what memory and time allow."""
    if not (is_count(draws, least, most) and is_count(seed)):
        raise ScenarioError(say("sweep.numbers", least=least, most=most, draws=shown(draws), seed=shown(seed)))


def admissible_weights(panel: Panel, scenario: Scenario, weights: Weights | None = None) -> Admissible:
    """The admissible weights of a scenario.

    Parameters
    ----------
    weights : mapping of factor to (min, max), optional
        As of ``weight_range``.

    Raises
    ------
    ScenarioError
        If the scenario has no uncertain weights and none are given, ranges admit no weights, or too many vary.
    """
    if weights is not None:
        ranges = {code: _range(code, pair) for code, pair in weights.items()}
        scenario = with_uncertainty(scenario, {"weights": ranges})
    doubt = scenario.uncertainty
    if not doubt.weights and not doubt.pools:
        raise ScenarioError(say("uncertainty.none", scenario=scenario.name))
    found = weight_blocks(panel, scenario)
    if (cells := math.prod(map(len, found.blocks))) > _MOST_CELLS:
        raise ScenarioError(say("uncertainty.many_cells", scenario=scenario.name, count=cells, most=_MOST_CELLS))
    return found


def _range(code: str, pair: Any) -> dict[str, Any]:
    try:
        least, most = pair
    except (TypeError, ValueError):
        raise ScenarioError(say("uncertainty.pair", factor=code, pair=shown(pair))) from None
    return {"min": least, "max": most}


def weight_blocks(panel: Panel, scenario: Scenario) -> Admissible:
    """The same, for scenarios without uncertain weights also: their blocks are single points.

    Raises
    ------
    ScenarioError
        If ``[uncertainty]`` does not fit the scenario, which a copy changed in code may not have been checked for; if more
        weights of one block vary than can be split into simplices.
    """
    check_scenario(scenario)
    doubt, pools = scenario.uncertainty, scenario.all_pools()
    share_ranges = {name: p.share for name, p in doubt.pools.items() if p.share is not None}
    blocks = [_block(scenario, [p.share for p in pools.values()], [share_ranges.get(name) for name in pools])]
    names, of_pool = [(name, "") for name in pools], []
    for name, pool in pools.items():
        ranges = doubt.weights or doubt.pools.get(name, UncertainPool()).weights
        if not doubt.weights or len(blocks) == 1:
            own = [ranges.get(code) for code in pool.factors]
            blocks.append(_block(scenario, [f.weight for f in pool.factors.values()], own))
            names += [("" if doubt.weights else name, code) for code in pool.factors]
        of_pool.append(len(blocks) - 1)
    shares = tuple(adjusted_shares(panel, scenario, pool).to_numpy() for pool in pools.values())
    return Admissible(tuple(blocks), tuple(of_pool), shares, tuple(names), scenario.by_formula)


def with_uncertainty(scenario: Scenario, table: Mapping[str, object]) -> Scenario:
    """The scenario with this table in the place of its ``[uncertainty]``, checked as that of a file is.

    Raises
    ------
    ScenarioError
        Naming the key and what is wrong.
    """
    try:
        checked = Scenario.model_validate(scenario.model_dump() | {"uncertainty": table})
    except ValidationError as error:
        first = mistakes(error)[0]
        where = ".".join(first.keys) or "uncertainty"
        described = say("uncertainty.given", scenario=scenario.name, where=where, what=first.allowed)
        raise ScenarioError(described) from None
    notes = without_range_notes(scenario.assumptions)
    return scenario.model_copy(update={"uncertainty": checked.uncertainty, "assumptions": notes})


def _block(scenario: Scenario, parts: Sequence[float], ranges: Sequence[Range | None]) -> list[Simplex]:
    """The polytope of some weights, in simplices; what has no range stays as it is."""
    varying = sum(r is not None and r.min < r.max for r in ranges)
    if varying > _MOST_VARYING:
        raise ScenarioError(say("uncertainty.many", scenario=scenario.name, count=varying, most=_MOST_VARYING))
    exact = [Fraction(repr(part)) for part in parts]
    if not any(ranges):
        return [(tuple(exact),)]
    low = [part if r is None else Fraction(repr(r.min)) for part, r in zip(exact, ranges, strict=True)]
    high = [part if r is None else Fraction(repr(r.max)) for part, r in zip(exact, ranges, strict=True)]
    return simplices(low, high)


def _floats(simplex: Sequence[tuple[Fraction, ...]]) -> np.ndarray:
    return np.array([[float(x) for x in point] for point in simplex])


def point_table(admissible: Admissible, points: Mapping[tuple[str, str], Cell]) -> pd.DataFrame:
    """Weights by unit and end: index (code, end), columns (pool, factor); the plain case's one pool is not shown."""
    columns = pd.MultiIndex.from_tuples(admissible.names, names=["pool", "factor"])
    index = pd.MultiIndex.from_tuples(list(points), names=["code", "end"])
    table = pd.DataFrame(
        [np.hstack([block[0] for block in point]) for point in points.values()], index=index, columns=columns
    )
    return table.drop(columns=("", ""), errors="ignore")
