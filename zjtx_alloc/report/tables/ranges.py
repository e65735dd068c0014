"""The tables and sentences of what unknown weights can do: ranges, and quotas that are robust against them."""

import pandas as pd

from zjtx_alloc.base.messages import header, say
from zjtx_alloc.report.notes.marks import alone_note, marks_note
from zjtx_alloc.report.table import Table, of_kind, span, titled
from zjtx_alloc.rules.scenario_ranges import range_notes as inherited_notes
from zjtx_alloc.uncertainty.robust import Robust
from zjtx_alloc.uncertainty.weight_range import WeightRange

QUOTAS = ("baseline", "robust", "average")


def range_table(found: WeightRange) -> Table:
    """The least and greatest entitlement and quota of each unit, and which of them are brackets, if any."""
    frame = found.table.assign(quota=found.allocation.quota, separate=found.table["quota"]).reset_index()
    frame["span"] = frame["quota_max"] - frame["quota_min"]
    frame["bracket"] = [bracket_text(row) for row in frame.to_dict("records")]
    columns = [
        "short_name", "region", "entitlement", "entitlement_min", "entitlement_max", "quota",
        *(["separate"] if alone_note(found.allocation) else []), "quota_min", "quota_max", "span",
        *(["bracket"] if frame["bracket"].any() else []),
    ]  # fmt: skip
    notes = (*alone_note(found.allocation), *range_notes(found), *marks_note(found.allocation))
    return titled("weight_ranges", frame[columns], *notes)


def bracket_text(row: dict[str, float]) -> str:
    """The bounds beyond the attained ends, where they are not the same."""
    kinds = [
        (name, *(f"{row[f'{name}_{end}']:.{decimals}f}" for end in ("lower", "upper")))
        for name, decimals in (("entitlement", 2), ("quota", 0))
        if not row[f"{name}_exact"]
    ]
    return "；".join(say("ranges.bracket", name=header(name), low=low, high=high) for name, low, high in kinds)


def allowed_table(found: WeightRange) -> Table:
    """What the scenario lets the weights be, as far as the ends show: the span of each weight over all of them."""
    panel, weights = found.allocation.panel, found.weights
    rows = [
        {
            "pool": pool or say("table.whole"),
            "indicator": panel.name(code) if code else say("ranges.pool_share"),
            "least": weights[(pool, code)].min(),
            "most": weights[(pool, code)].max(),
        }
        for pool, code in weights.columns
    ]
    return titled("allowed", pd.DataFrame(rows), say("ranges.allowed"), say("note.weights"))


def range_notes(found: WeightRange) -> tuple[str, ...]:
    """How exact the ranges are, and which of those of the weights moved with them."""
    return exactness(found), *inherited_notes(found.allocation.scenario.assumptions), say("note.weights")


def exactness(found: WeightRange) -> str:
    """Which ends of the ranges are attained and proven, and which are only bracketed."""
    exact = found.table[["entitlement_exact", "quota_exact"]]
    if exact.all(axis=None):
        return say("ranges.exact")
    open_ends = (~exact).sum()
    return say("ranges.some_brackets", entitlement=open_ends["entitlement_exact"], quota=open_ends["quota_exact"])


def robust_table(found: Robust) -> Table:
    """Regret of the baseline's quotas, of the robust ones and of the best on average: the price of robustness."""
    frame = found.measures.rename_axis("rule").rename(columns={"moved": "moved_places"}).reset_index()
    frame["rule"] = [say(f"robust.{name}") for name in frame["rule"]]
    frame = frame[["rule", "worst_regret", "mean_regret", "worst_webster", "moved_places"]]
    return titled("robust", frame, *robust_notes(found), *marks_note(found.allocation))


def robust_quota_table(found: Robust) -> Table:
    """The three quotas by unit, and what the robust ones add or take."""
    quotas = found.quota[list(QUOTAS)].rename(columns=of_kind("count", lambda name: say(f"robust.{name}")))
    frame = found.allocation.panel.units[["short_name"]].join(quotas)
    frame = frame.assign(step=found.quota["robust"] - found.quota["baseline"])
    notes = (*alone_note(found.allocation), say("robust.what"), *marks_note(found.allocation), say("note.weights"))
    return titled("robust_quotas", frame, *notes)


def robust_notes(found: Robust) -> tuple[str, ...]:
    """What regret is, and over which weights it is taken."""
    covers = say("robust.covers_all" if found.covers_all else "robust.vertices", vertices=found.vertices)
    webster = "robust.webster" if found.allocation.problem.criterion == "webster" else "robust.webster_apart"
    return (
        say("robust.regret"),
        covers,
        say("robust.draws", draws=found.draws, seed=found.seed),
        say(webster, vertices=found.vertices),
        say("note.weights"),
    )


def range_summary(ranges: WeightRange) -> str:
    """The units that the weights move most, and those that they do not move."""
    table = ranges.table.assign(span=ranges.table["quota_max"] - ranges.table["quota_min"])
    widest = table[table["span"] > 0].sort_values("span", ascending=False, kind="stable").head(5)
    sure = table[(table["quota_lower"] == table["quota_upper"])]
    return say(
        "ranges.summary",
        widest="、".join(
            row.short_name + say("unit.places", places=span(row.quota_min, row.quota_max))
            for row in widest.itertuples()
        )
        or say("ranges.nobody"),
        sure="、".join(sure["short_name"]) or say("ranges.nobody"),
    )


def uncertainty_summary(ranges: WeightRange, found: Robust) -> str:
    """The conclusions of the page, as Markdown: what unknown weights can do, and how many places would have to move."""
    moved = int(found.measures.at["robust", "moved"])
    steady = say("robust.summary", moved=moved) if moved else say("robust.summary_none")
    inherited = inherited_notes(ranges.allocation.scenario.assumptions)
    return "\n".join(
        f"- {line}"
        for line in (*alone_note(ranges.allocation), range_summary(ranges), steady, say("note.weights"), *inherited)
    )


def regret_note(found: Robust) -> str:
    """The greatest regret of the baseline's quotas and of the robust ones."""
    worst = found.measures["worst_regret"]
    described = {"baseline": worst["baseline"], "robust": worst["robust"]}
    if worst["robust"] > 0:
        return say("robust.worst", ratio=worst["baseline"] / worst["robust"] - 1, **described)
    return say("robust.worst_none", **described)
