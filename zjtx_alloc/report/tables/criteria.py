"""One batch under every criterion, and how fair each answer is."""

from collections.abc import Mapping

import pandas as pd

from zjtx_alloc.allocation.allocate import Allocation
from zjtx_alloc.allocation.explanation_text import Explanation
from zjtx_alloc.allocation.fairness import Paradoxes, fairness
from zjtx_alloc.base.messages import say
from zjtx_alloc.quota.problem.criteria import CRITERIA, criterion_name
from zjtx_alloc.report.notes.marks import criterion_text, crossing_note, marks_note
from zjtx_alloc.report.table import Column, Table, titled


def criterion_table(allocations: dict[str, Allocation]) -> Table:
    """Quotas side by side, a column a criterion, and the totals."""
    first = next(iter(allocations.values()))
    quotas = {Column(criterion_text(c), "count"): a.quota for c, a in allocations.items()}
    frame = first.panel.units[["short_name"]].assign(entitlement=first.entitlement.places).join(pd.DataFrame(quotas))
    missing = "、".join(criterion_text(c) for c in CRITERIA if c not in allocations)
    absent = [say("note.not_admitted", names=missing)] if missing else []
    described = (*(criterion_name(c) for c in allocations), *absent, *crossing_note(first))
    notes = (*described, *marks_note(first), say("note.weights"))
    return titled("criteria", frame, *notes)


def criterion_summary(allocations: dict[str, Allocation]) -> str:
    """How many places another way of rounding moves, as Markdown."""
    first, *others = (allocation.quota for allocation in allocations.values())
    if not others:
        return "- " + say("criteria.alone")
    steps = pd.concat([quota - first for quota in others], axis=1)
    units, most = int(steps.ne(0).any(axis=1).sum()), int(steps.abs().max(axis=None))
    return "- " + say("criteria.moved" if units else "criteria.same", count=len(others), units=units, most=most)


def index_table(allocations: dict[str, Allocation]) -> Table:
    """The indices of fairness, a row a criterion."""
    first = next(iter(allocations.values()))
    rows = []
    for criterion, allocation in allocations.items():
        found = fairness(allocation)
        rows.append(
            {
                "criterion": criterion_text(criterion),
                "moved": int((allocation.quota - first.quota).clip(lower=0).sum()),
                "largest": float(found.units["deviation"].abs().max()),
                "gallagher": found.gallagher,
                "loosemore_hanby": found.loosemore_hanby,
                "sainte_lague": found.sainte_lague,
                "seat_bias": found.seat_bias,
                "violations": "、".join(found.violations["short_name"]),
            }
        )
    return titled("indices", pd.DataFrame(rows), say("note.indices"), *marks_note(first))


def rate_table(allocation: Allocation) -> Table:
    """Places per 1,000 firms by region, and their inequality in the notes."""
    found = fairness(allocation)
    frame = found.regions.reset_index()[["region", "entitlement", "quota", "firms", "per_1000"]]
    parts = [
        say("note.gini", whole=found.gini.whole, between=found.gini.between, within=found.gini.within,
            overlap=found.gini.overlap),
        say("note.theil", whole=found.theil.whole, between=found.theil.between, within=found.theil.within),
    ]  # fmt: skip
    return titled("rates", frame, say("note.rates", counted=found.counted), *parts, *marks_note(allocation))


def paradox_note(found: Mapping[str, Paradoxes]) -> str:
    """House monotonicity around the total, a line of Markdown a criterion; that rules cross, if there is none."""
    return "\n".join(f"- {criterion_text(name)}：{described}" for name, described in found.items()) or say(
        "note.not_checked"
    )


def explanation(why: Explanation) -> str:
    """The sentences of an explanation as a Markdown list."""
    return "\n".join(f"- {line}" for line in why.text.splitlines())
