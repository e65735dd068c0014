"""Every criterion on numbers worked by hand: published tables, ties, deviations, a criterion of one's own, refusals."""

from dataclasses import replace
from fractions import Fraction

import pandas as pd
import pytest
from support.quota_oracle import PAIRS

import zjtx_alloc as za
from zjtx_alloc.quota.crossing import minimax
from zjtx_alloc.quota.nested.continuous import bounded_entitlement


def quota(name, total, due, groups=(), **more):
    problem = za.QuotaProblem(total, pd.Series(due, dtype=float), groups=groups, criterion=name, **more)
    return za.solve(problem).quota.to_dict()


# Balinski and Young (1975), The Quota Method of Apportionment, Amer. Math. Monthly 82: five states, 26 seats,
# and every divisor method differs. By hand: after 9 7 5 3 1 the last seat goes to the least d(k)/population
# (in thousandths):     A      B      C      D      E
#   adams      (k - 1)  .993   .975   .951   .904   .846
#   dean                1.046  1.040  1.037  1.033  1.128
#   hill                1.0470 1.0424 1.0415 1.0437 1.1965
#   webster             1.0485 1.0447 1.0458 1.0545 1.2690
#   jefferson      (k)  1.104  1.114  1.141  1.205  1.692
# Hamilton: remainders .061 .179 .259 .319 .182.
STATES = {"A": 9.061, "B": 7.179, "C": 5.259, "D": 3.319, "E": 1.182}
LAST = {"adams": "E", "dean": "D", "huntington-hill": "C", "webster": "B", "jefferson": "A", "hamilton": "D"}


@pytest.mark.parametrize("name", LAST)
def test_published_apportionments_of_five_states(name):
    answer = {"A": 9, "B": 7, "C": 5, "D": 3, "E": 1}
    assert quota(name, 26, STATES) == answer | {LAST[name]: answer[LAST[name]] + 1}


def test_fewer_places_than_units_go_to_the_larger():
    for name in PAIRS:
        problem = za.QuotaProblem(2, pd.Series({"A": 0.1, "B": 1.0, "C": 0.9}), criterion=name)
        solution = za.solve(problem)
        assert (solution.quota.to_dict(), solution.unserved) == ({"A": 0, "B": 1, "C": 1}, ("A",))
    assert quota("webster", 3, {"A": 0.1, "B": 2.0, "C": 0.9}) == {"A": 0, "B": 2, "C": 1}
    assert quota("huntington-hill", 3, {"A": 0.1, "B": 2.0, "C": 0.9}) == {"A": 1, "B": 1, "C": 1}


def test_where_rules_cross_a_unit_that_may_have_no_place_is_not_waited_for():
    # F may have none. One place each to the others, and two more by e/sqrt(k(k - 1)): B 3.5/1.41, then A and E tie at
    # 3/1.41, before B's third at 3.5/2.45.
    due = pd.Series({"A": 3.0, "B": 3.5, "F": 0.5, "D": 1.5, "E": 3.0})
    floor, cap = pd.Series([0, 1, 0, 0, 1], due.index), pd.Series([2, 11, 0, 3, 2], due.index)
    weighted = za.Rule("r", {"B": Fraction(3, 2), "D": Fraction(-1), "E": Fraction(7)})
    solution = za.solve(za.QuotaProblem(6, due, floor, cap, rules=(weighted,), criterion="huntington-hill"))
    assert (solution.quota.to_list(), solution.unserved) == ([2, 2, 0, 1, 1], ("F",))


# Seven places beyond the entitlements 2 and 10, relative deviations a/2 and b/10 with a + b = 7: the largest is
# least at a = 1 (.5 .6; at a = 0 .7), the sum of squares at a = 0 (.49; at a = 1 .61). In places: 3 and 4.
def test_the_largest_deviation_decides_and_then_the_squares():
    due = {"A": 2, "B": 10}
    assert quota("minimax-relative", 19, due) == {"A": 3, "B": 16}
    assert quota("leximin-relative", 19, due) == {"A": 3, "B": 16}
    assert quota("minimax", 19, due) == {"A": 5, "B": 14}
    problem = za.QuotaProblem(19, pd.Series(due, dtype=float), criterion="minimax-relative")
    with pytest.raises(za.SolverError, match=r"最大偏差 0\.7 并非最小"):
        za.verify(problem, pd.Series({"A": 2, "B": 17}))
    # C is held at 3 by its floor, a relative deviation of 2 that nothing can help: minimax leaves the rest to
    # the squares, leximin goes on to the next largest.
    floor = pd.Series({"A": 0, "B": 0, "C": 3})
    assert quota("minimax-relative", 22, due | {"C": 1}, floor=floor) == {"A": 2, "B": 17, "C": 3}
    assert quota("leximin-relative", 22, due | {"C": 1}, floor=floor) == {"A": 3, "B": 16, "C": 3}


@pytest.mark.parametrize(
    ("criterion", "due", "quota", "level"),
    [
        ("minimax", [55039.0000000593, 44960.9999999407], [55039, 44961], Fraction(593, 10**10)),
        ("minimax", [550390.0000000593, 449609.9999999407], [550390, 449610], Fraction(593, 10**10)),
        ("minimax", [550390.0, 449610.0], [550390, 449610], 0),
        ("minimax-relative", [899999.9999, 0.0001, 1e5], [900000, 0, 100000], Fraction(1, 10**4)),
        ("minimax-relative", [10**12 - 10.000061, 10.0, 0.000061], [10**12 - 10, 10, 0], Fraction(61, 10**6)),
    ],
)
def test_the_least_level_is_found_in_few_steps_however_small_it_is(monkeypatch, criterion, due, quota, level):
    """Each unit's nearest number of places is one answer."""
    steps, real = [], minimax.box
    monkeypatch.setattr(minimax, "box", lambda *a, **k: steps.append(1) or real(*a, **k))
    problem = za.QuotaProblem(sum(quota), pd.Series(due), criterion=criterion)
    solution = za.solve(problem)
    assert (solution.quota.tolist(), solution.certificate.level) == (quota, level)
    assert len(steps) < 250


@pytest.mark.parametrize(("total", "due"), [(100, [1e-9, 2e-9]), (20, [1e-9, 2e-9, 1e-9, 1e-9])])
def test_entitlements_of_a_billionth_are_shared_out_by_the_model_too(total, due):
    """By Dean: after one place each, the rest by their ratio; HiGHS's presolve gives up on such prices."""
    problem = za.QuotaProblem(total, pd.Series(due), criterion="dean")
    quota = za.solve(problem, "model").quota
    assert quota.tolist() == ([33, 67] if total == 100 else [4, 8, 4, 4])
    assert quota.equals(za.solve(problem).quota)


def test_places_that_change_no_deviation_go_by_the_tie_rule():
    # The first place of A and the second of B leave their deviations at 1/2 and 1/3; six places are one too few.
    due, cap = {"A": 0.5, "B": 1.5, "C": 2, "D": 1, "E": 1}, {"A": 1, "B": 2, "C": 2, "D": 1, "E": 3}
    answer = {"A": 0, "B": 2, "C": 2, "D": 1, "E": 1}
    for name in ("leximin", "leximin-relative"):
        assert quota(name, 6, due, cap=pd.Series(cap)) == answer
        assert quota(name, 1, {"B": 0.5, "A": 0.5}) == {"A": 1, "B": 0}


def test_a_relative_deviation_is_absolute_below_one_place():
    # Relative to 0.1 the first place of A would be a deviation of 9; so it is 0.9, and B's alternative 3/4.
    assert quota("minimax-relative", 5, {"A": 0.1, "B": 4.0, "C": 0.9}) == {"A": 0, "B": 4, "C": 1}
    solution = za.solve(za.QuotaProblem(1, pd.Series({"A": 0.1}), criterion="minimax-relative"))
    assert solution.cost == pytest.approx(0.9)
    assert solution.certificate.level == Fraction(9, 10)


def test_a_criterion_of_ones_own():
    # |x - e| by its marginal costs: -1 up to e, +1 beyond it, and in between what is left.
    def absolute(k, e):
        return abs(k - e) - abs(k - 1 - e)

    own = za.Criterion("绝对偏差之和", absolute)
    due = {"A": 2.5, "B": 1.25, "C": 1.25}
    # Beyond no places at all: -1 -1 for A, -1 each for B and C; the fifth place adds 0 with A and .5 with B or C.
    solution = za.solve(za.QuotaProblem(5, pd.Series(due), criterion=own))
    assert (solution.quota.to_dict(), solution.cost) == ({"A": 3, "B": 1, "C": 1}, -4.0)
    cubes = za.Criterion("三次方", lambda k, e: (k**3 - (k - 1) ** 3) / e)
    assert za.solve(za.QuotaProblem(9, pd.Series({"A": 8.0, "B": 1.0}), criterion=cubes)).quota.to_list() == [7, 2]


def test_a_group_at_its_cap_takes_its_own_cheapest_places_however_far_apart_they_are():
    """At the price where the whole asks for its one place the group asks for two, D's sure in floats and C's not."""
    due = pd.Series({"D": 1e9, "B": 9e6, "A": 9e6, "C": 1e12})
    problem = za.QuotaProblem(1, due, 0, 6, (za.Group("ABCD", tuple("ABCD"), 0, 1),), criterion="adams")
    assert za.solve(problem, "exact").quota.to_dict() == {"D": 0, "B": 0, "A": 0, "C": 1}


def test_a_group_of_no_unit_that_may_be_empty_takes_no_place_from_anyone():
    problem = za.QuotaProblem(5, pd.Series({"A": 2.0, "B": 3.0}), groups=(za.Group("空", (), 0, 1),))
    assert za.solve(problem).quota.tolist() == bounded_entitlement(problem) == [2, 3]


def test_a_group_of_no_unit_with_a_floor_is_a_clash_for_every_engine():
    problem = za.QuotaProblem(5, pd.Series({"A": 2.0, "B": 3.0}), groups=(za.Group("空", (), 1),))
    for engine in ("auto", "exact", "model"):
        with pytest.raises(za.InfeasibleError, match="空下限 1 大于0"):
            za.solve(problem, engine)


def test_a_quota_that_breaks_a_nested_group_is_refused():
    problem = za.QuotaProblem(3, pd.Series({"A": 2.0, "B": 1.0}), groups=(za.Group("西部", ("A",), cap=1),))
    assert za.solve(problem).quota.to_list() == [1, 2]
    with pytest.raises(za.SolverError, match="“西部”的值 2 超出"):
        za.verify(problem, pd.Series({"A": 2, "B": 1}))


def test_what_does_not_suit_is_refused():
    crossing = (za.Group("ab", ("A", "B"), 2), za.Group("bc", ("B", "C"), 2))
    due = pd.Series({"A": 1.0, "B": 0.1, "C": 1.0})
    problem = za.QuotaProblem(2, due, groups=crossing)
    with pytest.raises(za.ScenarioError, match="精确引擎"):
        za.solve(problem, "exact")
    with pytest.raises(za.ScenarioError, match="没有名为“cbc”的引擎"):
        za.solve(problem, "cbc")
    with pytest.raises(za.ScenarioError, match="逐级最小偏差"):
        za.solve(replace(problem, criterion="leximin"))
    with pytest.raises(za.ScenarioError, match="使部分单位得不到"):
        za.solve(replace(problem, criterion="dean"))
    with pytest.raises(za.ScenarioError, match="可用：webster、hamilton"):
        replace(problem, criterion="l1")
