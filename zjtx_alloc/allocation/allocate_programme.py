"""The quota of each batch that counts (以此为准的名额): one function decides it, from the batches of a programme together.

A batch on its own is the optimum of its own problem. What is known of it (下达名额), running totals (取整结转) and what
becomes of the last batch's unused places (未用名额) may make another quota of it; everything that shows a quota shows that.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pandas as pd

from zjtx_alloc.allocation.allocate import Allocation, Counted, allocated
from zjtx_alloc.allocation.approved import approved_firms
from zjtx_alloc.allocation.plan import known_places, planned, why_moved
from zjtx_alloc.base.messages import say
from zjtx_alloc.facts.panel import Panel
from zjtx_alloc.rules.own_columns import pool_caps
from zjtx_alloc.rules.scenario import DEFAULT, Scenario
from zjtx_alloc.rules.scenario_files import companions


def allocate_programme(panel: Panel, scenario: Scenario, own: Allocation | None = None) -> tuple[Allocation, ...]:
    """Allocate a scenario and its companions (``budget_with``), in batch order; their quotas are those that count.

    A user's 可推荐企业数 cap the scenario's own batch; a later batch is capped by that count less the firms approved since
    and plus those newly certified, for the units for which both are known.

    Parameters
    ----------
    own : Allocation, optional
        The scenario's own batch where it is known already.
    """
    return _among(panel, scenario, companions(scenario), own)


def allocate_batch(panel: Panel, scenario: Scenario) -> Allocation:
    """One batch with the quota that counts, as ``allocate_programme`` gives it; later ones are allocated only if it needs them."""
    needed = [one for one in companions(scenario) if one.batch < scenario.batch or scenario.carry_rounding]
    return next(one for one in _among(panel, scenario, needed, None) if one.scenario.batch == scenario.batch)


def _among(
    panel: Panel, scenario: Scenario, others: Sequence[Scenario], own: Allocation | None
) -> tuple[Allocation, ...]:
    found = _with_pools(sorted([scenario, *others], key=lambda item: item.batch), scenario, panel)
    items = [own if own is not None and one.batch == scenario.batch else one for one in found]
    return counted(allocated(items, panel, scenario.batch))


def counted(allocations: Sequence[Allocation]) -> tuple[Allocation, ...]:
    """The allocations in batch order, each with the quota that counts among them.

    One that was counted among more batches than these stays as it is.
    """
    ordered = tuple(sorted(allocations, key=lambda one: one.scenario.batch))
    here = {one.scenario.batch for one in ordered}
    if any(one.counted is not None and not one.counted.among <= here for one in ordered):
        return ordered
    ordered = tuple(replace(one, counted=None) for one in ordered)
    carrying = _planned(ordered)
    found: list[Allocation] = []
    for one in ordered:
        before = found[-1] if found else None
        found.append(replace(one, counted=_of_batch(one, carrying.get(one.scenario.batch), before, frozenset(here))))
    return tuple(found)


def _planned(ordered: tuple[Allocation, ...]) -> Mapping[int, pd.DataFrame]:
    """The batches whose running totals count: quota, and what each unit was short of before (arrears); none where nothing is carried."""
    known = {one.scenario.batch: places for one in ordered if (places := known_places(one)) is not None}
    alone = {one.scenario.batch: [int(x) for x in one.solution.quota] for one in ordered}
    batches = [one.scenario.batch for one in ordered]
    follows = {
        batch for batch, one, last in zip(batches, ordered, (None, *ordered), strict=False)
        if batch not in known and (one.scenario.carry_rounding or (last is not None and _is_made_good(last)))
    }  # fmt: skip
    if follows <= {batches[0]}:
        return {}
    kept = {batch: known.get(batch, alone[batch]) for batch in batches if batch not in follows}
    table = planned(ordered, kept).table
    table["arrears"] = (table["running_target"] - table["running"]).groupby("code").shift()
    return {batch: table.loc[batch, ["quota", "arrears"]] for batch in follows}


def _is_made_good(allocation: Allocation) -> bool:
    """Whether the next batch makes good, within its own total, what this one's known approvals left short."""
    return allocation.scenario.approval.unused == "pool" and len(allocation.scenario.known.approved) == len(
        allocation.solution.quota
    )


def _of_batch(
    one: Allocation, planned_so: pd.DataFrame | None, before: Allocation | None, among: frozenset[int]
) -> Counted:
    scenario = one.scenario
    base = one.solution.quota if planned_so is None else planned_so["quota"]
    carried = base * 0
    if before is not None and before.scenario.approval.unused == "unit":
        carried = before.quota - before.approved
    granted = pd.Series(scenario.known.granted, dtype="int64").reindex(base.index)
    approved = pd.Series(scenario.known.approved, dtype="int64").reindex(base.index)
    computed = (base + carried).astype("int64")
    # At least as many places as firms approved must have been granted, whatever the model says.
    quota = granted.fillna(computed.where(~(approved > computed), approved)).astype("int64")
    order = [one.problem.labels[i] for i in one.problem.order]
    assumed = approved_firms(quota, scenario.approval.exact, order)
    firms = approved.fillna(assumed).astype("int64").rename("approved")
    return Counted(
        quota=quota.rename("quota"),
        approved=firms,
        carried=int((quota - base).sum()) if granted.isna().all() and carried.any() else 0,
        ways=tuple(_ways(base, carried, (granted, approved), one)),
        among=among,
        why=_why(one, quota, carried, planned_so),
        before=before,
    )


def _why(one: Allocation, quota: pd.Series, carried: pd.Series, planned_so: pd.DataFrame | None) -> pd.Series:
    """Why each unit's quota is another than in the batch on its own, in Chinese; blank where it is the same."""
    known, alone = one.scenario.known, one.solution.quota
    found = []
    for code, difference in (quota - alone).items():
        reasons = []
        if str(code) in known.granted:
            reasons.append(say("counted.why_granted", alone=alone[code]))
        elif known.approved.get(str(code)) == quota[code]:
            reasons.append(say("counted.why_approved"))
        else:
            if planned_so is not None and planned_so.at[code, "quota"] != alone[code]:
                reasons.append(
                    why_moved(planned_so.at[code, "arrears"], int(planned_so.at[code, "quota"] - alone[code]))
                )
            if carried[code]:
                reasons.append(say("counted.why_unit", places=carried[code]))
        found.append("；".join(reasons) if difference else "")
    return pd.Series(found, index=quota.index, name="why")


def _ways(base: pd.Series, carried: pd.Series, known: tuple[pd.Series, pd.Series], one: Allocation) -> list[str]:
    """What makes the quota another than the batch's own: granted, approved, rounding, unit."""
    granted, approved = known
    found = ["granted"] if granted.notna().any() else []
    if granted.notna().all():
        return found
    found += ["approved"] if (approved > base + carried)[granted.isna()].any() else []
    found += [] if base.equals(one.solution.quota) else ["rounding"]
    return found + (["unit"] if carried.any() else [])


def _with_pools(scenarios: Sequence[Scenario], own: Scenario, panel: Panel) -> list[Scenario]:
    """The scenarios, those without 可推荐企业数 of their own with what is left of an earlier batch's, unit by unit."""
    left: dict[str, int] = {}
    found = []
    for number, one in enumerate(scenarios):
        if number:
            last, new = scenarios[number - 1].known.approved, one.certified
            left = {
                code: max(count - last[code] + new.get(code, new.get(DEFAULT, 0)), 0)
                for code, count in left.items() if code in last and (code in new or DEFAULT in new)
            }  # fmt: skip
        given = {**(pool_caps(panel) if one is own else {}), **one.eligible_pool}
        left = {**left, **given}
        found.append(one if given or not left else one.model_copy(update={"eligible_pool": dict(left)}))
    return found
