"""Comparing a run's folder with its inputs: everything is computed again from the record, and what differs is reported."""

import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import tomli_w

from zjtx_alloc.base.errors import ReportError, ZjtxError
from zjtx_alloc.base.files import write_whole
from zjtx_alloc.base.messages import say
from zjtx_alloc.budget.plan import BudgetRequest
from zjtx_alloc.facts.panel import Panel, load_panel
from zjtx_alloc.report.runs.budget_run import ACTUALS, run_budget
from zjtx_alloc.report.runs.compare_run import run_comparison
from zjtx_alloc.report.runs.record_form import read_environment, read_record
from zjtx_alloc.report.runs.records import FACTS, GIVEN, altered, environment_here, outputs, run_id
from zjtx_alloc.report.runs.run import PAGES, run
from zjtx_alloc.report.runs.unit_pages import FOLDER as UNITS


def verify_run(folder: str | Path) -> tuple[str, ...]:
    """Compute a run again from its record and say what differs; nothing if all is as it was.

    Parameters
    ----------
    folder : path
        A run's folder, as ``run``, ``run_budget`` and ``run_comparison`` leave it.

    Returns
    -------
    tuple of str
        Chinese sentences: files missing or changed since, a record that does not bear its id, inputs that are no
        longer the same, versions that differ, files that come out otherwise.

    Raises
    ------
    ReportError
        If the folder holds no record.
    """
    folder = Path(folder)
    record = read_record(folder)
    if not record:
        raise ReportError(say("verify.no_record", folder=folder))
    return tuple(_differences(folder, record))


def _differences(folder: Path, record: dict[str, Any]) -> Iterator[str]:
    changed = altered(folder)
    for name, there in changed.items():
        yield say("verify.changed" if there else "verify.missing", file=name)
    if run_id(record) != record["id"]:
        yield say("verify.record", id=record["id"])
    environment = read_environment(folder)
    versions = list(_versions(environment))
    yield from versions
    if "panel" in record["inputs"] and not (folder / FACTS).is_file():
        yield say("verify.no_facts", file=FACTS)
        return
    with tempfile.TemporaryDirectory() as work:
        try:
            panel = load_panel(folder / FACTS) if "panel" in record["inputs"] else None
            again = _AGAIN[record["kind"]](folder, record, Path(work), panel)
        except ZjtxError as error:
            yield say("verify.failed", reason=error)
            return
        yield from _inputs(record, read_record(again))
        written, found = outputs(folder), outputs(again)
    same_program = environment.get("source") == environment_here()["source"]
    for name in sorted(written.keys() | found.keys()):
        if written.get(name) != found.get(name) and name not in changed and not name.startswith(f"{GIVEN}/"):
            cause = "otherwise_versions" if versions else "otherwise" if same_program else "otherwise_program"
            yield say(f"verify.{cause}", file=name)


def _versions(environment: dict[str, Any]) -> Iterator[str]:
    here = environment_here()
    then = {"python": environment.get("python")} | environment.get("packages", {})
    for name, version in ({"python": here["python"]} | here["packages"]).items():
        if then.get(name) != version:
            yield say("verify.version", name=name, then=then.get(name) or "—", now=version)


def _inputs(record: dict[str, Any], again: dict[str, Any]) -> Iterator[str]:
    """The inputs, by name, that are not what they were."""
    for part in ("inputs", "scenarios", "outcomes", "before"):
        then, now = record.get(part, {}), again.get(part, {})
        for name in sorted(then.keys() | now.keys()):
            if then.get(name) != now.get(name):
                yield say(f"verify.{part}", name=name)


def _report(folder: Path, record: dict[str, Any], work: Path, panel: Panel | None) -> Path:
    (scenario,) = _scenarios(record, work / "scenarios")
    names = [Path(name) for name in outputs(folder)]
    units = sorted({name.name.partition("-")[0] for name in names if name.parent.name == UNITS and "-" in name.name})
    pages = [name for name in PAGES if Path(f"{name}.html") in names]
    return run(scenario, work / "out", panel, units, pages).folder


def _comparison(folder: Path, record: dict[str, Any], work: Path, panel: Panel | None) -> Path:
    return run_comparison(_scenarios(record, work / "scenarios"), work / "out", panel).folder


def _budget(folder: Path, record: dict[str, Any], work: Path, panel: Panel | None) -> Path:
    outcomes = [_outcomes(name, record, work) for name in record["asked_outcomes"]]
    kept = next(iter(folder.glob(f"{ACTUALS}.*")), None) if "actuals" in record["inputs"] else None
    day = record.get("as_of")
    request = BudgetRequest(
        scenarios=_scenarios(record, work / "scenarios"),
        outcomes=outcomes,
        ceilings={int(year): money for year, money in record["ceilings"].items()},
        confidence=record["confidence"],
        before=_scenarios({"scenarios": record["before"], "asked": record["asked_before"]}, work / "before"),
        tail_payment=record["tails"]["payment"],
        tail_rate=record["tails"]["rate"],
        horizon=record["horizon"],
        transfers=kept,
        as_of=None if day is None else date.fromisoformat(day),
    )
    return run_budget(request, work / "out", panel).folder


_AGAIN = {"report": _report, "compare": _comparison, "budget": _budget}


def _scenarios(record: dict[str, Any], folder: Path) -> list[Path]:
    """The scenarios as recorded, each a file; those asked for, in their order."""
    files = {name: _written(folder, name, described) for name, described in record["scenarios"].items()}
    return [files[name] for name in record["asked"]]


def _outcomes(name: str, record: dict[str, Any], work: Path) -> str | Path:
    """An assumption by its shipped name, or the user's own as recorded."""
    if f"data/outcomes/{name}.toml" in record["inputs"]:
        return name
    return _written(work / "outcomes", name, record["outcomes"][name])


def _written(folder: Path, name: str, described: dict[str, Any]) -> Path:
    lines = {key: value for key, value in described.items() if key != "name"}
    return write_whole(folder / f"{name}.toml", tomli_w.dumps(lines).encode())
