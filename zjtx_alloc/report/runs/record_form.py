"""What a run's record must look like to be read: folders come from elsewhere, and a record names files and scenarios."""

import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from zjtx_alloc.base.files import UnreadableError, is_file_name, read_whole

_MOST_BYTES = 16 * 2**20
_LOOSE = ConfigDict(strict=True, extra="allow")


def _file_name(text: str) -> str:
    if not is_file_name(text):
        raise ValueError
    return text


def _file_within(text: str) -> str:
    """A file of the folder or of a folder in it."""
    for part in text.split("/"):
        _file_name(part)
    return text


Name = Annotated[str, AfterValidator(_file_name)]
File = Annotated[str, AfterValidator(_file_within)]
Told = dict[str, Any]


class _Scenario(BaseModel):
    model_config = _LOOSE

    title: str
    total: int


class _Supply(BaseModel):
    model_config = _LOOSE

    supplied: dict[str, str]


class _Record(BaseModel):
    model_config = _LOOSE

    id: str = Field(pattern="^[0-9a-f]{12}$")
    asked: list[Name] = Field(min_length=1)
    scenarios: dict[Name, _Scenario]
    indicators: dict[str, _Supply]
    inputs: dict[str, str]
    outputs: dict[File, str]


class _Tails(BaseModel):
    model_config = _LOOSE

    payment: int | None
    rate: str


class _Places(_Record):
    kind: Literal["report", "compare"]


class _Money(_Record):
    kind: Literal["budget"]
    outcomes: dict[Name, Told]
    asked_outcomes: list[Name]
    before: dict[Name, _Scenario]
    asked_before: list[Name]
    ceilings: dict[Annotated[str, Field(pattern="^[0-9]{4}$")], int]
    confidence: str
    horizon: int | None
    tails: _Tails


class _Environment(BaseModel):
    model_config = _LOOSE

    python: str
    packages: dict[str, str]
    outputs: dict[File, str]


class _Page(BaseModel):
    model_config = _LOOSE

    files: dict[Name, str] = Field(min_length=1)
    sheet: Told
    sheet_sha256: str


class _Pages(BaseModel):
    model_config = _LOOSE

    run: str
    made_by: Told
    units: dict[Annotated[str, Field(pattern="^[0-9]{6}$")], _Page]
    outputs: dict[Name, str]


def read_record(folder: Path) -> dict[str, Any]:
    """A run's ``run.json``; empty if it is missing, cannot be read or is no whole record."""
    record = _read(folder / "run.json")
    try:
        (_Money if record.get("kind") == "budget" else _Places).model_validate(record)
    except ValidationError:
        return {}
    asked = [(record["asked"], record["scenarios"])]
    if record["kind"] == "budget":
        asked += [(record["asked_outcomes"], record["outcomes"]), (record["asked_before"], record["before"])]
    is_whole = all(name in described for names, described in asked for name in names)
    return record if is_whole and (record["kind"] != "report" or len(record["asked"]) == 1) else {}


def read_environment(folder: Path) -> dict[str, Any]:
    """A run's ``environment.json``; empty if it is missing or cannot be read."""
    return _checked(folder / "environment.json", _Environment)


def read_pages(path: Path) -> dict[str, Any]:
    """The record of the finished pages of units; empty if it is missing or cannot be read."""
    return _checked(path, _Pages)


def _checked(path: Path, form: type[BaseModel]) -> dict[str, Any]:
    record = _read(path)
    try:
        form.model_validate(record)
    except ValidationError:
        return {}
    return record


def _read(path: Path) -> dict[str, Any]:
    try:
        read = json.loads(read_whole(path, _MOST_BYTES).decode())
    except (OSError, ValueError, RecursionError, UnreadableError):
        return {}
    return read if isinstance(read, dict) else {}
