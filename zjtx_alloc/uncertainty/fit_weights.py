"""A look back (回看): which weights reproduce an observed table, how sharply it decides, and how well they predict.

What may be fitted to what is written in ``data/indicators.csv``: ``fitted_by`` names the factors for an observed
indicator, ``derived_from`` what an indicator is made of. An indicator never explains itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from zjtx_alloc.base.errors import DataError
from zjtx_alloc.base.messages import say
from zjtx_alloc.facts.panel import Panel
from zjtx_alloc.rules.scenario import Factor, Scenario, Uncertainty

SLACK = 0.1
_NAIVE = "little_giants"
_ROUNDS = 60  # of bisection


@dataclass(frozen=True)
class WeightFit:
    """Weights on the simplex under which factor shares come closest to observed shares."""

    panel: Panel
    observed: str  #: Indicator and period, ``code:period``.
    factors: tuple[str, ...]  #: Indicators and periods, in the order of the weights.
    #: Index ``code``; a column a factor, by its code: the unit's share of the factor. Sums to 1.
    shares: pd.DataFrame
    #: Index ``code``; short_name, region, observed (firms), fitted (firms, float), left_out (firms as predicted by
    #: weights fitted without the unit's region), estimated (bool: a factor cell is 估算).
    table: pd.DataFrame
    #: Index factor; weight (least squares), least and most (over all weights that fit almost as well: sum of squares
    #: at most 1 + slack times the least).
    weights: pd.DataFrame
    #: Index region; a column a factor: weights fitted without that region; observed, predicted (firms).
    regions: pd.DataFrame
    #: Index fitted, little_giants, equal (naive: in proportion to 小巨人企业数; the same for every unit); misplaced
    #: (½ Σ ``|observed − predicted|``, firms) and misplaced_left_out, the same with every region predicted by weights
    #: fitted without it.
    errors: pd.DataFrame
    slack: float

    def misfit(self, weights: np.ndarray) -> np.ndarray:
        """Sum of squared differences of shares, of weights (…, factors); in multiples of the least."""
        target = (self.table["observed"] / self.table["observed"].sum()).to_numpy()
        squares = ((weights @ self.shares.to_numpy().T - target) ** 2).sum(axis=-1)
        best = self.weights["weight"].to_numpy() @ self.shares.to_numpy().T - target
        return squares / (best**2).sum()


def fit_weights(panel: Panel, observed: str, factors: Sequence[str] | None = None, slack: float = SLACK) -> WeightFit:
    """Fit weights to an observed table by least squares on shares, weights ≥ 0 that sum to 1.

    Parameters
    ----------
    observed : str
        Indicator and period, e.g. ``first_round_continued_r1_sum:2024-04``.
    factors : sequence of str, optional
        Factors and periods; all that ``data/indicators.csv`` admits if not given.
    slack : float
        How much worse the sum of squares of weights that fit almost as well may be; 0.1 is a tenth.

    Raises
    ------
    DataError
        If a factor is the observed indicator, derived from it or part of it, or not admitted for it; if there is
        none, or one at two periods; if the slack is negative; if data are missing or sum to nothing.
    """
    admitted = _admitted(panel, observed)
    factors = tuple(admitted if factors is None else factors)
    for factor in factors:
        _admit(panel, observed, factor, admitted)
    if not slack >= 0:
        raise DataError(say("backtest.no_slack", slack=slack))
    if len(set(map(_code, factors))) != (len(factors) or 1):
        raise DataError(say("backtest.factors", factors="、".join(factors) or "—"))
    shares = pd.DataFrame({_code(f): _shares(panel, f) for f in factors})
    seen = panel.values(*_parts(panel, observed))
    target, whole = _shares(panel, observed).to_numpy(), float(seen.sum())
    best, _ = _least_squares(shares.to_numpy(), target, 1.0)
    regions, left_out = _left_out(panel, shares, seen)
    table = panel.units[["short_name", "region"]].assign(
        observed=seen.astype("int64"),
        fitted=whole * (shares @ best),
        left_out=left_out,
        estimated=pd.DataFrame({f: panel.column(*_parts(panel, f))["estimated"] for f in factors}).any(axis=1),
    )
    ends = [_identified(shares.to_numpy(), target, k, slack) for k in range(len(factors))]
    weights = pd.DataFrame(ends, index=pd.Index(shares.columns, name="factor"), columns=["least", "most"])
    weights.insert(0, "weight", best)
    return WeightFit(panel, observed, factors, shares, table, weights, regions, _errors(panel, table, factors), slack)


def _code(reference: str) -> str:
    return reference.partition(":")[0]


def _parts(panel: Panel, reference: str) -> tuple[str, str]:
    code, _, period = reference.partition(":")
    if code not in panel.indicators.index or not period:
        raise DataError(say("backtest.reference", reference=reference))
    return code, period


def _admitted(panel: Panel, observed: str) -> list[str]:
    """What may be fitted to the observed indicator, as the table of indicators says."""
    code, _ = _parts(panel, observed)
    admitted = str(panel.indicators.at[code, "fitted_by"])
    if not admitted:
        known = "、".join(panel.indicators.index[panel.indicators["fitted_by"] != ""])
        raise DataError(say("backtest.no_table", name=panel.name(code), indicator=code, known=known))
    return admitted.split("|")


def _admit(panel: Panel, observed: str, factor: str, admitted: list[str]) -> None:
    seen, code = _parts(panel, observed)[0], _parts(panel, factor)[0]
    names = {"factor": panel.name(code), "observed": panel.name(seen)}
    if code == seen or seen in _made_of(panel, code) or code in _made_of(panel, seen):
        raise DataError(say("backtest.itself", **names))
    if code not in map(_code, admitted):
        known = "、".join(panel.name(_code(reference)) for reference in admitted)
        raise DataError(say("backtest.not_admitted", **names, known=known))


def _made_of(panel: Panel, code: str) -> set[str]:
    """Everything that an indicator is derived from, directly or not."""
    parts = set(filter(None, str(panel.indicators.at[code, "derived_from"]).split("|")))
    return parts.union(*(_made_of(panel, part) for part in parts))


def _shares(panel: Panel, reference: str) -> pd.Series:
    code, period = _parts(panel, reference)
    values = panel.values(code, period)
    if not values.sum() > 0:
        raise DataError(say("factors.zero", what=f"{panel.name(code)} {period}"))
    return values / values.sum()


def _least_squares(shares: np.ndarray, target: np.ndarray, total: float) -> tuple[np.ndarray, float]:
    """Weights ≥ 0 that sum to the total and have the least Σ (shares·w − target)², and that sum.

    Tries every set of factors with a weight: few factors, and no question of convergence.
    """
    count, best = shares.shape[1], (np.zeros(shares.shape[1]), np.inf)
    for size in range(1, count + 1):
        for used in map(list, combinations(range(count), size)):
            part = shares[:, used]
            system = np.block([[part.T @ part, np.ones((size, 1))], [np.ones((1, size)), np.zeros((1, 1))]])
            solved = np.linalg.lstsq(system, np.append(part.T @ target, total), rcond=None)[0][:size]
            if (solved < 0).any():
                continue
            weights = np.zeros(count)
            weights[used] = solved
            squares = float(((shares @ weights - target) ** 2).sum())
            if squares < best[1]:
                best = weights, squares
    return best


def _identified(shares: np.ndarray, target: np.ndarray, k: int, slack: float) -> tuple[float, float]:
    """The least and most weight of factor k among weights that fit almost as well.

    With the weight of k held, the least sum of squares is convex in it: bisection on either side.
    """
    best, squares = _least_squares(shares, target, 1.0)
    others = np.delete(shares, k, axis=1)
    if not others.size:
        return 1.0, 1.0

    def fits(weight: float) -> bool:
        return _least_squares(others, target - weight * shares[:, k], 1 - weight)[1] <= (1 + slack) * squares

    ends = []
    for end in (0.0, 1.0):
        good, bad = float(best[k]), end
        if fits(end):
            good = end
        for _ in range(_ROUNDS if good != end else 0):
            middle = (good + bad) / 2
            good, bad = (middle, bad) if fits(middle) else (good, middle)
        ends.append(good)
    return ends[0], ends[1]


def _left_out(panel: Panel, shares: pd.DataFrame, seen: pd.Series) -> tuple[pd.DataFrame, pd.Series]:
    """Every region predicted by the weights that the other regions fit."""
    regions, predicted, rows = panel.units["region"], pd.Series(0.0, index=seen.index), {}
    for region in dict.fromkeys(regions):
        inside = (regions == region).to_numpy()
        target = (seen / seen.sum()).to_numpy()
        weights, _ = _least_squares(shares.to_numpy()[~inside], target[~inside], 1.0)
        predicted[inside] = float(seen.sum()) * (shares.to_numpy()[inside] @ weights)
        sums = {"observed": int(seen[inside].sum()), "predicted": float(predicted[inside].sum())}
        rows[region] = dict(zip(shares.columns, weights, strict=True)) | sums
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("region"), predicted


def _errors(panel: Panel, table: pd.DataFrame, factors: Sequence[str]) -> pd.DataFrame:
    """Firms misplaced by the fit and by naive rules, which have nothing to fit and so nothing to leave out.

    The naive rule by 小巨人企业数 is that of the fit's own period, the newest where the fit has none.
    """
    seen = table["observed"]
    newest = f"{_NAIVE}:{max(panel.periods(_NAIVE))}"
    naive = {
        _NAIVE: seen.sum() * _shares(panel, next((f for f in factors if _code(f) == _NAIVE), newest)),
        "equal": pd.Series(seen.sum() / len(seen), index=seen.index),
    }
    rows = {"fitted": (_misplaced(seen, table["fitted"]), _misplaced(seen, table["left_out"]))}
    rows |= {name: (_misplaced(seen, rule),) * 2 for name, rule in naive.items()}
    return pd.DataFrame.from_dict(rows, orient="index", columns=["misplaced", "misplaced_left_out"])


def _misplaced(seen: pd.Series, predicted: pd.Series) -> float:
    return float((seen - predicted).abs().sum() / 2)


def fitted_scenario(scenario: Scenario, fit: WeightFit) -> Scenario:
    """The scenario with the fitted factors and weights in the place of its own, and without coefficients."""
    factors = {
        code: Factor(period=reference.partition(":")[2], weight=min(float(weight), 1.0))
        for (code, weight), reference in zip(fit.weights["weight"].items(), fit.factors, strict=True)
    }
    changes = {
        "name": say("backtest.fitted", name=scenario.name),
        "factors": factors,
        "pools": {},
        "composites": {},
        "uncertainty": Uncertainty(),
    }
    return scenario.model_copy(update=changes | {"region_coefficient": {}, "grade_coefficient": {}, "grade": {}})
