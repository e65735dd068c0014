"""The tables and sentences of a look back on observed tables."""

from collections.abc import Sequence

import pandas as pd

from zjtx_alloc.allocation.allocate import Allocation, marked
from zjtx_alloc.base.messages import header, say
from zjtx_alloc.report.notes.marks import budget_marks
from zjtx_alloc.report.table import Table, titled
from zjtx_alloc.uncertainty.fit_weights import WeightFit, known_counts


def _named(fit: WeightFit, code: str) -> str:
    period = fit.factors[list(fit.shares.columns).index(code)].partition(":")[2]
    return f"{fit.panel.name(code)}（{fit.panel.supplied.get(code, period)}）"


def weight_table(fit: WeightFit) -> Table:
    """The fitted weights, and how far each may be moved while the table fits almost as well."""
    frame = fit.weights.reset_index()
    frame["indicator"] = [_named(fit, code) for code in frame["factor"]]
    kinds = {"indicator": "text", "weight": "weight", "least": "weight", "most": "weight"}
    return titled("fitted_weights", frame, kinds, say("backtest.slack", slack=fit.slack), *backtest_notes(fit))


def error_table(fit: WeightFit) -> Table:
    """Firms misplaced by the fit and by naive rules, in the sample and out of it."""
    frame = fit.errors.rename_axis("rule").reset_index()
    frame["rule"] = [say(f"backtest.rule_{name}") for name in frame["rule"]]
    total = int(fit.table["observed"].sum())
    for column in ("misplaced", "misplaced_left_out"):
        frame[f"{column}_share"] = frame[column] / total
    kinds = {
        "rule": "text", "misplaced": "count", "misplaced_share": "share", "misplaced_left_out": "count",
        "misplaced_left_out_share": "share",
    }  # fmt: skip
    return titled("fit_errors", frame, kinds, say("backtest.misplaced"), *backtest_notes(fit))


def left_out_table(fit: WeightFit) -> Table:
    """Weights fitted without each region, and what they predict for it."""
    frame = fit.regions.reset_index().rename(columns={"region": header("region")})
    weights = {code: _named(fit, code) for code in fit.shares.columns}
    frame = frame.rename(columns=weights | {"observed": header("observed"), "predicted": header("predicted")})
    kinds = {header("region"): "text"} | dict.fromkeys(weights.values(), "weight")
    kinds |= {header("observed"): "count", header("predicted"): "places"}
    return Table(say("title.left_out"), frame, kinds, (say("backtest.left_out"), *backtest_notes(fit)))


def fit_table(fit: WeightFit) -> Table:
    """Observed, fitted and predicted firms by unit."""
    frame = fit.table.reset_index()
    frame["misfit"] = frame["fitted"] - frame["observed"]
    frame["estimated"] = marked(fit.table["estimated"], say("mark.estimated")).to_numpy()
    total = frame[["observed", "fitted", "left_out"]].sum().to_dict() | {"short_name": say("table.total")}
    frame = pd.concat([frame.astype(object), pd.DataFrame([total]).astype(object)], ignore_index=True)
    text = ["short_name", "region", "estimated"]
    frame[text] = frame[text].fillna("")
    kinds = {
        "short_name": "text", "region": "text", "observed": "count", "fitted": "places", "misfit": "difference",
        "left_out": "places", "estimated": "text",
    }  # fmt: skip
    return titled("fit", frame, kinds, *backtest_notes(fit), has_total=True)


def known_table(allocations: Sequence[Allocation]) -> Table:
    """The few counts known of the new round, beside what each scenario gives."""
    frame = known_counts(allocations)
    frame["batch"] = [say("table.batch", batch=batch) for batch in frame["batch"]]
    frame["status"] = [say(f"backtest.status_{status}") for status in frame["status"]]
    sources = allocations[0].panel.sources
    frame["source"] = [sources.at[source, "publisher"] + sources.at[source, "title"] for source in frame["source"]]
    kinds = {
        "short_name": "text", "batch": "text", "observed": "count", "status": "text", "scenario": "text",
        "entitlement": "places", "quota": "count", "source": "text",
    }  # fmt: skip
    return titled("known_counts", frame, kinds, say("backtest.two_counts"), *budget_marks(allocations))


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
