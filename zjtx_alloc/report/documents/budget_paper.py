"""《预算测算说明》: a budget plan as an official document, written from the plan that page and workbook show.

The sentences are in ``data/budget_paper.toml``.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from zjtx_alloc.base.messages import say
from zjtx_alloc.base.resources import shipped_toml
from zjtx_alloc.budget.plan import BudgetPlan
from zjtx_alloc.report.notes.budget import coming_lines, coming_years, day_text, known_lines
from zjtx_alloc.report.notes.marks import batch_sizes, budget_marks, gaps_note
from zjtx_alloc.report.tables.budget import (
    affordable_table,
    ceiling_table,
    known_batch_table,
    open_gap_table,
    outcome_table,
    outlook_year_table,
    unit_year_table,
)
from zjtx_alloc.report.tables.learned import learned_table
from zjtx_alloc.report.writers.document import (
    LANDSCAPE,
    NUMERALS,
    PORTRAIT,
    Annex,
    Grid,
    Manuscript,
    Section,
    blocks_of,
    grid_of,
    narrowed,
)

# Columns of tables that are cut to a page's width.
_YEARS = ("fiscal_year", "year_status", "booked", "transferred", "gap", "p5", "p95")
_OUTCOMES = ("outcomes", "outcome", "low", "mean_share", "high")
_LEARNED = ("batch", "rate_before", "rate_after", "gone_rate_before", "gone_rate_after", "net_before", "net_after")
_GAPS = ("short_name", "fiscal_year", "expected", "actual", "gap", "cause")


def budget_paper(plan: BudgetPlan) -> Manuscript:
    """The paper that a finance officer hands up with a budget: conclusion first, the units as its annex.

    Parameters
    ----------
    plan : BudgetPlan

    Returns
    -------
    Manuscript
        测算结论, 已知情况, 测算依据和假设, 年度限额, 与实际下达核对 (those of which the plan has something), annex
        分省分年资金表.
    """
    form, facts = shipped_toml("budget_paper.toml"), _facts(plan)
    tables = _tables(plan)
    held = {"known": facts["known"], "ceilings": plan.request.ceilings, "transfers": plan.paid_years}
    parts = [part for part in form["sections"] if "needs" not in part or held[part["needs"]]]
    return Manuscript(
        title=tuple(line.format(**facts) for line in form["title"]),
        header=form["header"].format(**facts),
        about=form["about"],
        sections=tuple(
            Section(f"{numeral}、{part['heading']}", tuple(blocks_of(part, facts, tables)))
            for numeral, part in zip(NUMERALS, parts, strict=False)
        ),
        annexes=(Annex(_units(plan), landscape=True),),
        closing=tuple(form["closing"]),
    )


def _facts(plan: BudgetPlan) -> dict[str, Any]:
    """What the sentences are filled with: numbers of the plan, or sentences of them."""
    award, years = plan.award, coming_years(plan)
    gaps = gaps_note(plan.full.ledger.gaps())
    tails = dict.fromkeys(c.assumption for c in plan.cohorts if c.payment is not None)
    found = plan.reconciliation
    return {
        "years": say("budget_paper.years", first=years[0], last=years[-1]) if years else day_text(plan),
        "names": "、".join(c.label for c in plan.cohorts if c.payment is None),
        "coming": "\n".join(_numbered(coming_lines(plan))),
        "as_of": say("budget_note.as_of", day=day_text(plan)) if plan.request.as_of else "",
        "known": "\n".join(_numbered(known_lines(plan))),
        "notice": award.title,
        "number": award.number,
        "issued": f"{award.issued.year}年{award.issued.month}月{award.issued.day}日",
        "amount": award.amount,
        "opening": award.opening,
        "closing": award.closing,
        "sizes": batch_sizes(plan.allocations),
        "outcomes": plan.assumptions[0].note(),
        "learned": say("budget_paper.before", table=say("title.learned")) if plan.outlooks[0].known.is_any else "",
        "gaps": "".join(gaps) or say("budget_paper.no_gap"),
        "tails": "".join(tails),
        "matched": "" if found is None else say(
            "budget_paper.matched", count=len(found),
            **{name: int(found["status"].eq(status).sum()) for name, status in (("same", "matched"), ("absent", "absent"))},
        ),
    }  # fmt: skip


def _numbered(lines: Iterator[str] | list[str]) -> list[str]:
    """Sentences as numbered paragraphs."""
    return [say("budget_paper.line", number=number, text=text) for number, text in enumerate(lines, start=1)]


def _tables(plan: BudgetPlan) -> dict[str, Grid]:
    years = outlook_year_table(plan)  # without transfers where none are known
    found = {
        "years": narrowed(years, *(name for name in _YEARS if name in years.names.values())),
        "batches": replace(known_batch_table(plan), notes=()),
        "outcomes": narrowed(outcome_table(plan.assumptions), *_OUTCOMES),
    }
    if (change := learned_table(plan.outlooks[:1], plan.allocations)) is not None:
        found["learned"] = narrowed(change, *_LEARNED)
    if plan.request.ceilings:
        found["ceilings"] = ceiling_table(plan)
        if len((affordable := affordable_table(plan)).frame):
            found["affordable"] = affordable
    if plan.paid_years and len((gaps := open_gap_table(plan)).frame):
        found["open_gaps"] = narrowed(gaps, *_GAPS)
    about = {"years": (say("budget_paper.quantiles", title=plan.assumptions[0].title),)}
    return {name: grid_of(replace(table, notes=about.get(name, ())), PORTRAIT) for name, table in found.items()}


def _units(plan: BudgetPlan) -> Grid:
    """附件 分省分年资金表: net payments by unit and year, as the plan books them."""
    table = unit_year_table(plan.budgets[0], plan.allocations)
    notes = (say("budget_paper.units", title=plan.assumptions[0].title), *gaps_note(plan.full.ledger.gaps()))
    notes = (*notes, *budget_marks(plan.allocations))
    return grid_of(replace(table, frame=table.frame.iloc[:, 1:], notes=notes), LANDSCAPE)
