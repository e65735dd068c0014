"""What problems, quotas and criteria may be made of: anything else is named, nothing is cut to fit."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

import zjtx_alloc as za
from zjtx_alloc.quota.problem.criteria import CRITERIA


def test_crossing_rules_with_first_places_are_proven_where_all_are_served():
    """By hand: one place each, and the rest to d, which the group leaves them to."""
    problem = za.QuotaProblem(
        8,
        pd.Series([0.5, 3.5, 0.5, 3.5], list("abcd")),
        groups=(za.Group("g", ("a", "b"), None, 2),),
        rules=(za.Rule("r", {"d": Fraction(2)}, Fraction(1)),),
        criterion="huntington-hill",
    )
    solution = za.solve(problem)
    assert solution.quota.tolist() == [1, 1, 1, 5]
    assert za.verify(problem, solution.quota, solution.certificate).kind == solution.certificate.kind


@pytest.mark.parametrize("criterion", ["adams", "dean", "huntington-hill"])
def test_where_rules_cross_a_quota_that_leaves_a_unit_out_is_refused(criterion):
    """By hand: a ≥ b + 1 leaves 2, 1, 1 and nothing else that gives everybody a place; 1, 0, 3 costs no more by Adams."""
    e = pd.Series([1.0, 1, 3], list("abc"))
    rules = (za.Rule("r", {"a": 1, "b": -1}, lower=1),)
    problem = za.QuotaProblem(4, e, rules=rules, criterion=criterion, names={"b": "乙"})
    solution = za.solve(problem)
    assert solution.quota.tolist() == [2, 1, 1]
    said = "复核未通过：乙 没有名额；规则互相交叉时，按此准则只有可得名额的单位都有名额的方案才能证明为最优，不能采用"
    with pytest.raises(za.SolverError, match=f"^{said}$"):
        za.verify(problem, pd.Series([1, 0, 3], e.index), solution.certificate)


def test_a_certificate_of_other_rules_is_none():
    rules = za.Rule("r", {"a": 1, "b": 2}, upper=9), za.Rule("q", {"b": 1, "c": 2}, upper=12)
    problem = za.QuotaProblem(7, pd.Series([1.0, 2.0, 3.5], list("abc")), rules=rules)
    solution = za.solve(problem)
    assert za.verify(problem, solution.quota, solution.certificate).kind == "dual"
    with pytest.raises(za.SolverError, match="须连同证书一起复核"):
        za.verify(replace(problem, rules=rules[:1]), solution.quota, solution.certificate)


NUMBERS = [float("nan"), float("inf"), float("-inf")]
NOT_WHOLE = [[1.4, 1.3, 1.2], *([1, number, 2] for number in NUMBERS), [1, 1, "1"], [1, pd.NA, 2]]


@pytest.mark.parametrize("quota", [*NOT_WHOLE, [1e300, 1, 1], [10**5000, 1, 1], [1, Fraction(10**400, 3), 1]])
def test_a_quota_that_is_not_whole_is_never_certified(quota):
    problem = za.QuotaProblem(3, pd.Series(1.0, list("abc")))
    for rules in ((), (za.Rule("r", {"a": 2}),)):
        with pytest.raises(za.SolverError, match=r"^名额须为整数且不超过一千万亿，下列单位不是：[abc]"):
            za.verify(replace(problem, rules=rules), pd.Series(quota, list("abc"), dtype=object))
    with pytest.raises(za.ZjtxError, match="verify 的参数 quota 须为 Series，现为 list"):
        za.verify(problem, [1, 1, 1])
    with pytest.raises(za.SolverError, match="单位"):
        za.verify(problem, pd.Series(1, list("acb")))


CROSSING = za.QuotaProblem(7, pd.Series([1.0, 2.0, 3.5], list("abc")), rules=(za.Rule("r", {"a": 1, "b": 2}, upper=9),))


@pytest.mark.parametrize("number", [*NUMBERS, None, "1", 1j])
def test_a_certificate_of_other_numbers_is_refused(number):
    solution = za.solve(CROSSING)
    told = [
        {"level": number},
        {"bound": number},
        *({"prices": (0.5,) * at + (number,) + (0.5,) * (2 - at)} for at in range(3)),
    ]
    for changed in told:
        with pytest.raises(za.SolverError) as refused:
            za.verify(CROSSING, solution.quota, replace(solution.certificate, **changed))
        said = f"证书中的数须为有限的数，现有 {number}；请用 solve 给出的证书（solution.certificate）"
        assert str(refused.value) == said
    with pytest.raises(za.ZjtxError, match="verify 的参数 certificate 须为 Certificate 或 None，现为 str"):
        za.verify(CROSSING, solution.quota, "dual")


def test_a_claimed_level_that_the_quota_itself_disproves_is_refused():
    problem = replace(CROSSING, criterion="minimax")
    solution = za.solve(problem)
    for level in (solution.certificate.level - Fraction(1, 10**9), solution.certificate.level + 1):
        with pytest.raises(za.SolverError, match="并非最小，不能采用"):
            za.verify(problem, solution.quota, replace(solution.certificate, level=level))


def test_where_rules_cross_no_certificate_proves_a_criterion_that_only_compares():
    problem, solution = replace(CROSSING, criterion="leximin"), za.solve(CROSSING)
    with pytest.raises(za.ScenarioError, match="只适用于逐层嵌套的分组"):
        za.verify(problem, solution.quota, solution.certificate)


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"total": 2.5}, "名额总量须为整数（现为 2.5）"),
        ({"total": "3"}, "名额总量须为整数（现为 3）"),
        ({"entitlement": [1.0, 1.0]}, "须为 Series"),
        ({"total": 10**16}, "名额总量为0至一千万亿；请改正：单位 —，总量 10000000000000000"),
        ({"total": 10**400}, "名额总量为0至一千万亿"),
        ({"entitlement": pd.Series([1.0, "x"], list("ab"))}, "请改正：单位 b，总量 3"),
        ({"floor": pd.Series([1, None], list("ab"), dtype="Int64")}, "floor 须为非负整数.*请改正：b <NA>"),
        ({"cap": 1e300}, "cap 须为非负整数，不超过一千万亿；下列单位不是，请改正：a 1e[+]300、b 1e[+]300"),
        ({"cap": pd.Series([1, "x"], list("ab"))}, "cap 须为非负整数.*请改正：b x"),
        ({"groups": (za.Group("西部", ("a", "b"), floor=2.5),)}, "分组“西部”的下限、上限须为非负整数，现为 2.5、None"),
        ({"groups": (za.Group("西部", ("a", "b"), cap=-1),)}, "分组“西部”"),
        ({"groups": (za.Group("西部", ("a", "b"), cap=10**400),)}, "分组“西部”"),
        ({"groups": (za.Group("西部", ("a", "a")),)}, "规则“西部”中重复写了单位：a"),
        ({"rules": (za.Rule("沿江", {"a": float("nan")}),)}, "规则“沿江”的系数"),
        ({"rules": (za.Rule("沿江", {"a": None}, 1),)}, "规则“沿江”的系数"),
        ({"entitlement": pd.Series([], dtype=float)}, "没有单位，无法分配 3 个名额"),
        ({"criterion": ["webster"]}, "没有名为“.'webster'.”的准则"),
        ({"rules": (za.Rule("沿江", {"a": 10**400}),)}, "规则“沿江”的系数"),
        ({"rules": (za.Rule("沿江", {"a": 1}, Fraction(1, 10**13)),)}, "规则“沿江”的系数"),
    ],
)
def test_a_problem_of_other_numbers_is_refused(told, said):
    given = {"total": 3, "entitlement": pd.Series([1.0, 2.0], list("ab"))} | told
    with pytest.raises(za.ScenarioError, match=said):
        za.QuotaProblem(**given)


def test_a_float_in_a_rule_is_the_decimal_it_prints_as():
    """0.1·a + b ≤ 2.5 with a + b = 12 leaves b at most 1: 0.1·11 + 1 = 2.1, and 0.1·10 + 2 = 3 is too much."""
    rule = za.Rule("r", {"a": 0.1, "b": 1.0}, None, 2.5)
    problem = za.QuotaProblem(12, pd.Series([6.0, 6.0], list("ab")), rules=(rule,))
    assert za.solve(problem).quota.tolist() == [11, 1]


@pytest.mark.parametrize(
    ("marginal", "told"),
    [
        (lambda k, e: -k / e, "第 1 个为 -1/3，第 2 个为 -2/3"),
        (lambda k, e: Fraction(1, k), "第 1 个为 1，第 2 个为 1/2"),
        (lambda k, e: 7 * k % 5 / e, "第 2 个为 4/3，第 3 个为 1/3"),
        (lambda k, e: k if k != 70_000 else Fraction(1, 2), "第 69999 个为 69999，第 70000 个为 1/2"),
        (lambda k, e: float("nan"), "第 1 个为 nan"),
        (lambda k, e: k if k < 3 else float("inf"), "第 3 个为 inf"),
        (lambda k, e: None, "第 1 个为 None"),
    ],
)
def test_a_criterion_whose_prices_fall_or_are_no_numbers_is_refused(marginal, told):
    own, due = za.Criterion("自定", marginal), pd.Series([3.0, 5.0], list("ab"))
    total = 70_000 if "70000" in told else 8
    said = f"^准则“自定”的价格（marginal）须为有限的数，且不随名额增加而下降；理论名额为 3 时，{told}；请改正$"
    for kind in ({}, {"rules": (za.Rule("r", {"a": 2}),)}):
        with pytest.raises(za.ScenarioError, match=said):
            za.QuotaProblem(total, due, criterion=own, **kind)


def test_prices_may_fall_beyond_the_caps():
    fixed = pd.Series([2, 2, 0], list("abc"))
    own = za.Criterion("自定", lambda k, e: (k if k <= 3 else 0) / e)
    problem = za.QuotaProblem(3, pd.Series([1.0, 2.0, 0.0], fixed.index), cap=fixed, criterion=own)
    assert za.solve(problem).quota.tolist() == [1, 2, 0]


def test_where_places_are_too_many_to_ask_for_all_prices_some_are():
    due = pd.Series([1e9, 5.0], list("ab"))
    rising, falling = (za.Criterion("自定", lambda k, e, way=way: way * k / e) for way in (1, -1))
    assert za.QuotaProblem(10**12, due, criterion=rising).criterion is rising
    with pytest.raises(za.ScenarioError, match="第 1 个为 -1/1000000000，第 2 个为 -1/500000000"):
        za.QuotaProblem(10**12, due, criterion=falling)
    late = za.Criterion("自定", lambda k, e: min(k, 10**11) - max(k - 10**11, 0))
    with pytest.raises(za.ScenarioError, match="不随名额增加而下降"):
        za.QuotaProblem(10**12, due, criterion=late)


@pytest.mark.parametrize("kind", [{"first_is_free": True}, {"summable": False}])
def test_a_criterion_whose_prices_do_not_simply_add_up_needs_its_shape(kind):
    with pytest.raises(za.ScenarioError, match=r"first_is_free.*summable.*shape"):
        za.Criterion("own", lambda k, e: Fraction(k) / e, **kind)


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: za.apportion([], 3), za.InfeasibleError),
        (lambda: za.apportion([1, 2], 3, method=None), za.DataError),
        (lambda: za.apportion([1, 2], 3, cap=float("inf")), za.DataError),
        (lambda: za.apportion([1, 2], 3, floor=2**63), za.DataError),
        (lambda: za.apportion([1, 2], 3, cap=1e300), za.DataError),
        (lambda: za.stationary("x"), za.DataError),
        (lambda: za.stationary("1/0"), za.DataError),
        (lambda: za.power_mean(float("nan")), za.DataError),
        (lambda: za.power_mean("x"), za.DataError),
        (lambda: za.priority_list([1, 2], 3, following=1.5), za.DataError),
        (lambda: za.priority_list([1, 2], 3, following=-1), za.DataError),
        (lambda: za.paradoxes(za.QuotaProblem(3, pd.Series([1.0, 2.0], list("ab"))), reach=-1), za.DataError),
    ],
)
def test_wrong_arguments_are_named(call, error):
    with pytest.raises(error):
        call()


def test_units_go_by_the_same_names_everywhere(allocation):
    assert za.explain(allocation, "广东省（不含深圳）").code == "440000"


@pytest.mark.parametrize(
    "name", [name for name, row in CRITERIA.items() if isinstance(row, za.Criterion) and row.summable]
)
def test_the_cost_of_places_is_the_sum_of_their_prices(name):
    criterion = CRITERIA[name]
    for e in (Fraction(7, 3), Fraction(2, 5), Fraction(12)):
        for x in range(2, 9):  # Huntington's first place is free
            assert criterion.cost(x, e) - criterion.cost(x - 1, e) == criterion.marginal(x, e)


@pytest.mark.parametrize(("name", "scale"), [("leximin", 1), ("leximin-relative", 4)])
def test_the_cost_of_leximin_is_the_deviation(name, scale):
    assert CRITERIA[name].cost(7, Fraction(4)) == Fraction(3, scale)
    assert CRITERIA[name].float_cost([7, 2], np.array([4.0, 1.0])) == pytest.approx(max(3 / scale, 1))


def test_signposts_say_where_they_are_from():
    assert za.stationary("0.3").source == "Pukelsheim 2017, 3.10"
