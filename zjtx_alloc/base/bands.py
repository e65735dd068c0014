"""Bands (分档计分): the points a value is worth by the band it reaches, in integers."""

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pandas as pd

POINT = 10**4  # one point, in the integers of a table of points
_FULL = 100

Bands = Sequence[tuple[Fraction, Fraction]]


def well_ordered(bands: Bands, sign: int) -> bool:
    """Whether bounds run from best to worst, points never rise, and all lie between 0 and 100.

    ``sign`` is 1 where more is better, -1 where less is.
    """
    bounds, points = [bound for bound, _ in bands], [points for _, points in bands]
    falls = all(sign * a > sign * b for a, b in pairwise(bounds))
    return falls and points == sorted(points, reverse=True) and all(0 <= p <= _FULL for p in points)


def band_points(values: pd.Series, bands: Bands, sign: int) -> pd.Series:
    """Points by value, int64, in ten-thousandths: of the best band reached; 0 where none is."""
    bounds = sign * np.array([float(bound) for bound, _ in bands])
    points = np.array([int(given * POINT) for _, given in bands] + [0], dtype="int64")
    reached = (sign * values.to_numpy(dtype=float)[:, None] >= bounds[None, :]).sum(axis=1)
    return pd.Series(points[len(bounds) - reached], values.index)
