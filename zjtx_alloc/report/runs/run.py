"""One run: a scenario to its folder of files, bound to their inputs by sha256."""

import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tqdm import tqdm

from zjtx_alloc.allocation.allocate import Allocation, allocate_programme
from zjtx_alloc.base.errors import ReportError
from zjtx_alloc.base.files import alone_in, check_free, folder_for, install, write_csv, write_whole
from zjtx_alloc.base.messages import say
from zjtx_alloc.budget.forecast import forecast_budget
from zjtx_alloc.budget.ledger.budget import BudgetForecast
from zjtx_alloc.budget.ledger.cohorts import cohorts
from zjtx_alloc.facts.panel import Panel, load_panel
from zjtx_alloc.report import table as tables
from zjtx_alloc.report.documents.proposal import proposal
from zjtx_alloc.report.documents.report_workbook import report_sheets
from zjtx_alloc.report.documents.unit_page import asked_units
from zjtx_alloc.report.documents.unit_tables import unit_grounds
from zjtx_alloc.report.runs.index import write_index
from zjtx_alloc.report.runs.record_form import read_record
from zjtx_alloc.report.runs.records import FACTS, bind, facts_file, is_whole, run_id, run_record, write_records
from zjtx_alloc.report.runs.unit_pages import FOLDER, finished_pages, pages_there, write_unit_pages
from zjtx_alloc.report.writers.docx import docx_file
from zjtx_alloc.report.writers.pdf import pdf_file
from zjtx_alloc.report.writers.xlsx import write_workbook
from zjtx_alloc.rules.award import load_award
from zjtx_alloc.rules.own_columns import stand_ins_ended
from zjtx_alloc.rules.scenario import Scenario
from zjtx_alloc.rules.scenario_files import load_scenario, save_bundle

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
        same inputs) and environment.json (versions, and the sha256 of files that depend on them). Where pages of units
        were asked for: ``units/``, a page of HTML and PDF each, ``units.pdf`` (合订本) and ``index.html``.
    allocation : Allocation
        The scenario's own allocation.
    budget : BudgetForecast
        Over the scenario and its companions.
    """

    folder: Path
    allocation: Allocation
    budget: BudgetForecast


def run(
    scenario: Scenario | str | Path,
    out: str | Path = "reports",
    panel: Panel | None = None,
    units: str | Sequence[str] = (),
) -> Run:
    """Compute a scenario and write its report to ``out/<scenario>/``.

    Parameters
    ----------
    scenario : Scenario, name or path of a ``.toml`` file
    out : path
        Folder for the report's folder.
    panel : Panel, optional
        The shipped facts if not given.
    units : str or sequence of str, optional
        The units that get a page of their own (单位分册, in the folder ``units``): ``"all"``, or codes and names. Then only
        what is missing of this very run is made, the report itself included.

    Raises
    ------
    DataError, ScenarioError, InfeasibleError, SolverError
        Before anything is written.
    """
    scenario = scenario if isinstance(scenario, Scenario) else load_scenario(scenario)
    codes = asked_units(units) if units else ()
    facts = load_panel() if panel is None else panel
    scenario = stand_ins_ended(facts, scenario)
    allocations = allocate_programme(facts, scenario)
    allocation = next(a for a in allocations if a.scenario is scenario)
    budget = forecast_budget(cohorts(*allocations), load_award(scenario.award))
    record = run_record("report", allocations, panel) | {"asked": [scenario.name]}
    made = Run(folder_for(out, scenario.name), allocation, budget)
    if not (codes and is_whole(made.folder, run_id(record), FOLDER)):
        _write_report(made, allocations, record, panel)
    if codes:
        _write_units(made, allocations, codes, run_id(record))
    write_index(Path(out))
    return made


def _write_report(made: Run, allocations: tuple[Allocation, ...], record: dict[str, Any], panel: Panel | None) -> None:
    """All but the pages of units; those of another run go, those of this one stay."""
    from zjtx_alloc.report.runs.notebooks import PageOrder, write_page  # noqa: PLC0415 - a second that other uses need not pay

    scenario, folder, number = made.allocation.scenario, made.folder, run_id(record)
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
            for path in _tables_written(drafts, made.allocation, made.budget, allocations, number):
                bar.update()
                bar.set_description(say("run.wrote", file=path.name))
            for done in as_completed(waiting):
                bar.update()
                bar.set_description(say("run.wrote", file=done.result().name))
        kept = finished_pages(folder, number).files()
        write_records(drafts, record, BOUND if panel is None else (*BOUND, FACTS), drawn(), kept)
        install(drafts, folder, stale=(FACTS, *(() if kept else pages_there(folder))))


def _write_units(made: Run, allocations: tuple[Allocation, ...], codes: tuple[str, ...], number: str) -> None:
    """The pages of units, bound to the run like every other file of it."""
    grounds = unit_grounds(made.allocation, made.budget, allocations)
    with alone_in(made.folder), tqdm(total=len(codes) + 1, leave=False) as bar:
        if (there := read_record(made.folder).get("id")) != number:
            raise ReportError(say("unit.other_run", folder=made.folder, id=there or "—"))

        def tell(name: str, was_there: bool) -> None:
            bar.update()
            bar.set_description(say("run.there" if was_there else "run.wrote", file=name))

        bind(made.folder, FOLDER, write_unit_pages(made.folder, grounds, codes, number, tell).files())


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
