"""One comparison: several scenarios to a folder with page, workbook and table, bound to their inputs."""

import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tqdm import tqdm

from zjtx_alloc.allocation.compare import Comparison, compare
from zjtx_alloc.base.files import SEAL, check_free, folder_for, install, write_csv
from zjtx_alloc.base.messages import say
from zjtx_alloc.facts.panel import Panel, load_panel
from zjtx_alloc.report.runs.index import write_index
from zjtx_alloc.report.runs.records import ENVIRONMENT, FACTS, facts_file, run_id, run_record, write_records
from zjtx_alloc.report.tables import compare as tables
from zjtx_alloc.report.writers.xlsx import write_workbook
from zjtx_alloc.rules.scenario import Scenario
from zjtx_alloc.rules.scenario_files import load_scenario, save_bundle

FOLDER = "compare"
BOUND, DRAWN = ("compare.csv",), ("compare.xlsx", "compare.html")


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
    from zjtx_alloc.report.runs.notebooks import PageOrder, write_page  # noqa: PLC0415 - a second other uses need not pay

    loaded = (one if isinstance(one, Scenario) else load_scenario(one) for one in scenarios)
    asked = [scenario.model_copy(update={"budget_with": []}) for scenario in loaded]  # companions play no part
    found = compare(asked, load_panel() if panel is None else panel)
    names = [scenario.name for scenario in asked]
    record = run_record("compare", found.allocations, panel) | {"asked": names}
    number, label, folder = run_id(record), "、".join(names), folder_for(out, FOLDER)
    check_free(folder / name for name in (*BOUND, *DRAWN, ENVIRONMENT, SEAL))
    with tempfile.TemporaryDirectory() as name, tqdm(total=3, leave=False) as bar:
        work, drafts = Path(name), Path(name) / "drafts"
        told = {"scenarios": _saved(asked, work), "data": facts_file(panel, drafts)}
        with ThreadPoolExecutor(max_workers=1) as pool:  # the kernel works while this process writes the rest
            page = pool.submit(write_page, PageOrder("compare", told, drafts / "compare.html", label, number), work)
            heading = say("compare.heading", names=label)
            for written in (
                partial(write_csv, drafts / "compare.csv", tables.comparison_csv(found)),
                partial(write_workbook, drafts / "compare.xlsx", _sheets(found), heading, number),
                page.result,
            ):
                bar.set_description(say("run.wrote", file=written().name))
                bar.update()
        write_records(drafts, record, BOUND if panel is None else (*BOUND, FACTS), DRAWN)
        install(drafts, folder, stale=(FACTS,))
    write_index(Path(out))
    return ComparisonRun(folder, found)


def _saved(scenarios: list[Scenario], work: Path) -> list[str]:
    """The scenarios as files of their own, since they may exist in memory only."""
    files = []
    for number, scenario in enumerate(scenarios):
        (folder := work / str(number)).mkdir()
        files.append(str(save_bundle(scenario, folder)))
    return files


def _sheets(found: Comparison) -> list[tables.Table]:
    return [
        tables.scenario_table(found),
        tables.setting_table(found),
        tables.region_table(found),
        tables.unit_table(found),
        tables.distance_table(found),
        tables.fairness_table(found),
        tables.year_table(found),
    ]
