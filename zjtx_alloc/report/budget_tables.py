"""The tables of a budget report, each a function of a forecast and the allocations it rests on."""

import pandas as pd

from zjtx_alloc.allocation import Allocation, marked
from zjtx_alloc.budget.accounts import BudgetForecast
from zjtx_alloc.budget.deadlines import BASES
from zjtx_alloc.messages import header, say
from zjtx_alloc.policy import Award
from zjtx_alloc.report.notes import budget_notes, marks_note, year_header, year_label
from zjtx_alloc.report.tables import Table, titled


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
