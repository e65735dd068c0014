"""The allocation table (名额分配表): its columns are computed here once, and each place shows its own choice of them."""

from collections.abc import Mapping

import pandas as pd

from zjtx_alloc.allocation.allocate import Allocation
from zjtx_alloc.base.messages import say

VIEWS: Mapping[str, tuple[str, ...]] = {
    "csv": ("code", "short_name", "region", "entitlement", "quota", "floor", "cap", "binds", "estimated", "stand_in"),
    "page": (
        "code", "short_name", "region", "entitlement", "quota", "difference", "floor", "cap_set", "binds",
        "estimated", "estimated_part", "stand_in", "stand_in_part",
    ),
    "annex": ("serial", "short_name", "region", "entitlement", "quota", "quota_min", "quota_max", "binds", "marks"),
    "explorer": ("short_name", "region", "entitlement", "quota", "baseline", "step", "binds", "estimated", "stand_in"),
    "comparison": ("code", "short_name", "region", "entitlement", "quota"),
}  # fmt: skip


def allocation_view(allocation: Allocation, view: str, **beside: pd.Series) -> pd.DataFrame:
    """The allocation table as one of ``VIEWS``: index ``code``, a row a unit in the official order, no total row.

    ``beside`` are columns that need more than the allocation (a baseline, ranges); the view goes without those not given.
    """
    due, table = allocation.entitlement, allocation.table()
    table = table.assign(
        code=table.index,
        serial=range(1, len(table) + 1),
        difference=table["quota"] - table["entitlement"],
        cap_set=table["cap"].where(table["cap"] < allocation.scenario.total),
        estimated_part=due.estimated.where(due.estimated > 0),
        stand_in_part=due.stand_in.where(due.stand_in > 0),
        marks=["、".join(filter(None, pair)) for pair in zip(table["estimated"], table["stand_in"], strict=True)],
        **beside,
    )
    return table[[column for column in VIEWS[view] if column in table]]


def allocation_total(allocation: Allocation, table: pd.DataFrame) -> dict[str, object]:
    """The total row of a view, by column: the places and the parts that carry marks; nothing for other columns."""
    due = allocation.entitlement
    return {
        "short_name": say("table.total"),
        "entitlement": allocation.scenario.total,
        "estimated_part": due.estimated_share,
        "stand_in_part": due.stand_in_share,
        **{name: int(table[name].sum()) for name in ("quota", "baseline", "step") if name in table},
    }
