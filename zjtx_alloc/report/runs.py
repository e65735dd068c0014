"""One run: a scenario to its folder of files."""

from dataclasses import dataclass
from pathlib import Path

from zjtx_alloc.allocation import Allocation, allocate
from zjtx_alloc.budget.accounts import BudgetForecast, cohorts, forecast_budget
from zjtx_alloc.panel import Panel, load_panel
from zjtx_alloc.policy import load_award
from zjtx_alloc.report.tables import allocation_csv, budget_csv
from zjtx_alloc.scenario import Scenario, load_scenario


@dataclass(frozen=True)
class Run:
    """A finished run: its folder, what was computed, and the files written."""

    folder: Path
    allocation: Allocation
    budget: BudgetForecast
    files: tuple[Path, ...]


def run(scenario: Scenario | str | Path, out: str | Path = "reports", panel: Panel | None = None) -> Run:
    """Compute a scenario and write its report to ``out/<scenario>/``."""
    scenario = scenario if isinstance(scenario, Scenario) else load_scenario(scenario)
    panel = load_panel() if panel is None else panel
    allocation = allocate(panel, scenario)
    companions = [allocate(panel, scenario.companion(name)) for name in scenario.budget_with]
    budget = forecast_budget(cohorts(allocation, *companions), load_award(scenario.award))
    folder = Path(out) / scenario.name
    files = (
        write_csv(folder / "allocation.csv", allocation_csv(allocation)),
        write_csv(folder / "budget.csv", budget_csv(budget)),
    )
    return Run(folder, allocation, budget, files)


def write_csv(path: Path, text: str) -> Path:
    """Write text as UTF-8 with BOM, which Chinese Excel needs, and plain newlines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8-sig", newline="\n")
    return path
