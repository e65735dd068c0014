"""Why this number: what would change it, by hand and against every integer vector; the sentences."""

import re
from dataclasses import replace
from fractions import Fraction
from itertools import product

import numpy as np
import pandas as pd
import pytest

import zjtx_alloc as za
from zjtx_alloc.allocation.explain import _rounded
from zjtx_alloc.allocation.explanation_text import _moved, bounds_text
from zjtx_alloc.quota.whatif import Turn, bindings, entitlement_for, lifted, step, turn, unruled
from zjtx_alloc.rules.scenario import Fixed, Group, Rule

NAMES = {"A": "甲", "B": "乙", "C": "丙"}


def problem(total, due, floor=0, cap=None, rows=(), **more):
    """A problem by label; bounds by label or one for all."""
    bounds = [pd.Series(b, index=list(due)) if isinstance(b, dict) else b for b in (floor, cap)]
    return za.QuotaProblem(
        total, pd.Series(due, dtype=float), *bounds,
        tuple(row for row in rows if isinstance(row, za.Group)), tuple(row for row in rows if isinstance(row, za.Rule)),
        names=NAMES, **more,
    )  # fmt: skip


def moved(shift):
    return shift.changes.to_dict()


def test_one_place_more_or_fewer_by_hand():
    # 1 2 costs 0.04/1.2 + 0.04/1.8 = 1/18; 2 1 costs 0.64/1.2 + 0.64/1.8 = 16/18; 0 3 costs 1.44/1.2 + 1.44/1.8 = 2.
    given = problem(3, {"A": 1.2, "B": 1.8})
    quota = za.solve(given).quota
    more, fewer = step(given, quota, "A", 1), step(given, quota, "A", -1)
    assert (more.places, moved(more.shift), more.shift.cost) == (2, {"A": 1, "B": -1}, pytest.approx(15 / 18))
    assert (fewer.places, moved(fewer.shift), fewer.shift.cost) == (0, {"A": -1, "B": 1}, pytest.approx(35 / 18))


def test_the_rule_in_the_way_is_named():
    given = problem(
        6, {"A": 4, "B": 1, "C": 1, "D": 0}, {"A": 0, "B": 1, "C": 1, "D": 0}, rows=[za.Group("组", ("B", "C"), cap=2)]
    )
    quota = za.solve(given).quota
    assert quota.to_list() == [4, 1, 1, 0]
    assert step(given, quota, "B", -1).forbidden == ("乙下限 1",)
    assert set(step(given, quota, "B", 1).forbidden) == {"组上限 2", "丙下限 1"}
    assert set(step(given, quota, "A", 1).forbidden) == {"乙下限 1", "丙下限 1", "名额总量 6"}
    assert step(given, quota, "D", 1).forbidden == ("D理论名额为0，只取下限",)
    assert step(given, quota, "D", -1).forbidden == ("D已没有名额",)
    # With e = 0 and a floor, also where rules cross.
    crossing = problem(4, {"A": 3, "B": 2, "C": 0}, {"A": 0, "B": 0, "C": 1},
                       rows=[za.Rule("r", {"B": Fraction(1), "C": Fraction(2)}, Fraction(2))])  # fmt: skip
    assert step(crossing, za.solve(crossing).quota, "C", -1).forbidden == ("丙下限 1",)


def test_the_entitlement_that_changes_the_quota_by_hand():
    # A's second place costs 3/e, B's second 3/1.8: even at 1.8, where the label gives it to A. A's first costs
    # 1/e, B's third 5/1.8: even at 0.36, where the larger entitlement gives it to B.
    given = problem(3, {"A": 1.2, "B": 1.8})
    quota = za.solve(given).quota
    assert entitlement_for(given, quota, "A", step(given, quota, "A", 1)) == 1.8
    assert entitlement_for(given, quota, "A", step(given, quota, "A", -1)) == 0.36


def test_the_queue_by_hand():
    # At 4 places e = 1.6 2.4 and A's second place (3/1.6) comes before B's third (5/2.4); at 5, e = 2 3.
    given = problem(3, {"A": 1.2, "B": 1.8})
    quota = za.solve(given).quota
    assert (turn(given, quota, "A").after, turn(given, quota, "A").rank) == (1, 1)
    assert (turn(given, quota, "B").after, turn(given, quota, "B").rank) == (2, 2)
    capped = problem(3, {"A": 1.2, "B": 1.8}, cap={"A": 1, "B": 3})
    assert turn(capped, quota, "A") == Turn(None, 0, 3)
    assert turn(capped, quota, "B").after == 1


def test_the_queue_ends_where_the_rules_do():
    # B stops at 3 and A at 2: only two more places can be handed out, B's after A's.
    given = problem(3, {"A": 1.2, "B": 1.8}, cap=2, rows=[za.Group("组", ("B",), cap=2)])
    quota = za.solve(given).quota
    assert turn(given, quota, "A").after == 1
    assert turn(given, quota, "B") == Turn(None, 0, 1)


def test_a_bound_costs_what_its_relaxation_saves():
    # 2 4 under A's cap costs 4/4 + 4/2 = 3; one place more for A: 1/4 + 1/2.
    given = problem(6, {"A": 4, "B": 2}, cap={"A": 2, "B": 6})
    bound = bindings(given, za.solve(given).quota, "A")[0]
    assert (bound.limit.kind, bound.limit.value) == ("cap", 2)
    assert (moved(bound.shift), bound.shift.cost) == ({"A": 1, "B": -1}, pytest.approx(-9 / 4))
    assert unruled(given).to_list() == [4, 2]
    grouped = problem(6, {"A": 2, "B": 2, "C": 2}, rows=[za.Group("组", ("A", "B"), cap=2)])
    bound = bindings(grouped, za.solve(grouped).quota, "A")[0]
    assert (bound.limit.name, bound.limit.lower, bound.shift.changes["C"]) == ("组", False, -1)


def test_bounds_of_others_that_move_a_unit():
    # Without C's floor of 2: 3 3 0 of 6 (e 3 3 0.1). With it 2 2 2, and no bound holds A or B.
    given = problem(6, {"A": 3, "B": 3, "C": 0.1}, {"A": 0, "B": 0, "C": 2})
    quota = za.solve(given).quota
    assert (quota.to_list(), bindings(given, quota, "A")) == ([2, 2, 2], ())
    assert [(x.limit.name, x.limit.kind, x.places) for x in lifted(given, quota, "A")] == [("C", "floor", 3)]
    # A's cap of 2 takes nothing while C has its floor: without either A has 2, without both 3.
    both = problem(6, {"A": 3, "B": 3, "C": 0.1}, {"A": 0, "B": 0, "C": 2}, {"A": 2, "B": 6, "C": 6})
    assert {(x.limit.name, x.places) for x in lifted(both, za.solve(both).quota, "A")} == {("A", 2), ("C", 2)}


def test_a_step_that_leaves_out_a_unit_that_is_served_first_is_not_taken():
    # Under adams every unit has a place; with rules that cross, no model says what is best if one must not.
    rule = za.Rule("r", {"B": Fraction(1), "C": Fraction(2)}, Fraction(2))
    given = problem(4, {"A": 1, "B": 0.875, "C": 2, "D": 1}, rows=[rule], criterion="adams")
    quota = za.solve(given).quota
    assert step(given, quota, "A", 1).forbidden == ("准则先使每个单位都有名额，而规则互相交叉",)
    assert turn(given, quota, "C").after == 1


@pytest.mark.parametrize(
    ("start", "end", "told"),
    [
        (81.04, 81.716005069, ("0.68", "81.72")),  # onward, so that it is enough
        (81.04, 80.620872264, ("0.42", "80.62")),
        (1.0, 1.00000001, ("0.01", "1.01")),
        (1.004, 1.0041, ("0.01", "1.01")),
        (0.004, 0.002, ("0.002", "0.002")),  # 0.00 would not be a move
        (2.0, 1.999999999, ("0.01", "1.99")),
    ],
)  # fmt: skip
def test_how_far_an_entitlement_must_move_is_told_in_few_decimals(start, end, told):
    assert _moved(start, end) == told


# ---- against every integer vector ----


def cheapest(given, i, least, most):
    """Least cost over all vectors that keep the rules and give the unit at a position so many places."""
    box = [range(low, high + 1) for low, high in zip(given.lower, given.upper, strict=True)]
    allowed = [x for x in product(*box) if least <= x[i] <= most and not given.violations(list(x))]
    return min((given.cost(list(x)) for x in allowed), default=None)


def random_problem(seed, crossing):
    rng = np.random.default_rng(seed)
    labels = list("ABCD")
    due = {label: float(e) / 8 for label, e in zip(labels, rng.integers(1, 30, 4), strict=True)}
    rows = [za.Group("g", ("A", "B"), int(rng.integers(0, 4)), int(rng.integers(4, 7)))]
    if crossing:
        rows.append(za.Rule("r", {"B": Fraction(1), "C": Fraction(2)}, Fraction(int(rng.integers(1, 6)))))
    return problem(
        7, due, {k: int(rng.integers(0, 2)) for k in labels}, {k: int(rng.integers(3, 7)) for k in labels}, rows
    )


@pytest.mark.thorough
@pytest.mark.parametrize("crossing", [False, True])
@pytest.mark.parametrize("seed", range(6))
def test_steps_and_margins_against_enumeration(seed, crossing):
    given = random_problem(seed, crossing)
    quota = za.solve(given).quota
    base = given.cost(quota.to_list())
    for i, label in enumerate("ABCD"):
        for by in (1, -1):
            one = step(given, quota, label, by)
            have = int(quota[label])
            least = cheapest(given, i, have + 1, 7) if by > 0 else cheapest(given, i, 0, have - 1)
            assert (one.shift is None) == (least is None)
            if one.shift is None:
                assert one.forbidden
                continue
            assert one.shift.cost == pytest.approx(float(least - base), abs=1e-9)
            at = entitlement_for(given, quota, label, one)
            if at is None:
                continue
            reach = 1e-9 if given.nested else 1e-3
            for value, change in ((at + by * (reach if crossing else 0), True), (at - by * reach, False)):
                due = given.entitlement.copy()
                due[label] = value
                again = za.QuotaProblem(given.total, due, given.floor, given.cap, given.groups, given.rules)
                assert (by * (za.solve(again).quota[label] - quota[label]) > 0) == change


# ---- the sentences ----


def test_the_explanation_of_a_computed_quota(allocation):
    why = za.explain(allocation, "上海")
    assert (why.code, why.name, why.quota, why.unruled, why.decision, why.bindings) == (
        "310000",
        "上海",
        43,
        43,
        "",
        (),
    )
    assert why.contributions.sum() == pytest.approx(why.entitlement)
    assert why.entitlement == allocation.entitlement.places["310000"]
    assert [line for line in str(why).splitlines() if "估算" not in line] == [
        "2024年第一批基准情景：上海的名额为43家。",
        "上海的理论名额为43.52家，由以下各项构成：规模以上工业中小企业数9.87家、有效期内“小巨人”企业数23.54家、"
        "上一轮绩效评价后继续支持企业数11.37家、系数调节−1.26家。",
        "只按取整准则、不设任何上下限和规则时为43家，加入规则后仍为43家。",
        "没有上下限、分组或规则直接限制这一名额。",
        "若上海增至44家而总量不变，最合适的是广东减少1家，准则值增加0.000134。",
        "若上海减至42家而总量不变，最合适的是浙江增加1家，准则值增加0.045867。",
        "准则值越小，名额越接近理论名额；本情景的准则是韦伯斯特法：Σ（名额 − 理论名额）² ÷ 理论名额 最小。",
        "若名额总量增加（理论名额同比例增加，各项上下限的家数不变），上海排在第2位：总量增加2家、达到1041家时，轮到上海增加名额。",
        "其他单位的理论名额不变时，上海的理论名额须增加0.01家（达到43.53家），名额才增至44家；"
        "减少1.00家（降到42.52家），名额才减至42家。",
    ]
    places = allocation.entitlement.places
    # 上海 would take 广东's last place at e / 87 = e(广东) / 159, and yield its own to 浙江 at e / 85 = e(浙江) / 183.
    assert why.prospects.gains_at == pytest.approx(87 * places["440000"] / 159, abs=2e-9)
    assert why.prospects.loses_at == pytest.approx(85 * places["330000"] / 183, abs=2e-9)


def test_the_floor_that_lifts_a_unit_is_named(allocation):
    why = za.explain(allocation, "西藏自治区")
    assert [(b.limit.kind, b.limit.value) for b in why.bindings] == [("floor", 1)]
    assert (why.unruled, why.quota) == (0, 1)
    for told in (
        "各项规则使其增加1家",
        "起作用的约束是西藏下限 1：若放宽1家，则浙江增加1家、西藏减少1家，准则值减少",
        "不能再减少1家，限制来自：西藏下限 1",
        "名额总量增加一倍（理论名额同比例增加，各项上下限的家数不变）时，西藏的名额仍不多于1家。",
    ):
        assert told in why.text


def test_a_unit_goes_by_any_of_its_names(allocation):
    assert {za.explain(allocation, name).code for name in ("660000", "兵团", "新疆生产建设兵团")} == {"660000"}
    with pytest.raises(za.ScenarioError, match=r"没有名为“台湾”的单位；可用：北京、"):
        za.explain(allocation, "台湾")


def test_a_decided_quota_is_a_decision_and_not_a_result(panel, baseline):
    fixed = {"630000": Fixed(quota=5, reason="会商确定")}
    why = za.explain(za.allocate(panel, baseline.model_copy(update={"fixed": fixed})), "青海")
    assert (why.decision, why.bindings, why.prospects) == ("会商确定", (), None)
    assert "青海的名额为5家，系会商确定的人工调整，理由：会商确定" in why.text
    assert why.text.endswith("这一数字是决定，不是计算结果；若只按取整准则、不设任何规则，青海为1家。")


@pytest.mark.slow
def test_a_group_that_lifts_a_unit_and_a_rule_across_it_are_named(panel, baseline):
    groups = {"西部": Group(region="西部", floor=200)}
    rules = {"长江": Rule(units=["310000", "320000", "330000", "420000", "500000", "510000"], min_share=0.4)}
    why = za.explain(za.allocate(panel, baseline.model_copy(update={"groups": groups, "rules": rules})), "四川")
    assert "起作用的约束是西部下限 200：若放宽1家" in why.text
    assert "起作用的约束是长江下限 415.6（名额为整数，即416）：若放宽1家" in why.text
    assert why.quota > why.unruled
    assert why.prospects.gains_at > why.entitlement > why.prospects.loses_at


def told(panel, baseline, unit, **more):
    return za.explain(za.allocate(panel, baseline.model_copy(update=more)), unit).text


def test_a_weighted_rule_is_relaxed_by_its_own_measure_not_by_places(panel, baseline):
    rules = {"加权": Rule(coefficients={"440000": 2.0, "320000": 1.0}, max=250.0)}
    allocation = za.allocate(panel, baseline.model_copy(update={"rules": rules}))
    (held,) = bindings(allocation.problem, allocation.quota, "440000")
    (told,) = bounds_text(allocation, replace(_rounded(allocation, "440000", allocation.quota), bindings=(held,)))
    assert told.startswith(
        "起作用的约束是加权上限 250：若放宽1（按这条规则自身的计量，不是家数），则江苏减少1家、广东增加1家"
    )


def test_a_unit_that_loses_by_the_bounds_of_others_is_told_whose(panel, baseline):
    west = {"西部": Group(region="西部", floor=200)}
    assert "增减来自其他单位所受的约束：若不设西藏下限 1，浙江为92家。" in told(panel, baseline, "浙江")
    text = told(panel, baseline, "广东", groups=west, cap={"440000": 75})
    assert "增减由几项约束共同造成，只去掉其中一项，名额不变：西部下限 200、广东上限 75。" in text
    text = told(panel, baseline, "广东", cap={"440000": 80})
    assert "名额正好在广东上限 80，但不设这一项时也是80家。" in text


def test_a_total_that_the_rules_stop_is_told(panel, baseline):
    cap = za.allocate(panel, baseline).quota.to_dict() | {"310000": 46}
    text = told(panel, baseline, "浙江", cap=cap)  # only 上海, now at 43, can have more
    assert "增至1043家时各项规则互相冲突；增至1042家时，浙江的名额仍不多于91家。" in text


def test_a_criterion_that_compares_the_largest_deviation_says_so(panel, baseline):
    text = told(panel, baseline, "四川", criterion="leximin-relative", groups={"西部": Group(region="西部", floor=200)})
    assert "准则值不变。" in text
    assert "准则值即最大偏差；" in text
    assert "0.000000" not in text


def test_a_unit_left_without_a_place_is_counted_before_the_cost(panel, baseline):
    text = told(panel, baseline, "西藏", criterion="adams", floor={"default": 0})
    assert re.search(r"若西藏减至0家而总量不变，最合适的是.+增加1家，没有名额的单位增加1个，准则值", text)


def test_of_many_bounds_that_leave_no_place_the_first_are_named(panel, baseline):
    tight = za.allocate(panel, baseline.model_copy(update={"total": 1036, "floor": {"default": 28}}))
    (sentence,) = (line for line in za.explain(tight, "四川").text.splitlines() if "不能再增加1家" in line)
    assert sentence.endswith("等37项。")  # 36 floors and the total
    assert sentence.count("下限 28") == 6
