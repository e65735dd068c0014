"""One run: a scenario to its folder of files, bound to their inputs by sha256."""

import hashlib
import json
import platform
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from tqdm import tqdm

from zjtx_alloc.allocation import Allocation, allocate_programme
from zjtx_alloc.budget.accounts import BudgetForecast
from zjtx_alloc.budget.batches import cohorts
from zjtx_alloc.budget.forecast import forecast_budget
from zjtx_alloc.files import check_free, write_csv, write_whole
from zjtx_alloc.messages import say
from zjtx_alloc.panel import Panel, load_panel
from zjtx_alloc.policy import load_award
from zjtx_alloc.report import allocation_tables, budget_tables, tables
from zjtx_alloc.report.official import docx_file
from zjtx_alloc.report.proposal import proposal
from zjtx_alloc.report.supply import supply_record
from zjtx_alloc.report.typesetting import pdf_file
from zjtx_alloc.report.workbook import write_workbook
from zjtx_alloc.resources import shipped
from zjtx_alloc.scenario import Scenario
from zjtx_alloc.scenario_files import companion, load_scenario, save_bundle

NOTEBOOKS = ("allocation", "budget", "quota")
OUTPUTS = (
    "allocation.csv", "budget.csv", "report.xlsx", "report.docx", "report.pdf", "allocation.html", "budget.html", "quota.html",
    "run.json", "environment.json",
)  # fmt: skip
_PACKAGES = (
    "zjtx_alloc", "pandas", "numpy", "pulp", "highspy", "matplotlib", "papermill", "nbconvert", "xlsxwriter", "python-docx", "typst",
    "pylopdf-fonts-zh-cn",
)  # fmt: skip


@dataclass(frozen=True)
class Run:
    """A finished run.

    Attributes
    ----------
    folder : Path
        ``out/<scenario>``, with allocation.csv, budget.csv, report.xlsx, report.docx and report.pdf (名额分配方案（建议稿）),
        allocation.html, budget.html, quota.html, run.json (what was computed from what; the same bytes for the same inputs) and environment.json
        (versions, and the sha256 of files that depend on them).
    allocation : Allocation
        The scenario's own allocation.
    budget : BudgetForecast
        Over the scenario and its companions.
    """

    folder: Path
    allocation: Allocation
    budget: BudgetForecast


def run(scenario: Scenario | str | Path, out: str | Path = "reports", panel: Panel | None = None) -> Run:
    """Compute a scenario and write its report to ``out/<scenario>/``.

    Parameters
    ----------
    scenario : Scenario, name or path of a ``.toml`` file
    out : path
        Folder for the report's folder.
    panel : Panel, optional
        The shipped facts if not given.

    Raises
    ------
    DataError, ScenarioError, InfeasibleError, SolverError
        Before anything is written.
    """
    from zjtx_alloc.report.notebooks import write_page  # noqa: PLC0415 - a second that other uses need not pay

    scenario = scenario if isinstance(scenario, Scenario) else load_scenario(scenario)
    allocations = allocate_programme(load_panel() if panel is None else panel, scenario)
    allocation = next(a for a in allocations if a.scenario is scenario)
    budget = forecast_budget(cohorts(*allocations), load_award(scenario.award))
    folder = Path(out) / scenario.name
    folder.mkdir(parents=True, exist_ok=True)
    check_free(folder / name for name in OUTPUTS)
    with tempfile.TemporaryDirectory() as work, tqdm(total=len(NOTEBOOKS) + 5, leave=False) as bar:
        parameters = {"scenario": str(save_bundle(scenario, Path(work))), "data": _facts_file(panel, Path(work))}
        # Kernels side by side, in threads since papermill only waits, while this one writes the rest.
        with ThreadPoolExecutor(max_workers=len(NOTEBOOKS)) as pool:
            pages = [pool.submit(write_page, name, parameters, Path(work), folder) for name in NOTEBOOKS]
            for path in _tables_written(folder, allocation, budget, allocations):
                bar.update()
                bar.set_description(say("run.wrote", file=path.name))
            for done in as_completed(pages):
                bar.update()
                bar.set_description(say("run.wrote", file=done.result().name))
    _write_json(folder / "run.json", _record(allocations, panel, folder))
    _write_json(folder / "environment.json", _environment(folder))
    return Run(folder, allocation, budget)


def _tables_written(
    folder: Path, allocation: Allocation, budget: BudgetForecast, allocations: tuple[Allocation, ...]
) -> Iterator[Path]:
    yield write_csv(folder / "allocation.csv", tables.allocation_csv(allocation))
    yield write_csv(folder / "budget.csv", tables.budget_csv(budget))
    sheets = _sheets(allocation, budget, allocations)
    yield write_workbook(folder / "report.xlsx", sheets, allocation.scenario.title)
    manuscript = proposal(allocation, budget, allocations)
    yield write_whole(folder / "report.docx", docx_file(manuscript))
    yield write_whole(folder / "report.pdf", pdf_file(manuscript))


def _facts_file(panel: Panel | None, work: Path) -> str:
    """A panel handed in, written where a kernel can read it; blank for the shipped facts."""
    if panel is None:
        return ""
    path = work / "facts.csv"
    panel.facts.to_csv(path, index=False, encoding="utf-8", lineterminator="\n")
    return str(path)


def _sheets(allocation: Allocation, budget: BudgetForecast, allocations: tuple[Allocation, ...]) -> list[tables.Table]:
    return [
        allocation_tables.allocation_table(allocation),
        allocation_tables.region_table(allocation),
        allocation_tables.contribution_table(allocation),
        allocation_tables.decision_table(allocation),
        budget_tables.batch_table(budget, allocations),
        budget_tables.year_table(budget, allocations),
        budget_tables.unit_year_table(budget, allocations),
        allocation_tables.factor_table(allocation),
        allocation_tables.assumption_table(allocation),
        allocation_tables.rule_table(allocation),
        allocation_tables.estimate_table(allocation),
        allocation_tables.source_table(allocation),
        budget_tables.award_table(budget.award),
    ]


def _record(allocations: tuple[Allocation, ...], panel: Panel | None, folder: Path) -> dict[str, Any]:
    """What was computed from what: the scenarios as resolved, inputs and outputs by sha256."""
    names = ["units.csv", "indicators.csv", "sources.csv", *([] if panel else ["facts.csv"])]
    names.append("policy/tails/caijian-2021-2.toml")
    names += [f"policy/{award}.toml" for award in sorted({a.scenario.award for a in allocations})]
    inputs = {f"data/{name}": _sha256(shipped("data", *name.split("/")).read_bytes()) for name in names}
    if panel is not None:
        inputs["panel"] = _sha256(panel.facts.to_csv(index=False, lineterminator="\n").encode())
    return {
        "scenarios": {name: s.model_dump(exclude_none=True) for name, s in _involved(allocations).items()},
        "indicators": {a.scenario.name: supply_record(a.panel, a.scenario) for a in allocations},
        "inputs": inputs,
        "outputs": _digests(folder, "allocation.csv", "budget.csv"),
    }


def _involved(allocations: tuple[Allocation, ...]) -> dict[str, Scenario]:
    """The scenarios of a run and every previous batch that bounds one of them."""
    found: dict[str, Scenario] = {}
    waiting = [allocation.scenario for allocation in allocations]
    while waiting:
        scenario = waiting.pop()
        if found.setdefault(scenario.name, scenario) is scenario and scenario.change is not None:
            waiting.append(companion(scenario, scenario.change.previous))
    return found


def _environment(folder: Path) -> dict[str, Any]:
    return {
        "python": platform.python_version(),
        "packages": {name: metadata.version(name) for name in _PACKAGES},
        "outputs": _digests(
            folder, "allocation.html", "budget.html", "quota.html", "report.xlsx", "report.docx", "report.pdf"
        ),
    }


def _digests(folder: Path, *names: str) -> dict[str, str]:
    return {name: _sha256((folder / name).read_bytes()) for name in names}


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _write_json(path: Path, content: dict[str, Any]) -> None:
    text = json.dumps(content, ensure_ascii=False, indent=2, sort_keys=True) + "\n"
    write_whole(path, text.encode())
