"""Numbers as users give them: which are whole, what a float means exactly, and entitlements in billionths of a place."""

import math
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from numbers import Integral, Rational, Real
from typing import Any

import numpy as np
import pandas as pd

BILLION = 10**9  # entitlements are rounded to billionths, the nearest whole number to the decimal that each prints as
EXACT = 2.0**53  # floats hold every whole number below it
LARGEST = 10**15  # far beyond any total, and floats hold every whole number up to it


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


def in_billionths(entitlements: np.ndarray) -> np.ndarray:
    """Round to billionths, half to even; whole floats, exact below ``EXACT``."""
    with np.errstate(over="ignore", invalid="ignore"):  # what is beyond all floats is also beyond EXACT
        product = entitlements * BILLION
        rounded = np.rint(product)
        # The decimal and the product are each within half a unit in the last place.
        close = np.abs(product - rounded) + product * 2.0**-51 >= 0.5
    for at in zip(*np.nonzero(close & (rounded < EXACT)), strict=True):
        rounded[at] = exact_billionths(entitlements[at])
    return rounded


def exact_billionths(entitlement: float) -> int:
    """Round one entitlement, of any size."""
    return int((Decimal(repr(float(entitlement))) * BILLION).to_integral_value(ROUND_HALF_EVEN))
