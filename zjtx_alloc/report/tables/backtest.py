"""The tables and sentences of a look back on observed tables."""

from collections.abc import Sequence

import pandas as pd

from zjtx_alloc.allocation.allocate import Allocation, marked
from zjtx_alloc.base.messages import say
from zjtx_alloc.report.notes.marks import budget_marks
from zjtx_alloc.report.table import Column, Table, titled
from zjtx_alloc.uncertainty.fit_weights import WeightFit
from zjtx_alloc.uncertainty.known_counts import known_counts


def _named(fit: WeightFit, code: str) -> str:
    period = fit.factors[list(fit.shares.columns).index(code)].partition(":")[2]
    return f"{fit.panel.name(code)}（{fit.panel.supplied.get(code, period)}）"


def weight_table(fit: WeightFit) -> Table:
    """The fitted weights, and how far each may be moved while the table fits almost as well."""
    frame = fit.weights.reset_index()
    frame["indicator"] = [_named(fit, code) for code in frame["factor"]]
    frame = frame[["indicator", "weight", "least", "most"]]
    return titled("fitted_weights", frame, say("backtest.slack", slack=fit.slack), *backtest_notes(fit))


def error_table(fit: WeightFit) -> Table:
    """Firms misplaced by the fit and by naive rules, in the sample and out of it."""
    frame = fit.errors.rename_axis("rule").reset_index()
    frame["rule"] = [say(f"backtest.rule_{name}") for name in frame["rule"]]
    total = int(fit.table["observed"].sum())
    for column in ("misplaced", "misplaced_left_out"):
        frame[f"{column}_share"] = frame[column] / total
    frame = frame[["rule", "misplaced", "misplaced_share", "misplaced_left_out", "misplaced_left_out_share"]]
    return titled("fit_errors", frame, say("backtest.misplaced"), *backtest_notes(fit))


def left_out_table(fit: WeightFit) -> Table:
    """Weights fitted without each region, and what they predict for it."""
    weights = {code: Column(_named(fit, code), "weight") for code in fit.shares.columns}
    frame = fit.regions.rename(columns=weights).reset_index()
    return titled("left_out", frame, say("backtest.left_out"), *backtest_notes(fit))


def fit_table(fit: WeightFit) -> Table:
    """Observed, fitted and predicted firms by unit."""
    frame = fit.table.reset_index()
    frame["misfit"] = frame["fitted"] - frame["observed"]
    frame["estimated"] = marked(fit.table["estimated"], say("mark.estimated")).to_numpy()
    total = frame[["observed", "fitted", "left_out"]].sum().to_dict() | {"short_name": say("table.total")}
    frame = frame[["short_name", "region", "observed", "fitted", "misfit", "left_out", "estimated"]]
    return titled("fit", frame, *backtest_notes(fit), total=total)


def known_table(allocations: Sequence[Allocation], known: pd.DataFrame | None = None) -> Table:
    """The few counts known of the new round, beside what each scenario gives; ``known`` if they are at hand."""
    frame = known_counts(allocations) if known is None else known.copy()
    own = [code for code in allocations[0].entitlement.contributions if code in frame]
    name = allocations[0].panel.name
    frame["batch"] = [say("table.batch", batch=batch) for batch in frame["batch"]]
    frame["status"] = [say(f"backtest.status_{status}") for status in frame["status"]]
    columns = [
        "short_name", "batch", "observed", "status", "scenario", "quota", "entitlement", "places_q05", "places_q95",
        "former", *own, "source",
    ]  # fmt: skip
    frame = frame.rename(columns={"low": "places_q05", "high": "places_q95"})[columns]
    frame = frame.rename(columns={code: Column(say("backtest.alone", name=name(code)), "places") for code in own})
    return titled("known_counts", frame, say("backtest.few_counts"), *budget_marks(allocations))


def look_back(known: pd.DataFrame) -> tuple[str, ...]:
    """Sentences on how near the counts known of the new round are; none without such counts."""
    told = [_count_text(rows) for _, rows in known.groupby(["batch", "observed", "source"], sort=False)]
    if not told:
        return ()
    return (say("backtest.look_back", counts="；".join(told), count=len(told)),)


def looked_back(known: pd.DataFrame) -> tuple[str, ...]:
    """For the conclusions, the short of ``look_back``: how many rows of the table of counts known lie in their ranges."""
    ranged = known.dropna(subset=["low", "high"])
    if ranged.empty:
        return ()
    inside = int(ranged["observed"].between(ranged["low"], ranged["high"]).sum())
    readings = len(ranged) - len(ranged.drop_duplicates(["batch", "observed", "source"]))
    twice = say("backtest.two_readings", count=readings) if readings else ""
    return (say("backtest.looked_back", count=len(ranged), inside=inside, twice=twice),)


def _count_text(rows: pd.DataFrame) -> str:
    """One count, beside the quota, its range and the stand-ins' quota; a second reading with the city inside."""
    first = rows.iloc[0]
    status = first["status"] if len(rows) == 1 else "either"
    seen = say(f"backtest.seen_{status}", batch=first["batch"], name=first["short_name"], count=first["observed"])
    given = [
        say("backtest.given", name="" if row.short_name == first["short_name"] else row.short_name, quota=row.quota)
        + ("" if pd.isna(row.low) else say("backtest.between", low=row.low, high=row.high))
        for row in rows.itertuples()
    ]
    before = "、".join(f"{quota:.0f}" for quota in rows["former"].dropna())
    return seen + "、".join(given) + (say("backtest.before", quotas=before) if before else "")


def backtest_notes(fit: WeightFit) -> tuple[str, ...]:
    """What the observed table is, and what rests on estimates."""
    code, _, period = fit.observed.partition(":")
    return (
        say(
            "backtest.passes",
            name=fit.panel.name(code),
            period=fit.panel.supplied.get(code, period),
            total=int(fit.table["observed"].sum()),
        ),
        say("backtest.estimated", count=int(fit.table["estimated"].sum())),
    )


def backtest_summary(fit: WeightFit) -> str:
    """The conclusions of the page, as Markdown: the weights, whether they predict, what this shows and what it cannot."""
    total, errors = int(fit.table["observed"].sum()), fit.errors
    weights = "、".join(
        f"{fit.panel.name(c)}{row.weight:.2f}（{row.least:.2f}—{row.most:.2f}）" for c, row in fit.weights.iterrows()
    )
    compared = say(
        "backtest.compared",
        fitted=errors.at["fitted", "misplaced"] / total,
        out=errors.at["fitted", "misplaced_left_out"] / total,
        naive=errors.at["little_giants", "misplaced"] / total,
        equal=errors.at["equal", "misplaced"] / total,
    )
    better = say("backtest.better" if errors["misplaced_left_out"].idxmin() == "fitted" else "backtest.no_better")
    lines = [say("backtest.weights", weights=weights, slack=fit.slack), better + compared, say("backtest.cannot")]
    return "\n".join(f"- {line}" for line in lines)
