"""What would have to change for one unit's quota to change; every answer is found by solving, none by a formula."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import lru_cache

import pandas as pd

from zjtx_alloc.base.errors import InfeasibleError, ScenarioError
from zjtx_alloc.base.messages import say
from zjtx_alloc.quota.crossing.exchange import binding
from zjtx_alloc.quota.diagnose import limit_text
from zjtx_alloc.quota.problem.criteria import Criterion
from zjtx_alloc.quota.problem.limits import Limit, limits, relaxed
from zjtx_alloc.quota.problem.numbers import BILLION
from zjtx_alloc.quota.problem.problem import QuotaProblem
from zjtx_alloc.quota.solve import solve

_KEPT = 1024  # answers of 37 numbers each: those of one allocation's explanations, and some more


def best_quota(problem: QuotaProblem) -> pd.Series:
    """The solved quota.

    Raises
    ------
    InfeasibleError
        Also, without a diagnosis, where rules cross and leave a unit out that the criterion serves first.
    """
    places, clash = _answer(_question(problem))
    if clash is not None:
        raise InfeasibleError(str(clash), clash.diagnosis)
    return pd.Series(places, index=problem.entitlement.index, dtype="int64", name="quota")


@dataclass(frozen=True)
class _Question:
    """A problem as a key: two are one if they agree in all that decides the answer and what is said of a clash."""

    content: tuple[object, ...]
    problem: QuotaProblem = field(compare=False)


def _question(problem: QuotaProblem) -> _Question:
    rules = ((r.name, tuple(r.coefficients.items()), r.lower, r.upper) for r in problem.rules)
    numbers = (problem.total, *problem.given, *problem.floor.to_list(), *problem.cap.to_list())
    names = (tuple(problem.labels), tuple(problem.names.items()))
    form = problem.criterion, problem.redistribution, *problem.base.to_list()
    return _Question((numbers, problem.groups, tuple(rules), form, names), problem)


@lru_cache(_KEPT)
def _answer(question: _Question) -> tuple[list[int], InfeasibleError | None]:
    """The places, or why there are none."""
    try:
        return [int(x) for x in solve(question.problem).quota], None
    except InfeasibleError as error:
        return [], error.with_traceback(None)
    except ScenarioError:
        return [], InfeasibleError(say("whatif.unserved"))


_TRIAL = BILLION // 10_000  # finer than this a solver's costs count as equal


@dataclass(frozen=True)
class Shift:
    """What moves when one thing is changed."""

    changes: pd.Series  #: Places gained (+) or given up (−), by label, only the units that change (Series of int64).
    cost: float  #: Change of the problem's cost (``QuotaProblem.cost``); positive is worse. 0 means exactly none.
    #: Change of the number of units with an entitlement and no place, where the criterion counts them first.
    unserved: int = 0


@dataclass(frozen=True)
class Step:
    """One place more or fewer for a unit, all else solved anew."""

    places: int  #: The unit's places then; where rules cross, it may have to take two at once.
    shift: Shift | None  #: Who changes and what it costs; None if the rules forbid it.
    forbidden: tuple[str, ...]  #: The rules that forbid it, each a phrase with its number; empty if it is possible.


@dataclass(frozen=True)
class Binding:
    """A bound that holds a unit, and what relaxing it by one (place, or measure of its rule) would do."""

    limit: Limit
    shift: Shift


@dataclass(frozen=True)
class Lifted:
    """A bound, and how many places the unit in question would have without it."""

    limit: Limit
    places: int


@dataclass(frozen=True)
class Turn:
    """A unit's place in the queue for further places."""

    #: How many places the total must grow by until the unit gets one more; None if it has none more at its reach.
    after: int | None
    rank: int  #: Its turn among the units: 1 + the number of others that gain before it; 0 if it gets none.
    reach: int  #: By how much the total has grown then: to twice its size, or to where the rules would clash.


def step(problem: QuotaProblem, quota: pd.Series, label: str, by: int) -> Step:
    """The best quota in which a unit has one place more (``by=1``) or fewer (``by=-1``)."""
    i, places = problem.labels.index(label), int(quota[label]) + by
    if by > 0 and not problem.due[i]:
        return Step(places, None, (say("whatif.zero", name=problem.name(label)),))
    if places < 0:
        return Step(places, None, (say("whatif.none_left", name=problem.name(label)),))
    bound = (problem.floor if by > 0 else problem.cap).copy()
    bound.iloc[i] = places
    forced = replace(problem, floor=bound) if by > 0 else replace(problem, cap=bound)
    try:
        best = best_quota(forced)
        return Step(int(best[label]), _shift(problem, quota, best), ())
    except InfeasibleError as error:
        if error.diagnosis is None:
            return Step(places, None, (str(error),))
        own = ("floor" if by > 0 else "cap", i)
        others = [limit_text(forced, x) for x in error.diagnosis.conflict.limits if (x.kind, x.number) != own]
        total = [say("conflict.total", total=problem.total)] if error.diagnosis.conflict.with_total else []
        return Step(places, None, (*others, *total))


def bindings(problem: QuotaProblem, quota: pd.Series, label: str) -> tuple[Binding, ...]:
    """The bounds that hold a unit where it is, each with what one place of relaxation would do."""
    places, i = [int(x) for x in quota], problem.labels.index(label)
    names, found = binding(problem, places)[label], []
    for limit in limits(problem):
        own = limit.kind in names and limit.number == i
        joint = limit.joint and limit.name in names
        if own or joint:
            loosened = limit.value + (-limit.scale if limit.lower else limit.scale)
            shift = _shift(problem, quota, best_quota(relaxed(problem, [(limit, loosened)])))
            if len(shift.changes):
                found.append(Binding(limit, shift))
    return tuple(found)


def lifted(problem: QuotaProblem, quota: pd.Series, label: str) -> tuple[Lifted, ...]:
    """The bounds that hold any unit, or at which this one stands, each with the unit's places if it were not there."""
    places = [int(x) for x in quota]
    held = binding(problem, places)
    joint = {name for names in held.values() for name in names}
    found = []
    for limit in limits(problem):
        in_force = limit.name in joint if limit.joint else limit.kind in held[limit.name]
        at_it = limit.kind in ("floor", "cap") and limit.name == label and limit.reached(places) == limit.value
        if in_force or at_it:
            weights = [w for w in limit.weights.values() if (w < 0) == limit.lower]
            free = relaxed(problem, [(limit, sum(weights) * problem.total)])
            found.append(Lifted(limit, int(best_quota(free)[label])))
    return tuple(found)


def unruled(problem: QuotaProblem) -> pd.Series:
    """The quota by rounding alone: no floor, cap, group or rule."""
    free = replace(problem, floor=problem.floor * 0, cap=problem.cap * 0 + problem.total, groups=(), rules=())
    return best_quota(free)


def turn(problem: QuotaProblem, quota: pd.Series, label: str) -> Turn:
    """When a unit gets its next place as the total grows, entitlements in proportion, bounds and rules unchanged.

    Looked for up to twice the total, or as far as the rules do not clash. The turn is checked on both
    sides; where the criterion knows Alabama paradoxes (hamilton), an earlier place may have been lost again.
    """

    def best(more: int) -> pd.Series | None:
        try:
            return best_quota(grown(problem, more))
        except InfeasibleError:
            return None

    def gained_or_clashes(more: int) -> bool:
        found = best(more)
        return found is None or bool(found[label] > quota[label])

    after = _switch(gained_or_clashes, 1, problem.total)
    if after is None or best(after) is None:
        return Turn(None, 0, problem.total if after is None else after - 1)
    before = best_quota(grown(problem, after - 1))
    return Turn(after, 1 + int((before > quota).drop(label).sum()), after)


def grown(problem: QuotaProblem, more: int) -> QuotaProblem:
    """The problem with a larger (or smaller) total and entitlements in proportion; a cap that was none stays none.

    Bases stay, so entitlements grow with what the total leaves beyond them.
    """
    total, base = problem.total + more, int(problem.base.sum())
    scale = Fraction(max(total - base, 0), problem.total - base) if problem.total > base else Fraction(1)
    return replace(
        problem,
        total=total,
        entitlement=pd.Series([e * scale for e in problem.exact], problem.entitlement.index, dtype=object),
        cap=problem.cap.where(problem.cap < problem.total, total),
    )


def entitlement_for(problem: QuotaProblem, quota: pd.Series, label: str, one: Step) -> float | None:
    """The entitlement nearest to its own with which a unit takes the step (one place more or fewer).

    As the problem's own, without the base. The other entitlements stay as they are. Under nested rules exact to the billionth, proven by two solves: one
    billionth nearer leaves the quota as it is. Where rules cross, the entitlement at which the two best quotas with and
    without the place cost the same, in fractions; solved again at a ten-thousandth on both sides. None if the rules
    forbid the step, if no entitlement up to ten times the total, or down to a billionth, does it, or if it does not
    stand that trial.
    """
    if one.shift is None:
        return None
    i, have = problem.labels.index(label), int(quota[label])
    by = 1 if one.places > have else -1
    due = by * math.floor(by * problem.exact[i] * BILLION)  # the last whole billionth on its own side

    def changed(move: int) -> bool:
        entitlement = problem.entitlement.astype(object)
        entitlement.iloc[i] = Fraction(due + by * move, BILLION)
        return by * (int(best_quota(replace(problem, entitlement=entitlement)).iloc[i]) - have) > 0

    most = due - 1 if by < 0 else 10 * (problem.total + 1) * BILLION
    move = _switch(_indifferent(problem, quota, i, one, due), BILLION // 4, most)
    if problem.nested:
        # Equal costs are ruled by the tie order, so the switch is there or a billionth beside; else some sixty solves.
        near = [] if move is None else [at for at in (move, move + 1) if at <= most]
        proven = (at for at in near if changed(at) and not changed(at - 1))
        move = next(proven, None) or _switch(changed, BILLION // 4, most)
    elif move is not None and (changed(max(move - _TRIAL, 0)) or not changed(min(move + _TRIAL, most))):
        return None
    return None if move is None else (due + by * move) / BILLION


def _indifferent(problem: QuotaProblem, quota: pd.Series, i: int, one: Step, due: int) -> Callable[[int], bool]:
    """Whether, its entitlement moved from ``due`` by so many billionths, the unit's next (or last) place changes hands.

    What the place costs the others does not depend on this unit's entitlement, so one solve answers all.
    """
    measure, have, base = problem.yardstick, int(quota.iloc[i]), int(problem.base.iloc[i])
    is_sum = isinstance(measure, Criterion) and measure.summable and not measure.first_is_free
    if one.shift is None or problem.redistribution or not is_sum:
        return lambda move: False
    assert isinstance(measure, Criterion)
    by = 1 if one.places > have else -1
    places = range(min(have, one.places) + 1 - base, max(have, one.places) + 1 - base)

    def price(e: Fraction) -> Fraction:
        return sum((measure.marginal(k, e) for k in places), Fraction(0))

    other = quota.add(one.shift.changes, fill_value=0).astype("int64")[quota.index]
    rise = problem.cost(other.to_list()) - problem.cost(quota.to_list())
    worth = price(problem.exact[i]) - by * rise
    return lambda move: bool(by * (price(Fraction(due + by * move, BILLION)) - worth) <= 0)


def _switch(holds: Callable[[int], bool], step: int, most: int) -> int | None:
    """The least number above 0 at which something holds that does not at 0; None if it does not up to ``most``."""
    low, high = 0, min(step, most)
    while high > low and not holds(high):
        low, step = high, 2 * step
        high = min(low + step, most)
    if high <= low:
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high


def _shift(problem: QuotaProblem, before: pd.Series, after: pd.Series) -> Shift:
    changes = after - before
    both = before.to_list(), after.to_list()
    cost = problem.cost(both[1]) - problem.cost(both[0])
    unserved = len(problem.unserved(both[1])) - len(problem.unserved(both[0]))
    return Shift(changes[changes != 0].rename("change"), float(cost), unserved)
