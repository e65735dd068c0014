"""The tables of a budget plan: assumptions side by side, regions, the bridge, ceilings, reconciliation."""

import pandas as pd

from zjtx_alloc.budget.accounts import BudgetForecast
from zjtx_alloc.budget.plan import BudgetPlan
from zjtx_alloc.messages import header, say
from zjtx_alloc.report.notes import batches_note, budget_marks, conditional_note, gaps_note, year_header, year_label
from zjtx_alloc.report.tables import Table, titled
from zjtx_alloc.units import load_units


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
