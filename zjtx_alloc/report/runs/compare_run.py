"""One comparison: several scenarios to a folder with page, workbook and table, bound to their inputs."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

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
    """A finished comparison.

    Attributes
    ----------
    folder : Path
        ``out/compare``, with compare.html, compare.xlsx, compare.csv, run.json and environment.json.
    comparison : Comparison
    """

    folder: Path
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
    asked = [scenario_of(one).model_copy(update={"budget_with": []}) for one in scenarios]  # companions play no part
    found = compare(asked, load_panel() if panel is None else panel)
    names = [scenario.name for scenario in asked]
    record = run_record("compare", found.allocations, panel) | {"asked": names}
    job = Job(report_folder(out, FOLDER), record, "、".join(names), ("compare.csv",), ("compare.xlsx", "compare.html"))
    with drafted(job, panel) as draft:
        draft.page("compare", {"scenarios": [draft.saved(scenario) for scenario in asked]})
        draft.wrote(write_csv(draft.folder / "compare.csv", tables.comparison_csv(found)))
        heading = say("compare.heading", names=job.label)
        draft.wrote(write_workbook(draft.folder / "compare.xlsx", _sheets(found), heading))
    return ComparisonRun(job.folder, found)


def _sheets(found: Comparison) -> list[tables.Table]:
    return [
        tables.scenario_table(found),
        tables.setting_table(found),
        tables.region_table(found),
        tables.unit_table(found),
        tables.distance_table(found),
        tables.fairness_table(found),
        tables.year_table(found, money_by_year(found)),
    ]
