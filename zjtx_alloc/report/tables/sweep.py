"""The tables and sentences of a sweep: quotas over the draws, what drives them; and its CSV files."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from zjtx_alloc.base.files import check_free, write_csv
from zjtx_alloc.base.messages import say
from zjtx_alloc.report.notes.marks import alone_note, marks_note
from zjtx_alloc.report.table import Column, Table, csv_text, span, titled
from zjtx_alloc.rules.scenario_ranges import range_notes
from zjtx_alloc.uncertainty.drivers import OVERALL, ranked
from zjtx_alloc.uncertainty.sweep import Sweep

_ENOUGH = 1000  # draws for quantiles and probabilities that more draws would hardly change
_SURE = 0.9  # probability from which a unit is said to gain, to lose or to stay


def sweep_table(found: Sweep) -> Table:
    """The quotas and ranks of each unit over all draws."""
    alone, frame = alone_note(found.allocation), found.table.add_prefix("sweep_")
    frame = frame.rename(columns={"sweep_short_name": "short_name", "sweep_quota": "separate"})
    columns = [
        "short_name", "quota", *(["separate"] if alone else []), "sweep_mean", "sweep_min", "sweep_q05", "sweep_q50", "sweep_q95", "sweep_max",
        "sweep_gain", "sweep_lose", "sweep_rank", "sweep_rank_q05", "sweep_rank_q95",
    ]  # fmt: skip
    frame = frame.assign(quota=found.allocation.quota)[columns]
    return titled("sweep", frame, *alone, *sweep_notes(found), *marks_note(found.allocation))


def driver_table(found: Sweep) -> Table:
    """First-order and total Sobol indices by unit and overall, — where a quota does not vary."""
    return _by_unit(
        found, "sobol", found.sobol, [say(f"sweep.{order}", block=say(f"sweep.block_{b}")) for order, b in found.sobol]
    )


def weight_effect_table(found: Sweep) -> Table:
    """Shapley effects of the weights by unit and overall."""
    return _by_unit(found, "shapley", found.shapley, [factor_name(found, *column) for column in found.shapley])


def _by_unit(found: Sweep, kind: str, values: pd.DataFrame, headers: list[str]) -> Table:
    names = found.allocation.panel.units["short_name"].to_dict() | {OVERALL: say("sweep.overall")}
    frame = values.set_axis([Column(head, "weight") for head in headers], axis=1)
    frame.insert(0, "short_name", frame.index.map(names))
    bars = found.sobol_bars if kind == "sobol" else found.shapley_bars
    width = ((bars["high"] - bars["low"]) / 2).max(axis=None)
    notes = (say(f"sweep.{kind}_note", base=found.base), say("sweep.width", width=width))
    return titled(kind, frame, *notes, *marks_note(found.allocation), has_total=True)


def factor_name(found: Sweep, pool: str, code: str) -> str:
    """A weight by its pool and factor in Chinese; a pool's share by the pool alone."""
    name = found.allocation.panel.name(code) if code else say("ranges.pool_share")
    return f"{pool}：{name}" if pool else name


def uncertain_table(found: Sweep) -> Table:
    """What was drawn: the ends and the mean of every number that varies, as drawn."""
    rows = [
        {"parameter": _parameter(found, *name), "least_drawn": c.min(), "mean_drawn": c.mean(), "most_drawn": c.max()}
        for name, c in found.parameters.items()
    ]
    columns = ["parameter", "least_drawn", "mean_drawn", "most_drawn"]
    scenario = found.allocation.scenario
    facts, notes = scenario.uncertainty.facts, list[str]()
    if "facts" in found.sobol.columns.get_level_values("block"):
        ranges = say("sweep.ranges") if facts.ranges else ""
        notes.append(say("sweep.facts", ranges=ranges, published=facts.published, estimated=facts.estimated))
        notes += [say("sweep.composites")] if scenario.composites else []
    return titled("uncertain", pd.DataFrame(rows, columns=columns), *notes, say("sweep.assumed"))


def _parameter(found: Sweep, block: str, table: str, name: str) -> str:
    what = {"weights": lambda: factor_name(found, table, name), "coefficients": lambda: name}
    called = say(f"sweep.block_{block}")
    return f"{called}：{what[block]()}" if block in what else called


def sweep_notes(found: Sweep) -> tuple[str, ...]:
    """How many draws, and what quantiles and ranks are."""
    few = [say("sweep.few", draws=found.draws)] if found.draws < _ENOUGH else []
    return (
        say("sweep.draws", draws=found.draws, seed=found.seed),
        say("sweep.quantiles"),
        say("sweep.same_total"),
        *few,
        say("note.weights"),
    )


def sweep_summary(found: Sweep) -> list[str]:
    """The conclusions, a sentence each."""
    table = found.table.assign(span=found.table["q95"] - found.table["q05"])
    widest = table[table["span"] > 0].sort_values("span", ascending=False, kind="stable").head(5)
    spans = "、".join(r.short_name + say("unit.places", places=span(r.q05, r.q95)) for r in widest.itertuples())
    same = table[(1 - table["gain"] - table["lose"]) >= _SURE]
    return [
        say("sweep.did", draws=found.draws, title=found.allocation.scenario.title, seed=found.seed),
        *([say("sweep.few", draws=found.draws)] if found.draws < _ENOUGH else []),
        *alone_note(found.allocation),
        *range_notes(found.allocation.scenario.assumptions),
        say("sweep.widest", units=spans or say("ranges.nobody")),
        say("sweep.steady", share=_SURE, units="、".join(same["short_name"]) or say("ranges.nobody")),
    ]


def driver_summary(found: Sweep) -> list[str]:
    """What makes quotas vary, a sentence each; drivers whose error bars overlap are not ranked among themselves."""
    lines = []
    if found.sobol.loc[OVERALL].notna().all():
        bars = {end: found.sobol_bars[end]["first"].loc[OVERALL] for end in ("low", "high")}
        parts = _in_order(found.sobol["first"].loc[OVERALL], bars, lambda block: say(f"sweep.block_{block}"))
        lines.append(say("sweep.driven", parts=parts, base=found.base))
    if len(found.shapley.columns) and found.shapley.loc[OVERALL].notna().all():
        bars = {end: found.shapley_bars[end].loc[OVERALL] for end in ("low", "high")}
        parts = _in_order(found.shapley.loc[OVERALL], bars, lambda name: factor_name(found, *name))
        lines.append(say("sweep.within", parts=parts))
    return lines


def _in_order(values: pd.Series, bars: dict[str, pd.Series], name: Callable[[Any], str]) -> str:
    groups = []
    for labels in ranked(values, pd.DataFrame(bars)):
        parts = [
            say(
                "sweep.part",
                name=name(x),
                share=whole_percent(values[x]),
                **{e: whole_percent(b[x]) for e, b in bars.items()},
            )
            for x in labels
        ]
        groups.append("、".join(parts) + (say("sweep.no_order") if len(parts) > 1 else ""))
    return "；".join(groups)


def whole_percent(share: float) -> str:
    """A share in whole percent, without a sign where it rounds to nothing; estimates may be below zero."""
    text = f"{share:.0%}"
    return "0%" if text == "-0%" else text.replace("-", "−")


def write_sweep(found: Sweep, folder: Path) -> list[Path]:
    """Write the sweep's tables as CSV files into a folder, columns named as in code; returns their paths.

    Raises
    ------
    ReportError
        If a file is open in another program.
    """
    names = found.allocation.panel.units["short_name"]
    tables = {
        "units": found.table,
        "probability": found.probability.to_frame(),
        "sobol": _with_bars(found.sobol, found.sobol_bars, "_"),
        "shapley": _with_bars(found.shapley, found.shapley_bars, "."),
        "parameters": found.parameters.set_axis(
            [".".join(filter(None, column)) for column in found.parameters], axis=1
        ),
        "quotas": pd.DataFrame(found.quotas, columns=names.index).rename_axis("draw"),
    }
    paths = {name: folder / f"sweep-{name}.csv" for name in tables}
    check_free(paths.values())
    return [write_csv(paths[name], csv_text(table.reset_index())) for name, table in tables.items()]


def _with_bars(values: pd.DataFrame, bars: pd.DataFrame, between: str) -> pd.DataFrame:
    """Each column followed by the ends of its error bar, named in one row."""
    columns = {}
    for column in values:
        name = between.join(filter(None, column))
        columns[name] = values[column]
        columns |= {f"{name}_{end}": bars[(end, *column)] for end in ("low", "high")}
    return pd.DataFrame(columns, index=values.index)
