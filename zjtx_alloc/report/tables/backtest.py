"""The tables and sentences of a look back on observed tables."""

from collections.abc import Sequence

from zjtx_alloc.allocation.allocate import Allocation, marked
from zjtx_alloc.base.messages import say
from zjtx_alloc.report.notes.marks import budget_marks
from zjtx_alloc.report.table import Column, Table, titled
from zjtx_alloc.uncertainty.fit_weights import WeightFit, known_counts


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


def known_table(allocations: Sequence[Allocation]) -> Table:
    """The few counts known of the new round, beside what each scenario gives."""
    frame = known_counts(allocations)
    frame["batch"] = [say("table.batch", batch=batch) for batch in frame["batch"]]
    frame["status"] = [say(f"backtest.status_{status}") for status in frame["status"]]
    sources = allocations[0].panel.sources
    frame["source"] = [sources.at[source, "publisher"] + sources.at[source, "title"] for source in frame["source"]]
    frame = frame[["short_name", "batch", "observed", "status", "scenario", "entitlement", "quota", "source"]]
    return titled("known_counts", frame, say("backtest.two_counts"), *budget_marks(allocations))


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
    """The first paragraph of the page, as Markdown: what this shows and what it cannot."""
    total, errors = int(fit.table["observed"].sum()), fit.errors
    weights = "、".join(
        f"{fit.panel.name(c)}{row.weight:.2f}（{row.least:.2f}—{row.most:.2f}）" for c, row in fit.weights.iterrows()
    )
    lines = [
        say("backtest.weights", weights=weights, slack=fit.slack),
        say(
            "backtest.compared",
            fitted=errors.at["fitted", "misplaced"] / total,
            out=errors.at["fitted", "misplaced_left_out"] / total,
            naive=errors.at["little_giants", "misplaced"] / total,
            equal=errors.at["equal", "misplaced"] / total,
        ),
        say("backtest.better" if errors["misplaced_left_out"].idxmin() == "fitted" else "backtest.no_better"),
        say("backtest.cannot"),
        *backtest_notes(fit),
    ]
    return "\n".join(f"- {line}" for line in lines)
