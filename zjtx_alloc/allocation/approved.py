"""Approved firms (审核通过企业) at an assumed rate: a national number, spread over the units."""

import math
from collections.abc import Hashable, Iterable
from fractions import Fraction

import pandas as pd


def approved_firms(quota: pd.Series, rate: Fraction, order: Iterable[Hashable] | None = None) -> pd.Series:
    """Approved firms by unit at an approval rate.

    The national number is quota total × rate, rounded half up (四舍五入); it is spread by largest
    remainder of quota × rate, so no unit exceeds its quota.

    Parameters
    ----------
    quota : Series of int
        Places by unit.
    rate : Fraction
        Between 0 and 1.
    order : labels, optional
        Who goes first among equal remainders; the first of the index if not given.
    """
    exact = {code: int(places) * rate for code, places in quota.items()}
    approved = {code: math.floor(firms) for code, firms in exact.items()}
    left = math.floor(sum(exact.values()) + Fraction(1, 2)) - sum(approved.values())
    for code in sorted(quota.index if order is None else order, key=lambda c: approved[c] - exact[c])[:left]:
        approved[code] += 1
    return pd.Series(approved, name="approved", dtype="int64").rename_axis(quota.index.name)
