"""What a run's record must look like to be read: folders come from elsewhere, and a record names files and scenarios."""

import datetime
import json
from pathlib import Path
from typing import Annotated, Any, Literal

import tomli_w
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from zjtx_alloc.base.files import UnreadableError, is_file_name, read_whole

_MOST_BYTES = 16 * 2**20
# Names that were asked for, and what holds each; only a budget has all of them.
_PARTS = (("asked", "scenarios"), ("asked_outcomes", "outcomes"), ("asked_before", "before"))


def _file_name(text: str) -> str:
    if not is_file_name(text):
        raise ValueError
    return text


def _file_within(text: str) -> str:
    """A file of the folder or of a folder in it."""
    for part in text.split("/"):
        _file_name(part)
    return text


def _day(text: str) -> str:
    return datetime.date.fromisoformat(text).isoformat()


def _as_a_file(described: dict[str, Any]) -> dict[str, Any]:
    """What ``verify_run`` writes as a TOML file, which has no null."""
    try:
        tomli_w.dumps(described)
    except TypeError:
        raise ValueError from None
    return described


Name = Annotated[str, AfterValidator(_file_name)]
File = Annotated[str, AfterValidator(_file_within)]
Described = dict[str, Any]
Kept = Annotated[Described, AfterValidator(_as_a_file)]


class _Form(BaseModel):
    model_config = ConfigDict(strict=True, extra="allow")


class _Scenario(_Form):
    title: str
    total: int

    @model_validator(mode="before")
    @classmethod
    def _is_a_file(cls, described: Any) -> Any:
        return _as_a_file(described) if isinstance(described, dict) else described


class _Supply(_Form):
    supplied: dict[str, str]


class _Record(_Form):
    id: str = Field(pattern="^[0-9a-f]{12}$")
    asked: list[Name] = Field(min_length=1)
    scenarios: dict[Name, _Scenario]
    indicators: dict[str, _Supply]
    inputs: dict[str, str]
    outputs: dict[File, str]


class _Tails(_Form):
    payment: int | None
    rate: str


class _Places(_Record):
    kind: Literal["report", "compare"]


class _Money(_Record):
    kind: Literal["budget"]
    outcomes: dict[Name, Kept]
    asked_outcomes: list[Name]
    before: dict[Name, _Scenario]
    asked_before: list[Name]
    ceilings: dict[Annotated[str, Field(pattern="^[0-9]{4}$")], int]
    confidence: str
    horizon: int | None
    tails: _Tails
    as_of: Annotated[str, AfterValidator(_day)] | None = None


class _Environment(_Form):
    python: str
    packages: dict[str, str]
    outputs: dict[File, str]


class _Page(_Form):
    files: dict[Name, str] = Field(min_length=1)
    sheet: Described
    sheet_sha256: str


class _Pages(_Form):
    run: str
    made_by: Described
    units: dict[Annotated[str, Field(pattern="^[0-9]{6}$")], _Page]
    outputs: dict[Name, str]


def read_record(folder: Path) -> dict[str, Any]:
    """A run's ``run.json``; empty if it is missing, cannot be read or is no whole record."""
    path = folder / "run.json"
    record = _checked(path, _Places) or _checked(path, _Money)
    parts = _PARTS if record.get("kind") == "budget" else _PARTS[:1]
    is_whole = all(name in record[held] for asked, held in parts for name in record.get(asked, ()))
    return record if is_whole and (record.get("kind") != "report" or len(record["asked"]) == 1) else {}


def read_environment(folder: Path) -> dict[str, Any]:
    """A run's ``environment.json``; empty if it is missing or cannot be read."""
    return _checked(folder / "environment.json", _Environment)


def read_pages(path: Path) -> dict[str, Any]:
    """The record of the finished pages of units; empty if it is missing or cannot be read."""
    return _checked(path, _Pages)


def _checked(path: Path, form: type[_Form]) -> dict[str, Any]:
    try:
        record = json.loads(read_whole(path, _MOST_BYTES).decode())
        json.dumps(record, ensure_ascii=False).encode()  # half a character, which JSON can spell, is no text
        form.model_validate(record)
    except (OSError, ValueError, RecursionError, UnreadableError):  # pydantic's ValidationError is a ValueError
        return {}
    return dict(record)
