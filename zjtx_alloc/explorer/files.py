"""What the explorer opens and what one leaves it with: files to scenarios, and scenarios to files bound to a run's id."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

import tomli_w

from zjtx_alloc.base.errors import ScenarioError
from zjtx_alloc.base.files import is_file_name
from zjtx_alloc.base.messages import say
from zjtx_alloc.base.text import shown
from zjtx_alloc.facts.panel import Panel, load_panel
from zjtx_alloc.report.documents.front_page import front_page
from zjtx_alloc.report.documents.proposal import proposal
from zjtx_alloc.report.report_xlsx.annexes import report_sheets
from zjtx_alloc.report.report_xlsx.hand_back import is_report, read_report
from zjtx_alloc.report.results import Results
from zjtx_alloc.report.run_id import bearing_run_id
from zjtx_alloc.report.runs.compare_run import bound_comparison, write_comparison
from zjtx_alloc.report.runs.records import run_id
from zjtx_alloc.report.runs.run import report_record
from zjtx_alloc.report.writers.docx import docx_file
from zjtx_alloc.report.writers.html import Heading
from zjtx_alloc.report.writers.pdf import pdf_file
from zjtx_alloc.report.writers.xlsx import write_workbook
from zjtx_alloc.rules.own_columns import stand_ins_ended
from zjtx_alloc.rules.programme.notes import doubts_text
from zjtx_alloc.rules.programme.programme import load_programme
from zjtx_alloc.rules.scenario import Scenario
from zjtx_alloc.rules.scenario_files import load_scenario, scenario_names

MOST_BYTES = 64 * 2**20  # of an uploaded file
_NO_PROJECT = "pyproject.toml"  # no scenario, wherever it lies


@dataclass(frozen=True)
class Case:
    """A scenario and its facts."""

    scenario: Scenario
    own: Panel | None = None  #: The facts where they are the user's own; None for the shipped ones.
    notes: tuple[str, ...] = ()  #: What was read of its file, what was not, and what looks wrong, in Chinese.

    @cached_property
    def panel(self) -> Panel:
        """The facts to compute with."""
        return load_panel() if self.own is None else self.own


def listed(folder: Path) -> tuple[str, ...]:
    """What can be opened by name: the shipped scenarios, scenario files and workbooks of a folder."""
    found = folder.iterdir() if folder.is_dir() else ()
    own = (path.name for path in found if path.suffix.lower() in (".toml", ".xlsx") and path.name != _NO_PROJECT)
    return (*scenario_names(), *sorted(name for name in own if not name.startswith(("~", "."))))


def called(name: str) -> str:
    """What people call a scenario: a shipped one by its title, others by the names that their users gave them."""
    return _titles().get(name, name)


@cache
def _titles() -> dict[str, str]:
    return {name: load_scenario(name).title for name in scenario_names()}


def read_cases(path: Path, own: Panel | None) -> dict[str, Case]:
    """What a file holds, by name: a scenario; a programme's batches, the current one first; a report handed back.

    A scenario of a file without facts of its own has ``own`` ones, in the place of what stands in for them.
    """
    if path.suffix.lower() != ".xlsx":
        scenario = load_scenario(path if path.suffix else path.name)
        return {scenario.name: Case(stand_ins_ended(own, scenario) if own else scenario, own)}
    if is_report(path):
        found = read_report(path)
        return {found.scenario.name: Case(found.scenario, found.own, (*found.changes, *found.notes))}
    programme = load_programme(path)
    panel = programme.panel if programme.panel.has_own else None
    batches = sorted(programme.batches, key=lambda batch: batch is not programme.current)
    doubts = doubts_text(programme.doubts).split("\n") if programme.doubts else ()
    return {one.scenario.name: Case(one.scenario, panel, (*programme.notes_on(one), *doubts)) for one in batches}


def read_upload(name: str, content: bytes, own: Panel | None) -> dict[str, Case]:
    """What an uploaded file holds, as ``read_cases``.

    Raises
    ------
    ScenarioError
        If it is neither a workbook nor a scenario file, or its name is none for a file; or as the readers of these.
    """
    file = Path(name)
    if file.suffix.lower() not in (".toml", ".xlsx"):
        raise ScenarioError(say("explorer.no_upload", file=shown(file.name)))
    if not is_file_name(file.stem):
        raise ScenarioError(say("file.bad_name", name=shown(file.stem)))
    with TemporaryDirectory() as folder:
        (path := Path(folder) / file.name).write_bytes(content)
        try:
            return read_cases(path, own)
        except ScenarioError as error:  # where the file lay for a moment helps nobody
            raise ScenarioError(str(error).replace(f"{folder}{os.sep}", "")) from None


def _workbook(case: Case, number: str) -> bytes:
    results = Results(case.panel, case.scenario)
    with TemporaryDirectory() as folder, bearing_run_id(number):
        sheets = report_sheets(results, proposal(results))
        return write_workbook(Path(folder) / "report.xlsx", sheets, case.scenario.title).read_bytes()


def _documented(write: Callable[[Results], bytes]) -> Callable[[Case, str], bytes]:
    def made(case: Case, number: str) -> bytes:
        with bearing_run_id(number):
            return write(Results(case.panel, case.scenario))

    return made


def _toml(case: Case, number: str) -> bytes:
    """The scenario as a file that says what run it is of, and what more that run needs."""
    if others := [name for name in case.scenario.references() if name.endswith(".toml")]:
        raise ScenarioError(say("explorer.toml_refers", files="、".join(map(shown, others))))
    heads = [say("explorer.toml_run", run=number), *([say("explorer.toml_facts")] if case.own else [])]
    return ("".join(f"# {head}\n" for head in heads) + tomli_w.dumps(case.scenario.resolved())).encode()


# What one can leave with: the ending of its name, and how it is made.
LEAVING: Mapping[str, tuple[str, Callable[[Case, str], bytes]]] = {
    "workbook": (".xlsx", _workbook),
    "proposal": (".docx", _documented(lambda results: docx_file(proposal(results)))),
    "proposal_pdf": (".pdf", _documented(lambda results: pdf_file(proposal(results)))),
    "overview": (".html", _documented(lambda results: front_page(results, Heading(results.scenario.name), {}))),
    "scenario": (".toml", _toml),
}


def taken_away(kind: str, case: Case) -> tuple[str, bytes]:
    """One of ``LEAVING`` with the name of its file; its id is that of ``za.run`` for the same scenario."""
    ending, made = LEAVING[kind]
    number = run_id(report_record(Results(case.panel, case.scenario), case.own))
    # A scenario's name is its file's: with anything added the file would be of another run.
    named = "" if kind == "scenario" else f"-{say(f'explorer.leave_{kind}')}-{number}"
    return f"{case.scenario.name}{named}{ending}", made(case, number)


def comparison_taken_away(scenarios: Sequence[Scenario], own: Panel | None) -> tuple[str, bytes]:
    """The workbook of a comparison with the name of its file; its id is that of ``za.run_comparison``."""
    found, record = bound_comparison(scenarios, own)
    number = run_id(record)
    with TemporaryDirectory() as folder, bearing_run_id(number):
        content = write_comparison(Path(folder) / "compare.xlsx", found).read_bytes()
    return f"{say('explorer.leave_comparison')}-{number}.xlsx", content
