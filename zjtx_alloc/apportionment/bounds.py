"""Floors and caps of an apportionment, aligned with its weights and proven to admit its seats."""

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
import pandas as pd

from zjtx_alloc.apportionment.weights import Weights
from zjtx_alloc.base.errors import DataError, InfeasibleError
from zjtx_alloc.base.messages import say
from zjtx_alloc.base.text import shown
from zjtx_alloc.quota.problem.numbers import are_whole

Bound: TypeAlias = int | pd.Series | np.ndarray | Sequence[int]


class Bounds(NamedTuple):
    """Floors and caps by position."""

    lower: np.ndarray  #: Floors (array of int64).
    upper: np.ndarray | None  #: Caps, none above the seats; None where no unit has one (array of int64, or None).
    floors: int  #: Sum of the floors.

    def beyond(self, base: np.ndarray) -> "Bounds":
        """Bounds of what comes on top of these places, which no floor is below."""
        upper = None if self.upper is None else self.upper - base
        return Bounds(self.lower - base, upper, self.floors - sum(base.tolist()))

    def first_places(self) -> "Bounds":
        """Bounds within which only units without a place can get one, and only one."""
        most = np.maximum(self.lower, 1)
        return Bounds(self.lower, most if self.upper is None else np.minimum(self.upper, most), self.floors)

    def with_first_places(self) -> "Bounds":
        """The bounds, with a floor of one wherever the cap admits it."""
        lower = self.first_places().upper
        assert lower is not None
        return Bounds(lower, self.upper, int(lower.sum()))

    def take(self, units: np.ndarray) -> "Bounds":
        """Bounds of these units."""
        lower = self.lower[units]
        return Bounds(lower, None if self.upper is None else self.upper[units], int(lower.sum()))


def read_bounds(weights: Weights, seats: int, floor: Bound, cap: Bound | None) -> Bounds:
    """Align floors and caps with the weights.

    Raises
    ------
    DataError
        If they are not whole numbers ≥ 0, one for all or one per unit.
    InfeasibleError
        If a floor exceeds its cap, the floors exceed the seats, or the caps (floors where the weight is
        zero) fall short of them.
    """
    lower = (
        np.zeros(weights.floats.size, dtype=np.int64)
        if isinstance(floor, int) and not floor
        else aligned(weights, "floor", floor)
    )
    if not weights.floats.size and seats:
        raise InfeasibleError(say("apportion.nobody", seats=seats))
    upper = None if cap is None else aligned(weights, "cap", cap)
    if upper is not None and (lower > upper).any():
        i = int(np.flatnonzero(lower > upper)[0])
        raise InfeasibleError(say("quota.floor_above_cap", label=weights.label(i), floor=lower[i], cap=upper[i]))
    least = 0 if isinstance(floor, int) and not floor else sum(lower.tolist())
    if least > seats:
        raise InfeasibleError(say("apportion.floors", least=least, seats=seats))
    if upper is None:
        if least < seats and not (weights.least > 0 or weights.floats.any()):
            raise InfeasibleError(say("apportion.no_weight", seats=seats, least=least))
        return Bounds(lower, None, least)
    most = sum(np.where(weights.floats > 0, upper, lower).tolist())
    if most < seats:
        raise InfeasibleError(say("apportion.caps", most=most, seats=seats))
    return Bounds(lower, np.minimum(upper, seats), least)


def aligned(weights: Weights, name: str, bound: Bound) -> np.ndarray:
    """A bound per unit, by position, from one for all, one per unit in order, or a Series by label."""
    size = weights.floats.size
    if isinstance(bound, pd.Series) and weights.index is not None and not bound.index.equals(weights.index):
        if len(bound) != size or not bound.index.is_unique or not weights.index.isin(bound.index).all():
            raise DataError(say("apportion.misaligned", name=name))
        bound = bound.loc[weights.index]
    try:
        values = np.asarray(bound)
    except ValueError:  # ragged
        raise DataError(say("apportion.misaligned", name=name)) from None
    if values.ndim > 1 or (values.ndim == 1 and values.size != size):
        raise DataError(say("apportion.misaligned", name=name))
    whole = are_whole(values.ravel()) if values.dtype.kind in "iuf" else np.zeros(values.size, dtype=bool)
    if not whole.all():
        wrong = (
            [f"{weights.label(i)} {values[i]}" for i in np.flatnonzero(~whole).tolist()]
            if values.ndim
            else [str(values)]
        )
        raise DataError(say("apportion.bound", name=name, wrong=shown("、".join(wrong))))
    return np.full(size, values, dtype=np.int64) if values.ndim == 0 else values.astype(np.int64)
