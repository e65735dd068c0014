"""Three batches as one plan: bounded entitlements, brute force, clashes, the pool, planning again."""

import math
import random
from fractions import Fraction
from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import LinearConstraint, milp
from support.programme_edits import cell_of, edited

import zjtx_alloc as za
from zjtx_alloc.quota.crossing.model_plan import Course, solve_plan
from zjtx_alloc.quota.nested import continuous
from zjtx_alloc.quota.nested.continuous import bounded_entitlement
from zjtx_alloc.quota.problem.problem import Row
from zjtx_alloc.report.documents.programme_workbook import write_programme
from zjtx_alloc.report.tables.plan import plan_basis, plan_intro, plan_summary, plan_table

BATCHES = ("2024-baseline", "2025-baseline", "2026-baseline")


@pytest.fixture(scope="module")
def planned():
    return za.plan([za.load_scenario(name) for name in BATCHES])


def scenario(batch=1, **changes):
    factors = {"gdp": {"period": "2020", "weight": 1.0}}
    return za.Scenario(**{"name": f"b{batch}", "title": "t", "batch": batch, "total": 10, "factors": factors} | changes)


def test_bounded_entitlement_worked_by_hand():
    # 10 places by 5, 3, 2: a floor of 4 for the last leaves 6 for 5 : 3.
    e = pd.Series([5.0, 3.0, 2.0], index=list("abc"))
    floor = pd.Series([0, 0, 4], index=list("abc"))
    assert bounded_entitlement(za.QuotaProblem(10, e, floor=floor)) == [Fraction(15, 4), Fraction(9, 4), 4]
    # a + b may have 6: inside 5 : 3, and the other 4 go to c.
    group = (za.Group("g", ("a", "b"), cap=6),)
    assert bounded_entitlement(za.QuotaProblem(10, e, groups=group)) == [Fraction(15, 4), Fraction(9, 4), 4]
    # a + b and b + c cross: with at most 6 and 4, Σ = 10 leaves a ≥ 6, so a = 6, b = 0, c = 4.
    rules = (za.Rule("r", {"a": Fraction(1), "b": Fraction(1)}, upper=Fraction(6)),)
    rules += (za.Rule("s", {"b": Fraction(1), "c": Fraction(1)}, upper=Fraction(4)),)
    assert bounded_entitlement(za.QuotaProblem(10, e, rules=rules)) == [6, 0, 4]


def test_a_floor_above_a_cap_is_named():
    e = pd.Series([5.0, 5.0], index=["a", "b"])
    with pytest.raises(za.InfeasibleError, match="a 的下限 4 大于上限 3；"):
        bounded_entitlement(za.QuotaProblem(10, e, floor=pd.Series([4, 0], e.index), cap=pd.Series([3, 10], e.index)))


def drawn(seed, crossing=False):
    """A feasible problem of a few units with bounds and nested groups, and a rule across them if wanted."""
    rng = random.Random(seed)
    while True:
        n, total = rng.randint(3, 6), rng.randint(6, 25)
        labels = [f"u{i}" for i in range(n)]
        weights = [rng.randint(1, 60) for _ in labels]
        e = pd.Series([total * w / sum(weights) for w in weights], index=labels)
        floor = pd.Series([rng.choice((0, 0, 1, 2)) for _ in labels], index=labels)
        cap = floor + pd.Series([rng.randint(2, 15) for _ in labels], index=labels)
        cut = rng.randint(2, n - 1)
        groups = (
            za.Group("g", tuple(labels[:cut]), floor=rng.randint(0, total // 2), cap=rng.randint(total // 3, total)),
            za.Group("h", tuple(labels[cut:]), cap=rng.randint(total // 3, total)),
        )
        rule = za.Rule("r", {labels[0]: Fraction(1), labels[-1]: Fraction(2)}, upper=Fraction(rng.randint(3, 20)))
        problem = za.QuotaProblem(total, e, floor=floor, cap=cap, groups=groups, rules=(rule,) if crossing else ())
        try:
            za.solve(problem)
        except za.InfeasibleError:
            continue
        return problem


def better_nearby(problem, found):
    """A direction between two feasible points that improves: by convexity an optimum has none towards any vertex."""
    e = problem.exact
    slope = [2 * (x - b) / b for x, b in zip(found, e, strict=True)]
    matrix = np.array([[1] * len(e), *([row.weight(i) for i in range(len(e))] for row in problem.rows)], dtype=float)
    ends = np.array([(problem.total, problem.total), *((row.lower, row.upper) for row in problem.rows)], dtype=float)
    vertex = milp(
        [float(s) for s in slope], constraints=LinearConstraint(matrix, *ends.T), bounds=(problem.lower, problem.upper)
    )
    return float(sum(s * (Fraction(v) - x) for s, v, x in zip(slope, vertex.x, found, strict=True)))


@pytest.mark.parametrize("seed", range(30))
def test_bounded_entitlement_is_the_continuous_optimum(seed):
    problem = drawn(seed)
    found = bounded_entitlement(problem)
    assert sum(found) == problem.total
    assert all(low <= x <= high for low, x, high in zip(problem.lower, found, problem.upper, strict=True))
    assert all(row.lower <= row.value(found) <= row.upper for row in problem.rows)
    assert better_nearby(problem, found) > -1e-7


@pytest.mark.parametrize("seed", range(30))
def test_bounded_entitlement_under_crossing_rules_is_proven(seed):
    problem = drawn(seed, crossing=True)
    found = bounded_entitlement(problem)
    assert sum(found) == problem.total
    assert better_nearby(problem, found) > -1e-7


def all_quotas(problem):
    spans = [range(low, high + 1) for low, high in zip(problem.lower, problem.upper, strict=True)]
    return [x for x in product(*spans) if not problem.violations(list(x))]


def beside(problem, before, targets):
    """Quotas of one batch after which every running total is floor or ceiling of its target."""
    spans = [
        range(max(low, math.floor(t) - a), min(high, math.ceil(t) - a) + 1)
        for a, t, low, high in zip(before, targets, problem.lower, problem.upper, strict=True)
    ]
    return [x for x in product(*spans) if not problem.violations(list(x))]


def test_crossing_rules_give_what_the_tree_gives_where_they_are_nested():
    for seed in range(10):
        problem = drawn(seed)
        places, wanted = continuous.bounded_entitlement(problem), continuous.wanted_of(problem)
        assert continuous._proven(problem, wanted) == places


def test_a_bound_from_prices_meets_the_cost_and_never_passes_it():
    for seed in range(10):
        problem = drawn(seed, crossing=True)
        wanted = continuous.wanted_of(problem)
        places = bounded_entitlement(problem)
        rows = [Row("", dict.fromkeys(range(len(places)), 1), problem.total, problem.total), *problem.rows]
        sides = [continuous._side(float(row.value(places)), row.lower, row.upper) for row in rows]
        bound = continuous._bound(rows, sides, places, wanted)
        assert continuous._cost(places, wanted) - Fraction(1, 10**9) <= bound <= continuous._cost(places, wanted)


@pytest.mark.parametrize("seed", range(25))
def test_a_plan_equals_brute_force_and_nested_rules_always_leave_one(seed):
    rng, first = random.Random(seed), drawn(seed)
    second = za.QuotaProblem(first.total, first.entitlement, floor=first.floor, cap=first.cap, groups=first.groups[1:])
    start = tuple(rng.randint(0, 3) for _ in first.labels)
    one = tuple(a + x for a, x in zip(start, bounded_entitlement(first), strict=True))
    two = tuple(a + x for a, x in zip(one, bounded_entitlement(second), strict=True))
    course = Course((first, second), start, (one, two))
    found = solve_plan(course)
    assert not course.violations(found.places)
    assert found.proof == "dual"
    plans = [
        (x, y) for x in beside(first, start, one)
        for y in beside(second, [a + v for a, v in zip(start, x, strict=True)], two)
    ]  # fmt: skip
    best = min(course.cost(both) for both in plans)
    assert found.cost == best
    assert best - Fraction(1, 10**6) <= found.bound <= best


def test_the_shipped_batches_stay_within_a_place_and_beat_batches_on_their_own(planned):
    table = planned.table
    assert table["quota"].groupby("batch").sum().to_dict() == {1: 1039, 2: 1241, 3: 1241}
    assert (table["running"] - table["running_target"]).abs().max() < 1
    alone = table["separate"].groupby("code").cumsum() - table["running_target"]
    assert alone.abs().max() > 1  # rounding hits the same units again and again
    assert planned.cost < (alone**2).sum()
    assert planned.cost == pytest.approx(((table["running"] - table["running_target"]) ** 2).sum(), abs=1e-9)
    assert (planned.quota >= 1).all(axis=None)


def test_crossing_rules_that_leave_no_plan_are_named(toy_panel):
    # 2.5 places each; 3a + 5b = 20 has the whole answers (5, 1) and (0, 4), none of them beside 2.5.
    panel = toy_panel(gdp=[1, 1, 1, 1])
    a, b, c, _ = panel.units.index
    clash = {"奇": {"coefficients": {a: 3.0, b: 5.0}, "min": 20.0, "max": 20.0}, "松": {"units": [b, c], "max": 9.0}}
    with pytest.raises(za.InfeasibleError) as caught:
        za.plan([scenario(1, total=10, rules=clash), scenario(2, total=10)], panel)
    assert "第1批的“奇”" in str(caught.value)
    assert "松" not in str(caught.value)
    assert za.plan([scenario(1, total=10, rules={"松": clash["松"]}), scenario(2, total=10)], panel).cost == 1
    with pytest.raises(za.InfeasibleError, match="第3批的“奇”"):
        za.plan([scenario(2, total=12), scenario(3, total=10, rules={"奇": clash["奇"]})], panel)


def test_what_proves_a_plan_is_told_as_it_is(planned, toy_panel):
    assert "两族嵌套约束，约束矩阵全幺模" in plan_basis(planned)
    panel = toy_panel(gdp=[1, 1, 1, 1])
    a, b, c, _ = panel.units.index
    rules = {"甲": {"units": [a, b], "max": 6.0}, "乙": {"units": [b, c], "max": 6.0}}
    crossed = za.plan([scenario(1, total=10, rules=rules), scenario(2, total=10)], panel)
    assert crossed.proof == "dual"
    assert "规则之间有交叉，最优性由线性规划对偶价格" in plan_basis(crossed)


def own_counts(tmp_path, jiangsu):
    """The panel with a user's current counts of 可推荐企业数: plenty, but for 江苏."""
    names = za.load_panel().units["short_name"]
    rows = "".join(f"{name},{jiangsu if name == '江苏' else 1000}\n" for name in names)
    path = tmp_path / "pool.csv"
    path.write_text("单位,可推荐企业数\n" + rows, encoding="utf-8")
    return za.load_panel(path)


@pytest.mark.thorough
def test_the_users_own_counts_cap_their_batch_alone(planned, tmp_path):
    assert planned.pool_until == 0
    panel = own_counts(tmp_path, 100)
    scenarios = [za.load_scenario(name) for name in BATCHES]
    once = za.plan(scenarios, panel)
    assert once.pool_until == 1
    assert once.quota.at["320000", 1] == 100
    # Like any cap of a batch it lowers what is due there, and is not made good later.
    assert abs(once.quota.at["320000", 2] - planned.quota.at["320000", 2]) <= 1


@pytest.mark.thorough
def test_a_pool_that_is_too_small_is_named(tmp_path, baseline):
    # The floor for all units yields to what there is; one of a unit's own does not.
    assert za.plan([baseline], own_counts(tmp_path, 0)).quota.at["320000", 1] == 0
    with pytest.raises(za.InfeasibleError, match="江苏 的下限 3 大于上限 0"):
        za.plan([baseline.model_copy(update={"floor": {"default": 1, "320000": 3}})], own_counts(tmp_path, 0))


def test_planning_again_with_what_was_planned_changes_nothing(planned):
    again = za.replan(planned, {1: planned.quota[1]})
    assert again.changes.empty
    assert again.plan.quota.equals(planned.quota)


def test_planning_again_makes_up_what_a_unit_was_short_of(planned):
    approved = planned.quota[1].copy()
    approved["320000"] -= 12
    after = za.replan(planned, {1: approved})
    # 江苏's part of 1,027 approvals is 110.01 × 1027/1039 = 108.7; it had 98.
    due = planned.table.at[(1, "320000"), "target"] * 1027 / 1039
    changed = after.changes.loc[(2, "320000")]
    assert changed["arrears"] == pytest.approx(due - 98)
    assert changed["difference"] in (10, 11)
    assert changed["why"].startswith("此前累计比应得少10.")
    table = after.plan.table
    assert table["quota"].groupby("batch").sum().to_dict() == {1: 1027, 2: 1241, 3: 1241}
    assert table.loc[1, "known"].all()
    assert not table.loc[2, "known"].any()
    open_ = table[~table["known"]]
    assert (open_["running"] - open_["running_target"]).abs().max() < 1


@pytest.mark.parametrize(
    ("actual", "said"),
    [
        (lambda q: {2: q[2]}, "前几批"),
        (lambda q: {n: q[n] for n in (1, 2, 3)}, "至少留一批"),
        (lambda q: {1: q[1].iloc[1:]}, "110000"),
        (lambda q: {1: q[1] - 0.5}, "110000"),
        (lambda q: {1: pd.concat([q[1], pd.Series({"999999": 1})])}, "999999"),
        (lambda q: {1: pd.concat([q[1], q[1].iloc[:1]])}, "110000"),
        (lambda q: {1: q[1].astype("Int64").replace(q[1].iloc[0], pd.NA)}, "110000"),
    ],
)
def test_wrong_results_of_a_batch_are_refused(planned, actual, said):
    with pytest.raises(za.DataError) as caught:
        za.replan(planned, actual(planned.quota))
    assert said in str(caught.value)


def test_batches_must_differ(baseline):
    for scenarios in ([], [baseline, baseline]):
        with pytest.raises(za.ScenarioError, match="不同批次"):
            za.plan(scenarios)


def words_of(scenarios):
    """The plan page of a programme: its plan, its sentences by line, its table."""
    found = za.plan(scenarios)
    return [*plan_summary(found).split("\n"), plan_intro(found)], plan_table(found).frame


def test_the_page_says_which_way_counts_and_who_is_off_as_its_table_has_it(baseline):
    scenarios = [za.load_scenario(name) for name in BATCHES]
    alone, table = words_of(za.allocate_programme(za.load_panel(), scenarios[0]))
    off = table.set_index("单位")["累计名额与累计应得之差"].drop("合计")
    assert f"有{(off.abs() >= 1).sum()}个单位的累计名额不是累计应得的上下取整" in alone[0]
    assert "河南+1.10、北京+1.05家" in alone[0]
    assert "现以单独取整为准" in alone[-1]


@pytest.mark.thorough
def test_the_page_follows_the_case_of_unused_places(tmp_path):
    path = write_programme(tmp_path / "测算.xlsx", za.load_scenario("2024-baseline"))
    quota = za.allocate(za.load_panel(), za.load_scenario("2024-baseline")).quota

    def short(way):
        def change(book):
            for batch in (1, 2, 3):
                cell_of(book["批次"], {"批次": batch}, "未用名额").value = way
            for code, places in quota.items():
                passed = int(places) - (5 if code == "330000" else 0)
                cell_of(book["审核结果"], {"批次": 1, "代码": code}, "审核通过").value = passed

        return change

    pages = {}
    for way in ("本单位补回", "统筹补回"):
        found = za.load_programme(edited(path, short(way), tmp_path / f"{way}.xlsx"))
        pages[way] = words_of(za.allocate_programme(found.panel, found.batch(2).scenario))
    said, table = pages["本单位补回"]
    assert "第2批1,246" in said[0]
    assert "浙江+4.15" in said[0]
    assert said[1].startswith("- 第2批名额含上批未用、由本单位补回的5家（浙江5）")
    assert table.iloc[-1][["第2批名额", "累计名额"]].tolist() == [1246, 1039 + 1246 + 1241]
    said, table = pages["统筹补回"]
    assert "各单位的累计名额都是累计应得的上下取整" in said[0]
    assert "现以取整结转为准（第2批）" in said[-1]
    assert table.iloc[-1][["第1批名额", "第1批审核通过（累计以此计）", "累计名额"]].tolist() == [
        1039,
        1034,
        1034 + 1241 * 2,
    ]
    assert "第1批取整结转（供比较，不作数）" not in table


@pytest.mark.thorough
def test_the_page_says_what_totals_follow_and_that_2021_counts_cap_nothing(planned, tmp_path):
    assert "2021年名单不能代替" in plan_basis(planned)
    assert "累计应得为各批有界理论名额" in plan_basis(planned)
    assert len(plan_summary(planned).split("\n")) == 3
    table = plan_table(planned)
    assert table.frame.iloc[-1]["累计名额"] == 1039 + 1241 + 1241
    assert any("2021年名单不能代替" in note for note in table.notes)
    rests = [note[:14] for note in table.notes if "理论名额的依据" in note]
    assert rests == [f"第{batch}批理论名额的依据：公布数" for batch in (1, 2, 3)], "each batch by its number"
    told = plan_basis(za.plan([za.load_scenario(name) for name in BATCHES], own_counts(tmp_path, 100)))
    assert "只约束第1批" in told
    assert "缺数不按0处理" in told
    assert "2021年名单" not in told
