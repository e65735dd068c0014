"""One comparison: several scenarios to a folder with page, workbook and table, bound to their inputs."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zjtx_alloc.allocation.compare import Comparison, compare
from zjtx_alloc.base.files import write_csv
from zjtx_alloc.base.messages import say
from zjtx_alloc.budget.plan import scenario_of
from zjtx_alloc.facts.panel import Panel, load_panel
from zjtx_alloc.report.results import money_by_year
from zjtx_alloc.report.runs.records import run_record
from zjtx_alloc.report.runs.scaffold import Job, drafted, report_folder
from zjtx_alloc.report.tables import compare as tables
from zjtx_alloc.report.writers.xlsx import write_workbook
from zjtx_alloc.rules.scenario import Scenario

FOLDER = "compare"


@dataclass(frozen=True)
class ComparisonRun:
    """A finished comparison."""

    folder: Path  #: ``out/compare``, with compare.html, compare.xlsx, compare.csv, run.json and environment.json.
    comparison: Comparison


def run_comparison(
    scenarios: Sequence[Scenario | str | Path], out: str | Path = "reports", panel: Panel | None = None
) -> ComparisonRun:
    """Compare scenarios and write the report to ``out/compare/``.

    Parameters
    ----------
    scenarios : sequence of Scenario, name or path
        At least two, of different names; the first is what the others are compared with.
    out : path
        Folder for the report's folder.
    panel : Panel, optional
        The shipped facts if not given.

    Raises
    ------
    DataError, ScenarioError, InfeasibleError, SolverError
        Before anything is written.
    """
    found, record = bound_comparison([scenario_of(one) for one in scenarios], panel)
    label = "、".join(record["asked"])
    job = Job(report_folder(out, FOLDER), record, label, ("compare.csv",), ("compare.xlsx", "compare.html"))
    with drafted(job, panel) as draft:
        draft.page("compare", {"scenarios": [draft.saved(one.scenario) for one in found.allocations]})
        draft.wrote(write_csv(draft.folder / "compare.csv", tables.comparison_csv(found)))
        draft.wrote(write_comparison(draft.folder / "compare.xlsx", found))
    return ComparisonRun(job.folder, found)


def bound_comparison(scenarios: Sequence[Scenario], panel: Panel | None) -> tuple[Comparison, dict[str, Any]]:
    """A comparison and what binds it to its inputs; raises as ``run_comparison``."""
    asked = [scenario.model_copy(update={"budget_with": []}) for scenario in scenarios]  # companions play no part
    found = compare(asked, load_panel() if panel is None else panel)
    names = [scenario.name for scenario in asked]
    return found, run_record("compare", found.allocations, panel) | {"asked": names}


def write_comparison(path: Path, found: Comparison) -> Path:
    """Write the workbook of a comparison."""
    heading = say("compare.heading", names="、".join(found.quota.columns))
    return write_workbook(path, comparison_sheets(found), heading)


def comparison_sheets(found: Comparison) -> list[tables.Table]:
    """The tables of a comparison's workbook."""
    return [
        tables.scenario_table(found),
        tables.setting_table(found),
        tables.region_table(found),
        tables.unit_table(found),
        tables.distance_table(found),
        tables.fairness_table(found),
        tables.year_table(found, money_by_year(found)),
    ]
