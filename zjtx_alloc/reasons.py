"""Why this number: from the factors of one unit to its quota, and what would have to change for another."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pandas as pd

from zjtx_alloc.allocation import Allocation
from zjtx_alloc.errors import ScenarioError
from zjtx_alloc.factors import ADJUSTMENT
from zjtx_alloc.messages import header, say
from zjtx_alloc.quota.conflicts import limit_text
from zjtx_alloc.quota.problem import QuotaProblem
from zjtx_alloc.quota.whatif import Binding, Shift, Step, Turn, bindings, entitlement_for, step, turn, unruled
from zjtx_alloc.units import find_unit

_TOLD = 6  # units named in a sentence before 等


@dataclass(frozen=True)
class Prospects:
    """What would have to change for a computed quota to change.

    Attributes
    ----------
    more, fewer : Step
        One place more or fewer, all else solved anew.
    turn : Turn or None
        When the unit gets its next place as the total grows; None if not before the total has doubled.
    gains_at, loses_at : float or None
        The entitlement (exact to the billionth, the others' as they are) from which the unit gains a place,
        or down to which it loses one; None if no entitlement does.
    """

    more: Step
    fewer: Step
    turn: Turn | None
    gains_at: float | None
    loses_at: float | None


@dataclass(frozen=True)
class Explanation:
    """Why a unit has its quota.

    Attributes
    ----------
    code, name : str
        The unit's code and short name.
    contributions : Series of float
        Places by factor, and ``adjustment``; sums to the entitlement.
    entitlement : float
        Places before rounding and rules.
    estimated, stand_in : float
        The parts (0 to 1) of the entitlement that rest on estimated cells and on stand-in factors.
    unruled : int
        Places by rounding alone, without bounds, groups and rules.
    quota : int
        The unit's places.
    decision : str
        The reason of a quota decided in consultation (人工调整); blank if it was computed.
    bindings : tuple of Binding
        The bounds that hold the unit; empty if decided.
    prospects : Prospects or None
        None if decided: a decision is not explained as a result.
    text : str
        All of it as Chinese sentences, one a line.
    """

    code: str
    name: str
    contributions: pd.Series
    entitlement: float
    estimated: float
    stand_in: float
    unruled: int
    quota: int
    decision: str
    bindings: tuple[Binding, ...]
    prospects: Prospects | None
    text: str

    def __str__(self) -> str:
        return self.text


def explain(allocation: Allocation, unit: str) -> Explanation:
    """Explain the quota of a unit, given by code, short or full name, or as the press calls it.

    Everything said about other quotas (one place more, the next place, the entitlement needed) is found by
    solving the changed problem, never inferred.

    Raises
    ------
    ScenarioError
        If there is no such unit.
    """
    code = find_unit(unit)
    if code is None:
        known = "、".join(allocation.panel.units["short_name"])
        raise ScenarioError(say("why.unknown", name=unit, known=known))
    problem, quota = allocation.problem, allocation.quota
    why = _rounded(allocation, code, unruled(problem))
    if not why.decision:
        why = replace(why, bindings=bindings(problem, quota, code), prospects=_prospects(problem, quota, code))
    return replace(why, text="\n".join(_sentences(allocation, why)))


def grounds(allocation: Allocation, codes: Sequence[str]) -> dict[str, str]:
    """The short of ``explain`` for several units, by code: factors, rounding, and the bounds that hold the unit.

    Where rules cross, what relaxing a bound would do takes seconds a unit and is left out.
    """
    problem, rounding, binds = allocation.problem, unruled(allocation.problem), allocation.table()["binds"]
    told = {}
    for code in codes:
        why = _rounded(allocation, code, rounding)
        if why.decision:
            rest = [say("why.decision", reason=why.decision)]
        elif not binds[code] and why.quota == why.unruled:
            rest = [say("why.rounded", quota=why.quota)]
        elif not binds[code]:
            rest = [_rounding(why), say("why.by_others")]
        elif problem.nested:
            held = replace(why, bindings=bindings(problem, allocation.quota, code))
            rest = [_rounding(why), *_held(allocation, held)]
        else:
            rest = [_rounding(why), say("why.bound_by", bounds=binds[code])]
        told[code] = "".join([_from_factors(allocation, why), *rest])
    return told


def _rounded(allocation: Allocation, code: str, rounding: pd.Series) -> Explanation:
    """What is known before any problem is changed."""
    due, fixed = allocation.entitlement, allocation.scenario.fixed.get(code)
    return Explanation(
        code=code,
        name=allocation.problem.name(code),
        contributions=due.contributions.loc[code],
        entitlement=float(due.places[code]),
        estimated=float(due.estimated[code]),
        stand_in=float(due.stand_in[code]),
        unruled=int(rounding[code]),
        quota=int(allocation.quota[code]),
        decision="" if fixed is None else fixed.reason,
        bindings=(),
        prospects=None,
        text="",
    )


def _prospects(problem: QuotaProblem, quota: pd.Series, code: str) -> Prospects:
    more, fewer = step(problem, quota, code, 1), step(problem, quota, code, -1)
    return Prospects(
        more=more,
        fewer=fewer,
        turn=turn(problem, quota, code),
        gains_at=entitlement_for(problem, quota, code, more),
        loses_at=entitlement_for(problem, quota, code, fewer),
    )


def _sentences(allocation: Allocation, why: Explanation) -> list[str]:
    title = allocation.scenario.title
    if why.decision:
        first = [say("why.decided", title=title, name=why.name, quota=why.quota, reason=why.decision)]
    else:
        first = [say("why.quota", title=title, name=why.name, quota=why.quota)]
    first.append(_from_factors(allocation, why))
    if why.estimated or why.stand_in:
        first.append(say("why.marks", estimated=why.estimated, stand_in=why.stand_in))
    if why.decision or why.prospects is None:
        return [*first, say("why.not_computed", name=why.name, unruled=why.unruled)]
    return [*first, _rounding(why), *_held(allocation, why), *_next(allocation, why, why.prospects)]


def _from_factors(allocation: Allocation, why: Explanation) -> str:
    parts = [
        say("why.adjustment", name=header(ADJUSTMENT), places=f"{places:+.2f}".replace("-", "−"))
        if factor == ADJUSTMENT
        else say("why.contribution", name=allocation.panel.name(str(factor)), places=places)
        for factor, places in why.contributions.items()
    ]
    return say("why.entitlement", name=why.name, entitlement=why.entitlement, parts="、".join(parts))


def _rounding(why: Explanation) -> str:
    key = (
        "why.same"
        if why.quota == why.unruled
        else "why.more_by_rules"
        if why.quota > why.unruled
        else "why.less_by_rules"
    )
    return say(key, unruled=why.unruled, quota=why.quota, step=abs(why.quota - why.unruled))


def _held(allocation: Allocation, why: Explanation) -> list[str]:
    """Which bounds hold the unit, and what one place of relaxation would do."""
    if not why.bindings:
        return [say("why.free")]
    sources = allocation.bounds.loc[why.code]
    told = []
    for bound in why.bindings:
        what = limit_text(allocation.problem, bound.limit)
        if bound.limit.kind in ("floor", "cap"):
            what = say("why.source", bound=what, source=sources[f"{bound.limit.kind}_from"])
        changes = _changes(allocation, bound.shift)
        told.append(say("why.held", bound=what, changes=changes, cost=-bound.shift.cost))
    return told


def _changes(allocation: Allocation, shift: Shift, without: str = "") -> str:
    """Who gains and who gives up places, as 江苏增加1家、浙江减少1家."""
    changes = shift.changes.drop(without) if without else shift.changes
    names = [
        say("why.gains" if n > 0 else "why.gives", name=allocation.problem.name(str(code)), places=abs(n))
        for code, n in changes.items()
    ]
    if len(names) <= _TOLD:
        return "、".join(names)
    return say("why.and_others", names="、".join(names[:_TOLD]), count=len(names))


def _next(allocation: Allocation, why: Explanation, prospects: Prospects) -> list[str]:
    told = []
    for direction, one in (("more", prospects.more), ("fewer", prospects.fewer)):
        if one.shift is None:
            told.append(say(f"why.no_{direction}", name=why.name, rules="、".join(one.forbidden)))
        else:
            others = _changes(allocation, one.shift, without=why.code)
            told.append(
                say(f"why.one_{direction}", name=why.name, places=one.places, others=others, cost=one.shift.cost)
            )
    if prospects.turn is None:
        told.append(say("why.no_turn", name=why.name))
    else:
        after = prospects.turn.after
        told.append(say("why.turn", name=why.name, rank=prospects.turn.rank, after=after,
                        total=allocation.problem.total + after))  # fmt: skip
    return [*told, *_margins(why, prospects)]


def _margins(why: Explanation, prospects: Prospects) -> list[str]:
    """How far the entitlement must move; nothing to say where the rules forbid the move."""
    told = []
    if prospects.gains_at is not None:
        told.append(
            say(
                "why.up",
                step=_small(prospects.gains_at - why.entitlement),
                at=prospects.gains_at,
                places=prospects.more.places,
            )
        )
    if prospects.loses_at is not None:
        told.append(
            say(
                "why.down",
                step=_small(why.entitlement - prospects.loses_at),
                at=prospects.loses_at,
                places=prospects.fewer.places,
            )
        )
    return [say("why.margins", name=why.name, moves="；".join(told))] if told else []


def _small(places: float) -> str:
    """Two decimals, or all nine where two would say nothing."""
    return f"{places:.2f}" if places >= 0.01 else f"{places:.9f}"
