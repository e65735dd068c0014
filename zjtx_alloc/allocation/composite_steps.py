"""The arithmetic of composite indicators: pure functions of columns, a row a unit.

After the OECD/JRC *Handbook on Constructing Composite Indicators* (2008), steps 4 to 6, and COINr's
``Treat``, ``Normalise`` and ``Aggregate``. Sums are taken with ``math.fsum``: the order of rows changes no bit.
"""

import math
from collections.abc import Callable, Mapping
from fractions import Fraction

import numpy as np
import pandas as pd

from zjtx_alloc.base.bands import POINT, band_points
from zjtx_alloc.base.errors import DataError
from zjtx_alloc.base.messages import say
from zjtx_alloc.base.ties import settled
from zjtx_alloc.base.units import load_units
from zjtx_alloc.rules.composite_form import Part, Recipe, Treatment

_ONE = 2.0**-52  # how far rounded shares of one whole may sum from one
_NO_FIRST = 1e-6  # singular values this close, relatively, name no first component
_LOADING = 1e-9  # what rounding may do to a loading: the gap between singular values magnifies it


def shares(values: pd.Series, what: str) -> pd.Series:
    """Each unit's share of the whole, of fractions in fractions. Values that are shares already stay as they are, to the bit.

    Raises
    ------
    DataError
        If a value is negative, or all are zero.
    """
    if (values < 0).any():
        raise DataError(say("factors.negative", what=what, names=_names(values.index[values < 0])))
    whole = sum(values) if values.dtype == object else math.fsum(values)
    if whole == 0:
        raise DataError(say("factors.zero", what=what))
    return values if abs(whole - 1) <= _ONE else values / whole


def imputed(values: pd.Series, rule: str, what: str) -> pd.Series:
    """Blank cells filled by the named rule, ``mean`` or ``median`` of the known ones.

    Raises
    ------
    DataError
        If cells are blank and the rule is ``refuse``, or all are.
    """
    known = values.dropna()
    if len(known) == len(values):
        return values
    if rule == "refuse" or known.empty:
        blank = values.index[values.isna()]
        raise DataError(say("composite.missing", what=what, names=_names(blank), count=len(blank)))
    return values.fillna(math.fsum(known) / len(known) if rule == "mean" else float(known.median()))


def treated(values: pd.Series, treatment: Treatment, what: str) -> pd.Series:
    """Values winsorised, then their logarithm where one is declared.

    Raises
    ------
    DataError
        If more values are to be winsorised than there are, or a logarithm of a number ≤ 0 is asked for.
    """
    low, high = treatment.winsorise_low, treatment.winsorise_high
    if low + high >= len(values):
        raise DataError(say("composite.winsorise", what=what, count=low + high, units=len(values)))
    ordered = sorted(values)
    values = values.clip(ordered[low], ordered[len(ordered) - 1 - high])
    if treatment.log_offset is None:
        return values
    shifted = values + treatment.log_offset
    if (shifted <= 0).any():
        raise DataError(say("composite.log", what=what, names=_names(values.index[shifted <= 0])))
    return shifted.map(math.log)


def normalised(values: pd.Series, part: Part, what: str) -> pd.Series:
    """Values on a common scale, more being better; a nested score without a normalisation as it is.

    Shares sum to 1; min-max runs from 0 to 1; z has mean 0 and standard deviation 1 (n - 1) unless rescaled; rank
    runs from 1, the worst, with equal units sharing their mean rank; percentile is (rank - 1)/(n - 1); target is
    (x - base)/(target - base) between 0 and 1; bands give 0 to 100 points.

    Raises
    ------
    DataError
        If a share cannot be formed, or values that must differ are all the same.
    """
    return values if part.normalisation is None else _NORMALISE[part.normalisation.kind](values, part, what)


def _min_max(values: pd.Series, part: Part, what: str) -> pd.Series:
    least, most = _varying(values, what)
    return (values - least if part.direction == 1 else most - values) / (most - least)


def _z(values: pd.Series, part: Part, what: str) -> pd.Series:
    _varying(values, what)
    mean = math.fsum(values) / len(values)
    score = part.direction * (values - mean) / math.sqrt(math.fsum((values - mean) ** 2) / (len(values) - 1))
    rule = part.normalisation
    return score if rule is None or rule.sd is None or rule.mean is None else rule.mean + rule.sd * score


def _rank(values: pd.Series, part: Part, what: str) -> pd.Series:
    _varying(values, what)
    return (part.direction * settled(values)).rank(method="average")


def _target(values: pd.Series, part: Part, what: str) -> pd.Series:
    rule = part.normalisation
    assert rule is not None
    assert rule.base is not None
    assert rule.target is not None
    return ((values - rule.base) / (rule.target - rule.base)).clip(0.0, 1.0)


def _bands(values: pd.Series, part: Part, what: str) -> pd.Series:
    assert part.normalisation is not None
    bands = part.normalisation.exact_bands()
    return band_points(settled(values, [float(bound) for bound, _ in bands]), bands, part.direction) / POINT


_NORMALISE: Mapping[str, Callable[[pd.Series, Part, str], pd.Series]] = {
    "share": lambda values, part, what: shares(values, what),
    "min-max": _min_max, "z": _z, "rank": _rank, "target": _target, "bands": _bands,
    "percentile": lambda values, part, what: (_rank(values, part, what) - 1) / (len(values) - 1),
}  # fmt: skip


def _varying(values: pd.Series, what: str) -> tuple[float, float]:
    least, most = float(values.min()), float(values.max())
    if least == most:
        raise DataError(say("composite.constant", what=what, value=f"{least:.10g}"))
    return least, most


def weights_of(recipe: Recipe, scores: pd.DataFrame, what: str) -> pd.Series:
    """Weights by part, sum to 1: as given, equal, or by the first principal component."""
    if recipe.weights == "principal":
        return _principal(scores, what)
    equal = 1 / len(recipe.parts)
    given = {code: equal if part.weight is None else part.weight for code, part in recipe.parts.items()}
    return pd.Series(given, name="weight")


def _principal(scores: pd.DataFrame, what: str) -> pd.Series:
    """Squared loadings of the first principal component of the correlations, scaled to unity sum.

    The sign of a component is free: the one whose loadings have a positive sum is taken. A part that runs against
    it, or a first component that is not unique, is refused. Weights that rounding alone tells apart are equal: a
    weighted median would jump between their parts. Scaling: OECD/JRC handbook (2008), table 17.
    """
    columns = {
        code: _z(scores[code], Part(direction=1), say("composite.part", what=what, name=code)) for code in scores
    }
    _, sizes, rows = np.linalg.svd(pd.DataFrame(columns).to_numpy(), full_matrices=False)
    if len(sizes) > 1 and sizes[0] - sizes[1] <= _NO_FIRST * sizes[0]:
        raise DataError(say("composite.no_component", what=what))
    loadings = pd.Series(rows[0] if math.fsum(rows[0]) > 0 else -rows[0], scores.columns)
    if (against := loadings <= _LOADING).any():
        raise DataError(say("composite.against", what=what, names="、".join(loadings.index[against])))
    return settled(loadings**2 / math.fsum(loadings**2), within=_LOADING).rename("weight")


def aggregated(scores: pd.DataFrame, weights: pd.Series, recipe: Recipe, what: str) -> pd.Series:
    """The composite's score by unit: a weighted mean of the parts, between their least and greatest.

    The weighted median is the value at which half the weight is reached, midway to the next where exactly half is.

    Raises
    ------
    DataError
        If a geometric or harmonic mean meets a value that is not positive.
    """
    shifted = _shifted(scores, recipe, what)
    rows = shifted[weights.index].to_numpy(dtype=float)
    means = [_MEAN[recipe.aggregation](row, weights.to_numpy()) for row in rows]
    return pd.Series(means, scores.index, name="score") - (recipe.offset or 0.0)


def contributions(scores: pd.DataFrame, weights: pd.Series, recipe: Recipe, what: str) -> pd.DataFrame:
    """What each part adds to the score; a row sums to it.

    All four means are homogeneous of degree one, so by Euler's theorem a score is Σ part × slope in that part. The
    arithmetic mean's are weight × value, the geometric mean's weight × score; a median rests on its middle parts.
    """
    shifted = _shifted(scores, recipe, what)[weights.index]
    held = weights.to_numpy()
    parts = [_SLOPES[recipe.aggregation](row, held) * row for row in shifted.to_numpy(dtype=float)]
    return pd.DataFrame(parts, scores.index, weights.index) - (recipe.offset or 0.0) * weights


def _shifted(scores: pd.DataFrame, recipe: Recipe, what: str) -> pd.DataFrame:
    shifted = scores + (recipe.offset or 0.0)
    if recipe.aggregation in ("geometric", "harmonic") and (low := (shifted <= 0).any(axis=1)).any():
        mean = say(f"aggregation.{recipe.aggregation}")
        raise DataError(say("composite.not_positive", what=what, mean=mean, names=_names(scores.index[low])))
    return shifted


def _geometric(row: np.ndarray, weights: np.ndarray) -> float:
    return math.exp(math.fsum(weights * np.log(row)))


def _harmonic(row: np.ndarray, weights: np.ndarray) -> float:
    return 1 / math.fsum(weights / row)


def _middle(row: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Half a vote for each of the two middle parts, a whole one where they are one part."""
    order = np.argsort(row, kind="stable")
    exact = [Fraction(repr(float(weights[i]))) for i in order]
    reached, twice, half = Fraction(0), np.zeros(len(row)), sum(exact) / 2
    for place, weight in zip(order, exact, strict=True):
        if reached <= half <= reached + weight:
            twice[place] += 1
        reached += weight
    return twice / twice.sum()


_MEAN: Mapping[str, Callable[[np.ndarray, np.ndarray], float]] = {
    "arithmetic": lambda row, weights: math.fsum(weights * row),
    "geometric": _geometric,
    "harmonic": _harmonic,
    "median": lambda row, weights: math.fsum(_middle(row, weights) * row),
}
_SLOPES: Mapping[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "arithmetic": lambda row, weights: weights,
    "geometric": lambda row, weights: weights * _geometric(row, weights) / row,
    "harmonic": lambda row, weights: weights * (_harmonic(row, weights) / row) ** 2,
    "median": _middle,
}


def _names(codes: pd.Index) -> str:
    names = load_units()["short_name"]
    return "、".join(str(names.get(code, code)) for code in codes)
