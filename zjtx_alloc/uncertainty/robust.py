"""Quotas that can be defended whatever the weights are: least worst regret, and best on average.

The regret of quotas x at weights w is Σ (x − e(w))² less the least that any quotas under the same rules have
there: the greatest, over those quotas y, of Σ x² − Σ y² + 2 Σ (y − x)·e(w). This is convex in e; weights that
vary block by block carry every e into the convex hull of the entitlements at the vertices, so the worst
regret over all admissible weights is the worst over the vertices. Where pools share weights, e may leave
that hull: then vertices are all that is covered.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
import pandas as pd

from zjtx_alloc.allocation.allocate import Allocation
from zjtx_alloc.allocation.allocate_programme import allocate_batch
from zjtx_alloc.facts.panel import Panel
from zjtx_alloc.quota.crossing.model_regret import Target, least_worst
from zjtx_alloc.quota.problem.numbers import entitled
from zjtx_alloc.quota.problem.problem import QuotaProblem
from zjtx_alloc.quota.solve import solve
from zjtx_alloc.rules.scenario import Scenario
from zjtx_alloc.uncertainty.admissible import Weights, admissible_weights, check_draws

DRAWS, SEED = 100, 2024
_MOST_DRAWS = 10_000  # each is solved by itself


@dataclass(frozen=True)
class Robust:
    """Robust quotas beside the baseline's."""

    allocation: Allocation  #: The scenario itself, the baseline.
    #: Index ``code``; baseline (of the batch on its own, whatever its programme makes of it), robust (least worst
    #: regret), average (best on average); places, int64. Several quotas may have the least worst regret; this is one
    #: of them.
    quota: pd.DataFrame
    #: Index baseline, robust, average; worst_regret and mean_regret (squared places, float), worst_webster (regret in
    #: Σ (x − e)²/e, over the vertices only), moved (places that differ from the baseline). What the baseline's
    #: worst_regret exceeds that of robust by is the price of robustness left unpaid (稳健性代价).
    measures: pd.DataFrame
    #: Between what a model found and the solver's lower bound on it: the greater of that of the least worst regret
    #: and that of the least mean.
    gap: float
    #: vertices, draws, seed: what worst and mean are taken over; draws are uniform over the admissible weights.
    vertices: int
    draws: int  #: See ``vertices``.
    seed: int  #: See ``vertices``.
    covers_all: bool  #: Whether the worst regret holds for all admissible weights, not only for the vertices.


def robust(
    panel: Panel, scenario: Scenario, weights: Weights | None = None, draws: int = DRAWS, seed: int = SEED
) -> Robust:
    """The quotas of least worst regret over all admissible weights, and those best on average over draws.

    Parameters
    ----------
    weights : mapping of factor to (min, max), optional
        As of ``weight_range``.
    draws : int
        At most 10,000.

    Raises
    ------
    ScenarioError
        If the scenario has no uncertain weights and none are given, ranges admit no weights, or nothing or too much is drawn.
    DataError, InfeasibleError, SolverError
        As ``allocate`` does, and if an optimum is not proven.

    References
    ----------
    Savage 1951, JASA 46 (minimax regret); Kouvelis & Yu 1997, Robust Discrete Optimization.
    """
    return robust_of(allocate_batch(panel, scenario), weights, draws, seed)


def robust_of(allocation: Allocation, weights: Weights | None = None, draws: int = DRAWS, seed: int = SEED) -> Robust:
    """``robust`` of a scenario that is allocated already."""
    check_draws(draws, seed, 1, _MOST_DRAWS)
    admissible = admissible_weights(allocation.panel, allocation.scenario, weights)
    corners = np.vstack([admissible.entitlements(point)[0] for point in admissible.vertices])
    drawn = np.vstack([admissible.entitlements(point)[0] for point in admissible.draws(draws, seed)])
    # A unit that weights can give something is not held to its floor for having nothing at others.
    most = pd.Series(corners.max(axis=0), index=allocation.quota.index)
    problem, base = replace(allocation.problem, entitlement=most, redistribution="").plain, allocation.entitlement.base
    targets = [_with_credit(problem, row) for row in corners]
    best = least_worst(problem, targets)
    centre = least_worst(problem, [Target(_exact(drawn.mean(axis=0)))])
    quota = pd.DataFrame(
        {"baseline": allocation.solution.quota - base, "robust": best.places, "average": centre.places},
        index=allocation.quota.index,
    )
    measures = pd.DataFrame(
        {
            "worst_regret": _losses(quota, targets).max(),
            "mean_regret": _losses(quota, [_with_credit(problem, row) for row in drawn]).mean(),
            "worst_webster": _webster_regret(problem, quota, corners),
            "moved": quota.sub(quota["baseline"], axis=0).clip(lower=0).sum(),
        }
    )
    gap = float(max(best.worst - best.bound, centre.worst - centre.bound))
    return Robust(allocation, quota.add(base, axis=0), measures, gap, len(corners), draws, seed, admissible.independent)


def _exact(row: np.ndarray) -> tuple[Fraction, ...]:
    """Entitlements as a quota problem takes these floats."""
    return tuple(map(entitled, row.tolist()))


def _with_credit(problem: QuotaProblem, row: np.ndarray) -> Target:
    """Entitlements as a target whose loss is regret."""
    target = Target(_exact(row))
    return replace(target, credit=least_worst(problem, [target]).worst)


def _losses(quota: pd.DataFrame, targets: Sequence[Target]) -> pd.DataFrame:
    return pd.DataFrame(
        {name: [float(t.loss([int(x) for x in places])) for t in targets] for name, places in quota.items()}
    )


def _webster_regret(problem: QuotaProblem, quota: pd.DataFrame, corners: np.ndarray) -> pd.Series:
    """The worst regret in Σ (x − e)²/e, whatever the scenario's criterion, over the vertices."""
    regrets = []
    for row in corners:
        own = replace(problem, entitlement=pd.Series(row, index=quota.index), criterion="webster")
        least = own.cost([int(x) for x in solve(own).quota])
        regrets.append({name: float(own.cost([int(x) for x in places]) - least) for name, places in quota.items()})
    return pd.DataFrame(regrets).max()
