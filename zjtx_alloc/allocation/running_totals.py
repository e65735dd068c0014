"""Running totals (累计名额) of several batches that follow what is due: the optimum around those that are known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import pandas as pd

from zjtx_alloc.allocation.allocate import Allocation
from zjtx_alloc.base.messages import say
from zjtx_alloc.quota.crossing.model_plan import Course, solve_plan
from zjtx_alloc.quota.nested.continuous import bounded_entitlement, wanted_of
from zjtx_alloc.quota.problem.problem import QuotaProblem


@dataclass(frozen=True)
class Plan:
    """Quotas of several batches that belong together."""

    allocations: tuple[Allocation, ...]  #: The batches, each allocated on its own.
    #: Index (batch, code); short_name, target (the batch's bounded entitlement 有界理论名额: the optimum of its own
    #: problem in real numbers), separate (its quota on its own), counts (the quota that counts,
    #: ``Allocation.quota``), quota (int64; what was approved or granted in a batch that is known), running (sum of
    #: quota so far), running_target (what the unit is due so far; in a batch that is known, its part of all that was
    #: approved), known (bool).
    table: pd.DataFrame
    cost: float  #: Σ (running − running_target)² over the batches that are planned.
    #: What shows that the cost meets a lower bound within 1e-6: ``dual``, prices (recomputed in fractions), or, where
    #: rules cross, ``bound``, the solver's word.
    proof: str
    pool_until: int  #: The last batch that 可推荐企业数 cap; 0 if they cap none.

    @property
    def quota(self) -> pd.DataFrame:
        """Places, index ``code``, a column a batch."""
        codes = self.allocations[0].quota.index
        return self.table["quota"].unstack("batch").reindex(codes)


def known_places(allocation: Allocation) -> list[int] | None:
    """What running totals count of a batch that is known: its quotas; its approved firms if failed reviews are made good.

    None while neither the quotas nor the approvals of all units are known.
    """
    known, alone = allocation.scenario.known, allocation.solution.quota
    if len(alone) not in (len(known.granted), len(known.approved)):
        return None
    if allocation.scenario.approval.unused == "pool" and len(known.approved) == len(alone):
        return [known.approved[str(code)] for code in alone.index]
    return [known.granted.get(str(c), max(int(n), known.approved.get(str(c), 0))) for c, n in alone.items()]


def planned(allocations: tuple[Allocation, ...], known: Mapping[int, list[int]]) -> Plan:
    """The batches planned together around those whose places are known, by batch in the order of the units."""
    due = [bounded_entitlement(allocation.problem) for allocation in allocations]
    units = len(due[0])
    ideal = reached = [Fraction(0)] * units
    past = [0] * units  # places of known batches, which targets of the model leave out
    problems, targets, running = [], [], []
    for allocation, batch_due in zip(allocations, due, strict=True):
        places = known.get(allocation.scenario.batch)
        if places is None:
            ideal = _added(ideal, batch_due)
            reached = _added(reached, _towards(allocation.problem, ideal, reached))
            problems.append(allocation.problem)
            targets.append(tuple(r - p for r, p in zip(reached, past, strict=True)))
            running.append(reached)
        else:
            ideal, reached = _added(ideal, _scaled(batch_due, sum(places))), _added(reached, places)
            past = [a + p for a, p in zip(past, places, strict=True)]
            running.append(ideal)
    numbers = tuple(a.scenario.batch for a in allocations if a.scenario.batch not in known)
    found = solve_plan(Course(tuple(problems), (0,) * units, tuple(targets), numbers)) if problems else None
    open_places = iter(found.places if found else [])
    places_of = [known.get(a.scenario.batch) or next(open_places) for a in allocations]
    table = _table(allocations, due, places_of, running, known)
    pooled = [a.scenario.batch for a in allocations if a.is_pooled]
    return Plan(
        allocations,
        table,
        float(found.cost) if found else 0.0,
        found.proof if found else "dual",
        max(pooled, default=0),
    )


def _scaled(targets: list[Fraction], total: int) -> list[Fraction]:
    """A known batch's targets, shrunk to what was approved in all."""
    whole = sum(targets, Fraction(0))
    return [t * total / whole for t in targets]


def _added(one: Sequence[Fraction], other: Sequence[Fraction | int]) -> list[Fraction]:
    return [a + b for a, b in zip(one, other, strict=True)]


def _towards(problem: QuotaProblem, ideal: list[Fraction], reached: list[Fraction]) -> list[Fraction]:
    """The batch's real places that bring running totals closest to what is due, within its rules."""
    places = tuple(d - r for d, r in zip(ideal, reached, strict=True))
    return bounded_entitlement(problem, replace(wanted_of(problem), places=places))


def _table(
    allocations: tuple[Allocation, ...],
    due: list[list[Fraction]],
    places: list[list[int]],
    running_targets: list[list[Fraction]],
    known: Mapping[int, list[int]],
) -> pd.DataFrame:
    parts = {}
    running = 0
    for number, allocation in enumerate(allocations):
        quota = pd.Series(places[number], index=allocation.quota.index, dtype="int64")
        running = running + quota
        parts[allocation.scenario.batch] = pd.DataFrame(
            {
                "short_name": allocation.panel.units["short_name"],
                "target": [float(t) for t in due[number]],
                "separate": allocation.solution.quota,
                "counts": allocation.quota,
                "quota": quota,
                "running": running,
                "running_target": [float(t) for t in running_targets[number]],
                "known": allocation.scenario.batch in known,
            }
        )
    return pd.concat(parts, names=["batch", "code"])


def why_moved(arrears: float, difference: int) -> str:
    """Why a plan gives a unit more or fewer places: to make good what earlier batches left it short, or since others moved."""
    if arrears * difference > 0 and abs(arrears) >= 0.5:
        return say("plan.short" if arrears > 0 else "plan.over", places=abs(arrears))
    return say("plan.rounding")
