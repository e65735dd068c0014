"""Places before the formula (基数), and what caps take back: by hand, by enumeration, by a second path, by laws."""

import itertools
import random
from dataclasses import replace
from fractions import Fraction

import pandas as pd
import pytest

import zjtx_alloc as za

LABELS = ("A", "B", "C", "D")


def problems(count, seed=5, criteria=("webster", "hamilton", "adams", "minimax-relative", "leximin")):
    """Random problems with bases, floors, caps and one group."""
    chance = random.Random(seed)
    for number in range(count):
        base = [chance.randint(0, 2) for _ in LABELS]
        left = chance.randint(0, 6)
        weights = [chance.randint(0, 9) for _ in LABELS[1:]] + [3]
        total = sum(base) + left
        cap = [*(chance.choice([total, b + chance.randint(0, 3)]) for b in base[:-1]), total]
        floor = [chance.choice([0, min(c, b + 1)]) if left > 3 else 0 for b, c in zip(base, cap, strict=True)]
        group = za.Group("g", ("A", "B"), cap=chance.choice([None, base[0] + base[1] + 2, total]))
        due = [Fraction(left * w, sum(weights)) for w in weights]
        yield za.QuotaProblem(
            total, pd.Series(due, LABELS), series(floor), series(cap), (group,),
            criterion=criteria[number % len(criteria)], base=series(base),
        )  # fmt: skip


def series(numbers):
    return pd.Series(numbers, LABELS)


def solved(problem):
    """The quota; None where the rules clash."""
    try:
        return za.solve(problem).quota
    except za.InfeasibleError:
        return None


@pytest.mark.parametrize("number", [*range(4), *(pytest.param(n, marks=pytest.mark.thorough) for n in range(4, 30))])
def test_the_best_beyond_the_base_is_found_as_by_enumeration(number):
    problem = next(itertools.islice(problems(99, criteria=("webster", "hamilton")), number, None))
    every = itertools.product(*(range(b, problem.total + 1) for b in problem.base))
    costs = [problem.cost(x) for x in every if not problem.violations(x)]
    found = solved(problem)
    assert (found is None) == (not costs)
    if found is not None:
        assert problem.cost(found.tolist()) == min(costs)
        certificate = za.solve(problem).certificate
        assert za.verify(problem, found, certificate).kind == "exchange"


@pytest.mark.thorough
def test_many_at_once_are_what_one_by_one_is():
    for problem in problems(40):
        found = za.solve_many(problem, pd.DataFrame([problem.entitlement], dtype=object))[0]
        quota = solved(problem)
        assert found.tolist() == ([-1] * 4 if quota is None else quota.tolist())


def test_no_base_changes_nothing_and_a_base_is_the_problem_of_the_rest():
    for problem in problems(10):
        none = replace(problem, base=0)
        assert none.plain is none
        rest = problem.plain
        assert rest.total == problem.total - problem.base.sum()
        ours, theirs = solved(problem), solved(rest)
        assert (ours is None) == (theirs is None)
        assert ours is None or (ours - problem.base).equals(theirs)


def test_by_hand():
    due = pd.Series({"A": Fraction(9, 2), "B": Fraction(7, 5), "C": Fraction(1, 10)})  # of the 6 beyond 2 each
    problem = za.QuotaProblem(12, due, base=2)
    assert za.solve(problem).quota.tolist() == [7, 3, 2]  # 4.5, 1.4 and 0.1 by Webster: 5, 1 and none
    assert za.solve(replace(problem, cap=pd.Series([6, 12, 12], due.index))).quota.tolist() == [6, 4, 2]


def test_no_place_is_taken_below_the_base_and_the_rules_say_so():
    problem = za.QuotaProblem(5, series([1, 0, 0, 0]), base=2)
    with pytest.raises(za.InfeasibleError) as error:
        za.solve(problem)
    assert "冲突：A、B、C下限之和 6 大于名额总量 5。" in str(error.value)


@pytest.mark.parametrize(("criterion", "how", "expected"), [
    ("hamilton", "", [60, 30, 21]), ("hamilton", "equal", [60, 30, 21]), ("hamilton", "proportion", [60, 46, 5]),
    ("webster", "", [60, 46, 5]), ("webster", "proportion", [60, 46, 5]), ("webster", "equal", [60, 30, 21]),
])  # fmt: skip
def test_what_a_cap_takes_back_goes_in_proportion_or_equally(criterion, how, expected):
    """40 places are taken back: 20 each; or the 51 others ten to one."""
    assert za.apportion([100, 10, 1], 111, criterion, cap=[60, 111, 111], redistribution=how).tolist() == expected
    due = pd.Series([100.0, 10.0, 1.0], list("ABC"))
    cap = pd.Series([60, 111, 111], due.index)
    problem = za.QuotaProblem(111, due, cap=cap, criterion=criterion, redistribution=how)
    assert za.solve(problem).quota.tolist() == expected
    assert za.solve_many(problem, [[100, 10, 1]]).tolist() == [expected]


def test_a_cap_reached_by_redistribution_gives_the_rest_on():
    """60 and 24 to two that may have 30: B, pushed above 30 by A's 30, gives on what is beyond; C gets all of it."""
    found = za.apportion([60, 24, 6], 90, "hamilton", cap=[30, 30, 90], redistribution="proportion")
    assert found.tolist() == [30, 30, 30]


@pytest.mark.thorough
def test_classical_methods_and_problems_agree():
    chance, compared = random.Random(8), 0
    for problem in problems(30, seed=9):
        for method, how in itertools.product(("hamilton", "webster", "jefferson"), ("", "proportion", "equal")):
            mine = replace(problem, groups=(), criterion=method, redistribution=how)
            quota = solved(mine)
            if quota is None:
                continue
            weights = problem.entitlement * chance.choice([1, 7])
            order = [mine.labels[i] for i in mine.order]
            places = za.apportion(
                weights, mine.total, method, mine.floor, mine.cap, order, base=mine.base, redistribution=how
            )
            assert places.tolist() == quota.tolist()
            compared += 1
    assert compared > 200


def test_cambridge_is_adams_with_a_base():
    weights = [53, 24, 11, 2]
    base = za.apportion(weights, 40, "adams", base=5, cap=20)
    assert za.apportion(weights, 40, "cambridge-compromise", floor=5, cap=20).tolist() == base.tolist()


def test_an_unknown_redistribution_is_named():
    said = "上限收回名额的再分配方式 half 不可用；可用：proportion（按比例）、equal（平均），或不写"
    with pytest.raises(za.ScenarioError, match=said):
        za.QuotaProblem(1, pd.Series([1.0]), redistribution="half")
    with pytest.raises(za.DataError, match=said):
        za.apportion([1, 2], 3, redistribution="half")
