"""A batch's scenario from the sheets that the workbook has, and from the scenario that it goes on from where it has none."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from zjtx_alloc.base.errors import ScenarioError
from zjtx_alloc.base.messages import say
from zjtx_alloc.base.toml_files import Mistake, mistakes
from zjtx_alloc.base.units import load_units
from zjtx_alloc.facts.problems import Problem
from zjtx_alloc.rules.programme.checks import table_problems
from zjtx_alloc.rules.programme.forms import forms
from zjtx_alloc.rules.programme.records import Entries, Record, fault
from zjtx_alloc.rules.programme.scenario_rows import in_words, joined
from zjtx_alloc.rules.programme.scenario_tables import PARTS, READERS, Path, Tables, batch_tables
from zjtx_alloc.rules.scenario import Scenario
from zjtx_alloc.rules.scenario_files import companion, load_scenario, scenario_names
from zjtx_alloc.rules.scenario_ranges import as_table, with_ranges_following

_OF_SHEETS = (
    "factors",
    "region_coefficient",
    "grade_coefficient",
    "base",
    "floor",
    "cap",
    "fixed",
    "groups",
    "rules",
    "eligible_pool",
)
_OF_BATCHES = (
    "title", "batch", "total", "total_status", "criterion", "approval", "carry_rounding", "known", "opening_year",
    "closing_year",
)  # fmt: skip
_REFERENCE = "第{}批"


@dataclass(frozen=True)
class BatchRow:
    """A batch of the workbook: its number, the name of its scenario, its row in 批次, the scenario that it goes on from.

    ``follows``: for a batch that has no row and whose results are known, the row of the next one that has: what is said
    there of unused places counts for this batch too.
    """

    number: int
    name: str
    row: Record | None
    base: Scenario | None
    follows: Record | None = None


def default_base(number: int) -> Scenario | None:
    """The shipped scenario of a batch; None if there is none."""
    return next((s for s in map(load_scenario, scenario_names()) if s.batch == number), None)


def base_of(record: Record, has_column: bool) -> Scenario | Problem | None:
    """The scenario that a row of 批次 goes on from: as named; the batch's shipped one where the sheet has no such column."""
    if not has_column:
        return default_base(record["batch"])
    if record["base"] is None:
        return None
    try:
        return load_scenario(str(record["base"]).strip())
    except ScenarioError:
        return record.problem("base", "base", known="、".join(scenario_names()))


def reference_to(number: int) -> str:
    """How the workbook calls the scenario of one of its batches."""
    return _REFERENCE.format(number)


def batch_scenario(
    batch: BatchRow, entries: Mapping[str, Entries], names: Mapping[int, str], facts: Mapping[str, Mapping[str, Any]]
) -> tuple[Scenario | None, list[Problem], list[Record]]:
    """The scenario of a batch, or what is wrong with it, and the rows that it is made of.

    ``facts`` are its tables of what is known, which others lie below.
    """
    found = Tables(_inherited(batch, entries))
    if batch.row is not None:
        batch_tables(found, batch.row)
    for form, reader in READERS.items():
        if form in entries:
            records = entries[form].records
            found.take([r for r in records if r["batch"] is None], reader)
            found.take([r for r in records if r["batch"] == batch.number], reader)
    _without_rules(found, batch, facts["known"])
    _refer(found, names, batch)
    if batch.base is not None:
        found.tables = _with_inherited_ranges(batch.base.resolved(), found.tables)
    found.tables |= {key: as_table(found.tables.get(key)) | dict(table) for key, table in facts.items() if table}
    problems, used = [*found.problems, *table_problems(found, facts["eligible_pool"])], found.records()
    if problems:
        return None, problems, used
    try:
        return Scenario.model_validate({"name": batch.name} | found.tables), [], used
    except ValidationError as error:
        return None, [_placed(found, batch, mistake) for mistake in mistakes(error)], used


def _without_rules(found: Tables, batch: BatchRow, known: Mapping[str, Mapping[str, int]]) -> None:
    """A batch whose results are known needs no rows of rules: its factors are inherited, its total is what was granted."""
    units, tables = len(load_units()), found.tables
    if len(known.get("approved", {})) < units:
        return
    base = batch.base or default_base(batch.number)
    if base is not None and not {"factors", "pools"} & {*tables}:
        tables |= {key: table for key, table in base.resolved().items() if key in ("factors", "pools")}
    granted = known.get("granted", {})
    if batch.row is None and len(granted) == units and (total := sum(granted.values())) != tables.get("total"):
        tables |= {"total": total, "total_status": "official"}
        for key in ("uncertainty", "assumptions"):  # what was said of another total
            as_table(tables.get(key)).pop("total", None)
    if batch.follows is not None and batch.follows["unused"] is not None and base is not None:
        approval = {"rate": base.approval.rate, **as_table(tables.get("approval"))}
        tables["approval"] = approval | {"unused": batch.follows["unused"]}


def _inherited(batch: BatchRow, entries: Mapping[str, Entries]) -> dict[str, Any]:
    """The tables of the scenario that the batch goes on from, without the parts that the workbook's sheets hold."""
    if batch.base is None:
        return {"batch": batch.number}
    tables = deepcopy(batch.base.resolved())
    held = {part for form, parts in PARTS.items() if form in entries for part in parts}
    if "units" in entries:
        held -= {part for part in PARTS["units"] if part not in entries["units"].columns}
    if "settings" in entries:
        held |= {key for key in tables if key not in (*_OF_SHEETS, *_OF_BATCHES, "pools", "uncertainty")}
    kept = {key: value for key, value in tables.items() if key not in held}
    if pools := as_table(tables.get("pools")) if "weights" in entries and "settings" not in entries else {}:
        kept["pools"] = {name: {k: v for k, v in pool.items() if k != "factors"} for name, pool in pools.items()}
    doubt = _inherited_doubt(as_table(tables.get("uncertainty")), entries)
    return {k: v for k, v in kept.items() if k != "uncertainty"} | ({"uncertainty": doubt} if doubt else {})


def _inherited_doubt(doubt: dict[str, Any], entries: Mapping[str, Entries]) -> dict[str, Any]:
    of_sheets = {"weights": ("weights", "pools"), "coefficients": ("region_coefficient", "grade_coefficient")}
    owned = {key for form, keys in of_sheets.items() if form in entries for key in keys}
    rest = {key for keys in of_sheets.values() for key in keys}
    return {k: v for k, v in doubt.items() if k not in owned and (k in rest or "settings" not in entries)}


def _refer(found: Tables, names: Mapping[int, str], batch: BatchRow) -> None:
    """Let what the workbook calls 第N批 be the scenario of that batch; without a word, all batches are budgeted together."""
    tables, files = found.tables, {reference_to(number): f"{name}.toml" for number, name in names.items()}
    listed = tables.get("budget_with", [])
    if ("budget_with",) not in found.places:
        own = files[reference_to(batch.number)]
        beyond = [] if batch.base is None else [n for n in listed if companion(batch.base, n).batch not in names]
        tables["budget_with"] = [*(file for file in files.values() if file != own), *beyond]
    elif isinstance(listed, list):
        tables["budget_with"] = [files.get(str(name), name) for name in listed]
    change = as_table(tables.get("change"))
    if (previous := str(change.get("previous"))) in files:
        tables["change"] = change | {"previous": files[previous]}


def _with_inherited_ranges(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """The tables, their ranges moved or ended where they are still those of the scenario that the workbook goes on from."""
    own = {
        key: _differing(as_table(after.get(key)), as_table(before.get(key))) for key in ("uncertainty", "assumptions")
    }
    if {*as_table(after.get("factors"))} != {*as_table(before.get("factors"))}:
        own["uncertainty"] |= {k: v for k, v in as_table(after.get("uncertainty")).items() if k in ("weights", "pools")}
    return with_ranges_following(before, after, {key: table for key, table in own.items() if table})


def _differing(after: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
    """The ranges and texts of a table that are not as before; a range is whole."""
    found: dict[str, Any] = {}
    for key, value in after.items():
        old = before.get(key)
        if isinstance(value, dict) and isinstance(old, dict) and "min" not in value:
            if inner := _differing(value, old):
                found[key] = inner
        elif value != old:
            found[key] = value
    return found


def _placed(found: Tables, batch: BatchRow, mistake: Mistake) -> Problem:
    """A mistake of the tables at the cell it stands in; else at the cell nearest to it, at its sheet, or at the batch's row."""
    value = None if isinstance(mistake.value, dict | list) else mistake.value
    exact = [path for path in found.places if path == mistake.keys]
    near = [
        path for end in range(len(mistake.keys), 0, -1) for path in found.places if path[:end] == mistake.keys[:end]
    ]
    what, _, remedy = in_words(mistake.allowed).rpartition("；")
    what = what or say("programme.unfit")
    form = _form_of(mistake.keys)
    if form == "settings" and not exact:
        what = say("programme.of_setting", sheet=forms()[form].title, key=joined(mistake.keys), what=what)
    if near:
        record, column = found.places[near[0]]
        return record.problem(column, "as_said", value, what=what, remedy=remedy)
    if batch.row is not None and form in ("batches", "settings"):
        return batch.row.problem("batch", "as_said", what=what, remedy=remedy)
    return fault(forms()[form].title, None, "", value, "as_said", what=what, remedy=remedy)


def _form_of(keys: Path) -> str:
    """The sheet that holds a part of a scenario; what belongs to all of it, and to no one part, is of 批次."""
    if not keys or keys[0] in _OF_BATCHES:
        held = {"known": "outcomes" if "outcomes" in keys else "approvals"}
        return held.get(keys[0], "batches") if keys else "batches"
    if keys[0] == "pools" and "factors" not in keys:
        return "settings"
    return next((form for form, parts in PARTS.items() if keys[0] in parts), "settings")
