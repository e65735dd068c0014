"""Where rules cross, answers are proven without the solver's word: by prices, or by cases that prices settle."""

from dataclasses import replace
from fractions import Fraction
from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from quota.test_quota_milp import milp_quota
from support.crossing_problems import crossing_problem

import zjtx_alloc as za
from zjtx_alloc.quota.crossing.cases import Case, Ladders, prove


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
    # Prices of zero say only what the places of a box cost by themselves, which is not enough at every end.
    blank = (0.0,) * (1 + len(problem.rows))
    with unproven:
        za.verify(
            problem,
            solution.quota,
            replace(
                proof, cases=tuple(replace(c, prices=blank) if i in ends else c for i, c in enumerate(proof.cases))
            ),
        )


@pytest.mark.thorough
def test_what_a_search_learns_it_keeps_for_the_next():
    """Its optimum lies just above a cost that is tried: searched from nothing, 20,000 cases did not settle it, some hundreds do."""
    assert 0 < len(proven(crossing_problem(199)).certificate.cases) < 2000


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


@pytest.mark.parametrize(
    "forged",
    [
        {"split": (0, 2.5)},  # 3 places would lie in neither half
        {"split": (-1, 2)},
        {"split": (4, 2)},
        {"prices": (float("nan"), 0.0, 0.0)},
        {"prices": (0.0,)},
    ],
)
def test_a_malformed_case_proves_nothing(forged):
    """No forged case proves a level of 1.5 places, nor does the check stumble over it."""
    due = pd.Series(dict.fromkeys("ABCD", 2.5))
    groups = (za.Group("ab", ("A", "B"), 7), za.Group("bc", ("B", "C"), 6))
    problem = za.QuotaProblem(10, due, groups=groups, criterion="minimax")
    solution = za.solve(problem)
    proof = solution.certificate
    root = replace(proof.below[0], **{"split": None, **forged})
    for below in ((root,), (root, *proof.below), ("a case",)):
        with pytest.raises(za.SolverError, match="并非最小"):
            za.verify(problem, solution.quota, replace(proof, below=below))


def test_places_between_the_halves_of_a_split_are_not_forgotten():
    """Each half of a split at 2.5 places leaves nothing of 2A = 6: that 3 places would do must not go unseen."""
    due = pd.Series({"A": 3.0, "B": 3.0})
    problem = za.QuotaProblem(6, due, rules=(za.Rule("twice", {"A": 2}, 6, 6),), criterion="minimax")
    ladders = Ladders(problem, ([0, 0], [6, 6]), priced=False)
    zero, above, below = ((0.0, price) for price in (0.0, 1.0, -1.0))
    cases = (Case(zero, (0, 2.5)), Case(above, empty=True), Case(below, empty=True))
    assert not prove(ladders, cases, 1)
    honest = (Case(zero, (0, 2)), Case(above, empty=True), Case(zero, (0, 3)), Case(zero), Case(below, empty=True))
    assert not prove(ladders, honest, 1)


def test_rules_in_large_numbers_have_the_answer_of_all_answers_tried():
    """Weights of nine digits as of amounts in yuan: HiGHS alone gives up on the boxes of these."""
    third = Fraction(8, 3)
    groups = (za.Group("ab", ("A", "B"), 0, 5), za.Group("a", ("A",), 0, 4))
    rules = (za.Rule("yuan", {"A": 198376752, "B": 194523847}, 396753504, 1003861509),)
    bounds = pd.Series({"A": 2, "B": 0, "C": 2}), pd.Series({"A": 8, "B": 6, "C": 8})
    due = pd.Series(dict.fromkeys("ABC", third))
    solution = proven(za.QuotaProblem(8, due, *bounds, groups, rules, criterion="dean"))
    assert solution.quota.tolist() == [3, 2, 3]
    exactly_nine = (za.Rule("yuan", {"B": 438746721}, 9 * 438746721, 9 * 438746721),)
    lone = za.QuotaProblem(23, pd.Series({"A": 1e11, "B": 1.0}), rules=exactly_nine, criterion="huntington-hill")
    assert proven(lone).quota.tolist() == [14, 9]


def test_places_that_the_solver_rounds_over_a_rule_are_no_answer():
    """500,000 + 1 − 2 × 10^11 is what the rule asks for, to the last unit, which the solver's tolerance is above."""
    due = pd.Series(dict(zip("ABCDEF", (Fraction(9 * w, 76) for w in (8, 5, 18, 20, 11, 14)), strict=True)))
    groups = (za.Group("abc", ("A", "B", "C"), 4, 6),)
    rules = (za.Rule("r", {"C": -100_000, "E": 0.5, "F": 0.000001}, -199999.499999, -199999.499999),)
    bounds = pd.Series([2, 0, 2, 0, 0, 0], due.index), pd.Series([9, 1, 9, 6, 9, 9], due.index)
    solution = proven(za.QuotaProblem(9, due, *bounds, groups, rules, criterion="jefferson"))
    assert solution.quota.tolist() == [2, 0, 2, 3, 1, 1]


def test_infeasible_is_said_only_where_cases_prove_it():
    """Costs of 10^22 lead HiGHS to say infeasible; in truth only first places for all are impossible."""
    due = pd.Series({"A": 0.001, "B": 1e11, "C": 1e-9, "D": 1e11, "E": 1.0})
    rules = (
        za.Rule("one", {"C": 1, "E": 1}, 1, 1),
        za.Rule("yuan", {"A": 829982686, "C": 408226940, "D": 203270979, "E": 565612975}, 1367683748, 6021280740),
    )
    problem = za.QuotaProblem(3, due, rules=rules, criterion="huntington-hill")
    with pytest.raises(za.ScenarioError):
        za.solve(problem)
    assert proven(replace(problem, criterion="hamilton")).quota.sum() == 3


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


@pytest.mark.parametrize("criterion", ["webster", "hamilton", "minimax"])
def test_the_other_of_two_equals_one_place_apart_is_refused_and_the_certificate_says_what_it_leaves_open(criterion):
    due = pd.Series(4 / 3, ["a", "b", "c"])
    groups = (za.Group("ab", ("a", "b"), cap=3), za.Group("bc", ("b", "c"), cap=3))
    problem = za.QuotaProblem(4, due, groups=groups, criterion=criterion)
    solution = za.solve(problem)
    assert solution.quota.to_list() == [2, 1, 1]
    for other in ([1, 2, 1], [1, 1, 2]):
        with pytest.raises(za.SolverError, match=r"由 [bc] 调给 [ab] 的方案同样好，按并列规则应取后者"):
            za.verify(problem, pd.Series(other, due.index), solution.certificate)
    assert "没有核对同时调整几个名额" in solution.certificate.left_open
    assert za.solve(replace(problem, groups=groups[:1])).certificate.left_open == ""


@pytest.mark.thorough
def test_every_exchange_of_equal_cost_is_refused():
    """Moves of one place away from the answers of problems with many equals."""
    equals = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        due = pd.Series(rng.integers(2, 6, 8) / 2, list("abcdefgh"))
        halves = [tuple(due.index[rng.permutation(8)[:4]]) for _ in range(3)]
        groups = tuple(
            za.Group(f"g{n}", half, cap=int(np.ceil(due[list(half)].sum()))) for n, half in enumerate(halves)
        )
        problem = za.QuotaProblem(round(due.sum()), due, groups=groups)
        solution = za.solve(problem)
        cost = problem.cost(list(solution.quota))
        for i, j in permutations(due.index, 2):
            moved = solution.quota + (due.index == j).astype(int) - (due.index == i).astype(int)
            with pytest.raises(za.SolverError):
                za.verify(problem, moved, solution.certificate)
            equals += moved.min() >= 0 and not problem.violations(list(moved)) and problem.cost(list(moved)) == cost
    assert equals > 40
