"""What an explanation holds, and how it is put in a meeting: Chinese sentences, each with its numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal

import pandas as pd

from zjtx_alloc.allocation.allocate import Allocation
from zjtx_alloc.allocation.entitlement import ADJUSTMENT, STAND_IN
from zjtx_alloc.base.messages import header, say
from zjtx_alloc.facts.panel import KNOWN, SUPPLIED
from zjtx_alloc.quota.diagnose import limit_text
from zjtx_alloc.quota.problem.criteria import Criterion, criterion_name
from zjtx_alloc.quota.problem.limits import Limit
from zjtx_alloc.quota.problem.redistribution import NATURAL, taken_back
from zjtx_alloc.quota.whatif import Binding, Lifted, Shift, Step, Turn

_TOLD = 6  # units or bounds named in a sentence before 等


@dataclass(frozen=True)
class Prospects:
    """What would have to change for a computed quota to change."""

    more: Step  #: more, fewer: one place more or fewer, all else solved anew.
    fewer: Step  #: See ``more``.
    turn: Turn  #: When the unit gets its next place as the total grows, up to twofold.
    #: gains_at, loses_at: the entitlement (places, the others' as they are) from which the unit gains a place, or
    #: down to which it loses one, exact to the billionth under nested rules; None if none does, or none is proven
    #: where rules cross.
    gains_at: float | None
    loses_at: float | None  #: See ``gains_at``.


@dataclass(frozen=True)
class Explanation:
    """Why a unit has its quota."""

    code: str  #: code, name: the unit's code and short name.
    name: str  #: See ``code``.
    #: Places by factor, and ``adjustment``; with the base they sum to the entitlement (Series of float).
    contributions: pd.Series
    entitlement: float  #: Places before rounding and rules.
    #: What the entitlement rests on: the part (0 to 1) of each ground, as ``Entitlement.rests_on`` (Series of float).
    rests_on: pd.Series
    #: estimated, stand_in: the parts (0 to 1) of the entitlement that rest on estimated cells and on stand-in
    #: factors.
    estimated: float
    stand_in: float  #: See ``estimated``.
    base: int  #: Places before the formula (基数).
    unruled: int  #: Places by rounding alone, without bounds, groups and rules.
    quota: int  #: The unit's places that count.
    #: Its places in the batch on its own, which all that is said about rounding, bounds and other quotas is about.
    alone: int
    decision: str  #: The reason of a quota decided in consultation (人工调整); blank if it was computed.
    bindings: tuple[Binding, ...] = ()  #: The bounds that hold the unit; empty if decided.
    #: Where no bound holds the unit: those that hold others, or at which it stands, each with the unit's places
    #: without it.
    lifted: tuple[Lifted, ...] = ()
    prospects: Prospects | None = None  #: None if decided: a decision is not explained as a result.
    text: str = ""  #: All of it as Chinese sentences, one a line.

    @property
    def is_other(self) -> bool:
        """Whether the quota that counts is another than that of the batch on its own."""
        return self.quota != self.alone

    def __str__(self) -> str:
        return self.text


def sentences(allocation: Allocation, why: Explanation) -> list[str]:
    """All that is known of a unit's number, in the order in which a meeting asks."""
    title = allocation.scenario.title
    if why.decision:
        first = [say("why.decided", title=title, name=why.name, quota=why.quota, reason=why.decision)]
    else:
        first = [say("why.quota", title=title, name=why.name, quota=why.quota)]
    first += [counted_text(allocation, why), factors_text(allocation, why)][not why.is_other :]
    first.append(say("rests.entitlement", parts=rests_text(why.rests_on)))
    if why.decision or why.prospects is None:
        return [*first, say("why.not_computed", name=why.name, unruled=why.unruled)]
    first += redistribution_text(allocation, why)
    return [*first, rounding_text(why), *bounds_text(allocation, why), *_next(allocation, why, why.prospects)]


def counted_text(allocation: Allocation, why: Explanation) -> str:
    """What the programme makes of a unit's places in the batch on its own, and that this counts."""
    ways = () if allocation.counted is None else allocation.counted.ways
    names = "、".join(say(f"counted.{way}") for way in ways)
    return say("why.counted", name=why.name, alone=why.alone, quota=why.quota, ways=names)


def rests_text(*parts: pd.Series) -> str:
    """What entitlements rest on, with the share of each ground; of several entitlements the least and the most."""
    shares: list[dict[str, float]] = [part.to_dict() for part in parts]
    guessed = [ground for ground in shares[0] if ground not in (KNOWN, SUPPLIED, STAND_IN)]
    within = _seen([{ground: one[ground] for ground in guessed} for one in shares])
    told = _seen([one | {"estimated": sum(one[ground] for ground in guessed)} for one in shares])
    kinds = "、".join(
        say(f"rests.{ground}", share=share if len(within) > 1 else "") for ground, share in within.items()
    )
    order = [ground for ground in (KNOWN, SUPPLIED, "estimated", STAND_IN) if ground in told]
    return "、".join(say(f"rests.{ground}", share=told[ground], kinds=kinds) for ground in order)


def _seen(shares: list[dict[str, float]]) -> dict[str, str]:
    """Shares that do not round to nothing, as text."""
    of = {ground: [one[ground] for one in shares] for ground in shares[0]}
    ends = {ground: (f"{min(held):.1%}", f"{max(held):.1%}") for ground, held in of.items()}
    return {g: low if low == high else f"{low}—{high}" for g, (low, high) in ends.items() if high != "0.0%"}


def factors_text(allocation: Allocation, why: Explanation) -> str:
    """What the factors add up to."""
    parts = [
        say("why.adjustment", name=header(ADJUSTMENT), places=f"{places:+.2f}".replace("-", "−"))
        if factor == ADJUSTMENT
        else say("why.contribution", name=allocation.panel.name(str(factor)), places=places)
        for factor, places in why.contributions.items()
    ]
    if why.base:
        parts.insert(0, say("why.base", places=why.base))
    return say("why.entitlement", name=why.name, entitlement=why.entitlement, parts="、".join(parts))


def redistribution_text(allocation: Allocation, why: Explanation) -> list[str]:
    """What caps take back from whom, how it goes to the others, and what that makes of the unit's entitlement."""
    problem = allocation.problem
    over = taken_back(problem.exact, problem.beyond_base(problem.cap.to_list()))
    how = problem.redistribution or NATURAL.get(str(problem.criterion), "")
    if not any(over) or not how:
        return []
    names = _listed([problem.name(label) for label, places in zip(problem.labels, over, strict=True) if places])
    stated = say("why.stated") if problem.redistribution else ""
    told = [say("why.taken_back", names=names, places=float(sum(over)), how=say(f"why.by_{how}"), stated=stated)]
    at = problem.labels.index(why.code)
    if problem.plain.exact[at] != problem.exact[at] and not over[at]:
        told.append(say("why.redistributed", name=why.name, places=float(problem.plain.exact[at]) + why.base))
    return told


def _listed(names: list[str]) -> str:
    """Names, the first few if there are many."""
    return _named(names, "conflict.listed")


def rounding_text(why: Explanation) -> str:
    """What rounding alone would give, and what the rules made of it."""
    step = why.alone - why.unruled
    key = "why.more_by_rules" if step > 0 else "why.less_by_rules" if step < 0 else "why.same"
    return say(key, unruled=why.unruled, quota=why.alone, step=abs(step))


def bounds_text(allocation: Allocation, why: Explanation) -> list[str]:
    """Which bounds hold the unit and what one place of relaxation would do, or else whose bounds moved its places."""
    if not why.bindings:
        return [say("why.free"), *_indirect(allocation, why)]
    return [
        say(
            "why.held" if set(b.limit.weights.values()) == {b.limit.scale} else "why.held_by_measure",
            bound=_bound(allocation, b.limit),
            changes=_changes(allocation, b.shift),
            cost=_worth(b.shift),
        )
        for b in why.bindings
    ]


def _indirect(allocation: Allocation, why: Explanation) -> list[str]:
    """Whose bounds moved a unit that none holds; and its own, if it looks as if they did."""
    described = []
    alone = [x for x in why.lifted if x.places != why.alone]
    own = [x for x in why.lifted if x.limit.kind in ("floor", "cap") and x.limit.name == why.code]
    if why.alone != why.unruled and alone:
        moves = [
            say("why.without", bound=_bound(allocation, x.limit), name=why.name, places=x.places) for x in alone[:_TOLD]
        ]
        described.append(say("why.indirect", moves="；".join(moves)))
    elif why.alone != why.unruled:
        bounds = "、".join(_bound(allocation, x.limit) for x in why.lifted[:_TOLD])
        return [say("why.indirect_joint", bounds=bounds)] if bounds else []
    same = [x for x in own if x.places == why.alone]
    return [*described, *(say("why.at_bound", bound=_bound(allocation, x.limit), places=x.places) for x in same)]


def _bound(allocation: Allocation, limit: Limit) -> str:
    """A bound with its number, and where it is from if its name does not say so."""
    what = limit_text(allocation.problem, limit)
    if limit.kind not in ("floor", "cap"):
        return what
    source = allocation.bounds.at[limit.name, f"{limit.kind}_from"]
    return what if source == say(f"bound.{limit.kind}") else say("why.source", bound=what, source=source)


def _worth(shift: Shift) -> str:
    """How the criterion's value changes."""
    size = f"{abs(shift.cost):.6f}"
    size = size if float(size) else say("why.cost_tiny")
    key = "same" if shift.cost == 0 else "up" if shift.cost > 0 else "down"
    cost = say(f"why.cost_{key}", cost=size)
    if not shift.unserved:
        return cost
    return say(f"why.unserved_{'up' if shift.unserved > 0 else 'down'}", count=abs(shift.unserved), cost=cost)


def _changes(allocation: Allocation, shift: Shift, without: str = "") -> str:
    """Who gains and who gives up places, as 江苏增加1家、浙江减少1家."""
    changes = shift.changes.drop(without) if without else shift.changes
    names = [
        say("why.gains" if n > 0 else "why.gives", name=allocation.problem.name(str(code)), places=abs(n))
        for code, n in changes.items()
    ]
    return _named(names, "why.and_others")


def _named(names: Sequence[str], others: str) -> str:
    """Names one after the other; of many the first and how many there are."""
    if len(names) <= _TOLD:
        return "、".join(names)
    return say(others, names="、".join(names[:_TOLD]), count=len(names))


def _next(allocation: Allocation, why: Explanation, prospects: Prospects) -> list[str]:
    described = []
    for direction, one in (("more", prospects.more), ("fewer", prospects.fewer)):
        if one.shift is None:
            described.append(say(f"why.no_{direction}", name=why.name, rules=_named(one.forbidden, "why.and_more")))
        else:
            others = _changes(allocation, one.shift, without=why.code)
            cost = _worth(one.shift)
            described.append(say(f"why.one_{direction}", name=why.name, places=one.places, others=others, cost=cost))
    return [*described, _measure(allocation), _turn(allocation, why, prospects.turn), *_margins(why, prospects)]


def _measure(allocation: Allocation) -> str:
    """What the criterion's value is."""
    measure = allocation.problem.yardstick
    adds_up = isinstance(measure, Criterion) and measure.summable
    stated = say("why.measure_stated") if allocation.problem.redistribution else ""
    return stated + say(
        "why.measure" if adds_up else "why.measure_largest", criterion=criterion_name(allocation.problem.criterion)
    )


def _turn(allocation: Allocation, why: Explanation, found: Turn) -> str:
    total = allocation.problem.total
    if found.after is not None:
        return say("why.turn", name=why.name, rank=found.rank, after=found.after, total=total + found.after)
    if found.reach == total:
        return say("why.no_turn", name=why.name, quota=why.alone)
    reach = total + found.reach
    return say("why.no_turn_within", name=why.name, quota=why.alone, total=reach, clash=reach + 1)


def _margins(why: Explanation, prospects: Prospects) -> list[str]:
    """How far the entitlement must move; nothing to say where the rules forbid the move."""
    described = []
    for key, at, one in (("up", prospects.gains_at, prospects.more), ("down", prospects.loses_at, prospects.fewer)):
        if at is not None:
            move, to = _moved(why.entitlement, at)
            described.append(say(f"why.{key}", step=move, at=to, places=one.places))
    return [say("why.margins", name=why.name, moves="；".join(described))] if described else []


def _moved(start: float, end: float) -> tuple[str, str]:
    """How far and to where, in as few decimals as show a move, at least two; rounded onward, so that it is enough."""
    onward = ROUND_CEILING if end > start else ROUND_FLOOR
    for decimals in range(2, 10):
        unit = Decimal(1).scaleb(-decimals)
        to = Decimal(repr(end)).quantize(unit, onward)
        move = abs(to - Decimal(repr(start)).quantize(unit, ROUND_HALF_EVEN))
        if move:
            break
    return f"{move:f}", f"{to:f}"
