"""One run: a scenario to its folder of files, bound to their inputs by sha256."""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from zjtx_alloc.allocation.allocate import Allocation
from zjtx_alloc.base.errors import ReportError
from zjtx_alloc.base.file_sets import alone_in, install
from zjtx_alloc.base.files import write_csv, write_whole
from zjtx_alloc.base.messages import say
from zjtx_alloc.budget.ledger.budget import BudgetForecast
from zjtx_alloc.budget.plan import scenario_of
from zjtx_alloc.facts.panel import Panel, load_panel
from zjtx_alloc.report import table as tables
from zjtx_alloc.report.documents.front_page import front_page
from zjtx_alloc.report.documents.proposal import proposal
from zjtx_alloc.report.documents.unit_page import asked_units
from zjtx_alloc.report.report_xlsx.annexes import report_sheets
from zjtx_alloc.report.results import Results
from zjtx_alloc.report.run_id import bearing_run_id
from zjtx_alloc.report.runs.index import listed
from zjtx_alloc.report.runs.record_form import read_record
from zjtx_alloc.report.runs.records import bind, file_digest, is_whole, outputs, run_id, run_record
from zjtx_alloc.report.runs.scaffold import Job, drafted, report_folder
from zjtx_alloc.report.runs.unit_pages import FOLDER, addresses, finished_pages, write_unit_pages
from zjtx_alloc.report.writers.docx import docx_file
from zjtx_alloc.report.writers.html import FRONT, Heading
from zjtx_alloc.report.writers.pdf import pdf_file
from zjtx_alloc.report.writers.xlsx import write_workbook
from zjtx_alloc.rules.scenario import Scenario

FOR_PEOPLE = "名额分配表.csv"
BOUND = ("allocation.csv", FOR_PEOPLE, "budget.csv")  # the same bytes for the same inputs, whatever the libraries
DOCUMENTS = ("report.xlsx", "report.docx", "report.pdf")
STUDIES = ("uncertainty", "plan", "backtest")  # pages whose question may have no answer for a scenario: they say why
PAGES = ("allocation", "budget", "quota", *STUDIES)
_LINKED = ("allocation", "budget")  # from the pages of units


@dataclass(frozen=True)
class Run:
    """A finished run."""

    #: ``out/<scenario>``, with index.html (首页: the answer on a page, and doors to the rest), allocation.csv and its
    #: twin for people (名额分配表.csv), budget.csv, report.xlsx, report.docx and report.pdf (名额分配方案（建议稿）),
    #: the pages asked for, run.json (what was computed from what; the same bytes for the same inputs) and
    #: environment.json (versions, and the sha256 of files that depend on them). Where pages of units were asked for:
    #: ``units/``, a page of HTML and PDF each, ``units.pdf`` (合订本) and ``index.html``.
    folder: Path
    allocation: Allocation  #: The scenario's own allocation.
    budget: BudgetForecast  #: Over the scenario and its companions.


def run(
    scenario: Scenario | str | Path,
    out: str | Path = "reports",
    panel: Panel | None = None,
    units: str | Sequence[str] = (),
    pages: str | Sequence[str] = PAGES,
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
    pages : str or sequence of str, optional
        Which of the report's pages are made: allocation, budget, quota, uncertainty, plan, backtest; all if not given.
        Pages of units link to the first two, which come with them.

    Raises
    ------
    DataError, ScenarioError, InfeasibleError, SolverError
        Before anything is written.
    ReportError
        If there is no such page, or files cannot be written.
    """
    scenario = scenario_of(scenario)
    codes = asked_units(units) if units else ()
    chosen = _chosen([pages] if isinstance(pages, str) else pages, bool(codes))
    results = Results(load_panel() if panel is None else panel, scenario)
    allocation, budget = results.allocation, results.budget
    made = Run(report_folder(out, scenario.name), allocation, budget)
    record = report_record(results, panel)
    there = outputs(made.folder).keys() >= {f"{name}.html" for name in chosen}
    if not (codes and there and is_whole(made.folder, run_id(record), FOLDER)):
        files, with_units = {name: f"{name}.html" for name in PAGES}, set(_LINKED) <= set(chosen)
        drawn = (FRONT, *DOCUMENTS, *(files[name] for name in chosen))
        job = Job(made.folder, record, scenario.name, BOUND, drawn, tuple(files.values()), with_units)
        _write_report(results, job, panel)
    if codes:
        _write_units(made.folder, results, codes, run_id(record))
    return made


def report_record(results: Results, panel: Panel | None) -> dict[str, Any]:
    """What binds a report of a scenario; the panel only where it is the user's own."""
    return run_record("report", results.programme, panel) | {"asked": [results.scenario.name]}


def _chosen(pages: Sequence[str], with_units: bool) -> tuple[str, ...]:
    """The pages asked for, in their order."""
    if strangers := [name for name in pages if name not in PAGES]:
        raise ReportError(say("run.no_page", names="、".join(strangers), known="、".join(PAGES)))
    return tuple(name for name in PAGES if name in pages or (with_units and name in _LINKED))


def _write_report(results: Results, job: Job, panel: Panel | None) -> None:
    """All but the pages of units; those of another run go, those of this one stay."""
    with drafted(job, panel) as draft:
        file = draft.saved(results.allocation.scenario)
        for name in sorted(PAGES, key=STUDIES.__contains__, reverse=True):  # what takes longest begins
            if f"{name}.html" in job.drawn:
                draft.page(name, {"scenarios": [file]} if name == "budget" else {"scenario": file}, name in STUDIES)
        for path in tables_written(draft.folder, results):
            draft.wrote(path)
        units = addresses(finished_pages(job.folder, run_id(job.record)).units if job.with_units else ())
        draft.wrote(write_whole(draft.folder / FRONT, front_page(results, job.heading(), units)))


def tables_written(folder: Path, results: Results) -> Iterator[Path]:
    """Write all of a report that needs no kernel, file by file."""
    allocation, budget = results.allocation, results.budget
    yield write_csv(folder / "allocation.csv", tables.allocation_csv(allocation))
    yield write_csv(folder / FOR_PEOPLE, tables.people_csv(allocation))
    yield write_csv(folder / "budget.csv", tables.budget_csv(budget))
    manuscript = proposal(results)
    sheets = report_sheets(results, manuscript)
    yield write_workbook(folder / "report.xlsx", sheets, allocation.scenario.title)
    yield write_whole(folder / "report.docx", docx_file(manuscript))
    yield write_whole(folder / "report.pdf", pdf_file(manuscript))


def _write_units(folder: Path, results: Results, codes: tuple[str, ...], number: str) -> None:
    """The pages of units, bound to the run like every other file of it."""
    with alone_in(folder), tqdm(total=len(codes) + 1, leave=False) as bar:
        if (other := read_record(folder).get("id")) != number:
            raise ReportError(say("unit.other_run", folder=folder, id=other or "—"))

        def notify(name: str, was_there: bool) -> None:
            bar.update()
            bar.set_description(say("run.there" if was_there else "run.wrote", file=name))

        there = outputs(folder)
        pages = tuple(name for name in (FRONT, *(f"{name}.html" for name in PAGES)) if name in there)
        heading = Heading(results.allocation.scenario.name, pages)
        done = write_unit_pages(folder, results, codes, number, notify)
        with bearing_run_id(number), tempfile.TemporaryDirectory() as work:
            front = write_whole(Path(work) / FRONT, front_page(results, heading, addresses(done.units)))
            bind(Path(work), folder, FOLDER, done.files() | {FRONT: file_digest(front)})
            install(Path(work), folder, around=listed(folder.parent))
