"""From scenario to quota problem: bounds on change, shares, decisions, and the order of the rows."""

import random
from dataclasses import replace
from fractions import Fraction
from typing import get_args

import pandas as pd
import pytest
from hypothesis import given, strategies as st
from support.examples import examples

import zjtx_alloc as za
from zjtx_alloc.quota.problem.criteria import CRITERIA, criterion_name
from zjtx_alloc.report.notes import marks as notes
from zjtx_alloc.rules.scenario import Criterion
from zjtx_alloc.rules.scenario_files import previous_batch

HEAD = 'extends = "2024-baseline"\n'
DECIDED = '[fixed."{unit}"]\nquota = {quota}\nreason = "会商确定"\n'
TIBET, JIANGSU = "540000", "320000"


def change(write_scenario, options, jiangsu=108):
    """A batch of 1241 places after one of 1039 in which 江苏 had 108 and 西藏 1."""
    decided = DECIDED.format(unit="江苏", quota=jiangsu) + DECIDED.format(unit="西藏", quota=1)
    write_scenario(HEAD + decided, "before.toml")
    text = 'extends = "2025-baseline"\n[change]\nprevious = "before.toml"\n' + options
    return za.load_scenario(write_scenario(text, "after.toml"))


def bounds_of(panel, scenario, unit):
    problem = za.quota_problem(panel, scenario)
    return int(problem.floor[unit]), int(problem.cap[unit])


def test_bounds_on_change_are_measured_against_the_scaled_previous_quota(panel, write_scenario):
    # 108 x 1241/1039 = 128.997; a fifth either way is 103.197 to 154.796, outward 103 and 155
    scenario = change(write_scenario, "max_relative = 0.2\n")
    assert bounds_of(panel, scenario, JIANGSU) == (103, 155)


def test_raw_bounds_on_change_are_measured_against_the_previous_quota(panel, write_scenario):
    # 108 less and plus 21.6 is 86.4 to 129.6
    scenario = change(write_scenario, "max_relative = 0.2\nraw = true\n")
    assert bounds_of(panel, scenario, JIANGSU) == (86, 130)


def test_bounds_on_change_leave_at_least_one_place_either_way(panel, write_scenario):
    # 1 x 1241/1039 = 1.194, one place either way 0.194 to 2.194; the floor of 1 is the tighter one
    assert bounds_of(panel, change(write_scenario, "max_relative = 0.2\n"), TIBET) == (1, 3)
    assert bounds_of(panel, change(write_scenario, "max_relative = 0.0\nraw = true\n"), JIANGSU) == (107, 109)


def test_the_floor_of_a_change_is_never_negative(panel, write_scenario):
    scenario = change(write_scenario, "max_relative = 1.5\nraw = true\n[floor]\ndefault = 0\n")
    assert bounds_of(panel, scenario, TIBET) == (0, 3)


def test_a_limit_on_change_is_the_decimal_that_was_written(panel, write_scenario):
    # 100 x 0.07 is 7; in floats 7.000000000000001, which rounds outward to 8
    scenario = change(write_scenario, "max_relative = 0.07\nraw = true\n", jiangsu=100)
    assert bounds_of(panel, scenario, JIANGSU) == (93, 107)


def test_the_tightest_bound_counts_and_is_named(panel, write_scenario):
    scenario = change(write_scenario, 'max_relative = 0.2\n[cap]\n"江苏" = 105\n[floor]\n"江苏" = 90\n')
    assert bounds_of(panel, scenario, JIANGSU) == (103, 105)
    allocation = za.allocate(panel, scenario)
    assert allocation.quota[JIANGSU] == 105
    assert allocation.table().at[JIANGSU, "binds"] == "上限"
    # From 100 places: 119.442 and a twentieth more, 125.41, outward; the entitlement is 129.56.
    risen = za.allocate(panel, change(write_scenario, "max_relative = 0.05\n", jiangsu=100))
    assert risen.quota[JIANGSU] == 126
    assert risen.table().at[JIANGSU, "binds"] == "变动上限"


def test_batches_that_are_each_others_previous_are_an_error(panel, write_scenario):
    write_scenario(HEAD + '[change]\nprevious = "b.toml"\nmax_relative = 0.2\n', "a.toml")
    path = write_scenario(HEAD + '[change]\nprevious = "a.toml"\nmax_relative = 0.2\n', "b.toml")
    with pytest.raises(za.ScenarioError, match=r"情景 b 的上批情景（change\.previous）首尾相接（b）"):
        za.quota_problem(panel, za.load_scenario(path))


def test_a_previous_batch_of_no_places_is_refused(panel, write_scenario):
    write_scenario(HEAD + "total = 0\n[floor]\ndefault = 0\n", "none.toml")
    path = write_scenario(HEAD + '[change]\nprevious = "none.toml"\nmax_relative = 0.2\n')
    with pytest.raises(za.ZjtxError):
        za.quota_problem(panel, za.load_scenario(path))


@pytest.mark.parametrize(
    ("bound", "places"),
    [
        ("min_share = 0.07", 7),  # in floats 0.07 x 100 is above 7 and would ask for 8
        ("max_share = 0.29", 29),  # in floats 0.29 x 100 is below 29 and would allow 28
        ("min = 6.5", 7),
        ("max = 29.9", 29),
    ],
)
def test_a_rule_over_shares_is_exact(panel, baseline, write_scenario, bound, places):
    units = '"西藏", "青海"' if bound.startswith("min") else '"江苏", "广东", "浙江", "山东", "北京"'
    text = HEAD + f"total = 100\n[rules.r]\nunits = [{units}]\n{bound}\n"
    allocation = za.allocate(panel, za.load_scenario(write_scenario(text)))
    names = units.replace('"', "").split(", ")
    assert allocation.quota[allocation.panel.units["short_name"].isin(names)].sum() == places


def test_a_region_group_is_held(panel, write_scenario, allocation):
    west = panel.units["region"] == "西部"
    assert allocation.quota[west].sum() < 200
    text = HEAD + '[groups."西部"]\nregion = "西部"\nfloor = 200\n'
    held = za.allocate(panel, za.load_scenario(write_scenario(text)))
    assert held.quota[west].sum() == 200
    assert (held.quota[west] >= allocation.quota[west]).all()
    assert held.quota.sum() == 1039


def test_a_decision_is_taken_and_the_table_says_who_gave(panel, write_scenario, allocation):
    scenario = za.load_scenario(write_scenario(HEAD + DECIDED.format(unit="西藏", quota=2)))
    decided = za.allocate(panel, scenario)
    # Webster takes the place back whose last seat has the smallest quotient e/(2x - 1), above the floor of 1.
    due = {u: Fraction(round(e * 10**9)) for u, e in allocation.entitlement.places.items()}
    above = [u for u in due if allocation.quota[u] > 1]
    giver = min(above, key=lambda u: (due[u] / (2 * int(allocation.quota[u]) - 1), due[u]))
    table = za.decisions(decided)
    assert table.index.name == "code"
    assert table.drop(columns="short_name").to_dict("index") == {
        TIBET: {"model": 1, "quota": 2, "difference": 1, "reason": "会商确定"},
        giver: {
            "model": int(allocation.quota[giver]),
            "quota": int(allocation.quota[giver]) - 1,
            "difference": -1,
            "reason": "因人工调整相应增减",
        },
    }
    assert decided.table().at[TIBET, "binds"] == "人工调整"
    assert decided.quota.sum() == 1039


def test_a_decision_that_the_model_made_anyway_is_still_told(panel, write_scenario, allocation):
    same = int(allocation.quota[JIANGSU])
    scenario = za.load_scenario(write_scenario(HEAD + DECIDED.format(unit="江苏", quota=same)))
    decided = za.allocate(panel, scenario)
    assert za.decisions(decided)[["model", "quota", "difference"]].to_dict("index") == {
        JIANGSU: {"model": same, "quota": same, "difference": 0}
    }
    # Nothing pulls at it, and yet it is a decision that holds it.
    assert decided.table().at[JIANGSU, "binds"] == "人工调整"


def test_a_decision_replaces_the_bounds_of_its_unit(panel, write_scenario):
    # Without the decision the floor above the cap admits no quota, so the model has no number to show.
    text = HEAD + '[floor]\n"西藏" = 5\n[cap]\n"西藏" = 3\n' + DECIDED.format(unit="西藏", quota=4)
    decided = za.allocate(panel, za.load_scenario(write_scenario(text)))
    assert decided.quota[TIBET] == 4
    table = za.decisions(decided)
    assert list(table.index) == [TIBET]
    assert table["model"].isna().all()


def test_without_decisions_the_table_is_empty(allocation):
    table = za.decisions(allocation)
    assert list(table.columns) == ["short_name", "model", "quota", "difference", "reason"]
    assert table.empty


def test_an_infeasible_scenario_is_named_with_its_culprit(panel, write_scenario):
    path = write_scenario(HEAD + '[floor]\n"江苏" = 90\n[cap]\n"江苏" = 80\n')
    with pytest.raises(za.InfeasibleError, match=r"情景 trial：.*江苏 的下限 90 大于上限 80"):
        za.allocate(panel, za.load_scenario(path))


def test_the_table_of_the_baseline(allocation):
    table = allocation.table()
    assert list(table.columns) == [
        "short_name", "region", "entitlement", "quota", "floor", "cap", "binds", "estimated", "stand_in",
    ]  # fmt: skip
    assert (len(table), table["quota"].sum(), table["quota"].dtype) == (37, 1039, "int64")
    # 西藏's entitlement of 0.40 would give it nothing: its floor holds it, and nobody else's does.
    assert table["binds"][table["binds"] != ""].to_dict() == {TIBET: "下限"}
    # Nowhere are both factors published; three units have no firm of the first round, which stands in for 培育绩效.
    assert (table["estimated"] == "估算").all()
    assert table["short_name"][table["stand_in"] == ""].tolist() == ["内蒙古", "西藏", "青海"]
    assert set(table["cap"]) == {1039}


@examples(8)
@given(seed=st.integers(0, 2**32))
def test_law_the_order_of_the_rows_changes_nothing(allocation, seed):
    # Entitlements in halves leave ties everywhere; the groups cross.
    west = allocation.panel.units.index[allocation.panel.units["region"] == "西部"]
    rng = random.Random(seed)
    order = rng.sample(sorted(allocation.quota.index), 37)
    halves = pd.Series({u: rng.choice([0.5, 1.0, 2.5, 4.0]) for u in allocation.quota.index})
    groups = (za.Group("西部", tuple(west), 20), za.Group("others", tuple(allocation.quota.index[5:30]), cap=55))
    problem = za.QuotaProblem(80, halves, groups=groups)
    shuffled = replace(problem, entitlement=halves[order], floor=problem.floor[order], cap=problem.cap[order])
    assert za.solve(shuffled).quota.to_dict() == za.solve(problem).quota.to_dict()


def test_the_order_of_the_rows_changes_nothing_in_the_baseline(allocation):
    backwards = allocation.quota.index[::-1]
    problem = allocation.problem
    shuffled = replace(
        problem, entitlement=problem.entitlement[backwards], floor=problem.floor[backwards], cap=problem.cap[backwards]
    )
    assert za.solve(shuffled).quota.to_dict() == allocation.quota.to_dict()


def test_a_users_file_may_share_the_name_of_the_previous_batch(write_scenario, panel):
    text = 'extends = "2024-baseline"\n[change]\nprevious = "2024-baseline"\nmax_relative = 0.1\n'
    again = za.load_scenario(write_scenario(text, "2024-baseline.toml"))
    assert za.allocate(panel, again).quota.sum() == 1039


def test_scenarios_know_all_criteria():
    assert get_args(Criterion) == tuple(CRITERIA)
    assert all(criterion_name(name) for name in CRITERIA)


def test_a_scenario_may_name_any_criterion(panel, write_scenario, allocation):
    # 西藏 is due 0.04 places: without its floor it has none, and a method that serves everyone first gives it one.
    adams = za.allocate(panel, za.load_scenario(write_scenario(HEAD + 'criterion = "adams"\n[floor]\ndefault = 0\n')))
    assert (adams.quota[TIBET], adams.solution.unserved) == (1, ())
    due = {u: Fraction(round(e * 10**9)) for u, e in allocation.entitlement.places.items()}
    seats = dict.fromkeys(due, 1)  # everyone's first, then seat by seat to the largest e / (k - 1)
    for _ in range(1039 - 37):
        seats[max(due, key=lambda u: (due[u] / seats[u], due[u]))] += 1
    assert adams.quota.to_dict() == seats
    assert "亚当斯法" in notes.criterion_note(adams)
    assert "韦伯斯特法" in notes.criterion_note(allocation)


def test_a_thousand_groups_and_rules_lie_within_each_other():
    entitlement = pd.Series({"a": 1.0, "b": 1.0, "c": 8.0})
    groups = tuple(za.Group(f"g{n}", ("a", "b"), 4) for n in range(1000))
    rules = tuple(za.Rule(f"r{n}", {"a": 1, "b": 1, "c": 1}, lower=n % 10) for n in range(1000))
    solution = za.solve(za.QuotaProblem(10, entitlement, groups=groups, rules=rules))
    assert (list(solution.quota), solution.engine) == ([2, 2, 6], "exact")


@pytest.mark.thorough
def test_a_chain_of_a_thousand_groups_each_held_at_its_cap():
    """The first n + 2 units may have n + 2 places: everyone but the last is held at one, which asks for three."""
    units = [f"u{n:04}" for n in range(1003)]
    groups = tuple(za.Group(f"g{n}", tuple(units[: n + 2]), cap=n + 2) for n in range(1000))
    solution = za.solve(za.QuotaProblem(1010, pd.Series(3.0, index=units), groups=groups))
    assert solution.quota.tolist() == [1] * 1001 + [5, 4]


@pytest.mark.thorough
def test_four_hundred_previous_batches_are_refused_and_thirty_are_not(panel, write_scenario):
    write_scenario(HEAD, "batch0.toml")
    for number in range(1, 401):
        previous = f'[change]\nprevious = "batch{number - 1}.toml"\nmax_relative = 0.5\n'
        last = write_scenario(HEAD + previous, f"batch{number}.toml")
    with pytest.raises(za.ScenarioError, match=r"情景 batch400 之前以.*相接的批次多于30个；请减少"):
        za.allocate(panel, za.load_scenario(last))
    assert za.allocate(panel, za.load_scenario(last.with_name("batch4.toml"))).quota.sum() == 1039
    assert previous_batch(za.load_scenario(last.with_name("batch30.toml"))).name == "batch29"
