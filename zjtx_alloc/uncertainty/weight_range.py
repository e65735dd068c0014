"""How far the weights carry a unit: the least and greatest entitlement and quota over all admissible weights."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pandas as pd

from zjtx_alloc.allocation.allocate import Allocation
from zjtx_alloc.allocation.allocate_programme import allocate_batch
from zjtx_alloc.facts.panel import Panel
from zjtx_alloc.quota.problem.problem import QuotaProblem
from zjtx_alloc.quota.problem.redistribution import NATURAL
from zjtx_alloc.quota.solve import solve
from zjtx_alloc.rules.scenario import Scenario
from zjtx_alloc.uncertainty.admissible import Admissible, Cell, Weights, admissible_weights, point_table
from zjtx_alloc.uncertainty.search import End, entitlement_end, quota_end


@dataclass(frozen=True)
class WeightRange:
    """What each unit can get under any admissible weights."""

    allocation: Allocation  #: The scenario itself, the baseline.
    #: All of the batch on its own, whatever its programme makes of it (``Allocation.quota``). Index ``code``;
    #: short_name, region; entitlement, entitlement_min, entitlement_max, quota, quota_min, quota_max (places; ends
    #: are attained); the bounds entitlement_lower, entitlement_upper, quota_lower, quota_upper, which no admissible
    #: weights pass; entitlement_exact, quota_exact (bool): whether bounds and attained ends are the same. Where one
    #: is False the range is a bracket (区间估计): the true ends lie between the attained ends and the bounds.
    table: pd.DataFrame
    #: The weights that attain the ends: index (code, end), end being entitlement_min, entitlement_max, quota_min or
    #: quota_max; columns (pool, factor), the factor "" for a pool's share.
    weights: pd.DataFrame


def weight_range(panel: Panel, scenario: Scenario, weights: Weights | None = None) -> WeightRange:
    """The least and greatest entitlement and quota of each unit over all admissible weights.

    Entitlements are exact (at vertices) unless pools share weights. Quotas are searched place by place
    under Webster's method with bounds and nested rules; under another criterion, and where rules cross,
    the bounds are the unit's own floor and cap.

    Parameters
    ----------
    weights : mapping of factor to (min, max), optional
        In the place of the scenario's ``[uncertainty]``; each holds the scenario's own weight. A factor without a range keeps
        its weight, so a range of one factor alone leaves no choice and is refused.

    Raises
    ------
    ScenarioError
        If the scenario has no uncertain weights and none are given, or ranges do not fit it.
    DataError, InfeasibleError, SolverError
        As ``allocate`` does.
    """
    return ranges_of(allocate_batch(panel, scenario), weights)


def ranges_of(allocation: Allocation, weights: Weights | None = None) -> WeightRange:
    """``weight_range`` of a scenario that is allocated already."""
    admissible = admissible_weights(allocation.panel, allocation.scenario, weights)
    corners = (pd.Series(admissible.entitlements(v)[0], allocation.quota.index) for v in admissible.vertices)
    problem, base = replace(allocation.problem, redistribution="").plain, allocation.entitlement.base
    if allocation.problem.redistribution:
        quotas = [solve(replace(allocation.problem, entitlement=places)).quota - base for places in corners]
    else:
        quotas = [solve(replace(problem, entitlement=places)).quota for places in corners]
    found = pd.DataFrame(quotas).reset_index(drop=True)  # by number of the vertex
    rows: list[dict[str, float | bool]] = []
    points: dict[tuple[str, str], Cell] = {}
    for i, code in enumerate(allocation.quota.index):
        is_searched = searched(allocation.problem)
        ends = {
            name: replace(end, value=end.value + base[code], bound=end.bound + base[code])
            for name, end in _ends(problem, admissible, found[code], i, is_searched)
        }
        points |= {(code, name): end.point for name, end in ends.items()}
        rows.append({name: end.value for name, end in ends.items()} | _bounds(ends))
    table = allocation.panel.units[["short_name", "region"]].assign(
        entitlement=allocation.entitlement.places, quota=allocation.solution.quota
    )
    table = table.join(pd.DataFrame(rows, index=table.index))
    return WeightRange(allocation, table, point_table(admissible, points))


def searched(problem: QuotaProblem) -> bool:
    """Whether quotas are searched place by place: under nested rules, by Webster's method, whose price the search knows."""
    by_itself = problem.redistribution in ("", NATURAL["webster"])
    return problem.nested and problem.criterion == "webster" and by_itself


def _ends(
    problem: QuotaProblem, admissible: Admissible, found: pd.Series, i: int, is_searched: bool
) -> Iterator[tuple[str, End]]:
    """The four ends of unit i beyond its base; quotas from the best that the vertices give."""
    yield "entitlement_min", entitlement_end(admissible, i, -1)
    yield "entitlement_max", entitlement_end(admissible, i, 1)
    least, most = int(found.idxmin()), int(found.idxmax())
    low = End(int(found[least]), admissible.vertices[least], problem.lower[i])
    high = End(int(found[most]), admissible.vertices[most], int(problem.cap.iloc[i]))
    if is_searched:
        low, high = quota_end(admissible, problem, i, low, -1), quota_end(admissible, problem, i, high, 1)
    yield "quota_min", low
    yield "quota_max", high


def _bounds(ends: dict[str, End]) -> dict[str, float | bool]:
    row: dict[str, float | bool] = {}
    for name in ("entitlement", "quota"):
        low, high = ends[f"{name}_min"], ends[f"{name}_max"]
        row |= {f"{name}_lower": low.bound, f"{name}_upper": high.bound}
        row[f"{name}_exact"] = (low.value, high.value) == (low.bound, high.bound)
    return row
