"""Numbers as users give them: which are whole, what a float means exactly; and ranks where floats lead and fractions decide."""

import math
from collections.abc import Callable, Sequence
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from numbers import Integral, Rational, Real
from typing import Any

import numpy as np
import pandas as pd

BILLION = 10**9
LEAST = 1e-12  # of a place: an entitlement below it is what floats leave of none
LARGEST = 10**15  # far beyond any total, and floats hold every whole number up to it
_SMALL = 10**12  # numerator times denominator of a fraction that a float is taken for
_UNSURE = 2.0**-49  # in proportion: nearer than this floats of entitlements do not say which is larger
_ROUNDINGS = Fraction(1, 2**51)  # what a few roundings can change, in proportion


def is_whole(number: Any) -> bool:
    """Whether something is a whole number, of whatever type."""
    if isinstance(number, bool) or not isinstance(number, Real):
        return False
    return number.denominator == 1 if isinstance(number, Rational) else float(number).is_integer()


def is_count(number: Any, least: int = 0, most: float = math.inf) -> bool:
    """Whether something is an integer, of Python or of NumPy, within bounds; a truth value is none."""
    return isinstance(number, Integral) and not isinstance(number, bool) and least <= int(number) <= most


def is_finite(number: Any) -> bool:
    """Whether something is a real number that is finite, of whatever type."""
    if isinstance(number, Decimal):
        return number.is_finite()
    return isinstance(number, Rational) or (isinstance(number, Real) and math.isfinite(number))


def as_floats(numbers: Any) -> np.ndarray:
    """Numbers of whatever types as an array of floats: nan where one is missing or no real number, infinity where it is beyond all floats.

    Raises
    ------
    ValueError
        If they are ragged.
    """
    values = np.asarray(numbers)
    if values.dtype.kind in "iuf":
        return values.astype(float, copy=False)
    floats = [_float(value) for value in values.astype(object).ravel()]
    return np.array(floats, dtype=float).reshape(values.shape)


def _float(value: Any) -> float:
    if isinstance(value, str):
        return float(pd.to_numeric(value, errors="coerce"))
    try:
        return math.nan if isinstance(value, complex | np.complexfloating) else float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
    except (TypeError, ValueError):  # no number; a Decimal that signals
        return math.nan


def are_whole(numbers: pd.Series | np.ndarray) -> np.ndarray:
    """Which of them are whole numbers from 0 to ``LARGEST``; what is missing or no number at all is none."""
    values = np.asarray(numbers)
    if values.dtype.kind not in "iuf":
        values = as_floats(values)
    return (values >= 0) & (values <= LARGEST) & (values == np.floor(values))


def as_whole(numbers: pd.Series) -> pd.Series:
    """Numbers that ``are_whole`` as int64, whatever they were kept as."""
    return pd.Series(as_floats(numbers).astype("int64"), numbers.index, name=numbers.name)


def exactly(number: Any) -> Fraction:
    """A number as a fraction; a float means the decimal that it prints as."""
    return Fraction(str(number)) if isinstance(number, float | np.floating) else Fraction(number)


@lru_cache(2**16)  # ties ask for the same few again and again
def entitled(number: Any) -> Fraction:
    """An entitlement as a fraction: what an exact number is, and what a float stands for.

    A float that a few roundings lead to from a fraction of small numbers, as total × weight / sum of weights is, stands
    for that fraction (numerator times denominator at most 10^12, within 2^-51 of it; two such fractions are never that
    close), any other float for the decimal that it prints as.
    """
    if not isinstance(number, float) or not number:
        return Fraction(int(number) if isinstance(number, Integral) else number)  # one of NumPy would overflow
    itself = Fraction(number)
    near = itself.limit_denominator(max(math.isqrt(int(_SMALL / number)), 1))
    return near if abs(near - itself) <= itself * _ROUNDINGS else exactly(number)


def entitlements_of(given: pd.Series) -> pd.Series:
    """Entitlements as a problem keeps them: fractions if any is exact beyond floats, else floats; NaN for what is no number.

    One below ``LEAST`` counts as none.
    """
    if given.dtype == object and any(isinstance(number, Fraction | Decimal) for number in given):
        known = map(is_finite, given)
        numbers = [entitled(n) if is_known else math.nan for n, is_known in zip(given, known, strict=True)]
        kept = pd.Series(numbers, given.index, dtype=object)
    else:
        kept = pd.Series(as_floats(given), given.index, name=given.name, copy=True)
    due = as_floats(kept)
    crumbs = (due > 0) & (due < LEAST)
    return kept.mask(crumbs, 0) if crumbs.any() else kept


def ranked(rough: np.ndarray, doubt: Callable[[np.ndarray], np.ndarray], exact: Callable[[int], Any]) -> np.ndarray:
    """Ranks of numbers, the least first and equal ones alike: by floats where these are clear, else by exact values.

    Parameters
    ----------
    rough : array of float
        The numbers, nearly.
    doubt : callable (order)
        By how much each number but the first of this order must exceed the one before, for floats to be sure.
    exact : callable (position)
        The number at a position, exactly.
    """
    order = np.argsort(rough, kind="stable")
    if not len(order):
        return order
    run = np.concatenate(([0], np.cumsum(np.diff(rough[order]) > doubt(order))))
    crowded = order[(np.bincount(run) > 1)[run]]
    values = [exact(at) for at in crowded.tolist()]
    step = {value: at for at, value in enumerate(sorted(set(values)))}
    rank = np.empty_like(run)
    rank[order] = run * (len(step) + 1)
    rank[crowded] += np.array([step[value] for value in values], dtype=int)
    return rank


def ranked_entitlements(due: np.ndarray, given: Sequence[Any]) -> np.ndarray:
    """Ranks of entitlements, the least first, from their floats and what they are exactly (``entitled``)."""
    return ranked(due, lambda order: due[order][1:] * _UNSURE, lambda at: entitled(given[at]))
