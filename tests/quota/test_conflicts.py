"""Why a problem has no answer: conflicts worked by hand, and random ones against another solver."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import Bounds, LinearConstraint, milp

import zjtx_alloc as za

NAMES = {"A": "甲", "B": "乙", "C": "丙", "D": "丁"}


def problem(total, due, floor=None, cap=None, rows=()):
    """A problem by label with its groups and rules; floors 0 and caps ``total`` where none is given."""
    return za.QuotaProblem(
        total,
        pd.Series(due, dtype=float),
        pd.Series({label: (floor or {}).get(label, 0) for label in due}),
        pd.Series({label: (cap or {}).get(label, total) for label in due}),
        tuple(row for row in rows if isinstance(row, za.Group)),
        tuple(row for row in rows if isinstance(row, za.Rule)),
        names=NAMES,
    )


ABC = {"A": 2, "B": 2, "C": 2}
ABCD = ABC | {"D": 2}
WEIGHTED = za.Rule("加权", {"A": Fraction(1, 2), "B": Fraction(1)}, Fraction(7))
# What clashes and the least way out, by hand: the sentence, the sum of changes, and the bounds to change.
WORKED = {
    "group and its caps": (
        problem(9, ABCD, cap={"A": 1, "B": 2}, rows=[za.Group("西部", ("A", "B"), floor=5)]),
        "西部下限 5 大于西部各单位上限之和 3", 2, {("西部", 5, 3)},
    ),
    # Two clashes that share a way out: the subgroup's cap 3 and the parent's cap 5 under three floors of 2.
    "stacked": (
        problem(9, ABCD, dict.fromkeys("ABC", 2), rows=[za.Group("内", ("A", "B"), cap=3), za.Group("外", ("A", "B", "C"), cap=5)]),
        "内各单位下限之和 4 大于内上限 3", 1, None,
    ),
    # Of the floors 1, 3 and 4 the last two are enough to clash with 5 places.
    "not every floor": (
        problem(5, ABC, {"A": 1, "B": 3, "C": 4}), "丙、乙下限之和 7 大于名额总量 5", 3, None,
    ),
    "a zero": (
        problem(5, {"A": 3, "B": 0}, cap={"A": 3}),
        "名额总量 5 大于全部单位上限之和 3（乙理论名额为0，只取下限）", 2, {("A", 3, 5)},
    ),
    # Nothing else gives way: B has no places to take but by a floor of its own.
    "only a zero can": (
        problem(5, {"A": 3, "B": 0}, rows=[za.Group("乙组", ("B",), floor=2)]), "乙组下限 2 大于乙（理论名额为0，只取下限）名额 0", 2, {("乙组", 2, 0)},
    ),
    "crossing": (
        problem(3, ABC, rows=[za.Group("甲乙", ("A", "B"), 3), za.Group("乙丙", ("B", "C"), 2), za.Group("乙", ("B",), cap=0)]),
        "甲乙下限 3、乙丙下限 2、乙上限 0、名额总量 3 不能同时满足", 2, None,
    ),
    # a/2 + b = 7 at best 5 with all places at B: short by 2 in the rule's own measure.
    "weighted": (problem(5, ABC, rows=[WEIGHTED]), "加权下限 7、名额总量 5 不能同时满足", 2, {("加权", 14, 10)}),
    # 2a + 4b is even, whatever the total.
    "no integer": (
        problem(2, ABC, rows=[za.Rule("奇数", {"A": Fraction(2), "B": Fraction(4)}, Fraction(5), Fraction(5))]),
        "奇数下限 5、奇数上限 5 不能同时满足", 1, None,
    ),
    "no member": (problem(5, ABC, rows=[za.Group("空", (), 2)]), "空下限 2 大于0", 2, {("空", 2, 0)}),
    # No unit takes no place: neither the total nor the group's own cap is needed to see it.
    "no member, above the total": (problem(3, ABC, rows=[za.Group("g", (), 6, 5)]), "g下限 6 大于0", 6, {("g", 6, 0)}),
    # Written as 5/2: a step of 1/2 down to 2, where raising the cap would take a whole place.
    "halves": (
        problem(6, ABC, cap={"A": 2}, rows=[za.Rule("半", {"A": Fraction(1)}, Fraction(5, 2))]),
        "半下限 2.5（名额为整数，即3） 大于甲上限 2", Fraction(1, 2), {("半", Fraction(5, 2), 2)},
    ),
    "no whole number between": (
        problem(6, ABC, rows=[za.Rule("缝", {"A": Fraction(1)}, Fraction(11, 5), Fraction(14, 5))]),
        "缝下限 2.2（名额为整数，即3） 大于缝上限 2.8（名额为整数，即2）", Fraction(1, 5), {("缝", Fraction(11, 5), 2)},
    ),
    # 5/2 + 5/2 is no more than 5, but whole places are 3 + 3.
    "halves that add up": (
        problem(9, ABC, rows=[*(za.Rule(f"半{x}", {x: Fraction(1)}, Fraction(5, 2)) for x in "AB"), za.Group("组", ("A", "B"), cap=5)]),
        "半A、半B下限之和 6（各按整数名额计） 大于组上限 5", Fraction(1, 2), None,
    ),
    # a/2 ≥ 3 asks for 6 places: the sides have different measures, so they are listed, not compared.
    "another measure": (
        problem(9, ABC, cap={"A": 5}, rows=[za.Rule("半数", {"A": Fraction(1, 2)}, Fraction(3))]),
        "半数下限 3、甲上限 5 不能同时满足", Fraction(1, 2), {("半数", 6, 5)},
    ),
    # A floor above the total clashes with it, whatever the cap says.
    "above the total": (problem(5, ABC, {"A": 9}, {"A": 4}), "甲下限 9 大于名额总量 5", 5, None),
}  # fmt: skip


@pytest.mark.parametrize("case", WORKED)
def test_conflict_and_relaxation_worked_by_hand(case):
    clashing, sentence, change, changes = WORKED[case]
    diagnosis = za.diagnose(clashing)
    assert diagnosis.conflict.text == sentence
    assert diagnosis.relaxation.total_change == change
    if changes is not None:
        assert {(limit.name, limit.value, new) for limit, new in diagnosis.relaxation.changes} == changes
    assert za.solve(diagnosis.relaxation.problem).quota.sum() == clashing.total


def test_equal_changes_are_spread_over_the_units():
    # 3 x 4 = 12 floors for 6 places: 6 to give up, two each.
    relaxation = za.diagnose(problem(6, ABC, dict.fromkeys("ABC", 4))).relaxation
    assert relaxation.total_change == 6
    assert relaxation.problem.floor.to_dict() == {"A": 2, "B": 2, "C": 2}
    assert "甲、乙、丙下限由 4 降至 2" in relaxation.text


def test_what_cannot_be_spread_evenly_falls_on_the_units_in_their_order():
    # 12 floors for 7 places: 5 to give up, at most two each; which unit keeps a place more, the solver does not choose.
    for order in ("ABC", "CAB"):
        relaxation = za.diagnose(problem(7, dict.fromkeys(order, 2), dict.fromkeys(order, 4))).relaxation
        assert relaxation.problem.floor.to_dict() == dict(zip(order, (2, 2, 3), strict=True))


def test_solve_carries_the_diagnosis_and_says_it():
    with pytest.raises(za.InfeasibleError) as caught:
        za.solve(WORKED["group and its caps"][0])
    assert caught.value.diagnosis.conflict.text in str(caught.value)
    assert "合计放宽 2）：西部下限由 5 降至 3" in str(caught.value)


@pytest.mark.parametrize(("case", "with_total"), [("group and its caps", False), ("above the total", True)])
def test_a_conflict_says_whether_the_total_is_part_of_it(case, with_total):
    assert za.diagnose(WORKED[case][0]).conflict.with_total is with_total


def test_a_scenario_error_keeps_the_diagnosis(panel, baseline):
    with pytest.raises(
        za.InfeasibleError, match=r"情景 2024-baseline：.*26个单位下限之和 1040 大于名额总量 1039"
    ) as caught:
        za.allocate(panel, baseline.model_copy(update={"floor": {"default": 40}}))
    assert caught.value.diagnosis.relaxation.total_change == 37 * 40 - 1039


def test_without_conflict_it_says_so():
    diagnosis = za.diagnose(problem(5, ABC))
    assert (diagnosis.conflict, diagnosis.relaxation) == (None, None)
    assert str(diagnosis) == "各项规则之间没有冲突，名额总量 5 有分配方案。"


# ---- the oracle: the rules as the problem states them, by name, and another solver ----


def stated(given):
    """Every bound of a problem as {(kind, name, lower): (weights, value)}, from its own fields."""
    labels = given.labels
    unit = {label: np.eye(len(labels))[i] for i, label in enumerate(labels)}
    found = {}
    for label in labels:
        found["floor", label, True] = (unit[label], given.floor[label])
        found["cap", label, False] = (unit[label], given.cap[label])
        if given.entitlement[label] == 0:
            found["zero", label, False] = (unit[label], given.floor[label])
    for group in given.groups:
        weights = sum((unit[label] for label in group.members), np.zeros(len(labels)))
        if group.floor is not None:
            found["group", group.name, True] = (weights, group.floor)
        if group.cap is not None:
            found["group", group.name, False] = (weights, group.cap)
    for rule in given.rules:
        weights = sum((float(w) * unit[label] for label, w in rule.coefficients.items()), np.zeros(len(labels)))
        if rule.lower is not None:
            found["rule", rule.name, True] = (weights, float(rule.lower))
        if rule.upper is not None:
            found["rule", rule.name, False] = (weights, float(rule.upper))
    return found


def least_change(bounds, units, total):
    """Least sum of violations of the bounds over integers with this total; ``None`` for any total."""
    keys = list(bounds)
    slack = -np.eye(len(keys))
    rows = [np.concatenate([(-1 if key[2] else 1) * bounds[key][0], slack[i]]) for i, key in enumerate(keys)]
    values = [(-1 if key[2] else 1) * bounds[key][1] for key in keys]
    constraints = [LinearConstraint(np.array(rows), -np.inf, values)] if rows else []
    if total is not None:
        constraints.append(LinearConstraint([[1] * units + [0] * len(keys)], total, total))
    cost = np.array([0] * units + [1] * len(keys))
    found = milp(
        cost, constraints=constraints, bounds=Bounds(0, np.inf), integrality=1 - cost, options={"mip_rel_gap": 0}
    )
    assert found.status == 0
    return round(found.fun, 6)


def check(given):
    """The conflict is one and irreducible, the relaxation least and enough; returns whether there was one."""
    bounds, units = stated(given), len(given.labels)
    least = least_change(bounds, units, given.total)
    diagnosis = za.diagnose(given)
    assert (diagnosis.conflict is None) == (least == 0)
    if least == 0:
        return False
    clash = {key: bounds[key] for key in ((x.kind, x.name, x.lower) for x in diagnosis.conflict.limits)}
    total = given.total if diagnosis.conflict.with_total else None
    assert least_change(clash, units, total) > 0
    for spared in clash:
        rest = {key: bound for key, bound in clash.items() if key != spared}
        assert least_change(rest, units, given.total) == 0, (spared, diagnosis)
    if total is not None:
        assert least_change(clash, units, None) == 0
    assert float(diagnosis.relaxation.total_change) == pytest.approx(least, abs=1e-6)
    assert za.solve(diagnosis.relaxation.problem).quota.sum() == given.total
    return True


def random_problem(seed, nested):
    """Up to 8 units, tight bounds, zeros, joint bounds that are nested or cross; whole numbers throughout."""
    rng = np.random.default_rng(seed)
    labels = list("ABCDEFGH"[: rng.integers(2, 9)])
    due = {label: float(rng.integers(0, 5)) for label in labels}
    floor = {label: int(rng.integers(0, 3)) for label in labels}
    cap = {label: floor[label] + int(rng.integers(-1 if floor[label] else 0, 4)) for label in labels}
    total = int(rng.integers(1, 2 * len(labels) + 2))
    rows = []
    for number in range(rng.integers(1, 5)):
        if nested:
            low, high = sorted(rng.integers(0, len(labels) + 1, 2)) if number else (0, len(labels))
            members = labels[low:high]
        else:
            members = [label for label in labels if rng.random() < 0.5]
        bounds = [int(rng.integers(0, 2 * len(members) + 2)) if rng.random() < 0.7 else None for _ in range(2)]
        rows.append(za.Group(f"g{number}", tuple(members), *bounds))
    if nested:
        rows = [row for i, row in enumerate(rows) if all(laminar(row, other) for other in rows[:i])]
    elif rng.random() < 0.5:
        weights = {label: Fraction(int(w)) for label, w in zip(labels, rng.integers(-2, 4, len(labels)), strict=True)}
        rows.append(za.Rule("r", weights, Fraction(int(rng.integers(0, 9))), Fraction(int(rng.integers(5, 20)))))
    return problem(total, due, floor, cap, rows)


def written_in_halves(given):
    """The same problem to whole places: each bound of a group written half a place wider, as that of a rule."""
    half = Fraction(1, 2)
    rules = [
        za.Rule(
            group.name,
            dict.fromkeys(group.members, Fraction(1)),
            None if group.floor is None else group.floor - half,
            None if group.cap is None else group.cap + half,
        )
        for group in given.groups
    ]
    return replace(given, groups=(), rules=(*rules, *given.rules))


@pytest.mark.thorough
@pytest.mark.parametrize("nested", [True, False])
def test_changes_are_least_against_what_was_written(nested):
    assert sum(check(written_in_halves(random_problem(seed, nested))) for seed in range(25)) >= 10


def laminar(one, other):
    a, b = set(one.members), set(other.members)
    return a <= b or b <= a or not a & b


@pytest.mark.thorough
@pytest.mark.parametrize("nested", [True, False])
def test_random_conflicts_against_another_solver(nested):
    assert sum(check(random_problem(seed, nested)) for seed in range(25)) >= 10


@pytest.mark.slow
@pytest.mark.parametrize("nested", [True, False])
def test_two_hundred_random_conflicts_against_another_solver(nested):
    found = 0
    for seed in range(100, 1000):
        found += check(random_problem(seed, nested))
        if found == 100:
            return
    pytest.fail("fewer than 100 infeasible problems")


def test_37_units_clash_across_rules(panel, baseline):
    units = panel.units
    river = tuple(
        units.index[units["short_name"].isin(["上海", "江苏", "浙江", "安徽", "江西", "湖北", "湖南", "重庆", "四川"])]
    )
    west = tuple(units.index[units["region"] == "西部"])
    given = za.quota_problem(panel, baseline)
    given = replace(given, groups=(za.Group("西部", west, floor=600), za.Group("长江经济带", river, floor=700)))
    assert not check(given)
    # 重庆 and 四川 lie in both: with 130 places each they fall one short of the 261 that count for both.
    capped = replace(given, cap=pd.Series(130, index=units.index))
    assert check(capped)
    assert za.diagnose(capped).conflict.text == (
        "长江经济带下限 700、西部下限 600、重庆上限 130、四川上限 130、名额总量 1039 不能同时满足"
    )
    # ... and the 17 units in neither have a floor of 1 each.
    assert za.diagnose(capped).relaxation.total_change == 18


def test_a_rule_over_no_unit_that_nothing_satisfies_is_named():
    """0 ≤ −1 fails whatever the places are."""
    rule = za.Rule("r0", {"A": Fraction(0)}, None, Fraction(-1))
    with pytest.raises(za.InfeasibleError, match="r0") as caught:
        za.solve(za.QuotaProblem(0, pd.Series({"A": 0.0}), rules=(rule,)))
    assert [limit.name for limit in caught.value.diagnosis.conflict.limits] == ["r0"]


def test_a_presolve_that_gives_up_does_not_hide_the_way_out():
    """Found by enumeration: HiGHS's presolve ends in "Solve error" on the thirds of this model. x = (2, 2, 3)."""
    rule = za.Rule("r", {"C": Fraction(-7, 3), "B": Fraction(5), "A": Fraction(-1)}, upper=Fraction(0))
    due = {"A": 0.01, "B": 0.0, "C": 0.0, "D": 0.0, "E": 0.0}
    found = za.diagnose(problem(7, due, {"A": 1, "B": 2, "C": 3}, {"B": 2, "C": 3, "D": 0, "E": 0}, [rule]))
    assert [(limit.name, Fraction(new, limit.scale)) for limit, new in found.relaxation.changes] == [("r", 1)]
