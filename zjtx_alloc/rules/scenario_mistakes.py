"""What is wrong with a scenario file, in Chinese: file, key, value, what is allowed."""

from pathlib import Path

from pydantic import BaseModel, ValidationError

from zjtx_alloc.base.messages import say
from zjtx_alloc.base.text import shown
from zjtx_alloc.base.toml_files import mistakes
from zjtx_alloc.base.units import load_units
from zjtx_alloc.rules.composite_form import Normalisation, Part, Recipe, Treatment
from zjtx_alloc.rules.scenario import Approval, Change, Factor, Fixed, Group, Known, Pool, Rule, Scenario
from zjtx_alloc.rules.scenario_uncertainty import FactErrors, Range, UncertainPool, Uncertainty

_MOST_TOLD = 30  # mistakes of a file in one message
_TABLES: dict[str, type[BaseModel]] = {
    "factors": Factor, "pools": Pool, "change": Change, "groups": Group,
    "rules": Rule, "approval": Approval, "fixed": Fixed, "known": Known,
}  # fmt: skip

_COMPOSITE_TABLES: dict[str, type[BaseModel]] = {"normalisation": Normalisation, "treatment": Treatment}


def explained(path: Path, error: ValidationError) -> str:
    """A validation error in Chinese: file, key, value, what is allowed; a line each."""
    names, found = load_units()["short_name"].to_dict(), mistakes(error)
    lines = []
    for mistake in found[:_MOST_TOLD]:
        keys = [names.get(key, key) for key in mistake.keys]
        allowed = allowed_in(_table_of(keys)) if mistake.is_stranger else mistake.allowed
        value = None if isinstance(mistake.value, dict) else mistake.value
        lines.append(wrong_line(path, ".".join(keys), value, allowed))
    if more := len(found) - len(lines):
        lines.append(say("scenario.more", count=more))
    return "\n".join(lines)


def _table_of(keys: list[str]) -> type[BaseModel]:
    """The table that a key stands in."""
    if keys[0] == "uncertainty" and keys[1:]:
        if len(keys) == 3 and keys[1] == "facts":
            return FactErrors
        return Uncertainty if len(keys) == 2 else UncertainPool if len(keys) == 4 and keys[1] == "pools" else Range
    if keys[0] == "composites" and keys[1:]:
        return _COMPOSITE_TABLES.get(keys[4] if keys[5:] else "", Part if keys[4:] else Recipe)
    if "factors" in keys[:-1]:
        return Factor
    return _TABLES.get(keys[0], Scenario) if keys[1:] else Scenario


def allowed_in(table: type[BaseModel]) -> str:
    """The keys that a table may hold."""
    return say("scenario.allowed", known="、".join(key for key in table.model_fields if key != "name"))


def wrong_line(path: Path, key: str, value: object, allowed: str) -> str:
    """One mistake of a file."""
    if not key:
        return say("scenario.wrong_whole", file=path.name, allowed=allowed)
    described = "" if value is None else say("scenario.value", value=shown(value))
    return say("scenario.wrong", file=path.name, key=shown(key), shown=described, allowed=allowed)
