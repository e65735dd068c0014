"""The tables of an allocation report, each a function of an allocation."""

import pandas as pd

from zjtx_alloc.allocation.allocate import Allocation, marked
from zjtx_alloc.allocation.entitlement import ADJUSTMENT
from zjtx_alloc.base.messages import header, say
from zjtx_alloc.report.notes.marks import marks_note, sources_of, split_rule, stands_for, weights_note
from zjtx_alloc.report.notes.user_data import pools_note, supply_note
from zjtx_alloc.report.table import Table, titled
from zjtx_alloc.report.tables.data import sources_told
from zjtx_alloc.rules.scenario import DEFAULT, Rule


def allocation_table(allocation: Allocation) -> Table:
    """Quotas by unit with marks, and a total."""
    due = allocation.entitlement
    frame = allocation.table().reset_index()
    frame["difference"] = frame["quota"] - frame["entitlement"]
    frame["cap"] = frame["cap"].where(frame["cap"] < allocation.scenario.total)
    frame["estimated_part"] = [part if part > 0 else None for part in due.estimated]
    frame["stand_in_part"] = [part if part > 0 else None for part in due.stand_in]
    total = {
        "short_name": say("table.total"),
        "entitlement": allocation.scenario.total,
        "quota": int(frame["quota"].sum()),
        "estimated_part": due.estimated_share,
        "stand_in_part": due.stand_in_share,
    }
    frame = pd.concat([frame.astype(object), pd.DataFrame([total]).astype(object)], ignore_index=True)
    text = ["code", "short_name", "region", "binds", "estimated", "stand_in"]
    frame[text] = frame[text].fillna("")
    kinds = {
        "code": "text", "short_name": "text", "region": "text", "entitlement": "places", "quota": "count",
        "difference": "difference", "floor": "count", "cap": "count", "binds": "text",
        "estimated": "text", "estimated_part": "share", "stand_in": "text", "stand_in_part": "share",
    }  # fmt: skip
    return titled("allocation", frame, kinds, *marks_note(allocation), weights_note(), has_total=True)


def region_table(allocation: Allocation) -> Table:
    """Entitlements and quotas by region."""
    sums = allocation.table().groupby("region", sort=False)[["entitlement", "quota"]].sum().reset_index()
    sums["share"] = sums["quota"] / allocation.scenario.total
    kinds = {"region": "text", "entitlement": "places", "quota": "count", "share": "share"}
    return titled("regions", sums, kinds, *marks_note(allocation))


def contribution_table(allocation: Allocation) -> Table:
    """Where each entitlement comes from: a column a factor, and what the coefficients add or take."""
    due, panel = allocation.entitlement, allocation.panel
    names = {c: header(ADJUSTMENT) if c == ADJUSTMENT else panel.name(c) for c in due.contributions.columns}
    frame = due.contributions.rename(columns=names)
    frame.insert(0, header("short_name"), panel.units["short_name"])
    frame[header("entitlement")] = due.places
    frame[header("estimated")] = marked(due.estimated.gt(0), say("mark.estimated"))
    kinds = dict.fromkeys(names.values(), "places") | {names[ADJUSTMENT]: "difference"}
    kinds = {header("short_name"): "text"} | kinds | {header("entitlement"): "places", header("estimated"): "text"}
    notes = (*marks_note(allocation), say("note.contributions"))
    return Table(say("title.contributions"), frame.reset_index(drop=True), kinds, notes)


def factor_table(allocation: Allocation) -> Table:
    """The factors with weight, period, source, and what they stand in for."""
    panel = allocation.panel
    rows = []
    for pool_name, pool in allocation.scenario.all_pools().items():
        for code, factor in pool.factors.items():
            cells = panel.column(code, factor.period)
            periods = [(ground, line.period) for ground, line in allocation.scenario.grounds(code, factor)]
            rows.append(
                {
                    "pool": pool_name or say("table.whole"),
                    "pool_share": pool.share,
                    "indicator": panel.name(code),
                    "period": panel.supplied.get(code, factor.period),
                    "measure": panel.indicators.at[code, "measure"],
                    "value": cells["value"].sum(),
                    "weight": factor.weight,
                    "stand_in_for": stands_for(allocation, code, factor),
                    "estimated_units": int(cells["estimated"].sum()),
                    "source": "、".join(sources_of(panel, periods)),
                }
            )
    kinds = {
        "pool": "text", "pool_share": "share", "indicator": "text", "period": "text", "measure": "text",
        "value": "count", "weight": "weight", "stand_in_for": "text", "estimated_units": "count", "source": "text",
    }  # fmt: skip
    return titled("factors", pd.DataFrame(rows), kinds, *supply_note(allocation), weights_note())


def assumption_table(allocation: Allocation) -> Table:
    """What the scenario assumes, in its own words; nothing of an indicator that the user's table replaces."""
    scenario, supplied = allocation.scenario, allocation.panel.supplied
    replaced = {code for code, _ in scenario.indicators() if code in supplied}
    lines = {key: line for key, line in scenario.assumptions.items() if key not in replaced}
    frame = pd.DataFrame({"number": range(1, len(lines) + 1), "assumption": list(lines.values())})
    return titled("assumptions", frame, {"number": "count", "assumption": "text"})


def rule_table(allocation: Allocation) -> Table:
    """Bounds and rules in force, and the units that each one holds."""
    scenario, table = allocation.scenario, allocation.table()
    names = allocation.panel.units["short_name"].to_dict() | {DEFAULT: say("table.all_units")}
    rows: list[tuple[str, str, set[str]]] = [
        (say("table.region"), f"{region} {value:g}", set()) for region, value in scenario.region_coefficient.items()
    ]
    rows += [(say("table.grade"), f"{grade} {value:g}", set()) for grade, value in scenario.grade_coefficient.items()]
    rows += [(say("bound.floor"), f"{names[c]} ≥ {n}", {say("bound.floor")}) for c, n in scenario.floor.items()]
    rows += [(say("bound.cap"), f"{names[c]} ≤ {n}", {say("bound.cap")}) for c, n in scenario.cap.items()]
    if capped := pools_note([allocation]):
        rows.append((say("bound.pool"), say("table.pool"), {say("bound.pool")}))
    if (change := scenario.change) is not None:
        kind = say("table.raw") if change.raw else say("table.scaled")
        value = f"{change.previous} ± {100 * change.max_relative:g}%（{kind}）"
        rows.append((say("table.change"), value, {say("bound.change_floor"), say("bound.change_cap")}))
    rows += [
        (name, _between(say("table.sum"), group.floor, group.cap), {name}) for name, group in scenario.groups.items()
    ]
    rows += [(name, _rule_text(rule, names), {name}) for name, rule in scenario.rules.items()]
    rows += [(say("bound.fixed"), f"{names[c]} = {f.quota}（{f.reason}）", set()) for c, f in scenario.fixed.items()]
    binds = list(zip(table["short_name"], table["binds"].str.split("、"), strict=True))
    held = ["、".join(name for name, bounds in binds if marks & set(bounds)) for _, _, marks in rows]
    frame = pd.DataFrame([row[:2] for row in rows], columns=["rule", "value"]).assign(held=held)
    return titled(
        "rules", frame, {"rule": "text", "value": "text", "held": "text"}, *(capped or [say("note.eligible_pool")])
    )


def _rule_text(rule: Rule, names: dict[str, str]) -> str:
    """A linear rule in the scenario's own numbers."""
    weighted = " + ".join(f"{weight:.12g}×{names[code]}" for code, weight in rule.coefficients.items())
    what = weighted or say("table.sum")
    places = _between(what, rule.min, rule.max)
    shares = _between(say("table.share_of", what=what), rule.min_share, rule.max_share)
    return "；".join(text for text in (places, shares) if text)


def _between(what: str, least: float | None, most: float | None) -> str:
    """Bounds on either side, only those given; blank if none."""
    if least is None and most is None:
        return ""
    left = "" if least is None else f"{least:.12g} ≤ "
    return left + what + ("" if most is None else f" ≤ {most:.12g}")


def decision_table(allocation: Allocation) -> Table:
    """人工调整: the model's number, the decided number, the reason, and who gave or got places."""
    frame = allocation.decisions.rename(columns={"difference": "step"})
    kinds = {"short_name": "text", "model": "count", "quota": "count", "step": "step", "reason": "text"}
    notes = marks_note(allocation) if len(frame) else (say("note.no_decision"),)
    return titled("decisions", frame, kinds, *notes)


def estimate_table(allocation: Allocation) -> Table:
    """The estimated cells that the entitlements rest on."""
    panel, rows = allocation.panel, []
    for code, line in allocation.scenario.indicators():
        cells = panel.known(code, line.period).reindex(panel.units.index)
        rows += [
            {
                "short_name": panel.units.at[unit, "short_name"],
                "indicator": panel.name(code),
                "period": panel.supplied.get(code, line.period),
                "value": value,
                "measure": panel.indicators.at[code, "measure"],
                "rule": split_rule(panel, code),
            }
            for unit, value in cells.loc[cells["estimated"].eq(True), "value"].items()
        ]
    kinds = {
        "short_name": "text",
        "indicator": "text",
        "period": "text",
        "value": "places",
        "measure": "text",
        "rule": "text",
    }
    frame = pd.DataFrame(rows, columns=list(kinds)).drop_duplicates()
    return titled("estimates", frame, kinds, say("note.estimates", share=allocation.entitlement.estimated_share))


def source_table(allocation: Allocation) -> Table:
    """The sources of the facts used, with how far to trust them."""
    panel = allocation.panel
    used = sources_of(panel, [(code, line.period) for code, line in allocation.scenario.indicators()])
    return sources_told(panel, used)
