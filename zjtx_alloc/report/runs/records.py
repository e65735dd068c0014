"""What binds a report to its inputs: run.json (the same bytes for the same inputs) and environment.json."""

import hashlib
import json
import platform
import tempfile
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from zjtx_alloc.allocation.allocate import Allocation
from zjtx_alloc.base.file_sets import alone_in, install
from zjtx_alloc.base.files import write_whole
from zjtx_alloc.base.resources import shipped
from zjtx_alloc.facts.panel import Panel
from zjtx_alloc.report.notes.user_data import supply_record
from zjtx_alloc.report.runs.record_form import read_environment, read_record
from zjtx_alloc.report.table import csv_text
from zjtx_alloc.rules.scenario import Scenario
from zjtx_alloc.rules.scenario_files import beside, companion

_ID = 12  # hexadecimal digits: of ten thousand runs two share one with a chance of 1 in 5 million
RECORD, ENVIRONMENT = "run.json", "environment.json"
GIVEN = "given"  # folder of a run with the workbook that it was made of
FACTS = "facts.csv"  # the facts of a run that was given its own
_LAYOUTS = (
    "messages.zh.toml",
    "columns.csv",
    "proposal.toml",
    "budget_paper.toml",
    "page.html",
    "manuscript.typ",
    "unit.typ",
)
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


def facts_csv(panel: Panel) -> bytes:
    """The facts of a panel as they are kept with a run, so that a kernel and ``verify_run`` can read them."""
    return csv_text(panel.facts).encode()


def run_record(kind: str, allocations: tuple[Allocation, ...], panel: Panel | None) -> dict[str, Any]:
    """What was computed from what: the kind of run, the scenarios as resolved, the inputs by sha256."""
    names = ["units.csv", "indicators.csv", "sources.csv", "observations.csv"]
    names += [] if panel else ["facts.csv", "nowcast.csv"]
    names.append("policy/tails/caijian-2021-2.toml")
    names += [f"policy/{award}.toml" for award in sorted({a.scenario.award for a in allocations})]
    inputs = {f"data/{name}": bytes_digest(shipped("data", *name.split("/")).read_bytes()) for name in names}
    if panel is not None:
        inputs["panel"] = bytes_digest(facts_csv(panel))
    return {
        "kind": kind,
        "scenarios": scenarios_record([a.scenario for a in allocations]),
        "indicators": {a.scenario.name: supply_record(a.panel, a.scenario) for a in allocations},
        "inputs": inputs,
    }


def run_id(record: dict[str, Any]) -> str:
    """A run's id (运行编号): short, of its record alone, so the same for the same inputs."""
    described = {key: value for key, value in record.items() if key not in ("id", "outputs")}
    return bytes_digest(json.dumps(described, ensure_ascii=False).encode())[:_ID]


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


def write_records(
    folder: Path, record: dict[str, Any], fixed: tuple[str, ...], versioned: tuple[str, ...], kept: dict[str, str]
) -> None:
    """Write run.json with the digests of the ``fixed`` files, environment.json with those of the ``versioned`` ones.

    The bytes of the latter depend on the versions of the libraries that draw and pack them; ``kept`` are those of
    such files that an earlier run made, by digest.
    """
    _write_json(folder / RECORD, record | {"id": run_id(record), "outputs": _digests(folder, fixed)})
    _write_json(folder / ENVIRONMENT, environment_here() | {"outputs": _digests(folder, versioned) | kept})


def bind(drafts: Path, folder: Path, within: str, files: dict[str, str]) -> None:
    """Draft a run's environment.json with the digests of the files in its subfolder, in the place of earlier ones."""
    described, earlier = read_environment(folder), bound_in(folder, within)
    others = {name: digest for name, digest in described["outputs"].items() if name not in earlier}
    _write_json(drafts / ENVIRONMENT, described | {"outputs": others | files})


def bound_in(folder: Path, within: str) -> list[str]:
    """The names of a run's files in a subfolder."""
    return [name for name in outputs(folder) if name.startswith(f"{within}/")]


def keep_workbook(folder: Path, workbook: Path) -> None:
    """Keep the workbook that a run was made of, byte for byte; what it says is in the record and the facts already."""
    name = f"{GIVEN}/{workbook.name}"
    with tempfile.TemporaryDirectory() as work, alone_in(folder):
        kept = write_whole(Path(work) / name, workbook.read_bytes())
        bind(Path(work), folder, GIVEN, {name: file_digest(kept)})
        install(Path(work), folder, bound_in(folder, GIVEN))


def is_whole(folder: Path, run: str, within: str) -> bool:
    """Whether a folder holds all of a run as this very program makes it, whatever is in its subfolder ``within``."""
    described, here = read_environment(folder), environment_here()
    changed = [name for name in altered(folder) if not name.startswith(f"{within}/")]
    return read_record(folder).get("id") == run and not changed and {key: described.get(key) for key in here} == here


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
    with path.open("rb") as file:  # in pieces
        return hashlib.file_digest(file, "sha256").hexdigest()


def environment_here() -> dict[str, Any]:
    """The versions and the program that drawn files depend on."""
    packages = {name: metadata.version(name) for name in _PACKAGES}
    return {"python": platform.python_version(), "packages": packages, "source": _source_digest()}


@cache
def _source_digest() -> str:
    """The sha256 of the package's own code and layouts: between two releases the version does not distinguish them."""
    package = next(folder for folder in Path(__file__).parents if folder.name == "zjtx_alloc")
    code = sorted(package.rglob("*.py"))
    read = [*code, *(shipped("data", name) for name in _LAYOUTS), *sorted(shipped("notebooks").glob("*.ipynb"))]
    return bytes_digest(b"".join(path.name.encode() + path.read_bytes() for path in read))


def _digests(folder: Path, names: tuple[str, ...]) -> dict[str, str]:
    return {name: file_digest(folder / name) for name in names}


def bytes_digest(content: bytes) -> str:
    """The sha256 of bytes."""
    return hashlib.sha256(content).hexdigest()


def _write_json(path: Path, content: dict[str, Any]) -> None:
    text = json.dumps(content, ensure_ascii=False, indent=2) + "\n"  # unsorted: tables keep the order of the factors
    write_whole(path, text.encode())
