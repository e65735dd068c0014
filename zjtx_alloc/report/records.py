"""What binds a report to its inputs: run.json (the same bytes for the same inputs) and environment.json."""

import hashlib
import json
import platform
from importlib import metadata
from pathlib import Path
from typing import Any

from zjtx_alloc.allocation import Allocation
from zjtx_alloc.files import write_whole
from zjtx_alloc.panel import Panel
from zjtx_alloc.report.record_form import read_environment, read_record
from zjtx_alloc.report.supply import supply_record
from zjtx_alloc.resources import shipped
from zjtx_alloc.scenario import Scenario
from zjtx_alloc.scenario_files import beside, companion

_ID = 12  # hexadecimal digits: of ten thousand runs two share one with a chance of 1 in 5 million
ENVIRONMENT = "environment.json"
FACTS = "facts.csv"  # the facts of a run that was given its own
_PACKAGES = (
    "zjtx_alloc",
    "pandas",
    "numpy",
    "pulp",
    "highspy",
    "matplotlib",
    "papermill",
    "nbconvert",
    "xlsxwriter",
    "python-docx",
    "typst",
    "pylopdf-fonts-zh-cn",
)


def facts_file(panel: Panel | None, folder: Path) -> str:
    """A panel handed in, kept with the run so that a kernel and ``verify`` can read it; blank for the shipped facts."""
    if panel is None:
        return ""
    return str(write_whole(folder / FACTS, _facts(panel)))


def _facts(panel: Panel) -> bytes:
    return panel.facts.to_csv(index=False, lineterminator="\n").encode()


def run_record(kind: str, allocations: tuple[Allocation, ...], panel: Panel | None) -> dict[str, Any]:
    """What was computed from what: the kind of run, the scenarios as resolved, the inputs by sha256."""
    names = ["units.csv", "indicators.csv", "sources.csv", *([] if panel else ["facts.csv"])]
    names.append("policy/tails/caijian-2021-2.toml")
    names += [f"policy/{award}.toml" for award in sorted({a.scenario.award for a in allocations})]
    inputs = {f"data/{name}": _sha256(shipped("data", *name.split("/")).read_bytes()) for name in names}
    if panel is not None:
        inputs["panel"] = _sha256(_facts(panel))
    return {
        "kind": kind,
        "scenarios": scenarios_record([a.scenario for a in allocations]),
        "indicators": {a.scenario.name: supply_record(a.panel, a.scenario) for a in allocations},
        "inputs": inputs,
    }


def run_id(record: dict[str, Any]) -> str:
    """A run's id (运行编号): short, of its record alone, so the same for the same inputs."""
    told = {key: value for key, value in record.items() if key not in ("id", "outputs")}
    return _sha256(json.dumps(told, ensure_ascii=False).encode())[:_ID]


def scenarios_record(scenarios: list[Scenario]) -> dict[str, Any]:
    """Scenarios by name, complete, with every previous batch that bounds one of them; no path of this machine."""
    return {name: beside(scenario).model_dump(exclude_none=True) for name, scenario in _involved(scenarios).items()}


def _involved(scenarios: list[Scenario]) -> dict[str, Scenario]:
    found: dict[str, Scenario] = {}
    waiting = list(scenarios)
    while waiting:
        scenario = waiting.pop()
        if found.setdefault(scenario.name, scenario) is scenario and scenario.change is not None:
            waiting.append(companion(scenario, scenario.change.previous))
    return found


def write_records(folder: Path, record: dict[str, Any], fixed: tuple[str, ...], versioned: tuple[str, ...]) -> None:
    """Write run.json with the digests of the ``fixed`` files, environment.json with those of the ``versioned`` ones.

    The bytes of the latter depend on the versions of the libraries that draw and pack them.
    """
    _write_json(folder / "run.json", record | {"id": run_id(record), "outputs": _digests(folder, fixed)})
    _write_json(folder / ENVIRONMENT, environment_here() | {"outputs": _digests(folder, versioned)})


def outputs(folder: Path) -> dict[str, str]:
    """The sha256 of every file of a run as it was written, by name."""
    return read_record(folder).get("outputs", {}) | read_environment(folder).get("outputs", {})


def altered(folder: Path) -> dict[str, bool]:
    """The files of a run that are no longer as they were written; whether they are there at all."""
    written = outputs(folder)
    there = {name: (folder / name).is_file() for name in written}
    return {name: held for name, held in there.items() if not held or file_digest(folder / name) != written[name]}


def file_digest(path: Path) -> str:
    """The sha256 of a file."""
    return _sha256(path.read_bytes())


def environment_here() -> dict[str, Any]:
    """The versions that drawn files depend on."""
    return {"python": platform.python_version(), "packages": {name: metadata.version(name) for name in _PACKAGES}}


def _digests(folder: Path, names: tuple[str, ...]) -> dict[str, str]:
    return {name: file_digest(folder / name) for name in names}


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _write_json(path: Path, content: dict[str, Any]) -> None:
    text = json.dumps(content, ensure_ascii=False, indent=2) + "\n"  # unsorted: tables keep the order of the factors
    write_whole(path, text.encode())
