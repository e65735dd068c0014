"""How fair an allocation is: deviations, the indices of the literature, inequality; and paradoxes of a problem."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from zjtx_alloc.allocation.allocate import Allocation
from zjtx_alloc.base.errors import DataError, InfeasibleError
from zjtx_alloc.base.messages import say
from zjtx_alloc.base.text import shown
from zjtx_alloc.base.ties import settled
from zjtx_alloc.quota.problem.numbers import is_count
from zjtx_alloc.quota.problem.problem import QuotaProblem
from zjtx_alloc.quota.solve import solve
from zjtx_alloc.quota.whatif import grown

_COUNTED = "sme_count"  # the firms that places are compared with, or what stands in for them

_FARTHEST = 1000  # places around the total, each a problem to solve


@dataclass(frozen=True)
class Fairness:
    """How close an allocation is to its entitlements, and how evenly places fall on firms."""

    #: Index ``code``; short_name, region, entitlement, quota, deviation (quota − entitlement, places), relative
    #: (deviation / entitlement; NaN where e = 0), quota_rule (−1 below the entitlement rounded down, +1 above it
    #: rounded up, else 0), firms, per_1000 (places per 1,000 firms; NaN where there are none).
    units: pd.DataFrame
    regions: pd.DataFrame  #: Index ``region``; entitlement, quota, firms, per_1000.
    #: √(½ Σ (s − v)²) over shares of quota s and of entitlement v, in percentage points (Gallagher 1991).
    gallagher: float
    loosemore_hanby: float  #: ½ Σ ``|s − v|``, in percentage points (Loosemore & Hanby 1971).
    sainte_lague: float  #: 100 · Σ (s − v)²/v (Sainte-Laguë 1910); infinite if a unit with e = 0 has places.
    gini: "Inequality"  #: gini, theil: of places per firm over firms, between and within regions.
    theil: "Inequality"  #: See ``gini``.
    sizes: pd.DataFrame  #: The largest, middle and smallest third of the units, as ``by_size``.
    indicator: str  #: Code of the indicator that counts the firms.
    counted: str  #: Its Chinese name with the period of the data.

    @property
    def seat_bias(self) -> float:
        """How many percent more places for its entitlement the smallest third gets than the largest; below 0, fewer."""
        rate = self.sizes["per_entitlement"]
        return 100 * float(rate["small"] / rate["large"] - 1)

    @property
    def violations(self) -> pd.DataFrame:
        """The units outside their entitlement rounded down and up: the quota rule."""
        return self.units[self.units["quota_rule"] != 0]


@dataclass(frozen=True)
class Inequality:
    """An index and its parts, which add up to it."""

    whole: float
    between: float  #: Of group means, each firm given its region's mean.
    #: Gini: Σ (share of firms · share of places) · Gini of the group. Theil: Σ share of places · Theil.
    within: float
    overlap: float  #: Gini only: what is left, since groups overlap; 0 for Theil, which decomposes exactly.


def fairness(allocation: Allocation) -> Fairness:
    """Measure an allocation against its entitlements and its firms.

    Firms are counted by the scenario's factor that is, or stands in for, sme_count; failing that, by its
    heaviest factor. It is named in ``counted``.
    """
    units, quota, due = allocation.panel.units, allocation.quota, allocation.entitlement.places
    indicator, period = _firms(allocation)
    firms = allocation.panel.column(indicator, period)["value"].astype(float)
    down, up = np.floor(due), np.ceil(due)
    table = units[["short_name", "region"]].assign(
        entitlement=due,
        quota=quota,
        deviation=quota - due,
        relative=(quota - due) / due.where(due > 0),
        quota_rule=(quota > up).astype("int64") - (quota < down).astype("int64"),
        firms=firms,
        per_1000=1000 * quota / firms.where(firms > 0),
    )
    regions = table.groupby("region", sort=False)[["entitlement", "quota", "firms"]].sum()
    taken, owed = (column.to_numpy(dtype=float) / column.sum() for column in (quota, due))
    gap = taken - owed
    counted = firms > 0
    rates, weights, groups = ((quota / firms.where(counted))[counted], firms[counted], units["region"][counted])
    return Fairness(
        units=table,
        regions=regions.assign(per_1000=1000 * regions["quota"] / regions["firms"].where(regions["firms"] > 0)),
        gallagher=100 * math.sqrt(math.fsum(gap**2) / 2),
        loosemore_hanby=100 * math.fsum(abs(gap)) / 2,
        sainte_lague=100 * math.fsum(_squared(g, v) for g, v in zip(gap, owed, strict=True)),
        gini=gini_by_group(rates, weights, groups),
        theil=theil_by_group(rates, weights, groups),
        sizes=by_size(due, quota),
        indicator=indicator,
        counted=say("fairness.counted", name=allocation.panel.name(indicator),
                    period=allocation.panel.supplied.get(indicator, period)),
    )  # fmt: skip


def by_size(entitlement: pd.Series, quota: pd.Series) -> pd.DataFrame:
    """Units in three parts by entitlement: those of less than half a place are left out.

    Returns
    -------
    DataFrame
        Index ``size`` (large, middle, small; large and small of equal numbers); units, entitlement, quota,
        per_entitlement (quota / entitlement).

    References
    ----------
    Balinski, M. L. & Young, H. P. (1982). *Fair Representation*, chapter 9. Yale University Press.
    """
    order = settled(entitlement[entitlement >= 0.5]).sort_values(ascending=False, kind="stable").index
    due = entitlement[order]
    third = len(due) // 3
    parts = {"large": due[:third], "middle": due[third : len(due) - third], "small": due[len(due) - third :]}
    rows = {
        size: {"units": len(part), "entitlement": math.fsum(part), "quota": int(quota[part.index].sum())}
        for size, part in parts.items()
    }
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("size")
    return table.assign(per_entitlement=table["quota"] / table["entitlement"].where(table["entitlement"] > 0))


def _firms(allocation: Allocation) -> tuple[str, str]:
    """Indicator and period that count the firms."""
    factors = [(c, f) for pool in allocation.scenario.all_pools().values() for c, f in pool.factors.items()]
    counting = [(c, f) for c, f in factors if _COUNTED in (c, f.stand_in_for)]
    code, factor = max(counting or factors, key=lambda pair: pair[1].weight)
    return code, factor.period


def _squared(gap: float, owed: float) -> float:
    if owed > 0:
        return gap**2 / owed
    return math.inf if gap else 0.0


def gini(values: pd.Series, weights: pd.Series) -> float:
    """Half the mean absolute difference over the mean; a weight of 2 counts as two. 0 if all values are 0."""
    x, w = values.to_numpy(dtype=float), weights.to_numpy(dtype=float)
    whole = math.fsum(x * w) * math.fsum(w)
    order = np.argsort(x, kind="stable")
    x, w = x[order], w[order]
    before = np.concatenate([[0.0], np.cumsum(w)[:-1]])
    # Each pair once: w_i·w_j·(x_j − x_i) summed for x_i ≤ x_j.
    differences = math.fsum(x * w * (before - (w.sum() - before - w)))
    return differences / whole if whole else 0.0


def theil(values: pd.Series, weights: pd.Series) -> float:
    """Theil's T: the mean of (x/μ)·ln(x/μ), where 0·ln 0 is 0; a weight of 2 counts as two. 0 if all are 0."""
    x, w = values.to_numpy(dtype=float), weights.to_numpy(dtype=float)
    mean = math.fsum(x * w) / math.fsum(w) if len(w) else 0.0
    ratios = [(ratio, weight) for ratio, weight in zip(x / mean if mean else x, w, strict=True) if ratio > 0]
    return math.fsum(weight * ratio * math.log(ratio) for ratio, weight in ratios) / math.fsum(w) if ratios else 0.0


def gini_by_group(values: pd.Series, weights: pd.Series, groups: pd.Series) -> Inequality:
    """Gini between groups, within them, and the rest, where groups overlap (Bhattacharya & Mahalanobis 1967)."""
    whole = gini(values, weights)
    means, sizes, sums = _grouped(values, weights, groups)
    between = gini(means, sizes)
    part = sizes / sizes.sum() * sums / sums.sum() if sums.sum() else sums * 0
    within = math.fsum(part[g] * gini(values[groups == g], weights[groups == g]) for g in means.index)
    return Inequality(whole, between, within, whole - between - within)


def theil_by_group(values: pd.Series, weights: pd.Series, groups: pd.Series) -> Inequality:
    """Theil's T between and within groups, which add up to it exactly (Theil 1967)."""
    means, sizes, sums = _grouped(values, weights, groups)
    part = sums / sums.sum() if sums.sum() else sums * 0
    within = math.fsum(part[g] * theil(values[groups == g], weights[groups == g]) for g in means.index)
    return Inequality(theil(values, weights), theil(means, sizes), within, 0.0)


def _grouped(values: pd.Series, weights: pd.Series, groups: pd.Series) -> tuple[pd.Series, pd.Series, pd.Series]:
    """Mean, weight and sum of each group."""
    sums, sizes = (values * weights).groupby(groups).sum(), weights.groupby(groups).sum()
    return sums / sizes, sizes, sums


@dataclass(frozen=True)
class Paradoxes:
    """Where one place more in all takes a place from a unit (Alabama paradox), around a problem's total."""

    found: pd.DataFrame  #: A row a unit and step: label, total, places, next_total, next_places (fewer than places).
    checked: tuple[int, ...]  #: The totals solved.
    infeasible: tuple[int, ...]  #: The totals around that the rules do not admit.
    text: str  #: In Chinese; says so if there is none.

    def __str__(self) -> str:
        return self.text


def paradoxes(problem: QuotaProblem, reach: int = 20) -> Paradoxes:
    """Check house monotonicity: whether some unit loses a place as the total grows by one.

    Entitlements grow in proportion to the total; bounds and rules stay as they are.

    Parameters
    ----------
    problem : QuotaProblem
    reach : int, from 1 to 1,000
        How far around the total to look, in places.

    Raises
    ------
    DataError
        If the reach is no whole number from 1 to 1,000.
    ScenarioError, SolverError
        As ``solve`` does; a total that the rules do not admit is named in ``infeasible``.
    """
    quotas: dict[int, pd.Series] = {}
    if not is_count(reach, 1, _FARTHEST):
        raise DataError(say("paradox.reach", reach=shown(reach), most=_FARTHEST))
    totals = range(max(problem.total - reach, 0), problem.total + reach + 1)
    for total in totals:
        try:
            quotas[total] = solve(grown(problem, total - problem.total)).quota
        except InfeasibleError:
            continue
    rows = [
        (label, total, int(places), total + 1, int(quotas[total + 1][label]))
        for total, quota in quotas.items()
        if total + 1 in quotas
        for label, places in quota.items()
        if quotas[total + 1][label] < places
    ]
    found = pd.DataFrame(rows, columns=["label", "total", "places", "next_total", "next_places"])
    described = "；".join(
        say("paradox.one", name=problem.name(label), total=total, places=places, next_total=more, next_places=fewer)
        for label, total, places, more, fewer in rows
    )
    span = {"first": totals[0], "last": totals[-1]}
    text = say("paradox.found", **span, described=described) if rows else say("paradox.none", **span)
    return Paradoxes(found, tuple(quotas), tuple(t for t in totals if t not in quotas), text)
