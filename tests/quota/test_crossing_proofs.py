"""Where rules cross, answers are proven without the solver's word: by prices, or by cases that prices settle."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from quota.test_quota_milp import milp_quota
from support.crossing_problems import crossing_problem

import zjtx_alloc as za


def proven(problem):
    """The solution, verified anew from its certificate; None where the rules clash."""
    try:
        solution = za.solve(problem)
    except za.InfeasibleError:
        return None
    assert za.verify(problem, solution.quota, solution.certificate) == solution.certificate
    return solution


@pytest.mark.thorough
@pytest.mark.parametrize("part", range(4))
def test_random_problems_are_all_proven_and_as_another_solver_has_them(part):
    kinds = []
    for seed in range(15 * part, 15 * part + 15):
        problem = crossing_problem(seed)
        solution = proven(problem)
        kinds.append(solution and solution.certificate.kind)
        if problem.criterion in ("webster", "hamilton"):
            _, cost = milp_quota(problem)
            if problem.criterion == "hamilton":
                cost += float((problem.entitlement**2).sum())
            assert (solution.cost if solution else np.inf) == pytest.approx(cost, abs=2e-6, rel=1e-9)
    assert set(kinds) <= {"dual", "cases", "minimax", None}
    assert kinds.count("cases") >= 3


def test_a_proof_by_cases_that_lacks_a_case_or_is_of_another_answer_is_refused():
    problem = next(p for p in map(crossing_problem, range(5, 30)) if p.criterion == "hamilton")
    solution = za.solve(problem)
    proof = solution.certificate
    assert proof.kind == "cases"
    ends = [i for i, case in enumerate(proof.cases) if case.split is None and case.prices]
    unproven = pytest.raises(za.SolverError, match="未能证明为最优")
    with unproven:
        za.verify(problem, solution.quota, replace(proof, cases=proof.cases[: ends[0]]))
    with unproven:
        za.verify(problem, solution.quota, replace(proof, cases=()))
    blank = replace(proof.cases[ends[0]], prices=(0.0,) * (1 + len(problem.rows)))
    with unproven:
        za.verify(
            problem, solution.quota, replace(proof, cases=(*proof.cases[: ends[0]], blank, *proof.cases[ends[0] + 1 :]))
        )


def test_a_level_where_rules_cross_is_proven_too():
    """Under minimax the cases below the level leave nothing; without them nothing is proven."""
    due = {"A": 2.5, "B": 2.5, "C": 2.5, "D": 2.5}
    groups = (za.Group("ab", ("A", "B"), 7), za.Group("bc", ("B", "C"), 6))
    problem = za.QuotaProblem(10, pd.Series(due), groups=groups, criterion="minimax")
    solution = za.solve(problem)
    # A + B ≥ 7 lifts one of them to 3.5 or beyond: to whole places 4, 1.5 above its entitlement.
    assert float(solution.certificate.level) == 1.5
    assert solution.certificate.kind == "minimax"
    assert za.verify(problem, solution.quota, solution.certificate) == solution.certificate
    with pytest.raises(za.SolverError, match="并非最小"):
        za.verify(problem, solution.quota, replace(solution.certificate, below=()))


@pytest.mark.slow
def test_a_weighted_rule_over_a_thousand_units_has_an_answer():
    rng = np.random.default_rng(0)
    labels = [f"u{i:04}" for i in range(1000)]
    due = rng.lognormal(0, 1, 1000)
    due = pd.Series(np.round(due / due.sum() * 20_000, 3), labels)
    weights = {label: round(float(w), 2) for label, w in zip(labels, rng.uniform(0.1, 2, 1000), strict=True)}
    least = round(1.03 * sum(weights[label] * places for label, places in due.items()), 2)
    solution = proven(za.QuotaProblem(20_000, due, rules=(za.Rule("加权", weights, lower=least),)))
    assert solution.certificate.kind == "cases"
