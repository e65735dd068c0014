"""zjtx_alloc: quotas, budgets and reports for 财建〔2024〕148号 (support of 专精特新“小巨人” firms)."""

from zjtx_alloc.allocation import Allocation, allocate, allocate_programme, decisions, quota_problem
from zjtx_alloc.budget.accounts import BudgetForecast, Cohort, cohorts, forecast_budget
from zjtx_alloc.comparison import Comparison, compare
from zjtx_alloc.errors import DataError, InfeasibleError, ReportError, ScenarioError, SolverError, ZjtxError
from zjtx_alloc.factors import Entitlement, entitlement
from zjtx_alloc.horizon import Plan, Replan, plan, replan
from zjtx_alloc.panel import Panel, load_panel
from zjtx_alloc.policy import Award, load_award
from zjtx_alloc.quota.engines import Solution, solve
from zjtx_alloc.quota.problem import Group, QuotaProblem, Rule
from zjtx_alloc.report.runs import Run, run
from zjtx_alloc.scenario import Scenario
from zjtx_alloc.scenario_files import load_scenario, save_scenario, scenario_names
from zjtx_alloc.uncertainty.backtest import WeightFit, fit_weights, fitted_scenario, known_counts
from zjtx_alloc.uncertainty.ranges import WeightRange, weight_range
from zjtx_alloc.uncertainty.regret import Robust, robust

__all__ = [
    "Allocation",
    "Award",
    "BudgetForecast",
    "Cohort",
    "Comparison",
    "DataError",
    "Entitlement",
    "Group",
    "InfeasibleError",
    "Panel",
    "Plan",
    "QuotaProblem",
    "Replan",
    "ReportError",
    "Robust",
    "Rule",
    "Run",
    "Scenario",
    "ScenarioError",
    "Solution",
    "SolverError",
    "WeightFit",
    "WeightRange",
    "ZjtxError",
    "allocate",
    "allocate_programme",
    "cohorts",
    "compare",
    "decisions",
    "entitlement",
    "fit_weights",
    "fitted_scenario",
    "forecast_budget",
    "known_counts",
    "load_award",
    "load_panel",
    "load_scenario",
    "plan",
    "quota_problem",
    "replan",
    "robust",
    "run",
    "save_scenario",
    "scenario_names",
    "solve",
    "weight_range",
]
