"""Why this number: from the factors of one unit to its quota, and what would have to change for another."""

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from zjtx_alloc.allocation.allocate import Allocation
from zjtx_alloc.allocation.explanation_text import (
    Explanation,
    Prospects,
    factors_text,
    rounding_text,
    sentences,
)
from zjtx_alloc.base.errors import ScenarioError
from zjtx_alloc.base.messages import say
from zjtx_alloc.base.text import shown
from zjtx_alloc.base.units import find_unit
from zjtx_alloc.quota.whatif import bindings, entitlement_for, lifted, step, turn, unruled


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
        raise ScenarioError(say("why.unknown", name=shown(unit), known=known))
    problem, quota = allocation.problem, allocation.solution.quota
    why = _rounded(allocation, code, unruled(problem))
    if not why.decision:
        why = replace(why, bindings=bindings(problem, quota, code), prospects=_prospects(allocation, code))
    if not (why.decision or why.bindings):
        why = replace(why, lifted=lifted(problem, quota, code))
    return replace(why, text="\n".join(sentences(allocation, why)))


def grounds(allocation: Allocation, codes: Sequence[str]) -> dict[str, str]:
    """The short of ``explain`` for several units, by code: factors, rounding, and the bounds that hold the unit."""
    rounding, binds = unruled(allocation.problem), allocation.table()["binds"]
    described = {}
    for code in codes:
        why = _rounded(allocation, code, rounding)
        if why.decision:
            rest = [say("why.decision", reason=why.decision)]
        elif why.is_other and allocation.counted is not None:
            rest = [say("why.counted_for", alone=why.alone, quota=why.quota, why=allocation.counted.why[code])]
        elif not binds[code] and why.alone == why.unruled:
            rest = [say("why.rounded", quota=why.alone)]
        elif not binds[code]:
            rest = [rounding_text(why), say("why.by_others")]
        else:
            rest = [rounding_text(why), say("why.bound_by", bounds=binds[code])]
        described[code] = "".join([factors_text(allocation, why), *rest])
    return described


def _rounded(allocation: Allocation, code: str, rounding: pd.Series) -> Explanation:
    """What is known before any problem is changed."""
    due, fixed = allocation.entitlement, allocation.scenario.fixed.get(code)
    return Explanation(
        code=code,
        name=allocation.problem.name(code),
        contributions=due.contributions.loc[code],
        entitlement=float(due.places[code]),
        rests_on=due.rests_on.loc[code],
        estimated=float(due.estimated[code]),
        stand_in=float(due.stand_in[code]),
        base=int(due.base[code]),
        unruled=int(rounding[code]),
        quota=int(allocation.quota[code]),
        alone=int(allocation.solution.quota[code]),
        decision="" if fixed is None else fixed.reason,
    )


def _prospects(allocation: Allocation, code: str) -> Prospects:
    problem, quota = allocation.problem, allocation.solution.quota
    base, more, fewer = int(problem.base[code]), step(problem, quota, code, 1), step(problem, quota, code, -1)
    gains_at, loses_at = (entitlement_for(problem, quota, code, one) for one in (more, fewer))
    return Prospects(
        more=more,
        fewer=fewer,
        turn=turn(problem, quota, code),
        gains_at=None if gains_at is None else gains_at + base,
        loses_at=None if loses_at is None else loses_at + base,
    )
