"""Who gets the next places, in order."""

import heapq
import itertools
from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import pandas as pd

from zjtx_alloc.apportionment.apportion import Numbers, apportion_ties
from zjtx_alloc.apportionment.bounds import Bound, aligned
from zjtx_alloc.apportionment.methods import Method, method_of
from zjtx_alloc.apportionment.weights import Weights, read_weights
from zjtx_alloc.base.errors import DataError
from zjtx_alloc.base.messages import say
from zjtx_alloc.base.text import shown
from zjtx_alloc.quota.problem.numbers import is_count
from zjtx_alloc.quota.problem.signposts import Signposts

_MOST = 10**6  # places listed
_Claim = tuple[bool, Fraction, int, int]  # whether it costs; the cost, or 1/w where free; unit; which place


def priority_list(  # noqa: PLR0913, PLR0917 - an apportionment, and how far to look beyond it
    weights: Numbers,
    seats: int,
    following: int,
    method: str | Method = "webster",
    floor: Bound = 0,
    cap: Bound | None = None,
) -> pd.DataFrame:
    """List who gets the places that follow the first ``seats``, as in the US Census Bureau's priority values.

    Parameters
    ----------
    weights, seats, method, floor, cap
        As of :func:`apportion`; a divisor method, since only there does a further place move no other.
    following : int
        How many places beyond the seats, at most a million.

    Returns
    -------
    DataFrame indexed by ``seat``, the number of the place in the house, with the columns ``unit`` (label),
    ``place`` (which of the unit's own), ``quotient`` (w/d(k), infinite where the first place is free) and
    ``tied`` (whether its claim equals that of the row before or after, listed or not). If units tie for the
    seats themselves, the list begins with the places still open. It ends early when all caps are reached.

    Raises
    ------
    DataError
        If the method is no divisor method, or an argument is not what it should be.
    InfeasibleError
        If floors, caps and seats contradict each other.
    """
    row = method_of(method)
    if not isinstance(row, Signposts):
        raise DataError(say("apportion.priority", method=row.name))
    if not is_count(following, 0, _MOST):
        raise DataError(say("apportion.following", following=shown(following), most=_MOST))
    given = read_weights(weights)
    certain = np.asarray(apportion_ties(given, seats, row, floor, cap).certain)
    start, end = int(certain.sum()), seats + following
    most = np.full(certain.size, end) if cap is None else aligned(given, "cap", cap)
    claims = list(itertools.islice(_claims(given, row, certain, most), end - start + 1))
    listed = claims[: end - start]
    tied = [
        any(claim[:2] == other[:2] for other in claims[max(i - 1, 0) : i + 2] if other is not claim)
        for i, claim in enumerate(listed)
    ]
    return pd.DataFrame(
        {
            "unit": [given.label(i) for *_, i, _ in listed],
            "place": [k for *_, k in listed],
            "quotient": [float(1 / cost) ** (1 / row.power) if costs else np.inf for costs, cost, *_ in listed],
            "tied": tied,
        },
        index=pd.RangeIndex(start + 1, start + 1 + len(listed), name="seat"),
    )


def _claims(weights: Weights, row: Signposts, places: np.ndarray, most: np.ndarray) -> Iterator[_Claim]:
    """All further claims, the strongest first; equal ones in the order of the units."""

    def claim(i: int, k: int) -> _Claim:
        w, signpost = Fraction(weights.exact(i)), row.exact(k)
        return (True, signpost / w**row.power, i, k) if signpost else (False, 1 / w, i, k)

    heap = [claim(i, k + 1) for i, k in enumerate(places.tolist()) if weights.floats[i] and k < most[i]]
    heapq.heapify(heap)
    while heap:
        yield (first := heapq.heappop(heap))
        *_, i, k = first
        if k < most[i]:
            heapq.heappush(heap, claim(i, k + 1))
