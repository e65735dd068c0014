"""Answers of a solver that break their own model, or that nothing proves, are refused, and the message says which."""

import sys
from dataclasses import replace
from fractions import Fraction

import pandas as pd
import pytest

import zjtx_alloc as za
from zjtx_alloc.quota import diagnose as conflicts
from zjtx_alloc.quota.crossing import model_plan, model_regret, model_relax
from zjtx_alloc.quota.crossing.model_plan import Course, solve_plan
from zjtx_alloc.quota.crossing.model_regret import Target, least_worst
from zjtx_alloc.quota.nested import continuous

E = pd.Series([3.5, 1.5], index=["a", "b"])
PROBLEM = za.QuotaProblem(5, E)
CLASH = za.QuotaProblem(5, E, floor=pd.Series([4, 4], E.index))
DUE = (Fraction(17, 5), Fraction(8, 5))
COURSE = Course((PROBLEM,), (0, 0), (DUE,))
TARGETS = [Target(DUE, Fraction(0)), Target(DUE[::-1], Fraction(0))]
CROSSING = za.QuotaProblem(
    5, pd.Series([2.0, 2.0, 1.0], index=["a", "b", "c"]),
    rules=(za.Rule("r", {"a": 1, "b": 1}, upper=3), za.Rule("s", {"b": 1, "c": 1}, upper=4)),
)  # fmt: skip
BROKEN, UNPROVEN, NONE = "复核未通过：甲", "未能证明为最优", "求解器未给出整数解"


def test_these_have_answers_where_the_solver_does_not_lie():
    assert solve_plan(COURSE).places == [[3, 2]]
    assert not COURSE.violations([[3, 2]])
    floored = za.QuotaProblem(5, E, floor=pd.Series([0, 2], E.index))
    assert solve_plan(Course((floored,), (0, 0), ((Fraction("3.9"), Fraction("1.1")),))).places == [[3, 2]]
    assert sum(least_worst(PROBLEM, TARGETS).places) == 5
    assert za.diagnose(CLASH).relaxation.total_change == 3
    assert sum(continuous.bounded_entitlement(CROSSING)) == 5


def test_running_totals_beside_their_target_are_told_with_it():
    assert COURSE.violations([[2, 3]]) == [
        "累计名额 2 不是累计应得 3.40 的上下取整",
        "累计名额 3 不是累计应得 1.60 的上下取整",
    ]


@pytest.mark.parametrize(
    ("lie", "ask", "said"),
    [
        ((Course, "violations", lambda course, places: ["甲"]), lambda: solve_plan(COURSE), BROKEN),
        ((model_plan, "meets", lambda bound, cost: False), lambda: solve_plan(COURSE), UNPROVEN),
        ((model_regret, "meets", lambda bound, cost: False), lambda: least_worst(PROBLEM, TARGETS), UNPROVEN),
        ((continuous, "_GAP", Fraction(-1)), lambda: continuous.bounded_entitlement(CROSSING), UNPROVEN),
        ((conflicts, "least_breach", lambda *_: [0, 0]), lambda: za.diagnose(CLASH), "复核未通过：名额之和 0 不等于总量 5"),
        ((model_relax, "admits_answer", lambda *_, **__: False), lambda: za.diagnose(CLASH), NONE),
    ],
)  # fmt: skip
def test_what_is_wrong_or_unproven_is_refused(monkeypatch, lie, ask, said):
    monkeypatch.setattr(*lie)
    with pytest.raises(za.SolverError, match=said):
        ask()


def test_without_the_solver_rules_that_cross_are_refused(monkeypatch):
    monkeypatch.setitem(sys.modules, "highspy", None)
    with pytest.raises(za.SolverError, match="highspy"):
        continuous.bounded_entitlement(CROSSING)
    for name in ("model", "model_cases"):
        monkeypatch.setattr(f"zjtx_alloc.quota.crossing.{name}.highspy", None)
    for criterion in ("webster", "minimax"):
        with pytest.raises(za.SolverError, match="highspy"):
            za.solve(replace(CROSSING, criterion=criterion))


def test_rules_that_admit_no_robust_places_are_named():
    tight = za.QuotaProblem(5, E, rules=(za.Rule("r", {"a": 1}, upper=1), za.Rule("s", {"b": 1}, upper=1)))
    with pytest.raises(za.InfeasibleError, match="名额总量、各单位上下限，以及 r、s"):
        least_worst(tight, TARGETS)


@pytest.mark.parametrize(
    ("bounds", "group"),
    [({"floor": [2, 2]}, za.Group("g", ("a", "b"), cap=3)), ({"cap": [2, 2, 5]}, za.Group("g", ("a", "b"), floor=5))],
)
def test_a_group_that_its_members_cannot_keep_has_no_real_places(bounds, group):
    e = pd.Series([2.0, 2.0, 1.0], index=["a", "b", "c"])
    given = {name: pd.Series([*values, 0][:3], e.index) for name, values in bounds.items()}
    with pytest.raises(za.InfeasibleError):
        continuous.bounded_entitlement(za.QuotaProblem(5, e, groups=(group,), **given))


def test_numbers_of_a_clash_are_told_to_the_last_digit():
    large = za.QuotaProblem(5, E, floor=pd.Series([12_345_678_901, 0], E.index), cap=pd.Series(10**15, E.index))
    assert "12345678901" in za.diagnose(large).conflict.text
