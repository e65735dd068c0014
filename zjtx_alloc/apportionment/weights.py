"""Weights as users give them, read once: floats for speed, and each one exactly when a tie must be settled."""

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from zjtx_alloc.base.errors import DataError
from zjtx_alloc.base.messages import say
from zjtx_alloc.base.text import shown
from zjtx_alloc.quota.problem.numbers import is_finite

_FAR = 1e140  # weights and their inverses below this leave room for every product in float64


@dataclass(frozen=True)
class Weights:
    """Weights of units, none negative."""

    raw: np.ndarray  #: As given (array of integers, float64 or Fraction).
    #: Proportional to the exact weights, each good to one unit in its last place (array of float64).
    floats: np.ndarray
    index: pd.Index | None  #: Labels, if the weights came with any.
    least: float  #: The smallest of the floats; infinite if there are none.

    def exact(self, i: int) -> int | Fraction:
        """The i-th weight; of a float the shortest decimal that prints as it."""
        value = self.raw[i] if self.raw.dtype == object else self.raw[i].item()
        return Fraction(repr(value)) if isinstance(value, float) else value

    @cached_property
    def total(self) -> Fraction:
        """The exact sum."""
        if self.raw.dtype.kind == "f":
            return sum((Fraction(repr(value)) for value in self.raw.tolist()), Fraction(0))
        if self.raw.dtype.kind in "iu" and self.floats.sum() < 2.0**62:
            return Fraction(int(self.raw.sum()))
        return Fraction(sum(self.raw.tolist()))

    def label(self, i: int) -> Any:
        """Label of the i-th unit; its position if the weights came without labels."""
        return int(i) if self.index is None else self.index[i]

    def take(self, positions: np.ndarray) -> "Weights":
        """The weights at these positions, without labels."""
        floats = self.floats[positions]
        return Weights(self.raw[positions], floats, None, floats.min(initial=math.inf))


def read_weights(weights: Any) -> Weights:
    """Read a Series, an array or a sequence of numbers; weights already read stay as they are.

    Raises
    ------
    DataError
        If the weights are not one row of numbers; one is negative, blank or infinite; or the largest and the
        smallest are more than 10^140 times apart.
    """
    if isinstance(weights, Weights):
        return weights
    index = weights.index if isinstance(weights, pd.Series) else None
    try:
        raw = np.asarray(weights)
    except ValueError:  # ragged
        raw = np.empty((0, 0))
    if raw.ndim != 1:
        raise DataError(say("apportion.shape", shape=raw.shape if raw.size else "—"))
    mixed = (
        raw.dtype.kind == "f" and isinstance(weights, list | tuple) and not all(isinstance(w, float) for w in weights)
    )
    if mixed:
        raw = np.array([*weights, None], dtype=object)[:-1]
    elif raw.dtype.kind == "f" and raw.dtype != np.float64:
        raw = raw.astype(str).astype(np.float64)
    if raw.dtype.kind not in "iuf":
        return _fractions(raw.tolist(), index)
    floats = raw.astype(np.float64, copy=False)
    low = floats.item(floats.argmin()) if floats.size else math.inf
    if not low >= 0:
        return _fractions(raw.tolist(), index)  # finds and names the culprit
    if raw.dtype.kind == "f" and (low < 1 / _FAR or floats.max(initial=0) > _FAR):
        smallest = floats[floats > 0].min(initial=1)
        if smallest < 1 / _FAR or not floats.max() < _FAR:
            return _fractions(raw.tolist(), index)
    return Weights(raw, floats, index, low)


def _fractions(values: list[Any], index: pd.Index | None) -> Weights:
    """Weights kept as fractions; their floats are scaled by the largest, so that any size fits."""
    exact = [_exact(value, i if index is None else index[i]) for i, value in enumerate(values)]
    largest = max(exact, default=0) or 1
    floats = np.array([float(value / largest) for value in exact])
    if any(value and f < 1 / _FAR for value, f in zip(exact, floats, strict=True)):
        raise DataError(say("apportion.far_apart"))
    raw = np.empty(len(exact), dtype=object)
    raw[:] = exact
    return Weights(raw, floats, index, floats.min(initial=math.inf))


def _exact(value: Any, label: Any) -> Fraction:
    if not is_finite(value) or value < 0:
        raise DataError(say("apportion.weight", label=label, value=shown(value)))
    return Fraction(
        str(value) if isinstance(value, float | np.floating) else int(value) if isinstance(value, np.integer) else value
    )
