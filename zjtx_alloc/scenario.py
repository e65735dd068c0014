"""Scenarios (情景): a baseline plus the lines that differ, as strictly checked TOML.

Official weights were never published, so every scenario is a set of assumptions and says so.
"""

import math
import re
import tomllib
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError, model_validator

from zjtx_alloc.errors import ScenarioError
from zjtx_alloc.messages import say
from zjtx_alloc.resources import shipped
from zjtx_alloc.units import find_unit, load_units

REGIONS = ("东部", "中部", "西部", "东北")
DEFAULT = "default"

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Places = Annotated[int, Field(ge=0)]
Region = Literal["东部", "中部", "西部", "东北"]


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Factor(_Strict):
    """A factor (因素): an indicator at a period, its weight in the pool, what it stands in for (代用)."""

    period: str
    weight: Share
    stand_in_for: str | None = None
    multiplier: str | None = None


class Pool(_Strict):
    """A pool: a share of the total handed out by its own factors and its own coefficients."""

    share: Share
    factors: dict[str, Factor] = Field(min_length=1)
    coefficients: list[Literal["region_coefficient", "grade_coefficient"]] | None = None


class Change(_Strict):
    """Limit on the change against a previous batch (上批名额)."""

    previous: str
    max_relative: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    raw: bool = False


class _Members(_Strict):
    region: Region | None = None
    units: list[str] = []

    @model_validator(mode="after")
    def _one_kind(self) -> "_Members":
        if (self.region is None) == (not self.units):
            raise ValueError(say("scenario.members"))
        return self

    def codes(self) -> tuple[str, ...]:
        """Codes of the members, in the official order."""
        units = load_units()
        return tuple(c for c in units.index if c in self.units or units.at[c, "region"] == self.region)


class Group(_Members):
    """A group (分组) of units under a joint floor or cap, in places."""

    floor: Places | None = None
    cap: Places | None = None


class Rule(_Members):
    """A linear rule over units: places, or shares of the total, within bounds."""

    coefficients: dict[str, Annotated[float, Field(allow_inf_nan=False)]] = {}
    min: float | None = Field(default=None, allow_inf_nan=False)
    max: float | None = Field(default=None, allow_inf_nan=False)
    min_share: Share | None = None
    max_share: Share | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> "Rule":
        if (self.region is not None) + bool(self.units) + bool(self.coefficients) != 1:
            raise ValueError(say("scenario.rule_members"))
        if (self.min, self.max, self.min_share, self.max_share) == (None,) * 4:
            raise ValueError(say("scenario.rule_bounds"))
        return self


class Approval(_Strict):
    """Assumed approval rate (审核通过率), a decimal string so that it is exact."""

    rate: str = Field(pattern=r"^(0(\.\d+)?|1(\.0+)?)$")

    @property
    def exact(self) -> Fraction:
        """The rate as a fraction."""
        return Fraction(self.rate)


class Fixed(_Strict):
    """A quota decided in consultation (人工调整), with its reason."""

    quota: Places
    reason: str = Field(min_length=1, pattern=r"\S")


class Scenario(_Strict):
    """A complete, checked scenario. Units are codes here, whatever spelling the file used."""

    name: str
    title: str
    batch: Annotated[int, Field(ge=1)]
    total: Places
    total_status: Literal["official", "announced", "assumed"] = "assumed"
    criterion: Literal["webster"] = "webster"
    award: str = "caijian-2024-148"
    budget_with: list[str] = []
    allow_estimates: bool = True
    factors: dict[str, Factor] = {}
    pools: dict[str, Pool] = {}
    multipliers: dict[str, dict[str, Positive]] = {}
    region_coefficient: dict[Region, Positive] = {}
    grade: dict[str, str] = {}
    grade_coefficient: dict[str, Positive] = {}
    floor: dict[str, Places] = {}
    cap: dict[str, Places] = {}
    change: Change | None = None
    groups: dict[str, Group] = {}
    rules: dict[str, Rule] = {}
    approval: Approval = Approval(rate="1.00")
    fixed: dict[str, Fixed] = {}
    assumptions: dict[str, str] = {}

    _folder: Path | None = PrivateAttr(default=None)

    @model_validator(mode="after")
    def _complete(self) -> "Scenario":
        if bool(self.factors) == bool(self.pools):
            raise ValueError(say("scenario.factors_or_pools"))
        _sum_to_one(say("scenario.shares"), [pool.share for pool in self.all_pools().values()])
        for name, pool in self.all_pools().items():
            _sum_to_one(say("scenario.weights", pool=name or "—"), [f.weight for f in pool.factors.values()])
            for code, factor in pool.factors.items():
                if factor.multiplier is not None and factor.multiplier not in self.multipliers:
                    raise ValueError(say("scenario.no_multiplier", factor=code, name=factor.multiplier))
        absent = [region for region in REGIONS if region not in self.region_coefficient]
        if self.region_coefficient and absent:
            raise ValueError(say("scenario.no_region", regions="、".join(absent)))
        unknown = sorted({grade for grade in self.grade.values() if grade not in self.grade_coefficient})
        if unknown:
            raise ValueError(
                say("scenario.no_grade", grades="、".join(unknown), known="、".join(self.grade_coefficient))
            )
        tables: dict[str, dict[str, Any]] = {f"multipliers.{name}": table for name, table in self.multipliers.items()}
        if self.grade_coefficient:
            tables["grade"] = self.grade
        for name, table in tables.items():
            _covers_all_units(name, table)
        return self

    def all_pools(self) -> dict[str, Pool]:
        """The pools; the plain case is one nameless pool with the whole total."""
        return self.pools or {"": Pool(share=1.0, factors=self.factors)}

    def resolved(self) -> dict[str, Any]:
        """The scenario as plain data, without what is not set; for ``run.json`` and scenario files."""
        return self.model_dump(exclude_none=True, exclude_defaults=True, exclude={"name"})

    def companion(self, reference: str) -> "Scenario":
        """Load a scenario that this one refers to: a shipped name, or a ``.toml`` beside its file."""
        return load_scenario(_located(reference, self._folder))

    def bundle(self, folder: Path) -> Path:
        """Save the scenario into a folder together with the files it refers to; returns its path.

        Raises
        ------
        ScenarioError
            If two of them share a name.
        """
        saved: dict[str, Scenario] = {}
        open_ones = [self]
        while open_ones:
            scenario = open_ones.pop()
            if scenario.name in saved:
                if scenario != saved[scenario.name]:
                    raise ScenarioError(say("scenario.same_name", name=scenario.name))
                continue
            saved[scenario.name] = scenario
            open_ones += [scenario.companion(r) for r in scenario.references() if r.endswith(".toml")]
            scenario.save(folder / f"{scenario.name}.toml")
        return folder / f"{self.name}.toml"

    def references(self) -> tuple[str, ...]:
        """The other scenarios this one names: companions in the budget, and the previous batch."""
        return (*self.budget_with, *([self.change.previous] if self.change else []))

    def save(self, path: str | Path) -> Path:
        """Write the scenario, resolved, as a TOML file that ``load_scenario`` reads back."""
        path = Path(path)
        path.write_text(tomli_w.dumps(self.resolved()), encoding="utf-8", newline="\n")
        return path


def scenario_names() -> tuple[str, ...]:
    """Names of the shipped scenarios."""
    return tuple(sorted(path.stem for path in shipped("data", "scenarios").glob("*.toml")))


def load_scenario(name_or_path: str | Path) -> Scenario:
    """Load a scenario by shipped name (``2024-baseline``) or from a ``.toml`` file.

    Raises
    ------
    ScenarioError
        Naming the file, the key, the value and what is allowed.
    """
    path = _located(str(name_or_path), None)
    merged = _merged(path, ())
    try:
        scenario = Scenario.model_validate({"name": path.stem} | merged)
    except ValidationError as error:
        raise ScenarioError(_explained(path, error)) from None
    scenario._folder = path.parent
    return scenario


def _located(reference: str, folder: Path | None) -> Path:
    if not reference.endswith(".toml"):
        path = shipped("data", "scenarios", f"{reference}.toml")
        if not path.is_file() or reference not in scenario_names():
            raise ScenarioError(say("scenario.unknown", name=reference, known="、".join(scenario_names())))
        return path
    path = Path(reference) if folder is None else folder / reference
    if not path.is_file():
        raise ScenarioError(say("scenario.no_file", file=path))
    return path


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise ScenarioError(say("scenario.unreadable", file=path.name, reason=error)) from None


def _merged(path: Path, below: tuple[Path, ...]) -> dict[str, Any]:
    """The raw tables of a file laid over those it extends; unit names become codes first."""
    if path.resolve() in below:
        raise ScenarioError(say("scenario.cycle", file=path.name))
    raw = _with_codes(_read(path), path.name)
    parent, drops = raw.pop("extends", None), raw.pop("drop", [])
    if not (parent is None or isinstance(parent, str)):
        raise ScenarioError(_wrong(path, "extends", parent, say("type.string_type")))
    if not (isinstance(drops, list) and all(isinstance(drop, str) for drop in drops)):
        raise ScenarioError(_wrong(path, "drop", drops, say("scenario.drop_form")))
    base = {} if parent is None else _merged(_located(parent, path.parent), (*below, path.resolve()))
    for drop in drops:
        _remove(base, drop, path.name)
    return _laid_over(base, raw)


def _laid_over(base: dict[str, Any], top: dict[str, Any]) -> dict[str, Any]:
    both = {k: _laid_over(base[k], v) for k, v in top.items() if isinstance(v, dict) and isinstance(base.get(k), dict)}
    return base | top | both


def _remove(base: dict[str, Any], drop: str, file: str) -> None:
    *path, last = [part.strip("\"'") for part in re.findall(r'"[^"]*"|\'[^\']*\'|[^.]+', drop)]
    table: Any = base
    for key in path:
        table = table.get(key, {}) if isinstance(table, dict) else {}
    last = last if last in table else find_unit(last) or last
    if last not in table:
        raise ScenarioError(say("scenario.no_drop", file=file, key=drop))
    del table[last]


def _with_codes(raw: dict[str, Any], file: str) -> dict[str, Any]:
    """Turn unit names into codes wherever the file speaks of units, so that merging goes by unit."""
    raw = dict(raw)
    for key in ("floor", "cap", "fixed", "grade"):
        if isinstance(raw.get(key), dict):
            raw[key] = _coded(raw[key], f"{file} [{key}]")
    for key, field in (("multipliers", None), ("rules", "coefficients"), ("groups", "units"), ("rules", "units")):
        if not isinstance(raw.get(key), dict):
            continue
        tables = dict(raw[key])
        for name, table in tables.items():
            place = f"{file} [{key}.{name}]"
            if field is None and isinstance(table, dict):
                tables[name] = _coded(table, place)
            elif isinstance(table, dict) and isinstance(table.get(field), dict):
                tables[name] = table | {field: _coded(table[field], place)}
            elif isinstance(table, dict) and isinstance(table.get(field), list):
                tables[name] = table | {field: list(_coded(dict.fromkeys(map(str, table[field])), place))}
        raw[key] = tables
    return raw


def _coded(table: dict[str, Any], place: str) -> dict[str, Any]:
    coded: dict[str, Any] = {}
    for name, value in table.items():
        code = DEFAULT if name == DEFAULT else find_unit(name)
        if code is None:
            known = "、".join(load_units()["short_name"])
            raise ScenarioError(say("scenario.unknown_unit", place=place, name=name, known=known))
        if code in coded:
            raise ScenarioError(say("scenario.unit_twice", place=place, name=name))
        coded[code] = value
    return coded


def _sum_to_one(what: str, shares: list[float]) -> None:
    if abs(math.fsum(shares) - 1) > 1e-9:
        raise ValueError(say("scenario.sum", what=what, sum=f"{math.fsum(shares):.10g}"))


def _covers_all_units(name: str, table: dict[str, Any]) -> None:
    units = load_units()
    missing = [] if DEFAULT in table else [units.at[code, "short_name"] for code in units.index if code not in table]
    if missing:
        raise ValueError(say("scenario.not_all_units", table=name, names="、".join(missing)))


_TABLES: dict[str, type[BaseModel]] = {
    "factors": Factor, "pools": Pool, "change": Change, "groups": Group,
    "rules": Rule, "approval": Approval, "fixed": Fixed,
}  # fmt: skip


def _explained(path: Path, error: ValidationError) -> str:
    """A validation error in Chinese: file, key, value, what is allowed; a line each."""
    lines = []
    for found in error.errors():
        keys = [str(key) for key in found["loc"]]
        if found["type"] == "extra_forbidden":
            table = Factor if "factors" in keys[:-1] else _TABLES.get(keys[0], Scenario) if keys[1:] else Scenario
            allowed = say("scenario.allowed", known="、".join(k for k in table.model_fields if k != "name"))
        elif found["type"] == "value_error":
            allowed = str(found["ctx"]["error"])
        else:
            limits = {k: v for k, v in found.get("ctx", {}).items() if k in ("ge", "gt", "le", "lt", "expected")}
            allowed = say(f"type.{found['type']}", **limits)
        shown = None if isinstance(found["input"], dict) else found["input"]
        lines.append(_wrong(path, ".".join(keys), shown, allowed))
    return "\n".join(lines)


def _wrong(path: Path, key: str, value: object, allowed: str) -> str:
    shown = "" if value is None else say("scenario.value", value=value)
    return say("scenario.wrong", file=path.name, key=key or "—", shown=shown, allowed=allowed)
