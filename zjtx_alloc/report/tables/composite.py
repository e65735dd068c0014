"""The tables of a scenario's composite indicators (综合指数), with every step they went through."""

import pandas as pd

from zjtx_alloc.allocation.allocate import Allocation, marked
from zjtx_alloc.allocation.composite import Composite
from zjtx_alloc.base.messages import header, say
from zjtx_alloc.report.table import Table, of_kind, titled
from zjtx_alloc.rules.composite_form import Part


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
    laws = say("composite.note_laws", monotone=_word(composite.laws.monotone), units=_word(composite.laws.units_cancel))
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


def _word(holds: bool) -> str:
    return say("composite.holds") if holds else say("composite.not_sure")
