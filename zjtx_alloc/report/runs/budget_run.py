"""One budget: scenarios of several batches to a folder with page, workbook, paper and tables, bound to their inputs."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from zjtx_alloc.base.errors import ReportError
from zjtx_alloc.base.files import write_csv, write_whole
from zjtx_alloc.base.messages import say
from zjtx_alloc.base.resources import shipped
from zjtx_alloc.budget.outcomes import outcome_names
from zjtx_alloc.budget.plan import BudgetPlan, BudgetRequest, plan_budget, scenario_of
from zjtx_alloc.facts.panel import Panel
from zjtx_alloc.report.budget_xlsx.write import write_budget_workbook
from zjtx_alloc.report.documents.budget_paper import budget_paper
from zjtx_alloc.report.runs.records import bytes_digest, file_digest, run_record, scenarios_record
from zjtx_alloc.report.runs.scaffold import Draft, Job, drafted, report_folder
from zjtx_alloc.report.table import plan_csv, plan_csv_shown
from zjtx_alloc.report.writers.docx import docx_file

FOLDER = "budget"
ACTUALS = "actuals-as-given"  # kept with the run under their own ending
_STALE = (f"{ACTUALS}.csv", f"{ACTUALS}.xlsx")
CSV_SHOWN = "资金分年表.csv"
BOUND, DRAWN = ("budget.csv", CSV_SHOWN), ("budget.xlsx", "budget.docx", "budget.html")


@dataclass(frozen=True)
class BudgetRun:
    """A finished budget."""

    #: ``out/budget``, with budget.csv and 资金分年表.csv (every assumption, whole 万元; in code and for people),
    #: budget.xlsx (recalculates), budget.html, budget.docx (预算测算说明), run.json and environment.json.
    folder: Path
    plan: BudgetPlan
    reconciliation: pd.DataFrame | None  #: As ``za.reconcile``, against the ledger of the first assumption.


def run_budget(
    request: BudgetRequest, out: str | Path = "reports", panel: Panel | None = None, actuals: str | Path | None = None
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
        Actual transfers, in the place of those that the request has.

    Raises
    ------
    DataError, ScenarioError, InfeasibleError, SolverError, ReportError
        Before anything is written.
    """
    if actuals is not None:
        request = replace(request, transfers=actuals)
    given = request.transfers
    if isinstance(given, str | Path) and _is_same(given, Path(out) / FOLDER / DRAWN[0]):
        raise ReportError(say("budget_plan.own_actuals", file=given))
    plan = plan_budget(request, panel)
    label, kept = "、".join(a.scenario.name for a in plan.allocations), _kept(given)
    job = Job(report_folder(out, FOLDER), _record(plan, panel, kept), label, BOUND, DRAWN, _STALE)
    with drafted(job, panel) as draft:
        for name, content in kept.items():
            draft.keep(name, content)
        transfers = "".join(str(draft.folder / name) for name in kept)
        draft.page("budget", _parameters(request, draft) | {"actuals": transfers})
        draft.wrote(write_csv(draft.folder / "budget.csv", plan_csv(plan)))
        draft.wrote(write_csv(draft.folder / CSV_SHOWN, plan_csv_shown(plan)))
        draft.wrote(write_whole(draft.folder / "budget.docx", docx_file(budget_paper(plan))))
        draft.wrote(write_budget_workbook(draft.folder / "budget.xlsx", plan))
    return BudgetRun(job.folder, plan, plan.reconciliation)


def _kept(transfers: str | Path | pd.DataFrame | None) -> dict[str, bytes]:
    """Actual transfers as a file to be kept with the run, by its name; empty if there are none."""
    if transfers is None:
        return {}
    if isinstance(transfers, pd.DataFrame):
        return {f"{ACTUALS}.csv": transfers.to_csv(index=False, lineterminator="\n").encode("utf-8-sig")}
    return {f"{ACTUALS}{Path(transfers).suffix}": Path(transfers).read_bytes()}


def _is_same(one: str | Path, other: Path) -> bool:
    """Whether two paths lead to one file, whether it is there or not."""
    try:
        return Path(one).absolute() == other.absolute() or Path(one).samefile(other)
    except (OSError, ValueError):  # one that leads nowhere
        return False


def _parameters(request: BudgetRequest, draft: Draft) -> dict[str, Any]:
    """The notebook's parameters."""
    outcomes = [str(o) if o in outcome_names() else str(Path(o).resolve()) for o in request.outcomes]
    return {
        "scenarios": [draft.saved(scenario_of(one)) for one in request.scenarios],
        "before": [draft.saved(scenario_of(one)) for one in request.before],
        "outcomes": outcomes,
        "ceilings": {str(year): int(money) for year, money in request.ceilings.items()},
        "confidence": request.confidence,
        "horizon": request.horizon,
        "tail_payment": request.tail_payment,
        "tail_rate": request.tail_rate,
        "as_of": "" if request.as_of is None else request.as_of.isoformat(),
    }


def _record(plan: BudgetPlan, panel: Panel | None, kept: Mapping[str, bytes]) -> dict[str, Any]:
    """As a report's record, and what else was asked for."""
    record, request = run_record("budget", plan.allocations, panel), plan.request
    for name in ("policy/deadlines.csv", "policy/approvals.csv", "outcomes/evidence.csv"):
        record["inputs"][f"data/{name}"] = file_digest(shipped("data", *name.split("/")))
    if kept:
        record["inputs"]["actuals"] = bytes_digest(*kept.values())
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
        "as_of": None if request.as_of is None else request.as_of.isoformat(),
        "before": scenarios_record(before),
        "asked_before": [scenario.name for scenario in before],
        "asked_outcomes": [assumption.name for assumption in plan.assumptions],
    }
