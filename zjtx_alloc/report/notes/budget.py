"""Sentences on a budget plan: what is known as of its day, what was paid, and what the years to come may need."""

from collections.abc import Iterator

import pandas as pd

from zjtx_alloc.base.messages import say
from zjtx_alloc.budget.joint import money_over, open_years
from zjtx_alloc.budget.learning import decided_years
from zjtx_alloc.budget.ledger.cohorts import Cohort
from zjtx_alloc.budget.plan import BudgetPlan
from zjtx_alloc.report.notes.marks import budget_summary, conclusion_notes, condition, outlook_summary
from zjtx_alloc.report.table import signed
from zjtx_alloc.rules.scenario import Known

_NAMED = 5  # units whose differences are named one by one


def day_text(plan: BudgetPlan) -> str:
    """The day as of which the plan counts things as known; blank if none is stated."""
    day = plan.request.as_of
    return "" if day is None else say("budget_note.day", year=day.year, month=day.month, day=day.day)


def left_out_notes(plan: BudgetPlan) -> tuple[str, ...]:
    """What the user entered that lies after the day, and is not taken as known."""
    return tuple(
        say(f"budget_note.later_{name}", day=day_text(plan), count=count)
        for name, count in plan.left_out.items() if count
    )  # fmt: skip


def known_lines(plan: BudgetPlan) -> list[str]:
    """What is known, a sentence a batch of which something is, and a sentence a year that was paid."""
    known = {a.scenario.batch: a.scenario.known for a in plan.allocations}
    batches = [(c, known[int(c.name)]) for c in plan.cohorts if c.payment is None]
    lines = [line for c, of in batches for line in (_batch_line(c, bool(of.approved)), _silent(plan, c, of)) if line]
    return [*lines, *(paid_line(plan, year) for year in plan.paid_years), *left_out_notes(plan)]


def _batch_line(cohort: Cohort, is_approved: bool) -> str:
    parts = [say("budget_note.approved", firms=int(cohort.approved.sum()))] if is_approved else []
    if cohort.discontinued is not None:
        gone = "、".join(
            say("budget_note.gone", year=year, firms=int(n)) for year, n in cohort.discontinued.sum().items()
        )
        units = int(cohort.reported.sum())
        parts.append(gone + ("" if units == len(cohort.approved) else say("budget_note.reported", units=units)))
    if (ended := cohort.ended).any():
        parts.append(say("budget_note.ended", units=int(ended.sum()), firms=int(cohort.approved[ended].sum())))
    return say("budget_note.batch", batch=cohort.label, parts="，".join(parts)) if parts else ""


def _silent(plan: BudgetPlan, cohort: Cohort, known: Known) -> str:
    """The years for which units that report departures of others report none: they count as having had none."""
    reported = [
        {int(year) for year, ends in years.items() if ends.discontinued is not None}
        for code, years in known.outcomes.items() if not cohort.ended[code]
    ]  # fmt: skip
    decided = set(decided_years(cohort, plan.request.as_of))
    silent = [decided - years for years in reported if years and decided - years]
    years = "、".join(map(str, sorted(set().union(*silent))))
    return say("budget_note.silent", batch=cohort.label, units=len(silent), years=years) if silent else ""


def paid_line(plan: BudgetPlan, year: int) -> str:
    """What was due in a year and what documents paid, and the difference explained."""
    found = plan.reconciliation
    assert found is not None, "only a year whose transfers are known was paid"
    mine = found[found.index.get_level_values("fiscal_year") == year]
    is_absent, matched = mine["status"] == "absent", int(mine["status"].eq("matched").sum())
    held, absent = mine[~is_absent], mine[is_absent]
    due, paid, gap = (int(held[name].sum()) for name in ("expected", "actual", "difference"))
    numbers = {"year": year, "due": f"{due:,}", "paid": f"{paid:,}", "units": matched}
    if absent.empty and matched == len(held):
        return say("budget_note.paid", **numbers)
    of = say("budget_note.paid_of", count=len(held)) if len(absent) else ""
    causes = _causes(held[held["status"] != "matched"])
    text = say("budget_note.paid_other", of=of, gap=signed(gap), causes=causes, **numbers)
    if absent.empty:
        return text
    names = "、".join(absent["short_name"].head(_NAMED))
    more = {"due": f"{int(absent['expected'].sum()):,}", "count": len(absent)}
    return text + say(f"budget_note.absent_{'few' if len(absent) <= _NAMED else 'many'}", units=names, **more)


def _causes(differing: pd.DataFrame) -> str:
    """What is said of the first of the units that differ; those of which the same is said together."""
    groups = [rows for _, rows in differing.groupby("explanation", sort=False)]
    causes = [
        say(
            "budget_note.gap",
            unit=rows["short_name"].iloc[0] if len(rows) == 1 else say("budget_note.and_others", count=len(rows),
                                                                       units="、".join(rows["short_name"].head(2))),
            gap=signed(int(rows["difference"].sum())),
            why=rows["explanation"].iloc[0],
        )
        for rows in groups[:_NAMED]
    ]  # fmt: skip
    left = sum(len(rows) for rows in groups[_NAMED:])
    more = say("budget_note.more", count=left) if left else ""
    return say("budget_note.rest", causes="；".join(causes) + more) if causes else ""


def coming_years(plan: BudgetPlan) -> tuple[int, ...]:
    """Fiscal years after the day; all that tables show if there is none."""
    day = plan.request.as_of
    return tuple(year for year in plan.outlooks[0].shown_years if day is None or year > day.year)


def coming_lines(plan: BudgetPlan) -> Iterator[str]:
    """What the open years to come may need together, then each year to come: booked net money, range, what it is conditional on."""
    outlook, net = plan.outlooks[0], plan.budgets[0].ledger.by_year()["net"]
    if len(years := sorted(set(open_years(outlook)) & set(coming_years(plan)))) > 1:
        total = money_over(outlook, tuple(years))
        yield say(
            "budget_note.together", first=years[0], last=years[-1], net=f"{int(net[years].sum()):,}",
            low=f"{total.quantile(0.05):,}", high=f"{total.quantile(0.95):,}",
            title=plan.assumptions[0].title,
            condition="、".join(dict.fromkeys(condition(year, plan.cohorts, plan.allocations) for year in years)),
        )  # fmt: skip
    for year in coming_years(plan):
        found = outlook.distribution(year)
        given = condition(year, plan.cohorts, plan.allocations)
        low, high = (found.quantile(share) for share in (0.05, 0.95))
        key = "coming" if low < high else "certain"
        yield say(
            f"budget_note.{key}", year=year, net=f"{int(net[year]):,}", low=f"{low:,}", high=f"{high:,}",
            title=plan.assumptions[0].title, condition=given,
        )  # fmt: skip


def plan_summary(plan: BudgetPlan) -> str:
    """The first paragraph of the budget report, as Markdown: what is known, paid and to come; else all years as computed."""
    known, allocations = known_lines(plan), plan.allocations
    if not known and plan.request.as_of is None:
        return "\n".join([budget_summary(plan.full, allocations), outlook_summary(plan.outlooks, allocations)])
    day = [say("budget_note.as_of", day=day_text(plan))] if plan.request.as_of else []
    lines = [*day, *coming_lines(plan), *known, *conclusion_notes(plan.budgets[0], allocations)]
    others = outlook_summary(plan.outlooks[1:], allocations) if plan.outlooks[1:] else ""
    return "\n".join([*(f"- {line}" for line in lines), others])
