"""When two computed numbers count as equal: the one rule for every method that jumps at a tie."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

SAME = 1e-12  # relative to the greatest: what rounding in double precision leaves of sums and products


def settled(values: pd.Series, anchors: Iterable[float] = (), within: float = SAME) -> pd.Series:
    """Values in which those that differ by rounding alone are equal, to the bit.

    Ranks, bands, the weighted median and thirds of a list by size jump where two numbers are equal. Computed in
    floating point, numbers that are equal in theory differ by noise, which another machine may resolve otherwise.
    So neighbours closer than ``within`` of the greatest magnitude become one value: that of the ``anchors`` (bounds
    that values are compared with) if there is one among them, else the least.
    """
    numbers = values.to_numpy(dtype=float)
    both = np.concatenate([numbers, np.array(list(anchors), dtype=float)])
    order = np.argsort(both, kind="stable")
    close = np.diff(both[order]) <= within * np.abs(numbers).max(initial=0.0)
    run = np.cumsum(np.concatenate([[False], ~close])[: len(both)])
    found = np.empty(len(both))
    found[order] = both[order][np.searchsorted(run, run)]
    for place in range(len(numbers), len(both)):
        found[found == found[place]] = both[place]
    return pd.Series(found[: len(numbers)], values.index, name=values.name)
