"""Sweeps (模拟): the quotas of many scenarios drawn from what is uncertain, and what drives them."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import cache, partial

import numpy as np
import pandas as pd
from tqdm import tqdm

from zjtx_alloc.allocation.allocate import Allocation, problem_at
from zjtx_alloc.allocation.allocate_programme import allocate_batch
from zjtx_alloc.base.errors import InfeasibleError, ScenarioError
from zjtx_alloc.base.messages import say
from zjtx_alloc.facts.panel import Panel
from zjtx_alloc.quota.many.solve_many import solved_together
from zjtx_alloc.quota.problem.problem import QuotaProblem
from zjtx_alloc.rules.scenario import Scenario
from zjtx_alloc.uncertainty.admissible import check_draws, with_uncertainty
from zjtx_alloc.uncertainty.distributions import summary_of, value_probabilities
from zjtx_alloc.uncertainty.draws import (
    BLOCKS,
    Draws,
    Sampling,
    as_scenario,
    drawn,
    entitlements_of,
    joined,
    one,
    sampling,
)
from zjtx_alloc.uncertainty.drivers import OVERALL, block_indices, sobol_base, weight_effects
from zjtx_alloc.uncertainty.workers import Engine, cluster_engine, local_engine

DRAWS, SEED = 10_000, 2024
FEW_DRAWS = 64  # where rules cross, and each scenario takes a tenth of a second or two
_LEAST = 4  # draws, for two independent pairs
_MOST = 10**6  # of 37 units each: about a gigabyte
_CELLS = 2**18  # of entitlements computed at a time: they stay in the processor's cache


@dataclass(frozen=True)
class Sweep:
    """The quotas of many draws beside the baseline's."""

    #: The scenario itself, the baseline; its scenario holds the uncertainty that was drawn from. All below is of the
    #: batch on its own, whatever its programme makes of it (``Allocation.quota``).
    allocation: Allocation
    seed: int
    quotas: np.ndarray  #: Array (draws, units) of int32: Places, units in the panel's order.
    #: What was drawn, a row a draw: columns (block, pool or table, factor or key), the numbers that vary of weights,
    #: coefficients and totals. Facts as drawn are in the panel that ``at`` gives.
    parameters: pd.DataFrame
    #: Index ``code``; short_name, region, quota (the baseline's), mean, sd, min, q05, q25, q50, q75, q95, max
    #: (places; quantiles are attained values), gain, lose (probabilities of more and fewer places than the baseline
    #: has at the draw's own total), rank, rank_min, rank_q05, rank_q95, rank_max (1 for the most places; equal places
    #: share the better rank).
    table: pd.DataFrame
    probability: pd.Series  #: Index (code, quota): the part of the draws in which the unit has this many places.
    #: Index ``code`` and ``overall``; columns (order, block): first-order and total Sobol indices of the blocks
    #: weights, coefficients, facts and totals, those that vary. NaN where a quota is constant. Estimates: noise may
    #: carry them a little below 0 or above 1.
    sobol: pd.DataFrame
    #: The same index; columns (pool, factor): Shapley effects of the weights, as parts of the variance that the
    #: weights alone give; a row sums to 1. Empty if no or more than ten weights vary.
    shapley: pd.DataFrame
    #: sobol_bars, shapley_bars: their error bars: the same index and columns under a level ``end``, low and high,
    #: between which 95 % of bootstrap resamples of the draws lie.
    sobol_bars: pd.DataFrame
    shapley_bars: pd.DataFrame  #: See ``sobol_bars``.
    base: int  #: Draws that the Sobol indices rest on, twice.

    @property
    def draws(self) -> int:
        """Number of draws."""
        return len(self.quotas)

    def at(self, draw: int) -> tuple[Panel, Scenario]:
        """The panel and the scenario of one draw, counted from 0: ``allocate(*sweep.at(7))`` gives its quotas.

        Raises
        ------
        ScenarioError
            If there is no such draw.
        """
        if not 0 <= draw < self.draws:
            raise ScenarioError(say("sweep.no_draw", draw=draw, last=self.draws - 1))
        taken = sampling(self.allocation.panel, self.allocation.scenario)
        return as_scenario(self.allocation.panel, taken, one(taken, self.seed, draw))


def sweep(
    panel: Panel,
    scenario: Scenario,
    uncertainty: Mapping[str, object] | None = None,
    draws: int | None = None,
    seed: int = SEED,
) -> Sweep:
    """Draw scenarios from what is uncertain and solve each.

    The same draws and the same answers for a seed, on however many processes; more draws begin with the same
    ones. Rules that cross are solved scenario by scenario in several processes, started afresh: a script
    that calls this guards itself by ``if __name__ == "__main__":``.

    Parameters
    ----------
    uncertainty : mapping, optional
        In the place of the scenario's ``[uncertainty]``, as that table is written.
    draws : int, optional
        10,000 if not given; 64 where rules cross, since those are solved one by one. At most a million.

    Raises
    ------
    ScenarioError
        If nothing is uncertain, the uncertainty is wrong, or there are fewer than four draws or more than a million.
    InfeasibleError
        If a scenario drawn has no answer; its rules that clash are named.
    DataError, SolverError
        As ``allocate`` does.
    """
    if uncertainty is not None:
        scenario = with_uncertainty(scenario, uncertainty)
    return sweep_of(allocate_batch(panel, scenario), draws, seed)


def sweep_of(allocation: Allocation, draws: int | None = None, seed: int = SEED) -> Sweep:
    """``sweep`` of a scenario that is allocated already."""
    if draws is None:
        draws = DRAWS if solved_together(allocation.problem) else FEW_DRAWS
    return _swept(allocation, draws, seed, local_engine(allocation.problem, draws))


def sweep_on_cluster(address: str, panel: Panel, scenario: Scenario, draws: int = DRAWS, seed: int = SEED) -> Sweep:
    """``sweep`` on an existing Dask cluster (``tcp://…``); the same answers to the byte.

    Its workers need this package. Worth it only where rules cross.

    Raises
    ------
    ScenarioError, InfeasibleError, DataError
        As ``sweep`` does.
    SolverError
        Also if ``distributed`` is not installed or the cluster does not answer.
    """
    return _swept(allocate_batch(panel, scenario), draws, seed, cluster_engine(address))


@dataclass(frozen=True)
class _Machine:
    """Draws to quotas."""

    allocation: Allocation
    sampling: Sampling
    engine: Engine
    problem: Callable[[int], QuotaProblem]  # at a total

    def quotas(self, draws: Draws) -> np.ndarray:
        """Quotas (draws, units), int32."""
        units = len(self.allocation.quota)
        step = max(_CELLS // units, 1)
        due = np.vstack(
            [entitlements_of(self.sampling, draws.part(slice(s, s + step))) for s in range(0, len(draws), step)]
        )
        totals = np.broadcast_to(draws.totals, len(due))
        found = np.empty(due.shape, dtype=np.int32)
        for total in np.unique(totals):
            rows = slice(None) if len(draws.totals) == 1 else totals == total
            found[rows] = self.engine(self.problem(int(total)), due[rows])
        if (found[:, 0] < 0).any():
            self._refuse(draws, int(np.argmax(found[:, 0] < 0)))
        return found

    def _refuse(self, draws: Draws, row: int) -> None:
        panel, scenario = as_scenario(self.allocation.panel, self.sampling, draws.part(slice(row, row + 1)))
        try:
            replace(self.allocation, panel=panel).under(scenario)
        except InfeasibleError as error:
            described = say("sweep.infeasible", total=scenario.total, reason=error)
            raise InfeasibleError(described, error.diagnosis) from None


def _swept(allocation: Allocation, draws: int, seed: int, engine: AbstractContextManager[Engine]) -> Sweep:
    check_draws(draws, seed, _LEAST, _MOST)
    taken = sampling(allocation.panel, allocation.scenario)
    if not any(next(drawn(taken, seed, 2)).uncertain(block) for block in BLOCKS):
        raise ScenarioError(say("sweep.nothing", scenario=allocation.scenario.name))
    codes = allocation.quota.index
    with engine as solver:
        machine = _Machine(allocation, taken, solver, cache(partial(problem_at, allocation)))
        quotas, parameters = _solved(machine, draws, seed)
        base = sobol_base(draws)
        first = joined(list(drawn(taken, seed, 2 * base)))
        pair = first.part(slice(0, base)), first.part(slice(base, 2 * base))
        sobol = block_indices(machine.quotas, pair, (quotas[:base], quotas[base : 2 * base]), seed)
        shapley = weight_effects(taken, machine.quotas, first, seed)
        alike = machine.quotas(replace(taken.baseline, totals=np.unique(quotas.sum(axis=1))))
    rows = pd.Index([*codes, OVERALL], name="code")
    for each in (*sobol, *shapley):
        each.index = rows if len(each.columns) else each.index
    table = allocation.panel.units[["short_name", "region"]].join(summary_of(quotas, allocation.solution.quota, alike))
    probability = value_probabilities(quotas, codes)
    drivers = {"sobol": sobol[0], "sobol_bars": sobol[1], "shapley": shapley[0], "shapley_bars": shapley[1]}
    return Sweep(allocation, seed, quotas, parameters, table, probability, **drivers, base=base)


def _solved(machine: _Machine, draws: int, seed: int) -> tuple[np.ndarray, pd.DataFrame]:
    """Every draw's quotas and parameters, block by block; a bar on stderr shows how far it is."""
    quotas = np.empty((draws, len(machine.allocation.quota)), dtype=np.int32)
    parameters, start = [], 0
    with tqdm(total=draws, desc=say("sweep.bar"), unit=say("sweep.unit"), disable=None) as bar:
        for block in drawn(machine.sampling, seed, draws):
            rows = min(machine.sampling.block_rows, draws - start)
            quotas[start : start + rows] = machine.quotas(block)
            columns = {name: np.broadcast_to(c, rows) for name, c in _columns(machine.sampling, block)}
            parameters.append(pd.DataFrame(columns))
            start += rows
            bar.update(rows)
    table = pd.concat(parameters, ignore_index=True)
    table.columns = pd.MultiIndex.from_tuples(list(table.columns), names=["block", "of", "name"])
    return quotas, table.loc[:, (table != table.iloc[0]).any()].rename_axis("draw")


def _columns(taken: Sampling, draws: Draws) -> Iterator[tuple[tuple[str, str, str], np.ndarray]]:
    """Each number but the facts, by what it is."""
    weights = [column for block in draws.weights for column in block.T]
    yield from zip([("weights", *name) for name in taken.admissible.names], weights, strict=True)
    coefficients = [("coefficients", *cell) for cell in taken.coefficients]
    yield from zip(coefficients, draws.coefficients.T, strict=True)
    yield ("totals", "", "total"), draws.totals
