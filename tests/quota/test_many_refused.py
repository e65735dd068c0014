"""What solve_many refuses: other units than the problem's, another shape, entitlements that are none."""

import numpy as np
import pandas as pd
import pytest

import zjtx_alloc as za
from zjtx_alloc.quota.many import solve_many as many


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        (["A", "B"], "缺少 丙省"),
        (["A", "B", "C", "D"], "多出 D"),
        (["A", "B", "C", "C"], "重复 C"),
        (["A", "B", "c"], "缺少 丙省；多出 c"),
    ],
)
def test_columns_must_be_the_problem_s_units(columns, words):
    problem = za.QuotaProblem(6, pd.Series(1.0, list("ABC")), names={"C": "丙省"})
    with pytest.raises(za.ScenarioError, match=words):
        za.solve_many(problem, pd.DataFrame(np.ones((2, len(columns))), columns=columns))


@pytest.mark.parametrize(("shape", "words"), [((2, 4), "2 × 4"), ((3,), "为 3"), ((), "现为 —；")])
def test_an_array_must_have_a_column_a_unit(shape, words):
    with pytest.raises(za.ScenarioError, match=rf"3 列.*{words}"):
        za.solve_many(za.QuotaProblem(6, pd.Series(1.0, list("ABC"))), np.ones(shape))


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -0.5])
def test_an_entitlement_that_is_none_is_named_by_row_and_unit(wrong, monkeypatch):
    monkeypatch.setattr(many, "_CELLS", 6)
    frame = pd.DataFrame(np.ones((5, 3)), columns=list("CBA"))
    frame.loc[3, "B"] = wrong
    with pytest.raises(za.ScenarioError, match=rf"第 4 个情景中 乙省 的理论名额为 {wrong}"):
        za.solve_many(za.QuotaProblem(6, pd.Series(1.0, list("ABC")), names={"B": "乙省"}), frame)


@pytest.mark.parametrize("wrong", ["三", None, pd.NA])
def test_an_entitlement_that_is_no_number_is_missing(wrong):
    frame = pd.DataFrame([["1", 2, 3.0], [1, wrong, 3]], columns=list("ABC"))
    problem = za.QuotaProblem(6, pd.Series(1.0, list("ABC")))
    assert za.solve_many(problem, frame.iloc[:1]).tolist() == [[1, 2, 3]]
    with pytest.raises(za.ScenarioError, match="第 2 个情景中 B 的理论名额为 nan"):
        za.solve_many(problem, frame)
