"""The tables and sentences of a plan over several batches."""

import pandas as pd

from zjtx_alloc.allocation.explanation_text import rests_text
from zjtx_alloc.allocation.running_totals import Plan
from zjtx_alloc.base.messages import say
from zjtx_alloc.report.notes.user_data import replaced_note
from zjtx_alloc.report.table import Column, Table, signed, titled


def plan_table(plan: Plan) -> Table:
    """The quotas that count by unit and batch, the other way beside them, and what each unit has and is due in all."""
    table, last = plan.table, plan.table.index.get_level_values("batch").max()
    ends = table.xs(last, level="batch")
    frame = ends[["short_name"]].copy()
    carrying = {a.scenario.batch for a in plan.allocations if a.counted and "rounding" in a.counted.ways}
    for batch, rows in table.groupby("batch"):
        other = ("plan.own", "separate") if batch in carrying else ("plan.planned", "quota")
        for message, column in (("plan.counts", "counts"), other):
            frame[Column(say(message, batch=batch), "count")] = rows.droplevel("batch")[column]
    frame["running_target"] = ends["running_target"]
    frame["running"] = table["counts"].groupby("code").sum()
    frame["off_target"] = frame["running"] - ends["running_target"]
    total = frame.drop(columns="short_name").sum().to_dict() | {"short_name": say("table.total")}
    return titled("plan", frame, *plan_notes(plan), *plan_marks(plan), total=total)


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
        for batch, part in off.groupby("batch")
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


def plan_summary(plan: Plan) -> str:
    """The conclusions of the page, as Markdown."""
    off, names = deviations(plan), plan.table["short_name"]
    last = off.xs(plan.allocations[-1].scenario.batch, level="batch")["separate"].abs().sort_values(ascending=False)
    moved = (plan.table["quota"] != plan.table["separate"]) & ~plan.table["known"]
    lines = [
        say(
            "plan.summary",
            batches=len(plan.allocations),
            totals="、".join(
                say("table.batch", batch=a.scenario.batch) + str(a.scenario.total) for a in plan.allocations
            ),
            alone=off["separate"].abs().max(),
            planned=off["planned"].abs().max(),
        ),
        say(
            "plan.worst",
            names="、".join(
                f"{names.xs(c, level='code').iloc[0]}{signed(off.xs(c, level='code')['separate'].iloc[-1], 2)}"
                for c in last.index[:5]
            ),
        ),
        say("plan.moved", count=int(moved.groupby("code").any().sum())),
    ]
    return "\n".join(f"- {line}" for line in lines)


def plan_basis(plan: Plan) -> str:
    """What running totals follow and what proves the plan, as Markdown."""
    nested = all(allocation.problem.nested for allocation in plan.allocations)
    # A dual bound may prove the plan where rules cross too, but no law made the vertex whole there.
    proof = say("plan.proof_nested" if nested and plan.proof == "dual" else f"plan.proof_{plan.proof}")
    return "\n".join(f"- {line}" for line in (*plan_notes(plan), proof))
