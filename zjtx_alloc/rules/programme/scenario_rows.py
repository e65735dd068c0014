"""A scenario as rows of a programme's sheets; what no sheet has a column for stands in 其他设置, key by key."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any

from zjtx_alloc.base.messages import is_said, say
from zjtx_alloc.base.resources import shipped_table
from zjtx_alloc.base.units import UNIT_KINDS, load_units
from zjtx_alloc.rules.programme.values import setting_text
from zjtx_alloc.rules.scenario import REGIONS, Scenario

Rows = dict[str, list[dict[str, Any]]]
_BRACKETED = re.compile(r"\[([a-z_]+)[^\]]*\]")  # a table of a file
_CODE, _CODE_BESIDE = re.compile(r"[a-z]+(?:_[a-z]+)+"), re.compile(r"（([a-z_]+)）")
_PART = re.compile(r'"(?:[^"\\]|\\.)*"|[^.]+')
# Columns of 单位规则 and tables of a scenario.
_UNITS = (("base", "base"), ("floor", "floor"), ("cap", "cap"), ("pool", "eligible_pool"))
_NOT_PLAIN = re.compile(r'[."\'\s]|^$')


def rows_of(scenario: Scenario, references: Mapping[str, str], others: Sequence[str] = ()) -> Rows:
    """The rows of one batch, in the sheets 批次, 权重, 系数, 单位规则, 组合规则, 审核结果, 期末结果 and 其他设置.

    ``references``: how the workbook calls the scenarios that it holds (第1批), by how this one refers to them;
    ``others``: how it calls its other batches, which are budgeted together unless a setting says otherwise.
    """
    rest = deepcopy(scenario.resolved())
    doubt = rest.get("uncertainty", {})
    known = rest.pop("known", {})
    rows = {
        "batches": [_batch_row(scenario, rest)],
        "weights": list(_weight_rows(rest, doubt)),
        "coefficients": list(_coefficient_rows(rest, doubt)),
        "units": _unit_rows(rest),
        "groups": list(_group_rows(rest)),
        "outcomes": list(_outcome_rows(known.pop("outcomes", {}))),
        "approvals": _approval_rows(known),
    }
    rest.pop("budget_with", None)
    if (together := [references.get(name, name) for name in scenario.budget_with]) != list(others):
        rest["budget_with"] = together
    if scenario.change is not None:
        previous = scenario.change.previous
        rest["change"]["previous"] = references.get(previous, previous)
    settings = ((joined(path), value) for path, value in _leaves(rest))
    rows["settings"] = [{"key": key, "value": setting_text(value), "note": described(key)} for key, value in settings]
    return rows


def described(key: str) -> str:
    """What a setting is, in Chinese."""
    first = key.partition(".")[0]
    return say(f"programme_key.{first}") if is_said(f"programme_key.{first}") else ""


def in_words(text: str) -> str:
    """What is said of a scenario file as it is said of a workbook: keys and codes by the names that readers know."""
    names = shipped_table("indicators.csv", "code")["name"]
    text = _BRACKETED.sub(lambda key: described(key[1]) or key[0], text)
    text = _CODE_BESIDE.sub(lambda code: "" if code[1] in names.index else code[0], text)
    return _CODE.sub(lambda code: str(names.get(code[0], code[0])), text)


def joined(path: tuple[str, ...]) -> str:
    """A path of keys as it is written."""
    return ".".join(json.dumps(p, ensure_ascii=False) if _NOT_PLAIN.search(p) else p for p in path)


def parted(key: str) -> tuple[str, ...]:
    """The keys of a path as it is written; empty if it is none."""
    found = [part.strip() for part in _PART.findall(key)]
    try:
        return tuple(json.loads(part) if part.startswith('"') else part for part in found)
    except ValueError:
        return ()


def _leaves(table: dict[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for key, value in table.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, (*above, key))
        elif above or value != {}:  # an empty table of its own is none
            yield (*above, key), value


def _batch_row(scenario: Scenario, rest: dict[str, Any]) -> dict[str, Any]:
    approval = rest.pop("approval", {})
    for name in ("title", "batch", "total", "total_status", "criterion", "opening_year", "closing_year"):
        rest.pop(name, None)
    opening, closing = scenario.payment_years
    return {
        "title": scenario.title, "total": scenario.total, "status": scenario.total_status,
        "criterion": scenario.criterion, "opening": opening, "closing": closing, "rate": approval.get("rate", "1.00"),
        "rounding": "yes" if rest.pop("carry_rounding", False) else "no", "unused": scenario.approval.unused,
    }  # fmt: skip


def _weight_rows(rest: dict[str, Any], doubt: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Rows of the factors; with pools, ranges that all of them share stay a setting."""
    for pool, described in (rest.get("pools") or {"": rest}).items():
        own = doubt.get("pools", {}).get(pool, {}) if pool else doubt
        ranges = own.get("weights", {})
        for code, factor in described.pop("factors").items():
            span = ranges.pop(code, {})
            multiplier = {"multiplier": factor.pop("multiplier")} if "multiplier" in factor else {}
            yield {
                "pool": pool or None, "factor": code, "weight": factor["weight"], "period": factor.get("period"),
                "least": span.get("min"), "most": span.get("max"), "stand_in": factor.get("stand_in_for"),
            }  # fmt: skip
            if multiplier:
                described.setdefault("factors", {})[code] = multiplier
        _without_empty(own, "weights")
        if pool:
            _without_empty(doubt.get("pools", {}), pool)
    _without_empty(doubt, "pools")
    _without_empty(rest, "uncertainty")


def _without_empty(table: dict[str, Any], key: str) -> None:
    if table.get(key) == {}:
        del table[key]


def _coefficient_rows(rest: dict[str, Any], doubt: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if set(rest.get("grade_coefficient", {})) & set(REGIONS):
        return  # a grade that is called like a region is told apart only as a setting
    for table in ("region_coefficient", "grade_coefficient"):
        ranges = doubt.get(table, {})
        for key, value in rest.pop(table, {}).items():
            span = ranges.pop(key, {})
            yield {"key": key, "coefficient": value, "least": span.get("min"), "most": span.get("max")}
        _without_empty(doubt, table)
    _without_empty(rest, "uncertainty")


def _unit_rows(rest: dict[str, Any]) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for name, table in _UNITS:
        given = rest.pop(table, {})
        if kinds := {kind: given.pop(kind) for kind in UNIT_KINDS if kind in given}:
            rest[table] = kinds  # no row is of a kind of unit
        for code, places in given.items():
            found.setdefault(code, {"code": code})[name] = places
    for code, fixed in rest.pop("fixed", {}).items():
        found.setdefault(code, {"code": code}).update(fixed=fixed["quota"], reason=fixed["reason"])
    return list(found.values())


def _approval_rows(known: dict[str, dict[str, int]]) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for name, table in known.items():
        for code, firms in table.items():
            found.setdefault(code, {"code": code})[name] = firms
    return list(found.values())


def _outcome_rows(ends: dict[str, dict[str, dict[str, int]]]) -> Iterator[dict[str, Any]]:
    for code, years in ends.items():
        for year, firms in years.items():
            yield {"code": code, "unit": load_units().at[code, "short_name"], "year": int(year), **firms}


def _group_rows(rest: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for kind, table in (("group", "groups"), ("rule", "rules")):
        names = ("floor", "cap") if kind == "group" else ("min", "max")
        for name, rule in rest.pop(table, {}).items():
            factors = rule.get("coefficients", {}).items() or [(code, None) for code in rule.get("units", [])]
            yield {
                "name": name, "kind": kind, "region": rule.get("region"), "units": list(factors) or None,
                "least": rule.get(names[0]), "most": rule.get(names[1]),
                "least_share": rule.get("min_share"), "most_share": rule.get("max_share"),
            }  # fmt: skip
