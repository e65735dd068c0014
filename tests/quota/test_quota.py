"""The quota engine on toys with one feasible or one optimal answer, worked by hand; its tie rule and errors."""

from fractions import Fraction
from itertools import permutations

import pandas as pd
import pytest

import zjtx_alloc as za
from zjtx_alloc.quota.crossing.exchange import binding


def problem(total, entitlement, bounds=None, rows=(), **more):
    """A problem by label; ``bounds`` as label: (floor, cap), ``rows`` of groups and rules."""
    both = {label: (bounds or {}).get(label, (0, total)) for label in entitlement}
    return za.QuotaProblem(
        total,
        pd.Series(entitlement, dtype=float),
        pd.Series({label: low for label, (low, _) in both.items()}),
        pd.Series({label: high for label, (_, high) in both.items()}),
        tuple(row for row in rows if isinstance(row, za.Group)),
        tuple(row for row in rows if isinstance(row, za.Rule)),
        **more,
    )


def quota(*args, **more):
    return za.solve(problem(*args, **more)).quota.to_dict()


def rule(coefficients, lower=None, upper=None, name="r"):
    return za.Rule(
        name,
        {label: Fraction(weight) for label, weight in coefficients.items()},
        None if lower is None else Fraction(lower),
        None if upper is None else Fraction(upper),
    )


# One feasible answer each: entitlements pull the other way, so a rule that is ignored shows.
ONE_FEASIBLE = {
    "floors": ((4, {"A": 4, "B": 0.1}, {"A": (1, 4), "B": (3, 4)}), {"A": 1, "B": 3}),
    "caps": ((4, {"A": 4, "B": 0.1}, {"A": (0, 1), "B": (0, 3)}), {"A": 1, "B": 3}),
    "group floor": (
        (3, {"A": 2.8, "B": 0.1, "C": 0.1}, {"A": (1, 3), "B": (0, 1)}, [za.Group("g", ("B", "C"), 2), za.Group("c", ("C",), cap=1)]),
        {"A": 1, "B": 1, "C": 1},
    ),
    "nested group caps": (
        (4, {"A": 2, "B": 2, "C": 0.1}, {"C": (0, 3)}, [za.Group("outer", ("A", "B"), cap=1), za.Group("inner", ("A",), cap=0)]),
        {"A": 0, "B": 1, "C": 3},
    ),
    "crossing groups": (
        (2, {"A": 1, "B": 0.1, "C": 1}, None, [za.Group("ab", ("A", "B"), 2), za.Group("bc", ("B", "C"), 2)]),
        {"A": 0, "B": 2, "C": 0},
    ),
    # 2a + 3b = 7 with a + b = 3
    "a linear rule": ((3, {"A": 0.1, "B": 2.9}, None, [rule({"A": 2, "B": 3}, 7, 7)]), {"A": 2, "B": 1}),
    # a - b >= 3 with a + b = 3
    "a difference": ((3, {"A": 0.1, "B": 2.9}, None, [rule({"A": 1, "B": -1}, 3)]), {"A": 3, "B": 0}),
    # e = 0 takes its floor and no more, though its cap would allow it
    "entitlement of zero": ((3, {"A": 0.5, "Z": 0}, {"Z": (1, 3)}), {"A": 2, "Z": 1}),
}  # fmt: skip


@pytest.mark.parametrize("case", ONE_FEASIBLE)
def test_the_only_feasible_answer_is_found(case):
    args, answer = ONE_FEASIBLE[case]
    assert quota(*args) == answer


def test_the_answer_with_its_cost():
    # (2 - 1.5)^2/1.5 + (1 - 1.5)^2/1.5 = 1/3: the tie goes to A, by label
    solution = za.solve(problem(3, {"B": 1.5, "A": 1.5}))
    assert solution.quota.to_dict() == {"A": 2, "B": 1}
    assert solution.cost == pytest.approx(1 / 3, abs=1e-15)
    assert solution.ties == (("B", "A"),)
    assert solution.quota.dtype == "int64"
    assert list(solution.quota.index) == ["B", "A"]


# Balinski and Young (1975), The Quota Method of Apportionment, Amer. Math. Monthly 82: five states, 26
# seats. By hand, with Webster's divisors: after 9 7 5 3 1 the last seat goes to the largest of
# 9061/9.5 = 953.8, 7179/7.5 = 957.2, 5259/5.5 = 956.2, 3319/3.5 = 948.3, 1182/1.5 = 788.0.
FIVE_STATES = ({"A": 9061, "B": 7179, "C": 5259, "D": 3319, "E": 1182}, 26, [9, 8, 5, 3, 1])
# By hand: 53/1 24/1 23/1 53/3 53/5 24/3 23/3 are the seven largest quotients (then 53/7).
THREE_PARTIES = ({"A": 53000, "B": 24000, "C": 23000}, 7, [3, 2, 2])


@pytest.mark.parametrize(("votes", "seats", "answer"), [FIVE_STATES, THREE_PARTIES])
def test_published_webster_apportionments(votes, seats, answer):
    whole = sum(votes.values())
    assert list(quota(seats, {k: seats * v / whole for k, v in votes.items()}).values()) == answer


def test_with_floors_the_whole_baseline_is_websters_method(allocation):
    """The divisor method seat by seat, in fractions: no model, no solver."""
    due = allocation.entitlement.exact.to_dict()
    seats = dict.fromkeys(due, 1)
    for _ in range(1039 - 37):
        seats[max(due, key=lambda u: (due[u] / (2 * seats[u] + 1), due[u]))] += 1
    assert allocation.quota.to_dict() == seats


# The tie rule: more to the larger entitlement, then to the smaller label, as far as the order goes.
TIES = {
    # the last place costs 1/1 with A and 3/3 with B
    "larger entitlement": ((2, {"A": 1, "B": 3}), {"A": 0, "B": 2}, (("A", "B"),)),
    "smaller label": ((4, {"C": 1, "A": 1, "B": 1}), {"A": 2, "B": 1, "C": 1}, (("C", "A", "B"),)),
    "two places, three claims": ((5, {"C": 1, "A": 1, "B": 1}), {"A": 2, "B": 2, "C": 1}, (("C", "A", "B"),)),
    "a cap in the way": ((4, {"C": 1, "A": 1, "B": 1}, {"A": (0, 1)}), {"A": 1, "B": 2, "C": 1}, (("C", "B"),)),
    # A and B share 1 place, C and D share 1: two sets of ties
    "two groups": (
        (2, {"A": 1, "B": 1, "C": 1, "D": 1}, None, [za.Group("ab", ("A", "B"), 1, 1)]),
        {"A": 1, "B": 0, "C": 1, "D": 0},
        (("A", "B"), ("C", "D")),
    ),
    "no tie": ((3, {"A": 2, "B": 1}), {"A": 2, "B": 1}, ()),
    # however little more is more
    "the fifteenth decimal": ((1, {"A": 0.5, "B": 0.500000000000001}), {"A": 0, "B": 1}, ()),
    # under the crossing rule a + c = b + d the answers are 1100 0110 1001 0011, all of equal cost
    "a crossing rule": (
        (2, {"D": 1, "C": 1, "B": 1, "A": 1}, None, [rule({"A": 1, "C": 1, "B": -1, "D": -1}, 0, 0)]),
        {"A": 1, "B": 1, "C": 0, "D": 0},
        (("A", "C"), ("B", "D")),
    ),
    # a = b and c = d: the answers 1100 and 0011 are two moves apart, so no single move shows the tie
    "two places at once": (
        (2, {"D": 1, "C": 1, "B": 1, "A": 1}, None, [rule({"A": 1, "B": -1}, 0, 0), rule({"C": 1, "D": -1}, 0, 0)]),
        {"A": 1, "B": 1, "C": 0, "D": 0},
        (),
    ),
}  # fmt: skip


def test_the_tie_rule_where_the_linear_model_has_a_cheaper_fraction():
    # 14 <= 20g - 25c - 2a <= 44: of the vectors of least cost the first in order is a b c d g = 3 3 1 3 3, by
    # enumeration; the linear model without whole numbers is cheaper, which is no reason not to look.
    pull, bounds = dict.fromkeys("ABCDG", 7 / 3), {"A": (0, 12), "B": (2, 4), "C": (1, 3), "D": (1, 12), "G": (1, 5)}
    rows = [za.Group("cd", ("C", "D"), 4, 6), rule({"C": -5, "G": 4, "A": Fraction(-2, 5)}, "14/5", "44/5")]
    answer = {"A": 3, "B": 3, "C": 1, "D": 3, "G": 3}
    assert quota(13, pull, bounds, rows, criterion="jefferson") == answer


@pytest.mark.parametrize("case", TIES)
def test_the_tie_rule(case):
    args, answer, ties = TIES[case]
    solution = za.solve(problem(*args))
    assert solution.quota.to_dict() == answer
    assert {frozenset(tied) for tied in solution.ties} == {frozenset(tied) for tied in ties}


@pytest.mark.parametrize(
    "due",
    [
        # 1100 costs 2, 0011 costs 1/1 + 1/1.000000001: C's one billionth is all there is
        {"A": 1, "B": 1, "C": 1.000000001, "D": 1},
        # 1100 costs 1/1.0001 + 1/0.9999 = 2 + 2e-8: what the tie rule would prefer is dearer
        {"A": 1.0001, "B": 0.9999, "C": 1, "D": 1},
    ],
)
def test_the_smallest_difference_decides_between_answers_two_moves_apart(due):
    pairs = [rule({"A": 1, "B": -1}, 0, 0), rule({"C": 1, "D": -1}, 0, 0)]
    found = [quota(2, {label: due[label] for label in order}, None, pairs) for order in permutations("ABCD")]
    assert [answer for answer in found if answer != {"A": 0, "B": 0, "C": 1, "D": 1}] == []


# A 0/1 rule's bounds are rounded inward. Shares are exact: in floats .07 x 100 is above 7, .29 x 100 below 29.
@pytest.mark.parametrize(
    ("lower", "upper", "places"),
    [("5/2", None, 3), (None, "5/2", 2), ("7/3", "11/3", 3), (Fraction("0.29") * 10, None, 3), (None, "29/10", 2)],
)
def test_a_bound_of_a_sum_is_rounded_inward(lower, upper, places):
    pull = {"A": 0.5, "B": 0.5, "C": 9.0} if upper is None else {"A": 4.5, "B": 4.5, "C": 1.0}
    found = quota(10, pull, rows=[rule({"A": 1, "B": 1}, lower, upper)])
    assert found["A"] + found["B"] == places


def test_a_rule_without_an_integer_between_its_bounds_is_infeasible():
    with pytest.raises(za.InfeasibleError, match=r"“r”的下限 3 大于上限 2"):
        quota(4, {"A": 2, "B": 2}, rows=[rule({"A": 1}, "9/4", "11/4")])


DUE = {"A": 3, "B": 2}
INFEASIBLE = {
    "floor above cap": ((5, DUE, {"A": (4, 3)}), ["甲 的下限 4 大于上限 3"]),
    "floors above total": ((5, DUE, {"A": (3, 5), "B": (3, 5)}), ["“名额总量”", "下限合计 6", "上限 5"]),
    "caps below total": ((5, DUE, {"A": (0, 2), "B": (0, 2)}), ["“名额总量”", "上限合计 4", "下限 5"]),
    "only a zero left": ((5, {"A": 3, "B": 0}, {"A": (0, 3)}), ["“名额总量”", "上限合计 3", "理论名额为0"]),
    "group floor above cap": ((5, DUE, None, [za.Group("西部", ("A",), 4, 3)]), ["“西部”的下限 4 大于上限 3"]),
    "group below its floors": ((5, DUE, {"A": (3, 5)}, [za.Group("西部", ("A",), cap=2)]), ["“西部”", "下限合计 3，大于其上限 2"]),
    "group above its caps": ((5, DUE, {"A": (0, 3)}, [za.Group("西部", ("A",), 4)]), ["“西部”", "上限合计 3", "下限 4"]),
    "rules together": (
        (5, DUE | {"C": 1}, None, [za.Group("西部", ("A", "B"), floor=3), rule({"C": 1}, 3, name="长江")]),
        ["西部", "长江", "总量"],
    ),
    # 2a + 4b is even
    "no integer": ((2, {"A": 1, "B": 1}, None, [rule({"A": 2, "B": 4}, 5, 5, "奇数")]), ["奇数"]),
}  # fmt: skip


@pytest.mark.parametrize("case", INFEASIBLE)
def test_an_infeasible_problem_names_the_culprit(case):
    args, parts = INFEASIBLE[case]
    with pytest.raises(za.InfeasibleError) as caught:
        za.solve(problem(*args, names={"A": "甲", "B": "乙"}))
    assert [part for part in parts if part not in str(caught.value)] == [], str(caught.value)


WRONG = {
    "not finite": (lambda: problem(2, {"A": float("nan"), "B": 1}), "A"),
    "infinite": (lambda: problem(2, {"A": float("inf"), "B": 1}), "A"),
    "negative": (lambda: problem(2, {"A": 1, "B": -1}), "B"),
    "negative total": (lambda: problem(-1, {"A": 1}, {"A": (0, 0)}), "-1"),
    "label twice": (lambda: za.QuotaProblem(2, pd.Series([1.0, 1.0], index=["A", "A"])), "不重复"),
    "fractional floor": (lambda: za.QuotaProblem(2, pd.Series({"A": 2.0}), floor=pd.Series({"A": 0.5})), "floor 须为非负整数"),
    "missing cap": (lambda: za.QuotaProblem(2, pd.Series({"A": 2.0}), cap=pd.Series({"A": float("nan")})), "cap 须为非负整数"),
    "other order": (lambda: za.QuotaProblem(2, pd.Series({"A": 2.0, "B": 1.0}), floor=pd.Series({"B": 1, "A": 0})), "floor 的单位"),
    "stranger in a group": (lambda: problem(2, {"A": 2}, rows=[za.Group("西部", ("A", "X"), 1)]), "“西部”中有不在本次分配中的单位：X"),
    "stranger in a rule": (lambda: problem(2, {"A": 2}, rows=[rule({"X": 1}, 1)]), "“r”中有不在本次分配中的单位：X"),
    "criterion": (lambda: problem(2, {"A": 2}, criterion="l1"), "“l1”"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_problem_is_refused(case):
    make, part = WRONG[case]
    with pytest.raises(za.ScenarioError) as caught:
        make()
    assert part in str(caught.value)


def test_what_binds_is_named():
    # The cap holds A, the floor C; B takes what is left and is held by nothing.
    due, bounds = {"A": 8, "B": 1, "C": 1}, {"A": (0, 2), "C": (3, 6)}
    assert quota(6, due, bounds) == {"A": 2, "B": 1, "C": 3}
    assert binding(problem(6, due, bounds), [2, 1, 3]) == {"A": ["cap"], "B": [], "C": ["floor"]}
    # A group's cap holds its members.
    grouped = problem(6, {"A": 2, "B": 2, "C": 2}, None, [za.Group("g", ("A", "B"), cap=2)])
    assert binding(grouped, [1, 1, 4]) == {"A": ["g"], "B": ["g"], "C": []}


def test_a_bound_that_only_names_the_optimum_does_not_bind():
    assert binding(problem(3, {"A": 2, "B": 1}, {"A": (2, 2)}), [2, 1]) == {"A": [], "B": []}


def test_among_equals_only_a_bound_that_the_tie_rule_runs_into_binds():
    # The third place costs A and B the same, and A is to have it.
    due = {"A": 1, "B": 1}
    assert binding(problem(3, due, {"B": (0, 1)}), [2, 1]) == {"A": [], "B": []}
    assert binding(problem(3, due, {"A": (0, 1)}), [1, 2]) == {"A": ["cap"], "B": []}


# Two pairs as above: 1100 costs 2 x 1/2 + 2 x 1 = 3, 0011 costs 2 x 2 + 0 = 4, one move apart from nothing allowed.
PAIRS = ({"A": 2, "B": 2, "C": 1, "D": 1}, None, [rule({"A": 1, "B": -1}, 0, 0), rule({"C": 1, "D": -1}, 0, 0)])


def places(answer):
    return pd.Series(dict(zip("ABCD", answer, strict=False)))


def test_an_answer_is_verified_without_the_solver():
    assert za.verify(problem(3, {"A": 2, "B": 1}), places([2, 1])).kind == "exchange"
    crossing = problem(2, *PAIRS)
    proof = za.solve(crossing).certificate
    assert (proof.kind, abs(proof.gap) < Fraction(1, 10**9)) == ("dual", True)
    assert za.verify(crossing, places([1, 1, 0, 0]), proof) == proof


GROUPED = problem(4, {"A": 2, "B": 1, "C": 1}, None, [za.Group("西", ("A", "B"), 1, 4)])


@pytest.mark.parametrize(
    ("wrong", "answer", "message"),
    [
        (problem(3, {"A": 2, "B": 1}), [2, 2], "名额之和 4 不等于总量 3"),
        (problem(3, {"A": 2, "B": 1}, {"A": (0, 1)}), [2, 1], r"A 的名额 2 超出 \[0, 1\]"),
        (problem(2, *PAIRS), [1, 0, 1, 0], "“r”的值 1 超出"),
        (problem(3, {"A": 2, "B": 1}), [1, 2], "存在更优的单个名额调整（由 B 调给 A）"),
        (problem(3, {"A": 1.5, "B": 1.5}), [1, 2], "由 B 调给 A 的方案同样好，按并列规则应取后者"),
        (problem(3, {"A": 2, "B": 1}), [3], "quota 的单位"),
        (problem(2, *PAIRS), [0, 0, 1, 1], "未能证明为最优"),
        (problem(2, {"A": 1, "B": 1}, None, [za.Group("西", ("A",), 2, 1)]), [1, 1], r"“西”的值 1 超出 \[2, 1\]"),
        (GROUPED, [1, 1, 2], "存在更优的单个名额调整（由 C 调给 A）"),  # into a group below its cap
        (GROUPED, [3, 1, 0], "存在更优的单个名额调整（由 A 调给 C）"),  # out of one above its floor
    ],
)
def test_a_wrong_answer_is_refused(wrong, answer, message):
    with pytest.raises(za.SolverError, match=message):
        za.verify(wrong, places(answer), za.Certificate("dual", prices=(0.0,) * (1 + 2 * len(wrong.rows))))


def test_where_rules_cross_a_quota_alone_proves_nothing():
    with pytest.raises(za.SolverError, match="须连同证书一起复核"):
        za.verify(problem(2, *PAIRS), places([1, 1, 0, 0]))


@pytest.mark.parametrize("entitlement", [1e13, float("inf"), float("nan"), -1.0])
def test_an_entitlement_out_of_range_is_named(entitlement):
    with pytest.raises(za.ScenarioError, match=r"0至一万亿.*：单位 甲"):
        za.QuotaProblem(10, pd.Series({"甲": entitlement, "乙": 3.0}))
