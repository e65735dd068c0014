"""The allocation table (名额分配表): its columns are computed here once, and each place shows its own choice of them."""

from collections.abc import Mapping

import pandas as pd

from zjtx_alloc.allocation.allocate import Allocation
from zjtx_alloc.base.messages import say
from zjtx_alloc.facts.panel import KNOWN

_BOUNDS = ("floor", "cap_set")
_LAST = ("previous", "previous_approved", "from_last")  # where there is a batch before

VIEWS: Mapping[str, tuple[str, ...]] = {
    "csv": ("code", "short_name", "region", "entitlement", "quota", "floor", "cap", "binds", "estimated", "stand_in", *_LAST),
    "people": ("code", "short_name", "region", "entitlement", "quota", "floor", "cap_set", "binds", "estimated", "stand_in", *_LAST),
    "page": (  # name and quota first, which a phone shows without sliding
        "short_name", "quota", *_LAST, "entitlement", "difference", "region", "floor", "cap_set", "binds",
        "rests_known", "rests_user", "rests_split", "rests_adjusted", "rests_modelled", "rests_filled", "rests_stand_in",
    ),
    "sheet": (
        "code", "short_name", "region", "entitlement", "quota", *_LAST, "difference", "floor", "cap_set", "binds",
        "rests_known", "rests_user", "rests_split", "rests_adjusted", "rests_modelled", "rests_filled", "rests_stand_in",
    ),
    "annex": ("serial", "short_name", "region", "entitlement", "quota", "quota_min", "quota_max", "binds", "rests_known"),
    "annex_next": (
        "short_name", "entitlement", "quota", "previous", "previous_approved", "from_last", "quota_min", "quota_max", "why",
    ),
    "explorer": ("short_name", "region", "entitlement", "quota", "baseline", "step", "binds", "rests_known"),
    "replan": ("code", "short_name", "previous", "previous_approved", "separate", "quota", "step", "why"),
    "comparison": ("code", "short_name", "region", "entitlement", "quota"),
}  # fmt: skip


def allocation_view(allocation: Allocation, view: str, **beside: pd.Series) -> pd.DataFrame:
    """The allocation table as one of ``VIEWS``: index ``code``, a row a unit in the official order, no total row.

    ``beside`` are columns that need more than the allocation (a baseline, ranges); the view goes without those not given,
    and without what no entitlement rests on but the published. A page goes without a bound that is the same for all units:
    the table of rules says it once.
    """
    due, table = allocation.entitlement, allocation.table()
    others = due.rests_on.drop(columns=KNOWN)
    table = table.assign(
        code=table.index,
        serial=range(1, len(table) + 1),
        difference=table["quota"] - table["entitlement"],
        cap_set=table["cap"].where(table["cap"] < allocation.scenario.total),
        rests_known=due.rests_on[KNOWN],
        **{f"rests_{ground}": part.where(part > 0) for ground, part in others.items() if part.any()},
        **(_against_last(allocation) | _against_itself(allocation) | beside),
    )
    columns = [column for column in VIEWS[view] if column in table]
    same = {name for name in _BOUNDS if view == "page" and table[name].nunique(dropna=False) == 1}
    return table[[column for column in columns if column not in same]]


def _against_last(allocation: Allocation) -> dict[str, pd.Series]:
    """Quota and known approvals of the batch before, and the change from it; empty without one."""
    before = None if allocation.counted is None else allocation.counted.before
    if before is None:
        return {}
    approved = pd.Series(before.scenario.known.approved, dtype="Int64").reindex(before.quota.index)
    found = {"previous": before.quota, "from_last": allocation.quota - before.quota}
    return found | ({"previous_approved": approved} if approved.notna().any() else {})


def _against_itself(allocation: Allocation) -> dict[str, object]:
    """The quota of the batch on its own, what the programme makes of it, and why."""
    alone, counted = allocation.solution.quota, allocation.counted
    return {"separate": alone, "step": allocation.quota - alone, "why": "" if counted is None else counted.why}


def allocation_total(allocation: Allocation, table: pd.DataFrame) -> dict[str, object]:
    """The total row of a view, by column: the places, and what they rest on; nothing for other columns."""
    due = allocation.entitlement
    return {
        "short_name": say("table.total"),
        "entitlement": allocation.scenario.total,
        **{f"rests_{ground}": share for ground, share in due.rests_on_share.items()},
        **{
            name: int(table[name].sum())
            for name in ("quota", "previous", "previous_approved", "from_last", "baseline", "step")
            if name in table
        },
    }
