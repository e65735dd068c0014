"""The exact distribution of a budget year against drawing it: time, and draws for a P95 that is good to 0.1 %.

Run with ``python benchmarks/budget.py [DRAWS]``: 37 units, 3 batches of about 1,200 firms, assumption ``central``.
The standard error of a drawn quantile q is sqrt(p (1 - p) / draws) / density(q) (Serfling 1980); the density
is read off the exact distribution, and checked against the scatter of batches of draws.
"""

import math
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

import zjtx_alloc as za

P, ERROR = 0.95, 0.001


def outlook() -> za.BudgetOutlook:
    panel = za.load_panel()
    names = ("2024-baseline", "2025-baseline", "2026-baseline")
    cohorts = za.cohorts(*(za.allocate(panel, za.load_scenario(name)) for name in names))
    return za.forecast_budget(cohorts, za.load_award("caijian-2024-148"), "central")


def left(ahead: za.BudgetOutlook) -> Callable[[], za.BudgetOutlook]:
    """Makes the outlook with an eighth of the first batch's firms gone."""
    first, *others = ahead.cohorts
    gone = pd.DataFrame({first.closing_year - 1: first.approved // 8})
    cohorts = (replace(first, discontinued=gone), *others)
    return lambda: za.BudgetOutlook(cohorts, ahead.award, ahead.outcomes)


def density(found: za.BudgetDistribution, at: int) -> float:
    """Probability a 万元 around a value, over a quarter of a standard deviation."""
    reach = found.sd / 8
    return float(found.probability[np.abs(found.values - at) <= reach].sum() / (2 * reach))


def drawn(ahead: za.BudgetOutlook, year: int, draws: int, random: np.random.Generator) -> np.ndarray:
    """Net payments of a year in which one batch ends and none before it, by vectorised draws."""
    (cohort,) = (c for c in ahead.cohorts if c.closing_year == year)
    declared, states = ahead.outcomes, ahead.states
    rate = states.rates["completed"].to_numpy()[random.choice(len(states.weights), draws, p=states.weights)]
    size = 1 / float(declared.rho_unit) - 1
    under = float(declared.otherwise.under_invested)
    net = np.zeros(draws, dtype="int64")
    for firms in cohort.approved:
        completed = random.binomial(firms, random.beta(rate * size, (1 - rate) * size))
        rest = (1 - rate) * size
        failing = random.binomial(firms - completed, random.beta(rest * under, rest * (1 - under)))
        net += np.maximum(ahead.award.closing * completed - ahead.award.opening * failing, 0)
    return net


def best(work: Callable[[], Any]) -> tuple[float, Any]:
    """The least seconds of three runs, since whatever else the machine does only adds to them; and the result."""
    taken = []
    for _ in range(3):
        start = time.perf_counter()
        result = work()
        taken.append(time.perf_counter() - start)
    return min(taken), result


def main() -> None:
    draws = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    ahead = outlook()
    exact_seconds, table = best(lambda: za.forecast_budget(ahead.cohorts, ahead.award, ahead.outcomes).table())
    year = ahead.cohorts[0].closing_year
    found = ahead.distribution(year)
    p95 = found.quantile(P)
    needed = math.ceil(P * (1 - P) / (ERROR * p95 * density(found, p95)) ** 2)
    seconds, sample = best(lambda: drawn(ahead, year, draws, np.random.default_rng(148)))
    parts = np.quantile(sample.reshape(20, -1), P, axis=1)
    known = left(ahead)
    learned_seconds, _ = best(lambda: known().table())
    joint_seconds, _ = best(lambda: za.joint_ranges(known()))
    alone = ahead.cohorts[:1]
    one_year, _ = best(lambda: za.forecast_budget(alone, ahead.award, ahead.outcomes).distribution(year))
    print(f"exact, all {len(table)} distributions of the nation   {exact_seconds:8.3f} s   limit 1.0 s")
    print(f"exact, the same with departures known        {learned_seconds:8.3f} s   pairs of states")
    print(f"exact, three years together, those known     {joint_seconds:8.3f} s")
    print(f"exact, net of {year} alone                    {one_year:8.3f} s   P95 {p95:,} 万元")
    print(f"drawn, net of {year}, {draws:,} draws        {seconds:8.3f} s   P95 {np.quantile(sample, P):,.0f} 万元")
    print(f"standard error at {draws:,} draws: {parts.std(ddof=1) / math.sqrt(20) / p95:.3%} seen in 20 batches,")
    print(f"  {ERROR * math.sqrt(needed / draws):.3%} by the density")
    print(f"draws for a standard error of {ERROR:.1%}: {needed:,}, about {seconds * needed / draws:.2f} s")
    print(f"  {seconds * needed / draws / one_year:.0f} times the exact time, for one number of one year")


if __name__ == "__main__":
    main()
