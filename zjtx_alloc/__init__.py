"""zjtx_alloc: quotas, budgets and reports for 财建〔2024〕148号 (support of 专精特新“小巨人” firms)."""

from zjtx_alloc import firms
from zjtx_alloc.allocation.allocate import Allocation, allocate, allocate_programme, decisions, quota_problem
from zjtx_alloc.allocation.compare import Comparison, compare
from zjtx_alloc.allocation.composite import Composite, compose
from zjtx_alloc.allocation.entitlement import Entitlement, entitlement
from zjtx_alloc.allocation.explain import explain
from zjtx_alloc.allocation.explanation_text import Explanation
from zjtx_alloc.allocation.fairness import Fairness, Paradoxes, fairness, paradoxes
from zjtx_alloc.allocation.plan import Plan, Replan, plan, replan
from zjtx_alloc.apportionment.apportion import Ties, apportion, apportion_ties
from zjtx_alloc.apportionment.biproportional import Biproportional, biproportional
from zjtx_alloc.apportionment.priority_list import priority_list
from zjtx_alloc.base.errors import (
    DataError,
    InfeasibleError,
    ReportError,
    ScenarioError,
    SolverError,
    TableError,
    TieError,
    ZjtxError,
)
from zjtx_alloc.budget.affordable import AffordableTotal, affordable_frontier, affordable_total
from zjtx_alloc.budget.distribution import BudgetDistribution
from zjtx_alloc.budget.expected import expected_cohorts
from zjtx_alloc.budget.forecast import BudgetOutlook, forecast_budget
from zjtx_alloc.budget.ledger.bridge import bridge
from zjtx_alloc.budget.ledger.budget import BudgetForecast
from zjtx_alloc.budget.ledger.calendar import calendar
from zjtx_alloc.budget.ledger.cohorts import Cohort, cohorts, tails
from zjtx_alloc.budget.ledger.ledger import Ledger, ledger
from zjtx_alloc.budget.ledger.reconcile import reconcile
from zjtx_alloc.budget.outcomes import OutcomeAssumption, load_outcomes, outcome_evidence
from zjtx_alloc.budget.plan import BudgetPlan, BudgetRequest, plan_budget
from zjtx_alloc.facts.panel import Panel, load_panel
from zjtx_alloc.firms.steps.changes import check_change
from zjtx_alloc.quota.diagnose import Conflict, Diagnosis, Relaxation, diagnose
from zjtx_alloc.quota.many.solve_many import solve_many
from zjtx_alloc.quota.problem.criteria import Criterion, Minimax, Shape
from zjtx_alloc.quota.problem.problem import Group, QuotaProblem, Rule
from zjtx_alloc.quota.problem.signposts import power_mean, stationary
from zjtx_alloc.quota.solve import Solution, solve
from zjtx_alloc.quota.verify import Certificate, verify
from zjtx_alloc.report.documents.template import write_template
from zjtx_alloc.report.runs.budget_run import BudgetRun, run_budget
from zjtx_alloc.report.runs.compare_run import ComparisonRun, run_comparison
from zjtx_alloc.report.runs.run import Run, run
from zjtx_alloc.report.runs.verify_run import verify_run
from zjtx_alloc.rules.award import Award, load_award
from zjtx_alloc.rules.check_table import TableCheck, check_table
from zjtx_alloc.rules.scenario import Scenario
from zjtx_alloc.rules.scenario_files import load_scenario, save_scenario, scenario_names
from zjtx_alloc.uncertainty.fit_weights import WeightFit, fit_weights, fitted_scenario, known_counts
from zjtx_alloc.uncertainty.robust import Robust, robust
from zjtx_alloc.uncertainty.sweep import Sweep, sweep, sweep_on_cluster
from zjtx_alloc.uncertainty.weight_range import WeightRange, weight_range

__all__ = [
    "AffordableTotal",
    "Allocation",
    "Award",
    "Biproportional",
    "BudgetDistribution",
    "BudgetForecast",
    "BudgetOutlook",
    "BudgetPlan",
    "BudgetRequest",
    "BudgetRun",
    "Certificate",
    "Cohort",
    "Comparison",
    "ComparisonRun",
    "Composite",
    "Conflict",
    "Criterion",
    "DataError",
    "Diagnosis",
    "Entitlement",
    "Explanation",
    "Fairness",
    "Group",
    "InfeasibleError",
    "Ledger",
    "Minimax",
    "OutcomeAssumption",
    "Panel",
    "Paradoxes",
    "Plan",
    "QuotaProblem",
    "Relaxation",
    "Replan",
    "ReportError",
    "Robust",
    "Rule",
    "Run",
    "Scenario",
    "ScenarioError",
    "Shape",
    "Solution",
    "SolverError",
    "Sweep",
    "TableCheck",
    "TableError",
    "TieError",
    "Ties",
    "WeightFit",
    "WeightRange",
    "ZjtxError",
    "affordable_frontier",
    "affordable_total",
    "allocate",
    "allocate_programme",
    "apportion",
    "apportion_ties",
    "biproportional",
    "bridge",
    "calendar",
    "check_change",
    "check_table",
    "cohorts",
    "compare",
    "compose",
    "decisions",
    "diagnose",
    "entitlement",
    "expected_cohorts",
    "explain",
    "fairness",
    "firms",
    "fit_weights",
    "fitted_scenario",
    "forecast_budget",
    "known_counts",
    "ledger",
    "load_award",
    "load_outcomes",
    "load_panel",
    "load_scenario",
    "outcome_evidence",
    "paradoxes",
    "plan",
    "plan_budget",
    "power_mean",
    "priority_list",
    "quota_problem",
    "reconcile",
    "replan",
    "robust",
    "run",
    "run_budget",
    "run_comparison",
    "save_scenario",
    "scenario_names",
    "solve",
    "solve_many",
    "stationary",
    "sweep",
    "sweep_on_cluster",
    "tails",
    "verify",
    "verify_run",
    "weight_range",
    "write_template",
]
