"""The tables of a budget report, each a function of a forecast and the allocations it rests on."""

import pandas as pd

from zjtx_alloc.allocation.allocate import Allocation, marked
from zjtx_alloc.base.messages import header, say
from zjtx_alloc.base.units import load_units
from zjtx_alloc.budget.forecast import BudgetOutlook
from zjtx_alloc.budget.ledger.budget import BudgetForecast
from zjtx_alloc.budget.ledger.calendar import BASES
from zjtx_alloc.budget.ledger.ledger import gaps_in
from zjtx_alloc.budget.outcomes import OutcomeAssumption, outcome_evidence
from zjtx_alloc.budget.plan import BudgetPlan
from zjtx_alloc.report.notes.marks import (
    batches_note,
    budget_marks,
    budget_notes,
    condition,
    conditional_note,
    gaps_note,
    marks_note,
    outlook_notes,
    year_header,
    year_label,
)
from zjtx_alloc.report.table import Table, titled
from zjtx_alloc.rules.award import Award


def batch_table(budget: BudgetForecast, allocations: tuple[Allocation, ...]) -> Table:
    """The batches of a budget: totals, what they rest on, firms and commitment."""
    approved = {cohort.name: int(cohort.approved.sum()) for cohort in budget.cohorts}
    places = {cohort.name: int(cohort.quota.sum()) for cohort in budget.cohorts if cohort.quota is not None}
    rows = [
        {
            "batch": say("table.batch", batch=a.scenario.batch),
            "scenario": a.scenario.name,
            "total": a.scenario.total,
            "total_status": say(f"status.{a.scenario.total_status}"),
            "approval_rate": float(a.scenario.approval.exact),
            "approved": approved[str(a.scenario.batch)],
            "unused": places[str(a.scenario.batch)] - approved[str(a.scenario.batch)],
            "commitment": approved[str(a.scenario.batch)] * budget.award.amount,
            "note": a.scenario.assumptions.get("total", ""),
        }
        for a in allocations
    ]
    kinds = {
        "batch": "text", "scenario": "text", "total": "count", "total_status": "text", "approval_rate": "share",
        "approved": "count", "unused": "count", "commitment": "money", "note": "text",
    }  # fmt: skip
    return titled("batches", pd.DataFrame(rows), kinds, *budget_notes(budget, allocations))


def year_table(budget: BudgetForecast, allocations: tuple[Allocation, ...]) -> Table:
    """Commitment beside cash, by fiscal year and batch, and the totals by year."""
    by_batch = budget.by_batch_and_year().reset_index()
    names = {c.name: c.label for c in budget.cohorts} | {str(a.scenario.batch): _batch_name(a) for a in allocations}
    by_batch["batch"] = by_batch["batch"].map(names)
    by_year = budget.by_year().reset_index().assign(batch=say("table.all_batches"))
    shared = by_batch["fiscal_year"].value_counts().loc[lambda batches: batches > 1].index
    frame = pd.concat([by_batch, by_year[by_year["fiscal_year"].isin(shared)]])
    frame = frame.sort_values("fiscal_year", kind="stable")
    total = by_year.drop(columns=["fiscal_year", "batch"]).sum().to_dict()
    frame = pd.concat([frame, pd.DataFrame([total | {"fiscal_year": say("table.total"), "batch": ""}])])
    gaps = budget.ledger.gaps()
    frame["fiscal_year"] = [y if isinstance(y, str) else year_label(int(y), gaps) for y in frame["fiscal_year"]]
    money = dict.fromkeys(["commitment", "due", "recovered", "net", "direct", "empowerment"], "money")
    return titled(
        "years",
        frame,
        {"fiscal_year": "text", "batch": "text"} | money,
        *budget_notes(budget, allocations),
        has_total=True,
    )


def unit_year_table(budget: BudgetForecast, allocations: tuple[Allocation, ...], told: str = "") -> Table:
    """Net payments by unit and fiscal year, with totals both ways; ``told`` ends the title where there are several."""
    names = allocations[0].panel.units["short_name"]
    any_estimated = pd.concat([a.entitlement.estimated.gt(0) for a in allocations], axis=1).any(axis=1)
    frame = budget.table.pivot_table(index="code", columns="fiscal_year", values="net", aggfunc="sum")
    frame = frame.reindex(names.index)
    gaps = budget.ledger.gaps()
    frame.columns = [year_header(int(year), gaps) for year in frame.columns]
    years = list(frame.columns)
    frame[header("sum")] = frame.sum(axis=1)
    frame.loc[""] = frame.sum()
    frame.insert(0, header("short_name"), [*names, say("table.total")])
    frame[header("estimated")] = [
        *marked(any_estimated, say("mark.estimated")),
        "",
    ]
    frame = frame.rename_axis(header("code")).reset_index()
    kinds = {header("code"): "text", header("short_name"): "text"} | dict.fromkeys([*years, header("sum")], "money")
    kinds |= {header("estimated"): "text"}
    notes = (
        *budget_notes(budget, allocations),
        say("note.net"),
        *dict.fromkeys(note for a in allocations for note in marks_note(a)),
    )
    title = say("title.unit_years_of", told=told) if told else say("title.unit_years")
    return Table(title, frame, kinds, notes, has_total=True)


def award_table(award: Award) -> Table:
    """The award's parameters with clause and the notice's words."""
    frame = award.parameters.reset_index()
    frame["parameter"] = frame["parameter"].map(lambda name: say(f"parameter.{name}"))
    frame["assumed"] = frame["assumed"].map({True: say("status.assumed"), False: say("status.quoted")})
    kinds = dict.fromkeys(["parameter", "value", "measure", "effective", "clause", "quote", "assumed", "note"], "text")
    return titled("award", frame, kinds, say("note.award", title=award.title, number=award.number))


def calendar_table(dates: pd.DataFrame) -> Table:
    """The calendar of ``za.calendar``: last days, cohorts, events, their clauses and what each day rests on."""
    frame = dates.assign(
        date=[day.isoformat() if day else say("table.undated", year=year) for day, year in zip(dates["date"], dates["fiscal_year"], strict=True)],
        batch=dates["cohort"],
        grounds=dates["document"] + dates["clause"],
        basis=dates["basis"].map({basis: say(f"basis.{basis}") for basis in BASES}),
    )  # fmt: skip
    noted = dates[dates["note"] != ""].drop_duplicates(["event", "note"])
    notes = [say("note.deadline", event=row.event, note=row.note) for row in noted.itertuples()]
    kinds = dict.fromkeys(["date", "batch", "fiscal_year", "event", "who", "grounds", "basis"], "text")
    return titled("calendar", frame, kinds, say("note.calendar"), *notes)


def _batch_name(allocation: Allocation) -> str:
    status = say(f"status.{allocation.scenario.total_status}")
    return say("table.batch_status", batch=allocation.scenario.batch, status=status)


def range_table(outlooks: tuple[BudgetOutlook, ...], allocations: tuple[Allocation, ...]) -> Table:
    """Net payments of the nation by fiscal year and assumption: mean, deviation, quantiles, and the firms they hold for."""
    frames = [o.table().query("measure == 'net'").assign(outcomes=o.outcomes.title) for o in outlooks]
    frame = pd.concat(frames).sort_values("fiscal_year", kind="stable")
    gaps = gaps_in(outlooks[0].years, outlooks[0].cohorts, outlooks[0].award)
    frame["condition"] = [condition(int(year), outlooks[0].cohorts, allocations) for year in frame["fiscal_year"]]
    frame["fiscal_year"] = [year_label(int(year), gaps) for year in frame["fiscal_year"]]
    money = dict.fromkeys(["mean", "sd", "p5", "p25", "p50", "p75", "p95"], "money")
    kinds = {"fiscal_year": "text", "outcomes": "text"} | money | {"condition": "text"}
    return titled("ranges", frame, kinds, *outlook_notes(outlooks, allocations))


def outcome_table(assumptions: tuple[OutcomeAssumption, ...]) -> Table:
    """What is assumed: share of firms by outcome, and what that rests on."""
    rows = [
        {"outcomes": a.title, "outcome": say(f"outcome.{outcome}"), **shares, "rests_on": a.basis.get(part, "")}
        for a in assumptions
        for outcome, shares in a.ranges().to_dict("index").items()
        for part in ["completed" if outcome == "completed" else "otherwise"]
    ]
    kinds = {"outcomes": "text", "outcome": "text", "low": "share", "mean_share": "share", "high": "share"}
    frame = pd.DataFrame(rows).rename(columns={"mean": "mean_share"})
    return titled("outcomes", frame, kinds | {"rests_on": "text"}, *(a.note() for a in assumptions))


def evidence_table() -> Table:
    """What the first round's lists show of firms kept."""
    kinds = {
        "round": "text", "batch": "text", "evaluations": "count", "kept": "count", "selected": "count",
        "share": "share", "period": "text", "source": "text", "note": "text",
    }  # fmt: skip
    frame = outcome_evidence()
    frame["batch"] = [say("table.batch", batch=batch) for batch in frame["batch"]]
    return titled("evidence", frame, kinds, say("note.evidence"))


def scenario_year_table(plan: BudgetPlan) -> Table:
    """Net payments by fiscal year, all firms completed beside each assumption; last the commitment by year."""
    budgets = {say("table.outcomes_full"): plan.full} | {
        a.title: budget for a, budget in zip(plan.assumptions, plan.budgets, strict=True)
    }
    frame = pd.DataFrame({title: budget.by_year()["net"] for title, budget in budgets.items()}).T
    frame.loc[say("table.commitment")] = plan.full.by_year()["commitment"]
    gaps = plan.full.ledger.gaps()
    years = {year: year_header(int(year), gaps) for year in frame.columns}
    frame = frame.rename(columns=years).assign(**{header("sum"): frame.sum(axis=1)})
    frame = frame.rename_axis(header("outcomes")).reset_index()
    kinds = {header("outcomes"): "text"} | dict.fromkeys([*years.values(), header("sum")], "money")
    told = (note for budget in plan.budgets for note in _assumed(budget))
    notes = (say("note.all_completed"), *dict.fromkeys(told), batches_note(plan.allocations), *gaps_note(gaps))
    return Table(say("title.scenario_years"), frame, kinds, notes)


def region_table(plan: BudgetPlan) -> Table:
    """Net payments by region and fiscal year: all firms completed, and the range under the first assumption."""
    regions = load_units()["region"]
    full = plan.full.table.assign(region=plan.full.table["code"].map(regions))
    frame = plan.outlooks[0].table("region").query("measure == 'net'")
    sums = full.groupby(["fiscal_year", "region"])["net"].sum()
    frame = frame.assign(full=sums.reindex(pd.MultiIndex.from_frame(frame[["fiscal_year", "region"]])).to_numpy())
    gaps = plan.full.ledger.gaps()
    frame["fiscal_year"] = [year_label(int(year), gaps) for year in frame["fiscal_year"]]
    kinds = {"fiscal_year": "text", "region": "text"} | dict.fromkeys(["full", "mean", "p5", "p50", "p95"], "money")
    notes = (say("note.regions", title=plan.assumptions[0].title), plan.assumptions[0].note(), *gaps_note(gaps))
    notes = (*notes, conditional_note(plan.allocations), *budget_marks(plan.allocations))
    return titled("region_years", frame, kinds, *notes)


def bridge_table(plan: BudgetPlan) -> Table:
    """From the last forecast to this one, by cause and fiscal year."""
    steps = plan.bridge()
    gaps = plan.full.ledger.gaps()
    years = {year: year_header(int(year), gaps) for year in steps.columns}
    frame = steps.rename(columns=years, index={name: say(f"step.{name}") for name in steps.index})
    frame = frame.assign(**{header("sum"): frame.sum(axis=1)}).rename_axis(header("cause_of_change")).reset_index()
    kinds = {header("cause_of_change"): "text"} | dict.fromkeys([*years.values(), header("sum")], "money")
    return Table(
        say("title.bridge"), frame, kinds, (bridge_note(plan), say("note.bridge"), *gaps_note(gaps)), has_total=True
    )


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
    rows = {
        year_label(year, gaps): {header("ceiling"): money} | {
            say("table.exceeds", title=o.outcomes.title): o.exceeds(year, money) for o in plan.outlooks
        }
        for year, money in sorted(plan.request.ceilings.items())
    }  # fmt: skip
    frame = pd.DataFrame.from_dict(rows, orient="index").rename_axis(header("fiscal_year")).reset_index()
    risks = dict.fromkeys(frame.columns[2:], "share")
    kinds = {header("fiscal_year"): "text", header("ceiling"): "money"} | risks
    notes = (
        say("note.ceilings"),
        conditional_note(plan.allocations),
        *(a.note() for a in plan.assumptions),
        *gaps_note(gaps),
    )
    return Table(say("title.ceilings"), frame, kinds, notes)


def affordable_table(plan: BudgetPlan) -> Table:
    """How many places each batch can have under the ceilings."""
    frame = plan.affordable()
    frame["batch"] = [say("table.batch", batch=batch) for batch in frame["batch"]]
    kinds = {"batch": "text", "total": "count", "affordable": "count", "probability": "share"}
    ceilings = "、".join(say("summary.year", year=y, money=f"{m:,}") for y, m in plan.request.ceilings.items())
    title = plan.assumptions[0].title
    note = say("note.affordable", confidence=plan.request.confidence, ceilings=ceilings, title=title)
    return titled("affordable", frame, kinds, note, plan.assumptions[0].note())


def reconciliation_table(plan: BudgetPlan, found: pd.DataFrame) -> Table:
    """Actual transfers against the ledger of the plan's first assumption, as ``za.reconcile`` returns them."""
    frame = found.reset_index().rename(columns={"difference": "gap"})
    frame["fiscal_year"] = frame["fiscal_year"].astype(str)
    frame["match_status"] = frame["status"].map(lambda status: say(f"match.{status}"))
    frame["cause"] = frame["explanation"]
    text, money = dict.fromkeys(["code", "short_name", "fiscal_year"], "text"), ["expected", "actual"]
    kinds = (
        text
        | dict.fromkeys(money, "money")
        | {"gap": "step"}
        | dict.fromkeys(["documents", "match_status", "cause"], "text")
    )
    note = say("note.reconciled", title=plan.assumptions[0].title)
    return titled("reconciliation", frame, kinds, note, *budget_marks(plan.allocations))


def _assumed(budget: BudgetForecast) -> list[str]:
    return [cohort.assumption for cohort in budget.cohorts if cohort.assumption]
