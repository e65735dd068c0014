"""The tables of what money may come to: ranges by year, the assumptions they rest on, the evidence beside them."""

import pandas as pd

from zjtx_alloc.allocation import Allocation
from zjtx_alloc.budget.books import gaps_in
from zjtx_alloc.budget.forecast import BudgetOutlook
from zjtx_alloc.budget.outcomes import OutcomeAssumption, outcome_evidence
from zjtx_alloc.messages import say
from zjtx_alloc.report.notes import condition, outlook_notes, year_label
from zjtx_alloc.report.tables import Table, titled


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
