"""The tables of a budget report, each a function of a forecast and the allocations it rests on."""

from dataclasses import replace
from datetime import date

import pandas as pd

from zjtx_alloc.allocation.allocate import Allocation
from zjtx_alloc.base.messages import say
from zjtx_alloc.base.resources import shipped_table
from zjtx_alloc.base.units import load_units
from zjtx_alloc.budget.forecast import BudgetOutlook
from zjtx_alloc.budget.frontier import years_over
from zjtx_alloc.budget.ledger.bridge import moving_steps
from zjtx_alloc.budget.ledger.budget import MONEY, BudgetForecast
from zjtx_alloc.budget.ledger.calendar import BASES, last_days
from zjtx_alloc.budget.ledger.ledger import gaps_in
from zjtx_alloc.budget.outcomes import OutcomeAssumption, outcome_evidence
from zjtx_alloc.budget.plan import BudgetPlan
from zjtx_alloc.report.notes.budget import coming_years, left_out_notes
from zjtx_alloc.report.notes.marks import (
    Gaps,
    batch_label,
    batch_sizes,
    budget_marks,
    budget_notes,
    cohort_notes,
    condition,
    gaps_note,
    outcome_notes,
    outlook_notes,
    total_basis,
    year_header,
    year_label,
)
from zjtx_alloc.report.table import Column, Table, described, of_kind, titled
from zjtx_alloc.rules.award import Award


def batch_table(budget: BudgetForecast, allocations: tuple[Allocation, ...]) -> Table:
    """The batches of a budget: totals, what they rest on, firms and commitment."""
    approved = {cohort.name: int(cohort.approved.sum()) for cohort in budget.cohorts}
    places = {cohort.name: int(cohort.quota.sum()) for cohort in budget.cohorts if cohort.quota is not None}
    rows = [
        {
            "batch": say("table.batch", batch=a.scenario.batch),
            "scenario": a.scenario.name,
            "total": a.total,
            "total_status": total_basis(a),
            "approval_rate": int(a.approved.sum()) / a.total
            if a.has_known_approvals
            else float(a.scenario.approval.exact),
            "approved": approved[str(a.scenario.batch)],
            "unused": places[str(a.scenario.batch)] - approved[str(a.scenario.batch)],
            "commitment": approved[str(a.scenario.batch)] * budget.award.amount,
            "note": a.scenario.assumptions.get("total", ""),
        }
        for a in allocations
    ]
    return titled("batches", pd.DataFrame(rows), *budget_notes(budget, allocations))


def year_table(budget: BudgetForecast, allocations: tuple[Allocation, ...], described: str = "") -> Table:
    """Commitment beside cash, by fiscal year and batch, and the totals by year; ``described`` ends the title where there are several."""
    by_batch = budget.by_batch_and_year().reset_index()
    names = {c.name: c.label for c in budget.cohorts} | {str(a.scenario.batch): batch_label(a) for a in allocations}
    by_batch["batch"] = by_batch["batch"].map(names)
    by_batch = by_batch[by_batch[list(MONEY)].ne(0).any(axis=1)]  # years in which firms only leave
    by_year = budget.by_year().reset_index().assign(batch=say("table.all_batches"))
    shared = by_batch["fiscal_year"].value_counts().loc[lambda batches: batches > 1].index
    frame = pd.concat([by_batch, by_year[by_year["fiscal_year"].isin(shared)]])
    frame = frame.sort_values("fiscal_year", kind="stable")
    gaps = budget.ledger.gaps()
    frame["fiscal_year"] = [year_label(int(year), gaps) for year in frame["fiscal_year"]]
    total = by_year[list(MONEY)].sum().to_dict() | {"fiscal_year": say("table.total")}
    frame, name = frame[["fiscal_year", "batch", *MONEY]], "years_of" if described else "years"
    return titled(name, frame, *budget_notes(budget, allocations), total=total, described=described)


def unit_year_table(budget: BudgetForecast, allocations: tuple[Allocation, ...], described: str = "") -> Table:
    """Net payments by unit and fiscal year, with totals both ways; ``described`` ends the title where there are several."""
    names = allocations[0].panel.units["short_name"]
    frame = budget.table.pivot_table(index="code", columns="fiscal_year", values="net", aggfunc="sum")
    frame = _by_year(frame.reindex(names.index), budget.ledger.gaps())
    total = frame.sum().to_dict() | {"short_name": say("table.total")}
    frame.insert(0, "short_name", names)
    notes = (*budget_notes(budget, allocations), say("note.net"))
    return titled(
        "unit_years_of" if described else "unit_years", frame.reset_index(), *notes, total=total, described=described
    )


def _by_year(money: pd.DataFrame, gaps: Gaps) -> pd.DataFrame:
    """Money with a column a fiscal year, and its sum over them behind."""
    years = money.rename(columns=of_kind("money", lambda year: year_header(int(year), gaps)))
    return years.assign(sum=money.sum(axis=1))


def award_table(award: Award) -> Table:
    """The award's parameters with clause and the notice's words."""
    frame = award.parameters.reset_index()
    frame["parameter"] = frame["parameter"].map(lambda name: say(f"parameter.{name}"))
    frame["assumed"] = frame["assumed"].map({True: say("status.assumed"), False: say("status.quoted")})
    frame = frame.rename(columns={"value": "text_value"})
    frame = frame[["parameter", "text_value", "measure", "effective", "clause", "quote", "assumed", "note"]]
    return titled("award", frame, say("note.award", title=award.title, number=award.number))


def calendar_table(dates: pd.DataFrame, today: date | None = None) -> Table:
    """The calendar of ``za.calendar``: last days, cohorts, events, their clauses and what each day rests on.

    With ``today`` also which days are past and which come next; what has no day is due by the end of its year.
    """
    last = last_days(dates)
    coming = min((day for day in last if today and day >= today), default=None)
    frame = dates.assign(
        date=[day.isoformat() if day else say("table.undated", year=year) for day, year in zip(dates["date"], dates["fiscal_year"], strict=True)],
        progress=[say(f"progress.{_progress(day, today, coming)}") if today else "" for day in last],
        batch=dates["cohort"],
        grounds=dates["document"] + dates["clause"],
        basis=dates["basis"].map({basis: say(f"basis.{basis}") for basis in BASES}),
    )  # fmt: skip
    noted = dates[dates["note"] != ""].drop_duplicates(["event", "note"])
    notes = [say("note.deadline", event=row.event, note=row.note) for row in noted.itertuples()]
    shown = ["date", *(["progress"] if today else []), "batch", "fiscal_year", "event", "who", "grounds", "basis"]
    return titled("calendar", frame[shown], say("note.calendar"), *notes)


def _progress(day: date, today: date, coming: date | None) -> str:
    return "past" if day < today else "next" if day == coming else "later"


def range_table(outlooks: tuple[BudgetOutlook, ...], allocations: tuple[Allocation, ...]) -> Table:
    """Net payments of the nation by fiscal year and assumption: mean, deviation, quantiles, and the firms they hold for."""
    frames = [o.table().query("measure == 'net'").assign(outcomes=o.outcomes.title) for o in outlooks]
    frame = pd.concat(frames).sort_values("fiscal_year", kind="stable")
    gaps = gaps_in(outlooks[0].years, outlooks[0].cohorts, outlooks[0].award)
    frame["condition"] = [condition(int(year), outlooks[0].cohorts, allocations) for year in frame["fiscal_year"]]
    frame["fiscal_year"] = [year_label(int(year), gaps) for year in frame["fiscal_year"]]
    frame = frame[["fiscal_year", "outcomes", "mean", "sd", "p5", "p25", "p50", "p75", "p95", "condition"]]
    return titled("ranges", frame, say("note.mean"), *outlook_notes(outlooks, allocations))


def outcome_table(assumptions: tuple[OutcomeAssumption, ...]) -> Table:
    """What is assumed: share of firms by outcome, and what that rests on."""
    rows = [
        {"outcomes": a.title, "outcome": say(f"outcome.{outcome}"), **shares, "rests_on": a.basis.get(part, "")}
        for a in assumptions
        for outcome, shares in a.ranges().to_dict("index").items()
        for part in ["completed" if outcome == "completed" else "otherwise"]
    ]
    frame = pd.DataFrame(rows).rename(columns={"mean": "mean_share"})
    frame = frame[["outcomes", "outcome", "low", "mean_share", "high", "rests_on"]]
    return titled("outcomes", frame, *outcome_notes(assumptions))


def evidence_table() -> Table:
    """What the first round's lists show of firms kept."""
    frame = outcome_evidence()
    frame["batch"] = [say("table.batch", batch=batch) for batch in frame["batch"]]
    frame["publisher"] = frame["source"].map(shipped_table("sources.csv", "id")["publisher"])
    frame = frame[["round", "batch", "evaluations", "kept", "selected", "share", "period", "publisher", "note"]]
    return titled("evidence", frame, say("note.evidence"))


def outlook_year_table(plan: BudgetPlan) -> Table:
    """Each fiscal year at a glance: what is due, what documents paid where it is known, the range of the years to come."""
    books, outlook, found = plan.budgets[0].ledger.by_year()["net"], plan.outlooks[0], plan.reconciliation
    paid = {} if found is None else found.groupby("fiscal_year")[["actual", "difference"]].sum().to_dict("index")
    gaps, coming = plan.full.ledger.gaps(), coming_years(plan)
    rows = []
    for year in (y for y in outlook.shown_years if books[y] or y in paid or y in coming):
        row = {"fiscal_year": year_label(year, gaps), "booked": int(books[year]), "transferred": None, "gap": None}
        status = "coming" if year in coming and year not in paid else "paid" if year in paid else "past"
        if status == "paid":
            row |= {"transferred": int(paid[year]["actual"]), "gap": int(paid[year]["difference"])}
        summary = outlook.distribution(year).summary() if status == "coming" else {}
        row |= {"year_status": say(f"budget_note.status_{status}")} | {n: summary.get(n) for n in ("p5", "p95")}
        rows.append(row | {"condition": condition(year, plan.cohorts, plan.allocations)})
    columns = ["fiscal_year", "year_status", "booked", "transferred", "gap", "p5", "p95", "condition"]
    frame = pd.DataFrame(rows)[columns if paid else [c for c in columns if c not in ("transferred", "gap")]]
    title = plan.assumptions[0].title
    notes = (
        say("note.outlook_years", title=title),
        plan.assumptions[0].note(),
        *left_out_notes(plan),
        *gaps_note(gaps),
    )
    return titled("outlook_years", frame, *notes, title=title)


def known_batch_table(plan: BudgetPlan) -> Table:
    """What is known of each batch: places, approved firms, years of payment, departures, outcomes."""
    batches = [c for c in plan.cohorts if c.payment is None]
    rows = [
        {
            "batch": cohort.label,
            "quota": int(allocation.quota.sum()),
            "approved": int(cohort.approved.sum()),
            "approved_from": say("status.known")
            if allocation.has_known_approvals
            else say("budget_note.assumed", rate=100 * float(allocation.scenario.approval.exact)),
            "opening_year": str(cohort.opening_year),
            "closing_year": str(cohort.closing_year),
            "left_firms": None if cohort.discontinued is None else int((cohort.approved - cohort.continued).sum()),
            "ended_firms": int(cohort.approved[cohort.ended].sum()) or None,
        }
        for cohort, allocation in zip(batches, plan.allocations, strict=True)
    ]
    return titled("known_batches", pd.DataFrame(rows), *left_out_notes(plan))


def open_gap_table(plan: BudgetPlan) -> Table:
    """The rows of the reconciliation whose documents do not match; plans without transfers have none."""
    assert plan.reconciliation is not None, "there is something to compare with"
    table = reconciliation_table(plan, plan.reconciliation)
    matched = [say(f"match.{status}") for status in ("matched", "absent")]
    differs = ~table.frame[described("match_status").header].isin(matched)
    return replace(table, title=say("title.open_gaps"), frame=table.frame[differs].reset_index(drop=True))


def scenario_year_table(plan: BudgetPlan) -> Table:
    """Net payments by fiscal year, all firms completed beside each assumption; last the commitment by year."""
    budgets = {say("table.outcomes_full"): plan.full} | {
        a.title: budget for a, budget in zip(plan.assumptions, plan.budgets, strict=True)
    }
    frame = pd.DataFrame({title: budget.by_year()["net"] for title, budget in budgets.items()}).T
    frame.loc[say("table.commitment")] = plan.full.by_year()["commitment"]
    gaps = plan.full.ledger.gaps()
    frame = _by_year(frame, gaps).rename_axis("outcomes").reset_index()
    described = cohort_notes(cohort for budget in plan.budgets for cohort in budget.cohorts)
    sizes = say("note.batches", batches=batch_sizes(plan.allocations))
    notes = (say("note.all_completed"), *described, sizes, *gaps_note(gaps))
    return titled("scenario_years", frame, *notes)


def region_table(plan: BudgetPlan) -> Table:
    """Net payments by region and fiscal year: all firms completed, and the range under the first assumption."""
    regions = load_units()["region"]
    full = plan.full.table.assign(region=plan.full.table["code"].map(regions))
    frame = plan.outlooks[0].table("region").query("measure == 'net'")
    sums = full.groupby(["fiscal_year", "region"])["net"].sum()
    frame = frame.assign(full=sums.reindex(pd.MultiIndex.from_frame(frame[["fiscal_year", "region"]])).to_numpy())
    gaps = plan.full.ledger.gaps()
    frame["fiscal_year"] = [year_label(int(year), gaps) for year in frame["fiscal_year"]]
    frame = frame[["fiscal_year", "region", "full", "mean", "p5", "p50", "p95"]]
    given = say("note.conditional", batches=batch_sizes(plan.allocations))
    notes = (
        say("note.mean"),
        say("note.regions", title=plan.assumptions[0].title),
        plan.assumptions[0].note(),
        *gaps_note(gaps),
    )
    return titled("region_years", frame, *notes, given, *budget_marks(plan.allocations))


def bridge_table(plan: BudgetPlan) -> Table:
    """From the last forecast to this one, by cause and fiscal year; causes that moved nothing are named below."""
    every = plan.bridge()
    steps, gaps = moving_steps(every), plan.full.ledger.gaps()
    still = "、".join(say(f"step.{cause}") for cause in every.index.difference(steps.index, sort=False))
    unmoved = [say("note.bridge_unmoved", causes=still)] if still else []
    frame = _by_year(steps.rename(index=lambda name: say(f"step.{name}")), gaps)
    frame = frame.rename_axis("cause_of_change").reset_index()
    notes = (bridge_note(plan), say("note.bridge"), *unmoved, *gaps_note(gaps))
    return titled("bridge", frame, *notes, has_total=True)


def bridge_note(plan: BudgetPlan) -> str:
    """What the bridge leads from."""
    title = plan.assumptions[0].title
    if plan.before is None:
        return say("note.bridge_full", title=title)
    names = "、".join(cohort.label for cohort in plan.before.cohorts)
    return say("note.bridge_before", names=names, title=title)


def ceiling_table(plan: BudgetPlan) -> Table:
    """The stated ceilings, and how likely what is due in the year is to exceed them under each assumption."""
    gaps = plan.full.ledger.gaps()
    risks = {Column(say("table.exceeds", title=o.outcomes.title), "share"): o.exceeds for o in plan.outlooks}
    rows = [
        {"fiscal_year": year_label(year, gaps), "ceiling": money}
        | {title: exceeds(year, money) for title, exceeds in risks.items()}
        for year, money in sorted(plan.request.ceilings.items())
    ]
    notes = (
        say("note.ceilings"),
        say("note.conditional", batches=batch_sizes(plan.allocations)),
        *(a.note() for a in plan.assumptions),
        *gaps_note(gaps),
    )
    return titled("ceilings", pd.DataFrame(rows), *notes)


def affordable_table(plan: BudgetPlan) -> Table:
    """How many places each batch can have under the ceilings."""
    frame = plan.affordable()
    frame["batch"] = [say("table.batch", batch=batch) for batch in frame["batch"]]
    title = plan.assumptions[0].title
    note = say("note.affordable", confidence=plan.request.confidence, ceilings=_ceilings(plan), title=title)
    frame = frame[["batch", "total", "affordable", "probability"]]
    return titled("affordable", frame, note, plan.assumptions[0].note())


def frontier_table(plan: BudgetPlan, batches: tuple[int, int], found: pd.DataFrame) -> Table:
    """Where several years are over: totals of two batches that can be had together, of ``frontiers``."""
    label = {f"batch_{batch}": Column(say("figure.batch_total", batch=batch), "count") for batch in batches}
    notes = (frontier_note(plan, batches), plan.assumptions[0].note())
    return titled("frontier", found.rename(columns=label), *notes, first=batches[0], second=batches[1])


def frontier_note(plan: BudgetPlan, batches: tuple[int, int]) -> str:
    """What a frontier of two batches rests on."""
    totals = dict(zip(batches, totals_now(plan, batches), strict=True))
    return say(
        "note.frontier",
        years="、".join(map(str, years_over(plan))),
        confidence=plan.request.confidence,
        ceilings=_ceilings(plan),
        title=plan.assumptions[0].title,
        totals="、".join(say("figure.batch_now", batch=batch, total=totals[batch]) for batch in batches),
    )


def totals_now(plan: BudgetPlan, batches: tuple[int, int]) -> tuple[int, int]:
    """The totals that two batches have in the plan."""
    totals = {a.scenario.batch: a.scenario.total for a in plan.allocations}
    return totals[batches[0]], totals[batches[1]]


def _ceilings(plan: BudgetPlan) -> str:
    return "、".join(say("summary.year", year=y, money=f"{m:,}") for y, m in plan.request.ceilings.items())


def reconciliation_table(plan: BudgetPlan, found: pd.DataFrame) -> Table:
    """Actual transfers against the ledger of the plan's first assumption, as ``za.reconcile`` returns them."""
    frame = found.reset_index().rename(columns={"difference": "gap"})
    frame["fiscal_year"] = frame["fiscal_year"].astype(str)
    frame["match_status"] = frame["status"].map(lambda status: say(f"match.{status}"))
    frame["cause"] = frame["explanation"]
    frame = frame[
        ["code", "short_name", "fiscal_year", "expected", "actual", "gap", "documents", "match_status", "cause"]
    ]
    note = say("note.reconciled", title=plan.assumptions[0].title)
    return titled("reconciliation", frame, note, *budget_marks(plan.allocations))
