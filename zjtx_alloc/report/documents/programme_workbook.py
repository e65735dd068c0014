"""A programme as one workbook to change and hand in: its sheets filled with scenarios and shipped facts."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from zjtx_alloc.base.errors import ScenarioError
from zjtx_alloc.base.messages import header, say, words
from zjtx_alloc.base.units import load_units
from zjtx_alloc.budget.plan import BudgetRequest
from zjtx_alloc.facts.cells import COUNTS
from zjtx_alloc.facts.panel import Panel, load_panel
from zjtx_alloc.report.writers.sheet import Cell, Column, Page, Sheet, cell_of, sums_of
from zjtx_alloc.report.writers.xlsx import TONES, write_form
from zjtx_alloc.rules.programme.assembly import reference_to
from zjtx_alloc.rules.programme.factors import shown_column, shown_columns
from zjtx_alloc.rules.programme.forms import Field, Form, forms
from zjtx_alloc.rules.programme.known import ENDS
from zjtx_alloc.rules.programme.scenario_rows import Rows, rows_of
from zjtx_alloc.rules.scenario import DEFAULT, Scenario
from zjtx_alloc.rules.scenario_files import companion, companions, load_scenario, scenario_names

_SPARE = {"batches": 1, "weights": 6, "coefficients": 3, "groups": 10, "outcomes": 40, "transfers": 40, "settings": 8}
_COUNTS = ("whole", "positive", "money", "transfer")
_LOOKS = {
    **dict.fromkeys(_COUNTS, "entry count"), "share": "entry share", "factor": "entry share", "number": "entry share",
    "rate": "entry share", "date": "entry date", "year": "entry batch", "batch": "entry batch", "batch_or_all": "entry batch", "setting": "entry",
}  # fmt: skip
# Cells of a unit that all batches may share; 可推荐企业数 are of one.
_TOGETHER = (("base",), ("floor",), ("cap",), ("fixed", "reason"))
_HEADER = 34  # points
_LONGEST_LIST = 255  # characters of a list of choices that Excel takes
_MOST_ROWS = 2000  # that formulas look at


def write_programme(path: str | Path, scenario: Scenario) -> Path:
    """Write the workbook of a scenario and its companions (``budget_with``); ``za.load_programme`` reads it back.

    Raises
    ------
    ReportError
        If the file exists, since it may be filled in already, or is no ``.xlsx``.
    ScenarioError
        If two of the scenarios are of one batch.
    """
    batches = {one.batch: one for one in sorted([scenario, *companions(scenario)], key=lambda one: one.batch)}
    if len(batches) < 1 + len(scenario.budget_with):
        raise ScenarioError(say("programme.same_batch", scenario=scenario.name))
    panel = load_panel()
    rows = {
        n: rows_of(one, _references(one, batches), [reference_to(other) for other in batches if other != n])
        for n, one in batches.items()
    }
    filled = {
        "batches": [_batch_cells(one, rows[n]["batches"][0]) for n, one in batches.items()],
        "units": _unit_rows(rows),
        "approvals": [
            {"batch": n, **unit, **next((row for row in rows[n]["approvals"] if row["code"] == unit["code"]), {})}
            for n in batches
            for unit in _units()
        ],
        "budget": _budget_rows(list(batches.values())),
        "outcomes": [{"batch": n, **row} for n in batches for row in rows[n]["outcomes"]],
    } | {form: _merged(form, rows) for form in ("weights", "coefficients", "groups", "settings")}
    for row in filled["weights"]:
        for name in ("factor", "stand_in"):
            row[name] = panel.indicators["name"].get(row[name], row[name])
    factors = _factor_sheet(panel, list(batches.values()))
    names = list(dict.fromkeys(panel.name(code) for code, _ in shown_columns(batches.values())))
    sheets = {name: _form_sheet(name, form, filled.get(name, []), names) for name, form in forms().items()}
    guide = _guide(scenario, [_state_row(one, sheets) for one in batches.values()])
    return write_form(path, scenario.title, [guide, factors, *sheets.values()])


def _references(scenario: Scenario, batches: Mapping[int, Scenario]) -> dict[str, str]:
    """How the workbook calls the scenarios that it holds, by how this one refers to them."""
    found = {reference: companion(scenario, reference) for reference in scenario.references()}
    return {name: reference_to(one.batch) for name, one in found.items() if batches.get(one.batch) == one}


def _batch_cells(scenario: Scenario, row: dict[str, Any]) -> dict[str, Any]:
    rate = row["rate"]
    is_shipped = scenario.name in scenario_names() and load_scenario(scenario.name) == scenario
    plain = rate in ("1.00", "0") or (rate[-1] != "0" and rate.startswith("0."))  # else a number would read otherwise
    return row | {
        "batch": scenario.batch, "rate": float(rate) if plain else rate, "base": scenario.name if is_shipped else None,
    }  # fmt: skip


def _merged(form: str, rows: Mapping[int, Rows]) -> list[dict[str, Any]]:
    """Rows that all batches share, without a batch; the others under each. Settings are compared one by one."""
    lists = {number: parts[form] for number, parts in rows.items()}
    first = next(iter(lists.values()))
    if form == "settings":
        common = [row for row in first if all(row in others for others in lists.values())]
    else:
        common = first if all(others == first for others in lists.values()) else []
    own = [{"batch": number, **row} for number, one in lists.items() for row in one if row not in common]
    return [dict(row) for row in common] + own


def _units() -> list[dict[str, Any]]:
    return [{"code": str(code), "unit": unit["short_name"]} for code, unit in load_units().iterrows()]


def _unit_rows(rows: Mapping[int, Rows]) -> list[dict[str, Any]]:
    """A row for the units that are not named, one for each unit, and one for what a batch has of its own."""
    cells = {n: {row["code"]: row for row in parts["units"]} for n, parts in rows.items()}
    lines = [{"code": DEFAULT, "unit": say("programme.rest_note")}, *_units()]
    common, own = [], []
    for line in lines:
        of_batches = {
            n: {k: v for k, v in one.get(line["code"], {}).items() if k != "code"} for n, one in cells.items()
        }
        shared: dict[str, Any] = {}
        for names in _TOGETHER:
            values = [tuple(one.get(name) for name in names) for one in of_batches.values()]
            shared |= dict(zip(names, values[0], strict=True)) if len(set(values)) == 1 else {}
        common.append(line | shared)
        rest = {n: {k: v for k, v in one.items() if k not in shared} for n, one in of_batches.items()}
        own += [{"batch": n, **line, **one} for n, one in rest.items() if one]
    own.sort(key=lambda row: row["batch"])
    return [row | {"code": say("programme.rest")} if row["code"] == DEFAULT else row for row in common + own]


def _budget_rows(scenarios: Sequence[Scenario]) -> list[dict[str, Any]]:
    """A row for each year that has money, the first one with what is asked of a budget beside."""
    years = {year for one in scenarios for year in one.payment_years}
    rows: list[dict[str, Any]] = [{"year": year} for year in sorted(years)]
    asked = BudgetRequest(["2024-baseline"])
    rows[0] |= {"confidence": float(asked.confidence), "outcomes": "、".join(map(str, asked.outcomes))}
    return rows


def _form_sheet(name: str, form: Form, rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> Sheet:
    columns = {
        key: Column(
            field.header, "fixed" if key == "unit" else _LOOKS.get(field.kind, "entry text"), field.width,
            "needed header" if field.needed else "form header", rule=_rule(field, names),
        )
        for key, field in form.fields.items()
    }  # fmt: skip
    lines = [{key: _cell(value, form.fields[key]) for key, value in row.items()} for row in rows]
    lines += [dict.fromkeys(columns)] * _SPARE.get(name, 0)
    frozen = 3 if "unit" in form.fields and "batch" in form.fields else 2
    return Sheet(
        form.title, columns, lines, heading=form.title, note=say(f"programme_sheet.{name}"), frozen=frozen,
        page=Page(header=_HEADER),
    )  # fmt: skip


def _cell(value: Any, field: Field) -> Any:
    """A value as the sheet shows it."""
    if value is None:
        return None
    if field.kind == "choice":
        return Cell(next(shown for shown, code in field.choices.items() if code == value), kind="entry text")
    if field.kind == "units":
        names = load_units()["short_name"]
        return Cell("、".join(names[c] if f is None else f"{names[c]}×{f!r}" for c, f in value), kind="entry text")
    kind = "fixed" if field.name == "unit" else "entry text"
    return Cell(value, kind=kind) if isinstance(value, str) else value


def _rule(field: Field, names: Sequence[str]) -> dict[str, Any]:
    """What may be entered in a column, and what it is."""
    told = {"input_title": field.header[:32], "input_message": field.remark[:255], "error_title": say("template.wrong")}
    match field.kind:
        case "choice":
            return told | {"validate": "list", "source": list(field.choices)}
        case "indicator" if (
            len(",".join(names)) <= _LONGEST_LIST
        ):  # a composite is named too: others are only warned of
            return told | {"validate": "list", "source": list(names), "error_type": "warning"}
        case "whole" | "money" | "positive":
            least = int(field.kind == "positive")
            return told | {
                "validate": "integer",
                "criteria": ">=",
                "value": least,
                "error_message": say("programme.whole"),
            }
        case "share":
            return told | {"validate": "decimal", "criteria": "between", "minimum": 0, "maximum": 1, "error_message": say("programme.share")}  # fmt: skip
        case _:
            return told | {"validate": "any"}


def _factor_sheet(panel: Panel, scenarios: Sequence[Scenario]) -> Sheet:
    """The facts that the scenarios read and those they could read, coloured by what they are."""
    stand_ins = {code for one in scenarios for code, line in one.indicators() if line.stand_in_for is not None}
    asked = {
        f"{code} {period}": (code, *shown_column(panel, code, period)) for code, period in shown_columns(scenarios)
    }
    columns = {
        "code": Column(header("code"), "fixed", 10, "form header"),
        "unit": Column(header("short_name"), "fixed", 10, "form header"),
        **{key: _factor_column(panel, code, period) for key, (code, period, _) in asked.items()},
    }
    cells = {key: _factor_cells(one, columns[key].kind, code in stand_ins) for key, (code, _, one) in asked.items()}
    rows = [
        {name: Cell(text, kind="fixed") for name, text in unit.items()}
        | {c: one[unit["code"]] for c, one in cells.items()}
        for unit in _units()
    ]
    total = {"code": Cell(words("totals")[0], kind="fixed"), "unit": Cell(None, kind="fixed")}
    summed = sums_of(
        [{c: row[c] if cell_of(row[c]).value is not None else None for c in cells} for row in rows],
        list(cells),
        fixed="",
    )
    return Sheet(
        say("programme.factors"), columns, rows, [total | summed], heading=say("programme.factors"),
        note=say("programme_sheet.factors"), page=Page(pages=1, header=62, wide=2),
    )  # fmt: skip


def _factor_column(panel: Panel, code: str, period: str) -> Column:
    name, measure = panel.name(code), str(panel.indicators.at[code, "measure"])
    when = say("programme.period", period=period) if period else ""
    rule = {
        "validate": "decimal", "criteria": ">=", "value": 0, "error_message": say("template.number", measure=measure),
        "input_title": name[:32], "input_message": panel.indicators.at[code, "description"][:255],
    }  # fmt: skip
    kind = "count" if measure in COUNTS else "places"
    return Column(f"{name}（{measure}{when}）", kind, 17, "form header", rule=rule)


def _factor_cells(column: pd.DataFrame | None, kind: str, stands_in: bool) -> dict[str, Cell]:
    """The cells of an indicator by unit, in the colour of what each is; blank where nothing is shipped."""
    if column is None:
        return {unit["code"]: Cell(None, kind=f"blank {kind}") for unit in _units()}
    plain = "stand-in" if stands_in else "published"
    marked = zip(column.index, column["value"], column["estimated"], strict=True)
    return {str(code): Cell(float(v), kind=f"{'estimated' if e else plain} {kind}") for code, v, e in marked}


def _state_row(scenario: Scenario, sheets: Mapping[str, Sheet]) -> dict[str, Any]:
    """How far a batch is, as the sheets 审核结果 and 期末结果 say at any time; 测算 where there are none."""
    units, (known, ends) = len(load_units()), (sheets[name] for name in ("approvals", "outcomes"))
    number, counts = known.range("batch", last=_MOST_ROWS), known.range("approved", last=_MOST_ROWS)
    of_batch = f"{ends.range('batch', last=_MOST_ROWS)},{scenario.batch}"
    settled = "+".join(f"SUMIFS({ends.range(name, last=_MOST_ROWS)},{of_batch})" for name in ENDS)
    words = {state: say(f"programme_state.{state}") for state in ("open", "approved", "settled")}
    approved = f"SUMIFS({counts},{number},{scenario.batch})"
    formula = (
        f'IFERROR(IF(COUNTIFS({number},{scenario.batch},{counts},">=0")<{units},"{words["open"]}",'
        f'IF(AND({settled}>0,{settled}={approved}),"{words["settled"]}","{words["approved"]}")),"{words["open"]}")'
    )
    state = words["approved" if len(scenario.known.approved) == units else "open"]
    title = say("table.batch", batch=scenario.batch)
    return {"sheet": forms()["batches"].title, "column": title, "note": Cell(state, formula=formula, kind="explained")}


def _guide(scenario: Scenario, states: Sequence[dict[str, Any]]) -> Sheet:
    """What to do, how far the batches are, what the colours are, what each column of each sheet is."""
    columns = {
        "sheet": Column(say("intake.sheet_name"), "entry text", 12, "form header"),
        "column": Column(say("intake.column"), "entry text", 22, "form header"),
        "note": Column(header("note"), "entry text", 70, "form header"),
    }
    checked = {
        "sheet": say("programme.check"),
        "column": say("programme.last_check"),
        "note": say("programme.unchecked"),
    }
    rows: list[dict[str, Any]] = [*states, checked]
    rows += [
        {"sheet": Cell(say("programme.factors"), kind="entry text"), "column": Cell(say(f"programme_tone.{tone}").partition("：")[0], kind=f"{tone} legend"),
         "note": say(f"programme_tone.{tone}").partition("：")[2]}
        for tone in TONES
    ]  # fmt: skip
    rows += [
        {"sheet": form.title, "column": field.header, "note": field.remark}
        for form in forms().values() for field in form.fields.values()
    ]  # fmt: skip
    return Sheet(
        say("programme.guide"), columns, [{k: v if isinstance(v, Cell) else Cell(v, kind="entry text") for k, v in row.items()} for row in rows],
        heading=scenario.title, steps=say("programme.steps").split("\n"), frozen=None, page=Page(landscape=False),
    )  # fmt: skip
