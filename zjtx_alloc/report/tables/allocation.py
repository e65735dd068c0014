"""The tables of an allocation report, each a function of an allocation; of its composite indicators (综合指数), every step."""

from collections.abc import Callable

import pandas as pd

from zjtx_alloc.allocation.allocate import Allocation, marked
from zjtx_alloc.allocation.composite import Composite
from zjtx_alloc.allocation.entitlement import ADJUSTMENT
from zjtx_alloc.base.messages import header, say
from zjtx_alloc.report.allocation_view import allocation_total, allocation_view
from zjtx_alloc.report.notes.marks import COEFFICIENTS, mark_shares, marks_note, publishers_of, sources_of, stands_for
from zjtx_alloc.report.notes.user_data import pools_note, supply_note
from zjtx_alloc.report.table import Table, of_kind, titled
from zjtx_alloc.report.tables.data import cell_table, sources_text
from zjtx_alloc.rules.composite_form import Part
from zjtx_alloc.rules.scenario import DEFAULT, Rule


def allocation_table(allocation: Allocation, view: str = "page", **beside: pd.Series) -> Table:
    """Quotas by unit in the official order with what binds them and marks, as ``allocation_view``, and a total."""
    frame = allocation_view(allocation, view, **beside)
    total = allocation_total(allocation, frame)
    return titled("allocation", frame, *marks_note(allocation), say("note.weights"), total=total)


def replan_table(allocation: Allocation) -> Table:
    """The units whose quota that counts is another than in the batch on its own, and why; against the last batch beside it."""
    frame = allocation_view(allocation, "replan")
    moved = frame[frame["step"] != 0]
    note = say("note.replan" if len(moved) else "note.no_replan", batch=allocation.scenario.batch)
    return titled("replan", moved, note)


def region_table(allocation: Allocation) -> Table:
    """Entitlements and quotas by region."""
    sums = allocation.table().groupby("region", sort=False)[["entitlement", "quota"]].sum().reset_index()
    sums["share"] = sums["quota"] / allocation.total
    return titled("regions", sums, mark_shares(allocation))


def contribution_table(allocation: Allocation) -> Table:
    """Where each entitlement comes from: a column a factor, and what the coefficients add or take."""
    due, panel = allocation.entitlement, allocation.panel
    factors = due.contributions.drop(columns=ADJUSTMENT).rename(columns=of_kind("places", panel.name))
    frame = panel.units[["short_name"]].join(factors).join(due.contributions[ADJUSTMENT])
    if due.base.any():
        frame.insert(1, "base", due.base)
    return titled(
        "contributions", frame.assign(entitlement=due.places), mark_shares(allocation), say("note.contributions")
    )


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
                    "rests_known": cells.loc[~cells["estimated"].astype(bool), "value"].sum() / cells["value"].sum(),
                    "publisher": publishers_of(panel, periods),
                }
            )
    return titled("factors", pd.DataFrame(rows), *supply_note(allocation), say("note.weights"))


def assumption_table(allocation: Allocation) -> Table:
    """What the scenario assumes, in its own words; nothing of an indicator that the user's table replaces."""
    scenario, panel = allocation.scenario, allocation.panel
    replaced = {code for code, line in scenario.indicators() if panel.is_own(code, line.period)}
    lines = {key: line for key, line in scenario.assumptions.items() if key not in replaced}
    frame = pd.DataFrame({"number": range(1, len(lines) + 1), "assumption": list(lines.values())})
    return titled("assumptions", frame)


def rule_table(allocation: Allocation) -> Table:
    """Bounds and rules in force, and the units that each one holds."""
    scenario, table = allocation.scenario, allocation.table()
    names = allocation.panel.units["short_name"].to_dict() | {DEFAULT: say("table.all_units")}
    rows: list[tuple[str, str, set[str]]] = [
        (say(called), f"{key} {value:g}", set())
        for name, called in COEFFICIENTS.items()
        for key, value in getattr(scenario, name).items()
    ]
    rows += [
        (say("bound.base"), f"{names.get(c, c)} {_places(n)}", {say("bound.base")}) for c, n in scenario.base.items()
    ]
    if scenario.redistribution:
        rows.append((say("table.redistribution"), say(f"why.by_{scenario.redistribution}"), set()))
    rows += [
        (say("bound.floor"), f"{names[c]} ≥ {_places(n)}", {say("bound.floor")}) for c, n in scenario.floor.items()
    ]
    rows += [(say("bound.cap"), f"{names[c]} ≤ {_places(n)}", {say("bound.cap")}) for c, n in scenario.cap.items()]
    if capped := pools_note([allocation]):
        rows.append((say("bound.pool"), say("table.pool"), {say("bound.pool")}))
    if (change := scenario.change) is not None:
        kind = say("table.raw") if change.raw else say("table.scaled")
        value = f"{change.previous} ± {100 * change.max_relative:g}%（{kind}）"
        rows.append((say("table.change"), value, {say("bound.change_floor"), say("bound.change_cap")}))
    rows += [
        (name, _between(say("table.sum"), group.floor, group.cap, _places), {name})
        for name, group in scenario.groups.items()
    ]
    rows += [(name, _rule_text(rule, names), {name}) for name, rule in scenario.rules.items()]
    rows += [
        (say("bound.fixed"), f"{names[c]} = {_places(f.quota)}（{f.reason}）", set()) for c, f in scenario.fixed.items()
    ]
    binds = list(zip(table["short_name"], table["binds"].str.split("、"), strict=True))
    held = ["、".join(name for name, bounds in binds if marks & set(bounds)) for _, _, marks in rows]
    frame = pd.DataFrame([row[:2] for row in rows], columns=["rule", "text_value"]).assign(held=held)
    return titled("rules", frame, *(capped or [say("note.eligible_pool")]))


def _rule_text(rule: Rule, names: dict[str, str]) -> str:
    """A linear rule in the scenario's own numbers."""
    weighted = " + ".join(f"{weight:.12g}×{names[code]}" for code, weight in rule.coefficients.items())
    what = weighted or say("table.sum")
    places = _between(what, rule.min, rule.max, _number if weighted else _places)
    shares = _between(say("table.share_of", what=what), rule.min_share, rule.max_share)
    return "；".join(text for text in (places, shares) if text)


def _number(value: float) -> str:
    return f"{value:.12g}"


def _places(value: float) -> str:
    return say("unit.places", places=_number(value))


def _between(what: str, least: float | None, most: float | None, described: Callable[[float], str] = _number) -> str:
    """Bounds on either side, only those given; blank if none."""
    if least is None and most is None:
        return ""
    left = "" if least is None else f"{described(least)} ≤ "
    return left + what + ("" if most is None else f" ≤ {described(most)}")


def decision_table(allocation: Allocation) -> Table:
    """人工调整: the model's number, the decided number, the reason, and who gave or got places."""
    frame = allocation.decisions.rename(columns={"difference": "step"})
    return titled("decisions", frame, *(marks_note(allocation) if len(frame) else (say("note.no_decision"),)))


def estimate_table(allocation: Allocation) -> Table:
    """The cells that the entitlements rest on where not all are published, each with its range and basis."""
    return cell_table(allocation.panel, ((code, line.period) for code, line in allocation.scenario.indicators()))


def source_table(allocation: Allocation) -> Table:
    """The sources of the facts used, with how far to trust them."""
    panel = allocation.panel
    used = sources_of(panel, [(code, line.period) for code, line in allocation.scenario.indicators()])
    return sources_text(panel, used)


def composite_tables(allocation: Allocation) -> list[Table]:
    """Three tables a composite: its parts, the scores by unit, correlations; none without composites."""
    return [
        table(allocation, one)
        for one in allocation.composites
        for table in (parts_table, score_table, correlation_table)
    ]


def parts_table(allocation: Allocation, composite: Composite) -> Table:
    """How the parts were read, treated, normalised and weighed, and how much each sets the score."""
    influence, panel = composite.influence(), allocation.panel
    rows = [
        {
            "component": composite.labels[code],
            "period": panel.supplied.get(code, part.period),
            "direction": f"{part.direction:+d}",
            "treatment": _steps(part),
            "normalisation": say(f"normalisation.{part.normalisation.kind if part.normalisation else 'as_is'}"),
            "part_weight": composite.weights[code],
            "correlation": influence.at[code, "correlation"],
            "effective_weight": influence.at[code, "effective"],
        }
        for code, part in composite.recipe.parts.items()
    ]
    weighting = say("composite.note_weighting", weighting=say(f"weighting.{composite.recipe.weights}"))
    units = say(f"composite.{'holds' if composite.laws.units_cancel else 'not_sure'}")
    laws = say("composite.note_laws", monotone=_monotone(allocation, composite), units=units)
    leaves = "、".join(f"{panel.name(str(code))} {weight:.3f}" for code, weight in composite.leaf_weights().items())
    notes = (weighting, say("composite.note_leaves", leaves=leaves), say("composite.note_parts"), laws)
    return titled("composite_parts", pd.DataFrame(rows), *notes, title=composite.recipe.title)


def score_table(allocation: Allocation, composite: Composite) -> Table:
    """Scores by unit: what each part adds, the score, and whether it rests on estimated cells."""
    adds = composite.contributions.rename(columns=of_kind("score", composite.labels.get))
    frame = allocation.panel.units[["short_name"]].join(adds).assign(
        score=composite.score,
        rank=composite.score.rank(method="min", ascending=False),
        estimated=marked(composite.estimated, say("mark.estimated")),
    )  # fmt: skip
    aggregation = say(f"aggregation.{composite.recipe.aggregation}")
    note = say("composite.note_contributions", aggregation=aggregation)
    return titled("composite", frame, note, title=composite.recipe.title)


def correlation_table(allocation: Allocation, composite: Composite) -> Table:
    """Correlations of the parts and the score; blank where something does not vary."""
    names = composite.labels.to_dict() | {"score": header("score")}
    frame = composite.correlations().rename(index=names, columns=of_kind("index", names.get))
    frame.insert(0, "component", frame.index)
    return titled("composite_correlations", frame, title=composite.recipe.title)


def _steps(part: Part) -> str:
    """What was done before normalising: filling, winsorising, the logarithm; — if nothing."""
    treatment, described = part.treatment, []
    if part.missing != "refuse":
        described.append(say("composite.step_missing", rule=say(f"missing.{part.missing}")))
    if treatment.winsorise_low or treatment.winsorise_high:
        low, high = treatment.winsorise_low, treatment.winsorise_high
        described.append(say("composite.step_winsorise", low=low, high=high))
    if treatment.log_offset is not None:
        described.append(say("composite.step_log", offset=treatment.log_offset))
    return "；".join(described) or "—"


def _monotone(allocation: Allocation, composite: Composite) -> str:
    """Whether a better figure may lower the unit's own score, and if so in which part by which setting."""
    titles = {code: recipe.title for code, recipe in allocation.scenario.composites.items()}
    reasons = [
        say(f"not_monotone.{setting}", part=titles.get(code) or allocation.panel.name(code or composite.name))
        for code, setting in composite.laws.may_fall
    ]
    return say("composite.may_fall", reasons="；".join(reasons)) if reasons else say("composite.holds")
