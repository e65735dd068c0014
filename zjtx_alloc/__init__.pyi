from . import firms as firms
from .allocation.allocate import (
    Allocation as Allocation,
    allocate as allocate,
    decisions as decisions,
    quota_problem as quota_problem,
)
from .allocation.allocate_programme import allocate_programme as allocate_programme
from .allocation.compare import Comparison as Comparison, compare as compare
from .allocation.composite import Composite as Composite, compose as compose
from .allocation.entitlement import Entitlement as Entitlement, entitlement as entitlement
from .allocation.explain import explain as explain
from .allocation.explanation_text import Explanation as Explanation
from .allocation.fairness import (
    Fairness as Fairness,
    Paradoxes as Paradoxes,
    fairness as fairness,
    paradoxes as paradoxes,
)
from .allocation.plan import Replan as Replan, plan as plan, replan as replan
from .apportionment.apportion import Ties as Ties, apportion as apportion, apportion_ties as apportion_ties
from .apportionment.biproportional import Biproportional as Biproportional, biproportional as biproportional
from .apportionment.divisors import Divisors as Divisors, divisors as divisors
from .apportionment.priority_list import priority_list as priority_list
from .base.errors import (
    DataError as DataError,
    InfeasibleError as InfeasibleError,
    ReportError as ReportError,
    ScenarioError as ScenarioError,
    SolverError as SolverError,
    TableError as TableError,
    TieError as TieError,
    ZjtxError as ZjtxError,
)
from .budget.affordable import (
    AffordableTotal as AffordableTotal,
    affordable_frontier as affordable_frontier,
    affordable_total as affordable_total,
)
from .budget.distribution import BudgetDistribution as BudgetDistribution
from .budget.expected import expected_cohorts as expected_cohorts
from .budget.forecast import BudgetOutlook as BudgetOutlook, forecast_budget as forecast_budget
from .budget.joint import joint_ranges as joint_ranges
from .budget.ledger.bridge import bridge as bridge
from .budget.ledger.budget import BudgetForecast as BudgetForecast
from .budget.ledger.calendar import calendar as calendar
from .budget.ledger.cohorts import Cohort as Cohort, cohorts as cohorts, tails as tails
from .budget.ledger.ledger import Ledger as Ledger, ledger as ledger
from .budget.ledger.reconcile import reconcile as reconcile
from .budget.outcomes import (
    OutcomeAssumption as OutcomeAssumption,
    load_outcomes as load_outcomes,
    outcome_evidence as outcome_evidence,
)
from .budget.plan import BudgetPlan as BudgetPlan, BudgetRequest as BudgetRequest, plan_budget as plan_budget
from .facts.nowcast import Nowcast as Nowcast, nowcast as nowcast
from .facts.panel import Panel as Panel, load_panel as load_panel
from .firms.steps.changes import check_change as check_change
from .quota.all_optimal import Optima as Optima, all_optimal as all_optimal
from .quota.diagnose import Conflict as Conflict, Diagnosis as Diagnosis, Relaxation as Relaxation, diagnose as diagnose
from .quota.many.solve_many import solve_many as solve_many
from .quota.problem.criteria import Criterion as Criterion, Minimax as Minimax, Shape as Shape
from .quota.problem.problem import Group as Group, QuotaProblem as QuotaProblem, Rule as Rule
from .quota.problem.signposts import power_mean as power_mean, stationary as stationary
from .quota.solve import Solution as Solution, solve as solve
from .quota.verify import Certificate as Certificate, verify as verify
from .report.documents.template import write_template as write_template
from .report.results import Results as Results
from .report.runs.budget_run import BudgetRun as BudgetRun, run_budget as run_budget
from .report.runs.compare_run import ComparisonRun as ComparisonRun, run_comparison as run_comparison
from .report.runs.run import Run as Run, run as run
from .report.runs.verify_run import verify_run as verify_run
from .rules.award import Award as Award, load_award as load_award
from .rules.check_table import TableCheck as TableCheck, check_table as check_table
from .rules.programme.programme import Batch as Batch, Programme as Programme, load_programme as load_programme
from .rules.scenario import Scenario as Scenario
from .rules.scenario_files import (
    load_scenario as load_scenario,
    save_scenario as save_scenario,
    scenario_names as scenario_names,
)
from .uncertainty.fit_weights import (
    WeightFit as WeightFit,
    fit_weights as fit_weights,
    fitted_scenario as fitted_scenario,
)
from .uncertainty.known_counts import known_counts as known_counts
from .uncertainty.robust import Robust as Robust, robust as robust
from .uncertainty.sweep import Sweep as Sweep, sweep as sweep, sweep_on_cluster as sweep_on_cluster
from .uncertainty.weight_range import WeightRange as WeightRange, weight_range as weight_range
