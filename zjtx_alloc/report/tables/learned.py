"""Tables of what known results change, and of several years together."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from zjtx_alloc.allocation.allocate import Allocation
from zjtx_alloc.base.messages import say
from zjtx_alloc.budget.forecast import BudgetOutlook
from zjtx_alloc.budget.joint import joint_ranges
from zjtx_alloc.budget.ledger.ledger import gaps_in
from zjtx_alloc.report.notes.marks import condition, outcome_notes, outlook_notes, year_label
from zjtx_alloc.report.table import Table, titled

SHOWN = ("due", "net")  # measures of the joint table
SIDES = (
    *("rate_before", "rate_range_before", "rate_after", "rate_range_after", "rate_results"),
    *("gone_rate_before", "gone_rate_after", "gone_rate_results"),
    *("net_before", "net_range_before", "net_after", "net_range_after"),
)


def seen_table(outlooks: tuple[BudgetOutlook, ...]) -> Table | None:
    """What is known of the batches beside what each assumption expects; None if nothing is known."""
    rows = [
        {
            "batch": _batch(row["cohort"]), "outcomes": outlook.outcomes.title, "seen_outcome": say(f"seen.{row['outcome']}"),
            "seen_units": row["units"], "seen_firms": row["firms"], "seen_share": row["observed"],
            "declared_range": _shares(row["low"], row["high"]), "outside": say(f"outside.{row['outside'] or 'inside'}"),
        }
        for outlook in outlooks for row in outlook.learned().to_dict("records") if row["outcome"]
    ]  # fmt: skip
    if not rows:
        return None
    day = outlooks[0].as_of
    when = [say("note.seen_day", day=day.isoformat())] if day else []
    return titled("seen", pd.DataFrame(rows), say("note.seen"), *when, *outcome_notes(o.outcomes for o in outlooks))


def learned_table(outlooks: tuple[BudgetOutlook, ...], allocations: tuple[Allocation, ...]) -> Table | None:
    """Prior and posterior side by side, batch by batch, and what they rest on: rates in the nation, and the closing year's net.

    None if nothing is known. The assumption is a column where there are several; of one the notes say it.
    """
    told = [(outlook, outlook.learned()) for outlook in outlooks if outlook.known.is_any]
    if not told:
        return None
    gaps = gaps_in(outlooks[0].years, outlooks[0].cohorts, outlooks[0].award)
    rows = [
        {"batch": _batch(row["cohort"]), "fiscal_year": year_label(row["fiscal_year"], gaps), "outcomes": outlook.outcomes.title}
        | {name: _side(row, name) for name in SIDES}
        | {"condition": condition(row["fiscal_year"], outlook.cohorts, allocations)}
        for outlook, frame in told for row in frame.to_dict("records")
    ]  # fmt: skip
    frame = pd.DataFrame(rows)
    if len(outlooks) == 1:
        frame = frame.drop(columns="outcomes")
    common = "、".join(dict.fromkeys(outlook.outcomes.common_experience for outlook, _ in told))
    notes = [say("note.learned", common=common)]
    if frame["gone_rate_results"].any():
        notes.append(say("note.learned_left"))
    return titled("learned", frame, *notes, *outlook_notes(outlooks, allocations))


def joint_table(outlooks: tuple[BudgetOutlook, ...], allocations: tuple[Allocation, ...]) -> Table:
    """The years that hang on outcomes, each and all together, and how surely all keep their ranges; with the firms they hold for."""
    gaps = gaps_in(outlooks[0].years, outlooks[0].cohorts, outlooks[0].award)
    rows = []
    for outlook in outlooks:
        for row in joint_ranges(outlook).to_dict("records"):
            if row["measure"] in SHOWN:
                first, last = row["first_year"], row["last_year"]
                years = [year for year in outlook.years if first <= year <= last]
                together = say("table.years_together", first=first, last=last)
                rows.append(row | {
                    "fiscal_year": year_label(first, gaps) if first == last else together, "outcomes": outlook.outcomes.title,
                    "money_measure": say(f"money_measure.{row['measure']}"),
                    "condition": "、".join(dict.fromkeys(c for y in years if (c := condition(y, outlook.cohorts, allocations)))),
                })  # fmt: skip
    columns = [
        "outcomes",
        "money_measure",
        "fiscal_year",
        "mean",
        "sd",
        "p5",
        "p25",
        "p50",
        "p75",
        "p95",
        "within",
        "condition",
    ]
    return titled("joint", pd.DataFrame(rows)[columns], say("note.joint"), *outlook_notes(outlooks, allocations))


def _batch(name: str) -> str:
    return say("table.batch", batch=name)


def _side(row: Mapping[str, Any], name: str) -> float | str:
    """A mean or a count as it is, a range as text."""
    of, is_range, when = name.partition("_range_")
    if not is_range:
        return row[name]
    return (_money if of == "net" else _shares)(row[f"{of}_{when}_p5"], row[f"{of}_{when}_p95"])


def _shares(low: float, high: float) -> str:
    return f"{low:.1%}—{high:.1%}"


def _money(low: float, high: float) -> str:
    return f"{low:,.0f}—{high:,.0f}"
