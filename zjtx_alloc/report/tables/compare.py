"""The tables of a comparison, its CSV file, and what ``zjtx compare`` prints."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pandas as pd

from zjtx_alloc.allocation.compare import Comparison
from zjtx_alloc.allocation.fairness import fairness
from zjtx_alloc.base.errors import DataError
from zjtx_alloc.base.messages import header, is_said, say
from zjtx_alloc.report.allocation_view import allocation_view
from zjtx_alloc.report.notes.marks import criterion_text, mark_shares, marks_note, source_line
from zjtx_alloc.report.table import Column, Table, csv_text, of_kind, plain_table, signed, six_decimals, titled
from zjtx_alloc.rules.scenario import DEFAULT, Scenario

# What does not bear on the quotas, or stands in the table of scenarios.
_UNTOLD = {"name", "title", "budget_with", "assumptions", "uncertainty", "certified"}
_CHOICES: Mapping[str, Callable[[str], str]] = {  # keys whose values are choices, and what these are called
    "criterion": criterion_text,
    "total_status": lambda choice: say(f"status.{choice}"),
    "unused": lambda choice: say(f"unused.{choice}"),
    "kind": lambda choice: say(f"normalisation.{choice}"),
    "aggregation": lambda choice: say(f"aggregation.{choice}"),
    "weights": lambda choice: say(f"weighting.{choice}"),
    "missing": lambda choice: say(f"missing.{choice}"),
}
_TAKEN = ("short_name", "region", "scenario", "setting", "fiscal_year")  # headers beside the scenarios' names


def unit_table(comparison: Comparison) -> Table:
    """Places by unit and scenario, and what each unit gains or loses against the first."""
    # Whole places where totals are the same; scaled to the first's total, they are fractions.
    gain = of_kind("step" if _whole(comparison) else "difference", lambda name: say("compare.gain", name=name))
    frame = comparison.allocations[0].panel.units[["short_name"]].join(comparison.quota.rename(columns=_of("count")))
    frame = frame.join(comparison.gains.rename(columns=gain))
    return titled("compared_units", frame, _scaled(comparison), *_marks(comparison))


def region_table(comparison: Comparison) -> Table:
    """Places by region and scenario, and the total."""
    regions = comparison.regions.rename(columns=_of("count"))
    total = regions.sum().to_dict() | {"region": say("table.total")}
    return titled("compared_regions", regions.reset_index(), *_marks(comparison), total=total)


def distance_table(comparison: Comparison) -> Table:
    """How far every two of them are apart."""
    frame = comparison.distance.rename(columns=_of("share")).rename_axis("scenario").reset_index()
    return titled("distances", frame, say("compare.distance"), *_marks(comparison))


def scenario_table(comparison: Comparison) -> Table:
    """The scenarios compared: batch, total and what it rests on, criterion."""
    rows = [
        {
            "scenario": s.name,
            "title_of": s.title,
            "batch": say("table.batch", batch=s.batch),
            "total": s.total,
            "total_status": say(f"status.{s.total_status}"),
            "criterion": criterion_text(s.criterion),
        }
        for s in (allocation.scenario for allocation in comparison.allocations)
    ]
    return titled("compared_scenarios", pd.DataFrame(rows), *_marks(comparison))


def setting_table(comparison: Comparison) -> Table:
    """The settings in which the scenarios differ, a row each; a dash where a scenario has none."""
    panel = comparison.allocations[0].panel
    names = panel.units["short_name"].to_dict() | {DEFAULT: say("table.all_units")} | panel.indicators["name"].to_dict()
    settings = pd.DataFrame(
        {a.scenario.name: dict(_settings(a.scenario, names)) for a in comparison.allocations}, dtype=object
    )
    differing = settings[settings.nunique(axis=1, dropna=False) > 1]
    frame = differing.fillna("—").rename(columns=_of("text")).rename_axis("setting").reset_index()
    return titled("compared_settings", frame, say("note.weights"))


def _settings(scenario: Scenario, names: dict[str, str]) -> Iterator[tuple[str, str]]:
    """What a scenario sets, flat, defaults too; units, indicators and composites by their names."""
    names = names | {code: recipe.title for code, recipe in scenario.composites.items()}
    waiting: list[tuple[tuple[str, ...], Any]] = [((), scenario.model_dump(exclude_none=True))]
    while waiting:
        path, value = waiting.pop(0)
        if isinstance(value, dict):
            value = _by_target(value) if path[-1:] == ("factors",) else value
            waiting[:0] = [((*path, str(key)), part) for key, part in value.items() if path or key not in _UNTOLD]
        elif value not in ("", []):
            yield say("compare.setting_join").join(_called(key, names) for key in path), _text(path[-1], value, names)


def _by_target(factors: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Factors by what they stand for, so that a stand-in stands beside what takes its place in another scenario."""
    targets = [line.get("stand_in_for", code) for code, line in factors.items()]
    found = {}
    for target, (code, line) in zip(targets, factors.items(), strict=True):
        own = target if targets.count(target) == 1 else code
        found[own] = {"indicator": code} | line
    return found


def _text(key: str, value: Any, names: dict[str, str]) -> str:
    """A value of a scenario file as people call it."""
    if isinstance(value, list):
        return "、".join(_text(key, part, names) for part in value)
    if isinstance(value, bool):
        return say("firms.on" if value else "firms.off")
    if key in _CHOICES and isinstance(value, str):
        return _CHOICES[key](value)
    return f"{value:.12g}" if isinstance(value, float) else _called(str(value), names)


def _called(key: str, names: dict[str, str]) -> str:
    """A key of a scenario file as people call it; rules and pools keep the names they were given."""
    return names.get(key) or (say(f"setting.{key}") if is_said(f"setting.{key}") else key)


def fairness_table(comparison: Comparison) -> Table:
    """How close each allocation is to its own entitlements, and how evenly its places fall on firms."""
    rows, notes = [], [say("note.indices"), say("compare.fairness")]
    for allocation in comparison.allocations:
        try:
            found = fairness(allocation)
        except DataError as error:
            notes.append(f"{allocation.scenario.name}：{error}")
            continue
        rows.append(
            {
                "scenario": allocation.scenario.name,
                "largest": float(found.units["deviation"].abs().max()),
                "gallagher": found.gallagher,
                "loosemore_hanby": found.loosemore_hanby,
                "sainte_lague": found.sainte_lague,
                "gini": found.gini.whole,
                "theil": found.theil.whole,
            }
        )
    columns = ["scenario", "largest", "gallagher", "loosemore_hanby", "sainte_lague", "gini", "theil"]
    return titled("compared_fairness", pd.DataFrame(rows, columns=columns), *notes, *_marks(comparison))


def year_table(comparison: Comparison, money: pd.DataFrame) -> Table:
    """Money by fiscal year and scenario, as ``money_by_year``, and the totals."""
    money = money.rename(index=str, columns=_of("money"))
    total = money.sum().to_dict() | {"fiscal_year": say("table.total")}
    frame = money.rename_axis("fiscal_year").reset_index()
    return titled("compared_years", frame, say("compare.money"), *_marks(comparison), total=total)


def comparison_csv(comparison: Comparison) -> str:
    """``compare.csv``: a row a scenario and unit; gain is blank for the first, with which the others are compared."""
    parts = []
    for allocation in comparison.allocations:
        name = allocation.scenario.name
        part = allocation_view(allocation, "comparison")
        gain = six_decimals(comparison.gains[name]) if name in comparison.gains else ""
        part = part.assign(entitlement=six_decimals(part["entitlement"]), gain=gain)
        part.insert(0, "scenario", name)
        parts.append(part)
    return csv_text(pd.concat(parts))


def comparison_text(comparison: Comparison) -> str:
    """What ``zjtx compare`` prints: units, regions, distances, who gains and loses most; the marks of all, once."""
    blocks, marks = [], _marks(comparison)
    for table in (unit_table(comparison), region_table(comparison), distance_table(comparison)):
        blocks += [table.title, plain_table(table.texts()), *(note for note in table.notes if note not in marks), ""]
    return "\n".join([*blocks, *gain_lines(comparison), *marks])


def gain_lines(comparison: Comparison) -> list[str]:
    """A sentence for each of the others: how many units gain and lose, and who most; before them, that batches stand alone."""
    names, first = comparison.allocations[0].panel.units["short_name"], comparison.quota.columns[0]
    linked = [one.scenario.name for one in comparison.allocations if _is_linked(one.scenario)]
    lines = [say("compare.alone", names="、".join(linked))] if linked else []
    for name, gain in comparison.gains.items():
        up, down = gain[gain >= 0.5].sort_values(ascending=False), gain[gain <= -0.5].sort_values()
        most = ["、".join(f"{names[c]}{gain_text(g)}" for c, g in side.head(3).items()) or "—" for side in (up, down)]
        lines.append(
            say("compare.summary", name=name, first=first, up=len(up), down=len(down), gained=most[0], lost=most[1])
        )
    return lines


def _is_linked(scenario: Scenario) -> bool:
    """Whether a batch's quota that counts may be another than its own: it is known, carries rounding, or hands places on."""
    known = scenario.known
    return bool(known.granted or known.approved or scenario.carry_rounding or scenario.approval.unused != "lapse")


def gain_list(comparison: Comparison) -> str:
    """The same as a Markdown list, and what differences are taken against."""
    return "\n".join(f"- {line}" for line in (*gain_lines(comparison), _scaled(comparison), *_marks(comparison)))


def _of(kind: str) -> Callable[[str], Column]:
    """Names of scenarios as columns, in quotation marks where a header of ours is the same."""
    ours = {header(taken) for taken in _TAKEN}
    return of_kind(kind, lambda name: say("compare.quoted", name=name) if name in ours else name)


def _marks(comparison: Comparison) -> tuple[str, ...]:
    """Every mark that any of the allocations bears, once; whose it is where not all bear it alike."""
    bearers: dict[str, list[str]] = {}
    for allocation in comparison.allocations:
        for note in marks_note(allocation):
            bearers.setdefault(note, []).append(allocation.scenario.name)
    everyone = len(comparison.allocations)
    notes = (note if len(names) == everyone else f"{'、'.join(names)}：{note}" for note, names in bearers.items())
    return (*notes, say("note.weights"))


def marks_line(comparison: Comparison) -> str:
    """The marks in one line, for the foot of a figure: the least and the largest share of each ground."""
    return mark_shares(*comparison.allocations) + source_line(*comparison.allocations)


def gain_text(gain: float) -> str:
    """A gain in whole places where it is one, else with one decimal."""
    return signed(gain, 1).removesuffix(".0")


def _whole(comparison: Comparison) -> bool:
    """Whether all have the same total, so that gains are whole places."""
    return comparison.quota.sum().nunique() == 1


def _scaled(comparison: Comparison) -> str:
    return say("compare.same_total" if _whole(comparison) else "compare.other_total", first=comparison.quota.columns[0])
