"""Why a problem has no answer: rules that clash, none of which can be spared, and the cheapest way out."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from zjtx_alloc.base.errors import InfeasibleError, SolverError
from zjtx_alloc.base.messages import say
from zjtx_alloc.quota.crossing.model_relax import admit, least_breach
from zjtx_alloc.quota.problem.limits import Limit, limits, relaxed
from zjtx_alloc.quota.problem.problem import QuotaProblem

_LISTED = 3  # units named in a sentence before 等


@dataclass(frozen=True)
class Conflict:
    """Rules that no quota can keep together, while without any one of them one could."""

    limits: tuple[Limit, ...]  #: The bounds that clash.
    with_total: bool  #: Whether the total takes part.
    text: str  #: One Chinese sentence with the numbers.


@dataclass(frozen=True)
class Relaxation:
    """The least total change of bounds that gives a problem an answer; the total itself stays."""

    #: Tuple of (Limit, int): Each bound to change and its new value, in the measure of ``Limit.value``.
    changes: tuple[tuple[Limit, int], ...]
    total_change: Fraction  #: Sum of the changes: places, or for weighted rules the rule's own measure.
    #: With these bounds; it has an answer, found with the changes and checked without the solver.
    problem: QuotaProblem
    text: str  #: One Chinese sentence with the numbers.


@dataclass(frozen=True)
class Diagnosis:
    """Whether the rules of a problem clash, which ones, and the cheapest way out."""

    conflict: Conflict | None  #: None if the problem has an answer.
    relaxation: Relaxation | None  #: None if the problem has an answer.
    text: str  #: In Chinese; says so if there is no conflict.

    def __str__(self) -> str:
        return self.text


def diagnose(problem: QuotaProblem) -> Diagnosis:
    """Find rules that clash and of which none can be spared, and the cheapest relaxation.

    Bounds are taken one by one: floor and cap of a unit, of a group, of a rule, and that a unit with
    e = 0 takes only its floor. Under nested groups the conflict is found exactly by sums from the bottom up;
    where rules cross, by QuickXplain (Junker 2004) over integer models. The relaxation is the least total
    change of bounds over all of them as they were set, not the first clash's gap. The conflict is irreducible; other
    rules, and fewer, may clash as well.

    Raises
    ------
    SolverError
        If the solver proves neither that some rules clash nor that they do not.
    """
    found = _clash(problem, limits(problem))
    if found is None:
        return Diagnosis(None, None, say("conflict.none", total=problem.total))
    conflict = _conflict(problem, *found)
    relaxation = _relaxation(problem)
    text = say("conflict.diagnosis", conflict=conflict.text, relaxation=relaxation.text)
    return Diagnosis(conflict, relaxation, text)


def diagnosed(problem: QuotaProblem, error: InfeasibleError) -> InfeasibleError:
    """The error with its diagnosis, and the diagnosis in its message."""
    diagnosis = diagnose(problem)
    return InfeasibleError(say("conflict.explained", reason=error, diagnosis=diagnosis), diagnosis)


def _clash(problem: QuotaProblem, given: Sequence[Limit]) -> tuple[list[Limit], bool] | None:
    """Limits that clash, none to spare, and whether the total is part of it; None if they do not clash."""
    units, total = len(problem.labels), problem.total
    if _laminar(given):
        return _nested_clash(given, units, total)
    if admit(given, units, total):
        return None
    # What comes first is rather kept: joint rules, then the largest floors and the smallest caps.
    ordered = sorted(given, key=lambda x: (not x.joint, -x.value if x.lower else x.value))
    least = _irreducible(ordered, lambda some: not admit(some, units, total))
    if _laminar(least):
        return _nested_clash(least, units, total)
    return least, admit(least, units, None)


def _laminar(given: Sequence[Limit]) -> bool:
    if any(weight != 1 for limit in given for weight in limit.weights.values()):
        return False
    sets = list({limit.members for limit in given if len(limit.weights) != 1})
    return all(a <= b or b <= a or not a & b for i, a in enumerate(sets) for b in sets[:i])


@dataclass(frozen=True)
class _Side:
    """The least or most places a set of units can take, and the limits that say so."""

    places: float
    because: tuple[Limit, ...] = ()


def _nested_clash(given: Sequence[Limit], units: int, total: int) -> tuple[list[Limit], bool] | None:
    """Least and most places of each set from the bottom up; the first that crosses names the conflict."""
    own: dict[frozenset[int], list[Limit]] = {frozenset({i}): [] for i in range(units)}
    own.setdefault(whole := frozenset(range(units)), [])
    for limit in given:
        own.setdefault(limit.members, []).append(limit)
    order = sorted(own, key=len)
    joint = [members for members in order if len(members) > 1]
    below: dict[frozenset[int], list[tuple[_Side, _Side]]] = {members: [] for members in order}
    for members in order:
        parts = below[members]
        low, high = _summed([p[0] for p in parts]), _summed([p[1] for p in parts])
        if len(members) == 1 and not parts:
            high = _Side(math.inf)
        low = max([low, *(_Side(x.inward, (x,)) for x in own[members] if x.lower)], key=lambda side: side.places)
        high = min([high, *(_Side(x.inward, (x,)) for x in own[members] if not x.lower)], key=lambda side: side.places)
        if low.places > total and members:  # no unit has no place, whatever the total
            return _just_above(low, total), True
        if low.places > high.places and (members != whole or not members):
            return [*_just_above(low, high.places), *high.because], False
        above = next((m for m in joint if members < m), None)
        if above is not None:
            below[above].append((low, high))
    # `low` and `high` are now those of all units, the last set in order.
    return (list(high.because), True) if high.places < total else None


def _summed(sides: Sequence[_Side]) -> _Side:
    return _Side(sum(side.places for side in sides), tuple(limit for side in sides for limit in side.because))


def _just_above(side: _Side, least: float) -> list[Limit]:
    """The largest of these bounds, as few as together exceed ``least``; none of them can be spared."""
    chosen: list[Limit] = []
    for limit in sorted(side.because, key=lambda x: -x.inward):
        if sum(x.inward for x in chosen) > least:
            break
        chosen.append(limit)
    return chosen


def _irreducible(given: list[Limit], clash: Callable[[list[Limit]], bool]) -> list[Limit]:
    """QuickXplain: a subset that clashes and of which no limit can be spared, the first rather kept."""

    def needed(kept: list[Limit], grown: bool, rest: list[Limit]) -> list[Limit]:
        if grown and clash(kept):
            return []
        if len(rest) == 1:
            return rest
        first, second = rest[: len(rest) // 2], rest[len(rest) // 2 :]
        of_second = needed([*kept, *first], True, second)
        of_first = needed([*kept, *of_second], bool(of_second), first)
        return of_first + of_second

    return needed([], False, given)


def _conflict(problem: QuotaProblem, least: list[Limit], with_total: bool) -> Conflict:
    """The conflict with its sentence: what is too much against what is too little, or else a list."""
    total = [say("conflict.total", total=problem.total)] if with_total else []
    if _laminar(least) and all(limit.scale == 1 for limit in least):  # else sides are in different measures
        lower, upper = [x for x in least if x.lower], [x for x in least if not x.lower]
        rest = (total or ["0"])[0]  # a rule over no unit is always 0
        much = _together(problem, lower) if lower else rest
        little = _together(problem, upper) if upper else rest
        text = say("conflict.above", much=much, little=little)
    else:
        text = say("conflict.list", rules="、".join([*(limit_text(problem, x) for x in least), *total]))
    return Conflict(tuple(least), with_total, text)


def limit_text(problem: QuotaProblem, limit: Limit) -> str:
    """One bound with its number as it was set, as 西部下限 400, and what whole places make of it."""
    text = f"{_called(problem, limit)} {_number(Fraction(limit.value) / limit.scale)}"
    if limit.inward == limit.value:
        return text
    return text + say("conflict.inward", value=_number(Fraction(limit.inward, limit.scale)))


def _called(problem: QuotaProblem, limit: Limit) -> str:
    is_base = limit.kind == "floor" and limit.value and limit.value == problem.base.iloc[limit.number]
    side = "base" if is_base else limit.side
    return say(f"limit.{side}", name=limit.name if limit.joint else problem.name(limit.name))


def _number(value: Fraction) -> str:
    return f"{value.numerator}" if value.denominator == 1 else f"{float(value):.10g}"


def _together(problem: QuotaProblem, side: list[Limit]) -> str:
    """The bounds on one side of a conflict with their sum, as 西部各单位上限之和 312."""
    if len(side) == 1:
        return limit_text(problem, side[0])
    kind = "floors" if side[0].lower else "caps"
    joint = [x.name for x in side if x.joint]
    units = [x for x in side if not x.joint]
    names = "、".join([*joint, *([_units(problem, units)] if units else [])])
    zeros = [problem.name(x.name) for x in side if x.kind == "zero"]
    remark = say("conflict.zeros", names=_listed(zeros)) if zeros else ""
    remark += say("conflict.each_inward") if any(x.inward != x.value for x in side) else ""
    return say(f"conflict.{kind}", names=names, sum=sum(x.inward for x in side), remark=remark)


def _units(problem: QuotaProblem, side: list[Limit]) -> str:
    """Units by the name of the group they make up, or as a list."""
    members = {problem.labels[x.number] for x in side}
    if len(members) == len(problem.labels):
        return say("conflict.all_units")
    for group in problem.groups:
        if members == set(group.members):
            return say("conflict.units_of", group=group.name)
    return _listed([problem.name(x.name) for x in side])


def _listed(names: list[str]) -> str:
    if len(names) <= _LISTED:
        return "、".join(names)
    return say("conflict.listed", names="、".join(names[:_LISTED]), count=len(names))


def _relaxation(problem: QuotaProblem) -> Relaxation:
    given = limits(problem)
    places = least_breach(given, len(problem.labels), problem.total)
    changes = [(limit, limit.reached(places)) for limit in given if limit.excess(places)]
    loosened = relaxed(problem, changes)
    loosened.check_bounds()
    if broken := loosened.violations(places):
        raise SolverError(say("solver.broken", what="；".join(broken)))
    step = sum((limit.excess(places) for limit, _ in changes), Fraction(0))
    sentences = [_change(problem, alike) for alike in _alike(changes)]
    text = say("conflict.relaxation", total=problem.total, step=_number(step), changes="；".join(sentences))
    return Relaxation(tuple(changes), step, loosened, text)


def _alike(changes: Sequence[tuple[Limit, int]]) -> list[list[tuple[Limit, int]]]:
    """Units whose bounds change in the same way are named together."""
    sets: dict[object, list[tuple[Limit, int]]] = {}
    for limit, new in changes:
        key = (limit.kind, limit.number, limit.lower) if limit.joint else (limit.kind, limit.value, new)
        sets.setdefault(key, []).append((limit, new))
    return list(sets.values())


def _change(problem: QuotaProblem, alike: list[tuple[Limit, int]]) -> str:
    limit, new = alike[0]
    what = _called(problem, limit)
    if len(alike) > 1:
        what = say(f"limit.{limit.side}", name=_listed([problem.name(x.name) for x, _ in alike]))
    old, new_value = (_number(Fraction(value) / limit.scale) for value in (limit.value, new))
    return say("conflict.lowered" if new < limit.value else "conflict.raised", what=what, old=old, new=new_value)
