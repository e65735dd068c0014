"""Rows of a programme's sheets back to the tables of a batch's scenario, each part with the cell that it stands in."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from zjtx_alloc.base.units import find_unit
from zjtx_alloc.facts.problems import Problem
from zjtx_alloc.rules.programme.records import Record
from zjtx_alloc.rules.programme.scenario_rows import parted
from zjtx_alloc.rules.scenario import DEFAULT, REGIONS, Scenario

Path = tuple[str, ...]
Place = tuple[Record, str]  # a record and the column in it
_BY_UNIT = ("base", "floor", "cap", "certified", "fixed", "grade")


@dataclass
class Tables:
    """The tables of a scenario file in the making, where each of their numbers stands, and what is wrong."""

    tables: dict[str, Any] = field(default_factory=dict)
    places: dict[Path, Place] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def put(self, path: Path, value: Any, place: Place) -> None:
        """Set one value; a blank one is none. A path set twice is a problem, but for a batch's own row after that of all."""
        if value is None:
            return
        table = self.tables
        for key in path[:-1]:
            table = table.setdefault(key, {})
            if not isinstance(table, dict):
                return
        earlier = self.places[path][0] if path in self.places else None
        if earlier is not None and earlier["batch"] == place[0]["batch"]:
            self.problems.append(place[0].problem(place[1], "twice", first=earlier.row))
        table[path[-1]] = value
        self.places[path] = place

    def records(self) -> list[Record]:
        """The rows of which at least one cell counts."""
        return [record for record, _ in self.places.values()]

    def take(self, records: Iterable[Record], reader: Callable[["Tables", Record], None]) -> None:
        """Read records one by one."""
        for record in records:
            reader(self, record)


def batch_tables(found: Tables, record: Record) -> None:
    """A row of 批次."""
    for name, path in (("title", ("title",)), ("batch", ("batch",)), ("total", ("total",)),
                       ("status", ("total_status",)), ("criterion", ("criterion",)), ("rate", ("approval", "rate")),
                       ("opening", ("opening_year",)), ("closing", ("closing_year",))):  # fmt: skip
        found.put(path, record[name], (record, name))
    found.put(("approval", "unused"), record["unused"], (record, "unused"))
    if record["rounding"] is not None:
        found.put(("carry_rounding",), record["rounding"] == "yes", (record, "rounding"))
    if found.tables.get("total_status") == "assumed":
        del found.tables["total_status"]


def weight_tables(found: Tables, record: Record) -> None:
    """A row of 权重."""
    pool, code = record["pool"], record["factor"]
    if code is None or record["weight"] is None:
        return
    above: Path = ("pools", str(pool)) if pool else ()
    found.put((*above, "factors", code, "period"), record["period"], (record, "period"))
    found.put((*above, "factors", code, "weight"), record["weight"], (record, "weight"))
    found.put((*above, "factors", code, "stand_in_for"), record["stand_in"], (record, "stand_in"))
    _range(found, ("uncertainty", *above, "weights", code), record)


def coefficient_tables(found: Tables, record: Record) -> None:
    """A row of 系数."""
    key = record["key"]
    if key is None:
        return
    table = "region_coefficient" if key in REGIONS else "grade_coefficient"
    found.put((table, key), record["coefficient"], (record, "coefficient"))
    _range(found, ("uncertainty", table, key), record)


def _range(found: Tables, path: Path, record: Record) -> None:
    ends = record["least"], record["most"]
    if ends == (None, None):
        return
    if None in ends:
        found.problems.append(record.problem("least" if ends[0] is None else "most", "half_range"))
        return
    found.put((*path, "min"), ends[0], (record, "least"))
    found.put((*path, "max"), ends[1], (record, "most"))


def unit_tables(found: Tables, record: Record) -> None:
    """A row of 单位规则; 可推荐企业数 come with what is known of a batch."""
    code = record["code"]
    if code is None:
        return
    found.put(("base", code), record["base"], (record, "base"))
    found.put(("floor", code), record["floor"], (record, "floor"))
    found.put(("cap", code), record["cap"], (record, "cap"))
    if record["pool"] is not None and code == DEFAULT:
        found.problems.append(record.problem("pool", "each_unit"))
    if record["fixed"] is not None and record["reason"] is None:
        found.problems.append(record.problem("reason", "no_reason"))
    elif record["fixed"] is None and record["reason"] is not None:
        found.problems.append(record.problem("fixed", "no_fixed"))
    elif record["fixed"] is not None and code == DEFAULT:
        found.problems.append(record.problem("fixed", "each_unit"))
    else:
        found.put(("fixed", code, "quota"), record["fixed"], (record, "fixed"))
        found.put(("fixed", code, "reason"), record["reason"], (record, "reason"))


def group_tables(found: Tables, record: Record) -> None:
    """A row of 组合规则: a group of units, or a rule where it says so or has coefficients or shares."""
    name, units = record["name"], record["units"] or []
    if name is None:
        return
    if (record["region"] is None) == (not units):
        found.problems.append(record.problem("units", "members"))
        return
    has_factors = any(factor is not None for _, factor in units)
    shares = record["least_share"], record["most_share"]
    kind = record["kind"] or ("rule" if has_factors or shares != (None, None) else "group")
    if kind == "group" and (has_factors or shares != (None, None)):
        found.problems.append(record.problem("kind", "no_group"))
        return
    bounds = record["least"], record["most"]
    if bounds == shares == (None, None) and record["kind"] != "group":
        found.problems.append(record.problem("least", "no_bounds"))
        return
    above: Path = ("groups" if kind == "group" else "rules", name)
    found.put((*above, "region"), record["region"], (record, "region"))
    if units:
        members = dict(units) if has_factors else [code for code, _ in units]
        found.put((*above, "coefficients" if has_factors else "units"), members, (record, "units"))
    ends = ("floor", "cap") if kind == "group" else ("min", "max")
    for end, value, column in zip(ends, bounds, ("least", "most"), strict=True):
        if kind == "group" and value is not None and (value < 0 or value != int(value)):
            found.problems.append(record.problem(column, "negative" if value < 0 else "fraction"))
        else:
            found.put((*above, end), value, (record, column))
    found.put((*above, "min_share"), shares[0], (record, "least_share"))
    found.put((*above, "max_share"), shares[1], (record, "most_share"))


def setting_tables(found: Tables, record: Record) -> None:
    """A row of 其他设置; units by name become codes."""
    path = parted(str(record["key"] or ""))
    if not path or path[0] not in Scenario.model_fields:
        if record["key"] is not None:
            known = "、".join(name for name in Scenario.model_fields if name not in ("name", "batch"))
            found.problems.append(record.problem("key", "setting", known=known))
        return
    if path[0] in _BY_UNIT and path[1:]:
        path = (path[0], _coded(path[1]), *path[2:])
    elif path[0] == "multipliers" and path[2:]:
        path = (*path[:2], _coded(path[2]), *path[3:])
    found.put(path, record["value"], (record, "value"))


def _coded(name: str) -> str:
    return name if name == DEFAULT else find_unit(name) or name


READERS: Mapping[str, Callable[[Tables, Record], None]] = {
    "weights": weight_tables, "coefficients": coefficient_tables, "units": unit_tables, "groups": group_tables,
    "settings": setting_tables,
}  # fmt: skip
# What each sheet holds of a scenario: left out, it is as in the scenario that the workbook goes on from.
PARTS: Mapping[str, tuple[str, ...]] = {
    "weights": ("factors", "pools"), "coefficients": ("region_coefficient", "grade_coefficient"),
    "units": ("base", "floor", "cap", "fixed"), "groups": ("groups", "rules"),
}  # fmt: skip
