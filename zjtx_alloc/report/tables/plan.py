"""The tables and sentences of a plan over several batches."""

from collections.abc import Iterator
from itertools import pairwise

import pandas as pd

from zjtx_alloc.allocation.explanation_text import rests_text
from zjtx_alloc.allocation.running_totals import Plan
from zjtx_alloc.base.messages import say
from zjtx_alloc.report.notes.user_data import replaced_note
from zjtx_alloc.report.table import Column, Table, signed, titled

_NAMED = 5  # units named with a figure


def plan_table(plan: Plan) -> Table:
    """The quotas that count by unit and batch, the other way beside them, and what each unit has and is due in all."""
    table, last = plan.table, plan.table.index.get_level_values("batch").max()
    ends, carrying = table.xs(last, level="batch"), _carrying(plan)
    frame = ends[["short_name"]].copy()
    for batch in table.index.unique("batch"):
        rows = table.xs(batch, level="batch")
        frame[Column(say("plan.counts", batch=batch), "count")] = rows["counts"]
        if not rows["known"].all():
            other = ("plan.own", "separate") if batch in carrying else ("plan.planned", "quota")
            frame[Column(say(other[0], batch=batch), "count")] = rows[other[1]]
        elif not rows["quota"].equals(rows["counts"]):
            frame[Column(say("plan.approved_of", batch=batch), "count")] = rows["quota"]
    frame["running_target"] = ends["running_target"]
    frame["running"] = _running(plan)
    frame["off_target"] = frame["running"] - ends["running_target"]
    total = frame.drop(columns="short_name").sum().to_dict() | {"short_name": say("table.total")}
    return titled("plan", frame, *plan_notes(plan), *plan_marks(plan), total=total)


def _carrying(plan: Plan) -> list[int]:
    """The batches whose quota that counts follows running totals."""
    return [a.scenario.batch for a in plan.allocations if a.counted and "rounding" in a.counted.ways]


def _running(plan: Plan) -> pd.Series:
    """What each unit has in all, index ``code``: the quotas that count; of a batch that is known what it is known for."""
    return plan.table["counts"].where(~plan.table["known"], plan.table["quota"]).groupby("code").sum()


def deviations(plan: Plan) -> pd.DataFrame:
    """Running total less what is due, index (batch, code): of batches on their own (separate), of the plan (planned)."""
    table = plan.table
    alone = table["separate"].where(~table["known"], table["quota"]).groupby("code").cumsum()
    return pd.DataFrame(
        {"separate": alone - table["running_target"], "planned": table["running"] - table["running_target"]}
    )


def deviation_table(plan: Plan) -> Table:
    """How far running totals are from what is due after each batch, on their own and planned together."""
    off = deviations(plan)
    rows = [
        {
            "batch": say("table.batch", batch=batch),
            "largest_alone": part["separate"].abs().max(),
            "largest_planned": part["planned"].abs().max(),
            "over_alone": int((part["separate"].abs() >= 1).sum()),
            "over_planned": int((part["planned"].abs() >= 1).sum()),
            "squares_alone": (part["separate"] ** 2).sum(),
            "squares_planned": (part["planned"] ** 2).sum(),
        }
        for batch, part in off[~plan.table["known"]].groupby("batch")
    ]
    return titled("deviations", pd.DataFrame(rows), *plan_notes(plan), *plan_marks(plan))


def plan_notes(plan: Plan) -> tuple[str, ...]:
    """What running totals follow, and what 可推荐企业数 has to do with it."""
    capped = [str(a.scenario.batch) for a in plan.allocations if a.is_pooled]
    pool = say("plan.pool_own", batch="、".join(capped)) if capped else say("note.eligible_pool")
    changes = [a.scenario.name for a in plan.allocations if a.scenario.change is not None]
    return (
        say("plan.counts_note"),
        say("plan.target"),
        pool,
        *([say("plan.change", names="、".join(changes))] if changes else []),
    )


def plan_marks(plan: Plan) -> tuple[str, ...]:
    """What each batch's entitlements rest on, by the batch, and whose figures the factors are."""
    rests = [
        say("plan.rests", batch=a.scenario.batch, parts=rests_text(a.entitlement.rests_on_share))
        for a in plan.allocations
    ]
    return (*rests, say("note.weights"), *dict.fromkeys(note for a in plan.allocations for note in replaced_note(a)))


def plan_intro(plan: Plan) -> str:
    """What the page compares, and which of the two ways counts."""
    batches = "、".join(say("table.batch", batch=batch) for batch in _carrying(plan))
    which = say("plan.carrying", batches=batches) if batches else say("plan.alone")
    return say("plan.intro", which=which)


def plan_summary(plan: Plan) -> str:
    """The conclusions of the page, as Markdown: the quotas that count, then the two ways of rounding beside each other."""
    table, still = plan.table, ~plan.table["known"]
    totals = "、".join(
        f"{say('table.batch', batch=batch)}{total:,}" for batch, total in table["counts"].groupby("batch").sum().items()
    )
    lines = [say("plan.counted", totals=totals, within=_within(plan)), *_carried(plan)]
    if still.any():
        off = deviations(plan)[still].abs().max()
        named = "、".join(
            say("table.batch", batch=batch) for batch in dict.fromkeys(table[still].index.get_level_values("batch"))
        )
        moved = (table["quota"] != table["separate"]) & still
        lines += [
            say("plan.summary", batches=named, alone=off["separate"], planned=off["planned"]),
            say("plan.moved", count=int(moved.groupby("code").any().sum())),
        ]
    else:
        lines.append(say("plan.all_known"))
    return "\n".join(f"- {line}" for line in lines)


def _within(plan: Plan) -> str:
    """Whether each unit's running total, as the table has it, is its running target rounded up or down; if not, who is farthest."""
    ends = plan.table.xs(plan.allocations[-1].scenario.batch, level="batch")
    off = (_running(plan)[ends.index] - ends["running_target"]).set_axis(ends["short_name"])
    beyond = off[off.abs() >= 1].sort_values(key=abs, ascending=False, kind="stable")
    if beyond.empty:
        return say("plan.within", largest=off.abs().max())
    names = "、".join(f"{name}{signed(step, 2)}" for name, step in beyond.head(_NAMED).items())
    return say("plan.beyond", count=len(beyond), names=names)


def _carried(plan: Plan) -> Iterator[str]:
    """The batches whose quota has unused places of the batch before, and whose they are."""
    for before, one in pairwise(plan.allocations):
        if one.carried:
            unused = (before.quota - before.approved).loc[lambda places: places != 0]
            names = plan.allocations[0].panel.units["short_name"]
            units = "、".join(f"{names[code]}{places}" for code, places in unused.items())
            yield say("plan.carried", batch=one.scenario.batch, places=one.carried, units=units)


def plan_basis(plan: Plan) -> str:
    """What running totals follow and what proves the plan, as Markdown."""
    nested = all(allocation.problem.nested for allocation in plan.allocations)
    # A dual bound may prove the plan where rules cross too, but no law made the vertex whole there.
    proof = say("plan.proof_nested" if nested and plan.proof == "dual" else f"plan.proof_{plan.proof}")
    return "\n".join(f"- {line}" for line in (*plan_notes(plan), proof))
