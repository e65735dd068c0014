"""The tables of a comparison, its CSV file, and what ``zjtx compare`` prints."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pandas as pd

from zjtx_alloc.allocation.compare import Comparison
from zjtx_alloc.allocation.fairness import fairness
from zjtx_alloc.base.errors import DataError
from zjtx_alloc.base.messages import header, is_said, say
from zjtx_alloc.budget.forecast import forecast_budget
from zjtx_alloc.budget.ledger.cohorts import cohorts
from zjtx_alloc.report.notes.marks import criterion_told, marks_note, source_line, weights_note
from zjtx_alloc.report.notes.user_data import plain_table
from zjtx_alloc.report.table import ENTITLEMENT_DECIMALS, Table, csv_text, shown, signed, titled
from zjtx_alloc.rules.award import load_award
from zjtx_alloc.rules.scenario import DEFAULT, Scenario

# What does not bear on the quotas, or stands in the table of scenarios.
_UNTOLD = {"name", "title", "budget_with", "assumptions", "uncertainty", "certified"}
_CHOICES: Mapping[str, Callable[[str], str]] = {  # keys whose values are choices, and what these are called
    "criterion": criterion_told,
    "total_status": lambda choice: say(f"status.{choice}"),
    "kind": lambda choice: say(f"normalisation.{choice}"),
    "aggregation": lambda choice: say(f"aggregation.{choice}"),
    "weights": lambda choice: say(f"weighting.{choice}"),
    "missing": lambda choice: say(f"missing.{choice}"),
}
_TAKEN = ("short_name", "region", "scenario", "setting", "fiscal_year")  # headers beside the scenarios' names


def unit_table(comparison: Comparison) -> Table:
    """Places by unit and scenario, and what each unit gains or loses against the first."""
    quota, gains = comparison.quota.rename(columns=_named), comparison.gains
    frame = pd.concat(
        [
            comparison.allocations[0].panel.units["short_name"].rename(header("short_name")),
            quota,
            gains.rename(columns={name: say("compare.gain", name=name) for name in gains}),
        ],
        axis=1,
    )
    kinds = {header("short_name"): "text"} | dict.fromkeys(quota, "count")
    # Whole places where totals are the same; scaled to the first's total, they are fractions.
    kinds |= {say("compare.gain", name=name): "step" if _whole(comparison) else "difference" for name in gains}
    return Table(
        say("title.compared_units"), frame.reset_index(drop=True), kinds, (_scaled(comparison), *_marks(comparison))
    )


def region_table(comparison: Comparison) -> Table:
    """Places by region and scenario, and the total."""
    regions = comparison.regions.rename(columns=_named)
    frame = regions.rename_axis(header("region")).reset_index()
    frame.loc[len(frame)] = [say("table.total"), *comparison.quota.sum()]
    kinds = {header("region"): "text"} | dict.fromkeys(regions, "count")
    return Table(say("title.compared_regions"), frame, kinds, _marks(comparison), has_total=True)


def distance_table(comparison: Comparison) -> Table:
    """How far every two of them are apart."""
    distance = comparison.distance.rename(columns=_named)
    frame = distance.rename_axis(header("scenario")).reset_index()
    kinds = {header("scenario"): "text"} | dict.fromkeys(distance, "share")
    return Table(say("title.distances"), frame, kinds, (say("compare.distance"), *_marks(comparison)))


def scenario_table(comparison: Comparison) -> Table:
    """The scenarios compared: batch, total and what it rests on, criterion."""
    rows = [
        {
            "scenario": s.name,
            "title_of": s.title,
            "batch": say("table.batch", batch=s.batch),
            "total": s.total,
            "total_status": say(f"status.{s.total_status}"),
            "criterion": criterion_told(s.criterion),
        }
        for s in (allocation.scenario for allocation in comparison.allocations)
    ]
    kinds = dict.fromkeys(["scenario", "title_of", "batch"], "text") | {"total": "count"}
    kinds |= dict.fromkeys(["total_status", "criterion"], "text")
    return titled("compared_scenarios", pd.DataFrame(rows), kinds, *_marks(comparison))


def setting_table(comparison: Comparison) -> Table:
    """The settings in which the scenarios differ, a row each; a dash where a scenario has none."""
    panel = comparison.allocations[0].panel
    names = panel.units["short_name"].to_dict() | {DEFAULT: say("table.all_units")} | panel.indicators["name"].to_dict()
    settings = pd.DataFrame(
        {_named(a.scenario.name): dict(_settings(a.scenario, names)) for a in comparison.allocations}, dtype=object
    )
    differing = settings[settings.nunique(axis=1, dropna=False) > 1]
    frame = differing.fillna("—").rename_axis(header("setting")).reset_index()
    return Table(say("title.compared_settings"), frame, dict.fromkeys(frame, "text"), (weights_note(),))


def _settings(scenario: Scenario, names: dict[str, str]) -> Iterator[tuple[str, str]]:
    """What a scenario sets, flat, defaults too; units, indicators and composites by their names."""
    names = names | {code: recipe.title for code, recipe in scenario.composites.items()}
    waiting: list[tuple[tuple[str, ...], Any]] = [((), scenario.model_dump(exclude_none=True))]
    while waiting:
        path, value = waiting.pop(0)
        if isinstance(value, dict):
            waiting[:0] = [((*path, str(key)), part) for key, part in value.items() if path or key not in _UNTOLD]
        elif value not in ("", []):
            yield say("compare.setting_join").join(_called(key, names) for key in path), _told(path[-1], value, names)


def _told(key: str, value: Any, names: dict[str, str]) -> str:
    """A value of a scenario file as people call it."""
    if isinstance(value, list):
        return "、".join(_told(key, part, names) for part in value)
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
    kinds = {"scenario": "text"} | dict.fromkeys(
        ["largest", "gallagher", "loosemore_hanby", "sainte_lague", "gini", "theil"], "index"
    )
    return titled("compared_fairness", pd.DataFrame(rows, columns=list(kinds)), kinds, *notes, *_marks(comparison))


def money_by_year(comparison: Comparison) -> pd.DataFrame:
    """Net payments in 万元 by fiscal year (index) and scenario, each its own batch alone; NaN where none falls due."""
    years = {}
    for allocation in comparison.allocations:
        scenario = allocation.scenario
        years[scenario.name] = forecast_budget(cohorts(allocation), load_award(scenario.award)).by_year()["net"]
    return pd.DataFrame(years).sort_index()


def year_table(comparison: Comparison) -> Table:
    """Money by fiscal year and scenario, and the totals."""
    money = money_by_year(comparison).rename(columns=_named)
    frame = money.rename_axis(header("fiscal_year")).reset_index().astype(object)
    frame[header("fiscal_year")] = frame[header("fiscal_year")].astype(str)
    frame.loc[len(frame)] = [say("table.total"), *money.sum()]
    kinds = {header("fiscal_year"): "text"} | dict.fromkeys(money, "money")
    notes = (say("compare.money"), *_marks(comparison))
    return Table(say("title.compared_years"), frame, kinds, notes, has_total=True)


def comparison_csv(comparison: Comparison) -> str:
    """``compare.csv``: a row a scenario and unit; gain is blank for the first, with which the others are compared."""
    parts = []
    for allocation in comparison.allocations:
        name = allocation.scenario.name
        part = allocation.table()[["short_name", "region", "entitlement", "quota"]].reset_index()
        part["entitlement"] = part["entitlement"].map(lambda places: f"{places:.{ENTITLEMENT_DECIMALS}f}")
        gain = comparison.gains[name].to_numpy() if name in comparison.gains else [None] * len(part)
        part["gain"] = ["" if g is None else f"{g:.{ENTITLEMENT_DECIMALS}f}" for g in gain]
        parts.append(part.assign(scenario=name)[["scenario", *part.columns]])
    return csv_text(pd.concat(parts))


def comparison_text(comparison: Comparison) -> str:
    """What ``zjtx compare`` prints: units, regions, distances, who gains and loses most; the marks of all, once."""
    blocks, marks = [], _marks(comparison)
    for table in (unit_table(comparison), region_table(comparison), distance_table(comparison)):
        texts = table.frame.astype(object)
        for column, kind in table.kinds.items():
            texts[column] = [shown(kind, value) for value in texts[column]]
        blocks += [table.title, plain_table(texts), *(note for note in table.notes if note not in marks), ""]
    return "\n".join([*blocks, *gain_lines(comparison), *marks])


def gain_lines(comparison: Comparison) -> list[str]:
    """A sentence for each of the others: how many units gain and lose, and who most."""
    names, first = comparison.allocations[0].panel.units["short_name"], comparison.quota.columns[0]
    lines = []
    for name, gain in comparison.gains.items():
        up, down = gain[gain >= 0.5].sort_values(ascending=False), gain[gain <= -0.5].sort_values()
        most = ["、".join(f"{names[c]}{gain_told(g)}" for c, g in side.head(3).items()) or "—" for side in (up, down)]
        lines.append(
            say("compare.summary", name=name, first=first, up=len(up), down=len(down), gained=most[0], lost=most[1])
        )
    return lines


def gain_list(comparison: Comparison) -> str:
    """The same as a Markdown list, and what differences are taken against."""
    return "\n".join(f"- {line}" for line in (*gain_lines(comparison), _scaled(comparison), *_marks(comparison)))


def _named(name: str) -> str:
    """A scenario's name as a header, in quotation marks where a header of ours is the same."""
    return say("compare.quoted", name=name) if name in {header(taken) for taken in _TAKEN} else name


def _marks(comparison: Comparison) -> tuple[str, ...]:
    """Every mark that any of the allocations bears, once; whose it is where not all bear it alike."""
    bearers: dict[str, list[str]] = {}
    for allocation in comparison.allocations:
        for note in marks_note(allocation):
            bearers.setdefault(note, []).append(allocation.scenario.name)
    everyone = len(comparison.allocations)
    notes = (note if len(names) == everyone else f"{'、'.join(names)}：{note}" for note, names in bearers.items())
    return (*notes, weights_note())


def marks_line(comparison: Comparison) -> str:
    """The marks in one line, for the foot of a figure: the largest shares of any of the allocations."""
    due = [allocation.entitlement for allocation in comparison.allocations]
    estimated, stand_in = max(d.estimated_share for d in due), max(d.stand_in_share for d in due)
    marks = say("compare.short_marks", estimated=estimated, stand_in=stand_in)
    return marks + source_line(*comparison.allocations)


def gain_told(gain: float) -> str:
    """A gain in whole places where it is one, else with one decimal."""
    return signed(gain, 1).removesuffix(".0")


def _whole(comparison: Comparison) -> bool:
    """Whether all have the same total, so that gains are whole places."""
    return comparison.quota.sum().nunique() == 1


def _scaled(comparison: Comparison) -> str:
    return say("compare.same_total" if _whole(comparison) else "compare.other_total", first=comparison.quota.columns[0])
