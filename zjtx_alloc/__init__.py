"""zjtx_alloc: quotas, budgets and reports for 财建〔2024〕148号 (support of 专精特新“小巨人” firms)."""

from zjtx_alloc.allocation import Allocation, allocate, allocate_programme, decisions, quota_problem
from zjtx_alloc.budget.accounts import BudgetForecast
from zjtx_alloc.budget.actuals import reconcile
from zjtx_alloc.budget.affordable import AffordableTotal, affordable_frontier, affordable_total
from zjtx_alloc.budget.batches import Cohort, cohorts, tails
from zjtx_alloc.budget.books import Ledger, ledger
from zjtx_alloc.budget.deadlines import calendar
from zjtx_alloc.budget.distribution import BudgetDistribution
from zjtx_alloc.budget.expected import expected_cohorts
from zjtx_alloc.budget.forecast import BudgetOutlook, forecast_budget
from zjtx_alloc.budget.outcomes import OutcomeAssumption, load_outcomes, outcome_evidence
from zjtx_alloc.budget.plan import BudgetPlan, BudgetRequest, plan_budget
from zjtx_alloc.budget.steps import bridge
from zjtx_alloc.checking import TableCheck, check_table
from zjtx_alloc.errors import DataError, InfeasibleError, ReportError, ScenarioError, SolverError, TableError, ZjtxError
from zjtx_alloc.factors import Entitlement, entitlement
from zjtx_alloc.panel import Panel, load_panel
from zjtx_alloc.policy import Award, load_award
from zjtx_alloc.quota.engines import Solution, solve
from zjtx_alloc.quota.problem import Group, QuotaProblem, Rule
from zjtx_alloc.report.budget_run import BudgetRun, run_budget
from zjtx_alloc.report.runs import Run, run
from zjtx_alloc.report.template import write_template
from zjtx_alloc.scenario import Scenario
from zjtx_alloc.scenario_files import load_scenario, save_scenario, scenario_names

__all__ = [
    "AffordableTotal",
    "Allocation",
    "Award",
    "BudgetDistribution",
    "BudgetForecast",
    "BudgetOutlook",
    "BudgetPlan",
    "BudgetRequest",
    "BudgetRun",
    "Cohort",
    "DataError",
    "Entitlement",
    "Group",
    "InfeasibleError",
    "Ledger",
    "OutcomeAssumption",
    "Panel",
    "QuotaProblem",
    "ReportError",
    "Rule",
    "Run",
    "Scenario",
    "ScenarioError",
    "Solution",
    "SolverError",
    "TableCheck",
    "TableError",
    "ZjtxError",
    "affordable_frontier",
    "affordable_total",
    "allocate",
    "allocate_programme",
    "bridge",
    "calendar",
    "check_table",
    "cohorts",
    "decisions",
    "entitlement",
    "expected_cohorts",
    "forecast_budget",
    "ledger",
    "load_award",
    "load_outcomes",
    "load_panel",
    "load_scenario",
    "outcome_evidence",
    "plan_budget",
    "quota_problem",
    "reconcile",
    "run",
    "run_budget",
    "save_scenario",
    "scenario_names",
    "solve",
    "tails",
    "write_template",
]
