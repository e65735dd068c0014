"""One budget: scenarios of several batches to a folder with page, workbook and table, bound to their inputs."""

import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
from tqdm import tqdm

from zjtx_alloc.base.errors import ReportError
from zjtx_alloc.base.files import check_free, folder_for, install, write_csv, write_whole
from zjtx_alloc.base.messages import say
from zjtx_alloc.base.resources import shipped
from zjtx_alloc.budget.ledger.reconcile import reconcile
from zjtx_alloc.budget.outcomes import outcome_names
from zjtx_alloc.budget.plan import BudgetPlan, BudgetRequest, plan_budget, scenario_of
from zjtx_alloc.facts.panel import Panel, load_panel
from zjtx_alloc.report.budget_xlsx.write import write_budget_workbook
from zjtx_alloc.report.runs.index import write_index
from zjtx_alloc.report.runs.records import (
    FACTS,
    facts_file,
    file_digest,
    run_id,
    run_record,
    scenarios_record,
    write_records,
)
from zjtx_alloc.report.table import plan_csv
from zjtx_alloc.rules.scenario_files import save_bundle

FOLDER = "budget"
ACTUALS = "actuals-as-given"  # kept with the run under their own ending
_KEPT = (FACTS, f"{ACTUALS}.csv", f"{ACTUALS}.xlsx")
OUTPUTS = ("budget.csv", "budget.xlsx", "budget.html", "environment.json", "run.json")  # run.json seals the set


@dataclass(frozen=True)
class BudgetRun:
    """A finished budget.

    Attributes
    ----------
    folder : Path
        ``out/budget``, with budget.csv (every assumption, whole 万元), budget.xlsx (recalculates), budget.html,
        run.json and environment.json.
    plan : BudgetPlan
    reconciliation : DataFrame, optional
        As ``za.reconcile``, against the ledger of the first assumption.
    """

    folder: Path
    plan: BudgetPlan
    reconciliation: pd.DataFrame | None


def run_budget(
    request: BudgetRequest,
    out: str | Path = "reports",
    panel: Panel | None = None,
    actuals: str | Path | None = None,
) -> BudgetRun:
    """Compute a budget and write its report to ``out/budget/``.

    Parameters
    ----------
    request : BudgetRequest
    out : path
        Folder for the report's folder.
    panel : Panel, optional
        The shipped facts if not given.
    actuals : path, optional
        Actual transfers, held against the ledger of the first assumption.

    Raises
    ------
    DataError, ScenarioError, InfeasibleError, SolverError, ReportError
        Before anything is written.
    """
    from zjtx_alloc.report.runs.notebooks import PageOrder, write_page  # noqa: PLC0415 - a second that other uses need not pay

    if actuals is not None and _is_same(actuals, Path(out) / FOLDER / OUTPUTS[1]):
        raise ReportError(say("budget_plan.own_actuals", file=actuals))
    plan = plan_budget(request, load_panel() if panel is None else panel)
    found = None if actuals is None else reconcile(plan.budgets[0].ledger, actuals)
    record = _record(plan, panel, actuals)
    number, folder = run_id(record), folder_for(out, FOLDER)
    check_free(folder / name for name in OUTPUTS)
    with tempfile.TemporaryDirectory() as name, tqdm(total=3, leave=False) as bar:
        work = Path(name)
        drafts = work / "drafts"
        given = {"data": facts_file(panel, drafts), "actuals": "" if actuals is None else str(Path(actuals).resolve())}
        told = _parameters(request, work) | given
        label = "、".join(a.scenario.name for a in plan.allocations)
        with ThreadPoolExecutor(max_workers=1) as pool:  # the kernel works while this process writes the rest
            page = pool.submit(write_page, PageOrder("budget", told, drafts / "budget.html", label, number), work)
            for written in (
                partial(write_csv, drafts / "budget.csv", plan_csv(plan)),
                partial(write_budget_workbook, drafts / "budget.xlsx", plan, found, number),
                page.result,
            ):
                bar.set_description(say("run.wrote", file=written().name))
                bar.update()
        write_records(drafts, record, (OUTPUTS[0], *_kept(drafts, panel, actuals)), OUTPUTS[1:3])
        install(drafts, folder, stale=_KEPT)
    write_index(Path(out))
    return BudgetRun(folder, plan, found)


def _is_same(one: str | Path, other: Path) -> bool:
    """Whether two paths lead to one file, whether it is there or not."""
    try:
        return Path(one).absolute() == other.absolute() or Path(one).samefile(other)
    except (OSError, ValueError):  # one that leads nowhere
        return False


def _kept(folder: Path, panel: Panel | None, actuals: str | Path | None) -> list[str]:
    """What the user gave and the folder keeps, so that the run can be computed again."""
    names = [] if panel is None else [FACTS]
    if actuals is not None:
        content, kept = Path(actuals).read_bytes(), folder / f"{ACTUALS}{Path(actuals).suffix}"
        names.append(write_whole(kept, content).name)
    return names


def _parameters(request: BudgetRequest, work: Path) -> dict[str, Any]:
    """The notebook's parameters; scenarios as files of their own, since they may exist in memory only."""
    files: dict[str, list[str]] = {"scenarios": [], "before": []}
    for kind, named in (("scenarios", request.scenarios), ("before", request.before)):
        for number, one in enumerate(named):
            folder = work / f"{kind}-{number}"
            folder.mkdir()
            files[kind].append(str(save_bundle(scenario_of(one), folder)))
    outcomes = [str(o) if o in outcome_names() else str(Path(o).resolve()) for o in request.outcomes]
    return files | {
        "outcomes": outcomes,
        "ceilings": {str(year): int(money) for year, money in request.ceilings.items()},
        "confidence": request.confidence,
        "horizon": request.horizon,
        "tail_payment": request.tail_payment,
        "tail_rate": request.tail_rate,
    }


def _record(plan: BudgetPlan, panel: Panel | None, actuals: str | Path | None) -> dict[str, Any]:
    """As a report's record, and what else was asked for."""
    record, request = run_record("budget", plan.allocations, panel), plan.request
    for name in ("policy/deadlines.csv", "policy/approvals.csv", "outcomes/evidence.csv"):
        record["inputs"][f"data/{name}"] = file_digest(shipped("data", *name.split("/")))
    if actuals is not None:
        record["inputs"]["actuals"] = file_digest(Path(actuals))
    shipped_outcomes = [name for one in request.outcomes if (name := str(one)) in outcome_names()]
    record["inputs"] |= {
        f"data/outcomes/{name}.toml": file_digest(shipped("data", "outcomes", f"{name}.toml"))
        for name in shipped_outcomes
    }
    before = [scenario_of(one) for one in request.before]
    return record | {
        "outcomes": {assumption.name: assumption.model_dump() for assumption in plan.assumptions},
        "ceilings": {str(year): int(money) for year, money in request.ceilings.items()},
        "asked": [scenario_of(one).name for one in request.scenarios],
        "confidence": request.confidence,
        "horizon": request.horizon,
        "tails": {"payment": request.tail_payment, "rate": request.tail_rate},
        "before": scenarios_record(before),
        "asked_before": [scenario.name for scenario in before],
        "asked_outcomes": [assumption.name for assumption in plan.assumptions],
    }
