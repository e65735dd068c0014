"""The classical methods of apportionment, exact, within floors and caps."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from zjtx_alloc.apportionment.bounds import Bound, Bounds, aligned, read_bounds
from zjtx_alloc.apportionment.filling import Filled, fill
from zjtx_alloc.apportionment.ladders import DivisorLadder, Ladder, RemainderLadder
from zjtx_alloc.apportionment.methods import BasePlus, LargestRemainder, Method, WithinQuota, method_of
from zjtx_alloc.apportionment.weights import Weights, read_weights
from zjtx_alloc.apportionment.within_quota import fill_within_quota
from zjtx_alloc.base.errors import DataError, TieError
from zjtx_alloc.base.messages import say
from zjtx_alloc.base.text import shown
from zjtx_alloc.quota.problem.redistribution import EQUAL, PROPORTION, redistributed
from zjtx_alloc.quota.problem.signposts import SIGNPOSTS, Signposts

Numbers: TypeAlias = pd.Series | np.ndarray | Sequence[Any] | Weights
Labels: TypeAlias = tuple[Hashable, ...]

MOST = 10**12  # beyond it, neighbouring places of one unit come too near to each other for floats


@dataclass(frozen=True)
class Ties:
    """What is certain and what is tied."""

    certain: pd.Series | np.ndarray  #: Places that do not depend on the tie, by unit (Series or array of int64).
    #: Labels of the units with exactly equal claims to some of the open places; empty if nothing is tied (tuple).
    tied: Labels
    places: int  #: Places open among the tied units, at most one each.
    #: Tuple of (labels, places): The same by tie: units whose claims equal each other's, and the places open among
    #: them. Only balinski-young knows more than one tie, each of its own; and there a claim may count only once
    #: another's place is given, so that not every choice of so many units can come about: :func:`apportion` gives one
    #: that an order of units leads to.
    sets: tuple[tuple[Labels, int], ...]


def apportion(  # noqa: PLR0913, PLR0917 - what defines an apportionment
    weights: Numbers,
    seats: int,
    method: str | Method = "webster",
    floor: Bound = 0,
    cap: Bound | None = None,
    ties: str | Sequence[Hashable] = "error",
    *,
    base: Bound = 0,
    redistribution: str = "",
) -> pd.Series | np.ndarray:
    """Apportion the seats by a classical method.

    Each step that could decide a seat is taken in integers or fractions. A float weight means the shortest
    decimal that it prints as. A unit of weight zero gets its floor and no more. Where the first place is free
    (adams, dean, huntington-hill) and seats are too few for all, the larger weights come first.

    Parameters
    ----------
    weights : Series, array or sequence of numbers
        One per unit: int, float, Fraction or Decimal of any size; not negative.
    seats : int
        Places to give, at most 10^12.
    method : str or Signposts
        ``webster``, ``hamilton``, ``jefferson``, ``adams``, ``huntington-hill``, ``dean``,
        ``modified-webster``, ``danish``, ``imperiali``, ``droop``, ``imperiali-quota``, ``balinski-young``,
        ``cambridge-compromise`` (adams, where the floor is a base), or
        signposts from :func:`stationary` and :func:`power_mean`. Where whole quotas of ``imperiali-quota`` give out more
        than the seats, its divisor seats + 2 falls by one until they do not, as in Italy's decree no. 361 of 1957, art. 77.
    floor, cap : int, or one per unit
        Bounds of each unit; a Series is aligned by label. Hamilton within bounds is the vector nearest in
        least squares to seats·w/Σw: what a cap leaves over is spread over the others in equal numbers, not in
        proportion to their weights. Divisor methods spread it in proportion.
    ties : "error" or a sequence of labels
        What to do with exactly equal claims: raise, or prefer units in this order, each time that they meet.
    base : int, or one per unit
        Places that each unit has before the method hands out the others; floors and caps are of all its places.
    redistribution : str
        How what caps take back from shares above them goes to the others: ``proportion``, so that the method hands out
        the other places among the units below their caps, or ``equal``, the same addition to each share; as the method
        does by itself if not given.

    Returns
    -------
    Series of int64 in the order and index of ``weights`` if that is a Series, else array of int64

    Raises
    ------
    TieError
        If units tie and no order is given; see :func:`apportion_ties`.
    InfeasibleError
        If floors, caps and seats contradict each other.
    DataError
        If an argument is not what it should be.

    References
    ----------
    Balinski, M. L. & Young, H. P. (1982). *Fair Representation*. Yale University Press.
    Pukelsheim, F. (2017). *Proportional Representation*, 2nd ed. Springer.
    """
    given = read_weights(weights)
    filled = _filled(given, seats, method, (floor, cap, base), redistribution)
    if filled.ties:
        _break(given, filled, ties)
    return _labelled(filled.places, given)


def apportion_ties(  # noqa: PLR0913 - as apportion
    weights: Numbers,
    seats: int,
    method: str | Method = "webster",
    floor: Bound = 0,
    cap: Bound | None = None,
    *,
    base: Bound = 0,
    redistribution: str = "",
) -> Ties:
    """The places that are certain and the units that tie for the rest; never raises for a tie.

    The parameters and the other errors are those of :func:`apportion`.
    """
    given = read_weights(weights)
    filled = _filled(given, seats, method, (floor, cap, base), redistribution)
    return Ties(_labelled(filled.places, given), *_tied(given, filled))


def _break(weights: Weights, filled: Filled, ties: str | Sequence[Hashable]) -> None:
    """Give the open places to the first tied units in the order, or raise."""
    labels, places, sets = _tied(weights, filled)
    if isinstance(ties, str):
        if ties != "error":
            raise DataError(say("apportion.ties_form", ties=ties))
        described = (say("apportion.tie", labels="、".join(map(str, units)), places=left) for units, left in sets)
        raise TieError(say("apportion.ties", ties="；".join(described)), labels, places)
    rank = {label: i for i, label in reversed(list(enumerate(ties)))}
    if missing := [str(label) for label in labels if label not in rank]:
        raise DataError(say("apportion.ties_short", labels="、".join(missing)))
    for tie in filled.ties:
        filled.places[tie.first(lambda i: rank[weights.label(i)])] += 1


def _tied(weights: Weights, filled: Filled) -> tuple[Labels, int, tuple[tuple[Labels, int], ...]]:
    """Units and places of all ties together, and tie by tie."""
    sets = tuple((tuple(map(weights.label, tie.units)), tie.places) for tie in filled.ties)
    return tuple(label for labels, _ in sets for label in labels), sum(places for _, places in sets), sets


def _labelled(places: np.ndarray, weights: Weights) -> pd.Series | np.ndarray:
    return places if weights.index is None else pd.Series(places, index=weights.index)


def _filled(
    weights: Weights, seats: int, method: str | Method, limits: tuple[Bound, Bound | None, Bound], how: str
) -> Filled:
    row = method_of(method)
    if not isinstance(seats, int | np.integer) or not 0 <= seats <= MOST:
        raise DataError(say("apportion.seats", seats=seats, most=MOST))
    if how not in ("", PROPORTION, EQUAL):
        raise DataError(say("quota.redistribution", value=shown(how)))
    seats, (floor, cap, given) = int(seats), limits
    if has_base := not (isinstance(given, int) and not given):
        base = aligned(weights, "base", given)
        floor = np.maximum(aligned(weights, "floor", floor), base)
    bounds = read_bounds(weights, seats, floor, cap)
    if isinstance(row, BasePlus):
        base, row, has_base = bounds.lower, row.signposts, True
    if not has_base:
        return _redistributed(weights, seats, row, bounds, how)
    rest = _redistributed(weights, seats - sum(base.tolist()), row, bounds.beyond(base), how)
    return Filled(rest.places + base, rest.ties)


def _redistributed(
    weights: Weights, seats: int, row: Signposts | LargestRemainder | WithinQuota, bounds: Bounds, how: str
) -> Filled:
    """Fill with what caps take back given on as stated, where the method does not do so by itself."""
    if isinstance(row, WithinQuota):
        if bounds.floors or bounds.upper is not None:
            raise DataError(say("apportion.no_bounds", method=row.name))
        return fill_within_quota(weights, seats, row.signposts)
    natural = PROPORTION if isinstance(row, Signposts) else EQUAL
    if not how or how == natural or bounds.upper is None or not weights.total:
        return _within(weights, seats, row, bounds)
    before = [Fraction(weights.exact(i)) * seats / weights.total for i in range(weights.floats.size)]
    shares = redistributed(before, bounds.upper.tolist(), how)
    if how == EQUAL:
        return _within(read_weights(shares), seats, row, bounds)
    return _within(weights, seats, row, bounds, next((s / e for s, e in zip(shares, before, strict=True) if e), 1))


def _within(
    weights: Weights, seats: int, row: Signposts | LargestRemainder, bounds: Bounds, scale: Fraction | int = 1
) -> Filled:
    """Fill within the bounds; a unit of weight zero stays at its floor. ``scale``: of shares by largest remainder."""
    if weights.least > 0:
        return _positive(_ladder(weights, seats, row, scale), seats, bounds)
    units = np.flatnonzero(weights.floats)
    part = bounds.take(units)
    filled = _positive(_ladder(weights.take(units), seats, row, scale), seats - bounds.floors + part.floors, part)
    places = bounds.lower.copy()
    places[units] = filled.places
    return Filled(places, [tie.among(units) for tie in filled.ties])


def _ladder(weights: Weights, seats: int, row: Signposts | LargestRemainder, scale: Fraction | int) -> Ladder:
    return DivisorLadder(weights, row) if isinstance(row, Signposts) else RemainderLadder(weights, row, seats, scale)


def _positive(ladder: Ladder, seats: int, bounds: Bounds) -> Filled:
    """Fill where every weight is positive; free first places come first, the larger weights before the smaller."""
    if isinstance(ladder, DivisorLadder) and ladder.signposts.first_is_free:
        everyone = bounds.with_first_places()
        if seats < everyone.floors:
            ladder, bounds = DivisorLadder(ladder.weights, SIGNPOSTS["jefferson"]), bounds.first_places()
        else:
            bounds = everyone
    if bounds.floors == seats:
        return Filled(bounds.lower, [])
    lower = bounds.lower.astype(float) if bounds.floors else None
    upper = None if bounds.upper is None else bounds.upper.astype(float)
    return fill(ladder, seats, lower, upper)
