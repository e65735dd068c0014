"""A province's count from what is known of all provinces: log-linear, choices weighted by their error without a province."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd

from zjtx_alloc.base.resources import shipped_table
from zjtx_alloc.facts.evidence.observations import month_of

_SHARP = (
    4  # 2 hardly tells a bad choice from a good one; with more the best alone counts, which changes with each province
)
_HALF = 0.5  # a firm, where there is none: zero has no logarithm
_SPREAD = 0.35  # of a large province's logarithm about the line, for the weights only
_STOCK_YEARS = {"hightech_certified": 3}  # a certificate is valid for three years


@dataclass(frozen=True)
class Model:
    """Logarithms of counts on logarithms of covariates, by least squares; the weighted mean of several choices."""

    #: A row a choice of covariates: covariates (each with its years), error (root mean square of the logarithms'
    #: errors, each province left out in turn; small counts weigh less), weight (its inverse fourth power; sums to 1).
    candidates: pd.DataFrame
    estimate: pd.Series  #: Index: provinces; the count expected (Series of float).
    error: float  #: The mean of the errors, by weight.
    quantile: float  #: Of Student's distribution, for the coverage asked for.

    @property
    def described(self) -> str:
        """The covariates of all choices by their Chinese names, with their years."""
        names = shipped_table("indicators.csv", "code")["name"]
        used = dict.fromkeys(label for text in self.candidates["covariates"] for label in text.split("、"))
        return "、".join(f"{names[code]}（{years}）" for code, _, years in (label.partition(":") for label in used))


def fitted(known: pd.Series, month: int, candidates: Sequence[Sequence[str]], coverage: float) -> Model:
    """The mean of the candidates fitted to the known counts, weighted by how well each does without a province.

    Parameters
    ----------
    known : Series of float
        Index: provinces; counts.
    month : int
        No covariate is of a later date.
    candidates : sequence of sequences of indicators
    coverage : float
        Of the ranges that ``quantile`` is for.
    """
    counts = known.clip(lower=_HALF)
    # A small count says little of its province's ratio: of ten firms a third may be chance.
    weights = 1 / (_SPREAD**2 + 1 / counts)
    rows, estimates = [], []
    for names in candidates:
        covariates = _covariates(tuple(names), month)
        estimate, error = _fit(np.log(counts), covariates, weights)
        rows.append({"covariates": "、".join(covariates.columns), "error": error, "weight": error**-_SHARP})
        estimates.append(estimate)
    table = pd.DataFrame(rows)
    table["weight"] /= table["weight"].sum()
    mean = pd.Series(np.exp(np.average(estimates, axis=0, weights=table["weight"])), estimates[0].index)
    freedom = max(len(known) - max(map(len, candidates)) - 1, 1)
    error = float((table["error"] * table["weight"]).sum())
    return Model(table, mean, error, _quantile(freedom, coverage))


def _quantile(freedom: int, coverage: float) -> float:
    """Of Student's distribution: the t that its absolute value stays below with this probability (bisected).

    For whole degrees of freedom the probability is a finite sum (Abramowitz & Stegun 26.7.3 and 26.7.4).
    """

    def within(angle: float) -> float:
        term, total = (1.0, 0.0) if freedom % 2 == 0 else (math.cos(angle), 0.0)
        for power in range(2 + freedom % 2, freedom + 1, 2):
            total, term = total + term, term * math.cos(angle) ** 2 * (power - 1) / power
        return math.sin(angle) * total if freedom % 2 == 0 else (angle + math.sin(angle) * total) * 2 / math.pi

    low, high = 0.0, math.pi / 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if within(middle) < coverage else (low, middle)
    return math.sqrt(freedom) * math.tan(low)


def _fit(logs: pd.Series, covariates: pd.DataFrame, weights: pd.Series) -> tuple[pd.Series, float]:
    """Expected logarithms of all provinces, and the root mean square of errors, each province predicted by the others."""
    table, root = np.log(covariates.clip(lower=_HALF)).assign(one=1.0), np.sqrt(weights)
    scaled, wanted = table.loc[logs.index].mul(root, axis=0).to_numpy(), (logs * root).to_numpy()
    inverse = np.linalg.pinv(scaled)
    # A residual over one minus its leverage is the error of the fit to the others.
    errors = (wanted - scaled @ (inverse @ wanted)) / (1 - np.diag(scaled @ inverse))
    return table @ (inverse @ wanted), float(np.sqrt((errors**2).sum() / weights.sum()))


@cache
def _covariates(names: tuple[str, ...], month: int) -> pd.DataFrame:
    """Covariates of the provinces as of the last complete year, a column each, named ``indicator:years``."""
    facts = shipped_table("facts.csv", "unit").reset_index()
    facts = facts[(facts["scope"] == "province") & facts["indicator"].isin(names)]
    values = facts.assign(value=facts["value"].astype(float)).pivot(
        index="unit", columns=["indicator", "period"], values="value"
    )
    columns = {}
    for name in names:
        years = sorted(year for year in values[name].columns if month_of(year) <= month)[-_STOCK_YEARS.get(name, 1) :]
        label = years[0] if len(years) == 1 else f"{years[0]}—{years[-1]}"
        columns[f"{name}:{label}"] = values[name][years].sum(axis=1)
    return pd.DataFrame(columns)
