"""One run: a scenario to its folder of files, bound to their inputs by sha256."""

import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tqdm import tqdm

from zjtx_alloc.allocation import Allocation, allocate_programme
from zjtx_alloc.budget.accounts import BudgetForecast
from zjtx_alloc.budget.batches import cohorts
from zjtx_alloc.budget.forecast import forecast_budget
from zjtx_alloc.files import check_free, folder_for, install, write_csv, write_whole
from zjtx_alloc.messages import say
from zjtx_alloc.panel import Panel, load_panel
from zjtx_alloc.policy import load_award
from zjtx_alloc.report import tables
from zjtx_alloc.report.index import write_index
from zjtx_alloc.report.official import docx_file
from zjtx_alloc.report.proposal import proposal
from zjtx_alloc.report.records import FACTS, facts_file, run_id, run_record, write_records
from zjtx_alloc.report.report_workbook import report_sheets
from zjtx_alloc.report.typesetting import pdf_file
from zjtx_alloc.report.workbook import write_workbook
from zjtx_alloc.scenario import Scenario
from zjtx_alloc.scenario_files import load_scenario, save_bundle

BOUND = ("allocation.csv", "budget.csv")  # the same bytes for the same inputs, whatever the libraries
PAGES = ("allocation", "budget", "quota")
STUDIES = ("uncertainty", "plan", "backtest")  # pages whose question may have no answer for a scenario: they say why


def drawn() -> tuple[str, ...]:
    """The files that depend on versions of libraries."""
    return ("report.xlsx", "report.docx", "report.pdf", *(f"{name}.html" for name in (*PAGES, *STUDIES)))


@dataclass(frozen=True)
class Run:
    """A finished run.

    Attributes
    ----------
    folder : Path
        ``out/<scenario>``, with allocation.csv, budget.csv, report.xlsx, report.docx and report.pdf (名额分配方案（建议稿）),
        a page for each of ``PAGES`` and ``STUDIES``, run.json (what was computed from what; the same bytes for the
        same inputs) and environment.json (versions, and the sha256 of files that depend on them).
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
    from zjtx_alloc.report.notebooks import PageOrder, write_page  # noqa: PLC0415 - a second that other uses need not pay

    scenario = scenario if isinstance(scenario, Scenario) else load_scenario(scenario)
    allocations = allocate_programme(load_panel() if panel is None else panel, scenario)
    allocation = next(a for a in allocations if a.scenario is scenario)
    budget = forecast_budget(cohorts(*allocations), load_award(scenario.award))
    record = run_record("report", allocations, panel) | {"asked": [scenario.name]}
    number, folder = run_id(record), folder_for(out, scenario.name)
    check_free(folder / name for name in (*BOUND, *drawn(), "environment.json", "run.json"))
    with tempfile.TemporaryDirectory() as work, tqdm(total=len(BOUND) + len(drawn()), leave=False) as bar:
        drafts = Path(work) / "drafts"
        file, data = str(save_bundle(scenario, Path(work))), facts_file(panel, drafts)
        told: dict[str, Any] = {"scenario": file, "data": data}
        pages = dict.fromkeys((*PAGES, *STUDIES), told) | {"budget": {"scenarios": [file], "data": data}}
        # Kernels side by side, in threads since papermill only waits, while this one writes the rest.
        with ThreadPoolExecutor(max_workers=len(pages)) as pool:
            waiting = [
                pool.submit(
                    write_page,
                    PageOrder(name, told, drafts / f"{name}.html", scenario.name, number, name in STUDIES),
                    Path(work),
                )
                for name, told in pages.items()
            ]
            for path in _tables_written(drafts, allocation, budget, allocations, number):
                bar.update()
                bar.set_description(say("run.wrote", file=path.name))
            for done in as_completed(waiting):
                bar.update()
                bar.set_description(say("run.wrote", file=done.result().name))
        write_records(drafts, record, BOUND if panel is None else (*BOUND, FACTS), drawn())
        install(drafts, folder, stale=(FACTS,))
    write_index(Path(out))
    return Run(folder, allocation, budget)


def _tables_written(
    folder: Path, allocation: Allocation, budget: BudgetForecast, allocations: tuple[Allocation, ...], number: str
) -> Iterator[Path]:
    yield write_csv(folder / "allocation.csv", tables.allocation_csv(allocation))
    yield write_csv(folder / "budget.csv", tables.budget_csv(budget))
    manuscript = replace(proposal(allocation, budget, allocations), run=number)
    sheets = report_sheets(allocation, budget, allocations, manuscript)
    yield write_workbook(folder / "report.xlsx", sheets, allocation.scenario.title, number)
    yield write_whole(folder / "report.docx", docx_file(manuscript))
    yield write_whole(folder / "report.pdf", pdf_file(manuscript))
