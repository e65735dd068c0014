"""Scenario files: a baseline plus the lines that differ, merged by key; and scenarios saved."""

import math
import re
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from pathlib import Path, PurePath
from typing import Any

import tomli_w
from pydantic import ValidationError

from zjtx_alloc.base.errors import ScenarioError
from zjtx_alloc.base.files import UnreadableError, check_absent, is_file_name, write_whole
from zjtx_alloc.base.messages import say
from zjtx_alloc.base.text import shown
from zjtx_alloc.base.toml_files import read_toml, shipped_files
from zjtx_alloc.base.units import UNIT_KINDS, find_unit, load_units
from zjtx_alloc.rules.scenario import DEFAULT, Scenario, Together
from zjtx_alloc.rules.scenario_mistakes import allowed_in, explained, wrong_line
from zjtx_alloc.rules.scenario_ranges import (
    as_table,
    at,
    laid_over,
    rename_range,
    with_ranges_following,
    without_ranges,
)

_MOST_BELOW = 30  # files that extend each other in a row, and batches that each bound the next

FORMER = {"rd_active_firms": "sme_count"}  # what the baselines called a factor before, and call it now


def scenario_names() -> tuple[str, ...]:
    """Names of the shipped scenarios."""
    return tuple(shipped_files("scenarios"))


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
        if "name" in merged:
            raise ScenarioError(wrong_line(path, "name", merged["name"], allowed_in(Scenario)))
        scenario = Scenario.model_validate({"name": path.stem} | merged)
    except ValidationError as error:
        raise ScenarioError(explained(path, error)) from None
    scenario._folder = path.parent
    return scenario


def check_scenario(scenario: Scenario, *, ranges: bool = True) -> None:
    """Refuse a scenario that no file could hold: pydantic does not check a copy changed in code (``model_copy``).

    Parameters
    ----------
    ranges : bool
        Whether ``[uncertainty]`` counts, which says nothing of one allocation: False lets a copy be tried outside it.

    Raises
    ------
    ScenarioError
        Naming the scenario, the key, the value and what is allowed.
    """
    try:
        Scenario.model_validate(scenario.model_dump(warnings=False, exclude=None if ranges else {"uncertainty"}))
    except ValidationError as error:
        raise ScenarioError(explained(Path(scenario.name), error)) from None


def companion(scenario: Scenario, reference: str) -> Scenario:
    """Load a scenario that this one refers to: a shipped name, or a ``.toml`` beside its file."""
    if scenario._together is not None and reference in scenario._together.scenarios:
        return scenario._together.scenarios[reference]
    return load_scenario(_located(reference, scenario._folder))


def put_together(scenarios: Mapping[str, Scenario], folder: Path) -> None:
    """Let scenarios that have no files find each other by these names, and whatever else they refer to in a folder."""
    together = Together(scenarios)
    for scenario in scenarios.values():
        scenario._folder, scenario._together = folder, together


def derived(scenario: Scenario, tables: dict[str, Any]) -> Scenario:
    """A scenario of other tables under the same name, in the same place."""
    made = Scenario.model_validate({"name": scenario.name} | tables)
    made._folder, made._together = scenario._folder, scenario._together
    return made


def companions(scenario: Scenario) -> list[Scenario]:
    """The scenarios of the other batches that a budget counts with this one (``budget_with``)."""
    return [companion(scenario, name) for name in scenario.budget_with]


def previous_batch(scenario: Scenario) -> Scenario:
    """The scenario whose quotas limit the change of this one's (``[change] previous``).

    Raises
    ------
    ScenarioError
        If the chain of previous batches comes back to where it began, or is longer than any programme's.
    """
    seen, chain = {_place(scenario)}, [scenario]
    while (change := chain[-1].change) is not None:
        previous = companion(chain[-1], change.previous)
        if _place(previous) in seen:
            raise ScenarioError(say("allocation.change_cycle", scenario=scenario.name, previous=previous.name))
        if len(chain) > _MOST_BELOW:
            raise ScenarioError(say("allocation.change_chain", scenario=scenario.name, most=_MOST_BELOW))
        seen.add(_place(previous))
        chain.append(previous)
    return chain[1]


def _place(scenario: Scenario) -> tuple[object, str]:
    """Which file a scenario is: a user's may share its name with a shipped one."""
    return scenario._folder, scenario.name


def save_scenario(scenario: Scenario, path: str | Path) -> Path:
    """Write a scenario, resolved, as a TOML file that ``load_scenario`` reads back."""
    check_scenario(scenario)
    return write_whole(path, tomli_w.dumps(scenario.resolved()).encode())


def save_bundle(scenario: Scenario, folder: Path) -> Path:
    """Save a scenario into a folder together with the files it refers to; returns its path.

    Raises
    ------
    ScenarioError
        If two of them share a name, or a name is none for a file.
    """
    saved: dict[str, Scenario] = {}
    waiting = [scenario]
    while waiting:
        one = waiting.pop()
        if not is_file_name(one.name):
            raise ScenarioError(say("file.bad_name", name=shown(one.name)))
        first = saved.setdefault(one.name, one)
        if one != first and (one._folder is None or _place(one) != _place(first)):  # stand-ins ended in one of them
            raise ScenarioError(say("scenario.same_name", name=one.name))
        if (path := folder / f"{one.name}.toml").exists():
            continue
        save_scenario(beside(one), path)
        waiting += [companion(one, reference) for reference in one.references() if reference.endswith(".toml")]
    return folder / f"{scenario.name}.toml"


def save_without_stand_ins(scenario: str, indicators: Sequence[str], path: str | Path) -> list[Path]:
    """Write a scenario that extends a shipped one and ends its stand-ins, and one beside it for each companion.

    Returns their paths: ``path``, then ``<stem>-<companion>.toml`` each. A file that exists is a ReportError.
    """
    path = Path(path)
    files = {scenario: path}
    files |= {name: path.with_name(f"{path.stem}-{name}.toml") for name in load_scenario(scenario).budget_with}
    for file in files.values():
        check_absent(file)
    for name, file in files.items():
        lines = {
            "extends": name,
            "title": say("scenario.own_data", title=load_scenario(name).title),
            "end_stand_in": list(indicators),
            "budget_with": [other.name for other in files.values() if other != file],
        }
        write_whole(file, tomli_w.dumps(lines).encode())
    return list(files.values())


def beside(scenario: Scenario) -> Scenario:
    """The scenario with the files it refers to named as if they lay beside it."""
    return referring(scenario, lambda reference: PurePath(reference).name)


def referring(scenario: Scenario, called: Callable[[str], str]) -> Scenario:
    """The scenario with what it refers to under other names."""
    change = scenario.change and scenario.change.model_copy(update={"previous": called(scenario.change.previous)})
    return scenario.model_copy(update={"budget_with": [*map(called, scenario.budget_with)], "change": change})


def _located(reference: str, folder: Path | None) -> Path:
    if reference.lower().endswith(".xlsx"):
        raise ScenarioError(say("programme.not_here", file=shown(reference)))
    if not reference.lower().endswith(".toml"):
        known = shipped_files("scenarios")
        if reference not in known:
            raise ScenarioError(say("scenario.unknown", name=shown(reference), known="、".join(known)))
        return known[reference]
    return Path(reference) if folder is None else folder / reference


def _read(path: Path) -> dict[str, Any]:
    try:
        return read_toml(path)
    except FileNotFoundError:
        raise ScenarioError(say("scenario.no_file", file=path)) from None
    except UnreadableError as error:
        raise ScenarioError(say("scenario.unreadable", file=shown(path.name), reason=error)) from None


def _merged(path: Path, below: tuple[Path, ...]) -> dict[str, Any]:
    """The raw tables of a file laid over those it extends; unit names become codes first."""
    raw = _with_codes(_read(path), path.name)
    if (is_circle := path.resolve() in below) or len(below) > _MOST_BELOW:
        raise ScenarioError(say(f"scenario.{'cycle' if is_circle else 'chain'}", file=path.name, most=_MOST_BELOW))
    parent = raw.pop("extends", None)
    if not (parent is None or isinstance(parent, str)):
        raise ScenarioError(wrong_line(path, "extends", parent, say("type.string_type")))
    drops, ended = _texts(raw, "drop", path), _texts(raw, "end_stand_in", path)
    base = {} if parent is None else _merged(_located(parent, path.parent), (*below, path.resolve()))
    _use_unused(raw, path.name)
    raw, drops, base = _of_this_version(raw, drops, base, path.name)
    left = deepcopy(base)
    for drop in drops:
        _remove(left, drop, path.name)
    if "total" in raw:
        left = _without_total(left)
    merged = with_ranges_following(base, laid_over(left, raw), raw)
    for code in ended:
        if "stand_in_for" not in as_table(_factors(merged).get(code, {"stand_in_for": code})):
            warnings.warn(say("scenario.ended_already", file=path.name, code=code), FutureWarning, stacklevel=4)
        else:
            end_stand_in(merged, code, path.name)
    return merged


def _factors(tables: dict[str, Any]) -> dict[str, Any]:
    """The factors of raw tables, whatever pool they are in."""
    return {
        code: line
        for group in (tables, *as_table(tables.get("pools")).values())
        for code, line in as_table(as_table(group).get("factors")).items()
    }


def _use_unused(raw: dict[str, Any], file: str) -> None:
    """``approval.carry_unused`` of the version before is ``approval.unused`` now."""
    approval = as_table(raw.get("approval"))
    if isinstance(carries := approval.get("carry_unused"), bool):
        unused = "unit" if carries else "lapse"
        warnings.warn(say("scenario.carry_unused", file=file, unused=unused), FutureWarning, stacklevel=5)
        raw["approval"] = {k: v for k, v in approval.items() if k != "carry_unused"} | {"unused": unused}


def _of_this_version(
    raw: dict[str, Any], drops: list[str], base: dict[str, Any], file: str
) -> tuple[dict[str, Any], list[str], dict[str, Any]]:
    """A file that changes a baseline's stand-in of the version before, as if it changed the factor that took its place.

    A line with a period of its own means the old indicator itself: then that takes the factor's place.
    """
    for old, new in FORMER.items():
        held, changed = ({} if "factors" in drops else _factors(base)), _factors(raw)
        spoken = old in changed or any(old in drop.split(".") for drop in drops) or old in repr(raw.get("uncertainty"))
        if old in held or new not in held or not spoken:
            continue
        warnings.warn(say("scenario.former", file=file, old=old, new=new), FutureWarning, stacklevel=5)
        if "period" in as_table(changed.get(old)):
            base = _renamed(base, new, old)
        else:
            raw, drops = _renamed(raw, old, new), [".".join(_named(drop.split("."), old, new)) for drop in drops]
    return raw, drops, base


def _renamed(tables: Any, old: str, new: str) -> Any:
    """Raw tables with one key renamed wherever it stands, in its place."""
    if not isinstance(tables, dict):
        return tables
    return {new if key == old else key: _renamed(table, old, new) for key, table in tables.items()}


def _named(parts: list[str], old: str, new: str) -> list[str]:
    return [new if part == old else part for part in parts]


def _texts(raw: dict[str, Any], key: str, path: Path) -> list[str]:
    """Take a list of texts out of a file's tables; empty where it is not there."""
    texts = raw.pop(key, [])
    if not (isinstance(texts, list) and all(isinstance(text, str) for text in texts)):
        raise ScenarioError(wrong_line(path, key, texts, say(f"scenario.{key}_form")))
    return texts


def _without_total(base: dict[str, Any]) -> dict[str, Any]:
    """The inherited tables without what their total rests on, which says nothing about a new one."""
    kept = {key: value for key, value in base.items() if key not in ("total", "total_status")}
    if isinstance(described := base.get("assumptions"), dict):
        kept["assumptions"] = {key: text for key, text in described.items() if key != "total"}
    return kept


def end_stand_in(merged: dict[str, Any], code: str, file: str) -> None:
    """Put an indicator itself in the place of what stands in for it, with the weight of all that does.

    Raises
    ------
    ScenarioError
        If nothing stands in for it.
    """
    ended = False
    groups = [(group, "factors") for group in (merged, *as_table(merged.get("pools")).values())]
    groups += [(recipe, "parts") for recipe in as_table(merged.get("composites")).values()]
    for group, lines in groups:
        held = as_table(as_table(group).get(lines))
        if names := [name for name, line in held.items() if as_table(line).get("stand_in_for") == code]:
            group[lines] = _ended_in(held, names, code)
            if len(names) == 1:
                rename_range(merged, names[0], code)
            else:
                without_ranges(merged, names)
            ended = True
    if not ended:
        raise ScenarioError(say("scenario.no_stand_in", file=file, code=code))


def _ended_in(lines: dict[str, Any], names: list[str], code: str) -> dict[str, Any]:
    """Lines of factors or parts with one for the indicator in the place of the first that stands in for it."""
    first = {key: value for key, value in lines[names[0]].items() if key != "stand_in_for"}
    weights = [lines[name]["weight"] for name in names if "weight" in lines[name]]
    if len(weights) > 1:
        first["weight"] = math.fsum(weights)
    ended = {
        (code if name == names[0] else name): (first if name == names[0] else line) for name, line in lines.items()
    }
    return {name: line for name, line in ended.items() if name not in names[1:]}


def _remove(base: dict[str, Any], drop: str, file: str) -> None:
    *path, last = [part.strip("\"'") for part in re.findall(r'"[^"]*"|\'[^\']*\'|[^.]+', drop)] or [drop]
    table = at(base, *path)
    if isinstance(table, dict) and last not in table:
        last = find_unit(last) or last
    if not isinstance(table, dict) or last not in table:
        raise ScenarioError(say("scenario.no_drop", file=file, key=drop))
    del table[last]


def _with_codes(raw: dict[str, Any], file: str) -> dict[str, Any]:
    """Turn unit names into codes wherever the file speaks of units, so that merging goes by unit."""
    raw = dict(raw)
    for key in ("base", "floor", "cap", "certified", "eligible_pool", "fixed", "grade"):
        if isinstance(raw.get(key), dict):
            raw[key] = _coded(raw[key], f"{file} [{key}]", UNIT_KINDS if key == "base" else ())
    if isinstance(known := raw.get("known"), dict):
        raw["known"] = {k: _coded(v, f"{file} [known.{k}]") if isinstance(v, dict) else v for k, v in known.items()}
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
                members = _coded(dict.fromkeys(map(str, table[field])), place)
                if DEFAULT in members:
                    raise ScenarioError(say("scenario.unit_default", place=place))
                tables[name] = table | {field: list(members)}
        raw[key] = tables
    return raw


def _coded(table: dict[str, Any], place: str, kinds: Iterable[str] = ()) -> dict[str, Any]:
    coded: dict[str, Any] = {}
    for name, value in table.items():
        code = name if name in (DEFAULT, *kinds) else find_unit(name)
        if code is None:
            known = "、".join([*kinds, *load_units()["short_name"]])
            raise ScenarioError(say("scenario.unknown_unit", place=place, name=name, known=known))
        if code in coded:
            raise ScenarioError(say("scenario.unit_twice", place=place, name=name))
        coded[code] = value
    return coded
